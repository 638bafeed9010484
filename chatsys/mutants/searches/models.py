"""The models in which mutants are looked for: the real nodes, with bounds so tight that long stories are near.

    Fresh          nobody leads yet
    Established    node 3 leads term 1 and a client's session is open: every log is [barrier, session]

Every frame, once sent, may arrive late, never, or again and again.  Frames of an attempt that is
over are lost (but its promises, where a search asks for them: `late`), and so is whatever else a bound says: loss is always allowed.  Nothing else is
forgotten (as the models of `explore.models` do), because a mutant may break the reason for it.

Left out   JOIN; PROPOSE sent again (each frame may arrive again); attempts that time out, but where a search
           is `late`; what the bounds of each search say.
Read also  `search` (stages), `explore.node_model` (the bounds that all models share).
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from chatsys.check.violation import Violation
from chatsys.config import Limits
from chatsys.explore.happenings import Arrive, Ring, Rules
from chatsys.explore.model import Model
from chatsys.explore.models import LogModel
from chatsys.explore.node_model import NodeModel
from chatsys.explore.untimed import Life, Turn
from chatsys.protocol.messages import (
    Ack,
    Catchup,
    CatchupReply,
    Election,
    Heartbeat,
    HeartbeatAck,
    Ok,
    Prepare,
    Promise,
    Propose,
)
from chatsys.protocol.node import Node
from chatsys.protocol.state import Role


class Tight(NodeModel):
    """Bounds on who does what, beside how often."""

    echoes = True
    capacity = 1_000
    beats = 0
    left_out = (
        "JOIN never arrives",
        "PROPOSE is not repeated (each frame may arrive again)",
        "the alarm `defer` never rings",
        "ELECTION and OK of an attempt that is over never arrive",
    )
    nominees: tuple[int, ...] = (1, 2, 3)
    """Who finds a silence too long."""
    mortal: tuple[int, ...] = (1, 2, 3)
    """Who may lose power."""
    deaf: tuple[int, ...] = ()
    """Who hears no PROPOSE after term 1."""
    late = False
    """Whether attempts time out, and promises of one that is over arrive."""
    prompt = False
    """Whether PREPARE arrives while its attempt is under way, or never."""
    relays = False
    batch = Limits().batch_entries
    """How many entries fit into one frame."""
    disk = False
    """Whether a sync takes a step, so that a power loss finds records not yet synced."""
    borne: tuple[str, ...] = ()
    """Invariants that may break: the search goes on to the harm that follows."""

    def __init__(self, *args: Any, **bounds: Any) -> None:
        super().__init__(*args, **bounds)
        self.rules = Rules(disk_steps=self.disk)
        self.config = msgspec.structs.replace(self.config, limits=Limits(batch_entries=self.batch))

    @property
    def bounds(self) -> tuple[str, ...]:
        """Say what was left out."""
        return (*super().bounds, *self._tight())

    def _tight(self) -> Iterator[str]:
        yield f"silence is too long for {_nodes(self.nominees)} only"
        if self.crashes:
            yield f"power is lost at {_nodes(self.mortal)} only"
        if self.batch != Tight.batch:
            yield f"a frame carries at most {self.batch} entries"
        if self.deaf:
            yield f"PROPOSE of later terms never reaches {_nodes(self.deaf)}"
        if not self.late:
            yield "attempts do not time out: the alarm `prepare` never rings"
            yield "PROMISE of an attempt that is over never arrives"
        if self.prompt:
            yield "PREPARE of an attempt that is over never arrives"
        if not self.relays:
            yield "relays never arrive"
        if self.borne:
            yield f"not judged, so as to see the harm that follows: {', '.join(self.borne)}"

    # --- bounds ----------------------------------------------------------------------------

    def within(self, life: Life) -> bool:
        """Let only some lose power."""
        return super().within(life) if life.actor is not None else life.me in self.mortal

    def rings(self, life: Life, alarm: Ring) -> bool:
        """Let only some nominate themselves, let nobody give up."""
        if alarm.owner in ("Sequencer", "CatchUp") or alarm.name == "defer":
            return False
        if alarm.name == "prepare":
            return self.late
        if alarm.name in ("silence", "broken"):
            return life.me in self.nominees
        return alarm.name != "beat" or self.beats > 0

    def arrives(self, message: Any) -> bool:
        """Leave out JOIN and, but where they matter, relays."""
        if isinstance(message, (Catchup, CatchupReply)) and message.purpose == "relay":
            return self.relays
        return super().arrives(message)

    def dead(self, life: Life, frame: Arrive, sender: Life) -> bool:
        """Lose what belongs to an attempt that is over."""
        if Model.dead(self, life, frame, sender):
            return True
        match frame.message:
            case Ok(round=number):
                return number != _round(life)
            case Election(round=number):
                return number != _round(sender)
            case Promise(ok=True, term=term):
                return not self.late and term != _asked(life)
            case Prepare(term=term):
                return self.prompt and term != _asked(sender)
            case Propose(term=term):
                return term > 1 and life.me in self.deaf
        return False

    def weaken(self, life: Life, frame: Arrive) -> Arrive:
        """Leave every frame as it is."""
        return frame

    def tidy(self, turn: Turn) -> None:
        """Forget nothing; only take back the number of a relay that was asked for in vain."""
        before, after, event = turn.before.actor, turn.after.actor, turn.event
        if not self.relays and isinstance(event, Arrive) and isinstance(event.message, Ok):
            assert isinstance(before, Node) and isinstance(after, Node), "nobody else hears OK"
            after.catchup.nonce = before.catchup.nonce

    # --- what must hold --------------------------------------------------------------------

    def judge(self, turn: Turn) -> Violation | None:
        """Judge one turn, but for what may break."""
        found = super().judge(turn)
        return None if found is not None and found.invariant in self.borne else found


class Fresh(Tight):
    """Nobody leads yet; entries stay where they are."""

    name = "election"

    def arrives(self, message: Any) -> bool:
        """Leave out the replication of entries."""
        match message:
            case Propose() | Heartbeat() | Catchup(purpose="follow") | Ack(ok=True) | HeartbeatAck(ok=True):
                return False
        return super().arrives(message)


class Established(Tight):
    """Node 3 leads term 1, a client's session is open, and nobody lacks anything."""

    name = "log"
    terms = 2
    opening = LogModel.opening
    inputs = LogModel.inputs[:1]

    def rings(self, life: Life, alarm: Ring) -> bool:
        """Let whoever the opening needs nominate itself."""
        node = life.actor
        return (isinstance(node, Node) and not node.state.term) or super().rings(life, alarm)


def _nodes(nodes: tuple[int, ...]) -> str:
    return " and ".join(f"node {node}" for node in nodes) or "no node"


def _round(life: Life) -> int:
    """Return the round of the nomination that is under way; 0: none is."""
    node = life.actor
    return node.election.round if isinstance(node, Node) and node.state.role is Role.NOMINATING else 0


def _asked(life: Life) -> int:
    """Return the term for which promises are being asked; 0: none is."""
    node = life.actor
    return node.state.term if isinstance(node, Node) and node.state.role is Role.PREPARING else 0
