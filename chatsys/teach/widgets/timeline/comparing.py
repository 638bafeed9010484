"""Compare: two runs laid over each other, and where they part.

    quorum 2     ----o----o----o-----o---- ...      equal events are drawn grey, and stand at one place
    quorum 1     ----o----o----x--o------- ...      what only one of the two has is in colour
                               ^ here the runs part

What happened is compared for each node and client apart, in the order in which it happened to it; when it happened is
no part of that, for after a first difference every delay may be another.  In two runs of the simulator all that
happened counts, every frame too.  Where one of the runs was real, only the story counts: what a node delivered, whom it
followed, when it crashed; heartbeats and the numbers of places and terms differ always.

    compare(a, b)     a Comparison: its sentence, the events of each that the other lacks, and its picture

Promises  the runs that were given are not changed; of equal runs it says that they are equal.
Read also `packing` (a run as columns), `timeline` (who draws them), `trace` (what is in a record).
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from chatsys.errors import UsageError
from chatsys.teach.widgets.timeline.axis import places
from chatsys.teach.widgets.timeline.packing import Packed, pack
from chatsys.trace import Record, trace_of

FAULTS = frozenset({"cut", "reconnect", "heal", "slow", "lose", "fault"})
STORY = FAULTS | {
    "start", "crash", "restart", "pause", "resume", "stop", "broken", "refused", "wipe", "restored",
    "lead", "follow", "suspect", "restore", "deliver", "submit", "ack", "indeterminate",
}  # fmt: skip
"""Kinds of records that make the story of a node, in whatever world it lives."""
TELLING = frozenset({"durable", "append", "commit", "deliver"})
"""Kinds of records before or after which it matters most that something happens."""
MOST = 1_500
"""What differs in the middle of a longer story is paired in passing, without looking for the longest common part."""


@dataclass(frozen=True)
class Parting:
    """Where two runs part: an event of each, or -1 where that run has ended before."""

    events: tuple[int, int]
    time: float
    """Seconds from the beginning, in the run that goes on its own way first."""


@dataclass(frozen=True)
class Comparison:
    """Two runs beside each other; a notebook shows their timelines, text their sentence."""

    names: tuple[str, str]
    runs: tuple[Packed, Packed]
    parting: Parting | None
    """None: as far as they are compared, the runs are equal."""
    only: tuple[frozenset[int], frozenset[int]]
    """The events of each run that the other one lacks."""
    pairs: tuple[tuple[int, int], ...]
    """The events that both have."""
    by: str
    """`event by event`, or `as far as their stories go` where one of the runs was real."""

    def __str__(self) -> str:
        one, other = self.names
        if self.parting is None:
            return f"“{one}” and “{other}” are equal, {self.by}: {len(self.runs[0].records)} events."
        here = f"Here these runs part, at {self.parting.time:.2f} s: "
        return here + (self._told_in_another_order(*self.parting.events) or self._told_apart(*self.parting.events))

    __repr__ = __str__

    def _told_apart(self, x: int, y: int) -> str:
        told = [
            f"in “{name}” nothing follows that the other lacks" if at < 0 else f"in “{name}”, {_inside(run, at)}"
            for name, run, at in zip(self.names, self.runs, (x, y), strict=True)
        ]
        return f"{told[0]}; {told[1]}."

    def _told_in_another_order(self, x: int, y: int) -> str:
        """Say before and after what the same happens to the same node; "" if it is not the same."""
        if x < 0 or y < 0 or self._word(0, x) != self._word(1, y):
            return ""
        before = [
            {pair[side] for pair in self.pairs if self._is_before(side, pair, at)} for side, at in ((0, x), (1, y))
        ]
        early = 0 if len(before[0]) < len(before[1]) else 1
        between = [
            pair for pair in self.pairs if pair[1 - early] in before[1 - early] and pair[early] not in before[early]
        ]
        if not between:
            return ""
        run, at = self.runs[early], (x, y)[early]
        first = min(between, key=lambda pair: (run.records[pair[early]].kind not in TELLING, pair))
        return (
            f"{_inside(run, at)} both times, in “{self.names[early]}” before and in “{self.names[1 - early]}” after this: "
            f"{run.sentence(first[early])}"
        )

    def _word(self, side: int, at: int) -> Hashable:
        record = self.runs[side].records[at]
        return record.node, _whole(record)

    def _is_before(self, side: int, pair: tuple[int, int], at: int) -> bool:
        records = self.runs[side].records
        return pair[side] < at and records[pair[side]].node == records[at].node

    def packed(self) -> Packed:
        """Return both runs as one, with the lanes of the first above those of the second, on one axis."""
        return _laid_over(self)


def compare(a: Any, b: Any, names: Iterable[str] = ("first", "second")) -> Comparison:
    """Lay two runs over each other: traces, worlds, clusters, runs or demos; `names` is what they are called.

    Raises `UsageError` for what has no trace, and where there are not two different names.
    """
    called = tuple(names) if not isinstance(names, str) else ()
    if len(called) != 2 or called[0] == called[1] or not all(isinstance(one, str) and one for one in called):
        raise UsageError(f"names is {names!r:.60}; give two different names, one for each run.")
    traces = trace_of(a), trace_of(b)
    runs = pack(traces[0]), pack(traces[1])
    simulated = all(trace.meta.get("where") == "sim" for trace in traces)
    told = tuple(_told(run.records, simulated) for run in runs)
    pairs = _equal_events(runs[0].records, runs[1].records, told, _whole if simulated else _story)
    only = tuple(frozenset(told[side]) - {pair[side] for pair in pairs} for side in (0, 1))
    by = "event by event" if simulated else "as far as their stories go"
    return Comparison((called[0], called[1]), runs, _parting(runs, only), (only[0], only[1]), tuple(pairs), by)


def _told(records: Sequence[Record], simulated: bool) -> list[int]:
    """Return the events that count."""
    return [at for at, record in enumerate(records) if simulated or record.kind in STORY]


def _whole(record: Record) -> Hashable:
    """Return what of a record is the same in every run in which the same happened, but for the moment."""
    return (
        record.kind, record.peer, record.message, record.seq, record.msg_no, record.term, record.entry_term,
        record.role if record.kind == "role" else None,
        record.entry, record.verified, record.author, record.text, record.incarnation, record.reason,
    )  # fmt: skip


def _story(record: Record) -> Hashable:
    """Return what of a record is the same in every world: not in which term, not at which place of the log."""
    told = record.reason if record.kind in FAULTS else None
    peer = record.peer if record.kind in ("follow", "suspect", "restore") else None
    return record.kind, peer, record.msg_no, record.author, record.text, told


def _equal_events(
    a: Sequence[Record], b: Sequence[Record], told: Sequence[Sequence[int]], said: Callable[[Record], Hashable]
) -> list[tuple[int, int]]:
    """Return the pairs of events that say the same in the history of one node or client."""
    histories: list[dict[Hashable, list[int]]] = [{}, {}]
    for records, events, history in zip((a, b), told, histories, strict=True):
        for at in events:
            history.setdefault(records[at].node, []).append(at)
    pairs = []
    for node, mine in histories[0].items():
        other = histories[1].get(node, [])
        pairs += [(mine[x], other[y]) for x, y in _matches([said(a[at]) for at in mine], [said(b[at]) for at in other])]
    return pairs


def _matches(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return pairs of places with equal values, in order: the common beginning, the common end, and what is between."""
    least = min(len(a), len(b))
    begin = next((at for at in range(least) if a[at] != b[at]), least)
    end = next((at for at in range(least - begin) if a[-1 - at] != b[-1 - at]), least - begin)
    inner = _inner(a[begin : len(a) - end], b[begin : len(b) - end])
    return [
        *((at, at) for at in range(begin)),
        *((begin + x, begin + y) for x, y in inner),
        *((len(a) - at, len(b) - at) for at in range(end, 0, -1)),
    ]


def _inner(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    if max(len(a), len(b)) <= MOST:
        blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
        return [(block.a + at, block.b + at) for block in blocks for at in range(block.size)]
    places: dict[Hashable, list[int]] = {}
    for at, value in enumerate(b):
        places.setdefault(value, []).append(at)
    pairs, last = [], -1
    for at, value in enumerate(a):
        those = places.get(value, [])
        next_one = bisect_right(those, last)
        if next_one < len(those) and those[next_one] - last <= MOST:
            last = those[next_one]
            pairs.append((at, last))
    return pairs


def _parting(runs: tuple[Packed, Packed], only: Sequence[frozenset[int]]) -> Parting | None:
    firsts = [min(those, default=-1) for those in only]
    if firsts == [-1, -1]:
        return None
    times = [run.records[at].time if at >= 0 else None for run, at in zip(runs, firsts, strict=True)]
    return Parting((firsts[0], firsts[1]), min(time for time in times if time is not None))


def _inside(run: Packed, event: int) -> str:
    """Return a sentence about an event as a part of another sentence."""
    told = run.sentence(event).removesuffix(".")
    return told[0].lower() + told[1:] if told.startswith(("Node ", "Learner ", "The ", "All ", "Links ")) else told


# --- both runs as one ---------------------------------------------------------------------------------


def _laid_over(comparison: Comparison) -> Packed:
    """Join two packed runs: events in order of time, lanes one group below the other."""
    join = _Join(comparison.runs)
    columns = join.columns()
    columns["side"] = _sides(comparison, join)
    columns["place"] = np.asarray(
        places(columns["time"].tolist(), columns["lane"].tolist(), join.causes(columns)), dtype="<f8"
    )
    about = join.about(comparison)
    return Packed(about, columns, [comparison.runs[side].records[at] for side, at in join.order])


def _sides(comparison: Comparison, join: "_Join") -> Any:
    """Return for each event whether both runs have it (0), or which alone (1, 2)."""
    return np.asarray([side + 1 if at in comparison.only[side] else 0 for side, at in join.order], dtype="u1")


_OF_TABLES = {"kind": "kinds", "message": "messages", "frame_message": "messages", "role": "roles", "now_role": "roles"}
_OF_STRINGS = ("text", "author", "room", "client", "reason", "entry", "id", "said")
_OF_LANES = ("lane", "peer", "frame_from", "frame_to")
_OF_EVENTS = ("frame_send", "frame_end")


class _Join:
    """How the numbers of two packed runs become those of one."""

    def __init__(self, runs: tuple[Packed, Packed]) -> None:
        self.runs = runs
        events = [(float(run.columns["time"][at]), side, at) for side, run in enumerate(runs) for at in range(_n(run))]
        self.order = [(side, at) for _, side, at in sorted(events, key=lambda one: one[0])]
        self.event: list[dict[int, int]] = [{-1: -1}, {-1: -1}]
        for number, (side, at) in enumerate(self.order):
            self.event[side][at] = number
        self.lanes = (0, len(runs[0].about["lanes"]))
        self.frames = (0, len(runs[0].columns["frame_send"]))
        self.strings = (0, len(runs[0].about["strings"]))
        self.tables: dict[str, list[str]] = {}
        for table in ("kinds", "messages", "roles"):
            self.tables[table] = list(dict.fromkeys([*runs[0].about[table], *runs[1].about[table]]))

    def columns(self) -> dict[str, Any]:
        """Return all columns of both runs, renumbered."""
        found = {}
        for name in self.runs[0].columns:
            parts = [self._renumbered(name, side) for side in (0, 1)]
            if name.startswith("frame_"):
                found[name] = np.concatenate(parts)
            else:
                found[name] = np.asarray([parts[side][at] for side, at in self.order], dtype=parts[0].dtype)
        return found

    def _renumbered(self, name: str, side: int) -> Any:
        column = self.runs[side].columns[name]
        if name in _OF_TABLES:
            known, whole = self.runs[side].about[_OF_TABLES[name]], self.tables[_OF_TABLES[name]]
            of = {at: whole.index(text) for at, text in enumerate(known)}
            return np.asarray([of.get(int(value), int(value)) for value in column], dtype=column.dtype)
        if name in _OF_STRINGS:
            return np.where(column > 0, column + self.strings[side], 0).astype(column.dtype)
        if name in _OF_LANES:
            return np.where(column >= 0, column + self.lanes[side], -1).astype(column.dtype)
        if name == "frame":
            return np.where(column >= 0, column + self.frames[side], -1).astype(column.dtype)
        if name in _OF_EVENTS:
            return np.asarray([self.event[side][int(value)] for value in column], dtype=column.dtype)
        return column

    def causes(self, columns: dict[str, Any]) -> list[int]:
        """Return for each event at the end of an arrow the event at its beginning, else -1."""
        sends = columns["frame_send"]
        return [
            int(sends[frame]) if frame >= 0 and sends[frame] < at else -1 for at, frame in enumerate(columns["frame"])
        ]

    def about(self, comparison: Comparison) -> dict[str, Any]:
        """Return what the browser is told of the two runs."""
        one, other = (run.about for run in self.runs)
        parting = comparison.parting
        joined = {**one, **self.tables, "events": len(self.order), "strings": [*one["strings"], *other["strings"]]}
        joined["duration"] = max(one["duration"], other["duration"])
        joined["templates"] = {**other["templates"], **one["templates"]}
        for name in ("noise", "empties"):
            joined[name] = sorted({*one[name], *other[name]})
        joined["lanes"] = [
            {**lane, "id": f"{lane['id']} of {name}", "run": name, "side": side + 1}
            for side, name in enumerate(comparison.names)
            for lane in self.runs[side].about["lanes"]
        ]
        joined["bands"] = [*one["bands"], *([self.lanes[1] + lane, *rest] for lane, *rest in other["bands"])]
        joined["faults"] = [fault for side in (0, 1) for fault in self._faults(side)]
        joined["rules"] = [rule for side in (0, 1) for rule in self._rules(side, comparison.names[side])]
        joined["jumps"] = {
            name: sorted(self.event[side][at] for side in (0, 1) for at in self.runs[side].about["jumps"].get(name, []))
            for name in {**one["jumps"], **other["jumps"]}
        }
        parted = [] if parting is None else [self.event[side][at] for side, at in enumerate(parting.events) if at >= 0]
        joined["jumps"]["parting"] = parted
        joined["compare"] = {
            "names": list(comparison.names),
            "says": str(comparison),
            "event": min(parted, default=None),
        }
        joined["title"] = f"{comparison.names[0]} and {comparison.names[1]}"
        return joined

    def _faults(self, side: int) -> list[list[Any]]:
        more = self.lanes[side]
        return [
            [begin, end, [more + lane for lane in lanes], kind, says, [[more + a, more + b] for a, b in pairs]]
            for begin, end, lanes, kind, says, pairs in self.runs[side].about["faults"]
        ]

    def _rules(self, side: int, name: str) -> list[dict[str, Any]]:
        return [
            {**rule, "run": name, "event": None if rule["event"] is None else self.event[side][rule["event"]]}
            for rule in self.runs[side].about["rules"]
        ]


def _n(run: Packed) -> int:
    return int(run.about["events"])
