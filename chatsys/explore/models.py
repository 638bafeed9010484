"""What is searched of the chat: its election and its log, each within stated bounds.

    election   three nodes without a leader; may two of them come to lead one term?
    log        node 3 leads term 1 and everybody follows; two messages, one power loss, one more term

    disk       as log, but a sync takes a step, so that a power loss finds records not yet durable

All run the very `Node` of the other worlds; each says in `bounds` what it leaves out.

Read also `node_model` (what they share), `answers` (what the election is granted),
`ledger` (what must hold), `explore`.
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from chatsys.explore import claims
from chatsys.explore.answers import ANSWERS, any_answers, make_plain
from chatsys.explore.chance import Undecidable
from chatsys.explore.happenings import Arrive, Event, Give, Ring, Rules
from chatsys.explore.node_model import WAITS, NodeModel
from chatsys.explore.untimed import Life, Turn
from chatsys.protocol.catchup import CatchUp
from chatsys.protocol.messages import (
    Ack,
    Catchup,
    CatchupReply,
    Coordinator,
    Election,
    Heartbeat,
    HeartbeatAck,
    Ok,
    Prepare,
    Promise,
    Propose,
    Submit,
)
from chatsys.protocol.node import Node
from chatsys.protocol.state import NUMBERS_A_LIFE, NodeState, Role


class ElectionModel(NodeModel):
    """Nobody leads yet; alarms ring, frames cross, get lost and come again.

    Only what elects arrives: entries stay where they are (the log model is about those), so each
    leader adds its barrier and the logs differ.  Rounds of nominations have no bound: the number of
    a round only tells old answers from new ones, and is set back once nothing old is left.

    With `answers="any"` nominations are answered as `answers` says: more than can happen, in a
    fraction of the states.  A search that ends without a violation then has searched all that can.
    """

    name = "election"
    terms = 2
    """Two, answered exactly, take minutes and three hours; with any answers three end at 277,256 states, or
    866,907 with a heartbeat a leader."""
    beats = 0
    answers: Literal["exact", "any"] = "exact"
    """Whether OK arrives only where it was sent, or at any time (`answers`)."""
    rules = Rules(disk_steps=False)
    echoes = True
    capacity = 1_000
    pacing = {
        **WAITS,
        CatchUp: frozenset({"wait", "nonce", "newcomer", "alarms"}),
        NodeState: frozenset({"met_leader"}),
    }
    """Beside waiting times, what only decides about frames that never arrive here."""
    left_out = ("JOIN, PROPOSE and relays never arrive, so nothing is committed",)
    vital = "elected"
    hopes = ("elected", "elected again", "deposed", "stood back")
    asks = True
    idle = ("Sequencer", "CatchUp")

    @property
    def generous(self) -> bool:
        """Whether OK arrives where nobody sent it; only the real parts are searched so."""
        return self.pruned and self.answers == "any"

    @property
    def bounds(self) -> tuple[str, ...]:
        """Say also what stands for the answers and for the heartbeats."""
        answers = ("a nomination may hear OK of any kind, from anyone, at any time: more than can happen",)
        beats = "COORDINATOR, which may arrive again and again, stands for heartbeats"
        if self.beats:
            beats = f"heartbeats: at most {self.beats} a leader and term"
        return (*super().bounds, *(answers if self.generous else ()), beats)

    def within(self, life: Life) -> bool:
        """Stay below the highest term; rounds are bounded only where their numbers are kept."""
        if not self.pruned:
            return super().within(life)
        node = life.actor
        if not isinstance(node, Node):
            return True
        return node.state.term <= self.terms and (node.failure.number <= self.beats or not node.state.leads)

    @property
    def nominating(self) -> str:
        """Say that rounds have no bound, unless their numbers are kept."""
        return "any number of nominations" if self.pruned else super().nominating

    def anytime(self, life: Life) -> Iterable[Event]:
        """Grant answers, where they are granted."""
        return any_answers(life) if self.generous else ()

    def arrives(self, message: Any) -> bool:
        """Leave out the replication of entries, and answers that a leader only counts."""
        match message:
            case Propose() | Catchup(purpose="follow" | "relay"):
                return False
            case Ack(ok=True):
                return False
            case Heartbeat() | HeartbeatAck(ok=True):
                return self.beats > 0
        return super().arrives(message) and not (self.generous and isinstance(message, ANSWERS))

    def rings(self, life: Life, alarm: Ring) -> bool:
        """Leave out what would only send or repeat what never arrives here."""
        return alarm.owner not in ("Sequencer", "CatchUp") and (alarm.name != "beat" or self.beats > 0)

    def dead(self, life: Life, frame: Arrive, sender: Life) -> bool:
        """Claim that answers to what is over are dead."""
        return super().dead(life, frame, sender) or claims.is_dead(life, frame)

    def needless(self, life: Life, frame: Arrive, sender: Life) -> bool:
        """Leave out, in the exact search, what a nomination that is over still says.

        A late ELECTION can make its receiver nominate itself, but so can the receiver's silence
        alarm, which is set whenever it follows; the answer would be dead.
        """
        match frame.message:
            case Ok(verdict="alive"):
                return frame.sender < life.me  # type: ignore[operator]
            case Election():
                return _is_over(sender)
        return False

    def weaken(self, life: Life, frame: Arrive) -> Arrive:
        """Claim that old frames do what a plainer one does."""
        return claims.weakest(life, frame)

    def plain(self, message: Any) -> Any:
        """Claim that refusals do the same whatever they refuse."""
        return claims.plain(message)

    def aged(self, frame: Arrive) -> Arrive:
        """Rounds begin anew with each nomination, so an answer to an older one has a lower number."""
        match frame.message:
            case Ok(round=number):
                before = number // NUMBERS_A_LIFE * NUMBERS_A_LIFE
                return msgspec.structs.replace(frame, message=msgspec.structs.replace(frame.message, round=before))
        return frame

    def tidy(self, turn: Turn) -> None:
        """Number also the rounds of nominations from the beginning: frames of earlier ones are dead."""
        node = turn.after.actor
        assert isinstance(node, Node), "nobody crashes in this model"
        if self.generous:
            make_plain(node)
        elif _is_open(turn.before) and _is_open(turn.after) and turn.before.actor.election.round != node.election.round:  # type: ignore[union-attr]
            raise Undecidable("a nomination followed on another in one turn, so answers to both look alike")
        node.election.round = first = node.state.incarnation * NUMBERS_A_LIFE + 1
        turn.sent = [(to, _numbered(message, first)) for to, message in turn.sent]

    def forget(self, life: Life) -> None:
        """Claim that nobody reads what belongs to another role, nor how far a leader's followers are."""
        node = life.actor
        assert isinstance(node, Node), "nobody crashes in this model"
        claims.forget(node)
        if node.state.leads:
            claims.forget_progress(node)


def _numbered(message: Any, round: int) -> Any:
    return msgspec.structs.replace(message, round=round) if isinstance(message, (Election, Ok)) else message


def _is_open(life: Life) -> bool:
    return isinstance(life.actor, Node) and not _is_over(life)


def _is_over(life: Life) -> bool:
    return isinstance(life.actor, Node) and life.actor.state.role is not Role.NOMINATING


class LogModel(NodeModel):
    """Node 3 leads term 1, a client's session is open; then two messages, a crash, another term."""

    name = "log"
    rules = Rules(disk_steps=False)
    echoes = True
    capacity = 1_000
    terms = 2
    nominations = 1
    beats = 0
    crashes = 1
    opening = ((3, "silence"), (3, Give("ann", Submit("ann", 0))))
    inputs = (
        Give("ann", Submit("ann", 1, "main", "ann", "one", session=2)),
        Give("ann", Submit("ann", 2, "main", "ann", "two", session=2)),
    )
    left_out = (
        "JOIN and relays never arrive",
        "no heartbeats",
        "PROPOSE is not repeated (each frame may arrive again)",
    )
    vital = "committed"
    hopes = ("delivered", "elected again", "crashed", "committed")
    asks = True

    def arrives(self, message: Any) -> bool:
        """Leave out relays: they matter where a link stays cut, or with five nodes."""
        if isinstance(message, (Catchup, CatchupReply)) and message.purpose == "relay":
            return False
        return super().arrives(message)

    def dead(self, life: Life, frame: Arrive, sender: Life) -> bool:
        """Claim that answers to what is over are dead."""
        return super().dead(life, frame, sender) or claims.is_dead(life, frame)

    def weaken(self, life: Life, frame: Arrive) -> Arrive:
        """Claim that old frames do what a plainer one does."""
        return claims.weakest(life, frame)

    def plain(self, message: Any) -> Any:
        """Claim that refusals do the same whatever they refuse."""
        return claims.plain(message)

    def forget(self, life: Life) -> None:
        """Claim that nobody reads what belongs to another role."""
        if isinstance(life.actor, Node):
            claims.forget(life.actor)

    def tidy(self, turn: Turn) -> None:
        """Take back the number of a relay that was asked for in vain."""
        before, after, event = turn.before.actor, turn.after.actor, turn.event
        if isinstance(event, Arrive) and isinstance(event.message, Ok):
            assert isinstance(before, Node) and isinstance(after, Node), "nobody else hears OK"
            after.catchup.nonce = before.catchup.nonce

    def rings(self, life: Life, alarm: Ring) -> bool:
        """Leave out heartbeats, and repetitions: here every frame may arrive again anyway."""
        return alarm.owner not in ("Sequencer", "CatchUp") and (alarm.name != "beat" or self.beats > 0)


class SlowDiskModel(LogModel):
    """The same with a disk that takes its time, so that a power loss finds records not yet synced."""

    name = "disk"
    rules = Rules(disk_steps=True)
    echoes = False
    capacity = 6
    left_out = ("JOIN and relays never arrive", "no heartbeats", "PROPOSE is not repeated")


MODELS: dict[str, type[NodeModel]] = {model.name: model for model in (ElectionModel, LogModel, SlowDiskModel)}
