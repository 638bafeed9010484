"""On Gradescope: one submission, in a machine of its own that is thrown away afterwards.

    /autograder/submission_metadata.json   who handed in, and when it was due
    /autograder/submission/                what
    /autograder/source/labs/               keys and secret: read, and then removed before any cell runs
    /autograder/results/results.json       the mark

`python -m chatsys.teach.classroom.on_gradescope LAB [/autograder]`; the zip's `run_autograder` calls it.  The form of
these files is that of Gradescope's pages *Autograder specifications* and *Submission metadata*.

Promises  a results.json whatever happens, with a sentence in it for the student; exit code 0, for Gradescope shows nothing
          of what failed otherwise.
Read also `gradescope` (the form), `autograder` (the zip).
"""

import json
import shutil
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from chatsys.errors import ChatsysError
from chatsys.surroundings import UNUSABLE
from chatsys.teach.classroom.gradescope import as_gradescope
from chatsys.teach.classroom.handed import Handed, files_below, plainly, submissions_of
from chatsys.teach.classroom.jobs import grade_one
from chatsys.teach.classroom.results import StudentResult, as_text, write_whole
from chatsys.teach.grading.course import Course, open_course
from chatsys.teach.grading.marking import without_answers

UNKNOWN = "unknown"
"""The id of somebody whom Gradescope does not name."""


def main(lab: str, home: Path = Path("/autograder")) -> None:
    """Grade what is in `home`/submission, and write `home`/results/results.json."""
    try:
        form = as_gradescope(grade_there(lab, home))
    except Exception as error:
        traceback.print_exc()  # Gradescope shows it to instructors
        said = str(error) if isinstance(error, ChatsysError) else f"{type(error).__name__}"
        form = {"score": 0, "output": f"This could not be graded; tell your instructor. ({said})", "tests": []}
    (home / "results").mkdir(exist_ok=True)
    write_whole(home / "results" / "results.json", as_text(form))


def grade_there(lab: str, home: Path) -> StudentResult:
    """Return the result of the one submission in `home`."""
    labs = home / "source" / "labs"
    course = open_course(lab, labs, labs / "keys" / "secret")
    shutil.rmtree(labs / "keys")
    whose, remarks = _whose(home / "submission_metadata.json")
    found = list(submissions_of(whose, files_below(home / "submission"), course.lab.name, home / "submission"))
    *others, one = sorted(found, key=lambda each: each.order)
    if others:
        names = ", ".join(each.shown for each in others)
        remarks.append(f"There is more than one notebook; {one.shown} was graded, and this was not: {names}.")
    return _result(one, remarks, course)


def _result(one: Handed, remarks: list[str], course: Course) -> StudentResult:
    if one.path is None:
        mark = without_answers(course, one.remarks[-1], one.student)
    else:
        mark = grade_one(one.path, course, one.student)
    about = {"student": one.student, "name": one.name, "path": one.shown, "late": one.late, "remarks": remarks}
    return msgspec.convert(dict(mark) | about, StudentResult)


def _whose(path: Path) -> tuple[Handed, list[str]]:
    """Return whose submission it is, by the address, as Gradescope's export has it, too."""
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
        first = told["users"][0]
        whose = Handed(
            student=plainly(str(first["email"])).strip(), name=str(first.get("name", "")), shown="submission"
        )
    except (*UNUSABLE, KeyError, IndexError, TypeError, AttributeError):
        remark = "Gradescope did not say who handed this in, so the hidden seeds are those of nobody in particular."
        return Handed(student=UNKNOWN, shown="submission"), [remark]
    try:
        submitted, due = (datetime.fromisoformat(text) for text in (told["created_at"], told["assignment"]["due_date"]))
        whose.late = submitted > due
    except (KeyError, TypeError, ValueError):
        return whose, []
    return whose, ["It was handed in late; no points were taken for that."] if whose.late else []


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:3]))
