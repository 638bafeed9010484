"""Silence: how long each client goes without an answer when the leader falls silent, in many rounds.

A crash breaks links, and everybody knows at once.  A paused or cut leader breaks nothing: the nodes find out
by their timers, and each client by its own.  One round:

    clients talk --> the leader is paused, or cut off --> the next message of each client is acknowledged
                     |<------------------- the round's number: the slowest client ------------------->|

In each round one client begins at each node and may go anywhere, and one sticks to each node that lives.

Assumes   three nodes or more, and the course's timing.
Promises  the same seed gives the same round in a simulated world.
Read also `bench` (the command), `protocol.patience` (what the rules allow).
"""

from collections.abc import Iterator
from random import Random
from typing import Any, Literal

from chatsys.config import ClusterConfig
from chatsys.errors import ChatsysError
from chatsys.faults import Testbed
from chatsys.protocol.client import Client
from chatsys.sim.world import World

LASTS = 10.0
"""Seconds until the leader is back: longer than any wait that should matter."""
EVERY = 0.25
"""Each client says something so often."""
Cause = Literal["pause", "cut"]
Where = Literal["sim", "kernel", "processes"]


def rounds_of(cause: Cause, rounds: int, nodes: int = 3, where: Where = "sim") -> Iterator[tuple[float, int, str]]:
    """Yield for each seed from 0: the longest wait of its clients, the seed, and whose wait it was."""
    for seed in range(rounds):
        bed = _testbed(where, seed, nodes)
        try:
            waits = play(bed, seed, cause)
        finally:
            bed.stop()
        name = max(waits, key=lambda client: waits[client])
        yield waits[name], seed, name


def play(bed: Testbed, seed: int, cause: Cause) -> dict[str, float]:
    """Play one round; return for each client the seconds from the failure to its next acknowledgement."""
    bed.until(lambda: bed.leader is not None, 60)
    _talk_until(bed, bed.now + 2.0 + Random(f"{seed}/silence").uniform(0.0, 0.8), ())
    leader = bed.leader
    if leader is None:
        raise ChatsysError(f"Round {seed}: there is no leader to fall silent, so nothing was measured; try again.")
    others = tuple(node for node in bed.nodes if node != leader)
    _talk_until(bed, bed.now + 1.0, others)
    first, began = len(bed.trace.records), bed.now
    if cause == "pause":
        bed.pause(leader)
    else:
        bed.partition({leader}, others)
    names = {f"rover{node}" for node in bed.nodes} | {f"sticky@{node}" for node in others}
    waits = _next_answers(bed, names, first, began, began + LASTS, others)
    if cause == "pause":
        bed.resume(leader)
    else:
        bed.heal()
    waits |= _next_answers(bed, names - waits.keys(), first, began, began + 6 * LASTS, others)
    if names - waits.keys():
        raise ChatsysError(f"Round {seed}: {sorted(names - waits.keys())} had no answer in {6 * LASTS:g} s.")
    return waits


def _next_answers(
    bed: Testbed, names: set[str], first: int, began: float, until: float, others: tuple[int, ...]
) -> dict[str, float]:
    """Let everybody talk until each of `names` has an answer to what it said since `began`, or it is `until`."""
    waits: dict[str, float] = {}
    while names - waits.keys() and bed.now < until:
        _talk_until(bed, bed.now + EVERY, others, since=began)
        for record in bed.trace.records[first:]:
            if record.kind == "ack" and record.node in names and (record.text or "").startswith(f"{began:.3f} "):
                waits.setdefault(str(record.node), record.time - began)
    return waits


def _talk_until(bed: Testbed, end: float, others: tuple[int, ...], since: float = 0.0) -> None:
    """Let each client say something, again and again; a text begins with the time `since` it belongs to."""
    while bed.now < end:
        text = f"{since:.3f} said at {bed.now:.3f} s"
        for node in bed.nodes:
            bed.say(text, author=f"rover{node}")
        for node in others:
            bed.say(text, node=node, author="sticky")
        bed.run(max(0.001, min(EVERY, end - bed.now)))


def _testbed(where: Where, seed: int, nodes: int) -> Testbed:
    if where == "sim":
        return World(seed, nodes, client=_talker)
    from chatsys.runtime.cluster import Cluster

    return Cluster(nodes=nodes, where=where, client=_talker)


def _talker(me: Any, config: ClusterConfig, random: Random) -> Client:
    """Return the client whose name says where it begins: `rover3` may go elsewhere, `sticky@3` may not."""
    return Client(me, config, random, home=int(str(me)[-1]), sticky="@" in str(me))
