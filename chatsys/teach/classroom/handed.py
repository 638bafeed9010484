"""Handed in: one notebook as it lay in a folder, whose it is, and what lay beside it.

Assumes   nothing of names: they hold spaces, commas, umlauts in two spellings, and whatever a student typed.
Promises  no link is followed out of the folder, and what systems put there by themselves is not seen.
Read also `layouts` (who makes it), `inbox` (two of one student).
"""

import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from chatsys.escape import escape

MOST_FILES = 100_000
"""So many files of one folder are looked at."""


class Handed(msgspec.Struct, kw_only=True):
    """One notebook that was handed in, or one submission in which there is none."""

    student: str
    shown: str
    """The file as people know it: below the folder, or in the zip."""
    path: Path | None = None
    """None: there is no notebook in it."""
    name: str = ""
    ids: dict[str, str] = {}
    members: list[dict[str, str]] = []
    submitted: datetime | None = None
    late: bool | None = None
    order: tuple[float, ...] = ()
    """Of two notebooks of one student, the one with the larger order counts: first whether it is named after the lab."""
    remarks: list[str] = []


def plainly(text: str) -> str:
    """Return a name in one spelling, so that the ids of two machines are the same (an umlaut has two)."""
    return unicodedata.normalize("NFC", text)


def files_below(folder: Path) -> list[Path]:
    """Return the files in a folder of one student, links out of it and what systems put there left out."""
    found: list[Path] = []
    for here, below, names in os.walk(folder, followlinks=False):
        below[:] = sorted(name for name in below if not _unseen(name))
        for name in sorted(names):
            path = Path(here, name)
            if not _unseen(name) and stays_inside(path, folder) and len(found) < MOST_FILES:
                found.append(path)
    return found


def stays_inside(path: Path, folder: Path) -> bool:
    """Whether a path leads to a file in this folder, links followed."""
    try:
        return path.resolve().is_relative_to(folder.resolve()) if path.is_symlink() else True
    except (OSError, RuntimeError):  # links that lead to each other
        return False


def _unseen(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def notebooks_of(files: list[Path]) -> list[Path]:
    """Return those of the files that are notebooks by their name."""
    return [path for path in files if path.suffix.lower() == ".ipynb"]


def changed(path: Path) -> float:
    """Return the date of a file, in seconds; 0 if nobody knows."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _own_name(path: Path) -> str:
    return path.name


def submissions_of(
    whose: Handed, files: list[Path], lab: str, root: Path, own_name: Callable[[Path], str] = _own_name
) -> Iterator[Handed]:
    """Yield a submission like `whose` for each notebook among the files of a student, or one that has none.

    `own_name` is what the student called a file, where the platform adds to it.
    """
    found = notebooks_of(files)
    for path in found:
        order = (float(own_name(path).startswith(lab)), *(whose.order or (changed(path),)))
        yield replace(whose, path=path, shown=below(path, root), order=order)
    if not found:
        there = ", ".join(escape(path.name[:60]) for path in files[:3]) + (", ..." if len(files) > 3 else "")
        why = f"There is no notebook in this submission{f' (it has {there})' if there else ': it is empty'}."
        yield replace(whose, remarks=[*whose.remarks, why])


def below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not _unseen(path.name))


def alone(path: Path, lab: str, root: Path | None = None, student: str | None = None) -> Handed:
    """Return the submission of one file that somebody named."""
    shown = below(path, root) if root is not None else str(path)
    return Handed(student=student or student_of(path, lab), path=path, shown=shown, order=(changed(path),))


def student_of(path: Path, lab: str) -> str:
    """Return whose notebook this is: the name of its file, or of its folder if the file has the name of the lab."""
    names = [path.stem, *(folder.name for folder in path.absolute().parents)]
    copy = re.compile(rf"{re.escape(lab)}( ?\(\d+\)|-checkpoint)?")  # as browsers name a second download
    return plainly(next((name for name in names if name and not copy.fullmatch(name)), path.stem))
