"""The imaginary disk: it keeps what was synced, and on a crash loses any end of the rest.

Records stay objects; bytes are made only where a crash tears a line, and then recovery takes the
same road as in the real world: `logfile.encode`, half a line, `logfile.decode`.

    write --> unsynced --sync (one at a time, takes all that waits)--> durable
                 |
                 `--crash--> a random part of it survives, its last line perhaps torn

Assumes   a crash is a power loss: harder than the end of a process.
Promises  what a finished sync covered is never lost.
Read also `outbox.Outbox` (what waits for a sync) and `runtime.disk`, its real counterpart.
"""

from collections.abc import Callable
from random import Random
from typing import Any, Literal

import msgspec

from chatsys.actor.logfile import decode, encode
from chatsys.errors import ConfigError, DiskFailed
from chatsys.faults import check_numbers

Decode = Callable[[bytes, tuple[type[msgspec.Struct], ...], str], tuple[list[Any], int]]
Health = Literal["ok", "slow", "full", "failing"]
HEALTHS: tuple[Health, ...] = ("ok", "slow", "full", "failing")


class DiskModel(msgspec.Struct, frozen=True, kw_only=True):
    """How long a sync takes, in seconds, and how much room is left on a full disk."""

    shortest: float = 0.001
    longest: float = 0.005
    slow: float = 0.6
    """On a slow disk a sync takes up to this long."""
    room: int = 200
    """Records that still fit after the disk gave notice that it is nearly full."""
    torn: float = 0.5
    """How often a crash tears the line that it met, where one was being written."""

    def __post_init__(self) -> None:
        check_numbers(**{name: getattr(self, name) for name in self.__struct_fields__})
        if not 0 <= self.shortest <= self.longest:
            raise ConfigError(f"shortest is {self.shortest} and longest {self.longest}; give 0 <= shortest <= longest.")


class Folder(msgspec.Struct, frozen=True):
    """What lies in a data folder at one moment, byte for byte; nothing: it is empty."""

    records: tuple[msgspec.Struct, ...] = ()
    torn_line: bytes = b""
    rotten: dict[int, tuple[bytes, bytes]] = {}


GONE = "The log is no longer in its place: its file or its folder was deleted or replaced while the node ran. The node stops."


class Disk:
    """One node's log: `records`, of which the first `durable` survive everything."""

    def __init__(self, random: Random, model: DiskModel) -> None:
        self.random = random
        self.model = model
        self.records: list[msgspec.Struct] = []
        self.durable = 0
        self.syncing = False
        self.health: Health = "ok"
        self.room = model.room
        self.torn_line = b""
        self.rotten: dict[int, tuple[bytes, bytes]] = {}
        """Lines (from 1) in which some bytes have turned into others."""
        self.successor: Folder | None = None
        """What lies in the place of the folder while a life still writes to the file that is gone."""

    def write(self, record: msgspec.Struct) -> None:
        """Take one record into the buffer; raises `DiskFailed` when no room is left."""
        if self.health == "full":
            if self.room <= 0:
                raise DiskFailed("The disk is full: a record could not be written.")
            self.room -= 1
        self.records.append(record)

    @property
    def owes_sync(self) -> bool:
        """Whether a sync should be started now."""
        return not self.syncing and self.durable < len(self.records)

    def begin_sync(self) -> tuple[int, float]:
        """Start a sync; return how many records it will have covered, and after how many seconds."""
        self.syncing = True
        longest = self.model.slow if self.health == "slow" else self.model.longest
        return len(self.records), self.model.shortest + (longest - self.model.shortest) * self.random.random()

    def end_sync(self, upto: int) -> None:
        """Finish the sync that covers the first `upto` records; raises `DiskFailed`."""
        self.syncing = False
        if self.health == "failing":
            raise DiskFailed("The disk failed: a sync returned an error.")
        if self.successor is not None:
            raise DiskFailed(GONE)
        self.durable = upto

    def become(self, health: Health) -> None:
        """Change the state of the disk."""
        self.health = health
        self.room = self.model.room

    def crash(self) -> None:
        """Lose the unsynced records from a random one on, and perhaps leave half of that one."""
        self.syncing = False
        if self.successor is not None:
            return self.close()
        unsynced = len(self.records) - self.durable
        if not unsynced:
            return
        kept = self.durable + self.random.randrange(unsynced + 1)
        if kept < len(self.records) and self.random.random() < self.model.torn:
            self.torn_line = self._tear(encode(self.records[kept]))
        del self.records[kept:]
        self.durable = kept

    def close(self) -> None:
        """End a life in peace: what was written is kept, where the file still is."""
        if self.successor is not None:
            self.put(self.successor, running=False)
        self.durable = len(self.records)

    def folder(self) -> Folder:
        """Return what lies in the folder now, as a copy of its bytes."""
        if self.successor is not None:
            return self.successor
        return Folder(tuple(self.records), self.torn_line, dict(self.rotten))

    def put(self, folder: Folder, running: bool) -> None:
        """Put `folder` in the place of this one; a life that is `running` finds out at its next sync."""
        self.successor = folder if running else None
        if not running:
            self.records, self.torn_line, self.rotten = list(folder.records), folder.torn_line, dict(folder.rotten)
            self.durable = len(self.records)

    def _tear(self, line: bytes) -> bytes:
        """Return what a crash leaves of `line`: its first bytes, or a line with a hole in it."""
        at = 1 + int(self.random.random() * (len(line) - 2))  # one draw, however long the line is
        if self.random.random() < 0.3:
            return line[:at] + bytes(len(line) - 1 - at) + b"\n"
        return line[:at]

    def rot(self, line: int, old: bytes, new: bytes) -> None:
        """Let bytes of one line (from 1) turn into others; the next life meets them."""
        self.rotten[line] = (old, new)

    def recover(self, types: tuple[type[msgspec.Struct], ...], decode: Decode = decode) -> tuple[list[Any], int]:
        """Return (records, torn bytes dropped) for a new life; reads real bytes if a line is not whole.

        Raises `DamagedLog` for a broken line before the last.
        """
        self.durable = len(self.records)
        if not self.torn_line and not self.rotten:
            return list(self.records), 0
        lines = [encode(record) for record in self.records]
        for line, (old, new) in self.rotten.items():
            lines[line - 1] = lines[line - 1].replace(old, new)
        data = b"".join(lines) + self.torn_line
        self.torn_line = b""
        self.records, torn = decode(data, types, "the simulated log")
        self.rotten = {}
        self.durable = len(self.records)
        return list(self.records), torn
