"""Recorder: writes one host's share of the trace, and numbers its frames.

    effects, frames, links --> Recorder --list of records, once per turn--> sink
                                 `- what nobody reads is not even built

It keeps what every record needs: who, in which life, the moment of the turn, term and role, and
the Lamport clock, which moves at every frame sent or received.

A busy leader writes four records for each message, and to build them costs as much as the rest of its rules.
A node that runs in a terminal reads none of these four, so a sink may name the `kinds` that it reads.

Read also `host` (whose recorder this is), `trace` (the columns), `actor.trace_columns` (which column tells what).
"""

from collections.abc import Callable, Iterable, Set
from typing import Any

import msgspec

from chatsys.actor.actor import GREATEST, Address
from chatsys.actor.effects import Delivery, Note
from chatsys.actor.trace_columns import columns
from chatsys.runtime.net.wire import Frame
from chatsys.trace import Record

Sink = Callable[[list[Record]], None]
"""Takes the trace of one turn, before its frames leave.

If it has an attribute `kinds`, a set, it is given records of these kinds only, and of a run of deliveries the first
and the last; without one it is given everything.
"""


class Recorder:
    """The records of one life of `me`; `now` is set by the host at each turn."""

    def __init__(self, me: Address, incarnation: int, sink: Sink) -> None:
        self.me, self.incarnation, self.sink = me, incarnation, sink
        self.now = 0.0
        self.term, self.role = 0, ""
        self.clock = self.frames = 0
        self._records: list[Record] = []
        self.kinds: Set[str] | None = getattr(sink, "kinds", None)
        """The kinds of records that the sink reads; None: all."""
        self.reads_sends, self.reads_receives, self.reads_log, self.reads_deliveries = map(
            self.reads, ("send", "receive", "append", "deliver")
        )

    def reads(self, kind: str) -> bool:
        """Tell whether anybody reads records of this kind; what is written to the log is read, or not, as one."""
        return self.kinds is None or kind in self.kinds

    def flush(self) -> None:
        """Hand over what was written since the last time."""
        if self._records:
            records, self._records = self._records, []
            self.sink(records)

    def write(self, kind: str, *, term: int | None = None, **facts: Any) -> None:
        """Write one record, if anybody reads its kind."""
        if not self.reads(kind):
            return
        term = self.term if term is None else term
        self._records.append(Record(self.now, kind, self.me, self.incarnation, term, self.role, self.clock, **facts))

    def note(self, note: Note) -> None:
        """Write what the actor noted, if anybody reads its kind."""
        if not self.reads(note.kind):
            return
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
        if self.reads_sends:
            kind, term, seq = columns(message)
            name = f"{self.me}.{self.incarnation}.{self.frames}"
            self._records.append(Record(
                self.now, "send", self.me, self.incarnation, term, self.role, self.clock,
                peer=to, message=kind, id=name, seq=seq,
            ))  # fmt: skip
        return self.frames, self.clock

    def received(self, sender: Address, life: int, frames: Iterable[Frame]) -> None:
        """Write that these frames arrived, which `sender` sent in this life."""
        for number, clock, message in frames:
            if clock > self.clock:
                self.clock = clock
            if self.clock < GREATEST:  # whatever a visitor's clock says, ours can be read
                self.clock += 1
            if self.reads_receives:
                kind, term, seq = columns(message)
                self._records.append(Record(
                    self.now, "receive", self.me, self.incarnation, term, self.role, self.clock,
                    peer=sender, message=kind, id=f"{sender}.{life}.{number}", seq=seq,
                ))  # fmt: skip

    def delivered(self, run: tuple[Delivery, ...]) -> None:
        """Write that these messages were handed to the user."""
        if not self.reads_deliveries:
            return
        if self.kinds is not None and len(run) > 2:
            run = run[0], run[-1]
        for one in run:
            self._records.append(Record(
                self.now, "deliver", self.me, self.incarnation, self.term, self.role, self.clock,
                seq=one.seq, msg_no=one.msg_no, entry_term=one.entry_term, room=one.room, author=one.author,
                text=one.text, client=one.client, client_seq=one.client_seq,
            ))  # fmt: skip
