"""Bugs in promises, quorums and succession: two leaders of one term, or one that knows too little.

Read also `protocol.succession`, which does it right; `fence` (older terms).
"""

from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

import msgspec
from msgspec.structs import replace

from chatsys.actor.actor import Address
from chatsys.actor.effects import Effects
from chatsys.config import ClusterConfig
from chatsys.mutants.bugs.mutant import Mutant, search
from chatsys.protocol.decisions import Lead
from chatsys.protocol.messages import Label
from chatsys.protocol.node import Node
from chatsys.protocol.part import Part
from chatsys.protocol.state import Role
from chatsys.protocol.storage import Promised
from chatsys.protocol.succession import Succession


class ForgetsTerm(Node):
    """Recovers only the log: term and promise begin again at 0."""

    def recover(self, records: Iterable[msgspec.Struct]) -> None:
        """Skip the promises."""
        super().recover(record for record in records if not isinstance(record, Promised))


class ForgetsPromise(Node):
    """Recovers the term, but not whom it was promised to."""

    def recover(self, records: Iterable[msgspec.Struct]) -> None:
        """Forget the name."""
        super().recover(records)
        self.state.promised_to = None


class PromisesWhenFree(Succession):
    """Takes "no name noted" for "nobody asked yet"."""

    def may_promise(self, term: int, nominee: int) -> bool:
        """Promise the own term again, if no name is noted."""
        return super().may_promise(term, nominee) or (term == self.state.term and self.state.promised_to is None)


class VotesTwice(Succession):
    """Promises a term to everyone who asks for it."""

    def may_promise(self, term: int, nominee: int) -> bool:
        """Refuse older terms only."""
        return term >= self.state.term


class HalfIsEnough(Node):
    """Divides by two and forgets the one more."""

    def __init__(
        self, me: Address, config: ClusterConfig, random: Random, parts: Mapping[str, type[Part]] | None = None
    ) -> None:
        super().__init__(me, config, random, parts)
        self.log.members = replace(self.log.members, quorum=max(1, len(config.ids) // 2))


class LeadsUnprepared(Succession):
    """Leads as soon as a quorum promised, with whatever log it has."""

    def _complete(self, now: float) -> Effects:
        return [Lead()]


class AdoptsTheLongest(Succession):
    """Compares logs by length; the term of the last entry does not matter to it."""

    def compared_by(self, last: Label) -> tuple[int, ...]:
        """Compare positions only."""
        return (last.seq,)


class WaitsForEver(Succession):
    """Asks a higher one to take over, and never stops waiting for it."""

    def on_alarm(self, name: Any, now: float) -> Effects:
        """Let the alarm `hand` ring in vain."""
        return [] if name == "hand" else super().on_alarm(name, now)


class ResumesTheLead(Node):
    """Led before the crash, so it leads after it."""

    def start(self, now: float) -> Effects:
        """Take up the old term where it was left."""
        effects = super().start(now)
        state = self.state
        if state.promised_to == state.me:
            state.role = Role.PREPARING
            effects += self._carry_out([Lead()], now)
        return effects


SUCCESSION = (
    Mutant(
        name="promise forgotten on restart",
        story="After a restart the node knows its term, but not to whom it promised it, and promises it again.",
        killers=("S5",),
        parts={"succession": PromisesWhenFree},
        actor=ForgetsPromise,
        directed="Q5",
        seed=30,
    ),
    Mutant(
        name="term forgotten on restart",
        story="Term and promise are kept in memory only, so a restarted node begins again in term 0.",
        killers=("S5", "S6"),
        actor=ForgetsTerm,
        directed="C10",
        seed=1,
    ),
    Mutant(
        name="vote twice",
        story="The node checks that the term is not too old, but not whether it gave its promise for it already.",
        killers=("S5", "S6"),
        parts={"succession": VotesTwice},
        seed=25,
    ),
    Mutant(
        name="quorum n//2",
        story="Half of the nodes counts as a quorum, so two quorums need not share a node.",
        killers=("S8",),
        actor=HalfIsEnough,
        seed=1,
    ),
    Mutant(
        name="lead without SYNC",
        story="A nominee with enough promises leads at once, without fetching what its log lacks.",
        killers=("S8",),
        parts={"succession": LeadsUnprepared},
        seed=1,
    ),
    Mutant(
        name="adopt longest",
        story="The best log is the longest one, although a shorter one may end in a newer term.",
        killers=("S8",),
        plan=search("isolate", "crash"),
        parts={"succession": AdoptsTheLongest},
        seed=33,
    ),
    Mutant(
        name="leadership resumed after restart",
        story="A leader that crashed and came back goes on leading its old term.",
        killers=("S5",),
        actor=ResumesTheLead,
        directed="Q16",
        seed=1,
    ),
    Mutant(
        name="refuses for ever after a lost TRANSFER_LEAD",
        story="A leader that asked a higher node to take over refuses its clients until that happens, if it ever does.",
        killers=("L3",),
        parts={"succession": WaitsForEver},
        directed="Q29",
    ),
)
"""The bugs of this page."""
