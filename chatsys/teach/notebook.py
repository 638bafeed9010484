"""What ties chatsys to a notebook: whose turn it is, and loops inside loops.

Read also `panel`, which needs the turns.
"""

import threading
import warnings
from typing import Any


class Turns:
    """Whose turn it is in a simulated world: the panel's, or the cell's that runs.

    A world in virtual time is no place for two threads.  IPython tells when a cell begins and
    ends; while it runs, it holds the lock.  Real clusters need none.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.held = 0
        self.events: Any = None

    def tie(self) -> None:
        """Let the cells of this notebook, if there is one, take the lock while they run."""
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        if shell is not None:
            self.events = shell.events
            self.events.register("pre_run_cell", self._begin)
            self.events.register("post_run_cell", self._end)
            self._begin()  # the cell that makes the panel is running

    def untie(self) -> None:
        """Let the cells go their own way again."""
        if self.events is not None:
            self.events.unregister("pre_run_cell", self._begin)
            self.events.unregister("post_run_cell", self._end)
            self.events = None
            self._end()

    def _begin(self, *_info: Any) -> None:
        self.lock.acquire()
        self.held += 1

    def _end(self, *_result: Any) -> None:
        while self.held:
            self.held -= 1
            self.lock.release()


def allow_nested() -> str:
    """Allow `asyncio.run(...)` in a cell although the notebook's loop runs; return what made it possible.

    You rarely need it: a cell may simply `await`, and the verbs of a cluster wait by themselves.
    It uses nest_asyncio2.  Where only nest_asyncio is installed it uses that, with a warning:
    on new kernels it can lose cells and clicks that wait while a nested loop runs.
    """
    try:
        import nest_asyncio2

        nest_asyncio2.apply()
        return "nest_asyncio2"
    except ImportError:
        import nest_asyncio

        nest_asyncio.apply()
        warnings.warn(
            "nest_asyncio2 is not installed, so nest_asyncio is used. With ipykernel 7.1 and later it can lose "
            "cells and clicks that wait while a nested loop runs. Install nest_asyncio2, or write await instead.",
            stacklevel=2,
        )
        return "nest_asyncio"
