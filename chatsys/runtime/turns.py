"""Turns: how a host serves its actor: everything at hand goes in together, then it settles once.

    frames, links, commands, syncs --> inbox --one turn--> doors ... settle --> effects
                                                                                  |
        trace of the turn, then one write per link, then the disk  <--------------'

A turn is one callback of the event loop, after all sockets that were ready have been read.  It takes
everything of this end and of members, then the clients that say little, then a bounded share of those that
flood, round robin (see `actor.inbox`).

    a client floods alone           256 frames a turn, which go in together, turn after turn
    ... beside somebody else        1 ms a turn; then all who flood wait three times as long as the turn took
    ... faster than it is answered  a quantum in 5 ms (see `passed_on`, and `Actor.pressed`); alone it goes on
                                    as soon as enough is answered

Why they wait though the loop has nothing else to do: three nodes may share two processors, and what an
honest client waits for next happens in another process.

Promises  frames leave after the records written before them are durable, and after the trace of
          their turn; what a node sends to itself comes back through its own disk.
Read also `host` (the life around the turns), `actor.inbox`, `passed_on`, `actor.outbox.Outbox`, `recorder`.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append, Deliver, Note, Send
from chatsys.actor.events import LinkDown, LinkUp
from chatsys.actor.inbox import FairInbox
from chatsys.actor.outbox import Outbox
from chatsys.actor.trace_columns import columns, log_end, note_of
from chatsys.config import ClusterConfig
from chatsys.runtime.disk import Disk
from chatsys.runtime.net.transport import Transport
from chatsys.runtime.net.wire import Frame
from chatsys.runtime.passed_on import PassedOn
from chatsys.runtime.recorder import Recorder

CLIENT_FRAMES = 256
"""So many frames of clients in one turn."""
PASSED_ON, PASSED_ON_BY_SEVERAL = 256, 4
"""So many requests that were passed on may be unanswered before further ones wait, of one client or of several."""
PRESSED_PAUSE = 0.005
"""Seconds between two quanta of clients while the actor is pressed: the next node on the way has a queue, too."""
CLIENT_TIME = 0.001
"""Seconds: beside other clients, a turn begins with no further one that floods after so long."""
REST = 3.0
"""And then those who flood wait for so many times as long as they were served: all nodes may share one processor."""
LIGHT_TIME = 1.0
"""Seconds for which somebody who says little counts as here."""


class Came(NamedTuple):
    """A frame that came, on a link of `sender` in this life of it."""

    source: tuple[Address, int]
    frame: Frame


Thing = tuple[Callable[..., None], tuple[Any, ...]] | Came
"""A door to open, and what to tell there; or a frame."""


class Life(Protocol):
    """What turns need of the life that they serve."""

    config: ClusterConfig
    transport: Transport

    def broke(self, error: Exception) -> None:
        """End the life, because something raised `error`."""


class Turns:
    """The inbox of one actor, and the turns that empty it."""

    def __init__(self, actor: Actor, recorder: Recorder, disk: Disk | None, origin: float, life: Life) -> None:
        self.actor, self.recorder, self.disk, self.life = actor, recorder, disk, life
        self.origin = origin
        """The `time.monotonic()` at which the world began; records count from there."""
        self.loop = asyncio.get_running_loop()
        self.outbox = Outbox()
        self.inbox: FairInbox[Thing] = FairInbox(life.config.members)
        self.alive = self.paused = False
        self.durable = asyncio.Event()
        """Set when nothing waits for the disk."""
        self.now = 0.0
        self.count = 0
        """Turns so far."""
        self.log_end: int | None = None
        self._sync_ends: deque[tuple[int, int | None]] = deque()
        self._turn_is_due = False
        self.passed_on = PassedOn(self.actor, life.config.members)
        self._patience: asyncio.TimerHandle | None = None
        """Before this rings, no client is served that floods."""
        self._until_relieved = False
        """Whether it rings at once when the actor is pressed no more: one client floods, and nobody else is here."""
        self._flooded_since = 0.0
        """When this turn began to serve clients that flood beside others, and they are to wait now; else 0."""
        self._light: dict[Address, float] = {}
        """Until when each client counts as here that says little."""
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self.tick()

    def _clock(self) -> float:
        return time.monotonic() - self.origin

    def tick(self) -> None:
        """Let it be now."""
        self.now = self.recorder.now = max(self.now, self._clock())

    def later(self, take: Callable[..., None], *facts: Any) -> None:
        """Put something into the inbox of the coming turn."""
        self.inbox.put_own((take, facts))
        self.wake()

    def later_from(self, sender: Address, take: Callable[..., None], *facts: Any) -> None:
        """Put something that came from `sender` into the inbox, behind what came from there before."""
        self.inbox.put(sender, [(take, facts)])
        self.wake()

    def wake(self) -> None:
        """Let a turn come soon."""
        if not self._turn_is_due and self.alive and not self.paused:
            self._turn_is_due = True
            self.loop.call_soon(self.turn)

    def turn(self) -> None:
        """Take in all that is at hand, settle once, then let the results out."""
        self._turn_is_due = False
        if not self.alive or self.paused:
            return
        self.tick()
        self.count += 1
        try:
            self._serve(self.inbox.at_hand())
            self._serve_clients()
            if self.actor.deadline <= self.now:
                self.perform(self.actor.on_time(self.now))
            self.perform(self.actor.settle(self.now))
        except Exception as error:
            self.life.broke(error)
            return
        self.close()
        if self._flooded_since:
            self._let_clients_wait(REST * (time.monotonic() - self._flooded_since))
            self._flooded_since = 0.0
        for sender in self.inbox.relieved():
            self.life.transport.read_on(sender)
        self._arm()

    def _serve(self, things: Iterable[Thing]) -> None:
        """Open the doors for these things, in their order; frames of one link that follow on each other go in together."""
        frames: list[Frame] = []
        source: tuple[Address, int] = (0, 0)
        for thing in things:
            if isinstance(thing, Came):
                if thing.source != source and frames:
                    self._take_frames(*source, frames)
                    frames = []
                source = thing.source
                frames.append(thing.frame)
                continue
            if frames:
                self._take_frames(*source, frames)
                frames = []
            take, facts = thing
            take(*facts)
        if frames:
            self._take_frames(*source, frames)

    def _serve_clients(self) -> None:
        """Serve those who say little; then give each other client a quantum in turn, until their share is used up."""
        if not self.inbox.clients:
            return
        began = time.monotonic()
        if self.inbox.light_ones:
            self._light.update(dict.fromkeys(self.inbox.light_ones, began + LIGHT_TIME))
            self._serve(self.inbox.light())
        if self._patience is not None and self._until_relieved and not self.is_pressed:
            self._patience.cancel()
            self._patience = None
        if self._patience is not None or not self.inbox.clients:
            return
        beside_others = self._are_beside_others(began)
        served = 0
        while self.alive and self.inbox.clients:
            some = self._share(beside_others)
            self._serve(some)
            served += len(some)
            if self.is_pressed:
                return self._let_clients_wait(PRESSED_PAUSE, until_relieved=not beside_others)
            if served >= CLIENT_FRAMES or (beside_others and time.monotonic() > began + CLIENT_TIME):
                break
        if beside_others and self.inbox.clients:
            self._flooded_since = began

    def _share(self, beside_others: bool) -> list[Thing]:
        """Take out what goes in together: a quantum, or of a client that is alone all that a turn takes of it."""
        share = self.inbox.quantum()
        if not (beside_others or self.is_pressed):
            while self.inbox.clients and len(share) < CLIENT_FRAMES:
                share += self.inbox.quantum()
        return share

    def _are_beside_others(self, now: float) -> bool:
        """Tell whether those who flood are several, or somebody else has said a little just now."""
        if len(self.inbox.clients) > 1:
            return True
        self._light = {client: until for client, until in self._light.items() if until > now}
        return not self._light.keys() <= self.inbox.clients

    def _let_clients_wait(self, seconds: float, until_relieved: bool = False) -> None:
        """Serve nobody who floods for so long, or until the actor is pressed no more; a turn comes when it is over."""
        self._until_relieved = until_relieved
        self._patience = self.loop.call_later(seconds, self._patience_ends)

    def close(self) -> None:
        """Trace first, then the frames that need not wait, then the disk. SPECIFICATION R13.2.

        What leaves here rests on nothing that is not on the disk (see `outbox`), and the thread of the disk would
        take the interpreter from the frames.
        """
        self.recorder.flush()
        self.life.transport.flush()
        if self.disk is not None and self.outbox.written > self.outbox.durable:
            if not self._sync_ends or self._sync_ends[-1][0] < self.outbox.written:
                self._sync_ends.append((self.outbox.written, self.log_end))
            self.disk.flush()
        if self.inbox.is_urgent or (self.inbox.clients and self._patience is None and not self._flooded_since):
            self.wake()

    def end(self) -> None:
        """Serve nothing any more."""
        self.alive = False
        self.recorder.flush()
        self.inbox.clear()
        if self._timer is not None:
            self._timer.cancel()

    @property
    def is_pressed(self) -> bool:
        """Whether much that clients asked for is under way: in the actor's own eyes, or passed on to another member."""
        return self.actor.pressed or self.passed_on.is_much(
            self.now, PASSED_ON if len(self.inbox.clients) < 2 else PASSED_ON_BY_SEVERAL
        )

    def _patience_ends(self) -> None:
        self._patience = None
        self.wake()

    def take_in(self, sender: Address, incarnation: int, frames: Sequence[Frame], sizes: Sequence[int]) -> None:
        """Take frames that came together, each in so many bytes."""
        source = sender, incarnation
        self.inbox.put(sender, [Came(source, frame) for frame in frames], sizes)
        self.wake()

    def forget(self, client: Address) -> None:
        """Drop what waits of a client whose link is gone: there is nobody to answer."""
        if frames := self.inbox.forget(client):
            self.tick()
            told = f"the link is gone; {frames} frames of it that waited were not served"
            self.recorder.write("drop", peer=client, reason=told)

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
            self.turn()

    def _take_frames(self, sender: Address, incarnation: int, frames: list[Frame]) -> None:
        transport = self.life.transport
        if sender in transport.peers and incarnation != transport.seen.get(sender):  # SPECIFICATION R2.3
            for n, _, message in frames:
                name = f"{sender}.{incarnation}.{n}"
                self.recorder.write("drop", peer=sender, message=columns(message)[0], id=name, reason="old incarnation")
            return
        self.recorder.received(sender, incarnation, frames)
        messages = [message for _, _, message in frames]
        if self.passed_on.count:
            for message in messages:
                self.passed_on.came(sender, message, self.now)
        self.perform(self.actor.on_messages(sender, messages, self.now))

    def _take_own(self, message: msgspec.Struct) -> None:
        self.perform(self.actor.on_message(self.actor.me, message, self.now))

    def take_link(self, peer: Address, event: LinkUp | LinkDown) -> None:
        """Tell the actor that a link came up or went down."""
        self.recorder.write("link_up" if isinstance(event, LinkUp) else "link_down", peer=peer)
        self.perform(self.actor.on_message(peer, event, self.now))

    def take_command(self, command: msgspec.Struct) -> None:
        """Give the actor an order."""
        self.perform(self.actor.on_command(command, self.now))

    def take_sync(self, count: int) -> None:
        """Let the frames leave that waited for the first `count` records."""
        end = None
        while self._sync_ends and self._sync_ends[0][0] <= count:
            end = self._sync_ends.popleft()[1]
        self.recorder.write("durable", seq=end)
        for to, message in self.outbox.synced(count):
            if to == self.actor.me:
                self._take_own(message)
            else:
                self._emit(to, message)
        if self.outbox.durable == self.outbox.written:
            self.durable.set()

    # --- effects ----------------------------------------------------------------------------

    def perform(self, effects: Iterable[Any]) -> None:
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
                self._append(effect.items)
            elif kind is Note:
                self.recorder.note(effect)
            elif kind is Deliver:
                self.recorder.delivered(effect.items)
            else:
                raise TypeError(f"{effect!r} is no effect; a door returns Append, Send, Deliver and Note")

    def _append(self, run: tuple[msgspec.Struct, ...]) -> None:
        if self.disk is not None:
            self.disk.write(run)
            self.outbox.wrote(len(run))
            self.log_end = log_end(run, self.log_end)
        if self.recorder.reads_log:
            for record in run:
                self.recorder.note(note_of(record))

    def _emit(self, to: Address, message: msgspec.Struct) -> None:
        """Put a frame on the wire: from here on it has an id, and can be lost."""
        if to == self.actor.me:
            self.inbox.put_own((self._take_own, (message,)))
        else:
            self.passed_on.goes(to, message)
            n, clock = self.recorder.sent(to, message)
            self.life.transport.send(to, n, clock, message)
