"""Builders for tests of one part by hand: a part with its state, and literal times."""

from random import Random
from typing import Any

from chatsys.actor.actor import Address
from chatsys.actor.effects import Send
from chatsys.config import ClusterConfig, Timing
from chatsys.protocol.election import Bully
from chatsys.protocol.members import Members
from chatsys.protocol.messages import Entry
from chatsys.protocol.node import Node
from chatsys.protocol.state import NodeState, Role

EXACT = Timing(heartbeat_spread=0.0)
"""Silence without its random share, so that a test can name the moment."""


def config(nodes: int = 3, quorum: Any = "majority", **rest: Any) -> ClusterConfig:
    """A cluster of `nodes` with exact timing."""
    return ClusterConfig.of(nodes, quorum, **({"timing": EXACT} | rest))


def members(nodes: int = 3, quorum: Any = "majority", me: int = 2) -> Members:
    """The members of a cluster of `nodes`, as node `me` sees them."""
    return Members.of(config(nodes, quorum), me)


def part(kind: type[Any], me: int = 2, nodes: int = 3, quorum: Any = "majority", **rest: Any) -> Any:
    """One part of node `me`, alone with its state in its first life."""
    made = config(nodes, quorum, **rest)
    state = NodeState(me, made)
    state.incarnation = 1
    return kind(state, made, Random(1))


def node(me: int = 2, nodes: int = 3, quorum: Any = "majority", **rest: Any) -> Node:
    """A whole node in its first life, just started at time 0."""
    made = Node(me, config(nodes, quorum, **rest), Random(1))
    made.start(0.0)
    made.settle(0.0)
    return made


def leader(me: int = 3, nodes: int = 3, quorum: Any = "majority", **rest: Any) -> Node:
    """Node `me`, leading term 1 with a barrier that everybody holds."""
    from chatsys.protocol.decisions import Lead
    from chatsys.protocol.messages import Ack

    made = node(me, nodes, quorum, **rest)
    state = made.state
    state.role = Role.PREPARING
    state.enter(1, promised_to=me)
    made._carry_out([Lead()], 0.0)
    made.settle(0.0)
    for peer in state.members.ids:
        made.on_message(peer, Ack(1, True, match=1), 0.0)
    made.settle(0.0)
    return made


def chat(seq: int, term: int = 1, text: str = "", client: str = "c", number: int = 1, session: int = 1) -> Entry:
    """A chat entry; `session` is where its session was opened."""
    return Entry(seq, term, "chat", client, number, "main", "ann", text or f"text {seq}", session=session)


def sent(effects: list[Any], kind: type[Any]) -> list[tuple[Address, Any]]:
    """The (to, message) of all frames of one kind among `effects`."""
    return [(e.to, e.message) for e in effects if isinstance(e, Send) and isinstance(e.message, kind)]


def of(effects: list[Any], kind: type[Any]) -> list[Any]:
    """All effects or decisions of one kind."""
    return [e for e in effects if isinstance(e, kind)]


class NeverStands(Bully):
    """An election in which nobody ever answers, and nobody ever stands."""

    def on_message(self, *event: Any) -> list[Any]:
        super().on_message(*event)
        return []

    def on_alarm(self, *alarm: Any) -> list[Any]:
        super().on_alarm(*alarm)
        return []


def recovered(*records: object) -> Node:
    """Return node 2 as it is after it read these records from its log."""
    made = Node(2, config(), node().random)
    made.recover(records)  # type: ignore[arg-type]
    return made
