"""Leaving: how long nobody is served when a leader is killed, and when it is told to stop.

    clients talk, 50 messages a second --> kill -9, or SIGTERM --> ... --> the leader has ended, all are served
                                            |<-- the longest time without an acknowledgement -->|

The rounds are played in turn, one of each kind, so that a machine that is slow for a while is slow for both.  One
client begins at each node and may go anywhere.  Each round is judged: no line lost, doubled or indeterminate.

Assumes   three nodes or more, in processes of their own.
Read also `bench` (the command), `protocol.departure` (what a leader does that is told to stop).
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from chatsys.campaign.silence import talker
from chatsys.check import check
from chatsys.errors import ChatsysError
from chatsys.runtime.cluster import Cluster

How = Literal["kill", "term"]
HOWS: tuple[How, ...] = ("kill", "term")
RATE = 50.0
"""Messages a second, of all clients together."""
BEFORE, AFTER = 1.5, 1.5
"""Seconds of talk before, and after somebody leads again."""
LIMIT = 20.0


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one round."""

    how: How
    gap: float
    """Seconds without an acknowledgement for anybody, at the longest."""
    slowest: float
    """The same for the one client that had to wait longest."""
    ended: float
    """Seconds until the process of the leader was gone."""
    said: int
    lost: int
    doubled: int
    indeterminate: int
    violations: int


def rounds_of(rounds: int, nodes: int = 3) -> Iterator[Round]:
    """Yield the rounds, one of each kind in turn."""
    for _ in range(rounds):
        for how in HOWS:
            with Cluster(nodes, "processes", client=talker) as cluster:
                yield play(cluster, how)


def play(cluster: Cluster, how: How) -> Round:
    """Play one round in a fresh cluster of processes, and judge it."""
    cluster.until(lambda: cluster.leader == max(cluster.nodes), 30)
    leader, names = max(cluster.nodes), [f"rover{node}" for node in cluster.nodes]
    said: list[str] = []
    _talk(cluster, names, said, cluster.now + BEFORE)
    began, process = cluster.now, cluster.pids[leader]
    if process is None:
        raise ChatsysError("The leader has no process of its own, so nothing was measured; use where='processes'.")
    os.kill(process, signal.SIGKILL if how == "kill" else signal.SIGTERM)
    node = cluster.supervisor.nodes[leader]
    ended = 0.0
    while cluster.leader in (None, leader) or node.alive:
        if cluster.now > began + LIMIT:
            raise ChatsysError(f"Nobody leads {LIMIT:g} s after the leader has left; nothing was measured.")
        _talk(cluster, names, said, cluster.now + 0.02)
        ended = ended or (0.0 if node.alive else cluster.now - began)
    ended = ended or cluster.now - began
    _talk(cluster, names, said, cluster.now + AFTER)
    return _judged(cluster, how, began, ended, said)


def _talk(cluster: Cluster, names: list[str], said: list[str], end: float) -> None:
    """Let the clients speak in turn, at the rate, until `end`."""
    while cluster.now < end:
        due = time.perf_counter() + 1 / RATE
        said.append(f"line {len(said)}")
        cluster.say(said[-1], author=names[len(said) % len(names)])
        time.sleep(max(0.0, due - time.perf_counter()))


def _judged(cluster: Cluster, how: How, began: float, ended: float, said: list[str]) -> Round:
    living = [node for node, state in cluster.status().items() if state["alive"]]
    cluster.until(lambda: all(len(cluster.delivered(node)) >= len(said) for node in living), 10, quiet=True)
    told: dict[Any, list[float]] = {}
    for ack in cluster.trace.of("ack"):
        told.setdefault(ack.node, []).append(ack.time)
    everybody = sorted(time for times in told.values() for time in times)
    counts = [Counter(cluster.delivered(node)) for node in living]
    return Round(
        how=how,
        gap=_longest(everybody, began),
        slowest=max(_longest(times, began) for times in told.values()),
        ended=ended,
        said=len(said),
        lost=sum(1 for text in said if any(not count[text] for count in counts)),
        doubled=sum(1 for count in counts for text in count if count[text] > 1),
        indeterminate=len(cluster.trace.of("indeterminate")),
        violations=len(check(cluster)),
    )


def _longest(times: list[float], began: float) -> float:
    """Return the longest stretch between two of these times that ends after `began`."""
    return max((b - a for a, b in zip(times, times[1:], strict=False) if b > began), default=float("inf"))
