"""Anew: another cluster of the same kind, with another quorum.

    a world      the same seed and the same verbs at the same times, played again: only the quorum differs
    a cluster    a new one, without a past; the old one is stopped

Promises  the line that is told is what is done.
Read also `panel`, whose quorum slider asks for it; `faults.script` (a run's verbs as a value).
"""

from typing import Any

from msgspec.structs import replace

from chatsys.config import Timing
from chatsys.faults import Testbed
from chatsys.runtime.cluster import Cluster
from chatsys.sim.disk import DiskModel
from chatsys.sim.network import Conditions
from chatsys.sim.replay import arguments
from chatsys.sim.world import World
from chatsys.teach.widgets.notebook import shell

_USUAL = {"network": Conditions(), "disk": DiskModel(), "clock_drift": 0.0, "busiest": 50_000, "turn": 0.0}
"""Arguments that the line leaves out when they are these."""


def line_of(cluster: Testbed, quorum: int, name: str) -> str:
    """Return the line of code that makes it."""
    made = ", ".join(f"{key}={_code(value)}" for key, value in _arguments(cluster, quorum).items())
    if cluster.where != "sim":
        return f"{name}.stop(); {name} = cs.Cluster({made})"
    later = f"script.play({name}, lenient=True); {name}.run({cluster.now:.6g})"
    return f"script = {name}.script; {name} = cs.World({made}); {later}"


def anew(cluster: Testbed, quorum: int) -> Testbed:
    """Return the new one; a world is at the moment at which the old one is, a real cluster begins and the old one ends."""
    config = replace(cluster.config, quorum=quorum)
    if isinstance(cluster, World):
        run = cluster._as_run()
        world = World(cluster.seed, **{**arguments(run), "nodes": config})
        cluster.script.play(world, lenient=True)
        world.run(cluster.now)
        return world
    cluster.stop()
    made: dict[str, Any] = {"parts": cluster._parts, "actor": cluster._own_actor, "client": cluster._client}
    return Cluster(config, cluster.where, seed=cluster.seed, **made)  # type: ignore[arg-type, unused-ignore]


def _arguments(cluster: Testbed, quorum: int) -> dict[str, Any]:
    """Return the arguments that the line names."""
    told: dict[str, Any] = {"seed": cluster.seed} if cluster.seed is not None else {}
    if len(cluster.nodes) != 3:
        told["nodes"] = len(cluster.nodes)
    if cluster.where not in ("sim", "kernel"):
        told["where"] = cluster.where
    told["quorum"] = quorum
    told |= {"parts": cluster._parts} if cluster._parts else {}
    told |= {"actor": cluster._own_actor} if cluster._own_actor is not None else {}
    told |= {"client": cluster._client} if cluster._client is not None else {}
    if cluster.config.timing != Timing():
        fast = cluster.config.timing == Timing.profile("fast")
        told["timing"] = "fast" if fast else cluster.config.timing
    if isinstance(cluster, World):
        made = arguments(cluster._as_run())
        told |= {key: made[key] for key, usual in _USUAL.items() if made[key] != usual}
    return told


def _code(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_code(one)}" for key, one in value.items()) + "}"
    return value.__name__ if isinstance(value, type) else repr(value)


def names_of(cluster: Testbed) -> list[str]:
    """Return the names that the notebook has for a cluster."""
    here = shell()
    known = {} if here is None else here.user_ns
    return [name for name, value in list(known.items()) if value is cluster and not name.startswith("_")]


def rename(names: list[str], cluster: Testbed) -> None:
    """Give the names of an old cluster to the new one, as the line says."""
    here = shell()
    for name in names if here is not None else ():
        here.user_ns[name] = cluster


def sentence_of(new: Testbed) -> str:
    """Say what the new one is."""
    quorum = new.config.quorum
    unsafe = "" if new.config.safe else " Now two groups of nodes can decide without each other."
    if new.where == "sim":
        return f"Another world with the same seed, in which the same was done; only the quorum is {quorum}.{unsafe}"
    return f"A new cluster with quorum {quorum}, without a past; the old one is stopped.{unsafe}"
