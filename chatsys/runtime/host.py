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
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append
from chatsys.actor.events import DiskSpace, LinkDown, LinkUp, Stop
from chatsys.config import ClusterConfig
from chatsys.errors import BrokenInvariant, DiskFailed, told
from chatsys.protocol.words import log_end
from chatsys.runtime.disk import Disk
from chatsys.runtime.loop import bug_in, sentence
from chatsys.runtime.net.rules import Rules, RuleSet
from chatsys.runtime.net.transport import Transport
from chatsys.runtime.net.wire import Codec
from chatsys.runtime.recorder import Recorder, Sink
from chatsys.runtime.turns import FLOOD, Turns

Factory = Callable[..., Actor]
"""Makes an actor: (me, config, random), and `parts=` where parts are given."""


class Host(Turns):
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
        random = random or Random()
        recorder = Recorder(me, life if isinstance(me, int) else 0, sink)
        super().__init__(factory(me, config, random), recorder, disk, origin)
        self.config = config
        self.ended: asyncio.Future[str] = self.loop.create_future()
        """Why this life ended by itself (`broken`, a failed disk); pending while it goes on."""
        self.durable = asyncio.Event()
        actor_type = type(self.actor)
        rule_book = Rules(Random(random.getrandbits(64)))
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
        self._tick()
        self.actor.recover(records)
        effects = self.actor.start(self.now)
        self.recorder.term, self.recorder.role = self.actor.view()
        if self.actor.incarnation is not None:
            self.recorder.incarnation = self.actor.incarnation
        if self.disk is not None:
            found = f"{len(records)} records" + (f", {torn} bytes of a torn line dropped" if torn else "")
            self.disk.done, self.disk.failed, self.disk.space = self._disk_done, self._disk_failed, self._disk_space
            self.disk.start()
            self.recorder.write("start", seq=self.log_end, reason=found)
        else:
            self.recorder.write("start")
        self._perform([effect for effect in effects if type(effect) is Append])
        self._close_turn()
        if self.outbox.durable < self.outbox.written:
            await self.durable.wait()  # SPECIFICATION R12.3
        if self.alive:
            await self.transport.open(self.recorder.incarnation, listener)
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
            self.recorder.write("stop")
            self._end(self.transport.close)
            await self.transport.parted()

    def crash(self) -> None:
        """End this life at once: connections are reset, what was not written yet is lost."""
        if self.alive:
            self._end(self.transport.abort)

    def _end(self, part: Callable[[], None]) -> None:
        self.alive = False
        self.recorder.flush()
        self.inbox.clear()
        if self._timer is not None:
            self._timer.cancel()
        part()
        if self.disk is not None:
            self.disk.abandon()
        self.durable.set()

    def broke(self, error: Exception) -> None:
        """Stop because of a bug of the actor, or of ours: say it, then end as in a crash."""
        if not self.alive:
            return
        sentence = str(error) if isinstance(error, BrokenInvariant | DiskFailed) else told(error)
        self.recorder.write("broken", reason=sentence)
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
        return {"term": term, "role": role, "outbox": len(self.outbox), **self.actor.status()}

    # --- what comes in ----------------------------------------------------------------------

    def command(self, command: msgspec.Struct) -> None:
        """Give the actor an order."""
        self._later(self._take_command, command)

    def took(self, sender: Address, incarnation: int, n: int, clock: int, message: Any) -> None:
        """A frame arrived (from the transport)."""
        self.inbox.append((self._take_frame, (sender, incarnation, n, clock, message)))
        self._wake()
        if len(self.inbox) >= FLOOD and not self._flooded:
            self._flooded = True
            self.transport.hold_clients(True)

    def linked(self, peer: Address, event: LinkUp | LinkDown) -> None:
        """A link came up, or its other end is gone (from the transport)."""
        self._later(self._take_link, peer, event)

    def dropped(self, peer: Address | None, reason: str, message: str | None = None, id: str | None = None) -> None:
        """A frame vanished or a link broke a rule (from the transport)."""
        self._tick()
        self.recorder.write("drop", peer=peer, message=message, id=id, reason=reason)
        self._wake()

    def link_failed(self, label: str, error: Exception) -> None:
        """A bug of ours closed a link (from the transport): it is told, and the node lives on."""
        self._tick()
        self.recorder.write("anomaly", reason=f"{label}: the link was closed by a bug: {told(error)}")
        self._wake()

    def escaped(self, context: dict[str, Any]) -> None:
        """An exception left a callback of the event loop (from its exception handler)."""
        error = bug_in(context)
        if error is not None:
            self.broke(error)
        else:
            self.transport.short.note(sentence(context))

    def _disk_done(self, count: int) -> None:
        self._later(self._take_sync, count)

    def _disk_failed(self, error: DiskFailed) -> None:
        self.broke(error)

    def _disk_space(self, low: bool) -> None:
        self.command(DiskSpace(low))
