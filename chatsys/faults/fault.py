"""Fault: one thing that happens to a cluster, as data; and what each verb may be given.

    Fault(3.0, "crash", (3,))      at 3 s: crash(3)        "leader" stands for whoever leads then, "*" for every end
    check_fault("slow", (1, 1, 0.1))   UsageError          both ends are 1

Promises  what cannot be meant (an unknown verb, no such node, half an argument) is refused in one sentence,
          before anything is done.
Read also `script` (many of them), `model` (how much may go wrong), `testbed` (who does it).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from chatsys.errors import UsageError

LEADER = "leader"
ANY = "*"
"""Every end of a link."""
DISKS = ("ok", "slow", "full", "failing")
MOMENTS = ("lead", "promise")
"""Acts after which `ambush` can crash the node: it became leader; it made a promise."""

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


def _maybe_node(value: Any, nodes: Sequence[int]) -> str | None:
    return None if value is None else _node(value, nodes)


def _one_of(names: tuple[str, ...]) -> _Check:
    return lambda value, nodes: None if value in names else f"{value!r} is not one of {', '.join(names)}"


VERBS: dict[str, tuple[int, tuple[_Check, ...]]] = {
    "say": (1, (_text, _maybe_node, _text, _text)),
    "crash": (1, (_node,)),
    "restart": (1, (_node,)),
    "pause": (1, (_node,)),
    "resume": (1, (_node,)),
    "cut": (2, (_node, _node, _flag)),
    "reconnect": (2, (_node, _node, _flag)),
    "partition": (1, ()),
    "heal": (0, (_flag,)),
    "slow": (3, (_end, _end, is_no_time, is_no_time)),
    "lose": (3, (_end, _end, _fraction)),
    "duplicate": (3, (_end, _end, _fraction, is_no_time)),
    "disk": (2, (_node, _one_of(DISKS))),
    "clock": (2, (_node, _rate)),
    "ambush": (3, (_one_of(MOMENTS), is_no_time, is_no_time)),
    "mend": (0, ()),
}
"""Every verb of a script: how many arguments it must have, and what each of them must be."""


class Fault(msgspec.Struct, frozen=True):
    """At `time` (seconds) do `verb` with `args`."""

    time: float
    verb: str
    args: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"world.at({', '.join(map(repr, (self.time, self.verb, *self.args)))})"


def check_fault(verb: str, args: Sequence[Any], nodes: Sequence[int] = ()) -> None:
    """Raise `UsageError` with one sentence if `verb` with `args` cannot be meant."""
    if not isinstance(verb, str) or verb not in VERBS:
        raise UsageError(f"{verb!r} is no verb of a script; there are {', '.join(VERBS)}.")
    least, checks = VERBS[verb]
    if verb == "partition":
        one_way = bool(args) and isinstance(args[-1], bool)
        groups = args[:-1] if one_way else args
        checks = (_group,) * len(groups) + (_flag,) * one_way
    if verb == "partition" and not groups:
        raise UsageError("partition was given no group of nodes; write for example (1, 2).")
    if not least <= len(args) <= len(checks):
        count = f"{least} to {len(checks)}" if least < len(checks) else str(least)
        raise UsageError(f"{verb} takes {count} argument{'s' * (count != '1')}, not {len(args)}.")
    for check, value in zip(checks, args, strict=False):
        if wrong := check(value, nodes):
            raise UsageError(f"{verb}: {wrong}.")
    if verb in ("cut", "reconnect", "slow", "lose", "duplicate") and args[0] == args[1] != ANY:
        raise UsageError(f"{verb}: both ends are {args[0]!r}; a link joins two different nodes.")
    if verb == "partition":
        _check_apart(groups, nodes)


def _check_apart(groups: Sequence[Any], nodes: Sequence[int]) -> None:
    """Raise `UsageError` if some node is in two groups of a partition, or if there is nobody to part them from."""
    if len(groups) == 1 and nodes and not set(nodes) - set(groups[0]):
        raise UsageError("partition: all nodes are in one group, so nobody is parted; leave some of them out.")
    met: set[Any] = set()
    for group in groups:
        if both := sorted(met & set(group), key=str):
            raise UsageError(f"partition: node {both[0]!r} is in two groups; put each node on one side only.")
        met |= set(group)
