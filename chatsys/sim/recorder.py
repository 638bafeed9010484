"""Recorder: it writes one address's share of the trace, and numbers the frames that leave it.

    effects, frames, links --> Recorder --one record each, at once--> Trace

It keeps what every record needs: who, in which life, term and role, and the Lamport clock, which
moves at every frame that is sent or received.  The time is the simulation's.

Read also `interpreter` and `host` (who write with it), `trace` (the columns), `actor.trace_columns`
(which column tells what); `runtime.recorder` is its counterpart in the real world.
"""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Delivery, Note
from chatsys.actor.trace_columns import columns
from chatsys.trace import Record

Frame = tuple[int, msgspec.Struct, Record]
"""What travels: which life of its sender's address it is from, the message, and how the trace told that it was sent: that
record has its stable id and the sender's Lamport clock, and the other end tells of the frame in the same words."""


class HasTime(Protocol):
    """Something with the present moment in it."""

    now: float


class Recorder:
    """The records of the address `me`, over all its lives."""

    def __init__(self, me: Address, time: HasTime, trace: Callable[[Record], None]) -> None:
        self.me, self.time, self.trace = me, time, trace
        self.incarnation = self.frames = self.clock = self.term = self.life = 0
        self.role = self.prefix = ""

    def begin(self, life: int) -> None:
        """Begin the records of the life `life` of this address (0 for clients)."""
        self.life = life
        self.rename(life)
        self.frames = self.clock = self.term = 0
        self.role = ""

    def rename(self, incarnation: int, frames: int = 0) -> None:
        """Let this life be known by another number, and its frames be counted from `frames` on."""
        self.incarnation, self.prefix, self.frames = incarnation, f"{self.me}.{incarnation}.", frames

    def frame(self, to: Address, message: msgspec.Struct) -> Frame:
        """Write that a frame goes on the wire, and return it."""
        self.clock += 1
        self.frames += 1
        kind, term, seq = columns(message)
        sent = Record(
            self.time.now, "send", self.me, self.incarnation, term, self.role, self.clock,
            peer=to, message=kind, id=self.prefix + str(self.frames), seq=seq,
        )  # fmt: skip
        self.trace(sent)
        return (self.life, message, sent)

    def received(self, sender: Address, sent: Record) -> None:
        """Write that a frame arrived."""
        clock = sent.clock
        self.clock = (clock if clock > self.clock else self.clock) + 1
        self.trace(Record(
            self.time.now, "receive", self.me, self.incarnation, sent.term, self.role, self.clock,
            peer=sender, message=sent.message, id=sent.id, seq=sent.seq,
        ))  # fmt: skip

    def dropped(self, peer: Address, sent: Record, reason: str) -> None:
        """Write that a frame vanished, and why."""
        self.trace(Record(
            self.time.now, "drop", self.me, self.incarnation, sent.term, self.role, self.clock,
            peer=peer, message=sent.message, id=sent.id, seq=sent.seq, reason=reason,
        ))  # fmt: skip

    def delivered(self, one: Delivery) -> None:
        """Write that a message was handed to the user."""
        self.trace(Record(
            self.time.now, "deliver", self.me, self.incarnation, self.term, self.role, self.clock,
            seq=one.seq, msg_no=one.msg_no, entry_term=one.entry_term, room=one.room, author=one.author, text=one.text,
            client=one.client, client_seq=one.client_seq,
        ))  # fmt: skip

    def note(self, note: Note) -> None:
        """Write what the actor noted."""
        filled = msgspec.to_builtins(note)  # what the note leaves out is not in it
        self.trace(Record(
            self.time.now, filled.pop("kind"), self.me, self.incarnation, filled.pop("term", self.term),
            filled.pop("role", self.role), self.clock, **filled,
        ))  # fmt: skip

    def write(self, kind: str, **columns: Any) -> None:
        """Write one record."""
        columns.setdefault("term", self.term)
        self.trace(Record(
            self.time.now, kind, self.me, self.incarnation, role=self.role, clock=self.clock, **columns
        ))  # fmt: skip
