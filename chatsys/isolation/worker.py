"""Aside: somebody's own classes at work in a process of their own, bounded in time and memory.

    code --> Worker --(function, arguments)--> the process: loads the classes, calls function(parts, ...)
                    <--------- Answer --------   |  raises: told, with the line of the class
                                                 |  too long: says in which line it is, and is replaced
                                                 `- dies: is replaced

`code` is what `packed` or `given.read_parts` gave: bytes that only the process opens, so that a class
which loops, exits, prints, or eats all memory does so there.  It is no sandbox.

Promises  an answer to every task; what the classes print goes to stderr, up to a bound; threads they left behind
          keep nothing alive; no process outlives the one that began it.  Where there are no processes,
          `hire` returns a worker that does its tasks in this one.
Read also `guarded` (many seeds), `determinism`, `given` (classes in files), `here` (without processes),
          `suspects` (whose line it was).
"""

import math
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from chatsys.capabilities import PROCESSES, has, need
from chatsys.errors import NotHere, UsageError
from chatsys.isolation.answer import LOADING, Answer, attempt
from chatsys.isolation.beginning import bound_memory, deaf, hash_seed
from chatsys.isolation.deadline import line_of
from chatsys.isolation.drain import Drain, say_bytes
from chatsys.isolation.in_process import Here
from chatsys.isolation.pickling import pack

if TYPE_CHECKING:  # importing it needs what only systems with processes have
    from multiprocessing.connection import Connection

GRACE = 2.0
"""Seconds after which a process is killed that does not even say where it hangs."""
STARTING = 30.0
"""So many seconds more are granted until a process begins."""
MEMORY = 2 << 30
"""Bytes that a process with somebody's own classes may take, beyond what Python itself takes."""

PRINTED, ANSWER = 1 << 16, 1 << 28
"""Bytes of what the classes print that are shown; bytes that an answer may have."""

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


def aside(
    function: Callable[..., Any],
    *arguments: Any,
    parts: Parts | None = None,
    limit: float = math.inf,
    memory: int | None = MEMORY,
) -> Answer:
    """Call `function(parts, *arguments)` in a process of its own; function and arguments must be importable and plain."""
    worker = hire(packed(parts), limit, memory=memory)
    try:
        worker.give(function, *arguments)
        return worker.wait()
    finally:
        worker.kill()


def hire(code: bytes, limit: float = math.inf, *, memory: int | None = None) -> "Worker | Here":
    """Return a worker: a process where there are processes, else one that does its tasks in this process."""
    return Worker(code, limit, memory=memory) if has(PROCESSES) else Here(code, limit)


def attend(workers: "Iterable[Worker | Here]", seconds: float) -> None:
    """Wait until one of these workers may have an answer, at most so long."""
    ends = [worker.end for worker in workers if isinstance(worker, Worker)]
    if ends:
        from multiprocessing.connection import wait

        wait(ends, seconds)


def breathe() -> None:
    """In a task: say that it goes on, so that its limit counts anew."""
    if _watch is not None:
        _watch.again()
    if Here.deadline is not None:
        Here.deadline.again()


class Worker:
    """A process that does one task at a time, seen from outside."""

    def __init__(
        self, code: bytes, limit: float = math.inf, *, memory: int | None = None, hash_seed: str | None = None
    ) -> None:
        self.order = (code, limit, memory)
        self.hash_seed = hash_seed
        self.shown = 0
        """Bytes that the classes have printed, in all lives of the process."""
        self.busy = False
        self.begun = 0.0
        self._begin()

    def _begin(self) -> None:
        need("A worker", PROCESSES, instead="use `hire`, which finds another way")
        import multiprocessing

        context = multiprocessing.get_context("spawn")
        self.end, other = context.Pipe()
        printed, prints = context.Pipe(duplex=False)
        self.process = context.Process(target=_serve, args=(other, prints, *self.order), daemon=True)
        try:
            with deaf(), hash_seed(self.hash_seed):
                self.process.start()
        except OSError as error:  # no more processes, no memory, forbidden
            raise NotHere(f"No other process could be started ({error.strerror or error}); use one job.") from None
        other.close()
        prints.close()
        self._read(printed)
        self.ready = self.busy = False

    def _read(self, printed: "Connection") -> None:
        """Pass on what the classes print, but not more than `PRINTED` bytes however many processes there were."""
        if os.name == "nt":  # there it has gone to stderr, unseen
            printed.close()
            return

        def show(data: bytes) -> None:
            self.shown += len(data)
            os.write(2, data)

        pipe = os.fdopen(os.dup(printed.fileno()), "rb")
        printed.close()
        Drain(pipe, show, most=PRINTED, used=self.shown)

    def give(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Let it do a task."""
        self.busy, self.begun = True, time.monotonic()
        try:
            self.end.send((function, arguments))
        except OSError:
            pass  # it died; `look` finds out

    def wait(self) -> Answer:
        """Wait for the answer."""
        while True:
            attend([self], 0.1)
            if (answer := self.look()) is not None:
                return answer

    def look(self) -> Answer | None:
        """Return the answer if there is one by now."""
        if not self.busy:
            return None
        try:
            while self.end.poll():
                found = self._receive()
                if isinstance(found, Answer):
                    return self._over(found)
                self.ready, self.begun = True, time.monotonic()
        except (EOFError, OSError):
            self.process.join(GRACE)
            return self._over(
                Answer("died", f"The process that played it ended with code {self.process.exitcode}.", True)
            )
        limit = self.order[1]
        if time.monotonic() - self.begun > limit + GRACE + (0 if self.ready else STARTING + LOADING):
            why = f"It did not end within {limit:g} s, and the process did not say where; look for one very long step."
            return self._over(Answer("hung", why, True))
        return None

    def _receive(self) -> Any:
        try:
            return pickle.loads(self.end.recv_bytes(ANSWER))
        except EOFError:
            raise
        except OSError:
            if self.end.readable:
                raise
            # It was asked to read more than it may, and can read no more.
            return Answer("died", f"What it answered is longer than {say_bytes(ANSWER)}.", True)

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


# --- inside the process --------------------------------------------------------------------------


def _serve(end: "Connection", prints: "Connection", code: bytes, limit: float, memory: int | None) -> None:
    """Do tasks until nobody asks any more, then leave, whatever threads there are."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.name != "nt":
        os.dup2(prints.fileno(), 2)  # the parent shows it, and cuts it
    prints.close()
    os.dup2(2, 1)  # what the classes print must not mix with what the parent prints
    sys.stdout = sys.stderr
    if memory is not None:
        bound_memory(memory)
    global _watch
    watch = _watch = _Watch(end)
    try:
        watch.begin(max(limit, LOADING))
        loaded = attempt(pickle.loads, code) if code else Answer("done", {})
        watch.over()
        end.send("ready")
        while True:
            function, arguments = end.recv()
            watch.begin(limit)
            watch.over(attempt(function, loaded.value, *arguments) if loaded.done else loaded)
    except (EOFError, OSError):
        os._exit(0)
    except BaseException:  # memory is so scarce that not even a sentence can be made, or the answer cannot travel
        os._exit(1)


class _Watch:
    """A thread that says in which line the main thread is when a task takes too long; it leaves with the parent."""

    def __init__(self, end: "Connection") -> None:
        self.end = end
        self.lock = threading.Lock()
        self.limit = self.until = math.inf
        self.main = threading.get_ident()
        threading.Thread(target=self._look, daemon=True).start()

    def begin(self, limit: float) -> None:
        """The main thread begins with a task."""
        with self.lock:
            self.limit, self.until = limit, time.monotonic() + limit

    def again(self) -> None:
        """The main thread goes on with its task."""
        with self.lock:
            now = time.monotonic()
            if now > self.until - self.limit + 1.0:  # once a second will do
                self.until = now + self.limit
                self.end.send("alive")

    def over(self, answer: Answer | None = None) -> None:
        """The main thread is done with it."""
        with self.lock:
            self.until = math.inf
            if answer is not None:
                self.end.send(answer)

    def _look(self) -> None:
        import multiprocessing

        parent = multiprocessing.parent_process()
        while parent is None or parent.is_alive():
            time.sleep(0.05)
            with self.lock:
                if time.monotonic() > self.until:
                    why = f"It did not end within {self.limit:g} s; it hung in {line_of(sys._current_frames()[self.main])}. Look for a loop that never ends."
                    self.end.send(Answer("hung", why, True))
                    os._exit(0)
        os._exit(0)


_watch: _Watch | None = None
"""That of this process, if it is one that does tasks."""
