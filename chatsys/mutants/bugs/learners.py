"""Bugs about learners: an id is taken twice, somebody else says LEAVE, an old answer is believed.

Read also `protocol.learning`, which does it right.
"""

from typing import Any

from chatsys.actor.effects import Append, Effects
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.protocol.learning.admission import Learners
from chatsys.protocol.learning.chronicle import Chronicle
from chatsys.protocol.learning.learner import Learner
from chatsys.protocol.learning.listening import Listening
from chatsys.protocol.learning.records import KeptMessage
from chatsys.protocol.learning.table import LearnerTable
from chatsys.protocol.messages import Delivered, Entry, JoinAck, LearnerInfo
from chatsys.protocol.node import Node


class OpenHouse(LearnerTable):
    """Does not look whether an id is taken."""

    def is_taken(self, info: LearnerInfo) -> bool:
        """Find every id free."""
        return False


class ById(LearnerTable):
    """Knows a learner by its id."""

    def judge(self, info: LearnerInfo) -> Any:
        """Say that whoever comes under a known id is in already."""
        return "void" if info.node in self.learners else super().judge(info)


class Credulous(LearnerTable):
    """Believes a LEAVE, whoever says it."""

    def lets_go(self, info: LearnerInfo) -> bool:
        """Look at the id alone."""
        return info.node in self.learners


class Reunited(LearnerTable):
    """Takes in again who has left."""

    def apply(self, entry: Entry) -> Any:
        """Remember nobody who left."""
        verdict = super().apply(entry)
        self.left.clear()
        return verdict


class Unread(Learners):
    """Begins a life with an empty table."""

    def start(self, now: float) -> Effects:
        """Take what is committed for known."""
        self.applied = self.log.commit
        return []


class TakesWhatComes(Chronicle):
    """Keeps what comes, in the order in which it comes, and numbers it anew."""

    def keep(self, delivered: Delivered) -> Effects:
        """Look at no number but that of the last message."""
        fresh = [entry for entry in delivered.entries if not self.heard or entry.seq > self.heard[-1].seq]
        self.heard += fresh
        first = len(self.heard) - len(fresh)
        kept = [KeptMessage(number, entry) for number, entry in enumerate(fresh, start=first + 1)]
        return [Append(*kept), *self.deliver()] if kept else []


class Faithful(Listening):
    """Stays with whoever answers."""

    def stays(self, answer: JoinAck) -> bool:
        """Be content with any answer."""
        return True


class Offended(Learner):
    """Takes the first refusal for the last word."""

    def is_final(self, refusal: JoinAck) -> bool:
        """Look at no number."""
        return True


def _with_table(kind: type[LearnerTable]) -> dict[str, Any]:
    return {"learners": type(f"With{kind.__name__}", (Learners,), {"table_class": kind})}


def _with_learner(**classes: Any) -> type[Node]:
    return type("Node", (Node,), {"learner": type("Learner", (Learner,), classes)})


def _bug(name: str, story: str, killer: str, directed: str, **how: Any) -> Mutant:
    return Mutant(name=name, story=story, killers=(killer,), directed=directed, **how)


LEARNERS = (
    _bug("id of a learner taken twice", "Nobody looks whether the id is taken, so a second folder takes the place of the first.",
         "S17", "Q45", parts=_with_table(OpenHouse)),
    _bug("emptied learner taken back", "A learner is known by its id alone, so one that forgot everything is told that it is in.",
         "S17", "Q45", parts=_with_table(ById)),
    _bug("learners not read at a start", "The table of learners is kept in memory, and begins empty in each life.",
         "S17", "Q46", parts={"learners": Unread}),
    _bug("LEAVE of anybody believed", "Whoever says LEAVE for a learner is believed, without knowing its folder.",
         "S17", "Q47", parts=_with_table(Credulous)),
    _bug("who has left joins again", "A late copy of a JOIN takes in a folder whose learner has left.",
         "S17", "Q48", parts=_with_table(Reunited)),
    _bug("learner takes what comes", "A learner keeps what it is sent without looking whether something was left out.",
         "S3", "Q49", actor=_with_learner(chronicle_class=TakesWhatComes)),
    _bug("learner stays with a lonely member", "A learner is content with a member that answers, though that one has no leader.",
         "L2", "Q50", actor=_with_learner(listening_class=Faithful)),
    _bug("late refusal believed", "A learner stops at any refusal of its life, also one that answers what it asked long ago.",
         "L2", "Q51", actor=type("Node", (Node,), {"learner": Offended})),
)  # fmt: skip
"""The bugs of this page."""
