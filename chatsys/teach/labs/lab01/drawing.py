"""The histogram of prediction 1a: how many packets it takes to say twenty texts.

Read also `play` (the runs), `picture` (the large picture), `teach.figures.theme` (how everything looks).
"""

from collections.abc import Sequence
from itertools import permutations, product
from typing import Any

import plotly.graph_objects as go

from chatsys.teach.figures import theme

LEVEL = 18
"""Pixels from the label of one line to that of the next; each has a level of its own, so that they never overlap."""
HIGH = 240
"""Pixels of the plot."""
FAR = 2.0
"""A prediction so many times beyond what happened is written at the edge, and the axis does not grow for it."""


def draw_counts(counts: Sequence[int], expected: float, said: int | None = None) -> Any:
    """Draw how many packets each of these runs took; the first one is the student's own, who `said` so many before."""
    figure = go.Figure()
    figure.add_histogram(
        x=list(counts), xbins={"size": 2}, marker={"color": theme.SKY, "line": {"width": 0}},
        hovertemplate="%{x} packets: %{y} runs<extra></extra>",
    )  # fmt: skip
    low, high = float(min(counts)), float(max(counts))
    lines = [
        (float(counts[0]), f"your first run: {counts[0]}", theme.VERMILLION, "solid"),
        (expected, f"20 / (0.7 · 0.7) = {expected:.0f}", theme.GREEN, "dash"),
    ]
    if said is not None:
        shown = min(max(said, 0), round(high * FAR))
        beyond = " (beyond the edge)" if shown != said else ""
        lines.append((float(shown), f"you said {said:,}{beyond}", theme.PURPLE, "dot"))
        low, high = min(low, shown), max(high, shown)
    room = (high - low) * 0.06 + 1
    low, high = low - room, high + room
    pixel = (high - low) / theme.PLOT
    laid = _laid([(at, len(text) * theme.LETTER * pixel) for at, text, *_ in lines], low, high)
    for (at, text, colour, dash), (level, right) in zip(lines, laid, strict=True):
        figure.add_vline(x=at, line={"color": colour, "width": 3, "dash": dash})
        figure.add_shape(
            type="line", x0=at, x1=at, yref="paper", y0=1, y1=1 + (LEVEL * (level + 1) - 2) / HIGH, line={"color": colour, "width": 1}
        )  # fmt: skip
        figure.add_annotation(
            x=at, y=1, yref="paper", yanchor="bottom", yshift=LEVEL * level, text=text, showarrow=False,
            xanchor="left" if right else "right", xshift=3 if right else -3,
        )  # fmt: skip
    some = sorted(counts)
    usual = some[len(some) // 20], some[-1 - len(some) // 20]
    figure.update_xaxes(title_text="packets for 20 texts", range=[low, high])
    figure.update_yaxes(title_text="runs")
    figure.update_layout(showlegend=False, bargap=0.05)
    told = f"{len(counts)} runs: {sum(counts) / len(counts):.0f} packets on average, {usual[0]} to {usual[1]} in nine runs of ten."
    return theme.finish(figure, "What it takes to say 20 texts", told, HIGH, above=8 + LEVEL * len(lines))


def _laid(labels: Sequence[tuple[float, float]], low: float, high: float) -> list[tuple[int, bool]]:
    """Return for each label, of a line at x and so wide, its level and whether it stands to the right of its line.

    Of all ways the one with the least trouble: a label that is cut off, or crossed by the line of a higher one.
    """

    def trouble(way: Sequence[tuple[int, bool]]) -> int:
        spans = [
            (at, at + wide) if right else (at - wide, at) for (at, wide), (_, right) in zip(labels, way, strict=True)
        ]
        off = sum(begin < low or end > high for begin, end in spans)
        crossed = sum(
            way[other][0] > level and begin < at < end
            for one, ((begin, end), (level, _)) in enumerate(zip(spans, way, strict=True))
            for other, (at, _) in enumerate(labels)
            if other != one
        )
        return 10 * off + crossed

    count = range(len(labels))
    ways = (
        list(zip(some, sides, strict=True))
        for some in permutations(count)
        for sides in product((True, False), repeat=len(labels))
    )
    return min(ways, key=trouble)
