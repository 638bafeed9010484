"""Bench: what is measured, and how.  Every line is one measurement, with its unit in the key.

    startup      from `Cluster(...)` to a leader that serves; and what `import chatsys` costs
    failover     from the end of the leader to the next acknowledged message: by kill -9 and by silence
    leaving      the time without an acknowledgement when a leader is killed, and when it is told to stop, in turn
    silence      from a leader that falls silent to each client's next acknowledgement, in many rounds
    throughput   acknowledged messages per second of one client that keeps many under way
    latency      submit to acknowledgement, one message at a time
    schedules    fault schedules played and checked in the simulator, on one core

Times are of this machine at this moment: compare lines of one run only, and look at the load.

Assumes   nothing else of weight runs; clients, like nodes, use real sockets, files and syncs.
Read also `runtime.cluster`, `silence` (its rounds); the command line prints these lines with `chatsys bench`.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal

import msgspec

from chatsys.actor.events import Say
from chatsys.campaign import leaving as departures
from chatsys.campaign import silence as silent
from chatsys.campaign.one_seed import Plan, run_seed
from chatsys.capabilities import PROCESSES, need
from chatsys.config import Timing
from chatsys.errors import ChatsysError, UsageError
from chatsys.faults import KINDS
from chatsys.protocol.client import Client
from chatsys.protocol.patience import failover_wait
from chatsys.runtime.cluster import Cluster

LIMIT = 60.0
"""Seconds after which a measurement that does not come to its end is an error."""
BRIEF = Plan(kinds=KINDS, seconds=1.0, calm=1.0)
"""A schedule as a grader plays it: about 300 events."""
LONG = Plan(kinds=KINDS, seconds=60.0, calm=45.0, talk=0.5)
"""A schedule as a night's sweep plays it."""
Line = dict[str, Any]
Where = Literal["kernel", "processes"]
PLACES: tuple[Where, ...] = ("kernel", "processes")
ANYWHERE: tuple[silent.Where, ...] = ("sim", *PLACES)
"""Where silence can be measured."""


def run(name: str, **options: Any) -> Iterator[Line]:
    """Yield the lines of the bench `name`; `options` are those of the function of that name."""
    if name not in NAMES:
        raise UsageError(f"bench is {name!r}; there are {', '.join(NAMES)}.")
    return _BENCHES[name](**options)


def startup(nodes: int = 3, rounds: int = 3) -> Iterator[Line]:
    """Measure how long a fresh cluster takes until it has a leader, and what importing costs."""
    for where in PLACES:
        for _ in range(rounds):
            began = time.perf_counter()
            with Cluster(nodes=nodes, where=where) as cluster:
                listening = time.perf_counter() - began
                _until(cluster, partial(_leads, cluster), "have a leader")
                leading = time.perf_counter() - began
            yield _line("startup", where, nodes=nodes, seconds_to_listen=listening, seconds_to_leader=leading)
    for module in ("chatsys", "chatsys.runtime.cluster"):
        seconds = min(_import_seconds(module) for _ in range(rounds))
        yield _line("import", "python", module=module, seconds_to_import=seconds)


def failover(nodes: int = 3, rounds: int = 1, where: Where = "processes") -> Iterator[Line]:
    """Measure the gap in service when the leader is killed, and when it only falls silent."""
    for _ in range(rounds):
        for cause in ("crash", "silence"):
            with Cluster(nodes=nodes, where=where) as cluster:
                _until(cluster, partial(_leads, cluster), "have a leader")
                cluster.say("before")
                _until(cluster, partial(_acked, cluster, "before"), "acknowledge a message")
                leader = cluster.leader
                assert leader is not None, "an acknowledgement needs a leader"
                others = set(cluster.nodes) - {leader}
                began = cluster.now
                if cause == "crash":
                    cluster.crash(leader)
                else:
                    cluster.partition({leader}, others)
                cluster.say("after", node=min(others))
                _until(cluster, partial(_acked, cluster, "after"), "acknowledge a message again")
                ack = next(record for record in cluster.trace.of("ack") if record.text == "after")
                yield _line("failover", where, cause=cause, nodes=nodes, seconds_to_next_ack=ack.time - began)


def silence(nodes: int = 3, rounds: int = 20, where: silent.Where = "sim") -> Iterator[Line]:
    """Measure, round by round, how long the slowest client waits when the leader is paused or cut off."""
    if nodes < 3:
        raise UsageError(f"bench silence takes 3 nodes or more, so that a quorum is left; nodes is {nodes}.")
    causes: tuple[silent.Cause, ...] = ("pause", "cut") if where == "sim" else ("pause",)
    for cause in causes:
        waits = sorted(silent.rounds_of(cause, rounds, nodes, where))
        worst, seed, client = waits[-1]
        yield _line(
            "silence", where, cause=cause, nodes=nodes, rounds=rounds, seconds_median=waits[len(waits) // 2][0],
            seconds_worst=worst, worst_seed=seed, worst_client=client, seconds_allowed=failover_wait(Timing()),
            load=_load(),
        )  # fmt: skip


def leaving(nodes: int = 3, rounds: int = 10) -> Iterator[Line]:
    """Measure the time without an acknowledgement under 50 messages a second: kill -9 against SIGTERM of a leader."""
    if nodes < 3:
        raise UsageError(f"bench leaving takes 3 nodes or more, so that a quorum is left; nodes is {nodes}.")
    played = list(departures.rounds_of(rounds, nodes))
    for how in departures.HOWS:
        those = [one for one in played if one.how == how]
        gaps, waits, ends = (sorted(getattr(one, name) for one in those) for name in ("gap", "slowest", "ended"))
        yield _line(
            "leaving", "processes", how=how, nodes=nodes, rounds=rounds, messages=sum(one.said for one in those),
            seconds_without_ack_median=gaps[len(gaps) // 2], seconds_without_ack_worst=gaps[-1],
            slowest_client_median=waits[len(waits) // 2], slowest_client_worst=waits[-1],
            seconds_to_end_median=ends[len(ends) // 2], lost=sum(one.lost for one in those),
            doubled=sum(one.doubled for one in those), indeterminate=sum(one.indeterminate for one in those),
            violations=sum(one.violations for one in those), load=_load(),
        )  # fmt: skip


def throughput(nodes: int = 3, messages: int = 3000, window: int = 256, where: Where = "kernel") -> Iterator[Line]:
    """Measure acknowledged messages per second of one client with `window` messages under way."""
    with Cluster(nodes=nodes, where=where, client=partial(Client, window=window)) as cluster:
        _until(cluster, partial(_leads, cluster), "have a leader")
        cluster.say("warm up")
        _until(cluster, partial(_acked, cluster, "warm up"), "acknowledge a message")
        first = len(cluster.trace)
        texts = [f"message {number}" for number in range(messages)]
        cluster.submit(_say_all(cluster, texts)).result(LIMIT)
        _until(cluster, partial(_acked, cluster, texts[-1]), f"acknowledge {messages} messages")
        records = cluster.trace.records[first:]
    submits = [record.time for record in records if record.kind == "submit"]
    acks = [record.time for record in records if record.kind == "ack"]
    seconds = max(acks) - min(submits)
    proposes = sum(record.kind == "send" and record.message == "PROPOSE" for record in records)
    frames = sum(record.kind == "send" for record in records)
    syncs = sum(record.kind == "durable" for record in records)
    yield _line(
        "throughput", where, nodes=nodes, messages=len(acks), window=window,
        rate_per_second=round(len(acks) / seconds, 1),
        round_trips_per_message=proposes / max(1, nodes - 1) / len(acks),
        frames_per_message=frames / len(acks),
        syncs_per_message=syncs / nodes / len(acks),
    )  # fmt: skip


def latency(nodes: int = 3, messages: int = 200, where: Where = "kernel") -> Iterator[Line]:
    """Measure submit to acknowledgement, one message at a time."""
    with Cluster(nodes=nodes, where=where) as cluster:
        _until(cluster, partial(_leads, cluster), "have a leader")
        for number in range(messages):
            cluster.say(f"message {number}")
            _until(cluster, partial(_acked, cluster, f"message {number}"), "acknowledge a message")
        submits = {record.text: record.time for record in cluster.trace.of("submit")}
        waits = sorted((record.time - submits[record.text]) * 1000 for record in cluster.trace.of("ack"))
    yield _line(
        "latency", where, nodes=nodes, messages=len(waits),
        latency_p50_ms=_quantile(waits, 0.5), latency_p90_ms=_quantile(waits, 0.9), latency_p99_ms=_quantile(waits, 0.99),
    )  # fmt: skip


def schedules(nodes: int = 3, rounds: int = 5) -> Iterator[Line]:
    """Measure fault schedules per second, played, traced and checked on one core; no world runs beside it."""
    run_seed(0, BRIEF)
    for length, plan, count in (("brief", BRIEF, 40 * rounds), ("long", LONG, rounds)):
        plan = msgspec.structs.replace(plan, nodes=nodes)
        began = time.process_time()
        results = [run_seed(seed, plan) for seed in range(count)]
        seconds = time.process_time() - began
        events = sum(result.events for result in results)
        yield _line(
            "schedules", "sim", length=length, nodes=nodes, schedules=count,
            virtual_seconds=plan.seconds + plan.calm, events_per_schedule=events / count,
            events_per_second=events / seconds, schedules_per_second=count / seconds,
        )  # fmt: skip


_BENCHES: dict[str, Callable[..., Iterator[Line]]] = {
    "startup": startup, "failover": failover, "leaving": leaving, "silence": silence, "throughput": throughput, "latency": latency,
    "schedules": schedules,
}  # fmt: skip
NAMES = tuple(_BENCHES)


async def _say_all(cluster: Cluster, texts: list[str]) -> None:
    """Say everything in one go on the cluster's loop: what is measured is the cluster, not the asking."""
    for text in texts:
        await cluster.supervisor.say("ann", None, Say(text, author="ann"))


def _load() -> float | None:
    """Return how many processes wanted a core in the last minute, where the system tells it."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _leads(cluster: Cluster) -> bool:
    return cluster.leader is not None


def _quantile(ascending: list[float], fraction: float) -> float:
    return round(ascending[min(len(ascending) - 1, int(fraction * len(ascending)))], 3)


def _until(cluster: Cluster, holds: Callable[[], Any], what: str) -> None:
    """Wait in short steps, so that waiting itself adds little; the trace has the exact times."""
    end = time.perf_counter() + LIMIT
    while not holds():
        if time.perf_counter() > end:
            raise ChatsysError(f"The cluster did not {what} within {LIMIT:g} s; nothing was measured.")
        time.sleep(0.002)


def _acked(cluster: Cluster, text: str) -> bool:
    """Look at the newest records only: an acknowledgement that is waited for is near the end."""
    return any(record.kind == "ack" and record.text == text for record in reversed(cluster.trace.records[-500:]))


def _import_seconds(module: str) -> float:
    need("To time an import", PROCESSES, instead="measure on a computer")
    code = f"import time; began = time.perf_counter(); import {module}; print(time.perf_counter() - began)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it did not say why"])[-1]
        raise ChatsysError(f"A new Python cannot import {module} ({said}); nothing was measured.")
    return float(done.stdout)


def _line(bench: str, where: str, **facts: Any) -> Line:
    rounded = {name: round(fact, 4) if isinstance(fact, float) else fact for name, fact in facts.items()}
    return {"bench": bench, "where": where, **rounded}
