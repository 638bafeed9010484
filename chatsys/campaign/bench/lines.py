"""Lines: what a measurement is told in, and what all of them need.

    {"bench": "throughput", "where": "processes", ..., "rate_per_second": 8123.4, "load": 1.2}

Read also `chatsys.campaign.bench` (the measurements).
"""

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from chatsys.errors import ChatsysError

Line = dict[str, Any]
LIMIT = 60.0
"""Seconds after which a measurement that does not come to its end is an error."""


def line(bench: str, where: str, **facts: Any) -> Line:
    """Return one measurement."""
    rounded = {name: round(fact, 4) if isinstance(fact, float) else fact for name, fact in facts.items()}
    return {"bench": bench, "where": where, **rounded}


def load() -> float | None:
    """Return how many processes wanted a core in the last minute, where the system tells it."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def quantile(ascending: Sequence[float], fraction: float) -> float:
    """Return the value below which this fraction of them lies."""
    return ascending[min(len(ascending) - 1, int(fraction * len(ascending)))]


def until(holds: Callable[[], Any], what: str, limit: float = LIMIT) -> None:
    """Wait in short steps, so that waiting itself adds little."""
    end = time.perf_counter() + limit
    while not holds():
        if time.perf_counter() > end:
            raise ChatsysError(f"The cluster did not {what} within {limit:g} s; nothing was measured.")
        time.sleep(0.002)
