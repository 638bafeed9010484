"""Bugs in suspicion, deference and the lease: safe, and yet nobody is served.

Read also `protocol.failure` and `protocol.election`, which do it right.
"""

from chatsys.actor.effects import Effects, Note
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.mutants.bugs.succession import ClaimsTheTerm
from chatsys.protocol.decisions import Stand, Suspect
from chatsys.protocol.election import Bully
from chatsys.protocol.failure import Detector


class NoTrust(Detector):
    """Helps anybody to depose a leader that it hears perfectly well."""

    def settle(self, now: float) -> Effects:
        """Never trust."""
        self.state.trust = False
        return super().settle(now)


class DefersForEver(Bully):
    """Stands back whenever a higher node answers, however often that node failed to lead."""

    def _count(self, now: float) -> Effects:
        self.may_defer = True
        return super()._count(now)


class ClaimsTheLead(Bully):
    """Garcia-Molina to the letter: the highest id that is up is the coordinator, and says so."""

    def nominate(self, suspicion: Suspect, now: float) -> Effects:
        """Ask nobody if there is nobody above."""
        effects = super().nominate(suspicion, now)
        if not effects or self.state.members.outranking:
            return effects
        return [effect for effect in effects if isinstance(effect, Note)] + [Stand()]


class NeverRetires(Detector):
    """Leads on, whoever answers."""

    def _unanswered(self) -> int:
        return 0


class SleepsWell(Detector):
    """Wakes up from a pause and serves its queue as the leader that it was."""

    def wake(self, late: float) -> Effects:
        """Take no notice of the time that went by."""
        return []


FAILURE = (
    Mutant(
        name="claims the lead at start",
        story="As in the book's Bully, the highest node claims the lead; nobody is asked to promise anything.",
        killers=("S5", "S8", "S1"),
        parts={"election": ClaimsTheLead, "succession": ClaimsTheTerm},
        directed="C4",
        seed=3,
    ),
    Mutant(
        name="no trust",
        story="A node supports every nominee, also while it hears the leader, so one bad link deposes leader after leader.",
        killers=("L1", "L4"),
        parts={"failure": NoTrust},
        directed="Q22",
    ),
    Mutant(
        name="unbounded deference",
        story="A node stands back for a higher one again and again, although that one cannot lead.",
        killers=("L1",),
        parts={"election": DefersForEver},
        directed="Q27",
    ),
    Mutant(
        name="no check-quorum",
        story="A leader that no quorum answers goes on leading, and whoever hears it waits for ever.",
        killers=("L3",),
        parts={"failure": NeverRetires},
        directed="Q26",
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
