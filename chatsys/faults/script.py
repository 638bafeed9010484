"""Script: an ordered list of faults, as data; the verbs it may use, and how it is played.

    Script([(3.0, "crash", 3), (5.0, "partition", (1,), (2, 3)), (9.0, "heal")]).play(world)
            |      |       |
          seconds  verb    its arguments, as in world.crash(3)

Assumes   the verbs of the world; the word "leader" stands for whoever leads at that moment.
Promises  what cannot be meant (unknown verb or node, time running back) is refused before it is played;
          what leaves the fault model is played with a warning.
Read also `model` (what is inside), `swarm` (scripts drawn at random), `sim.world` (what the verbs do).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
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


def _seconds(value: Any, nodes: Sequence[int]) -> str | None:
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
    "partition": (1, ()),
    "heal": (0, (_flag,)),
    "slow": (3, (_end, _end, _seconds, _seconds)),
    "lose": (3, (_end, _end, _fraction)),
    "duplicate": (3, (_end, _end, _fraction, _seconds)),
    "disk": (2, (_node, _one_of(DISKS))),
    "clock": (2, (_node, _rate)),
    "ambush": (3, (_one_of(MOMENTS), _seconds, _seconds)),
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
    if verb in ("cut", "slow", "lose", "duplicate") and args[0] == args[1] != ANY:
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


def apply(world: Any, verb: str, args: Sequence[Any], lenient: bool = False) -> bool:
    """Do `verb` in any world now; tell whether it was done.

    With `lenient` a verb that does not fit the moment (crash of a crashed node) is passed over.
    """
    if verb != "say" and any(map(_means_leader, args)):
        leader = world.leader
        if leader is None:
            if lenient:
                return False
            raise UsageError(f"{verb}: there is no leader at the moment; name a node.")
        args = [_with_leader(value, leader) for value in args]
    if verb == "partition" and [isinstance(value, bool) for value in args] in ([False], [False, True]):
        args = [args[0], tuple(node for node in world.nodes if node not in args[0]), *args[1:]]
    _check_there(world, verb)
    try:
        getattr(world, verb)(*args)
    except UsageError:
        if not lenient:
            raise
        return False
    return True


def _check_there(world: Any, verb: str) -> None:
    """Raise `UsageError` if this world cannot do `verb`."""
    if not hasattr(world, verb):
        raise UsageError(f"{verb} exists in the simulated World only; leave it out for a {world.where} cluster.")


def _means_leader(value: Any) -> bool:
    return value == LEADER or (not isinstance(value, str) and isinstance(value, Iterable) and LEADER in value)


def _with_leader(value: Any, leader: int) -> Any:
    """Return an argument, or a group of nodes, with the leader's number in it."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return leader if value == LEADER else value
    return tuple(sorted({leader if node == LEADER else node for node in value}))


def repair(world: Any) -> None:
    """Heal all links, resume and restart everyone, by the verbs that every world has."""
    world.heal(everything=True)
    for node, state in world.status().items():
        if not state["alive"]:
            world.restart(node)
        elif state["paused"]:
            world.resume(node)


class Script:
    """Faults in order of time; `Script([(3.0, "crash", 3), ...])`.  A value: equal, printable."""

    def __init__(self, faults: Iterable[Fault | Sequence[Any]] = (), nodes: Sequence[int] = ()) -> None:
        if isinstance(faults, str | bytes) or not isinstance(faults, Iterable):
            raise UsageError(f"{faults!r} is no script; give a list of faults, for example [(3.0, 'crash', 3)].")
        self.faults: tuple[Fault, ...] = tuple(map(_as_fault, faults))
        self.check(nodes)

    def check(self, nodes: Sequence[int] = ()) -> None:
        """Raise `UsageError` with one sentence for an unknown verb, an unknown node, or time running back."""
        before = 0.0
        for fault in self.faults:
            if not fault.time >= before:
                raise UsageError(f"{fault} comes after {before} s; write the faults in order of time.")
            check_fault(fault.verb, fault.args, nodes)
            before = fault.time

    def play(self, world: Any, lenient: bool = False) -> None:
        """Play from now on: scheduled in a `World`; on a `Cluster` this call lasts as long as the script.

        A script that leaves the fault model is played with a warning, `OutsideModel`.  With
        `lenient`, as engines play theirs, it is not, and what does not fit its moment is passed over.
        """
        from chatsys.faults.model import warn_outside

        self.check(tuple(world.nodes))
        for fault in self.faults:
            _check_there(world, fault.verb)
        if not lenient:
            warn_outside(self, tuple(world.nodes))
        begin = world.now
        for fault in self.faults:
            if world.where == "sim":
                world.at(begin + fault.time, fault.verb, *fault.args, lenient=lenient)
                continue
            if (wait := begin + fault.time - world.now) > 0:
                world.run(wait)
            apply(world, fault.verb, fault.args, lenient)

    def plain(self) -> list[list[Any]]:
        """Return the script as plain JSON values, which `Script` takes back."""
        return [[fault.time, fault.verb, *map(_plain, fault.args)] for fault in self.faults]

    def __len__(self) -> int:
        return len(self.faults)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.faults)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Script) and self.faults == other.faults

    def __hash__(self) -> int:
        return hash(self.faults)

    def __repr__(self) -> str:
        lines = ",\n    ".join(repr((fault.time, fault.verb, *fault.args)) for fault in self.faults)
        return f"Script([\n    {lines},\n])" if lines else "Script([])"

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))


def _as_fault(given: Any) -> Fault:
    """Return what was given as a fault; raises `UsageError` for anything else."""
    facts: Any = (given.time, given.verb, *given.args) if isinstance(given, Fault) and _is_row(given.args) else given
    if not _is_row(facts) or len(facts) < 2 or _seconds(facts[0], ()) or not isinstance(facts[1], str):
        raise UsageError(f"{given!r} is no fault; write (seconds, verb, arguments...), for example (3.0, 'crash', 3).")
    return given if isinstance(given, Fault) else Fault(float(facts[0]), facts[1], tuple(map(_frozen, facts[2:])))


def _is_row(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _frozen(value: Any) -> Any:
    """Return a group of nodes in one order, words last; leave what is no group for `check_fault` to tell."""
    if not isinstance(value, set | frozenset | list | tuple):
        return value
    try:
        return tuple(sorted(value, key=lambda node: (isinstance(node, str), node)))
    except TypeError:
        return tuple(value)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
