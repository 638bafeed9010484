"""Trying: one change after another is met by tests, by directed schedules, by seeds and by searches, until one notices.

    pytest, everything imported --fork--> a child: the change in its place --> tests that ran its line, the likeliest first
                                                                           --> every directed schedule
                                                                           --> 300 seeds       --> every staged search

A child costs a few hundredths of a second, and it dies with its change.  A hang is noticed, too: whoever computes for too
long is ended by a clock of its own CPU time, and whoever sleeps through many looks in a row by `watching`.  Neither clock
runs while the machine is busy with others, or while the run is stopped, so that a load is no evidence.

A test that waits for real time (the ring `real`), and a hang, notice a change only if they do so twice.

Assumes   each test passes without a change, alone and in any order: `lines_of_each_test` says which one does not.
Read also `placing` (how the change gets there), `mutation` (what is kept).
"""

import mmap
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from changes import Change
from placing import Held, NoChange, held, place, read_with
from watching import wait

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("tests", "schedules", "seeds", "search")
SEEDS = 300
ENOUGH = 3.0
"""A line that every test runs is met by all tests of its own file, and by the likeliest others for so many seconds."""
MEMORY = 2 << 30
IMPORTS = 60.0
"""CPU seconds to import the package and to collect every test; none of it is a test yet."""
HUNG = ", which hung"
QUIET = ("-q", "-x", "-s", "-p", "no:cacheprovider", "-p", "no:nbval", "-p", "no:xdist",
         "--assert=plain", "--tb=no", "-o", "tmp_path_retention_policy=none")  # fmt: skip


@dataclass
class Test:
    """What is known of one test: which lines of which file it runs, and how many CPU seconds it takes."""

    lines: dict[str, list[int]]
    seconds: float


@dataclass
class Tried:
    """What became of one change: the stage that noticed it and by what; no stage: it survived."""

    stage: str = ""
    by: str = ""
    cpu: float = 0.0
    through: tuple[str, ...] = ()
    """The stages that it survived."""
    seeds: int = 0
    """How many seeds it survived: a few first, all of them when there is time."""


def run_pytest(files: list[str], plugin: object) -> int:
    """Collect the tests of these files in this process, and hand them to the plugin."""
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))  # the package of this clone, wherever another one is installed
    null = os.open(os.devnull, os.O_RDWR)
    said = os.dup(2)
    for one in (0, 1, 2):
        os.dup2(null, one)
    sys.stderr = os.fdopen(said, "w", buffering=1)
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:  # pytest's own would be cleared by other runs of it
        words = [*QUIET, "--rootdir", str(ROOT), "--basetemp", f"{folder}/tests", *files]
        return int(pytest.main(words, plugins=[plugin, NoShrinking()]))


class NoShrinking:
    """A failing example need not be made smaller: that it fails is all that is asked."""

    def pytest_collection(self, session: pytest.Session) -> None:
        """Before the first test is read."""
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("one change", derandomize=True, deadline=None, database=None, phases=phases)
        settings.load_profile("one change")


# --- which test runs which line -------------------------------------------------------------------


class Tracer:
    """Runs each test once without a change, and notes which lines of the wanted files it ran."""

    def __init__(self, wanted: set[str]) -> None:
        self.wanted = wanted
        self.tests: dict[str, Test] = {}
        self.failed: list[str] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In the place of pytest's own loop.  A test that begins a program is left out: the change would not be in it."""
        from _pytest.runner import runtestprotocol

        began_a_program = False
        popen = subprocess.Popen.__init__

        def noted(*words: Any, **rest: Any) -> None:
            nonlocal began_a_program
            began_a_program = True
            popen(*words, **rest)

        subprocess.Popen.__init__ = noted  # type: ignore[method-assign]
        for item in session.items:
            began_a_program = False
            lines: dict[str, set[int]] = {}
            began = time.process_time()
            threading.settrace(self.follow(lines))
            sys.settrace(self.follow(lines))
            reports = runtestprotocol(item, log=False, nextitem=None)
            sys.settrace(None)
            threading.settrace(None)
            seconds = time.process_time() - began
            if any(report.failed for report in reports):
                self.failed.append(item.nodeid)
            elif not began_a_program and not any(report.skipped for report in reports):
                found = {str(Path(file).relative_to(ROOT)): sorted(those) for file, those in lines.items()}
                self.tests[item.nodeid] = Test(found, round(seconds, 4))
        return True

    def follow(self, lines: dict[str, set[int]]) -> Callable[[Any, str, Any], Any]:
        """Return what Python calls for each function that begins."""
        wanted = self.wanted

        def begins(frame: Any, event: str, _: Any) -> Any:
            file = frame.f_code.co_filename
            if file not in wanted:
                return None
            seen = lines.setdefault(file, set())

            def line(frame: Any, event: str, _: Any) -> Any:
                seen.add(frame.f_lineno)
                return line

            return line

        return begins


# --- changes inside functions ---------------------------------------------------------------------


@dataclass
class Trier:
    """Tries every change of one file in a child of a process that has collected the tests."""

    path: Path
    source: bytes
    todo: list[tuple[Change, Tried]]
    """Each change, and what it survived already."""
    tests: dict[str, Test]
    own: list[str]
    """The files of tests that import this file."""
    until: str
    seeds: int
    tell: Callable[[Change, Tried], bool]
    """Keeps what became of a change; False: stop."""
    kills: Counter[str] = field(default_factory=Counter)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In the place of pytest's own loop."""
        items = {item.nodeid: item for item in session.items}
        functions = held({str(self.path)})
        import gc

        gc.collect()
        gc.freeze()
        for change, before in self.todo:
            chosen = [items[name] for name in self.order(change) if name in items]
            tried = self.fork(change, before, chosen, functions)
            if tried.stage == "tests":
                self.kills[tried.by] += 1
            if not self.tell(change, tried):
                break
        return True

    def order(self, change: Change) -> list[str]:
        """Return tests that run a line of this change: those of its own file first, the likeliest first."""
        file = self.path.relative_to(ROOT).as_posix()
        last = change.line + change.before.count("\n")
        lines = set(range(change.line, last + 1))
        ran = [name for name, test in self.tests.items() if lines & set(test.lines.get(file, ()))]

        def is_own(name: str) -> bool:
            return name.partition("::")[0] in self.own

        def key(name: str) -> tuple[bool, bool, int, float]:
            seconds = self.tests[name].seconds
            return seconds > 0.5, not is_own(name), -self.kills[name], seconds

        chosen, seconds = [], 0.0
        for name in sorted(ran, key=key):
            seconds += self.tests[name].seconds
            if not is_own(name) and seconds > ENOUGH:
                continue  # a shorter one may follow
            chosen.append(name)
        return chosen

    def fork(self, change: Change, before: Tried, items: list[Any], functions: Held) -> Tried:
        """Try one change in a child; in a second one, if the first may have been ended by the time of day."""

        def work(say: Callable[[str, str], None]) -> bool:
            place(change, self.path, self.source, functions)
            if "tests" not in before.through:
                from _pytest.runner import runtestprotocol

                for item, following in zip(items, [*items[1:], None], strict=False):
                    say("tests", item.nodeid)
                    limit(5 * self.tests[item.nodeid].seconds + 2)
                    if any(report.failed for report in runtestprotocol(item, log=False, nextitem=following)):
                        return True
            return whole_runs(self.until, before, self.seeds, say)

        return surely(lambda: survivor_of(in_a_child(work), self.until, before, self.seeds))


def survivor_of(tried: Tried, until: str, before: Tried, seeds: int) -> Tried:
    """Return what was tried; if nothing noticed it, with all that it has survived by now."""
    if tried.stage:
        return tried
    through = tuple(stage for stage in STAGES if stage in before.through or stage in STAGES[: STAGES.index(until) + 1])
    return replace(tried, through=through, seeds=max(before.seeds, seeds if "seeds" in through else 0))


def surely(attempt: Callable[[], Tried]) -> Tried:
    """Return what an attempt tells; if a clock on the wall may have spoken, what the second one tells."""
    tried = attempt()
    if tried.stage == "tests" and (tried.by.startswith("tests/real/") or tried.by.endswith(HUNG)):
        again = attempt()
        return replace(again, cpu=tried.cpu + again.cpu)
    return tried


def whole_runs(until: str, before: Tried, seeds: int, say: Callable[[str, str], None]) -> bool:
    """Play directed schedules, then seeds, then searches, as far as asked; tell whether one broke a rule."""
    wanted = STAGES[1 : STAGES.index(until) + 1]
    stages: dict[str, Callable[[], Iterator[tuple[str, float, Callable[[], bool]]]]] = {
        "schedules": _schedules,
        "seeds": lambda: _seeds(before.seeds, seeds),
        "search": _searches,
    }
    limit(IMPORTS)
    for stage in wanted:
        if stage not in before.through or stage == "seeds" and before.seeds < seeds:
            for name, seconds, broke in stages[stage]():
                say(stage, name)
                limit(seconds)
                try:
                    if broke():
                        return True
                except Exception:  # a script that cannot be played, or a search that cannot go on
                    return True
    return False


def _schedules() -> Iterator[tuple[str, float, Callable[[], bool]]]:
    from chatsys.mutants.schedules import DIRECTED

    for name, one in DIRECTED.items():
        yield name, 8.0, lambda one=one: bool(one.play().violations)  # type: ignore[misc]


def _seeds(first: int, end: int) -> Iterator[tuple[str, float, Callable[[], bool]]]:
    from chatsys.campaign.one_seed import run_seed
    from chatsys.mutants.bugs.mutant import FIVE, THREE

    def broke(seed: int, plan: Any) -> bool:
        result = run_seed(seed, plan)
        return bool(result.violations or result.inconclusive)

    for seed in range(first, end):
        plan, nodes = (FIVE, 5) if seed % 5 == 4 else (THREE, 3)
        yield f"seed {seed}, {nodes} nodes", 30.0, lambda seed=seed, plan=plan: broke(seed, plan)  # type: ignore[misc]


def _searches() -> Iterator[tuple[str, float, Callable[[], bool]]]:
    from chatsys.mutants.closed import need_searches

    need_searches()
    from chatsys.mutants.searches import SEARCHES, look

    for name, one in SEARCHES.items():
        yield name, 300.0, lambda one=one: look(one).verdict == "fail"  # type: ignore[misc]


# --- changes of a module's body -------------------------------------------------------------------


def try_anew(
    change: Change,
    path: Path,
    source: bytes,
    tests: dict[str, Test],
    own: list[str],
    until: str,
    before: Tried,
    seeds: int,
) -> Tried:
    """Try a change that is made while the module is imported, in a child that has imported nothing of it."""

    class Stop:
        def __init__(self, say: Callable[[str, str], None]) -> None:
            self.say, self.failed = say, False

        def pytest_runtestloop(self, session: pytest.Session) -> bool:
            from _pytest.runner import runtestprotocol

            known = [item for item in session.items if item.nodeid in tests]
            known.sort(key=lambda item: (tests[item.nodeid].seconds > 0.5, f"test_{path.stem}.py" not in item.nodeid))
            for item, following in zip(known, [*known[1:], None], strict=False):
                self.say("tests", item.nodeid)
                limit(5 * tests[item.nodeid].seconds + 2)
                if any(report.failed for report in runtestprotocol(item, log=False, nextitem=following)):
                    self.failed = True
                    break
            return True

    def work(say: Callable[[str, str], None]) -> bool:
        read_with(change, path, source)
        others = sorted({name.partition("::")[0] for name in tests} - {*own})
        for files in (own, others) if "tests" not in before.through else ():
            say("tests", "import")
            limit(IMPORTS)  # the limit of the last test is over: to collect fifty files takes longer than any test
            stop = Stop(say)
            if files and (run_pytest(files, stop) not in (0, 5) or stop.failed):
                return True
        return whole_runs(until, before, seeds, say)

    return surely(lambda: survivor_of(in_a_child(work), until, before, seeds))


# --- children -------------------------------------------------------------------------------------


def limit(seconds: float) -> None:
    """End this process after so much CPU time from now: what is ended has hung."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def in_a_child(work: Callable[[Callable[[str, str], None]], bool]) -> Tried:
    """Fork, work, and tell what noticed the change: the last thing that was begun, unless all ended well."""
    page = mmap.mmap(-1, 4096)
    page[:1] = b"\0"

    def say(stage: str, what: str) -> None:
        text = f"{stage}\n{what}".encode()[:4000]
        page[: len(text) + 1] = text + b"\0"

    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            for number in (signal.SIGPROF, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            code = 1 if work(say) else 0
        except NoChange:
            code = 64
        except BaseException:
            traceback.print_exc(file=sys.__stderr__ if sys.stderr is None else sys.stderr)
        finally:
            os._exit(code)
    status, usage = wait(pid)
    cpu = round(usage.ru_utime + usage.ru_stime, 3)
    stage, _, by = bytes(page).split(b"\0")[0].decode(errors="replace").partition("\n")
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
        return Tried(cpu=cpu)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 64:
        return Tried("no change", "", cpu)
    assert not (os.WIFEXITED(status) and os.WEXITSTATUS(status) == 70), f"the run itself went wrong at {stage} {by}"
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT:
        raise KeyboardInterrupt
    return Tried(stage, by + ("" if os.WIFEXITED(status) else HUNG), cpu)
