"""What students do not see of lab 03: the search over every order of arrival, the budget, and directed runs."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from random import Random
from typing import Any

import msgspec

from chatsys.isolation.calls import CallScript
from chatsys.teach.grading.lab import Finding
from chatsys.teach.labs.lab03.asking import Ask, play_asking
from chatsys.teach.labs.lab03.checks import find_shared
from chatsys.teach.labs.lab03.numbering import Posted, judge_posts
from chatsys.teach.labs.lab03.reading import Reading, numbers
from chatsys.teach.labs.lab03.runs import Arrival, script_of
from chatsys.teach.labs.lab03.stage import Message

LONGEST = 6
"""Every order of arrival of up to so many copies of the four messages."""
AT_ONCE = 512
TEXTS = ("ok", "yes", "ok", "ok")


COPIES = [
    [Arrival(number, Message(number, "ann", text)) for number, text in enumerate(TEXTS, 1)] for _ in range(LONGEST)
]
"""For each place in an order a copy of each message, from one author and mostly with one text; no two are one object."""


@cache
def orders() -> list[tuple[tuple[Arrival, ...], CallScript]]:
    """Return the longest orders, and what is asked in them: each shorter one is the beginning of some of them."""
    return [(order, script_of(order)) for order in product(*COPIES)]


def judge_search(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """3.1: try every order; the shortest wrong one is the story."""
    del seeds
    every = orders()
    wrong: list[Reading] = []
    for begin in range(0, len(every), AT_ONCE):
        some = every[begin : begin + AT_ONCE]
        for (arrived, _), replies in zip(some, trial.ask([script for _, script in some]), strict=True):
            reading = Reading(0, 1, arrived, replies)
            if reading.wrong is not None:
                wrong.append(reading)
    if not wrong:
        return
    shortest = min(wrong, key=lambda reading: (reading.wrong, [one.number for one in reading.arrivals]))
    place = shortest.wrong or 0
    order = " ".join(str(one.number) for one in shortest.arrivals[: place + 1])
    if find_shared(trial, shortest) is not None:
        sentence = (
            f"The order of arrival {order} was answered wrongly after others and rightly alone: the class keeps something "
            "outside of self, so its states cannot be searched. A person should look."
        )
        yield Finding(aspect="orders", sentence=sentence, steps=shortest.steps(place), inconclusive=True)
        return
    reply = shortest.replies[place]
    if reply.error is not None:
        story = f"your queue raised {reply.error}"
    else:
        given = f"it returned {reply.wrong or numbers(message.number for message in reply.value)}"
        story = f"receive of #{shortest.arrivals[place].number} must return {numbers(shortest.expected[place])}, and {given}"
        if shortest.strange is not None:
            story += ", with another author or text than it was given"
    finding = shortest.finding("orders", f"When the numbers arrive as {order}, {story}.", place)
    yield msgspec.structs.replace(finding, seed=None)


def judge_budget(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """3.2: no request that nobody needs, so at most one for each missing number and 0.4 s."""
    for seed in seeds:
        run = play_asking(trial, seed)
        needless = [ask for ask in run.asks if ask.needless]
        if needless:
            one, every = needless[0], [ask for ask in run.asks if ask.returned is not None]
            sentence = (
                f"With seed {seed} {len(needless)} of {len(every)} requests were needless: at {one.time:.2f} s node {one.node} "
                f"asked for #{one.returned}, {_why(one, run.world)}."
            )
            yield Finding(aspect="budget", sentence=sentence, seed=seed, trace=run.world.trace.encode())
            return


def _why(ask: Ask, world: Any) -> str:
    received = (r for r in world.trace.of("receive") if r.node == ask.node and r.message == "ORDERED")
    came = next((r.time for r in received if r.seq == ask.returned), None)
    if came is not None and came <= ask.time:
        return f"and it had received it at {came:.2f} s"
    return "of which nobody had told it"


# --- directed runs -----------------------------------------------------------------------------


def run(order: Sequence[int], text: str = "ok") -> list[Arrival]:
    """Return arrivals of one author, all with one text, a hundredth of a second apart."""
    return [
        Arrival(number, Message(number, "ann", text), round(0.1 + place / 100, 2)) for place, number in enumerate(order)
    ]


def judge_directed_queue(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """3.1: long queues, equal and strange texts, queues that begin in the middle with old copies."""
    del seeds
    shuffled = list(range(1, 61)) * 2
    Random("lab 03/directed").shuffle(shuffled)
    plays = [
        (run([*range(2, 61), 1]), None),
        (run([*range(60, 0, -1)]), None),
        (run(shuffled), None),
        (run([1, 2, 3, 4], text="0"), None),
        (run([2, 2, 1, 3, 3, 2, 1]), None),
        (run([3, 5, 4, 7, 1, 5, 6, 8, 2]), 5),
        (run([1, 2, 3, 102, 100, 101, 101]), 100),
    ]
    replies = trial.ask([script_of(arrived, first) for arrived, first in plays])
    read = [
        Reading(0, 1, arrived, said, first) for (arrived, first), said in zip(plays, replies, strict=True)
    ]  # fmt: skip
    wrong = [reading for reading in read if reading.wrong is not None]
    if wrong and (shared := find_shared(trial, wrong[0])) is not None:
        yield _directed(shared)
        return
    for reading in [one for one in wrong if one.first is None] or wrong:
        yield from (_directed(finding) for finding in _told(reading))


def _told(reading: Reading) -> Iterator[Finding]:
    """Yield what is wrong in one run."""
    if reading.error is not None:
        yield reading.finding("runs", reading.tell_error(), reading.wrong or 0)
        return
    if reading.first is not None:
        yield reading.find_first("first")
        return
    for aspect, where in (("order", "early"), ("once", "again"), ("complete", "lost"), ("prompt", "late")):
        if getattr(reading, where) is not None:
            yield getattr(reading, f"find_{where}")(aspect)
    if reading.strange is not None:
        yield reading.find_strange("complete")


def _directed(finding: Finding) -> Finding:
    """Say that this run has no seed."""
    return msgspec.structs.replace(
        finding,
        seed=None,
        sentence=finding.sentence.replace("With seed 0", "In a directed run"),
        rank=min(finding.rank, 1),
    )


def judge_directed_posts(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """3.3: authors whose names run into the numbers of their posts, and one who posts everything early."""
    del seeds
    glued = [Posted("ann", post, "ok") for post in range(1, 12)] + [Posted("ann1", post, "ok") for post in range(1, 4)]
    early = [Posted("eve", post, "ok") for post in (3, 2, 1, 3, 2, 3, 1)]
    yield from judge_posts(trial, [("In a directed run", None, glued), ("In a directed run", None, early)])


JUDGES = {("3.1", "search"): judge_search, ("3.2", "budget"): judge_budget}
EXTRA = {"3.1": judge_directed_queue, "3.3": judge_directed_posts}
