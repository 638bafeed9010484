"""Reigns: from when to when a node was a ready leader, as far as a trace can tell.

    ready ----------------------- role follower      a reign
    ready ---- pause ... resume ---- crash           two, if the leader still reaches a quorum after it woke
    ready --(faults end)--                           counts once a quorum has spoken to it afterwards

A leader may be cut off, or may have slept, and not know it yet.  So the word `ready` counts only in a
time without faults; a reign that reaches into that time must prove itself by what it hears.

Assumes   the records are in the order of their times, or nearly so.
Read also `liveness`, which asks for them.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from chatsys.check.violation import Node
from chatsys.trace import Record

ENDS = ("crash", "stop", "refused")
"""What ends a life."""
_time = attrgetter("time")


class Reign(msgspec.Struct, frozen=True):
    """A node led, and was ready and well, in this span of time (seconds)."""

    begin: float
    end: float
    node: Node
    term: int


def find_reigns(
    records: Sequence[Record], events: Sequence[Record], meta: Mapping[str, Any], start: float
) -> list[Reign]:
    """Return the reigns after `start`, in the order of their beginnings.

    `events` are those of `records` that are of the kinds ready, role, pause, resume, crash and stop.
    """
    members = meta.get("members") or {record.node for record in records if isinstance(record.node, int)}
    needed = int(meta.get("quorum") or len(members) // 2 + 1) - 1
    reigns: list[Reign] = []
    ready: dict[Node, tuple[Record, float]] = {}
    asleep: dict[Node, Record] = {}

    def over(node: Node, time: float) -> None:
        said, since = ready.pop(node, (None, 0.0))
        if said is None or time <= start:
            return
        trusted = said.time == since > start
        begin = since if trusted else _heard(records, node, max(since, start), time, needed)
        if begin < time:
            reigns.append(Reign(begin, time, node, said.term))

    for event in events:
        node = event.node
        if event.kind == "ready":
            ready[node] = (event, event.time)
        elif event.kind == "resume":
            if node in asleep:
                ready[node] = (asleep.pop(node), event.time)
        elif event.kind != "role" or event.role != "leader":
            if event.kind == "pause" and node in ready:
                asleep[node] = ready[node][0]
            elif event.kind != "pause":
                asleep.pop(node, None)
            over(node, event.time)
    for node in list(ready):
        over(node, float("inf"))
    return sorted(reigns, key=attrgetter("begin"))


def _heard(records: Sequence[Record], node: Node, since: float, until: float, needed: int) -> float:
    """Return when so many other nodes had spoken to `node` after `since`; `until` if they had not by then."""
    heard: set[Node] = set()
    if needed <= 0:
        return since
    for index in range(bisect_right(records, since, key=_time), len(records)):
        record = records[index]
        if record.time >= until:
            break
        if record.kind == "receive" and record.node == node and isinstance(record.peer, int):
            heard.add(record.peer)
            if len(heard) >= needed:
                return record.time
    return until
