"""Durable records: what a node of the chat writes down before anybody may rely on it.

    {"type":"boot","incarnation":1,"cluster":"chat","node":2,"format":2,"crc":"5d3f0a11"}
    {"type":"promise","term":1,"to":3,"crc":"..."}
    {"type":"entry","entry":{"seq":1,"term":1,"kind":"barrier"},"crc":"..."}

PROMISE and ACK mean "this is on my disk", because a node appends the record before it sends the
frame, and the outbox makes the frame wait.

What is written and what is not.  On the disk stands what a node must not take back after a crash: its
term, whom it promised that term to, and its entries (Raft, figure 2: currentTerm, votedFor and log[]
are persistent).  Role, leader, `commit`, and what was delivered are found out again in each life, so
no frame waits for them.

Read also `actor.logfile` (the lines), `actor.outbox` (the waiting), `log` (the same entries in memory).
"""

from collections.abc import Iterable

import msgspec

from chatsys.actor.actor import Address
from chatsys.protocol.messages import Entry

FORMAT = 2
"""Of the log file.  In 1 a chat entry did not say which session it belongs to, so nobody would deliver it now."""


class Record(msgspec.Struct, frozen=True, tag=str.lower, tag_field="type"):
    """Base of the durable records of a chat node."""


class Boot(Record, frozen=True, tag="boot"):
    """A life begins.  Durable before the node can be spoken to.

    Rounds, nonces and ids of frames begin with its number; two lives of one number would repeat them.
    """

    incarnation: int
    cluster: str
    node: Address
    format: int = FORMAT


class Promised(Record, frozen=True, tag="promise"):
    """From now on refuse terms below `term`; in `term` follow only `to` (None: nobody yet).

    Suppose node 1 promised term 2 to node 2, which leads it with 1's help; 1 restarts and has forgotten.
    Then node 3 asks for term 2 as well, 1 promises once more, and term 2 has two leaders (Q5).
    """

    term: int
    to: int | None


class Stored(Record, frozen=True, tag="entry"):
    """`entry` stands at the end of the log."""

    entry: Entry


class Truncate(Record, frozen=True, tag="truncate"):
    """Entries from position `first` on are void: a newer term had others."""

    first: int


class CommitHint(Record, frozen=True, tag="commit"):
    """Entries up to `seq` were known to be committed; saves time, safety never needs it.

    Raft keeps commitIndex in memory only: a new leader finds out what is committed, and tells.  That
    is enough, but then a cluster that was stopped as a whole shows an empty chat until it has a leader.
    The hint is written at a clean stop, and else only beside other records, so it costs no sync.  It may
    be too low, and is never too high: it stands in the file behind the entries that it speaks of, so a
    crash that takes one of them has taken the hint as well.
    """

    seq: int


NODE_RECORDS: tuple[type[msgspec.Struct], ...] = (Boot, Promised, Stored, Truncate, CommitHint)


def incarnation_of(records: Iterable[msgspec.Struct]) -> int:
    """Return the number of the last life in `records`; 0 if there was none."""
    return max((record.incarnation for record in records if isinstance(record, Boot)), default=0)
