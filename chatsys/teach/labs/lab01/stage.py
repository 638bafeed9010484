"""Lab 01: a link that loses and repeats, with the student's sender at one end and the student's receiver at the other.

Node 1 talks, node 2 listens.  What a user says at node 1 is handed to the sender; the packets that it returns go over
the link, which takes up to 0.1 s for each, lets them overtake each other, loses some and repeats some.  What arrives at
node 2 is handed to the receiver, which says what is delivered to the user there and what is acknowledged.

    say(text, now) --PACKET 1, 2, 3--> receive(packet) --> (deliver these, acknowledge these)
          ^                                    |
    ack(number, now) <-----ACKNOWLEDGE 2------'
    tick(now), ten times a second: what is unanswered can be sent again

What the student has not written is given: without a sender node 1 repeats each packet by an alarm of its own, without
a receiver node 2 acknowledges whatever arrives, and delivers it in its turn.

Assumes   nothing of the classes: what they return is checked, and what makes no sense stops their node with a sentence.
Promises  the classes see texts, packets, numbers and their own clock, and nothing else; each life has new objects.
Read also `packets` (the words), `runs` (what happens in a seed), `sending` and `receiving` (who judges).
"""

from collections.abc import Callable
from random import Random
from typing import Any, ClassVar, Protocol

import msgspec

from chatsys.actor.actor import GREATEST, Actor, Address
from chatsys.actor.effects import Deliver, Delivery, Note, Send
from chatsys.actor.events import Say
from chatsys.actor.words import Words
from chatsys.config import ClusterConfig
from chatsys.errors import ToldThere
from chatsys.faults import Testbed
from chatsys.teach.labs.defaults import begin_timers
from chatsys.teach.labs.lab01.packets import Acknowledgement, Packet, shown
from chatsys.teach.labs.prints import heard

TALKS, LISTENS = 1, 2
"""The node of the sender and the node of the receiver."""
TICK = 0.1
"""Every so many seconds the sender is asked what is to be sent again."""
AGAIN = 0.4
"""After so many seconds a sender that is given repeats what is unanswered."""
TRIP = 0.1
"""A packet, or an acknowledgement, is at most so many seconds on its way."""


class SendingSide(Protocol):
    """What the student writes in 1.1."""

    def say(self, text: str, now: float) -> list[Packet]:
        """Take in a text of the user; return what is to be sent now."""

    def ack(self, number: int, now: float) -> list[Packet]:
        """Take in an acknowledgement; return what is to be sent now."""

    def tick(self, now: float) -> list[Packet]:
        """Return what is to be sent now, for the first time or again."""


class ReceivingSide(Protocol):
    """What the student writes in 1.2."""

    def receive(self, packet: Packet) -> tuple[list[Packet], list[int]]:
        """Take in a packet; return what is delivered now, and the numbers that are acknowledged now."""


class MeansNothing(ToldThere):
    """What a class returned makes no sense; the sentence says why."""


class Linked(Actor):
    """A node of the lab: the one that talks, or the one that listens."""

    messages = (Packet, Acknowledgement)
    words = Words(numbered="PACKET")
    sender: ClassVar[Callable[[], SendingSide] | None] = None
    receiver: ClassVar[Callable[[], ReceivingSide] | None] = None

    def __init__(self, me: Address, config: ClusterConfig, random: Random) -> None:
        super().__init__(me, config, random)
        self.mine: Any = None
        """The student's object, if there is one at this end."""
        self.said = 0
        self.open: dict[int, Packet] = {}
        """What is unanswered, where the sender is given."""
        self.arrived: dict[int, Packet] = {}
        """What arrived beyond `complete`, up to which none is missing."""
        self.complete = 0
        self.count = 0
        """How many packets were delivered here."""

    # --- doors -----------------------------------------------------------------------------

    def start(self, now: float) -> list[Any]:
        """Make the student's object; the sender is asked again and again from now on."""
        ends: dict[Address, Callable[[], Any] | None] = {TALKS: type(self).sender, LISTENS: type(self).receiver}
        make = ends.get(self.me)
        self.mine = make() if make is not None else None
        if self.me == TALKS and self.mine is not None:
            begin_timers(self, now, tick=TICK)
        return []

    def on_command(self, command: msgspec.Struct, now: float) -> list[Any]:
        """Hand a text of the user to the sender."""
        if not isinstance(command, Say):
            return []
        if self.me != TALKS:
            return [Note("refuses", reason=f"node {self.me} only listens; say it at node {TALKS}")]
        self.said += 1
        told = Note("submit", client=f"node {TALKS}", client_seq=self.said, author=f"node {TALKS}", text=command.text)
        if self.mine is None:
            self.open[self.said] = Packet(self.said, command.text)
            return [told, *self._again(self.said, now)]
        return [told, *self._send("say", self.mine.say(command.text, now))]

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> list[Any]:
        """Hand a packet to the receiver, an acknowledgement to the sender."""
        if isinstance(message, Packet) and self.me == LISTENS:
            return self._receive(message)
        if isinstance(message, Acknowledgement) and self.me == TALKS:
            if self.mine is not None:
                return self._send("ack", self.mine.ack(message.number, now))
            self.open.pop(message.number, None)
            self.alarms.clear(message.number)
        return []

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        """Ask the sender, or send a packet again where the sender is given."""
        if name == "tick":
            self.alarms.set("tick", now + TICK)
            return self._send("tick", self.mine.tick(now))
        return self._again(name, now)

    def status(self) -> dict[str, Any]:
        """Return what a card of the panel shows."""
        return {
            "role": "up", "term": 0, "leader": None, "ready": True,
            "last": self.said, "commit": self.complete, "delivered": self.count, "held_back": len(self.arrived),
        }  # fmt: skip

    # --- the end that talks ----------------------------------------------------------------

    def _again(self, number: int, now: float) -> list[Any]:
        self.alarms.set(number, now + AGAIN)
        return [Send(LISTENS, self.open[number])]

    def _send(self, method: str, packets: Any) -> list[Any]:
        if not isinstance(packets, list | tuple) or not all(map(_is_packet, packets)):
            raise MeansNothing(f"{method} returned {shown(packets):.80}")
        return [Send(LISTENS, packet) for packet in packets]

    # --- the end that listens --------------------------------------------------------------

    def _receive(self, packet: Packet) -> list[Any]:
        early, in_turn = self._take_note(packet)
        if self.mine is None:
            return [*early, *self._deliver(in_turn), Send(TALKS, Acknowledgement(packet.number))]
        answer = self.mine.receive(packet)
        if not _is_answer(answer):
            raise MeansNothing(f"receive returned {shown(answer):.80}")
        ready, numbers = answer
        return [*early, *self._deliver(ready), *(Send(TALKS, Acknowledgement(number)) for number in numbers)]

    def _take_note(self, packet: Packet) -> tuple[list[Any], list[Packet]]:
        """Note that a packet arrived early, whatever the receiver does with it; return what is in its turn now, too."""
        number, in_turn = packet.number, list[Packet]()
        if number <= self.complete or number in self.arrived:
            return [], in_turn
        self.arrived[number] = packet
        while (following := self.arrived.pop(self.complete + 1, None)) is not None:
            self.complete += 1
            in_turn.append(following)
        return ([Note("hold", seq=number)] if number > self.complete else []), in_turn

    def _deliver(self, packets: Any) -> list[Any]:
        effects = []
        for packet in packets:
            self.count += 1
            effects.append(
                Deliver(
                    Delivery(
                        packet.number, self.count, f"node {TALKS}", packet.text,
                        client=f"node {TALKS}", client_seq=packet.number,
                    )
                )
            )  # fmt: skip
        return effects


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= GREATEST


def _is_packet(value: Any) -> bool:
    return isinstance(value, Packet) and _is_number(value.number) and isinstance(value.text, str)


def _is_answer(value: Any) -> bool:
    if (
        not isinstance(value, list | tuple)
        or len(value) != 2
        or not all(isinstance(one, list | tuple) for one in value)
    ):
        return False
    return all(map(_is_packet, value[0])) and all(map(_is_number, value[1]))


def linked(sender: Any = None, receiver: Any = None) -> type[Linked]:
    """Return the actor of this lab with the student's classes in it: `World(seed, 2, actor=linked(MySender, MyReceiver))`.

    An end without a class is given: a sender that repeats, or a receiver that acknowledges all and delivers each in its turn.
    """
    parts = {"sender": _maker(sender), "receiver": _maker(receiver), "__doc__": Linked.__doc__}
    names = "And".join(getattr(one, "__name__", "Object") for one in (sender, receiver) if one is not None)
    return heard(type(f"LinkedWith{names}", (Linked,), parts))


def _maker(cls: Any) -> Any:
    return staticmethod(cls) if cls is not None else None


def why_stopped(why: str) -> str:
    """Return the words for what stopped a node: an error of the class, or an answer that makes no sense."""
    if why.startswith("receive returned"):
        return f"{why}; return two lists: the packets to deliver, and the numbers to acknowledge"
    if why.startswith(("say returned", "ack returned", "tick returned")):
        return f"{why}; return a list of packets, [] for none"
    return f"your class raised {why}"


def stopped(world: Testbed) -> list[str]:
    """Return a sentence for each node of a world or cluster that stopped because of the student's class."""
    return [f"node {node} stopped, because {why_stopped(why)}" for node, why in world.failures]
