"""Events: what the library below a node wrote down, read back in the order in which it happened.

    one file per process: header | name | bytes | header | ...        `below.c`, `tell`
    read_events           write, write, sync, send, ...               all processes together, by time

A write, and what is sent, counts from when it began; a sync only from when it had ended.

Assumes   one machine: the monotonic clock is the same for all processes.
Promises  an event that a killed process left unfinished is not read.
Read also `images` and `witness`, which take them in.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

OPEN, WRITE, SYNC, CUT, SEND, CLOSE, BIND, MKDIR, CLOCK = range(1, 10)
_HEADER = struct.Struct("<IIIIQQqqii")
_FROM_THE_BEGINNING = (WRITE, CUT, SEND)


class SystemCall(NamedTuple):
    """One call of a process; times are in nanoseconds of the monotonic clock."""

    kind: int
    pid: int
    file: int
    """The descriptor; -1 where there is none."""
    began: int
    ended: int
    offset: int
    """Where a write begins, how long a file is cut to, the port of the other end or one's own; for OPEN, whether it is new;
    for CLOCK, the rate of the clock since it `began`, in billionths."""
    result: int
    """What the call returned: below 0 if it failed."""
    error: int
    """Its errno then, or 0."""
    path: str
    data: bytes

    @property
    def at(self) -> int:
        """The moment from which it counts."""
        return self.began if self.kind in _FROM_THE_BEGINNING else self.ended


def read_events(folder: Path) -> list[SystemCall]:
    """Return all events in `folder`, by the moment from which each counts."""
    events = [event for path in sorted(folder.glob("*.events")) for event in _of_process(path.read_bytes())]
    events.sort(key=lambda event: event.at)
    return events


def _of_process(data: bytes) -> Iterator[SystemCall]:
    at = 0
    while at + _HEADER.size <= len(data):
        kind, file, name, size, began, ended, offset, result, pid, error = _HEADER.unpack_from(data, at)
        start = at + _HEADER.size
        at = start + name + size
        if at > len(data):
            return
        path = data[start : start + name].decode(errors="surrogateescape")
        file = file if file < 1 << 31 else -1
        yield SystemCall(kind, pid, file, began, ended, offset, result, error, path, data[start + name : at])
