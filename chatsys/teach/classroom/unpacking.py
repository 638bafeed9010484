"""Unpacking: the zip that a platform gives becomes a folder, whatever somebody put into it.

    submissions.zip --> a temporary folder: notebooks, times, metadata as they are; of other files the names alone

A zip is made by the platform, but what is in it comes from students: names that lead out of the folder, links, and a
few bytes that become gigabytes.

Promises  nothing is written outside of the folder; no more bytes than `MOST` are; what is left out is told.
Read also `inbox`.
"""

import os
import stat
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from chatsys.errors import UsageError
from chatsys.escape import escape
from chatsys.isolation.drain import say_bytes
from chatsys.surroundings import UNUSABLE, reason
from chatsys.teach.classroom.layouts import METADATA, TIMESTAMP
from chatsys.teach.grading.reading import LARGEST

MOST, MOST_ENTRIES = 4 << 30, 100_000
"""Bytes and files that a zip of a class may have."""
PIECE = 1 << 20


def unpack(path: Path, folder: Path) -> list[str]:
    """Unpack the zip at `path` into `folder`; return what was left out, a sentence each.  Raises `UsageError`."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES:
                raise UsageError(f"{path} has {len(entries):,} files, and a class has at most {MOST_ENTRIES:,}.")
            return list(_unpacked(archive, entries, folder))
    except (zipfile.BadZipFile, NotImplementedError, *UNUSABLE) as error:
        why = reason(error) if isinstance(error, OSError) else "it is no zip, or a damaged one"
        raise UsageError(f"{path} cannot be unpacked: {why}; unpack it yourself, and give the folder.") from None


def _unpacked(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], folder: Path) -> Iterator[str]:
    left = MOST
    for entry in entries:
        name = escape(entry.filename[:80])
        if not _harmless(entry):
            yield f"{name} in the zip is a link, or would lie outside of the folder, and was left out."
            continue
        goal = folder.joinpath(*PurePosixPath(entry.filename.replace("\\", "/")).parts)
        try:
            if entry.is_dir():  # an empty folder is somebody who handed in nothing
                goal.mkdir(parents=True, exist_ok=True)
                continue
            goal.parent.mkdir(parents=True, exist_ok=True)
            with open(goal, "wb") as file:
                if goal.suffix.lower() == ".ipynb" or goal.name in (METADATA, TIMESTAMP):
                    left -= _copied(archive, entry, file, left)
            _dated(goal, entry)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, *UNUSABLE) as error:
            why = reason(error) if isinstance(error, OSError) else "it is damaged, or locked with a password"
            yield f"{name} in the zip cannot be unpacked: {why}."
    if left <= 0:
        yield f"The notebooks in the zip have more than {say_bytes(MOST)} together; those that came last are cut off."


def _harmless(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry is a file, or a folder, whose name stays in the folder."""
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    kind = stat.S_IFMT(entry.external_attr >> 16)
    inside = not path.is_absolute() and ".." not in path.parts and not any(":" in part for part in path.parts[:1])
    return inside and kind in (0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG)


def _copied(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: IO[bytes], left: int) -> int:
    """Copy one file and return its size; one that is too large for a notebook keeps its size and no content."""
    most, size = min(LARGEST + 1, max(left, 0)), 0
    with archive.open(entry) as source:
        while size < most and (data := source.read(min(PIECE, most - size))):
            file.write(data)
            size += len(data)
    if size > LARGEST:
        file.truncate(0)
        file.truncate(size)  # a hole: the reader says that it is too large, and it takes no room
    return size


def _dated(path: Path, entry: zipfile.ZipInfo) -> None:
    """Give the file the date that the zip says, by which the newer of two is known."""
    try:
        when = time.mktime((*entry.date_time, 0, 0, -1))
        os.utime(path, (when, when))
    except (OverflowError, ValueError, OSError):
        pass
