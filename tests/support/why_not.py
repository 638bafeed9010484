"""The long version of a test: on so many random runs, do the faults that `why_not` names bring the message, and no part of them?

    python tests/support/why_not.py 0:200         these seeds; a line for each answer that is wrong, and a summary
    python tests/support/why_not.py 0:200 later   ask only where another node had delivered it already

In a schedule with all kinds of faults a message and a node are drawn where it came late or never, and a moment before it
came.  What `why_not` names is then tried anew, by runs of its own: without all of it the message comes by that moment,
without each proper part of it it does not; and where it names nothing it does not come though no fault happens at all.
Where it names several, it counts too how often one other fault alone would have been enough: then they are a smallest set,
but not one with the fewest faults.

Read also `test_why`, which does so for a few seeds.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import chain, combinations
from random import Random
from typing import Any, NamedTuple

from chatsys.campaign.one_seed import Plan, schedule
from chatsys.campaign.why import Answer, why_not
from chatsys.campaign.why.lasting import breaks
from chatsys.faults import KINDS
from chatsys.sim.again import Again
from chatsys.sim.world import World
from chatsys.trace import Record

LATE = 0.3
"""A message that came within so many seconds is not asked about."""


class Drawn(NamedTuple):
    """A message that was late at a node, and a moment before it came."""

    client: str
    client_seq: int
    node: int
    before: float


def drawn(world: World, chance: Random, later: bool = False) -> Drawn | None:
    """Return a question about this run; None if every message came at once everywhere.

    With `later` another node has delivered it already, so that what is missing is missing at one node.
    """
    came = {(r.client, r.client_seq, r.node): r.time for r in reversed(world.trace.of("deliver"))}
    late = []
    for record in world.trace.of("submit"):
        ends = [came.get((record.client, record.client_seq, node), world.now) for node in world.nodes]
        begin = min(ends) if later else record.time
        late += [(record, node, begin, end) for node, end in zip(world.nodes, ends, strict=True) if end > begin + LATE]
    if not late:
        return None
    record, node, begin, end = chance.choice(late)
    before = round(chance.uniform(begin + LATE / 2, end - 0.001), 3)
    return Drawn(record.client or "", record.client_seq or 0, node, before)


def comes(again: Again, asked: Drawn, without: Any) -> bool:
    """Tell whether the message comes in time in a run without these steps; this shares no code with the search."""

    def is_it(record: Record) -> bool:
        return record.kind == "deliver" and (record.client, record.client_seq, record.node) == asked[:3]

    _, found = again.play(set(without), end=asked.before, until=is_it)
    return found is not None and found.time <= asked.before


def wrong(again: Again, asked: Drawn, answer: Answer) -> Iterator[str]:
    """Yield what is wrong with an answer."""
    if answer.missing is None:
        yield "it says that the message was there"
    if answer.needed is None:
        every = [number for number, step in enumerate(again.steps) if breaks(step)]
        if answer.tried and comes(again, asked, every):
            yield "it names nothing, but without any fault the message comes"
        return
    steps = [again.steps.index(fault) for fault in answer.needed]
    if not comes(again, asked, steps):
        yield "without the faults that it names the message does not come"
    for part in chain.from_iterable(combinations(steps, size) for size in range(len(steps))):
        if comes(again, asked, part):
            yield f"without {[str(again.steps[one]) for one in part]} alone the message comes"


def one_is_enough(again: Again, asked: Drawn, answer: Answer) -> bool:
    """Tell whether there is one fault without which the message comes, though several are named."""
    if answer.needed is None or len(answer.needed) < 2:
        return False
    return any(comes(again, asked, [number]) for number, step in enumerate(again.steps) if breaks(step))


def asked(seed: int, plan: Plan, seconds: float = 60.0, later: bool = False) -> tuple[World, Drawn, Answer] | None:
    """Ask one question about the run of a seed; None if nothing was late in it."""
    world = schedule(seed, plan).world
    question = drawn(world, Random(f"{seed}/why"), later)
    if question is None:
        return None
    return world, question, why_not(world, question[:2], question.node, question.before, seconds=seconds)


def main(seeds: range, later: bool) -> int:
    """Ask about these seeds; return how many answers were wrong."""
    began, kinds, sizes, bad, runs = time.process_time(), Counter[Any](), Counter[Any](), 0, 0
    fewer = []
    for seed in seeds:
        found = asked(seed, Plan(kinds=KINDS, seconds=15.0, calm=10.0), later=later)
        if found is None:
            sizes["nothing was late"] += 1
            continue
        world, question, answer = found
        kinds[answer.missing] += 1
        runs += answer.runs
        sizes["not tried" if not answer.tried else "none" if answer.needed is None else len(answer.needed)] += 1
        again = Again(world)
        fewer += [seed] if one_is_enough(again, question, answer) else []
        for told in wrong(again, question, answer):
            bad += 1
            print(f"seed {seed}: {question}: {told}\n    {answer}", flush=True)
    print(f"{len(seeds)} seeds, {bad} wrong; {runs} runs tried; {time.process_time() - began:.0f} s of computing")
    print("missing:", dict(kinds.most_common()))
    print("how many faults were named:", {str(size): number for size, number in sizes.most_common()})
    print("several were named where one other would have been enough, in these seeds:", fewer)
    return bad


if __name__ == "__main__":
    first, _, last = (sys.argv[1] if len(sys.argv) > 1 else "0:20").partition(":")
    sys.exit(main(range(int(first), int(last)), "later" in sys.argv) > 0)
