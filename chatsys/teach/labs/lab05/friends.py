"""Friends' elections: wrong answers to 5.1 that a written test (5.2) has to find.

None of them asks anybody; each looks right as long as nothing goes wrong at a bad moment.  Read them: which moment is that?

Read also `play.play_scenario` (how a test is played), `checks` (what is asked of your own class).
"""

from typing import Any

from chatsys.teach.labs.lab05.orders import Coordinator, Follow, Lead, Send


class Hasty:
    """Who suspects the leader leads, in the next term."""

    def __init__(self, me: int, others: list[int], term: int) -> None:
        self.me, self.others, self.term = me, others, term
        self.leads = False

    def suspect(self) -> list[Any]:
        """Claim the next term at once."""
        self.leads = True
        self.term += self.step()
        return [*(Send(node, Coordinator(self.term)) for node in self.others), Lead(self.term)]

    def step(self) -> int:
        """Return how far the next term is away."""
        return 1

    def receive(self, sender: int, message: Any) -> list[Any]:
        """Follow whoever claims a newer term."""
        if message.term < self.term or (self.leads and message.term == self.term):
            return []
        return self.follow(sender, message.term)

    def follow(self, leader: int, term: int) -> list[Any]:
        """Follow this leader in this term."""
        self.leads, self.term = False, term
        return [Follow(leader, term)]

    def wake(self) -> list[Any]:
        """It never waits."""
        return []


class OnlyTheHighest(Hasty):
    """The highest node leads, and nobody else: so no term can have two leaders."""

    def suspect(self) -> list[Any]:
        """Claim the next term, if no other node is higher."""
        return super().suspect() if self.me > max(self.others) else []


class Proud(Hasty):
    """Adds its own number, so that terms differ more often; who leads does not listen."""

    def step(self) -> int:
        """Return the number of this node."""
        return self.me

    def receive(self, sender: int, message: Any) -> list[Any]:
        """Follow, unless this node leads."""
        return [] if self.leads else super().receive(sender, message)


class Believing(Proud):
    """Adds its own number, too; and believes whoever says that it leads."""

    def receive(self, sender: int, message: Any) -> list[Any]:
        """Follow the newest message, whatever its term is."""
        return self.follow(sender, message.term)


WRONG: dict[str, Any] = {
    "is hasty": Hasty,
    "only the highest leads": OnlyTheHighest,
    "is proud": Proud,
    "trusts everybody": Believing,
}
