"""Lab 04: nodes that beat, and a failure detector at each, which the student writes.

Every node sends a numbered beat to every other one, once in an interval.  What arrives is handed to the
detector of the node that hears it; ten times a second the detector is asked whom it suspects.  What it
says changes nothing in the run: a detector only looks.

    2 --BEAT 12, sent at 409.6--> 1: beat(2, 12, 409.6, now) on the clock of node 1
                                  1: suspects(now) -> {3}     a change of the answer is noted: suspect, restore

The clock of each node began at another moment, up to 1,000 s apart, and runs a little too fast or too slow.
The numbers of a node's beats only grow, over its restarts too: each life is written down before its first
beat leaves, and begins above all numbers of the life before it.

Assumes   nothing about the network; a beat is lost, late, or comes twice.
Promises  a detector sees nothing but beats and its own clock; each life of a node has a new detector.
Read also `runs` (what happens in a seed), `play` (the runs of the page), `protocol.failure` (the detector of the real chat).
"""

from collections.abc import Callable, Iterable
from random import Random
from typing import Any, ClassVar, Protocol

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append, Note, Send
from chatsys.actor.words import Words
from chatsys.config import ClusterConfig
from chatsys.faults import Testbed
from chatsys.teach.labs.defaults import begin_timers
from chatsys.teach.labs.prints import heard

INTERVAL, TIMEOUT = 0.8, 2.5
"""Seconds between two beats of a node, and the silence that the page speaks of: those of the real chat."""
TICK = 0.1
"""Every so many seconds a detector is asked."""
LIFE = 100_000
"""So many beats has a life at most: the numbers of the next one begin above."""


class FailureDetector(Protocol):
    """What the student writes in 4.1 and 4.2; it is made anew in each life of its node."""

    def beat(self, peer: int, number: int, sent_at: float, now: float) -> None:
        """Take in a beat of `peer`; `sent_at` is its date on the clock of the peer, `now` the date on one's own."""

    def suspects(self, now: float) -> set[int]:
        """Return the peers that are suspected now."""


Make = Callable[[list[int], float, float, float], FailureDetector]
"""Makes a detector: (peers, now, interval, timeout)."""


class Beat(msgspec.Struct, frozen=True, tag="BEAT", tag_field="type"):
    """I am alive, for the `number`-th time; on my clock it is `sent_at`."""

    number: int
    sent_at: float


class Began(msgspec.Struct, frozen=True, tag="BEGAN", tag_field="type"):
    """A life of this node began; it stands in its log before the first beat of that life leaves."""


class Watching(Actor):
    """A node of the lab: it beats, and if it is one of the `watchers`, it has a detector."""

    messages = (Beat,)
    records = (Began,)
    words = Words(heartbeat="BEAT", each_other=True)
    make: ClassVar[Make]
    interval: ClassVar[float] = INTERVAL
    timeout: ClassVar[float] = TIMEOUT
    tick: ClassVar[float] = TICK
    watchers: ClassVar[frozenset[int] | None] = None
    """The nodes that have a detector; None: all.  The others only beat, and only for these."""

    def __init__(self, me: Address, config: ClusterConfig, random: Random) -> None:
        super().__init__(me, config, random)
        self.others = [node for node in config.ids if node != me]
        watchers = type(self).watchers
        self.hearers = self.others if watchers is None else sorted(watchers - {me})
        """Who has a detector, so that my beats are of use."""
        self.number = 0
        """The number of the last beat that was sent."""
        self.detector: Any = None
        self.suspected: set[int] = set()

    def recover(self, records: Iterable[msgspec.Struct]) -> None:
        """Begin to count above all lives before this one."""
        self.number = LIFE * sum(1 for _ in records)

    def start(self, now: float) -> list[Any]:
        """Make the detector, and begin to beat and to ask."""
        watchers = type(self).watchers
        begin_timers(self, now, beat=self.interval)
        if watchers is None or self.me in watchers:
            begin_timers(self, now, tick=self.tick)
            self.detector = type(self).make(list(self.others), now, self.interval, self.timeout)
        return [Append(Began())]

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> list[Any]:
        """Hand a beat to the detector."""
        if isinstance(message, Beat) and self.detector is not None:
            self.detector.beat(sender, message.number, message.sent_at, now)
        return []

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        """Send a beat to everybody, or ask the detector."""
        if name == "tick":
            self.alarms.set("tick", now + self.tick)
            return self._note(self.detector.suspects(now))
        self.alarms.set("beat", now + self.interval)
        self.number += 1
        return [Send(node, Beat(self.number, now)) for node in self.hearers]

    def _note(self, suspects: Any) -> list[Any]:
        """Tell the trace what has changed since the last answer."""
        if not isinstance(suspects, set | frozenset) or not set(self.others).issuperset(suspects):
            peers = ", ".join(map(str, self.others))
            raise TypeError(
                f"suspects must return a set of peers ({peers}), set() for none; it returned {suspects!r:.60}"
            )
        before, self.suspected = self.suspected, set(suspects)
        return [
            *(Note("suspect", peer=peer) for peer in sorted(self.suspected - before)),
            *(Note("restore", peer=peer) for peer in sorted(before - self.suspected)),
        ]


def watching(
    detector: Any,
    interval: float = INTERVAL,
    timeout: float = TIMEOUT,
    *,
    watchers: Iterable[int] | None = None,
    tick: float = TICK,
) -> type[Watching]:
    """Return the actor of this lab with the student's class in it: `World(seed, actor=watching(MyDetector))`.

    `watchers` are the nodes that have a detector (None: all), which is asked once in `tick` seconds.
    """
    chosen = None if watchers is None else frozenset(watchers)
    parts = {"make": staticmethod(detector), "interval": interval, "timeout": timeout, "tick": tick, "watchers": chosen}
    name = getattr(detector, "__name__", "FailureDetector")
    return heard(type(f"WatchingWith{name}", (Watching,), {**parts, "__doc__": Watching.__doc__}))


def stopped(world: Testbed) -> list[str]:
    """Return a sentence for each node of a world or cluster that stopped because the student's class raised an error."""
    return [f"node {node} stopped: your class raised {why}" for node, why in world.failures]
