"""Worker: a process in which somebody's own classes do a task, bounded in time, memory and bytes of output.

    code --> Worker --(function, arguments)--> the process: loads the classes, calls function(parts, ...)
                    <--------- Answer --------   |  raises: told, with the line of the class
                                                 |  too long: says in which line it is, and is replaced
                                                 `- dies: is replaced

`code` is what `packed` or `loading.read_parts` gave: bytes that only the process opens, so that a class
which loops, exits, prints, or eats all memory does so there.  It is no sandbox.

Promises  an answer to every task; only the CPU time of a step accuses (`answer`); what the classes print goes to
          stderr, up to a bound; threads they left behind keep nothing alive; no process outlives the one that
          began it.  Where there are no processes, `new_worker` returns one that does its tasks in this process.
Read also `serving` (the other end: what the process does); `sweep` (many seeds), `determinism`, `teach.grading.grader`; `in_process` (without processes),
          `attribution` (whose line it was).
"""

import math
import os
import pickle
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from chatsys.capabilities import PROCESSES, has, need
from chatsys.errors import NotHere, UsageError
from chatsys.isolation.answer import LOADING, MEMORY, Answer, Bounds
from chatsys.isolation.beginning import hash_seed, hidden_main, sigint_blocked
from chatsys.isolation.deadline import PATIENCE, only_waits, queued
from chatsys.isolation.drain import Drain, say_bytes
from chatsys.isolation.in_process import InProcessWorker
from chatsys.isolation.pickling import pack
from chatsys.isolation.serving import Notice, serve

if TYPE_CHECKING:  # importing it needs what only systems with processes have
    from multiprocessing.connection import Connection

GRACE = 2.0
"""Seconds after which a process is killed that does not even say where it hangs."""
SLACK = 0.5
"""Seconds of CPU beyond a step's limit until it is accused from outside; its own process looks first."""
STARTING = 30.0
"""So many seconds more are granted until a process begins."""

FREE = Bounds()
Parts = Mapping[str, type] | bytes
"""Classes at hand, or `code` that gives them when it is opened in another process."""


def packed(parts: Parts | None) -> bytes:
    """Return `parts` as `code`; b"" is none."""
    if isinstance(parts, bytes):
        return parts
    if not parts:
        return b""
    try:
        return pack(dict(parts))
    except Exception as error:  # a lock, a socket, an open file
        raise UsageError(f"These classes cannot be handed to another process: {error}.") from None


def call_in_worker(
    function: Callable[..., Any],
    *arguments: Any,
    parts: Parts | None = None,
    limit: float = math.inf,
    memory: int | None = MEMORY,
    loading: float = LOADING,
) -> Answer:
    """Call `function(parts, *arguments)` in a process of its own; function and arguments must be importable and plain."""
    worker = new_worker(packed(parts), Bounds(step=limit, memory=memory, loading=loading))
    try:
        worker.submit(function, *arguments)
        return worker.wait()
    finally:
        worker.kill()


def new_worker(code: bytes, bounds: Bounds) -> "Worker | InProcessWorker":
    """Return a worker: a process where there are processes, else one that does its tasks in this process."""
    return Worker(code, bounds) if has(PROCESSES) else InProcessWorker(code, bounds)


def wait_for_any(workers: "Iterable[Worker | InProcessWorker]", seconds: float) -> None:
    """Wait until one of these workers may have an answer, at most so long."""
    ends = [worker.end for worker in workers if isinstance(worker, Worker)]
    if ends:
        from multiprocessing.connection import wait

        wait(ends, seconds)


class Worker:
    """A process that does one task at a time, seen from outside."""

    def __init__(self, code: bytes, bounds: Bounds = FREE, *, hash_seed: str | None = None) -> None:
        self.code, self.bounds = code, bounds
        self.hash_seed = hash_seed
        self.shown = 0
        """Bytes that the classes have printed, in all lives of the process."""
        self.busy = False
        self._begin()

    def _begin(self) -> None:
        need("A worker", PROCESSES, instead="use `new_worker`, which finds another way")
        import multiprocessing

        context = multiprocessing.get_context("spawn")
        self.end, other = context.Pipe()
        printed, prints = context.Pipe(duplex=False)
        self.process = context.Process(target=serve, args=(other, prints, self.code, self.bounds), daemon=True)
        try:
            with sigint_blocked(), hidden_main(), hash_seed(self.hash_seed):
                self.process.start()
        except OSError as error:  # no more processes, no memory, forbidden
            raise NotHere(f"No other process could be started ({error.strerror or error}); use one job.") from None
        other.close()
        prints.close()
        self.printed = self._read(printed)
        self.ready = self.busy = False
        self._step_begins("")

    def _read(self, printed: "Connection") -> Drain | None:
        """Pass on what the classes print, but not more than the bound however many processes there were."""
        if os.name == "nt":  # there it has gone to stderr, unseen
            printed.close()
            return None

        def show(data: bytes) -> None:
            self.shown += len(data)
            os.write(2, data)

        pipe = os.fdopen(os.dup(printed.fileno()), "rb")
        printed.close()
        return Drain(pipe, show if self.bounds.shown else None, most=self.bounds.shown, used=self.shown)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Let it do a task."""
        self.busy = True
        self.begun = time.monotonic()
        self._step_begins("")
        try:
            self.end.send((function, arguments))
        except OSError:
            pass  # it died; `poll` finds out

    def wait(self) -> Answer:
        """Wait for the answer."""
        while True:
            wait_for_any([self], 0.1)
            if (answer := self.poll()) is not None:
                return answer

    def poll(self) -> Answer | None:
        """Return the answer if there is one by now."""
        if not self.busy:
            return None
        try:
            while self.end.poll():
                told = self._receive()
                if isinstance(told, Answer):
                    return self._over(told)
                self._step_begins(told.step)
                if not self.ready:
                    self.ready, self.begun = True, time.monotonic()
        except (EOFError, OSError):
            return self._over(self._died())
        return self._overdue()

    def _step_begins(self, step: str) -> None:
        self.step, self.since = step, time.monotonic()
        self.worked, self.queued = _cpu_time(self.process.pid), self._queued()

    def _queued(self) -> float:
        return queued(self.process.pid or 0) or 0.0

    def _overdue(self) -> Answer | None:
        """Return what became of a task whose process should have told by itself that the time is over, but did not.

        Its own thread cannot look at the clock while a single call of C holds the interpreter, or while it is suspended.
        """
        now, limit, start = time.monotonic(), self.bounds.step, 0.0 if self.ready else STARTING + self.bounds.loading
        most, more = limit + SLACK + start, GRACE + start
        worked = _cpu_time(self.process.pid) - self.worked if now - self.since > most else 0.0
        if worked > most:
            why = f"It did not end within {limit:g} s, and the process did not say where; look for one very long step."
            return self._over(Answer("hung", why, True, self.step))
        waited = now - self.since - more
        if only_waits(waited, worked, limit):
            waited -= self._queued() - self.queued
        if now - self.begun > self.bounds.whole + more or only_waits(waited, worked, limit):
            why = f"It did not end within {min(self.bounds.whole, PATIENCE * limit):g} s, and the process did not say where."
            return self._over(Answer("late", why, True, self.step))
        return None

    def _died(self) -> Answer:
        self.process.join(GRACE)
        code = self.process.exitcode
        if self.printed is not None:
            self.printed.wait(GRACE)  # a process that it began may hold the pipe for ever
        said = self.printed.last_line() if self.printed is not None else ""
        return Answer("died", f"The process that played it ended with code {code}.", True, self.step, "", code, said)

    def _receive(self) -> "Answer | Notice":
        try:
            data = self.end.recv_bytes(self.bounds.answer)
        except EOFError:
            raise
        except OSError:
            if self.end.readable:
                raise
            # It was asked to read more than it may, and can read no more.
            return Answer("died", f"What it answered is longer than {say_bytes(self.bounds.answer)}.", True)
        try:
            told = msgspec.msgpack.decode(data, type=Notice)
            if told.what in ("ready", "alive"):
                return told
            value: Any = told.value if told.what == "done" else told.value.decode()
            if told.what == "done" and not self.bounds.plain:
                value = pickle.loads(told.value)
            return Answer(told.what, value, told.spent, told.step, told.place)  # type: ignore[arg-type]
        except Exception:  # the classes wrote into the pipe, or gave what cannot be opened
            return Answer("died", "What it answered cannot be read.", True)

    def _over(self, answer: Answer) -> Answer:
        self.busy = False
        if answer.spent:
            self.kill()
            self._begin()
        return answer

    def kill(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()
        self.end.close()


def _cpu_time(pid: int | None) -> float:
    """Return the seconds of CPU that a process has taken; 0 if nobody can say."""
    try:
        import psutil

        times = psutil.Process(pid).cpu_times()
    except Exception:  # there is no psutil here, or the process has ended
        return 0.0
    return float(times.user + times.system)
