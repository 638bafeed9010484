"""Temporary folders that outlive nobody: what a killed process left is removed by the next one that makes one.

A folder that its maker cannot remove any more, because it was killed, would stay for ever; and nobody can see
from a folder alone whether its maker still lives, for numbers of processes are used again.  So beside each folder
lies a file that its maker keeps locked, and the lock ends with the process, however that ends:

    /tmp/chatsys-k3v9/         the folder
    /tmp/chatsys-k3v9.lock     locked: its maker lives          can be locked: the folder belongs to nobody

Whoever makes a folder looks at the others first, and removes those of this user whose lock it can take.  A folder
without such a file is not touched.

Assumes   a lock is told from the name of its file by `st_ino`, so a file that was removed meanwhile is noticed.
Promises  never a folder whose maker lives, nor one of another user, nor what a link leads to.
Read also `locks` (the lock), `runtime.cluster` (the logs of a cluster that was given no place for them).
"""

import atexit
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from chatsys.capabilities import FILE_LOCKS, has
from chatsys.errors import ChatsysError, NotHere
from chatsys.locks import lock
from chatsys.surroundings import reason

PREFIX, LOCK = "chatsys-", ".lock"
_held: dict[str, tuple[int, int]] = {}
"""The lock files that this process holds open, and its id, by folder: a forked process inherits them, and owns none."""


def temporary(prefix: str = PREFIX) -> Path:
    """Return a new temporary folder; raises `ChatsysError` with one sentence where there is no room for one."""
    try:
        place = Path(tempfile.gettempdir())
        sweep(place)
        while True:
            folder = _made(place, prefix)
            if folder is not None:
                return folder
    except OSError as error:
        raise ChatsysError(
            f"No temporary folder can be made ({reason(error)}); make room, or name another folder as data or TMPDIR."
        ) from None


def _made(place: Path, prefix: str) -> Path | None:
    """Make a lock and then the folder beside it; None if somebody swept here in between."""
    if not has(FILE_LOCKS):
        return Path(tempfile.mkdtemp(prefix=prefix))  # where no other process can be, nobody looks for locks either
    file, name = tempfile.mkstemp(prefix=prefix, suffix=LOCK, dir=place)
    path, folder = Path(name), Path(name.removesuffix(LOCK))
    try:
        if lock(file, path) and _is_still(file, path):
            os.write(file, f"{os.getpid()}\n".encode())  # for people: nobody reads it
            folder.mkdir(0o700)
            _held[os.fspath(folder)] = file, os.getpid()
            return folder
    except FileExistsError:
        path.unlink()
    except NotHere:  # this file system keeps no locks: nobody can tell who lives, and nobody sweeps
        path.unlink()
        folder.mkdir(0o700)
        os.close(file)
        return folder
    except OSError:
        os.close(file)
        path.unlink(missing_ok=True)
        raise
    os.close(file)
    return None


def _let_go(folder: Path) -> None:
    if os.path.lexists(folder):
        return  # Ctrl-C came in between: the end of this process, or the next one, removes it
    held = _held.pop(os.fspath(folder), None)
    if held is not None:
        with suppress(OSError):
            os.unlink(f"{folder}{LOCK}")
        os.close(held[0])


@atexit.register
def _remove_all() -> None:
    """Remove what is still there as this process ends: not everybody is left the time to do so before."""
    maker = os.getpid()
    for folder, (_, pid) in list(_held.items()):
        if pid == maker:
            remove(Path(folder))


def sweep(place: Path) -> list[Path]:
    """Remove the temporary folders in `place` whose makers have ended, and return them."""
    if not has(FILE_LOCKS):
        return []
    with os.scandir(place) as entries:
        locks = [Path(one.path) for one in entries if one.name.startswith(PREFIX) and one.name.endswith(LOCK)]
    return [folder for path in locks if (folder := _take_away(path)) is not None]


def _take_away(path: Path) -> Path | None:
    """Remove the folder beside a lock that nobody holds; None if somebody does, or if it is not this user's."""
    folder = Path(str(path).removesuffix(LOCK))
    with suppress(OSError, NotHere):
        if os.fspath(folder) in _held or not _is_ours(path, stat.S_ISREG):
            return None
        file = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        try:
            if not lock(file, path) or not _is_still(file, path):
                return None
            if os.path.lexists(folder):
                if not _is_ours(folder, stat.S_ISDIR):
                    return None
                _remove(folder)
            path.unlink()
            return folder
        finally:
            os.close(file)
    return None


def _is_ours(path: Path, kind: Callable[[int], bool]) -> bool:
    found = os.lstat(path)
    return kind(found.st_mode) and found.st_uid == (os.getuid() if hasattr(os, "getuid") else found.st_uid)


def _is_still(file: int, path: Path) -> bool:
    """Tell whether `path` still names the file that is open: it may have been removed before it was locked."""
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False


def remove(folder: Path | None) -> None:
    """Remove a temporary folder, if there is one, whatever somebody has put into it and whoever may read that."""
    if folder is None:
        return
    try:
        _remove(folder)
    finally:
        _let_go(folder)


def _remove(folder: Path) -> None:
    def open_and_again(act: Callable[[str], object], path: str, _: object) -> None:
        above = (
            () if os.fspath(path) == os.fspath(folder) else (os.path.dirname(path),)
        )  # what it stands in is not ours
        for one in (*above, path):
            if not os.path.islink(one):  # nor is what it leads to
                os.chmod(one, stat.S_IRWXU)
        if act is os.unlink or act is os.rmdir:
            act(path)
        else:
            shutil.rmtree(path, ignore_errors=True)

    try:
        shutil.rmtree(folder, onerror=open_and_again)
    except OSError:  # it is not there, or still in use
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:  # folders in folders in folders
        import subprocess

        subprocess.run(["rm", "-rf", str(folder)], check=False, stderr=subprocess.DEVNULL)
