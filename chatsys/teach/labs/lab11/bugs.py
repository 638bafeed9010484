"""The five bugs of lab 11 that students read, and the chat without one.

    BUGS["only the living count"]     a Mutant: its story, and the parts of a node with one method done wrong
    RIGHT                             the chat as it is

Each breaks another one of the five invariants.  Read their code: to know what is wrong is half of an attack.  The other
bugs of the package are what your tests meet when you hand in; they are not on your machine.

Read also `board` (where they are attacked), `mutants.bugs.open` (three of the five), the pages of `protocol` that do it right.
"""

from random import Random
from typing import Any

from chatsys.actor.actor import Address
from chatsys.actor.effects import Deliver, Effects
from chatsys.config import ClusterConfig
from chatsys.errors import UsageError
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.mutants.bugs.open import OPEN
from chatsys.protocol.ordering import Sequencer
from chatsys.protocol.sessions import Sessions
from chatsys.protocol.state import NodeState


class OnlyTheLivingCount(Sequencer):
    """Does not wait for a node that has not answered: it takes a majority of those that do."""

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.silent: set[int] = set()

    def on_alarm(self, name: Any, now: float) -> Effects:
        """Nobody answers there: go on without it."""
        self.silent.add(name)
        return super().on_alarm(name, now) + self._commit()

    def on_message(self, sender: Address, message: Any, now: float) -> Effects:
        """Whoever answers counts again."""
        self.silent.discard(sender)
        return super().on_message(sender, message, now)

    def held_by_quorum(self) -> int:
        """Leave out the silent ones."""
        heard = [one.match for peer, one in self.progress.items() if peer not in self.silent]
        held = sorted([self.own_match, *heard], reverse=True)
        return held[len(held) // 2]


class ShowsOnlyTheNewest(Sessions):
    """Shows the newest message only, if several have become due at once: nobody reads that fast."""

    def deliver(self, now: float) -> Effects:
        """Skip the others."""
        return [Deliver(*one.items[-1:]) if isinstance(one, Deliver) else one for one in super().deliver(now)]


_OWN = (
    Mutant(
        name="only the living count",
        story="A leader waits for a majority of the nodes that it can reach, so a lonely one waits for nobody.",
        killers=("S1",),
        parts={"sequencer": OnlyTheLivingCount},
    ),
    Mutant(
        name="shows only the newest",
        story="A node that is several messages behind shows the newest one only.",
        killers=("S3",),
        parts={"sessions": ShowsOnlyTheNewest},
    ),
)
_TAKEN = ("no session dedup", "ACK before fsync", "claims the lead at start")

BUGS: dict[str, Mutant] = {one.name: one for one in (*_OWN, *(bug for bug in OPEN if bug.name in _TAKEN))}
"""The five bugs by their names."""


TARGETS = {
    "duplicate": "no session dedup",
    "kept": "ACK before fsync",
    "leaders": "claims the lead at start",
}
"""What each method of MyAttacks has to break, and in which bug."""


class RightChat(Mutant):
    """A chat without a bug that we know of, with a name as a class has it."""

    @property
    def __name__(self) -> str:
        """Its name, as a sentence about a written test says it."""
        return self.name


RIGHT = RightChat(name="the chat as it is", story="No bug is known in it.", killers=())


def bug_named(name: str) -> Mutant:
    """Return an open bug by its name, or the chat as it is; raises `UsageError` for another name."""
    every = {**BUGS, RIGHT.name: RIGHT}
    if name not in every:
        raise UsageError(f"There is no bug {name!r:.60} on your machine; there are {', '.join(map(repr, every))}.")
    return every[name]
