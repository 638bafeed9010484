"""Soak: a real cluster of processes under real faults for minutes, judged like a simulated one.

    clients talk all along  --50 a second-->  processes over TCP
    every 5 to 15 seconds   one fault: SIGKILL, SIGSTOP, a partition, a link that loses or lags
    at the end              everything is mended; the trace goes through the same checkers, and
                            soon all must be served again (L1-L3), with nothing left waiting (L6)

In a storm nothing is mended: nodes are killed one after the other, every 0.3 s (`storm`).

Real time finds what virtual time cannot: what the operating system does between two lines.  In
namespaces it also finds what TCP does when packets, not frames, vanish.

Assumes   the machine has room for the processes; a slow machine makes outages longer, not orders wrong.
Promises  it ends by itself, and says how long service was away after each fault.
Read also `drawn` (the faults), `outages`, `storm`, `campaign.one_seed` (the same in virtual time), `runtime.cluster` (the verbs), `runtime.net.namespaces`, `check`.
"""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from random import Random

import msgspec

from chatsys.campaign.below import seen, under
from chatsys.campaign.soaking.drawn import AppliedFaults, Breaking, trouble
from chatsys.campaign.soaking.outages import Outage, longest_of_a_storm, outages
from chatsys.check import check
from chatsys.check.histories import check_histories
from chatsys.check.jepsen import write_history
from chatsys.check.liveness import Verdict, check_live
from chatsys.check.quiescence import check_rest
from chatsys.errors import ChatsysError, UsageError
from chatsys.faults import Testbed, apply
from chatsys.runtime.cluster import Cluster, Where
from chatsys.surroundings import try_write
from chatsys.trace import Trace

AUTHORS = ("ann", "bob", "eve", "kim")
CALM = 32.0
"""At most so long everything may take to be served and at rest once all is mended; L1-L3 take up to 30 s to be judged."""
LAWS = ("L1", "L2", "L3", "L6")
"""The laws of liveness that a soak judges; L4 needs more than a minute of calm, as `simulate` gives it."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a soak showed; `python -m chatsys soak --json` prints it."""

    where: str
    nodes: int
    seed: int
    seconds: float
    said: int
    acknowledged: int
    indeterminate: int
    delivered: dict[int, int]
    outages: tuple[Outage, ...]
    violations: tuple[str, ...]
    kills: int = 0
    """How many times a storm killed a node."""
    system: str = ""
    """On what kind of system the nodes ran (`campaign.below`), "": on this one, unwatched."""
    watched: dict[str, int] = {}
    """How many frames of each kind were held against the disks, and how many power losses there were."""
    syncs: int = 0
    judged: tuple[str, ...] = LAWS
    """The laws of liveness judged after the last mend; what breaks them is among the violations."""
    served_after: float = 0.0
    """How many seconds after the last mend all was delivered, answered and at rest, or the wait was over."""
    unfinished: str = ""
    """What was not well when time was up, and yet no law is broken, if anything."""

    @property
    def longest(self) -> float:
        """The longest time without service, in seconds."""
        return max((outage.seconds for outage in self.outages), default=0.0)


def soak(
    seconds: float = 60.0,
    nodes: int = 3,
    rate: float = 50.0,
    seed: int = 1,
    step: Callable[[], None] | None = None,
    *,
    where: Where = "processes",
    storm: bool = False,
    system: str = "",
    history: Path | None = None,
) -> Report:
    """Run one soak and judge it; `rate` is in messages a second, `step` is called once a second.

    With `storm` the faults are kill -9 alone, one every 0.3 s.  With `where="namespaces"` the kernel's own rules make the
    partitions and lose the packets; with `where="containers"` the engine kills and freezes.  With a `system` the
    processes are watched from outside, on one of the systems of `campaign.below`.  What clients saw is kept in the file
    `history` (`check.jepsen`).
    Raises `UsageError` for a time, a rate or a number of nodes that make no soak, `NotHere`
    where there can be no namespaces, no containers, or nobody can watch.
    """
    _refuse_nonsense(seconds, nodes, rate, system, where)
    if history is not None:
        try_write(history)
    with under(system) if system else nullcontext() as below, Cluster(nodes=nodes, where=where, seed=seed) as cluster:
        if not cluster.until(lambda: cluster.leader is not None, 30, quiet=True):
            raise ChatsysError("The cluster had no leader within 30 s of its start; is the machine overloaded?")
        script, fury = trouble(cluster, Random(f"{seed}/soak"), seconds, storm)
        begin, faults = cluster.now, fury or AppliedFaults(cluster, script)
        said = _drive(cluster, faults, seconds, rate, step or (lambda: None))
        mended = _mend(cluster)
        cluster.until(lambda: _all_delivered(cluster) and check_rest(cluster).verdict == "pass", CALM, quiet=True)
        # At once: what is read below takes a while, and the lead may go over meanwhile.
        rest, end = check_rest(cluster), cluster.now
        trace, broken, watched = seen(cluster, below)
        live = check_live(trace, mended, cluster.nodes, end=end, laws=LAWS)
        _keep(trace, history, cluster)
        return Report(
            where=where,
            nodes=nodes,
            seed=seed,
            seconds=round(cluster.now - begin, 1),
            said=said,
            acknowledged=len(trace.of("ack")),
            indeterminate=len(trace.of("indeterminate")),
            delivered={node: len(cluster.delivered(node)) for node in cluster.nodes},
            outages=outages(trace, script, begin) or longest_of_a_storm(trace, fury, begin, mended),
            kills=fury.kills if fury else 0,
            violations=(
                *broken,
                *(one.sentence for one in (*check(trace), *check_histories(trace), *live.violations, *rest.violations)),
            ),
            system=system,
            watched=watched,
            syncs=watched.get("syncs", 0),
            served_after=round(end - mended, 2),
            unfinished="; ".join((*live.open, *rest.open)),
        )


def _mend(cluster: Cluster) -> float:
    """Mend everything, wait until a leader has heard whether a quorum is there, and return when it was mended."""
    apply(cluster, "mend", (), lenient=True)
    mended = cluster.now
    cluster.run(2 * cluster.config.timing.heartbeat_interval)
    return mended


def _refuse_nonsense(seconds: float, nodes: int, rate: float, system: str, where: Where) -> None:
    if not 1 <= seconds <= 7200 or not 0 < rate <= 1000 or nodes < 3:
        raise UsageError(
            f"seconds is {seconds}, rate is {rate}, nodes is {nodes}; give 1 to 7200 seconds, "
            "up to 1000 messages a second and at least 3 nodes."
        )
    if system and where != "processes":
        raise UsageError(
            f"Only processes of this machine can be put on another system; leave out {system!r} or {where!r}."
        )


def _keep(trace: Trace, history: Path | None, cluster: Cluster) -> None:
    if history is not None:
        write_history(trace, history, final=cluster.nodes if _all_delivered(cluster) else ())


def judge(cluster: Testbed, mended: float) -> tuple[Verdict, Verdict]:
    """Return what the trace, and what the nodes of a cluster or world, say about liveness since all was mended."""
    return check_live(cluster.trace, mended, cluster.nodes, end=cluster.now, laws=LAWS), check_rest(cluster)


def _drive(cluster: Cluster, faults: Breaking, seconds: float, rate: float, step: Callable[[], None]) -> int:
    """Say `rate` messages a second while faults happen; return how many were said."""
    begin, said, told = cluster.now, 0, 0
    try:
        while (passed := cluster.now - begin) < seconds:
            faults.act()
            while said < passed * rate:
                author = AUTHORS[said % len(AUTHORS)]
                cluster.say(f"{author} {said}", author=author)
                said += 1
            if told < int(passed):
                told += 1
                step()
            cluster.run(0.01)
    finally:
        faults.end()
    return said


def _all_delivered(cluster: Cluster) -> bool:
    """Whether all members run, a leader serves, and all have delivered equally much, with nothing under way."""
    state = cluster.status()
    counts = {facts.get("delivered") for facts in state.values()}
    answered = len(cluster.trace.of("ack")) + len(cluster.trace.of("indeterminate"))
    return (
        all(facts["alive"] and not facts["paused"] for facts in state.values())
        and cluster.leader is not None
        and len(counts) == 1
        and answered >= len(cluster.trace.of("submit"))
    )
