"""Clocks: what nodes with wrong clocks wrote in a trace, at the times at which it truly happened.

    node 1  rate 1.04    said 10.4 s    truly 10.0 s
    node 2  rate 0.97    said 10.2 s    truly 10.5 s       by their own clocks node 2 was first

A cluster puts the records of its processes together by their times.  With clocks of unequal rates an answer would
stand before its question, and a checker would accuse the nodes of what the clocks did.

Assumes   each process wrote its rate down when it began, and its boot record later.
Promises  what a node did keeps its order; only the times, and the order between nodes, are other ones.
Read also `below.c` (drift), `check` (who reads the trace).
"""

import json
import re
from collections.abc import Iterable

import msgspec

from chatsys.campaign.below.events import CLOCK, CUT, OPEN, WRITE, SystemCall
from chatsys.trace import Trace

_BOOT = re.compile(rb'^\{"type":"boot".*\}$', re.MULTILINE)
TOLD_BY_CLUSTER = frozenset(("crash", "restart", "pause", "resume", "wipe", "copy", "restored", "cut", "reconnect"))
"""Kinds of records about a node that the cluster writes, whose clock is right."""


def true_times(trace: Trace, events: Iterable[SystemCall], origin: float) -> Trace:
    """Return the trace with the times of nodes put right; `origin` is the monotonic time of its second 0."""
    clocks: dict[int, tuple[float, float]] = {}
    lives: dict[tuple[object, int], tuple[float, float]] = {}
    begun: dict[int, bytes] = {}
    found: dict[int, int] = {}
    for event in events:
        match event.kind:
            case _ if event.kind == CLOCK:
                clocks[event.pid] = event.began / 1e9, event.offset / 1e9
                begun[event.pid] = b""
            case _ if event.kind == OPEN and event.data:
                found[event.pid] = len(event.data)
            case _ if event.kind == CUT:
                found[event.pid] = event.offset
            case _ if event.kind == WRITE and event.pid in begun and event.offset >= found.get(event.pid, 0):
                begun[event.pid] += event.data  # a write may take a part only
                if boot := _BOOT.search(begun[event.pid]):
                    del begun[event.pid]
                    life = json.loads(boot[0])
                    lives[life["node"], life["incarnation"]] = clocks[event.pid]

    def truly(time: float, life: tuple[object, int]) -> float:
        base, rate = lives.get(life, (0.0, 1.0))
        return base + (origin + time - base) / rate - origin

    records = [
        record
        if record.kind in TOLD_BY_CLUSTER
        else msgspec.structs.replace(record, time=truly(record.time, (record.node, record.incarnation)))
        for record in trace
    ]
    return Trace(sorted(records, key=lambda record: record.time), dict(trace.meta))
