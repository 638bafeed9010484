"""What the users of the chat see: S1-S4, S9 and S11.

    submit --> deliver        S11 nothing but what was submitted
    deliver, deliver, ...     S2 order, S3 no gap, S4 no duplicate, S9 first in first out
    node, node, ...           S1 agreement

Assumes   the records are in the order of their times.
Read also `acknowledgements` (what `ok` promises), `replicas` (what nodes promise each other),
          `histories` (an independent second look).
"""

from collections.abc import Iterable

from chatsys.check.violation import (
    Invariant,
    Life,
    Logs,
    Pair,
    Violation,
    name_client,
    name_entry,
    quote,
    same_message,
    when,
)  # fmt: skip
from chatsys.trace import Record


class Agreement(Invariant):
    """Deliveries are compared; committed entries too, since a barrier is never delivered.

    The violation is about the position in the log: `seq`, not the message number.
    """

    name, title = "S1", "agreement"
    meaning = "One position of the log holds one entry, on every node and for ever."

    def __init__(self, logs: Logs, closed: bool) -> None:
        super().__init__(logs, closed)
        self.committed: dict[int, tuple[Record, Record]] = {}
        self.told: set[int] = set()
        self.untold: dict[int, tuple[tuple[Record, Record], tuple[Record, Record]]] = {}

    def on_deliver(self, record: Record) -> Violation | None:
        seq, first = record.seq, self.logs.first
        assert seq is not None and first is not None, "a delivery has a position"
        if self.logs.alike or seq in self.told:
            return None
        self.told.add(seq)
        return self.broken(
            record,
            f"{when(record)} node {record.node} delivered {quote(record.text)} at position {seq}, but "
            f"node {first.node} had delivered {quote(first.text)} at position {seq} {when(first)}; "
            "every node must have the same message at the same position.",
            first,
        )

    def on_commit(self, record: Record) -> None:
        for seq, entry in self.logs.fresh:
            first, first_commit = self.committed.setdefault(seq, (entry, record))
            if first is not entry and not _same_entry(first, entry):
                self.untold.setdefault(seq, ((first, first_commit), (entry, record)))

    def finish(self) -> Iterable[Violation]:
        """Tell of committed entries that differ, unless deliveries told the story better."""
        return [] if self.told else [self._tell(seq, *pair) for seq, pair in self.untold.items()]

    def _tell(self, seq: int, first: tuple[Record, Record], second: tuple[Record, Record]) -> Violation:
        record = second[1]
        return self.broken(
            record,
            f"{when(record)} node {record.node} committed {name_entry(second[0])} at position {seq}, but "
            f"node {first[1].node} had committed {name_entry(first[0])} at position {seq} {when(first[1])}; "
            "every node must have the same entry at the same position.",
            *(first[0], first[1], second[0]),
        )


class RisingOrder(Invariant):
    """Position after position goes up; a new life starts again."""

    name, title = "S2", "order"
    meaning = "Within one life a node delivers positions in rising order, none twice."

    def on_deliver(self, record: Record) -> Violation | None:
        before = self.logs.before
        if before is None or record.seq > before.seq:  # type: ignore[operator]
            return None
        return self.broken(
            record,
            f"{when(record)} node {record.node} delivered position {record.seq} ({quote(record.text)}) after it had "
            f"delivered position {before.seq} ({quote(before.text)}) {when(before)}; positions must rise.",
            before,
        )


class NoGap(Invariant):
    """Message numbers are dense, and one position has one message number on every node."""

    name, title = "S3", "no gap"
    meaning = "Within one life the delivered messages are numbered 1, 2, 3, ... and none is left out."

    def on_deliver(self, record: Record) -> Violation | None:
        logs = self.logs
        number, first = _number(record), logs.first
        before = 0 if logs.before is None else _number(logs.before)
        if number > before + 1:
            missing = f"number {before + 1}" if number == before + 2 else f"numbers {before + 1} to {number - 1}"
            return self.broken(
                record,
                f"{when(record)} node {record.node} delivered {quote(record.text)} as message number {number}, but it "
                f"had not delivered {missing} in this life; no message may be left out.",
            )
        if first is None or first.msg_no == record.msg_no or not logs.alike:
            return None
        return self.broken(
            record,
            f"{when(record)} node {record.node} delivered {quote(record.text)} (position {record.seq}) as message "
            f"number {record.msg_no}, but for node {first.node} it was number {first.msg_no} {when(first)}; "
            "before it the two nodes did not deliver the same messages.",
            first,
        )


class NoDuplicate(Invariant):
    """A message sent again is still one message."""

    name, title = "S4", "no duplicate"
    meaning = "Within one life a node delivers each message of a client once."

    def __init__(self, logs: Logs, closed: bool) -> None:
        super().__init__(logs, closed)
        self.delivered: dict[Life, dict[Pair, Record]] = {}

    def on_deliver(self, record: Record) -> Violation | None:
        if record.client is None or record.client_seq is None:
            return None
        mine = self.delivered.setdefault(self.logs.life, {})
        first = mine.setdefault((record.client, record.client_seq), record)
        if first is record:
            return None
        return self.broken(
            record,
            f"{when(record)} node {record.node} delivered message {record.client_seq} of {name_client(record)}, "
            f"{quote(record.text)}, at position {record.seq}; it had delivered this message already {when(first)} "
            f"at position {first.seq}.",
            first,
        )


class Fifo(Invariant):
    """What one client said first is delivered first.  Saying it twice is S4's matter."""

    name, title = "S9", "first in, first out"
    meaning = "A node delivers the messages of one client in the order in which the client sent them."

    def __init__(self, logs: Logs, closed: bool) -> None:
        super().__init__(logs, closed)
        self.last: dict[tuple[Life, str], int] = {}

    def on_deliver(self, record: Record) -> Violation | None:
        if record.client is None or record.client_seq is None:
            return None
        key = (self.logs.life, record.client)
        before = self.last.get(key, 0)
        if record.client_seq <= before:
            return None
        self.last[key] = record.client_seq
        if record.client_seq == before + 1:
            return None
        return self.broken(
            record,
            f"{when(record)} node {record.node} delivered {quote(record.text)}, message {record.client_seq} of "
            f"{name_client(record)}, before it had delivered message {before + 1} of the same client.",
        )


class Integrity(Invariant):
    """Nothing is invented and nothing is changed on the way."""

    name, title = "S11", "integrity"
    meaning = "Every delivered message was submitted, and its text arrives unchanged."

    def __init__(self, logs: Logs, closed: bool) -> None:
        super().__init__(logs, closed)
        self.submitted: dict[Pair, Record] = {}
        self.clients: set[str | None] = set()

    def on_submit(self, record: Record) -> None:
        self.submitted.setdefault((record.client, record.client_seq), record)
        self.clients.add(record.client)

    def on_deliver(self, record: Record) -> Violation | None:
        submit = self.submitted.get((record.client, record.client_seq))
        if submit is None:
            if not self.clients or not (self.closed or record.client in self.clients):
                return None  # a client outside the trace may have said it
            return self.broken(
                record,
                f"{when(record)} node {record.node} delivered {quote(record.text)} at position {record.seq} as message "
                f"{record.client_seq} of {name_client(record)}, but no client ever submitted that message.",
            )
        if (submit.text, submit.author, submit.room) == (record.text, record.author, record.room):
            return None
        for field in ("text", "author", "room"):
            said, got = getattr(submit, field), getattr(record, field)
            if said is not None and said != got:
                return self.broken(
                    record,
                    f"{when(record)} node {record.node} delivered position {record.seq} with the {field} {quote(got)}, "
                    f"but the client submitted it {when(submit)} with the {field} {quote(said)}.",
                    submit,
                )
        return None


def _number(record: Record) -> int:
    number = record.seq if record.msg_no is None else record.msg_no
    assert number is not None, "a delivery has a position"
    return number


def _same_entry(one: Record, other: Record) -> bool:
    return one.entry_term == other.entry_term and one.entry == other.entry and same_message(one, other)


DELIVERIES: tuple[type[Invariant], ...] = (Agreement, RisingOrder, NoGap, NoDuplicate, Fifo, Integrity)
