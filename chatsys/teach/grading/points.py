"""Points: those of a graded cell are shared out among what must hold in it, each a whole number, and together they add up.

    10 points, shares {loads: 1, kept: 4, torn: 3}   --shared_out-->   {loads: 1, kept: 5, torn: 4}
    torn is lost                                     --account-->      "loads 1 of 1, kept 5 of 5, torn 0 of 4"

A share says how much an aspect weighs; a student sees points only: the same ones in the page, in the check and in every report.

Promises  the points of a cell's aspects are whole, at least one each, and their sum is what the cell is worth.
Read also `lab` (the declaration), `judging` (which aspects are lost), `labs.facts` (the page's table).
"""

from collections.abc import Collection, Mapping

from chatsys.teach.grading.lab import Exercise, GradedPart


def points_of(exercise: Exercise, part: GradedPart) -> dict[str, int]:
    """Return what each aspect of a part is worth, in points."""
    return shared_out(part.points, exercise.shares(part))


def shared_out(points: float, shares: Mapping[str, int]) -> dict[str, int]:
    """Return whole points by these shares: one for each aspect, and each further one to that which lacks most of its due.

    Where two lack the same the first one gets it.  There must be a whole number of points, and one at least for each.
    """
    assert points == int(points) >= len(shares) > 0, f"{points:g} points cannot be shared out among {', '.join(shares)}"
    total = sum(shares.values())
    found = dict.fromkeys(shares, 1)
    for _ in range(int(points) - len(shares)):
        found[max(shares, key=lambda one: points * shares[one] / total - found[one])] += 1
    return found


def rounded_down(points: float, share: float) -> int:
    """Return a share of points, rounded down: all of them are for who has all."""
    return int(points * share + 1e-9)


def account(worth: Mapping[str, int], lost: Collection[str], because: Mapping[str, Collection[str]]) -> str:
    """Return how the points of a cell come together, "" where there is but one aspect, or nothing is lost.

    `because` has for an aspect that is lost only with others, which ones.
    """
    if len(worth) < 2 or not lost:
        return ""
    each = [
        f"{one} {0 if one in lost else points} of {points}{_why(because.get(one, ()))}" for one, points in worth.items()
    ]
    return f"Points: {', '.join(each)}."


def _why(others: Collection[str]) -> str:
    return f" (needs {', '.join(others)})" if others else ""
