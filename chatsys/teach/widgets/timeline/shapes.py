"""Shapes: the signs of a still, its axis, its logs and its rules.

Read also `strokes` (lanes, faults and arrows), `style` (how it looks), `still` (who draws).
"""

import textwrap
from collections.abc import Iterator
from html import escape
from typing import Any

from chatsys.teach.figures.elections import TERMS
from chatsys.teach.widgets.timeline.excerpt import LEFT, RIGHT, WIDE, Excerpt, Rows, across
from chatsys.teach.widgets.timeline.moment import Box, NodeMoment
from chatsys.teach.widgets.timeline.packing import NO_MESSAGE, Packed
from chatsys.teach.widgets.timeline.strokes import attributes, side_of
from chatsys.teach.widgets.timeline.style import GROUP, LEGEND, MEANINGS, SIGNS

_STAR = "0,-8 2.4,-2.6 8,-2.2 3.6,1.6 5,7.4 0,4.2 -5,7.4 -3.6,1.6 -8,-2.2 -2.4,-2.6"
_SHAPES = {
    "say": '<path class="full" d="M-8 -9h16v11h-9l-4 5v-5h-3z"/>',
    "yes": '<circle r="7"/><path d="M-3.5 0l2.5 3l4.5 -6" fill="none"/>',
    "what": '<circle r="7"/><text class="said" x="-3" y="4">?</text>',
    "dot": '<circle class="full" r="2.5"/>',
    "square": '<rect x="-4.5" y="-4.5" width="9" height="9"/>',
    "cross": '<path d="M-6 -6l12 12m0 -12l-12 12" fill="none"/>',
    "tick": '<circle r="6.5" stroke="none"/><path d="M-3.5 0l2.5 3.5l4.5 -7" fill="none"/>',
    "ball": '<circle class="full" r="8.5"/>',
    "wait": '<rect x="-6" y="-7" width="12" height="14" rx="2"/><path d="M-2 -3.5v7m4 -7v7" fill="none"/>',
    "star": f'<polygon class="full" points="{_STAR}"/>',
    "stop": '<polygon class="full" points="-3.5,-8.5 3.5,-8.5 8.5,-3.5 8.5,3.5 3.5,8.5 -3.5,8.5 -8.5,3.5 -8.5,-3.5"/>'
    '<text x="-1.6" y="3.6">!</text>',
    "end": '<rect class="full" x="-5" y="-5" width="10" height="10"/>',
    "begin": '<polygon points="-4.5,-6 6,0 -4.5,6"/>',
    "bars": '<path d="M-3 -6v12m6 -12v12" stroke-width="3" fill="none"/>',
}
"""Each sign around the point (0, 0)."""
_TICKS = 105
"""Pixels between two ticks of the axis at least."""
_BOX, _BOXES = 30, 30
"""Pixels of a box, and so many of them fit: the last ones."""
_ABOUT_BOXES = (
    "A box is a place of the log.  Its colour is its term, #n the number of its message; bar is the barrier entry of a term, "
    "ses says that a client begins to talk.",
    "A dashed edge: not yet durable.  A thick foot: committed, as far as this node knows.",
)
_ABOUT_GREY_BOXES = (
    "A box is a place of the log, grey if both runs wrote it.  #n is the number of its message; bar is the barrier entry of a "
    "term, ses says that a client begins to talk.",
    _ABOUT_BOXES[1],
)
_FAULTS = 9
"""So many lines about faults are there."""
_RULES = 3
"""So many broken rules are told."""


def draw_signs(packed: Packed, excerpt: Excerpt, rows: Rows) -> Iterator[str]:
    """Yield a sign for each event of the excerpt that has one."""
    about, columns = packed.about, packed.columns
    free: dict[int, float] = {}
    for event in excerpt.events:
        kind = about["kinds"][columns["kind"][event]]
        lane = int(columns["lane"][event])
        if kind not in SIGNS or lane < 0:
            continue
        x, y = across(excerpt.place[event]), rows[lane][0]
        facts = attributes(event=event, kind=kind, node=about["lanes"][lane]["id"], side=side_of(packed, event))
        told, inside = _words(packed, event, kind)
        light = " lit" if event in excerpt.lit else ""
        yield (
            f'<g class="sign {kind}{light}" transform="translate({x:.1f} {y})" {facts}>'
            f"<title>{escape(packed.sentence(event))}</title>{_SHAPES[SIGNS[kind]]}"
        )
        if inside:
            yield f'<text x="0" y="3.4" text-anchor="middle">{escape(inside)}</text>'
        if told and x > free.get(lane, 0.0):
            free[lane] = x + 6.4 * len(told)
            yield f'<text class="said" x="-7" y="-13">{escape(told)}</text>'
        yield "</g>"


def _words(packed: Packed, event: int, kind: str) -> tuple[str, str]:
    """Return what stands above a sign, and what stands in it."""
    number = int(packed.columns["number"][event])
    text = packed.look(event, "text")
    if kind == "deliver":
        return ("", str(number)) if number < 1000 else (f"#{number}", "")
    if kind == "ack":
        return f"#{number}", ""
    if kind in ("submit", "indeterminate"):
        return text if len(text) <= 16 else text[:15] + "…", ""
    return "", ""


def draw_axis(packed: Packed, excerpt: Excerpt, bottom: float) -> tuple[list[str], float]:
    """Return ticks with true seconds, and what arrows and signs mean; and where the drawing ends."""
    last, parts = -float(_TICKS), []
    for time, place in zip(excerpt.times, excerpt.at, strict=True):
        x = across(place)
        if x - last >= _TICKS and x < WIDE - RIGHT - 40:
            last = x
            parts.append(f'<line class="thread" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 6}"/>')
            parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 19}" text-anchor="middle">{time:.3f} s</text>')
    meanings, y = _draw_meanings(packed, excerpt, bottom + 42)
    return parts + meanings, y


def _draw_meanings(packed: Packed, excerpt: Excerpt, top: float) -> tuple[list[str], float]:
    """Return a legend of the arrows and signs that are there, in as many lines as it takes."""
    columns, about = packed.columns, packed.about
    kinds = {about["kinds"][columns["kind"][event]] for event in excerpt.events}
    tags = {int(columns["message"][event]) for event in excerpt.events} - {NO_MESSAGE}
    groups = {GROUP.get(about["messages"][tag], "answer") for tag in tags} | ({"lost"} if "drop" in kinds else set())
    items = [(group, words, "") for group, words in LEGEND if group in groups]
    items += [(kind, words, _SHAPES[SIGNS[kind]]) for kind, words in MEANINGS if kind in kinds]
    parts, x, y = [], float(LEFT), top
    for kind, words, sign in items:
        wide = (22 if sign else 36) + 6.2 * len(words)
        if x + wide > WIDE - RIGHT:
            x, y = float(LEFT), y + 23
        if sign:
            parts.append(f'<g class="sign {kind}" transform="translate({x + 9} {y - 1})">{sign}</g>')
        else:
            end = f'<path d="M{x + 21} {y - 5}l8 8m0 -8l-8 8"/>' if kind == "lost" else _head(x + 28, y - 1)
            parts.append(f'<g class="arrow {kind}"><line x1="{x}" x2="{x + 23}" y1="{y - 1}" y2="{y - 1}"/>{end}</g>')
        parts.append(f'<text class="small note" x="{x + (22 if sign else 36)}" y="{y + 3}">{words}</text>')
        x += wide + 24
    return parts, y + 6


def _head(x: float, y: float) -> str:
    return f'<polygon points="{x},{y} {x - 7},{y - 3} {x - 7},{y + 3}" stroke="none"/>'


def draw_lines(lines: list[str], top: float) -> tuple[list[str], float]:
    """Return a line for each fault, and where the drawing ends."""
    if not lines:
        return [], top
    told = lines if len(lines) <= _FAULTS else [*lines[: _FAULTS - 1], f"and {len(lines) - _FAULTS + 1} more"]
    parts = [f'<text class="head" x="{LEFT - 78}" y="{top + 26}">What was done to the cluster</text>']
    parts += [
        f'<text class="small" x="{LEFT - 78}" y="{top + 44 + 16 * at}" xml:space="preserve">{escape(line)}</text>'
        for at, line in enumerate(told)
    ]
    return parts, top + 32 + 16 * len(told)


def draw_logs(packed: Packed, states: dict[int, NodeMoment], excerpt: Excerpt, top: float) -> tuple[list[str], float]:
    """Return what every node's log holds at the event asked for, or at the end of the excerpt; and where the drawing ends."""
    if not any(state.log or state.held for state in states.values()):
        return [], top - 22
    has_log = any(state.log for state in states.values())
    parts = _head_of_logs(packed, excerpt, top, has_log)
    y = top + (46 if has_log else 0)
    terms = sorted({box.entry_term or 0 for state in states.values() for box in state.log})
    places = sorted({box.position for state in states.values() for box in state.log})[-_BOXES:]
    at = {place: LEFT + _BOX * index for index, place in enumerate(places)}
    parts += [
        f'<text class="tick" x="{x + _BOX / 2 - 2:.0f}" y="{y + 8}" text-anchor="middle">{place}</text>'
        for place, x in at.items()
    ]
    y += 13
    names = {facts["id"]: facts for facts in packed.about["lanes"]}
    run = None
    for node, state in states.items():
        name, run, before = names[node]["name"], names[node].get("run"), run
        if run != before:
            side = names[node]["side"]
            parts.append(
                f'<g class="run" data-side="{side}"><text x="{LEFT - 78}" y="{y + 14}">{escape(run)}</text></g>'
            )
            y += 20
        parts.append(f'<text class="lane" x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(name)}</text>')
        for box in state.log:
            if box.position in at:
                parts.append(_draw_box(packed, (node, box), (at[box.position], y), terms.index(box.entry_term or 0)))
        beside = _beside(state)
        if beside:
            x = max((at[box.position] for box in state.log if box.position in at), default=LEFT - _BOX) + _BOX + 6
            parts.append(f'<text class="small note" x="{x}" y="{y + 16}">{escape(beside)}</text>')
        y += 34
    return parts, y


def _head_of_logs(packed: Packed, excerpt: Excerpt, top: float, has_log: bool) -> list[str]:
    when = f"{excerpt.times[-1]:.3f} s, the right end of the picture" if excerpt.times else "the end"
    if excerpt.cursor is not None:
        when = f"{packed.columns['time'][excerpt.cursor]:.3f} s, the upright line"
    what = "The logs" if has_log else "What is held back"
    lines = () if not has_log else _ABOUT_GREY_BOXES if "compare" in packed.about else _ABOUT_BOXES
    return [
        f'<text class="head" x="{LEFT - 78}" y="{top}">{what} at {when}</text>',
        *(
            f'<text class="small note" x="{LEFT - 78}" y="{top + 17 + 15 * at}">{line}</text>'
            for at, line in enumerate(lines)
        ),
    ]


def _beside(state: NodeMoment) -> str:
    told = []
    if state.alive != "up":
        told.append(f"it is {state.alive}")
    if state.unknown:
        told.append(f"up to place {state.unknown} nobody can tell")
    if state.held:
        place = "held back: place " if state.log else "#"
        told.append(f"{place}{', '.join(map(str, state.held[:6]))}{'…' if len(state.held) > 6 else ''}")
    return "; ".join(told)


def _draw_box(packed: Packed, what: tuple[int, Box], where: tuple[float, float], term: int) -> str:
    (node, box), (x, y) = what, where
    fill, ink = TERMS[term % len(TERMS)]
    number = int(packed.columns["number"][box.event])
    word = f"#{number}" if number > 0 else {"chat": "…", "barrier": "bar", "session": "ses"}.get(box.kind, box.kind[:3])
    facts = attributes(
        node=node, seq=box.position, side=side_of(packed, box.event), durable=str(box.durable).lower(), committed=str(box.committed).lower(),
        **{"entry-term": box.entry_term},
    )  # fmt: skip
    edge = "" if box.durable else "open"
    foot = f'<rect class="foot" x="{x}" y="{y + 22}" width="{_BOX - 4}" height="4"/>' if box.committed else ""
    return (
        f'<g class="box" {facts}><rect class="{edge}" x="{x}" y="{y}" width="{_BOX - 4}" height="24" rx="2" fill="{fill}"/>'
        f'<text x="{x + _BOX / 2 - 2}" y="{y + 15.5}" text-anchor="middle" style="fill:{ink}">{escape(word)}</text>{foot}</g>'
    )


def draw_rules(packed: Packed, top: float) -> tuple[list[str], float]:
    """Return which rules were broken, or that all held, and where the drawing ends."""
    broken: list[dict[str, Any]] = [rule for rule in packed.about["rules"] if not rule["held"]]
    held = len(packed.about["rules"]) - len(broken)
    parts = []
    y = top
    for rule in broken[:_RULES]:
        run = f"In “{rule['run']}”: " if "run" in rule else ""
        for index, line in enumerate(textwrap.wrap(run + rule["story"], 165)[:2]):
            mark = '<g class="sign broken" transform="translate({} {})">{}</g>'.format(
                LEFT - 70, y - 4, _SHAPES["stop"]
            )
            parts.append(mark if index == 0 else "")
            parts.append(f'<text x="{LEFT - 54}" y="{y}">{escape(line)}</text>')
            y += 18
        y += 4
    words = {0: "No rule was judged.", 1: "The one rule that can be judged here held."}.get(
        held, f"All {held} rules of the chat held."
    )
    if broken:
        rest = len(broken) - _RULES
        more = f"{rest} more {'rule was' if rest == 1 else 'rules were'} broken; " if rest > 0 else ""
        words = f"{more}{held} {'rule' if held == 1 else 'rules'} held."
    parts.append(f'<text class="note" x="{LEFT - 78}" y="{y}">{words}</text>')
    return parts, y
