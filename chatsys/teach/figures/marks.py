"""Marks: what happened at one instant, drawn so that no mark hides another.

         ✖                    the second lane: what happened at nearly the same time
         ★        ▼           the first lane
    |=====leads term 1=====|

Each kind has a sign, a colour and a word.  Two marks of one row that would touch on a narrow page
stand in two lanes; their time is where they are, so no mark is moved to the side.

Read also `over_time` and `elections` (marks above the bands), `beats` (marks among the heartbeats).
"""

from collections.abc import Callable, Iterable
from typing import Any

from chatsys.teach.figures import theme
from chatsys.teach.figures.theme import escape, node_name
from chatsys.trace import Record, Trace

Sign = tuple[str, str, str]
"""The sign, the colour and the word of a kind of mark."""
SIZE = 14
"""Pixels of a mark."""
LANE = 16
"""Pixels from lane to lane."""
MOST_LANES = 4

MARKS = {
    "suspect": ("triangle-down", theme.VERMILLION, "suspects the leader"),
    "restore": ("cross", theme.GREEN, "suspects it no longer"),
    "lead": ("star", theme.ORANGE, "begins to lead"),
    "crash": ("x", theme.VERMILLION, "crashes"),
    "broken": ("square-x", theme.PURPLE, "stops itself"),
    "refused": ("square-x-open", theme.PURPLE, "stops: its disk is refused"),
    "restart": ("triangle-right", theme.GREEN, "restarts"),
}
"""Every kind of mark."""


def look_of(kind: str, trace: Trace) -> Sign:
    """Return sign, colour and word of a mark; not everybody who is suspected is a leader."""
    sign, colour, word = MARKS[kind]
    return sign, colour, "suspects another node" if kind == "suspect" and trace.words.each_other else word


class Marking:
    """Marks, collected first and drawn when all are known, each in a lane of its row."""

    def __init__(self, places: Callable[[Any], Iterable[float]], end: float) -> None:
        self._places, self._width = places, LANE * (end or 1.0) / theme.PLOT
        self._kinds: list[tuple[Sign, list[Record]]] = []

    def add(self, look: Sign, marks: Iterable[Record]) -> None:
        """Add the marks of one kind."""
        self._kinds.append((look, list(marks)))

    def draw(self, figure: Any, heights: Callable[[int, int], float]) -> int:
        """Draw all marks, `heights(lane, lanes)` above their rows, and return how many lanes there are: at least 1."""
        placed = [
            (row, mark.time, kind, mark)
            for kind, (_, marks) in enumerate(self._kinds)
            for mark in marks
            for row in self._places(mark)
        ]
        lane_of: dict[int, int] = {}
        for row in {row for row, *_ in placed}:
            mine = sorted(
                (index for index, one in enumerate(placed) if one[0] == row), key=lambda index: placed[index][1:3]
            )
            stretches = [(placed[index][1], placed[index][1] + self._width) for index in mine]
            lane_of |= dict(zip(mine, theme.lanes(stretches, MOST_LANES), strict=True))
        many = 1 + max(lane_of.values(), default=0)
        for kind, (look, _) in enumerate(self._kinds):
            mine = [index for index, one in enumerate(placed) if one[2] == kind]
            if mine:
                at = [placed[index][0] + heights(lane_of[index], many) for index in mine]
                _draw(figure, look, [placed[index][3] for index in mine], at)
        return many


def _draw(figure: Any, look: Sign, marks: list[Record], places: list[float]) -> None:
    sign, colour, word = look
    figure.add_scatter(
        x=[mark.time for mark in marks],
        y=places,
        mode="markers",
        name=word,
        showlegend=True,
        cliponaxis=False,
        marker={"symbol": sign, "size": SIZE, "color": colour, "line": {"width": 1, "color": theme.DARK_TEXT}},
        hovertext=[_tell(mark, word) for mark in marks],
        hoverinfo="text",
    )


def _tell(mark: Record, word: str) -> str:
    term = f" (term {mark.term})" if mark.kind == "lead" else ""
    whom = f" ({node_name(mark.peer)})" if mark.kind in ("suspect", "restore") and mark.peer else ""
    why = f"<br>{escape(mark.reason, 70)}" if mark.reason else ""
    return f"{mark.time:.3f} s: {node_name(mark.node)} {word}{term}{whom}{why}"


def above_bands(lane: int, lanes: int) -> float:
    """Return how high over the middle of its row a mark stands, in rows: above a band that is 38 pixels high."""
    return (BAND / 2 + SIZE / 2 + 2 + LANE * lane) / row_of_bands(lanes)


BAND = 38
"""Pixels of a band."""


def row_of_bands(lanes: int) -> int:
    """Return the pixels of a row with a band and so many lanes of marks."""
    return BAND + 10 + LANE * lanes


def draw_cuts(figure: Any, cuts: Any, end: float) -> int:
    """Shade the times in which links were cut and say which, above the rows; return the pixels that this needs."""
    some = [(cut.start, end if cut.end is None else cut.end, escape(cut.what, 40)) for cut in cuts[:12]]
    second = theme.PLOT / (end or 1.0)
    stretches = []
    for start, until, text in some:
        figure.add_vrect(x0=start, x1=until, fillcolor=theme.VERMILLION, opacity=0.13, line_width=0, layer="below")
        for edge in (start, until):
            figure.add_vline(x=edge, line={"dash": "dash", "width": 1, "color": theme.VERMILLION})
        left = min(start * second, max(0.0, theme.PLOT - len(text) * theme.LETTER))
        stretches.append((left, left + len(text) * theme.LETTER + 8))
    found = theme.lanes(stretches, MOST_LANES)
    for (start, _, text), (left, _), lane in zip(some, stretches, found, strict=True):
        early = left < start * second  # it would be cut off at the right edge
        figure.add_annotation(
            x=1 if early else start, xref="paper" if early else "x", xanchor="right" if early else "left",
            y=1, yref="paper", yanchor="bottom", showarrow=False, text=text, font={"size": 12}, yshift=15 * lane,
        )  # fmt: skip
    return 22 + 15 * max(found) if found else 0
