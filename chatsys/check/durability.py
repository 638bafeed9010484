"""Durable before said: S14, and what a trace tells of the disk.

    promise --waits for a sync that begins later--> durable --> send PROMISE
                 `-- a sync that was under way already does not cover it

Assumes   the records of one node are in the order in which they happened.
Read also `replicas` (what nodes promise each other), `actor.outbox.Outbox`, which keeps S14.
"""

import math

from chatsys.check.violation import Invariant, Life, Logs, Node, Violation, when
from chatsys.trace import Record


class Syncs:
    """Up to when the sync covers that is under way: one at a time, and the next begins when it ends.

    A sync begins at the end of the turn that wrote something while the disk was idle, or that took
    in the end of the one before.  In the simulator all records of a turn have one time, so `time <=
    covered` tells what it covers; where turns share a time it tells too much, and nobody is accused.
    """

    def __init__(self) -> None:
        self.covered: dict[Life, float] = {}
        """Of the sync under way; no entry: the disk is idle."""
        self.latest: dict[Life, float] = {}
        """When something was written last."""
        self.paused: set[Node] = set()

    def begin(self, life: Life) -> None:
        """A life begins; one that ended before its `boot` was durable had the same number."""
        self.covered.pop(life, None)

    def wrote(self, life: Life, time: float) -> None:
        """Something was written."""
        self.latest[life] = time
        self.covered.setdefault(life, time)

    def end(self, life: Life, time: float) -> float:
        """A sync ended; return up to when it covered."""
        covered = self.covered.pop(life, math.inf)
        if self.latest.get(life, 0.0) > covered:
            self.covered[life] = math.inf if life[0] in self.paused else time
        return covered

    def resume(self, node: Node, time: float) -> None:
        """A paused node goes on; what it does at this moment may be covered by the sync under way."""
        self.paused.discard(node)
        for life, covered in self.covered.items():
            if life[0] == node:
                self.covered[life] = time if covered == math.inf else max(covered, time)


class DurableBeforeSaid(Invariant):
    """A word given and then lost in a crash is a lie: so the disk comes first.

    Read from `start` (what the disk held), `durable` (how far a sync came) and the frames.
    """

    name, title = "S14", "durable before said"
    meaning = "An ACK or a PROMISE leaves only when the own disk holds what it says."
    frames = ("ACK", "PROMISE", "PREPARE")

    def __init__(self, logs: Logs, closed: bool) -> None:
        super().__init__(logs, closed)
        self.durable: dict[Life, int] = {}
        self.ends: dict[Life, int] = {}
        self.voided: dict[Life, tuple[int, int]] = {}
        """(term, end of the log) when a newer leader voided a tail: an older term's ACK speaks of the log before."""
        self.pending: dict[Life, tuple[Record, bool]] = {}
        """The newest promise of a life that no sync has covered, and whether it is its node's first of that term."""
        self.terms: dict[Node, int] = {}
        """The highest term that a node has written a promise of."""
        self.syncs = Syncs()

    def on_disk(self, record: Record) -> None:
        self.terms.pop(record.node, None)

    def on_start(self, record: Record) -> None:
        life = (record.node, record.incarnation)
        self.syncs.begin(life)
        self.pending.pop(life, None)
        if record.seq is not None:
            self.durable[life] = record.seq

    def on_durable(self, record: Record) -> None:
        life = (record.node, record.incarnation)
        self.durable[life] = max(record.seq or 0, self.durable.get(life, 0))
        covered = self.syncs.end(life, record.time)
        # An older promise of the term may be what a frame rests on; a real turn has more than one time, so there
        # every sync is taken to cover all that was written before it ended.
        promise, first = self.pending.get(life, (record, False))
        if promise.time <= covered or not first or not self.closed:
            self.pending.pop(life, None)

    def on_boot(self, record: Record) -> None:
        self.syncs.wrote((record.node, record.incarnation), record.time)

    on_hint = on_boot

    def on_pause(self, record: Record) -> None:
        self.syncs.paused.add(record.node)

    def on_resume(self, record: Record) -> None:
        self.syncs.resume(record.node, record.time)

    def on_append(self, record: Record) -> None:
        life = (record.node, record.incarnation)
        self.ends[life] = record.seq or 0
        self.syncs.wrote(life, record.time)

    def on_truncate(self, record: Record) -> None:
        life = (record.node, record.incarnation)
        self.syncs.wrote(life, record.time)
        self.voided[life] = (record.term, max(self.ends.get(life, 0), self.voided.get(life, (0, 0))[1]))
        if record.seq is not None and life in self.durable:
            self.durable[life] = min(self.durable[life], record.seq - 1)

    def on_promise(self, record: Record) -> None:
        life = (record.node, record.incarnation)
        self.syncs.wrote(life, record.time)
        self.pending[life] = (record, record.term > self.terms.get(record.node, 0))
        self.terms[record.node] = max(record.term, self.terms.get(record.node, 0))

    def on_send(self, record: Record) -> Violation | None:
        if record.message not in self.frames:
            return None
        life = (record.node, record.incarnation)
        durable = self.durable.get(life)
        if durable is None:
            return None  # this world does not tell what is durable
        if record.message == "ACK":
            newer, end = self.voided.get(life, (0, 0))
            if (record.seq or 0) <= (end if record.term < newer else durable):
                return None
            return self.broken(
                record,
                f"{when(record)} node {record.node} told node {record.peer} that it holds everything up to position "
                f"{record.seq}, but its disk held only the positions up to {durable}; a crash could have lost the rest.",
            )
        promise, _ = self.pending.get(life, (None, False))
        if promise is None or promise.term != record.term:
            return None
        return self.broken(
            record,
            f"{when(record)} node {record.node} sent {record.message} for term {record.term} to node {record.peer}, but "
            f"its disk did not hold this promise yet; a crash could have lost it.",
            promise,
        )


DURABILITY: tuple[type[Invariant], ...] = (DurableBeforeSaid,)
