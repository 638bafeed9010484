"""Shrink: from a failing run of hundreds of events to the few steps that make it fail.

    what happened in the run, as a script
      --drop clients, kinds of faults, halves, quarters, ... single steps--> fewer steps
                                               (delta debugging, Zeller and Hildebrandt 2002)
      --simpler worlds, people, values, times-->  a calmer story
      --> a Shrunk: script, seed, violation; it prints as a story and as code to paste

A step taken away shifts every later roll of the dice, so a candidate counts as failing if it
breaks the *same invariant* under the seed at hand or one of a few neighbours.

Assumes   what `case` assumes of a failure.
Promises  the result fails for the same reason, replays from its code, and the search ends within
          its budget; what it could not shrink in time it says.
Read also `case` (one run), `simpler` (what is tried), `shrunk` (how the result is told), `sweep` (where failing runs come from).
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import combinations
from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Actor
from chatsys.campaign.bounded import LONGEST, TooLong, at_most
from chatsys.campaign.minimal import Shrunk
from chatsys.campaign.one_seed import Plan, prepare, schedule
from chatsys.campaign.reductions import people, times, values, worlds
from chatsys.campaign.reproduction import Case, reason
from chatsys.check import Violation
from chatsys.errors import UsageError
from chatsys.faults import Fault, Script, check_fault

__all__ = ["Case", "Shrunk", "shrink", "shrink_seed"]

_ROUNDS = 6
"""So often all moves are tried again, as long as one of them helps."""
_WAYS, _SHORT = 3, 6
"""So many ways down are tried, in a third of the time, unless one leads to so few steps."""
_PAIRS = 16
"""Among so few steps every pair is tried, for a crash and its restart go together."""
_MANY = 12
"""So many seeds are tried where one try can save hundreds of others."""


def shrink_seed(
    seed: int,
    plan: Plan | None = None,
    *,
    parts: Mapping[str, type] | None = None,
    actor: type[Actor] | None = None,
    seconds: float = 30.0,
    invariants: Iterable[str] = (),
) -> Shrunk:
    """Run `seed` of `plan`, then shrink how it fails.

    `invariants` are candidates in order of preference; without any, what the users saw goes first.
    Raises `UsageError` if the seed does not fail.
    """
    plan = plan or Plan()
    outcome = schedule(seed, plan, parts=parts, actor=actor)
    world = outcome.world
    drift = max(
        (abs(host.rate - 1.0) for host in prepare(seed, plan, parts, actor).simulation.hosts.values()), default=0.0
    )
    case = Case(
        seed=seed,
        script=world.script,
        config=world.config,
        parts=parts or None,
        actor=actor,
        network=world.simulation.network.conditions,
        clock_drift=0.12 if drift else 0.0,
        turn=plan.setting(seed).turn,
    )
    broken = [found.invariant for found in outcome.violations]
    return shrink(case, seconds=seconds, invariants=[*invariants] or dict.fromkeys(broken))


def shrink(case: Case, *, seconds: float = 30.0, invariants: Iterable[str] = ()) -> Shrunk:
    """Return the smallest run found in `seconds` that breaks the same invariant as `case`.

    `invariants` are candidates in order of preference; without any, the first one broken counts.
    Raises `UsageError` if the case does not fail.
    """
    if not seconds > 0:
        raise UsageError(f"seconds is {seconds}; give the search a positive time.")
    search = _Search(case, time.monotonic() + seconds)
    for name in [*invariants] or [None]:  # type: ignore[list-item]
        if search.begin(name):
            break
    else:
        raise UsageError(
            f"Seed {case.seed} breaks no invariant when it is played again, so there is nothing to shrink."
        )
    finished = search.reduce()
    assert search.violation is not None, "the search began with a failing case"
    return Shrunk(
        case=search.best,
        violation=search.violation,
        steps_before=len(case.script),
        runs=search.runs,
        finished=finished,
    )


class _OutOfTime(Exception):
    """The budget of the search is spent."""


class _Search:
    """The best case so far, and the moves that try to better it."""

    def __init__(self, case: Case, end: float) -> None:
        self.best = case
        self.end = end
        self.runs = 0
        self.reason = ""
        self.violation: Violation | None = None

    def begin(self, invariant: str | None) -> bool:
        """Take the first run that fails as the one to better; drop what comes after its failure."""
        found = self._played(self.best, invariant)
        if found is None:
            return False
        self.reason = reason(found)
        self._keep(self.best, found)
        rounded = [msgspec.structs.replace(fault, time=round(fault.time, 3)) for fault in self.best.script]
        with suppress(_OutOfTime):
            self._try_steps(rounded)
        return True

    def reduce(self) -> bool:
        """Go down by several ways and keep the shortest end; tell whether there was time for one at least."""
        start, ends = (self.best, self.violation), []
        extra = time.monotonic() + (self.end - time.monotonic()) / 3
        try:
            for way in range(_WAYS):
                self.best, self.violation = start
                self._descend(Random(way) if way else None)
                ends.append((self.best, self.violation))
                self.end = extra
                if len(self.best.script) <= _SHORT:
                    break
        except _OutOfTime:
            if not ends:
                return False
        self.best, self.violation = min(ends, key=lambda end: len(end[0].script))
        return True

    def _descend(self, chance: Random | None) -> None:
        """Try every move until none helps; `chance` shuffles the order in which kinds of steps go."""
        self._drop_kinds(chance)
        for _ in range(_ROUNDS):
            before = self.best
            self._drop()
            self._drop_pairs()
            for move in (worlds, people, values, times):
                self._improve(move)
            if self.best == before:
                return

    def _try(self, case: Case, neighbours: int = 0) -> bool:
        """Keep `case` as the best if it fails in the same way, perhaps with one of the next seeds (0: as fits)."""
        assert self.violation is not None, "the search began with a failing case"
        for offset in range(neighbours or self._neighbours(len(case.script))):
            if time.monotonic() > self.end:
                raise _OutOfTime
            moved = msgspec.structs.replace(case, seed=case.seed + offset)
            found = self._played(moved, self.violation.invariant)
            if found is not None and reason(found) == self.reason:
                self._keep(moved, found)
                return True
        return False

    def _played(self, case: Case, invariant: str | None) -> Violation | None:
        """Return how `case` fails; None too if a class of somebody's own loops in it, or leaves Python."""
        self.runs += 1
        if not (case.parts or case.actor):
            return case.fails(invariant)
        try:
            with at_most(min(LONGEST, self.end - time.monotonic() if self.violation else LONGEST)):
                return case.fails(invariant)
        except (TooLong, SystemExit):
            return None

    @staticmethod
    def _neighbours(steps: int) -> int:
        """A long run costs much and is soon shorter; the last few steps are worth the dice."""
        return 1 if steps > 40 else 3 if steps > 12 else 5

    def _keep(self, case: Case, found: Violation) -> None:
        """Steps after the failure had nothing to do with it."""
        end = case.end(found)
        needed = Script([fault for fault in case.script if fault.time <= end])
        self.best, self.violation = msgspec.structs.replace(case, script=needed), found

    def _try_steps(self, faults: Sequence[Fault], neighbours: int = 0) -> bool:
        known = _without_strangers(faults, self.best.config.ids)
        return self._try(msgspec.structs.replace(self.best, script=Script(known)), neighbours)

    def _drop_kinds(self, chance: Random | None) -> None:
        """Take away all that was said, or that one client said, or all faults of one verb, the most frequent first."""
        count = Counter(kind for fault in self.best.script for kind in _kinds(fault))
        kinds = [kind for kind, _ in count.most_common()]
        if chance is not None:
            chance.shuffle(kinds)
        for kind in kinds:
            kept = [fault for fault in self.best.script if kind not in _kinds(fault)]
            if len(kept) < len(self.best.script):
                self._try_steps(kept, _MANY if 2 * len(kept) < len(self.best.script) else 2)

    def _drop(self) -> None:
        """Delta debugging: take away ever smaller runs of steps."""
        size = max(1, len(self.best.script) // 2)
        while True:
            at = 0
            while at < len(self.best.script):
                faults = self.best.script.faults
                if not self._try_steps(faults[:at] + faults[at + size :]):
                    at += size
            if size == 1:
                return
            size = max(1, size // 2)

    def _drop_pairs(self) -> None:
        """Take away two steps that stand apart."""
        steps = self.best.script.faults
        for one, other in combinations(steps, 2) if 3 <= len(steps) <= _PAIRS else ():
            now = self.best.script.faults
            if one in now and other in now:
                self._try_steps([fault for fault in now if fault not in (one, other)])

    def _improve(self, move: Callable[[Case], Iterator[Case]]) -> None:
        """Keep the first candidate of `move` that fails, and ask again, until none does."""
        tried: set[str] = set()
        while self._one_better(move, tried):
            pass

    def _one_better(self, move: Callable[[Case], Iterator[Case]], tried: set[str]) -> bool:
        for case in move(self.best):
            key, mine = _key(case), _key(self.best)
            if key != mine and repr(key) not in tried:
                tried.add(repr(key))
                if self._try(case):
                    return True
        return False


def _key(case: Case) -> tuple[Any, ...]:
    """Return what the moves may change of a case."""
    return case.script, case.config, case.network, case.clock_drift, case.turn


def _kinds(fault: Fault) -> tuple[str, ...]:
    """Return the kinds of steps that this one belongs to: its verb; and who says it, to whom."""
    return (fault.verb, f"say {fault.args[1:]}") if fault.verb == "say" else (fault.verb,)


def _without_strangers(faults: Sequence[Fault], members: Sequence[int]) -> list[Fault]:
    """Leave out what is about a learner whose joining was taken away."""
    known = (*members, *(fault.args[0] for fault in faults if fault.verb == "join"))
    return [fault for fault in faults if _names_only(known, fault)]


def _names_only(known: Sequence[int], fault: Fault) -> bool:
    try:
        check_fault(fault.verb, fault.args, known)
    except UsageError:
        return False
    return True
