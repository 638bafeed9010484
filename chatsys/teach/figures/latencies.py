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
ALL = "delivered by the last node (all)"
TEXT = 22
"""Letters of a message beside its bar."""
TOLD = "ok 241 ms, all 1.23 s"
"""What stands at the right of a bar, at its longest."""


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
    longest = max(
        (length for trip in shown for at in (trip.last, trip.acked or end) if (length := _since(trip, at))), default=0.0
    )
    unit = ("ms", 1000.0) if longest < 0.95 else ("s", 1.0)
    figure = go.Figure()
    for look in _looks(shown, end):
        _draw_bars(figure, shown, look, lying, unit[1])
    (_lay_down if lying else _put_upright)(figure, shown, longest * unit[1], unit[0])
    figure.update_layout(barmode="overlay")
    told = _tell_latency(trips)
    if len(shown) < len(trips):
        told += f" The last {len(shown)} are drawn."
    return theme.finish(figure, title, told, ROW * len(shown) + 20 if lying else 250)


def _lay_down(figure: Any, trips: list[Journey], longest: float, unit: str) -> None:
    """Write each message at the left of its bar, and how long it took at the right."""
    for place, trip in enumerate(trips):
        acked, last = _since(trip, trip.acked), _since(trip, trip.last)
        told = [f"{word} {seconds(taken)}" for word, taken in (("ok", acked), ("all", last)) if taken is not None]
        length = max(bar.x[bar.y.index(place)] for bar in figure.data if place in bar.y)
        figure.add_annotation(
            x=length, y=place, text=", ".join(told) or "no ok", xanchor="left", xshift=3, showarrow=False
        )
    names = [f"{_name(trip)} {escape(trip.text, TEXT)}" for trip in trips]
    figure.update_yaxes(tickvals=list(range(len(trips))), ticktext=names, range=[len(trips) - 0.4, -0.6])
    figure.update_yaxes(showgrid=False, ticklabelstandoff=6)
    plot = theme.WIDTH - 24 - max(70.0, max(map(len, names)) * theme.LETTER)
    room = plot / max(plot - len(TOLD) * theme.LETTER, plot / 3)
    figure.update_xaxes(
        range=[0, (longest or 1.0) * room], title={"text": f"time since it was said ({unit})", "standoff": 6}
    )


def _put_upright(figure: Any, trips: list[Journey], longest: float, unit: str) -> None:
    """Number the bars, for there are too many for texts."""
    places = list(range(0, len(trips), -(-len(trips) // 7)))
    figure.update_xaxes(
        tickvals=places, ticktext=[_name(trips[place]) for place in places], showgrid=False, range=[-0.6, len(trips) - 0.4],
        title={"text": "messages, in the order in which they were said", "standoff": 6},
    )  # fmt: skip
    figure.update_yaxes(range=[0, (longest or 1.0) * 1.06], title={"text": f"since it was said ({unit})"})


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
        _Look(ALL, theme.PALE_ORANGE, "", 0.86, lambda trip: _since(trip, trip.last)),
        _Look("acknowledged to its author (ok)", theme.BLUE, "", 0.44, lambda trip: _since(trip, trip.acked)),
        _Look("no ok", theme.PALE_GREY, "/", 0.44, lambda trip: None if trip.acked else end - trip.submitted),
    ]
    return [kind for kind in kinds if any(kind.length(trip) is not None for trip in trips)]


def _since(trip: Journey, moment: float | None) -> float | None:
    return None if moment is None else max(moment - trip.submitted, 0.0)


def _draw_bars(figure: Any, trips: list[Journey], look: _Look, lying: bool, scale: float) -> None:
    """Draw one kind of bars; where they stand close together, each fills its place, and a line stands for the last node."""
    drawn = [(place, scale * length) for place, trip in enumerate(trips) if (length := look.length(trip)) is not None]
    places, lengths = [place for place, _ in drawn], [length for _, length in drawn]
    shown = {"name": look.name, "showlegend": True, "hoverinfo": "text"}
    shown["hovertext"] = [_tell_journey(trips[place]) for place in places]
    if not lying and look.name == ALL:
        line = {"shape": "hvh", "color": theme.ORANGE, "width": 2}
        figure.add_scatter(x=places, y=lengths, mode="lines", line=line, **shown)
        return
    figure.add_bar(
        orientation="h" if lying else "v",
        x=lengths if lying else places,
        y=places if lying else lengths,
        width=look.thick if lying else 1.05,  # without seams
        marker={
            "color": look.colour,
            "line": {"width": 1 if lying else 0, "color": theme.GREY},
            "pattern": {"shape": look.pattern, "fgcolor": theme.DARK_TEXT, "fillmode": "overlay", "size": 6},
        },
        **shown,
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
