"""The fault model: what may go wrong at most, so that a verdict about the protocol means something.

    nodes    crash and come back, any number, at any moment; what was synced is never lost
    pauses   up to PAUSE seconds                         processes that stand still
    clocks   within CLOCK of the right rate, any offset
    links    lose, cut one way or both: as much as you like; late by DELAY + JITTER, copies by LATE
    disks    slow, full, failing: the node stops; none loses or changes a synced line
    folders  those of a minority are emptied or swapped, and accepted when everything else is mended
    learners come, leave and lose their folders as they like: they count nowhere
    the end  everything that began is over when the calm begins: `mend`, or each by its own

Safety holds without most of these bounds; liveness is promised inside them, and inside them only.
A `rot` of synced lines is outside: no verb of a script does it (`mutants.schedules` shows it).  So is an older copy
of a node's own folder, for nobody may be able to see it.

    outside(script, nodes)  -->  "world.at(3.0, 'clock', 1, 2.0) is outside the fault model: ...", or None

Promises  says what leaves the model and which bound it breaks; draws nothing from any generator.
Read also `verbs` (the bound of each argument), `script`, `swarm` (asserts that what it draws stays inside).
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chatsys.faults.fault import Fault
from chatsys.faults.verbs import ANY, LEADER, VERBS

PAUSE = 7.0
"""Seconds; the bounds that a single step must keep stand beside its verb."""
_ROUNDED = 0.001
"""Both ends of a pause are rounded to milliseconds."""

BOUNDS = {name: verb.bounds for name, verb in VERBS.items()}
"""The bounds of every verb; what has no line here is outside, whatever its arguments."""


class OutsideModel(UserWarning):
    """A script does more than the fault model allows: it is played, but its outcome proves nothing."""


def outside(script: Iterable[Fault], nodes: Sequence[int] = (), mended: float | None = None) -> str | None:
    """Return how `script` leaves the fault model, in a sentence; None if it stays inside.

    `mended` is when somebody repairs everything after the script (`World.mend`); without, the
    script has to end by itself whatever it begins.
    """
    told = _Reading(nodes, certain=mended is not None)
    end = mended if mended is not None else 0.0
    for fault in script:
        if wrong := next(told.take(fault), None):
            return wrong
        end = max(end, fault.time)
    if wrong := next(told.pauses_at(end), None):
        return wrong
    return next(told.endless(), None) if mended is None else None


def warn_outside(script: Iterable[Fault], nodes: Sequence[int] = ()) -> None:
    """Warn whoever plays `script` if a step of it breaks a bound; that some fault never ends is no such step."""
    told = _Reading(nodes, certain=False)
    found = [wrong for fault in script for wrong in told.take(fault)]
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        warnings.warn(
            f"{found[0]}{more} It is played all the same, but what comes of it proves nothing about the protocol.",
            OutsideModel,
            stacklevel=4,
        )


class _Reading:
    """A script read step by step: what it broke and did not repair yet, and since which step.

    `certain`: "leader" may be any node, so all must be repaired; otherwise the benefit of the doubt.
    """

    def __init__(self, nodes: Sequence[int], certain: bool) -> None:
        self.nodes, self.certain = tuple(nodes), certain
        self.open: dict[tuple[Any, ...], Fault] = {}
        self.replaced: set[Any] = set()
        """The nodes whose folder was emptied or replaced, and not accepted since."""

    def take(self, fault: Fault) -> Iterator[str]:
        """Take in one step; yield a sentence for each bound that it breaks."""
        if fault.verb not in BOUNDS:  # SPECIFICATION R15.1, R15.2
            yield _told(fault, "no bound says how much of it there may be")
            return
        for bound in BOUNDS[fault.verb]:
            if bound.argument < len(fault.args) and not bound.least <= fault.args[bound.argument] <= bound.most:
                yield _told(fault, f"{bound.sentence}, not {fault.args[bound.argument]:g}")
        yield from self._folders(fault)
        yield from self._follow(fault)

    def _folders(self, fault: Fault) -> Iterator[str]:
        """Yield a sentence if more than a minority lose their folders, an older copy comes back, or one is accepted too early."""
        if fault.verb in ("wipe", "restore") and self.nodes and fault.args[0] not in (*self.nodes, LEADER):
            return  # a learner's: nobody counts it
        match fault.verb, fault.args:
            case "restore", (node, *of) if not of or of[0] in (None, node):
                yield _told(fault, "an older copy of a node's own folder looks as if the node had just slept")
            case (("wipe" | "restore"), (node, *_)):
                self.replaced.add(node)
                most = (len(self.nodes) - 1) // 2
                if self.nodes and len(self.replaced) > most:
                    yield _told(
                        fault, f"of {len(self.nodes)} nodes {most} may lose their folders, until they are accepted"
                    )
            case "accept", (node,):
                if node in self.replaced and (broken := [key for key in self.open if key != ("down", node)]):
                    yield _told(
                        fault, f"a new disk is accepted when all else is mended, and {self.open[broken[0]]} is not"
                    )
                self.replaced.discard(node)

    def _follow(self, fault: Fault) -> Iterator[str]:
        match fault.verb, fault.args:
            case (("crash" | "shutdown"), (node,)):
                yield from self._ended(self._those("pause", node), fault.time)
                self._began(self._those("down", node), fault)
            case "restart", (node,):
                yield from self._ended(self._those("down", node), fault.time)
            case "pause", (node,):
                self._began(self._those("pause", node), fault)
            case "resume", (node,):
                yield from self._ended(self._those("pause", node), fault.time)
            case (("cut" | "partition"), _):
                for way in _ways(fault):
                    self.open.setdefault(("cut", *way), fault)
            case "reconnect", _:
                yield from self._ended([("cut", *way) for way in _ways(fault)], fault.time)
            case "heal", (True,):
                yield from self._ended([key for key in self.open if key[0] in ("cut", "link")], fault.time)
            case "heal", _:
                yield from self._ended([key for key in self.open if key[0] == "cut"], fault.time)
            case ("slow" | "lose" | "duplicate") as verb, (a, b, *values):
                yield from self._ruled(verb, (a, b), any(values[: 2 if verb == "slow" else 1]), fault)
            case "disk", (node, health):
                yield from self._ended(self._those("disk", node), fault.time)
                if health != "ok":
                    self._began(self._those("disk", node), fault)
                if health in ("full", "failing"):
                    self._began(self._those("down", node), fault)
            case "ambush", _:
                self._began([("ambush",)], fault)
            case "leave", (node,):
                yield from self._ended([("down", node), ("pause", node), ("disk", node)], fault.time)
            case "mend", _:
                yield from self._ended(list(self.open), fault.time)

    def _those(self, what: str, node: Any) -> list[tuple[Any, ...]]:
        """Return what to write down about `node`, which may be "leader"."""
        if node != LEADER:
            return [(what, node)] if self.certain else [(what, node), (what, LEADER)]
        return [(what, one) for one in self.nodes or (LEADER,)] if self.certain else [(what, LEADER)]

    def _began(self, keys: list[tuple[Any, ...]], fault: Fault) -> None:
        for key in keys if self.certain else keys[:1]:
            self.open.setdefault(key, fault)

    def _ended(self, keys: list[tuple[Any, ...]], now: float) -> Iterator[str]:
        for key in keys:
            if (began := self.open.pop(key, None)) is not None and key[0] == "pause":
                yield from _too_long(began, now)

    def _ruled(self, verb: str, link: tuple[Any, Any], bad: bool, fault: Fault) -> Iterator[str]:
        """A rule on one link replaces its last one; a rule on all links replaces all of them."""
        ends = frozenset(link)
        replaced = [key for key in self.open if key[:2] == ("link", verb) and (ends == {ANY} or key[2] == ends)]
        yield from self._ended(replaced, fault.time)
        if bad:
            self._began([("link", verb, ends)], fault)

    def pauses_at(self, end: float) -> Iterator[str]:
        """Yield a sentence for each pause that lasts too long when everything ends at `end`."""
        for key, began in self.open.items():
            if key[0] == "pause":
                yield from _too_long(began, end)

    def endless(self) -> Iterator[str]:
        """Yield a sentence for everything that nobody repairs."""
        for began in self.open.values():
            yield _told(began, 'what it begins has an end, at the latest a "mend"')


def _ways(fault: Fault) -> Iterator[tuple[Any, Any]]:
    """Yield the directions (from, to) that a cut, a partition or a reconnection is about; "*" are all others."""
    *sides, one_way = fault.args if isinstance(fault.args[-1], bool) else (*fault.args, False)
    groups = sides if fault.verb == "partition" else [(side,) for side in sides]
    if len(groups) == 1:
        groups = [*groups, (ANY,)]
    for at, one in enumerate(groups):
        for a, b in ((a, b) for other in groups[at + 1 :] for a in one for b in other):
            yield a, b
            if not one_way:
                yield b, a


def _too_long(pause: Fault, now: float) -> Iterator[str]:
    if now - pause.time > PAUSE + _ROUNDED + 1e-9:
        yield _told(pause, f"a pause lasts up to {PAUSE:g} s, this one {now - pause.time:g} s")


def _told(fault: Fault, bound: str) -> str:
    return f"{fault} is outside the fault model: {bound}."
