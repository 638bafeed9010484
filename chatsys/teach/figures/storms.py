"""The storm: messages of one election against the number of nodes, counted in runs.

    messages |            o  n² - 1      the lowest node begins: everybody asks everybody above
             |       o
             |  o    #    #  n           the highest that is left begins
             `---------------- nodes

Several views of it stand behind buttons, which need no kernel: each shows what was counted there.

Read also `elections` (who led), `labs.lab05.play` (who counts).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import plotly.graph_objects as go

from chatsys.teach.figures import theme


class CountedElection(msgspec.Struct, frozen=True):
    """One election that was counted."""

    view: str
    """On which button it is shown."""
    series: str
    """Which elections belong together."""
    nodes: int
    messages: int


SIGNS = ("circle", "diamond", "square", "triangle-up")


def message_storm(
    elections: Sequence[CountedElection], view: str, expected: Mapping[str, Sequence[tuple[int, float]]]
) -> Any:
    """Draw messages against the number of nodes: a button for each view, of which `view` is shown first.

    `expected` has for some series what the textbook says: (nodes, messages), drawn as a dotted line in every view.
    """
    views = list(dict.fromkeys(one.view for one in elections))
    series = list(dict.fromkeys(one.series for one in elections))
    sizes = sorted({one.nodes for one in elections})
    figure, where = go.Figure(), list[str]()
    for name, points in expected.items():
        figure.add_scatter(
            x=[nodes for nodes, _ in points], y=[count for _, count in points], mode="lines", name=name, showlegend=False,
            line={"dash": "dot", "color": theme.GREY, "width": 2}, hoverinfo="name+y",
        )  # fmt: skip
        end, high = points[-1]
        figure.add_annotation(x=end, y=high, text=name, xanchor="left", xshift=14, showarrow=False, font={"size": 14})
        where.append("")
    for place, name in enumerate(series):
        some = [one for one in elections if one.series == name]
        where.append(some[0].view)
        colour = (theme.VERMILLION, theme.BLUE, theme.ORANGE, theme.GREEN)[place % 4]
        figure.add_scatter(
            x=_side_by_side([one.nodes for one in some]), y=[one.messages for one in some], name=name, mode="markers",
            visible=some[0].view == view, showlegend=True, hoverinfo="text",
            hovertext=[f"{one.nodes} nodes, {theme.escape(name)}: {one.messages} messages" for one in some],
            marker={
                "symbol": SIGNS[place % 4], "size": 10, "color": colour, "opacity": 0.85, "line": {"width": 1, "color": theme.GREY},
            },
        )  # fmt: skip
    _add_buttons(figure, views, view, where)
    edges = [min(sizes, default=0) - 0.4, max(sizes, default=1) + 0.8]
    figure.update_xaxes(title={"text": "number of nodes", "standoff": 6}, tickvals=sizes, range=edges)
    most = max((one.messages for one in elections), default=1)
    figure.update_yaxes(title={"text": "messages of one election"}, range=[0, 1.08 * most])
    return theme.finish(figure, "The storm of messages", _tell_storm(elections, series), 300, above=44)


def _side_by_side(sizes: Sequence[int]) -> list[float]:
    """Return a place for each of several counts of one size, close to it, so that equal ones do not hide each other."""
    places: list[float] = []
    for index, size in enumerate(sizes):
        before, many = sizes[:index].count(size), sizes.count(size)
        places.append(size + 0.09 * (before - (many - 1) / 2))
    return places


def _add_buttons(figure: Any, views: Sequence[str], view: str, where: Sequence[str]) -> None:
    """Put a button for each view above the plot; it shows what is counted there, and the expected lines."""
    buttons = [
        {"label": one, "method": "restyle", "args": [{"visible": [place in ("", one) for place in where]}]}
        for one in views
    ]
    figure.update_layout(
        updatemenus=[
            {
                "type": "buttons", "direction": "right", "buttons": buttons, "active": views.index(view),
                "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom", "pad": {"b": 8}, "showactive": True,
                "bgcolor": theme.PALE_GREY, "bordercolor": theme.GREY, "font": {"color": theme.DARK_TEXT, "size": 13},
            }
        ]
    )  # fmt: skip


def _tell_storm(elections: Sequence[CountedElection], series: Sequence[str]) -> str:
    """Say for the largest number of nodes what each series took, at most."""
    if not elections:
        return "No election was counted."
    most = max(one.nodes for one in elections)
    told = []
    for name in series:
        counts = [one.messages for one in elections if (one.series, one.nodes) == (name, most)]
        if counts:
            word = "" if len(set(counts)) == 1 else " on average"
            told.append(f"{sum(counts) / len(counts):.0f}{word} ({name})")
    return f"Messages of one election with {most} nodes: {', '.join(told)}."
