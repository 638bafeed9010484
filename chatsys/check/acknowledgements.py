"""What `ok` promises to a client: S7, S10 and S16.

    commit --> ack            S16 only after the commit
               ack --> deliver, at the same position, everywhere, for ever   S7
               ack --> submit                                 behind it      S10

Assumes   the records are in the order of their times.
Read also `deliveries` (what users see).
"""

from collections.abc import Iterable

from chatsys.check.violation import Invariant, Logs, Pair, Violation, name_client, name_entry, quote, same_message, when
from chatsys.trace import Record


class Durable(Invariant):
    """An acknowledgement is for ever: it fixes what its position holds, before and after."""

    name, title = "S7", "acknowledged is durable"
    meaning = "A message acknowledged at a position is what every node delivers there, before and after."

    def __init__(self, logs: Logs, closed: bool) -> None:
        super().__init__(logs, closed)
        self.acked: dict[int, Record] = {}
        self.variants: dict[int, list[Record]] = {}
        self.lives: dict[int | str | None, tuple[int, dict[int, Record], Record]] = {}
        self.committed: dict[int, tuple[Record, Record]] = {}
        """Position -> the first entry committed there, and the commit."""
        self.pairs: dict[Pair, Record] = {}
        self.overwritten: dict[int, tuple[Record, Record, Record]] = {}
        """Position -> the acknowledgement, and an entry and its commit that contradict it."""
        self.told: set[int] = set()

    def on_deliver(self, record: Record) -> Violation | None:
        seq = record.seq
        assert seq is not None, "a delivery has a position"
        if self.logs.first is record:
            self.variants[seq] = [record]
        elif not self.logs.alike and not any(same_message(record, other) for other in self.variants[seq]):
            self.variants[seq].append(record)
        incarnation, mine, last = self.lives.get(record.node, (-1, {}, record))
        start = 0 if incarnation != record.incarnation else last.seq or 0
        if start == 0:
            mine = {}
        mine[seq] = record
        self.lives[record.node] = (record.incarnation, mine, record)
        for skipped in range(start + 1, seq):
            if skipped in self.acked and skipped not in self.told:
                return self._skipped(record, self.acked[skipped])
        ack = self.acked.get(seq)
        return None if ack is None or _acks(ack, record) else self._differs(record, ack)

    def on_ack(self, record: Record) -> Violation | None:
        seq = record.seq
        if seq is None:
            return None
        first = self.acked.setdefault(seq, record)
        entry, commit = self.committed.get(seq, (record, record))
        if not _acks(record, entry):
            self.overwritten.setdefault(seq, (record, entry, commit))
        twice = self._twice(record)
        if twice is not None:
            return twice
        if not _acks(first, record):
            return self._tell(
                record,
                f"{when(record)} {name_client(record)} was told that {quote(record.text)} has position {seq}, but "
                f"{when(first)} {name_client(first)} was told that {quote(first.text)} has it.",
                first,
            )
        for delivered in self.variants.get(seq, ()):
            if not _acks(record, delivered):
                return self._differs(delivered, record)
        for _, mine, last in self.lives.values():
            if (last.seq or 0) > seq and seq not in mine:
                return self._skipped(last, record)
        return None

    def on_commit(self, record: Record) -> None:
        for seq, entry in self.logs.fresh:
            self.committed.setdefault(seq, (entry, record))
            ack = self.acked.get(seq)
            if ack is not None and not _acks(ack, entry):
                self.overwritten.setdefault(seq, (ack, entry, record))

    def finish(self) -> Iterable[Violation]:
        """Tell of acknowledged positions taken by other entries, unless deliveries told it better."""
        return [] if self.told else [self._taken(*found) for found in self.overwritten.values()]

    def _twice(self, record: Record) -> Violation | None:
        """Tell of a message that was acknowledged at another position before."""
        if record.client is None or record.client_seq is None:
            return None
        first = self.pairs.setdefault((record.client, record.client_seq), record)
        if first.seq == record.seq:
            return None
        return self._tell(
            record,
            f"{when(record)} {name_client(record)} was told that {quote(record.text)} has position {record.seq}, but "
            f"{when(first)} it was told that this message has position {first.seq}; a message has one position for ever.",
            first,
        )

    def _taken(self, ack: Record, entry: Record, commit: Record) -> Violation:
        late, early = (ack, commit) if ack.time > commit.time else (commit, ack)
        told = "was acknowledged" if late is ack else "had been acknowledged"
        return self.broken(
            late,
            f"{when(commit)} node {commit.node} committed {name_entry(entry)} at position {entry.seq}, but "
            f"{quote(ack.text)} of {name_client(ack)} {told} for this position {when(ack)}; "
            "an acknowledged message must never be lost.",
            *(early, entry),
        )

    def _differs(self, delivered: Record, ack: Record) -> Violation | None:
        return self._tell(
            delivered if delivered.time >= ack.time else ack,
            f"{when(delivered)} node {delivered.node} delivered {quote(delivered.text)} at position {ack.seq}, but "
            f"{when(ack)} {name_client(ack)} was told that {quote(ack.text)} is safe at this position; "
            "an acknowledged message must never be lost.",
            ack if delivered.time >= ack.time else delivered,
        )

    def _skipped(self, delivered: Record, ack: Record) -> Violation | None:
        return self._tell(
            delivered if delivered.time >= ack.time else ack,
            f"{when(delivered)} node {delivered.node} delivered position {delivered.seq}, but it never delivered "
            f"position {ack.seq}, where {quote(ack.text)} of {name_client(ack)} was acknowledged {when(ack)}.",
            ack if delivered.time >= ack.time else delivered,
        )

    def _tell(self, record: Record, story: str, before: Record) -> Violation | None:
        seq = before.seq if before.kind == "ack" else record.seq
        if seq in self.told or seq is None:
            return None
        self.told.add(seq)
        return self.broken(record, story, before)


class RealTime(Invariant):
    """Whoever speaks after an acknowledgement stands behind it."""

    name, title = "S10", "real time"
    meaning = "A message sent after another one was acknowledged gets a higher position."

    def __init__(self, logs: Logs, closed: bool) -> None:
        super().__init__(logs, closed)
        self.highest: Record | None = None
        self.submitted: dict[Pair, tuple[Record, Record | None]] = {}
        self.told: set[Pair] = set()

    def on_submit(self, record: Record) -> None:
        self.submitted.setdefault((record.client, record.client_seq), (record, self.highest))

    def on_ack(self, record: Record) -> Violation | None:
        found = self.on_deliver(record)
        if record.seq is not None and (self.highest is None or record.seq > (self.highest.seq or 0)):
            self.highest = record
        return found

    def on_deliver(self, record: Record) -> Violation | None:
        pair = (record.client, record.client_seq)
        submit, floor = self.submitted.get(pair, (None, None))
        if submit is None or floor is None or record.seq is None or record.seq > (floor.seq or 0):
            return None
        if pair in self.told:
            return None
        self.told.add(pair)
        return self.broken(
            record,
            f"{quote(floor.text)} of {name_client(floor)} was acknowledged at position {floor.seq} {when(floor)}; "
            f"only then, {when(submit)}, did {name_client(submit)} send {quote(submit.text)}, but that got "
            f"position {record.seq}. The later message must have the higher position.",
            floor, submit,
        )  # fmt: skip


class AckAfterCommit(Invariant):
    """`ok` means committed, so some node must have committed the position before."""

    name, title = "S16", "acknowledged after commit"
    meaning = "A client is told ok only for a position that was committed before."

    def __init__(self, logs: Logs, closed: bool) -> None:
        super().__init__(logs, closed)
        self.top = -1
        self.doubtful: Record | None = None
        """The first acknowledgement of all, if nothing of a log had been heard by then."""

    def on_start(self, record: Record) -> None:
        if record.seq is not None:
            self.top = max(self.top, 0)

    def on_append(self, record: Record) -> None:
        self.top = max(self.top, 0)

    def on_commit(self, record: Record) -> None:
        if record.seq is not None and record.seq > self.top:
            self.top = record.seq

    on_hint = on_deliver = on_commit

    def on_ack(self, record: Record) -> Violation | None:
        if record.seq is None or self.top >= record.seq:
            return None
        if self.top < 0:  # perhaps this actor keeps no log; the end will tell
            self.doubtful = self.doubtful or record
            return None
        return self.broken(
            record,
            f"{when(record)} {name_client(record)} was told that {quote(record.text)} is safe at position {record.seq}, "
            f"but by then no node had committed more than position {self.top}.",
        )

    def finish(self) -> Iterable[Violation]:
        """Tell of an acknowledgement that nothing ever bore out: no entry, no commit, no delivery."""
        ack = self.doubtful
        if ack is None or self.top >= 0:
            return
        yield self.broken(
            ack,
            f"{when(ack)} {name_client(ack)} was told that {quote(ack.text)} is safe at position {ack.seq}, but no node "
            "ever wrote, committed or delivered anything.",
        )


def _acks(ack: Record, other: Record) -> bool:
    """Tell whether `other` carries the message that was acknowledged."""
    same = ack.client == other.client and ack.client_seq == other.client_seq
    return same and (ack.text is None or other.text is None or ack.text == other.text)


ACKNOWLEDGEMENTS: tuple[type[Invariant], ...] = (Durable, RealTime, AckAfterCommit)
