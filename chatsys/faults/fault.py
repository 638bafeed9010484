"""Fault: one thing that happens to a cluster, as data; refused if it cannot be meant.

    Fault(3.0, "crash", (3,))      at 3 s: crash(3)        "leader" stands for whoever leads then, "*" for every end
    check_fault("slow", (1, 1, 0.1))   UsageError          both ends are 1

Promises  what cannot be meant (an unknown verb, no such node, half an argument) is refused in one sentence,
          before anything is done.
Read also `verbs` (what each may be given), `script` (many of them), `model` (how much may go wrong), `testbed` (who does it).
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from chatsys.errors import UsageError
from chatsys.faults.verbs import ANY, VERBS


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
    least, takes = VERBS[verb].least, VERBS[verb].takes
    groups: Sequence[Any] = ()
    if verb == "partition":
        groups = args[:-1] if args and isinstance(args[-1], bool) else args
        if not groups:
            raise UsageError("partition was given no group of nodes; write for example (1, 2).")
        args, takes = groups, takes * len(groups)
    if not least <= len(args) <= len(takes):
        count = f"{least} to {len(takes)}" if least < len(takes) else str(least)
        raise UsageError(f"{verb} takes {count} argument{'s' * (count != '1')}, not {len(args)}.")
    for check, value in zip(takes, args, strict=False):
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
