"""A toy election: a class of a student's size, and the stage around it, for tests of the generic model.

    suspect() --ELECTION--> the higher nodes --OK--> wait --wake()--> COORDINATOR to all others, lead

Read also `chatsys.explore.stage_model`.
"""

from collections.abc import Callable
from random import Random
from typing import Any, ClassVar

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append, Note, Send
from chatsys.config import ClusterConfig
from chatsys.isolation.calls import Method


class Word(msgspec.Struct, frozen=True, tag="WORD", tag_field="type"):
    """A frame, and an order to send one: ELECTION, OK or COORDINATOR."""

    kind: str
    term: int


class Order(msgspec.Struct, frozen=True):
    """What the class wants done: `send` a word to a node, `lead` a term, `follow`, or `wait`."""

    do: str
    to: int = 0
    kind: str = ""
    term: int = 0


class Kept(msgspec.Struct, frozen=True, tag="kept", tag_field="type"):
    term: int


METHODS = {
    "__init__": Method(("me", "nodes", "term")),
    "suspect": Method((), list[Order]), "receive": Method(("sender", "kind", "term"), list[Order]),
    "wake": Method((), list[Order]),
}  # fmt: skip


class Bully:
    """The reference: a term that no other node can claim."""

    def __init__(self, me: int, nodes: tuple[int, ...], term: int) -> None:
        self.me, self.nodes, self.term, self.answered = me, nodes, term, False

    def next_term(self) -> int:
        return next(term for term in range(self.term + 1, self.term + 99) if term % len(self.nodes) == self.me - 1)

    def suspect(self) -> list[Order]:
        self.answered = False
        higher = [node for node in self.nodes if node > self.me]
        return [Order("send", node, "ELECTION", self.term) for node in higher] + [Order("wait")]

    def receive(self, sender: int, kind: str, term: int) -> list[Order]:
        if kind == "ELECTION":
            return [Order("send", sender, "OK", self.term), *self.suspect()]
        if kind == "OK":
            self.answered = True
        elif term > self.term:
            self.term = term
            return [Order("follow", sender, term=term)]
        return []

    def wake(self) -> list[Order]:
        if self.answered:
            return self.suspect()
        self.term = self.next_term()
        claims = [Order("send", node, "COORDINATOR", self.term) for node in self.nodes if node != self.me]
        return [*claims, Order("lead", term=self.term)]


class Counts(Bully):
    """The mistake: everybody counts to the same number."""

    def next_term(self) -> int:
        return self.term + 1


class ToyElection(Actor):
    """The stage: hands over what happens, and does what the class orders."""

    messages = (Word,)
    records: ClassVar[tuple[type[msgspec.Struct], ...]] = (Kept,)
    bully: ClassVar[Callable[..., Any]] = Bully

    def __init__(self, me: Address, config: ClusterConfig, random: Random) -> None:
        super().__init__(me, config, random)
        self.term, self.leads = 0, False

    def recover(self, records: Any) -> None:
        self.term = max((record.term for record in records), default=0)

    def start(self, now: float) -> list[Any]:
        self.mine = type(self).bully(self.me, self.config.ids, self.term)
        self.alarms.set("silence", now + 1 + self.random.uniform(0, 1))
        return []

    def on_message(self, sender: Address, message: Any, now: float) -> list[Any]:
        known = isinstance(message, Word)
        return self.obey(self.mine.receive(sender, message.kind, message.term), now) if known else []

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        self.alarms.set("silence", now + 1)
        return self.obey(self.mine.suspect() if name == "silence" else self.mine.wake(), now)

    def obey(self, orders: list[Order], now: float) -> list[Any]:
        effects: list[Any] = []
        for order in orders:
            match order.do:
                case "send":
                    effects.append(Send(order.to, Word(order.kind, order.term)))
                case "wait":
                    self.alarms.set("wait", now + 1)
                case "lead" | "follow":
                    self.term, self.leads = max(self.term, order.term), order.do == "lead"
                    note = Note(order.do, peer=order.to or None, term=order.term)
                    effects += [Append(Kept(order.term)), note]
        return effects


def stage(bully: Any) -> type[ToyElection]:
    """Return the stage with this class in it."""
    return type("ToyElection", (ToyElection,), {"bully": staticmethod(bully)})


def one_leader_a_term(records: Any) -> str | None:
    """Say which two nodes led one term."""
    led: dict[int, Any] = {}
    for record in records:
        if led.setdefault(record.term, record.node) != record.node:
            return f"Node {led[record.term]} and node {record.node} both led term {record.term}."
    return None


def compress(records: Any) -> tuple[Kept, ...]:
    """Keep the highest term."""
    return tuple(sorted(records, key=lambda record: record.term)[-1:])
