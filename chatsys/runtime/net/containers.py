"""Containers: a network of the engine's own for the nodes of one cluster, a volume for each, and what runs them.

    this kernel: clients --the bridge of the network--> 10.232.x.2:5000   container of node 1 --> volume of node 1
                                                        10.232.x.3:5000   container of node 2 --> volume of node 2

No port is published, and the network leads nowhere but to this machine: what goes into a container and comes out
of it, beside the frames between nodes and clients, goes through the pipes that `docker run --interactive` attaches.
Links are cut by the nodes' own rules, as between processes: the engine knows no one-way cut and no loss.

Assumes   an engine on this machine, and the image of this very chatsys in it (`make image`).
Promises  all names and labels say whose they are; everything goes with `free`, with this object, or with the
          interpreter; what a killed kernel left is removed by the next one to come along.
Read also `runtime.engine` (what is asked of it, and its sentences), `nodes.container` (one node), `ports`, `namespaces`.
"""

import ipaddress
import itertools
import os
import weakref
from collections.abc import Iterable

from chatsys.errors import NotHere
from chatsys.runtime import engine
from chatsys.runtime.engine import INSTEAD, docker
from chatsys.runtime.net.rules import RuleSet

PORT = 5000
NETWORKS, SIZE = ipaddress.IPv4Network("10.232.0.0/16"), 28
"""Each cluster takes one network of 2 ** (32 - SIZE) addresses out of this private range: enough for the largest."""
BOUNDED = (
    "--memory 1g --pids-limit 256 --cap-drop ALL --security-opt no-new-privileges --read-only --tmpfs /tmp".split()
)
"""What a node may take and touch: a node needs 60 MB, and no right that a user without rights lacks."""
_count = itertools.count(1)


class Containers:
    """The network and the volumes of one cluster."""

    def __init__(self, nodes: Iterable[int]) -> None:
        """Make the network.  Raises `NotHere` with a sentence where that is impossible."""
        ids = list(nodes)
        engine.check_engine()
        engine.sweep()
        self.name = f"chatsys-{os.getpid()}-{next(_count)}"
        self.label = f"{engine.CLUSTER}={self.name}"
        self.labels = (f"{engine.OWNER}={engine.owner()}", self.label)
        self.containers: dict[int, str] = {}
        """The container in which each node lives now, or lived last: every life has one of its own."""
        self._lives = itertools.count(1)
        self._finish = weakref.finalize(self, _remove, self.label)
        hosts = list(map(str, self._make_network().hosts()))[1:]  # the first one is the bridge's
        self.hosts = dict(zip(ids, hosts, strict=False))
        self.members = {node: f"{host}:{PORT}" for node, host in self.hosts.items()}

    def _make_network(self) -> ipaddress.IPv4Network:
        """Make the network in a range that nobody has; each process begins to look at a place of its own."""
        places = list(NETWORKS.subnets(new_prefix=SIZE))
        for step in range(64):
            place = places[(os.getpid() + step) % len(places)]
            try:
                docker("network", "create", "--internal", "--subnet", str(place), *self._labelled(), self.name)
            except NotHere as error:
                if "overlap" not in str(error):
                    raise
            else:
                return place
        raise NotHere(f"The addresses {NETWORKS} are in use by other networks of the engine; remove some, {INSTEAD}.")

    def _labelled(self) -> list[str]:
        return [word for label in self.labels for word in ("--label", label)]

    def volume(self, node: int) -> str:
        """Return the name of a node's volume, which outlives its containers."""
        return f"{self.name}-node{node}"

    def mount_volume(self, node: int) -> str:
        """Return what docker is told to mount the volume of a node, which makes it where there is none."""
        labels = ",".join(f"volume-label={label}" for label in self.labels)
        return f"type=volume,source={self.volume(node)},target=/data,{labels}"

    def launch(self, node: int) -> tuple[str, ...]:
        """Return the words that begin a new container for this node, up to what is mounted there and what runs in it."""
        name = self.containers[node] = f"{self.name}-node{node}-life{next(self._lives)}"
        place = ("--network", self.name, "--ip", self.hosts[node], "--hostname", f"node{node}")
        pipes = ("--rm", "--interactive", "--pull", "never", "--log-driver", "none")
        return ("docker", "run", *pipes, "--name", name, *self._labelled(), *place, *BOUNDED)

    def lay(self, rules: RuleSet) -> RuleSet:
        """Return all of it: the transports must do it."""
        return rules

    def free(self) -> None:
        """Remove everything; again is harmless."""
        self._finish()


def _remove(label: str) -> None:
    """Remove what carries the label, as far as the engine still answers; the next cluster sweeps what is left."""
    try:
        engine.remove(label)
    except NotHere:
        pass
