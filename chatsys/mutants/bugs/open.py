"""The open bugs: those that the notebooks play, and that students read.

The others are what lab 11 asks for, so a student's bundle has this page and none beside it (`mutants.closed`).

Read also the pages of `protocol` that do it right: `succession`, `election`, `failure`, `fence`, `ordering`, `catchup`,
`sessions`, `storage`.
"""

from typing import Any, ClassVar

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Append, Effects, Note
from chatsys.actor.outbox import Outbox
from chatsys.mutants.bugs.mutant import FIVE, Mutant
from chatsys.protocol.catchup import CatchUp
from chatsys.protocol.decisions import Lead, Stand, Suspect, Yield
from chatsys.protocol.election import Bully
from chatsys.protocol.failure import Detector
from chatsys.protocol.fence import Fence
from chatsys.protocol.messages import Ack, Entry, Submit
from chatsys.protocol.node import Node
from chatsys.protocol.ordering import Receiver, Sequencer
from chatsys.protocol.session_table import SessionTable
from chatsys.protocol.sessions import Sessions
from chatsys.protocol.state import Role
from chatsys.protocol.storage import Promised
from chatsys.protocol.succession import Succession


class ClaimsTheTerm(Succession):
    """Enters the next term by itself, and leads with the log it has; no promise is asked for."""

    def stand(self, decision: Stand, now: float) -> Effects:
        """Claim the lead; nobody is asked."""
        state = self.state
        state.enter(state.term + 1, promised_to=state.me)
        return [
            state.become(Role.PREPARING, "the highest one claims the lead"),
            Append(Promised(state.term, state.me)),
            Lead(),
        ]


class NoTrust(Detector):
    """Helps anybody to depose a leader that it hears perfectly well."""

    def settle(self, now: float) -> Effects:
        """Never trust."""
        self.state.trust = False
        return super().settle(now)


class ClaimsTheLead(Bully):
    """Garcia-Molina to the letter: the highest id that is up is the coordinator, and says so."""

    def nominate(self, suspicion: Suspect, now: float) -> Effects:
        """Ask nobody if there is nobody above."""
        effects = super().nominate(suspicion, now)
        if not effects or self.state.members.outranking:
            return effects
        return [effect for effect in effects if isinstance(effect, Note)] + [Stand()]


class NeverRetires(Detector):
    """Leads on, whoever answers."""

    def _unanswered(self) -> int:
        return 0


class Hole(Fence):
    """Lets frames of one kind pass although their term is over."""

    kind: ClassVar[Any] = ()

    def check(self, sender: int, message: msgspec.Struct) -> tuple[Effects, bool]:
        """Look at the term of everything else."""
        if isinstance(message, self.kind) and message.term < self.state.term:
            return [], True
        return super().check(sender, message)


class StaleAck(Hole):
    """Lets confirmations of an older term pass."""

    kind = Ack


class CommitsOldTerms(Sequencer):
    """Counts copies of any entry; its term does not matter."""

    def may_commit(self, seq: int) -> bool:
        """Ask for no term."""
        return True


class KeepsEarlyBatches(Receiver):
    """Holds early batches across leaders, and lets them out past the fence."""

    def _release(self, sender: int) -> Effects:
        early = self.early.release(self.log.last_seq)
        return [] if early is None else self._accept(sender, early)

    def follow(self, now: float, decision: Yield) -> Effects:
        """Keep what is held."""
        self.owed, self.complained = None, -1
        return []


class NoRelay(CatchUp):
    """Asks nobody but the leader."""

    def _ask_relay(self, peer: int) -> Effects:
        return []


class EmptyTable(SessionTable):
    """Knows every client and finds everything new."""

    def apply(self, entry: Entry) -> str:
        """Look up nothing."""
        return "new"


class NoDedup(Sessions):
    """Numbers every SUBMIT, repeated or not."""

    table_class = EmptyTable

    def _admit(self, sender: Address, submit: Submit) -> Effects:
        return self.number(sender, (submit,))


class _HastyAcks(Outbox):
    def admit(self, to: Address, message: msgspec.Struct) -> bool:
        """Let ACKs go at once."""
        return isinstance(message, Ack) or super().admit(to, message)


class AcksInMemory(Node):
    """Says that it holds what its disk does not hold yet."""

    outbox: ClassVar[type[Outbox]] = _HastyAcks


OPEN = (
    Mutant(
        name="claims the lead at start",
        story="As in the book's Bully, the highest node claims the lead; nobody is asked to promise anything.",
        killers=("S5", "S8", "S1"),
        parts={"election": ClaimsTheLead, "succession": ClaimsTheTerm},
        directed="C4",
        seed=3,
    ),
    Mutant(
        name="no trust",
        story="A node supports whoever asks, also while it hears its leader, so one bad link deposes leader after leader.",
        killers=("L1", "L4"),
        parts={"failure": NoTrust},
        directed="Q22",
    ),
    Mutant(
        name="no session dedup",
        story="A message that is sent again gets a second number, and is delivered twice.",
        killers=("S4",),
        parts={"sessions": NoDedup},
        directed="C7",
        seed=0,
    ),
    Mutant(
        name="ACK before fsync",
        story="The follower confirms a batch before its disk holds it; a crash loses what was counted as a copy.",
        killers=("S8", "S14"),
        actor=AcksInMemory,
        directed="Q7",
        seed=0,
    ),
    Mutant(
        name="old-term commit",
        story="A leader commits entries of older terms by counting copies, without an entry of its own term on top.",
        killers=("S8",),
        parts={"sequencer": CommitsOldTerms},
        plan=FIVE,
        directed="Q1",
    ),
    Mutant(
        name="hold-back kept across terms",
        story="Batches that an old leader sent early are let into the log under the next leader, past the fence.",
        killers=("S1",),
        parts={"receiver": KeepsEarlyBatches},
        directed="Q23",
    ),
    Mutant(
        name="no relay",
        story="A node that cannot hear the leader asks nobody else, and stays behind.",
        killers=("L2",),
        parts={"catchup": NoRelay},
        directed="Q21",
    ),
    Mutant(
        name="no check-quorum",
        story="A leader that no quorum answers goes on leading, and whoever hears it waits for ever.",
        killers=("L3",),
        parts={"failure": NeverRetires},
        directed="Q26",
    ),
    Mutant(
        name="stale ACK counted",
        story="An ACK is counted whatever its term; what it confirmed may have been replaced since.",
        killers=("S8",),
        parts={"fence": StaleAck},
        directed="Q2",
    ),
)
"""The bugs of this page."""
