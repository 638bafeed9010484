"""A class of four in lab 03 as `results.json` keeps it, made up: right, wrong, undecided, hostile; nothing is graded."""

from pathlib import Path

from chatsys.teach.classroom.results import CellResult, ClassResults, FailedAspect, Predictions, StudentResult
from chatsys.teach.grading.grader import find_lab

LABS = Path(__file__).parents[2] / "labs"
_lab = find_lab("03")
assert _lab is not None
LAB = _lab
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}\"'&"


def made_up_class() -> ClassResults:
    """Return the results of ann, bob, eve and one whose every text is hostile."""
    ann, bob, eve, mal = (_student(name) for name in ("ann", "bob", "eve", HOSTILE))
    loses(bob, "check-3-1", "complete", "With seed 0 node 1 delivered #4 without #3.")
    bob.hints = ["cell hold-back is written like that of ann (0.95)"]
    ann.hints = ["cell hold-back is written like that of bob (0.95)"]
    eve.tests[1].verdict, eve.tests[1].output = "inconclusive", "3.1  not decided: the clock on the wall ended it."
    for cell in ("check-3-1", "hidden-3-1"):
        loses(mal, cell, "complete", HOSTILE)
    mal.name = mal.output = mal.path = HOSTILE
    mal.flags = mal.hints = mal.remarks = [f"{HOSTILE}\x1b[2J\u202e"]
    mal.printed = {"explanation": HOSTILE + "\x1b[2J"}
    mal.texts = {"explanation": HOSTILE + "\x1b[2J", "design": HOSTILE}
    mal.predictions.first = {"3a": HOSTILE}
    submissions = {one.student: one for one in (ann, bob, eve, mal)}
    return ClassResults(lab=LAB.name, title=LAB.title, expected=4, remarks=[HOSTILE], submissions=submissions)


def _student(name: str) -> StudentResult:
    tests = [
        CellResult(
            name=part.cell, score=part.points, max_score=part.points, output="done", exercise=exercise.number,
            kind=part.kind, verdict="pass",
        )
        for exercise in LAB.exercises
        for part in exercise.parts
    ]  # fmt: skip
    tests += [
        CellResult(name=one.graded, score=one.points, max_score=one.points, output="done", exercise=one.number)
        for one in LAB.tests
    ]
    tests.append(CellResult(name=LAB.predictions_graded, score=5, max_score=5, output="all", verdict="pass"))
    slow = name in ("ann", "bob")
    answers: dict[str, bool | int | float | str] = {"3b": 0.7, "3d": "if the network is slow" if slow else "no"}
    return StudentResult(
        student=name, path=f"handed-in/{name}.ipynb", tests=tests, score=90, max_score=90, cpu=3.0,
        graded="2026-11-25T20:00:00", texts={"explanation": "Two messages\nwaited."},
        printed={"explanation": "#4 waited 0.70 s"},
        predictions=Predictions(kept=answers, first={"3a": "4"}),
    )  # fmt: skip


def loses(one: StudentResult, name: str, aspect: str, sentence: str, seed: int = 0) -> None:
    """Let a student lose an aspect of a cell."""
    cell = next(cell for cell in one.tests if cell.name == name)
    one.score -= cell.score
    cell.score, cell.verdict, cell.output, cell.lost = 0.0, "fail", sentence, [aspect]
    cell.failed = [FailedAspect(aspect=aspect, sentence=sentence, seed=seed)]
