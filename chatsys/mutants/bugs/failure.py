"""Bugs in suspicion, deference, the lease, and the waits of clients: safe, and yet nobody is served.

Read also `protocol.failure`, `protocol.election` and `protocol.client`, which do it right.
"""

from collections.abc import Set
from random import Random
from typing import Any

from chatsys.actor.actor import Address
from chatsys.actor.effects import Effects
from chatsys.config import ClusterConfig
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.protocol.client import Client
from chatsys.protocol.decisions import Yield
from chatsys.protocol.departure import Departure
from chatsys.protocol.election import Bully
from chatsys.protocol.failure import Detector
from chatsys.protocol.patience import Patience
from chatsys.protocol.succession import Succession


class DefersForEver(Bully):
    """Stands back whenever a higher node answers, however often that node failed to lead."""

    def _count(self, now: float) -> Effects:
        self.may_defer = True
        return super()._count(now)


class SleepsWell(Detector):
    """Wakes up from a pause and serves its queue as the leader that it was."""

    def wake(self, late: float) -> Effects:
        """Take no notice of the time that went by."""
        return []


class KeepsTheLead(Detector):
    """Leads on with a full disk, and turns everybody away."""

    def heirs(self) -> tuple[int, ...]:
        """Look for higher nodes only."""
        return self.state.members.outranking if self.config.take_back else ()


class AsksWhoIsLow(Detector):
    """Hands the lead to the highest one that has caught up, whether its disk has room or not."""

    def has_room(self, member: int) -> bool:
        """Ask nobody about his disk."""
        return True


class TakesAnyLead(Succession):
    """Takes the lead whenever it is offered."""

    def may_take_over(self) -> bool:
        """Think of no disk."""
        return True


class GrowsPatient(Patience):
    """Grows patient with every node because one is silent, and avoids nobody."""

    def heard_nothing(self, node: int, choice: Set[int], now: float) -> None:
        """Count one more failure."""
        self.failures += 1

    def wait(self) -> float:
        """Wait for the longer, the more tries have failed."""
        wait = min(self.timing.client_retry * 2 ** min(self.failures, 8), self.timing.client_retry_max)
        return float(wait) * self.random.uniform(1.0, 1.25)


class WaitsForTheDead(Client):
    """Lets the wait for one node go on while it plans to ask another, and so goes back to the silent one."""

    def __init__(self, me: Address, config: ClusterConfig, random: Random, **rest: Any) -> None:
        super().__init__(me, config, random, **rest)
        self.patience = GrowsPatient(config.timing, random)

    def _again(self, now: float, elsewhere: bool) -> None:
        waits = self.alarms.dates.get("retry")
        super()._again(now, elsewhere)
        if waits is not None:
            self.alarms.set("retry", waits)


class LeavesWithoutAWord(Departure):
    """Stops at once when it is told to, whatever it leads."""

    def _ask_around(self, now: float) -> Effects:
        self.over = True
        return []


class ForgetsThatItLeaves(Departure):
    """Is a node like any other once the lead is given away, for as long as its process is there."""

    def follow(self, now: float, decision: Yield) -> Effects:
        """Stand down no more."""
        self.state.leaving = False
        return super().follow(now, decision)


FAILURE = (
    Mutant(
        name="a low leader keeps the lead",
        story="A leader whose disk is almost full turns all clients away, and hands over to nobody, though others have room.",
        killers=("L3",),
        parts={"failure": KeepsTheLead},
        directed="Q30",
    ),
    Mutant(
        name="low is handed the lead",
        story="A leader hands over to a higher node whose disk is almost full, which gives the lead back at once.",
        killers=("L4",),
        parts={"failure": AsksWhoIsLow, "succession": TakesAnyLead},
        directed="Q31",
    ),
    Mutant(
        name="waits for the dead node",
        story="A client that was told to ask again asks the node that is silent, and waits for it ever longer.",
        killers=("L3",),
        client=WaitsForTheDead,
        directed="Q32",
    ),
    Mutant(
        name="leaves without a word",
        story="A leader that is told to stop stops at once, and the others have to find out that it is gone.",
        killers=("L7",),
        parts={"departure": LeavesWithoutAWord},
        directed="Q41",
    ),
    Mutant(
        name="takes the lead back on the way out",
        story="A node that has handed the lead over says that it has room, and is asked to take it back before it is gone.",
        killers=("L7",),
        parts={"departure": ForgetsThatItLeaves},
        directed="Q42",
    ),
    Mutant(
        name="unbounded deference",
        story="A node stands back for a higher one again and again, although that one cannot lead.",
        killers=("L1",),
        parts={"election": DefersForEver},
        directed="Q27",
    ),
    Mutant(
        name="no wake check",
        story="A leader that slept does not notice, and serves what waited as if no time had passed.",
        killers=("S7", "S1"),
        parts={"failure": SleepsWell},
        directed="C6",
    ),
)
"""The bugs of this page."""
