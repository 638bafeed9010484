"""Bugs in single cells of the fence's table: one message, of an older or a newer term, is treated in another way.

    cell                        in its place           what breaks
    PROMISE ok, older           counted                two leaders of one term
    PREPARE, older              promised               a term goes back
    HEARTBEAT, older            its term is entered    a term goes back
    HEARTBEAT, newer            passes, as it is       what is committed by one leader is taken from another one's log
    PROPOSE, newer              passes, as it is       the old leader's late batch voids what is committed
    a leader's frame, newer     entered in memory      a restart takes the term back, and with it the refusal of older ones

The other cells on which safety hangs have their mutants on the pages `open` (ACK, older), `fence` (PROPOSE and COORDINATOR,
older) and `catchup` (a relay, newer).

Read also `protocol.fence` (the table, and which cells are for speed or only habit), `fence` (its other bugs).
"""

from typing import Any, ClassVar

import msgspec

from chatsys.actor.effects import Append, Effects
from chatsys.mutants.bugs.mutant import FIVE, Mutant
from chatsys.mutants.bugs.open import Hole
from chatsys.protocol.decisions import Yield
from chatsys.protocol.fence import Fence
from chatsys.protocol.messages import Heartbeat, Promise, Propose
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


CELLS = (
    Mutant(
        name="late PROMISE counted",
        story="A promise is counted whatever its term; it was given for an attempt that is over.",
        killers=("S5",),
        parts={"fence": LatePromise},
        directed="Q52",
    ),
    Mutant(
        name="PREPARE of an older term promised",
        story="A node promises every term but its own to whoever asks, also one that it has left.",
        killers=("S6",),
        parts={"succession": PromisesOldTerms},
        directed="Q54",
        seed=20,
    ),
    Mutant(
        name="HEARTBEAT of an older term followed",
        story="Whoever beats is followed, even if a newer term has begun.",
        killers=("S6",),
        parts={"fence": OlderBeat},
        directed="Q55",
        seed=1,
    ),
    Mutant(
        name="HEARTBEAT of a newer term does not raise the term",
        story="A node hears the beat of a newer leader, but does not enter its term, and commits from the old one's log.",
        killers=("S1", "S13"),
        plan=FIVE,
        parts={"fence": NewerBeat},
        directed="Q9",
    ),
    Mutant(
        name="PROPOSE of a newer term does not raise the term",
        story="A node takes in a newer leader's batch, but stays in its own term, where the old leader's late batch may void it.",
        killers=("broken", "S1"),
        parts={"fence": NewerPropose},
        directed="Q56",
    ),
    Mutant(
        name="newer term entered in memory only",
        story="A node follows a newer leader without writing the term down, and after a restart follows the older one.",
        killers=("S8", "S14"),
        parts={"fence": EntersInMemory},
        directed="Q57",
    ),
)
"""The bugs of this page."""
