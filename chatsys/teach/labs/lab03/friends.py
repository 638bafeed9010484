"""Friends' queues: wrong answers to 3.1 that a written test (3.4) has to find, and a right one that it must not accuse.

Each looks right for a while.  Read them: what must arrive, and in which order, so that it shows?

Read also `play.play_scenario` (how a test is played), `checks` (what is asked of your own queue).
"""

from typing import Any

from chatsys.config import Limits
from chatsys.protocol.holdback import HoldBack
from chatsys.protocol.messages import Entry, Label, Propose
from chatsys.teach.labs.lab03.stage import Message


class AtOnce:
    """Delivers whatever arrives, once."""

    def __init__(self) -> None:
        self.seen: set[int] = set()

    def receive(self, number: int, message: Message) -> list[Message]:
        """Return the message unless it is a copy."""
        if number in self.seen:
            return []
        self.seen.add(number)
        return [message]


class OnlyForward:
    """Never goes back: what is smaller than the last number is refused."""

    def __init__(self) -> None:
        self.last = 0

    def receive(self, number: int, message: Message) -> list[Message]:
        """Return the message if its number is larger than all before it."""
        if number <= self.last:
            return []
        self.last = number
        return [message]


class InThrees:
    """Collects three messages, then delivers them sorted."""

    def __init__(self) -> None:
        self.some: dict[int, Message] = {}

    def receive(self, number: int, message: Message) -> list[Message]:
        """Return three messages at a time."""
        self.some[number] = message
        if len(self.some) < 3:
            return []
        ready = [self.some[each] for each in sorted(self.some)]
        self.some = {}
        return ready


class NoCopies:
    """Takes each text of an author once."""

    def __init__(self) -> None:
        self.heard: set[tuple[str, str]] = set()

    def receive(self, number: int, message: Message) -> list[Message]:
        """Return the message if nobody has heard it before."""
        if (message.author, message.text) in self.heard:
            return []
        self.heard.add((message.author, message.text))
        return [message]


class TheRealOne:
    """The hold-back queue of the real chat, behind the doors of the lab: it is right."""

    def __init__(self) -> None:
        self.queue = HoldBack(Limits())
        self.last = 0
        self.messages: dict[int, Message] = {}

    def receive(self, number: int, message: Message) -> list[Message]:
        """Hold the message back, and return what the queue lets out."""
        if number > self.last:
            self.messages[number] = message
            entry = Entry(number, 1, "chat", author=message.author, text=message.text)
            self.queue.hold(Propose(1, Label(1, number - 1), (entry,), 0))
        released = self.queue.release(self.last)
        entries = released.entries if released is not None else ()
        self.last += len(entries)
        return [self.messages.pop(one.seq) for one in entries]


WRONG: dict[str, Any] = {
    "delivers at once": AtOnce,
    "never goes back": OnlyForward,
    "waits for three": InThrees,
    "each text once": NoCopies,
}
