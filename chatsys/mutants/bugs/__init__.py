"""The protocol with one bug each, as students write them, by the part in which the bug is.

    MUTANTS["lead without SYNC"]   a Mutant: its story, its parts, the invariants that name it, a seed that kills it

Most bugs are one small method of a part, overridden in one line: a rule that can be broken so stands alone
in the protocol, too.

Read also `mutant` (what one is), `open` (those that students read), `mutants.hunt` (how each is found out).
"""

from collections.abc import Iterator
from difflib import get_close_matches

from chatsys.errors import UsageError
from chatsys.mutants import closed
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.mutants.bugs.open import OPEN

__all__ = ["MUTANTS", "Mutant", "named"]


def _closed() -> Iterator[Mutant]:
    """Yield the bugs of the pages that are here."""
    for name in closed.BUGS:
        if (page := closed.page(f"bugs.{name}")) is not None:
            yield from getattr(page, name.upper())


MUTANTS: dict[str, Mutant] = {one.name: one for one in (*_closed(), *OPEN)}
"""Every mutant by its name."""


def named(name: str) -> Mutant:
    """Return the mutant of this name; raises `UsageError` for an unknown one."""
    if name not in MUTANTS:
        here = "" if closed.is_whole() else f" here: {closed.NOT_HERE}"
        like = get_close_matches(name, MUTANTS, n=3, cutoff=0.5) or list(MUTANTS)[:3]
        raise UsageError(
            f"There is no mutant {name!r}{here}; write for example {', '.join(map(repr, like))}. "
            f"chatsys mutants --list tells all {len(MUTANTS)}, a line for each."
        )
    return MUTANTS[name]
