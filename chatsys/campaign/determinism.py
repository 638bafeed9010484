"""Can a run be repeated?  The same seed under two PYTHONHASHSEEDs, and twice in each process.

    process 1 (hash seed 1):  run, run again  --> trace hashes, calls of clock and chance, what was kept
    process 2 (hash seed 2):  run, run again  --> ...
                                                      |--> sentences, with file, line and what to use instead
    only if they differ and nothing says why: the runs once more, line by line (`steps`), and a third
    one under hash seed 1, which tells the order of a set from everything else

While they last, every call out of somebody's own files is looked at (`sys.setprofile`):
that finds `time.time`, `random.random`, `datetime.now`, `uuid4` and their like however they were
imported.

Promises  an empty list means that all four traces were equal, and that nothing forbidden was called;
          a line is named only for what a run has shown of it.
Read also `attribution` (what is kept outside of self), `steps` (which line), `worker` (classes that hang).
"""

import datetime
import random
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from types import FrameType, ModuleType
from typing import Any

import msgspec

from chatsys.campaign.one_seed import Plan, schedule
from chatsys.campaign.steps import Step, Steps, parting
from chatsys.capabilities import PROCESSES, need
from chatsys.errors import NotHere
from chatsys.isolation.answer import MEMORY, Bounds
from chatsys.isolation.attribution import Kept
from chatsys.isolation.worker import Parts, Worker, packed
from chatsys.places import at, is_own, opening

CLOCK = "use `now`, which every door is given"
CHANCE = "use `self.random`"
FORBIDDEN = {
    "time": CLOCK,
    "random": CHANCE,
    "secrets": CHANCE,
    "uuid": "use `self.random.getrandbits(128)`",
    "datetime": CLOCK,
    "os.urandom": "use `self.random.randbytes(...)`",
    "time.sleep": "set an alarm: `self.alarms.set(name, now + seconds)`",
}
"""What a class must not call, and what it should use instead."""

SHOWN = 15
"""So many calls are told."""


class Observed(msgspec.Struct):
    """What one process saw."""

    hashes: tuple[str, str]
    calls: list[tuple[str, int, str]]
    """(file, line, what was called)"""
    kept: list[tuple[str, str]]
    """(place, name) of what changed outside of `self`."""
    records: list[str]


class _Unknown(Exception):
    """There is no answer, and why."""


def check_determinism(parts: Parts, seed: int = 0, plan: Plan | None = None, limit: float = 60.0) -> list[str]:
    """Return one sentence for each reason why runs with these classes cannot be repeated; [] if they can."""
    task = _Task(packed(parts), seed, plan or Plan(), limit)
    try:
        one, two = task.ask(watch, "1", "2")
        return list(dict.fromkeys(_sentences(one, two, task)))
    except _Unknown as error:
        return [f"Whether runs can be repeated is not known: {error}"]


class _Task:
    """One seed, played in several processes at a time."""

    def __init__(self, code: bytes, seed: int, plan: Plan, limit: float) -> None:
        self.code, self.seed, self.plan, self.limit = code, seed, plan, limit

    def ask(self, function: Any, *hash_seeds: str, **options: int) -> list[Any]:
        """Return what `function` found under each hash seed; raises `_Unknown` if one came to no end."""
        try:
            need("To compare runs under two hash seeds", PROCESSES, instead="run `chatsys simulate` on a computer")
        except NotHere as error:
            raise _Unknown(str(error)) from None
        bounds = Bounds(step=self.limit, memory=MEMORY)
        workers = [Worker(self.code, bounds, hash_seed=one) for one in hash_seeds]
        try:
            for worker in workers:
                worker.submit(partial(function, **options), self.seed, self.plan)
            answers = [worker.wait() for worker in workers]
        finally:
            for worker in workers:
                worker.kill()
        for answer in answers:
            if answer.verdict in ("raised", "refused"):
                raise _Unknown(f"seed {self.seed} raised {answer.value.rstrip('.')}.")
            if not answer.done:
                raise _Unknown(f"seed {self.seed}: {answer.value}")
        return [answer.value for answer in answers]


def _sentences(one: Observed, two: Observed, task: _Task) -> Iterator[str]:
    for file, line, call in one.calls:
        advice = FORBIDDEN.get(call) or FORBIDDEN[call.partition(".")[0]]
        yield f"{opening(at(file, line))} calls {call}(): a run with it cannot be repeated; {advice}."
    for where, name in one.kept:
        yield (
            f"{opening(where)}: {name} is shared by all nodes and keeps what one run left for the next; "
            "keep it in `self`, and begin it in `__init__`."
        )
    apart = one.hashes[0] != two.hashes[0]
    if len({*one.hashes, *two.hashes}) > 1 and not one.calls and (apart or not one.kept):
        try:
            yield _between(task) if apart else _within(task)
        except _Unknown:  # to follow every line takes longer
            yield f"Two runs of seed {task.seed} differ, {_first_difference(one, two)}; no line could be found that says why."


def _between(task: _Task) -> str:
    """Say why the runs of two processes differ, and whether it is by their hash seeds alone."""
    (one,), (two,), (again,) = task.ask(follow, "1", "2", "1")
    found = parting(one[1], two[1])
    if one[0] == again[0]:
        said = "goes by the order of a set, or by hash(), which are never the same; use sorted(...)"
    else:
        said = "goes by something that no seed decides, such as an address in memory or the number of a process"
        found = found if found == parting(one[1], again[1]) else None
    if found is None:
        return f"Two runs of seed {task.seed} differ, and no line could be found that says why; some line {said}."
    return f"{opening(at(*found))} {said}."


def _within(task: _Task) -> str:
    """Say why two runs in one process differ, though nothing was seen to keep what the first one left."""
    ((one, two),) = task.ask(follow, "1", runs=2)
    said = "goes by what an earlier run in the same process left; keep everything in `self`"
    if (found := parting(one[1], two[1])) is None:
        return f"Two runs of seed {task.seed} differ, and no line could be found that says why; some line {said}."
    return f"{opening(at(*found))} {said}."


def _first_difference(one: Observed, two: Observed) -> str:
    pairs = zip(one.records, two.records, strict=False)
    first = next((mine for mine, theirs in pairs if mine != theirs), None)
    return f"first at: {first}" if first else "the second one in the same process from the first"


# --- inside the process --------------------------------------------------------------------------


def watch(parts: Mapping[str, type], seed: int, plan: Plan) -> Observed:
    """Play the seed twice, and look at the calls and at what the first run left behind."""
    calls, before = _Calls(), Kept(parts)
    sys.setprofile(calls)  # for both runs: what is watched has fewer frames left before Python says "too deep"
    try:
        first = schedule(seed, plan, parts=parts)
        kept = Kept(parts).changed(before)
        second = schedule(seed, plan, parts=parts)
    finally:
        sys.setprofile(None)
    return Observed(
        hashes=(first.trace.hash(), second.trace.hash()),
        calls=calls.found,
        kept=kept,
        records=[f"{one.time:.3f} s {one.kind} at {one.node}" for one in first.trace],
    )


def follow(parts: Mapping[str, type], seed: int, plan: Plan, runs: int = 1) -> list[tuple[str, list[Step]]]:
    """Play the seed and return, for each run, the hash of its trace and its steps."""
    found = []
    for _ in range(runs):
        with Steps() as steps:
            outcome = schedule(seed, plan, parts=parts)
        found.append((outcome.trace.hash(), steps.steps))
    return found


class _Calls:
    """Looks at every call out of somebody's own files."""

    def __init__(self) -> None:
        self.found: list[tuple[str, int, str]] = []

    def __call__(self, frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and is_own(frame.f_code.co_filename):
            self._note(frame, _builtin(called))
        elif event == "call" and frame.f_back is not None and is_own(frame.f_back.f_code.co_filename):
            self._note(frame.f_back, _function(frame))

    def _note(self, frame: FrameType, name: str | None) -> None:
        if name is not None and len(self.found) < SHOWN:
            call = (frame.f_code.co_filename, frame.f_lineno, name)
            if call not in self.found:
                self.found.append(call)


def _builtin(called: Any) -> str | None:
    """Return the name of a forbidden function that is written in C."""
    name, home = str(getattr(called, "__name__", "")), getattr(called, "__self__", None)
    if isinstance(home, ModuleType):
        if home.__name__ == "time" and name not in ("strftime", "gmtime", "mktime", "struct_time"):
            return f"time.{name}"
        return "os.urandom" if name == "urandom" else None
    if isinstance(home, type) and issubclass(home, datetime.date) and name in ("now", "today", "utcnow"):
        return f"datetime.{name}"
    return f"random.{name}" if _is_global(home) else None


def _function(frame: FrameType) -> str | None:
    """Return the name of a forbidden function that is written in Python."""
    name, home = frame.f_code.co_name, frame.f_globals.get("__name__")
    if home == "secrets" or (home == "uuid" and name in ("uuid1", "uuid4")):
        return f"{home}.{name}"
    if home == "random":
        unseeded = name == "__init__" and frame.f_locals.get("x", 0) is None
        return "random.Random" if unseeded else f"random.{name}" if _is_global(frame.f_locals.get("self")) else None
    return None


def _is_global(home: Any) -> bool:
    return home is random._inst or isinstance(home, random.SystemRandom)
