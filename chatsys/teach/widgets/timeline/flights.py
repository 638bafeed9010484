"""Flights: what became of each frame, read from its records `send`, `receive` and `drop`.

    send 3.1.7 ............ receive 3.1.7            received
    send 3.1.8 ...x drop 3.1.8                       dropped, at its sender or at its receiver
    send 3.1.9 ............ receive .. receive       received more than once
    send 3.1.10 ........... crash of the receiver    nothing tells of it any more: it ended with who should have had it
               (no send)... receive 9.1.4            a stub: the trace begins later, or nobody told of the sending

A frame is known by its stable id, `sender.life.n`.  Where a disk was lost an id may come again in another life: then
an arrival belongs to the latest frame of that id that was sent.

Promises  every `send` is one flight; every `receive` and every `drop` with an id belongs to one.
Read also `sim.recorder` and `runtime.recorder` (who write the ids), `packing`.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from chatsys.actor.actor import Address
from chatsys.trace import Record

UNDER_WAY, RECEIVED, DROPPED, REPEATED, ENDED = range(5)
"""What can become of a frame.  `ENDED`: its receiver's life ended, and no record tells of the frame since."""

ENDS = frozenset({"crash", "stop", "broken", "refused"})
"""Kinds of records with which a life ends."""


@dataclass
class Flights:
    """One line for each frame, and for each event the frame that it is about (-1: none)."""

    frame: list[int] = field(default_factory=list)
    send: list[int] = field(default_factory=list)
    sender: list[int] = field(default_factory=list)
    receiver: list[int] = field(default_factory=list)
    message: list[str | None] = field(default_factory=list)
    fate: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    causes: list[int] = field(default_factory=list)
    """For each event at the other end of a frame the event that sent it; else -1."""

    def _begin(self, event: int, sender: int, receiver: int, message: str | None) -> int:
        self.send.append(event)
        self.sender.append(sender)
        self.receiver.append(receiver)
        self.message.append(message)
        self.fate.append(UNDER_WAY)
        self.end.append(-1)
        return len(self.send) - 1

    def _arrive(self, frame: int, event: int, kind: str) -> None:
        fate = self.fate[frame]
        if kind == "drop":
            if fate != UNDER_WAY:
                return
            self.fate[frame], self.end[frame] = DROPPED, event
        elif fate in (RECEIVED, REPEATED):
            self.fate[frame] = REPEATED
        else:
            self.fate[frame], self.end[frame] = RECEIVED, event

    def _end_with_their_receivers(self, ends: dict[int, list[int]]) -> None:
        for frame, fate in enumerate(self.fate):
            if fate == UNDER_WAY:
                those = ends.get(self.receiver[frame], [])
                at = bisect_right(those, self.send[frame])
                if at < len(those):
                    self.fate[frame], self.end[frame] = ENDED, those[at]


def follow(records: Sequence[Record], lane: Callable[[Address | None], int]) -> Flights:
    """Return the flights of records in their order; `lane` tells where an address is drawn."""
    flights = Flights()
    known: dict[str, int] = {}
    ends: dict[int, list[int]] = {}
    for event, record in enumerate(records):
        kind, frame, cause = record.kind, -1, -1
        if kind == "send":
            frame = flights._begin(event, lane(record.node), lane(record.peer), record.message)
            if record.id is not None:
                known[record.id] = frame
        elif kind in ("receive", "drop") and record.id is not None:
            frame = known.get(record.id, -1)
            if frame < 0:
                sender, receiver = _ends_of(record)
                frame = known[record.id] = flights._begin(-1, lane(sender), lane(receiver), record.message)
            flights._arrive(frame, event, kind)
            cause = flights.send[frame]
        elif kind in ENDS:
            ends.setdefault(lane(record.node), []).append(event)
        flights.frame.append(frame)
        flights.causes.append(cause)
    flights._end_with_their_receivers(ends)
    return flights


def _ends_of(record: Record) -> tuple[Address | None, Address | None]:
    """Return from whom to whom a frame went of which only its end is told."""
    mine = record.kind == "drop" and (record.id or "").startswith(f"{record.node}.")
    return (record.node, record.peer) if mine else (record.peer, record.node)
