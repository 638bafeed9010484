"""What the student's class is asked in lab 08, and what it may return: anything else stops its node with a sentence.

    live(number, message)            -> [Message, ...]
    chunk(first, messages, newest)   -> [Message, ...]
    ask(now)                         -> AskFor, or None
    serve(log, first, count)         -> [Message, ...]

Read also `stage` (who asks), `checks` (whether the answer was right).
"""

from collections.abc import Collection
from typing import Any, Protocol

from chatsys.errors import ToldThere
from chatsys.faults import Testbed
from chatsys.teach.labs.lab03.stage import Message
from chatsys.teach.labs.lab08.frames import AskFor, shown

LISTS = "a list of messages, [] for none"
RETURNS = {
    "live": LISTS,
    "chunk": LISTS,
    "serve": LISTS,
    "ask": "AskFor(to, first, count) with one of the peers, or None",
}
"""What each method returns, in words."""


class CatchesUp(Protocol):
    """What the student writes: `MyCatchUp(last, peers, room)`, one object for each life of a node."""

    def live(self, number: int, message: Message) -> list[Message]:
        """Take in what the leader has just sent; return what may be shown now."""

    def chunk(self, first: int, messages: list[Message], newest: int) -> list[Message]:
        """Take in an answer to a request; return what may be shown now."""

    def ask(self, now: float) -> AskFor | None:
        """Return the request that has to go out now, if there is one."""

    def serve(self, log: list[Message], first: int, count: int) -> list[Message]:
        """Return these messages, as far as the log has them."""


class MakesNoSense(ToldThere):
    """What the class returned makes no sense; the sentence says why."""


def checked_messages(method: str, found: Any) -> list[Message]:
    """Return what `method` returned, if it is a list of messages."""
    if not isinstance(found, list | tuple) or not all(isinstance(one, Message) for one in found):
        raise MakesNoSense(f"{method} returned {shown(found):.60}")
    return list(found)


def checked_request(wanted: Any, peers: Collection[Any]) -> AskFor | None:
    """Return what `ask` returned, if it makes sense."""
    if wanted is None:
        return None
    numbers = isinstance(wanted, AskFor) and all(type(one) is int for one in (wanted.to, wanted.first, wanted.count))
    if not numbers or wanted.to not in peers or not 1 <= wanted.first <= 2**31 or not 1 <= wanted.count <= 2**31:
        raise MakesNoSense(f"ask returned {shown(wanted):.60}")
    checked: AskFor = wanted
    return checked


def why_stopped(why: str) -> str:
    """Return the words for what stopped a node: an error of the class, or an answer that makes no sense."""
    advice = next((said for begin, said in RETURNS.items() if why.startswith(f"{begin} returned")), None)
    return f"your class raised {why}" if advice is None else f"{why}; return {advice}"


def stopped(world: Testbed) -> list[str]:
    """Return a sentence for each node of a world or cluster that stopped because of the student's class."""
    return [f"node {node} stopped, because {why_stopped(why)}" for node, why in world.failures]
