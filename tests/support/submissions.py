"""Submissions of lab 03: right, wrong, clumsy and hostile ones, each made from the source notebook by a few lines.

    SUBMISSIONS["c4 an attribute named result"].make(notebook)     --> the notebook that is handed in

The letters: c correct, w wrong, t tidied wrongly, h hostile, k looks for keys, p poisons what comes after it.
"""

import submissions_honest
import submissions_hostile
from handing_in import SUBMISSIONS

__all__ = ["SUBMISSIONS", "submissions_honest", "submissions_hostile"]
