"""Host: one life of an actor in the real world, with its links and its disk.

    start    recover, write the boot record, sync, then listen and dial
    turns    everything at hand goes in, the actor settles once, effects come out      (turns)
    end      stop: synced and told to everybody; crash: nothing; broke: with a sentence

The host is thin and dull: it knows Append, Send, Deliver and Note, and nothing of the chat.

Assumes   it is used on its event loop only.
Promises  nothing is heard of this life before its first records are durable; an actor that raises
          stops this host, with a sentence, and nothing else.
Read also `turns`, `transport`, `disk`; `cluster` (who makes hosts); `sim.host`, its counterpart.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append
from chatsys.actor.events import DiskSpace, LinkDown, LinkUp, StandDown, Stop
from chatsys.actor.logfile import line_of
from chatsys.config import ClusterConfig
from chatsys.errors import BrokenInvariant, DamagedLog, Departed, DiskFailed, RefusedIdentity, RefusedJoin, told
from chatsys.runtime.disk import Disk
from chatsys.runtime.loop import bug_in, sentence
from chatsys.runtime.net.rules import RuleBook, RuleSet
from chatsys.runtime.net.transport import Transport
from chatsys.runtime.net.wire import Codec, Frame
from chatsys.runtime.orders import Orders
from chatsys.runtime.recorder import Recorder, Sink
from chatsys.runtime.turns import Turns
from chatsys.runtime.unguessable import Unguessable

STAND_DOWN = 3.0
"""Seconds that an actor which stands down may take at most; a node takes 2 s at most by itself."""
LARGE = 256 << 20
"""Bytes: people are told of a log that is larger, and again whenever it has doubled since."""
LOOK = 0.005
"""Seconds between two looks whether it is done."""

Factory = Callable[..., Actor]
"""Makes an actor: (me, config, random), and `parts=` where parts are given."""


class Host:
    """One life of the actor `me`; `disk` is None for clients, which store nothing.

    `address` is where a learner listens; a member's is in the configuration.
    """

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
        address: str = "",
    ) -> None:
        self.config = config
        random = random or Unguessable()  # a client draws from it what nobody may guess
        recorder = Recorder(me, life if isinstance(me, int) else 0, sink)
        self.actor, self.recorder, self.disk = factory(me, config, random), recorder, disk
        self.turns = Turns(self.actor, recorder, disk, origin, self)
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Why this life ended by itself (`broken`, a failed disk, a refusal, a learner that left); pending while it goes on."""
        self.error: Exception | None = None
        """What ended it."""
        self.is_refused = False
        """Whether it ended because another member knows this node by another disk."""
        self.orders: Orders | None = None
        self._large = LARGE
        """The size of the log at which people are told of it next."""
        actor_type = type(self.actor)
        rule_book = RuleBook(Random(random.getrandbits(64)))
        rule_book.set(rules or RuleSet())
        self.transport = Transport(
            me, config, Codec(actor_type.messages, config.limits), self, rule_book,
            from_clients=getattr(actor_type, "from_clients", None), address=address,
        )  # fmt: skip

    @property
    def alive(self) -> bool:
        """Whether this life goes on."""
        return self.turns.alive

    @property
    def idle(self) -> bool:
        """Whether nothing is at hand that the actor has not seen."""
        return not self.turns.inbox

    # --- a life -----------------------------------------------------------------------------

    async def start(self, listener: socket.socket | tuple[str, int] | None = None) -> None:
        """Recover, make durable what `start` wrote, then listen and dial.

        Raises `ChatsysError` if the actor refuses the log, and `OSError` if the address is taken.
        """
        turns = self.turns
        turns.alive = True
        turns.tick()
        self.actor.christen(Random())  # not from a seed: the same names in two clusters would hide a lost disk
        self._recover()
        effects = self.actor.start(turns.now)
        self.recorder.term, self.recorder.role = self.actor.view()
        if self.actor.incarnation is not None:
            self.recorder.incarnation = self.actor.incarnation
        if self.disk is not None:
            self.disk.done, self.disk.failed, self.disk.space = self._disk_done, self._disk_failed, self._disk_space
            self.disk.start()
            self.recorder.write("start", seq=turns.log_end, reason=self.disk.told())
        else:
            self.recorder.write("start")
        turns.perform([effect for effect in effects if type(effect) is Append])
        turns.close()
        if turns.outbox.durable < turns.outbox.written:
            await turns.durable.wait()  # SPECIFICATION R12.3
        if self.alive:
            if self.disk is not None:
                self.orders = Orders(self.disk.folder, self.command, self._is_durable, self._anomaly)
                self.orders.watch()
            self.transport.identity = self.actor.identity
            await self.transport.open(self.recorder.incarnation, listener)
            turns.later(turns.perform, [effect for effect in effects if type(effect) is not Append])

    def _recover(self) -> None:
        """Let the actor take back what its log says; a record that cannot be there is named by its line."""
        if self.disk is None:
            return self.actor.recover([])
        try:
            self.actor.recover(self.disk.records)
        except DamagedLog as error:
            if error.path == str(self.disk.path):  # what stands there is no record, and the line is known
                raise
            raise DamagedLog(str(self.disk.path), line_of(self.disk.path.read_bytes(), error.line), error.why) from None
        self.turns.log_end = self.disk.records.log_end

    async def stand_down(self) -> None:
        """Let the actor hand over what others would miss, before `stop`.  SPECIFICATION R13.5."""
        if not self.alive:
            return
        if self.turns.paused:
            self.resume()
        self.command(StandDown())
        self.turns.turn()
        end = asyncio.get_running_loop().time() + STAND_DOWN
        while self.alive and not self.actor.may_end and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(LOOK)

    async def stop(self) -> None:
        """End this life in peace: the actor prepares, the disk syncs, what was written leaves."""
        if not self.alive:
            return
        if self.turns.paused:
            self.resume()
        self.command(Stop())
        self.turns.turn()
        if self.disk is not None and self.alive:
            self.turns.durable.clear()
            if self.turns.outbox.durable < self.turns.outbox.written:
                await asyncio.wait_for(self.turns.durable.wait(), 10.0)
            self.disk.rest()
        if self.alive:
            self.recorder.write("stop")
            self._end(self.transport.close)
            await self.transport.parted()

    def crash(self) -> None:
        """End this life at once: connections are reset, what was not written yet is lost."""
        if self.alive:
            self._end(self.transport.abort)

    def _end(self, leave: Callable[[], None]) -> None:
        self.turns.end()
        if self.orders is not None:
            self.orders.stop()
        leave()
        if self.disk is not None:
            self.disk.abandon()
        self.turns.durable.set()

    def broke(self, error: Exception) -> None:
        """Stop because of a bug of the actor, or of ours: say it, then end as in a crash."""
        if not self.alive:
            return
        self.error, self.is_refused = error, isinstance(error, RefusedIdentity)
        refused = isinstance(error, RefusedIdentity | RefusedJoin)
        sentence = str(error) if refused or isinstance(error, BrokenInvariant | DiskFailed | Departed) else told(error)
        kind = "stop" if isinstance(error, Departed) else "refused" if refused else "broken"
        self.recorder.write(kind, reason=sentence)
        self.crash()
        if not self.ended.done():
            self.ended.set_result(sentence)

    def pause(self) -> None:
        """Handle nothing until `resume`, as a process that is stopped by a signal."""
        self.turns.paused = True
        self.transport.pause()

    def resume(self) -> None:
        """Go on after `pause`, with everything that came meanwhile."""
        self.turns.paused = False
        self.transport.resume()
        self.turns.wake()

    def apply_rules(self, rules: RuleSet) -> None:
        """Apply these link rules from now on."""
        self.transport.apply_rules(rules)

    def status(self) -> dict[str, Any]:
        """What people want to know of this actor."""
        term, role = self.actor.view()
        size = {} if self.disk is None else {"log_bytes": self.disk.size}
        return {"term": term, "role": role, "outbox": len(self.turns.outbox), **size, **self.actor.status()}

    # --- what comes in ----------------------------------------------------------------------

    def command(self, command: msgspec.Struct) -> None:
        """Give the actor an order."""
        self.turns.later(self.turns.take_command, command)

    def took(self, sender: Address, incarnation: int, frames: Sequence[Frame], sizes: Sequence[int]) -> None:
        """Frames arrived (from the transport)."""
        self.turns.take_in(sender, incarnation, frames, sizes)

    def room(self, sender: Address) -> tuple[int, int]:
        """Return how many frames, and how many bytes, may still wait of this sender (from the transport)."""
        return self.turns.inbox.room(sender)

    def linked(self, peer: Address, event: LinkUp | LinkDown) -> None:
        """A link came up, or its other end is gone (from the transport)."""
        if peer in self.transport.peers:  # before the frames of this life, and behind those of the one before
            self.turns.later_from(peer, self.turns.take_link, peer, event)
            return
        if isinstance(event, LinkDown):
            self.turns.forget(peer)
        self.turns.later(self.turns.take_link, peer, event)

    def refused(self, peer: int, code: str, reason: str) -> None:
        """A member's address refused our link (from the transport, which has told it already)."""
        if code == "identity":  # SPECIFICATION R4.8
            self.broke(RefusedIdentity(f"Node {peer} refuses this node: {reason}"))

    def dropped(self, peer: Address | None, reason: str, message: str | None = None, id: str | None = None) -> None:
        """A frame vanished or a link broke a rule (from the transport)."""
        self.turns.tick()
        self.recorder.write("drop", peer=peer, message=message, id=id, reason=reason)
        self.turns.wake()

    def link_failed(self, label: str, error: Exception) -> None:
        """A bug of ours closed a link (from the transport): it is told, and the node lives on."""
        self._anomaly(f"{label}: the link was closed by a bug: {told(error)}")

    def _anomaly(self, reason: str) -> None:
        self.turns.tick()
        self.recorder.write("anomaly", reason=reason)
        self.turns.wake()

    def escaped(self, context: dict[str, Any]) -> None:
        """An exception left a callback of the event loop (from its exception handler)."""
        error = bug_in(context)
        if error is not None:
            self.broke(error)
        else:
            self.transport.short.note(sentence(context))

    def _is_durable(self) -> bool:
        return self.turns.outbox.durable == self.turns.outbox.written and not self.turns.inbox

    def _disk_done(self, count: int) -> None:
        self.turns.later(self.turns.take_sync, count)
        if self.disk is not None and self.disk.size >= self._large:
            self._tell_of_size(self.disk.size)

    def _tell_of_size(self, size: int) -> None:
        """Tell people, once for each doubling, that the log grows, and what to do: nothing makes it smaller yet."""
        while self._large <= size:
            self._large *= 2
        reason = (
            f"its log has {size / 1e6:.0f} MB, and grows with each message: nothing compacts it yet. A node reads all of "
            "it when it starts, and keeps it in memory. See to room on the disk and in memory; for a small log begin a "
            "new cluster with empty folders, and keep the old ones as its archive."
        )
        self.recorder.write("large", reason=reason)

    def _disk_failed(self, error: DiskFailed) -> None:
        self.broke(error)

    def _disk_space(self, low: bool) -> None:
        self.command(DiskSpace(low))
