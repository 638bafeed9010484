"""Learners: S17, what a cluster and those who listen to it with a disk of their own promise each other.

    learner (entry 9: 4 on folder 9f)  ...  admitted (4, 9f)  ...  learner (entry 30: 4 has left)  ...  4 on another folder
    commit (entry 12)  -->  deliver at 4 (12)          never the other way round

Assumes   the records are in the order of their times; a learner's own records have the role `learner`.
Read also `deliveries` (S1 to S4 and S9 hold for a learner as for any node), `protocol.learning`.
"""

from chatsys.check.violation import Invariant, Logs, Node, Violation, quote, when
from chatsys.trace import Record

CHANGES = ("new", "moved", "left")
"""What an entry of a learner can do; anything else leaves the table as it is."""


class OneFolder(Invariant):
    """An id is taken once, and a learner hears only what is committed."""

    name, title = "S17", "one learner an id"
    meaning = "From its JOIN to its LEAVE an id names one learner's folder, on every node; a learner delivers only what was committed."

    def __init__(self, logs: Logs, closed: bool) -> None:
        super().__init__(logs, closed)
        self.verdicts: dict[int, Record] = {}
        """Position of an entry -> what the first node that read it made of it."""
        self.holders: dict[Node, dict[Node, Record]] = {}
        """For each node that reads its log: learner -> the entry by which it is known."""
        self.ever: dict[tuple[Node, str | None], Record] = {}
        """(learner, folder) -> the entry that took it in, wherever it was read first."""
        self.left: dict[str | None, Record] = {}
        """Folder -> the entry with which its learner left."""
        self.committed = 0
        self.lives: dict[Node, int] = {}
        self.told: set[tuple[Node, str]] = set()

    def on_commit(self, record: Record) -> None:
        self.committed = max(self.committed, record.seq or 0)

    def on_learner(self, record: Record) -> Violation | None:
        """A member read an entry of a learner."""
        seq = record.seq or 0
        if self.lives.get(record.node) != record.incarnation:
            self.lives[record.node] = record.incarnation
            self.holders[record.node] = {}
        first = self.verdicts.setdefault(seq, record)
        holders = self.holders[record.node]
        before = holders.get(record.peer)
        if record.reason == "left":
            holders.pop(record.peer, None)
        elif record.reason in CHANGES:
            holders[record.peer] = record
            self.ever.setdefault((record.peer, record.text), record)
        if (first.reason, first.text, first.peer) != (record.reason, record.text, record.peer):
            return self._tell(
                record,
                f"{when(record)} node {record.node} read the entry at position {seq} as {_said(record)}, but node "
                f"{first.node} had read it as {_said(first)} {when(first)}; every node must know the same learners.",
                first,
            )
        return self._changed(record, before)

    def _changed(self, record: Record, before: Record | None) -> Violation | None:
        """Judge what an entry did to an id that was known as `before`."""
        if record.reason == "left":
            if before is not None and before.text != record.text:
                return self._tell(
                    record,
                    f"{when(record)} node {record.node} let learner {record.peer} go for the folder {record.text}, but that "
                    f"id is taken by the folder {before.text} since position {before.seq}; nobody leaves for another.",
                    before,
                )
            self.left.setdefault(record.text, record)
        elif record.reason in CHANGES and before is not None and before.text != record.text:
            return self._tell(
                record,
                f"{when(record)} node {record.node} knows learner {record.peer} by the folder {record.text}, but since "
                f"position {before.seq} that id is taken by the folder {before.text}, which has not left.",
                before,
            )
        elif record.reason in CHANGES and (gone := self.left.get(record.text)) and (gone.seq or 0) < (record.seq or 0):
            return self._tell(
                record,
                f"{when(record)} node {record.node} took in learner {record.peer} on the folder {record.text}, which left "
                f"at position {gone.seq}; who has left does not come again.",
                gone,
            )
        return None

    def on_admitted(self, record: Record) -> Violation | None:
        """A learner heard that it is one."""
        if (record.node, record.text) in self.ever or not self.closed:  # a real trace may begin when it was in already
            return None
        return self._tell(
            record,
            f"{when(record)} learner {record.node} was told that it is taken in on the folder {record.text}, but no "
            "committed entry says so.",
        )

    def on_deliver(self, record: Record) -> Violation | None:
        if record.role != "learner" or record.seq is None or record.seq <= self.committed or not self.closed:
            return None
        return self._tell(
            record,
            f"{when(record)} learner {record.node} delivered {quote(record.text)} at position {record.seq}, but members "
            f"had committed no more than position {self.committed}.",
        )

    def _tell(self, record: Record, story: str, *before: Record) -> Violation | None:
        key = (record.node, record.kind)
        if key in self.told:
            return None
        self.told.add(key)
        return self.broken(record, story, *before)


def _said(record: Record) -> str:
    """Say what a node made of an entry."""
    return f"{record.reason} (learner {record.peer}, folder {record.text})"


LEARNERS: tuple[type[Invariant], ...] = (OneFolder,)
