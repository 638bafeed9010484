"""The chat's node as a model: its bounds and its invariants.

Bounds cut a search, they never change a rule: a turn that leads out of them is not taken.  What
need not be remembered within them, `claims` says, and the node is asked about it (`asking`).

JOIN and its answer never arrive: they change neither term, timer nor log, and the nomination that a
complete round of them causes is the same that silence causes.

Read also `models` (the models made of it), `claims` (what they forget), `ledger` (what must hold).
"""

from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Deliver, Note
from chatsys.check.violation import Violation
from chatsys.config import ClusterConfig
from chatsys.errors import UsageError
from chatsys.explore import ledger
from chatsys.explore.fingerprint import Pacing
from chatsys.explore.happenings import Crash, Give
from chatsys.explore.model import Model
from chatsys.explore.untimed import Life, Turn
from chatsys.protocol.catchup import CatchUp
from chatsys.protocol.failure import Detector
from chatsys.protocol.messages import Join, JoinAck
from chatsys.protocol.node import Node
from chatsys.protocol.ordering import Progress
from chatsys.protocol.part import Part
from chatsys.protocol.recovery import replay
from chatsys.protocol.state import NUMBERS_A_LIFE

WAITS: Pacing = {
    Node: frozenset({"routes", "settling", "parts"}),
    Progress: frozenset({"wait"}),
    CatchUp: frozenset({"wait"}),
    Detector: frozenset({"patience", "told"}),
}
"""Fields that hold waiting times (or are a table that never changes, or are for people only)."""


class NodeModel(Model):
    """Three nodes of the chat; `parts` replaces parts by name, `node` the whole class."""

    addresses: tuple[Address, ...] = (1, 2, 3)
    pacing = waits = WAITS
    terms = 3
    nominations = 2
    beats = 1
    left_out: tuple[str, ...] = ("JOIN never arrives",)
    """What the model leaves out beside its numbers."""

    def __init__(
        self,
        parts: Mapping[str, type[Part]] | None = None,
        quorum: Any = "majority",
        node: type[Node] = Node,
        **bounds: Any,
    ) -> None:
        super().__init__(len(self.addresses), quorum)
        self.parts, self.node = parts, node
        for name, bound in bounds.items():
            if not hasattr(type(self), name):
                raise UsageError(f"The model {self.name} has no bound {name!r}.")
            setattr(self, name, bound)

    @property
    def bounds(self) -> tuple[str, ...]:
        """Say what was left out."""
        return (
            *super().bounds,
            f"terms up to {self.terms}",
            self.nominating,
            "a sync is a step" if self.rules.disk_steps else "every record is durable at once",
            f"frames to oneself {'are steps' if self.rules.own_steps else 'arrive at once'}",
            *self.left_out,
        )

    @property
    def nominating(self) -> str:
        """Say how often a node may nominate itself."""
        return f"at most {self.nominations} nominations a node and life"

    def make(self, me: Address, config: ClusterConfig, random: Random) -> Actor:
        """Return a node."""
        return self.node(me, config, random, self.parts)

    def compress(self, records: Iterable[Any]) -> tuple[Any, ...]:
        """Keep what the records mean."""
        return replay(tuple(records)).records()

    # --- bounds ----------------------------------------------------------------------------

    def within(self, life: Life) -> bool:
        """Stay below the highest term and the number of nominations, beats and entries."""
        node = life.actor
        if not isinstance(node, Node):
            return True
        state = node.state
        return (
            state.term <= self.terms
            and node.election.round <= state.incarnation * NUMBERS_A_LIFE + self.nominations
            and (not state.leads or node.failure.number <= self.beats)
        )

    def arrives(self, message: Any) -> bool:
        """Leave out JOIN."""
        return not isinstance(message, (Join, JoinAck))

    def takes(self, life: Life, given: Give) -> bool:
        """Give messages to leaders only: a follower would pass them on."""
        return isinstance(life.actor, Node) and life.actor.state.leads

    # --- what must hold --------------------------------------------------------------------

    def judge(self, turn: Turn) -> Violation | None:
        """Judge one turn."""
        return ledger.judge(turn)

    def facts(self, turn: Turn) -> Any:
        """Return who leads, what is committed, what is acknowledged."""
        return ledger.collect(turn)

    def enter(self, entered: Any, facts: Any) -> tuple[Any, Violation | None]:
        """Keep the ledger."""
        return ledger.enter(entered, facts)

    def compare(self, one: Life, other: Life) -> Violation | None:
        """Compare two logs."""
        return ledger.compare(one, other)

    def marks(self, turn: Turn) -> tuple[str, ...]:
        """Tell what is worth counting: a leader, a commit, a crash."""
        found = []
        for effect in turn.effects:
            if type(effect) is Deliver:
                found.append("delivered")
            elif type(effect) is Note:
                found += _mark(turn, effect)
        if isinstance(turn.event, Crash):
            found.append("crashed")
        return tuple(found)


def _mark(turn: Turn, note: Note) -> list[str]:
    match note.kind:
        case "role" if note.role == "syncing":
            return ["best log fetched"]
        case "role" if note.role == "deferring":
            return ["stood back"]
        case "role" if note.role == "follower" and _led(turn.before):
            return ["deposed"]
        case "lead":
            return ["elected"] + (["elected again"] if (note.term or turn.after.actor.view()[0]) > 1 else [])  # type: ignore[union-attr]
        case "commit":
            return ["committed"]
        case "hold":
            return ["held back"]
        case "duplicate":
            return ["duplicate found"]
    return []


def _led(life: Life) -> bool:
    return isinstance(life.actor, Node) and life.actor.state.leads
