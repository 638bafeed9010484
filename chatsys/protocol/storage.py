"""Durable records: their bytes, their recovery, and the outbox that makes frames wait for them.

One append-only file per node holds everything that must survive a crash; each line is JSON:

    {"type":"boot","incarnation":1,"cluster":"chat","node":2,"format":2,"crc":"5d3f0a11"}
    {"type":"promise","term":1,"to":3,"crc":"..."}
    {"type":"entry","entry":{"seq":1,"term":1,"kind":"barrier"},"crc":"..."}

A crash may tear the last line: it was never acknowledged, so recovery drops it.  A broken line
before the last is damage: an error with its line number, never skipped.

    Append --> disk (written) ....sync....> durable
    Send ----> outbox  --- waits until everything written before it is durable --> wire

Assumes   a completed sync makes all earlier bytes of the file durable.
Promises  no frame but those marked `overtakes_disk` leaves before the records it may rest on
          (write-ahead rule; PROMISE and ACK mean "durable" because of this line alone).
Read also `messages` (the mark), `sim.disk` and `runtime.disk` (the two disks that drive this).
"""

from collections import deque
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Union
from zlib import crc32

import msgspec

from chatsys.errors import DamagedLog
from chatsys.protocol.actor import Address
from chatsys.protocol.messages import Entry

FORMAT = 2
"""Of the log file.  In 1 a chat entry did not say which session it belongs to, so nobody would deliver it now."""


class Record(msgspec.Struct, frozen=True, tag=str.lower, tag_field="type"):
    """Base of the durable records of a chat node."""


class Boot(Record, frozen=True, tag="boot"):
    """A life begins.  Durable before the node can be spoken to."""

    incarnation: int
    cluster: str
    node: Address
    format: int = FORMAT


class Promised(Record, frozen=True, tag="promise"):
    """From now on refuse terms below `term`; in `term` follow only `to` (None: nobody yet)."""

    term: int
    to: int | None


class Stored(Record, frozen=True, tag="entry"):
    """`entry` stands at the end of the log."""

    entry: Entry


class Truncate(Record, frozen=True, tag="truncate"):
    """Entries from position `first` on are void: a newer term had others."""

    first: int


class CommitHint(Record, frozen=True, tag="commit"):
    """Entries up to `seq` were known to be committed; saves time, safety never needs it."""

    seq: int


NODE_RECORDS: tuple[type[msgspec.Struct], ...] = (Boot, Promised, Stored, Truncate, CommitHint)

_encoder = msgspec.json.Encoder()
_MARK = b',"crc":"'


def encode(record: msgspec.Struct) -> bytes:
    """Return `record` as one line, its CRC-32 inside, newline included. SPECIFICATION R12.1."""
    body = _encoder.encode(record)
    return b'%b,"crc":"%08x"}\n' % (body[:-1], crc32(body))


@cache
def _decoder(types: tuple[type[msgspec.Struct], ...]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(Union[types])  # noqa: UP007 - the members are known at run time only


def decode(
    data: bytes, types: Sequence[type[msgspec.Struct]] = NODE_RECORDS, path: str = "log"
) -> tuple[list[Any], int]:
    """Return (records, torn): what `data` holds and how many bytes of a torn last line to drop.

    A last line without its newline, or one whose checksum fails, is torn.  Raises `DamagedLog`
    with path and line number for a broken line before the last.
    """
    decoder = _decoder(tuple(types))
    lines = data.split(b"\n")
    tail = lines.pop()
    records: list[Any] = []
    for number, line in enumerate(lines, start=1):
        why = _broken(line)
        if why is None:
            body = line[: -len(_MARK) - 10] + b"}"
            try:
                records.append(decoder.decode(body))
                continue
            except (msgspec.DecodeError, RecursionError, ValueError) as error:
                raise DamagedLog(path, number, f"its checksum holds but it is no record: {error}") from None
        if number == len(lines) and not tail:  # SPECIFICATION R12.5
            return records, len(line) + 1
        raise DamagedLog(path, number, why)
    return records, len(tail)


def _broken(line: bytes) -> str | None:
    """Say why `line` (without newline) cannot be trusted, or None if its checksum holds."""
    at = len(line) - len(_MARK) - 10
    if at < 1 or line[at : at + len(_MARK)] != _MARK or line[-2:] != b'"}':
        return "it has no checksum at its end"
    body = line[:at] + b"}"
    found, expected = line[-10:-2], b"%08x" % crc32(body)
    return (
        None
        if found == expected
        else f"its checksum is {expected.decode()}, the line says {found.decode(errors='replace')}"
    )


class Outbox:
    """Holds frames back until every record written before them is durable.

        records     r1   r2   r3   r4          frames: A sent after r2, B after r4, C before r1
        durable     -----------^               C and A have left, B waits

    This one rule stands in the place of a dozen: no handler has to think of the disk, and none can
    forget to.  It is stricter than it need be, since a frame may wait for a record that it does not
    rest on; the four kinds of frames that must not wait, and need not, are marked `overtakes_disk`.
    They are safe because the term of a leader was durable before its PREPARE left, an entry counts by
    ACKs and not by being proposed, and what is committed lies on the disks of a quorum.

    A node's frames to itself pass through here too, so its own promise and its own copy of an entry
    count when they are durable, exactly like those of others.

    The disk calls `wrote` and `synced`; the host asks `admit` for each frame.  Counts are of
    records since the start of this life.
    """

    def __init__(self) -> None:
        self.written = 0
        self.durable = 0
        self._waiting: deque[tuple[int, Address, msgspec.Struct]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def wrote(self, count: int = 1) -> None:
        """Note that `count` more records were handed to the disk."""
        self.written += count

    def admit(self, to: Address, message: msgspec.Struct) -> bool:
        """Tell whether `message` may leave now; if not, it is kept for `synced` to return."""
        if self.durable == self.written or getattr(message, "overtakes_disk", False):  # SPECIFICATION R12.2
            return True
        self._waiting.append((self.written, to, message))
        return False

    def synced(self, upto: int) -> list[tuple[Address, msgspec.Struct]]:
        """Note that the first `upto` records are durable; return the frames that may leave now."""
        assert upto <= self.written, "a disk cannot have synced more than was written"
        self.durable = max(self.durable, upto)
        free: list[tuple[Address, msgspec.Struct]] = []
        while self._waiting and self._waiting[0][0] <= self.durable:
            _, to, message = self._waiting.popleft()
            free.append((to, message))
        return free

    def rebase(self) -> None:
        """Count from here on: records that are durable need no number any more.

        A search needs this, for otherwise equal states differ in how long their history is.
        """
        self._waiting = deque((upto - self.durable, to, message) for upto, to, message in self._waiting)
        self.written -= self.durable
        self.durable = 0


def incarnation_of(records: Iterable[msgspec.Struct]) -> int:
    """Return the number of the last life in `records`; 0 if there was none."""
    return max((record.incarnation for record in records if isinstance(record, Boot)), default=0)
