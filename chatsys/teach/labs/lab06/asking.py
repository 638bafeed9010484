"""What the student's class is asked in lab 06, and what it may return: anything else stops its node with a sentence.

    admits(kind, term, sender) -> True or False
    lead(term, answers)        -> [Numbered, ...]
    order(author, post, text)  -> Numbered

Read also `stage` (who asks), `checks` (whether the answer was right).
"""

from typing import Any, Protocol

from chatsys.errors import ToldThere
from chatsys.faults import Testbed
from chatsys.teach.labs.lab06.frames import Numbered, shown

RETURNS = {
    "admits": "True or False",
    "lead": "a list of Numbered with numbers from 1 on, [] for none",
    "order": "one Numbered, whose number is at least 1",
}
"""What each method returns, in words."""


class FailsOver(Protocol):
    """What the student writes: `MyFailOver(me)`, one object at each node."""

    def admits(self, kind: str, term: int, sender: int) -> bool:
        """Tell whether this frame of a leader may pass."""

    def lead(self, term: int, answers: dict[int, list[Numbered]]) -> list[Numbered]:
        """This node leads from now on; return what goes out again."""

    def order(self, author: str, post: int, text: str) -> Numbered:
        """Return this post with its number."""


class Nonsense(ToldThere):
    """What the class returned makes no sense; the sentence says why."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 2**31


def checked_bool(passes: Any) -> bool:
    """Return what `admits` returned, if it makes sense."""
    if not isinstance(passes, bool):
        raise Nonsense(f"admits returned {passes!r:.60}")
    return passes


def checked_list(again: Any) -> list[Numbered]:
    """Return what `lead` returned, if it makes sense."""
    if not isinstance(again, list | tuple) or not all(isinstance(one, Numbered) for one in again):
        raise Nonsense(f"lead returned {shown(again):.60}")
    for one in again:
        if not _is_number(one.number):
            raise Nonsense(f"lead returned [{shown(one):.60}]")
    return list(again)


def checked_one(one: Any) -> Numbered:
    """Return what `order` returned, if it makes sense."""
    if not isinstance(one, Numbered) or not _is_number(one.number):
        raise Nonsense(f"order returned {shown(one):.60}")
    return one


def why_stopped(why: str) -> str:
    """Return the words for what stopped a node: an error of the class, or an answer that makes no sense."""
    advice = next((said for begin, said in RETURNS.items() if why.startswith(f"{begin} returned")), None)
    return f"your class raised {why}" if advice is None else f"{why}; return {advice}"


def stopped(world: Testbed) -> list[str]:
    """Return a sentence for each node of a world or cluster that stopped because of the student's class."""
    return [f"node {node} stopped, because {why_stopped(why)}" for node, why in world.failures]
