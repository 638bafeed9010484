"""Serving: what the process of a `worker` does, from its beginning to its end.

    begin: no Ctrl-C, output into a pipe, memory bounded, classes loaded --> ready
    task:  the main thread calls the function --> its answer
           another thread looks at the clocks --> hung or late, with the line, and the process ends

A task that goes on says so by `heartbeat`: then the time of a step counts anew.

Promises  an answer or the end of the process, whatever the classes do; it leaves with the one that began it.
Read also `worker` (the end that asks), `deadline` (the clocks).
"""

import os
import pickle
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Literal

import msgspec

from chatsys.isolation.answer import Answer, Bounds, attempt
from chatsys.isolation.beginning import bound_memory
from chatsys.isolation.deadline import Clocks
from chatsys.isolation.in_process import InProcessWorker

if TYPE_CHECKING:  # importing it needs what only systems with processes have
    from multiprocessing.connection import Connection


class Notice(msgspec.Struct, frozen=True, array_like=True):
    """What a process tells: it is ready, a task goes on with `step`, or what became of a task."""

    what: Literal["ready", "alive", "done", "refused", "raised", "hung", "late", "died"]
    value: bytes = b""
    spent: bool = False
    step: str = ""
    place: str = ""


def heartbeat(step: str = "") -> None:
    """In a task: say that it goes on, with `step`, so that the limit of a step counts anew."""
    if _watch is not None:
        _watch.heartbeat(step)
    if InProcessWorker.deadline is not None:
        InProcessWorker.deadline.heartbeat(step)


def serve(end: "Connection", prints: "Connection", code: bytes, bounds: Bounds) -> None:
    """Do tasks until nobody asks any more, then leave, whatever threads there are."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.name != "nt":
        os.dup2(prints.fileno(), 2)  # the parent shows it, and cuts it
    prints.close()
    os.dup2(2, 1)  # what the classes print must not mix with what the parent prints
    sys.stdout = sys.stderr
    if bounds.memory is not None:
        bound_memory(bounds.memory)
    global _watch
    watch = _watch = _Watch(end, bounds.plain)
    try:
        watch.begin(Clocks(max(bounds.step, bounds.loading)))
        loaded = attempt(pickle.loads, code) if code else Answer("done", {})
        watch.over()
        watch.tell(Notice("ready"))
        while True:
            function, arguments = end.recv()
            watch.begin(Clocks(bounds.step, bounds.whole))
            watch.over(attempt(function, loaded.value, *arguments) if loaded.done else loaded)
    except (EOFError, OSError):
        os._exit(0)
    except BaseException:  # memory is so scarce that not even a sentence can be made, or the answer cannot travel
        os._exit(1)


class _Watch:
    """A thread that says in which line the main thread is when a task takes too long; it leaves with the parent."""

    def __init__(self, end: "Connection", plain: bool) -> None:
        self.end, self.plain = end, plain
        self.lock = threading.Lock()
        self.clocks: Clocks | None = None
        self.main = threading.get_ident()
        threading.Thread(target=self._look, daemon=True).start()

    def tell(self, told: Notice) -> None:
        """Write to the parent."""
        self.end.send_bytes(msgspec.msgpack.encode(told))

    def begin(self, clocks: Clocks) -> None:
        """The main thread begins with a task."""
        with self.lock:
            self.clocks = clocks

    def heartbeat(self, step: str) -> None:
        """The main thread goes on with its task."""
        with self.lock:
            if self.clocks is None:
                return
            if step or time.monotonic() - self.clocks.since > min(1.0, self.clocks.limit / 2):  # seldom is enough
                self.clocks.heartbeat(step)
                self.tell(Notice("alive", step=step))

    def over(self, answer: Answer | None = None) -> None:
        """The main thread is done with it."""
        with self.lock:
            step, self.clocks = self.clocks.step if self.clocks is not None else "", None
            if answer is not None:
                value = answer.value
                if not answer.done:
                    value = str(value).encode(errors="replace")
                elif not self.plain:
                    value = pickle.dumps(value)
                self.tell(Notice(answer.verdict, value, answer.spent, step))

    def _look(self) -> None:
        import multiprocessing

        parent = multiprocessing.parent_process()
        while parent is None or parent.is_alive():
            time.sleep(0.05)
            with self.lock:
                late = self.clocks.over(sys._current_frames()[self.main]) if self.clocks is not None else None
                if late is not None:
                    self.tell(Notice(late.verdict, late.sentence.encode(), True, late.step, late.place))
                    os._exit(0)
        os._exit(0)


_watch: _Watch | None = None
"""That of this process, if it is one that does tasks."""
