"""The table of learners: who is taken in, by which folder; and which folders have left for ever.

    entry  learner{4, 9f, "host:5004"}   new      4 -> 9f
           learner{4, 30, ..}            taken    4 stays 9f: the first entry for an id wins
           learner{4, 9f, "host:6004"}   moved    4 -> 9f, at another address
           leave{4, 9f}                  left     4 is free, and 9f never joins again
           learner{4, 30, ..}            new      4 -> 30

Promises  the table is a function of the committed log alone, so every node computes the same one.
          A folder joins once: a late copy of its JOIN cannot take in one that has left.
Read also `admission`, which asks it; `session_table`, which is made the same way.
"""

from typing import Literal

from chatsys.protocol.messages import Entry, LearnerInfo

REMEMBERED = 1024
"""So many folders that have left are remembered, the latest ones: a copy of a JOIN is not under way for so long."""

Verdict = Literal["new", "moved", "taken", "full", "left", "void"]


class LearnerTable:
    """Learners by their ids; computed from committed entries."""

    def __init__(self, capacity: int, members: tuple[int, ...]) -> None:
        self.capacity, self.members = capacity, members
        self.learners: dict[int, LearnerInfo] = {}
        self.left: dict[str, None] = {}
        """The folders that have left, in the order in which they did."""

    def apply(self, entry: Entry) -> Verdict:
        """Take in the next committed entry of a learner; say what came of it."""
        info = entry.learner
        if info is None:
            return "void"
        if entry.kind == "leave":
            if not self.lets_go(info):
                return "void"
            del self.learners[info.node]
            self._remember(info.identity)
            return "left"
        verdict = self.judge(info)
        if verdict == "full":  # the leader that ordered it had room; another life may have other limits
            verdict = "new"  # SPECIFICATION R19.3
        if verdict in ("new", "moved"):
            self.learners[info.node] = info
        return verdict

    def judge(self, info: LearnerInfo) -> Verdict:
        """Say what comes of it if `info` asks to be taken in now; `void`: it is in already."""
        if info.identity in self.left:  # SPECIFICATION R19.5
            return "left"
        if self.is_taken(info):
            return "taken"
        known = self.learners.get(info.node)
        if known is None:
            return "full" if self.lacks_room() else "new"
        return "void" if known == info else "moved"

    def lacks_room(self, coming: int = 0) -> bool:
        """Tell whether there are as many learners as there may be, if so many more are about to be taken in."""
        return len(self.learners) + coming >= self.capacity

    def is_taken(self, info: LearnerInfo) -> bool:
        """Tell whether this id is a member's, or that of a learner on another folder."""
        return info.node in self.members or self.at(info.node) not in (None, info.identity)  # SPECIFICATION R19.3

    def lets_go(self, info: LearnerInfo) -> bool:
        """Tell whether this LEAVE is the learner's own: it names the folder by which the learner is known."""
        return info.node in self.learners and self.at(info.node) == info.identity  # SPECIFICATION R19.4

    def at(self, node: int) -> str | None:
        """Return the folder by which this learner is known; None if there is no such learner."""
        known = self.learners.get(node)
        return None if known is None else known.identity

    def _remember(self, identity: str) -> None:
        self.left[identity] = None
        if len(self.left) > REMEMBERED:
            del self.left[next(iter(self.left))]
