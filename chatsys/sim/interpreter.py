"""Hands: they carry out, in order, what an actor decided in one turn.

    effects --Append--> disk ..sync..> outbox.synced --.
            --Send----> outbox (waits for the disk) ---+--> network
            --Deliver, Note--> trace

Assumes   the host opens one door at a time.
Promises  frames leave after the records written before them are durable; a door that raises stops
          this node, with a sentence, and never the world.
Read also `host`, whose lower half this is; `outbox.Outbox`, `words` (what the trace says).
"""

import math
from collections import deque
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append, Deliver, Note, Send
from chatsys.actor.outbox import Outbox
from chatsys.errors import BrokenInvariant, DiskFailed, told
from chatsys.protocol.words import columns, log_end, of_delivery, of_record
from chatsys.sim.disk import Disk
from chatsys.trace import Record

if TYPE_CHECKING:
    from chatsys.sim.world import World

Factory = Callable[[Any, Any, Random], Actor]
Frame = tuple[int, str, int, msgspec.Struct]
"""What travels: the sender's incarnation, the stable id, the sender's Lamport clock, the message."""


class Hands:
    """One process: its actor, disk, outbox and clocks, and how effects leave it."""

    def __init__(self, world: "World", me: Address, factory: Factory, disk: Disk) -> None:
        self.world, self.me, self.factory, self.disk = world, me, factory, disk
        self.trace = world.trace.append
        self.alive = self.ready = self.paused = False
        """`ready`: this life is durable and can be spoken to."""
        self.lives = self.incarnation = self.frames = self.clock = 0
        self.offset, self.rate, self.last = 0.0, 1.0, -math.inf
        self.due = math.inf
        """The own time of the earliest pending wake-up."""
        self.links: dict[Address, int] = {}
        """Peers whose link is up, and the incarnation that the actor was told."""
        self.seen: dict[Address, int] = {}
        self.inbox: deque[tuple[Callable[[Any, Any], None], Any, Any]] = deque()
        self.held: list[Any] = []
        self.born = 0
        """Where in the trace this life begins."""
        self.term, self.role = 0, ""
        self.actor: Actor
        self.outbox = Outbox()
        self.base = 0
        """How many records the log held when this life began."""
        self.log_end: int | None = None
        self.prefix = ""

    def own(self, life: int, message: msgspec.Struct) -> None:
        """Hand the actor what it sent to itself."""
        raise NotImplementedError

    def wake(self, life: int, due: float) -> None:
        """Ring the alarm set for `due`."""
        raise NotImplementedError

    def synced(self, life: int, upto: tuple[int, int | None]) -> None:
        """Finish a sync."""
        raise NotImplementedError

    def arrive(self, sender: Address, frame: Frame) -> None:
        """Take a frame from the network."""
        raise NotImplementedError

    def end(self, kind: str, reason: str | None = None) -> None:
        """End this life."""
        raise NotImplementedError

    # --- turns --------------------------------------------------------------------------

    def local(self) -> float:
        """Return the node's own time."""
        now = self.offset + self.rate * self.world.now
        if now > self.last:
            self.last = now
        return self.last

    def _on_time(self) -> None:
        if self.actor.deadline <= self.local():
            self._turn(self.actor.on_time)
        else:
            self._arm(self.actor.deadline)

    def _turn(self, door: Callable[..., list[Any]], *facts: Any) -> None:
        """Open one door, settle, and carry out the effects."""
        now = self.local()
        actor = self.actor
        try:
            effects = door(*facts, now)
            owed = actor.settle(now)
            if effects is None or owed is None:
                raise TypeError(f"{door.__name__} or settle returned None; return a list of effects, [] for none")
            if owed:
                effects = effects + owed
            self.term, self.role = actor.view()
            deadline = actor.deadline
            if effects:
                self._perform(effects)
        except DiskFailed as error:
            self.end("crash", str(error))
        except Exception as error:  # a student's class may raise anything; it stops its own node only
            self.broke(error)
        else:
            self._arm(deadline)

    def _arm(self, deadline: float) -> None:
        """See to it that the actor wakes up at its deadline."""
        if deadline < self.due:
            self.due = deadline
            at = (deadline - self.offset) / self.rate
            now = self.world.now
            self.world.push(at if at > now else now, self.wake, self.lives, deadline)

    def _perform(self, effects: list[Any]) -> None:
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
                    self.note("deliver", **of_delivery(one))
            else:
                raise TypeError(f"{effect!r} is no effect; a door returns Append, Send, Deliver and Note")
        if self.disk.owes_sync:
            self._sync()

    def _sync(self) -> None:
        if self.disk.owes_sync:
            upto, seconds = self.disk.begin_sync()
            self.world.push(self.world.now + seconds, self.synced, self.lives, (upto, self.log_end))

    def broke(self, error: Exception) -> None:
        """Stop this node because a door raised `error`; say why in the trace and in `failures`."""
        sentence = str(error) if isinstance(error, BrokenInvariant) else told(error)
        self.world.failures.append((self.me, sentence))
        self.note("broken", reason=sentence)
        self.end("crash", "It stopped itself.")

    # --- effects ------------------------------------------------------------------------

    def _emit(self, to: Address, message: msgspec.Struct) -> None:
        """Put a frame on the wire: from here on it has an id, and can be lost."""
        world = self.world
        if to == self.me:
            world.push(world.now, self.own, self.lives, message)
            return
        self.clock += 1
        self.frames += 1
        name = self.prefix + str(self.frames)
        kind, term, seq = columns(message)
        self.trace(Record(
            world.now, "send", self.me, self.incarnation, term, self.role, self.clock, to, kind, name, seq,
        ))  # fmt: skip
        frame = (self.incarnation, name, self.clock, message)
        if world.gates and any(gate.takes(self, to, frame) for gate in world.gates):
            return
        receiver = world.hosts.get(to)
        arrivals = "no such address" if receiver is None else world.network.arrivals(self.me, to, world.now)
        if type(arrivals) is str:
            self.drop(to, frame, arrivals)
            return
        for at in arrivals:
            world.push(at, receiver.arrive, self.me, frame)  # type: ignore[union-attr, arg-type]

    def drop(self, peer: Address, frame: Frame, reason: str) -> None:
        """Say that a frame vanished, and why."""
        kind, term, seq = columns(frame[3])
        self.trace(Record(
            self.world.now, "drop", self.me, self.incarnation, term, self.role, self.clock, peer, kind, frame[1], seq,
            reason=reason,
        ))  # fmt: skip

    def _append(self, record: msgspec.Struct) -> None:
        self.disk.write(record)
        self.outbox.wrote()
        self.log_end = log_end((record,), self.log_end)
        kind, facts = of_record(record)
        self.note(kind, **facts)

    def _note(self, note: Note) -> None:
        self.trace(Record(
            self.world.now, note.kind, self.me, self.incarnation, self.term if note.term is None else note.term,
            note.role or self.role, self.clock, note.peer, None, None, note.seq, note.msg_no, note.entry_term, None, note.verified, note.room, note.author, note.text, note.client,
            note.client_seq, note.reason,
        ))  # fmt: skip
        if note.kind in self.world.ambushes:
            self.world.spring(note.kind, self.me)

    def note(self, kind: str, **columns: Any) -> None:
        """Write one record of this host into the trace."""
        columns.setdefault("term", self.term)
        self.trace(Record(
            self.world.now, kind, self.me, self.incarnation, role=self.role, clock=self.clock, **columns
        ))  # fmt: skip
        if kind in self.world.ambushes:
            self.world.spring(kind, self.me)
