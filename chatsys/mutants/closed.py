"""Closed: the pages that a student's bundle has not, for lab 11 asks for what stands on them.

    chatsys release --> bugs/ and schedules/ with their open pages, no searches/

Whatever needs a page that is not there says so in one sentence; the rest of this room works with what is.

Read also `bugs.open`, `schedules.open` (what stays), `teach.classroom.release` (who leaves them out).
"""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from chatsys.errors import NotHere

BUGS = (
    "succession",
    "fence",
    "cells",
    "debts",
    "beyond",
    "ordering",
    "catchup",
    "sessions",
    "failure",
    "storage",
    "identity",
    "learners",
)
SCHEDULES = ("beyond", "bugs", "cells", "copies", "identity", "learners", "lively", "terms")
SEARCHES = "searches"
CLOSED = (*(f"bugs/{page}.py" for page in BUGS), *(f"schedules/{page}.py" for page in SCHEDULES), f"{SEARCHES}/")
"""What a bundle leaves out of this folder; what ends in / is a folder."""
NOT_HERE = "a student's copy of chatsys has only those that the notebooks play; your instructor has the others"


def page(name: str) -> ModuleType | None:
    """Return a page of this room, "bugs.fence", or None if this copy has it not."""
    dotted = f"chatsys.mutants.{name}"
    return import_module(dotted) if find_spec(dotted) is not None else None


def is_whole() -> bool:
    """Tell whether every page is here."""
    return find_spec(f"chatsys.mutants.{SEARCHES}") is not None


def need_searches() -> None:
    """Raise one sentence if the searches are not here."""
    if not is_whole():
        raise NotHere("The searches for mutants are not in a student's copy of chatsys; your instructor has them.")
