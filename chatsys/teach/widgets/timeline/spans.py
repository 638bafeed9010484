"""Spans: what every node was over time, and which faults lay over whom.

Roles are folded by `figures.role_spans`, as for every figure; here they become bands over lanes.  Faults are read from
what the worlds write into the trace, and nothing else, so that they are the same for every world and for a saved run:

    cut 1 | 2,3       partition      until heal, or until each way is reconnected
    slow lose fault   a link rule    until a later rule of its kind holds for the link, or all is healed
    fault             a disk, a clock    until it is "ok" again, or right
    pause crash stand_down           until the node goes on, begins again, has ended

A fault that shrinks, since one of its links works again, ends there, and the rest of it begins as a span of its own:
so a span lies over exactly the lanes that it touches, from its begin to its end.

Assumes   records in the order of events.
Promises  no span has an end before its beginning; a rule with only zeros is no fault.
Read also `sim.network` (which of several rules holds), `faults.wording` (the sentences), `packing`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatsys.actor.actor import Address
from chatsys.faults.fault import Fault
from chatsys.faults.wording import NUMBER, directions, in_words, of_links
from chatsys.teach.figures.role_spans import DOWN, RoleSpans, stopped_itself
from chatsys.teach.widgets.timeline.lanes import Lanes
from chatsys.trace import Record

ANY = "*"
WORDS_OF_ROLES = {"leader": "leads", "follower": "follows"}
"""What a node does in a role, where that is another word; all other roles are told as they are."""
HOW_IT_ENDED = {"crash": "crashed", "stop": "stopped", "broken": "stopped itself", "refused": "was refused"}
RIGHT = {"disk": "ok", "clock": "1.0"}
"""What a disk and a clock are when nothing is wrong with them."""
_OF_NODE = re.compile(rf"(?:(disk)|(clock)) of node (\d+): (?(1)(\w+)|rate ({NUMBER}))")
_RULE = re.compile(rf"(slow|lose|duplicate) (.+) - (.+): ({NUMBER}(?: \+ {NUMBER})*)")

Way = tuple[int, int]
"""One direction of a link: the lanes of its two ends."""


def find_bands(records: Sequence[Record], lanes: Lanes) -> list[list[Any]]:
    """Return [lane, from, to, what, label] for each stretch in which a node had one role in one term, or had no life."""
    spans = RoleSpans().feed(records)
    ended = {
        (record.node, record.time): record
        for record in records
        if record.kind in HOW_IT_ENDED and not stopped_itself(record)
    }
    found = []
    for band in spans.bands():
        what, label = WORDS_OF_ROLES.get(band.role, band.role), f"term {band.term}" if band.term else ""
        if band.role == DOWN:
            end = ended.get((band.node, band.start))
            label = HOW_IT_ENDED[end.kind] if end else DOWN
            what = "broken" if end and end.kind == "broken" else DOWN
        found.append([lanes.of[band.node], band.start, band.end, what, label])
    return found


@dataclass
class Span:
    """One fault: what, since when, over whom."""

    begin: float
    kind: str
    sentence: str
    lanes: set[int]
    ways: set[Way] = field(default_factory=set)

    def until(self, end: float) -> list[Any]:
        """Return the span as JSON values."""
        ways = [list(way) for way in sorted(self.ways)]
        return [self.begin, max(end, self.begin), sorted(self.lanes), self.kind, self.sentence, ways]


@dataclass
class LinkRule:
    """A rule about links: of which kind, for which ends, with which values."""

    kind: str
    ends: tuple[Address, Address]
    values: tuple[float, ...]
    sentence: str

    def fits(self, a: Address, b: Address) -> bool:
        """Tell whether the rule is about what `a` sends to `b`."""
        one, other = self.ends
        return (one in (a, ANY) and other in (b, ANY)) or (one in (b, ANY) and other in (a, ANY))


class Faults:
    """The fold: feed it records, then ask for the faults."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes
        self.done: list[list[Any]] = []
        self.cuts: list[Span] = []
        self.rules: list[LinkRule] = []
        self.holding: dict[int, tuple[LinkRule, Span]] = {}
        """By identity of a rule: the rule, and the links for which it holds now."""
        self.of_nodes: dict[tuple[str, int], Span] = {}
        """By kind and lane: what is wrong with a node now."""
        self.links = [
            (a, b) for a in lanes.ids for b in lanes.ids if a != b and (isinstance(a, int) or isinstance(b, int))
        ]

    def feed(self, records: Iterable[Record]) -> "Faults":
        """Take in records in their order."""
        for record in records:
            take = _TAKES.get(record.kind)
            if take is not None:
                take(self, record)
        return self

    def found(self, now: float) -> list[list[Any]]:
        """Return [from, to, lanes, kind, sentence, pairs] for each fault; those that go on end now."""
        still = [*self.cuts, *(span for _, span in self.holding.values()), *self.of_nodes.values()]
        return sorted(
            [*self.done, *(span.until(now) for span in still)], key=lambda one: (one[0], one[1], one[3], one[2])
        )

    def _close(self, span: Span, time: float) -> None:
        self.done.append(span.until(time))

    # --- cuts -------------------------------------------------------------------------------

    def cut(self, record: Record) -> None:
        """Links are cut."""
        ways = self._ways(record)
        told = of_links("cut", record.reason or "")
        self.cuts.append(Span(record.time, "cut", told, {lane for way in ways for lane in way}, ways))

    def reconnect(self, record: Record) -> None:
        """Some of them work again."""
        self._open(self._ways(record), record.time)

    def heal(self, record: Record) -> None:
        """All of them work again, and with `everything` nothing slows, loses or doubles frames any more."""
        self._open({way for span in self.cuts for way in span.ways}, record.time)
        if record.reason == "everything":
            self.rules.clear()
            self._hold(record.time)

    def _ways(self, record: Record) -> set[Way]:
        of = self.lanes.of
        return {(of[a], of[b]) for a, b in directions(record.reason or "") if a in of and b in of}

    def _open(self, ways: set[Way], time: float) -> None:
        for span in [span for span in self.cuts if span.ways & ways]:
            self._close(span, time)
            self.cuts.remove(span)
            if rest := span.ways - ways:
                self.cuts.append(Span(time, "cut", span.sentence, {lane for way in rest for lane in way}, rest))

    # --- rules about links ------------------------------------------------------------------

    def rule(self, record: Record) -> None:
        """A rule about links begins to hold, in the place of what it replaces; or the world did something else."""
        found = _RULE.fullmatch(record.reason or "")
        if found is None:
            return
        kind, ends = found[1], (self._address(found[2]), self._address(found[3]))
        values = tuple(map(float, found[4].split(" + ")))
        everybody = ends == (ANY, ANY)
        self.rules = [old for old in self.rules if old.kind != kind or not (everybody or {*old.ends} == {*ends})]
        self.rules.append(LinkRule(kind, ends, values, of_links(kind, record.reason or "")))
        self._hold(record.time)

    def _address(self, end: str) -> Address:
        return int(end) if end.isdecimal() and int(end) in self.lanes.of else end

    def _hold(self, time: float) -> None:
        """Find which rule holds for which links from now on; close what has changed, and begin it anew."""
        now: dict[int, tuple[LinkRule, set[Way]]] = {}
        for kind in {rule.kind for rule in self.rules}:
            mine = [rule for rule in reversed(self.rules) if rule.kind == kind]
            for a, b in self.links:
                rule = next((rule for rule in mine if rule.fits(a, b)), None)
                if rule is not None and any(rule.values):
                    now.setdefault(id(rule), (rule, set()))[1].add((self.lanes.of[a], self.lanes.of[b]))
        for key, (_, span) in [*self.holding.items()]:
            if key not in now or now[key][1] != span.ways:
                self._close(span, time)
                del self.holding[key]
        for key, (rule, ways) in now.items():
            if key not in self.holding:
                lanes = {lane for way in ways for lane in way}
                self.holding[key] = rule, Span(time, rule.kind, rule.sentence, lanes, ways)

    # --- nodes ------------------------------------------------------------------------------

    def fault(self, record: Record) -> None:
        """The world did something to links, to a disk or to a clock."""
        found = _OF_NODE.fullmatch(record.reason or "")
        if found is None:
            self.rule(record)
            return
        kind, node, value = found[1] or found[2], int(found[3]), found[4] or found[5]
        self._end(kind, node, record.time)
        if value != RIGHT[kind]:
            self._begin(kind, node, record.time, in_short(kind, node, float(value) if kind == "clock" else value))

    def pause(self, record: Record) -> None:
        """A node is paused."""
        self._begin("pause", record.node, record.time, in_short("pause", record.node))

    def resume(self, record: Record) -> None:
        """It goes on."""
        self._end("pause", record.node, record.time)

    def stand_down(self, record: Record) -> None:
        """A node is told to stop."""
        self._begin("shutdown", record.node, record.time, in_short("shutdown", record.node))

    def end(self, record: Record) -> None:
        """A life ended: whatever lay over it; a crash is a fault until the next life."""
        self._end("pause", record.node, record.time)
        self._end("shutdown", record.node, record.time)
        if record.kind == "crash" and not stopped_itself(record):
            self._end("crash", record.node, record.time)
            self._begin("crash", record.node, record.time, in_short("crash", record.node))

    def start(self, record: Record) -> None:
        """A life begins."""
        self._end("crash", record.node, record.time)
        self._end("pause", record.node, record.time)

    def folder(self, record: Record) -> None:
        """A data folder was emptied or replaced, in one moment."""
        of_node = record.reason or "something was done to its folder"
        told = Span(record.time, record.kind, f"Node {record.node}: {of_node}.", {self.lanes.of[record.node]})
        self._close(told, record.time)

    def _begin(self, kind: str, node: Any, time: float, sentence: str) -> None:
        if (lane := self.lanes.of.get(node, -1)) >= 0:
            self.of_nodes.setdefault((kind, lane), Span(time, kind, sentence, {lane}))

    def _end(self, kind: str, node: Any, time: float) -> None:
        span = self.of_nodes.pop((kind, self.lanes.of.get(node, -1)), None)
        if span is not None:
            self._close(span, time)


_TAKES = {
    "cut": Faults.cut, "reconnect": Faults.reconnect, "heal": Faults.heal,
    "slow": Faults.rule, "lose": Faults.rule, "fault": Faults.fault,
    "pause": Faults.pause, "resume": Faults.resume, "stand_down": Faults.stand_down,
    "crash": Faults.end, "broken": Faults.end, "refused": Faults.end, "stop": Faults.end, "start": Faults.start,
    "wipe": Faults.folder, "restored": Faults.folder,
}  # fmt: skip


def in_short(verb: str, *args: Any) -> str:
    """Say in words what a verb does, without the time."""
    told = in_words(Fault(0.0, verb, args)).removeprefix("At 0 s ")
    return told[0].upper() + told[1:]
