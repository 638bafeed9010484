"""Bugs in single cells of the fence's table: one message, of an older or a newer term, is treated in another way.

    cell                        in its place           what breaks
    PROMISE ok, older           counted                two leaders of one term
    PREPARE, older              promised               a term goes back
    HEARTBEAT, older            its term is entered    a term goes back
    HEARTBEAT, newer            passes, as it is       what is committed by one leader is taken from another one's log
    PROPOSE, newer              passes, as it is       an ACK of its entries reaches the leader before it
    a leader's frame, newer     entered in memory      a restart takes the term back, and with it the refusal of older ones
    a relay's chunk, newer      passes, as it is       an older leader's late batch voids what is committed

The other cells on which safety hangs have their mutants on the pages `open` (ACK) and `fence` (PROPOSE, COORDINATOR).

Read also `protocol.fence` (the table, and which cells are for speed or only habit), `fence` (its other bugs).
"""

from typing import Any, ClassVar

import msgspec

from chatsys.actor.effects import Append, Effects
from chatsys.mutants.bugs.mutant import FIVE, Mutant, search
from chatsys.mutants.bugs.open import Hole
from chatsys.protocol.catchup import CatchUp
from chatsys.protocol.decisions import Yield
from chatsys.protocol.fence import Fence
from chatsys.protocol.messages import CatchupReply, Heartbeat, Promise, Propose
from chatsys.protocol.storage import Promised
from chatsys.protocol.succession import Succession


class LatePromise(Hole):
    """Lets promises of an older term pass."""

    kind = Promise


class PromisesOldTerms(Succession):
    """Asks only whether it promised this very term to somebody else."""

    def may_promise(self, term: int, nominee: int) -> bool:
        """Take an older term for a free one."""
        return term != self.state.term or super().may_promise(term, nominee)


class OlderBeat(Fence):
    """Follows whoever beats."""

    def check(self, sender: int, message: msgspec.Struct) -> tuple[Effects, bool]:
        """Enter the term of any heartbeat."""
        state = self.state
        if isinstance(message, Heartbeat) and message.term < state.term:
            state.enter(message.term, promised_to=sender, leader=sender)
            return [Append(Promised(message.term, sender)), Yield("a heartbeat said so", leader=sender)], True
        return super().check(sender, message)


class Unraised(Fence):
    """Lets frames of one kind pass although their term has not begun here."""

    kind: ClassVar[Any] = ()

    def check(self, sender: int, message: msgspec.Struct) -> tuple[Effects, bool]:
        """Enter the newer term of everything else."""
        if isinstance(message, self.kind) and message.term > self.state.term:
            return [], True
        return super().check(sender, message)


class NewerBeat(Unraised):
    """Lets heartbeats of a newer term pass, and stays in its own."""

    kind = Heartbeat


class NewerPropose(Unraised):
    """Lets batches of a newer term pass, and stays in its own."""

    kind = Propose


class EntersInMemory(Fence):
    """Enters a newer leader's term, and writes nothing down."""

    def check(self, sender: int, message: msgspec.Struct) -> tuple[Effects, bool]:
        """Leave out the record."""
        effects, passes = super().check(sender, message)
        return [effect for effect in effects if not isinstance(effect, Append)], passes


class RaisesNothing(CatchUp):
    """Takes in what is relayed, and stays in its own term."""

    def _relay_chunk(self, sender: int, chunk: CatchupReply) -> Effects:
        """Take every chunk for one of the own term."""
        term = self.state.term
        older = tuple(msgspec.structs.replace(entry, term=min(entry.term, term)) for entry in chunk.entries[-1:])
        if older != chunk.entries[-1:]:
            return []
        return super()._relay_chunk(sender, msgspec.structs.replace(chunk, term=term))


CELLS = (
    Mutant(
        name="late PROMISE counted",
        story="A promise is counted whatever its term; it was given for an attempt that is over.",
        killers=("S5",),
        parts={"fence": LatePromise},
    ),
    Mutant(
        name="PREPARE of an older term promised",
        story="A node promises every term but its own to whoever asks, also one that it has left.",
        killers=("S6",),
        parts={"succession": PromisesOldTerms},
    ),
    Mutant(
        name="HEARTBEAT of an older term followed",
        story="Whoever beats is followed, even if a newer term has begun.",
        killers=("S6",),
        parts={"fence": OlderBeat},
    ),
    Mutant(
        name="HEARTBEAT of a newer term does not raise the term",
        story="A node hears the beat of a newer leader, but does not enter its term, and commits from the old leader's log.",
        killers=("S1", "S13"),
        parts={"fence": NewerBeat},
    ),
    Mutant(
        name="PROPOSE of a newer term does not raise the term",
        story="A node takes in a newer leader's batch, but does not enter its term, and confirms it to the old leader.",
        killers=("S8", "S1"),
        parts={"fence": NewerPropose},
    ),
    Mutant(
        name="newer term entered in memory only",
        story="A node follows a newer leader without writing the term down, and after a restart follows the older one.",
        killers=("S6", "S14"),
        parts={"fence": EntersInMemory},
    ),
)
"""The bugs of this page."""
