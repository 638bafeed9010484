"""Overlay: two packed runs as one, laid over each other on one axis.

    run 1   lanes 0..3   events 0 1   2 3         events  0 1 2 3 4 5 6    in order of time
    run 2   lanes 0..3   events   0 1   2    -->  lanes   0..3 and 4..7    column `run`   1 1 2 ...
                                                                           column `side`  0 0 0 1 2 ...

`run` is the run that an event belongs to, 1 or 2; `side` is 0 if the other one has it too, 3 if nobody compared it (a
frame, where one of the runs was real), else the same as `run`.
Bands and faults say it at their end: a band is cut where the runs begin or cease to agree.

Promises  nothing of either run is lost: its events, frames, bands and rules are all there, in their order; no frame
          leads from one run to the other.
Read also `packing` (what is packed), `differences` (what both have), `comparing` (who shows it).
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from chatsys.teach.widgets.timeline.axis import places
from chatsys.teach.widgets.timeline.differences import Differences, matches
from chatsys.teach.widgets.timeline.packing import Packed

_OF_TABLES = {"kind": "kinds", "message": "messages", "frame_message": "messages", "role": "roles", "now_role": "roles"}
_OF_STRINGS = ("text", "author", "room", "client", "reason", "entry", "id", "said")
_OF_LANES = ("lane", "peer", "frame_from", "frame_to")
_OF_EVENTS = ("frame_send", "frame_end")
_FACTS = ("where", "seed", "quorum")
"""Facts of a run that stand beside its name."""

NOBODY = 3
"""The side of an event that was not compared."""

Runs = tuple[Packed, Packed]


def lay_over(runs: Runs, names: tuple[str, str], found: Differences, says: str) -> Packed:
    """Join two packed runs: events in order of time, lanes one group below the other; `says` is where they part."""
    join = _Join(runs, found)
    columns = join.columns()
    columns["run"] = np.asarray([side + 1 for side, _ in join.order], dtype="u1")
    both = [{pair[side] for pair in found.pairs} for side in (0, 1)]
    sides = [0 if at in both[side] else side + 1 if at in found.only[side] else NOBODY for side, at in join.order]
    columns["side"] = np.asarray(sides, dtype="u1")
    lanes = np.where(columns["lane"] < 0, -columns["run"].astype("i4"), columns["lane"])  # each world is one of its own
    columns["place"] = np.asarray(places(columns["time"].tolist(), lanes.tolist(), join.causes(columns)), dtype="<f8")
    about = {**join.about(names), "bands": join.bands(found), "faults": join.faults(found)}
    parted = [] if found.parting is None else found.parting.events
    about["jumps"]["parting"] = sorted(join.event[side][at] for side, at in enumerate(parted) if at >= 0)
    about["compare"] = {
        "names": list(names),
        "says": says,
        "by": found.by,
        "event": min(about["jumps"]["parting"], default=None),
        "runs": [{fact: run.about[fact] for fact in _FACTS} for run in runs],
    }
    return Packed(about, columns, [runs[side].records[at] for side, at in join.order])


def events_of(packed: Packed, side: int) -> list[int]:
    """Return the events of one of the two runs, in its own order: the n-th is its event n."""
    return [int(event) for event in np.flatnonzero(packed.columns["run"] == side + 1)]


def in_one_order(times: Sequence[Sequence[float]], partners: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return (side, event) of both runs in order of time; partners of one moment stand beside each other.

    So what is equal stays side by side on the axis: neither run pushes the other to the right.
    """
    (a, b), order, x, y = times, [], 0, 0
    back = {other: mine for mine, other in partners.items()}
    while x < len(a) and y < len(b):
        mine, other = partners.get(x, -1), back.get(y, -1)
        if a[x] == b[y] and mine == y:
            order += [(0, x), (1, y)]
            x, y = x + 1, y + 1
        elif a[x] < b[y] or (
            a[x] == b[y] and not (mine > y and b[mine] == b[y] and not (other > x and a[other] == a[x]))
        ):
            order.append((0, x))  # its partner, if there is one, comes at another moment
            x += 1
        else:
            order.append((1, y))
            y += 1
    return [*order, *((0, at) for at in range(x, len(a))), *((1, at) for at in range(y, len(b)))]


class _Join:
    """How the numbers of two packed runs become those of one."""

    def __init__(self, runs: Runs, found: Differences) -> None:
        self.runs = runs
        self.order = in_one_order([run.columns["time"].tolist() for run in runs], dict(found.pairs))
        self.event: list[dict[int, int]] = [{-1: -1}, {-1: -1}]
        for number, (side, at) in enumerate(self.order):
            self.event[side][at] = number
        self.lanes = (0, len(runs[0].about["lanes"]))
        self.frames = (0, len(runs[0].columns["frame_send"]))
        self.strings = (0, len(runs[0].about["strings"]))
        self.tables: dict[str, list[str]] = {}
        for table in ("kinds", "messages", "roles"):
            self.tables[table] = list(dict.fromkeys([*runs[0].about[table], *runs[1].about[table]]))

    # --- columns --------------------------------------------------------------------------

    def columns(self) -> dict[str, Any]:
        """Return all columns of both runs, renumbered."""
        behind = (0, len(self.runs[0].records))
        order = np.asarray([behind[side] + at for side, at in self.order], dtype="i8")
        found = {}
        for name in self.runs[0].columns:
            whole = np.concatenate([self._renumbered(name, side) for side in (0, 1)])
            found[name] = whole if name.startswith("frame_") else whole[order]
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

    # --- facts ----------------------------------------------------------------------------

    def about(self, names: tuple[str, str]) -> dict[str, Any]:
        """Return what the browser is told of the two runs, but for their bands and faults."""
        one, other = (run.about for run in self.runs)
        told = one if one["events"] else other  # what its actor is like, a run without events does not say
        joined = {**told, **self.tables, "events": len(self.order), "strings": [*one["strings"], *other["strings"]]}
        joined |= {fact: one[fact] if one[fact] == other[fact] else None for fact in _FACTS}
        joined["duration"] = max(one["duration"], other["duration"])
        first, last = (one, other) if "append" in other["kinds"] else (other, one)
        joined["templates"] = {**first["templates"], **last["templates"]}  # those of a run that has a log win
        joined |= {name: sorted({*one[name], *other[name]}) for name in ("noise", "empties")}
        joined["lanes"] = [
            {**lane, "id": f"{lane['id']} of {name}", "run": name, "side": side + 1}
            for side, name in enumerate(names)
            for lane in self.runs[side].about["lanes"]
        ]
        joined["rules"] = [
            {**rule, "run": name, "event": None if rule["event"] is None else self.event[side][rule["event"]]}
            for side, name in enumerate(names)
            for rule in self.runs[side].about["rules"]
        ]
        joined["jumps"] = {
            name: sorted(self.event[side][at] for side in (0, 1) for at in self.runs[side].about["jumps"].get(name, []))
            for name in {**one["jumps"], **other["jumps"]}
        }
        joined["title"] = f"{names[0]} and {names[1]}"
        return joined

    def bands(self, found: Differences) -> list[list[Any]]:
        """Return the bands of both runs, each with its side: 0 where both nodes were the same."""
        pieces: list[list[Any]] = []
        theirs = [_by_lane(run) for run in self.runs]
        for side in (0, 1):
            for who, mine in theirs[side].items():
                cut = _cut_in_time if found.simulated else _match_in_order
                for piece, is_equal in cut(mine, theirs[1 - side].get(who, [])):
                    pieces.append([self.lanes[side] + piece[0], *piece[1:], 0 if is_equal else side + 1])
        return pieces

    def faults(self, found: Differences) -> list[list[Any]]:
        """Return the faults of both runs, each with its side."""
        told = [[_fault_as_told(run, fault, found.simulated) for fault in run.about["faults"]] for run in self.runs]
        equal = matches(*told)
        joined = []
        for side in (0, 1):
            more, both = self.lanes[side], {pair[side] for pair in equal}
            for at, (begin, end, lanes, kind, says, pairs) in enumerate(self.runs[side].about["faults"]):
                links = [[more + a, more + b] for a, b in pairs]
                over = [more + lane for lane in lanes]
                joined.append([begin, end, over, kind, says, links, 0 if at in both else side + 1])
        return joined


def _by_lane(run: Packed) -> dict[Hashable, list[list[Any]]]:
    """Return the bands of each lane, by the name that the lane has in both runs."""
    found: dict[Hashable, list[list[Any]]] = {}
    for band in run.about["bands"]:
        found.setdefault(run.about["lanes"][band[0]]["id"], []).append(band)
    return found


def _cut_in_time(mine: Sequence[list[Any]], other: Sequence[list[Any]]) -> Iterator[tuple[list[Any], bool]]:
    """Cut bands where those of the other run begin or cease to be the same; tell of each piece whether they are."""
    for lane, begin, end, what, label in mine:
        at = begin
        for _, start, stop, theirs, term in other:
            start, stop = max(start, at), min(stop, end)
            if (theirs, term) != (what, label) or start >= stop:
                continue
            if at < start:
                yield [lane, at, start, what, label], False
            yield [lane, start, stop, what, label], True
            at = stop
        if at < end or begin == end:
            yield [lane, at, end, what, label], False


def _match_in_order(mine: Sequence[list[Any]], other: Sequence[list[Any]]) -> Iterator[tuple[list[Any], bool]]:
    """Tell of each band whether the other run has it in its turn, whenever that was and in whatever term."""
    both = {here for here, _ in matches([band[3] for band in mine], [band[3] for band in other])}
    for at, band in enumerate(mine):
        yield band, at in both


def _fault_as_told(run: Packed, fault: list[Any], simulated: bool) -> Hashable:
    begin, _, lanes, kind, says, _ = fault
    return begin if simulated else None, kind, says, *(run.about["lanes"][lane]["id"] for lane in lanes)
