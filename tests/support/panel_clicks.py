"""From a click in the panel to its visible effect, in milliseconds, in a real JupyterLab on a real cluster.

    python tests/support/panel_clicks.py              20 rounds
    python tests/support/panel_clicks.py 60           so many rounds
    python tests/support/panel_clicks.py 20 processes     nodes that are processes of their own

In each round every button is clicked once, in the page, by the page's own clock: from the click until the next frame of
the screen after the panel shows what the click was for (a card that is down, a link that is cut).  `say` ends when the
users of two nodes see the message, so that it holds an acknowledgement by a quorum, too.  A line for each verb: n, the
median, the 95th percentile, the longest; then the load of the machine, without which the numbers say little.  The code
is 1 when something never came to be seen, or when the 95th percentile of all but `say` is 100 ms or more.
"""

import math
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import browser
from panel_page import await_leader

if TYPE_CHECKING:
    from playwright.sync_api import Page

LIMIT = 100.0
"""Milliseconds within which a click has to be seen."""
SAY = "say"

CLICK = """async ([find, shows]) => {
    const panel = document.querySelector('.cs-panel');
    const holds = new Function('panel', 'return ' + shows), button = new Function('panel', 'return ' + find)(panel);
    return await new Promise((resolve) => {
        const began = performance.now();
        const look = () => {
            if (!holds(panel)) return;
            watch.disconnect();
            requestAnimationFrame(() => resolve(performance.now() - began));
        };
        const watch = new MutationObserver(look);
        watch.observe(panel, { subtree: true, childList: true, attributes: true, characterData: true });
        button.click();
        look();
        setTimeout(() => { watch.disconnect(); resolve(-1); }, 15000);
    });
}"""
"""Click what `find` finds, and return after how many milliseconds `shows` is true on the screen; -1: never."""

CARD = "panel.querySelector(\".cs-card[data-node='1']\").dataset"
CUT = "panel.querySelectorAll('.cs-links [data-cut=true]').length"
VERBS = {
    "crash": ("Crash node 1", f"{CARD}.role === 'down'"),
    "restart": ("Restart node 1", f"{CARD}.role !== 'down'"),
    "pause": ("Pause node 1", f"{CARD}.paused === 'true'"),
    "resume": ("Resume node 1", f"{CARD}.paused === 'false'"),
    "cut": ("Cut the link between node 1 and 2", f"{CUT} === 1"),
    "mend": ("Mend the link between node 1 and 2", f"{CUT} === 0"),
    "partition": (".cs-split", f"{CUT} === 2"),
    "heal": (".cs-heal", f"{CUT} === 0"),
}
"""Verb: the button, by its name or by its place, and what is to be seen."""


def click(page: "Page", button: str, shows: str) -> float:
    """Return how long it takes until a click is seen."""
    place = button if button.startswith(".") else f"button[aria-label='{button}']"
    taken: float = page.evaluate(CLICK, [f'panel.querySelector("{place}")', shows])
    return taken


def measure(page: "Page", rounds: int) -> dict[str, list[float]]:
    """Click everything so many times."""
    panel = page.locator(".cs-panel")
    found: dict[str, list[float]] = {verb: [] for verb in (*VERBS, SAY)}
    for turn in range(rounds):
        for verb, (button, shows) in VERBS.items():
            found[verb].append(click(page, button, shows))
            page.wait_for_timeout(250)
        panel.locator(".cs-reset").click()
        await_leader(panel, 3)
        text = f"text {turn}."
        panel.locator(".cs-text").fill(text)
        seen = f"[...panel.querySelectorAll('.cs-seen li')].filter((one) => one.textContent.includes('{text}')).length >= 2"
        found[SAY].append(click(page, ".cs-say", seen))
        page.wait_for_timeout(250)
    return found


def row(verb: str, taken: list[float]) -> str:
    """Return a line of the table."""
    seen = sorted(one for one in taken if one >= 0)
    if not seen:
        return f"{verb:12} {0:4} of {len(taken)}: never seen"
    median, high = (seen[math.ceil(share * len(seen)) - 1] for share in (0.5, 0.95))
    never = f"   never seen: {len(taken) - len(seen)}" if len(seen) < len(taken) else ""
    return f"{verb:12} {len(seen):4} {median:7.0f} {high:7.0f} {seen[-1]:7.0f}{never}"


def main() -> int:
    """Measure, and print the table."""
    if not set(sys.argv[2:]) <= {"kernel", "processes"} or not all(one.isdecimal() for one in sys.argv[1:2]):
        print(__doc__)
        return 2
    rounds, where = int((sys.argv[1:2] or ["20"])[0]), (sys.argv[2:3] or ["kernel"])[0]
    cell = f"import chatsys as cs\ncluster = cs.Cluster(where={where!r})\ncs.panel(cluster)"
    with tempfile.TemporaryDirectory() as place, browser.lab(Path(place)) as server, browser.page(server) as tab:
        server.write("clicks.ipynb", [cell])
        tab.open("clicks.ipynb")
        tab.run_all()
        await_leader(tab.page.locator(".cs-panel"), 3)
        tab.page.wait_for_timeout(2_000)
        before = os.getloadavg()[0]
        found = measure(tab.page, rounds)
    but_say = [one for verb in VERBS for one in found[verb]]
    print(f"{'ms':12} {'n':>4} {'p50':>7} {'p95':>7} {'longest':>7}")
    print(*(row(verb, taken) for verb, taken in found.items()), row("all but say", but_say), sep="\n")
    print(f"load of the machine: {before:.1f} before, {os.getloadavg()[0]:.1f} after, on {os.cpu_count()} cores")
    slow = sorted(but_say)[math.ceil(0.95 * len(but_say)) - 1] >= LIMIT
    return 1 if slow or min(but_say + found[SAY]) < 0 else 0


if __name__ == "__main__":
    raise SystemExit(main())
