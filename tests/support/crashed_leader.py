"""The story of a leader that crashed, for tests: a message is lost on its way to node 1, then node 3 crashes.

CELLS                    the cells of a notebook that shows it, and lays the mended run over it
past_and_future(run, k)  how many events could have brought one about, counted without the timeline
"""

from typing import TYPE_CHECKING, Any

from chatsys.trace import Trace

if TYPE_CHECKING:
    from playwright.sync_api import Locator

STORY = """
import chatsys as cs

def story(lost):
    world = cs.World(seed=3)
    world.run(1)
    world.say("one")
    world.run(1)
    if lost:
        world.lose(3, 1, 1.0)
    world.say("two", author="bob")
    world.run(0.3)
    world.crash(3)
    world.run(3)
    world.say("three")
    world.run(1)
    return world

world = story(True)
"""
"""The message `two` is lost on its way to node 1; then the leader, node 3, crashes."""

COMPARED = 'cs.compare(world, story(False), names=("with the loss", "mended"))'
CELLS = [STORY, "shown = cs.timeline(world)\nshown", COMPARED, "print(shown.event, shown.lit)", "shown.event = 40"]


def past_and_future(run: Trace, event: int) -> tuple[int, int]:
    """Return how many events could have brought one about, and how many it could have (Lamport, 1978)."""
    records = run.in_order()
    sends = {record.id: at for at, record in enumerate(records) if record.kind == "send"}
    before: list[set[int]] = []
    last: dict[Any, int] = {}
    for at, record in enumerate(records):
        causes = [last[record.node]] if record.node in last else []
        causes += [sends[record.id]] if record.kind == "receive" and record.id in sends else []
        before.append(set(causes).union(*(before[one] for one in causes)) if record.node is not None else set())
        if record.node is not None:
            last[record.node] = at
    return len(before[event]), sum(event in those for those in before)


def lost_message(run: Trace) -> tuple[int, int]:
    """Return the last frame with `two` for node 1 before the crash: where it is sent and where it is dropped."""
    records = list(run.in_order())
    crash = next(at for at, record in enumerate(records) if record.kind == "crash")
    drop = max(at for at in range(crash) if records[at].kind == "drop" and records[at].message == "PROPOSE")
    return next(at for at in range(crash) if records[at].kind == "send" and records[at].id == records[drop].id), drop


# --- its timeline, in a page ------------------------------------------------------------------------


def event_of(timeline: "Locator") -> int:
    """Return where the cursor is."""
    return int(timeline.locator(".cs-tl-stage").get_attribute("data-event") or -1)


def await_event(timeline: "Locator", event: int) -> None:
    timeline.locator(f".cs-tl-stage[data-event='{event}']").wait_for(timeout=10_000)


def told_of(timeline: "Locator") -> str:
    """Return the answer, when Python has tried it."""
    answer = timeline.locator(".cs-tl-answer").filter(has_text="Without the loss")
    answer.wait_for(timeout=20_000)
    return answer.inner_text()


def widths(timeline: "Locator") -> set[str | None]:
    """Return how wide the whole run, the lanes, the logs and the rules are drawn."""
    drawn = timeline.locator(".cs-tl-overview, .cs-tl-lanes, .cs-tl-boxes, .cs-tl-rule svg")
    return {one.get_attribute("width") for one in drawn.all()}
