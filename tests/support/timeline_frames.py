"""How smooth the timeline is: frames a second while a script scrubs, how long it takes to open, how much memory.

    python tests/support/timeline_frames.py                  10,000 events: 5 s of scrubbing
    python tests/support/timeline_frames.py --events 100000 --seconds 5 --json

A page is saved and opened in headless Chromium.  For so many seconds the pointer drags through the strip of the whole
run and back, one place further in each frame of the screen; requestAnimationFrame counts the frames.  Run it on a
machine that does nothing else.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import browser

from chatsys import World
from chatsys.teach.widgets.timeline.timeline import timeline
from chatsys.trace import Trace

SCRUB = """(seconds) => new Promise((done) => {
  const strip = document.querySelector('.cs-tl-overview');
  const box = strip.getBoundingClientRect();
  const send = (kind, x) => strip.dispatchEvent(new PointerEvent(kind, {bubbles: true, clientX: x, clientY: box.top + 12, pointerId: 1, button: 0}));
  const took = [];
  let last = null, began = null;
  send('pointerdown', box.left + 120);
  const turn = (now) => {
    if (last !== null) took.push(now - last);
    last = now;
    began = began ?? now;
    const share = (now - began) / 1000 / seconds;
    if (share >= 1) {
      send('pointerup', box.right - 10);
      took.sort((a, b) => b - a);
      const slow = took[Math.floor(took.length / 20)];
      return done({frames: took.length, a_second: took.length / seconds, slowest_twentieth: 1000 / slow, slowest_frame_ms: took[0], events_at_end: document.querySelector('.cs-tl-stage').dataset.event});
    }
    const there = 1 - Math.abs(1 - 2 * share);
    send('pointermove', box.left + 120 + there * (box.width - 130));
    requestAnimationFrame(turn);
  };
  requestAnimationFrame(turn);
})"""


def long_run(events: int) -> Trace:
    """Return the trace of a simulated run with about so many events: people talk, now and then a node crashes."""
    world = World(seed=5)
    world.run(2)
    turn = 0
    while len(world.trace) < events:
        turn += 1
        world.say(f"line {turn}", author=("ann", "bob", "eve")[turn % 3])
        world.run(0.4)
        if turn % 60 == 0:
            gone = 1 + turn // 60 % 3
            world.crash(gone)
            world.run(4)
            world.restart(gone)
            world.run(2)
    return world.trace


def measure(events: int, seconds: float) -> dict[str, Any]:
    """Return what was measured."""
    from playwright.sync_api import sync_playwright

    trace = long_run(events)
    began = time.perf_counter()
    shown = timeline(trace)
    packing = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = shown.save_html(Path(folder) / "run.html")
        chromium = playwright.chromium.launch(executable_path=browser.CHROMIUM, args=browser.FLAGS)
        try:
            page = chromium.new_page(viewport={"width": 1400, "height": 1000})
            began = time.perf_counter()
            page.goto(path.as_uri())
            page.wait_for_selector(".cs-tl-band", state="attached", timeout=120_000)
            opening = time.perf_counter() - began
            found: dict[str, Any] = page.evaluate(SCRUB, seconds)
            session = page.context.new_cdp_session(page)
            session.send("HeapProfiler.collectGarbage")
            heap = session.send("Runtime.getHeapUsage")
            nodes = page.evaluate("document.querySelectorAll('.cs-timeline svg *').length")
        finally:
            chromium.close()
        size = path.stat().st_size
    memory = {"heap_mb": heap["usedSize"] / 1e6, "buffers_mb": heap.get("backingStorageSize", 0) / 1e6}
    return {
        "events": len(trace),
        "pack_s": packing,
        "open_s": opening,
        "page_mb": size / 1e6,
        "svg_nodes": nodes,
        **memory,
        **found,
    }


def main() -> None:
    """Measure, and print a line for each number."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    given = parser.parse_args()
    if browser.CHROMIUM is None:
        sys.exit("Chromium is not installed, so nothing can be measured; apt install chromium.")
    found = measure(given.events, given.seconds)
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:20} {value:.2f}" if isinstance(value, float) else f"{name:20} {value}")


if __name__ == "__main__":
    main()
