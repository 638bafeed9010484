"""The histogram of prediction 1a: how many packets it takes to say twenty texts.

Read also `play` (the runs), `picture` (the large picture), `teach.figures.theme` (how everything looks).
"""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from chatsys.teach.figures import theme


def draw_counts(counts: Sequence[int], expected: float) -> Any:
    """Draw how many packets each of these runs took; the first one is the student's own."""
    figure = go.Figure()
    figure.add_histogram(
        x=list(counts), xbins={"size": 2}, marker={"color": theme.BLUE, "line": {"width": 0}},
        hovertemplate="%{x} packets: %{y} runs<extra></extra>",
    )  # fmt: skip
    for at, text, colour, high in (
        (expected, f"{expected:.0f}: 20 / (0.7 · 0.7)", theme.ORANGE, 1.0), (counts[0], "your run", theme.VERMILLION, 1.08)
    ):  # fmt: skip
        figure.add_vline(x=at, line={"color": colour, "width": 3, "dash": "dash" if at == expected else "solid"})
        figure.add_annotation(x=at, y=high, yref="paper", yanchor="bottom", text=text, showarrow=False)
    some = sorted(counts)
    low, high = some[len(some) // 20], some[-1 - len(some) // 20]
    figure.update_xaxes(title_text="packets for 20 texts")
    figure.update_yaxes(title_text="runs")
    figure.update_layout(showlegend=False, bargap=0.05)
    told = (
        f"{len(counts)} runs: {sum(counts) / len(counts):.0f} packets on average, {low} to {high} in nine runs of ten."
    )
    return theme.finish(figure, "What it takes to say 20 texts", told, 240, above=44)
