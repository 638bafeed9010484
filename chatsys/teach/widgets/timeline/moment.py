"""The moment: what every node was, held and had delivered at one event of a run.

    columns of `states`, up to an event --fold--> for each node: role, term, boxes of its log, its queue, its last delivery

The browser does the same fold, with a checkpoint now and then; whatever needs a rule was decided in `states`.

Promises  the log of a node is told as far as the trace knows it: places up to `unknown` it does not.
Read also `states` (what the columns mean), `still` (who draws the boxes).
"""

from typing import Any

import msgspec

from chatsys.teach.widgets.timeline.states import BOXES, LOG, NOW

ALIVE = ("down", "up", "paused")
"""What a value of `now_alive` means."""


class Box(msgspec.Struct, frozen=True):
    """One place of a node's log."""

    position: int
    event: int
    """The event that put it there."""
    entry_term: int | None
    kind: str
    text: str
    client: str
    durable: bool
    committed: bool


class NodeMoment(msgspec.Struct, frozen=True):
    """What a node is at an event; `unknown` is the position up to which nobody can tell what its log holds."""

    role: str
    term: int
    alive: str
    delivered: int
    log: tuple[Box, ...]
    unknown: int
    held: tuple[int, ...]


class _Lane:
    """One lane, folded from the columns, as the browser does it."""

    def __init__(self, kind: str) -> None:
        self.learns = kind == "learner"
        self.boxes: dict[int, int] = {}
        self.end = self.base = self.durable = self.commit = 0
        self.held: set[int] = set()
        self.role = self.term = self.alive = self.delivered = 0


def moment(packed: Any, event: int) -> dict[int, NodeMoment]:
    """Return what each node is right after an event of a `Packed`; before all events for -1."""
    columns = {name: packed.columns[name][: event + 1].tolist() for name in ("lane", "kind", "seq", "held", *LOG, *NOW)}
    held_by = packed.columns[packed.about["held_by"]]
    kinds = packed.about["kinds"]
    lanes = [_Lane(facts["kind"]) for facts in packed.about["lanes"]]
    for at, number in enumerate(columns["lane"]):
        if number < 0 or columns["now_alive"][at] < 0:
            continue
        lane, kind, seq = lanes[number], kinds[columns["kind"][at]], columns["seq"][at]
        lane.role, lane.term, lane.alive, lane.delivered = (columns[name][at] for name in NOW)
        if columns["log_end"][at] >= 0:
            lane.end, lane.base, lane.durable, lane.commit = (columns[name][at] for name in LOG)
            for place in [place for place in lane.boxes if not lane.base < place <= lane.end]:
                del lane.boxes[place]
            if seq == lane.end and (kind in BOXES or (kind == "deliver" and lane.learns)):
                lane.boxes[seq] = at
        if kind in packed.about["empties"]:
            lane.held.clear()
        elif kind == "append":
            lane.held = {place for place in lane.held if place > seq + 1}
        elif kind == "deliver":
            lane.held.discard(int(held_by[at]))
        if columns["held"][at] >= 0:
            lane.held.add(columns["held"][at])
    return {
        facts["id"]: _tell(packed, lane)
        for facts, lane in zip(packed.about["lanes"], lanes, strict=True)
        if facts["kind"] != "client"
    }


def _tell(packed: Any, lane: _Lane) -> NodeMoment:
    boxes = []
    for position, event in sorted(lane.boxes.items()):
        record = packed.records[event]
        boxes.append(
            Box(
                position, event, record.entry_term, record.entry or "chat", record.text or "", record.client or "",
                position <= lane.durable, position <= lane.commit,
            )
        )  # fmt: skip
    return NodeMoment(
        packed.about["roles"][lane.role], lane.term, ALIVE[lane.alive], lane.delivered, tuple(boxes), lane.base,
        tuple(sorted(lane.held)),
    )  # fmt: skip
