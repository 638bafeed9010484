"""Directed schedules: each tells one story of what can go wrong, and shows that it does not.

    DIRECTED["C1"]           cut a cluster of three in two, with quorum 1   -> S1: two histories
    play("C1")               ... and the same with a majority               -> every invariant holds

The C schedules break the textbook's design (quorum 1) or a protocol with a named bug; the Q
schedules are those in which the majority's protocol lives by one rule, and its mutant dies.

Assumes   nothing of chance: a schedule is the same on every machine.
Promises  `play(name, flawed=True)` breaks one of `breaks`; `play(name)` breaks nothing.
Read also `stage` (the tools); `open` (what the notebooks play); `textbook` and `bugs` (C), `copies`, `terms`, `cells`, `beyond`,
`lively`, `identity` and `learners` (Q).
"""

from collections.abc import Iterator
from typing import Any

from chatsys.errors import UsageError
from chatsys.mutants import closed
from chatsys.mutants.bugs import MUTANTS
from chatsys.mutants.schedules import open, textbook
from chatsys.mutants.schedules.directed import ENTERED, Directed, Played

__all__ = ["DIRECTED", "Directed", "Played", "open", "play", "rows", "textbook"]

for _page in closed.SCHEDULES:
    closed.page(f"schedules.{_page}")  # enters its schedules, if it is here

DIRECTED: dict[str, Directed] = {
    name: one
    for name, one in sorted(ENTERED.items(), key=lambda item: (item[0][0], int(item[0][1:])))
    if not one.defect or one.defect in MUTANTS
}
"""Every directed schedule by its name, C1 to Q69; in a student's bundle those whose bug is there."""


def play(name: str, flawed: bool = False) -> Played:
    """Play a directed schedule; `flawed` with quorum 1 or its named bug.  Raises `UsageError` for an unknown name."""
    if name not in DIRECTED:
        here = "" if closed.is_whole() else f" here: {closed.NOT_HERE}"
        raise UsageError(f"There is no schedule {name!r}{here}; the schedules are {', '.join(DIRECTED)}.")
    return DIRECTED[name].play(flawed)


def rows() -> Iterator[dict[str, Any]]:
    """Yield for each schedule: name, title, what is wrong when flawed, what broke then, and whether the rest held."""
    for name, one in DIRECTED.items():
        found = one.play(flawed=True).violation
        yield {
            "schedule": name,
            "title": one.title,
            "flaw": one.flaw,
            "broke": found.invariant if found else "",
            "sentence": found.sentence if found else "",
            "held": not one.play().violations,
        }
