"""Without a leader: how long nobody is served when the leader is killed, falls silent, or is told to stop.

    failover   one client, from the end of the leader to its next acknowledgement
    leaving    many clients, kill -9 against SIGTERM, round by round
    silence    each client's wait when the leader is paused or cut off, in many rounds

Read also `chatsys.campaign.leaving`, `chatsys.campaign.silence` (the rounds).
"""

from collections.abc import Iterator
from functools import partial
from typing import Literal

from chatsys.campaign import leaving as departures
from chatsys.campaign import silence as silent
from chatsys.campaign.bench.lines import Line, line, load, until
from chatsys.config import Timing
from chatsys.errors import UsageError
from chatsys.protocol.patience import failover_wait
from chatsys.runtime.cluster import Cluster

Where = Literal["kernel", "processes"]


def failover(nodes: int = 3, rounds: int = 1, where: Where = "processes") -> Iterator[Line]:
    """Measure the gap in service when the leader is killed, and when it only falls silent."""
    for _ in range(rounds):
        for cause in ("crash", "silence"):
            with Cluster(nodes=nodes, where=where) as cluster:
                until(partial(_leads, cluster), "have a leader")
                cluster.say("before")
                until(partial(_acked, cluster, "before"), "acknowledge a message")
                leader = cluster.leader
                assert leader is not None, "an acknowledgement needs a leader"
                others = set(cluster.nodes) - {leader}
                began = cluster.now
                if cause == "crash":
                    cluster.crash(leader)
                else:
                    cluster.partition({leader}, others)
                cluster.say("after", node=min(others))
                until(partial(_acked, cluster, "after"), "acknowledge a message again")
                ack = next(record for record in cluster.trace.of("ack") if record.text == "after")
                yield line("failover", where, cause=cause, nodes=nodes, seconds_to_next_ack=ack.time - began)


def silence(nodes: int = 3, rounds: int = 20, where: silent.Where = "sim") -> Iterator[Line]:
    """Measure, round by round, how long the slowest client waits when the leader is paused or cut off."""
    if nodes < 3:
        raise UsageError(f"bench silence takes 3 nodes or more, so that a quorum is left; nodes is {nodes}.")
    causes: tuple[silent.Cause, ...] = ("pause", "cut") if where == "sim" else ("pause",)
    for cause in causes:
        waits = sorted(silent.rounds_of(cause, rounds, nodes, where))
        worst, seed, client = waits[-1]
        yield line(
            "silence", where, cause=cause, nodes=nodes, rounds=rounds, seconds_median=waits[len(waits) // 2][0],
            seconds_worst=worst, worst_seed=seed, worst_client=client, seconds_allowed=failover_wait(Timing()),
            load=load(),
        )  # fmt: skip


def leaving(nodes: int = 3, rounds: int = 10) -> Iterator[Line]:
    """Measure the time without an acknowledgement under 50 messages a second: kill -9 against SIGTERM of a leader."""
    if nodes < 3:
        raise UsageError(f"bench leaving takes 3 nodes or more, so that a quorum is left; nodes is {nodes}.")
    played = list(departures.rounds_of(rounds, nodes))
    for how in departures.HOWS:
        those = [one for one in played if one.how == how]
        gaps, waits, ends = (sorted(getattr(one, name) for one in those) for name in ("gap", "slowest", "ended"))
        yield line(
            "leaving", "processes", how=how, nodes=nodes, rounds=rounds, messages=sum(one.said for one in those),
            seconds_without_ack_median=gaps[len(gaps) // 2], seconds_without_ack_worst=gaps[-1],
            slowest_client_median=waits[len(waits) // 2], slowest_client_worst=waits[-1],
            seconds_to_end_median=ends[len(ends) // 2], lost=sum(one.lost for one in those),
            doubled=sum(one.doubled for one in those), indeterminate=sum(one.indeterminate for one in those),
            violations=sum(one.violations for one in those), load=load(),
        )  # fmt: skip


def _leads(cluster: Cluster) -> bool:
    return cluster.leader is not None


def _acked(cluster: Cluster, text: str) -> bool:
    """Look at the newest records only: an acknowledgement that is waited for is near the end."""
    return any(record.kind == "ack" and record.text == text for record in reversed(cluster.trace.records[-500:]))
