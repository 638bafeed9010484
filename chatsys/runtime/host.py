"""Host: one life of an actor in the real world: frames, deadline and commands in, effects out.

Everything at hand in one turn of the event loop is taken in together; then the actor settles once.

    frames, links, commands, syncs --> inbox --one turn--> doors ... settle --> effects
                                                                                  |
        trace of the turn, then the disk, then one write per link  <--------------'

The host is thin and dull: it knows Append, Send, Deliver and Note, and nothing of the chat.

Assumes   it is used on its event loop only.
Promises  frames leave after the records written before them are durable, and after the trace of
          their turn; an actor that raises stops this host, with a sentence, and nothing else.
Read also `transport`, `disk`, `cluster` (who makes hosts), `sim.host`, its imaginary counterpart.
"""

import asyncio
import math
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import msgspec

from chatsys.config import ClusterConfig
from chatsys.errors import BrokenInvariant, DiskFailed
from chatsys.protocol.actor import Actor, Address
from chatsys.protocol.effects import Append, Deliver, Note, Send
from chatsys.protocol.messages import DiskSpace, LinkDown, LinkUp, Stop
from chatsys.protocol.storage import Boot, Outbox
from chatsys.runtime.disk import Disk
from chatsys.runtime.rules import Rules, RuleSet
from chatsys.runtime.transport import Transport
from chatsys.runtime.wire import Codec
from chatsys.runtime.words import columns, log_end, of_delivery, of_record, told
from chatsys.trace import Record

Factory = Callable[..., Actor]
"""Makes an actor: (me, config, random), and `parts=` where parts are given."""
Sink = Callable[[list[Record]], None]
"""Takes the trace of one turn, before its frames leave."""

FLOOD = 4096
"""With so many frames at hand clients are not read from until the turn is done."""


class Host:
    """One life of the actor `me`; `disk` is None for clients, which store nothing."""

    def __init__(
        self,
        me: Address,
        config: ClusterConfig,
        factory: Factory,
        sink: Sink,
        *,
        disk: Disk | None = None,
        origin: float = 0.0,
        life: int = 1,
        random: Random | None = None,
        rules: RuleSet | None = None,
    ) -> None:
        self.me, self.config, self.sink, self.disk = me, config, sink, disk
        self.origin = origin
        """The `time.monotonic()` at which the world began; records count from there."""
        self.random = random or Random()
        self.incarnation = life if isinstance(me, int) else 0
        self.loop = asyncio.get_running_loop()
        self.actor = factory(me, config, self.random)
        self.outbox = Outbox()
        self.inbox: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self.records: list[Record] = []
        self.alive = self.paused = False
        self.ended: asyncio.Future[str] = self.loop.create_future()
        """Why this life ended by itself (`broken`, a failed disk); pending while it goes on."""
        self.durable = asyncio.Event()
        self.now = time.monotonic() - origin
        self.frames = self.clock = 0
        self.term, self.role = 0, ""
        self.log_end: int | None = None
        self._sync_ends: deque[tuple[int, int | None]] = deque()
        self._turn_is_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        actor_type = type(self.actor)
        rule_book = Rules(Random(self.random.getrandbits(64)))
        rule_book.set(rules or RuleSet())
        self.transport = Transport(
            me, config, Codec(actor_type.messages), self, rule_book,
            from_clients=getattr(actor_type, "from_clients", None),
        )  # fmt: skip

    # --- a life -----------------------------------------------------------------------------

    async def start(self, listener: socket.socket | tuple[str, int] | None = None) -> None:
        """Recover, make durable what `start` wrote, then listen and dial.

        Raises `ChatsysError` if the actor refuses the log, and `OSError` if the address is taken.
        """
        records, torn = ([], 0) if self.disk is None else (self.disk.records, self.disk.torn)
        self.log_end = log_end(records)
        self.alive = True
        self.now = time.monotonic() - self.origin
        self.actor.recover(records)
        effects = self.actor.start(self.now)
        self.term, self.role = self.actor.view()
        for effect in effects:
            if type(effect) is Append and isinstance(effect.record, Boot):
                self.incarnation = effect.record.incarnation
        if self.disk is not None:
            found = f"{len(records)} records" + (f", {torn} bytes of a torn line dropped" if torn else "")
            self.disk.done, self.disk.failed, self.disk.space = self._disk_done, self._disk_failed, self._disk_space
            self.disk.start()
            self._record("start", seq=self.log_end, reason=found)
        else:
            self._record("start")
        self._perform([effect for effect in effects if type(effect) is Append])
        self._close_turn()
        if self.outbox.durable < self.outbox.written:
            await self.durable.wait()
        if self.alive:
            await self.transport.open(self.incarnation, listener)
            self._later(self._perform, [effect for effect in effects if type(effect) is not Append])

    async def stop(self) -> None:
        """End this life in peace: the actor prepares, the disk syncs, what was written leaves."""
        if not self.alive:
            return
        if self.paused:
            self.resume()
        self.command(Stop())
        self._turn()
        if self.disk is not None and self.alive:
            self.durable.clear()
            if self.outbox.durable < self.outbox.written:
                await asyncio.wait_for(self.durable.wait(), 10.0)
        if self.alive:
            self._record("stop")
            self._end(self.transport.close)

    def crash(self) -> None:
        """End this life at once: connections are reset, what was not written yet is lost."""
        if self.alive:
            self._end(self.transport.abort)

    def _end(self, part: Callable[[], None]) -> None:
        self.alive = False
        self._write_trace()
        self.inbox.clear()
        if self._timer is not None:
            self._timer.cancel()
        part()
        if self.disk is not None:
            self.disk.abandon()
        self.durable.set()

    def broke(self, error: BaseException) -> None:
        """Stop because of a bug of the actor, or of ours: say it, then end as in a crash."""
        if not self.alive:
            return
        sentence = str(error) if isinstance(error, BrokenInvariant | DiskFailed) else told(error)  # type: ignore[arg-type]
        self._record("broken", reason=sentence)
        self.crash()
        if not self.ended.done():
            self.ended.set_result(sentence)

    def pause(self) -> None:
        """Handle nothing until `resume`, as a process that is stopped by a signal."""
        self.paused = True
        self.transport.pause()

    def resume(self) -> None:
        """Go on after `pause`, with everything that came meanwhile."""
        self.paused = False
        self.transport.resume()
        self._wake()

    def obey(self, rules: RuleSet) -> None:
        """Apply these link rules from now on."""
        self.transport.obey(rules)

    def status(self) -> dict[str, Any]:
        """What people want to know of this actor."""
        term, role = self.actor.view()
        return {"term": term, "role": role, **self.actor.status()}

    # --- what comes in ----------------------------------------------------------------------

    def _later(self, take: Callable[..., None], *facts: Any) -> None:
        """Put something into the inbox of the coming turn."""
        self.inbox.append((take, facts))
        self._wake()

    def _wake(self) -> None:
        if not self._turn_is_due and self.alive and not self.paused:
            self._turn_is_due = True
            self.loop.call_soon(self._turn)

    def command(self, command: msgspec.Struct) -> None:
        """Give the actor an order."""
        self._later(self._take_command, command)

    def took(self, sender: Address, incarnation: int, n: int, clock: int, message: Any) -> None:
        """A frame arrived (from the transport)."""
        self.inbox.append((self._take_frame, (sender, incarnation, n, clock, message)))
        self._wake()
        if len(self.inbox) == FLOOD:
            self.transport.hold_clients(True)

    def linked(self, peer: Address, event: LinkUp | LinkDown) -> None:
        """A link came up, or its other end is gone (from the transport)."""
        self._later(self._take_link, peer, event)

    def dropped(self, peer: Address | None, reason: str, message: str | None = None, id: str | None = None) -> None:
        """A frame vanished or a link broke a rule (from the transport)."""
        self._record("drop", peer=peer, message=message, id=id, reason=reason)
        self._wake()

    def _disk_done(self, count: int) -> None:
        self._later(self._take_sync, count)

    def _disk_failed(self, error: DiskFailed) -> None:
        self.broke(error)

    def _disk_space(self, low: bool) -> None:
        self.command(DiskSpace(low))

    # --- turns ------------------------------------------------------------------------------

    def _turn(self) -> None:
        """Take in all that is at hand, settle once, then let the results out."""
        self._turn_is_due = False
        if not self.alive or self.paused:
            return
        self.now = max(self.now, time.monotonic() - self.origin)
        flooded = len(self.inbox) >= FLOOD
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
        if flooded:
            self.transport.hold_clients(False)
        self._arm()

    def _close_turn(self) -> None:
        """Trace first, then the disk, then the frames."""
        self._write_trace()
        if self.disk is not None and self.outbox.written > self.outbox.durable:
            if not self._sync_ends or self._sync_ends[-1][0] < self.outbox.written:
                self._sync_ends.append((self.outbox.written, self.log_end))
            self.disk.flush()
        self.transport.flush()
        if self.inbox:
            self._wake()

    def _write_trace(self) -> None:
        if self.records:
            records, self.records = self.records, []
            self.sink(records)

    def _arm(self) -> None:
        """See to it that the actor wakes at its deadline; a timer that is early just looks again."""
        deadline = self.actor.deadline
        if deadline < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = deadline
            late = deadline - (time.monotonic() - self.origin)
            self._timer = self.loop.call_later(max(0.0, late), self._ring)

    def _ring(self) -> None:
        self._timer_at, self._timer = math.inf, None
        if self.alive and not self.paused and not self._turn_is_due:
            self._turn()

    def _take_frame(self, sender: Address, incarnation: int, n: int, clock: int, message: Any) -> None:
        kind, term, seq = columns(message)
        name = f"{sender}.{incarnation}.{n}"
        if isinstance(sender, int) and incarnation < self.transport.seen.get(sender, 0):
            self._record("drop", peer=sender, message=kind, id=name, seq=seq, reason="old incarnation")
            return
        self.clock = max(self.clock, clock) + 1
        self.records.append(Record(
            self.now, "receive", self.me, self.incarnation, term, self.role, self.clock, sender, kind, name, seq,
        ))  # fmt: skip
        self._perform(self.actor.on_message(sender, message, self.now))

    def _take_own(self, message: msgspec.Struct) -> None:
        self._perform(self.actor.on_message(self.me, message, self.now))

    def _take_link(self, peer: Address, event: LinkUp | LinkDown) -> None:
        self._record("link_up" if isinstance(event, LinkUp) else "link_down", peer=peer)
        self._perform(self.actor.on_message(peer, event, self.now))

    def _take_command(self, command: msgspec.Struct) -> None:
        self._perform(self.actor.on_command(command, self.now))

    def _take_sync(self, count: int) -> None:
        end = None
        while self._sync_ends and self._sync_ends[0][0] <= count:
            end = self._sync_ends.popleft()[1]
        self._record("durable", seq=end)
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
        self.term, self.role = self.actor.view()
        for effect in effects:
            kind = type(effect)
            if kind is Send:
                if self.outbox.admit(effect.to, effect.message):
                    self._emit(effect.to, effect.message)
            elif kind is Append:
                self._append(effect.record)
            elif kind is Note:
                self._note(effect)
            elif kind is Deliver:
                self._record("deliver", **of_delivery(effect))
            else:
                raise TypeError(f"{effect!r} is no effect; a door returns Append, Send, Deliver and Note")

    def _append(self, record: msgspec.Struct) -> None:
        if self.disk is not None:
            self.disk.write(record)
            self.outbox.wrote()
            self.log_end = log_end((record,), self.log_end)
        kind, facts = of_record(record)
        self._record(kind, **facts)

    def _emit(self, to: Address, message: msgspec.Struct) -> None:
        """Put a frame on the wire: from here on it has an id, and can be lost."""
        if to == self.me:
            self.inbox.append((self._take_own, (message,)))
            return
        self.clock += 1
        self.frames += 1
        kind, term, seq = columns(message)
        name = f"{self.me}.{self.incarnation}.{self.frames}"
        self.records.append(Record(
            self.now, "send", self.me, self.incarnation, term, self.role, self.clock, to, kind, name, seq,
        ))  # fmt: skip
        self.transport.send(to, self.frames, self.clock, message)

    def _note(self, note: Note) -> None:
        term = self.term if note.term is None else note.term
        facts = {name: value for name in _NOTED if (value := getattr(note, name)) is not None}
        self.records.append(Record(
            self.now, note.kind, self.me, self.incarnation, term, note.role or self.role, self.clock, **facts,
        ))  # fmt: skip

    def _record(self, kind: str, *, term: int | None = None, **facts: Any) -> None:
        term = self.term if term is None else term
        self.records.append(Record(
            self.now, kind, self.me, self.incarnation, term, self.role, self.clock, **facts,
        ))  # fmt: skip


_NOTED = tuple(name for name in Note.__struct_fields__ if name not in ("kind", "role", "term"))
