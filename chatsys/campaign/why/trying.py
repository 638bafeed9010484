"""Trying: what would have been, if this fault had not happened?

    the run, again --without the cut--> #7 is delivered at 2.34 s      so the cut is to blame
                   --without the slow disk--> still nothing            so the disk is not

Chance is kept (`sim.chance`), so what differs between the two runs follows from the fault, and nothing else does.

Assumes   what `sim.again` assumes of a run; of one that cannot be played again it says why, and tries nothing.
Read also `smallest` (which runs are tried), `lasting` (what counts as a fault), `asking` (who asks).
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, TypeVar

from msgspec.structs import replace

from chatsys.campaign.bounded import LONGEST, TooLong, at_most
from chatsys.campaign.why.lasting import Lasting, breaks, lasting, steps_of
from chatsys.campaign.why.smallest import Smallest
from chatsys.errors import UsageError
from chatsys.faults import Fault, Script
from chatsys.run import Run
from chatsys.sim.again import Again
from chatsys.sim.network import Conditions
from chatsys.sim.world import World
from chatsys.trace import Record, Trace, trace_of

T = TypeVar("T")

LOSS, DOUBLES = -1, -2
"""The conditions of a network stand among the steps under these numbers."""


class Trying:
    """A run, its faults, and the runs without some of them."""

    def __init__(self, given: Any, seconds: float) -> None:
        self.trace: Trace = trace_of(given)
        self.seconds = seconds
        self.again, self.reason = _again(given, self.trace) if seconds > 0 else (None, "")
        self.end = _end(given, self.again, self.trace)
        """When the run ended, in seconds: perhaps long after its last record."""
        steps: list[tuple[int | None, Fault]]
        if self.again is not None:
            steps = list(enumerate(self.again.steps))
        elif (kept := _kept(given)) is not None:
            steps = [(None, step) for step in kept]
        else:
            steps = steps_of(self.trace)
        self.says = [step for _, step in steps if step.verb == "say"]
        self.faults: list[Lasting] = [*_of_network(self.again), *lasting(steps, self.trace)]

    @property
    def own(self) -> list[str]:
        """The names of the classes in it that are not chatsys' own."""
        parts = self.trace.meta.get("parts") or {}
        actor = self.trace.meta.get("actor")
        return [*parts.values(), *([actor] if actor not in (None, "Node") else [])]

    def search(
        self, comes: Callable[[], Callable[[Record], bool]], until: float, likely: Sequence[Lasting]
    ) -> Smallest[Record]:
        """Look for the smallest set of faults without which a record comes by `until`; `comes` is made anew for each run."""
        found = Smallest(
            self.bounded(lambda without: self.play(without, until, comes())[1]),
            self.seconds,
            lambda record: record.time,
        )
        found.search(_steps(likely), _steps(one for one in self.faults if one.fault.time <= until))
        return found

    def bounded(self, tries: Callable[[frozenset[int]], T | None]) -> Callable[[frozenset[int]], T | None]:
        """Return `tries`; a run in which somebody's class loops, or leaves Python, is one in which nothing comes."""

        def bounded(without: frozenset[int]) -> T | None:
            try:
                with at_most(LONGEST) if self.own else nullcontext():
                    return tries(without)
            except (TooLong, SystemExit):
                return None

        return bounded

    def play(
        self,
        without: frozenset[int],
        end: float,
        comes: Callable[[Record], bool] = lambda record: False,
        *,
        quorum: int | None = None,
    ) -> tuple[World, Record | None]:
        """Play the run up to `end` without these faults; return its world, and the record that was waited for."""
        assert self.again is not None, "there is a run to try"
        conditions: Conditions | None = None
        if LOSS in without or DOUBLES in without:
            conditions = self.again.conditions
            conditions = replace(conditions, loss=0.0) if LOSS in without else conditions
            conditions = replace(conditions, duplication=0.0) if DOUBLES in without else conditions
        steps = [step for step in without if step >= 0]
        return self.again.play(
            steps,
            end=end,
            conditions=conditions,
            quorum=quorum,
            until=lambda record: record.time <= end and comes(record),
        )

    def of(self, steps: frozenset[int] | None) -> list[Lasting]:
        """Return the faults of these steps, in order of time."""
        return [one for one in self.faults if one.step is not None and one.step in (steps or ())]


def _steps(faults: Any) -> list[int]:
    return [one.step for one in faults if one.step is not None]


def _again(given: Any, trace: Trace) -> tuple[Again | None, str]:
    """Return the run that can be played again; or None, and why."""
    source = given if isinstance(given, World | Run) else getattr(given, "world", None)
    if trace.meta.get("where") != "sim":
        return None, ""
    if not isinstance(source, World | Run):
        return None, "a trace alone cannot be played again; give the world or the run, and it is tried"
    try:
        return Again(source), ""
    except UsageError as error:
        told = str(error).rstrip(".")
        return None, told[:1].lower() + told[1:]


def _end(given: Any, again: Again | None, trace: Trace) -> float:
    """Return up to when a run went."""
    if again is not None and again.steps:
        return again.steps[-1].time
    now = getattr(given, "now", None) or getattr(getattr(given, "world", None), "now", None)
    last = max((record.time for record in trace), default=0.0)
    return max(last, now) if isinstance(now, int | float) else last


def _kept(given: Any) -> Sequence[Fault] | None:
    """Return the steps of a run as they were kept, if they were."""
    done = getattr(given, "done", None) or getattr(getattr(given, "world", None), "done", None)
    if done is not None:
        return list(done)
    script = getattr(given, "script", None)
    return Script(script).faults if script else None


def _of_network(again: Again | None) -> list[Lasting]:
    """Return what the network of a world does all the time, as faults."""
    if again is None:
        return []
    loss, doubles = again.conditions.loss, again.conditions.duplication
    every = frozenset((("*", "*"),))
    told = [(LOSS, Fault(0.0, "lose", ("*", "*", loss))), (DOUBLES, Fault(0.0, "duplicate", ("*", "*", doubles)))]
    return [Lasting(fault=fault, begin=0.0, links=every, step=step) for step, fault in told if breaks(fault)]
