"""Strokes: how a still draws lanes, bands, faults and arrows.

Read also `shapes` (signs, axis, logs, rules), `style` (how it looks), `still` (who draws).
"""

from collections.abc import Iterator
from html import escape
from typing import Any

from chatsys.teach.widgets.timeline.excerpt import (
    GROUP_ROW,
    LEFT,
    RIGHT,
    SAYS,
    TOP,
    UNIT,
    WIDE,
    Excerpt,
    Rows,
    across,
    span,
)  # fmt: skip
from chatsys.teach.widgets.timeline.flights import DROPPED, ENDED
from chatsys.teach.widgets.timeline.packing import NO_MESSAGE, Packed
from chatsys.teach.widgets.timeline.style import GROUP

_BAND = 18
"""How high a band is, in pixels."""
_ARE_BANDS = ("pause", "crash", "shutdown")
"""Kinds of faults that are drawn as bands."""
_MARKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LEVELS = 4
"""So many faults over one lane have a bar of their own."""


def attributes(**facts: Any) -> str:
    return " ".join(f'data-{name}="{escape(str(value))}"' for name, value in facts.items() if value is not None)


def side_of(packed: Packed, *events: int) -> int | None:
    """Return the side of what these events are about: 1 or 2 if only that run has it; None where there is one run."""
    if "side" not in packed.columns:
        return None
    sides = [int(packed.columns["side"][event]) for event in events if event >= 0]
    return next((side for side in sides if side in (1, 2)), sides[0] if sides else 0)


def draw_groups(packed: Packed, rows: Rows) -> Iterator[str]:
    """Yield the name of each of two runs above its lanes, and its colour beside them."""
    for side, name in enumerate(packed.about.get("compare", {}).get("names", ()), 1):
        mine = [rows[lane] for lane, facts in enumerate(packed.about["lanes"]) if facts["side"] == side]
        top = min((middle - high / 2 for middle, high in mine), default=0.0)
        bottom = max((middle + high / 2 for middle, high in mine), default=0.0)
        if not mine:
            continue
        yield (
            f'<g class="run" data-side="{side}"><rect x="{LEFT - 86}" y="{top - GROUP_ROW + 4}" width="4" '
            f'height="{bottom - top + GROUP_ROW - 8}" rx="2"/><text x="{LEFT - 78}" y="{top - 8}">{escape(name)}</text></g>'
        )


def draw_parting(packed: Packed, excerpt: Excerpt, bottom: float) -> Iterator[str]:
    """Yield a line through both runs where they part."""
    event = packed.about.get("compare", {}).get("event")
    if event not in excerpt.place:
        return
    x = across(excerpt.place[event])
    yield f'<g class="parting" data-event="{event}"><line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP + SAYS}" y2="{bottom}"/>'
    yield f'<text x="{x + 6:.1f}" y="{TOP + SAYS + 12}">here these runs part</text></g>'


def _middle(rows: Rows, lane: int) -> float:
    return rows[lane][0]


# --- lanes and faults --------------------------------------------------------------------------


def draw_lanes(packed: Packed, excerpt: Excerpt, rows: Rows) -> Iterator[str]:
    """Yield the thread of each lane, and the bands of roles on it."""
    for middle, _ in rows.values():
        yield f'<line class="thread" x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{middle}" y2="{middle}"/>'
    for lane, begin, end, what, label, *side in packed.about["bands"]:
        a, b = span(excerpt, lane, begin, end)
        if b <= a:
            continue
        look = what if what in ("leads", "follows", "down") else "down" if what in ("broken", "paused") else "elects"
        if what in ("up", "learner"):
            look = "follows"
        y = _middle(rows, lane) - _BAND / 2
        facts = attributes(
            node=packed.about["lanes"][lane]["id"], what=what, side=side[0] if side else None,
            **{"from": begin, "to": end},
        )  # fmt: skip
        box = f'x="{a:.1f}" y="{y}" width="{b - a:.1f}" height="{_BAND}" rx="3"'
        yield f'<rect class="band {look}" {box} {facts}/>'
        if look == "down":
            yield f'<rect fill="url(#hatch)" {box} opacity=".5"/>'
        role = "running" if what == "up" else what
        words = label if look == "down" and what != "paused" else f"{role} {label}".strip()
        yield from _label((a, b), _middle(rows, lane) + rows[lane][1] / 2 - 9, words, label)


def _label(stretch: tuple[float, float], y: float, words: str, label: str) -> Iterator[str]:
    a, b = stretch
    for text in (words, label, ""):
        if text and len(text) * 6.4 < b - a - 4:
            yield f'<text class="small note" x="{a + 3:.1f}" y="{y:.1f}">{escape(text)}</text>'
            return


def draw_faults(packed: Packed, excerpt: Excerpt, rows: Rows) -> tuple[list[str], list[str], list[str]]:
    """Return the faults, each over exactly the lanes that it touches: what lies under the lanes, what lies over them,
    and a line about each.  Crashes and pauses are bands already."""
    under: list[str] = []
    over: list[str] = []
    lines: list[str] = []
    taken: dict[tuple[int, int], float] = {}
    for begin, end, lanes, kind, sentence, _, *side in packed.about["faults"]:
        places = [(lane, *span(excerpt, lane, begin, end)) for lane in lanes if kind not in _ARE_BANDS]
        places = [(lane, a, b) for lane, a, b in places if b > a]
        if not places:
            continue
        mark = _MARKS[len(lines) % len(_MARKS)]
        until = "to the end" if end >= packed.columns["time"][-1] else f"to {end:.2f} s"
        run = packed.about["lanes"][lanes[0]].get("run")
        lines.append(f"{mark}   {begin:.2f} s {until}{f', in “{run}”' if run else ''}:  {sentence}")
        level = next(
            (n for n in range(_LEVELS) if all(taken.get((lane, n), -1.0) < a for lane, a, _ in places)), _LEVELS - 1
        )
        for lane, a, b in places:
            taken[lane, level] = b
            facts = attributes(
                kind=kind, node=packed.about["lanes"][lane]["id"], side=side[0] if side else None,
                **{"from": begin, "to": end},
            )  # fmt: skip
            tint, bar = _fault((a, b), rows[lane], level, (mark, facts))
            under.append(tint)
            over.append(bar)
    return under, over, lines


def _fault(
    stretch: tuple[float, float], row: tuple[float, float], level: int, what: tuple[str, str]
) -> tuple[str, str]:
    """Return a fault over one lane: a tint, and a bar with its letter."""
    (a, b), (middle, high), (mark, facts) = stretch, row, what
    top = middle - high / 2 + 2
    bar = top + 6 * level
    x = a + 2 + 13 * level
    return (
        f'<rect class="tint" x="{a:.1f}" y="{top}" width="{b - a:.1f}" height="{high - 4}"/>',
        f'<rect class="fault" x="{a:.1f}" y="{bar}" width="{b - a:.1f}" height="3" {facts}/>'
        f'<g class="badge"><rect x="{x:.1f}" y="{bar - 3}" width="11" height="11" rx="2"/>'
        f'<text x="{x + 5.5:.1f}" y="{bar + 6}" text-anchor="middle">{mark}</text></g>',
    )


def draw_cursor(packed: Packed, excerpt: Excerpt, bottom: float) -> Iterator[str]:
    """Yield an upright line at the event that the excerpt is about, if one was asked for."""
    event = excerpt.cursor
    if event is not None and excerpt.times:
        lane, time = int(packed.columns["lane"][event]), float(packed.columns["time"][event])
        x = across(excerpt.place[event]) if event in excerpt.place else excerpt.x(lane, time)
        facts = attributes(event=event)
        yield f'<line class="cursor" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 18}" y2="{bottom}" {facts}/>'


# --- arrows ------------------------------------------------------------------------------------


def draw_arrows(packed: Packed, excerpt: Excerpt, rows: Rows) -> Iterator[str]:
    """Yield an arrow for each frame that was sent, received or lost in the excerpt."""
    columns = packed.columns
    ends: dict[int, list[int]] = {}
    labels = Labels(rows)
    for event in excerpt.events:
        frame = int(columns["frame"][event])
        if frame >= 0:
            ends.setdefault(frame, []).append(event)
    for frame, events in ends.items():
        send = int(columns["frame_send"][frame])
        arrivals = [event for event in events if event != send]
        for event in arrivals or [-1]:
            yield from _arrow(packed, excerpt, labels, (frame, send, event))


class Labels:
    """Where numbers stand on arrows, so that none covers another, or a lane."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.taken: list[tuple[float, float]] = []

    def place(self, a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
        """Return a free point on the way from `a` to `b`."""
        points = [(a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part) for part in (0.5, 0.36, 0.64, 0.25, 0.75)]
        free = next((point for point in points if self._is_free(*point)), points[0])
        self.taken.append(free)
        return free

    def _is_free(self, x: float, y: float) -> bool:
        on_lane = any(abs(middle - y) < 15 for middle, _ in self.rows.values())
        return not on_lane and all(abs(x - other) > 26 or abs(y - under) > 12 for other, under in self.taken)


def _arrow(packed: Packed, excerpt: Excerpt, labels: Labels, what: tuple[int, int, int]) -> Iterator[str]:
    frame, send, event = what
    columns, about = packed.columns, packed.about
    sender, receiver = int(columns["frame_from"][frame]), int(columns["frame_to"][frame])
    if sender < 0 or receiver < 0 or sender == receiver:
        return
    number = int(columns["frame_message"][frame])
    message = "" if number == NO_MESSAGE else about["messages"][number]
    fate = int(columns["frame_fate"][frame])
    lost = event >= 0 and about["kinds"][columns["kind"][event]] == "drop"
    x1 = across(excerpt.place[send]) if send in excerpt.place else LEFT - 20 if send >= 0 else None
    x2 = across(excerpt.place[event]) if event in excerpt.place else None
    y1, y2 = labels.rows[sender][0], labels.rows[receiver][0]
    if x1 is None:  # nobody told of the sending
        x1, y1 = (x2 or 0) - UNIT, (y1 + 3 * y2) / 4
    if lost and event >= 0 and int(columns["lane"][event]) == sender:
        x2, y2 = x1 + 1.6 * UNIT, y1 + (y2 - y1) * 0.42
    elif x2 is None and fate in (DROPPED, ENDED):
        lost, x2, y2 = True, x1 + 2 * UNIT, y1 + (y2 - y1) * 0.6
    elif x2 is None:
        x2 = WIDE - RIGHT + 20
    group = "lost" if lost else GROUP.get(message, "answer")
    facts = attributes(
        frame=frame, id=about["strings"][columns["id"][event if event >= 0 else send]], message=message,
        fate=fate, send=send, receive=event, side=side_of(packed, send, event), **{"from": about["lanes"][sender]["id"], "to": about["lanes"][receiver]["id"]},
    )  # fmt: skip
    light = " lit" if (event if event >= 0 else send) in excerpt.lit else ""
    yield f'<g class="arrow {group}{light}" {facts}>{_line(x1, y1, x2, y2, lost)}'
    told = int(columns["number"][send]) if send >= 0 else -1
    if told >= 0 and group in ("order", "lost"):
        x, y = labels.place((x1, y1), (x2, y2))
        yield f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">#{told}</text>'
    yield "</g>"


def _line(x1: float, y1: float, x2: float, y2: float, lost: bool) -> str:
    """Return a line that begins and ends a little off its lanes, with a head, or with a cross."""
    length = max(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5, 1.0)
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    off = min(8.0, length / 4)
    x1, y1 = x1 + dx * off, y1 + dy * off
    if lost:
        line = f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        return f'{line}<path d="M{x2 - 5:.1f} {y2 - 5:.1f}l10 10m0 -10l-10 10"/>'
    x2, y2 = x2 - dx * off, y2 - dy * off
    a, b = x2 - dx * 7, y2 - dy * 7
    head = f"{x2:.1f},{y2:.1f} {a - dy * 3.2:.1f},{b + dx * 3.2:.1f} {a + dy * 3.2:.1f},{b - dx * 3.2:.1f}"
    line = f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{a:.1f}" y2="{b:.1f}"/>'
    return f'{line}<polygon points="{head}" stroke="none"/>'
