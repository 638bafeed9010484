"""The judge of 4.1, the detector: whom does it suspect, and when?

What node 1 hears in a seed is written down and played to the student's detector, whose answers are read call by
call (`reading`).  A few seeds are played live as well, with a detector at each of the three nodes: what is right
alone can still go wrong beside others.

Read also `runs` (what happens in a seed), `telling` (why an answer was wrong), `adaptive` (the judge of 4.2).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chatsys.isolation.calls import Call, CallScript
from chatsys.teach.grading.lab import Finding
from chatsys.teach.labs.lab04.reading import WatchReading
from chatsys.teach.labs.lab04.runs import RunPlan, Watch, lived, plan_of, watches_of
from chatsys.teach.labs.lab04.stage import INTERVAL, TIMEOUT
from chatsys.teach.labs.lab04.telling import Teller
from chatsys.trace import Trace

LIVE = 3
"""So many seeds of a part are played live, with a detector at each node."""


def judge_detector(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """4.1: complete, accurate, restore."""
    found = list(judge_watches(trial, [watch for seed in seeds for watch in watches_of(seed)]))
    if not found:
        found = list(judge_lives(trial, [plan_of(seed) for seed in seeds[:LIVE]]))
    yield from found


def judge_watches(trial: Any, watches: Sequence[Watch], opening: str = "") -> Iterator[Finding]:
    """Judge what the class answers where it is played what was written down."""
    replies = trial.ask([watch.script() for watch in watches])
    readings = [WatchReading(watch, said) for watch, said in zip(watches, replies, strict=True)]
    yield from judge_readings(trial, readings, opening)


def judge_lives(trial: Any, plans: Iterable[RunPlan], opening: str = "") -> Iterator[Finding]:
    """Play runs live, and judge all detectors in them."""
    for plan in plans:
        world, lives = lived(plan, trial.cls)
        readings = [WatchReading(watch, said) for watch, said in lives]
        found = list(judge_readings(trial, readings, opening, world.trace))
        yield from found
        if found:
            return


def judge_readings(
    trial: Any, readings: Sequence[WatchReading], opening: str = "", trace: Trace | None = None
) -> Iterator[Finding]:
    """Yield the first of each thing that is wrong; `trace` is that of a run that was played live."""
    wrong = [one for one in readings if not one.right]
    if not wrong:
        return
    tell = Teller(trial, readings, opening, trace)
    broken = next((one for one in wrong if one.error is not None), None)
    if broken is not None:
        yield tell.error(broken)
        return
    first = min(wrong, key=lambda one: one.wrong.call if one.wrong is not None else 0)
    shared = tell.shared(first)
    if shared is not None:
        yield shared
        return
    never = next((one for one in wrong if one.never is not None), None)
    if never is not None:
        yield tell.never(never)
    for aspect, where in (("complete", "late"), ("accurate", "early"), ("restore", "kept")):
        one = next((reading for reading in wrong if getattr(reading, where) is not None), None)
        if one is not None:
            yield tell.wrong(aspect, one, getattr(one, where))


def load(first: int, last: int) -> CallScript:
    """Return the calls number `first` to `last` that must leave little behind: beats of two peers, 0.1 s apart."""
    calls = [
        Call("beat", (2 + number % 2, number, 700.0 + number / 10, number / 10)) for number in range(first, last + 1)
    ]
    return CallScript(tuple(calls), ([2, 3], 0.0, INTERVAL, TIMEOUT))
