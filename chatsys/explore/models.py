"""What is searched of the chat: its election and its log, each within stated bounds.

    election   three nodes without a leader; may two of them come to lead one term?
    log        node 3 leads term 1 and everybody follows; two messages, one power loss, one more term

    disk       as log, but a sync takes a step, so that a power loss finds records not yet durable

All run the very `Node` of the other worlds; each says in `bounds` what it leaves out.

Read also `asked_model` (what they share), `node_model` (their bounds), `ledger` (what must hold), `explore`.
"""

from typing import Any

from chatsys.explore import claims
from chatsys.explore.asked_model import AskedModel
from chatsys.explore.chance import Undecidable
from chatsys.explore.happenings import Arrive, Give, Ring, Rules
from chatsys.explore.node_model import WAITS, NodeModel
from chatsys.explore.untimed import Life, Turn
from chatsys.protocol.catchup import CatchUp
from chatsys.protocol.messages import (
    Ack,
    Catchup,
    CatchupReply,
    Election,
    Heartbeat,
    HeartbeatAck,
    Ok,
    Propose,
    Submit,
)
from chatsys.protocol.node import Node
from chatsys.protocol.state import NUMBERS_A_LIFE, NodeState, Role


class ElectionModel(AskedModel):
    """Nobody leads yet; alarms ring, frames cross, get lost and come again.

    Only what elects arrives: entries stay where they are (the log model is about those), so each
    leader adds its barrier and the logs differ.

    With `answers="any"` nominations are answered as `answers` says: more than can happen, in a
    fraction of the states.  A search that ends without a violation then has searched all that can.
    """

    name = "election"
    pacing = {
        **WAITS,
        CatchUp: frozenset({"wait", "nonce", "newcomer", "alarms"}),
        NodeState: frozenset({"met_leader"}),
    }
    """Beside waiting times, what only decides about frames that never arrive here."""
    left_out = ("JOIN, PROPOSE and relays never arrive, so nothing is committed",)
    vital = "elected"
    hopes = ("elected", "elected again", "deposed", "stood back")
    idle = ("Sequencer", "CatchUp")

    @property
    def renumbers(self) -> bool:
        """Rounds begin anew with each nomination, whoever answers it."""
        return self.pruned

    @property
    def bounds(self) -> tuple[str, ...]:
        """Say also what stands for the heartbeats."""
        beats = "COORDINATOR, which may arrive again and again, stands for heartbeats"
        if self.beats:
            beats = f"heartbeats: at most {self.beats} a leader and term"
        return (*super().bounds, beats)

    @property
    def assumed(self) -> tuple[str, ...]:
        """Say what the exact search leaves out."""
        over = (
            "What a nomination that is over still says (ELECTION, or OK `alive` of a lower node) does no more than the "
            "silence of a leader does: this is argued (chatsys/explore/models.py), not asked."
        )
        return (*super().assumed, *((over,) if self.pruned and not self.generous else ()))

    def arrives(self, message: Any) -> bool:
        """Leave out the replication of entries, and answers that a leader only counts."""
        match message:
            case Propose() | Catchup(purpose="follow" | "relay"):
                return False
            case Ack(ok=True):
                return False
            case Heartbeat() | HeartbeatAck(ok=True):
                return self.beats > 0
        return super().arrives(message)

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

    def tidy(self, turn: Turn) -> None:
        """Number nominations from the beginning, if there was one in this turn at most; and catch-ups, which nobody hears."""
        if not self.generous and _is_open(turn.before) and _is_open(turn.after):
            if turn.before.actor.election.round != turn.after.actor.election.round:  # type: ignore[union-attr]
                raise Undecidable("a nomination followed on another in one turn, so answers to both look alike")
        before, after = turn.before.actor, turn.after.actor
        if isinstance(before, Node) and isinstance(after, Node):
            after.catchup.nonce = before.catchup.nonce
        super().tidy(turn)

    def forget(self, life: Life) -> None:
        """Claim that nobody reads how far a leader's followers are, as nothing is committed."""
        super().forget(life)
        if isinstance(life.actor, Node) and life.actor.state.leads:
            claims.forget_progress(life.actor)


def _is_open(life: Life) -> bool:
    return isinstance(life.actor, Node) and not _is_over(life)


def _is_over(life: Life) -> bool:
    return isinstance(life.actor, Node) and life.actor.state.role is not Role.NOMINATING


class LogModel(AskedModel):
    """Node 3 leads term 1, a client's session is open; then two messages, a crash, another term."""

    name = "log"
    nominations = 1
    nominees: tuple[int, ...] = (1, 2, 3)
    """Who finds a silence too long, once there is a leader."""
    crashes = 1
    opening = (
        (3, "silence"),
        (3, Arrive(2, 1, Ok(0, NUMBERS_A_LIFE + 1, "support"))),
        (3, Give("ann", Submit("ann", 0))),
    )
    """The answer is said here for those searches that grant answers, where none is sent."""
    inputs = (
        Give("ann", Submit("ann", 1, "main", "ann", "one", session=2)),
        Give("ann", Submit("ann", 2, "main", "ann", "two", session=2)),
    )
    left_out: tuple[str, ...] = (
        "JOIN and relays never arrive",
        "frames of the opening, in which node 3 comes to lead, arrive once",
        "no heartbeats",
        "the alarms that repeat PROPOSE and CATCHUP never ring (each frame may arrive again, but none is cut anew)",
    )
    vital = "committed"
    hopes = ("delivered", "elected again", "crashed", "committed")

    @property
    def bounds(self) -> tuple[str, ...]:
        """Say also who may nominate itself."""
        few = f"the silence is too long for node {' and node '.join(map(str, self.nominees))} only"
        return (*super().bounds, *((few,) if len(self.nominees) < len(self.addresses) else ()))

    def arrives(self, message: Any) -> bool:
        """Leave out relays: they matter where a link stays cut, or with five nodes."""
        if isinstance(message, (Catchup, CatchupReply)) and message.purpose == "relay":
            return False
        return super().arrives(message)

    def rings(self, life: Life, alarm: Ring) -> bool:
        """Let only some nominate themselves; before there is a leader whoever the opening needs."""
        node = life.actor
        if alarm.name in ("silence", "broken") and isinstance(node, Node) and node.state.term:
            return life.me in self.nominees
        return super().rings(life, alarm)

    def tidy(self, turn: Turn) -> None:
        """Take back the number of a relay that was asked for in vain."""
        before, after = turn.before.actor, turn.after.actor
        if isinstance(before, Node) and isinstance(after, Node):
            if not any(isinstance(message, Catchup) and message.purpose == "follow" for _, message in turn.sent):
                after.catchup.nonce = before.catchup.nonce
        super().tidy(turn)


class SlowDiskModel(LogModel):
    """The same with a disk that takes its time, so that a power loss finds records not yet synced."""

    name = "disk"
    rules = Rules(disk_steps=True)
    echoes = False
    capacity = 6
    left_out = ("JOIN and relays never arrive", "no heartbeats", "PROPOSE and CATCHUP are not repeated")


MODELS: dict[str, type[NodeModel]] = {model.name: model for model in (ElectionModel, LogModel, SlowDiskModel)}
