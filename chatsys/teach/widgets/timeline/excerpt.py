"""The excerpt: which part of a run a still shows, and where each of its events stands there.

    every event --is_shown--> without noise --choose--> around the first broken rule, crash or election --> places, pixels

Events of a still have places of their own, for what is left out takes no room.

Promises  the event that an excerpt is about is in it.
Read also `axis` (how places are found), `still` (what is done with the excerpt).
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chatsys.teach.widgets.timeline.axis import places
from chatsys.teach.widgets.timeline.packing import NO_MESSAGE, Packed
from chatsys.teach.widgets.timeline.style import SIGNS

WIDE, LEFT, RIGHT, TOP = 1200, 92, 14, 76
"""Pixels: of the picture, and around the lanes."""
UNIT = 15
"""Pixels of one step of the axis."""
RATE, MOST = 400.0, 4.0
ROOM = (WIDE - LEFT - RIGHT - 30) / UNIT
"""Steps of the axis that a picture has room for."""
ROW, CLIENT_ROW = 70, 46
GROUP_ROW = 26
"""Above the lanes of each of two runs that are compared stands its name."""
SAYS = 24
"""Above both stands where they part: two lines under the title."""
QUIET = frozenset({"JOIN", "JOIN_ACK"})
"""Frames that a still leaves out, beside the noise: the nodes only say hello."""

Rows = dict[int, tuple[float, float]]
"""For each lane the middle of its row and how high it is, in pixels."""


@dataclass
class Excerpt:
    """What a still shows: events, each with its place from 0 on."""

    why: str
    cursor: int | None = None
    """The event that it is about, if one was asked for."""
    lit: frozenset[int] = frozenset()
    """Events that are lit; if there are any, all others fade."""
    place: dict[int, float] = field(default_factory=dict)
    """Place of each event that is shown."""
    times: list[float] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    """Time and place of the events, for what lies between them."""
    ends: dict[tuple[int, float], float] = field(default_factory=dict)
    """Place of the first event of a lane at a time."""

    @property
    def events(self) -> list[int]:
        """The events that are shown, in their order."""
        return list(self.place)

    def x(self, lane: int, time: float) -> float:
        """Return where a moment of a lane stands, in pixels."""
        place = self.ends.get((lane, time))
        if place is None:
            place = float(np.interp(time, self.times, self.at)) if self.times else 0.0
        return across(place)


def across(place: float) -> float:
    """Return where a place stands, in pixels."""
    return LEFT + 15 + UNIT * place


def choose(packed: Packed, event: int | None = None, lit: Iterable[int] = ()) -> Excerpt:
    """Return the excerpt around an event, or around what is most worth seeing; `lit` are events that are lit."""
    shown = [at for at in range(len(packed.records)) if is_shown(packed, at)]
    center, before, why = _interest(packed) if event is None else (event, 0.5, "")
    excerpt = Excerpt(why, event, frozenset(lit))
    if not shown:
        return excerpt
    middle = bisect_left(shown, center)
    middle = min(middle, len(shown) - 1)
    near = shown[max(0, middle - 400) : middle + 400]
    number = {at: index for index, at in enumerate(near)}
    columns = packed.columns
    times = columns["time"][near].tolist()
    lanes = columns["lane"][near].tolist()
    found = places(times, lanes, [number.get(_cause(packed, at), -1) for at in near], RATE, MOST)
    begin = min(found[number[shown[middle]]] - ROOM * before, found[-1] - ROOM)
    begin = max(begin, 0.0)
    for at, time, lane, place in zip(near, times, lanes, found, strict=True):
        if begin <= place <= begin + ROOM:
            excerpt.place[at] = place - begin
            excerpt.times.append(time)
            excerpt.at.append(place - begin)
            excerpt.ends.setdefault((lane, time), place - begin)
    return excerpt


def is_shown(packed: Packed, event: int) -> bool:
    """Tell whether a still shows an event."""
    about, columns = packed.about, packed.columns
    kind = about["kinds"][columns["kind"][event]]
    if kind in ("send", "receive", "drop"):
        number = int(columns["message"][event])
        message = "" if number == NO_MESSAGE else about["messages"][number]
        return message not in QUIET and message not in about["noise"] and columns["frame"][event] >= 0
    return kind in SIGNS


def _cause(packed: Packed, event: int) -> int:
    frame = int(packed.columns["frame"][event])
    send = int(packed.columns["frame_send"][frame]) if frame >= 0 else -1
    return send if send != event else -1


def worth_seeing(packed: Packed) -> int:
    """Return the event that is most worth seeing: what broke a rule, a crash, an election, the longest queue, or the end."""
    return _interest(packed)[0]


def _interest(packed: Packed) -> tuple[int, float, str]:
    """Return what is most worth seeing, which share of the picture goes before it, and what it is."""
    jumps = packed.about["jumps"]
    if jumps.get("parting"):
        return jumps["parting"][0], 0.4, "around where the runs part"
    if jumps["violation"]:
        return jumps["violation"][0], 0.8, "around the first broken rule"
    if jumps["crash"]:
        return jumps["crash"][0], 0.3, "around the first crash"
    later = [at for at in jumps["election"] if packed.columns["time"][at] > 2.0]
    if later:
        return later[0], 0.3, "around an election"
    wait = _longest_queue(packed)
    if wait is not None:
        return wait, 0.6, "around the longest queue"
    return max(len(packed.records) - 1, 0), 1.0, "up to its end"


def _longest_queue(packed: Packed) -> int | None:
    """Return the event at which most messages waited at one node; None if none ever waited."""
    column = str(packed.about["held_by"])
    waiting: dict[Any, set[Any]] = {}
    most, found = 0, None
    for at, record in enumerate(packed.records):
        if record.kind not in ("hold", "deliver", "start"):
            continue
        here = waiting.setdefault(record.node, set())
        number = getattr(record, column)
        if record.kind == "hold":
            here.add(number)
        elif record.kind == "start":
            here.clear()
        else:
            here.discard(number)
        if len(here) > most:
            most, found = len(here), at
    return found


def rows_of(packed: Packed) -> Rows:
    """Return where the lanes are."""
    rows, y, run = {}, float(TOP), 0
    for lane, facts in enumerate(packed.about["lanes"]):
        if facts.get("side", 0) != run:
            y += GROUP_ROW + (0 if run else SAYS)
            run = facts["side"]
        high = CLIENT_ROW if facts["kind"] == "client" else ROW
        rows[lane] = (y + high / 2, float(high))
        y += high
    return rows


def span(excerpt: Excerpt, lane: int, begin: float, end: float) -> tuple[float, float]:
    """Return where a stretch of time of a lane begins and ends, in pixels; twice 0 if it lies outside."""
    if not excerpt.times or end < excerpt.times[0] or begin > excerpt.times[-1]:
        return 0.0, 0.0
    a = LEFT if begin < excerpt.times[0] else excerpt.x(lane, begin)
    b = WIDE - RIGHT if end >= excerpt.times[-1] else excerpt.x(lane, end)
    return a, b
