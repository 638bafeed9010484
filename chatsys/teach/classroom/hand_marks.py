"""Marks by hand: what people give for texts, and where they overrule the machine; in a file of their own.

    marks-by-hand.csv     student,cell,points,who,when,why
                          ann,explanation,8,Dr. Ray,2026-11-25,both numbers are there
                          bob,check-3-1,14,Dr. Ray,2026-11-26,the network of the exam room was down

The machine never writes this file and people never write results.json, so a regrade cannot touch what a person has
said: the two meet only here, in `totals`.

Promises  a line that cannot be meant so is refused with its number; one total, wherever it is asked for.
Read also `results` (the machine's part), `report` (the page on which people mark).
"""

import csv
import io
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from chatsys.errors import UsageError
from chatsys.surroundings import UNUSABLE, reason
from chatsys.teach.classroom.results import CellResult, ClassResults, StudentResult, write_whole
from chatsys.teach.grading.lab import Lab

NAME = "marks-by-hand.csv"
"""How the file is called beside results.json."""
COLUMNS = ("student", "cell", "points", "who", "when", "why")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula; an apostrophe before it makes it a text."""


class HandMark(msgspec.Struct, frozen=True, kw_only=True):
    """What one person gave one student for one cell."""

    student: str
    cell: str
    points: float
    who: str = ""
    when: str = ""
    why: str = ""

    def __str__(self) -> str:
        by = f" by {self.who}" if self.who else ""
        on = f" on {self.when}" if self.when else ""
        return f"{self.points:g}{by}{on}" + (f": {self.why}" if self.why else "")


HandMarks = dict[tuple[str, str], HandMark]
"""(student, cell) -> mark."""


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """One student's points, those of the machine and those of people together."""

    points: float
    possible: float
    """All points of the lab, or those that were graded."""
    by_hand: float | None = None
    """What people gave for texts; None: nothing yet."""
    waiting: tuple[str, ...] = ()
    """Cells that a person has still to mark; nothing is given for them yet."""
    overruled: tuple[tuple[CellResult, HandMark], ...] = ()
    """Where a person gave other points than the machine."""


def marked_by_people(lab: Lab) -> dict[str, float]:
    """Return the cells that people mark, with their points."""
    return {one.cell: one.points for one in lab.explain}


def read_hand_marks(path: Path, lab: Lab) -> HandMarks:
    """Return the marks in `path`, none if there is no such file; raises `UsageError` for a line that cannot be meant so."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not text in UTF-8; save it as CSV (UTF-8).") from None
    except UNUSABLE as error:
        raise UsageError(f"{path} cannot be read: {reason(error)}.") from None
    found: HandMarks = {}
    for where, mark in _lines(path, text, possible_points(lab)):
        key = mark.student, mark.cell
        if key in found:
            raise UsageError(
                f"{where} marks {mark.cell} of {mark.student} for the second time; leave one of the two lines."
            )
        found[key] = mark
    return found


def possible_points(lab: Lab) -> dict[str, float]:
    """Return every cell that has points, those of the machine and those of people."""
    cells = {part.cell: part.points for exercise in lab.exercises for part in exercise.parts}
    cells |= {test.graded: test.points for test in lab.tests}
    if lab.predictions_points:
        cells[lab.predictions_graded] = lab.predictions_points
    return cells | marked_by_people(lab)


def _lines(path: Path, text: str, possible: Mapping[str, float]) -> Iterator[tuple[str, HandMark]]:
    dialect = "excel" if text.partition("\n")[0].count(";") < 2 else _Semicolons
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), dialect, strict=True))
    except csv.Error as error:
        raise UsageError(f"{path} is no CSV ({error}); its columns are {','.join(COLUMNS)}.") from None
    head = [name.strip().lower() for name in rows[0]] if rows else []
    if missing := [name for name in COLUMNS[:3] if name not in head]:
        raise UsageError(f"{path} has no column {missing[0]}; its columns are {','.join(COLUMNS)}.")
    for number, row in enumerate(rows[1:], 2):
        values = {name: _read(value) for name, value in zip(head, row, strict=False) if name in COLUMNS}
        if any(values.values()):
            where = f"{path}, line {number},"
            yield where, _mark(where, values, possible)


class _Semicolons(csv.excel):
    """What spreadsheets write where a comma is the sign of decimals."""

    delimiter = ";"


def _mark(where: str, values: dict[str, str], possible: Mapping[str, float]) -> HandMark:
    student, cell, text = (values.get(name, "") for name in COLUMNS[:3])
    if not student:
        raise UsageError(f"{where} has no student; write the id that stands in results.json.")
    if cell not in possible:
        raise UsageError(f"{where} marks a cell {cell!r:.40}, which has no points; there are {', '.join(possible)}.")
    try:
        points = float(text.replace(",", "."))
    except ValueError:
        points = math.nan
    if not 0 <= points <= possible[cell]:
        raise UsageError(f"{where} gives {text!r:.20} points for {cell}; write a number from 0 to {possible[cell]:g}.")
    return HandMark(points=points, **{name: value for name, value in values.items() if name != "points"})


def _read(value: str) -> str:
    value = value.strip()
    return value[1:] if value.startswith("'") and value[1:].startswith(FORMULA) else value


def write_hand_marks(path: Path, marks: HandMarks) -> None:
    """Write marks so that `read_hand_marks` reads the same, and that a spreadsheet takes no text for a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in marks.values():
        texts = (one.student, one.cell, f"{one.points:g}", one.who, one.when, one.why)
        writer.writerow([f"'{text}" if text.startswith(FORMULA) else text for text in texts])
    write_whole(path, out.getvalue())


# --- one total -------------------------------------------------------------------------------------------


def total_of(result: StudentResult, lab: Lab, marks: HandMarks) -> Total:
    """Return the points of one student: what a person gave, else what the machine gave."""
    points, overruled = 0.0, []
    for test in result.tests:
        mark = marks.get((result.student, test.name))
        points += mark.points if mark is not None else test.score
        overruled += [(test, mark)] if mark is not None else []
    people = marked_by_people(lab)
    given = {cell: marks[result.student, cell].points for cell in people if (result.student, cell) in marks}
    return Total(
        points=round(points + sum(given.values()), 2),
        possible=sum(test.max_score for test in result.tests) + sum(people.values()),
        by_hand=sum(given.values()) if given else None,
        waiting=tuple(cell for cell in people if cell not in given),
        overruled=tuple(overruled),
    )


def totals(results: ClassResults, lab: Lab, marks: HandMarks) -> dict[str, Total]:
    """Return the points of every student, by id."""
    return {name: total_of(one, lab, marks) for name, one in results.submissions.items()}


def strangers(results: ClassResults, marks: HandMarks) -> list[str]:
    """Return the students who are marked by hand and handed in nothing."""
    return sorted({student for student, _ in marks} - results.submissions.keys())
