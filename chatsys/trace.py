"""The trace: the one history that every world writes and everything else reads.

A `Record` is one event.  Worlds append records; figures, checkers, the grader and the tests read
nothing but records.  A run is therefore a value: it can be saved, loaded, queried and compared.

    world --Record, Record, ...--> Trace --frame()--> a tidy DataFrame, one row per event
                                         --save()---> JSONL, one line per event

Kinds of events (column `kind`), and the columns they fill beside time, node, incarnation, clock:

    lives    start                                    seq (the end of the log it found), reason
             crash restart pause resume stop          (reason)
             stand_down                               reason   it was told to stop: it hands over first
             refused                                  reason   it stopped: another node knows it by another disk
             wipe copy restored                       reason   somebody emptied, copied, replaced its data folder
    links    link_up link_down                        peer
    faults   cut reconnect heal slow lose fault       peer, reason      node is None: the world did it
    frames   send receive drop                        peer, message, id, term, seq; drop has its reason
    log      append                                   seq, entry_term, entry, client, client_seq, text ...
             truncate boot promise hint               seq (first position gone) / term, peer (promised to)
             met accepted                             peer     whose disk is remembered from now on, or no more
             durable                                  seq (the end of the log when the sync that ended began)
    roles    role                                     role, reason       a change of role
             lead ready                               seq (the barrier)
             follow                                   peer (the leader)
             suspect restore                          peer (whom), reason    a suspicion, and its end
    order    hold                                     seq, peer          a batch arrived early
             commit                                   seq, verified
             deliver                                  seq, msg_no, room, author, text, client, client_seq
             duplicate                                seq, client, client_seq    a repeated message, not delivered
    clients  submit                                   client, client_seq, room, author, text, peer (asked node)
             ack                                      client, client_seq, seq, msg_no, text
             reply                                    client, client_seq, peer, reason ("status: why")
             indeterminate                            client, client_seq, text
             seen                                     seq, msg_no, room, author, text    a client saw it
    trouble  anomaly broken                           reason             an unsafe cluster went on / a safe one stopped
             space                                    reason             the disk is "low", or has "room again"
             large                                    reason             its log has grown, and what to do
    people   membership refuses                       peer, reason

Promises  one seed gives a byte-identical `encode()`, whatever PYTHONHASHSEED is.
Read also `actor.effects` (where the columns are declared), `spill` (a trace that goes on for hours), `check` (what
must hold in every trace) and `teach.figures` (how a trace looks).
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import msgspec

from chatsys.actor.effects import Columns
from chatsys.actor.words import CHAT, Words
from chatsys.errors import TraceError, UsageError
from chatsys.spill import EVENTS, Spilling
from chatsys.surroundings import UNUSABLE, cannot_write, place, reason

if TYPE_CHECKING:
    import pandas

VERSION = 1


class Record(Columns, frozen=True, omit_defaults=True, gc=False, forbid_unknown_fields=True):
    """One event: who it happened to and when, and behind that what it was, in `Columns`.  Empty columns are None.

    `time` is in seconds since the world began.  `id` is the stable message id
    `sender.incarnation.n`; the same frame sent once has one id at both ends.  `clock` is the
    Lamport clock of the node at the event.
    """

    time: float
    kind: str
    node: int | str | None = None
    incarnation: int = 0
    term: int = 0
    role: str = ""
    clock: int = 0


COLUMNS = Record.__struct_fields__
NUMBERS = tuple(column.name for column in msgspec.structs.fields(Record) if column.type == int | None)
"""The columns that hold a whole number or nothing."""


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    chatsys: str
    version: int
    events: int
    meta: dict[str, Any]


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What bytes that are no JSON of ours can raise: wrong syntax or types, no UTF-8 in a string, too deep."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


class Trace(Sequence[Record]):
    """An append-only sequence of records with the readings that everyone needs.

    `trace[0]` is the first record and `trace[-1]` the last; `trace[10:20]` is a trace too, which can
    be checked and drawn; `len(trace)`, `for record in trace` and `record in trace` do what they say.
    """

    def __init__(self, records: Iterable[Record] = (), meta: dict[str, Any] | None = None) -> None:
        self._hold(list(records), meta)

    @classmethod
    def live(cls, keep: int = EVENTS) -> "Trace":
        """Return the trace of something that may go on for hours: about `keep` events in memory, the rest in a file."""
        trace = cls()
        trace._hold(Spilling(_decoder, keep), None)
        return trace

    def _hold(self, records: MutableSequence[Record], meta: dict[str, Any] | None) -> None:
        self.records: MutableSequence[Record] = records
        """A list; or, in a live cluster, what reads like one and keeps what is old in a file."""
        self.meta: dict[str, Any] = meta or {}
        """What the run was: where, seed, nodes, quorum, ... (plain JSON values)."""
        self.append = records.append
        self._filed, self._filed_up_to = defaultdict[str, list[Record]](list), 0

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> "Trace": ...
    def __getitem__(self, place: int | slice) -> "Record | Trace":
        """Return the record at a place (from 0), or the trace of a slice; raises `IndexError` behind the end."""
        if isinstance(place, slice):
            return Trace(self.records[place], dict(self.meta))
        if not hasattr(place, "__index__"):
            raise TypeError(f"trace[{place!r:.40}]: give a number or a slice; trace.frame() has columns with names.")
        try:
            return self.records[place]
        except IndexError:
            raise IndexError(f"There is no record {place}; this trace has {len(self.records)}, from 0 on.") from None

    def __repr__(self) -> str:
        end = self.records[-1].time if self.records else 0.0
        told = self.records.told if isinstance(self.records, Spilling) else ""
        return f"<Trace of {len(self.records)} events over {end:.2f} s{f': {told}' if told else ''}>"

    def of(self, *kinds: str) -> list[Record]:
        """Return the records of these kinds, in order."""
        if isinstance(self.records, Spilling):
            return self.records.of(kinds)
        if len(kinds) == 1:
            return self.by_kind(*kinds)[kinds[0]]
        return [record for record in self.records if record.kind in kinds]

    def by_kind(self, *kinds: str) -> dict[str, list[Record]]:
        """Return the records of each of these kinds, in order; what was filed once is not read again."""
        if isinstance(self.records, Spilling):
            news: Iterable[Record] = self.records.of(kinds)
            filed = defaultdict[str, list[Record]](list)
        else:
            filed, news = self._filed, self.records[self._filed_up_to :]
            self._filed_up_to = len(self.records)
        for record in news:
            filed[record.kind].append(record)
        return {kind: filed.get(kind, [])[:] for kind in kinds}

    def take(self, records: Iterable[Record]) -> None:
        """Add records; in a live cluster each goes to its place by its time."""
        (self.records.take if isinstance(self.records, Spilling) else self.records.extend)(records)

    def news(self, position: int) -> tuple[list[Record], int]:
        """Return what happened since `position`, 0 at first, and the position to ask from the next time."""
        if isinstance(self.records, Spilling):
            return self.records.news(position)
        found = list(self.records[position:])
        return found, position + len(found)

    def in_order(self) -> Iterable[Record]:
        """Return the records in order of time: processes report a little out of order."""
        if isinstance(self.records, Spilling) and self.records.in_order:
            return self.records
        return sorted(self.records, key=attrgetter("time"))

    def where(self, holds: Callable[[Record], bool]) -> "Trace":
        """Return a new trace with only the records for which `holds` is true."""
        return Trace(filter(holds, self.records), dict(self.meta))

    def until(self, time: float) -> "Trace":
        """Return the history up to and including `time` (seconds): stepping back is this."""
        if isinstance(time, bool) or not isinstance(time, int | float) or time != time:
            raise UsageError(f"until was given {time!r:.80}; give seconds since the beginning.")
        return self.where(lambda record: record.time <= time)

    @property
    def nodes(self) -> tuple[int, ...]:
        """The ids of all members, and of learners that joined, ascending."""
        members = self.meta.get("members") or {record.node for record in self.records if isinstance(record.node, int)}
        return tuple(sorted({*members, *self.meta.get("learners", ())}))

    @property
    def words(self) -> Words:
        """What the actor of this run calls the things that figures look for; the chat's words where nobody says it."""
        try:
            return msgspec.convert(self.meta.get("words", {}), Words)
        except (msgspec.ValidationError, UsageError):
            return CHAT

    @property
    def duration(self) -> float:
        """Seconds from the first to the last event."""
        return self.records[-1].time - self.records[0].time if self.records else 0.0

    def frame(self) -> "pandas.DataFrame":
        """Return a DataFrame with one row per event and exactly the columns of `COLUMNS`."""
        import pandas

        records = self.records[:]
        columns = {name: [getattr(record, name) for record in records] for name in COLUMNS}
        frame = pandas.DataFrame(columns, columns=list(COLUMNS))
        for name in NUMBERS:
            frame[name] = frame[name].astype("Int64")
        return frame

    def encode(self) -> bytes:
        """Return the trace as JSONL: one header line, then one line per record."""
        return b"".join(self.lines())

    def lines(self) -> Iterator[bytes]:
        """Return what `encode` does, piece by piece."""
        events, lines = self._encoded()
        header = {"chatsys": "trace", "version": VERSION, "events": events, "meta": self.meta}
        yield _encoder.encode(header) + b"\n"
        yield from lines

    def _encoded(self) -> tuple[int, Iterable[bytes]]:
        if isinstance(self.records, Spilling):
            return self.records.encoded()
        return len(self.records), (_encoder.encode_lines(self.records),)

    def hash(self) -> str:
        """Return the SHA-256 of all records: equal for equal histories."""
        whole = hashlib.sha256()
        for lines in self._encoded()[1]:
            whole.update(lines)
        return whole.hexdigest()

    def save(self, path: str | Path) -> Path:
        """Write the trace to `path` as JSONL and return the path."""
        return write(path, self.lines())

    @classmethod
    def decode(cls, data: bytes, source: str = "the trace") -> "Trace":
        """Read what `encode` wrote; raises `TraceError` if it is truncated, newer or foreign."""
        head, _, body = data.partition(b"\n")
        try:
            what, version = read_kind(head)
            if what != "trace":
                raise TraceError(f"{source} is not a chatsys trace; its first line must be a trace header.")
            if version > VERSION:
                raise TraceError(
                    f"{source} has trace version {version}, this chatsys reads up to {VERSION}; "
                    "install a newer chatsys."
                )
            header = msgspec.json.decode(head, type=_Header)
            trace = cls(_decoder.decode_lines(body), header.meta)
        except UNREADABLE as error:
            raise TraceError(f"{source} is not a readable trace ({error}); it may be cut off.") from None
        if len(trace) != header.events:
            raise TraceError(f"{source} holds {len(trace)} of {header.events} events; the file is cut off.")
        return trace

    @classmethod
    def load(cls, path: str | Path) -> "Trace":
        """Read a trace saved with `save`."""
        return cls.decode(read(path), str(path))


def read_kind(head: bytes) -> tuple[Any, int]:
    """Return what a first line says that the file is, and its version; 0 where it is no number."""
    found = msgspec.json.decode(head)
    facts = found if isinstance(found, dict) else {}
    version = facts.get("version")
    return facts.get("chatsys"), version if isinstance(version, int) else 0


def trace_of(given: Any) -> Trace:
    """Return a trace, or that of a world, cluster, run, demo or grade, or of what has a `world` or a `cluster`.

    Raises `UsageError` for anything else.
    """
    found = getattr(given, "trace", given)
    if isinstance(found, Trace):
        return found
    if isinstance(found, bytes) and found is not given:  # a grade carries its run so
        return Trace.decode(found)
    for within in ("world", "cluster"):
        inside = getattr(getattr(given, within, None), "trace", None)
        if isinstance(inside, Trace):
            return inside
    raise UsageError(_why_no_trace(given, found))


def _why_no_trace(given: Any, found: Any) -> str:
    """Say why this has no trace, and what to give."""
    name = type(given).__name__
    if isinstance(given, type):
        return f"{given.__name__} is a class and has no trace; give an object of it that has run, for example a world."
    if found is None and given is not None:
        return f"This {name} has no trace, for it has no run; give a trace, for example world.trace."
    if isinstance(given, str):
        return f"{name} has no trace; give a trace, for example world.trace. A saved run is read by Run.load(path)."
    if isinstance(getattr(given, "sentence", None), str) and hasattr(given, "invariant"):
        return f"{name} has no trace; give the run first, and this second, for example timeline(world, violation)."
    if isinstance(given, list | tuple) and given:
        return f"{name} has no trace; give one run at a time, not a {name} of {len(given)}; for example world.trace."
    return f"{name} has no trace; give a trace, for example world.trace."


def read(path: str | Path) -> bytes:
    """Return what is in a file; raises `TraceError` with one sentence if it cannot be read."""
    try:
        return place(path).read_bytes()
    except UNUSABLE as error:
        raise TraceError(f"{path} cannot be read: {reason(error)}.") from None


def write(path: str | Path, data: bytes | Iterable[bytes]) -> Path:
    """Write a file and return its path; raises `UsageError` with one sentence if it cannot be written."""
    path = place(path)
    fresh = not os.path.lexists(path)
    try:
        with path.open("wb") as file:
            for piece in (data,) if isinstance(data, bytes) else data:
                file.write(piece)
    except UNUSABLE as error:
        with suppress(OSError):
            if fresh:  # half a file helps nobody
                path.unlink(missing_ok=True)
        raise UsageError(cannot_write(path, error)) from None
    return path
