"""Bugs in suspicion, deference and the lease: safe, and yet nobody is served.

Read also `protocol.failure` and `protocol.election`, which do it right.
"""

from chatsys.actor.effects import Effects
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.protocol.election import Bully
from chatsys.protocol.failure import Detector


class DefersForEver(Bully):
    """Stands back whenever a higher node answers, however often that node failed to lead."""

    def _count(self, now: float) -> Effects:
        self.may_defer = True
        return super()._count(now)


class SleepsWell(Detector):
    """Wakes up from a pause and serves its queue as the leader that it was."""

    def wake(self, late: float) -> Effects:
        """Take no notice of the time that went by."""
        return []


FAILURE = (
    Mutant(
        name="unbounded deference",
        story="A node stands back for a higher one again and again, although that one cannot lead.",
        killers=("L1",),
        parts={"election": DefersForEver},
        directed="Q27",
    ),
    Mutant(
        name="no wake check",
        story="A leader that slept does not notice, and serves what waited as if no time had passed.",
        killers=("S7", "S1"),
        parts={"failure": SleepsWell},
        directed="C6",
    ),
)
"""The bugs of this page."""
