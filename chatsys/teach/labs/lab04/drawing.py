"""The two small figures of lab 04's predictions: how long a crash goes unnoticed, and a pause beside a crash.

Read also `play` (the runs), `curves` (the large picture), `teach.figures.theme` (how everything looks).
"""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from chatsys.teach.figures import theme
from chatsys.trace import Trace

LATEST = 20.0
"""What was not noticed by then is drawn there, in seconds."""


def draw_delays(seconds: Sequence[float], expected: tuple[float, float] | None) -> Any:
    """Draw how long the crashes went unnoticed, as a histogram; the expected range is shaded."""
    figure = go.Figure()
    shown = [min(one, LATEST) for one in seconds]
    figure.add_histogram(
        x=shown, xbins={"size": 0.1}, marker={"color": theme.BLUE, "line": {"width": 0}}, name="crashes",
        hovertemplate="%{x} s: %{y} crashes<extra></extra>",
    )  # fmt: skip
    told = f"{len(seconds)} crashes were suspected {min(seconds):.2f} to {max(seconds):.2f} s later."
    if max(seconds) > LATEST:
        told = f"{sum(one > LATEST for one in seconds)} of {len(seconds)} crashes were never suspected."
    if expected is not None:
        low, high = expected
        figure.add_vrect(x0=low, x1=high, fillcolor=theme.ORANGE, opacity=0.25, line_width=0, layer="below")
        figure.add_annotation(
            x=(low + high) / 2, y=1, yref="paper", yanchor="bottom", text="your range", showarrow=False
        )  # fmt: skip
    figure.update_xaxes(title_text="seconds from the crash to its suspicion", rangemode="tozero")
    figure.update_yaxes(title_text="crashes")
    figure.update_layout(showlegend=False, bargap=0.05)
    return theme.finish(figure, "How long a crash goes unnoticed", told, 260, above=20)


def draw_two_fates(paused: Trace, crashed: Trace) -> Any:
    """Draw what node 1 hears of node 3 in two runs: in one it is paused for a while, in the other it crashes."""
    figure = go.Figure()
    rows = {"node 3 is paused": paused, "node 3 crashes": crashed}
    for row, trace in enumerate(rows.values()):
        mine = [one for one in trace if (one.node, one.peer) == (1, 3)]
        heard = [one.time for one in mine if one.kind == "receive"]
        changes = [(one.time, one.kind) for one in mine if one.kind in ("suspect", "restore")]
        _draw_row(figure, row, heard, changes, max(one.time for one in trace))
    for name, at in (("pause or crash", 10.0), ("resume", 13.0)):
        figure.add_vline(x=at, line={"dash": "dot", "width": 1, "color": theme.GREY})
        figure.add_annotation(x=at, y=1, yref="paper", yanchor="bottom", text=name, showarrow=False)
    figure.update_xaxes(title_text="time (s)", range=[6, 18])
    figure.update_yaxes(tickvals=[0, 1], ticktext=list(rows), range=[1.6, -0.6])
    told = "What node 1 hears of node 3, and from when to when it suspects it. Until the first beat after the pause the rows are equal."
    return theme.finish(figure, "A pause and a crash, seen from node 1", told, 130, above=20)


def _draw_row(figure: Any, row: int, heard: list[float], changes: list[tuple[float, str]], end: float) -> None:
    begins = [time for time, kind in changes if kind == "suspect"]
    ends = [*(time for time, kind in changes if kind == "restore"), end]
    for place, (begin, until) in enumerate(zip(begins, ends, strict=False)):
        figure.add_scatter(
            x=[begin, until], y=[row, row], mode="lines", line={"width": 12, "color": theme.VERMILLION}, opacity=0.6,
            name="suspected", legendgroup="suspected", showlegend=row == 0 and place == 0,
            hovertemplate=f"suspected from {begin:.2f} s to {until:.2f} s<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=heard, y=[row] * len(heard), mode="markers", marker={"size": 9, "color": theme.GREEN}, name="beat heard",
        legendgroup="heard", showlegend=row == 0, hovertemplate="heard at %{x:.2f} s<extra></extra>",
    )  # fmt: skip
