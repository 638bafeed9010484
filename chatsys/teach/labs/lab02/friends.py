"""Friends' queues: wrong answers to 2.4 that a written test (2.6) has to find.

Each shows every line in the end, in many runs even in a good order.  Read them: what does each not look at?

Read also `play.play_scenario` (how a test is played), `queues` (what is asked of your own class).
"""

from typing import Any


class Impatient:
    """Shows whatever comes, at once."""

    def __init__(self, me: int, nodes: list[int]) -> None:
        self.me, self.shown, self.waiting = me, dict.fromkeys(nodes, 0), list[Any]()

    def stamp(self) -> dict[int, int]:
        """Count my own line."""
        self.shown[self.me] += 1
        return dict(self.shown)

    def receive(self, sender: int, stamp: dict[int, int], message: Any) -> list[Any]:
        """Show it."""
        self.shown[sender] += 1
        return [message]


class EachInOrder(Impatient):
    """Shows the lines of each sender in the order in which they were said, and looks at nothing else."""

    def receive(self, sender: int, stamp: dict[int, int], message: Any) -> list[Any]:
        """Wait for the earlier lines of the same sender."""
        self.waiting.append((sender, stamp, message))
        ready: list[Any] = []
        while found := [one for one in self.waiting if one[1][one[0]] == self.shown[one[0]] + 1]:
            self.waiting.remove(found[0])
            self.shown[found[0][0]] += 1
            ready.append(found[0][2])
        return ready


class BothPresent(Impatient):
    """Waits until a line of every other node is there, and shows the one with the smallest sum first."""

    def receive(self, sender: int, stamp: dict[int, int], message: Any) -> list[Any]:
        """Wait for everybody."""
        self.waiting.append((sum(stamp.values()), sender, message))
        ready: list[Any] = []
        while len({one[1] for one in self.waiting}) == len(self.shown) - 1:
            first = min(self.waiting, key=lambda one: one[:2])
            self.waiting.remove(first)
            self.shown[first[1]] += 1
            ready.append(first[2])
        return ready


class SameKnowledge(Impatient):
    """Waits until it has been shown exactly what the sender had been shown, no more and no less."""

    def receive(self, sender: int, stamp: dict[int, int], message: Any) -> list[Any]:
        """Wait for equal counts."""
        self.waiting.append((sender, stamp, message))
        ready: list[Any] = []
        while found := [one for one in self.waiting if one[1] == {**self.shown, one[0]: self.shown[one[0]] + 1}]:
            self.waiting.remove(found[0])
            self.shown[found[0][0]] += 1
            ready.append(found[0][2])
        return ready


WRONG: dict[str, Any] = {
    "is impatient": Impatient,
    "keeps each sender in order": EachInOrder,
    "waits for everybody": BothPresent,
    "waits for equal knowledge": SameKnowledge,
}
