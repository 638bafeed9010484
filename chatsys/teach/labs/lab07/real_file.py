"""A real file with the four methods of the toy one: the same class runs on it, unchanged.

    with RealFile("my.log") as file:
        log = MyLog(file)
        log.load()
        log.append({"n": 1})          write(2), and fsync(2)

Assumes   one process at a time has the file.
Promises  `sync` returns when the operating system says that the disk has it.
Read also `machine` (the toy file), `killed` (a process that is killed while it writes).
"""

import os
from pathlib import Path
from typing import Any

from chatsys.errors import UsageError
from chatsys.surroundings import UNUSABLE, advice, reason

BUFFER = 8192
"""Bytes that a program keeps in its hands, as most of them do, before it hands them to the operating system."""


class RealFile:
    """A file on this machine, opened for reading and for writing at its end; it is made if it is not there.

    Without `syncs` a sync does nothing; `buffered` keeps what was written in this process until a sync or a full buffer.
    """

    def __init__(self, path: str | Path, *, syncs: bool = True, buffered: bool = False) -> None:
        self.path, self.syncs, self.buffered = Path(path), syncs, buffered
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
        except UNUSABLE as error:
            raise UsageError(f"{self.path} cannot be opened: {reason(error)}; {advice(error)}.") from None
        self._buffer = bytearray()

    @property
    def in_hands(self) -> int:
        """How many bytes that were written are in this process and nowhere else."""
        return len(self._buffer)

    def write(self, data: bytes) -> int:
        """Hand bytes to the operating system, at the end of the file."""
        if self.buffered:
            self._buffer += data
            if len(self._buffer) > BUFFER:
                self._flush()
        else:
            self._out(data)
        return len(data)

    def sync(self) -> None:
        """Return when everything that was written is on the disk."""
        if self.syncs:
            self._flush()
            os.fsync(self._file)

    def read(self) -> bytes:
        """Return the whole content."""
        self._flush()
        os.lseek(self._file, 0, os.SEEK_SET)
        found = bytearray()
        while more := os.read(self._file, 1 << 20):
            found += more
        return bytes(found)

    def truncate(self, size: int) -> None:
        """Cut everything off behind the first `size` bytes."""
        self._flush()
        os.ftruncate(self._file, size)

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            self._flush()
            os.close(self._file)
            self._file = -1

    def _flush(self) -> None:
        data, self._buffer = bytes(self._buffer), bytearray()
        self._out(data)

    def _out(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._file, data) :]

    def __enter__(self) -> "RealFile":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
