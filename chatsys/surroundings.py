"""The surroundings: what files, disks and this machine's network do, as one true sentence.

A program can be right and still meet a full disk, a home folder without file locks or a name that nobody
knows.  None of these is a bug, and none of them breaks a promise of the protocol.  So each of them becomes
a `ChatsysError` whose text says what the system said, and what a person can do about it.

    OSError --reason--> "No space left on device: the disk is full"   what happened, truly
            --advice--> "make room"                                   what to do
    "~/x"   --place---> x in the home folder                          a path that can be tried

Assumes   the number of an error (errno) is right; its text may be of any language.
Promises  `place` and `try_write` raise nothing but `UsageError`; `try_write` leaves the file as it was.
Read also `errors` (the tree of all errors), `__main__` (the last net under a command).
"""

import errno
import os
import socket
import stat
import threading
from pathlib import Path

from chatsys.errors import ChatsysError, DiskFailed, UsageError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""No more bytes fit: on the disk, into this user's share of it, into one file."""
TOGETHER = 0.2
"""Signals that come within so many seconds are one wish: `timeout` tells a process to end, and then its whole group."""
PRIVATE = 0o600
"""For the eyes of its owner alone: a log has the secrets of clients (SPECIFICATION R10.14)."""
UNUSABLE = (OSError, ValueError)
"""What the system raises for a path: an OSError, or for text that can be no path a ValueError."""

_MEANS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "this user's share of the disk is full",
    errno.EFBIG: "the file is as large as the system, or `ulimit -f`, allows: it is full",
    errno.EIO: "the device does not work",
    errno.EMFILE: "this process has as many files and connections open as it may have",
    errno.ENFILE: "this machine has as many files and connections open as it can have",
    errno.ENOMEM: "the memory of this machine is used up",
    errno.ELOOP: "links that lead to each other",
}
_ADVICE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "make room"),
    errno.EFBIG: "raise the limit",
    errno.EIO: "repair it",
    errno.EACCES: "give this user the right, or name another place",
    errno.EPERM: "give this user the right, or name another place",
    errno.EROFS: "name a place that can be written",
    errno.EMFILE: "raise the limit (ulimit -n), or do less at a time",
    errno.ENFILE: "end other programs",
    errno.ENOMEM: "end other programs, or do less at a time",
    errno.ENOENT: "name a file in a folder that exists",
    errno.ENOTDIR: "a file stands where a folder is needed: name another place",
    errno.EISDIR: "name a file, not a folder",
    errno.EEXIST: "name another place",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.ELOOP: "name another place",
}


def make_folder(folder: Path) -> None:
    """Make a folder into which nobody else can look, and those above it; one that is there stays as its owner made it.

    The names of those that are made are durable when it returns: a folder that a power loss takes away takes with it
    every file that was synced in it.  In Kubernetes and in a container the volume is there already, and what is in it
    belongs to the node's own user.
    """
    fresh = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(0o700, parents=True, exist_ok=True)
    for one in fresh:
        sync_folder(one.parent)


def sync_folder(folder: Path) -> None:
    """Make new names in `folder` durable, where the system can; raises `OSError` if its disk fails or is full."""
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno in FULL | {errno.EIO}:
            raise


def private(path: str, flags: int) -> int:
    """Be the `opener` of `open` for a file that nobody else can read if it is made now."""
    return os.open(path, flags, PRIVATE)


def reason(error: Exception) -> str:
    """Return why the system refused: in its own words, and in plain ones where these say too little."""
    if not isinstance(error, OSError):
        return "that is no name of a file"
    said = error.strerror or str(error) or type(error).__name__
    if isinstance(error, socket.gaierror):  # its numbers are not those of errno
        return said
    if error.errno in _MEANS:
        return f"{os.strerror(error.errno)}: {_MEANS[error.errno]}"
    return said


def advice(error: Exception, otherwise: str = "name another place") -> str:
    """Return what a person can do about `error`; `otherwise` where its number does not tell."""
    return _ADVICE.get(getattr(error, "errno", None) or 0, otherwise)


def place(path: str | Path) -> Path:
    """Return the path that is meant: a leading `~` is the home folder, as in a shell.

    Raises `UsageError` for what can be no path.  A folder that is really called `~` needs its whole path.
    """
    try:
        os.fsencode(path)
        if "\0" in str(path):
            raise ValueError
        return Path(path).expanduser()
    except ValueError:
        raise UsageError(f"{str(path)[:200]!r} can be no path of a file; leave out what is not text.") from None
    except RuntimeError:
        raise UsageError(f"{path} begins with ~, but this home folder is not known; write the whole path.") from None


def is_file(path: str | Path) -> bool:
    """Tell whether there is a file that can be looked at; what cannot even be asked for is none."""
    try:
        return Path(path).is_file()
    except UNUSABLE:
        return False


def try_read(path: str | Path) -> None:
    """Find out whether a file can be read; raises `OSError`, or `ValueError` for what can be no path."""
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    finally:
        os.close(file)


def try_write(path: str | Path) -> Path:
    """Find out, before the work begins, whether its result can be written to `path`; return the path."""
    path = place(path)
    try:
        fresh = not os.path.lexists(path)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0), 0o644)
        try:
            if fresh:
                os.write(file, b"\n")  # a full disk takes the name of a file, and no byte
        finally:
            os.close(file)
            if fresh:
                path.unlink()
    except UNUSABLE as error:
        raise UsageError(cannot_write(path, error)) from None
    return path


def cannot_write(path: str | Path, error: Exception) -> str:
    """Return the sentence for a file that cannot be written."""
    return f"{path} cannot be written: {reason(error)}; {advice(error)}."


def open_ordinary(path: Path) -> int:
    """Return a file opened for reading; raises `OSError` for a pipe or a device, which might never end."""
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "This is no ordinary file", str(path))
    return file


def read_ordinary(path: Path) -> bytes:
    """Return what is in a file; raises `OSError` as `open_ordinary` does."""
    with open(open_ordinary(path), "rb") as stream:
        return stream.read()


def start_thread(thread: threading.Thread) -> None:
    """Start a thread; raises `ChatsysError` with one sentence where the system allows no more."""
    try:
        thread.start()
    except RuntimeError:  # all that Python says is "can't start new thread"
        raise ChatsysError(
            "The system allows this user no more threads; end other programs, or raise the limit (ulimit -u)."
        ) from None


def check_in_place(path: Path, file: int) -> None:
    """Raise `DiskFailed` if the open `file` is no longer the one at its path: a later life would not find it.

    A file that was deleted or replaced takes writes and syncs without a word, until whoever has it open closes it.
    """
    ours = os.fstat(file)
    try:
        there = os.stat(path)
    except FileNotFoundError:
        there = None
    if there is None or (os.name != "nt" and (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)):
        raise DiskFailed(
            f"The file {path} is no longer the one that this node opened: it was deleted or replaced while the node "
            "ran. The node stops; put its own folder back, if you have moved it, and start it again."
        )
