"""A judge that searches: every order of events within bounds, for the class of a student.

    def judge(trial, seeds):
        yield from search(trial, "one leader a term", lambda cls: StageModel(stage(cls), alarms={"silence": 1}, ...))

What it finds is the shortest story there is, and is told step by step.  What it cannot decide (a budget ran out, a
class keeps something outside of its objects) is inconclusive: the points are given, and a person looks.

Read also `explore.stage_model` (what is searched), `replayed` (how a class in another process is searched).
"""

from collections.abc import Callable, Iterator
from typing import Any

from chatsys.explore.explorer import Budget, Explorer, Result
from chatsys.explore.model import Model
from chatsys.teach.grading.lab import Finding
from chatsys.teach.grading.trial import Trial

ORDINARY = Budget(states=60_000, seconds=60)
"""A search of an exercise; the states decide, for the seconds depend on the machine."""


def search(
    trial: Trial, aspect: str, model_of: Callable[[Any], Model], budget: Budget = ORDINARY, rank: int = 0
) -> Iterator[Finding]:
    """Yield what a search finds out about the class, nothing if all that may happen is right.

    `model_of` is given what looks like the class, and puts it into its stage.
    """
    cls = trial.replayed()
    result = Explorer(model_of(cls)).search(budget)
    if result.verdict in ("fail", "exhausted, ok") and (doubt := cls.doubt(trial.alone)):
        yield Finding(aspect=aspect, sentence=doubt, inconclusive=True)
    elif result.verdict == "fail":
        yield Finding(aspect=aspect, sentence=tell(result), rank=rank)
    elif result.verdict == "inconclusive":
        sentence = f"The search came to no end: {result.why} A person should look."
        yield Finding(aspect=aspect, sentence=sentence, inconclusive=True)


def tell(result: Result) -> str:
    """Return what is violated, and the steps that lead there."""
    assert result.violation is not None, "there is something to tell"
    told = (str(step).replace(f" ({result.model})", "") for step in result.story)  # there is only this one class
    steps = "; ".join(f"({number}) {step}" for number, step in enumerate(told, 1))
    return f"{result.violation.sentence.rstrip('.')}. It happens so: {steps}."
