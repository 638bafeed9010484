"""The picture of lab 02: past and future of an event, by the student's own clocks.

    cones(run, MyOrder, event="2.3")      the figure: every event before 2.3, after it, or concurrent with it

    node 1  --◀----◀------○--        ◀ before the event that was chosen     ▶ after it     ○ concurrent with it
    node 2  ----◀----★-------▶       the colour is what the student's clocks say; a red ring: the paths say otherwise
    node 3  -------○-----○--▶-       a red arrow: it arrives with a Lamport number that is not larger

Read also `beside` (the same to click in, with the chat beside it), `events` (the paths), `teach.figures.theme`.
"""

import os
from itertools import pairwise
from typing import Any, NamedTuple

import plotly.graph_objects as go

from chatsys.errors import UsageError
from chatsys.errors import told as sentence_of
from chatsys.teach.figures import theme
from chatsys.teach.labs.lab02.events import Event, events_of
from chatsys.teach.labs.lab02.stage import PEOPLE
from chatsys.trace import trace_of

BEFORE, AFTER, APART, ITSELF, NONE = "before it", "after it", "concurrent with it", "the event itself", "unclear"
SIGNS = {BEFORE: "◀", AFTER: "▶", APART: "○", ITSELF: "★", NONE: "·"}
LOOKS = {
    BEFORE: ("triangle-left", theme.BLUE),
    AFTER: ("triangle-right", theme.ORANGE),
    APART: ("circle-open", theme.GREY),
    ITSELF: ("star", theme.PURPLE),
    NONE: ("line-ns-open", theme.GREY),
}
"""How an event is drawn."""
WRONG = "the paths say otherwise"
ARROWS = ("message", "its path to it", "its path from it", "arrives with no larger number")


NEAREST = 1 / 26
"""Two events of one node are at least so far apart, as a share of the whole width: their numbers must be legible."""


class Sides(NamedTuple):
    """Where every event is, seen from one of them."""

    said: dict[str, str]
    """event -> what the student's clocks say"""
    true: dict[str, str]
    """event -> what the paths say"""
    error: str = ""


def sides_of(events: list[Event], chosen: Event, order: Any) -> Sides:
    """Return where every event is, seen from `chosen`, by the student's classes and by the paths."""
    true = {one.name: _truth(one, chosen) for one in events}
    if order is None or any(one.vector is None for one in events):
        return Sides(true, true)
    try:
        mine = order()
        return Sides({one.name: _said(mine, one, chosen) for one in events}, true)
    except Exception as error:  # a class that raises must not take the picture with it
        return Sides(
            true, true, f"{getattr(order, '__name__', 'Your class')} stopped: {theme.escape(sentence_of(error), 90)}."
        )


def _truth(one: Event, chosen: Event) -> str:
    if one.name == chosen.name:
        return ITSELF
    return BEFORE if one.is_before(chosen) else AFTER if chosen.is_before(one) else APART


def _said(mine: Any, one: Event, chosen: Event) -> str:
    a, b = dict(one.vector or {}), dict(chosen.vector or {})
    if one.name == chosen.name:
        return ITSELF
    answers = {
        BEFORE: mine.before(dict(a), dict(b)),
        AFTER: mine.before(dict(b), dict(a)),
        APART: mine.concurrent(dict(a), dict(b)),
    }
    told = [side for side, answer in answers.items() if answer]
    return told[0] if len(told) == 1 else NONE


def find(events: list[Event], name: str | None) -> Event:
    """Return the event of this name; without one, the second answer of the chat, or the middle one."""
    if name is None:
        says = [one for one in events if one.kind == "says"]
        return says[min(4, len(says) - 1)] if says else events[len(events) // 2]
    found = next((one for one in events if one.name == name), None)
    if found is None:
        raise UsageError(
            f"There is no event {name!r:.40}; give one of {events[0].name} to {events[-1].name}, for example."
        )
    return found


def places_of(events: list[Event]) -> dict[str, float]:
    """Return where each event is drawn: at its time, but for busy moments, which are stretched."""
    most = max(sum(one.node == node for one in events) for node in {one.node for one in events})
    share, whole = min(NEAREST, 0.6 / most), events[-1].time
    places: dict[str, float] = {}
    for _ in range(8):  # what is stretched makes the whole wider, and with it the least distance
        apart, shift, last = whole * share, 0.0, dict[int, float]()
        for one in sorted(events, key=lambda one: one.time):
            shift = max(shift, last.get(one.node, -apart) + apart - one.time)
            places[one.name] = last[one.node] = one.time + shift
        whole = max(places.values())
    return places


def _place_of_time(second: float, events: list[Event], places: dict[str, float]) -> float:
    """Return where a moment is on the stretched axis: between its neighbours."""
    known = [(0.0, 0.0), *sorted((one.time, places[one.name]) for one in events)]
    for (before, left), (after, right) in pairwise(known):
        if before <= second < after:
            return left + (second - before) / (after - before) * (right - left)
    return known[-1][1] + second - known[-1][0]


def cones(run: Any, order: Any = None, event: str | None = None) -> Any:
    """Return the figure of the past and the future of an event; nothing while a notebook is graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    events = events_of(trace_of(run))
    if not events:
        return theme.nothing("Past and future", "Nothing happened in this run.")
    chosen = find(events, event)
    sides = sides_of(events, chosen, order)
    figure = go.Figure()
    places = places_of(events)
    _draw_arrows(figure, events, sides, places)
    _draw_events(figure, events, sides, places)
    nodes = sorted({one.node for one in events})
    names = [f"node {node}" + (f"<br>{PEOPLE[node]}" if node in PEOPLE else "") for node in nodes]
    figure.update_yaxes(tickvals=nodes, ticktext=names, range=[max(nodes) + 0.55, min(nodes) - 0.55], showgrid=False)
    ticks = range(int(events[-1].time) + 1)
    figure.update_xaxes(
        title_text="seconds; busy moments are stretched", range=[0, max(places.values()) * 1.05],
        tickvals=[_place_of_time(second, events, places) for second in ticks], ticktext=[str(second) for second in ticks],
    )  # fmt: skip
    return theme.finish(
        figure, f"Past and future of event {chosen.name}", summary(events, chosen, sides), 90 * len(nodes)
    )


def summary(events: list[Event], chosen: Event, sides: Sides) -> str:
    what = (
        f"{PEOPLE.get(chosen.node, f'node {chosen.node}')} says “{theme.escape(chosen.text, 40)}”"
        if chosen.kind == "says" and chosen.text
        else ""
    )
    what = what or {"step": "a step", "says": "a sending", "hears": f"the receipt of {chosen.sent}"}[chosen.kind]
    counts = [sum(side == one for side in sides.said.values()) for one in (BEFORE, AFTER, APART)]
    told = f"Event {chosen.name}, {what}: {counts[0]} events before it, {counts[1]} after it, {counts[2]} concurrent."
    if sides.error:
        return f"{told} {sides.error}"
    wrong = [one for one in events if sides.said[one.name] != sides.true[one.name]]
    if wrong:
        first = wrong[0].name
        told += (
            f" {len(wrong)} of them wrong: {first} is {sides.true[first]}, your clocks say {_word(sides.said[first])}."
        )
    elif any(one.vector is not None for one in events):
        told += " Your clocks say what the paths say."
    if late := _not_larger(events):
        told += f" {len(late)} messages arrive with a Lamport number that is not larger."
    return told


def _word(side: str) -> str:
    return "none of the three, or several" if side == NONE else side


def _not_larger(events: list[Event]) -> list[Event]:
    """Return the receipts whose Lamport number is not larger than that of the sending."""
    by_name = {one.name: one for one in events}
    if not any(one.said for one in events):
        return []
    return [one for one in events if one.sent in by_name and one.said <= by_name[one.sent].said]


def _draw_arrows(figure: Any, events: list[Event], sides: Sides, at: dict[str, float]) -> None:
    by_name = {one.name: one for one in events}
    late = {one.name for one in _not_larger(events)}
    kinds: dict[str, list[tuple[Event, Event]]] = {kind: [] for kind in ARROWS}
    for one in events:
        if one.sent not in by_name:
            continue
        sent = by_name[one.sent]
        ends = {sides.true[sent.name], sides.true[one.name]}
        kind = ARROWS[1] if ends <= {BEFORE, ITSELF} else ARROWS[2] if ends <= {AFTER, ITSELF} else ARROWS[0]
        kinds[ARROWS[3] if one.name in late else kind].append((sent, one))
    colours = dict(zip(ARROWS, (theme.GREY, theme.BLUE, theme.ORANGE, theme.VERMILLION), strict=True))
    for kind, pairs in kinds.items():
        ends_of = [end for pair in pairs for end in pair]
        x, y = [at[end.name] for end in ends_of], [end.node for end in ends_of]
        for place in range(len(pairs), 0, -1):
            x.insert(2 * place, None)  # type: ignore[arg-type]
            y.insert(2 * place, None)  # type: ignore[arg-type]
        figure.add_scatter(
            x=x, y=y, mode="lines", name=kind, showlegend=False, hoverinfo="skip",
            line={"color": colours[kind], "width": 1.2 if kind == ARROWS[0] else 2.2, "dash": "dash" if kind == ARROWS[3] else "solid"},
        )  # fmt: skip


def _draw_events(figure: Any, events: list[Event], sides: Sides, at: dict[str, float]) -> None:
    for side, (sign, colour) in LOOKS.items():
        some = [one for one in events if sides.said[one.name] == side]
        figure.add_scatter(
            x=[at[one.name] for one in some], y=[one.node for one in some], mode="markers+text", name=side,
            showlegend=side in (BEFORE, AFTER, APART, ITSELF), customdata=[one.name for one in some],
            marker={"symbol": sign, "size": 18 if side == ITSELF else 14, "color": colour, "line": {"width": 2 if side == APART else 1, "color": colour}},
            text=[str(one.said) if one.said else "" for one in some], textfont={"size": 11},
            textposition=["top center" if one.number % 2 else "bottom center" for one in some],
            hovertext=[_tell(one, sides) for one in some], hoverinfo="text", cliponaxis=False,
        )  # fmt: skip
    wrong = [one for one in events if sides.said[one.name] != sides.true[one.name]]
    figure.add_scatter(
        x=[at[one.name] for one in wrong], y=[one.node for one in wrong], mode="markers", name=WRONG, showlegend=bool(wrong),
        marker={"symbol": "circle-open", "size": 24, "color": theme.VERMILLION, "line": {"width": 3}}, hoverinfo="skip",
    )  # fmt: skip


def _tell(one: Event, sides: Sides) -> str:
    what = {"step": "a step", "says": "a sending", "hears": f"the receipt of {one.sent}"}[one.kind]
    text = f" “{theme.escape(one.text, 40)}”" if one.text else ""
    vector = "" if one.vector is None else f"<br>vector {one.vector}"
    number = f"<br>Lamport number {one.said}" if one.said else ""
    truth = "" if sides.said[one.name] == sides.true[one.name] else f"<br>the paths say: {sides.true[one.name]}"
    return f"{one.name}: {what}{text}{number}{vector}<br>your clocks say: {_word(sides.said[one.name])}{truth}"
