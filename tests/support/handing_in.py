"""Handing in: what a submission of lab 03 is, how one is made from the source notebook, and what it should get.

    @handed_in("t2 one moved", loses=..., says=...)     changes the notebook, and is kept in SUBMISSIONS
    answer("c1 sorted list", source)                    the same for a class in the cell of 3.1

`loses` has the cells that must lose points; every other cell keeps all of its points.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import nbformat

Notebook = Any

RECEIVE = """
    def receive(self, number, message):
        if number >= self.due:
            self.early[number] = message
        ready = []
        while self.due in self.early:
            ready.append(self.early.pop(self.due))
            self.due += 1
        return ready
"""
INIT = """
class MyHoldBack:
    def __init__(self, first=1):
        self.due = first
        self.early = {}
"""
RIGHT = INIT + RECEIVE

HOLD_BACK = {"check-3-1", "hidden-3-1", "search-3-1"}
ALL_3_1 = frozenset(HOLD_BACK)
ASKING = frozenset({"check-3-2", "hidden-3-2", "budget-3-2"})
NOTHING: frozenset[str] = frozenset()


class Submission(NamedTuple):
    make: Callable[[Notebook], None]
    loses: frozenset[str]
    says: str = ""
    """What its report must contain, as a regular expression."""
    may_lose: frozenset[str] = NOTHING
    """Cells that may lose points or not, for it hangs on how far it came."""


SUBMISSIONS: dict[str, Submission] = {}


def at(notebook: Notebook, name: str) -> int:
    return next(i for i, cell in enumerate(notebook.cells) if cell.metadata.get("nbgrader", {}).get("grade_id") == name)


def write(notebook: Notebook, source: str, name: str = "hold-back") -> None:
    notebook.cells[at(notebook, name)].source = source


def before(notebook: Notebook, name: str, source: str) -> None:
    notebook.cells.insert(at(notebook, name), nbformat.v4.new_code_cell(source))  # type: ignore[no-untyped-call]


def handed_in(
    name: str, loses: frozenset[str] = NOTHING, says: str = "", may_lose: frozenset[str] = NOTHING
) -> Callable[[Callable[[Notebook], None]], Callable[[Notebook], None]]:
    def keep(make: Callable[[Notebook], None]) -> Callable[[Notebook], None]:
        SUBMISSIONS[name] = Submission(make, loses, says, may_lose)
        return make

    return keep


def answer(
    name: str, source: str, loses: frozenset[str] = NOTHING, says: str = "", may: frozenset[str] = NOTHING
) -> None:
    SUBMISSIONS[name] = Submission(lambda notebook: write(notebook, source), loses, says, may)
