"""Predictions: an answer before the run answers, kept so that a reveal can wait for it.

    predict("3a", 4)       --> 3a kept: 4 messages        the first answer to each question stays
    predict("3a", 5)       --> 3a kept: 4 messages        a later one changes nothing
    predict("4a", (1, 2.5))   --> 4a kept: 1 to 2.5 s     a range is kept as this text, which `bounds` reads

Nothing is earned by being right: a notebook is run again when it is graded, so nobody can tell what was known
before.  An answer of the right kind earns the mark, and the first ones of a class show what a class believes.

Read also `lab.Predict` (the question), `marking` (what an answer earns), `taking` (how it gets there).
"""

import math
from collections.abc import Mapping
from typing import Any

from chatsys.errors import UsageError
from chatsys.teach.grading.lab import Lab, Predict

kept: dict[str, bool | int | float | str] = {}
"""The first answer to each question in this program."""

RANGE = "two numbers in brackets, the smaller one first"
KINDS = {bool: "True or False", int: "a whole number", float: "a number", str: "a text", tuple: RANGE}
LONGEST = 200
"""Letters of an answer that is a text."""
LARGEST = 1 << 53
"""No whole number beyond it: no question has such an answer, and not every reader can read it."""


def predict(number: str, answer: Any) -> None:
    """Keep `answer` as your prediction for the question `number`, and say so; the first one stays.

    Raises `UsageError` for a question that does not exist and for an answer of another kind.
    """
    asked = find_prediction(number)
    value = of_kind(asked, answer)
    first = kept.setdefault(asked.number, value)
    unit = f" {asked.unit}" if asked.unit else ""
    print(
        f"{asked.number} kept: {first:g}{unit}" if isinstance(first, float) else f"{asked.number} kept: {first}{unit}"
    )
    if first != value:
        print(f"It was your first answer, and it stays; {answer!r:.60} was not kept.")


def find_prediction(number: str) -> Predict:
    """Return the question of this number, "3a"; raises `UsageError` if no lab asks it."""
    from chatsys.teach.grading.grader import find_lab

    name = str(number)
    lab = find_lab(name.rstrip("abcdefghijklmnopqrstuvwxyz").zfill(2))
    asked = {one.number: one for one in lab.predictions} if lab is not None else {}
    if name not in asked:
        there = f"; this lab asks {', '.join(asked)}" if asked else ""
        raise UsageError(f"There is no prediction {name!r:.40}{there}.")
    return asked[name]


def of_kind(asked: Predict, answer: Any) -> bool | int | float | str:
    """Return `answer` if it is of the kind that the question asks for; raises `UsageError` with a sentence."""
    value: Any = answer
    if asked.kind is float and type(answer) is int:
        value = float(answer) if abs(answer) <= LARGEST else math.inf
    if asked.kind is tuple:
        return _range_of(asked, answer)
    sentence = ""
    if type(value) is not asked.kind:
        sentence = f"is {KINDS[asked.kind]}"
    elif isinstance(value, float) and not math.isfinite(value) or type(value) is int and abs(value) > LARGEST:
        sentence = "is a number that one can reach"
    elif asked.options and value not in asked.options:
        sentence = f"is one of {', '.join(repr(one) for one in asked.options)}"
    elif isinstance(value, str) and not 0 < len(value.strip()) <= LONGEST:
        sentence = f"has 1 to {LONGEST} letters"
    if sentence:
        raise UsageError(f"The answer to {asked.number} {sentence}; you gave {answer!r:.40}.")
    return value  # type: ignore[no-any-return]


def _range_of(asked: Predict, answer: Any) -> str:
    """Return a range as the text that is kept."""
    try:
        low, high = bounds(answer) if isinstance(answer, str) else answer
        sound = all(type(one) in (int, float) and abs(one) <= LARGEST for one in (low, high)) and low <= high
    except (TypeError, ValueError):
        sound = False
    if not sound:
        raise UsageError(f"The answer to {asked.number} is {RANGE}; you gave {answer!r:.40}.")
    return f"{low:g} to {high:g}"


def bounds(kept_range: str) -> tuple[float, float]:
    """Return the two numbers of a range that was kept; raises `ValueError` for another text."""
    low, high = kept_range.split(" to ")
    return float(low), float(high)


def given(lab: Lab, answers: Mapping[str, Any]) -> dict[str, bool | int | float | str]:
    """Return those of `answers` that are of the right kind; whoever handed them over may have put in anything."""
    found = {}
    for asked in lab.predictions:
        try:
            if asked.number in answers:
                found[asked.number] = of_kind(asked, answers[asked.number])
        except UsageError:
            pass
    return found
