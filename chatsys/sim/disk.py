"""The imaginary disk: it keeps what was synced, and on a crash loses any pages of the rest.

Records stay objects; bytes are made only where a crash left a part of a batch, and then recovery takes
the same road as in the real world: `logfile.batch`, less some pages, `logfile.decode`.

    write --> buffer --begin_sync--> a batch under way --end_sync--> durable
                 |                        |                             |
                 `--crash--> gone         `--crash--> whole, or gone,   `..an idle second..> a mark
                                          or any of its pages missing

Records that still gather in the buffer are not in the file, so a crash takes them.  The batch under way is
in the file, or on its way there: its pages reach the disk in any order.  One that did not reads as zeros,
and the file may end within the batch, or behind it with zeros.

A sync that returned an error leaves the batch as a crash does; and where it can be read in whole, that may come from
memory alone, for a system forgets that it still owes these pages.  Then the next power loss takes them, and leaves a
hole, unless a life has written the batch once more.

Assumes   a crash is a power loss: harder than the end of a process.
Promises  what a finished sync covered is never lost.  (SPECIFICATION R12.12)
Read also `outbox.Outbox` (what waits for a sync) and `runtime.disk`, its real counterpart.
"""

from collections.abc import Callable
from random import Random
from typing import Literal

import msgspec

from chatsys.actor.logfile import IDLE, LogFile, batch, decode, encode, mark
from chatsys.errors import ConfigError, DiskFailed
from chatsys.faults import check_numbers

Decode = Callable[[bytes, tuple[type[msgspec.Struct], ...], str], LogFile]
Health = Literal["ok", "slow", "full", "failing"]
PAGE = 64
"""Bytes that reach the disk together; so few that a batch of a few records has several pages."""
HEALTHS: tuple[Health, ...] = ("ok", "slow", "full", "failing")


class DiskModel(msgspec.Struct, frozen=True, kw_only=True):
    """How long a sync takes, in seconds, and how much room is left on a full disk."""

    shortest: float = 0.001
    longest: float = 0.005
    slow: float = 0.6
    """On a slow disk a sync takes up to this long."""
    room: int = 200
    """Records that still fit after the disk gave notice that it is nearly full."""
    rewrites: bool = True
    """Whether a new life writes the last batch that it finds once more, as it must (SPECIFICATION R12.12); False: the bug."""
    torn: float = 0.5
    """How often a crash leaves a part of the batch that was being written, where it does not leave all of it."""

    def __post_init__(self) -> None:
        check_numbers(**{name: getattr(self, name) for name in self.__struct_fields__ if name != "rewrites"})
        if not 0 <= self.shortest <= self.longest:
            raise ConfigError(f"shortest is {self.shortest} and longest {self.longest}; give 0 <= shortest <= longest.")


class Folder(msgspec.Struct, frozen=True):
    """What lies in a data folder at one moment, byte for byte; nothing: it is empty."""

    records: tuple[msgspec.Struct, ...] = ()
    ends: tuple[int, ...] = ()
    marks: frozenset[int] = frozenset()
    torn_batch: bytes = b""
    rotten: dict[int, tuple[bytes, bytes]] = {}


GONE = "The log is no longer in its place: its file or its folder was deleted or replaced while the node ran. The node stops."


class Disk:
    """One node's log: `records`, of which the first `durable` survive everything."""

    def __init__(self, random: Random, model: DiskModel) -> None:
        self.random = random
        twin = Random()
        twin.setstate(random.getstate())
        self.pages = Random(twin.getrandbits(64))
        """Decides what may cost no draw of `random`: seeds that are in use count on its draws."""
        self.model = model
        self.records: list[msgspec.Struct] = []
        self.durable = 0
        self.syncing = False
        self.health: Health = "ok"
        self.room = model.room
        self.ends: list[int] = []
        """How many records the log holds up to the end of each batch that is durable."""
        self.marks: set[int] = set()
        """Numbers of batches behind which a mark stands."""
        self.under_way = 0
        """How many records the log will hold with the batch that is being written."""
        self.failed = False
        """Whether a sync of this life returned an error."""
        self.in_memory = 0
        """The number of a batch that can be read, and need not be on the disk; 0: there is none."""
        self.hole = 0
        """The number of a batch that is gone, although others may stand behind it; 0: there is none."""
        self.synced_at: float | None = None
        """When the last sync ended, if nothing was written since and no mark stands behind it yet."""
        self.torn_batch = b""
        """What the last crash left of a batch."""
        self.rotten: dict[int, tuple[bytes, bytes]] = {}
        """Records (from 1) in which some bytes have turned into others."""
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

    def begin_sync(self, now: float = 0.0) -> tuple[int, float]:
        """Start a sync; return how many records it will have covered, and after how many seconds."""
        self.syncing, self.under_way = True, len(self.records)
        self._mark(now)
        longest = self.model.slow if self.health == "slow" else self.model.longest
        return len(self.records), self.model.shortest + (longest - self.model.shortest) * self.random.random()

    def end_sync(self, upto: int, now: float = 0.0) -> None:
        """Finish the sync that covers the first `upto` records; raises `DiskFailed`."""
        self.syncing = False
        if self.health == "failing":
            self.failed = True
            raise DiskFailed("The disk failed: a sync returned an error.")
        if self.successor is not None:
            raise DiskFailed(GONE)
        self._keep(upto)
        self.synced_at = now

    def _keep(self, upto: int) -> None:
        """So many records are durable now."""
        if upto > self.durable:
            self.ends.append(upto)
        self.durable = upto

    def _mark(self, now: float) -> None:
        """If the disk had been idle before `now`, a mark was written, which the next sync covers. SPECIFICATION R12.12."""
        if self.synced_at is not None and now - self.synced_at >= IDLE:
            self.marks.add(len(self.ends))
        self.synced_at = None

    def become(self, health: Health) -> None:
        """Change the state of the disk."""
        self.health = health
        self.room = self.model.room

    def close(self) -> None:
        """End a life in peace: everything that was written is synced, and marked."""
        if self.successor is not None:
            return self.put(self.successor, running=False)
        self._keep(len(self.records))
        self.marks.add(len(self.ends))
        self.syncing, self.synced_at = False, None

    def crash(self, now: float = 0.0) -> None:
        """Lose the buffer, and of the batch under way all, nothing, or any pages."""
        if self.successor is not None:
            return self.put(self.successor, running=False)
        self.hole, self.in_memory = self.in_memory or self.hole, 0
        marked = len(self.ends) in self.marks  # durable, unless it waits for this very sync
        self._mark(now)
        unsynced = len(self.records) - self.durable
        written = self.under_way if self.syncing or self.failed else self.durable
        self.syncing, failed, self.failed = False, self.failed, False
        if unsynced:
            kept = self.durable + self.random.randrange(unsynced + 1)
            if kept >= written:
                self._keep(written)
                self.in_memory = len(self.ends) if failed else 0
            elif self.random.random() < self.model.torn:
                # As many draws as there were before crashes took pages: then seeds that are in use stay true.
                self._lose_pages(Random(self.random.getrandbits(128)), self.records[self.durable : written])
            del self.records[self.durable :]
        elif not marked and self.pages.random() < self.model.torn:
            self.marks.discard(len(self.ends))

    def folder(self) -> Folder:
        """Return what lies in the folder now, as a copy of its bytes: what is synced, and what the last crash left."""
        if self.successor is not None:
            return self.successor
        records, ends, marks = tuple(self.records[: self.durable]), tuple(self.ends), frozenset(self.marks)
        return Folder(records, ends, marks, self.torn_batch, dict(self.rotten))

    def put(self, folder: Folder, running: bool) -> None:
        """Put `folder` in the place of this one; a life that is `running` finds out at its next sync."""
        self.successor = folder if running else None
        if not running:
            self.records, self.ends, self.marks = list(folder.records), list(folder.ends), set(folder.marks)
            self.torn_batch, self.rotten = folder.torn_batch, dict(folder.rotten)
            self.durable, self.under_way = len(self.records), 0
            self.syncing, self.synced_at = False, None
            self.failed, self.in_memory, self.hole = False, 0, 0

    def _lose_pages(self, chance: Random, records: list[msgspec.Struct]) -> None:
        """Leave any pages of a batch with these records, and of the mark before it."""
        number = len(self.ends)
        before = mark(number) if number in self.marks else b""
        self.marks.discard(number)
        data = bytearray(before + batch(number + 1, b"".join(map(encode, records))))
        for at in range(-chance.randrange(PAGE), len(data), PAGE):
            if chance.random() < 0.5:
                start, end = max(at, 0), min(at + PAGE, len(data))
                data[start:end] = bytes(end - start)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        elif chance.random() < 0.3:
            data += bytes(chance.randrange(PAGE))
        self.torn_batch = bytes(data)

    def rot(self, record: int, old: bytes, new: bytes) -> None:
        """Let bytes of one record (from 1) turn into others; the next life meets them."""
        self.rotten[record] = (old, new)

    def recover(self, types: tuple[type[msgspec.Struct], ...], decode: Decode = decode) -> LogFile:
        """Return what the log holds for a new life; reads real bytes if not all of them are whole.

        Raises `DamagedLog` if what was synced has rotted.
        """
        if self.model.rewrites:
            self.in_memory = 0  # SPECIFICATION R12.12
        if not self.torn_batch and not self.rotten and not self.hole:
            self._keep(len(self.records))
            return LogFile(list(self.records), number=len(self.ends))
        data = b"".join(self.parts()) + self.torn_batch
        log = decode(data, types, "the simulated log")
        self.torn_batch, self.rotten, self.hole = b"", {}, 0
        self.records = list(log.records)
        self.ends = [end for end in self.ends if end <= len(self.records)]
        self.marks = {number for number in self.marks if number <= len(self.ends)}
        self.durable = self.ends[-1] if self.ends else 0
        self._keep(len(self.records))
        return log

    def parts(self) -> list[bytes]:
        """Return the file up to the last batch that is durable: each batch and each mark."""
        lines = [encode(record) for record in self.records[: self.durable]]
        parts, start = [], 0
        for number, end in enumerate(self.ends, start=1):
            part = batch(number, b"".join(lines[start:end]))
            for record in range(start, end):
                if record + 1 in self.rotten:
                    part = part.replace(lines[record], lines[record].replace(*self.rotten[record + 1]))
            if number == self.hole:
                part = bytes(len(part))
            parts += [part, mark(number)] if number in self.marks else [part]
            start = end
        return parts
