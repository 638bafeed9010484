"""Lanes: who has a line of their own in the timeline, and in which order.

    node 1, node 2, node 3       members, ascending
    node 9                       learners, ascending
    ann, bob                     clients, in order of appearance

The world itself, which cuts links and fills disks, has no lane: its number is -1.

Promises  every address that a record of the trace tells of as acting, sending or receiving has one lane.
Read also `packing`, which gives the lanes to the browser.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chatsys.actor.actor import Address
from chatsys.teach.figures.theme import plain
from chatsys.trace import Record, Trace

WORLD = -1
"""The lane of what nobody in the cluster did."""
FRAMES = frozenset({"send", "receive", "drop"})
"""Kinds of records that are about a frame."""


@dataclass
class Lanes:
    """The lanes of one trace."""

    ids: list[Address] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    """`node`, `learner` or `client`, for each lane."""
    of: dict[Address | None, int] = field(default_factory=lambda: {None: WORLD})
    """The lane of an address."""

    def add(self, address: Address, kind: str) -> None:
        """Give an address a lane below those that are there."""
        self.of[address] = len(self.ids)
        self.ids.append(address)
        self.kinds.append(kind)

    def name(self, lane: int) -> str:
        """Return what a lane is called in a sentence: `node 3`, `learner 9`, `ann`; nobody's is `the world`."""
        if lane < 0:
            return "the world"
        kind, who = self.kinds[lane], self.ids[lane]
        return plain(who, 24) if kind == "client" else f"{kind} {who}"

    def facts(self) -> list[dict[str, Any]]:
        """Return the lanes as JSON values."""
        return [
            {"id": plain(who, 24) if isinstance(who, str) else who, "name": self.name(lane), "kind": self.kinds[lane]}
            for lane, who in enumerate(self.ids)
        ]


def find_lanes(trace: Trace, records: Sequence[Record]) -> Lanes:
    """Return the lanes of a trace whose records are these."""
    seen = dict.fromkeys(record.node for record in records)
    seen |= dict.fromkeys(record.peer for record in records if record.kind in FRAMES)
    members = trace.meta.get("members")
    learners = {*trace.meta.get("learners", ())} | {one.node for one in records if one.role == "learner"}
    numbers = {one for one in seen if isinstance(one, int)}
    nodes = {*members} if members else numbers - learners
    lanes = Lanes()
    for node in sorted(nodes):
        lanes.add(node, "node")
    for node in sorted(numbers | {one for one in learners if isinstance(one, int)} - nodes):
        if node not in nodes:
            lanes.add(node, "learner")
    for name in seen:
        if isinstance(name, str):
            lanes.add(name, "client")
    return lanes
