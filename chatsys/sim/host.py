"""Host: one address of the imaginary world, over all the lives of its actor.

It begins and ends lives, takes in what the world brings, and opens the actor's doors.  What
outlives a crash is the disk.  One event is one turn, a door and then `settle`, unless the world was
made with turns that last: then its Turns gather what comes, and a turn is many doors and one `settle`.

    frame, link, alarm, command --> Host --door--> actor
                 (a paused host       |  <--effects--
                  only collects)      `--> its Interpreter carries them out

Assumes   events come in order of virtual time.
Promises  a life is durable before anybody hears of it; frames of older lives are dropped; a door that
          raises stops this host, with a sentence, and never the world.
Read also `interpreter` (the effects), `turns` (what waits), `simulation` (time and network), `runtime.host`, the counterpart.
"""

import math
from collections.abc import Callable
from random import Random
from typing import Any, Protocol

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append
from chatsys.actor.events import (
    NO_IDENTITY,
    Accept,
    DiskSpace,
    Identity,
    LinkDown,
    LinkUp,
    RemoveLearner,
    StandDown,
    Stop,
)
from chatsys.actor.logfile import decode
from chatsys.actor.outbox import Outbox
from chatsys.config import ClusterConfig
from chatsys.errors import (
    BrokenInvariant,
    DamagedLog,
    Departed,
    DiskFailed,
    ForeignLog,
    RefusedIdentity,
    RefusedJoin,
    told,
)
from chatsys.sim.disk import Disk, Folder, Health
from chatsys.sim.interpreter import Interpreter, Medium
from chatsys.sim.network import Network
from chatsys.sim.recorder import Frame, Recorder
from chatsys.sim.turns import Turns
from chatsys.trace import Trace

FRAMES_A_LIFE = 1_000_000
"""Where a disk begins to count its lives anew, ids of frames go on from here, so that none comes twice."""

Factory = Callable[[Any, Any, Random], Actor]
"""Makes an actor: (me, config, random)."""


class Environment(Medium, Protocol):
    """What a host needs of the simulation that it lives in."""

    now: float
    seed: int
    config: ClusterConfig
    actor: type[Actor]
    turn: float
    trace: Trace
    network: Network
    failures: list[tuple[Address, str]]
    hosts: dict[Address, "Host"]

    def push(self, time: float, action: Callable[[Any, Any], None], one: Any, two: Any) -> None:
        """Let `action(one, two)` happen at `time`."""

    def touch(self, me: Address) -> None:
        """Let `me` and its peers look at their links soon."""

    def look_later(self, observer: Address, subject: Address) -> None:
        """Let `observer` find out soon how its link to `subject` is."""


class Host:
    """The process behind one address: alive or not, paused or not, and what its peers know of it."""

    actor: Actor
    interpreter: Interpreter

    def __init__(
        self, simulation: Environment, me: Address, factory: Factory, disk: Disk, kind: type[Actor] | None = None
    ) -> None:
        self.simulation, self.me, self.factory, self.disk = simulation, me, factory, disk
        self.kind = kind or simulation.actor
        """Whose records lie on the disk."""
        self.recorder = Recorder(me, simulation, simulation.trace.append)
        self.alive = self.ready = self.paused = False
        """`ready`: this life is durable and can be spoken to."""
        self.lives = 0
        self.offset, self.rate, self.last = 0.0, 1.0, -math.inf
        self.due = math.inf
        """The own time of the earliest pending wake-up."""
        self.links: dict[Address, int] = {}
        """Peers whose link is up, and the life of theirs that the actor was told of."""
        self.seen: dict[Address, int] = {}
        self.shown: dict[int, tuple[int, Identity]] = {}
        """What each life of this host shows of itself: its incarnation, and whose disk it runs on."""
        self.newest = -1
        """The highest incarnation that ever was."""
        self.leaving = False
        """Whether this life was told to stand down; it ends when its actor says that it may."""
        self.failure: str | None = None
        """Why the last life ended by itself, if it did."""
        self.has_left = False
        """Whether it ended because it left the cluster for ever."""
        self.orders: list[Accept | RemoveLearner] = []
        """What people told this node while it was down."""
        self.turns = Turns(self, simulation, simulation.turn, simulation.config.ids)
        self.gathers = simulation.turn > 0
        """Whether turns last here."""
        self.held: list[Any] = []
        self.born = 0
        """Where in the trace this life begins."""

    @property
    def role(self) -> str:
        """The role of the actor after its last turn."""
        return self.recorder.role

    @property
    def term(self) -> int:
        """The term of the actor after its last turn."""
        return self.recorder.term

    @property
    def incarnation(self) -> int:
        """The number of this life, as the actor gives it."""
        return self.recorder.incarnation

    @property
    def waits(self) -> bool:
        """Whether what comes now waits: for the end of a pause, or of a turn."""
        return self.paused or (self.gathers and self.ready and not self.turns.serving)

    # --- lives --------------------------------------------------------------------------

    def start(self) -> None:
        """Begin a life: recover, write what must be durable first; the rest follows the sync."""
        self.lives += 1
        self.failure = None
        self.simulation.network.renew(self.me)
        self.born = len(self.simulation.trace)
        kind = self.kind
        try:
            log = self.disk.recover(kind.records, getattr(kind, "decode", decode))
        except DamagedLog as error:
            self.recorder.write("broken", reason=str(error))  # a node must not guess: this life does not begin
            self.failure = str(error)
            return
        self.alive, self.links, self.seen, self.due = True, {}, {}, math.inf
        self.recorder.begin(0 if isinstance(self.me, str) else self.lives)
        effects = self._begin(log.records, getattr(kind, "outbox", Outbox)())
        if effects is None:
            return
        self._be_known()
        self.recorder.write("start", seq=self.interpreter.log_end, reason=log.told())
        self.held = [effect for effect in effects if type(effect) is not Append]
        try:
            self.interpreter.perform([effect for effect in effects if type(effect) is Append])
        except DiskFailed as error:
            self._lost_disk(error)
            return
        if not self.disk.syncing:
            self._open()

    def _be_known(self) -> None:
        """Be known by the number that the actor gives this life; frames of two lives of one number have other ids."""
        number = self.recorder.incarnation if self.actor.incarnation is None else self.actor.incarnation
        self.recorder.rename(number, FRAMES_A_LIFE * self.lives if number <= self.newest else 0)
        self.shown[self.recorder.life] = number, self.actor.identity

    def _begin(self, records: list[Any], outbox: Outbox) -> list[Any] | None:
        recorder = self.recorder
        try:
            random = Random(f"{self.simulation.seed}/actor/{self.me}/{self.lives}")
            self.actor = actor = self.factory(self.me, self.simulation.config, random)
            self.interpreter = Interpreter(actor, self.disk, outbox, self.simulation, recorder)
            actor.christen(Random(f"{self.simulation.seed}/names/{self.me}/{self.lives}"))
            actor.recover(records)
            effects = actor.start(self.local())
            recorder.term, recorder.role = actor.view()
        except Exception as error:
            self.broke(error)
            return None
        return effects

    def _open(self) -> None:
        """Open the listener: the life is durable."""
        self.ready = True
        self.newest = max(self.newest, self.recorder.incarnation)
        effects, self.held = self.held, []
        self._turn(lambda now: effects)
        orders, self.orders = self.orders, []
        for order in orders:
            self.command(order)
        self.simulation.touch(self.me)
        if self.alive and self.disk.health == "full":
            self.command(DiskSpace(low=True))
        self.turns.drain()

    def end(self, kind: str, reason: str | None = None) -> None:
        """End this life; what was not synced is up to the disk."""
        self.recorder.write(kind, reason=reason)
        self.alive = self.ready = self.paused = False
        self._forget()
        self.disk.crash(self.simulation.now)
        self.simulation.touch(self.me)

    def stand_down(self) -> None:
        """Let the actor hand over what it leads; then this life ends."""
        self.leaving = True
        self.command(StandDown())

    def _leave(self, life: int, _: None = None) -> None:
        """End the life that was told to stand down, if it still goes on and nothing of it waits for the disk."""
        if life == self.lives and self.alive and self.leaving and self.ready and not self.paused and self._may_leave():
            self.stop(Stop())
            self.simulation.touch(self.me)

    def _may_leave(self) -> bool:
        return bool(self.actor.may_end) and not len(self.interpreter.outbox)

    def _forget(self) -> None:
        """Forget what belongs to the life that ended."""
        self.leaving = False
        self.turns.clear()
        self.held, self.due = [], math.inf

    def resume(self) -> None:
        """Serve what waited, then late alarms."""
        self.paused = False
        self.turns.drain()
        if self.alive:
            self.due = math.inf
            self._on_time()

    def stop(self, order: msgspec.Struct) -> None:
        """End this life in good order: the actor may still write, and all of it is kept."""
        if self.ready and not self.paused:
            self._turn(self.actor.on_command, order)
        self.recorder.write("stop")
        self.disk.close()
        self.alive = self.ready = self.paused = False
        self._forget()

    # --- events -------------------------------------------------------------------------

    def arrive(self, sender: Address, frame: Frame) -> None:
        """Take a frame from the network, unless nobody is there or the link is cut by now."""
        cuts = self.simulation.network.cuts
        if not self.ready:
            self.recorder.dropped(sender, frame[2], "nobody there")
        elif cuts and (sender, self.me) in cuts:
            self.recorder.dropped(sender, frame[2], "cut")
        elif self.paused or self.gathers:
            self.turns.put(sender, self.receive, sender, frame)
        else:
            self.receive(sender, frame)

    def receive(self, sender: Address, frame: Frame) -> None:
        """Hand a frame to the actor, unless its sender has begun a newer life."""
        life, message, sent = frame
        if life != self.links.get(sender) and not self._admits(sender, life):
            self.recorder.dropped(sender, sent, "old incarnation")
            return
        if not self.alive:
            return
        self.recorder.received(sender, sent)
        self._turn(self.actor.on_message, sender, message)

    def _admits(self, sender: Address, life: int) -> bool:
        """Tell the actor of a life it has not met; say no to a frame of an old one."""
        seen = self.seen.get(sender, -1)
        if life > seen:
            if sender in self.links:
                self._unlink(sender)
            self._link(sender, life)
            self.simulation.look_later(self.me, sender)
        return life >= seen

    def _link(self, peer: Address, life: int) -> None:
        """Tell the actor that the link to `peer` came up, in this life of it."""
        if self.alive:
            self.links[peer] = self.seen[peer] = life
            self.recorder.write("link_up", peer=peer)
            self._turn(
                self.actor.on_message, peer, LinkUp(*self.simulation.hosts[peer].shown.get(life, (life, NO_IDENTITY)))
            )

    def _unlink(self, peer: Address) -> None:
        """Tell the actor that the process of `peer` is gone."""
        if self.alive:
            self.links.pop(peer, None)
            if frames := self.turns.inbox.forget(peer):  # SPECIFICATION R2.13
                told = f"the link is gone; {frames} frames of it that waited were not served"
                self.recorder.write("drop", peer=peer, reason=told)
            self.recorder.write("link_down", peer=peer)
            self._turn(self.actor.on_message, peer, LinkDown())

    def learn(self, subject: "Host") -> None:
        """Find out how the link to `subject` is; tell the actor what it does not know yet."""
        told = self.links.get(subject.me)
        if subject.ready:
            if told == subject.recorder.life or subject.paused:
                return
            if told is not None:
                self._unlink(subject.me)
            self._link(subject.me, subject.recorder.life)
        elif told is not None:
            self._unlink(subject.me)

    def own(self, life: int, message: msgspec.Struct) -> None:
        """Hand the actor what it sent to itself; in the same life only."""
        if life != self.lives or not self.alive:
            return
        if self.waits:
            self.turns.put(None, self.own, life, message)
            return
        self._turn(self.actor.on_message, self.me, message)

    def command(self, command: msgspec.Struct, _: None = None) -> None:
        """Hand over an order of the people who run this actor."""
        if self.waits or not self.ready:
            self.turns.put(None, self.command, command, None)
            return
        self._turn(self.actor.on_command, command)

    def wake(self, life: int, due: float) -> None:
        """Ring the alarm set for `due`, if it still is the earliest one of this life."""
        if life != self.lives or due != self.due or not self.alive:
            return
        self.due = math.inf
        if not self.paused:
            self.last = max(self.last, due)
            if self.turns.end == math.inf:  # else it rings in the turn that is under way
                self._on_time()

    def synced(self, life: int, upto: tuple[int, int | None]) -> None:
        """Finish a sync; frames that waited for it leave."""
        if life != self.lives or not self.alive:
            return
        try:
            self.disk.end_sync(upto[0], self.simulation.now)
        except DiskFailed as error:
            self._lost_disk(error)
            return
        if not self.gathers:
            self.recorder.write("durable", seq=upto[1])
        self._release(life, upto)

    def _release(self, life: int, upto: tuple[int, int | None]) -> None:
        if self.waits:
            self.turns.put(None, self._release, life, upto)
            return
        if self.gathers:  # the trace says so in the turn that takes it in, where the next sync begins
            self.recorder.write("durable", seq=upto[1])
        self.interpreter.release(upto[0])
        self._look_whether_it_may_leave()
        if not self.ready:
            self._open()
        if not self.turns.serving:
            self.interpreter.sync()

    # --- turns --------------------------------------------------------------------------

    def local(self) -> float:
        """Return the node's own time."""
        now = self.offset + self.rate * self.simulation.now
        if now > self.last:
            self.last = now
        return self.last

    def _on_time(self) -> None:
        if self.actor.deadline <= self.local():
            self._turn(self.actor.on_time)
        else:
            self._arm(self.actor.deadline)

    def _turn(self, door: Callable[..., list[Any]], *facts: Any) -> None:
        """Open one door, settle, and carry out the effects; then set the alarm.  In a turn that goes on, only open it."""
        try:
            if self.gathers and self.turns.serving:
                return self.interpreter.open(door, facts, self.local())
            deadline = self.interpreter.turn(door, facts, self.local())
        except DiskFailed as error:
            self._lost_disk(error)
        except Exception as error:  # a student's class may raise anything; it stops its own node only
            self.broke(error)
        else:
            if deadline < self.due:
                self._arm(deadline)
            self._look_whether_it_may_leave()

    def _look_whether_it_may_leave(self) -> None:
        if self.leaving and self._may_leave():
            self.simulation.push(self.simulation.now, self._leave, self.lives, None)

    def settle(self) -> None:
        """End a turn of several doors: ring what is due, settle once, begin a sync if one is owed."""
        self._turn(self.actor.on_time if self.actor.deadline <= self.local() else _nothing)
        if self.alive:
            self.interpreter.sync()

    def _arm(self, deadline: float) -> None:
        """See to it that the actor wakes up at its deadline."""
        if deadline < self.due:
            self.due = deadline
            at = (deadline - self.offset) / self.rate
            now = self.simulation.now
            self.simulation.push(at if at > now else now, self.wake, self.lives, deadline)

    def _lost_disk(self, error: DiskFailed) -> None:
        """End this life because the disk failed; the next one may have a better disk."""
        self.failure = str(error)
        self.end("crash", self.failure)

    def broke(self, error: Exception) -> None:
        """Stop this node because a door raised `error`; say why in the trace and in `failures`."""
        if isinstance(error, Departed):  # it was told to
            self.failure = str(error)
            self.has_left = True
            self.end("stop", self.failure)
            return
        refused = isinstance(
            error, RefusedIdentity | RefusedJoin | ForeignLog
        )  # the rules say that it stops: nothing is broken
        sentence = str(error) if refused or isinstance(error, BrokenInvariant) else told(error)
        self.failure = sentence
        self.simulation.failures.append((self.me, sentence))
        self.recorder.write("refused" if refused else "broken", reason=sentence)
        self.end("crash", "It stopped itself.")

    # --- faults -------------------------------------------------------------------------

    def set_disk(self, health: Health) -> None:
        """Change the state of the disk; a node hears when space runs low, and when it no longer does."""
        was = self.disk.health
        self.disk.become(health)
        if self.alive and "full" in (was, health) and was != health:
            self.command(DiskSpace(low=health == "full"))

    def put(self, folder: Folder) -> None:
        """Let `folder` lie in the place of the data folder; a node that runs finds out at its next sync."""
        self.disk.put(folder, running=self.alive)

    def order(self, order: Accept | RemoveLearner) -> bool:
        """Give the node this order, at its next start if it is down; tell whether it runs."""
        if self.alive:
            self.command(order)
        else:
            self.orders.append(order)
        return self.alive

    def set_clock(self, rate: float) -> None:
        """Let the clock run at another rate from now on, without a jump."""
        now = self.local()
        self.rate, self.offset = rate, now - rate * self.simulation.now
        self.due = math.inf
        if self.ready and not self.paused:
            self._arm(self.actor.deadline)

    def status(self, idle: dict[str, Any]) -> dict[str, Any]:
        """Return what people see of this node."""
        state = {"alive": self.alive, "paused": self.paused} | idle
        if not self.alive and self.failure is not None:
            state["failure"] = self.failure
        return state | {"outbox": len(self.interpreter.outbox)} | self.actor.status() if self.alive else state


def _nothing(now: float) -> list[Any]:
    """Stand in the place of a door, where there is only to settle."""
    return []
