"""What people read while a class is graded, and at its end.

Read also `grading` (the command), `teach.classroom.batch` (who grades).
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from chatsys.commands import hint, print_row
from chatsys.escape import escape

if TYPE_CHECKING:
    from chatsys.teach.classroom.batch import Settled
    from chatsys.teach.classroom.results import ClassResults

EVERY = 5.0
"""Seconds between two lines of progress where there is no terminal."""


class Watch:
    """Tells of each mark: a line on stdout, and on stderr a bar, or a line now and then."""

    def __init__(self, step: Callable[[], object], as_json: bool) -> None:
        self.step, self.as_json = step, as_json
        self.begun, self.told, self.graded = time.monotonic(), 0.0, 0

    def __call__(self, one: "Settled") -> None:
        """Tell of one mark."""
        self.graded += one.again
        self.step()
        if not self.as_json:
            for line in _lines(one):
                print_row(line)
        now = time.monotonic()
        if one.again and not sys.stderr.isatty() and (now - self.told > EVERY or one.done == one.total):
            left = (now - self.begun) / self.graded * (one.total - one.done)
            hint(f"{one.done} of {one.total}" + (f", about {left:.0f} s left" if left >= 1 else ""))
            self.told = now


def _lines(one: "Settled") -> Iterator[str]:
    result = one.result
    name = f" {result.name}" if result.name else ""
    kept = "" if one.again else ", as before"
    yield f"[{one.done} of {one.total}] {escape(result.student + name)}: {result.told}{kept}"
    if all(cell.output == result.output for cell in result.tests):
        yield f"    {result.output}"
    yield from (f"    {escape(remark)}" for remark in result.remarks if remark != result.output)
    yield from (f"    look at: {flag}" for flag in result.flags if flag != result.output)
    yield from (f"    {change}" for change in result.changes * one.again)


def print_summary(graded: "ClassResults", folder: Path) -> None:
    """Print what came of a class, and where it stands."""
    every = list(graded.submissions.values())
    print(
        f"\n{len(every)} submissions of {graded.lab} ({graded.layout}), lab version {graded.versions['lab'].split()[-1]}"
    )
    if every:
        scores = sorted(one.score for one in every)
        half = f"half of them at least {scores[len(scores) // 2]:g}"
        points = f"points     {scores[0]:g} to {scores[-1]:g} of {max(one.max_score for one in every):g}, {half}"
        done = f"done       {sum(one.score >= one.max_score for one in every)} of {len(every)}"
        print(f"  {done if every[0].whole else points}")
    for what, some in (
        ("late", [one for one in every if one.late]),
        ("look at", [one for one in every if one.flags]),
        ("alike", [one for one in every if one.hints]),
        ("changed", [one for one in every if one.earlier is not None and one.earlier.score != one.score]),
    ):
        if some:
            print(
                f"  {what:<10} {len(some)}: {escape(', '.join(one.student for one in some[:8]))}{', ...' if len(some) > 8 else ''}"
            )
    if again := [one for one in every if one.earlier is not None]:
        if all(one.earlier is not None and one.earlier.score == one.score for one in again):
            print("  changed    none")
    for remark in graded.remarks:
        print(f"  told       {remark}")
    print(f"  results    {folder / 'results.json'}, and one file for each student in {folder / 'gradescope'}")
