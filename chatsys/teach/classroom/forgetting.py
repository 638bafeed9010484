"""Forgetting: what is kept of a student is deleted, wherever it stands.

    results.json           the submission, and the hints of others that name it
    gradescope/ID.json     the file for Gradescope
    marks-by-hand.csv      what people gave
    report.html, by-hand.html, the notebook itself     are named, for a person to make anew or to delete

Promises  the files stay whole; what is not there to be forgotten is told.
Read also `results`, `hand_marks` (what is kept).
"""

from collections.abc import Iterable
from pathlib import Path

from chatsys.errors import UsageError
from chatsys.teach.classroom.hand_marks import NAME, read_hand_marks, write_hand_marks
from chatsys.teach.classroom.results import ClassResults, StudentResult, read_results, write_results
from chatsys.teach.grading.lab import Lab


def forget(results: Path, students: Iterable[str], lab: Lab) -> list[str]:
    """Delete what is kept of these students beside the file `results`; return a sentence for each thing that was done.

    Raises `UsageError`, before anything is deleted, if nothing is kept of one of them.
    """
    found = read_results(results)
    hand = results.with_name(NAME)
    marks = read_hand_marks(hand, lab)
    students = list(dict.fromkeys(students))
    for name in students:
        if name not in found.submissions and not any(student == name for student, _ in marks):
            raise UsageError(f"Nothing is kept of {name!r:.80} in {results} or {NAME}; give the id that stands there.")
    told: list[str] = []
    for name in students:
        gone = found.submissions.pop(name, None)
        told += _of_results(found, name, gone)
    kept = {key: mark for key, mark in marks.items() if key[0] not in students}
    write_results(results, found)
    if len(kept) < len(marks):
        write_hand_marks(hand, kept)
        told.append(f"{NAME}: {len(marks) - len(kept)} lines were deleted")
    told += [f"{file} was deleted" for name in students if (file := _file_of(results, name)) and _delete(file)]
    return told


def _of_results(found: ClassResults, name: str, gone: StudentResult | None) -> list[str]:
    """Take out what others' marks say of somebody who has gone."""
    if gone is None:
        return []
    names = {name, gone.path} - {""}
    for one in found.submissions.values():
        one.hints = [hint for hint in one.hints if not any(each in hint for each in names)]
        one.flags = [flag for flag in one.flags if not any(each in flag for each in names)]
    left = f"; the notebook lies at {gone.path}, delete it there" if gone.path else ""
    return [f"{name}: the mark, the texts and the answers were deleted{left}"]


def _file_of(results: Path, name: str) -> Path | None:
    """Return the file for Gradescope, if the id can be the name of one."""
    file = results.parent / "gradescope" / f"{name}.json"
    return file if file.parent == results.parent / "gradescope" and file.is_file() else None


def _delete(file: Path) -> bool:
    file.unlink(missing_ok=True)
    return True
