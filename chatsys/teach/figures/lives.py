"""Lives: when each node of a run was there, drawn along its lane.

      node 2
        |               there
       ---  crashes     a bar where a life ends: a crash (a square where the node stopped itself)
        :               down: nothing arrives, and nothing is remembered
        V  restarts     a triangle where the next life begins
        |

Read also `sequences` (whose lanes these are), `marks` (the same above a band), `role_spans` (bands of a life).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from chatsys.teach.figures import theme
from chatsys.teach.figures.marks import MARKS, SIZE
from chatsys.teach.figures.role_spans import stopped_itself
from chatsys.teach.figures.theme import node_name
from chatsys.trace import Record, Trace

TURNS = {
    "crash": ("line-ew", theme.VERMILLION, "crashes"),
    "broken": MARKS["broken"],
    "refused": MARKS["refused"],
    "restart": ("triangle-down", theme.GREEN, "restarts"),
}
"""What ends a life or begins one: the sign, the colour and the word."""

BAR, EDGE = {"width": 5, "color": theme.VERMILLION}, {"width": 1, "color": theme.DARK_TEXT}
"""The line of a sign: a bar is nothing but its line."""

LaneTurn = tuple[float, Record]
"""Where the lane stands, and what happened there."""


class LaneStretch(NamedTuple):
    """A part of a lane, from moment to moment, in which its node was there or was down."""

    at: float
    begin: float
    end: float
    there: bool


def turns_of(trace: Trace, places: Mapping[Any, float], end: float) -> list[LaneTurn]:
    """Return what ended or began a life of these nodes before `end`, in the order of time."""
    return [
        (places[one.node], one)
        for one in trace.of(*TURNS)
        if one.node in places and one.time < end and not stopped_itself(one)
    ]


def stretches_of(
    places: Mapping[Any, float], turns: Sequence[LaneTurn], begin: float, end: float
) -> Iterator[LaneStretch]:
    """Yield the parts of each lane, one after the other."""
    for at in places.values():
        since, there = begin, True
        for record in (record for place, record in turns if place == at):
            if (record.kind == "restart") is not there:
                yield LaneStretch(at, since, record.time, there)
                since, there = record.time, not there
        yield LaneStretch(at, since, end, there)


def draw_lanes(figure: Any, stretches: Sequence[LaneStretch]) -> None:
    """Draw each lane as a line, dotted where its node is down."""
    for there, dash, width in ((True, "solid", 2.0), (False, "dot", 1.0)):
        some = [one for one in stretches if one.there is there]
        if some:
            figure.add_scatter(
                x=[x for one in some for x in (one.at, one.at, None)],
                y=[y for one in some for y in (one.begin, one.end, None)],
                mode="lines", line={"color": theme.GREY, "width": width, "dash": dash}, showlegend=False, hoverinfo="skip",
            )  # fmt: skip


def draw_turns(figure: Any, turns: Sequence[LaneTurn]) -> None:
    """Mark where lives end and begin."""
    for kind, (symbol, colour, word) in TURNS.items():
        some = [(at, one) for at, one in turns if one.kind == kind]
        if some:
            figure.add_scatter(
                x=[at for at, _ in some], y=[one.time for _, one in some], mode="markers", name=word, showlegend=True,
                hovertext=[_tell(one) for _, one in some], hoverinfo="text",
                marker={"symbol": symbol, "size": SIZE, "color": colour, "line": BAR if symbol == "line-ew" else EDGE},
            )  # fmt: skip


def words_beside(turns: Sequence[LaneTurn], last: float) -> Iterator[dict[str, Any]]:
    """Yield what stands to the right of the last lane, where there is room for words, beyond the deliveries."""
    for at, one in turns:
        if at == last:
            yield {
                "x": at + 0.3, "y": one.time, "text": f"{TURNS[one.kind][2]}, {one.time:.2f} s", "showarrow": False,
                "xanchor": "left", "yanchor": "bottom", "font": {"size": 12},
            }  # fmt: skip


def tell_turns(turns: Sequence[LaneTurn]) -> str:
    """Return the sentence for what ended and began: "Node 2 crashes at 1.00 s, node 2 restarts at 1.50 s."; "" for nothing."""
    told = ", ".join(_tell(one) for _, one in turns[:4]) + (", and more" if len(turns) > 4 else "")
    return f" {told[0].upper()}{told[1:]}." if turns else ""


def _tell(one: Record) -> str:
    return f"{node_name(one.node)} {TURNS[one.kind][2]} at {one.time:.2f} s"
