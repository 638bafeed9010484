"""What happens in a seed of lab 01, and what the student's class was asked and answered in it.

    play_sender(cls, 7)       the class talks; at the other end everything that arrives is acknowledged
    play_receiver(cls, 7)     the class listens; at the other end everything that is unanswered is sent again
    play_twice(cls)           the class talks; the acknowledgement of packet 1 comes twice, and packet 2 is lost once

    |-- 8 texts, while packets are lost, come twice, and the link is cut --|-- until all is answered --|-- quiet --|

Texts repeat: "ok" is said often, and each time it is another text.  A packet is at most 0.1 s on its way, always.

Read also `stage` (the actor), `sending` and `receiving` (what is right), `checks` (the judges).
"""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from chatsys.actor.trace_columns import columns
from chatsys.errors import Runaway, told
from chatsys.sim.chance import Rolled
from chatsys.sim.world import World
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab01.packets import Acknowledgement, Packet, shown
from chatsys.teach.labs.lab01.stage import LISTENS, TALKS, linked
from chatsys.trace import Record

TEXTS = 8
LONGEST = 6.0
"""Seconds after the last text and the last fault in which all is answered, or else the run ends."""
QUIET = 1.2
"""Seconds at the end in which nothing is due."""
BUSIEST = 2_000
"""So many events in one second are packets without end."""
SELDOM, SHOWN = 1e-9, (0, 0.0)
"""A share of frames so small that it means only those for which the dice show 0."""
SAID_OFTEN = ("ok", "ok", "yes", "on my way")
LETTERS = "abcdefghijklmnopqrstuvwxyz äöé"


class LinkCall(msgspec.Struct, frozen=True, gc=False):
    """One call of the student's class, and what came of it."""

    time: float | None
    """None: in no run, only one call after another."""
    place: int
    """Which call of its object it is, from 1."""
    method: str
    arguments: tuple[Any, ...]
    answer: Any = None
    error: str = ""

    @property
    def call(self) -> str:
        """The call as it stands in a story."""
        return f"{self.method}({', '.join(map(shown, self.arguments))})"

    @property
    def returned(self) -> str:
        """The answer as it stands in a story."""
        return self.error or shown(self.answer)

    @property
    def when(self) -> str:
        """The moment as it stands in a sentence."""
        return f"at {self.time:.2f} s" if self.time is not None else f"in call {self.place}"


class LinkRun(msgspec.Struct, frozen=True):
    """One run: the world, and what the student's object was asked in it."""

    world: World
    calls: list[LinkCall]
    name: str
    """How a sentence about it begins: "With seed 7"."""
    seed: int | None
    endless: list[str]
    """A sentence if packets were sent without end."""

    @property
    def over(self) -> bool:
        """Whether nothing more can be learned from it."""
        return bool(self.endless or self.world.failures)

    def until(self, time: float) -> None:
        """Let time go on to this moment."""
        if self.over:
            return
        try:
            self.world.run(max(0.0, time - self.world.now))
        except Runaway as error:
            self.endless.append(told(error))

    def until_answered(self, limit: float = LONGEST, quiet: float = QUIET) -> None:
        """Let time go on until each text that was said is acknowledged at node 1; then it is quiet for a while."""
        said = {one.client_seq for one in self.world.trace.of("submit")}
        answered = set[int | None]()
        seen = 0
        end = self.world.now + limit
        while not self.over and self.world.now < end and not said <= answered:
            self.until(self.world.now + 0.5)
            records = self.world.trace.records
            answered |= {one.seq for one in records[seen:] if _is_answer(one)}
            seen = len(records)
        self.until(self.world.now + quiet)


def _is_answer(record: Record) -> bool:
    return record.kind == "receive" and record.node == TALKS


class Overheard:
    """The student's object, with its calls written down."""

    def __init__(self, mine: Any, calls: list[LinkCall], clock: Callable[[], float]) -> None:
        self.mine, self.calls, self.clock = mine, calls, clock

    def say(self, text: str, now: float) -> Any:
        """Pass on the call and the answer."""
        return self._ask("say", text, now)

    def ack(self, number: int, now: float) -> Any:
        """Pass on the call and the answer."""
        return self._ask("ack", number, now)

    def tick(self, now: float) -> Any:
        """Pass on the call and the answer."""
        return self._ask("tick", now)

    def receive(self, packet: Any) -> Any:
        """Pass on the call and the answer."""
        return self._ask("receive", packet)

    def _ask(self, method: str, *arguments: Any) -> Any:
        now, place = self.clock(), len(self.calls) + 1
        try:
            answer = getattr(self.mine, method)(*arguments)
        except Exception as error:
            self.calls.append(LinkCall(now, place, method, arguments, error=told(error)))
            raise
        self.calls.append(LinkCall(now, place, method, arguments, answer))
        return answer


def begin_sender(cls: Any, name: str, seed: int, **network: Any) -> LinkRun:
    """Return a run in which nothing has happened yet; the class talks."""
    return _begin(cls, True, name, seed, network)


def begin_receiver(cls: Any, name: str, seed: int, **network: Any) -> LinkRun:
    """Return a run in which nothing has happened yet; the class listens."""
    return _begin(cls, False, name, seed, network)


def _begin(cls: Any, talks: bool, name: str, seed: int, network: dict[str, Any]) -> LinkRun:
    calls: list[LinkCall] = []
    worlds: list[World] = []

    def made() -> Overheard:
        return Overheard(cls(), calls, lambda: worlds[0].now if worlds else 0.0)

    actor = linked(sender=made) if talks else linked(receiver=made)
    actor.__name__ = "Linked"  # the trace has this name
    conditions = msgspec.structs.replace(OVERTAKING, **network)
    worlds.append(World(seed, 2, actor=actor, network=conditions, busiest=BUSIEST))
    return LinkRun(worlds[0], calls, name, seed if name == f"With seed {seed}" else None, [])


def play_sender(cls: Any, seed: int) -> LinkRun:
    """Return the run of this seed, in which the class talks."""
    return _play(begin_sender, cls, seed)


def play_receiver(cls: Any, seed: int) -> LinkRun:
    """Return the run of this seed, in which the class listens."""
    return _play(begin_receiver, cls, seed)


def play_twice(cls: Any) -> LinkRun:
    """Return a run in which the acknowledgement of packet 1 comes twice while packet 2, which was lost, is unanswered.

    The dice are told what to show: a link does this seldom, and to a sender of one packet at a time hardly ever.
    """
    run = begin_sender(cls, "In an extra run", 1, loss=SELDOM, duplication=SELDOM)
    Rolled(run.world.simulation, {
        ("loss", TALKS, LISTENS, *columns(Packet(2, "")), 1): [SHOWN],
        ("copy", LISTENS, TALKS, *columns(Acknowledgement(1)), 1): [SHOWN],
    })  # fmt: skip
    for place, text in enumerate(("Who is there?", "Ann", "Come in!")):
        run.world.at(round(0.1 + 0.02 * place, 2), "say", text, TALKS, lenient=True)
    run.until(0.2)
    run.until_answered()
    return run


def _play(begin: Callable[..., LinkRun], cls: Any, seed: int) -> LinkRun:
    random = Random(f"lab 01/{seed}")
    loss, copies = random.choice((0.0, 0.1, 0.3)), random.choice((0.0, 0.0, 0.4))
    run = begin(cls, f"With seed {seed}", seed, loss=loss, duplication=copies)
    end = talk(run, random, TEXTS)
    if random.random() < 0.5:
        end = max(end, _cut(run, random))
    run.until(end)
    run.until_answered()
    return run


def talk(run: LinkRun, random: Random, count: int, pause: float = 0.4) -> float:
    """Let texts be said at drawn moments from now on, some of them at once; return when the last one is."""
    at = run.world.now + 0.1
    for _ in range(count):
        run.world.at(round(at, 3), "say", draw_text(random), TALKS, lenient=True)
        at += random.choice((0.0, random.uniform(0.02, pause)))
    return at


def draw_text(random: Random) -> str:
    """Return a text that is said often, or one that nobody can foresee."""
    if random.random() < 0.6:
        return random.choice(SAID_OFTEN)
    return "".join(random.choice(LETTERS) for _ in range(random.randint(3, 12))).strip() or "hm"


def _cut(run: LinkRun, random: Random) -> float:
    """Cut the link in one direction or both for a while; return when it is mended."""
    begin = round(random.uniform(0.2, 2.0), 2)
    ends = random.choice(((1, 2, False), (1, 2, True), (2, 1, True)))
    end = round(begin + random.uniform(2.4, 3.4), 2)
    run.world.at(begin, "cut", *ends, lenient=True)
    run.world.at(end, "heal", lenient=True)
    return end
