"""Interpreter: it carries out, in order, what an actor decided in one turn.

    effects --Append--> disk ..sync..> outbox.synced --.
            --Send----> outbox (waits for the disk) ---+--> medium
            --Deliver, Note--> recorder --> trace

Assumes   its host opens one door at a time; a turn of several it ends with `turn`, which settles.
Promises  frames leave after the records written before them are durable.
Read also `host`, which has one for each life; `outbox.Outbox`, `actor.trace_columns` (what the trace says).
"""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append, Deliver, Note, Send
from chatsys.actor.outbox import Outbox
from chatsys.actor.trace_columns import log_end, note_of
from chatsys.sim.disk import Disk
from chatsys.sim.recorder import Frame, Recorder


class Medium(Protocol):
    """What an interpreter needs of the simulation around it."""

    ambushes: dict[str, list[tuple[float, float]]]
    """What is waited for, to crash whoever does it."""

    def send(self, sender: Address, to: Address, frame: Frame) -> str:
        """Put a frame on the wire; return why it vanished, "" if it is under way."""

    def hand_back(self, me: Address, message: msgspec.Struct) -> None:
        """Let `me` have, as an event of its own, what it sent to itself."""

    def finish_sync(self, me: Address, seconds: float, upto: tuple[int, int | None]) -> None:
        """Let `me` hear after `seconds` that its sync is done: of how many records, and the last position in them."""

    def spring(self, moment: str, me: Address) -> None:
        """Spring one ambush on `me`, which just did what it waits for."""


class Interpreter:
    """One life of an actor: its disk, its outbox, and how effects leave it."""

    def __init__(self, actor: Actor, disk: Disk, outbox: Outbox, medium: Medium, recorder: Recorder) -> None:
        self.actor, self.disk, self.outbox, self.medium, self.recorder = actor, disk, outbox, medium, recorder
        self.me = recorder.me
        self.base = len(disk.records)
        """How many records the log held when this life began."""
        self.log_end = log_end(disk.records)

    def turn(self, door: Callable[..., list[Any]], facts: tuple[Any, ...], now: float) -> float:
        """Open one door, settle, carry out the effects; return the actor's deadline."""
        actor = self.actor
        effects = door(*facts, now)
        owed = actor.settle(now)
        if effects is None or owed is None:
            raise TypeError(f"{door.__name__} or settle returned None; return a list of effects, [] for none")
        if owed:
            effects = effects + owed
        recorder = self.recorder
        recorder.term, recorder.role = actor.view()
        deadline = actor.deadline
        if effects:
            self.perform(effects)
        return deadline

    def open(self, door: Callable[..., list[Any]], facts: tuple[Any, ...], now: float) -> None:
        """Open one door of a turn that goes on, and carry out the effects; the disk waits for the turn's end."""
        effects = door(*facts, now)
        if effects is None:
            raise TypeError(f"{door.__name__} returned None; return a list of effects, [] for none")
        self.recorder.term, self.recorder.role = self.actor.view()
        self._carry_out(effects)

    def perform(self, effects: list[Any]) -> None:
        """Carry out effects, then begin a sync if they owe one."""
        self._carry_out(effects)
        if self.disk.owes_sync:
            self.sync()

    def _carry_out(self, effects: list[Any]) -> None:
        """Carry out effects in their order. SPECIFICATION R13.2."""
        for effect in effects:
            kind = type(effect)
            if kind is Send:
                if self.outbox.admit(effect.to, effect.message):
                    self._emit(effect.to, effect.message)
            elif kind is Append:
                for record in effect.items:
                    self._append(record)
            elif kind is Note:
                self._note(effect)
            elif kind is Deliver:
                for one in effect.items:
                    self.recorder.delivered(one)
            else:
                raise TypeError(f"{effect!r} is no effect; a door returns Append, Send, Deliver and Note")

    def sync(self) -> None:
        """Begin a sync, if records wait for one and none is under way."""
        if self.disk.owes_sync:
            upto, seconds = self.disk.begin_sync(self.recorder.time.now)
            self.medium.finish_sync(self.me, seconds, (upto, self.log_end))

    def release(self, upto: int) -> None:
        """Let the frames leave that waited for the first `upto` records of this disk."""
        for to, message in self.outbox.synced(upto - self.base):
            self._emit(to, message)

    # --- effects ------------------------------------------------------------------------

    def _emit(self, to: Address, message: msgspec.Struct) -> None:
        """Put a frame on the wire: from here on it has an id, and can be lost."""
        if to == self.me:
            self.medium.hand_back(to, message)
            return
        frame = self.recorder.frame(to, message)
        if vanished := self.medium.send(self.me, to, frame):
            self.recorder.dropped(to, frame[2], vanished)

    def _append(self, record: msgspec.Struct) -> None:
        self.disk.write(record)
        self.outbox.wrote()
        self.log_end = log_end((record,), self.log_end)
        self._note(note_of(record))

    def _note(self, note: Note) -> None:
        self.recorder.note(note)
        if note.kind in self.medium.ambushes:
            self.medium.spring(note.kind, self.me)
