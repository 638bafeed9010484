"""What happens in a seed of lab 04, and what each detector is told and asked in it.

    plan_of(seed)                what the network is like, and who crashes, sleeps or cannot be heard when
    listened(plan)               what the detector of node 1 would be told and asked, whatever it answers
    lived(plan, make)            the same for all three nodes with detectors in them, and what these answered

A detector only looks: whatever it answers, the same beats arrive at the same moments.  So what node 1 hears in
a run is written down once (its *watch*), and played to any class as a list of calls.  Some runs are played live as
well, with a detector at each node, for three that are each right may still have something in common.

Read also `stage` (the actor), `reading` (what was answered), `checks` (who asks).
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Any

import msgspec

from chatsys.errors import told
from chatsys.isolation.calls import Call, CallScript, Reply
from chatsys.sim.network import Conditions
from chatsys.sim.world import World
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab04.stage import INTERVAL, TICK, TIMEOUT, watching
from chatsys.trace import Trace

DRIFT = 0.001
"""So much faster or slower than right a clock may be; each began at a moment of its own."""
WATCHER = 1
"""The node whose detector is asked where only one is."""

Event = tuple[float, str, tuple[Any, ...]]
"""(when, a verb, its arguments)"""


class RunPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A run before it is played."""

    seed: int
    events: tuple[Event, ...]
    seconds: float
    interval: float = INTERVAL
    timeout: float = TIMEOUT
    network: Conditions = OVERTAKING
    nodes: int = 3
    tick: float = TICK

    @property
    def slack(self) -> float:
        """So many seconds after the timeout a silence must have been noticed: a beat, and 0.3 s."""
        return self.interval + 0.3

    def play(self, make: Any, watchers: Iterable[int] | None = (WATCHER,)) -> World:
        """Return the world after this run."""
        actor = watching(make, self.interval, self.timeout, watchers=watchers, tick=self.tick)
        actor.__name__ = "Watching"  # the trace has this name, and must not say whose detector it is
        world = World(
            self.seed, self.nodes, actor=actor, network=self.network, clock_drift=DRIFT, busiest=5000
        )  # fmt: skip
        for time, verb, arguments in self.events:
            world.at(time, verb, *arguments, lenient=True)  # a class that raised may have stopped the node before
        world.run(self.seconds)
        return world


class Watch(msgspec.Struct, frozen=True):
    """What one detector is told and asked: that of one life of one node."""

    plan: RunPlan
    node: int
    peers: tuple[int, ...]
    made: float
    """When it was made, by the clock of its node."""
    calls: tuple[Call, ...]
    born: float
    """The same moment, in seconds of the run."""
    rate: float
    """How fast the clock of the node is."""

    def script(self) -> CallScript:
        """Return these calls as they can be asked."""
        return CallScript(self.calls, (list(self.peers), self.made, self.plan.interval, self.plan.timeout))

    def time(self, now: float) -> float:
        """Return in seconds of the run what is `now` on the clock of the node."""
        return self.born + (now - self.made) / self.rate

    def now(self, time: float) -> float:
        """Return by the clock of the node what is `time` in seconds of the run."""
        return self.made + (time - self.born) * self.rate

    def otherwise(self, calls: Iterable[Call], peers: tuple[int, ...] | None = None) -> "Watch":
        """Return what the same detector would be told otherwise, or one that has other peers."""
        return msgspec.structs.replace(self, calls=tuple(calls), peers=self.peers if peers is None else peers)

    def beats(self) -> Iterator[tuple[int, int, float, float]]:
        """Yield (peer, number, sent_at, now) of every beat that arrives."""
        yield from (call.arguments for call in self.calls if call.method == "beat")


# --- what happens ----------------------------------------------------------------------------------------

INTERVALS = (0.5, 0.8, 1.0)
BEATS_OF_A_TIMEOUT = (2.5, 3.125, 4.0)
"""A timeout has the length of so many beats."""
SECONDS = 18.0


@lru_cache(maxsize=1024)
def plan_of(seed: int) -> RunPlan:
    """Return the run of this seed: one node falls silent and comes back, and now and then more than that."""
    random = Random(f"lab 04/{seed}")
    interval = random.choice(INTERVALS)
    timeout = round(interval * random.choice(BEATS_OF_A_TIMEOUT), 2)
    network = msgspec.structs.replace(
        OVERTAKING, longest=random.choice((0.05, 0.2)), loss=random.choice((0.0, 0.0, 0.1))
    )
    silent, other = random.sample((2, 3), 2)
    begin = round(random.uniform(4.0, 6.0), 2)
    end = round(begin + timeout + interval + 0.3 + random.uniform(0.5, 1.5), 2)
    events = list(_falls_silent(random, silent, begin, end))
    if random.random() < 0.5:  # the other way round: node 1 still hears it
        events += [(begin, "cut", (WATCHER, other, True)), (end, "reconnect", (WATCHER, other, True))]
    if random.random() < 0.25:
        events += [(1.5, "crash", (WATCHER,)), (2.0, "restart", (WATCHER,))]
    return RunPlan(
        seed=seed, events=tuple(events), seconds=SECONDS, interval=interval, timeout=timeout, network=network
    )  # fmt: skip


def _falls_silent(random: Random, node: int, begin: float, end: float) -> Iterator[Event]:
    match random.choice(("crash", "pause", "cut")):
        case "crash":
            yield begin, "crash", (node,)
            yield end, "restart", (node,)
        case "pause":
            yield begin, "pause", (node,)
            yield end, "resume", (node,)
        case _:
            yield begin, "cut", (node, WATCHER, True)
            yield end, "reconnect", (node, WATCHER, True)


# --- what is told and asked ------------------------------------------------------------------------------


class _Ears:
    """A detector that only writes down what it is told and asked."""

    def __init__(self, peers: list[int], now: float, interval: float, timeout: float) -> None:
        self.peers, self.made = peers, now
        self.calls: list[Call] = []
        self.replies: list[Reply] = []

    def beat(self, peer: int, number: int, sent_at: float, now: float) -> None:
        """Write it down."""
        self.calls.append(Call("beat", (peer, number, sent_at, now)))

    def suspects(self, now: float) -> Any:
        """Write it down, and suspect nobody."""
        self.calls.append(Call("suspects", (now,)))
        return set()


class _Logged(_Ears):
    """The student's detector, with what it was told and asked, and what it answered."""

    def __init__(self, make: Any, made: list["_Logged"], arguments: tuple[Any, ...]) -> None:
        super().__init__(*arguments)
        made.append(self)
        try:
            self.detector = make(*arguments)
        except Exception as error:
            self.replies.append(Reply(error=told(error)))
            raise

    def beat(self, peer: int, number: int, sent_at: float, now: float) -> None:
        """Pass it on."""
        super().beat(peer, number, sent_at, now)
        self._answer(self.detector.beat, peer, number, sent_at, now)

    def suspects(self, now: float) -> Any:
        """Pass on the question and the answer."""
        super().suspects(now)
        return self._answer(self.detector.suspects, now)

    def _answer(self, door: Any, *arguments: Any) -> Any:
        try:
            answer = door(*arguments)
        except Exception as error:
            self.replies.append(Reply(error=told(error)))
            raise
        several = isinstance(answer, set | frozenset)
        told_so = Reply(frozenset(answer)) if several else Reply(wrong=f"{answer!r:.60}")
        self.replies.append(Reply() if self.calls[-1].method == "beat" else told_so)
        return answer


def listened(plan: RunPlan, watchers: Iterable[int] | None = (WATCHER,)) -> list[Watch]:
    """Return what the detectors of these nodes (None: all) are told and asked in this run, one for each life."""
    made: list[_Ears] = []

    def ears(*arguments: Any) -> _Ears:
        made.append(_Ears(*arguments))
        return made[-1]

    world = plan.play(ears, watchers)
    return [_watch_of(plan, world, one) for one in made]


@lru_cache(maxsize=1024)
def watches_of(seed: int) -> tuple[Watch, ...]:
    """Return what the detectors of node 1 are told and asked in the run of this seed."""
    return tuple(listened(plan_of(seed)))


def lived(plan: RunPlan, make: Any) -> tuple[World, list[tuple[Watch, list[Reply]]]]:
    """Play a run live with a detector at each node; return the world, and of each life what was asked and answered."""
    made: list[_Logged] = []
    world = plan.play(lambda *arguments: _Logged(make, made, arguments), watchers=None)
    return world, [(_watch_of(plan, world, one), one.replies) for one in made]


def _watch_of(plan: RunPlan, world: World, one: _Ears) -> Watch:
    node = next(node for node in world.nodes if node not in one.peers)
    host = world.simulation.hosts[node]
    return Watch(
        plan=plan, node=node, peers=tuple(one.peers), made=one.made, calls=tuple(one.calls),
        born=(one.made - host.offset) / host.rate, rate=host.rate,
    )  # fmt: skip


class _Answered:
    """A detector that answers what another one answered."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self.replies = iter(replies)

    def beat(self, peer: int, number: int, sent_at: float, now: float) -> None:
        """Stop the node where the other one did."""
        self._next()

    def suspects(self, now: float) -> Any:
        """Return the next answer."""
        return self._next()

    def _next(self) -> Any:
        reply = next(self.replies)
        if not reply.right:
            raise RuntimeError(reply.error or reply.wrong)
        return reply.value


def replayed(plan: RunPlan, answers: Sequence[Sequence[Reply]]) -> Trace:
    """Return the trace of this run with detectors at node 1 that answer what the student's detectors answered."""
    lives = iter(answers)
    return plan.play(lambda *arguments: _Answered(next(lives))).trace
