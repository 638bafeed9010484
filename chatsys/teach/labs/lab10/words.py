"""The words between the chat and the student's two classes in lab 10.

    LogEnd(term, seq)        how a log ends: its last entry is #seq, and was written in `term`; LogEnd(0, 0): an empty log
    Vote(yes, kept)          the answer to a candidate, and what must be on the disk before it leaves

    candidate --AskForVote(term, last)--> every other node --ask(term, candidate, last, own)--> Vote --Promise--> candidate
    follower  --Ack(term, match)--> leader --ack(node, seq, term, terms)--> up to where the log is committed

Read also `stage`, which asks, `protocol.messages` (the frames of the real chat).
"""

import re
from typing import Any, Protocol

import msgspec

from chatsys.actor.effects import Note
from chatsys.errors import ToldThere
from chatsys.protocol.messages import Label, Prepare


class LogEnd(msgspec.Struct, frozen=True):
    """How a log ends: its last entry is number `seq`, and was written in `term`."""

    term: int
    seq: int


class Vote(msgspec.Struct, frozen=True):
    """What a node answers to a candidate, and what it must still know after a crash."""

    yes: bool
    kept: dict[str, int]


class AskForVote(Prepare, frozen=True, tag="ASK"):
    """PREPARE with the end of the candidate's log: in this lab nobody copies the best log, so voters have to compare."""

    last: Label = Label(0, 0)


class KeptVote(msgspec.Struct, frozen=True, tag="vote", tag_field="type"):
    """Durable: what the student's class wants to know after a crash, as pairs in the order of their names."""

    kept: tuple[tuple[str, int], ...]

    def as_note(self) -> Note:
        """Return what the trace tells of this record."""
        return Note("keeps", reason=", ".join(f"{name} {value}" for name, value in self.kept))


class Commits(Protocol):
    """What the student writes for a leader: `MyCommit(me, nodes, term)`, one object for each leadership."""

    def ack(self, node: int, seq: int, term: int, terms: list[int]) -> int:
        """Node `node` holds everything up to `seq`: return up to where the log is committed."""


class Promises(Protocol):
    """What the student writes for a voter: `MyPromise(kept)`, one object for each life of a node."""

    def ask(self, term: int, candidate: int, last: LogEnd, own: LogEnd) -> Vote:
        """Tell whether `candidate` gets this node's vote for `term`."""


class NoSense(ToldThere):
    """What the class returned makes no sense; the sentence says why."""


def checked_commit(value: Any, terms: list[int]) -> int:
    """Return what `ack` returned, if it makes sense: a number of entries that the leader has."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= len(terms):
        raise NoSense(f"ack returned {value!r:.40}; return a number from 0 to {len(terms)}, the end of the log")
    return value


def checked_vote(value: Any) -> Vote:
    """Return what `ask` returned, if it makes sense."""
    if not isinstance(value, Vote) or not isinstance(value.yes, bool) or not _can_be_kept(value.kept):
        raise NoSense(f"ask returned {value!r:.60}; return Vote(True or False, a dictionary of texts and numbers)")
    return value


def _can_be_kept(kept: Any) -> bool:
    return isinstance(kept, dict) and all(
        isinstance(name, str) and isinstance(number, int) and not isinstance(number, bool)
        for name, number in kept.items()
    )


REPLACED = re.compile(r"entry (\d+) is to be replaced, but entries up to (\d+) were committed here")


def contradicts(why: str) -> str | None:
    """Return the sentence for a node that must not go on, since a leader contradicts what was committed; None for others."""
    if found := REPLACED.search(why):
        return f"a leader sent another #{found[1]}, and everything up to #{found[2]} was committed here"
    return why if "safe cluster" in why or "committed" in why else None


def why_stopped(why: str) -> str:
    """Return the words for what stopped a node: an error of the class, an answer that makes no sense, or a contradiction."""
    if (broken := contradicts(why)) is not None:
        return broken
    return why if why.startswith(("ack returned", "ask returned")) else f"your class raised {why}"
