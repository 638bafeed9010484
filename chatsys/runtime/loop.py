"""The loop thread: an event loop of its own, behind functions that any thread may call.

A notebook's cells run on the kernel's own loop, which stands still while a cell sleeps or
computes.  A cluster must not: its heartbeats would stop.  So it lives on a daemon thread.

Promises  calling it from its own thread is an error, not a deadlock; every wait has a limit; an
          exception that nobody awaited goes to `lost`, never nowhere.
Read also `cluster`, which lives on it.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from chatsys.errors import ChatsysError, UsageError
from chatsys.surroundings import advice, reason, start_thread

T = TypeVar("T")


class LoopThread:
    """An event loop on a daemon thread."""

    def __init__(self, name: str, lost: Callable[[str], None]) -> None:
        try:
            self.loop = asyncio.new_event_loop()
        except OSError as error:
            raise ChatsysError(
                f"No event loop can be made ({reason(error)}); {advice(error, 'do less at a time')}."
            ) from None
        self.loop.set_exception_handler(lambda _, context: lost(_sentence(context)))
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            start_thread(self._thread)
        except ChatsysError:
            self.loop.close()
            raise

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

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


def _sentence(context: dict[str, Any]) -> str:
    error = context.get("exception")
    return f"{context['message']}: {error!r}" if error is not None else str(context["message"])
