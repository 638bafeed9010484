"""A run of lab 06 that a judge plays, and what the class was asked and answered at each node.

    run = begin(cls, "With seed 7", 7)      nothing has happened yet
    run.say(1, "hello"); run.go_on(2.0)     the verbs do nothing once a class has stopped its node
    run.of(3)                               what the class was asked at node 3, and what it answered

Read also `fates` (what happens in a seed), `stage` (the actor), `checks` (the judge).
"""

from collections.abc import Callable
from typing import Any

import msgspec

from chatsys.errors import Runaway, told
from chatsys.isolation.calls import Call
from chatsys.sim.world import World
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab06.frames import shown
from chatsys.teach.labs.lab06.stage import Repeat, fail_over

BUSIEST = 2_000
"""So many events in one second are a storm without end."""


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
