"""Host: one address of the imaginary world, over all the lives of its actor.

It begins and ends lives, takes in what the world brings, and opens the actor's doors.  What
outlives a crash is the disk.  One event is one turn: a door, then `settle`.

    frame, link, alarm, command --> Host --door--> actor
                 (a paused host       |  <--effects--
                  only collects)      `--> Hands carry them out

Assumes   events come in order of virtual time.
Promises  a life is durable before anybody hears of it; frames of older lives are dropped.
Read also `hands` (the effects), `world` (time and verbs), `runtime.host`, the counterpart.
"""

import math
from collections import deque
from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Append
from chatsys.actor.events import DiskSpace, LinkDown, LinkUp
from chatsys.actor.logfile import decode
from chatsys.actor.outbox import Outbox
from chatsys.errors import DamagedLog, DiskFailed
from chatsys.protocol.words import columns, log_end
from chatsys.sim.disk import Health
from chatsys.sim.interpreter import Frame, Hands
from chatsys.trace import Record


class Host(Hands):
    """The process behind one address: alive or not, paused or not, and what its peers know of it."""

    # --- lives --------------------------------------------------------------------------

    def start(self) -> None:
        """Begin a life: recover, write what must be durable first; the rest follows the sync."""
        self.lives += 1
        self.world.network.renew(self.me)
        self.born = len(self.world.trace)
        seed = f"{self.world.seed}/actor/{self.me}/{self.lives}"
        kind = self.world.actor
        self.outbox = getattr(kind, "outbox", Outbox)()
        try:
            records, torn = self.disk.recover(kind.records, getattr(kind, "decode", decode))
        except DamagedLog as error:
            self.refuse(error)
            return
        self.base, self.log_end = len(records), log_end(records)
        self.alive, self.links, self.seen, self.due = True, {}, {}, math.inf
        self.incarnation = 0 if isinstance(self.me, str) else self.lives
        self.prefix = f"{self.me}.{self.incarnation}."
        self.frames, self.clock, self.term, self.role = 0, 0, 0, ""
        found = f"{len(records)} records" + (f", {torn} bytes of a torn line dropped" if torn else "")
        effects = self._begin(records, seed)
        if effects is None:
            return
        if self.actor.incarnation is not None:
            self.incarnation = self.actor.incarnation
            self.prefix = f"{self.me}.{self.incarnation}."
        self.note("start", seq=self.log_end, reason=found)
        self.held = [effect for effect in effects if type(effect) is not Append]
        try:
            self._perform([effect for effect in effects if type(effect) is Append])
        except DiskFailed as error:
            self.end("crash", str(error))
            return
        if not self.disk.syncing:
            self._open()

    def _begin(self, records: list[Any], seed: str) -> list[Any] | None:
        try:
            self.actor = self.factory(self.me, self.world.config, Random(seed))
            self.actor.recover(records)
            effects = self.actor.start(self.local())
            self.term, self.role = self.actor.view()
        except Exception as error:
            self.broke(error)
            return None
        return effects

    def refuse(self, error: DamagedLog) -> None:
        """Do not begin this life: the log is damaged, and a node must not guess."""
        self.note("broken", reason=str(error))

    def _open(self) -> None:
        """Open the listener: the life is durable."""
        self.ready = True
        effects, self.held = self.held, []
        self._turn(lambda now: effects)
        self.world.touch(self)
        if self.alive and self.disk.health == "full":
            self.command(DiskSpace(low=True))
        self._drain()

    def end(self, kind: str, reason: str | None = None) -> None:
        """End this life; what was not synced is up to the disk."""
        self.note(kind, reason=reason)
        self.alive = self.ready = self.paused = False
        self.lives_ended()
        self.disk.crash()
        self.world.touch(self)

    def lives_ended(self) -> None:
        """Forget what belongs to the life that ended."""
        self.inbox.clear()
        self.held, self.due = [], math.inf

    def resume(self) -> None:
        """Serve everything that waited, in order of arrival, then late alarms."""
        self.paused = False
        self._drain()
        if self.alive:
            self.due = math.inf
            self._on_time()

    def _drain(self) -> None:
        waiting, self.inbox = self.inbox, deque()
        while waiting and self.alive:
            handle, one, two = waiting.popleft()
            handle(one, two)

    def stop(self, order: msgspec.Struct) -> None:
        """End this life in good order: the actor may still write, and all of it is kept."""
        if self.ready and not self.paused:
            self._turn(self.actor.on_command, order)
        self.note("stop")
        self.disk.durable = len(self.disk.records)
        self.alive = self.ready = self.paused = False
        self.lives_ended()

    # --- events -------------------------------------------------------------------------

    def arrive(self, sender: Address, frame: Frame) -> None:
        """Take a frame from the network, unless nobody is there or the link is cut by now."""
        cuts = self.world.network.cuts
        if not self.ready:
            self.drop(sender, frame, "nobody there")
        elif cuts and (sender, self.me) in cuts:
            self.drop(sender, frame, "cut")
        elif self.paused:
            self.inbox.append((self.receive, sender, frame))
        else:
            self.receive(sender, frame)

    def receive(self, sender: Address, frame: Frame) -> None:
        """Hand a frame to the actor, unless its sender has begun a newer life."""
        incarnation, name, clock, message = frame
        if incarnation != self.links.get(sender) and not self._admits(sender, incarnation):
            self.drop(sender, frame, "old incarnation")
            return
        if not self.alive:
            return
        self.clock = (clock if clock > self.clock else self.clock) + 1
        kind, term, seq = columns(message)
        self.trace(Record(
            self.world.now, "receive", self.me, self.incarnation, term, self.role, self.clock, sender, kind, name, seq,
        ))  # fmt: skip
        self._turn(self.actor.on_message, sender, message)

    def _admits(self, sender: Address, incarnation: int) -> bool:
        """Tell the actor of a life it has not met; say no to a frame of an old one."""
        seen = self.seen.get(sender, -1)
        if incarnation > seen:
            if sender in self.links:
                self.link(sender, LinkDown())
            self.link(sender, LinkUp(incarnation))
            self.world.look_later(self, self.world.hosts[sender])
        return incarnation >= seen

    def link(self, peer: Address, event: LinkUp | LinkDown) -> None:
        """Tell the actor that the link to `peer` came up or went down."""
        if not self.alive:
            return
        if isinstance(event, LinkUp):
            self.links[peer] = self.seen[peer] = event.incarnation
            self.note("link_up", peer=peer)
        else:
            self.links.pop(peer, None)
            self.note("link_down", peer=peer)
        self._turn(self.actor.on_message, peer, event)

    def learn(self, subject: "Host") -> None:
        """Find out how the link to `subject` is; tell the actor what it does not know yet."""
        told = self.links.get(subject.me)
        if subject.ready:
            if told == subject.incarnation or subject.paused:
                return
            if told is not None:
                self.link(subject.me, LinkDown())
            self.link(subject.me, LinkUp(subject.incarnation))
        elif told is not None:
            self.link(subject.me, LinkDown())

    def own(self, life: int, message: msgspec.Struct) -> None:
        """Hand the actor what it sent to itself; in the same life only."""
        if life != self.lives or not self.alive:
            return
        if self.paused:
            self.inbox.append((self.own, life, message))
            return
        self._turn(self.actor.on_message, self.me, message)

    def command(self, command: msgspec.Struct, _: None = None) -> None:
        """Hand over an order of the people who run this actor."""
        if self.paused or not self.ready:
            self.inbox.append((self.command, command, None))
            return
        self._turn(self.actor.on_command, command)

    def wake(self, life: int, due: float) -> None:
        """Ring the alarm set for `due`, if it still is the earliest one of this life."""
        if life != self.lives or due != self.due or not self.alive:
            return
        self.due = math.inf
        if not self.paused:
            self.last = max(self.last, due)
            self._on_time()

    def synced(self, life: int, upto: tuple[int, int | None]) -> None:
        """Finish a sync; frames that waited for it leave."""
        if life != self.lives or not self.alive:
            return
        try:
            self.disk.end_sync(upto[0])
        except DiskFailed as error:
            self.end("crash", str(error))
            return
        self.note("durable", seq=upto[1])
        self._release(life, upto[0] - self.base)

    def _release(self, life: int, upto: int) -> None:
        if self.paused:
            self.inbox.append((self._release, life, upto))
            return
        for to, message in self.outbox.synced(upto):
            self._emit(to, message)
        if not self.ready:
            self._open()
        self._sync()

    # --- faults -------------------------------------------------------------------------

    def set_disk(self, health: Health) -> None:
        """Change the state of the disk; a node hears when space runs low, and when it no longer does."""
        was = self.disk.health
        self.disk.become(health)
        if self.alive and "full" in (was, health) and was != health:
            self.command(DiskSpace(low=health == "full"))

    def set_clock(self, rate: float) -> None:
        """Let the clock run at another rate from now on, without a jump."""
        now = self.local()
        self.rate, self.offset = rate, now - rate * self.world.now
        self.due = math.inf
        if self.ready and not self.paused:
            self._arm(self.actor.deadline)

    def status(self, idle: dict[str, Any]) -> dict[str, Any]:
        """Return what people see of this node."""
        state = {"alive": self.alive, "paused": self.paused} | idle
        return state | {"outbox": len(self.outbox)} | self.actor.status() if self.alive else state
