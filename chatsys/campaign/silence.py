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

from collections.abc import Iterator, Sequence
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
    rovers = [f"rover{node}" for node in bed.nodes]
    _talk_until(bed, bed.now + 2.0 + Random(f"{seed}/silence").uniform(0.0, 0.8), rovers)
    leader = bed.leader
    if leader is None:
        raise ChatsysError(f"Round {seed}: there is no leader to fall silent, so nothing was measured; try again.")
    others = [node for node in bed.nodes if node != leader]
    names = [*rovers, *(f"sticky@{node}" for node in others)]
    _talk_until(bed, bed.now + 1.0, names)
    first, began = len(bed.trace.records), bed.now
    if cause == "pause":
        bed.pause(leader)
    else:
        bed.partition({leader}, others)
    waits = _next_answers(bed, names, first, began + LASTS)
    if cause == "pause":
        bed.resume(leader)
    else:
        bed.heal()
    waits |= _next_answers(bed, [name for name in names if name not in waits], first, began + 6 * LASTS)
    if len(waits) < len(names):
        raise ChatsysError(f"Round {seed}: {sorted(set(names) - set(waits))} had no answer in {6 * LASTS:g} s.")
    return {name: answered - began for name, answered in waits.items()}


def _next_answers(bed: Testbed, names: Sequence[str], first: int, until: float) -> dict[str, float]:
    """Let `names` talk until each has an answer to what it said now, or it is `until`; return when it came.

    `first` is where in the trace the failure stands; what was said before counts for nothing.
    """
    waits: dict[str, float] = {}
    while len(waits) < len(names) and bed.now < until:
        _talk_until(bed, bed.now + EVERY, names, mark=f"since {first}: ")
        for record in bed.trace.records[first:]:
            if record.kind == "ack" and record.node in names and (record.text or "").startswith(f"since {first}: "):
                waits.setdefault(str(record.node), record.time)
    return waits


def _talk_until(bed: Testbed, end: float, names: Sequence[str], mark: str = "") -> None:
    """Let each of `names` say something, again and again."""
    while bed.now < end:
        for name in names:
            author, _, home = name.partition("@")
            bed.say(f"{mark}said at {bed.now:.3f} s", node=int(home) if home else None, author=author)
        bed.run(max(0.001, min(EVERY, end - bed.now)))


def _testbed(where: Where, seed: int, nodes: int) -> Testbed:
    if where == "sim":
        return World(seed, nodes, client=talker)
    from chatsys.runtime.cluster import Cluster

    return Cluster(nodes=nodes, where=where, client=talker)


def talker(me: Any, config: ClusterConfig, random: Random) -> Client:
    """Return the client whose name says where it begins: `rover3` may go elsewhere, `sticky@3` may not."""
    return Client(me, config, random, home=int(str(me)[-1]), sticky="@" in str(me))
