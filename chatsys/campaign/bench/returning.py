"""Returning: a follower was away while much was said; how soon has it all, and what do others feel of it?

    kill -9 a follower --> messages are said --> it starts again, while others go on at a rate --> its log has all

Read also `protocol.catchup` (how it asks, and for how much at a time), `nodes`, `compared`.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from chatsys.actor.logfile import LOG
from chatsys.campaign.bench.lines import LIMIT, Line, line, load
from chatsys.campaign.bench.nodes import UserNodes, loaded, read_result, speaking
from chatsys.campaign.bench.ordered import LoadOrder
from chatsys.campaign.bench.served import all_compared
from chatsys.errors import ChatsysError, UsageError

AWAY = 600.0
"""Seconds within which everything must be said that the follower is to miss."""
TOGETHER = 1024
"""Messages under way while that is said."""


def catchup(
    nodes: int = 3, messages: int = 100_000, rate: float = 1000.0, seconds: float = 5.0, rounds: int = 1, *,
    bytes: int = 100, loop: str = "asyncio",
) -> Iterator[Line]:  # fmt: skip
    """Measure how long a follower takes that missed so many messages, while others go on for so many seconds."""
    if nodes < 3:
        raise UsageError(f"bench catchup takes 3 nodes or more, so that a quorum is left; nodes is {nodes}.")
    for _ in range(rounds):
        with UserNodes(nodes, loop) as running:
            lost = min(running.config.ids)
            running.kill(lost)
            missed = loaded(running, LoadOrder(outstanding=TOGETHER, bytes=bytes, messages=messages, seconds=AWAY, warm=0.0), (lost,)).result  # fmt: skip
            last = max(first + count - 1 for one in missed.sessions for _, first, count in one.runs)
            leader = running.leader
            assert leader is not None, "a load needs a leader"
            order = LoadOrder(addresses=(running.config.members[leader],), connections=4, outstanding=TOGETHER, rate=rate,
                          bytes=bytes, seconds=seconds)  # fmt: skip
            with speaking(order) as others:
                assert others.stdout is not None
                others.stdout.readline()
                began = time.perf_counter()
                running.start(lost)
                _wait_for(running.data(lost) / LOG, last, began)
                took, cpu = time.perf_counter() - began, running.cpu(lost)
                result = read_result(others)
            yield line(
                "catchup", "processes", nodes=nodes, loop=loop, messages=messages, rate=rate, seconds_until_it_has_all=took,
                cpu_seconds_follower=cpu, within=took < seconds, rate_of_others=result.messages / result.seconds,
                others_p50_ms=result.latencies.get("p50", 0.0) * 1000, others_p99_ms=result.latencies.get("p99", 0.0) * 1000,
                load=load(),
            )  # fmt: skip
            yield all_compared(running, [*missed.sessions, *result.sessions])


def _wait_for(log: Path, position: int, began: float) -> None:
    """Wait until the entry at this position stands in a log."""
    wanted, before = b'{"seq":%d,' % position, b""
    with log.open("rb") as file:
        file.seek(0, 2)
        while True:
            news = file.read()
            if wanted in before + news:
                return
            before = (before + news)[-len(wanted) :]
            if time.perf_counter() > began + LIMIT:
                raise ChatsysError(f"The follower did not have all within {LIMIT:g} s; nothing was measured.")
            time.sleep(0.005)
