"""A storm: kill -9 after kill -9, faster than a cluster can get over one.

    every 0.3 s   one node that runs, drawn at random, is killed; it is started again at once
    node 1   ====x  ===========x  ====          an election is disturbed by the next kill, a recovery
    node 2   =======x  ====x  ========          by the one after; now and then no quorum is up at all
    node 3   ==x  =========================

A soak gives the cluster seconds between two faults.  Here little is served, and what counts is that
nothing that was acknowledged in between is lost.  If no quorum were ever up, nothing would be
acknowledged and nothing shown; so most kills wait until the node killed before runs again.

Assumes   the verbs of a `Cluster` may be called from any thread.
Promises  when `end` has returned, every node runs or has told why it cannot.
Read also `soak` (who talks meanwhile, and who judges), `runtime.cluster`.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from random import Random

from chatsys.faults import Testbed

EVERY = 0.3
"""Seconds from one kill to the next."""
TOO_SOON = 0.5
"""The share of kills that do not wait for a restart."""
RESTART = 60.0
"""Seconds that the last restarts may take."""


class Storm:
    """Kills and restarts for as long as `act` is called."""

    def __init__(self, cluster: Testbed, random: Random, every: float = EVERY) -> None:
        self.cluster, self.random, self.every = cluster, random, every
        self.kills = 0
        self._next = cluster.now + every
        self._waits = True
        self._restarts: dict[int, Future[None]] = {}
        self._pool = ThreadPoolExecutor(len(cluster.nodes), thread_name_prefix="storm")

    def act(self) -> None:
        """Kill a node if it is time and one runs; a restart that failed raises here."""
        if self.cluster.now < self._next:
            return
        up = [node for node in self.cluster.nodes if (begun := self._restarts.get(node)) is None or begun.done()]
        if not up or (self._waits and len(up) < len(self.cluster.nodes)):
            return
        node = self.random.choice(up)
        if node in self._restarts:
            self._restarts.pop(node).result()
        self._next = self.cluster.now + self.every
        self._waits = self.random.random() >= TOO_SOON
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
