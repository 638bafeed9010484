"""Bugs that keep a debt across a change of leader: what was owed to one leader, or gathered as one, is paid to the next.

    what is kept                    from                      paid to
    promises                        an attempt that is over   the next attempt
    an ACK that is owed             one leader's batch        the next leader
    how far the followers agree     one leadership            the next one of the same node
    how far the own disk is         one leadership            the next one of the same node
    what is proved equal            one leader's log          the next leader's

Read also `protocol.node` (`lead` and `follow`, by which each part lets go), `open` (the hold-back queue).
"""

from random import Random

from chatsys.actor.effects import Effects
from chatsys.config import ClusterConfig
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.protocol.decisions import Stand, Yield
from chatsys.protocol.ordering import Receiver, Sequencer
from chatsys.protocol.state import NodeState
from chatsys.protocol.succession import Succession


class KeepsPromises(Succession):
    """Goes on counting where the last attempt ended."""

    def stand(self, decision: Stand, now: float) -> Effects:
        """Ask anew, and keep what was answered before."""
        kept = self.promises
        effects = super().stand(decision, now)
        self.promises = kept
        return effects


class OwesTheNext(Receiver):
    """Confirms to the next leader what the last one sent."""

    def follow(self, now: float, decision: Yield) -> Effects:
        """Keep what is owed."""
        owed = self.owed
        effects = super().follow(now, decision)
        self.owed = owed
        return effects


class KeepsMatches(Sequencer):
    """Believes that followers still hold what they confirmed when it led before."""

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.kept: dict[int, int] = {}

    def lead(self, now: float) -> Effects:
        """Begin with what was known."""
        effects = super().lead(now)
        for peer, match in self.kept.items():
            self.progress[peer].match = match
        return effects

    def follow(self, now: float, decision: Yield) -> Effects:
        """Keep the counts."""
        self.kept |= {peer: progress.match for peer, progress in self.progress.items()}
        return super().follow(now, decision)

    def held_by_quorum(self) -> int:
        """Stay within the log."""
        return min(super().held_by_quorum(), self.log.last_seq)


class KeepsOwnMatch(Sequencer):
    """Believes that its disk still holds what it held when it led before."""

    def lead(self, now: float) -> Effects:
        """Begin with the own copy."""
        kept = self.own_match
        effects = super().lead(now)
        self.own_match = kept
        return effects

    def held_by_quorum(self) -> int:
        """Stay within the log."""
        return min(super().held_by_quorum(), self.log.last_seq)


class KeepsVerified(Receiver):
    """Believes what was proved equal to any leader's log to equal this one's."""

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.proved = 0

    def bound(self, leaders: int) -> int:
        """Go by the farthest that ever was proved."""
        self.proved = max(self.proved, self.log.verified)
        self.log.verify_to(min(self.proved, self.log.last_seq))
        return super().bound(leaders)


DEBTS = (
    Mutant(
        name="promises kept across attempts",
        story="A nominee counts the promises of its last attempt together with those of the present one.",
        killers=("S5", "S8"),
        parts={"succession": KeepsPromises},
        directed="Q53",
        seed=52,
    ),
    Mutant(
        name="owed ACK kept across leaders",
        story="The ACK that a follower owes one leader is sent to the next one, who counts it as a copy of its own entries.",
        killers=("S8", "S1"),
        parts={"receiver": OwesTheNext},
        directed="Q58",
    ),
    Mutant(
        name="matches kept across leaderships",
        story="A leader that leads again begins with what its followers confirmed the last time.",
        killers=("S8", "S1"),
        parts={"sequencer": KeepsMatches},
        directed="Q59",
    ),
    Mutant(
        name="own match kept across leaderships",
        story="A leader that leads again counts on its disk what was there the last time.",
        killers=("S8",),
        parts={"sequencer": KeepsOwnMatch},
        directed="Q60",
    ),
    Mutant(
        name="verified kept across leaders",
        story="What was proved equal to one leader's log counts as proved for the next.",
        killers=("S1",),
        parts={"receiver": KeepsVerified},
        directed="Q61",
    ),
)
"""The bugs of this page."""
