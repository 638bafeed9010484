"""Can a run be repeated?  The same seed under two PYTHONHASHSEEDs, and twice in each process.

    process 1 (hash seed 1):  run, run again  --> trace hashes, calls of clock and chance, shared state
    process 2 (hash seed 2):  run, run again  --> ...
                                                      `--> sentences, with file, line and what to use instead

While the first run lasts, every call out of the classes' own files is looked at (`sys.setprofile`):
that finds `time.time`, `random.random`, `datetime.now`, `uuid4` and their like however they were
imported.  What differs between the processes points to sets; what differs within one, to state that
is kept outside of `self`.

Promises  an empty list means that all four traces were equal, and that nothing forbidden was called.
Read also `suspects` (which line), `guarded` (classes that hang), `world` (why chatsys itself repeats).
"""

import datetime
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import msgspec

from chatsys.carry import pack
from chatsys.sim.suspects import files_of, line_of, loops_over_sets, own_classes, own_functions
from chatsys.sim.sweep import Plan, schedule

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
    "hash": "use the value itself, for the hash of a text is another one in every process",
    "id": "use a number of your own, for addresses in memory are never the same",
}
"""What a class must not call, and what it should use instead; the last two only where traces differ."""

SHOWN = 3
"""So many lines of one kind are told."""


class Report(msgspec.Struct):
    """What one process saw."""

    hashes: tuple[str, str] = ("", "")
    calls: list[tuple[str, int, str]] = []
    """(file, line, what was called)"""
    shared: list[tuple[str, str]] = []
    """(file, name) of what changed outside of `self`."""
    records: list[str] = []
    error: str = ""


def check_determinism(
    parts: Mapping[str, type], seed: int = 0, plan: Plan | None = None, limit: float = 60.0
) -> list[str]:
    """Return one sentence for each reason why runs with these classes cannot be repeated; [] if they can."""
    task = pack((seed, plan or Plan(), dict(parts)))
    command = [sys.executable, "-c", "from chatsys.sim.determinism import work; work()"]
    started = [_start(command, hash_seed) for hash_seed in ("1", "2")]
    try:
        for process in started:
            _hand(process, task)
        answers = [process.communicate(timeout=limit)[0] for process in started]
        one, two = (msgspec.json.decode(answer, type=Report) for answer in answers)
    except subprocess.TimeoutExpired:
        return [f"Whether runs can be repeated is not known: seed {seed} did not end within {limit:g} s."]
    except msgspec.DecodeError:
        return [f"Whether runs can be repeated is not known: the process that played seed {seed} died."]
    finally:
        for process in started:
            process.kill()
            process.communicate()
    if one.error:
        return [f"Whether runs can be repeated is not known: seed {seed} raised {one.error}."]
    return list(dict.fromkeys(_sentences(one, two, seed, sorted(files_of(parts)))))


def _start(command: list[str], hash_seed: str) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet, env=environment)


def _hand(process: "subprocess.Popen[bytes]", task: bytes) -> None:
    """Give a process its task, so that both are at work at the same time."""
    assert process.stdin is not None, "it was started with a pipe"
    try:
        with process.stdin:
            process.stdin.write(task)
    except OSError:
        pass  # it died; its empty answer will tell
    process.stdin = None


def _sentences(one: Report, two: Report, seed: int, files: list[str]) -> Iterator[str]:
    steady = len({*one.hashes, *two.hashes}) == 1
    told = 0
    for file, line, call in one.calls:
        if steady and call in ("hash", "id"):
            continue
        advice = FORBIDDEN.get(call) or FORBIDDEN[call.partition(".")[0]]
        told += 1
        yield f"{_short(file)}, line {line} calls {call}(): a run with it cannot be repeated; {advice}."
    for file, name in one.shared:
        told += 1
        line_number = line_of(file, name.rpartition(".")[2])
        yield (
            f"{_short(file)}, line {line_number or '?'}: {name} is shared by all nodes and keeps what one run left for the "
            "next; keep it in `self`, and begin it in `__init__`."
        )
    if one.hashes[0] != two.hashes[0]:
        for file in files:
            for line in loops_over_sets(file)[:SHOWN]:
                told += 1
                yield f"{_short(file)}, line {line} goes through a set, whose order is never the same; use sorted(...)."
    if not steady and not told:
        yield f"Two runs of seed {seed} differ, {_first_difference(one, two)}; no line could be found that says why."


def _first_difference(one: Report, two: Report) -> str:
    pairs = zip(one.records, two.records, strict=False)
    first = next((mine for mine, theirs in pairs if mine != theirs), None)
    return f"first at: {first}" if first else "the second one in the same process from the first"


def _short(file: str) -> str:
    return Path(file).name


# --- inside the process --------------------------------------------------------------------------


def work() -> None:
    """Run in each process: read a task from stdin, write the `Report` to stdout."""
    out = os.dup(1)
    os.dup2(2, 1)  # what the classes print must not mix with the report
    seed, plan, parts = pickle.loads(sys.stdin.buffer.read())
    report = Report()
    try:
        watch, before = _Watch(files_of(parts)), _shared(parts)
        sys.setprofile(watch)
        try:
            first = schedule(seed, plan, parts=parts)
        finally:
            sys.setprofile(None)
        after = _shared(parts)
        report.calls = watch.calls
        report.shared = [key for key in after if after[key] != before.get(key)]
        report.records = [f"{one.time:.3f} s {one.kind} at {one.node}" for one in first.trace]
        report.hashes = (first.trace.hash(), schedule(seed, plan, parts=parts).trace.hash())
    except BaseException as error:  # somebody's class may do anything
        report.error = f"{type(error).__name__}: {error}"
    with os.fdopen(out, "wb") as file:
        file.write(msgspec.json.encode(report))


class _Watch:
    """Looks at every call out of `files`."""

    def __init__(self, files: frozenset[str]) -> None:
        self.files = files
        self.calls: list[tuple[str, int, str]] = []

    def __call__(self, frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and frame.f_code.co_filename in self.files:
            self._note(frame, _builtin(called))
        elif event == "call" and frame.f_back is not None and frame.f_back.f_code.co_filename in self.files:
            self._note(frame.f_back, _function(frame))

    def _note(self, frame: FrameType, name: str | None) -> None:
        if name is not None and len(self.calls) < 5 * SHOWN:
            call = (frame.f_code.co_filename, frame.f_lineno, name)
            if call not in self.calls:
                self.calls.append(call)


def _builtin(called: Any) -> str | None:
    """Return the name of a forbidden function that is written in C."""
    name, home = str(getattr(called, "__name__", "")), getattr(called, "__self__", None)
    if isinstance(home, ModuleType):
        if home.__name__ == "time" and name not in ("strftime", "gmtime", "mktime", "struct_time"):
            return f"time.{name}"
        if name == "urandom":
            return "os.urandom"
        return name if home.__name__ == "builtins" and name in ("hash", "id") else None
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


def _shared(parts: Mapping[str, type]) -> dict[tuple[str, str], bytes]:
    """Return the value of everything that the classes can keep outside of `self`."""
    found: dict[tuple[str, str], bytes] = {}
    for function in own_functions(parts):
        file = function.__code__.co_filename
        for name, value in function.__globals__.items():
            if not name.startswith("__") and not isinstance(value, type | ModuleType) and not callable(value):
                found[(file, name)] = _value(value)
        if function.__defaults__:
            found[(file, function.__name__)] = _value(function.__defaults__)
    for kind in own_classes(parts):
        file = next(iter(files_of({"": kind})), "")
        for name, value in vars(kind).items():
            if not name.startswith("_") and not callable(value) and not hasattr(value, "__get__"):
                found[(file, f"{kind.__name__}.{name}")] = _value(value)
    return found


def _value(value: Any) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception:
        return repr(value).encode(errors="replace")
