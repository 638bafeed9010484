"""Friends' ways to catch up: wrong answers to 8.1 that a written test (8.2) has to find.

Each looks right as long as nobody is away.  Read them: which moment does each of them forget?

Read also `play.play_scenario` (how a test is played), `checks` (what is asked of your own class).
"""

from typing import Any

from chatsys.teach.labs.lab03.stage import Message
from chatsys.teach.labs.lab08.frames import AskFor


class FirstHistory:
    """Takes no notice of what comes live until there is no more history."""

    def __init__(self, last: int, peers: tuple[int, ...], room: int) -> None:
        self.last, self.peers, self.behind = last, peers, True
        self.sent, self.who = -1.0, 0

    def live(self, number: int, message: Message) -> list[Message]:
        """Show it, if history has come to its end."""
        return [] if self.behind else [message]

    def chunk(self, first: int, messages: list[Message], newest: int) -> list[Message]:
        """Show all of it; it is the end if it goes up to the newest."""
        self.last, self.sent = self.last + len(messages), -1.0
        self.behind = self.last < newest
        return messages

    def ask(self, now: float) -> Any:
        """Ask for the next ten, each second of another node."""
        if not self.behind or (self.sent >= 0 and now < self.sent + 1):
            return None
        self.sent, self.who = now, self.who + 1
        return AskFor(self.peers[self.who % 2], self.last + 1, 10)

    def serve(self, log: list[Message], first: int, count: int) -> list[Message]:
        """Look through the whole log."""
        return [one for one in log if one.number >= first][:count]


class JoinsBoth(FirstHistory):
    """Keeps what comes live, and puts it behind the history."""

    def __init__(self, last: int, peers: tuple[int, ...], room: int) -> None:
        super().__init__(last, peers, room)
        self.early: list[Message] = []

    def live(self, number: int, message: Message) -> list[Message]:
        """Keep it for later while history comes."""
        if self.behind:
            self.early.append(message)
        return super().live(number, message)

    def chunk(self, first: int, messages: list[Message], newest: int) -> list[Message]:
        """At the end of history comes what was kept."""
        shown = list(super().chunk(first, messages, newest))
        if not self.behind:
            shown, self.early = shown + self.early, []
        return shown


class BothAtOnce(FirstHistory):
    """Shows whatever comes, as soon as it comes, if it has not shown it yet."""

    def __init__(self, last: int, peers: tuple[int, ...], room: int) -> None:
        super().__init__(last, peers, room)
        self.seen = set(range(1, last + 1))

    def live(self, number: int, message: Message) -> list[Message]:
        """Show it."""
        return self.new([message])

    def chunk(self, first: int, messages: list[Message], newest: int) -> list[Message]:
        """Show what is new of it."""
        super().chunk(first, messages, newest)
        return self.new(messages)

    def new(self, messages: list[Message]) -> list[Message]:
        """Return those that were not shown."""
        found = [one for one in messages if one.number not in self.seen]
        self.seen |= {one.number for one in found}
        return found


class AsksOne(FirstHistory):
    """Goes to the first node of the list, and waits until it answers."""

    def ask(self, now: float) -> Any:
        """Ask the first one."""
        wanted = super().ask(now)
        return wanted and AskFor(self.peers[0], wanted.first, wanted.count)


WRONG: dict[str, Any] = {
    "history first": FirstHistory,
    "joins both": JoinsBoth,
    "both at once": BothAtOnce,
    "asks one": AsksOne,
}
