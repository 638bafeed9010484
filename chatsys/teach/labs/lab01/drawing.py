"""The histogram of prediction 1a: how many packets it takes to say twenty texts.

Read also `play` (the runs), `picture` (the large picture), `teach.figures.theme` (how everything looks).
"""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from chatsys.teach.figures import theme

LEVEL = 18
"""Pixels from the label of one line to that of the next; each has a level of its own, so that they never overlap."""
FAR = 2.0
"""A prediction so many times beyond what happened is written at the edge, and the axis does not grow for it."""


def draw_counts(counts: Sequence[int], expected: float, said: int | None = None) -> Any:
    """Draw how many packets each of these runs took; the first one is the student's own, who `said` so many before."""
    figure = go.Figure()
    figure.add_histogram(
        x=list(counts), xbins={"size": 2}, marker={"color": theme.SKY, "line": {"width": 0}},
        hovertemplate="%{x} packets: %{y} runs<extra></extra>",
    )  # fmt: skip
    low, high = min(counts), max(counts)
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
    for level, (at, text, colour, dash) in enumerate(lines):
        figure.add_vline(x=at, line={"color": colour, "width": 3, "dash": dash})
        right = at > (low + high) / 2
        figure.add_annotation(
            x=at, y=1, yref="paper", yanchor="bottom", yshift=LEVEL * level, text=text, showarrow=False,
            xanchor="right" if right else "left", xshift=4 if right else -4,
        )  # fmt: skip
    some = sorted(counts)
    usual = some[len(some) // 20], some[-1 - len(some) // 20]
    figure.update_xaxes(title_text="packets for 20 texts", range=[low - room, high + room])
    figure.update_yaxes(title_text="runs")
    figure.update_layout(showlegend=False, bargap=0.05)
    told = f"{len(counts)} runs: {sum(counts) / len(counts):.0f} packets on average, {usual[0]} to {usual[1]} in nine runs of ten."
    return theme.finish(figure, "What it takes to say 20 texts", told, 240, above=8 + LEVEL * len(lines))
