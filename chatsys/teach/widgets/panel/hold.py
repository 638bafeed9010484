"""Hold: how a panel keeps its cluster, so that a cell that runs again leaves nothing behind.

A widget that was shown lives as long as the page: the front end, the kernel's registry of widgets
and `Out` all know it.  A panel that kept its cluster like any other value would therefore keep
three processes running for ever, each time its cell runs again.

    cluster = Cluster()      the name keeps the cluster; the panel only watches it.
    panel(cluster)           Give the name to another cluster, and this one is stopped.

    panel(Cluster())         nobody else knows the cluster, so its panel keeps it,
                             until that cell runs again or the panel is closed.

Which of the two it is, is seen at the end of the cell, when the arguments of all calls are gone.
What the notebook remembers by itself (`Out`, `_`, the frames of the last error) keeps no cluster.

Assumes   a garbage collector that can tell who refers to a value; cells that tell when they end.
Promises  after a cell there is no strong way from here to a cluster that somebody else knows.
Read also `panel`, which has one hold; `runtime.cluster`, which stops a cluster that is forgotten.
"""

import gc
import re
import weakref
from threading import RLock
from types import FrameType, TracebackType
from typing import Any

from chatsys.faults import Testbed
from chatsys.teach.widgets.notebook import shell

PATIENCE = 1.0
"""Seconds that the end of a cell waits for a panel that is busy; the next cell's end tries again."""

_BY_ITSELF = re.compile(r"_{1,3}|_\d+")
"""Names that IPython gives to what cells returned."""

_holds: "list[Hold]" = []
"""Every hold of a notebook whose cluster is not gone and was not stopped here.

To look for who knows a cluster takes a walk over all objects of the kernel, at the end of each cell.
"""


class Hold:
    """A cluster, kept while nobody else knows it, and only watched from when somebody does.

    Where there is no notebook, no cell ends: there a panel is an ordinary value that keeps its cluster.
    """

    __slots__ = ("_kept", "_lock", "_seen", "over")

    def __init__(self, cluster: Testbed, lock: RLock) -> None:
        self._seen, self._lock = weakref.ref(cluster), lock
        self._kept: Testbed | None = cluster
        self.over = False
        """Whether the cluster was stopped: whoever knows it, there is nothing left to decide."""
        here = shell()
        if here is not None:
            _holds.append(self)
            here.events.register("post_run_cell", _settle_all)

    @property
    def cluster(self) -> Testbed | None:
        """The cluster; None when it is gone."""
        return self._seen()

    def drop(self) -> None:
        """Keep the cluster no longer."""
        self._kept = None

    def settle(self) -> None:
        """Let go of a cluster that somebody else knows; stop one that nobody knows any more.

        A simulated world is kept by its panel in any case: it is memory only, and full of ways back to itself.
        """
        cluster = self._seen()
        if cluster is None or cluster.where == "sim" or not self._lock.acquire(timeout=PATIENCE):
            return
        try:
            if is_known(cluster, self):
                self._kept = None
            elif self._kept is None:
                cluster.stop()
                self.over = True
        finally:
            self._lock.release()


def _settle_all(*_result: Any) -> None:
    for hold in _holds:
        hold.settle()
    _holds[:] = [hold for hold in _holds if not hold.over and hold.cluster is not None]


def is_known(cluster: Testbed, hold: Hold) -> bool:
    """Return whether anything but `hold` refers to `cluster`: a variable, a list, an attribute, a task that waits."""
    others = gc.get_referrers(cluster)
    while others:  # no generator: it would refer to the cluster itself
        one = others.pop()
        if one is not hold and _keeps(one, cluster):
            return True
    return False


def _keeps(one: Any, cluster: Testbed) -> bool:
    if isinstance(one, FrameType | TracebackType) or type(one).__module__.startswith(("IPython.", "ipykernel.")):
        return False
    if not isinstance(one, dict):
        return True
    here = shell()
    if here is not None and one is here.user_ns.get("_oh"):
        return False
    if all(isinstance(other, FrameType) for other in gc.get_referrers(one)):
        return False  # what a debugger saw of the variables of a call that failed
    names = [name for name, value in one.items() if value is cluster]
    return not names or not all(isinstance(name, str) and _BY_ITSELF.fullmatch(name) for name in names)
