"""Gradescope's form of a mark: what its results.json must say, and when a student sees what.

    {"score": 78.0, "execution_time": 4.1, "output": "...", "tests": [{"name", "score", "max_score", "output",
     "visibility"}, ...], "extra_data": {"versions": {...}, "secret": "1a2b3c4d", ...}}

The form is that of Gradescope's page *Autograder specifications* (gradescope-autograders.readthedocs.io); what is ours
alone stands in `extra_data`, which it keeps and shows to nobody.  Tests that are not public have the visibility
`after_due_date`; as long as one is hidden, Gradescope hides the total, too.

Read also `results`, `autograder` (who runs there).
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from chatsys.teach.classroom.results import CellResult, StudentResult

OURS = ("student", "flags", "predictions", "cpu", "memory", "held", "versions", "secret", "digest", "changes")
"""What is kept of a mark besides."""


def as_gradescope(result: StudentResult) -> dict[str, Any]:
    """Return a result in the form of Gradescope's results.json."""
    told = [*result.remarks, *([result.output] if result.output not in result.remarks else [])]
    score = result.score
    if result.max_today and result.max_score:  # an assignment has one maximum for all
        score = round(score * result.max_today / result.max_score, 2)
        told.append(f"{result.score:g} of {result.max_score:g} points count here as {score:g} of {result.max_today:g}.")
    whole = msgspec.to_builtins(result)
    return {
        "score": score,
        "execution_time": result.execution_time,
        "output": "\n".join(filter(None, told)),
        "visibility": "visible",
        "tests": [_test(cell) for cell in result.tests],
        "extra_data": {name: whole[name] for name in OURS},
    }


def mark_as_gradescope(mark: Mapping[str, Any]) -> dict[str, Any]:
    """Return the mark of one notebook in the form of Gradescope's results.json."""
    return as_gradescope(msgspec.convert(dict(mark), StudentResult))


def _test(cell: CellResult) -> dict[str, Any]:
    return {
        "name": cell.name,
        "score": cell.score,
        "max_score": cell.max_score,
        "status": "passed" if cell.score == cell.max_score else "failed",
        "output": cell.output,
        "visibility": cell.visibility,
        "extra_data": {"verdict": cell.verdict, "lost": cell.lost},
    }


def file_name(student: str) -> str:
    """Return a name for the file of a student, whatever the id is; two ids never have the same one."""
    safe = re.sub(r"[^\w.@+-]", "_", student)[:80].lstrip(".")
    if safe != student.lower() or not safe:  # some file systems take Ann for ann
        safe += "-" + hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{safe}.json"
