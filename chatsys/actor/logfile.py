"""The log file: records as lines of bytes, one batch for each sync, and back.

One append-only file per actor holds everything that must survive a crash.  What one sync covers is a
*batch*: a header line, then the records, each a line of JSON.  The header says how many bytes follow,
and one CRC-32 covers the header and them.  `synced` is a *mark*: it says that a batch is on the disk.

    {"type":"batch","number":1,"bytes":86,"crc":"5d3f0a11"}
    {"type":"boot","incarnation":1,"cluster":"chat","node":2,"format":3}      batch 1: its sync ended
    {"type":"batch","number":2,"bytes":42,"crc":"..."}
    {"type":"promise","term":1,"to":3}                                        batch 2: its sync ended
    {"type":"synced","number":2,"crc":"..."}                                  ... which this mark says
    {"type":"batch","number":3,"bytes":97,"crc":"..."}
    {"type":"entry","entry":{"seq":1,"ter                                     batch 3: torn, and dropped

A batch is written only when the sync of the one before has ended.  So whatever of a later batch is
found, be it the beginning of its header, proves that everything before it was synced; if that fails its
check, it is *damage*: an error, and nothing is skipped.  Only a last batch that nothing follows may be
*torn*, in whatever order its pages reached the disk (a page that did not reads as zeros).  Nobody was
told anything that rests on it, so it is dropped, with a warning that names what it held.

A header that begins is enough of a proof; we do not ask for a complete batch after the broken one.  Nothing
but a finished sync lets a writer begin the next header, and the text of a header cannot stand in a record
(JSON puts a backslash before each inner quote).  To ask for more would let one rotten batch hide behind
another one that is torn.

One file cannot tell a torn last batch from one that was synced and rotted since.  A mark makes this rare: it
is written after an idle second, and at a clean stop, never with a sync of its own.  It has a number but is no
batch: a mark and the batch after it are covered by one sync, so a crash may take the mark and leave the batch.

Assumes   the records are frozen, tagged msgspec Structs, none tagged `batch` or `synced`; which ones, the actor
          says (`Actor.records`).  A page of a file that a crash kept from the disk reads as zeros.
Promises  decoding what was encoded gives the same records; whatever pages of the last, unsynced batch are lost,
          all batches before it come back; what was synced never vanishes unsaid. (SPECIFICATION R12.1, R12.5, R12.12)
Read also `outbox` (frames that wait for these lines), `sim.disk` and `runtime.disk` (who write them).
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache, reduce
from itertools import islice
from operator import or_
from typing import Any, Protocol
from zlib import crc32

import msgspec

from chatsys.actor.trace_columns import log_end, note_of
from chatsys.errors import DamagedLog, LogError, UsageError

LOG = "log.jsonl"
"""Its name in the data folder of a node."""
FORMAT = 3
"""Of the log file.  In 1 a chat entry did not say which session it belongs to, so nobody would deliver it now; in 2 each
line had a checksum, and nothing said where a sync ended."""
IDLE = 1.0
"""A disk that was idle for so many seconds marks its last batch as synced."""
BLOCK = 1 << 20
"""Bytes of a long log that are looked at together, where no batch asks for more."""
HEADER = 128
"""Bytes: no header of a batch, and no mark, is longer."""
DECODERS = 32
"""So many decoders are kept; each keeps the classes of its records, of which a notebook makes new ones again and again."""

_encoder = msgspec.json.Encoder()
_BATCH = re.compile(rb'(\{"type":"batch","number":(\d{1,18}),"bytes":(\d{1,18})),"crc":"([0-9a-f]{8})"\}\n')
_MARK = re.compile(rb'\{"type":"synced","number":(\d{1,18}),"crc":"([0-9a-f]{8})"\}\n')
_BEGUN = re.compile(rb'\{"type":"(batch|synced)","number":(\d{1,18}),')
_WRITTEN = re.compile(rb"[^\0]")
_LINE = b'{"type":"'
_FIRST_LINE = b'{"type":"batch",'
"""So begins every line of a log, and the first one."""
_OLD_LINE = re.compile(rb'(\{"type":.*),"crc":"([0-9a-f]{8})"\}')
_OLD_FORMAT = re.compile(rb'"format":(\d{1,9})[,}]')


# --- writing -----------------------------------------------------------------------------------


def encode(record: msgspec.Struct) -> bytes:
    """Return `record` as one line, newline included; it is written as a part of a `batch`. SPECIFICATION R12.1."""
    return _encoder.encode(record) + b"\n"


def batch(number: int, lines: bytes) -> bytes:
    """Return what one sync covers: a header, then `lines`.  Batches are numbered 1, 2, 3, ... in a file."""
    head = b'{"type":"batch","number":%d,"bytes":%d' % (number, len(lines))
    return b'%b,"crc":"%08x"}\n%b' % (head, crc32(lines, crc32(head)), lines)


def mark(number: int) -> bytes:
    """Return the line which says that batch `number`, and all before it, are on the disk. SPECIFICATION R12.12."""
    head = b'{"type":"synced","number":%d' % number
    return b'%b,"crc":"%08x"}\n' % (head, crc32(head))


# --- reading -----------------------------------------------------------------------------------


class LogBytes(Protocol):
    """The bytes of a log: `bytes`, or a file of which a part at a time is in memory.  A part is asked for as a slice."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice) -> bytes: ...


class LogFile(msgspec.Struct):
    """What a log file holds."""

    records: list[Any]
    number: int = 0
    """Of the last batch; 0 if there is none."""
    torn: int = 0
    """So many bytes at the end belong to no batch and are to be cut off."""
    sure: int = 0
    """Where the last batch but one ends: up to there all was synced, for else no further batch would have been begun."""
    warning: str = ""
    """What was dropped with them, in words; "" if nothing was."""

    def told(self, count: int | None = None) -> str:
        """Return what the trace and the terminal say of it when a life begins; `count`: its records, if it keeps none."""
        return f"{len(self.records) if count is None else count} records" + (
            f"; {self.warning}" if self.warning else ""
        )


def decode(data: bytes, types: Sequence[type[msgspec.Struct]], path: str = "log") -> LogFile:
    """Return what `data` holds, without a torn batch at its end.

    Raises `DamagedLog` with path and line number if something that was synced fails its check, and `LogError`
    for a log of an older format.
    """
    return Reader(data, types, path).read()


def line_of(data: bytes, record: int) -> int:
    """Return the line (from 1) on which a record (from 1) of a sound log stands, as an editor shows it."""
    lines = enumerate(data.split(b"\n"), start=1)
    records = (number for number, line in lines if not line.startswith((_FIRST_LINE, b'{"type":"synced",', b"\0")))
    return next(islice(records, record - 1, None))


def other_format(found: int) -> LogError:
    """Return what is to be said of a log that another chatsys wrote. SPECIFICATION R12.8."""
    age = "newer" if found > FORMAT else "older"
    return LogError(
        f"This log has format {found}, this chatsys reads format {FORMAT}; run this node with the {age} "
        "chatsys that wrote it. An empty folder in its place could lose acknowledged messages."
    )


class _Nothing(msgspec.Struct, frozen=True, tag="", tag_field="type"):
    """What an actor without records reads: no record of any kind."""


@lru_cache(maxsize=DECODERS)
def _decoder(types: tuple[type[msgspec.Struct], ...]) -> msgspec.json.Decoder[Any]:
    for kind in types:
        if kind.__struct_config__.tag in ("batch", "synced"):
            raise UsageError(
                f"The record {kind.__name__} has the tag {kind.__struct_config__.tag!r}, which is kept for the lines "
                "between the records of a log; give it another one."
            )
    known: Any = reduce(or_, types) if types else _Nothing  # not Union[types]: typing keeps the classes of what it made
    return msgspec.json.Decoder(known)


def _check_format(data: bytes) -> None:
    """Raise `LogError` for a log of format 1 or 2, whose lines have a checksum each."""
    line = _OLD_LINE.match(data)
    if line and crc32(line[1] + b"}") == int(line[2], 16):
        found = _OLD_FORMAT.search(line[1] + b"}")
        raise other_format(int(found[1]) if found else 1)


class Reader:
    """Reads one log file from its beginning, up to `size`; all is sound up to the byte `at`."""

    def __init__(
        self, data: LogBytes, types: Sequence[type[msgspec.Struct]], path: str = "log", size: int | None = None
    ) -> None:
        self.data, self.types, self.path, self.decoder = data, types, path, _decoder(tuple(types))
        self.size = len(data) if size is None else size
        self.at = 0
        self._end = 0
        """Where the last batch ends."""
        self._lines = b""
        """Of the batch that was taken in last."""
        self.log = LogFile([])

    @property
    def next_number(self) -> int:
        """The number that the next batch must have."""
        return self.log.number + 1

    def read(self) -> LogFile:
        """Return all that the log holds."""
        self.log.records = [record for records in self.decoded() for record in records]
        return self.log

    def decoded(self) -> Iterator[list[Any]]:
        """Yield the records of each batch."""
        for lines in self.batches():
            try:
                records = self.decoder.decode_lines(lines)
            except (msgspec.DecodeError, RecursionError, ValueError):
                raise self._no_record(lines) from None
            yield records

    def batches(self) -> Iterator[bytes]:
        """Take in batch after batch, up to the end or to what is torn, and yield their lines; nothing is kept."""
        while self.at < self.size:
            self._lines = b""
            if not (self.take_batch(self.at) or self.take_mark() or self.take_batch(self.after_mark()) or self.skip()):
                self._drop()
                break
            if self._lines:
                yield self._lines

    # --- what is sound ------------------------------------------------------------------------

    def take_batch(self, at: int) -> bool:
        """Take in the batch at `at`, if it is whole and its check holds."""
        header = _BATCH.match(self.data[at : at + HEADER])
        if header is None:
            return False
        head, number, size, check = header.groups()
        start = at + header.end()
        end = start + int(size)
        lines = self.data[start:end]
        if end > self.size or not self.holds(head, lines, check):
            return False
        if int(number) != self.log.number + 1:
            raise self._misplaced(int(number))
        self._lines = lines
        self.log.number += 1
        self.log.sure, self._end = self._end, end
        self.at = end
        return True

    def holds(self, head: bytes, lines: bytes, check: bytes) -> bool:
        """Tell whether the check of a batch holds. SPECIFICATION R12.1."""
        return crc32(lines, crc32(head)) == int(check, 16)

    def take_mark(self) -> bool:
        """Take in a mark that is whole."""
        found = _MARK.match(self.data[self.at : self.at + HEADER])
        if found is None or found[0] != mark(int(found[1])):
            return False
        if int(found[1]) != self.log.number:
            raise self._misplaced(int(found[1]))
        self.at += found.end()
        return True

    def after_mark(self) -> int:
        """Return where the next batch begins if a crash took the mark before it: a mark holds nothing."""
        return self.at + len(mark(self.log.number)) * bool(self.log.number)

    def _misplaced(self, found: int) -> DamagedLog:
        """Return the error for what is sound and does not belong here: it was doubled, moved, or what was before it is gone."""
        return self.damage(f"batch {found} {f'follows batch {self.log.number}' if self.log.number else 'is the first'}")

    def _no_record(self, lines: bytes) -> DamagedLog:
        """Return the error that names the line in a sound batch, the last one, which is no record."""
        start = self.at - len(lines)
        for line in lines.splitlines(keepends=True):
            try:
                self.decoder.decode(line)
            except (msgspec.DecodeError, RecursionError, ValueError) as error:
                return self.damage(f"the check of its batch holds but it is no record: {error}", start)
            start += len(line)
        return self.damage("the check of its batch holds but its lines are no records")

    # --- what is not ----------------------------------------------------------------------------

    def skip(self) -> bool:
        """Never read over what fails its check: a promise could stand in it. SPECIFICATION R12.5."""
        return False

    def _drop(self) -> None:
        """Drop what stands at the end as torn; raises `DamagedLog` if it was synced, or cannot be a torn write."""
        rest = self.data[self.at : self.size]
        if not self.log.number:
            _check_format(rest)
        if why := self._impossible(rest) or self.covered(rest):
            raise self.damage(why)
        self.log.torn = len(rest)
        if not mark(self.log.number).startswith(rest):
            self.log.warning = (
                f"a torn batch of {self.log.torn} bytes at the end was dropped ({self._lost(rest)}): its sync had not "
                "ended, unless it rotted later"
            )

    def covered(self, rest: bytes) -> str:
        """Say how it is known that what stands here, `rest`, had been synced; "" if it is not.

        SPECIFICATION R12.5, R12.12.
        """
        return self.marked(rest) or self.followed(rest)

    def marked(self, rest: bytes) -> str:
        """Say which mark covers what stands here, if one does."""
        for found in _BEGUN.finditer(rest):
            if found[1] == b"synced" and int(found[2]) >= self.next_number:
                line = self._line_at(self.at + found.start())
                return self._broken(rest, f"line {line} says that it had been synced")
        return ""

    def followed(self, rest: bytes) -> str:
        """Say what follows the batch that should stand here and could only be written after its sync, if anything does."""
        number = self.next_number
        for found in _BEGUN.finditer(rest):
            if found[1] == b"batch" and int(found[2]) > number:
                line = self._line_at(self.at + found.start())
                return self._broken(rest, f"batch {int(found[2])}, which begins at line {line}, follows")
        for start in (0, self.after_mark() - self.at):
            header = _BATCH.match(rest, start)
            if header and int(header[2]) == number:
                end = header.end() + int(header[3])
                after = _MARK.match(rest, end)
                if _WRITTEN.search(rest, after.end() if after else end):
                    return self._broken(rest, "something follows its last byte")
        return ""

    def _broken(self, rest: bytes, proof: str) -> str:
        what = "is not whole" if _BATCH.match(rest) is None else "fails its check"
        return f"batch {self.next_number}, which begins here, {what}, and {proof}"

    def _impossible(self, rest: bytes) -> str:
        """Say why a crash cannot have left what stands here, or ""."""
        must_be = _LINE if self.log.number else _FIRST_LINE
        if self.at == 0 and rest.startswith(b"\xef\xbb\xbf"):
            return "a byte-order mark stands before it: an editor has saved this file"
        if b"\r" in rest:
            return "its lines end as on Windows (CRLF): an editor or a copy has changed this file"
        if any(found not in (0, expected) for found, expected in zip(rest, must_be, strict=False)):
            return "what stands here is no batch, and no part of one that a crash could leave"
        return ""

    def _lost(self, rest: bytes) -> str:
        """Name the entries that a torn batch held, as far as they can be read."""
        seqs = []
        for line in rest.split(b"\n"):
            try:
                note = note_of(self.decoder.decode(line))
            except (msgspec.DecodeError, RecursionError, ValueError):
                continue
            if note.kind == "append" and (seq := note.seq) is not None:
                seqs.append(seq)
        last, count = None, 0
        for records in type(self)(self.data, self.types, self.path, self.at).decoded():
            last, count = log_end(records, last), count + len(records)
        after = f"after record {count}" if last is None else f"after entry {last}"
        if not seqs:
            return after
        readable = f"entry {seqs[0]}" if len(seqs) == 1 else f"entries {min(seqs)} to {max(seqs)}"
        return readable if min(seqs) == (last or 0) + 1 else f"{after}; {readable} can be read"

    def _line_at(self, at: int) -> int:
        return 1 + sum(self.data[start : min(start + BLOCK, at)].count(b"\n") for start in range(0, at, BLOCK))

    def damage(self, why: str, at: int | None = None) -> DamagedLog:
        """Return the error that names the line at this byte (where the reader is)."""
        return DamagedLog(self.path, self._line_at(self.at if at is None else at), why)
