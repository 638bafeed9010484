"""The judge of 3.2, the gap request: live, since what a queue asks for decides what arrives.

Each world loses messages for a while, and its last message is lost to node 1 for sure.  Then nothing is
lost any more, so whoever asks for what is missing, and goes on asking, gets it: no right answer fails by bad luck.

Read also `stage` (who asks `missing` every 0.4 s), `runs` (what is said), `checks` (the judge of 3.1).
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from chatsys.sim.network import Conditions
from chatsys.sim.world import World
from chatsys.teach.grading.lab import RUNS, Finding, Step
from chatsys.teach.labs.lab03.reading import CAUSE, PLAIN, WAITS, numbers
from chatsys.teach.labs.lab03.runs import AUTHORS, draw_text, script
from chatsys.teach.labs.lab03.stage import total_order
from chatsys.trace import Record, Trace

LOSSY, QUIET = 1.0, 10.0
"""So many seconds after the last message nothing is lost any more; at the latter everything must have arrived."""

_runs: WeakKeyDictionary[Any, dict[int, World]] = WeakKeyDictionary()
"""The worlds of each trial, for the judges that look at the same runs."""


def play_asking(trial: Any, seed: int) -> World:
    """Return the world of this seed, in which the student's queues ask for what is missing.

    The last message is said on the sequencer while its link to node 1 is cut, so nothing follows that could show the gap.
    A second later nothing is lost any more: who asks for what is missing, and goes on asking, gets it.
    """
    runs = _runs.setdefault(trial, {})
    if seed not in runs:
        random = Random(f"lab 03/asking/{seed}")
        network = Conditions(
            shortest=0.01, longest=random.choice((0.1, 0.3)), tail=0.0, duplication=random.choice((0.0, 0.2)),
            in_order=False,
        )  # fmt: skip
        world = World(seed, actor=total_order(trial.cls, asks=True), network=network, busiest=5000)
        world.lose("*", "*", random.choice((0.1, 0.3)))
        end = script(world, random, 7, pause=0.3)
        end = round(end + 3, 3)  # until then everything has its number
        world.at(end, "cut", 1, 3)
        world.at(end, "say", draw_text(random), 3, "main", AUTHORS[2])
        world.at(round(end + 0.001, 3), "reconnect", 1, 3)
        world.at(end + LOSSY, "heal", True)
        world.run(end + QUIET)
        runs[seed] = world
    return runs[seed]


class Ask(msgspec.Struct, frozen=True):
    """One request for a missing message."""

    node: int
    number: int
    time: float
    missing: tuple[int, ...]
    """The numbers that this node knew of and did not have."""
    complete: bool
    """Whether it had every message that was ever said."""


def asks_of(world: World) -> list[Ask]:
    """Return every request of the run, with what was missing at that moment."""
    asks: list[Ask] = []
    every = max((record.seq or 0 for record in world.trace.of("send") if record.message == "ORDERED"), default=0)
    had: dict[Any, set[int]] = {node: set() for node in world.nodes}
    newest = dict.fromkeys(world.nodes, 0)
    for record in world.trace:
        node, number = record.node, record.seq or 0
        if record.kind == "receive" and record.message in ("ORDERED", "NEWEST") and isinstance(node, int):
            newest[node] = max(newest[node], number)
            if record.message == "ORDERED":
                had[node].add(number)
        elif record.kind == "send" and record.message == "RESEND" and isinstance(node, int):
            missing = tuple(n for n in range(1, newest[node] + 1) if n not in had[node])
            asks.append(Ask(node, number, record.time, missing, len(had[node]) == every))
    return asks


def judge_asking(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """3.2: complete, last, smallest, quiet."""
    for seed in seeds:
        world = play_asking(trial, seed)
        if world.failures:
            node, why = world.failures[0]
            time = world.trace.of("broken")[0].time
            broke = (
                f"{why}; give a number or None" if why.startswith("missing returned") else f"your class raised {why}"
            )
            sentence = f"node {node} stopped at {time:.2f} s, because {broke}"
            yield _of_run(RUNS, world, sentence)
            return
        asks = asks_of(world)
        for node in world.nodes[:-1]:
            yield from _judge_gaps(node, asks, world)
        yield from _judge_asks(asks, world)


def _judge_gaps(node: int, asks: Sequence[Ask], world: World) -> Iterator[Finding]:
    """Find what never arrived at this node."""
    received = _times(world.trace, "receive", node)
    sent = _times(world.trace, "send", world.nodes[-1])
    largest = max(received, default=0)
    for number in sorted(set(sent) - set(received)):
        asked = [ask for ask in asks if ask.node == node and ask.number == number]
        times = f"it asked for it {len(asked)} times"
        if not asked:
            times = "it never asked for it"
        elif len(asked) == 1:
            times = f"it asked for it once, at {asked[0].time:.2f} s, and a request or its answer can be lost, too"
        if number < largest:
            seen = next(n for n in sorted(received, key=received.__getitem__) if n > number)
            story = f"node {node} had #{seen} at {received[seen]:.2f} s and never got #{number}: {times}"
            yield _of_run("complete", world, story, _steps(asks, node), CAUSE)
            return
        told = next((r.time for r in world.trace if _is_told(r, node, number)), sent[number])
        story = (
            f"#{number}, the last message, was lost on its way to node {node}. From {told:.2f} s on `newest` was {number}; "
            f"{times}" + ("" if asked else ". No message comes after the last one to show the gap")
        )
        yield _of_run("last", world, story, _steps(asks, node), WAITS)
        return


def _judge_asks(asks: Sequence[Ask], world: World) -> Iterator[Finding]:
    """Find requests for the wrong number, and those after everything has arrived."""
    late = [ask for ask in asks if ask.complete]
    if late:
        one = late[0]
        more = f", and {len(late) - 1} more times" if len(late) > 1 else ""
        story = f"node {one.node} had received everything and asked for #{one.number} at {one.time:.2f} s{more}"
        yield _of_run("quiet", world, story, _steps(asks, one.node, one))
    for ask in asks:
        if ask.number in ask.missing[1:]:
            story = (
                f"at {ask.time:.2f} s node {ask.node} lacked {numbers(ask.missing)[1:-1]} and asked for #{ask.number}; "
                f"all that waits, waits for #{ask.missing[0]}"
            )
            yield _of_run("smallest", world, story, _steps(asks, ask.node, ask))
            return


def _is_told(record: Record, node: int, number: int) -> bool:
    return (
        record.kind == "receive" and record.message == "NEWEST" and record.node == node and (record.seq or 0) >= number
    )


def _times(trace: Trace, kind: str, node: int) -> dict[int, float]:
    """Return when each number was first sent or received by this node."""
    times: dict[int, float] = {}
    for record in trace.of(kind):
        if record.node == node and record.message == "ORDERED":
            times.setdefault(record.seq or 0, record.time)
    return times


def _steps(asks: Sequence[Ask], node: int, wrong: Ask | None = None) -> tuple[Step, ...]:
    """Return the requests of a node as lines of a story."""
    mine = [ask for ask in asks if ask.node == node]
    place = mine.index(wrong) if wrong is not None else len(mine)
    return tuple(
        Step(
            call="missing",
            returned=f"#{ask.number}",
            expected=f"#{ask.missing[0]}" if ask.missing else "None",
            waiting="lacks " + (numbers(ask.missing)[1:-1] or "nothing"),
            when=f"{ask.time:.2f} s",
            wrong=ask is wrong,
        )
        for ask in mine[max(0, place - 20) : place + 4]
    )


def _of_run(aspect: str, world: World, story: str, steps: tuple[Step, ...] = (), rank: int = PLAIN) -> Finding:
    sentence = f"With seed {world.seed} {story}."
    return Finding(
        aspect=aspect, sentence=sentence, seed=world.seed, trace=world.trace.encode(), steps=steps, rank=rank
    )
