"""Fuzzing: random bytes, forged frames, harmed logs and rude connections, by the hundred thousand.

    python -m chatsys fuzz --frames 200000 --logs 20000 --connections 2000

    links    bytes into the real connection objects: half of the frames
    nodes    well-formed forged frames into running nodes of the simulator: the other half
    logs     log files after every kind of harm, through decode, recover and start
    crowds   real connections to a real node, ended in every way at the wrong moment

Promises  `fuzz` returns what it did and found, and how much memory it kept; it raises nothing.
Read also `tests/real/test_frames_hostile.py` (chosen frames, over real sockets).
"""

import gc
import time
from collections.abc import Callable
from typing import Any

from chatsys.campaign.fuzz.crowds import fuzz_crowds
from chatsys.campaign.fuzz.links import fuzz_links
from chatsys.campaign.fuzz.logs import fuzz_logs
from chatsys.campaign.fuzz.nodes import fuzz_nodes
from chatsys.campaign.fuzz.tally import Tally, stop_watching, watch_for_hangs
from chatsys.capabilities import SOCKETS, need
from chatsys.errors import UsageError

ROUND = 10_000
"""So many frames or logs at a time; memory is looked at between the rounds."""
CONNECTIONS = 1_000
"""So many connections at a time."""
KEPT = 64.0
"""MB: what a run may keep beyond its first round."""


def fuzz(
    frames: int = 200_000,
    logs: int = 20_000,
    connections: int = 2_000,
    *,
    seed: int = 1,
    step: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Fuzz links, nodes, logs and the port; `step(count)` is called after each round with how much it did.

    Raises `UsageError` if there is nothing to do.
    """
    if min(frames, logs, connections) < 0 or frames + logs + connections == 0:
        raise UsageError(
            f"{frames} frames, {logs} logs and {connections} connections are nothing to fuzz with; "
            "give one of them, 1 or more."
        )
    need("Fuzzing", SOCKETS, instead="run `chatsys fuzz` on a computer")
    tally, seconds, memory = Tally(), dict.fromkeys(("links", "nodes", "logs", "crowds"), 0.0), Memory()
    try:
        for name, part, number in _rounds(frames, logs, connections):
            watch_for_hangs()
            began = time.monotonic()
            part(number, seed * 1_000_003 + tally.frames + tally.logs + tally.connections, tally)
            seconds[name] += time.monotonic() - began
            memory.look(name)
            if step is not None:
                step(number)
    finally:
        stop_watching()
    if memory.kept > KEPT:
        tally.find(f"memory grew by {memory.kept:.0f} MB after the first round; {KEPT:.0f} MB are allowed")
    return {
        "frames": tally.frames,
        "logs": tally.logs,
        "connections": tally.connections,
        "seed": seed,
        "seconds": {name: round(spent, 2) for name, spent in seconds.items()},
        "slowest_step": round(tally.slowest, 4),
        "memory_kept_mb": round(memory.kept, 1),
        "nodes_stopped_themselves": tally.stopped,
        "logs_refused": tally.refused,
        "logs_usable": tally.usable,
        "findings": [{"finding": sentence, "count": count} for sentence, count in tally.findings.items()],
    }


Part = Callable[[int, int, Tally], None]


def _rounds(frames: int, logs: int, connections: int) -> list[tuple[str, Part, int]]:
    """Return (name, what to call, how much) of each round; the kinds take turns, so that all are warm early."""
    plans: tuple[tuple[str, Part, int, int], ...] = (
        ("links", fuzz_links, (frames + 1) // 2, ROUND),
        ("nodes", fuzz_nodes, frames // 2, ROUND),
        ("logs", fuzz_logs, logs, ROUND),
        ("crowds", fuzz_crowds, connections, CONNECTIONS),
    )
    rounds = []
    for name, part, number, size in plans:
        for place, begin in enumerate(range(0, number, size)):
            rounds.append((place, (name, part, min(size, number - begin))))
    return [one for _, one in sorted(rounds, key=lambda pair: pair[0])]


class Memory:
    """How much memory this process holds now, beyond what it held after the first round of each kind."""

    def __init__(self) -> None:
        self.looks: list[float] = []
        self.warm = 0.0
        self._met: set[str] = set()

    def look(self, kind: str) -> None:
        """Measure now, after a round of this kind."""
        import psutil

        gc.collect()
        self.looks.append(psutil.Process().memory_info().rss / 2**20)
        if kind not in self._met:
            self._met.add(kind)
            self.warm = max(self.looks)

    @property
    def kept(self) -> float:
        """The most MB that were kept beyond the first round of each kind."""
        return max(0.0, max(self.looks) - self.warm)
