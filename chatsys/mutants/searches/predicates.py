"""The questions from which the stages of a search are made.  Each asks about one node of a state.

    leads(two, 2) and log(two) == (1, 1, 2)      node 2 leads term 2; its last entry is of term 2

A log is described by the terms of its entries, in order.  In these small clusters that is enough to
know which entries they are.

Read also `search` (what a stage is), `elections`, `logs` and `disks` (which ask these questions).
"""

from chatsys.explore.untimed import Life
from chatsys.protocol.node import Node
from chatsys.protocol.recovery import replay
from chatsys.protocol.state import Role


def node(life: Life) -> Node:
    """Return the node of a life that is up."""
    assert isinstance(life.actor, Node), "it is down"
    return life.actor


def is_up(life: Life) -> bool:
    """Tell whether the process runs."""
    return life.actor is not None


def came_back(life: Life) -> bool:
    """Tell whether this is another life of the node than the first."""
    return is_up(life) and life.incarnation > 1


def is_in(life: Life, term: int, role: Role | None = None) -> bool:
    """Tell whether the node is in this term, and in this role (any)."""
    if not is_up(life):
        return False
    here = node(life).state
    return here.term == term and role in (None, here.role)


def leads(life: Life, term: int) -> bool:
    """Tell whether the node leads this term."""
    return is_in(life, term, Role.LEADER)


def nominates(life: Life, term: int) -> bool:
    """Tell whether the node, in this term, asks whether it may try to lead."""
    return is_in(life, term, Role.NOMINATING)


def asks(life: Life, term: int) -> bool:
    """Tell whether the node asks for promises of this term."""
    return is_in(life, term, Role.PREPARING)


def syncs(life: Life, term: int) -> bool:
    """Tell whether the node, about to lead this term, fetches the best log."""
    return is_in(life, term, Role.SYNCING)


def log(life: Life) -> tuple[int, ...]:
    """Return the terms of the entries in the node's log; () for one that is down."""
    return tuple(entry.term for entry in node(life).log.entries) if is_up(life) else ()


def disk(life: Life) -> tuple[int, ...]:
    """Return the terms of the entries on the node's disk."""
    return tuple(entry.term for entry in replay(life.durable).entries)


def committed(life: Life) -> int:
    """Return up to where the node calls its log committed."""
    return node(life).log.commit if is_up(life) else 0


def match(leader: Life, peer: int) -> int:
    """Return up to where the leader knows `peer`'s log to equal its own."""
    progress = node(leader).sequencer.progress.get(peer) if is_up(leader) else None
    return progress.match if progress is not None else 0
