"""Friends' ways to commit: wrong answers to 10.1 that a written test (10.3) has to find.

Each works as long as no link is cut and no node is down.  Read them: whom does each of them ask, and whom does it wait for?

Read also `play.play_scenario` (how a test is played), `checks` (what is asked of your own class).
"""

from typing import Any

from chatsys.teach.labs.lab10.words import LogEnd, Vote


class Alone:
    """The leader is in charge: what it has written down counts."""

    def __init__(self, me: int, nodes: list[int], term: int) -> None:
        self.me, self.many, self.term, self.done = me, len(nodes), term, 0
        self.reached: dict[int, int] = {}

    def ack(self, node: int, seq: int, term: int, terms: list[int]) -> int:
        """Note who has what, then decide."""
        if term == self.term:
            self.reached[node] = max(seq, self.reached.get(node, 0))
        self.done = max(
            [self.done, *(at for at in range(1, len(terms) + 1) if terms[at - 1] == self.term and self.enough(at))]
        )
        return self.done

    def enough(self, seq: int) -> bool:
        """Tell whether enough nodes have this entry."""
        return self.reached.get(self.me, 0) >= seq

    def count(self, seq: int) -> int:
        """Return how many nodes have this entry."""
        return len([one for one in self.reached.values() if one >= seq])


class EvenHalf(Alone):
    """Half of the nodes is as good as the other half."""

    def enough(self, seq: int) -> bool:
        """Tell whether enough nodes have this entry."""
        return self.count(seq) >= self.many / 2


class Everybody(Alone):
    """Safe is safe: all must have it."""

    def enough(self, seq: int) -> bool:
        """Tell whether enough nodes have this entry."""
        return self.count(seq) == self.many


class CountsThemAll(Alone):
    """Counts answers: three of them are a majority of four."""

    def __init__(self, me: int, nodes: list[int], term: int) -> None:
        super().__init__(me, nodes, term)
        self.answers = 0

    def ack(self, node: int, seq: int, term: int, terms: list[int]) -> int:
        """Count one more."""
        self.answers += 1
        return super().ack(node, seq, term, terms)

    def enough(self, seq: int) -> bool:
        """Tell whether enough answers came, since this node leads."""
        return self.count(seq) > 0 and self.answers > self.many // 2


class LooksAtTheTerm:
    """A friend's vote: whoever asks first in a term gets it, whatever its log is like."""

    def __init__(self, kept: dict[str, int] | None) -> None:
        self.given = dict(kept or {"in": 0, "whom": 0})

    def ask(self, term: int, candidate: int, last: LogEnd, own: LogEnd) -> Vote:
        """Look at the term only."""
        first = term > self.given["in"]
        if first:
            self.given = {"in": term, "whom": candidate}
        return Vote(first or self.given == {"in": term, "whom": candidate}, dict(self.given))


WRONG: dict[str, Any] = {
    "is in charge": Alone,
    "takes half": EvenHalf,
    "asks everybody": Everybody,
    "counts answers": CountsThemAll,
}
