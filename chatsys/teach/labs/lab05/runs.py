"""What happens in a seed of lab 05, and what each class was asked and answered in it.

    play_seed(cls, 7)    first calm, then faults, then calm; in some the highest node comes back
        |-- 6 s --|---- up to 3 faults ----|-- 6 s --|-- back, 6 s --|
        highest                            one       highest

A `Check` says what must be true at which moment; the run notes for each what every node was then.

Read also `stage` (the actor), `checks` (the judge).
"""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from chatsys.errors import Runaway, told
from chatsys.isolation.calls import Call
from chatsys.sim.world import World
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab05.orders import shown
from chatsys.teach.labs.lab05.stage import Doubt, TimersName, election

WITHIN = 6.0
"""Seconds after the last fault in which a leader must be found."""
BUSIEST = 2_000
"""So many events in one second are a storm without end."""


class AskedCall(msgspec.Struct, frozen=True):
    """One call of the student's class at one node, and what came of it."""

    node: int
    time: float
    asked: Call
    answer: Any = None
    """What it returned: a list of orders if it is right."""
    error: str = ""

    @property
    def call(self) -> str:
        """The call as it stands in a story."""
        return f"{self.asked.method}({', '.join(map(shown, self.asked.arguments))})"

    @property
    def returned(self) -> str:
        """The answer as it stands in a story."""
        return self.error or shown(self.answer)


class Life(msgspec.Struct, frozen=True):
    """The student's object at one node in one life: how it was made, and all of its calls."""

    node: int
    made: tuple[Any, ...]
    calls: list[AskedCall]


class Moment(msgspec.Struct, frozen=True):
    """What every live node was at one moment: node -> (role, term, leader)."""

    time: float
    aspect: str
    """What is judged here: `highest` or `one`."""
    story: str
    """What had happened before it, in words that follow on "6 s after"."""
    nodes: dict[int, tuple[str, int, Any]]


class ElectionRun(msgspec.Struct, frozen=True):
    """One run: the world, what was asked at each node, and what the nodes were at the moments that are judged."""

    world: World
    lives: list[Life]
    moments: list[Moment]
    name: str
    """How a sentence about it begins: "With seed 7"."""
    endless: list[str]
    """A sentence if the nodes sent messages without end."""

    def of(self, node: int) -> list[AskedCall]:
        """Return the calls at one node."""
        return [call for life in self.lives if life.node == node for call in life.calls]

    @property
    def over(self) -> bool:
        """Whether nothing more can be learned from it."""
        return bool(self.endless or self.world.failures)

    def until(self, time: float, aspect: str = "", story: str = "") -> None:
        """Let time go on to this moment, and look at the nodes there if something is judged."""
        if self.over:
            return
        try:
            self.world.run(max(0.0, time - self.world.now))
        except Runaway as error:
            self.endless.append(told(error))
            return
        if aspect and not self.over:
            up = {node: now for node, now in self.world.status().items() if now["alive"]}
            seen = {node: (now["role"], now["term"], now["leader"]) for node, now in up.items()}
            self.moments.append(Moment(self.world.now, aspect, story, seen))


class _Watched:
    """The student's object at one node in one life, with its calls written down."""

    def __init__(self, mine: Any, life: Life, clock: Callable[[], float]) -> None:
        self.mine, self.life, self.clock = mine, life, clock

    def suspect(self) -> Any:
        """Pass on the call and the answer."""
        return self._ask("suspect")

    def receive(self, sender: int, message: Any) -> Any:
        """Pass on the call and the answer."""
        return self._ask("receive", sender, message)

    def wake(self) -> Any:
        """Pass on the call and the answer."""
        return self._ask("wake")

    def _ask(self, method: str, *arguments: Any) -> Any:
        asked, now = Call(method, arguments), self.clock()
        try:
            answer = getattr(self.mine, method)(*arguments)
        except Exception as error:
            self.life.calls.append(AskedCall(self.life.node, now, asked, error=told(error)))
            raise
        self.life.calls.append(AskedCall(self.life.node, now, asked, answer))
        return answer


def begin(cls: Any, name: str, seed: int, nodes: int, timers: TimersName = "spread", **network: Any) -> ElectionRun:
    """Return a run in which nothing has happened yet."""
    lives: list[Life] = []
    worlds: list[World] = []

    def clock() -> float:
        return worlds[0].now if worlds else 0.0

    def made(me: int, others: list[int], term: int) -> _Watched:
        lives.append(Life(me, (me, others, term), []))
        return _Watched(cls(me, others, term), lives[-1], clock)

    conditions = msgspec.structs.replace(OVERTAKING, **network)
    worlds.append(World(seed, nodes, actor=election(made, timers), network=conditions, busiest=BUSIEST))
    return ElectionRun(worlds[0], lives, [], name, [])


def play_seed(cls: Any, seed: int) -> ElectionRun:
    """Return the run of this seed."""
    random = Random(f"lab 05/{seed}")
    nodes = random.choice((3, 3, 3, 4, 5))
    run = begin(cls, f"With seed {seed}", seed, nodes)
    world = run.world
    late = random.random() < 0.3
    if late:
        crash(run, nodes)
        run.until(4.0)
        restart(run, nodes)
    run.until(world.now + WITHIN, "highest", f"node {nodes} {'started last' if late else 'and all others had started'}")
    story = ""
    for fault in random.choices((_crash, _blink, _cut, _partition, _lossy, _slow), k=random.randint(1, 3)):
        story = fault(run, random)
    world.heal(True)
    run.until(world.now + WITHIN, "one", story)
    if nodes in _down(run):
        restart(run, nodes)
        run.until(world.now + WITHIN, "highest", f"node {nodes} came back")
    return run


def crash(run: ElectionRun, node: int) -> None:
    """Let a node crash, unless it is down already."""
    if node not in _down(run):
        run.world.crash(node)


def restart(run: ElectionRun, node: int) -> None:
    """Let a node start again, unless it is up."""
    if node in _down(run):
        run.world.restart(node)


def doubt(run: ElectionRun, node: int) -> None:
    """Let a node suspect its leader now, if it is up."""
    if node not in _down(run):
        run.world.command(node, Doubt())


def _down(run: ElectionRun) -> list[int]:
    return [node for node, now in run.world.status().items() if not now["alive"]]


def _mostly_the_leader(run: ElectionRun, random: Random) -> int:
    leaders = [node for node, now in run.world.status().items() if now["role"] == "leader"]
    some: list[int] = leaders if leaders and random.random() < 0.8 else list(run.world.nodes)
    return random.choice(some)


def _crash(run: ElectionRun, random: Random) -> str:
    """A node crashes, mostly the leader; if one is down already, that one comes back."""
    for node in _down(run):
        restart(run, node)
        run.until(run.world.now + random.uniform(0.1, 1.5))
        return f"node {node} came back"
    node = _mostly_the_leader(run, random)
    crash(run, node)
    run.until(run.world.now + random.choice((0.0, 1.0, 3.0)))
    return f"node {node} had crashed"


def _blink(run: ElectionRun, random: Random) -> str:
    """A node crashes, mostly the leader, and is back at once."""
    node = _mostly_the_leader(run, random)
    crash(run, node)
    run.until(run.world.now + random.uniform(0.05, 0.5))
    restart(run, node)
    run.until(run.world.now + random.uniform(0.5, 3.0))
    return f"node {node} was back from a crash"


def _cut(run: ElectionRun, random: Random) -> str:
    """One way of one link is cut for a while."""
    a, b = random.sample(run.world.nodes, 2)
    run.world.cut(a, b, True)
    return _after(run, random, f"node {b} heard node {a} again")


def _partition(run: ElectionRun, random: Random) -> str:
    """The nodes are parted for a while."""
    nodes = list(run.world.nodes)
    random.shuffle(nodes)
    run.world.partition(nodes[: random.randint(1, len(nodes) - 1)])
    return _after(run, random, "the cut between the nodes was mended")


def _lossy(run: ElectionRun, random: Random) -> str:
    """Messages get lost for a while."""
    run.world.lose("*", "*", random.choice((0.3, 0.6)))
    return _after(run, random, "the last message was lost")


def _slow(run: ElectionRun, random: Random) -> str:
    """Messages take longer than anybody waits, for a while."""
    run.world.slow("*", "*", 0.3, random.choice((0.5, 1.5)))
    return _after(run, random, "the network was quick again")


def _after(run: ElectionRun, random: Random, story: str) -> str:
    run.until(run.world.now + random.uniform(2.0, 5.0))
    run.world.heal(True)
    return story
