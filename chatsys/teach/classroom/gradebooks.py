"""Gradebooks: the points of a class as a table that the platform's own import reads.

    moodle    Identifier,Full name,Grade,Maximum grade,Last modified (grade)     "Participant 12345" finds the person
    canvas    Student,ID,SIS User ID,SIS Login ID,Section,<assignment>           ID finds the person; row 2 has the points
    others    id,name,email,score,max_score,late,look at

Moodle: *Assignment > Upload grading worksheet* (`mod/assign/feedback/offline`, which asks for the columns Identifier, Grade
and Last modified (grade), in the language of the site; these are the English ones).  Canvas: *Grades > Import*
(`lib/gradebook_importer`); a column whose heading is not that of an assignment makes a new one, so give `column` as Canvas
exports it, "Lab 3 (1234)".

Assumes   the points of people, if there are any, are given: a mark of the machine alone is not the whole lab.
Promises  no cell begins with a sign that a table program takes for a formula.
Read also `results`, `batch`.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from chatsys.teach.classroom.hand_marks import Total
from chatsys.teach.classroom.results import ClassResults, StudentResult

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(results: ClassResults, totals: Mapping[str, Total] | None = None, column: str | None = None) -> str:
    """Return the table of a class; `totals` are points of the machine and of people together, `column` names the lab."""
    rows = _rows(results, dict(totals or {}), column or results.lab)
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\r\n").writerows([_harmless(cell) for cell in row] for row in rows)
    return table.getvalue()


def _rows(results: ClassResults, totals: dict[str, Total], column: str) -> Iterator[list[object]]:
    every = list(results.submissions.values())
    points = {one.student: totals[one.student].points if one.student in totals else one.score for one in every}
    possible = {one.student: totals[one.student].possible if one.student in totals else one.max_score for one in every}
    whole = {
        one.student: possible[one.student] + (one.max_today - one.max_score if one.max_today else 0) for one in every
    }
    most = max(whole.values(), default=0.0)
    if results.layout in (
        "moodle",
        "canvas",
    ):  # one maximum for all: the points of an older version count by their share
        points = {who: points[who] * whole[who] / possible[who] if possible[who] else 0.0 for who in points}
    people = [(one, student, _number(points[one.student])) for one in every for student in (_first(one), *one.members)]
    if results.layout == "moodle":
        now = datetime.now(UTC).strftime("%A, %d %B %Y, %I:%M %p")
        yield ["Identifier", "Full name", "Grade", "Maximum grade", "Last modified (grade)"]
        for _, person, grade in people:
            if number := person.get("moodle"):
                yield [f"Participant {number}", person.get("name", ""), grade, _number(most), now]
    elif results.layout == "canvas":
        yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", column]
        yield ["    Points Possible", "", "", "", "", _number(most)]
        for _, person, grade in people:
            yield [person.get("name", ""), person.get("canvas", ""), "", "", "", grade]
    else:
        yield ["id", "name", "email", "score", "max_score", "late", "look at"]
        for one, person, grade in people:
            late = "" if one.late is None else "yes" if one.late else "no"
            about = [person["student"], person.get("name", ""), person.get("email", "")]
            yield [*about, grade, _number(possible[one.student]), late, len(one.flags)]


def left_out(results: ClassResults) -> list[str]:
    """Return the students whom the platform's table cannot name, for they have no id there."""
    key = {"moodle": "moodle", "canvas": "canvas"}.get(results.layout)
    return [one.student for one in results.submissions.values() if key and key not in one.ids]


def _first(one: StudentResult) -> dict[str, str]:
    return {"student": one.student, "name": one.name, **one.ids}


def _number(points: float) -> str:
    return f"{points:.2f}".rstrip("0").rstrip(".")


def _harmless(cell: object) -> str:
    text = str(cell)
    return f"'{text}" if text.startswith(FORMULA) else text


def names(students: Iterable[str], most: int = 5) -> str:
    """Return some of these ids as one text."""
    some = list(students)
    return ", ".join(some[:most]) + (f" and {len(some) - most} more" if len(some) > most else "")
