"""One exercise: it is judged anew for everybody, and what the other ones got stays.

    chatsys grade submitted --lab NAME --exercise 3.2

For a judge that was wrong, or keys that were mended.  The mark goes on hanging on what it hung on before, so a later
grading of all exercises still sees that the lab has changed.

Read also `batch` (who asks), `regrading` (on what a mark hangs).
"""

from chatsys.teach.classroom.regrading import differences
from chatsys.teach.classroom.results import StudentResult


def with_one_anew(old: StudentResult, new: StudentResult, exercise: str) -> StudentResult:
    """Return the old result with the cells of `exercise` from `new`, in which nothing else was judged."""
    fresh = {cell.name: cell for cell in new.tests}
    tests = [fresh.pop(cell.name, cell) for cell in old.tests] + list(fresh.values())
    names = {cell.name for cell in new.tests}
    kept = [flag for flag in old.flags if flag.partition(":")[0] not in names]
    merged = StudentResult(**{name: getattr(old, name) for name in old.__struct_fields__})
    merged.tests, merged.graded = tests, new.graded
    merged.score = round(sum(cell.score for cell in tests), 2)
    merged.max_score = sum(cell.max_score for cell in tests)
    merged.flags = [*kept, *(flag for flag in new.flags if flag not in kept)]
    points = f"{old.told}{' points' * (not old.whole)} before, now {merged.told}."
    merged.changes = [f"Exercise {exercise} alone was graded anew.", points, *differences(old, new)]
    return merged
