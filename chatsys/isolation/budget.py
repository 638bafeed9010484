"""Budget: how many seconds of CPU the grading of one notebook may take, and who may take them.

    20 s of CPU in all    12  its cells, 5 for one of them      measured from when their process is ready
                           1  until that process is ready
                         0.5  until a cell that takes too long has ended
                           3  the judge
                           9  the answers, or what is left of the 20; 3 for one call of a method

The answers share what they have: each leaves 0.8 s to every one that comes after it, so that one that loops takes
nothing from a right one.  Only seconds of CPU count, so the points are the same on every machine; that of the wall
bounds what sleeps (`PATIENCE`), and what a machine keeps from running costs nobody points.

Promises  cells and answers never take more than `WHOLE` less the judge's share; a test adds it up.  That share is room and
          no limit: for right answers to lab 03 the judge needs one to two seconds.
Read also `limits` (one process), `teach.grading.taking` (the cells), `teach.grading.judging` (the answers).
"""

import time
from math import floor

from chatsys.isolation import fork_server
from chatsys.isolation.limits import Quota

WHOLE = 20.0
"""Everything that one notebook costs."""
NOTEBOOK, CELL = 12.0, 5.0
"""All cells; one cell."""
BEGINNING, SLACK = 1.0, 0.5
"""Until the first process for the cells is ready; until a cell is ended that takes too long."""
JUDGE = 3.0
"""What is left for the judge itself."""
ANSWERS, DOOR = 9.0, 3.0
"""All answers, if the cells leave so much; one call of a method."""
LEAST, OVERRUN = 0.8, 0.3
"""What every answer has in any case; what passes until one is ended that takes too long."""
PATIENCE = 10.0
"""So many times as long may a cell sleep, or all of them, or be kept from running."""


class Allowance:
    """The seconds of CPU that the answers of one notebook may take together."""

    def __init__(self, cells: float = 0.0, answers: int = 1) -> None:
        """The cells took `cells` seconds of CPU; so many `answers` are to come."""
        rest = WHOLE - JUDGE - min(cells, BEGINNING + NOTEBOOK + SLACK)
        self.left, self.coming = min(ANSWERS, rest), answers
        self.least = min(LEAST, self.left / max(answers, 1))

    def quota(self) -> Quota:
        """Return what the next answer may take."""
        whole = self.left - (self.coming - 1) * self.least - OVERRUN
        return Quota(operation=DOOR, whole=floor(10 * whole) / 10)  # a sentence names it

    def spend(self, seconds: float) -> None:
        """Take note of what an answer took."""
        self.left -= seconds
        self.coming -= 1


def cpu_used() -> float:
    """Return the seconds of CPU of this process and of all that it has begun and that have ended."""
    mine = time.process_time()
    try:
        import resource
    except ImportError:  # Windows
        return mine
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine + children.ru_utime + children.ru_stime + fork_server.computed()
