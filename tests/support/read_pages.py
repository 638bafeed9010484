"""Read a run from the page that shows it, and from its trace; both must say the same.

    python tests/support/read_pages.py 100 120          seeds 100 to 119 and the small actors of labs 03 to 05, a line each

The page is a saved one in a real Chromium.  It is scrolled from its first event to its last by the keyboard, and at each
stop everything that is drawn is read from its data- attributes.  What it should be is read here from the records in the
plainest way; what the logs hold is also read from the simulated hosts and their disks, at a few moments of the run.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import browser
from read_timelines import durable_places, played

from chatsys import World
from chatsys.sim.world import World as Simulated
from chatsys.teach.labs.lab03 import friends as queues
from chatsys.teach.labs.lab03 import play as lab03
from chatsys.teach.labs.lab04 import friends as detectors
from chatsys.teach.labs.lab04 import play as lab04
from chatsys.teach.labs.lab05 import friends as elections
from chatsys.teach.labs.lab05 import play as lab05
from chatsys.teach.widgets.timeline.moment import NodeMoment, moment
from chatsys.teach.widgets.timeline.packing import Packed
from chatsys.teach.widgets.timeline.timeline import timeline
from chatsys.trace import Trace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Facts = dict[str, str]
"""The data- attributes of something that is drawn."""
Truth = dict[int, dict[int, dict[str, Any]]]
"""For some events what each host of the simulator was right after it."""

SCROLL = """async ({everything, stride, more}) => {
  const stage = document.querySelector('.cs-tl-stage');
  const frame = () => new Promise((done) => requestAnimationFrame(done)); // what was asked for before is painted before
  if (everything) {
    for (const box of document.querySelectorAll('.cs-tl-filters input')) if (!box.checked) box.click();
    await frame();
  }
  const press = async (key, shiftKey = false) => {
    stage.dispatchEvent(new KeyboardEvent('keydown', {key, shiftKey, bubbles: true, cancelable: true}));
    await frame();
  };
  const all = (selector) => [...document.querySelectorAll(selector)].map((one) => ({...one.dataset}));
  const events = (selector, what) => [...document.querySelectorAll(selector)].map((one) => Number(one.dataset[what]));
  const found = {arrows: {}, signs: {}, bands: {}, faults: {}, strips: all('.strip'), stops: [], twice: [], crowded: 0};
  const once = (kind, key, facts, count) => {
    const text = JSON.stringify({...facts, ...count});
    if (found[kind][key] !== undefined && found[kind][key] !== text) found.twice.push(`${kind} ${key}: ${found[kind][key]} then ${text}`);
    found[kind][key] = text;
  };
  const look = () => {
    found.crowded += document.querySelectorAll('.cs-tl-many').length;
    for (const one of document.querySelectorAll('.arrow')) {
      const lines = [...one.querySelectorAll('.cs-tl-line')];
      once('arrows', one.dataset.frame, one.dataset, {lines: lines.length, crosses: lines.filter((line) => line.classList.contains('cs-tl-lost')).length});
    }
    for (const one of document.querySelectorAll('.sign')) once('signs', one.dataset.event, one.dataset, {text: one.textContent});
    for (const one of document.querySelectorAll('.band')) once('bands', `${one.dataset.node} ${one.dataset.from} ${one.dataset.what}`, one.dataset, {});
    for (const one of document.querySelectorAll('.fault')) once('faults', `${one.dataset.kind} ${one.dataset.node} ${one.dataset.from} ${one.dataset.to} ${one.dataset.says}`, one.dataset, {});
    found.stops.push({event: Number(stage.dataset.event), says: document.querySelector('.cs-tl-sentence').innerText, rows: document.querySelector('.cs-tl-boxes').getAttribute('aria-label'),
      boxes: all('.box'), held: all('.held'), window: [events('.sign', 'event'), events('.arrow', 'frame'), [...document.querySelectorAll('.band')].map(({dataset}) => [dataset.node, Number(dataset.from)])],
      x: [...document.querySelectorAll('.sign')].map((one) => [Number(one.dataset.event), Number(/\\(([-\\d.]+)/.exec(one.getAttribute('transform'))[1])])});
  };
  await press('Home');
  const reach = (fold) => fold(...events('.sign', 'event'));
  for (let last = -1, until = -1; Number(stage.dataset.event) !== last;) {
    last = Number(stage.dataset.event);
    for (let event = until + 1; event < Math.min(last, reach(Math.min)); event++) {  // what stands between two windows
      window.timeline.go(event);
      await frame();
      look();
      window.timeline.go(last);
      await frame();
    }
    until = Math.max(until, reach(Math.max));
    look();
    if (stride > 1) await press('ArrowRight', true);
    else await press('ArrowRight');
  }
  for (const event of more) { window.timeline.go(event); await frame(); look(); }
  for (const kind of ['arrows', 'signs', 'bands', 'faults']) found[kind] = Object.values(found[kind]).map((text) => JSON.parse(text));
  return found;
}"""

FATES = ("under way", "received", "dropped", "received more than once", "ended")


@contextmanager
def chromium() -> "Iterator[Browser]":
    """Start one browser for many pages."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser.CHROMIUM, args=browser.FLAGS)
        try:
            yield started
        finally:
            started.close()


@contextmanager
def page_of(started: "Browser", path: Path, complaints: list[str], width: int = 1600) -> "Iterator[Page]":
    """Open a saved page without network; whatever goes wrong in it is a complaint."""
    context = started.new_context(viewport={"width": width, "height": 1000}, offline=True)
    try:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request", lambda sent: complaints.append(f"asked for {sent.url}") if sent.url != path.as_uri() else None
        )
        page.goto(path.as_uri())
        page.wait_for_selector(".cs-tl-stage[data-event]", state="attached")
        yield page
    finally:
        context.close()


def differences(started: "Browser", trace: Trace, truth: Truth, stride: int = 10) -> tuple[list[str], Counter[str]]:
    """Return in what the page of a run differs from the run, and how much was compared."""
    shown = timeline(trace)
    complaints: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = shown.save_html(Path(folder) / "run.html")
        with page_of(started, path, complaints) as page:
            found: dict[str, Any] = page.evaluate(SCROLL, {"everything": True, "stride": stride, "more": list(truth)})
    packed, count = shown.packed, Counter[str]()
    told = [*complaints, *found["twice"]]
    if found["crowded"]:
        told.append("the window shows too much at once, so arrows are not drawn one by one")
    told += [*of_arrows(packed, found, count), *of_signs(packed, found, count), *of_bands(packed, found, count)]
    told += [*of_windows(packed, found, count), *of_stops(packed, found, count), *of_hosts(packed, found, truth, count)]
    return told, count


def unequal(what: str, drawn: dict[Any, Any], expected: dict[Any, Any]) -> Iterator[str]:
    """Tell what is drawn and is not there, is there and is not drawn, or is drawn otherwise."""
    for key in [key for key in expected if key not in drawn]:
        yield f"{what} {key} is not drawn; it should be {expected[key]}"
    for key in drawn:
        if key not in expected:
            yield f"{what} {key} is drawn as {drawn[key]}, and is not in the trace"
        elif drawn[key] != expected[key]:
            yield f"{what} {key} is drawn as {drawn[key]}, and should be {expected[key]}"


def of_arrows(packed: Packed, found: dict[str, Any], count: Counter[str]) -> Iterator[str]:
    """Compare every arrow with the records that send, receive and drop its frame."""
    records = packed.records
    frames: dict[str | None, list[int]] = {}
    expected: dict[int, tuple[Any, ...]] = {}
    ends: dict[int, list[int]] = {}
    for event, record in enumerate(records):
        if record.kind == "send":
            frames[record.id] = ends[event] = []
        elif record.kind in ("receive", "drop") and record.id in frames:
            frames[record.id].append(event)
    for send, those in ends.items():
        record = records[send]
        receives = [event for event in those if records[event].kind == "receive"]
        fate = FATES[3] if len(receives) > 1 else FATES[1] if receives else FATES[2] if those else ""
        if not fate:
            over = (
                one.kind in ("crash", "stop", "broken", "refused") and one.node == record.peer for one in records[send:]
            )
            fate = FATES[4] if any(over) else FATES[0]
        lost = fate in (FATES[2], FATES[4])
        expected[send] = (
            record.id, str(record.node), str(record.peer), record.message, fate, receives, max(len(receives), 1), int(lost),
        )  # fmt: skip
        count[f"arrows {fate}"] += 1
    drawn = {
        int(one["send"]): (
            one["id"], one["from"], one["to"], one["message"], one["fate"], [int(end) for end in one["receive"].split()],
            one["lines"], one["crosses"],
        )
        for one in found["arrows"]
    }  # fmt: skip
    count["arrows"] += len(expected)
    if len(drawn) != len(found["arrows"]):
        yield "two arrows have one sending"
    yield from unequal("arrow", drawn, expected)


def of_signs(packed: Packed, found: dict[str, Any], count: Counter[str]) -> Iterator[str]:
    """Compare every sign with the record that it stands for."""
    by = packed.about["held_by"]
    expected = {
        event: (record.kind, str(record.node), chip(record, by) if record.kind == "deliver" else "")
        for event, record in enumerate(packed.records)
        if record.kind not in ("send", "receive", "drop") and record.node is not None
    }
    drawn = {int(one["event"]): (one["kind"], one["node"], one["text"]) for one in found["signs"]}
    count["signs"] += len(expected)
    yield from unequal("sign", drawn, expected)


def chip(record: Any, by: str) -> str:
    """Return what stands on the sign of a delivery: its number."""
    if record.msg_no is not None:
        return f"#{record.msg_no}"
    return "✓" if record.seq is None else str(record.seq)


def of_bands(packed: Packed, found: dict[str, Any], count: Counter[str]) -> Iterator[str]:
    """Compare bands, faults and strips with those that are told; a band is not drawn if it is narrower than a hair."""
    ids = [lane["id"] for lane in packed.about["lanes"]]
    bands = {(str(ids[lane]), begin, what): end for lane, begin, end, what, _ in packed.about["bands"]}
    drawn = {(one["node"], float(one["from"]), one["what"]): float(one["to"]) for one in found["bands"]}
    narrow = {key for key, end in bands.items() if key not in drawn and end - key[1] <= 0.001}
    yield from unequal("band", drawn, {key: end for key, end in bands.items() if key not in narrow})
    faults = Counter(
        (kind, str(ids[lane]), begin, end, says)
        for begin, end, lanes, kind, says, _ in packed.about["faults"]
        for lane in lanes
    )
    seen = {
        (one["kind"], one["node"], float(one["from"]), float(one["to"]), one["says"]): True for one in found["faults"]
    }
    yield from unequal("fault", seen, dict.fromkeys(faults, True))
    strips = {one["rule"]: (one["held"], one["event"]) for one in found["strips"]}
    rules = {
        rule["name"]: (str(rule["held"]).lower(), "" if rule["event"] is None else str(rule["event"]))
        for rule in packed.about["rules"]
    }
    yield from unequal("strip", strips, rules)
    count["bands"] += len(bands) - len(narrow)
    count["faults"] += len(faults)
    count["strips"] += len(rules)


def of_windows(packed: Packed, found: dict[str, Any], count: Counter[str]) -> Iterator[str]:
    """Compare what is in the window at each stop: nothing is missing between its first sign and its last."""
    records, times = packed.records, packed.columns["time"].tolist()
    signs = [
        event
        for event, one in enumerate(records)
        if one.kind not in ("send", "receive", "drop") and one.node is not None
    ]
    ids = [lane["id"] for lane in packed.about["lanes"]]
    sends = packed.columns["frame_send"].tolist()
    last = list(sends)
    for event, frame in enumerate(packed.columns["frame"].tolist()):
        if frame >= 0 and records[event].kind == "receive":
            last[frame] = max(last[frame], event)
    for stop in found["stops"]:
        drawn, frames = set[int](stop["window"][0]), set[int](stop["window"][1])
        bands = {(node, begin) for node, begin in stop["window"][2]}
        if not drawn:
            continue
        first, end = min(drawn), max(drawn)
        missing = [f"the sign {event}" for event in signs if first <= event <= end and event not in drawn]
        missing += [
            f"the arrow {frame}" for frame, send in enumerate(sends)
            if send <= end and last[frame] >= first and frame not in frames
        ]  # fmt: skip
        missing += [
            f"the band {what} of {ids[lane]} from {begin}" for lane, begin, until, what, _ in packed.about["bands"]
            if begin + 0.001 < times[end] and until > times[first] + 0.001 and until - begin > 0.001
            and (str(ids[lane]), begin) not in bands
        ]  # fmt: skip
        yield from (f"at event {stop['event']} {one} is not in the window" for one in missing)
        xs = [x for _, x in sorted(stop["x"])]
        if xs != sorted(xs):
            yield f"at event {stop['event']} a sign stands left of an earlier one"
        count["windows"] += 1


def of_stops(packed: Packed, found: dict[str, Any], count: Counter[str]) -> Iterator[str]:
    """Compare the sentence, the boxes, the queues and the words about each node wherever the scrolling stopped."""
    lanes = [lane for lane in packed.about["lanes"] if lane["kind"] != "client"]
    logs = any(record.kind in ("append", "keep") and record.seq for record in packed.records)
    for stop in found["stops"]:
        event = stop["event"]
        if stop["says"] != packed.sentence(event):
            yield f"event {event} is told as {stop['says']!r}, and should be {packed.sentence(event)!r}"
        states = moment(packed, event)
        rows = " ".join(row(lane["name"], states[lane["id"]], logs) for lane in lanes)
        if stop["rows"] != rows:
            yield f"at event {event} the nodes are told as {stop['rows']!r}, and should be {rows!r}"
        if logs:
            yield from unequal(f"at event {event} the box", boxes_in(stop, states), boxes_of(states))
        else:
            yield from unequal(f"at event {event} the number", numbers_in(stop), numbers_of(packed, event))
        held = {(one["node"], int(one["seq"])): True for one in stop["held"]}
        yield from unequal(f"at event {event} the place held back", held, held_of(states, logs, stop))
        count["stops"] += 1
        count["boxes"] += len(stop["boxes"])
        count["held"] += len(held)


def row(name: str, state: NodeMoment, logs: bool) -> str:
    """Return what is told about a node to whoever does not see its row."""
    word = "down" if state.alive == "down" else "paused" if state.alive == "paused" else state.role
    told = [f"{name}: {'running' if word in ('up', '') else word}" + (f", term {state.term}" if state.term else "")]
    if logs:
        end = max([box.position for box in state.log], default=state.unknown)
        durable = max([box.position for box in state.log if box.durable], default=0)
        committed = max([box.position for box in state.log if box.committed], default=0)
        told.append(f"its log ends at {end}, durable up to {durable}, committed up to {committed}")
    told.append(f"delivered up to #{state.delivered}" if state.delivered else "delivered nothing")
    if state.held:
        told.append(f"holds back {', '.join(map(str, state.held))}")
    return f"{'; '.join(told)}."


def boxes_of(states: dict[int, NodeMoment]) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Return what each place of each log should look like."""
    return {
        (str(node), box.position): (
            -1 if box.entry_term is None else box.entry_term,
            box.durable,
            box.committed,
            box.event,
        )
        for node, state in states.items()
        for box in state.log
    }


def boxes_in(stop: dict[str, Any], states: dict[int, NodeMoment]) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Return what each place of each log is drawn as; what has no column any more is as it should be."""
    drawn = {
        (one["node"], int(one["seq"])): (
            int(one["entryTerm"]), one["durable"] == "true", one["committed"] == "true", int(one["event"]),
        )
        for one in stop["boxes"]
    }  # fmt: skip
    first = min((seq for _, seq in drawn), default=1)
    return drawn | {key: box for key, box in boxes_of(states).items() if key[1] < first and drawn}


def numbers_in(stop: dict[str, Any]) -> dict[tuple[str, int], int]:
    """Return which numbers are drawn as delivered, and the events that did it."""
    return {(one["node"], int(one["seq"])): int(one["event"]) for one in stop["boxes"]}


def numbers_of(packed: Packed, event: int) -> dict[tuple[str, int], int]:
    """Return what each node had delivered in its present life, of an actor without a log."""
    found: dict[tuple[str, int], int] = {}
    for at, record in enumerate(packed.records[: event + 1]):
        if record.kind == "start":
            found = {key: value for key, value in found.items() if key[0] != str(record.node)}
        elif record.kind == "deliver":
            number = getattr(record, packed.about["held_by"])
            if number:
                found[str(record.node), number] = at
    return found


def held_of(states: dict[int, NodeMoment], logs: bool, stop: dict[str, Any]) -> dict[tuple[str, int], bool]:
    """Return what should be drawn as held back: what waits and is not there already."""
    there = {(one["node"], int(one["seq"])) for one in stop["boxes"]}
    return {
        (str(node), place): True
        for node, state in states.items()
        for place in state.held
        if (str(node), place) not in there
    }


def of_hosts(packed: Packed, found: dict[str, Any], truth: Truth, count: Counter[str]) -> Iterator[str]:
    """Compare the boxes with the logs, the disks and the queues of the simulated hosts."""
    stops = {stop["event"]: stop for stop in found["stops"]}
    for event, hosts in truth.items():
        stop = stops.get(event)
        if stop is None:
            yield f"the scrolling did not stop at event {event}"
            continue
        for node, host in hosts.items():
            drawn = {int(one["seq"]): one for one in stop["boxes"] if one["node"] == str(node)}
            first = min((int(one["seq"]) for one in stop["boxes"]), default=1)
            expected = {
                seq: (str(term), str(seq <= host["commit"]).lower())
                for seq, term in host["log"].items()
                if seq >= first
            }
            yield from unequal(
                f"at event {event} node {node}, place",
                {seq: (one["entryTerm"], one["committed"]) for seq, one in drawn.items()},
                expected,
            )
            durable = {seq for seq, one in drawn.items() if one["durable"] == "true"}
            disk = {seq for seq in host["disk"] if seq >= first and seq in expected}
            if durable != disk and not (host["waits"] and durable <= disk):
                yield f"at event {event} node {node} has {disk} on its disk, and {durable} is drawn so"
            count["hosts"] += 1


# --- the runs ---------------------------------------------------------------------------------------


def stormy(seed: int, most: int = sys.maxsize) -> tuple[Trace, Truth]:
    """Play a run with all faults; return its trace, or the beginning of it, and what its hosts were at some events."""
    truth: Truth = {}
    world = None
    for world in played(seed):
        truth[len(world.trace) - 1] = {
            node: hosts_facts(world, node)
            for node in world.nodes
            if world.simulation.hosts[node].ready and world.simulation.hosts[node].disk.successor is None
        }
    assert world is not None
    order = sorted(event for event in truth if event < most)
    trace = Trace(world.trace.records[:most], world.trace.meta)
    return trace, {event: truth[event] for event in [*order[::2], *order[1::2]]}  # there and back again


def alone(world: World) -> tuple[Trace, Truth]:
    """Return the trace of a world into whose hosts nobody looks."""
    return world.trace, {}


def hosts_facts(world: Simulated, node: int) -> dict[str, Any]:
    """Return what a host holds."""
    host = world.simulation.hosts[node]
    actor: Any = host.actor
    return {
        "log": {entry.seq: entry.term for entry in actor.state.log.entries},
        "commit": actor.state.log.commit,
        "disk": set(durable_places(host.disk.records[: host.disk.durable])),
        "waits": bool(host.waits or world.simulation.turn > 0),
    }


def of_labs() -> dict[str, World]:
    """Return runs of the small actors of the labs: some are right, and some have the bug that the lab is about."""
    return {
        "lab 03, AtOnce": lab03.chat(queues.AtOnce), "lab 03, TheRealOne": lab03.chat(queues.TheRealOne),
        "lab 04, OneClock": lab04.watch(detectors.OneClock), "lab 04, CountsBeats": lab04.watch(detectors.CountsBeats),
        "lab 05, Hasty": lab05.split(elections.Hasty), "lab 05, Believing": lab05.split(elections.Believing),
    }  # fmt: skip


def main() -> int:
    """Read the seeds that are named, and the labs."""
    first, last = int(sys.argv[1]), int(sys.argv[2])
    wrong, whole = 0, Counter[str]()
    with chromium() as started:
        runs: list[tuple[str, Callable[[], tuple[Trace, Truth]]]] = [
            (f"seed {seed}", partial(stormy, seed)) for seed in range(first, last)
        ]
        runs += [(name, partial(alone, world)) for name, world in of_labs().items()]
        for name, play in runs:
            begin = time.perf_counter()
            trace, truth = play()
            found, count = differences(started, trace, truth)
            wrong += bool(found)
            whole += count
            print(f"{name}: {len(trace)} events, {len(found)} differences, {time.perf_counter() - begin:.1f} s")
            for one in found[:8]:
                print("   ", one[:500])
    print(f"{len(runs)} runs, {wrong} with differences; compared: {dict(whole)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
