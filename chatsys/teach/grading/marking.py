"""Marking: one notebook that was handed in becomes a mark, by the lab's declaration and its keys.

    Submission --take--> answers, predictions --judge each exercise--> PartResult --> one test per graded cell --> Mark

The notebook is run only to take the answers out of it; what its cells show is worth nothing.  Each answer is judged
where the notebook cannot reach: worlds, seeds and keys are in this process, the answer in a confined one of its own.

Promises  a mark for every notebook, with a sentence for whatever cost points; what is in doubt is flagged for a person.
Read also `course` (what is known before), `submission`, `taking`, `judging`; `classroom.nbgrader_judge` (the same marks in a gradebook),
          `teach.classroom` (a class).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from chatsys.errors import told as error_told
from chatsys.isolation.budget import Allowance, cpu_used
from chatsys.isolation.confinement import MEASURES
from chatsys.teach.grading.course import Course
from chatsys.teach.grading.judging import ANSWER, judge
from chatsys.teach.grading.lab import DESIGN_WORDS, RUNS, Exercise, Finding, Kind, Lab, PartResult, WrittenTest
from chatsys.teach.grading.points import rounded_down
from chatsys.teach.grading.predictions import given
from chatsys.teach.grading.reading import Notebook, page_version
from chatsys.teach.grading.submission import Submission, understand, written_words
from chatsys.teach.grading.taking import NotebookAnswers, take
from chatsys.teach.grading.written import all_answers, judge_written, open_answers
from chatsys.teach.scores import score_told, verdict_told

MOST_REMARKS = 20
"""So many sentences about cells go into a mark."""
MOST_TEXT, MOST_PRINTED = 20_000, 2_000
"""So many letters of a cell are kept with a mark."""
VISIBLE, LATER = "visible", "after_due_date"
"""What Gradescope shows at once, and what it shows after the deadline."""


# --- one notebook --------------------------------------------------------------------------------------


class Mark(dict[str, Any]):
    """One notebook's mark, as Gradescope reads it: score, max_score, tests, output; and what a person may ask."""

    def __str__(self) -> str:
        whole = all(test.get("whole", False) for test in self["tests"])
        score = score_told(self["score"], self["max_score"], whole) + " points" * (not whole)
        lines = [score + (f"; {self['output']}" if self["output"] else "")]
        for test in self["tests"]:
            told = f"   {test['output']}" if test["score"] < test["max_score"] else ""
            lines.append(f"    {test['name']}: {score_told(test['score'], test['max_score'], whole)}{told}")
        lines += [f"    look at: {flag}" for flag in self["flags"]]
        return "\n".join(lines)


def mark_notebook(
    notebook: Notebook, remarks: list[str], course: Course, student: str, *, one_maximum: bool = False
) -> Mark:
    """Put a notebook right, in place, and return its mark by the version of the lab that it was made of, where that can be.

    `remarks` is what was put right before; `one_maximum` as in `Course.of_page`.  Raises `Unreadable` for another lab's.
    """
    page = page_version(notebook)
    its, told = course.of_page(page, one_maximum)
    submission = understand(notebook, its.source, remarks)
    submission.remarks = [*told, *submission.remarks] if its is not course else [*submission.remarks, *told]
    mark = mark_submission(submission, its, student)
    mark["versions"] |= course.versions(student) | {"by": str(its.lab.version)}
    if its is not course and (whole := whole_of(course)) != mark["max_score"]:
        mark["max_today"] = whole
    elif its is course and page in course.kept:
        for test in mark["tests"]:
            test["output"] += course.kept[page].noted(test, course.lab)
    return mark


def whole_of(course: Course) -> float:
    """Return all points that the machine gives in this course."""
    return sum(points for *_, points in _graded_cells(course))


def mark_submission(submission: Submission, course: Course, student: str) -> Mark:
    """Return the mark of one notebook."""
    begun, lab = cpu_used(), course.lab
    taken = take(submission.cells, wanted(lab))
    tests, flags = [_predictions(lab, taken)] if _predicts(course) else [], list(taken.flags)
    allowance = Allowance(taken.cpu, len(taken.answers))
    for asked in _judged(course):
        for one in _outcomes(asked, course, taken, student, allowance):
            tests.append(_test(asked.number, _explained(asked, one, taken)))
            flags += [f"{one.cell}: {one.sentence}"] if one.flagged else []
            flags += [f"{one.cell}: {one.unsteady}"] if one.unsteady else []
    predictions, first = given(lab, taken.predictions), submission.first_answers
    numbers = [one.number for one in lab.predictions]
    return Mark(
        score=round(sum(test["score"] for test in tests), 2),
        max_score=sum(test["max_score"] for test in tests),
        tests=tests,
        output="; ".join(
            [*_by_hand(submission, course), *_some(submission.remarks), *_some(taken.remarks), *_open(taken)]
        ),
        flags=flags,
        predictions={"kept": predictions, "first": {one: first[one] for one in numbers if one in first}},
        cpu=round(cpu_used() - begun, 2),
        memory=taken.memory,
        held=list(taken.held),
        **_written(submission, lab),
        **_record(course, student, submission.page),
    )


def _outcomes(
    asked: Exercise | WrittenTest, course: Course, taken: NotebookAnswers, student: str, allowance: Allowance
) -> list[PartResult]:
    """Judge one answer; a fault of a judge costs nobody the rest of the notebook."""
    code, keys = taken.answers.get(asked.number), course.keys
    if code is None and asked.number not in taken.cannot and (why := taken.doubt(asked.cell)):
        return _undecided(asked, course, f"Nobody can tell what this is worth: {why}.", share=1)
    try:
        if isinstance(asked, WrittenTest):
            answers = open_answers(asked) if keys is None else all_answers(asked, keys)
            return [judge_written(asked, code, *answers, allowance)]
        kinds: tuple[Kind, ...] | None = ("public",) if keys is None else None

        def seeds_for(exercise: Exercise, kind: Kind) -> Sequence[int]:
            return course.seeds_for(student, exercise, kind)

        return judge(asked, code, seeds_for, keys, kinds, allowance=allowance)
    except Exception as error:
        why = f"This could not be graded, and the grader is to blame: {error_told(error)}."
        return _undecided(asked, course, why, share=0)


def _undecided(asked: Exercise | WrittenTest, course: Course, why: str, share: int) -> list[PartResult]:
    """Return what is given, all points or none, until a person has looked."""
    return [
        PartResult(
            cell=cell, kind=kind, verdict="inconclusive", points=share * points, possible=points, sentence=why,
            flagged=(RUNS,), whole=course.lab.whole,
        )
        for cell, kind, points in _cells(asked, course)
    ]  # fmt: skip


def _asked(lab: Lab) -> list[Exercise | WrittenTest]:
    return [*lab.exercises, *lab.tests]


def _judged(course: Course) -> list[Exercise | WrittenTest]:
    return [one for one in _asked(course.lab) if course.only in (None, one.number)]


def _predicts(course: Course) -> bool:
    return bool(course.lab.predictions) and course.lab.predictions_points > 0 and course.only is None


def _cells(asked: Exercise | WrittenTest, course: Course) -> list[tuple[str, Kind, float]]:
    """Return the graded cells of one exercise: (name, kind, points)."""
    if isinstance(asked, WrittenTest):
        return [(asked.graded, "public", asked.points)]
    parts = [part for part in asked.parts if course.keys is not None or part.kind == "public"]
    return [(part.cell, part.kind, part.points) for part in parts]


def _graded_cells(course: Course) -> list[tuple[str, str, Kind, float]]:
    """Return all graded cells: (exercise, name, kind, points)."""
    lab = course.lab
    cells: list[tuple[str, str, Kind, float]] = [("", lab.predictions_graded, "public", lab.predictions_points)]
    by_exercise = [(asked.number, *cell) for asked in _judged(course) for cell in _cells(asked, course)]
    return (cells if _predicts(course) else []) + by_exercise


def wanted(lab: Lab) -> dict[str, dict[str, str]]:
    """Return what is taken out of a notebook: exercise -> name under which it travels -> name in the notebook."""
    classes = {exercise.number: {ANSWER: exercise.writes} for exercise in lab.exercises}
    return classes | {test.number: {name: name for name in (test.scenario, test.claim)} for test in lab.tests}


def without_answers(course: Course, why: str, student: str = "") -> Mark:
    """Return the mark of something that is no notebook of the lab: no points, and the sentence that says why."""
    tests = [
        {"name": name, "score": 0, "max_score": points, "output": why} | _place(number, kind, course.lab.whole)
        for number, name, kind, points in _graded_cells(course)
    ]
    return Mark(score=0, max_score=whole_of(course), tests=tests, output=why, flags=[], **_record(course, student))


def _record(course: Course, student: str, page: int | None = None) -> dict[str, Any]:
    """Return what a mark hangs on besides the notebook, so that a second one can explain its difference.

    `page` is the version of the lab's page that the notebook was made of, if it says so.
    """
    made_of = {} if page is None else {"page": str(page)}
    return {"versions": course.versions(student) | made_of, "secret": course.secret_id}


def _written(submission: Submission, lab: Lab) -> dict[str, dict[str, str]]:
    """Return what people read of a notebook: the texts, and the code of the answers."""
    asked = {one.cell for one in _asked(lab)}
    return {
        "texts": {name: text[:MOST_TEXT] for name, text in submission.texts.items()},
        "printed": {one.cell: submission.printed.get(one.cell, "")[:MOST_PRINTED] for one in lab.explain},
        "answers": {cell.name: cell.source[:MOST_TEXT] for cell in submission.cells if cell.name in asked},
    }


def _some(remarks: Sequence[str]) -> list[str]:
    """Return the first of many sentences, and how many there are beyond them."""
    more = len(remarks) - MOST_REMARKS
    return [*remarks[:MOST_REMARKS], *([f"{more} more remarks"] if more > 0 else [])]


def _open(taken: NotebookAnswers) -> Iterator[str]:
    """Say what this machine could not keep the notebook from."""
    if taken.held and (lacking := [name for name in MEASURES if name not in taken.held]):
        yield f"this machine could not bound {_and(lacking)} for the notebook's code"


def _by_hand(submission: Submission, course: Course) -> Iterator[str]:
    if cells := course.source.by_hand():
        yield f"to be read by a person: {', '.join(cells)}"
    if course.lab.design is not None:
        words = written_words(submission.texts.get(course.lab.design, ""))
        yield f"design note: {'done' if words >= DESIGN_WORDS else 'not done'} ({words} words)"


# --- one graded cell -----------------------------------------------------------------------------------


def _test(number: str, outcome: PartResult) -> dict[str, Any]:
    return {
        "name": outcome.cell,
        "score": outcome.points,
        "max_score": outcome.possible,
        "output": told(number, outcome),
        "verdict": outcome.verdict,
        "lost": list(outcome.lost),
        "failed": [_failed(one) for one in outcome.findings],
    } | _place(number, outcome.kind, outcome.whole)


def _place(number: str, kind: Kind, whole: bool = False) -> dict[str, Any]:
    """Return where a graded cell belongs, when a student may see what it says, and whether it is done or not done."""
    place = {"exercise": number, "kind": kind, "visibility": VISIBLE if kind == "public" else LATER}
    return place | ({"whole": True} if whole else {})


def _failed(one: Finding) -> dict[str, Any]:
    """Return a finding without its run, which is too large to be kept."""
    found = {"aspect": one.aspect, "sentence": one.sentence, "seed": one.seed}
    return found | {"rank": one.rank, "inconclusive": one.inconclusive}


def told(number: str, outcome: PartResult) -> str:
    """Return what the student reads about one graded cell."""
    word = verdict_told(outcome.verdict, outcome.points, outcome.possible, outcome.whole)
    account = f"   {outcome.account}" if outcome.account else ""
    return f"{number}  {word}.  {outcome.sentence}{account}"


def _explained(asked: Exercise | WrittenTest, outcome: PartResult, taken: NotebookAnswers) -> PartResult:
    """Let an answer that is missing be told by what became of its cell."""
    if asked.number in taken.answers:
        return outcome
    why = taken.cannot.get(asked.number) or taken.cells.get(asked.cell)
    if asked.cell in taken.unwritten:
        why = f"Cell {asked.cell} is not written yet"
    return msgspec.structs.replace(outcome, sentence=f"{why[0].upper()}{why[1:]}.") if why else outcome


def _predictions(lab: Lab, taken: NotebookAnswers) -> dict[str, Any]:
    """Return the test of the predictions: they count for being there, together."""
    answers = given(lab, taken.predictions)
    missing = [one.number for one in lab.predictions if one.number not in answers]
    points: float = rounded_down(lab.predictions_points, len(answers) / len(lab.predictions))
    sentence = f"There is no answer to {_and(missing)}." if missing else "All predictions are given."
    if missing and (why := taken.doubt(lab.predictions_cell)):
        points, sentence = lab.predictions_points, f"Nobody can tell what else there is: {why}."
    output = f"{len(answers)} of {len(lab.predictions)} predictions.  {sentence}"
    whole = {"name": lab.predictions_graded, "score": points, "max_score": lab.predictions_points, "output": output}
    verdict = "pass" if not missing else "fail" if points < lab.predictions_points else "inconclusive"
    lost = missing if verdict == "fail" else []
    return whole | {"verdict": verdict, "lost": lost} | _place("", "public")


def _and(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
