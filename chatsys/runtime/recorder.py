"""Recorder: writes one host's share of the trace, and numbers its frames.

    effects, frames, links --> Recorder --list of records, once per turn--> sink

It keeps what every record needs: who, in which life, the moment of the turn, term and role, and
the Lamport clock, which moves at every frame sent or received.

Read also `host` (whose recorder this is), `trace` (the columns), `actor.trace_columns` (which column tells what).
"""

from collections.abc import Callable
from typing import Any

import msgspec

from chatsys.actor.actor import GREATEST, Address
from chatsys.actor.effects import Note
from chatsys.actor.trace_columns import columns
from chatsys.trace import Record

Sink = Callable[[list[Record]], None]
"""Takes the trace of one turn, before its frames leave."""


class Recorder:
    """The records of one life of `me`; `now` is set by the host at each turn."""

    def __init__(self, me: Address, incarnation: int, sink: Sink) -> None:
        self.me, self.incarnation, self.sink = me, incarnation, sink
        self.now = 0.0
        self.term, self.role = 0, ""
        self.clock = self.frames = 0
        self._records: list[Record] = []

    def flush(self) -> None:
        """Hand over what was written since the last time."""
        if self._records:
            records, self._records = self._records, []
            self.sink(records)

    def write(self, kind: str, *, term: int | None = None, **facts: Any) -> None:
        """Write one record."""
        term = self.term if term is None else term
        self._records.append(Record(self.now, kind, self.me, self.incarnation, term, self.role, self.clock, **facts))

    def note(self, note: Note) -> None:
        """Write what the actor noted."""
        filled = msgspec.to_builtins(note)  # what the note leaves out is not in it
        self._records.append(Record(
            self.now, filled.pop("kind"), self.me, self.incarnation, filled.pop("term", self.term),
            filled.pop("role", self.role), self.clock, **filled,
        ))  # fmt: skip

    def sent(self, to: Address, message: msgspec.Struct) -> tuple[int, int]:
        """Write that a frame goes on the wire; return its number and clock."""
        if self.clock < GREATEST:
            self.clock += 1
        self.frames += 1
        kind, term, seq = columns(message)
        name = f"{self.me}.{self.incarnation}.{self.frames}"
        self._records.append(Record(
            self.now, "send", self.me, self.incarnation, term, self.role, self.clock,
            peer=to, message=kind, id=name, seq=seq,
        ))  # fmt: skip
        return self.frames, self.clock

    def received(self, sender: Address, name: str, clock: int, message: msgspec.Struct) -> None:
        """Write that a frame arrived."""
        if clock > self.clock:
            self.clock = clock
        if self.clock < GREATEST:  # whatever a visitor's clock says, ours can be read
            self.clock += 1
        kind, term, seq = columns(message)
        self._records.append(Record(
            self.now, "receive", self.me, self.incarnation, term, self.role, self.clock,
            peer=sender, message=kind, id=name, seq=seq,
        ))  # fmt: skip
