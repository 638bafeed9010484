"""The judge of 6.1, fail-over: live, since what a class returns decides what arrives next.

    onward    a number that all wait for, a message without an answer, a frame refused that had to pass
    kept      a number that is two messages, or a message that was answered ok and is gone
    once      a message that has two numbers
    harmless  a frame of an old term was admitted

Each finding names the answer that was wrong where there is one, and otherwise what the nodes show in the end.

Read also `telling` (what is wrong in a run), `fates` (what happens in a seed), `grading.judging` (points).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from chatsys.isolation.calls import CallScript
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.labs.lab06.asking import why_stopped
from chatsys.teach.labs.lab06.fates import play_seed
from chatsys.teach.labs.lab06.frames import shown
from chatsys.teach.labs.lab06.runs import FailOverRun, NodeCall, NodeObject
from chatsys.teach.labs.lab06.telling import EFFECT, SHARED, Slip, tell_causes, tell_effects

ENOUGH = 12
"""So many seeds of a class are played although nothing more can be lost: a later one may tell the cause."""
BEFORE, BEYOND = 14, 2
"""So many calls before and after the one in question are shown."""


def judge_fail_over(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """6.1: onward, kept, once, harmless."""
    best: dict[str, int] = {}
    alone = False
    for place, seed in enumerate(seeds, 1):
        run = play_seed(trial.cls, seed)
        for wrong in tell_run(run):
            if wrong.rank > best.get(wrong.aspect, 0):
                best[wrong.aspect] = wrong.rank
                yield _finding(run, seed, wrong)
        if RUNS in best:
            return
        told = _asked_behind_a_sleep(run)
        if not alone and (told is not None or place == min(len(seeds), ENOUGH)):
            alone = True  # once is enough, best where another node has gone on meanwhile
            yield from _find_shared(trial, run, told or max(run.objects, key=lambda one: len(one.calls)), seed)
        if "onward" in best and place >= ENOUGH:  # with it all is lost, and the causes were found
            return


def judge_run(run: FailOverRun) -> Iterator[Finding]:
    """Yield what is wrong in one run that has no seed, the cause before the effect."""
    yield from (_finding(run, None, wrong) for wrong in tell_run(run))


def tell_run(run: FailOverRun) -> Iterator[Slip]:
    """Yield what is wrong in one run, one thing of each aspect, the cause before the effect."""
    if run.world.failures:
        yield Slip(RUNS, _tell_failure(run), run.world.failures[0][0])
        return
    if run.endless:
        yield Slip(RUNS, f"{run.name} the nodes sent messages without end: {run.endless[0]}", None)
        return
    told: set[str] = set()
    for wrong in tell_causes(run):
        if wrong.aspect not in told:
            told.add(wrong.aspect)
            yield wrong
    if not told:  # what was wrong by itself has effects of every kind
        for wrong in tell_effects(run):
            if wrong.aspect not in told:
                told.add(wrong.aspect)
                yield wrong


def _tell_failure(run: FailOverRun) -> str:
    node, why = run.world.failures[0]
    time = next(record.time for record in run.world.trace.of("broken") if record.node == node)
    return f"{run.name} node {node} stopped at {time:.2f} s, because {why_stopped(why)}."


def _asked_behind_a_sleep(run: FailOverRun) -> NodeObject | None:
    """Return the object of an old leader that went on numbering when it woke up, if there is one."""
    woke = {record.node: record.time for record in run.world.trace.of("resume")}
    for one in run.objects:
        if any(call.asked.method == "order" and call.time >= woke.get(one.node, call.time + 1) for call in one.calls):
            return one
    return None


def _find_shared(trial: Any, run: FailOverRun, one: NodeObject, seed: int) -> Iterator[Finding]:
    """Ask one object once more, where there is no other one: it must answer the same."""
    replies = trial.alone(CallScript(tuple(call.asked for call in one.calls), (one.node,)))
    for place, call in enumerate(one.calls):
        again = replies[place].value if place < len(replies) else None
        if _listed(again) != _listed(call.answer):
            sentence = (
                f"{run.name} node {one.node} answered {call.asked.method} at {call.time:.2f} s with {call.returned:.34}, and alone with "
                f"{shown(again):.34}. Do all nodes share a list or a dictionary?"
            )
            yield replace(_finding(run, seed, Slip("kept", sentence, one.node, SHARED, call.time)), hinted=False)
            return


def _listed(answer: Any) -> Any:
    """Return an answer as it travels: a tuple comes out as a list."""
    return list(answer) if isinstance(answer, tuple) else answer


# --- the story ---------------------------------------------------------------------------------


def _finding(run: FailOverRun, seed: int | None, wrong: Slip) -> Finding:
    steps = _steps(run.of(wrong.node), wrong) if isinstance(wrong.node, int) else ()
    return Finding(
        aspect=wrong.aspect, sentence=wrong.sentence, seed=seed, trace=run.world.trace.encode(), steps=steps, rank=wrong.rank
    )  # fmt: skip


def _steps(calls: Sequence[NodeCall], wrong: Slip) -> tuple[ShownCall, ...]:
    """Return the calls at a node around this time; the last one before it is marked where an answer was wrong."""
    if not calls:
        return ()
    marked = len(calls) - 1
    if wrong.time is not None:
        marked = max((place for place, call in enumerate(calls) if call.time <= wrong.time), default=0)
        marked = next((at for at, call in enumerate(calls) if _is_it(call, wrong)), marked)
    return tuple(
        ShownCall(
            call=call.call, returned=call.returned, when=f"{call.time:.2f} s", wrong=place == marked, node=call.node, time=call.time,
            about=wrong.about if place == marked else (),
        )
        for place, call in enumerate(calls)
        if marked - BEFORE <= place <= marked + BEYOND
    )  # fmt: skip


def _is_it(call: NodeCall, wrong: Slip) -> bool:
    """Tell whether this is the call of which a sentence speaks: of several at one moment that about its number."""
    if call.time != wrong.time or wrong.rank == EFFECT:
        return False
    number = getattr(call.answer, "number", None)
    return call.asked.method != "order" or number in wrong.about
