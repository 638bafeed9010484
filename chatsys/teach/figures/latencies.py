"""The journey of each message: submitted, answered, delivered; and the figure of how long it took.

    #1 hello     |####--|                    thick and dark: until its author had the ok
    #2 is any…   |#####------|               pale behind it: until the last node had delivered it
    #3 who le…   |##################------|  this one waited for a new leader

Up to 20 messages lie, each with the beginning of its text; more of them stand side by side, and the
whole text is told where the mouse points.

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

MOST = 200
"""The last messages that are drawn, at most so many."""
MOST_LYING = 20
"""Bars lie, with the texts beside them, if there are at most so many."""
ROW = 26
"""Pixels of a bar that lies."""
TEXT = 14
"""Letters of a message beside its bar."""


@dataclass
class Journey:
    """One message: when it was submitted, answered, and delivered first and last (seconds)."""

    text: str
    submitted: float
    number: int | None = None
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
            found[pair].number = found[pair].number or record.msg_no
    return list(found.values())


def latency(trace: Trace) -> Any:
    """Draw how long every message took: until its client had the answer, until all nodes had it."""
    title = "How long messages took"
    trips = journeys(trace)
    if not trips:
        return theme.nothing(title, "No client has submitted a message in this run.")
    shown, end = trips[-MOST:], max(record.time for record in trace)
    lying = len(shown) <= MOST_LYING
    figure = go.Figure()
    for look in _looks(shown, end):
        _draw_bars(figure, shown, look, lying)
    waited, messages = (figure.update_xaxes, figure.update_yaxes) if lying else (figure.update_yaxes, figure.update_xaxes)
    waited(title={"text": "time since it was said (s)", "standoff": 6}, rangemode="tozero")
    if lying:
        names = [f"{_name(trip)} {escape(trip.text, TEXT)}" for trip in shown]
        messages(tickvals=list(range(len(shown))), ticktext=names, range=[len(shown) - 0.4, -0.6])
    else:
        step = -(-len(shown) // 8)
        places = list(range(0, len(shown), step))
        messages(tickvals=places, ticktext=[_name(shown[place]) for place in places])
        messages(title={"text": "messages, in the order in which they were said", "standoff": 6})
    messages(showgrid=False, ticklabelstandoff=6)
    figure.update_layout(barmode="overlay")
    told = _tell_latency(trips)
    if len(shown) < len(trips):
        told += f" The last {len(shown)} are drawn."
    return theme.finish(figure, title, told, ROW * len(shown) + 20 if lying else 250)


def _name(trip: Journey) -> str:
    return f"#{trip.number}" if trip.number is not None else "#–"


@dataclass(frozen=True)
class _Look:
    """One of the bars of a message: what it is called, how it is drawn, and how long it is for a message."""

    name: str
    colour: str
    pattern: str
    thick: float
    length: Callable[[Journey], float | None]


def _looks(trips: list[Journey], end: float) -> list[_Look]:
    """Return the kinds of bars that occur among these messages, the pale ones first: the others lie on them."""
    kinds = [
        _Look("delivered by the last node", theme.PALE_ORANGE, "", 0.86, lambda trip: _since(trip, trip.last)),
        _Look("acknowledged to its author", theme.BLUE, "", 0.44, lambda trip: _since(trip, trip.acked)),
        _Look("not acknowledged", theme.PALE_GREY, "/", 0.44, lambda trip: None if trip.acked else end - trip.submitted),
    ]
    return [kind for kind in kinds if any(kind.length(trip) is not None for trip in trips)]


def _since(trip: Journey, moment: float | None) -> float | None:
    return None if moment is None else max(moment - trip.submitted, 0.0)


def _draw_bars(figure: Any, trips: list[Journey], look: _Look, lying: bool) -> None:
    drawn = [(place, length) for place, trip in enumerate(trips) if (length := look.length(trip)) is not None]
    places, lengths = [place for place, _ in drawn], [length for _, length in drawn]
    figure.add_bar(
        orientation="h" if lying else "v",
        x=lengths if lying else places,
        y=places if lying else lengths,
        width=look.thick,
        name=look.name,
        showlegend=True,
        marker={
            "color": look.colour,
            "line": {"width": 1 if lying else 0, "color": theme.GREY},
            "pattern": {"shape": look.pattern, "fgcolor": theme.DARK_TEXT, "fillmode": "overlay", "size": 6},
        },
        hovertext=[_tell_journey(trips[place]) for place in places],
        hoverinfo="text",
    )


def _tell_journey(trip: Journey) -> str:
    """Return a line for each thing that happened to a message, and when."""
    moments = {
        "delivered by the first node": trip.first,
        "acknowledged": trip.acked,
        "delivered by the last node": trip.last,
    }
    told = [f"{name} after {seconds(taken)}" for name, at in moments.items() if (taken := _since(trip, at)) is not None]
    if trip.acked is None:
        told.append("not acknowledged")
    return "<br>".join([f"{_name(trip)} {escape(trip.text, 50)}", f"said at {trip.submitted:.2f} s", *told])


def _tell_latency(trips: list[Journey]) -> str:
    acked = sorted(trip.acked - trip.submitted for trip in trips if trip.acked is not None)
    if not acked:
        return f"None of {counted(len(trips), 'message')} was answered."
    told = f"{len(acked)} of {counted(len(trips), 'message')} answered, half of them within {seconds(median(acked))}"
    return f"{told}, the slowest after {seconds(acked[-1])}."
