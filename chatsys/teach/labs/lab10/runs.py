"""Runs of the whole chat of lab 10: people talk on both sides of a cut, which is mended again.

    play_cut(actor, 7)    |-- talk --| cut {3} | {1, 2}: 6 s of talk on both sides |-- mended, 7 s --|

Who leads when the cut comes is the highest node.  It may be alone, with one other, or with the majority; with four nodes
there are cuts behind which nobody has a majority.

Read also `stage` (the node), `checks` and `voting` (the judges).
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from random import Random
from typing import Any

import msgspec

from chatsys.errors import Runaway, told
from chatsys.sim.world import World
from chatsys.teach.grading.lab import RUNS, Finding
from chatsys.teach.labs.lab10.words import contradicts, why_stopped
from chatsys.trace import Record

CUT, HEAL, END = 2.5, 9.5, 18.0
"""When the cut comes, when it is mended, and when the run ends (seconds)."""
ENOUGH = 6.0
"""Seconds in which the side with a majority must go on."""
UNDER_WAY = 0.2
"""What is answered so soon after the cut was on its way before it."""
BUSIEST = 4_000


class CutRun(msgspec.Struct, frozen=True):
    """A run, and its two sides."""

    world: World
    sides: tuple[tuple[int, ...], tuple[int, ...]]
    name: str
    endless: str = ""

    @property
    def many(self) -> int:
        """How many nodes there are."""
        return len(self.sides[0]) + len(self.sides[1])

    def has_majority(self, node: int) -> bool:
        """Tell whether this node is on a side with more than half of all."""
        return 2 * len(next(side for side in self.sides if node in side)) > self.many

    def answered(self, since: float = 0.0, until: float = END) -> list[Record]:
        """Return who was answered ok in this time; `node` of a record is its client's."""
        return [one for one in self.world.trace.of("ack") if since <= one.time <= until]


def play_cut(actor: Any, seed: int) -> CutRun:
    """Return the run of this seed."""
    random = Random(f"lab 10/cut/{seed}")
    many = random.choice((3, 3, 4, 5))
    nodes = list(range(1, many + 1))
    apart = random.randint(1, many // 2)
    leader_apart = random.random() < 0.7
    few = tuple(sorted(([many] if leader_apart else []) + random.sample(nodes[:-1], apart - leader_apart)))
    rest = tuple(node for node in nodes if node not in few)
    return play(actor, seed, (few, rest), random)


def play(actor: Any, seed: int, sides: tuple[tuple[int, ...], tuple[int, ...]], random: Random) -> CutRun:
    """Return the run with a cut between these two sides."""
    world = World(seed, sum(map(len, sides)), actor=actor, busiest=BUSIEST)
    name = f"With seed {seed}, cut {_side(sides[0])} | {_side(sides[1])} at {CUT} s,"
    world.at(CUT, "partition", sides[0], sides[1])
    world.at(HEAL, "heal")
    try:
        world.run(1.5)
        for at in range(7):
            for side in sides:
                node = random.choice(side)
                if world.status()[node]["alive"]:
                    world.say(f"{at} at {node}", node, author=f"p{node}")
            world.run(1.1)
        world.run(END - world.now)
    except Runaway as error:
        return CutRun(world, sides, name, told(error))
    return CutRun(world, sides, name)


def _side(nodes: tuple[int, ...]) -> str:
    return "{" + ", ".join(map(str, nodes)) + "}"


def judge_cut(actor: Any, seed: int, unsafe: str, goes_on: str = "onward") -> Iterator[Finding]:
    """Play a seed, and tell what came of it: `unsafe` and `goes_on` are the aspects that are lost."""
    run = play_cut(actor, seed)
    for aspect, sentence in tell_cut(run, unsafe, goes_on):
        yield Finding(aspect=aspect, sentence=sentence, seed=seed, trace=run.world.trace.encode(), rank=1)


def first_of_each(played: Iterable[Iterator[Finding]]) -> dict[str, Finding]:
    """Return of each aspect what was found first."""
    told: dict[str, Finding] = {}
    for one in chain.from_iterable(played):
        told.setdefault(one.aspect, one)
    return told


def tell_cut(run: CutRun, unsafe: str, goes_on: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong in a run, with its aspect."""
    if run.endless:
        yield goes_on, f"{run.name} the nodes sent messages without end: {run.endless}"
        return
    if (alone := _answered_by_few(run)) is not None:
        yield unsafe, alone
    if (lost := _lost(run)) is not None:
        yield unsafe, lost
        return
    if run.world.failures:
        node, why = run.world.failures[0]
        time = next(one.time for one in run.world.trace.of("broken") if one.node == node)
        aspect = RUNS if contradicts(why) is None else unsafe
        yield aspect, f"{run.name} node {node} stopped at {time:.2f} s, because {why_stopped(why):.110}."
        return
    if (silent := _silent(run)) is not None:
        yield goes_on, silent


def _answered_by_few(run: CutRun) -> str | None:
    """Say so if somebody was answered on a side that has no majority."""
    for one in run.answered(CUT + UNDER_WAY, HEAL):
        node = int(str(one.node).rpartition("@")[2] or 0)
        if node and not run.has_majority(node):
            return (
                f"{run.name} node {node} answered ok to “{one.text}” at {one.time:.2f} s, though its side has no majority "
                f"of the {run.many} nodes."
            )
    return None


def _lost(run: CutRun) -> str | None:
    """Say so if a message that was answered is missing in the end at a node that is up."""
    up = [node for node, now in run.world.status().items() if now["alive"]]
    shown = {node: set(run.world.delivered(node)) for node in up}
    for one in run.answered():
        lacking = [node for node in up if one.text not in shown[node]]
        if lacking:
            return (
                f"{run.name} “{one.text}” was answered ok at {one.time:.2f} s, and at {END:.0f} s node {lacking[0]} does not show it. "
                "Which node of the new majority remembered it?"
            )
    return None


def _silent(run: CutRun) -> str | None:
    """Say so if the side with a majority does not go on, or nobody does after the cut."""
    for side in run.sides:
        if 2 * len(side) > run.many:
            went_on = [one for one in run.answered(CUT + UNDER_WAY, CUT + ENOUGH) if _at(one) in side]
            if not went_on:
                return f"{run.name} nobody at nodes {', '.join(map(str, side))} was answered until {CUT + ENOUGH} s, though they are a majority."
    open_ = len(run.world.trace.of("submit")) - len(run.answered())
    if open_:
        return f"{run.name} {open_} messages had no answer at {END:.0f} s, long after the cut was mended at {HEAL} s."
    return None


def _at(ack: Record) -> int:
    return int(str(ack.node).rpartition("@")[2] or 0)
