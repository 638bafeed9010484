"""A judge that searches: every order of events within bounds, for the class of a student.

    def judge(trial, seeds):
        yield from search(trial, "one leader a term", lambda cls: StageModel(stage(cls), alarms={"silence": 1}, ...))

What it finds is the shortest story there is, and is told step by step.  What it cannot decide (a budget ran out, a
class keeps something outside of its objects) is inconclusive: the points are given, and a person looks.

Read also `explore.stage_model` (what is searched), `replayed` (how a class in another process is searched).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from chatsys.explore.explorer import Budget, Explorer, Result
from chatsys.explore.model import Model
from chatsys.teach.grading.lab import Finding, ShownCall
from chatsys.teach.grading.trial import Trial

ORDINARY = Budget(states=60_000, seconds=60)
"""A search of an exercise; the states decide, for the seconds depend on the machine."""
LONGEST = 200
"""So many letters a sentence may have."""


def search(
    trial: Trial, aspect: str, *models: Callable[[Any], Model], budget: Budget = ORDINARY, rank: int = 0
) -> Iterator[Finding]:
    """Yield what searches find out about the class, nothing if all that may happen is right.

    Each of `models` is given what looks like the class, and puts it into its stage; they are searched in turn, up to the
    first that is not right.  What one of them has asked the class, the next ones need not ask again.
    """
    cls = trial.replayed()
    results = (Explorer(model_of(cls)).search(budget) for model_of in models)
    result = None
    for result in results:
        if result.verdict != "exhausted, ok":
            break
    assert result is not None, "there is something to search"
    if result.verdict in ("fail", "exhausted, ok") and (doubt := cls.doubt(trial.alone)):
        yield Finding(aspect=aspect, sentence=doubt, inconclusive=True)
    elif result.verdict == "fail":
        story = tuple(ShownCall(call=step, returned="", when=f"step {at}") for at, step in enumerate(_steps(result), 1))
        yield Finding(aspect=aspect, sentence=tell(result), rank=rank, steps=story)
    elif result.verdict == "inconclusive":
        sentence = f"The search stopped after {result.distinct_states:,} states: {result.why} A person should look."
        yield Finding(aspect=aspect, sentence=sentence, inconclusive=True)


def tell(result: Result) -> str:
    """Return what is violated, and the steps that lead there; what is lost on the way is left out where it is too long."""
    assert result.violation is not None, "there is something to tell"
    what = result.violation.sentence.rstrip(".")
    whole = f"{what}. It happens so: {_in_turn(_steps(result))}."
    if len(whole) <= LONGEST:
        return whole
    plain = msgspec.structs.replace(
        result, story=tuple(msgspec.structs.replace(step, lost=()) for step in result.story)
    )
    short = f"{what}. It happens so, if the right messages are lost: {_in_turn(_steps(plain))}."
    if len(short) <= LONGEST:
        return short
    first, *_, last = _steps(plain)
    return f"{what}. It happens in {len(result.story)} steps, from (1) {first} to ({len(result.story)}) {last}."


def _in_turn(steps: Sequence[str]) -> str:
    return "; ".join(f"({number}) {step}" for number, step in enumerate(steps, 1))


def _steps(result: Result) -> list[str]:
    """Return the steps of the story; there is one class only, so its name is left out."""
    return [str(step).replace(f" ({result.model})", "") for step in result.story]
