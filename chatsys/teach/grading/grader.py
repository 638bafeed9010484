"""The grader: a student's class goes in, points and a story come out.

    grade("3.1", MyHoldBack) --class, by value--> a confined process --its answers--> the judge --> Grade

    3.1  not yet (7 of 14 points).  With seed 17 node 2 delivered #4 before #3: it received #4 at
         1.20 s while #3 was still on its way.   show("3.1") plays it.

In a notebook this is the public part of an exercise: the same judges on the seeds that everybody has.  The whole
grade, with hidden seeds, is made by `chatsys grade` and by nbgrader with the same engine (`judging`).

Promises  one of four verdicts, never a silent ok: pass, fail, exhausted ok, inconclusive.  Only what the class does
          fails it: its CPU time accuses, the clock on the wall ends a grading as inconclusive.
Read also `lab` (what an exercise is), `judging`, `marking` (whole notebooks), `predictions` (predict, reveal).
"""

import os
import pkgutil
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from chatsys.capabilities import PROCESSES, need
from chatsys.errors import UsageError
from chatsys.isolation.pickling import pack
from chatsys.teach import labs
from chatsys.teach.grading.judging import judge
from chatsys.teach.grading.lab import Exercise, Grade, Kind, Lab, PartResult, WrittenTest

__all__ = ["grade"]


def __dir__() -> list[str]:
    return __all__


TRIES = 3
"""After so many failed tries a grade names the hint that helps."""

_newest: dict[str, Grade] = {}
"""The newest grade of each exercise, for `show`."""
_right: dict[str, Callable[[], Any]] = {}
"""For each exercise whose newest answer is right: what plays a run of that answer."""
_own: dict[str, type] = {}
"""For each exercise whose newest answer is right: that class, which a written test must not accuse."""
_failed: Counter[str] = Counter()


def grade(exercise: str | float, *answers: Any, seeds: Sequence[int] | None = None) -> Grade:
    """Try an answer on the public part of an exercise and return points and a story; print the result to read it.

    For a class: `grade("3.1", MyHoldBack)`; `seeds` chooses other runs than the usual ones.  For a written test:
    `grade("3.4", scenario, claim)`; the newest class that was graded right is among the right answers that it must not
    accuse.  Raises `UsageError` for an unknown exercise.
    """
    name = str(exercise)
    lab, asked = find_exercise(name)
    if os.environ.get("NBGRADER_EXECUTION"):
        possible = _possible(asked)
        return Grade(
            question=name, verdict="inconclusive", points=0, possible=possible, sentence="Here only the judge grades."
        )
    for kept in (_newest, _right, _own):  # what cannot be graded must not show the run of an older answer
        kept.pop(name, None)
    if isinstance(asked, WrittenTest):
        result = _grade_test(asked, answers)
    else:
        _expect_its_class(lab, asked, answers)
        result = _grade_class(asked, answers, seeds)
        if result.points == result.possible and result.verdict != "inconclusive":
            _own[name] = answers[0]
            if asked.run is not None:
                _right[name] = partial(asked.run, answers[0])
    _newest[name] = result
    return result


def newest(exercise: str | float) -> Grade | None:
    """Return the newest grade of an exercise in this program, or None; raises `UsageError` for an unknown exercise."""
    find_exercise(str(exercise))
    return _newest.get(str(exercise))


def run_of(grade: Grade) -> Callable[[], Any] | None:
    """Return what plays a run of the class that got this grade; None unless it is the newest one and all is right."""
    return _right.get(grade.question) if _newest.get(grade.question) is grade else None


# --- which exercise --------------------------------------------------------------------------------


def known_labs() -> list[str]:
    """Return the numbers of the labs that there are, "03" and so on."""
    names = [one.name for one in pkgutil.iter_modules(labs.__path__)]
    return sorted(name.removeprefix("lab") for name in names if name.startswith("lab"))


def find_lab(number: str) -> Lab | None:
    """Return the lab of this number, "03", or of this name, "03-total-order"; None if there is none."""
    home = number[:2]
    if home not in known_labs():
        return None
    lab: Lab = import_module(f"{labs.__name__}.lab{home}").LAB
    return lab if number in (lab.number, lab.name) else None


def find_exercise(name: str) -> tuple[Lab, Exercise | WrittenTest]:
    """Return the exercise or the written test of this number and its lab; raises `UsageError`."""
    lab = find_lab(name.partition(".")[0].zfill(2))
    if lab is None:
        there = ", ".join(number.lstrip("0") or "0" for number in known_labs())
        raise UsageError(f"There is no exercise {name}; there are those of the labs {there}.")
    every: dict[str, Exercise | WrittenTest] = {one.number: one for one in lab.exercises}
    every |= {one.number: one for one in lab.tests}
    if name not in every:
        raise UsageError(f"There is no exercise {name}; there are {', '.join(every)}.")
    return lab, every[name]


# --- the trial -------------------------------------------------------------------------------------


def _expect_its_class(lab: Lab, asked: Exercise, answers: tuple[Any, ...]) -> None:
    """Refuse the class of another exercise: what is wrong with it would say nothing about this one."""
    names = [base.__name__ for one in answers if isinstance(one, type) for base in one.__mro__]
    other = next((one for one in lab.exercises if one.writes in names[:1]), None)
    if other is not None and asked.writes not in names:
        raise UsageError(
            f'grade("{asked.number}", {asked.writes}) wants that class; it was given {other.writes}, which is that of {other.number}.'
        )


def _grade_class(asked: Exercise, answers: tuple[Any, ...], seeds: Sequence[int] | None) -> Grade:
    if len(answers) != 1 or not _is_written(asked, answers[0]):
        given = ", ".join(f"{one!r:.40}" for one in answers) or "nothing"
        if len(answers) == 1 and type(answers[0]).__name__ == asked.writes:
            given = f"an object of it; leave out the brackets behind {asked.writes}"
        what = "function, without brackets behind its name" if asked.function else "class"
        raise UsageError(f'grade("{asked.number}", {asked.writes}) wants your {what}; it was given {given}.')

    def seeds_for(exercise: Exercise, kind: Kind) -> Sequence[int]:
        return range(exercise.public) if seeds is None else seeds

    try:
        found = judge(asked, answers[0], seeds_for, kinds=("public",))
    except (TypeError, AttributeError, ValueError, OSError) as error:  # a lock, a socket, an open file in the class
        raise UsageError(f"{asked.writes} cannot be handed to another process: {error}.") from None
    return _told(asked.number, asked.figure, asked.hints, found[0])


def _is_written(asked: Exercise, answer: Any) -> bool:
    """Tell whether an answer is of the kind that the exercise asks for: a class, or a function."""
    return isinstance(answer, type) != asked.function and callable(answer)


def _grade_test(asked: WrittenTest, answers: tuple[Any, ...]) -> Grade:
    from chatsys.teach.grading.written import judge_written, open_answers

    need("A written test", PROCESSES, instead="run it on a computer")
    if len(answers) != 2 or not all(callable(one) for one in answers):
        given = ", ".join(f"{one!r:.40}" for one in answers) or "nothing"
        wanted = f'grade("{asked.number}", {asked.scenario}, {asked.claim})'
        raise UsageError(f"{wanted} wants your two functions; it was given {given}.")
    functions: dict[str, Callable[..., Any]] = dict(zip((asked.scenario, asked.claim), answers, strict=True))
    found = judge_written(asked, pack(functions), *open_answers(asked, _own.get(asked.of)))
    return _told(asked.number, "", {}, found)


def _told(number: str, figure: str, hints: dict[str, int], found: PartResult) -> Grade:
    first = next(iter(found.findings), None)
    if found.verdict != "fail":
        _failed[number] = 0
    elif first is None or first.written:  # who runs all cells before writing anything has not tried anything
        _failed[number] += 1
    helps = first is not None and first.hinted and _failed[number] >= TRIES
    hint = hints.get(first.aspect) if first is not None and helps else None
    return Grade(
        question=number, verdict=found.verdict, points=found.points, possible=found.possible, sentence=found.sentence, account=found.account,
        seed=first.seed if first else None, trace=first.trace if first else None, steps=first.steps if first else (),
        hint=hint, figure=figure, lost=found.lost, whole=found.whole,
    )  # fmt: skip


def _possible(asked: Exercise | WrittenTest) -> float:
    if isinstance(asked, WrittenTest):
        return asked.points
    part = asked.part("public")
    return part.points if part is not None else 0.0
