"""The loop thread: an event loop of its own, behind functions that any thread may call.

A notebook's cells run on the kernel's own loop, which stands still while a cell sleeps or
computes.  A cluster must not: its heartbeats would stop.  So it lives on a daemon thread.

Promises  calling it from its own thread is an error, not a deadlock; every wait has a limit; a
          bug whose exception nobody awaited goes to `lost`, never nowhere.
Read also `cluster`, which lives on it.
"""

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from chatsys.capabilities import THREADS, need
from chatsys.errors import ChatsysError, UsageError
from chatsys.surroundings import start_thread

T = TypeVar("T")
LOOP_NEEDS = 3
"""Descriptors of an event loop: what it waits with, and a pair of sockets to wake it."""


def bug_in(context: dict[str, Any]) -> Exception | None:
    """Return the bug of which an event loop tells its exception handler; None if it is no bug.

    An `OSError` is what the surroundings did: no descriptor was left to accept with, or the other
    end went away while the loop itself shut a connection down.  It is not a broken invariant: an
    actor and a disk report theirs on their own ways, not on this one.
    """
    error = context.get("exception")
    if isinstance(error, OSError | MemoryError):
        return None
    return error if isinstance(error, Exception) else RuntimeError(str(context["message"]))


def sentence(context: dict[str, Any]) -> str:
    """Return what an event loop tells its exception handler, as one line."""
    error = context.get("exception")
    return f"{context['message']}: {error!r}" if error is not None else str(context["message"])


def new_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop.  Raises `ChatsysError` if the process has no descriptors left for one."""
    spare: list[int] = []
    try:
        for _ in range(LOOP_NEEDS):  # asked first: a loop that is made by half complains when it is forgotten
            spare.append(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        raise ChatsysError(
            f"This process cannot have an event loop ({error.strerror}); close files and connections that it holds, "
            "or allow it more descriptors (ulimit -n)."
        ) from None
    finally:
        for one in spare:
            os.close(one)
    return asyncio.new_event_loop()


class LoopThread:
    """An event loop on a daemon thread."""

    def __init__(self, name: str, lost: Callable[[str], None]) -> None:
        need("An event loop beside this one", THREADS, instead="use a World, which needs none")
        self.loop = new_loop()
        self.surroundings = 0
        """How many errors of the surroundings left a callback; no cluster is broken by one."""
        self._lost = lost
        self.loop.set_exception_handler(self._escaped)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            start_thread(self._thread)
        except ChatsysError:
            self.loop.close()
            raise

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def _escaped(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if bug_in(context) is None:
            self.surroundings += 1
        else:
            self._lost(sentence(context))

    @property
    def here(self) -> bool:
        """Whether the caller is on this thread."""
        return threading.current_thread() is self._thread

    def submit(self, work: Coroutine[Any, Any, T]) -> "concurrent.futures.Future[T]":
        """Start `work` on the loop and return its future; any thread may call this."""
        if not self._thread.is_alive():
            work.close()
            raise UsageError("This cluster is stopped; make a new one.")
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def call(self, work: Coroutine[Any, Any, T], limit: float = 30.0) -> T:
        """Run `work` on the loop and wait for its result, for at most `limit` seconds."""
        if self.here:
            work.close()
            raise UsageError("This verb waits, and was called on the cluster's own loop; use submit() there.")
        future = self.submit(work)
        try:
            return future.result(limit)
        except concurrent.futures.TimeoutError:
            if future.done():
                raise
            future.cancel()
            raise ChatsysError(f"The cluster did not answer within {limit:g} s.") from None

    def stop(self) -> None:
        """End the loop: cancel what still runs, wait for the thread."""
        if not self._thread.is_alive() or self.here:
            return
        self.submit(self._wind_up())
        self._thread.join(10.0)
        if not self._thread.is_alive():
            self.loop.close()

    async def _wind_up(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(3):  # what was aborted is closed in the next turns of the loop
            await asyncio.sleep(0)
        try:
            await self.loop.shutdown_default_executor()
        except RuntimeError:  # the interpreter is ending and starts no more threads
            pass
        finally:
            self.loop.call_soon(self.loop.stop)
