"""Lasting: from when to when each fault of a run lay over which nodes and links.

    steps  2.2 s cut(1, 3) ... 9.0 s heal()     -->  cut(1, 3) from 2.2 s to 9.0 s, over the links 1-3 and 3-1
    trace  crash 2 ... start 2                       crash(2) from 4.0 s to 6.5 s, over node 2

A step says when a fault begins.  When it ends other steps say (a cut, a rule, a disk), or the trace does (a node that
is down ends being so where it starts, whoever started it).  A trace whose steps nobody kept says them itself.

Promises  a fault that was repaired before a moment does not lie over it; one that nobody repaired lasts for ever.
Read also `faults.model`, which reads scripts in the same way; `obligations` (what these lie over).
"""

import math
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from chatsys.faults import Fault
from chatsys.faults.verbs import ANY
from chatsys.faults.wording import directions
from chatsys.trace import Record, Trace

RULES = ("slow", "lose", "duplicate")
BREAKING = ("crash", "shutdown", "pause", "cut", "partition", *RULES, "disk", "wipe", "restore", "clock", "ambush")
"""The verbs that break something, if their arguments do."""


class Lasting(msgspec.Struct, kw_only=True):
    """One fault over time; it touches whole `nodes`, and single directions of `links`, where "*" is every end."""

    fault: Fault
    begin: float
    end: float = math.inf
    nodes: frozenset[Any] = frozenset()
    links: frozenset[tuple[Any, Any]] = frozenset()
    itself: bool = False
    """Whether it is a node that stopped itself, which no step of the run did."""
    step: int | None = None
    """Its place among the steps of the run, if they are known; below 0: it is a condition of the world."""

    def lies_over(self, since: float, until: float) -> bool:
        """Tell whether it lay over some moment of this time; a crash and a start of one moment lie over that moment."""
        return self.begin <= until and (self.end > since or self.begin >= since)

    def touches(self, nodes: Collection[Any], links: Collection[tuple[Any, Any]]) -> bool:
        """Tell whether it touches one of these nodes, or one of these directions."""
        return bool(self.nodes & set(nodes)) or any(
            a in (one, ANY) and b in (other, ANY) for a, b in self.links for one, other in links
        )

    def concerns(self, clients: Collection[Any]) -> bool:
        """Tell whether it touches a node, or one of these clients: what happens to another client delays none of theirs."""

        def mine(end: Any) -> bool:
            return not isinstance(end, str) or end == ANY or end in clients

        return any(map(mine, self.nodes)) or any(mine(a) and mine(b) for a, b in self.links)


def breaks(fault: Fault) -> bool:
    """Tell whether a step breaks something, and does not only repair or say."""
    verb, args = fault.verb, fault.args
    if verb in RULES:
        return any(args[2 : 4 if verb == "slow" else 3])
    return verb in BREAKING and not (verb == "disk" and args[1] == "ok") and not (verb == "clock" and args[1] == 1.0)


def lasting(steps: Iterable[tuple[int | None, Fault]], trace: Trace) -> list[Lasting]:
    """Return every fault among these steps (with their places) in order of time, and how long it lasted."""
    reading = _Reading(trace)
    for step, fault in steps:
        reading.take(step, fault)
    return sorted(reading.found, key=lambda one: one.begin)


class _Reading:
    """Steps, read in order: what is broken now, and by which of them."""

    def __init__(self, trace: Trace) -> None:
        self.members = trace.nodes
        self.found: list[Lasting] = []
        self.cuts: list[tuple[Lasting, set[tuple[Any, Any]]]] = []
        """The cuts that are in force, and which of their directions still are."""
        self.open: dict[tuple[Any, ...], Lasting] = {}
        """Rules, disks and clocks, by what would replace them."""
        self.starts = _times(trace, "start")
        self.goes_on = _times(trace, "resume", "crash", "stop")
        self.full = [r for r in trace.of("crash") if (r.reason or "").startswith("The disk")]
        self.gave_up = {(r.node, r.time) for r in trace.of("crash") if (r.reason or "").startswith("It stopped itself")}
        self.ambushed = [record for record in trace.of("crash") if record.reason == "ambush"]

    def take(self, step: int | None, fault: Fault) -> None:
        """Take in one step."""
        verb, args, time = fault.verb, fault.args, fault.time
        one = Lasting(fault=fault, begin=time, step=step)
        match verb:
            case "crash" | "shutdown":
                one.nodes, one.end = frozenset(args[:1]), _after(self.starts, args[0], time)
                one.itself = (args[0], time) in self.gave_up
            case "pause":
                one.nodes, one.end = frozenset(args[:1]), _after(self.goes_on, args[0], time)
            case "cut" | "partition":
                one.links = frozenset(_ways(fault, self.members))
                self.cuts.append((one, set(one.links)))
            case "reconnect":
                self._reconnect(set(_ways(fault, self.members)), time)
            case "heal" | "mend":
                self._heal(everything=verb == "mend" or bool(args and args[0]), machines=verb == "mend", time=time)
            case "slow" | "lose" | "duplicate":
                one.links = frozenset(((args[0], args[1]), (args[1], args[0])))
                self._rule(one)
            case "disk" | "clock":
                one.nodes = frozenset(args[:1])
                self._replace((verb, args[0]), one)
            case "wipe" | "restore":
                one.nodes = frozenset(args[:1])
            case "ambush":
                self._ambush(one)
        if breaks(fault):
            self.found.append(one)

    def _ambush(self, one: Lasting) -> None:
        """It lies over the node that it crashed; over nothing, if it crashed none."""
        crash = next((crash for crash in self.ambushed if crash.time >= one.begin), None)
        one.end = one.begin
        if crash is not None:
            self.ambushed.remove(crash)
            one.nodes, one.begin = frozenset((crash.node,)), crash.time
            one.end = _after(self.starts, crash.node, crash.time)

    def _reconnect(self, ways: set[tuple[Any, Any]], time: float) -> None:
        for one, left in self.cuts:
            left -= ways
            if not left:
                one.end = time
        self.cuts = [(one, left) for one, left in self.cuts if left]

    def _heal(self, everything: bool, machines: bool, time: float) -> None:
        self._reconnect({way for _, left in self.cuts for way in left}, time)
        for key in list(self.open):
            if (everything and key[0] in RULES) or machines:
                self._end(key, time)

    def _rule(self, one: Lasting) -> None:
        """A rule on one link replaces its last one; a rule on all links replaces all of them."""
        verb, ends = one.fault.verb, frozenset(one.fault.args[:2])
        for key in [key for key in self.open if key[0] == verb and ends in ({ANY}, key[1])]:
            self._end(key, one.begin)
        self._replace((verb, ends), one)

    def _replace(self, key: tuple[Any, ...], one: Lasting) -> None:
        if key in self.open:
            self._end(key, one.begin)
        if breaks(one.fault):
            self.open[key] = one

    def _end(self, key: tuple[Any, ...], time: float) -> None:
        """It ends now; a disk that stopped its node lasts until the node starts again."""
        one = self.open.pop(key)
        stopped = [crash for crash in self.full if crash.node in one.nodes and one.begin <= crash.time <= time]
        one.end = time
        if stopped and key[0] == "disk":
            one.end = max(time, _after(self.starts, stopped[-1].node, stopped[-1].time))


def _times(trace: Trace, *kinds: str) -> dict[Any, list[float]]:
    found: dict[Any, list[float]] = {}
    for record in trace.of(*kinds):
        found.setdefault(record.node, []).append(record.time)
    return {node: sorted(times) for node, times in found.items()}


def _after(times: dict[Any, list[float]], node: Any, moment: float) -> float:
    """Return the first of a node's times behind `moment`, or at it: who crashes and starts at once was down for no time."""
    mine = times.get(node, [])
    at = bisect_left(mine, moment)
    return mine[at] if at < len(mine) else math.inf


def _ways(fault: Fault, members: Sequence[int]) -> Iterator[tuple[Any, Any]]:
    """Yield the directions (from, to) that a cut, a partition or a reconnection is about."""
    *sides, one_way = fault.args if isinstance(fault.args[-1], bool) else (*fault.args, False)
    groups = [tuple(side) for side in sides] if fault.verb == "partition" else [(side,) for side in sides]
    if len(groups) == 1:
        groups = [*groups, tuple(node for node in members if node not in groups[0])]
    for at, one in enumerate(groups):
        for a, b in ((a, b) for other in groups[at + 1 :] for a in one for b in other):
            yield a, b
            if not one_way:
                yield b, a


# --- a trace whose steps nobody kept ----------------------------------------------------------------


def steps_of(trace: Trace) -> list[tuple[int | None, Fault]]:
    """Return the steps that a trace tells of: what was broken, and what was repaired."""
    return [(None, fault) for record in trace.in_order() for fault in _step(record)]


def _step(record: Record) -> Iterator[Fault]:
    time, reason, kind = record.time, record.reason or "", record.kind
    match kind:
        case "crash" | "pause" | "resume" | "wipe":
            yield Fault(time, kind, (record.node,))
        case "stand_down":
            yield Fault(time, "shutdown", (record.node,))
        case "restored":
            yield Fault(time, "restore", (record.node, None))
        case "cut" | "reconnect":
            groups = [tuple(map(int, re.findall(r"\d+", side))) for side in re.split(r"\||->", reason)]
            if all(len(group) == 1 for group in groups) and len(groups) == 2:
                yield Fault(time, kind, (*(group[0] for group in groups), "->" in reason))
            elif kind == "cut":
                yield Fault(time, "partition", (*groups, "->" in reason))
            else:
                yield from (Fault(time, kind, (a, b, True)) for a, b in directions(reason))
        case "heal":
            yield Fault(time, kind, (reason == "everything",))
        case "slow" | "lose" | "fault":
            if found := re.fullmatch(r"(\w+) (.+) - (.+): ([\d.e+ -]+)", reason):
                a, b = (int(end) if end.isdecimal() else end for end in found.group(2, 3))
                yield Fault(time, found[1], (a, b, *map(float, found[4].split(" + "))))
            elif found := re.fullmatch(r"disk of node (\d+): (\w+)", reason):
                yield Fault(time, "disk", (int(found[1]), found[2]))
            elif found := re.fullmatch(r"clock of node (\d+): rate ([\d.]+)", reason):
                yield Fault(time, "clock", (int(found[1]), float(found[2])))
