"""The figure of lab 08: how far a node is behind over time, and by which way each number around the seam came.

    lag      |\\_                              messages behind the newest one; the line below it: those neither shown nor kept.
             |   \\_______  ^                  Between the two lines is what came live and is kept.
             |     \\___    | kept             They meet at the seam, or they do not.
             +---------|-----> seconds
               crash   the seam

    shown    # # # # # # # # # #              a number a column
    live             |   o o o o o            the seam is the place between two columns: left of it every number came
    chunk    # # # # # # |                    by a chunk, right of it live

Where a number was shown twice, too early or never, its column says so, and the columns begin near the first such number.

Read also `picture` (who draws it), `teach.figures.theme` (how everything looks).
"""

from collections.abc import Container, Sequence
from typing import Any

import msgspec
from plotly.subplots import make_subplots

from chatsys.teach.figures import theme
from chatsys.teach.figures.theme import counted
from chatsys.teach.labs.lab08 import rejoining
from chatsys.teach.labs.lab08.frames import these
from chatsys.trace import Trace

AROUND = 12
"""So many columns are left of the seam, and as many right of it."""
ROWS = {"by a chunk": 0, "live": 1, "shown": 2}
BEHIND, LACKS = "behind the newest one", "neither shown nor kept"
"""The two lines of the lag."""
QUIET = 0.5
"""So many seconds after the last message the figure says that nobody talks any more, if a node still shows some."""
TALL, LOW = 230, 120
"""Pixels of the lag, and of the columns."""


class NodeTale(msgspec.Struct, frozen=True):
    """What one node heard and showed since it came back for the last time."""

    node: int
    back: float
    had: int
    """The number up to which it had shown everything before."""
    newest: int
    live: dict[int, float]
    history: dict[int, float]
    shown: list[tuple[float, int]]
    """When it showed which number, in this order."""
    seam: int
    level: float | None
    said: float
    """When the last message was said."""

    @property
    def outlasts(self) -> bool:
        """Whether it went on showing messages when nobody talked any more."""
        return self.said > self.back and any(time > self.said + QUIET for time, _ in self.shown)

    @property
    def joined(self) -> str:
        """What the place behind the last number by a chunk is: a seam only if a number that came live was shown behind it."""
        return "the seam" if any(number > self.seam for _, number in self.shown) else "the last chunk"

    @property
    def twice(self) -> list[int]:
        """Numbers that were shown more than once."""
        numbers = [number for _, number in self.shown]
        return sorted({number for number in numbers if numbers.count(number) > 1 or number <= self.had})

    @property
    def never(self) -> list[int]:
        """Numbers that were not shown although a higher one was."""
        numbers = {number for _, number in self.shown}
        return [number for number in range(self.had + 1, max(numbers, default=0)) if number not in numbers]

    @property
    def early(self) -> list[int]:
        """Numbers that were shown before a lower one, which came later."""
        found, lowest = [], self.newest + 1
        for _, number in reversed(self.shown):
            if number > lowest:
                found.append(number)
            lowest = min(lowest, number)
        return sorted(set(found) - set(self.twice))


def tale_of(trace: Trace, node: int = rejoining.NODE) -> NodeTale:
    """Return the tale of this node."""
    back = rejoining.returned(trace, node)
    mine = [one for one in trace.of("deliver") if one.node == node and one.seq is not None]
    had = max((one.seq or 0 for one in mine if one.time < back), default=0)
    shown = [(one.time, one.seq or 0) for one in mine if one.time >= back][
        had:
    ]  # it begins with what its disk has kept
    said = [(one.seq or 0, one.time) for one in trace.of("deliver") if one.node == trace.nodes[-1]]
    newest, last = max(said, default=(0, 0.0))
    live, history = rejoining.came_live(trace, node), rejoining.came_by_history(trace, node)
    seam, level = rejoining.seam(trace, node), rejoining.level_after(trace, node)
    return NodeTale(
        node=node, back=back, had=had, newest=newest, live=live, history=history, shown=shown, seam=seam, level=level, said=last
    )  # fmt: skip


def draw_lag(trace: Trace, node: int = rejoining.NODE) -> Any:
    """Draw how far this node was behind, and by which way the numbers around the seam came."""
    title = f"How far node {node} is behind"
    if not trace.of("restart"):
        return theme.nothing(title, "No node came back in this run, so nobody had anything to catch up with.")
    tale = tale_of(trace, node)
    figure = make_subplots(
        2, 1, vertical_spacing=74 / (TALL + LOW + 74), row_heights=[TALL, LOW],
    )  # fmt: skip
    _draw_lag(figure, trace, tale)
    _draw_columns(figure, tale)
    figure.update_annotations(font={"size": 13})
    figure.add_annotation(
        text="how each number came", x=0, xref="paper", xanchor="left", y=1, yref="y2 domain", yanchor="bottom",
        showarrow=False, font={"size": 13},
    )  # fmt: skip
    theme.finish(figure, title, _tell(tale), TALL + LOW + 74, above=24, below=44)
    return figure


# --- lag over time -----------------------------------------------------------------------------


def _draw_lag(figure: Any, trace: Trace, tale: NodeTale) -> None:
    times, lag, lacking = _lags(trace, tale)
    figure.add_scatter(
        x=times, y=lag, mode="lines", line={"color": theme.BLUE, "width": 3, "shape": "hv"}, name=BEHIND,
        hovertemplate="%{x:.2f} s: %{y} behind<extra></extra>", row=1, col=1,
    )  # fmt: skip
    figure.add_scatter(
        x=times, y=lacking, mode="lines", line={"color": theme.ORANGE, "width": 2, "dash": "dot", "shape": "hv"},
        name=LACKS, hovertemplate=f"%{{x:.2f}} s: %{{y}} {LACKS}<extra></extra>", row=1, col=1,
    )  # fmt: skip
    down = max(
        (one.time for one in trace.of("crash") if one.node == tale.node and one.time <= tale.back), default=tale.back
    )
    for begin, end in [(down, tale.back)] + [(tale.said, max(times))] * tale.outlasts:
        figure.add_vrect(
            x0=begin, x1=end, fillcolor=theme.GREY, opacity=0.25, line_width=0, layer="below", row=1, col=1
        )
    figure.add_annotation(
        x=(down + tale.back) / 2, y=1, yref="y domain", yanchor="bottom", text="down", showarrow=False, row=1, col=1
    )  # fmt: skip
    ends = next((time for time, number in tale.shown if number == tale.seam > tale.had), tale.back)
    late = ends > (down + max(times)) / 2
    figure.add_vline(x=ends, line={"dash": "dash", "width": 2, "color": theme.VERMILLION}, row=1, col=1)
    figure.add_annotation(
        x=ends, y=1, yref="y domain", yanchor="bottom", xanchor="right" if late else "left", text=f"{tale.joined}, {ends:.2f} s",
        showarrow=False, row=1, col=1,
    )  # fmt: skip
    figure.update_xaxes(title_text="seconds", range=[max(0.0, down - 0.6), max(times, default=1)], row=1, col=1)
    figure.update_yaxes(title_text="messages", rangemode="tozero", row=1, col=1)


def _lags(trace: Trace, tale: NodeTale) -> tuple[list[float], list[int], list[int]]:
    """Return at each change how far the node is behind, and how many of these numbers it neither shows nor keeps."""
    changes = [(one.time, "said", one.seq or 0) for one in trace.of("deliver") if one.node == trace.nodes[-1]]
    changes += [(one.time, "shown", one.seq or 0) for one in trace.of("deliver") if one.node == tale.node]
    first = {
        n: min(at for at in (tale.live.get(n), tale.history.get(n)) if at is not None) for n in tale.live | tale.history
    }
    changes += [(time, "came", number) for number, time in first.items()]
    dropped = _dropped(tale)
    times, lag, lacking = [0.0], [0], [0]
    newest = reached = 0
    shown, held = set[int](), set[int]()
    for time, what, number in sorted(changes):
        if what == "said":
            newest = number
        elif what == "shown":
            shown.add(number)
            held.discard(number)
            while reached + 1 in shown:
                reached += 1
        elif number not in shown and number not in dropped:
            held.add(number)
        times.append(round(time, 3))
        lag.append(newest - reached)
        lacking.append(
            newest
            - reached
            - len([one for one in held if one > reached])
            - len([one for one in shown if one > reached])
        )
    return times, lag, lacking


def _dropped(tale: NodeTale) -> set[int]:
    """Return the numbers that came live and were fetched later, or never shown: the node had not kept them."""
    return {number for number, time in tale.live.items() if tale.history.get(number, 0.0) > time} | set(tale.never)


# --- a column for each number --------------------------------------------------------------------


def _draw_columns(figure: Any, tale: NodeTale) -> None:
    wrong = sorted({*tale.twice, *tale.never, *tale.early})
    middle = wrong[0] if wrong and not any(abs(one - tale.seam) < AROUND for one in wrong) else tale.seam or tale.had
    numbers = [number for number in range(middle - AROUND + 1, middle + AROUND + 1) if 1 <= number <= tale.newest]
    when = dict(reversed([(number, time) for time, number in tale.shown]))
    there = {number for _, number in tale.shown} | set(range(1, tale.had + 1))
    rows: tuple[tuple[str, Container[int], tuple[str, str, str], dict[int, float]], ...] = (
        ("by a chunk", tale.history, (theme.ORANGE, "square", ""), tale.history),
        ("live", tale.live, (theme.SKY, "circle", ""), tale.live),
        ("shown", there - set(wrong), (theme.GREEN, "square", ""), when),
        ("shown", tale.twice, (theme.VERMILLION, "x", "twice"), when),
        ("shown", tale.early, (theme.VERMILLION, "triangle-left", "too early"), when),
        ("shown", tale.never, (theme.VERMILLION, "square-open", "never"), when),
    )
    for row, some, look, at in rows:
        _draw_row(figure, row, [one for one in numbers if one in some], look, at)
    if tale.seam in numbers:
        figure.add_vline(x=tale.seam + 0.5, line={"dash": "dash", "width": 2, "color": theme.VERMILLION}, row=2, col=1)
        figure.add_annotation(
            x=tale.seam + 0.5, y=1, yref="y2 domain", yanchor="bottom", xanchor="left", text=tale.joined, showarrow=False, row=2, col=1
        )  # fmt: skip
    ticks = numbers[::3]
    figure.update_xaxes(
        tickvals=ticks, ticktext=[f"#{one}" for one in ticks], range=[middle - AROUND + 0.3, middle + AROUND + 0.7], showgrid=False,
        row=2, col=1,
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(ROWS.values()), ticktext=list(ROWS), range=[-0.6, 2.6], zeroline=False, row=2, col=1
    )


def _draw_row(
    figure: Any, row: str, numbers: Sequence[int], look: tuple[str, str, str], when: dict[int, float]
) -> None:
    """Draw one kind of mark; a look is a colour, a sign, and for what went wrong a word."""
    colour, sign, named = look
    if not numbers:
        return
    told = [f"#{one} {named or row}" + (f", {when[one]:.2f} s" if one in when else "") for one in numbers]
    border = {"width": 2 if "open" in sign else 0, "color": colour}
    figure.add_scatter(
        x=list(numbers), y=[ROWS[row]] * len(numbers), mode="markers+text" if named else "markers", name=named or row,
        text=[named] + [""] * (len(numbers) - 1), textposition="top right", textfont={"size": 12},
        marker={"symbol": sign, "size": 13 if named else 11, "color": colour, "line": border},
        hovertext=told, hoverinfo="text", showlegend=False, row=2, col=1,
    )  # fmt: skip


def _tell(tale: NodeTale) -> str:
    missed = len([number for number in range(tale.had + 1, tale.newest + 1) if number not in tale.live])
    told = f"Node {tale.node} came back at {tale.back:.2f} s and had missed {counted(missed, 'message')}"
    told += f"; it was level {tale.level:.2f} s later." if tale.level is not None else "; it was never level."
    if tale.seam > tale.had:
        told += f" #{tale.seam} was the last one by a chunk."
    told += f" From {tale.said:.1f} s on nobody talked." * tale.outlasts
    told += f" It showed {these(tale.twice)} twice." * bool(tale.twice)
    told += f" It showed {these(tale.early)} too early." * bool(tale.early)
    told += f" It never showed {these(tale.never)}." * bool(tale.never)
    return told
