"""What happens in a seed of lab 08, and what each object of the class was asked and answered in it.

    play_seed(cls, 7)     people talk; followers crash or are cut off; people talk on; they come back; more goes wrong; in the end all is well
        |-- talk --|x  crash, of one or of two |-- talk --|^  restart |-- talk, or quiet, while it catches up --| ... |-- last words --|

In some runs the chat is quiet from the restart on, so that only an answer can tell which number is the newest one.  In the
others everything is mended before the last words, so whoever takes them in knows what there is.

Read also `stage` (the actor), `checks` (the judge).
"""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from chatsys.errors import Runaway, told
from chatsys.isolation.calls import Call
from chatsys.sim.disk import DiskModel
from chatsys.sim.world import World
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab08.frames import shown
from chatsys.teach.labs.lab08.stage import ROOM, catch_up

SETTLES = 12.0
"""Seconds after the last fault in which every node must have everything; most are level after one or two."""
BUSIEST = 4_000
"""So many events in one second are a storm without end."""
INSTANT = DiskModel(shortest=0.0, longest=0.0)
"""A disk that needs no time: a crash never comes between the disk and the screen."""
TEXTS = ("hello", "ok", "ok", "pay", "yes", "no", "tea?", "late", "see you")
AUTHORS = ("ann", "bob", "cid")


class CatchUpCall(msgspec.Struct, frozen=True):
    """One call of the student's class at one node, and what came of it."""

    time: float
    asked: Call
    answer: Any = None
    error: str = ""

    @property
    def call(self) -> str:
        """The call as it stands in a story."""
        given = self.asked.arguments
        if self.asked.method == "live":
            return f"live({given[0]}, {given[1].text!r:.20})"
        if self.asked.method == "serve":
            return f"serve(log of {len(given[0])}, {given[1]}, {given[2]})"
        return f"{self.asked.method}({', '.join(map(shown, given))})"

    @property
    def returned(self) -> str:
        """The answer as it stands in a story."""
        return self.error or shown(self.answer)


class ObjectLife(msgspec.Struct, frozen=True):
    """The student's object of one life of a node, and all of its calls."""

    node: int
    last: int
    peers: tuple[int, ...]
    room: int
    begun: float
    """When the object was made."""
    calls: list[CatchUpCall]


class CatchUpRun(msgspec.Struct, frozen=True):
    """One run: the world, and what was asked of each object."""

    world: World
    lives: list[ObjectLife]
    name: str
    """How a sentence about it begins: "With seed 7"."""
    endless: list[str]
    """A sentence if the nodes sent messages without end."""

    @property
    def over(self) -> bool:
        """Whether nothing more can be learned from it."""
        return bool(self.endless or self.world.failures)

    @property
    def leader(self) -> int:
        """The node that leads."""
        return self.world.nodes[-1]

    @property
    def up(self) -> list[int]:
        """The nodes that are up."""
        return [node for node, now in self.world.status().items() if now["alive"]]

    @property
    def level(self) -> bool:
        """Whether every node is up and has shown every number that there is."""
        hosts = [self.world.simulation.hosts[node] for node in self.world.nodes]
        return all(one.ready and one.actor.knows and len(one.actor.numbers) >= self.newest for one in hosts)  # type: ignore[attr-defined]

    @property
    def newest(self) -> int:
        """The number of the newest message."""
        return int(self.world.simulation.hosts[self.leader].actor.newest)  # type: ignore[attr-defined]

    def go_on(self, seconds: float, until: Callable[[], bool] | None = None) -> None:
        """Let time go on, unless the run is over."""
        if self.over:
            return
        try:
            if until is None:
                self.world.run(seconds)
            else:
                self.world.until(lambda: self.over or until(), limit=seconds, quiet=True)
        except Runaway as error:
            self.endless.append(told(error))

    def say(self, text: str, author: str = "ann") -> None:
        """Let somebody say something at the leader."""
        if not self.over:
            self.world.say(text, self.leader, author=author)

    def do(self, verb: str, *arguments: Any) -> None:
        """Let something happen to the nodes, unless the run is over."""
        if not self.over:
            getattr(self.world, verb)(*arguments)

    def crash(self, node: int) -> None:
        """Let a node crash, if it is up."""
        if node in self.up:
            self.do("crash", node)

    def restart(self, node: int) -> None:
        """Let a node come back, if it is down."""
        if node not in self.up:
            self.do("restart", node)

    def talk(self, many: int, seconds: float) -> None:
        """Let so many messages be said in so many seconds."""
        for place in range(many):
            if self.over:
                return
            self.say(TEXTS[(self.newest * 7 + place) % len(TEXTS)], AUTHORS[self.newest % len(AUTHORS)])
            self.go_on(seconds / many)


class _Watched:
    """The student's object of one life, with its calls written down."""

    def __init__(self, mine: Any, kept: ObjectLife, clock: Callable[[], float]) -> None:
        self.mine, self.kept, self.clock = mine, kept, clock

    def live(self, number: int, message: Any) -> Any:
        """Pass on the call and the answer."""
        return self._ask("live", number, message)

    def chunk(self, first: int, messages: Any, newest: int) -> Any:
        """Pass on the call and the answer."""
        return self._ask("chunk", first, messages, newest)

    def ask(self, now: float) -> Any:
        """Pass on the call and the answer."""
        return self._ask("ask", now)

    def serve(self, log: Any, first: int, count: int) -> Any:
        """Pass on the call and the answer."""
        return self._ask("serve", log, first, count)

    def _ask(self, method: str, *arguments: Any) -> Any:
        asked = Call(method, tuple(list(one) if isinstance(one, list) else one for one in arguments))
        now = self.clock()
        try:
            answer = getattr(self.mine, method)(*arguments)
        except Exception as error:
            self.kept.calls.append(CatchUpCall(now, asked, error=told(error)))
            raise
        self.kept.calls.append(CatchUpCall(now, asked, list(answer) if isinstance(answer, list | tuple) else answer))
        return answer


def begin(cls: Any, name: str, seed: int, nodes: int = 3, room: int = ROOM, **network: Any) -> CatchUpRun:
    """Return a run in which nothing has happened yet."""
    lives: list[ObjectLife] = []
    worlds: list[World] = []

    def clock() -> float:
        return worlds[0].now if worlds else 0.0

    def made(last: int, peers: tuple[int, ...], room: int) -> _Watched:
        me = next(node for node in range(1, nodes + 1) if node not in peers)
        lives.append(ObjectLife(me, last, peers, room, clock(), []))
        return _Watched(cls(last, peers, room), lives[-1], clock)

    conditions = msgspec.structs.replace(OVERTAKING, **network)
    worlds.append(World(seed, nodes, actor=catch_up(made, room), network=conditions, disk=INSTANT, busiest=BUSIEST))
    return CatchUpRun(worlds[0], lives, name, [])


def play_seed(cls: Any, seed: int) -> CatchUpRun:
    """Return the run of this seed."""
    random = Random(f"lab 08/{seed}")
    nodes, room = random.choice((3, 3, 4)), random.choice((3, 8, 20, 100))
    network = {"longest": random.choice((0.05, 0.1, 0.3)), "duplication": random.choice((0.0, 0.0, 0.2))}
    run = begin(cls, f"With seed {seed}", seed, nodes, room, **network)
    followers = list(range(1, nodes))
    away = random.sample(followers, 2 if random.random() < 0.4 else 1)
    rate, quiet = random.choice((5, 8, 18)), random.random() < 0.3
    run.go_on(random.uniform(0.2, 1.3))
    run.talk(random.randint(1, 6), 0.4)
    for node in away:
        run.crash(node)
        run.talk(random.randint(1, 4), 0.2)
    run.talk(round(rate * 2), 2.0)
    for node in away:
        run.restart(node)
        if not quiet:
            run.talk(round(rate * 0.4), 0.4)
    if not quiet:
        _go_wrong(run, random, away[0], rate)
        _last_words(run, random)
    run.go_on(SETTLES, until=lambda: run.level)
    if not quiet and random.random() < 0.3:  # it was level once, and misses something again
        run.do("cut", run.leader, away[0], True)
        run.talk(random.randint(3, 14), 0.5)
        run.do("heal", True)
        _last_words(run, random)
        run.go_on(SETTLES, until=lambda: run.level)
    if Random(f"lab 08/{seed}/once more").random() < 0.3:
        _once_more(run, away[0])
    run.go_on(1.1)  # whoever goes on asking is seen
    return run


def _once_more(run: CatchUpRun, node: int) -> None:
    """It was level, crashes and comes back before anything is said: what it hears first is what comes live, the next number."""
    run.crash(node)
    run.go_on(0.2)
    run.restart(node)
    run.talk(4, 0.2)
    run.go_on(SETTLES, until=lambda: run.level)


def _go_wrong(run: CatchUpRun, random: Random, node: int, rate: int) -> None:
    """People talk while this node catches up, and something goes wrong in the middle of it."""
    run.talk(round(rate * 0.5), 0.5)
    others = [one for one in range(1, run.leader) if one != node]
    what = random.choice(("nothing", "server", "cut", "lose", "again"))
    if what == "server":
        for one in others:
            run.crash(one)
    elif what == "cut":
        run.do("cut", node, random.choice([*others, run.leader]))
    elif what == "lose":
        run.do("lose", "*", node, 0.4)
    elif what == "again":
        run.crash(node)
    run.talk(round(rate * 1.2), 1.2)
    run.restart(node)
    run.talk(round(rate * 0.5), 0.5)


def _last_words(run: CatchUpRun, random: Random) -> None:
    """All is mended, then the last messages are said."""
    run.do("heal", True)
    for node in range(1, run.leader):
        run.restart(node)
    run.go_on(0.4)
    run.talk(random.randint(1, 3), 0.3)
