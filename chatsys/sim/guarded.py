"""A sweep of somebody's own classes: what hangs or dies costs one seed, and never the batch.

    seeds --> worker processes, one seed at a time --> results, in the order of the seeds
                  |  raises: its node stops, as ever; raises elsewhere: inconclusive
                  |  too long: says in which line it is, and is replaced
                  `- dies: is replaced

The clock on the wall decides only what is given up: that verdict is inconclusive, never ok.

Promises  a result for every seed; what the classes print goes to stderr.
Read also `sweep` (one seed), `determinism` (may these results be repeated?), `teach.grader`.
"""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import FrameType
from typing import Any

from chatsys.carry import pack
from chatsys.errors import UsageError, told
from chatsys.sim.suspects import files_of
from chatsys.sim.sweep import Plan, Result, run_seed

GRACE = 2.0
"""Seconds after which a worker is killed that does not even say where it hangs."""
ENOUGH = 3
"""After so many seeds that hung the others are not played."""

Order = tuple[Plan, bytes, frozenset[str], float]
"""What a worker must know: the plan, the classes, their files, seconds per seed."""


def usual_limit(plan: Plan) -> float:
    """Return how many seconds one seed may take: about a hundred times of what it needs."""
    return 10.0 + 0.05 * plan.nodes * (plan.seconds + plan.calm)


def guarded_sweep(
    seeds: Iterable[int], plan: Plan, parts: Mapping[str, type], *, jobs: int = 1, limit: float | None = None
) -> Iterator[Result]:
    """Yield the result of each seed in order; a seed that takes longer than `limit` seconds is inconclusive."""
    limit = usual_limit(plan) if limit is None else limit
    if not limit > 0:
        raise UsageError(f"limit is {limit:g}; give each seed more than 0 seconds.")
    order = list(seeds)
    todo, done, hung = deque(order), dict[int, Result](), 0
    task = (plan, pack(dict(parts)), files_of(parts), limit)
    workers = [_Worker(task) for _ in range(max(1, min(jobs, len(order))))]
    try:
        for seed in order:
            while seed not in done:
                for worker in workers:
                    if worker.seed is None and todo:
                        worker.give(todo.popleft())
                wait([worker.end for worker in workers if worker.seed is not None], 0.1)
                for result, was_hung in filter(None, (worker.look() for worker in workers)):
                    done[result.seed] = result
                    hung += was_hung
                if hung >= ENOUGH:
                    done |= {
                        left: nothing(left, f"It was not played, for {hung} seeds before it hung.") for left in todo
                    }
                    todo.clear()
            yield done.pop(seed)
    finally:
        for worker in workers:
            worker.kill()


def nothing(seed: int, why: str) -> Result:
    """Return the result of a seed that came to no end; it has no hash."""
    return Result(seed=seed, events=0, messages=0, seconds=0.0, violations=(), inconclusive=why, hash="")


class _Worker:
    """A process that plays one seed at a time, seen from outside."""

    def __init__(self, task: Order) -> None:
        self.task = task
        self.seed: int | None = None
        self.begun = 0.0
        self._begin()

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.end, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, self.task), daemon=True)
        self.process.start()
        other.close()
        self.ready = False

    def give(self, seed: int) -> None:
        """Let it play `seed`."""
        self.seed, self.begun = seed, time.monotonic()
        try:
            self.end.send(seed)
        except OSError:
            pass  # it died; `look` finds out

    def look(self) -> tuple[Result, bool] | None:
        """Return (result, whether it hung) if there is one by now."""
        if self.seed is None:
            return None
        seed, limit = self.seed, self.task[3]
        try:
            while self.end.poll():
                found = self.end.recv()
                if found == "ready":
                    self.ready, self.begun = True, time.monotonic()
                    continue
                self.seed = None
                if found[1]:
                    self._renew()
                return found  # type: ignore[no-any-return]
        except (EOFError, OSError):
            self.process.join(GRACE)
            code = self.process.exitcode
            self._renew()
            return nothing(seed, f"The process that played it ended with code {code}."), False
        if time.monotonic() - self.begun > limit + GRACE + (0 if self.ready else 30):
            self._renew()
            why = f"It did not end within {limit:g} s, and the process did not say where; look for one very long step."
            return nothing(seed, why), True
        return None

    def _renew(self) -> None:
        self.kill()
        self.seed = None
        self._begin()

    def kill(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()
        self.end.close()


# --- inside the process --------------------------------------------------------------------------


def _serve(end: Connection, task: Order) -> None:
    """Play seeds until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout = sys.stderr
    plan, code, files, limit = task
    watch = _Watch(end, files, limit)
    try:
        parts = pickle.loads(code)
        end.send("ready")
        while True:
            seed = end.recv()
            watch.begin(seed)
            try:
                result = run_seed(seed, plan, parts)
            except BaseException as error:  # somebody's class may do anything, exit() too
                result = nothing(seed, f"The simulator was stopped by {told(error)}.")  # type: ignore[arg-type]
            watch.over(result)
    except (EOFError, OSError):
        return


class _Watch:
    """A thread that says in which line the main thread is when a seed takes too long."""

    def __init__(self, end: Connection, files: frozenset[str], limit: float) -> None:
        self.end, self.files, self.limit = end, files, limit
        self.lock = threading.Lock()
        self.seed: int | None = None
        self.begun = 0.0
        self.main = threading.get_ident()
        threading.Thread(target=self._look, daemon=True).start()

    def begin(self, seed: int) -> None:
        """The main thread begins with `seed`."""
        with self.lock:
            self.seed, self.begun = seed, time.monotonic()

    def over(self, result: Result) -> None:
        """The main thread is done with it."""
        with self.lock:
            self.seed = None
            self.end.send((result, False))

    def _look(self) -> None:
        while True:
            time.sleep(0.05)
            with self.lock:
                if self.seed is None or time.monotonic() - self.begun < self.limit:
                    continue
                where = self._where(sys._current_frames()[self.main])
                why = f"It did not end within {self.limit:g} s; it hung in {where}. Look for a loop that never ends."
                self.end.send((nothing(self.seed, why), True))
                os._exit(0)

    def _where(self, innermost: FrameType) -> str:
        """Name the line at which the classes' own code is, or else the innermost one."""
        frame: Any = innermost
        while frame is not None and frame.f_code.co_filename not in self.files:
            frame = frame.f_back
        frame = frame or innermost
        return f"{Path(frame.f_code.co_filename).name}, line {frame.f_lineno}, in {frame.f_code.co_name}"
