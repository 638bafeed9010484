"""Simulation: virtual time, and everything that happens in it.  `World` is the face that people see.

Nothing waits: the earliest event is taken off a heap, and it is that late.

    heap [(time, order, action, one, two)] --earliest--> now = time; action(one, two)
       ^                                                       |
       `------------------- push -------------------------------'

    send:  sender --> gates --> network --> push(when it arrives, receiver.arrive)
    links: a host began or ended --touch--> milliseconds later its peers find out

Assumes   an action ends; what it wants to happen later it pushes.
Promises  equal times keep the order of pushing; too many events in one second of virtual time raise
          `Runaway`, so that nothing hangs.
Read also `world` (which has one), `host` (who lives here), `network`, `hold` (the gates).
"""

import heapq
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.config import ClusterConfig
from chatsys.errors import Runaway
from chatsys.sim.hold import Doorkeeper
from chatsys.sim.host import Host
from chatsys.sim.network import Conditions, Network
from chatsys.sim.recorder import Frame
from chatsys.trace import Trace


class Simulation:
    """A heap of events, the time `now` in seconds from 0, the network, and a host for each address."""

    def __init__(
        self, seed: int, config: ClusterConfig, actor: type[Actor], *, conditions: Conditions, busiest: int, turn: float
    ) -> None:
        self.seed, self.config, self.actor, self.busiest, self.turn = seed, config, actor, busiest, turn
        self.now = 0.0
        self.trace = Trace()
        self.network = Network(Random(f"{seed}/network"), conditions)
        self.hosts: dict[Address, Host] = {}
        self.gates: list[Doorkeeper] = []
        self.ambushes: dict[str, list[tuple[float, float]]] = {}
        """(delay, down) of the ambushes laid, by the moment they wait for."""
        self.failures: list[tuple[Address, str]] = []
        """Nodes that stopped themselves, and the sentence why."""
        links = Random(f"{seed}/links")
        self.glance: Callable[[Address, Address], float] = lambda observer, subject: links.random()
        """How late, between 0 and 1, an observer finds out how its link to a subject is."""
        self._heap: list[tuple[float, int, Callable[[Any, Any], None], Any, Any]] = []
        self._order = 0
        self._second, self._count = 0.0, 0

    # --- time ---------------------------------------------------------------------------

    def push(self, time: float, action: Callable[[Any, Any], None], one: Any, two: Any) -> None:
        """Let `action(one, two)` happen at `time`; equal times keep the order of pushing."""
        self._order += 1
        heapq.heappush(self._heap, (time, self._order, action, one, two))

    def _next(self) -> None:
        """Let the earliest event happen."""
        time, _, action, one, two = heapq.heappop(self._heap)
        self.now = time
        self._count += 1
        if time >= self._second:
            self._second, self._count = time + 1.0, 0
        elif self._count > self.busiest:
            raise Runaway(
                f"More than {self.busiest} events in one second, at {time:.2f} s of virtual time: "
                "some actor answers without end, or sets an alarm that is due already."
            )
        action(one, two)

    @property
    def events(self) -> int:
        """How many events happened so far."""
        return self._order - len(self._heap)

    def run(self, end: float) -> None:
        """Let everything happen that is due by `end`; then it is `end`."""
        heap, next_event = self._heap, self._next
        while heap and heap[0][0] <= end:
            next_event()
        self.now = end

    def advance(self, end: float) -> bool:
        """Let the next event happen, if it is due by `end`; if none is, it is `end`, and False is returned."""
        if not self._heap or self._heap[0][0] > end:
            self.now = end
            return False
        self._next()
        return True

    def run_until_recorded(self, end: float) -> None:
        """Let events happen until one shows in the trace, or none is due by `end`; the time stays that of the last one."""
        before = len(self.trace)
        while self._heap and self._heap[0][0] <= end and len(self.trace) == before:
            self._next()

    def reach(self, events: int, time: float) -> int | None:
        """Let events happen until there were so many; then it is `time`.

        Returns how many of these happened at that very time; None: all that there were.
        """
        at_once = 0
        while self._heap and self.events < events:
            self._next()
            at_once = at_once + 1 if self.now == time else 0
        self.now = time
        return at_once if self._heap and self._heap[0][0] <= time else None

    def approach(self, time: float, at_once: int | None) -> None:
        """Let everything happen that is due before `time`, and so many events (None: all) at it; then it is `time`."""
        while self._heap and (self._heap[0][0] < time or (at_once is None and self._heap[0][0] == time)):
            self._next()
        while at_once and self._heap and self._heap[0][0] <= time:
            self._next()
            at_once -= 1
        self.now = time

    def forget(self) -> None:
        """Let nothing happen of all that was to happen."""
        self._order -= len(self._heap)
        self._heap.clear()

    # --- frames -------------------------------------------------------------------------

    def send(self, sender: Address, to: Address, frame: Frame) -> str:
        """Put a frame on the wire; return why it vanished, "" if it is under way or waits at a gate."""
        if self.gates and any(gate.takes(sender, to, frame) for gate in self.gates):
            return ""
        receiver = self.hosts.get(to)
        if receiver is None:
            return "no such address"
        arrivals = self.network.arrivals(sender, to, self.now)
        if type(arrivals) is str:
            return arrivals
        for at in arrivals:
            self.push(at, receiver.arrive, sender, frame)  # type: ignore[arg-type]
        return ""

    def forward(self, sender: Address, to: Address, frame: Frame, seconds: float) -> None:
        """Let a frame that was sent long ago arrive after `seconds`."""
        self.push(self.now + seconds, self.hosts[to].arrive, sender, frame)

    def lose(self, sender: Address, to: Address, frame: Frame) -> None:
        """Let a frame that was sent long ago vanish."""
        self.hosts[sender].recorder.dropped(to, frame[2], "lost")

    def hand_back(self, me: Address, message: msgspec.Struct) -> None:
        """Let `me` have, as an event of its own, what it sent to itself."""
        host = self.hosts[me]
        self.push(self.now, host.own, host.lives, message)

    def finish_sync(self, me: Address, seconds: float, upto: tuple[int, int | None]) -> None:
        """Let `me` hear after `seconds` that its sync is done."""
        host = self.hosts[me]
        self.push(self.now + seconds, host.synced, host.lives, upto)

    # --- links --------------------------------------------------------------------------

    def touch(self, me: Address) -> None:
        """Something changed about `me`: let it and its peers look at their links soon."""
        for other in self.hosts:
            if other != me and not (isinstance(me, str) and isinstance(other, str)):
                self.look_later(other, me)
                self.look_later(me, other)

    def look_later(self, observer: Address, subject: Address) -> None:
        """Let `observer` find out within milliseconds how its link to `subject` is."""
        at = self.now + 0.0005 + 0.002 * self.glance(observer, subject)
        self.push(at, self._look, self.hosts[observer], self.hosts[subject])

    def _look(self, observer: Host, subject: Host) -> None:
        if not observer.ready or not self.network.is_open(observer.me, subject.me):
            return
        if observer.waits:
            observer.turns.put(subject.me if subject.me in self.config.members else None, self._look, observer, subject)
            return
        observer.learn(subject)

    # --- ambushes -----------------------------------------------------------------------

    def spring(self, moment: str, me: Address) -> None:
        """Spring one ambush on `me`, which just did what it waits for."""
        host = self.hosts[me]
        delay, down = self.ambushes[moment].pop(0)
        if not self.ambushes[moment]:
            del self.ambushes[moment]
        self.push(self.now + delay, self._strike, (host, host.lives), down)

    def _strike(self, whom: tuple[Host, int], down: float) -> None:
        host, life = whom
        if host.alive and host.lives == life:
            host.end("crash", "ambush")
            self.push(self.now + down, self._return, host, life)

    def _return(self, host: Host, life: int) -> None:
        if not host.alive and host.lives == life:
            host.recorder.write("restart")
            host.start()
