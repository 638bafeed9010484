"""Turns: how a host serves its actor: everything at hand goes in together, then it settles once.

    frames, links, commands, syncs --> inbox --one turn--> doors ... settle --> effects
                                                                                  |
        trace of the turn, then the disk, then one write per link  <--------------'

A turn is one callback of the event loop, after all sockets that were ready have been read.

Promises  frames leave after the records written before them are durable, and after the trace of
          their turn; what a node sends to itself comes back through its own disk, in a later turn.
Read also `host` (the life around the turns), `actor.outbox.Outbox`, `recorder`.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append, Deliver, Note, Send
from chatsys.actor.events import LinkDown, LinkUp
from chatsys.actor.outbox import Outbox
from chatsys.protocol.words import columns, log_end, of_delivery, of_record
from chatsys.runtime.disk import Disk
from chatsys.runtime.net.transport import Transport
from chatsys.runtime.recorder import Recorder

FLOOD = 4096
"""With so many frames at hand clients are not read from until the turn is done."""


class Turns:
    """The inbox of one actor, and the turns that empty it."""

    transport: Transport

    def __init__(self, actor: Actor, recorder: Recorder, disk: Disk | None, origin: float) -> None:
        self.actor, self.recorder, self.disk = actor, recorder, disk
        self.origin = origin
        """The `time.monotonic()` at which the world began; records count from there."""
        self.loop = asyncio.get_running_loop()
        self.outbox = Outbox()
        self.inbox: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self.alive = self.paused = False
        self.durable = asyncio.Event()
        """Set when nothing waits for the disk."""
        self.now = 0.0
        self.log_end: int | None = None
        self._sync_ends: deque[tuple[int, int | None]] = deque()
        self._turn_is_due = self._flooded = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._tick()

    def broke(self, error: Exception) -> None:
        """Stop because of a bug."""
        raise NotImplementedError

    def _clock(self) -> float:
        return time.monotonic() - self.origin

    def _tick(self) -> None:
        self.now = self.recorder.now = max(self.now, self._clock())

    def _later(self, take: Callable[..., None], *facts: Any) -> None:
        """Put something into the inbox of the coming turn."""
        self.inbox.append((take, facts))
        self._wake()

    def _wake(self) -> None:
        if not self._turn_is_due and self.alive and not self.paused:
            self._turn_is_due = True
            self.loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Take in all that is at hand, settle once, then let the results out."""
        self._turn_is_due = False
        if not self.alive or self.paused:
            return
        self._tick()
        try:
            for _ in range(len(self.inbox)):
                take, facts = self.inbox.popleft()
                take(*facts)
            if self.actor.deadline <= self.now:
                self._perform(self.actor.on_time(self.now))
            self._perform(self.actor.settle(self.now))
        except Exception as error:
            self.broke(error)
            return
        self._close_turn()
        if self._flooded:
            self._flooded = False
            self.transport.hold_clients(False)
        self._arm()

    def _close_turn(self) -> None:
        """Trace first, then the disk, then the frames. SPECIFICATION R13.2."""
        self.recorder.flush()
        if self.disk is not None and self.outbox.written > self.outbox.durable:
            if not self._sync_ends or self._sync_ends[-1][0] < self.outbox.written:
                self._sync_ends.append((self.outbox.written, self.log_end))
            self.disk.flush()
        self.transport.flush()
        if self.inbox:
            self._wake()

    def _arm(self) -> None:
        """See to it that the actor wakes at its deadline; a timer that is early just looks again."""
        deadline = self.actor.deadline
        if deadline < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = deadline
            self._timer = self.loop.call_later(max(0.0, deadline - self._clock()), self._ring)

    def _ring(self) -> None:
        self._timer_at, self._timer = math.inf, None
        if self.alive and not self.paused and not self._turn_is_due:
            self._turn()

    def _take_frame(self, sender: Address, incarnation: int, n: int, clock: int, message: Any) -> None:
        name = f"{sender}.{incarnation}.{n}"
        if isinstance(sender, int) and incarnation < self.transport.seen.get(sender, 0):
            self.recorder.write("drop", peer=sender, message=columns(message)[0], id=name, reason="old incarnation")
            return
        self.recorder.received(sender, name, clock, message)
        self._perform(self.actor.on_message(sender, message, self.now))

    def _take_own(self, message: msgspec.Struct) -> None:
        self._perform(self.actor.on_message(self.actor.me, message, self.now))

    def _take_link(self, peer: Address, event: LinkUp | LinkDown) -> None:
        self.recorder.write("link_up" if isinstance(event, LinkUp) else "link_down", peer=peer)
        self._perform(self.actor.on_message(peer, event, self.now))

    def _take_command(self, command: msgspec.Struct) -> None:
        self._perform(self.actor.on_command(command, self.now))

    def _take_sync(self, count: int) -> None:
        end = None
        while self._sync_ends and self._sync_ends[0][0] <= count:
            end = self._sync_ends.popleft()[1]
        self.recorder.write("durable", seq=end)
        for to, message in self.outbox.synced(count):
            self._emit(to, message)
        if self.outbox.durable == self.outbox.written:
            self.durable.set()

    # --- effects ----------------------------------------------------------------------------

    def _perform(self, effects: Iterable[Any]) -> None:
        """Carry out effects in their order."""
        if not effects:
            if effects is None:
                raise TypeError("a door returned None; return a list of effects, [] for none")
            return
        self.recorder.term, self.recorder.role = self.actor.view()
        for effect in effects:
            kind = type(effect)
            if kind is Send:
                if self.outbox.admit(effect.to, effect.message):
                    self._emit(effect.to, effect.message)
            elif kind is Append:
                for record in effect.items:
                    self._append(record)
            elif kind is Note:
                self.recorder.note(effect)
            elif kind is Deliver:
                for one in effect.items:
                    self.recorder.write("deliver", **of_delivery(one))
            else:
                raise TypeError(f"{effect!r} is no effect; a door returns Append, Send, Deliver and Note")

    def _append(self, record: msgspec.Struct) -> None:
        if self.disk is not None:
            self.disk.write(record)
            self.outbox.wrote()
            self.log_end = log_end((record,), self.log_end)
        kind, facts = of_record(record)
        self.recorder.write(kind, **facts)

    def _emit(self, to: Address, message: msgspec.Struct) -> None:
        """Put a frame on the wire: from here on it has an id, and can be lost."""
        if to == self.actor.me:
            self.inbox.append((self._take_own, (message,)))
        else:
            n, clock = self.recorder.sent(to, message)
            self.transport.send(to, n, clock, message)
