"""The judge of 5.1, the election: live, since what a class orders decides what arrives next.

    unique    two nodes led one term                                 looked for among all that was noted
    forward   a node led or followed in a smaller term than before
    one       not exactly one leader, whom all others follow         at the moments that the run wrote down
    highest   ... or it is not the highest node that is up

Each finding names the cause where the run shows one.

Read also `telling` (what a moment is told as), `runs` (what happens in a seed), `stage` (the actor), `grading.judging` (points).
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from chatsys.isolation.calls import CallScript
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.labs.lab05.orders import Wait, cut_to
from chatsys.teach.labs.lab05.runs import AskedCall, ElectionRun, play_seed
from chatsys.teach.labs.lab05.stage import why_stopped
from chatsys.teach.labs.lab05.telling import BACK, DOUBLE, SEEN, SHARED, Told, tell_moment
from chatsys.trace import Record

ENOUGH = 12
"""So many seeds of a class are played although nothing more can be lost: a later one may tell the cause."""
BEFORE, BEYOND = 14, 2
"""So many calls before and after the one in question are shown."""


def judge_election(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """5.1: highest, one, forward, unique."""
    best: dict[str, int] = {}
    for place, seed in enumerate(seeds, 1):
        run = play_seed(trial.cls, seed)
        for told in tell_run(run):
            if told.rank > best.get(told.aspect, 0):
                best[told.aspect] = told.rank
                yield _finding(run, seed, told)
        if RUNS in best:
            return
        if {"highest", "one"} <= best.keys() and place >= ENOUGH:  # with them all is lost, and the causes were found
            return
        if place == len(seeds) and "one" not in best:  # by now, what objects share has a history
            yield from _find_shared(trial, run, seed)


def judge_run(run: ElectionRun) -> Iterator[Finding]:
    """Yield what is wrong in one run that has no seed, the cause before the effect."""
    yield from (_finding(run, None, told) for told in tell_run(run))


def tell_run(run: ElectionRun) -> Iterator[Told]:
    """Yield what is wrong in one run, the cause before the effect."""
    if run.world.failures:
        yield Told(RUNS, _tell_failure(run), run.world.failures[0][0], SEEN)
        return
    if run.endless:
        yield Told(RUNS, f"{run.name} the nodes sent messages without end: {run.endless[0]}", None, SEEN)
        return
    yield from _tell_double(run)
    yield from _tell_back(run)
    yield from (told for moment in run.moments if (told := tell_moment(run, moment)) is not None)


def _tell_failure(run: ElectionRun) -> str:
    node, why = run.world.failures[0]
    time = next(record.time for record in run.world.trace.of("broken") if record.node == node)
    return f"{run.name} node {node} stopped at {time:.2f} s, because {why_stopped(why)}."


# --- nodes are machines of their own ----------------------------------------------------------


def _find_shared(trial: Any, run: ElectionRun, seed: int) -> Iterator[Finding]:
    """Ask the object that was asked most once more, where there is no other one: it must answer the same."""
    life = max(run.lives, key=lambda life: len(life.calls))
    replies = trial.alone(CallScript(tuple(call.asked for call in life.calls), life.made))
    for place, call in enumerate(life.calls):
        again = AskedCall(life.node, call.time, call.asked, replies[place].value if place < len(replies) else None)
        if _without_seconds(again) != _without_seconds(call):
            sentence = (
                f"{run.name} node {life.node} answered {call.call:.40} at {call.time:.2f} s with {cut_to(call.returned, 30)}, "
                f"and alone with {cut_to(again.returned, 30)}. Do all nodes share one list, dictionary or number?"
            )
            yield replace(_finding(run, seed, Told("one", sentence, life.node, SHARED, call.time)), hinted=False)
            return


def _without_seconds(call: AskedCall) -> list[Any]:
    """Return the orders; how long somebody waits may be drawn by chance."""
    return [Wait(0.0) if isinstance(one, Wait) else one for one in call.answer or ()]


# --- safety: what was noted ------------------------------------------------------------------


def _tell_double(run: ElectionRun) -> Iterator[Told]:
    """Two nodes led one term."""
    led: dict[int, Record] = {}
    for record in run.world.trace.of("lead"):
        first = led.setdefault(record.term, record)
        if first.node == record.node:
            continue
        known = {_known_before(run, one) for one in (first, record)}
        counted = f" Both counted {record.term - 1} + 1." if known == {record.term - 1} else ""
        sentence = (
            f"{run.name} node {first.node} and node {record.node} both led term {record.term}: node {first.node} from "
            f"{first.time:.2f} s on, node {record.node} from {record.time:.2f} s on.{counted} How can two nodes never "
            "come to the same number?"
        )
        yield Told("unique", sentence, record.node, DOUBLE, record.time)
        return


def _known_before(run: ElectionRun, lead: Record) -> int:
    """Return the highest term that a node had seen before it claimed this one."""
    before = itertools.takewhile(lambda record: record is not lead, run.world.trace)
    kept = (one.entry_term or 0 for one in before if one.node == lead.node and one.message == "KEPT")
    return max((term for term in kept if term < lead.term), default=0)


def _tell_back(run: ElectionRun) -> Iterator[Told]:
    """A node led or followed in a smaller term than it had led or followed in before, or than its log keeps."""
    newest: dict[Any, int] = {}
    restarted: dict[Any, bool] = {}
    for record in run.world.trace.of("begin", "lead", "follow"):
        if record.kind == "begin":
            restarted[record.node] = record.node in restarted
            newest[record.node] = record.term
            continue
        before = newest[record.node]
        if record.term < before:
            did = "led it" if record.kind == "lead" else f"followed node {record.peer}"
            why = ""
            if restarted[record.node]:
                why = f" `term` said {_begun_with(run, record)} when its last life began."
            sentence = f"{run.name} node {record.node} went back from term {before} to term {record.term} at {record.time:.2f} s, when it {did}.{why}"
            yield Told("forward", sentence, record.node, BACK, record.time)
            return
        newest[record.node] = record.term


def _begun_with(run: ElectionRun, last: Record) -> int:
    begun = [one.term for one in run.world.trace.of("begin") if one.node == last.node and one.time <= last.time]
    return begun[-1]


# --- the story ---------------------------------------------------------------------------------


def _finding(run: ElectionRun, seed: int | None, story: Told) -> Finding:
    steps = _steps(run.of(story.node), story.time) if isinstance(story.node, int) else ()
    return Finding(
        aspect=story.aspect, sentence=story.sentence, seed=seed, trace=run.world.trace.encode(), steps=steps, rank=story.rank
    )  # fmt: skip


def _steps(calls: Sequence[AskedCall], time: float | None) -> tuple[ShownCall, ...]:
    """Return the calls at a node around this time; the last one before it, or one that broke, is marked."""
    if not calls:
        return ()
    marked = len(calls) - 1
    if time is not None:
        marked = max((place for place, call in enumerate(calls) if call.time <= time), default=0)
    return tuple(
        ShownCall(
            call=call.call,
            returned=call.returned,
            when=f"{call.time:.2f} s",
            wrong=place == marked,
            node=call.node,
            time=call.time,
        )
        for place, call in enumerate(calls)
        if marked - BEFORE <= place <= marked + BEYOND
    )
