"""What the models of the election and of the log share: they forget what they may, and ask the node about it.

    NodeModel --> AskedModel --> ElectionModel, LogModel
                     |
        claims (what may be forgotten), answers (what nominations may hear)

Numbers of nominations tell old answers from new ones and nothing else, so where nothing old is left each
nomination is given the same number, and nothing bounds how many there are.

Read also `asking`, `claims`, `answers`; `models` (the two).
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from chatsys.explore import claims
from chatsys.explore.answers import ANSWERS, any_answers, make_plain
from chatsys.explore.happenings import Arrive, Event, Ring, Rules
from chatsys.explore.node_model import NodeModel
from chatsys.explore.untimed import Life, Turn
from chatsys.protocol.messages import Election, Ok
from chatsys.protocol.node import Node
from chatsys.protocol.state import NUMBERS_A_LIFE


class AskedModel(NodeModel):
    """Three nodes of the chat, searched for as little as is needed."""

    rules = Rules(disk_steps=False)
    echoes = True
    capacity = 1_000
    terms = 2
    beats = 0
    asks = True
    answers: Literal["exact", "any"] = "exact"
    """Whether OK arrives only where it was sent, or at any time (`answers`)."""

    @property
    def generous(self) -> bool:
        """Whether OK arrives where nobody sent it; only where frames are forgotten at all."""
        return self.pruned and self.answers == "any"

    @property
    def renumbers(self) -> bool:
        """Whether each nomination gets the same number."""
        return self.generous

    @property
    def bounds(self) -> tuple[str, ...]:
        """Say also what stands for the answers."""
        answers = ("a nomination may hear OK of any kind, from anyone, at any time: more than can happen",)
        return (*super().bounds, *(answers if self.generous else ()))

    @property
    def assumed(self) -> tuple[str, ...]:
        """Say that what is granted is argued, and that numbers only tell old answers from new ones."""
        granted = (
            "That OK of any kind at any time contains whatever real answers bring about is argued (chatsys/explore/answers.py) "
            "and was compared in smaller searches; it is not asked."
        )
        anew = (
            "Numbers of nominations and of catch-up begin anew where nothing old is left: that rules read them only to tell "
            "old answers from new ones is argued; that old answers do nothing is asked."
        )
        numbered = (anew,) if self.pruned else ()
        return (*super().assumed, *numbered, *((granted,) if self.generous else ()))

    @property
    def nominating(self) -> str:
        """Say that nominations have no bound, unless their numbers are kept."""
        return "any number of nominations" if self.renumbers else super().nominating

    # --- bounds ----------------------------------------------------------------------------

    def within(self, life: Life) -> bool:
        """Stay below the highest term; nominations are bounded only where their numbers are kept."""
        node = life.actor
        if not self.renumbers or not isinstance(node, Node):
            return super().within(life)
        return node.state.term <= self.terms and (not node.state.leads or node.failure.number <= self.beats)

    def anytime(self, life: Life) -> Iterable[Event]:
        """Grant answers, where they are granted."""
        return any_answers(life) if self.generous and life.actor is not None else ()

    def arrives(self, message: Any) -> bool:
        """Leave out what is granted."""
        return super().arrives(message) and not (self.generous and isinstance(message, ANSWERS))

    def rings(self, life: Life, alarm: Ring) -> bool:
        """Leave out what repeats frames, for each may arrive again anyway; and heartbeats beyond the bound."""
        return alarm.owner not in ("Sequencer", "CatchUp") and (alarm.name != "beat" or self.beats > 0)

    # --- what need not be remembered -------------------------------------------------------

    def dead(self, life: Life, frame: Arrive, sender: Life) -> bool:
        """Claim that answers to what is over are dead."""
        return super().dead(life, frame, sender) or claims.is_dead(life, frame)

    def weaken(self, life: Life, frame: Arrive) -> Arrive:
        """Claim that old frames do what a plainer one does."""
        return claims.weakest(life, frame)

    def plain(self, message: Any) -> Any:
        """Claim that refusals do the same whatever they refuse."""
        return claims.plain(message)

    def aged(self, frame: Arrive) -> Arrive:
        """Return the answer to a nomination as it looks in the next one: its number is lower than that of the present one."""
        if not self.renumbers or not isinstance(frame.message, Ok):
            return frame
        before = frame.message.round // NUMBERS_A_LIFE * NUMBERS_A_LIFE
        return msgspec.structs.replace(frame, message=msgspec.structs.replace(frame.message, round=before))

    def tidy(self, turn: Turn) -> None:
        """Give each nomination the same number: frames of earlier ones are dead."""
        node = turn.after.actor
        if not self.renumbers or not isinstance(node, Node):
            return
        if self.generous:
            make_plain(node)
        node.election.round = first = node.state.incarnation * NUMBERS_A_LIFE + 1
        turn.sent = [(to, _numbered(message, first)) for to, message in turn.sent]

    def forget(self, life: Life) -> None:
        """Claim that nobody reads what belongs to another role."""
        if isinstance(life.actor, Node):
            claims.forget(life.actor)


def _numbered(message: Any, round: int) -> Any:
    return msgspec.structs.replace(message, round=round) if isinstance(message, (Election, Ok)) else message
