"""Script: an ordered list of faults, as data.

    Script([(3.0, "crash", 3), (5.0, "partition", (1,), (2, 3)), (9.0, "heal")]).play(world)
            |      |       |
          seconds  verb    its arguments, as in world.crash(3)

Assumes   the verbs of the world; the word "leader" stands for whoever leads at that moment.
Promises  what cannot be meant (unknown verb or node, time running back) is refused before it is played;
          what leaves the fault model is played with a warning.
Read also `fault` (one of them), `model` (what is inside), `swarm` (scripts drawn at random), `testbed` (who plays it).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from chatsys.errors import UsageError
from chatsys.faults.fault import Fault, check_fault
from chatsys.faults.verbs import is_no_time


class Player(Protocol):
    """Whoever can play a script: every `Testbed`."""

    def _play(self, script: "Script", lenient: bool) -> None:
        """Play `script` from now on."""


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

    def play(self, world: Player, lenient: bool = False) -> None:
        """Play from now on: scheduled in a `World`; on a `Cluster` this call lasts as long as the script.

        A script that leaves the fault model is played with a warning, `OutsideModel`.  With
        `lenient`, as engines play theirs, it is not, and what does not fit its moment is passed over.
        """
        world._play(self, lenient)

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
