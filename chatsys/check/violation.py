"""What every invariant is made of: a `Violation`, the `Invariant` base and the mirror of the logs.

An invariant is a small class.  It says in `meaning` what must hold and has one method per kind of
record that it needs, `on_deliver`, `on_commit`, ...; each takes a record and returns a
`Violation` or None.  What an invariant does not name costs it nothing.

    Record --kind--> Logs.on_append     (the mirror first: what does each node's log hold now?)
                     S12.on_append      (then each invariant that asked for this kind)

Promises  a sentence names the node, the position, the message and the event that went wrong first.
Read also `deliveries`, `acknowledgements` and `replicas` (the invariants); the package calls them.
"""

from collections.abc import Iterable
from html import escape
from math import inf
from typing import Any, ClassVar, cast

import msgspec

from chatsys.check.offers import offers
from chatsys.check.plainly import in_plain_words
from chatsys.trace import Record

Node = int | str | None
"""Whose record it is: a node, a client, or nobody's."""

Life = tuple[Node, int]
"""One life of a node: (node, incarnation).  A node that restarts delivers from the beginning."""

Pair = tuple[str | None, int | None]
"""(client, client_seq): one message, however often it was sent."""


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One broken invariant: `records` are the events of its story, the last one broke it.

    As text it is its plain sentence, and below that, behind "exactly:", the rule's own one, with its code and all places.
    """

    invariant: str
    sentence: str
    time: float
    node: int | str | None = None
    seq: int | None = None
    records: tuple[Record, ...] = ()
    since: float | None = None
    """For a law of liveness: the end of the faults, from which on it was judged."""

    @property
    def plain(self) -> str:
        """The violation in a sentence without codes, places of the log or ids of clients."""
        return in_plain_words(self.invariant, self.records, self.sentence)

    def __str__(self) -> str:
        return self.sentence if self.plain in self.sentence else f"{self.plain}\n  exactly: {self.sentence}"

    def __repr__(self) -> str:
        return f"<{self.sentence}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("\n".join([str(self), *to_go_on(self)]))

    def _repr_html_(self) -> str:
        return f"<div>{told_in_html(self)}</div>{to_go_on_in_html(self)}"


def told_in_html(found: Violation) -> str:
    """Return the plain sentence, and the exact one for whoever unfolds it."""
    plain, exact = escape(found.plain), escape(found.sentence)
    if found.plain in found.sentence:
        return plain
    return f"{plain}<details><summary><small>exactly</small></summary><small>{exact}</small></details>"


def to_go_on(found: Violation) -> list[str]:
    """Return the lines that one can paste, each below what it does."""
    return [text for offer in offers(found) for text in (f"  This line {offer.does}:", f"    {offer.line}")]


def to_go_on_in_html(found: Violation) -> str:
    """Return the same lines for a page."""
    return "".join(f"<div><code>{escape(offer.line)}</code> {escape(offer.does)}.</div>" for offer in offers(found))


class Logs:
    """What each node's log holds, followed record by record; shared by all invariants.

    A trace may begin when its nodes have logs already, and a process that was killed may have
    written more than it told: such positions are unknown, and nobody is accused for them.  So are
    those that a life wrote anew and that no sync had surely covered when it ended: its disk may
    hold what stood there before, or what came after.  A node that leaves out a position is another
    matter: the log has a hole, and what is below stays known.
    """

    def __init__(self) -> None:
        self.entries: dict[Node, dict[int, Record]] = {}
        self.last: dict[Node, int] = {}
        self.base: dict[Node, int] = {}
        """Up to here a log is unknown, because its node had it when the trace began."""
        self.untold: dict[Node, set[int]] = {}
        """Positions above that were written in a life that ended before it told of them."""
        self.voided: dict[Node, tuple[float, float]] = {}
        """The lowest position written anew before the sync that ended last, and since; a sync that was under way does
        not cover it, so only the next one does."""
        self.hole: Record | None = None
        """The end of the log before the append just read, if that left out a position."""
        self.commit: dict[Life, int] = {}
        self.fresh: list[tuple[int, Record]] = []
        """The entries that the commit just read made committed at its node."""
        self.life: Life = (None, 0)
        """The life that made the delivery just read."""
        self.before: Record | None = None
        """What this life had delivered before it."""
        self.first: Record | None = None
        """The first delivery of all at its position, by whatever node."""
        self.alike = True
        """Whether both carry the same message."""
        self._newest: dict[Life, Record] = {}
        self._firsts: dict[int | None, Record] = {}

    def on_start(self, record: Record) -> None:
        """Take in where the log ends that a life found: what is beyond was lost, what is missing is unknown."""
        node, seq = record.node, record.seq
        doubtful = min(self.voided.pop(node, (inf, inf)))
        if seq is None:  # no log, or nothing in it
            if node not in self.last and record.incarnation == 1:
                self.last[node] = 0
            return
        last = self.last.get(node)
        if last is None:
            self.base[node] = seq
        elif seq > last:
            self.untold.setdefault(node, set()).update(range(last + 1, seq + 1))
        else:
            self._drop(node, seq + 1)
        self.last[node] = seq
        if doubtful <= seq:
            again = range(int(doubtful), seq + 1)
            self.untold.setdefault(node, set()).update(again)
            for position in again:
                self.entries.get(node, {}).pop(position, None)

    def on_durable(self, record: Record) -> None:
        """A sync ended, which covered what was written before the one before it ended."""
        if record.node in self.voided:
            self.voided[record.node] = (self.voided[record.node][1], inf)

    def on_stop(self, record: Record) -> None:
        """A life ended in good order: all that it wrote is on the disk."""
        self.voided.pop(record.node, None)

    def on_disk(self, record: Record) -> None:
        """A node starts on another disk than before: forget what was on the old one."""
        for facts in (self.entries, self.last, self.base, self.untold, self.voided):
            cast("dict[Node, Any]", facts).pop(record.node, None)
        if record.seq is None:
            self.last[record.node] = 0

    def on_append(self, record: Record) -> None:
        """Take in an entry; positions from it on that a crash took away vanish here."""
        node, seq = record.node, record.seq
        if seq is None:
            return
        entries = self.entries.setdefault(node, {})
        last = self.last.get(node)
        self.hole = None
        if last is None:
            self.base[node] = seq - 1
        elif seq <= last:
            self._void(node, seq)
        elif seq > last + 1:
            self.hole = entries.get(last, record)
        entries[seq] = record
        self.last[node] = seq

    def on_truncate(self, record: Record) -> None:
        """Drop the entries from `seq` on."""
        if record.seq is not None:
            self._void(record.node, record.seq)
            life = (record.node, record.incarnation)
            self.commit[life] = min(self.commit.get(life, 0), record.seq - 1)

    def on_commit(self, record: Record) -> None:
        """Move the commit of this life, and collect in `fresh` the entries that it passed."""
        life = (record.node, record.incarnation)
        entries = self.entries.get(record.node, {})
        before, now = self.commit.get(life, 0), record.seq or 0
        self.fresh = [(seq, entries[seq]) for seq in range(before + 1, now + 1) if seq in entries]
        self.commit[life] = max(before, now)

    def on_deliver(self, record: Record) -> None:
        """Find the deliveries that this one is compared with: that before it in its life, and the first at its position."""
        self.life = life = (record.node, record.incarnation)
        self.before = self._newest.get(life)
        self._newest[life] = record
        self.first = first = self._firsts.setdefault(record.seq, record)
        self.alike = first is record or same_message(first, record)

    def unknown(self, node: Node) -> tuple[int, frozenset[int]]:
        """Return what nobody can tell of a node's log now: all up to a position, and some above it."""
        return self.base.get(node, 0), frozenset(self.untold.get(node, ()))

    def _void(self, node: Node, first: int) -> None:
        """A node took the entries from `first` on out of its log, which a crash may undo."""
        if first <= self.last.get(node, 0):
            before, since = self.voided.get(node, (inf, inf))
            self.voided[node] = (before, min(since, first))
        self._drop(node, first)

    def _drop(self, node: Node, first: int) -> None:
        entries = self.entries.get(node, {})
        for seq in range(first, self.last.get(node, 0) + 1):
            entries.pop(seq, None)
        if node in self.last:
            self.last[node] = min(self.last[node], first - 1)
        if self.base.get(node, 0) >= first:
            self.base[node] = first - 1
        if node in self.untold:
            self.untold[node] = {seq for seq in self.untold[node] if seq < first}


class Invariant:
    """Base of all: a name such as `S1`, a title, its meaning in one line, and `on_...` methods."""

    name: ClassVar[str]
    title: ClassVar[str]
    meaning: ClassVar[str]
    frames: ClassVar[tuple[str, ...]] = ()
    """The messages for which `on_send` is called; most frames tell a judge nothing, and most of a trace is frames."""

    def __init__(self, logs: Logs, closed: bool) -> None:
        self.logs = logs
        self.closed = closed
        """Whether the trace holds every client there is, as in the simulator."""

    def finish(self) -> Iterable[Violation]:
        """Tell what only the end of the trace shows."""
        return ()

    def broken(self, record: Record, story: str, *before: Record) -> Violation:
        """Return the violation that `record` completes; `before` are the earlier events of it."""
        return Violation(
            invariant=self.name,
            sentence=f"{self.name} {self.title}: {story}",
            time=record.time,
            node=record.node,
            seq=record.seq,
            records=(*before, record),
        )


class Law(msgspec.Struct, frozen=True):
    """A rule that no `Invariant` class watches record by record; `judge` says what judges it."""

    name: str
    title: str
    meaning: str
    judge: str


def quote(text: str | None) -> str:
    """Return a text as it stands in a sentence: quoted, on one line, not longer than 40 characters."""
    if text is None:
        return "a message"
    text = text if len(text) <= 40 else text[:37] + "..."
    return "'" + "".join(letter if letter.isprintable() else "?" for letter in text) + "'"


def when(record: Record) -> str:
    """Return the time of a record in words."""
    return f"at {record.time:.2f} s"


def name_entry(entry: Record) -> str:
    """Return what an entry of the log is, in words."""
    if entry.entry in (None, "chat"):
        return quote(entry.text)
    return f"the {entry.entry} entry of term {entry.entry_term}"


def name_client(record: Record) -> str:
    """Return who a client is, in words: its author if known, and the start of its id."""
    short = str(record.client)[:12]
    return (
        f"{record.author} (client {short})" if record.author and record.author != record.client else f"client {short}"
    )


def same_message(one: Record, other: Record) -> bool:
    """Tell whether two records carry the same message."""
    return (
        one.text == other.text
        and one.client_seq == other.client_seq
        and one.client == other.client
        and one.author == other.author
        and one.room == other.room
    )
