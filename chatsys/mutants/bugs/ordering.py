"""Bugs in numbering, counting copies, and accepting batches.

Read also `protocol.ordering`, which does it right; `catchup` (the other road into the log).
"""

from collections.abc import Sequence
from random import Random
from typing import Any

from msgspec.structs import replace

from chatsys.actor.actor import Address
from chatsys.actor.effects import Effects
from chatsys.config import ClusterConfig
from chatsys.mutants.bugs.mutant import FIVE, Mutant, search
from chatsys.protocol.holdback import HoldBack
from chatsys.protocol.messages import Ack, Entry, Propose
from chatsys.protocol.ordering import Progress, Receiver, Sequencer
from chatsys.protocol.state import NodeState

# --- the leader's side ----------------------------------------------------------------------


class CountsItselfEarly(Sequencer):
    """Counts the own copy as soon as it is in memory."""

    def settle(self, now: float) -> Effects:
        """Do not wait for the own disk."""
        effects = super().settle(now)
        self.own_match = self.log.last_seq if self.state.leads else 0
        return effects


class CountsAcks(Sequencer):
    """Counts ACKs instead of nodes."""

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.heads: list[int] = []

    def lead(self, now: float) -> Effects:
        """Begin to count anew."""
        self.heads = []
        return super().lead(now)

    def on_message(self, sender: Address, message: Any, now: float) -> Effects:
        """Note every ACK by itself."""
        if isinstance(message, Ack) and message.ok and message.match <= self.log.last_seq:
            self.heads = sorted([*self.heads, message.match])[-50:]
        return super().on_message(sender, message, now)

    def held_by_quorum(self) -> int:
        """Take as many ACKs as a quorum has nodes for a quorum."""
        return self.heads[-self.state.members.quorum] if len(self.heads) >= self.state.members.quorum else 0


class OpensTheWindow(Sequencer):
    """Sends the whole window again for every ACK{false}, also while it looks for the point of agreement."""

    def _refused(self, progress: Progress, hint: int) -> None:
        progress.base = max(hint, progress.match)
        progress.next = progress.base + 1
        progress.probing = False


class NoBarrier(Sequencer):
    """Begins a term without an entry of its own."""

    def order(self, drafts: Sequence[Entry], now: float) -> Effects:
        """Number everything but barriers."""
        return [] if drafts[0].kind == "barrier" else super().order(drafts, now)

    def lead(self, now: float) -> Effects:
        """Announce the end of the log as the barrier."""
        effects = super().lead(now)
        self.barrier = self.log.last_seq
        return effects


# --- the follower's side --------------------------------------------------------------------


class NoPrevCheck(Receiver):
    """Takes a batch if the log is long enough; what stands before it does not matter."""

    def agrees(self, batch: Propose) -> bool:
        """Compare nothing."""
        return True


class KeepsTheTail(Receiver):
    """What is in the log already is believed to be the same."""

    def _accept(self, sender: int, batch: Propose) -> Effects:
        last = self.log.last_seq
        same = tuple(self.log.entry(entry.seq) if entry.seq <= last else entry for entry in batch.entries)
        return super()._accept(sender, replace(batch, entries=same))


class CommitsByLast(Receiver):
    """Commits as far as the leader did and the own log reaches, proved or not."""

    def bound(self, leaders: int) -> int:
        """Believe that the whole log is the leader's."""
        self.log.verify_to(self.log.last_seq)
        return super().bound(leaders)


class ComplainsEachTime(Receiver):
    """Refuses every batch that comes early, not one per gap."""

    def may_complain(self, batch: Propose) -> bool:
        """Complain."""
        return True


class _Hoard(HoldBack):
    """Takes in everything and lets nothing go."""

    def has_room(self, batch: Propose) -> bool:
        """Keep it, however much there is."""
        return True

    def _forget(self, batch: Propose) -> None:
        pass

    def clear(self) -> None:
        """Forget nothing."""


class Hoards(Receiver):
    """Its hold-back queue has no bounds and is never emptied."""

    queue_class = _Hoard


ORDERING = (
    Mutant(
        name="own copy counted early",
        story="The leader counts its own copy before its disk holds it.",
        killers=("S8", "S14"),
        plan=search("power", "partition", "slow-disk"),
        parts={"sequencer": CountsItselfEarly},
        directed="Q8",
        seed=10,
    ),
    Mutant(
        name="duplicate ACK counted",
        story="The leader counts ACKs, so one follower that answers twice counts as two.",
        killers=("S8",),
        parts={"sequencer": CountsAcks},
        plan=FIVE,
        directed="Q15",
        seed=22,
    ),
    Mutant(
        name="every ACK{false} re-opens the window",
        story="Each refusal makes the leader send the whole window again, so refusals and batches multiply.",
        killers=("frames",),
        parts={"sequencer": OpensTheWindow, "receiver": ComplainsEachTime},
        directed="Q25",
    ),
    Mutant(
        name="no barrier",
        story="A new leader opens its term without an entry of its own, so nothing older can ever be committed.",
        killers=("L2", "L3"),
        parts={"sequencer": NoBarrier},
        seed=0,
    ),
    Mutant(
        name="no prev check",
        story="A follower appends a batch without checking that the entry before it is the leader's.",
        killers=("S1",),
        plan=search("delay", "isolate"),
        parts={"receiver": NoPrevCheck},
        directed="Q18",
        seed=32,
    ),
    Mutant(
        name="conflicting tail kept",
        story="A follower never removes entries that a newer leader replaced.",
        killers=("S1",),
        parts={"receiver": KeepsTheTail},
        seed=9,
    ),
    Mutant(
        name="commit by own last",
        story="A follower commits up to the end of its own log, although the end may be a dead leader's.",
        killers=("S1",),
        plan=search("isolate", "partition", "leader"),
        parts={"receiver": CommitsByLast},
        directed="Q9",
        seed=12,
    ),
    Mutant(
        name="hold-back unbounded",
        story="The hold-back queue takes in everything and forgets nothing.",
        killers=("L6",),
        parts={"receiver": Hoards},
        seed=0,
    ),
)
"""The bugs of this page."""
