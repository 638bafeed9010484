"""Bugs in promises, terms and the fence: each lets two leaders decide, or one that knows too little.

Read also `protocol.succession` and `protocol.fence`, which do it right; lab 10.
"""

from collections.abc import Iterable
from random import Random

import msgspec

from chatsys.config import ClusterConfig
from chatsys.protocol.actor import Address
from chatsys.protocol.effects import Append, Effects, Lead, Send, Suspect, Yield
from chatsys.protocol.fence import FENCED, Fence
from chatsys.protocol.messages import (
    Ack,
    CatchupReply,
    Coordinator,
    Heartbeat,
    Label,
    Message,
    Ok,
    Prepare,
    Promise,
    Propose,
)
from chatsys.protocol.node import Node
from chatsys.protocol.standing import Role, Standing
from chatsys.protocol.storage import Promised
from chatsys.protocol.succession import Succession
from chatsys.teach.mutants.mutant import FIVE, Mutant


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
        self.standing.promised_to = None


class PromisesWhenFree(Succession):
    """Takes "no name noted" for "nobody asked yet"."""

    def _promise(self, sender: int, request: Prepare, now: float) -> Effects:
        if request.term == self.standing.term and self.standing.promised_to is None:
            self.standing.promised_to = sender
        return super()._promise(sender, request, now)


class VotesTwice(Succession):
    """Promises a term to everyone who asks for it."""

    def _promise(self, sender: int, request: Prepare, now: float) -> Effects:
        here = self.standing
        if request.term == here.term and here.promised_to not in (None, sender, here.me):
            here.promised_to = sender
            return [Append(Promised(request.term, sender)), *super()._promise(sender, request, now)]
        return super()._promise(sender, request, now)


class HalfIsEnough(Node):
    """Divides by two and forgets the one more."""

    def __init__(
        self, me: Address, config: ClusterConfig, random: Random, parts: dict[str, type] | None = None
    ) -> None:
        super().__init__(me, config, random, parts)
        self.standing.quorum = max(1, len(config.ids) // 2)


class LeadsUnprepared(Succession):
    """Leads as soon as a quorum promised, with whatever log it has."""

    def _complete(self, now: float) -> Effects:
        return [Lead()]


class ClaimsTheTerm(Succession):
    """Enters the next term by itself, and leads with the log it has; no promise is asked for."""

    def stand(self, decision: object, now: float) -> Effects:
        """Claim the lead; nobody is asked."""
        here = self.standing
        here.enter(here.term + 1, promised_to=here.me)
        return [
            here.become(Role.PREPARING, "the highest one claims the lead"),
            Append(Promised(here.term, here.me)),
            Lead(),
        ]


class AdoptsTheLongest(Succession):
    """Compares logs by length; the term of the last entry does not matter to it."""

    def _complete(self, now: float) -> Effects:
        lengths = {node: Label(0, label.seq) for node, label in self.promises.items()}
        source = max(lengths, key=lambda node: (lengths[node], node))
        if lengths[source].seq <= self.log.last_seq:
            return [Lead()]
        return super()._complete(now)


class AnyReplySucceeds(Succession):
    """Takes whatever sync reply comes, of any round, and leads when that reply is complete in itself."""

    def __init__(self, standing: Standing, config: ClusterConfig, random: Random) -> None:
        super().__init__(standing, config, random)
        self.fence = _LetsThrough(standing, CatchupReply)

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Look at neither nonce nor term nor sender."""
        if isinstance(message, CatchupReply) and message.purpose == "sync" and self.standing.role is Role.SYNCING:
            if not message.more and self.log.holds(message.prev):
                return [*self.log.splice(message.entries), Lead()]
            return []
        return super().on_message(sender, message, now)


class _LetsThrough(Fence):
    """A fence with a hole: frames of one kind pass whatever their term is."""

    def __init__(self, standing: Standing, kind: type[Message]) -> None:
        super().__init__(standing)
        self.kind = kind

    def check(self, sender: int, message: msgspec.Struct) -> tuple[Effects, bool]:
        """Let the one kind pass when it is older than this node's term."""
        if isinstance(message, self.kind) and message.term < self.standing.term:  # type: ignore[attr-defined]
            return [], True
        return super().check(sender, message)


class _FollowsBack(Fence):
    """Follows whoever says COORDINATOR, whatever the term."""

    def check(self, sender: int, message: msgspec.Struct) -> tuple[Effects, bool]:
        """Go back to the older term."""
        here = self.standing
        if isinstance(message, Coordinator) and message.term < here.term:
            here.enter(message.term, promised_to=sender, leader=sender)
            return [Append(Promised(message.term, sender)), Yield("a coordinator said so", leader=sender)], True
        return super().check(sender, message)


class _NoFence(_LetsThrough):
    """Lets everything from any leader of any time pass."""

    def check(self, sender: int, message: msgspec.Struct) -> tuple[Effects, bool]:
        """Look at no term at all, if it is an older one."""
        if isinstance(message, (Coordinator, Heartbeat, Propose)) and message.term < self.standing.term:
            self.standing.set_leader(sender)
            return [Yield(f"node {sender} says it leads", leader=sender)], True
        return super().check(sender, message)


class _FencesOk(Fence):
    """Treats OK like everything else: the wrong term, so away with it."""

    def check(self, sender: int, message: msgspec.Struct) -> tuple[Effects, bool]:
        """Drop OK of another term."""
        if isinstance(message, Ok) and message.term != self.standing.term:
            return [], False
        return super().check(sender, message)


class _StaleBeats(Fence):
    """Takes any heartbeat of the leader for a sign of life, however old."""

    def check(self, sender: int, message: msgspec.Struct) -> tuple[Effects, bool]:
        """Forget the number of the last one."""
        self.standing.heard = 0
        return super().check(sender, message)


class LowerPropose(Succession):
    """Its fence lets PROPOSE of an older term pass."""

    def __init__(self, standing: Standing, config: ClusterConfig, random: Random) -> None:
        super().__init__(standing, config, random)
        self.fence = _LetsThrough(standing, Propose)


class StaleAck(Succession):
    """Its fence lets ACK of an older term pass."""

    def __init__(self, standing: Standing, config: ClusterConfig, random: Random) -> None:
        super().__init__(standing, config, random)
        self.fence = _LetsThrough(standing, Ack)


class OlderCoordinator(Succession):
    """Its fence follows a COORDINATOR of an older term."""

    def __init__(self, standing: Standing, config: ClusterConfig, random: Random) -> None:
        super().__init__(standing, config, random)
        self.fence = _FollowsBack(standing)


class NoFence(Succession):
    """It has no fence against leaders of older terms."""

    def __init__(self, standing: Standing, config: ClusterConfig, random: Random) -> None:
        super().__init__(standing, config, random)
        self.fence = _NoFence(standing, Propose)


class FencedOk(Succession):
    """Its fence drops OK of other terms."""

    def __init__(self, standing: Standing, config: ClusterConfig, random: Random) -> None:
        super().__init__(standing, config, random)
        self.fence = _FencesOk(standing)


class StaleBeats(Succession):
    """Its fence does not look at the number of a heartbeat."""

    def __init__(self, standing: Standing, config: ClusterConfig, random: Random) -> None:
        super().__init__(standing, config, random)
        self.fence = _StaleBeats(standing)


class WaitsForEver(Succession):
    """Asks a higher one to take over, and never stops waiting for it."""

    def on_alarm(self, name: object, now: float) -> Effects:
        """Let the alarm `hand` ring in vain."""
        return [] if name == "hand" else super().on_alarm(name, now)


class ResumesTheLead(Node):
    """Led before the crash, so it leads after it."""

    def start(self, now: float) -> Effects:
        """Take up the old term where it was left."""
        effects = super().start(now)
        here = self.standing
        if here.promised_to == here.me:
            here.role = Role.PREPARING
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
    ),
    Mutant(
        name="term forgotten on restart",
        story="Term and promise are kept in memory only, so a restarted node begins again in term 0.",
        killers=("S5", "S6"),
        actor=ForgetsTerm,
        directed="C10",
    ),
    Mutant(
        name="vote twice",
        story="The node checks that the term is not too old, but not whether it gave its promise for it already.",
        killers=("S5", "S6"),
        parts={"succession": VotesTwice},
    ),
    Mutant(
        name="quorum n//2",
        story="Half of the nodes counts as a quorum, so two quorums need not share a node.",
        killers=("S8",),
        actor=HalfIsEnough,
    ),
    Mutant(
        name="lead without SYNC",
        story="A nominee with enough promises leads at once, without fetching what its log lacks.",
        killers=("S8",),
        parts={"succession": LeadsUnprepared},
        directed="C4",
    ),
    Mutant(
        name="adopt longest",
        story="The best log is the longest one, although a shorter one may end in a newer term.",
        killers=("S8",),
        parts={"succession": AdoptsTheLongest},
    ),
    Mutant(
        name="stale ACK counted",
        story="An ACK is counted whatever its term; what it confirmed may have been replaced since.",
        killers=("S8",),
        parts={"succession": StaleAck},
        directed="Q2",
    ),
    Mutant(
        name="lower-term PROPOSE accepted",
        story="A deposed leader's PROPOSE is written into the log like any other.",
        killers=("S1", "S13"),
        parts={"succession": LowerPropose},
        directed="Q11",
    ),
    Mutant(
        name="COORDINATOR of an older term accepted",
        story="Whoever says COORDINATOR is followed, even if a newer term has begun.",
        killers=("S6",),
        parts={"succession": OlderCoordinator},
        directed="C5",
    ),
    Mutant(
        name="no fence",
        story="Frames of any leader of any time are taken as if they came from the present one.",
        killers=("S1", "S13", "S8"),
        parts={"succession": NoFence},
        directed="C5",
    ),
    Mutant(
        name="leadership resumed after restart",
        story="A leader that crashed and came back goes on leading its old term.",
        killers=("S5",),
        actor=ResumesTheLead,
        directed="Q16",
    ),
    Mutant(
        name="sync reply without nonce",
        story="While syncing, any sync reply is taken for the answer, also one to an earlier round.",
        killers=("S8",),
        parts={"succession": AnyReplySucceeds},
        directed="Q10",
    ),
    Mutant(
        name="lower-term OK dropped by the fence",
        story="OK stands behind the fence too, so a node whose term ran ahead never finds support again.",
        killers=("L1", "L2"),
        parts={"succession": FencedOk},
    ),
    Mutant(
        name="old heartbeat counts",
        story="A heartbeat counts as a sign of life whatever its number, so a replayed one revives a dead leader.",
        killers=("L1",),
        parts={"succession": StaleBeats},
        directed="C11",
    ),
    Mutant(
        name="refuses for ever after a lost STEPDOWN",
        story="A leader that asked a higher node to take over refuses its clients until that happens, if it ever does.",
        killers=("L3",),
        parts={"succession": WaitsForEver},
    ),
)
"""The bugs of this page."""

_ = (FIVE, FENCED, Promise, Send, Suspect)
