"""Bugs in the term fence: what is old is taken for new, and any term for one that somebody reached.

Read also `protocol.fence`, which does it right; `succession` (promises).
"""

import msgspec

from chatsys.actor.effects import Append, Effects
from chatsys.mutants.bugs.mutant import Mutant, search
from chatsys.mutants.bugs.open import Hole
from chatsys.protocol.decisions import Yield
from chatsys.protocol.fence import FROM_A_LEADER, Fence
from chatsys.protocol.messages import CatchupReply, Coordinator, Heartbeat, Ok, Propose
from chatsys.protocol.storage import Promised
from chatsys.protocol.succession import Succession


class LowerPropose(Hole):
    """Lets a deposed leader's batches pass."""

    kind = Propose


class StaleReplies(Hole):
    """Lets replies of an older term pass."""

    kind = CatchupReply


class AnyReplySucceeds(Succession):
    """Takes whatever sync reply comes, of any round, and leads when that reply is complete in itself."""

    def awaits(self, sender: int, reply: CatchupReply) -> bool:
        """Look at neither nonce nor sender."""
        return True

    def is_complete(self) -> bool:
        """Believe the reply that it was all."""
        return True


class OlderCoordinator(Fence):
    """Follows whoever says COORDINATOR."""

    def check(self, sender: int, message: msgspec.Struct) -> tuple[Effects, bool]:
        """Enter any term that somebody leads."""
        state = self.state
        if isinstance(message, Coordinator) and message.term < state.term:
            state.enter(message.term, promised_to=sender, leader=sender)
            return [Append(Promised(message.term, sender)), Yield("a coordinator said so", leader=sender)], True
        return super().check(sender, message)


class NoFence(Fence):
    """Takes any leader for the present one."""

    def check(self, sender: int, message: msgspec.Struct) -> tuple[Effects, bool]:
        """Follow whoever speaks as a leader."""
        if isinstance(message, FROM_A_LEADER) and message.term < self.state.term:
            self.state.set_leader(sender)
            return [Yield(f"node {sender} says it leads", leader=sender)], True
        return super().check(sender, message)


class FencedOk(Fence):
    """Treats OK like everything else."""

    def check(self, sender: int, message: msgspec.Struct) -> tuple[Effects, bool]:
        """Drop the OK of another term."""
        if isinstance(message, Ok) and message.term != self.state.term:
            return [], False
        return super().check(sender, message)


class StaleBeats(Fence):
    """Takes any heartbeat of the leader for a sign of life."""

    def is_repeated(self, beat: Heartbeat) -> bool:
        """Look at no number."""
        return False


class Gullible(Fence):
    """Believes that the others got as far as somebody says."""

    def is_made_up(self, term: int) -> bool:
        """Find every term possible."""
        return False


FENCE = (
    Mutant(
        name="lower-term PROPOSE accepted",
        story="A deposed leader's PROPOSE is written into the log like any other.",
        killers=("S1", "S13", "broken"),
        parts={"fence": LowerPropose},
        directed="Q11",
    ),
    Mutant(
        name="COORDINATOR of an older term accepted",
        story="Whoever says COORDINATOR is followed, even if a newer term has begun.",
        killers=("S6",),
        plan=search("duplication", "isolate", "leader"),
        parts={"fence": OlderCoordinator},
        directed="Q19",
        seed=9,
    ),
    Mutant(
        name="no fence",
        story="Frames of any leader of any time are taken as if they came from the present one.",
        killers=("S1", "S8", "S13", "broken"),
        plan=search("duplication", "isolate", "leader"),
        parts={"fence": NoFence},
        directed="C5",
        seed=11,
    ),
    Mutant(
        name="sync reply without nonce",
        story="While syncing, any sync reply is taken for the answer, also one to an earlier round.",
        killers=("S8",),
        parts={"fence": StaleReplies, "succession": AnyReplySucceeds},
        directed="Q10",
    ),
    Mutant(
        name="lower-term OK dropped by the fence",
        story="OK stands behind the fence too, so a node whose term ran ahead never finds support again.",
        killers=("L1", "L2"),
        parts={"fence": FencedOk},
        directed="Q28",
    ),
    Mutant(
        name="old heartbeat counts",
        story="A heartbeat counts as a sign of life whatever its number, so a replayed one revives a dead leader.",
        killers=("L1",),
        parts={"fence": StaleBeats},
        directed="C11",
    ),
    Mutant(
        name="any jump of terms believed",
        story="A refusal of the last term that there is is believed, and no election finds a next one.",
        killers=("L1",),
        parts={"fence": Gullible},
        directed="Q40",
    ),
)
"""The bugs of this page."""
