"""Shrink: from a failing run of hundreds of events to the few steps that make it fail.

    what happened in the run, as a script
      --drop halves, quarters, ... single steps-->  fewer steps     (delta debugging, Zeller 2002)
      --round times, bring steps closer together--> a calmer story
      --> a Shrunk: script, seed, violation; it prints as code to paste and as a sentence

A step taken away shifts every later roll of the dice, so a candidate counts as failing if it
breaks the *same invariant* under the seed at hand or one of a few neighbours.

Assumes   the failure is one of safety: it shows while the script runs or soon after.
Promises  the result fails for the same reason, replays from its code, and the search ends within
          its budget; what it could not shrink in time it says.
Read also `faults.script` (the steps), `sweep` (where failing runs come from).
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from chatsys.check import Checker, Violation, check
from chatsys.config import ClusterConfig
from chatsys.errors import Runaway, UsageError
from chatsys.faults import Fault, Script
from chatsys.faults.telling import as_call, in_words
from chatsys.protocol.actor import Actor
from chatsys.sim.network import Conditions
from chatsys.sim.sweep import Plan, prepare
from chatsys.sim.world import World

AFTERWARDS = 6.0
"""So long after its last step a run may take to show the failure, in seconds of virtual time."""
STRIDE = 0.25
"""The checker looks at the trace after so many seconds of virtual time."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A run that can be repeated: the world's options and the script that is played in it."""

    seed: int
    script: Script
    config: ClusterConfig
    parts: Mapping[str, type] | None = None
    actor: type[Actor] | None = None
    network: Conditions = Conditions()
    clock_drift: float = 0.0

    def world(self) -> World:
        """Return the world at time 0, with the script laid."""
        world = World(
            self.seed,
            self.config,
            parts=self.parts,
            actor=self.actor,
            network=self.network,
            clock_drift=self.clock_drift,
        )
        self.script.play(world, lenient=True)
        return world

    def options(self) -> list[str]:
        """Return the arguments of `World` that differ from its defaults, as code."""
        plain = ClusterConfig.of(len(self.config.ids), quorum=self.config.quorum)
        changed = [
            f"{name}={getattr(self.config, name)!r}"
            for name in ("timing", "limits", "fast_suspect", "take_back")
            if getattr(self.config, name) != getattr(plain, name)
        ]
        count = [f"{len(plain.ids)}"] + ([f"quorum={plain.quorum}"] if plain.quorum != len(plain.ids) // 2 + 1 else [])
        if changed:
            options = [f"seed={self.seed}", f"nodes=ClusterConfig.of({', '.join([*count, *changed])})"]
        else:
            options = [f"seed={self.seed}", f"nodes={', '.join(count)}"]
        if self.parts:
            options.append(
                "parts={" + ", ".join(f'"{name}": {part.__name__}' for name, part in self.parts.items()) + "}"
            )
        if self.actor is not None:
            options.append(f"actor={self.actor.__name__}")
        if self.network != Conditions():
            options.append(f"network={self.network!r}")
        return options + ([f"clock_drift={self.clock_drift}"] if self.clock_drift else [])

    def fails(self, invariant: str | None = None) -> Violation | None:
        """Run until `invariant` (None: any) is broken; return how, or None if it holds."""
        world = self.world()
        checker = Checker(None if invariant is None or invariant == "broken" else [invariant])
        last = self.script.faults[-1].time if self.script.faults else 0.0
        seen = 0
        while world.now < last + AFTERWARDS:
            try:
                world.run(STRIDE)
            except Runaway:
                return None
            records = world.trace.records
            for record in records[seen:]:
                for found in checker.feed(record):
                    if invariant is None or found.invariant == invariant:
                        return found
            seen = len(records)
            if invariant in (None, "broken") and world.failures:
                node, sentence = world.failures[0]
                return Violation(
                    invariant="broken", sentence=f"Node {node} stopped itself: {sentence}", time=world.now, node=node
                )
        return None


class Shrunk(msgspec.Struct, frozen=True, kw_only=True):
    """The small failing run, and how it was found."""

    case: Case
    violation: Violation
    steps_before: int
    runs: int
    finished: bool
    """Whether the search came to its end; if not, fewer steps might do."""

    @property
    def script(self) -> Script:
        """The steps that are left."""
        return self.case.script

    def code(self) -> str:
        """Return Python lines that a student can paste into a cell."""
        steps = [f"world.at({as_call(fault)})" for fault in self.script]
        return "\n".join(
            [f"world = World({', '.join(self.case.options())})", *steps]
            + [f"world.run({self.violation.time + STRIDE:.2f})", "print(*check(world.trace), sep='\\n')"]
        )

    def story(self) -> str:
        """Tell the run: each step in words, then the sentence of what broke."""
        steps = [f"{number}. {in_words(fault)}" for number, fault in enumerate(self.script, start=1)]
        return "\n".join([*steps, self.violation.sentence])

    def __str__(self) -> str:
        more = "" if self.finished else " (out of time: fewer might do)"
        head = f"{self.steps_before} steps became {len(self.script)} in {self.runs} runs{more}; seed {self.case.seed}."
        return f"{head}\n{self.story()}\n\n{self.code()}"


def shrink_seed(
    seed: int,
    plan: Plan | None = None,
    *,
    parts: Mapping[str, type] | None = None,
    actor: type[Actor] | None = None,
    seconds: float = 30.0,
) -> Shrunk:
    """Run `seed` of `plan`, then shrink how it fails.  Raises `UsageError` if it does not fail."""
    plan = plan or Plan()
    world = prepare(seed, plan, parts, actor)
    try:
        world.run(plan.seconds)
        world.mend()
        world.run(plan.calm)
    except Runaway:
        pass
    drift = max((abs(host.rate - 1.0) for host in world.hosts.values()), default=0.0)
    case = Case(
        seed=seed,
        script=world.script,
        config=world.config,
        parts=parts,
        actor=actor,
        network=world.network.conditions,
        clock_drift=0.12 if drift else 0.0,
    )
    return shrink(case, seconds=seconds, invariants=_names(world))


def _names(world: World) -> list[str]:
    """The invariants that a finished run broke: first what users saw, then what led to it."""
    return list(dict.fromkeys(found.invariant for found in check(world.trace))) + (["broken"] if world.failures else [])


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
        raise UsageError(f"Seed {case.seed} breaks no safety invariant, so there is nothing to shrink.")
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

    neighbours = 3

    def __init__(self, case: Case, end: float) -> None:
        self.best = case
        self.end = end
        self.runs = 0
        self.invariant: str | None = None
        self.violation: Violation | None = None

    def begin(self, invariant: str | None) -> bool:
        """Take the first run that fails as the one to better; drop what comes after its failure."""
        found = self._run(self.best, invariant)
        if found is None:
            return False
        self.invariant, self.violation = found.invariant, found
        self._keep(self.best, found)
        return True

    def reduce(self) -> bool:
        """Try every move until none helps; tell whether there was time for all."""
        try:
            before = -1
            while before != (before := len(self.best.script)):
                self._drop()
                self._simplify()
                self._round_times()
        except _OutOfTime:
            return False
        return True

    def _run(self, case: Case, invariant: str | None) -> Violation | None:
        if time.monotonic() > self.end and self.runs:
            raise _OutOfTime
        self.runs += 1
        return case.fails(invariant)

    def _try(self, faults: Sequence[Fault], tries: int = 1, **changes: Any) -> bool:
        """Keep `faults` as the best if they fail in the same way, perhaps with a seed close by."""
        for offset in range(tries):
            seed = self.best.seed + offset
            case = msgspec.structs.replace(self.best, script=Script(faults), seed=seed, **changes)
            found = self._run(case, self.invariant)
            if found is not None:
                self._keep(case, found)
                return True
        return False

    def _keep(self, case: Case, found: Violation) -> None:
        """Steps after the failure had no part in it."""
        needed = Script([fault for fault in case.script if fault.time <= found.time])
        self.best, self.violation = msgspec.structs.replace(case, script=needed), found

    def _drop(self) -> None:
        """Delta debugging: take away ever smaller runs of steps."""
        size = max(1, len(self.best.script) // 2)
        while True:
            at = 0
            while at < len(self.best.script):
                faults = self.best.script.faults
                kept = faults[:at] + faults[at + size :]
                if not self._try(kept, self.neighbours if size <= 4 else 1):
                    at += size
            if size == 1:
                return
            size = max(1, size // 2)

    def _simplify(self) -> None:
        """Prefer right clocks, a network that keeps the order, and a cluster with the usual settings."""
        config = self.best.config
        usual = ClusterConfig.of(len(config.ids), quorum=config.quorum)
        for name, value in {"clock_drift": 0.0, "network": Conditions(), "config": usual}.items():
            if getattr(self.best, name) != value:
                self._try(self.best.script.faults, self.neighbours, **{name: value})

    def _round_times(self) -> None:
        """Round times for people, as coarsely as the failure allows; close the long pauses."""
        for digits in (0, 1, 2):
            rounded = [msgspec.structs.replace(f, time=round(f.time, digits)) for f in self.best.script]
            if rounded == list(self.best.script) or self._try(rounded, self.neighbours):
                break
        for at in range(len(self.best.script)):
            faults = self.best.script.faults
            if at >= len(faults):
                return
            pause = faults[at].time - (faults[at - 1].time if at else 0.0)
            if pause > 4.0:
                moved = [msgspec.structs.replace(f, time=round(f.time - pause + 3.0, 3)) for f in faults[at:]]
                self._try((*faults[:at], *moved), self.neighbours)
