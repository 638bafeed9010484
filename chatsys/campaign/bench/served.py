"""Served: how many messages a second are acknowledged, how long one takes, and what it costs.

    client process --connections x outstanding--> leader --> followers      CPU, turns, frames, syncs, memory of each
           `--> latency of each message                                     logs and deliveries compared afterwards

With `beside` "etcd", three members of etcd do the same work on the same machine, in turn with ours: a machine that is slow
for a while is slow for both, so the ratio of one round means something where a rate alone does not.

Read also `load`, `nodes`, `compared`, `etcd`.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from statistics import median
from typing import Any

from chatsys.campaign.bench.compared import HEARD, compared, heard_from
from chatsys.campaign.bench.etcd import Etcd, needs_etcd
from chatsys.campaign.bench.lines import Line, line, load
from chatsys.campaign.bench.nodes import Nodes, Used, nodes_of
from chatsys.campaign.bench.ordered import LoadOrder, Said
from chatsys.config import Limits
from chatsys.errors import ChatsysError, UsageError

MOST = Limits().text_bytes


class Rounds:
    """Nodes that are measured several times, and compared once at the end; a context.

    with Rounds(nodes=3) as rounds:
        lines = [rounds.measure("throughput", LoadOrder(outstanding=many, seconds=0.5)) for many in (1, 64, 1024)]
        rounds.check()
    """

    def __init__(self, nodes: int = 3, where: str = "processes", loop: str = "asyncio") -> None:
        self.where, self.loop = where, loop
        self.nodes = nodes_of(nodes, where, loop)
        self.said: list[Said] = []

    def __enter__(self) -> "Rounds":
        self.nodes.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.nodes.__exit__(*error)

    def measure(self, bench: str, order: LoadOrder) -> Line:
        """Let a client process carry out an order; return what came of it."""
        used = self.nodes.loaded(order)
        self.said += used.result.sessions
        return round_line(bench, self.nodes, order, used, where=self.where, loop=self.loop)

    def check(self) -> Line:
        """End the nodes and compare all logs and deliveries; raises `ChatsysError` with what differs."""
        return all_compared(self.nodes, self.said)


def throughput(
    nodes: int = 3, connections: int = 1, outstanding: int = 1024, seconds: float = 3.0, rounds: int = 1, *,
    bytes: int = 100, loop: str = "asyncio", where: str = "processes", beside: str = "",
) -> Iterator[Line]:  # fmt: skip
    """Measure acknowledged messages per second, what each costs, and compare all logs and deliveries afterwards."""
    order = LoadOrder(connections=connections, outstanding=outstanding, bytes=bytes, seconds=seconds)
    yield from measured("throughput", order, nodes, where, loop, rounds=rounds, beside=beside)


def latency(
    nodes: int = 3, connections: int = 1, outstanding: int = 1, seconds: float = 3.0, rounds: int = 1, *,
    bytes: int = 100, loop: str = "asyncio", where: str = "processes", beside: str = "",
) -> Iterator[Line]:  # fmt: skip
    """Measure submit to acknowledgement; one message at a time, unless more are to be outstanding."""
    order = LoadOrder(connections=connections, outstanding=outstanding, bytes=bytes, seconds=seconds)
    yield from measured("latency", order, nodes, where, loop, rounds=rounds, beside=beside)


def measured(
    bench: str, order: LoadOrder, count: int, where: str, loop: str, *, rounds: int = 1, beside: str = ""
) -> Iterator[Line]:
    """Yield a line for each round, one for the peer beside it, and one for the comparison."""
    if order.bytes > MOST:
        raise UsageError(f"--bytes is {order.bytes}; a message has at most {MOST} bytes (limits.text_bytes).")
    if loop != "asyncio" and where != "processes":
        raise UsageError("--loop is for nodes in processes of their own; leave it out, or write --where processes.")
    if beside:
        needs_etcd()
    ratios: list[float] = []
    with Rounds(count, where, loop) as ours, Etcd(count) if beside else nullcontext() as etcd:
        for number in range(1, rounds + 1):
            told = ours.measure(bench, order)
            yield {**told, "round": number} if rounds > 1 else told
            if etcd is not None:
                theirs = etcd.loaded(order, told["rate_per_second"])
                ratios.append(_ratio(bench, told, theirs))
                yield {**line(bench, "etcd", **theirs), "ratio": round(ratios[-1], 3), "round": number, "load": load()}
        yield ours.check()
    if ratios:
        what = "latency_p50_ms" if bench == "latency" else "rate_per_second"
        yield line("beside etcd", where, of=what, rounds=rounds, ratio_median=median(ratios),
                   ratio_least=min(ratios), ratio_most=max(ratios), load=load())  # fmt: skip


def _ratio(bench: str, ours: Line, theirs: dict[str, Any]) -> float:
    """Return ours by theirs: of the rate, or of the median latency, where less is better."""
    what = "latency_p50_ms" if bench == "latency" else "rate_per_second"
    return float(ours[what] / theirs[what])


def round_line(bench: str, nodes: Nodes, order: LoadOrder, used: Used, *, where: str, loop: str) -> Line:
    """Return one round as a line."""
    result, leader = used.result, nodes.leader
    if not result.messages:
        raise ChatsysError(f"No message was acknowledged within {order.seconds:g} s; nothing was measured.")
    total = sum(one.acknowledged for one in result.sessions)
    costs: Line = {}
    roles = [("leader", [leader])] + [("follower", [one for one in used.cpu if one != leader])]
    for role, those in roles:
        found = [node for node in those if node is not None]
        if not found:
            continue
        costs[f"cpu_us_{role}"] = sum(used.cpu[one] for one in found) / len(found) / result.messages * 1e6
        for name in ("syncs", "turns"):
            costs[f"{name}_per_message_{role}"] = sum(used.work[one][name] for one in found) / len(found) / total
        frames = sum(used.work[one]["frames_in"] + used.work[one]["frames_out"] for one in found)
        costs[f"frames_per_message_{role}"] = frames / len(found) / total
        memories = [nodes.memory(one) for one in found]
        costs[f"memory_mb_{role}"] = max(now for now, _ in memories)
        costs[f"memory_peak_mb_{role}"] = max(most for _, most in memories)
    costs["cpu_us_client"] = result.cpu / result.messages * 1e6
    waits = {f"latency_{name}_ms": seconds * 1000 for name, seconds in result.latencies.items()}
    return line(
        bench, where, nodes=len(nodes.config.ids), loop=loop, connections=order.connections,
        outstanding=order.outstanding, bytes=order.bytes, seconds=result.seconds, messages=result.messages,
        rate_per_second=result.messages / result.seconds, **waits, **costs,
        client_loop=result.loop.partition(".")[0], again=result.again, load=load(),
    )  # fmt: skip


def all_compared(nodes: Nodes, said: list[Said]) -> Line:
    """Compare all logs and deliveries; raises `ChatsysError` with what differs."""
    count = min(HEARD, sum(one.acknowledged for one in said))
    heard = {node: heard_from(nodes.config, node, count) for node in nodes.config.ids}
    nodes.stop()
    found = compared([nodes.data(node) for node in nodes.config.ids], said, heard)
    if found.wrong:
        raise ChatsysError(f"What was measured is not true: {found.wrong[0]}")
    return line("compared", "logs", acknowledged=found.acknowledged, logs=found.logs, deliveries=found.deliveries,
                verdict="held: one order, nothing lost or doubled")  # fmt: skip
