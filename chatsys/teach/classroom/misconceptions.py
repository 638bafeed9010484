"""Misconceptions: which mistake of the lab a wrong answer is most like, and how often each stands in a class.

    CellResult, CellResult, ... --how it failed--> signature --share of equal traits--> the nearest mistakes

It is a hint to whoever explains the lab again, never a reason for points.  Several mistakes that fail in the same way
are all named.  What goes wrong because an earlier exercise is wrong is told as that.

Read also `signatures` (how a mistake fails).
"""

from collections.abc import Mapping, Sequence

import msgspec

from chatsys.teach.classroom.results import CellResult, ClassResults, StudentResult
from chatsys.teach.classroom.signatures import Signature, signature_of
from chatsys.teach.grading.lab import Exercise, Lab

LIKE = 0.5
"""From so large a share of equal traits on, an answer is like a mistake."""
ALONE = 0.85
"""So like must it be to count as a mistake of its own where an earlier exercise is wrong."""
EQUAL = 0.02
"""Mistakes whose shares differ by no more are equally near."""
NONE, MISSING, FOLLOWS = "like none of the known mistakes", "no answer that can be tried", "follows from"
KINDS = {"public": 2.0, "search": 2.0}
"""What everybody has the same runs of weighs more."""


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """What a wrong answer to one exercise is most like."""

    exercise: str
    names: tuple[str, ...]
    """The nearest mistakes, more than one if they are equally near; empty if it is like none."""
    share: float = 0.0
    """How like: 0 to 1."""
    told: str = ""
    """What is told instead of a name: no answer, like none, or that it follows from another exercise."""

    def __str__(self) -> str:
        return self.told or " or ".join(self.names)


def likeness(one: Signature, other: Signature) -> float:
    """Return the share of traits that two signatures have in common, 0 to 1."""
    both, either = one & other, one | other
    whole = sum(_weight(trait) for trait in either)
    return sum(_weight(trait) for trait in both) / whole if whole else 0.0


def _weight(trait: tuple[str, ...]) -> float:
    return KINDS.get(trait[1], 1.0)


def nearest(exercise: Exercise, cells: Sequence[CellResult], known: Mapping[str, Signature]) -> Nearest | None:
    """Return the mistakes among `known` that the answer in `cells` is most like; None if no points are lost."""
    if not loses(cells):
        return None
    if not any(cell.failed for cell in cells) or _is_missing(exercise, cells):
        return Nearest(exercise=exercise.number, names=(), told=MISSING)
    mine = signature_of(cells)
    kinds = {cell.kind for cell in cells}
    shares = {name: likeness(mine, _of_kinds(other, kinds)) for name, other in known.items()}
    best = max(shares.values(), default=0.0)
    if best < LIKE:
        return Nearest(exercise=exercise.number, names=(), share=best, told=NONE)
    names = tuple(name for name, share in shares.items() if share >= best - EQUAL)
    return Nearest(exercise=exercise.number, names=names, share=best)


def loses(cells: Sequence[CellResult]) -> bool:
    """Tell whether points are lost in one of these cells."""
    return any(cell.score < cell.max_score and cell.verdict != "inconclusive" for cell in cells)


def wrong_exercises(lab: Lab, results: ClassResults) -> list[Exercise]:
    """Return the exercises in which an answer of somebody in a class was tried and lost points."""
    every = [cell for one in results.submissions.values() for cell in one.tests if cell.failed]
    return [one for one in lab.exercises if loses([cell for cell in every if cell.exercise == one.number])]


def _of_kinds(one: Signature, kinds: set[str]) -> Signature:
    """Leave out the parts that were not graded."""
    return frozenset(trait for trait in one if trait[1] in kinds)


def _is_missing(exercise: Exercise, cells: Sequence[CellResult]) -> bool:
    first = f"There is no {exercise.writes} in this notebook"
    return all(one.sentence.startswith(first) for cell in cells if cell.lost for one in cell.failed)


def misconceptions_of(
    lab: Lab, result: StudentResult, known: Mapping[str, Mapping[str, Signature]]
) -> dict[str, Nearest]:
    """Return, for each exercise in which something is lost, what the answer is most like."""
    found: dict[str, Nearest] = {}
    for exercise in lab.exercises:
        cells = [cell for cell in result.tests if cell.exercise == exercise.number]
        one = nearest(exercise, cells, known.get(exercise.number, {}))
        if one is None:
            continue
        earlier = [number for number in exercise.after if number in found]
        if earlier and one.share < ALONE and one.told != MISSING:
            one = Nearest(
                exercise=exercise.number, names=(), share=one.share, told=f"{FOLLOWS} {' and '.join(earlier)}"
            )
        found[exercise.number] = one
    return found
