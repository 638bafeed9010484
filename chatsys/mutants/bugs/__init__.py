"""The protocol with one bug each, as students write them, by the part in which the bug is.

    MUTANTS["lead without SYNC"]   a Mutant: its story, its parts, the invariants that name it, a seed that kills it

Most bugs are one small method of a part, overridden in one line: a rule that can be broken so stands alone
in the protocol, too.

Read also `mutant` (what one is), `mutants.hunt` (how each is found out).
"""

from chatsys.errors import UsageError
from chatsys.mutants.bugs.catchup import CATCHUP
from chatsys.mutants.bugs.failure import FAILURE
from chatsys.mutants.bugs.fence import FENCE
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.mutants.bugs.ordering import ORDERING
from chatsys.mutants.bugs.sessions import SESSIONS
from chatsys.mutants.bugs.storage import STORAGE
from chatsys.mutants.bugs.succession import SUCCESSION

__all__ = ["MUTANTS", "Mutant", "named"]

MUTANTS: dict[str, Mutant] = {
    one.name: one for one in (*SUCCESSION, *FENCE, *ORDERING, *CATCHUP, *SESSIONS, *FAILURE, *STORAGE)
}
"""Every mutant by its name."""


def named(name: str) -> Mutant:
    """Return the mutant of this name; raises `UsageError` for an unknown one."""
    if name not in MUTANTS:
        raise UsageError(f"There is no mutant {name!r}; the mutants are {', '.join(MUTANTS)}.")
    return MUTANTS[name]
