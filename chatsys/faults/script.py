"""Script: an ordered list of faults, as data, and how it is played.

    Script([(3.0, "crash", 3), (5.0, "partition", (1,), (2, 3)), (9.0, "heal")]).play(world)
            |      |       |
          seconds  verb    its arguments, as in world.crash(3)

Assumes   the verbs of the world; the word "leader" stands for whoever leads at that moment.
Promises  what cannot be meant (unknown verb or node, time running back) is refused before it is played;
          what leaves the fault model is played with a warning.
Read also `fault` (one of them), `model` (what is inside), `swarm` (scripts drawn at random), `sim.world` (what the verbs do).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chatsys.errors import UsageError
from chatsys.faults.fault import LEADER, Fault, check_fault, is_no_time
from chatsys.faults.model import warn_outside


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
    if not _is_row(facts) or len(facts) < 2 or is_no_time(facts[0], ()) or not isinstance(facts[1], str):
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
