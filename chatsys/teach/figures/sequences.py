"""The lanes: a lane for each node, time runs downwards, and every frame is an arrow from lane to lane.

    node 1          node 2
      |--- 1 --------->|  1       an arrow that arrives; what is delivered stands beside the lane
      |--- 2 ----x     |          a lost one ends in a cross
      |<---- 1 --------|          an acknowledgement
      |=== 2 =========>|  2       sent again: it starts under the cross
      |--- 3 ----------x  :       it comes to a node that is down, whose lane is dotted

Several runs stand side by side on one clock, so that what one guarantee costs more than another can be seen.

Read also `lives` (crashes and restarts), `teach.widgets.timeline` (the same of any run, to be scrubbed), `labs.lab01` (whose picture this is).
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import plotly.graph_objects as go

from chatsys.teach.figures import theme
from chatsys.teach.figures.flights import Flight, flights_of, tell_lanes
from chatsys.teach.figures.lives import draw_lanes, draw_turns, stretches_of, tell_turns, turns_of, words_beside
from chatsys.teach.figures.theme import node_name
from chatsys.trace import Record, Trace

PITCH = 2.0
"""From the first lane of a run to that of the next one; two lanes of a run are 1 apart."""
SECOND, LEAST, MOST = 210, 200, 945
"""Pixels of a second, and of the whole plot at least and at most; what comes later is only counted."""
TRIP = 0.055
"""A lost frame is drawn as if it had taken so long; its cross stands in the middle."""
MOST_FRAMES = 400
LINE, SIGN = 13, 17
"""Pixels of a line of numbers, and of a delivery."""

Places = dict[Any, float]
"""Where the lane of each node of a run stands."""


class LaneRun(msgspec.Struct, frozen=True):
    """One run as a group of lanes: what stands above it, and the lines below it."""

    title: str
    trace: Trace
    below: tuple[str, ...] = ()


def packet_lanes(trace: Trace) -> Any:
    """Draw the frames between the nodes of a run, from the top to the bottom."""
    if not flights_of(trace):
        return theme.nothing("Every frame of the run", "No frame was sent in this run.")
    turns = tell_turns(turns_of(trace, dict.fromkeys(trace.nodes, 0.0), math.inf))
    return lanes_side_by_side([LaneRun("", trace)], "Every frame of the run", f"{tell_lanes(trace)}{turns}")


def lanes_side_by_side(runs: Sequence[LaneRun], title: str, summary: str) -> Any:
    """Draw several runs beside each other on one clock."""
    figure = go.Figure()
    lanes = [run.trace.nodes for run in runs]
    left = [PITCH * place + sum(len(one) - 2 for one in lanes[:place]) for place in range(len(runs))]
    drawn = [flights_of(run.trace)[:MOST_FRAMES] for run in runs]
    times = [at for some in drawn for one in some for at in (one.sent.time, *one.arrived)]
    begin, last = min(times, default=0.0) - 0.06, max(times, default=1.0) + 0.06
    end = min(last, begin + MOST / SECOND)
    drawn = [[one for one in some if one.sent.time < end] for some in drawn]
    places: list[Places] = [
        {node: left[place] + lane for lane, node in enumerate(some)} for place, some in enumerate(lanes)
    ]
    turns = [turns_of(run.trace, at, end) for run, at in zip(runs, places, strict=True)]
    draw_lanes(figure, [s for at, some in zip(places, turns, strict=True) for s in stretches_of(at, some, begin, end)])
    every = [(flight, places[place]) for place, some in enumerate(drawn) for flight in some]
    for look in LOOKS:
        _draw_flights(figure, look, [one for one in every if look.holds(*one)])
    _draw_losses(figure, every)
    draw_turns(figure, [one for some in turns for one in some])
    _draw_deliveries(figure, runs, places, end)
    words = words_beside(turns[0], max(places[0].values())) if len(runs) == 1 else ()
    figure.update_layout(annotations=[*_numbers(drawn, places), *_beside(runs, left, lanes), *words])
    named = [(at, node) for some in places for node, at in some.items()]
    figure.update_xaxes(
        tickvals=[at for at, _ in named], ticktext=[node_name(node) if len(runs) == 1 else str(node) for _, node in named],
        range=[-0.45, left[-1] + len(lanes[-1]) - 1 + 0.95], side="top", showgrid=False,
    )  # fmt: skip
    figure.update_yaxes(title={"text": "time (s)", "standoff": 4}, range=[end, begin])
    below = 20 + 17 * max(len(run.below) for run in runs)
    height = int(max(LEAST, SECOND * (end - begin)))
    if last > end:
        summary = f"{summary} It goes on until {last:.1f} s."
    return theme.finish(figure, title, summary, height, below=below, above=70 if len(runs) > 1 else 30)


class _Look(NamedTuple):
    """How frames of one kind are drawn."""

    word: str
    forward: bool
    again: bool
    colour: str
    dash: str
    width: float

    def holds(self, flight: Flight, places: Places) -> bool:
        """Tell whether this frame looks so: by its direction, and whether it was sent before."""
        forward = places[flight.sent.peer] > places[flight.sent.node]
        return forward is self.forward and (not forward or flight.again is self.again)


LOOKS = (
    _Look("sent for the first time", True, False, theme.BLUE, "solid", 2),
    _Look("sent again", True, True, theme.ORANGE, "solid", 3),
    _Look("acknowledgement", False, False, theme.GREEN, "dot", 1.5),
)


def _draw_flights(figure: Any, look: _Look, flights: Sequence[tuple[Flight, Places]]) -> None:
    """Draw arrows of one kind; one that is lost stops half-way."""
    x: list[float | None] = []
    y: list[float | None] = []
    sizes: list[int] = []
    hover: list[str] = []
    for flight, places in flights:
        told = _tell(flight)
        for to_x, to_y, head in _ends(flight, places):
            x += [places[flight.sent.node], to_x, None]
            y += [flight.sent.time, to_y, None]
            sizes += [0, 10 if head else 0, 0]
            hover += [told, told, ""]
    if x:
        figure.add_scatter(
            x=x, y=y, mode="lines+markers", name=look.word, showlegend=True, hovertext=hover, hoverinfo="text",
            line={"color": look.colour, "width": look.width, "dash": look.dash},
            marker={"symbol": "arrow", "size": sizes, "angleref": "previous", "color": look.colour},
        )  # fmt: skip


def _ends(flight: Flight, places: Places) -> Iterator[tuple[float, float, bool]]:
    begin, end = places[flight.sent.node], places[flight.sent.peer]
    if flight.arrived:
        yield from ((end, at, True) for at in flight.arrived)
    elif flight.met_nobody is not None:
        yield end, flight.met_nobody, False
    else:
        yield (begin + end) / 2, flight.sent.time + TRIP / 2, False


def _draw_losses(figure: Any, flights: Sequence[tuple[Flight, Places]]) -> None:
    """Draw a cross where a frame ends: half-way, or at the lane of a node that is down."""
    lost = [(one, next(_ends(one, at))) for one, at in flights if one.lost or one.met_nobody is not None]
    if not lost:
        return
    figure.add_scatter(
        x=[end[0] for _, end in lost], y=[end[1] for _, end in lost],
        mode="markers", name="lost", showlegend=True, hovertext=[_tell(one) for one, _ in lost], hoverinfo="text",
        marker={"symbol": "x", "size": 11, "color": theme.VERMILLION, "line": {"width": 1, "color": theme.DARK_TEXT}},
    )  # fmt: skip


def _tell(flight: Flight) -> str:
    sent = flight.sent
    number = f" {sent.seq}" if sent.seq is not None else ""
    gone = f"nobody there {flight.met_nobody:.3f} s" if flight.met_nobody is not None else "still under way"
    came = [f"arrives {at:.3f} s" for at in flight.arrived] or ["lost" if flight.lost else gone]
    return f"{theme.escape(sent.message, 16)}{number}{', again' if flight.again else ''}<br>sent {sent.time:.3f} s, {' and '.join(came)}"


def _numbers(drawn: Sequence[Sequence[Flight]], places: Sequence[Places]) -> Iterator[dict[str, Any]]:
    """Yield what stands beside a lane: which numbers go out at a moment."""
    for some, at in zip(drawn, places, strict=True):
        for node in at:
            out: list[tuple[float, list[int]]] = []
            for one in some:
                if one.sent.node != node or one.sent.seq is None or at[one.sent.peer] < at[node]:
                    continue
                if not out or one.sent.time - out[-1][0] > LINE / SECOND:
                    out.append((one.sent.time, []))
                out[-1][1].append(one.sent.seq)
            for time, numbers in out:
                text = _in_short(numbers)
                yield {
                    "x": at[node], "y": time, "text": text, "showarrow": False, "xanchor": "right", "xshift": -4, "font": {"size": 11}
                }  # fmt: skip


def _in_short(numbers: Sequence[int]) -> str:
    """Return numbers as they were sent: "3,6", and from four on each once, in order: "1,4..7"."""
    if len(numbers) < 4:
        return ",".join(map(str, numbers))
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"{one[0]}..{one[-1]}" if len(one) > 2 else ",".join(map(str, one)) for one in runs)


def _draw_deliveries(figure: Any, runs: Sequence[LaneRun], places: Sequence[Places], end: float) -> None:
    """Draw what is delivered beside the lane of its node, with its number; a second time, or out of order, it looks wrong."""
    found: dict[str, list[tuple[float, float, str, str]]] = {}
    for run, at in zip(runs, places, strict=True):
        for high, record, word in _deliveries(run.trace.until(end), at):
            told = f"{node_name(record.node)} delivers {record.seq} at {record.time:.3f} s<br>{theme.escape(record.text, 40)}"
            found.setdefault(word, []).append((at[record.node] + 0.22, high, str(record.seq), told))
    _draw_waiting(figure, runs, places, end)
    for word, (symbol, colour, ink) in DELIVERED.items():
        if word in found:
            xs, ys, numbers, hover = zip(*found[word], strict=True)
            figure.add_scatter(
                x=xs, y=ys, mode="markers+text", text=numbers, textposition="middle center", name=word, showlegend=True,
                textfont={"size": 11, "color": ink}, hovertext=hover, hoverinfo="text", cliponaxis=False,
                marker={"symbol": symbol, "size": SIGN, "color": colour, "line": {"width": 1, "color": theme.DARK_TEXT}},
            )  # fmt: skip


def _draw_waiting(figure: Any, runs: Sequence[LaneRun], places: Sequence[Places], end: float) -> None:
    """Mark on its lane what arrives and is not delivered at that moment, because a smaller number is missing."""
    waiting = [
        (at[one.node], one.time, f"{one.seq} waits at {node_name(one.node)} from {one.time:.3f} s on")
        for run, at in zip(runs, places, strict=True)
        for one in _held(run.trace.until(end))
        if one.node in at
    ]
    if waiting:
        figure.add_scatter(
            x=[x for x, _, _ in waiting], y=[y for _, y, _ in waiting], hovertext=[told for *_, told in waiting],
            mode="markers", name="waits", showlegend=True, hoverinfo="text",
            marker={"symbol": "square-open", "size": 10, "color": theme.GREY, "line": {"width": 2}},
        )  # fmt: skip


def _held(trace: Trace) -> list[Record]:
    at_once = {(one.node, one.time, one.seq) for one in trace.of("deliver")}
    return [one for one in trace.of("hold") if (one.node, one.time, one.seq) not in at_once]


DELIVERED = {
    "delivered": ("circle", theme.PALE_GREEN, theme.DARK_TEXT),
    "delivered before a smaller number": ("square", theme.YELLOW, theme.DARK_TEXT),
    "delivered once more": ("diamond", theme.PURPLE, theme.DARK_TEXT),
}


def _deliveries(trace: Trace, places: Places) -> Iterator[tuple[float, Record, str]]:
    """Yield at which height each delivery stands, one below the other, and what is to be said of it."""
    done: dict[Any, set[int]] = {}
    last: Places = {}
    for record in trace.of("deliver"):
        if record.node not in places:
            continue
        mine, number = done.setdefault(record.node, set()), record.seq or 0
        word = "delivered"
        if number in mine:
            word = "delivered once more"
        elif any(one not in mine for one in range(1, number)):
            word = "delivered before a smaller number"
        mine.add(number)
        last[record.node] = max(record.time, last.get(record.node, -1.0) + SIGN / SECOND)
        yield last[record.node], record, word


def _beside(runs: Sequence[LaneRun], left: Sequence[float], lanes: Sequence[Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Yield the title above each run and the lines below it."""
    for run, at, some in zip(runs, left, lanes, strict=True):
        middle = {"x": at + (len(some) - 1) / 2, "yref": "paper", "showarrow": False}
        if run.title:
            text = f"<b>{run.title}</b>"
            yield middle | {"y": 1, "yanchor": "bottom", "yshift": 24, "text": text, "font": {"size": 13}}
        for line, text in enumerate(run.below):
            yield middle | {"y": 0, "yanchor": "top", "yshift": -4 - 17 * line, "text": text, "font": {"size": 12}}
