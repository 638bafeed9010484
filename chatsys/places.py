"""Places: the file and the line at which something is written, in words that a person can follow.

    /users/ann/bully.py, 12                  --> bully.py, line 12
    /tmp/ipykernel_17/2774985643.py, 5      --> your cell, line 5      what a notebook calls a cell tells nobody anything
    <ipython-input-3-1f2e>, 5               --> your cell, line 5      the same, in a notebook without files

Somebody's own code is a file or a cell that belongs neither to chatsys nor to Python nor to a package
that was installed.  An error is told with the innermost line of such code, because that line can be changed.

Promises  nothing is run and nothing is read.
Read also `errors.told` (an error with its place), `isolation.attribution` (what own code keeps), `isolation.pickling` (how names travel).
"""

import os
import re
import sysconfig
from functools import cache
from pathlib import Path
from types import TracebackType

CELL = "your cell"


def is_cell(file: str) -> bool:
    """Tell whether this is the name that a notebook gives to one of its cells."""
    folders = re.split(r"[/\\]", file)[:-1]
    return file.startswith("<ipython-input") or (bool(folders) and folders[-1].startswith("ipykernel_"))


@cache
def is_own(file: str) -> bool:
    """Tell whether this is a file (or a notebook's cell) of somebody's own."""
    return not file.startswith(("<frozen", "<string>", "<__array_function__", *_others()))


@cache
def _others() -> tuple[str, ...]:
    """Return the folders of chatsys, of Python and of installed packages; asked for late, because it takes a moment."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = [Path(__file__).parent, *(Path(sysconfig.get_path(name)) for name in names)]
    return tuple(f"{folder}{os.sep}" for folder in folders)


def at(file: str, line: int | None) -> str:
    """Return `file, line N`; the file alone if the line is not known."""
    name = CELL if is_cell(file) else Path(file).name
    return f"{name}, line {line}" if line else name


def inside(file: str, line: int | None) -> str:
    """Return where something happened, to stand in brackets: `file, line N`, or `in your cell, line N`."""
    return f"in {at(file, line)}" if is_cell(file) else at(file, line)


def opening(place: str) -> str:
    """Return a place as the first words of a sentence; the name of a file stays as it is."""
    return place[0].upper() + place[1:] if place.startswith(CELL) else place


def innermost(trace: TracebackType | None) -> tuple[str, int] | None:
    """Return (file, line) of the innermost line of somebody's own code in a traceback, or None."""
    found = None
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if is_own(file):
            found = file, trace.tb_lineno
        trace = trace.tb_next
    return found
