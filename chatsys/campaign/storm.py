"""A storm: kill -9 after kill -9, faster than a cluster can get over one.

    every 0.3 s   one node that runs, drawn at random, is killed; it is started again at once
    node 1   ====x  ===========x  ====          an election is disturbed by the next kill, a recovery
    node 2   =======x  ====x  ========          by the one after; often no quorum is up at all
    node 3   ==x  =========================

A soak gives the cluster seconds between two faults.  Here almost nothing is served, and what counts
is that nothing that was acknowledged in between is lost.

Assumes   the verbs of a `Cluster` may be called from any thread.
Promises  when `end` has returned, every node runs or has told why it cannot.
Read also `soak` (who talks meanwhile, and who judges), `runtime.cluster`.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from random import Random

from chatsys.faults import Testbed

EVERY = 0.3
"""Seconds from one kill to the next."""
RESTART = 60.0
"""Seconds that the last restarts may take."""


class Storm:
    """Kills and restarts for as long as `act` is called."""

    def __init__(self, cluster: Testbed, random: Random, every: float = EVERY) -> None:
        self.cluster, self.random, self.every = cluster, random, every
        self.kills = 0
        self._next = cluster.now + every
        self._restarts: dict[int, Future[None]] = {}
        self._pool = ThreadPoolExecutor(len(cluster.nodes), thread_name_prefix="storm")

    def act(self) -> None:
        """Kill a node if it is time and one runs; a restart that failed raises here."""
        if self.cluster.now < self._next:
            return
        up = [node for node in self.cluster.nodes if (begun := self._restarts.get(node)) is None or begun.done()]
        if not up:
            return
        node = self.random.choice(up)
        if node in self._restarts:
            self._restarts.pop(node).result()
        self._next = self.cluster.now + self.every
        self.cluster.crash(node)
        self.kills += 1
        self._restarts[node] = self._pool.submit(self.cluster.restart, node)

    def end(self) -> None:
        """Wait until every node runs again."""
        try:
            for begun in self._restarts.values():
                begun.result(RESTART)
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)
