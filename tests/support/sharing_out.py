"""Sharing out: which process of pytest-xdist runs which tests, so that two processors are never idle.

    in real time   clusters, browsers, notebooks: they wait more than they compute    one half of the processes
    computing      everything else                                                     the others, which are nice

A process that computes is nice (19): whoever has waited and must go on in real time goes on at once.  When nothing
in real time is left to begin, every process computes.

Assumes   `pytest -n N --dist loadfile`: whole files go to one process, whose fixtures are made once.
"""

import os
import re
from collections.abc import Callable
from typing import Any

from xdist.scheduler import LoadFileScheduling


def together(nodeid: str) -> str:
    """Return the name of what a test runs with: its file; in the mould, which is a third of all, its lab."""
    file, _, test = nodeid.partition("::")
    lab = re.search(r"\[(?:source |release )?0*(\d+)", test) if "test_lab_mould" in file else None
    return f"{file}, lab {lab[1]}" if lab else file


def be_nice() -> None:
    """Let every other process go first, from now on: there is no way back for whoever is not root."""
    if "PYTEST_XDIST_WORKER" in os.environ and hasattr(os, "nice") and os.nice(0) < 19:
        os.nice(19)


class SharingOut(LoadFileScheduling):  # type: ignore[misc]  # it comes without types
    """Gives each process the next file of its sort."""

    def __init__(self, config: Any, log: Any, in_real_time: Callable[[str], bool]) -> None:
        super().__init__(config, log)
        self._in_real_time = in_real_time
        self._computing: set[Any] = set()
        """The processes that have computed, or are there for it."""

    def schedule(self) -> None:
        """Begin, and set aside half of the processes for what computes."""
        if self.collection is None:
            self._computing = set(self.nodes[: len(self.nodes) // 2])
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)

    def _next(self, node: Any) -> str | None:
        """Return what a process should do next: what runs in real time, if it has not computed yet."""
        waits = next((one for one in self.workqueue if self._in_real_time(one)), None)
        computes = next((one for one in self.workqueue if not self._in_real_time(one)), None)
        return computes if node in self._computing else waits or computes

    def _reschedule(self, node: Any) -> None:
        if self._next(node) is None and not node.shutting_down:
            node.shutdown()
        else:
            super()._reschedule(node)

    def _assign_work_unit(self, node: Any) -> None:
        scope = self._next(node)
        if scope is None:
            return
        if not self._in_real_time(scope):
            self._computing.add(node)
        self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)
