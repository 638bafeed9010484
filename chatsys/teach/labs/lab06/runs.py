"""What happens in a seed of lab 06, and what each class was asked and answered in it.

    play_seed(cls, 7)    people talk; the leader crashes or sleeps in the middle of what it sends; people talk on
        |-- talk --|-- the last messages of a leader: each copy arrives, is lost or is late --|x  crash, or a pause of 4 s
                                                                                              |-- talk, 8 s --| ... once more?

A copy of a leader's last messages is lost where its link is cut before they are said, and late where the link is slow: a crash
in the middle of a broadcast, for every follower apart.

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
from chatsys.teach.labs.lab06.frames import shown
from chatsys.teach.labs.lab06.stage import Repeat, fail_over

SETTLES = 7.0
"""Seconds after a crash or a pause in which all must be well again."""
SLEEP = 4.0
"""Seconds that a leader is paused."""
LATE = 2.4, 4.0
"""Seconds that a late copy takes, at least and at most: a newer leader collects or leads meanwhile."""
FATES = ("arrives", "arrives", "lost", "late")
"""What becomes of a copy."""
BUSIEST = 2_000
"""So many events in one second are a storm without end."""
TEXTS = ("hello", "ok", "ok", "pay", "yes", "no", "tea?", "late", "see you")


class NodeCall(msgspec.Struct, frozen=True):
    """One call of the student's class at one node, and what came of it."""

    node: int
    time: float
    asked: Call
    answer: Any = None
    error: str = ""

    @property
    def call(self) -> str:
        """The call as it stands in a story."""
        return f"{self.asked.method}({', '.join(map(shown, self.asked.arguments))})"

    @property
    def returned(self) -> str:
        """The answer as it stands in a story."""
        return self.error or shown(self.answer)


class NodeObject(msgspec.Struct, frozen=True):
    """The student's object at one node, and all of its calls."""

    node: int
    calls: list[NodeCall]


class FailOverRun(msgspec.Struct, frozen=True):
    """One run: the world, and what was asked at each node."""

    world: World
    objects: list[NodeObject]
    name: str
    """How a sentence about it begins: "With seed 7"."""
    endless: list[str]
    """A sentence if the nodes sent messages without end."""

    @property
    def over(self) -> bool:
        """Whether nothing more can be learned from it."""
        return bool(self.endless or self.world.failures)

    @property
    def up(self) -> list[int]:
        """The nodes that are up."""
        return [node for node, now in self.world.status().items() if now["alive"]]

    @property
    def leader(self) -> int | None:
        """The node that leads the newest term, of those that are up."""
        led = [
            (now["term"], node) for node, now in self.world.status().items() if now["alive"] and now["role"] == "leader"
        ]
        return max(led)[1] if led else None

    def of(self, node: int) -> list[NodeCall]:
        """Return the calls at one node."""
        return [call for one in self.objects if one.node == node for call in one.calls]

    def go_on(self, seconds: float) -> None:
        """Let time go on, unless the run is over."""
        if self.over:
            return
        try:
            self.world.run(seconds)
        except Runaway as error:
            self.endless.append(told(error))

    def say(self, node: int, text: str, author: str = "ann") -> None:
        """Let somebody say something at a node, if it is up."""
        if not self.over and node in self.up:
            self.world.say(text, node, author=author)

    def repeat(self, node: int, author: str, post: int, text: str) -> None:
        """Let somebody say again at this node what they said at another one."""
        if not self.over and node in self.up:
            self.world.command(node, Repeat(author, post, text))

    def do(self, verb: str, *arguments: Any) -> None:
        """Let something happen to the nodes, unless the run is over."""
        if not self.over:
            getattr(self.world, verb)(*arguments)


class _Watched:
    """The student's object at one node, with its calls written down."""

    def __init__(self, mine: Any, kept: NodeObject, clock: Callable[[], float]) -> None:
        self.mine, self.kept, self.clock = mine, kept, clock

    def admits(self, kind: str, term: int, sender: int) -> Any:
        """Pass on the call and the answer."""
        return self._ask("admits", kind, term, sender)

    def lead(self, term: int, answers: Any) -> Any:
        """Pass on the call and the answer."""
        return self._ask("lead", term, answers)

    def order(self, author: str, post: int, text: str) -> Any:
        """Pass on the call and the answer."""
        return self._ask("order", author, post, text)

    def _ask(self, method: str, *arguments: Any) -> Any:
        kept = {node: list(held) for node, held in arguments[1].items()} if method == "lead" else None
        asked = Call(method, arguments if kept is None else (arguments[0], kept))
        now = self.clock()
        try:
            answer = getattr(self.mine, method)(*arguments)
        except Exception as error:
            self.kept.calls.append(NodeCall(self.kept.node, now, asked, error=told(error)))
            raise
        self.kept.calls.append(
            NodeCall(self.kept.node, now, asked, list(answer) if isinstance(answer, list) else answer)
        )
        return answer


def begin(cls: Any, name: str, seed: int, nodes: int = 3, **network: Any) -> FailOverRun:
    """Return a run in which nothing has happened yet."""
    objects: list[NodeObject] = []
    worlds: list[World] = []

    def clock() -> float:
        return worlds[0].now if worlds else 0.0

    def made(me: int) -> _Watched:
        objects.append(NodeObject(me, []))
        return _Watched(cls(me), objects[-1], clock)

    conditions = msgspec.structs.replace(OVERTAKING, **network)
    worlds.append(World(seed, nodes, actor=fail_over(made), network=conditions, busiest=BUSIEST))
    return FailOverRun(worlds[0], objects, name, [])


def play_seed(cls: Any, seed: int) -> FailOverRun:
    """Return the run of this seed."""
    random = Random(f"lab 06/{seed}")
    nodes = random.choice((3, 3, 4))
    run = begin(cls, f"With seed {seed}", seed, nodes)
    run.go_on(0.2)
    _talk(run, random, random.randint(1, 4))
    run.go_on(1.0)
    for _ in range(nodes - 2 if random.random() < 0.6 else 1):
        _lose_the_leader(run, random)
        _talk(run, random, random.randint(1, 2))
        run.go_on(2.0)
    return run


def _talk(run: FailOverRun, random: Random, many: int) -> None:
    for _ in range(many):
        if run.over:
            return
        run.say(random.choice(run.up), random.choice(TEXTS), random.choice(("ann", "bob")))
        run.go_on(random.uniform(0.05, 0.4))


def _lose_the_leader(run: FailOverRun, random: Random) -> None:
    """The leader says some last things, of which each copy has a fate of its own; then it crashes or sleeps."""
    leader = run.leader
    if leader is None or run.over:
        return
    sleeps = random.random() < 0.4
    possible = [one for one in FATES if one != "lost" or not sleeps]  # what a leader that lives has sent is not lost
    texts = [random.choice(TEXTS) for _ in range(random.randint(1, 3))]
    at_leader, followers = random.random() < 0.6, [node for node in run.up if node != leader]
    fates = [{node: random.choice(possible) for node in followers} for _ in texts]
    if at_leader:  # who says it is gone with the leader, so nobody says it again
        last_words(run, leader, texts, fates, late=random.uniform(*LATE))
    else:
        last_words(
            run, leader, texts, fates[:1] * len(texts), late=random.uniform(*LATE), speaker=random.choice(followers)
        )
    run.do("pause" if sleeps else "crash", leader)
    run.do("heal", True)
    run.go_on(random.uniform(0.1, 0.6))
    if random.random() < 0.7:  # said while nobody leads, or while the leader sleeps
        _talk(run, random, random.randint(1, 2))
    if sleeps:
        run.go_on(SLEEP)
        run.do("resume", leader)
        run.go_on(random.uniform(0.0, 0.3))
        _talk(run, random, 1)
    run.go_on(SETTLES)


def last_words(
    run: FailOverRun,
    leader: int,
    texts: list[str],
    fates: list[dict[int, str]],
    *,
    late: float,
    speaker: int | None = None,
) -> None:
    """Let the leader number these; the copies of each to the followers arrive, are lost or are late, as its fates say."""
    for text, fate in zip(texts, fates, strict=True):
        run.do("heal", True)
        for node, what in fate.items():
            if what == "lost":
                run.do("cut", leader, node, True)
            elif what == "late":
                run.do("slow", leader, node, late)
        run.say(speaker or leader, text, "cid")
        run.go_on(0.15 if speaker else 0.02)
    run.go_on(0.12)
