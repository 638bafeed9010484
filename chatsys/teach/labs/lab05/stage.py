"""Lab 05: nodes that elect a leader, in which the student's class decides.

At each moment a node of the stage does one of three things, by the newest order that it was given:

    Lead(term)           leads: sends a heartbeat every 0.8 s, the first one 0.8 s from now
    Follow(leader, term) follows: hears the heartbeats; when they stop for 2.5 to 3.4 s, it calls suspect()
    Wait(seconds)        waits: calls wake() when the time is over

    silence --> suspect() --\
    ELECTION, OK, COORDINATOR --> receive(sender, message) --> orders --> Send, Lead, Follow, Wait
    the time is over --> wake() --/

When a life begins nothing was ordered yet; within half a second the stage calls suspect(), since no leader is known.

A heartbeat that the node does not expect (it does not follow that leader in that term) is handed over as a COORDINATOR.
So heartbeats repeat the COORDINATOR, and one that was lost does no harm.  The highest term that a node has seen, in a
message or in an order, is durable before anything that rests on it leaves: the next life gets it.

Assumes   nothing of the class: what it orders is checked, and what makes no sense stops its node with a sentence.
Promises  a frame is sent only by an order of the class, but for heartbeats.
Read also `orders` (the words), `checks` (who judges), `protocol.election` (the Bully of the real chat).
"""

from collections.abc import Callable, Iterable
from random import Random
from typing import Any, ClassVar, Literal, Protocol

import msgspec

from chatsys.actor import effects
from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append, Note
from chatsys.config import ClusterConfig
from chatsys.errors import ToldThere
from chatsys.faults import Testbed
from chatsys.teach.labs.lab05.orders import (
    Alive,
    BullyFrame,
    BullyOrder,
    Coordinator,
    Election,
    Follow,
    Lead,
    Ok,
    Send,
    Wait,
    shown,
)
from chatsys.teach.labs.prints import heard

BEAT = 0.8
"""Seconds between two heartbeats of a leader."""
SILENCE, SPREAD = 2.5, 0.9
"""A follower suspects its leader after so many seconds of silence, and up to so many more, drawn after each beat."""
BEGIN = 0.5
"""A life calls `suspect` for the first time within so many seconds."""
IN_TURN = 0.3
"""With timers in turn node 2 is so much more patient than node 1, and node 3 than node 2."""
LONGEST_WAIT = 60.0

TimersName = Literal["spread", "aligned", "in turn", "off"]
TIMERS: tuple[TimersName, ...] = ("spread", "aligned", "in turn", "off")
"""spread: drawn; aligned: the same at all nodes; in turn: node 1 first; off: nobody suspects unless it is told to (`Doubt`)."""


class Elects(Protocol):
    """What the student writes: `MyBully(me, others, term)`."""

    def suspect(self) -> list[BullyOrder]:
        """The leader is silent, or none is known."""

    def receive(self, sender: int, message: BullyFrame) -> list[BullyOrder]:
        """An `Election`, an `Ok` or a `Coordinator` has come."""

    def wake(self) -> list[BullyOrder]:
        """The time of the last `Wait` is over."""


class TermKept(msgspec.Struct, frozen=True, tag="KEPT", tag_field="type"):
    """Durable: the highest term that this node has seen."""

    term: int

    def as_note(self) -> Note:
        """Tell the trace."""
        return Note("append", message="KEPT", entry_term=self.term)


class Senseless(ToldThere):
    """What the class ordered makes no sense; the sentence says why."""


class Doubt(msgspec.Struct, frozen=True, tag="DOUBT", tag_field="type"):
    """A command to a node: suspect the leader now, whatever you have heard."""


class Electing(Actor):
    """A node of the lab."""

    messages = (Election, Ok, Coordinator, Alive)
    records: ClassVar[tuple[type[msgspec.Struct], ...]] = (TermKept,)
    bully: ClassVar[Callable[[int, list[int], int], Elects]]
    timers: ClassVar[TimersName] = "spread"
    spread: ClassVar[float] = SPREAD

    def __init__(self, me: Address, config: ClusterConfig, random: Random) -> None:
        super().__init__(me, config, random)
        self.others = [node for node in config.ids if node != me]
        self.term = 0
        """The highest term that this node has seen, durable."""
        self.role = "up"
        self.leader: Address | None = None
        """Whom this node follows, or itself."""
        self.current = 0
        """The term in which it leads or follows, or did so last."""
        self.mine: Any = None

    # --- doors -----------------------------------------------------------------------------

    def recover(self, records: Iterable[msgspec.Struct]) -> None:
        """Take back the highest term."""
        self.term = self.current = max((one.term for one in records if isinstance(one, TermKept)), default=0)

    def start(self, now: float) -> list[Any]:
        """Make the student's object; soon it is asked for the first time."""
        assert isinstance(self.me, int)
        self.mine = type(self).bully(self.me, list(self.others), self.term)
        begin = {"spread": self.random.uniform(0, BEGIN), "aligned": BEGIN, "in turn": 0.1 * self.me}
        if type(self).timers in begin:
            self.alarms.set("silence", now + begin[type(self).timers])
        return [Note("begin", term=self.term)]

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> list[Any]:
        """Hand over what arrives, unless it is the heartbeat that is expected."""
        if not isinstance(message, Election | Ok | Coordinator | Alive):
            return []
        if isinstance(message, Alive):
            if self.role == "follower" and (self.leader, self.current) == (sender, message.term):
                self._listen(now)
                return []
            message = Coordinator(message.term)
        return [*self._see(term_of(message)), *self._obey("receive", self.mine.receive(sender, message), now)]

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        """Beat, suspect or wake."""
        if name == "beat":
            return self._beat(now)
        if name == "wait":
            return self._obey("wake", self.mine.wake(), now)
        return self._suspect(now)

    def on_command(self, command: msgspec.Struct, now: float) -> list[Any]:
        """Doubt the leader if somebody says so."""
        return self._suspect(now) if isinstance(command, Doubt) else []

    def view(self) -> tuple[int, str]:
        """Return the term and the role."""
        return self.current, self.role

    def status(self) -> dict[str, Any]:
        """Return what a card of the panel shows."""
        return {
            "role": self.role, "term": self.current, "leader": self.leader, "ready": True,
            "last": self.term, "commit": 0, "delivered": 0,
        }  # fmt: skip

    # --- what the stage does itself ----------------------------------------------------------

    def _suspect(self, now: float) -> list[Any]:
        told = []
        if self.leader is not None:
            told = [Note("suspect", peer=self.leader, reason=f"nothing was heard of node {self.leader}")]
        self.leader = None
        return [*told, *self._obey("suspect", self.mine.suspect(), now)]

    def _beat(self, now: float) -> list[Any]:
        self.alarms.set("beat", now + BEAT)
        return [effects.Send(node, Alive(self.current)) for node in self.others]

    def _listen(self, now: float) -> None:
        """Wait for the next heartbeat of the leader, but not for ever."""
        patience = {
            "spread": SILENCE + self.random.uniform(0, type(self).spread),
            "aligned": SILENCE,
            "in turn": SILENCE + IN_TURN * (self.me - 1),  # type: ignore[operator]
        }
        if type(self).timers in patience:
            self.alarms.set("silence", now + patience[type(self).timers])

    def _see(self, term: int) -> list[Any]:
        """Make a term durable if it is the highest so far."""
        if term <= self.term:
            return []
        self.term = term
        return [Append(TermKept(term))]

    # --- orders ------------------------------------------------------------------------------

    def _obey(self, method: str, orders: Any, now: float) -> list[Any]:
        """Carry out what the class ordered, in its order."""
        if not isinstance(orders, list | tuple) or not all(isinstance(one, BullyOrder) for one in orders):
            raise Senseless(f"{method} returned {orders!r:.60}")
        return [effect for order in orders for effect in self._carry_out(order, now)]

    def _carry_out(self, order: BullyOrder, now: float) -> list[Any]:
        match order:
            case Send(to, message):
                self._check(order, to, term_of(message))
                return [*self._see(term_of(message)), effects.Send(to, message)]
            case Lead(term):
                self._check(order, self.others[0], term)
                self._turn("leader", self.me, term)
                self.alarms.set("beat", now + BEAT)
                return [*self._see(term), Note("lead", term=term, role=self.role)]
            case Follow(leader, term):
                self._check(order, leader, term)
                self._turn("follower", leader, term)
                self._listen(now)
                return [*self._see(term), Note("follow", peer=leader, term=term, role=self.role)]
            case Wait(seconds):
                if not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_WAIT:
                    raise Senseless(
                        f"{shown(order)} was ordered; wait more than 0 and at most {LONGEST_WAIT:.0f} seconds"
                    )
                begins = self.role != "nominating"
                self._turn("nominating", None, self.current)
                self.alarms.set("wait", now + seconds)
                return [Note("nominate")] if begins else []
        raise AssertionError("every order has its case")

    def _turn(self, role: str, leader: Address | None, term: int) -> None:
        """From now on this node leads, follows or waits: the alarms of the other two are off."""
        self.role, self.leader, self.current = role, leader, term
        self.alarms.clear("beat", "silence", "wait")

    def _check(self, order: BullyOrder, node: int, term: int) -> None:
        """Refuse what makes no sense."""
        if node not in self.others:
            raise Senseless(f"{shown(order)} was ordered; the others of node {self.me} are {self.others}")
        if not isinstance(term, int) or isinstance(term, bool) or not 0 <= term <= 2**53:
            raise Senseless(f"{shown(order)} was ordered; a term is a whole number from 0 on")


def term_of(message: Any) -> int:
    """Return the term of a message; an OK has none."""
    return 0 if isinstance(message, Ok) else message.term


def election(bully: Any, timers: TimersName = "spread", spread: float = SPREAD) -> type[Electing]:
    """Return the actor of this lab with the student's class in it: `World(seed, actor=election(MyBully))`.

    Where the timers are spread, a follower is up to `spread` seconds more patient than `SILENCE`.
    """
    name = getattr(bully, "__name__", "Bully")
    own = {"bully": staticmethod(bully), "timers": timers, "spread": spread, "__doc__": Electing.__doc__}
    return heard(type(f"ElectingWith{name}", (Electing,), own))


def why_stopped(why: str) -> str:
    """Return the words for what stopped a node: an error of the class, or an answer that makes no sense."""
    if why.startswith(("suspect returned", "receive returned", "wake returned")):
        return f"{why}; return a list of Send, Lead, Follow and Wait, [] for none"
    return why if " was ordered; " in why else f"your class raised {why}"


def stopped(world: Testbed) -> list[str]:
    """Return a sentence for each node of a world or cluster that stopped because of the student's class."""
    return [f"node {node} stopped, because {why_stopped(why)}" for node, why in world.failures]
