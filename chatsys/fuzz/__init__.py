"""Fuzzing: random bytes, forged frames and harmed logs, by the hundred thousand.

    python -m chatsys fuzz --frames 200000 --logs 20000

    links    bytes into the real connection objects: half of the frames
    nodes    well-formed forged frames into running nodes of the simulator: the other half
    logs     log files after every kind of harm, through decode, recover and start

Promises  `fuzz` returns what it did and found, and how much memory it kept; it raises nothing.
Read also `tests/real/test_frames_hostile.py` (chosen frames, over real sockets).
"""

import gc
import time
from collections.abc import Callable
from typing import Any

from chatsys.capabilities import SOCKETS, need
from chatsys.errors import UsageError
from chatsys.fuzz.links import fuzz_links
from chatsys.fuzz.logs import fuzz_logs
from chatsys.fuzz.nodes import fuzz_nodes
from chatsys.fuzz.tally import Tally, stop_watching, watch_for_hangs

ROUND = 10_000
"""So many frames or logs at a time; memory is looked at between the rounds."""
KEPT = 64.0
"""MB: what a run may keep beyond its first round."""


def fuzz(
    frames: int = 200_000, logs: int = 20_000, seed: int = 1, step: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Fuzz links, nodes and logs; `step(count)` is called after each round with how much it did.

    Raises `UsageError` if there is nothing to do.
    """
    if frames < 0 or logs < 0 or frames + logs == 0:
        raise UsageError(f"{frames} frames and {logs} logs are nothing to fuzz with; give one of them, 1 or more.")
    need("Fuzzing", SOCKETS, instead="run `chatsys fuzz` on a computer")
    tally, seconds, memory = Tally(), dict.fromkeys(("links", "nodes", "logs"), 0.0), Memory()
    try:
        for name, part, number in _rounds(frames, logs):
            watch_for_hangs()
            began = time.monotonic()
            part(number, seed * 1_000_003 + tally.frames + tally.logs, tally)
            seconds[name] += time.monotonic() - began
            memory.look()
            if step is not None:
                step(number)
    finally:
        stop_watching()
    if memory.kept > KEPT:
        tally.find(f"memory grew by {memory.kept:.0f} MB after the first round; {KEPT:.0f} MB are allowed")
    return {
        "frames": tally.frames,
        "logs": tally.logs,
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


def _rounds(frames: int, logs: int) -> list[tuple[str, Part, int]]:
    """Return (name, what to call, how much) of each round; the kinds take turns, so that all are warm early."""
    plans: tuple[tuple[str, Part, int], ...] = (
        ("links", fuzz_links, (frames + 1) // 2),
        ("nodes", fuzz_nodes, frames // 2),
        ("logs", fuzz_logs, logs),
    )
    rounds = []
    for name, part, number in plans:
        for place, begin in enumerate(range(0, number, ROUND)):
            rounds.append((place, (name, part, min(ROUND, number - begin))))
    return [one for _, one in sorted(rounds, key=lambda pair: pair[0])]


class Memory:
    """How much memory this process holds now, beyond what it held after the first round of each kind."""

    def __init__(self) -> None:
        self.looks: list[float] = []

    def look(self) -> None:
        """Measure now."""
        import psutil

        gc.collect()
        self.looks.append(psutil.Process().memory_info().rss / 2**20)

    @property
    def kept(self) -> float:
        """The most MB that were kept beyond the first three rounds (links, nodes, logs)."""
        warm = self.looks[:3]
        return max(0.0, max(self.looks) - warm[-1]) if len(self.looks) > len(warm) else 0.0
