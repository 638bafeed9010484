"""The disk of one node: an append-only file, and syncs that do not keep the event loop waiting.

Records gather in a buffer while one sync is under way; the next sync covers all of them (group
commit).  A thread writes and syncs; the loop hears how many records are durable.

    write --> buffer ..flush..> [thread: write a batch, sync] --> done(count)
                 ^                       |    `..an idle second..> write a mark, no sync
                 `--- gathers meanwhile -'

A thread costs time, too: to wake it and to be woken takes longer than a sync on a good disk.  So while the last
few syncs were short, the loop does the next one itself.  One that takes long sends the following ones to the
thread again.

What a life finds in its file is made durable before it writes anything: it may rest in the memory of the system
only, if a process was killed between its write and its sync.  So no batch is ever written before
everything in front of it is on the disk, which is what the reader of a log concludes.  A sync alone is not
enough for that.  When one has failed, Linux takes what it should have written for written: it can still be read,
and the next sync has nothing to do and says that all is well.  So the last batch, the only one whose sync can
have failed, is written once more.

Assumes   the file system keeps what a completed sync covered.
Promises  one process per folder (the lock dies with it); a torn last batch is cut off, any other
          damage is an error; after a failed write or sync nothing more is written.
          (SPECIFICATION R12.6, R12.9, R12.12)
Read also `actor.logfile` (the bytes), `long_file` (how they are read), `actor.outbox`, `sim.disk` (the imaginary counterpart).
"""

import asyncio
import errno
import os
import queue
import shutil
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.logfile import IDLE, LOG, LogFile, Reader, batch, encode, mark
from chatsys.errors import ChatsysError, DiskFailed, ForeignLog, LogError, LogInUse
from chatsys.locks import lock
from chatsys.runtime.long_file import LongFile, Records
from chatsys.surroundings import (
    FULL,
    PRIVATE,
    UNUSABLE,
    advice,
    check_in_place,
    make_folder,
    place,
    reason,
    start_thread,
    sync_folder,
)

LOCK = "lock"
LOW_BYTES = 64 << 20
"""Less free space than this is "low": a node gives the lead away, or answers busy, before its disk is full."""
ROOM_AGAIN = 1.5
"""A disk that was low has room again with so many times that space; between the two it stays what it was."""
SPACE_INTERVAL = 5.0
SHORT = 0.001
"""Seconds: so long the event loop may wait for a sync, ..."""
FEW = 8
"""... if none of so many took longer."""


class Disk:
    """One node's data folder, opened and locked; `log` is what its file held.

    `done(count)` and `failed(error)` are called on the event loop: so many records of this life
    are durable, or no more ever will be.  `space(low)` tells when free space becomes low or not.
    """

    def __init__(
        self,
        folder: Path,
        types: Sequence[type[msgspec.Struct]],
        *,
        owner: tuple[str, Address] | None = None,
        owner_of: Callable[[Collection[Any]], tuple[str, Address] | None] = Actor.owner,
        low_bytes: int = LOW_BYTES,
    ) -> None:
        """Open or make the folder.

        `owner` is (cluster, node): a log of another one, as `owner_of` tells it from the records, is refused.  Raises `LogError` for a
        folder that cannot be used, `LogInUse` if a live process holds it, `DamagedLog`, and
        `NotHere` where the file system keeps no locks.
        """
        self.folder = folder = place(folder)
        self.path = folder / LOG
        self.low_bytes = low_bytes
        self.done: Callable[[int], None] = lambda count: None
        self.failed: Callable[[DiskFailed], None] = lambda error: None
        self.space: Callable[[bool], None] = lambda low: None
        self._buffer: list[bytes] = []
        self._written = self.syncs = 0
        self._busy = False
        """A sync is under way, or not reported yet; the file belongs to whoever does it."""
        self._took: deque[float] = deque(maxlen=FEW)
        """How long the latest syncs took, in seconds, less what the thread may have waited for the interpreter."""
        self._rests: asyncio.TimerHandle | None = None
        self._synced_at = 0.0
        self._ended = self._let_go = False
        self._low = False
        self._jobs: queue.SimpleQueue[tuple[bytes, int] | None] = queue.SimpleQueue()
        """What the thread does next: write these lines, after which so many records are durable; or end."""
        self._thread: threading.Thread | None = None
        self._lock = self._make_and_lock()
        try:
            self.records = self._recover(types, owner, owner_of)
            """What the log held when it was opened: read anew by each loop over it, and kept by nobody here."""
            self._file = os.open(
                self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), PRIVATE
            )
            sync_folder(folder)
            self._number, self._marked = self.log.number, True
        except UNUSABLE as error:
            self._unlock()
            raise LogError(cannot_use(folder, error)) from None
        except Exception:
            self._unlock()
            raise

    # --- opening ----------------------------------------------------------------------------

    def _make_and_lock(self) -> int:
        """Return the open lock file, which is this process's alone; the name of the holder stands in it."""
        path = self.folder / LOCK
        try:
            make_folder(self.folder)
            file = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
        except UNUSABLE as error:
            raise LogError(cannot_use(self.folder, error)) from None
        try:
            if not lock(file, path):
                holder = os.pread(file, 20, 1).decode(errors="replace").strip() if hasattr(os, "pread") else ""
                who = f"process {holder}" if holder.isdecimal() else "another process"
                if holder == "1":  # the number counts within a container, and of this one it may be our own
                    who = "the node of another container"
                raise LogInUse(
                    f"The data folder {self.folder} is in use by {who}; stop that node first. If this is another "
                    "node, give it a folder of its own."
                )
            os.ftruncate(file, 0)
            os.write(file, f" {os.getpid()}\n".encode())
        except OSError as error:
            os.close(file)
            raise LogError(cannot_use(self.folder, error)) from None
        except ChatsysError:
            os.close(file)
            raise
        return file

    def _recover(
        self,
        types: Sequence[type[msgspec.Struct]],
        owner: tuple[str, Address] | None,
        owner_of: Callable[[Collection[Any]], tuple[str, Address] | None],
    ) -> Records:
        """Check the log and whose log it is, cut off a torn end, and make the rest durable."""
        self.log, self._size = LogFile([]), 0
        if not self.path.exists():
            return Records(self.path, types, 0, 0)
        with LongFile(self.path) as data:
            reader = Reader(data, types, str(self.path))
            count = sum(lines.count(b"\n") for lines in reader.batches())
            log, size = reader.log, len(data) - reader.log.torn
            last = data[log.sure : size]
        records = Records(self.path, types, size, count)
        found = owner_of(records)
        if owner is not None and found is not None and found != owner:
            raise ForeignLog(
                f"The log {self.path} belongs to node {found[1]} of cluster {found[0]!r}, not to node "
                f"{owner[1]} of {owner[0]!r}; name the folder that this node had before."
            )
        with open(self.path, "r+b") as file:
            if log.torn:
                file.truncate(size)
            file.seek(log.sure)
            file.write(last)
            file.flush()
            sync(file.fileno())  # SPECIFICATION R12.12
        self.log, self._size = log, size
        return records

    def told(self) -> str:
        """Return what the trace and the terminal say of what was found here."""
        return self.log.told(len(self.records))

    @property
    def size(self) -> int:
        """How many bytes the log has."""
        return self._size

    @property
    def torn(self) -> int:
        """How many bytes of a torn batch were cut off its end."""
        return self.log.torn

    # --- writing ----------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to serve the running event loop."""
        self._loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._work, name=f"disk of {self.folder.name}", daemon=True)
        start_thread(thread)
        self._thread = thread
        self._watch_space()

    def write(self, run: Sequence[msgspec.Struct]) -> None:
        """Take records into the buffer."""
        self._buffer += map(encode, run)
        self._written += len(run)

    def flush(self) -> None:
        """Make durable everything written so far, unless a sync is under way: then the next one will cover it."""
        if not self._buffer or self._busy or self._ended:
            return
        self._busy = True
        lines = b"".join(self._buffer)
        self._buffer.clear()
        if len(self._took) == FEW and max(self._took) < SHORT:
            self._loop.call_soon(self._report, self._store(lines, self._written))
        else:
            self._jobs.put((lines, self._written))

    def rest(self) -> None:
        """Mark what was synced, if nothing was written since."""
        if not (self._marked or self._busy or self._ended):
            self._marked = True
            self._write_mark(mark(self._number))

    def _work(self) -> None:
        """The thread: one sync after the other, until one fails or there is nothing more to do."""
        while (job := self._jobs.get()) is not None:
            stored = self._store(*job)
            try:
                self._loop.call_soon_threadsafe(self._report, stored)
            except RuntimeError:  # the loop is closed: nobody waits any more
                pass
            if isinstance(stored, DiskFailed):
                return

    def _store(self, lines: bytes, count: int) -> "int | DiskFailed":
        """Write a batch and sync it; return `count`, or what went wrong."""
        began = time.perf_counter()
        data = batch(self._number + 1, lines)
        try:
            _write_all(self._file, data)
            sync(self._file)
            check_in_place(self.path, self._file)  # SPECIFICATION R4.11
            check_in_place(self.folder / LOCK, self._lock)
        except OSError as error:
            return DiskFailed(_failed(self.path, error))
        except DiskFailed as error:
            return error
        self._took.append(time.perf_counter() - began - self._may_wait())
        self._number, self._marked = self._number + 1, False
        self._size += len(data)
        return count

    def _may_wait(self) -> float:
        """Return how many seconds of a sync this thread may have waited for the interpreter, which the loop had."""
        return sys.getswitchinterval() if threading.current_thread() is self._thread else 0.0

    def _write_mark(self, line: bytes) -> None:
        """Write a mark without a sync; on a full disk there is none, and nothing of it is left in the way."""
        try:
            written = os.write(self._file, line)
        except OSError:
            written = 0
        if written == len(line):
            self._size += written
        else:
            os.ftruncate(self._file, self._size)

    def _report(self, stored: "int | DiskFailed") -> None:
        """Tell the loop how a sync ended; and mark what is durable if nothing else happens for a while."""
        self._busy = False
        if self._ended:
            return
        if isinstance(stored, DiskFailed):
            self._busy = True  # nothing more is written
            return self.failed(stored)
        self.syncs += 1
        self._synced_at = self._loop.time()
        if self._rests is None:
            self._rests = self._loop.call_later(IDLE, self._rest_if_idle)
        self.done(stored)

    def _rest_if_idle(self) -> None:
        """Rest if the last sync is long enough ago; otherwise look again when it is."""
        wait = self._synced_at + IDLE - self._loop.time()
        if self._ended:
            return
        if wait > 0 or self._busy:
            self._rests = self._loop.call_later(max(wait, IDLE / 10), self._rest_if_idle)
        else:
            self._rests = None
            self.rest()

    def _watch_space(self) -> None:
        if self._ended:
            return
        try:
            enough = self.low_bytes * (ROOM_AGAIN if self._low else 1.0)
            low = shutil.disk_usage(self.folder).free < enough
        except OSError:
            low = False
        if low != self._low:
            self._low = low
            self.space(low)
        self._loop.call_later(SPACE_INTERVAL, self._watch_space)

    # --- ending -----------------------------------------------------------------------------

    def abandon(self) -> None:
        """End as in a crash: what was not written yet is lost.  Wait for `gone` before opening again."""
        self._ended = True
        self._buffer.clear()
        self._jobs.put(None)

    def gone(self) -> None:
        """Wait until the thread has ended, then let go of the folder; again is harmless."""
        if self._let_go:
            return
        self._let_go = True
        if not self._ended:
            self.abandon()
        if self._thread is not None:
            self._thread.join(10.0)
        os.close(self._file)
        self._unlock()

    def _unlock(self) -> None:
        os.close(self._lock)


def sync(file: int) -> None:
    """Make the bytes of `file` durable, in the strongest way this system has."""
    if sys.platform == "darwin":
        import fcntl

        try:
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.EINVAL, errno.ENOTTY):
                raise
    getattr(os, "fdatasync", os.fsync)(file)


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _failed(path: Path, error: OSError) -> str:
    if error.errno in FULL:
        return f"The log {path} cannot grow: {reason(error)}. The node stops; {advice(error)}, then start it again."
    return f"The disk failed at {path}: {reason(error)}; the node stops."


def made_folder(data: str | Path) -> Path:
    """Return the folder for the logs of some nodes, made now, before anything is started.  Raises `LogError`."""
    folder = place(data)
    try:
        make_folder(folder)
    except OSError as error:
        raise LogError(cannot_use(folder, error)) from None
    return folder


def cannot_use(folder: Path, error: Exception) -> str:
    """Say why a data folder cannot be used, with no advice that would let a node begin again with an empty log."""
    named = getattr(error, "filename", None)
    why = reason(error) + (f": {named}" if named and str(named) != str(folder) else "")
    match getattr(error, "errno", None):
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return (
                f"The data folder {folder} cannot be written ({why}); give this user the right. If the log must move, "
                "move the whole folder: a node that ran before must not begin with an empty one."
            )
        case errno.EEXIST if folder.is_symlink():
            return f"The data folder {folder} is a link to a folder that is not there; bring that folder back."
        case errno.EEXIST | errno.ENOTDIR:
            return f"The data folder {folder} is not a folder ({why}); a file is in its way: name the right folder."
        case errno.ENOENT | errno.EISDIR | errno.EINVAL | errno.ELOOP:
            return f"The data folder {folder} cannot be used ({why}); name the right folder."
    return f"The data folder {folder} cannot be used ({why}); {advice(error, 'name the right folder')}."


def in_use(folder: Path) -> bool:
    """Tell whether a node holds this folder.  Raises `OSError`, and `NotHere` where the file system keeps no locks."""
    path = folder / LOCK
    if not path.exists():
        return False
    file = os.open(path, os.O_RDWR)
    try:
        return not lock(file, path)
    finally:
        os.close(file)
