"""A log that may be longer than the memory: its file is read a block at a time, and as often as somebody asks.

    log.jsonl  [ batch | batch | batch | batch | ba ...
                         `--- one block ---'             in memory, with the records of one batch

A node opens its folder first, and recovers later.  The first reading checks every batch and keeps nothing; the
second one decodes, and whoever takes the records keeps what he needs of them: of a million messages the entries, and
neither the bytes nor the lines nor the records around them.

Most of what entries say they have in common: the session, its client, the room, the author.  A decoder makes each of
these anew for each entry; a record that can `share` has them replaced by one that is equal.  It changes nothing but the
memory that a log takes, which is half of it.

Assumes   nobody else writes to the file: the folder is locked.
Promises  what is read is the same each time, up to where the log ended when it was opened.
Read also `actor.logfile` (the format), `disk` (who opens it), `protocol.recovery` (who takes the records).
"""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from chatsys.actor.logfile import BLOCK, Reader
from chatsys.actor.sharing import Sharing
from chatsys.actor.trace_columns import log_end
from chatsys.surroundings import open_ordinary


class LongFile:
    """The bytes of a file, of which one block is in memory; close it in the end.  Raises `OSError`."""

    def __init__(self, path: Path) -> None:
        self._file = open_ordinary(path)
        self._size = os.fstat(self._file).st_size
        self._begin, self._block = 0, b""

    def __enter__(self) -> "LongFile":
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._file)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, end, _ = part.indices(self._size)
        at = start - self._begin
        if at < 0 or end > self._begin + len(self._block):
            os.lseek(self._file, start, os.SEEK_SET)
            self._begin, self._block, at = start, self._read(max(BLOCK, end - start)), 0
        return self._block[at : end - self._begin]

    def _read(self, size: int) -> bytes:
        """Read so many bytes, or up to the end; a system may give fewer at a time."""
        parts = []
        while size > 0 and (part := os.read(self._file, size)):
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


class Records(Collection[Any]):
    """The `count` records of a sound log, the first `size` bytes of `path`: read anew by each loop over them."""

    def __init__(self, path: Path, types: Sequence[type[msgspec.Struct]], size: int, count: int) -> None:
        self.path, self.types, self.size, self.count = path, tuple(types), size, count
        self._end: tuple[int | None] | None = None

    def __len__(self) -> int:
        return self.count

    def __contains__(self, record: object) -> bool:
        return any(one == record for one in self)

    def __iter__(self) -> Iterator[Any]:
        """Yield the records.  Raises `DamagedLog` at a line that is none, although the check of its batch holds."""
        share = {kind: kind.share for kind in self.types if hasattr(kind, "share")}
        sharing = Sharing()
        end = None
        if not self.size:  # there need not be a file yet
            return
        with LongFile(self.path) as data:
            for records in Reader(data, self.types, str(self.path), self.size).decoded():
                end = log_end(records, end)
                _share(records, share, sharing)
                yield from records
        self._end = (end,)

    @property
    def log_end(self) -> int | None:
        """The last position of the log after these records; None: there is no log."""
        if self._end is None and self.size:
            for _ in self:
                pass
        return self._end[0] if self._end else None


def _share(records: Sequence[Any], share: dict[Any, Callable[[Any, Sharing], None]], sharing: Sharing) -> None:
    sharing.bound()
    for record in records:
        if (kind := type(record)) in share:
            share[kind](record, sharing)
