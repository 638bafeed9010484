"""What students do not see of lab 04: directed runs of 4.1."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from chatsys.teach.grading.lab import Finding
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab04.checks import judge_lives, judge_watches
from chatsys.teach.labs.lab04.runs import Event, RunPlan, Watch, listened

LATE = 3.0
"""So many seconds after the beat itself its copy comes at most."""

DIRECTED: tuple[tuple[Event, ...], ...] = (
    ((0.0, "crash", (3,)),),  # down from the beginning
    ((0.0, "crash", (2,)), (0.0, "crash", (3,)), (9.0, "restart", (3,))),
    ((0.0, "cut", (3, 1, True)), (9.0, "reconnect", (3, 1, True))),
    ((0.5, "duplicate", ("*", "*", 1.0, LATE)), (8.0, "crash", (2,))),  # late copies of old beats
    ((0.5, "duplicate", ("*", "*", 1.0, LATE)), (8.0, "pause", (3,)), (14.0, "resume", (3,))),
    ((5.0, "crash", (2,)), (5.4, "restart", (2,)), (8.0, "crash", (2,)), (8.4, "restart", (2,))),  # numbers jump
    ((6.0, "crash", (2,)), (12.0, "restart", (2,)), (12.9, "crash", (2,))),
    ((5.0, "cut", (1, 2, True)), (5.0, "cut", (3, 1, True)), (13.0, "heal", ())),
    ((3.0, "crash", (1,)), (5.0, "restart", (1,)), (4.0, "crash", (2,))),  # down when node 1 begins to listen again
)
"""What happens in each."""


def plans(seed: int) -> list[RunPlan]:
    """Return the directed runs; the seed chooses the delays and the clocks."""
    network = replace(OVERTAKING, longest=0.2)
    return [
        RunPlan(seed=seed + place, events=events, seconds=18.0, network=network)
        for place, events in enumerate(DIRECTED)
    ]  # fmt: skip


def judge_directed(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """4.1: down from the beginning, late copies, one direction cut, restarts; some of it live as well."""
    runs = plans(seeds[0])
    watches: list[Watch] = [watch for plan in runs for watch in listened(plan)]
    found = list(judge_watches(trial, watches, "In a directed run"))
    yield from found or judge_lives(trial, runs[-2:], "In a directed run")


JUDGES: dict[Any, Any] = {}
EXTRA = {"4.1": judge_directed}
