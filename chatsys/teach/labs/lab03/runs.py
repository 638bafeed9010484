"""What happens in a seed of lab 03: what is said, what the network does with it, and what reaches each node.

    arrivals_of(seed)            what reaches the three queues, whatever they do with it
    replayed(seed, answers)      the trace of that seed with queues that answered so

The texts repeat, also those of one author, and some of them nobody can foresee: so a queue that takes equal
texts for copies, or that knows the answers, is found out.

Read also `stage` (the actor), `reading` (what the queue answered), `checks` (who asks).
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from random import Random
from typing import Any

import msgspec

from chatsys.isolation.calls import Call, CallScript, Reply
from chatsys.sim.network import Conditions
from chatsys.sim.world import World
from chatsys.teach.labs.lab03.stage import Message, Ordered, TotalOrder, total_order
from chatsys.trace import Trace

MESSAGES = 12
AFTERWARDS = 5.0
"""Seconds after the last message; what has not arrived by then is not asked for."""
AUTHORS = ("ann", "bob", "eve")
SAID_OFTEN = ("ok", "ok", "yes")
LETTERS = "abcdefghijklmnopqrstuvwxyz äöé"


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One message that reaches a queue."""

    number: int
    message: Message
    time: float | None = None


class Returned:
    """A queue that answers what another one answered."""

    def __init__(self, replies: Iterable[Reply]) -> None:
        self.replies = iter(replies)

    def receive(self, number: int, message: Message) -> list[Message]:
        """Return the next answer, or stop the node where the other one did."""
        reply = next(self.replies)
        if not reply.right:
            raise RuntimeError(reply.error or reply.wrong)
        answer: list[Message] = reply.value
        return answer


def script_of(arrivals: Iterable[Arrival], first: int | None = None) -> CallScript:
    """Return the calls that these arrivals are, for a queue that begins with `first`."""
    calls = tuple(Call("receive", (one.number, one.message)) for one in arrivals)
    return CallScript(calls, () if first is None else (first,))


def draw_text(random: Random) -> str:
    """Return a text that others say as well, or one that nobody can foresee."""
    if random.random() < 0.6:
        return random.choice(SAID_OFTEN)
    return "".join(random.choice(LETTERS) for _ in range(random.randint(3, 20))).strip() or "hm"


def script(world: World, random: Random, count: int, pause: float = 0.5) -> float:
    """Let `count` messages be said in this world; return when the last one is."""
    at = 0.1
    for _ in range(count):
        node = random.choice(world.nodes)
        world.at(at, "say", draw_text(random), node, "main", AUTHORS[node - 1])
        at = round(at + random.uniform(0.02, pause), 3)
    return at


def world_of(seed: int, actor: Any) -> World:
    """Return the world of this seed after its run: twelve messages from three authors, then quiet."""
    random = Random(f"lab 03/{seed}")
    loss, duplication = random.choice((0.0, 0.1, 0.3)), random.choice((0.0, 0.15, 0.4))
    network = Conditions(
        shortest=0.01, longest=random.choice((0.1, 0.5, 1.0)), loss=loss, duplication=duplication, in_order=False
    )  # fmt: skip
    world = World(seed, actor=actor, network=network, busiest=5000)
    world.run(script(world, random, MESSAGES) + AFTERWARDS)
    return world


class _Listener:
    """A queue that only writes down what reaches its node."""

    def __init__(self) -> None:
        self.now = 0.0
        self.arrivals: list[Arrival] = []

    def receive(self, number: int, message: Message) -> list[Message]:
        """Write it down, and deliver nothing."""
        self.arrivals.append(Arrival(number, message, self.now))
        return []


class _Listening(TotalOrder):
    queue = _Listener

    def on_message(self, sender: Any, message: msgspec.Struct, now: float) -> list[Any]:
        """Tell the listener what time it is."""
        if isinstance(message, Ordered):
            self.holdback.now = now
        return super().on_message(sender, message, now)


@lru_cache(maxsize=1024)
def arrivals_of(seed: int) -> tuple[tuple[Arrival, ...], ...]:
    """Return what reaches each node in this seed, whatever its queue does with it."""
    world = world_of(seed, _Listening)
    return tuple(tuple(world.simulation.hosts[node].actor.holdback.arrivals) for node in world.nodes)  # type: ignore[attr-defined]


def replayed(seed: int, answers: Sequence[Sequence[Reply]]) -> Trace:
    """Return the trace of this seed with queues that answer what the student's queues answered."""
    queues = iter([Returned(replies) for replies in answers])
    return world_of(seed, total_order(lambda: next(queues))).trace
