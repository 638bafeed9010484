"""What happens in a seed of lab 02, and what a class is asked in it.

    history_of(seed)     some 60 events of 3 or 4 nodes: steps, letters, lines      2.1, 2.2, 2.3, 2.5
    talk_of(seed)        20 lines, and what reaches the queue of each node         2.4

No answer of a class changes what happens next: people say what they say at drawn moments.  So a run is written down
once, and played to any class as a list of calls; what a clock is told in it are the stamps of right clocks.

Read also `stage` (the actor), `events` (what came before what), `clocks`, `orders`, `queues`, `cuts` (who ask).
"""

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Any

import msgspec

from chatsys.isolation.calls import Call, CallScript
from chatsys.sim.network import Conditions
from chatsys.sim.world import World
from chatsys.teach.labs.lab02.events import CALLS, Event, events_of, full, sparse
from chatsys.teach.labs.lab02.stage import Message, TakeStep, Timed, Write, timed
from chatsys.trace import Trace

EVENTS = 60
"""So many events has a history, or a few more."""
LINES = 20
TEXTS = ("ok", "ok", "yes", "why?", "no")
"""Many texts are equal, so that nobody can know a message by its text."""


class History(msgspec.Struct, frozen=True):
    """The events of one seed."""

    seed: int
    nodes: tuple[int, ...]
    events: list[Event]
    trace: Trace
    sparse: bool
    """Whether the vectors that travel leave out what is 0."""

    def of(self, node: int) -> list[Event]:
        """Return the events of one node."""
        return [event for event in self.events if event.node == node]

    def vector(self, event: Event) -> dict[int, int]:
        """Return the right vector of an event, as a message carries it."""
        return sparse(event.past) if self.sparse else full(event.past, self.nodes)

    def at(self, place: tuple[int, int]) -> Event:
        """Return the event at a place."""
        return next(event for event in self.events if event.place == place)


@lru_cache(maxsize=512)
def history_of(seed: int) -> History:
    """Return what happens in this seed."""
    random = Random(f"lab 02/events/{seed}")
    nodes = random.choice((3, 3, 3, 4))
    network = Conditions(shortest=0.01, longest=random.choice((0.1, 0.5, 1.0)), tail=0.0, in_order=False)
    world = World(seed, nodes, actor=_plain(), network=network)
    quiet, pause = random.choice((0.2, 0.4)), random.choice((0.05, 0.15))
    for at, node, chance in _moments(random, nodes, EVENTS, pause):
        world.run(at - world.now)
        others = [one for one in world.nodes if one != node]
        command: Any = TakeStep() if chance < quiet else Write(random.choice(others))
        if chance > 0.95:
            world.say(random.choice(TEXTS), node)
        else:
            world.command(node, command)
        if world.trace[-1].time and _count(world) >= EVENTS:
            break
    world.run(2)
    return History(seed, tuple(world.nodes), events_of(world.trace), world.trace, seed % 2 == 1)


def _moments(random: Random, nodes: int, many: int, pause: float) -> Iterator[tuple[float, int, float]]:
    at = 0.05
    for _ in range(many):
        yield at, random.randint(1, nodes), random.random()
        at += random.uniform(0.01, 2 * pause)


def _count(world: World) -> int:
    hosts = world.simulation.hosts
    return sum(hosts[node].actor.events for node in world.nodes)  # type: ignore[attr-defined]


def _plain(causal: Any = None) -> type[Timed]:
    actor = timed(causal=causal, replies=False)
    actor.__name__ = "Timed"  # the trace has this name, and must not say whose class it is
    return actor


# --- what the queues are asked -----------------------------------------------------------------


class QueueCall(msgspec.Struct, frozen=True):
    """One call of a queue: a line that arrives, or (with no message) the question for the stamp of the next one."""

    time: float
    message: Message | None = None
    stamp: dict[int, int] = {}
    """Of a line that arrives: that of a right sender.  Else what a right queue returns."""

    def call(self, leave_out: bool) -> Call:
        """Return it as it is asked."""
        if self.message is None:
            return Call("stamp")
        stamp = sparse(self.stamp) if leave_out else dict(self.stamp)
        return Call("receive", (self.message.sender, stamp, self.message))


class Talk(msgspec.Struct, frozen=True):
    """What reaches the queue of each node in one seed."""

    seed: int | None
    nodes: tuple[int, ...]
    calls: dict[int, list[QueueCall]]
    sparse: bool

    def script(self, node: int, leave_out: bool | None = None) -> CallScript:
        """Return the calls of one queue."""
        left_out = self.sparse if leave_out is None else leave_out
        return CallScript(tuple(one.call(left_out) for one in self.calls[node]), (node, list(self.nodes)))


class RightQueue:
    """Shows each line as soon as all that its sender had been shown is shown here; it writes down what it is asked.

    Not the reference: it compares each line with all those that wait, and keeps them all.
    """

    def __init__(self, me: int, nodes: list[int]) -> None:
        self.me, self.nodes, self.now = me, nodes, 0.0
        self.shown: dict[int, int] = dict.fromkeys(nodes, 0)
        self.waiting: list[tuple[dict[int, int], Message]] = []
        self.calls: list[QueueCall] = []

    def stamp(self) -> dict[int, int]:
        """Count my own line, and return what I had been shown."""
        self.shown[self.me] += 1
        self.calls.append(QueueCall(self.now, None, dict(self.shown)))
        return dict(self.shown)

    def receive(self, sender: int, stamp: dict[int, int], message: Message) -> list[Message]:
        """Take in a line, and return all that may be shown."""
        self.calls.append(QueueCall(self.now, message, dict(stamp)))
        self.waiting.append((stamp, message))
        found: list[Message] = []
        while ready := [one for one in self.waiting if self._may_be_shown(*one)]:
            for stamped in ready:
                self.waiting.remove(stamped)
                self.shown[stamped[1].sender] += 1
                found.append(stamped[1])
        return found

    def _may_be_shown(self, stamp: dict[int, int], message: Message) -> bool:
        wanted = {**stamp, message.sender: stamp[message.sender] - 1}
        return self.shown[message.sender] == wanted[message.sender] and all(
            self.shown[node] >= count for node, count in wanted.items()
        )


class _Listening(Timed):
    """A node that tells its queue what time it is."""

    causal = RightQueue
    replies = False

    def on_message(self, sender: Any, message: msgspec.Struct, now: float) -> list[Any]:
        """Tell it before a line arrives."""
        self.queue.now = now
        return super().on_message(sender, message, now)

    def on_command(self, command: msgspec.Struct, now: float) -> list[Any]:
        """Tell it before a line is said."""
        self.queue.now = now
        return super().on_command(command, now)


@lru_cache(maxsize=512)
def talk_of(seed: int) -> Talk:
    """Return what reaches each queue in this seed."""
    world = _talking(seed, _Listening)
    hosts = world.simulation.hosts
    calls = {node: hosts[node].actor.queue.calls for node in world.nodes}  # type: ignore[attr-defined]
    return Talk(seed, tuple(world.nodes), calls, seed % 2 == 1)


def _talking(seed: int, actor: Any) -> World:
    """Return the world of a seed after its run: lines said at drawn moments, most of them soon after another one came."""
    random = Random(f"lab 02/talk/{seed}")
    network = Conditions(shortest=0.01, longest=random.choice((0.3, 1.0, 2.0)), tail=0.0, in_order=False)
    world = World(seed, random.choice((3, 3, 3, 4)), actor=actor, network=network)
    at = 0.1
    for _ in range(LINES):
        node = random.choice(world.nodes)
        for _ in range(random.choice((1, 1, 1, 2))):
            world.at(round(at, 3), "say", random.choice(TEXTS), node, lenient=True)
            at += random.uniform(0.02, 0.5)
    world.run(at + 5)
    return world


def replayed(seed: int, answers: dict[int, list[Any]]) -> Trace:
    """Return the trace of this seed with queues that answer what the student's queues answered."""

    def made(me: int, nodes: list[int]) -> Any:
        return _Returned(answers[me])

    return _talking(seed, _plain(made)).trace


class _Returned:
    """A queue that answers what another one answered, and stops its node where that one stopped."""

    def __init__(self, replies: list[Any]) -> None:
        self.replies = iter(replies)

    def stamp(self) -> dict[int, int]:
        """Return the next answer."""
        return self._next()  # type: ignore[no-any-return]

    def receive(self, sender: int, stamp: dict[int, int], message: Message) -> list[Message]:
        """Return the next answer."""
        return self._next()  # type: ignore[no-any-return]

    def _next(self) -> Any:
        reply = next(self.replies, None)
        if reply is None or not reply.right:
            raise RuntimeError("it stopped" if reply is None else reply.error or reply.wrong)
        return reply.value


def clock_script(history: History, node: int, arguments: tuple[Any, ...], vectors: bool) -> CallScript:
    """Return the calls of one node's clock in a history, with the stamps of right clocks."""
    calls = []
    for event in history.of(node):
        if event.cause is None:
            calls.append(Call(CALLS[event.kind]))
        else:
            sent = history.at(event.cause)
            calls.append(Call("receive", (history.vector(sent) if vectors else sent.chain,)))
    return CallScript(tuple(calls), arguments)
