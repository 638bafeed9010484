"""Spill: the records of a live cluster, of which only the newest stay in memory.

A simulated world ends with the cell that runs it.  A cluster in a notebook goes on for as long as nobody stops
it, and writes two dozen records for each message: in an hour that is more than the memory of a small machine.  So
the newest records are a window in memory, and what falls out of it goes, encoded and in pieces, into a file:

    take(records) --> [ window: the newest ]      at the end of it nothing is ever read from the file
                         | the oldest, 4,096 at a time
                         v
    piece piece piece piece ...                   a file without a name, which ends with the process that reads it

To a reader both are one sequence.  What goes through all of it (a figure, a checker, `save`) reads the file piece
by piece, which is slower and takes no more memory; and each piece knows which kinds of events are in it, so that
asking again and again for a rare kind is quick.

Assumes   records are added on one thread (the cluster's loop), and read on any.
Promises  adding raises nothing: where the file cannot grow, the oldest records are missing, and `told` says so.
Read also `trace` (who reads), `runtime.supervisor` (who adds).
"""

import math
import sys
import tempfile
import threading
import warnings
import weakref
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from contextlib import suppress
from operator import attrgetter, index
from typing import Any, NamedTuple, overload

import msgspec

from chatsys.errors import TraceError, UsageError
from chatsys.surroundings import advice, reason

EVENTS = 100_000
"""So many of the newest events stay in memory ..."""
BYTES = 64 << 20
"""... or as many as fit into this, about, if that is fewer; in proportion if somebody keeps more or fewer events."""
PIECE = 4096
"""So many records go to the file at a time: a few milliseconds of work between two heartbeats."""
LARGE = 1_000_000
"""Whoever reads more records than this from the beginning is told that it takes a while."""
FEWEST = 1000
WEIGHED = 256
"""So many records are weighed at a time, fewer in a small window: to look at each text with each turn would cost more than to keep it."""
REMEMBERED = 20_000
"""So many records of the kinds that were asked for last are kept, besides the window."""
_ALONE = 560
"""About the bytes of a record in memory, without its text: measured."""


class Spilled(NamedTuple):
    """Where a piece lies in the file, and what is in it."""

    offset: int
    size: int
    events: int
    kinds: frozenset[str]


class Spilling(MutableSequence[Any]):
    """A list of records, in order of time, that grows at its end and keeps what is old in a file."""

    def __init__(self, decoder: "msgspec.json.Decoder[Any]", keep: int = EVENTS) -> None:
        self.keep, self.most = keep, BYTES * keep // EVENTS
        self.missing = 0
        """How many records were lost because the file could not grow."""
        self.in_order = True
        """Whether they are in order of time: a record that comes very late may not be."""
        self._decode = decoder.decode_lines
        self._encode = msgspec.json.Encoder().encode_lines
        self._lock = threading.Lock()
        self._recent: list[Any] = []
        self._weight = self._unweighed = 0
        self._enough = min(WEIGHED, keep // 50)
        self._pieces: list[Spilled] = []
        self._spilled = self._end = 0
        self._file: Any = None
        self._trouble = ""
        self._known: dict[frozenset[str], tuple[int, list[Any]]] = {}
        """What was asked for before: kinds -> (how many pieces were looked through, what they hold)."""
        self._warned = False

    # --- adding -----------------------------------------------------------------------------

    def take(self, records: Iterable[Any]) -> None:
        """Add records, each in its place by its time: they may come through several pipes."""
        with self._lock:
            recent, records = self._recent, list(records)
            self._unweighed += len(records)
            latest = recent[-1].time if recent else -math.inf
            for record in records:
                if record.time < latest:
                    break
                latest = record.time
            else:  # as it nearly always is
                recent += records
                records = []
            for record in records:
                if recent and record.time < recent[-1].time:
                    at = bisect_right(recent, record.time, key=_time)
                    self.in_order = self.in_order and not (at == 0 and self._pieces)
                    recent.insert(at, record)
                else:
                    recent.append(record)
            if self._unweighed >= self._enough:
                self._weigh()
            while len(recent) > self.keep or self._weight > self.most and len(recent) > 1:
                self._weigh()
                self._spill(max(1, min(PIECE, len(recent) // 8)))

    def _weigh(self) -> None:
        """Add the weight of what came since this was done last."""
        if self._unweighed:
            self._weight += _weight(self._recent[-self._unweighed :])
            self._unweighed = 0

    def _spill(self, count: int) -> None:
        oldest = self._recent[:count]
        data = self._encode(oldest)
        try:
            first = self._file is None
            if first:
                self._file = tempfile.TemporaryFile(buffering=0)
                weakref.finalize(self, self._file.close)
            self._file.seek(self._end)
            rest = memoryview(data)
            while rest:  # where there is room for a part, the next try says why there is no more
                rest = rest[self._file.write(rest) :]
            self._pieces.append(Spilled(self._end, len(data), count, frozenset(record.kind for record in oldest)))
            self._spilled, self._end, self._trouble = self._spilled + count, self._end + len(data), ""
            if first:
                _say(f"{self.told}.")
        except (OSError, ValueError) as error:
            again, self._trouble = self._trouble, f"{reason(error)}; {advice(error, 'make room')}"
            self.missing += count
            if not again:
                _say(f"The file for old events of the trace cannot grow ({self._trouble}): {self.told}.")
        del self._recent[:count]
        self._weight -= _weight(oldest)

    @property
    def told(self) -> str:
        """What became of the older events, in words; nothing as long as all are in memory."""
        parts = []
        if self._spilled:
            parts.append(
                f"the newest {len(self._recent)} events of the trace are in memory, the {self._spilled} older ones in "
                f"a temporary file ({self._end / (1 << 20):.0f} MiB) that figures, checkers and save read too"
            )
        if self.missing:
            parts.append(f"{self.missing} older events are missing, because there was no room for them")
        return "; ".join(parts)

    # --- reading ----------------------------------------------------------------------------

    def _now(self) -> tuple[list[Spilled], list[Any]]:
        with self._lock:
            return self._pieces[:], self._recent[:]

    def _bytes(self, piece: Spilled) -> bytes:
        with self._lock:
            return self._read(piece)

    def _read(self, piece: Spilled) -> bytes:
        try:
            self._file.seek(piece.offset)
            return bytes(self._file.read(piece.size))
        except (OSError, ValueError) as error:
            raise TraceError(f"The older events of this trace cannot be read: {reason(error)}.") from None

    def __len__(self) -> int:
        return self._spilled + len(self._recent)

    def __iter__(self) -> Iterator[Any]:
        pieces, recent = self._now()
        if len(self) > LARGE and not self._warned:
            self._warned = True
            _say(
                f"This trace has {len(self)} events, so to read them all takes a while; a slice is quicker, trace[-100_000:]."
            )
        for piece in pieces:
            yield from self._decode(self._bytes(piece))
        yield from recent

    def __reversed__(self) -> Iterator[Any]:
        pieces, recent = self._now()
        yield from reversed(recent)
        for piece in reversed(pieces):
            yield from reversed(self._decode(self._bytes(piece)))

    @overload
    def __getitem__(self, place: int) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> list[Any]: ...
    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return self._part(place)
        at = index(place) + (len(self) if place < 0 else 0)
        if at < 0:
            raise IndexError(place)
        return self._part(slice(at, at + 1))[0]

    def _part(self, part: slice) -> list[Any]:
        with self._lock:
            spilled = self._spilled
            start, stop, step = part.indices(len(self))
            if step == 1 and start >= spilled:  # the newest are asked for all the time
                return self._recent[start - spilled : max(start, stop) - spilled]
            pieces, recent = self._pieces[:], self._recent[:]
        if step != 1:
            return (self._between(pieces, 0, spilled) + recent)[part]
        return self._between(pieces, start, stop) + recent[: max(0, stop - spilled)]

    def _between(self, pieces: list[Spilled], start: int, stop: int) -> list[Any]:
        """Return what lies between two places in the file; only the pieces that hold some of it are read."""
        found: list[Any] = []
        first = 0
        for piece in pieces:
            if first < stop and first + piece.events > start:
                found += self._decode(self._bytes(piece))[max(0, start - first) : max(0, stop - first)]
            first += piece.events
        return found

    def of(self, kinds: Iterable[str]) -> list[Any]:
        """Return the records of these kinds, in order."""
        wanted = frozenset(kinds)
        pieces, recent = self._now()
        looked, found = self._known.get(wanted, (0, []))
        if looked < len(pieces):
            found = found[:]
            marks = [b'"kind":"%b"' % kind.encode() for kind in wanted]  # no text can hold it: its quotes are escaped
            for piece in pieces[looked:]:
                if piece.kinds & wanted:
                    lines = self._bytes(piece).split(b"\n")
                    found += self._decode(b"\n".join(line for line in lines if any(mark in line for mark in marks)))
            self._remember(wanted, len(pieces), found)
        return found + [record for record in recent if record.kind in wanted]

    def _remember(self, wanted: frozenset[str], looked: int, found: list[Any]) -> None:
        others = {kinds: known for kinds, known in self._known.items() if kinds != wanted}
        room = REMEMBERED - len(found)
        if sum(len(known) for _, known in others.values()) > room:
            others = {}
        self._known = others | ({wanted: (looked, found)} if room >= 0 else {})

    def news(self, position: int) -> tuple[list[Any], int]:
        """Return what was added since `position`, which counts all that ever was, and the position now."""
        with self._lock:
            now = self.missing + self._spilled + len(self._recent)
            newest = self._recent[-(now - position) :] if now > position else []
        return (newest, now) if len(newest) == now - position else (self[max(0, position - self.missing) :], now)

    def encoded(self) -> tuple[int, Iterator[bytes]]:
        """Return how many records there are now, and their lines, piece by piece."""
        pieces, recent = self._now()
        lines = (self._bytes(piece) for piece in pieces)
        return sum(piece.events for piece in pieces) + len(recent), _then(lines, self._encode, recent)

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)  # elsewhere it grows no more

    # --- what a history does not do ---------------------------------------------------------

    def insert(self, place: int, record: Any) -> None:
        """Add a record; its time says where, and not `place`."""
        self.take((record,))

    def append(self, record: Any) -> None:
        """Add a record."""
        self.take((record,))

    def __setitem__(self, place: Any, value: Any) -> None:
        raise TypeError("The history of a cluster is not changed; trace.where(...) is a trace of its own.")

    def __delitem__(self, place: Any) -> None:
        raise TypeError("The history of a cluster is not changed; trace.where(...) is a trace of its own.")


def check_keep(keep: Any) -> None:
    """Raise `UsageError` for what can be no number of events to keep in memory."""
    if isinstance(keep, bool) or not isinstance(keep, int) or keep < FEWEST:
        raise UsageError(
            f"keep is {keep!r:.80}; give how many of the newest events stay in memory, a whole number from {FEWEST} on: "
            f"{EVENTS} need about {BYTES >> 20} MiB, so give fewer where memory is short."
        )


_time: Callable[[Any], float] = attrgetter("time")


def _weight(records: list[Any]) -> int:
    """Return about how many bytes these records take."""
    return _ALONE * len(records) + sum([sys.getsizeof(one.text) for one in records if one.text is not None])


def _then(lines: Iterator[bytes], encode: Callable[[Sequence[Any]], bytes], recent: list[Any]) -> Iterator[bytes]:
    yield from lines
    yield encode(recent)


def _say(sentence: str) -> None:
    with suppress(Exception):  # who turns warnings into errors does not mean this thread
        warnings.warn(sentence[0].upper() + sentence[1:], stacklevel=3)
