"""The questions of lab 03: what a hold-back queue must do, and the story of the run where it did not.

    3.1   many seeds in a World that loses, repeats and reorders messages      order, once, complete, memory
    3.2   every order in which up to six copies of four messages can arrive    exhausted

Read also `stage` (the actor around the queue), `grader` (points, time limits, sentences).
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from random import Random
from typing import Any

import cloudpickle

from chatsys.errors import told
from chatsys.sim.network import Conditions
from chatsys.sim.world import World
from chatsys.teach.grading.questions import Finding, Question
from chatsys.teach.labs.lab03.stage import Message, total_order
from chatsys.trace import Record, Trace

MESSAGES = 12
LONGEST = 6
NUMBERS = 4

Progress = Callable[[str], None]


def play(queue: type, seed: int) -> World:
    """Return the world of this `seed` after its run: twelve messages from three authors, then quiet."""
    random = Random(f"lab 03/{seed}")
    loss, duplication = random.choice((0.0, 0.1, 0.3)), random.choice((0.0, 0.15, 0.4))
    network = Conditions(
        shortest=0.01, longest=random.choice((0.1, 0.5, 1.0)), loss=loss, duplication=duplication, in_order=False
    )  # fmt: skip
    world = World(seed, actor=total_order(queue), network=network, busiest=5000)
    at = 0.1
    for number in range(1, MESSAGES + 1):
        node = random.choice(world.nodes)
        world.at(at, "say", f"message {number}", node, "main", ("ann", "bob", "eve")[node - 1])
        at = round(at + random.uniform(0.02, 0.5), 3)
    world.run(at + 20)
    return world


def judge_runs(queue: type, seeds: Sequence[int], progress: Progress) -> Iterator[Finding]:
    """3.1: play every seed and look at what each node delivered."""
    for seed in seeds:
        progress(f"seed {seed}")
        world = play(queue, seed)
        if world.failures:
            node, why = world.failures[0]
            time = world.trace.of("broken")[0].time
            yield _finding(
                "runs", seed, f"node {node} stopped at {time:.2f} s, because your queue raised {why}", world.trace
            )
            return
        if not world.trace.of("deliver"):
            yield _finding("runs", seed, "no node delivered anything at all", world.trace)
            return
        for node in world.nodes:
            yield from _judge_node(seed, node, world.trace)
    progress("2,000 messages in a row")
    yield from _judge_memory(queue)


def _judge_node(seed: int, node: int, trace: Trace) -> Iterator[Finding]:
    delivered = [record for record in trace.of("deliver") if record.node == node]
    received = [record for record in trace.of("receive") if record.node == node and record.message == "ORDERED"]
    due = 1
    for record in delivered:
        number = record.seq or 0
        came = _first(received, number)
        if node != trace.nodes[-1] and (came is None or came.time > record.time):
            story = (
                f"node {node} delivered #{number} at {record.time:.2f} s, before it received it; do all nodes share one"
            )
            yield _finding("order", seed, f"{story} list or dictionary? Make it in __init__", trace)
            break
        if number > due:
            yield _finding("order", seed, _tell_early(node, number, due, record, received), trace)
            break
        if number < due:
            again = sum(1 for other in received if other.seq == number and other.time <= record.time)
            why = f"; it had received {again} copies of it by then" if again > 1 else ""
            yield _finding("once", seed, f"node {node} delivered #{number} again at {record.time:.2f} s{why}", trace)
            break
        due += 1
    missing = sorted({record.seq or 0 for record in received} - {record.seq or 0 for record in delivered})
    if missing:
        yield _finding("complete", seed, _tell_missing(node, missing[0], received), trace)


def _tell_early(node: int, number: int, due: int, record: Record, received: list[Record]) -> str:
    came = _first(received, number)
    missing = _first(received, due)
    there = missing is not None and missing.time <= record.time
    how = f"#{due} was there since {missing.time:.2f} s" if missing and there else f"#{due} was still on its way"
    when = f"received #{number} at {came.time:.2f} s" if came else f"made #{number} itself"
    return f"node {node} delivered #{number} before #{due}: it {when} while {how}"


def _tell_missing(node: int, number: int, received: list[Record]) -> str:
    times = [f"{record.time:.2f} s" for record in received if record.seq == number]
    copies = f"at {times[0]}" if len(times) == 1 else f"at {times[0]} and again at {times[1]}"
    return f"node {node} never delivered #{number}, although it received it {copies}"


def _first(received: list[Record], number: int) -> Record | None:
    return next((record for record in received if record.seq == number), None)


def _finding(aspect: str, seed: int, story: str, trace: Trace) -> Finding:
    return Finding(aspect=aspect, sentence=f"With seed {seed} {story}.", seed=seed, trace=trace.encode())


def _judge_memory(queue: type) -> Iterator[Finding]:
    """A queue in which nothing waits must not grow with the number of messages."""
    mine: Any = queue()
    sizes = {}
    for number in range(1, 2001):
        mine.receive(number, Message(number, "ann", f"message {number}"))
        if number in (200, 2000):
            try:
                sizes[number] = len(cloudpickle.dumps(vars(mine) if hasattr(mine, "__dict__") else mine))
            except Exception as error:
                story = f"The memory of your queue cannot be measured ({error}); keep numbers, lists and dicts in it."
                yield Finding(aspect="memory", sentence=story)
                return
    if sizes[2000] > sizes[200] + 500:
        story = (
            f"After 2,000 messages in order, when nothing waits any more, your queue holds {sizes[2000]:,} bytes; after 200 "
            f"it held {sizes[200]:,}. It keeps what it has delivered."
        )
        yield Finding(aspect="memory", sentence=story)


def judge_orders(queue: type, seeds: Sequence[int], progress: Progress) -> Iterator[Finding]:
    """3.2: try every order of arrival, the short ones first; the first wrong answer is the shortest story."""
    del seeds
    for length in range(1, LONGEST + 1):
        for order in product(range(1, NUMBERS + 1), repeat=length):
            progress(f"the order of arrival {' '.join(map(str, order))}")
            story = _try_order(queue, order)
            if story is not None:
                yield Finding(
                    aspect="orders", sentence=f"When the numbers arrive as {' '.join(map(str, order))}, {story}."
                )
                return


def _try_order(queue: type, order: tuple[int, ...]) -> str | None:
    mine: Any = queue()
    due, seen = 1, set()
    for number in order:
        seen.add(number)
        expected = []
        while due in seen:
            expected.append(due)
            due += 1
        try:
            given = [message.number for message in mine.receive(number, Message(number, "ann", f"message {number}"))]
        except Exception as error:
            return f"your queue raises {told(error)}"
        if given != expected:
            return f"receive({number}) must return {_numbers(expected)}, and it returned {_numbers(given)}"
    return None


def _numbers(numbers: list[int]) -> str:
    return "[" + ", ".join(f"#{number}" for number in numbers) + "]"


QUESTIONS = {
    "3.1": Question(
        title="the hold-back queue",
        given=(Message,),
        aspects={"order": 2, "once": 1, "complete": 1, "memory": 1},
        judge=judge_runs,
        done=f"In every run all three nodes delivered #1 to #{MESSAGES}, each once and in order.",
    ),
    "3.2": Question(
        title="every order of arrival",
        given=(Message,),
        aspects={"orders": 3},
        judge=judge_orders,
        done=f"All {sum(NUMBERS**length for length in range(1, LONGEST + 1)):,} orders of arrival of up to {LONGEST} "
        f"copies of {NUMBERS} messages were tried.",
        exhaustive=True,
    ),
}
