"""Verbs: everything about a verb of a script but how it is done; one row each, in one table.

    "slow"   two ends, a delay and a jitter    the jitter may be left out    up to DELAY and JITTER    by own rules

A row says what the verb may be given, how much of it the fault model allows, and which world can do it.  Scripts
are checked with it, the model judges by it, and the table of abilities is printed from it.

Read also `fault` (who checks with the rows), `model` (who judges), `abilities` (which world), `testbed` (who does it).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

LEADER = "leader"
ANY = "*"
"""Every end of a link."""
DISKS = ("ok", "slow", "full", "failing")
MOMENTS = {
    "lead": "becomes leader",
    "promise": "makes a promise",
    "ready": "is ready to lead",
    "follow": "follows another leader",
    "append": "writes into its log",
    "commit": "learns what is committed",
    "truncate": "cuts off a tail of its log",
    "hold": "meets an early batch",
}
"""Acts after which `ambush` can crash the node, and the words for each."""

_Check = Callable[[Any, Sequence[int]], str | None]
"""Says what is wrong with an argument, given the ids of the nodes; None: nothing."""


def _node(value: Any, nodes: Sequence[int]) -> str | None:
    if value == LEADER or (isinstance(value, int) and not isinstance(value, bool) and (not nodes or value in nodes)):
        return None
    known = ", ".join(map(str, nodes)) or "whole numbers from 1"
    return f"{value!r} is no node; the nodes are {known}"


def _end(value: Any, nodes: Sequence[int]) -> str | None:
    return None if isinstance(value, str) and value != LEADER else _node(value, nodes)


def _group(value: Any, nodes: Sequence[int]) -> str | None:
    if isinstance(value, str) or not isinstance(value, Iterable):
        return f"{value!r} is no group of nodes; write for example (1, 2)"
    if not tuple(value):
        return "a group is empty; leave it out, or put a node into it"
    return next((wrong for node in value if (wrong := _node(node, nodes))), None)


def is_no_time(value: Any, nodes: Sequence[int]) -> str | None:
    fine = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e9
    return None if fine else f"{value!r} is no time; give seconds, 0 or more"


def _fraction(value: Any, nodes: Sequence[int]) -> str | None:
    fine = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
    return None if fine else f"{value!r} is no fraction; give a number from 0 to 1"


def _rate(value: Any, nodes: Sequence[int]) -> str | None:
    fine = isinstance(value, (int, float)) and not isinstance(value, bool) and 0.1 <= value <= 10
    return None if fine else f"{value!r} is no rate of a clock; 1.0 is right, 1.1 is ten percent fast"


def _flag(value: Any, nodes: Sequence[int]) -> str | None:
    return None if isinstance(value, bool) else f"{value!r} must be True or False"


def _text(value: Any, nodes: Sequence[int]) -> str | None:
    return None if isinstance(value, str) and value.strip() else f"{value!r} is no text; write at least one character"


def _new(value: Any, nodes: Sequence[int]) -> str | None:
    fine = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return None if fine else f"{value!r} is no id of a new learner; give a whole number from 1"


def _maybe_node(value: Any, nodes: Sequence[int]) -> str | None:
    return None if value is None else _node(value, nodes)


def _one_of(names: tuple[str, ...]) -> _Check:
    return lambda value, nodes: None if value in names else f"{value!r} is not one of {', '.join(names)}"


DELAY, JITTER, LATE = 3.0, 1.0, 8.0
CLOCK = 0.12
AMBUSH, DOWN = 0.06, 4.0
"""Seconds, and a fraction.  `AMBUSH`: so long after its act a node is crashed at most, for `DOWN`."""


class Bound(msgspec.Struct, frozen=True):
    """An argument of a verb, what it may be, and a sentence about it."""

    argument: int
    least: float
    most: float
    sentence: str


FREELY: tuple[Bound, ...] = ()
"""The fault model allows as much of it as you like."""


class Verb(msgspec.Struct, frozen=True):
    """A verb of a script."""

    takes: tuple[_Check, ...]
    """What each of its arguments must be; a partition takes any number of groups."""
    bounds: tuple[Bound, ...]
    """How much of it the fault model allows."""
    usual: tuple[Any, ...] = ()
    """What the last arguments are if they are left out."""
    own_rules: tuple[str, ...] = ()
    """The worlds whose nodes and clients do it to their own frames, because the network between them cannot."""
    by_engine: bool = False
    """In containers the engine does it: to the container, or to its volume."""
    only_simulated: bool = False
    """No real world can do it."""

    @property
    def least(self) -> int:
        """How many arguments it must have."""
        return len(self.takes) - len(self.usual)


_OPEN = ("kernel", "processes", "containers")
"""The worlds whose network nobody can cut: the loopback of one machine, and a network of the engine, which knows
no one-way cut and no loss."""

VERBS: dict[str, Verb] = {
    "say": Verb((_text, _maybe_node, _text, _text), FREELY, usual=(None, "main", "ann")),
    "crash": Verb((_node,), FREELY, by_engine=True),
    "shutdown": Verb((_node,), FREELY),
    "restart": Verb((_node,), FREELY, by_engine=True),
    "pause": Verb((_node,), FREELY, by_engine=True),  # `model` sees how long it lasts when it ends
    "resume": Verb((_node,), FREELY, by_engine=True),
    "cut": Verb((_node, _node, _flag), FREELY, usual=(False,), own_rules=_OPEN),
    "reconnect": Verb((_node, _node, _flag), FREELY, usual=(False,), own_rules=_OPEN),
    "partition": Verb((_group,), FREELY, own_rules=_OPEN),
    "heal": Verb((_flag,), FREELY, usual=(False,)),
    "slow": Verb(
        (_end, _end, is_no_time, is_no_time),
        (
            Bound(2, 0.0, DELAY, f"a link is slower by up to {DELAY:g} s"),
            Bound(3, 0.0, JITTER, f"the delay of a frame varies by up to {JITTER:g} s"),
        ),
        usual=(0.0,),
        own_rules=(*_OPEN, "namespaces"),
    ),
    "lose": Verb((_end, _end, _fraction), FREELY, own_rules=_OPEN),
    "duplicate": Verb(
        (_end, _end, _fraction, is_no_time),
        (Bound(3, 0.0, LATE, f"a copy comes up to {LATE:g} s late"),),
        usual=(0.0,),
        only_simulated=True,
    ),
    "disk": Verb((_node, _one_of(DISKS)), FREELY, only_simulated=True),
    "wipe": Verb((_node,), FREELY, by_engine=True),  # `model` counts the nodes, and looks at what is put back
    "copy": Verb((_node,), FREELY, by_engine=True),
    "restore": Verb((_node, _maybe_node), FREELY, usual=(None,), by_engine=True),
    "accept": Verb((_node,), FREELY),
    "join": Verb((_new, _maybe_node), FREELY, usual=(None,)),
    "leave": Verb((_node,), FREELY),
    "clock": Verb(
        (_node, _rate),
        (Bound(1, 1 - CLOCK, 1 + CLOCK, f"clocks run within {100 * CLOCK:g} % of the right rate"),),
        only_simulated=True,
    ),
    "ambush": Verb(
        (_one_of(tuple(MOMENTS)), is_no_time, is_no_time),
        (
            Bound(1, 0.0, AMBUSH, f"an ambush crashes within {AMBUSH:g} s of the act"),
            Bound(2, 0.0, DOWN, f"a node that was ambushed is back within {DOWN:g} s"),
        ),
        only_simulated=True,
    ),
    "mend": Verb((), FREELY),
}
"""Every verb of a script.  Whatever has no row here is outside the fault model, whatever its arguments."""
