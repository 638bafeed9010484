"""Friends' ways to take over: wrong answers to 6.1 that a written test (6.2) has to find.

Each looks right as long as the leader crashes when nothing is on its way.  Read them: which moment does each of them forget?

Read also `play.play_scenario` (how a test is played), `checks` (what is asked of your own class).
"""

from typing import Any

from chatsys.teach.labs.lab06.frames import Numbered


class GoesOn:
    """Goes on behind what it holds itself, and lets everything pass."""

    def __init__(self, me: int) -> None:
        self.me, self.term, self.count = me, 0, 0
        self.given: dict[tuple[str, Any], Numbered] = {}

    def admits(self, kind: str, term: int, sender: int) -> bool:
        """Let it pass."""
        return True

    def lead(self, term: int, answers: dict[int, list[Numbered]]) -> list[Numbered]:
        """Go on behind the last message; all have what this node has."""
        self.term, self.count = term, len(answers[self.me])
        return []

    def order(self, author: str, post: int, text: str) -> Numbered:
        """Give the next number, to each post once."""
        key = self.name(author, post, text)
        if key not in self.given:
            self.count += 1
            self.given[key] = Numbered(self.term, self.count, author, post, text)
        return self.given[key]

    def name(self, author: str, post: int, text: str) -> tuple[str, Any]:
        """Return what a message is known by."""
        return author, post


class Longest(GoesOn):
    """Takes the longest answer for the whole truth, and sends it out again."""

    def lead(self, term: int, answers: dict[int, list[Numbered]]) -> list[Numbered]:
        """Send out the longest answer."""
        longest = max(answers.values(), key=len)
        self.term, self.count = term, len(longest)
        return [Numbered(term, one.number, one.author, one.post, one.text) for one in longest]


class Loyal(Longest):
    """Lets pass what comes from the node that led last, as far as it has heard."""

    def __init__(self, me: int) -> None:
        super().__init__(me)
        self.leader = 0

    def admits(self, kind: str, term: int, sender: int) -> bool:
        """Whoever collects leads from now on; others have to wait."""
        if kind == "COLLECT" or self.leader == 0:
            self.leader = sender
        return sender == self.leader


class Reads(Longest):
    """Knows a message again by what it says."""

    def name(self, author: str, post: int, text: str) -> tuple[str, Any]:
        """Return what a message is known by."""
        return author, text


WRONG: dict[str, Any] = {
    "goes on": GoesOn,
    "takes the longest": Longest,
    "is loyal": Loyal,
    "reads the text": Reads,
}
