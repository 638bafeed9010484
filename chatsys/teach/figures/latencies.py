"""The journey of each message: submitted, answered, delivered; and the figure of how long it took.

    submit ----> first node delivers --> client is answered --> last node delivers

Read also `deliveries` (what was delivered, not when), `bench` (the same times in bulk).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import plotly.graph_objects as go

from chatsys.teach.figures import theme
from chatsys.teach.figures.theme import counted, escape, seconds
from chatsys.trace import Trace

MOST_POINTS = 600
"""The last messages that are drawn, at most so many."""


@dataclass
class Journey:
    """One message: when it was submitted, answered, and delivered first and last (seconds)."""

    text: str
    submitted: float
    acked: float | None = None
    deliveries: dict[int, float] = field(default_factory=dict)

    @property
    def first(self) -> float | None:
        """When the first node delivered it."""
        return min(self.deliveries.values(), default=None)

    @property
    def last(self) -> float | None:
        """When the last node did that has delivered it so far."""
        return max(self.deliveries.values(), default=None)


MOMENTS: dict[str, tuple[str, str, Callable[[Journey], float | None]]] = {
    "first node delivers": ("triangle-up", theme.SKY, lambda trip: trip.first),
    "client is answered": ("circle", theme.BLUE, lambda trip: trip.acked),
    "last node delivers": ("triangle-down", theme.ORANGE, lambda trip: trip.last),
}
"""What is drawn of each journey: sign, colour, moment."""


def journeys(trace: Trace) -> list[Journey]:
    """Return the journey of every submitted message, in order of submission."""
    found: dict[tuple[str | None, int | None], Journey] = {}
    for record in sorted(trace.of("submit", "ack", "deliver"), key=lambda record: record.time):
        pair = record.client, record.client_seq
        if record.kind == "submit":
            found.setdefault(pair, Journey(record.text or "", record.time))
        elif pair in found and record.kind == "ack":
            found[pair].acked = found[pair].acked or record.time
        elif pair in found and isinstance(record.node, int):
            found[pair].deliveries.setdefault(record.node, record.time)
    return list(found.values())


def latency(trace: Trace) -> Any:
    """Draw how long every message took: until its client had the answer, until all nodes had it."""
    title = "How long messages took"
    trips = journeys(trace)
    if not trips:
        return theme.nothing(title, "No client has submitted a message in this run.")
    shown = trips[-MOST_POINTS:]
    figure = go.Figure()
    if len(shown) <= 150:
        _draw_spans(figure, [trip for trip in shown if trip.deliveries])
    for name in MOMENTS:
        _draw_points(figure, shown, name)
    taken = [at - t.submitted for t in shown for at in (t.acked, *t.deliveries.values()) if at is not None]
    positive = [value for value in taken if value > 0]
    if positive and max(positive) > 20 * median(positive):
        ticks = [10**power for power in range(-4, 4)]
        figure.update_yaxes(type="log", tickvals=ticks, ticktext=[_tick(tick) for tick in ticks])
    else:
        figure.update_yaxes(rangemode="tozero", tickformat="~s", ticksuffix="s")
    figure.update_yaxes(title={"text": "time since it was submitted"}, ticklabelstandoff=6)
    figure.update_xaxes(title={"text": "submitted at (s)", "standoff": 6})
    return theme.finish(figure, title, _tell_latency(trips), 250, below=84)


def _tick(value: float) -> str:
    return f"{value:g} s" if value >= 1 else f"{value * 1000:g} ms"


def _draw_spans(figure: Any, trips: list[Journey]) -> None:
    """Join the first and the last delivery of each message with a thin line."""
    x: list[float | None] = []
    y: list[float | None] = []
    for trip in trips:
        times = trip.deliveries.values()
        x += [trip.submitted, trip.submitted, None]
        y += [min(times) - trip.submitted, max(times) - trip.submitted, None]
    figure.add_scatter(
        x=x, y=y, mode="lines", line={"width": 1, "color": theme.GREY}, hoverinfo="skip", showlegend=False
    )


def _draw_points(figure: Any, trips: list[Journey], name: str) -> None:
    sign, colour, when = MOMENTS[name]
    dots = [(trip, moment - trip.submitted) for trip in trips if (moment := when(trip)) is not None]
    figure.add_scatter(
        x=[trip.submitted for trip, _ in dots],
        y=[max(taken, 0.0) for _, taken in dots],
        mode="markers",
        name=name,
        marker={
            "symbol": sign,
            "size": 10 if len(dots) <= 150 else 5,
            "color": colour,
            "line": {"width": 1 if len(dots) <= 150 else 0, "color": theme.DARK_TEXT},
        },
        hovertext=[f"{escape(trip.text, 50)}<br>{name} after {seconds(max(taken, 0.0))}" for trip, taken in dots],
        hoverinfo="text",
    )


def _tell_latency(trips: list[Journey]) -> str:
    acked = sorted(trip.acked - trip.submitted for trip in trips if trip.acked is not None)
    if not acked:
        return f"None of {counted(len(trips), 'message')} was answered."
    told = f"{len(acked)} of {counted(len(trips), 'message')} answered, half of them within {seconds(median(acked))}"
    return f"{told}, the slowest after {seconds(acked[-1])}."
