"""Durable records: what a node of the chat writes down before anybody may rely on it.

    {"type":"boot","incarnation":1,"cluster":"chat","node":2,"format":3,"identity":"9f..","nonce":"04.."}
    {"type":"promise","term":1,"to":3}
    {"type":"entry","entry":{"seq":1,"term":1,"kind":"barrier"}}

PROMISE and ACK mean "this is on my disk", because a node appends the record before it sends the
frame, and the outbox makes the frame wait.  Each record says itself how the trace tells of it
(`as_note`), and where the log ends after it (`log_end`), if it moves the end.

What is written and what is not.  On the disk stands what a node must not take back after a crash: its
term, whom it promised that term to, and its entries (Raft, figure 2: currentTerm, votedFor and log[]
are persistent).  Role, leader, `commit`, and what was delivered are found out again in each life, so
no frame waits for them.

Read also `actor.logfile` (the batches in which they are written), `actor.outbox` (the waiting), `log` (the same entries in memory).
"""

from collections.abc import Iterable

import msgspec
from msgspec.structs import force_setattr

from chatsys.actor.actor import Address
from chatsys.actor.effects import Note
from chatsys.actor.logfile import FORMAT
from chatsys.actor.sharing import Sharing
from chatsys.protocol.messages import Entry
from chatsys.protocol.public import public


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
    identity: str = ""
    """The name of this data folder, random, the same in each of its lives; empty: it has none."""
    nonce: str = ""
    """Random, of this life alone: what a copy that lived on by itself cannot know."""

    def as_note(self) -> Note:
        """Return what the trace tells of this record."""
        return Note("boot")


class Remembered(Record, frozen=True, tag="met"):
    """The member `node` was met: in this life of it, on the disk of this name.

    Whoever comes under its id later has to follow on that (see `identity`).  Like a commit hint it is written
    with what is written anyway, so it costs no sync: a node that has written nothing since holds nothing either.
    """

    node: int
    name: str
    incarnation: int
    nonce: str

    def as_note(self) -> Note:
        """Return what the trace tells of this record."""
        return Note("met", peer=self.node)


class Accepted(Record, frozen=True, tag="accepted"):
    """The people who run this node said that `node` has a new disk: what was remembered of the old one is void."""

    node: int

    def as_note(self) -> Note:
        """Return what the trace tells of this record."""
        return Note("accepted", peer=self.node)


class Promised(Record, frozen=True, tag="promise"):
    """From now on refuse terms below `term`; in `term` follow only `to` (None: nobody yet).

    Suppose node 1 promised term 2 to node 2, which leads it with 1's help; 1 restarts and has forgotten.
    Then node 3 asks for term 2 as well, 1 promises once more, and term 2 has two leaders (Q5).
    """

    term: int
    to: int | None

    def as_note(self) -> Note:
        """Return what the trace tells of this record."""
        return Note("promise", term=self.term, peer=self.to)


class Stored(Record, frozen=True, tag="entry", gc=False):
    """`entry` stands at the end of the log."""

    entry: Entry

    def share(self, sharing: Sharing) -> None:
        """Let the entry have in common with those before it what is equal, to take less memory."""
        entry, name, number = self.entry, sharing.names.setdefault, sharing.numbers.setdefault
        if (one := name(entry.client_id, entry.client_id)) is not entry.client_id:
            force_setattr(entry, "client_id", one)
        if (one := name(entry.room, entry.room)) is not entry.room:
            force_setattr(entry, "room", one)
        if (one := name(entry.author, entry.author)) is not entry.author:
            force_setattr(entry, "author", one)
        if (count := number(entry.client_seq, entry.client_seq)) is not entry.client_seq:
            force_setattr(entry, "client_seq", count)
        if (count := number(entry.session, entry.session)) is not entry.session:
            force_setattr(entry, "session", count)
        if entry.time == sharing.moment:
            force_setattr(entry, "time", sharing.moment)
        else:
            sharing.moment = entry.time

    @property
    def log_end(self) -> int:
        """The last position of the log, now that this record stands in it."""
        return self.entry.seq

    def as_note(self) -> Note:
        """Return what the trace tells of this record."""
        entry = self.entry
        return Note(
            "append", seq=entry.seq, entry_term=entry.term, entry=entry.kind, room=entry.room or None,
            author=entry.author or None, text=entry.text, client=public(entry.client_id) or None, client_seq=entry.client_seq,
        )  # fmt: skip


class Truncate(Record, frozen=True, tag="truncate"):
    """Entries from position `first` on are void: a newer term had others."""

    first: int

    @property
    def log_end(self) -> int:
        """The last position of the log, now that this record stands in it."""
        return self.first - 1

    def as_note(self) -> Note:
        """Return what the trace tells of this record."""
        return Note("truncate", seq=self.first)


class CommitHint(Record, frozen=True, tag="commit"):
    """Entries up to `seq` were known to be committed; saves time, safety never needs it.

    Raft keeps commitIndex in memory only: a new leader finds out what is committed, and tells.  That
    is enough, but then a cluster that was stopped as a whole shows an empty chat until it has a leader.
    The hint is written at a clean stop, and else only beside other records, so it costs no sync.  It may
    be too low, and is never too high: it stands in the file behind the entries that it speaks of, so a
    crash that takes one of them has taken the hint as well.
    """

    seq: int

    def as_note(self) -> Note:
        """Return what the trace tells of this record."""
        return Note("hint", seq=self.seq)


NODE_RECORDS: tuple[type[msgspec.Struct], ...] = (Boot, Promised, Stored, Truncate, CommitHint, Remembered, Accepted)


def incarnation_of(records: Iterable[msgspec.Struct]) -> int:
    """Return the number of the last life in `records`; 0 if there was none."""
    return max((record.incarnation for record in records if isinstance(record, Boot)), default=0)
