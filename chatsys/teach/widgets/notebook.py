"""What ties chatsys to a notebook: which cell runs, whose turn it is, and loops inside loops.

Read also `panel`, which needs the cell and the turns, and `hold`, which waits for the end of a cell.
"""

import sys
import threading
import warnings
from typing import Any, NamedTuple


def shell() -> Any:
    """Return the IPython that runs the cells, or None where there is no notebook."""
    ipython = sys.modules.get("IPython")  # whoever runs cells has imported it
    return None if ipython is None else ipython.get_ipython()


class Cell(NamedTuple):
    """A cell that runs: which one, and which of its runs."""

    name: str
    """The cell's id; its text where the front end sends no ids."""
    run: str

    def is_again(self, before: "Cell | None") -> bool:
        """Return whether `before` was an earlier run of this cell."""
        return before is not None and before.name == self.name and before.run != self.run


def cell() -> Cell | None:
    """Return the cell that runs now, or None where there is no Jupyter kernel."""
    here = shell()
    request = here.get_parent() if hasattr(here, "get_parent") else None
    if not request or request["header"]["msg_type"] != "execute_request":
        return None
    name = request["metadata"].get("cellId") or request["content"]["code"]
    return Cell(str(name), str(request["header"]["msg_id"]))


class WorldLock:
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
        here = shell()
        if here is not None:
            self.events = here.events
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
