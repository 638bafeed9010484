"""The small figure of 2c: how often events are concurrent although one has a smaller number, by how much smaller it is.

Read also `play.numbers_and_paths` (the run), `past_and_future` (the large picture), `teach.figures.theme`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from chatsys.teach.figures import theme

WIDEST = 12
"""Larger differences are drawn together."""


def draw_shares(apart: Mapping[int, Sequence[bool]]) -> Any:
    """Draw which share of the pairs is concurrent, for each difference of their numbers."""
    together: dict[int, list[bool]] = {}
    for difference, some in apart.items():
        together.setdefault(min(difference, WIDEST), []).extend(some)
    places = sorted(together)
    if not places:
        return theme.nothing("Numbers and paths", "No event has a larger number than another one.")
    figure = go.Figure()
    shares = [100 * sum(together[one]) / len(together[one]) for one in places]
    figure.add_bar(
        x=places, y=shares, marker={"color": theme.BLUE}, customdata=[len(together[one]) for one in places],
        hovertemplate="difference %{x}: %{y:.0f} % of %{customdata} pairs are concurrent<extra></extra>",
    )  # fmt: skip
    every = [one for some in together.values() for one in some]
    figure.update_xaxes(
        title_text="L(b) - L(a)", tickvals=places, ticktext=[f"{one}+" if one == WIDEST else str(one) for one in places]
    )
    figure.update_yaxes(title_text="concurrent (%)", range=[0, 100])
    figure.update_layout(showlegend=False, bargap=0.2)
    told = f"Of {len(every)} pairs with L(a) < L(b), {sum(every)} ({100 * sum(every) / len(every):.0f} %) are concurrent: no path leads from a to b."
    return theme.finish(figure, "Numbers and paths", told, 200)
