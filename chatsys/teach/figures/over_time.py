"""Roles and terms over time, one row per node.

    node 3 |=====leads term 1=====x                 >--follower--
    node 2 |--------follower------//*====leads term 2============
    node 1 |--------follower--------*--------follower------------

Read also `role_spans` (the fold behind it), `marks` (what stands above the bands), `beats` (the other figure over time), `theme` (colours, patterns and signs).
"""

from collections.abc import Iterable
from typing import Any

import plotly.graph_objects as go

from chatsys.teach.figures import theme
from chatsys.teach.figures.marks import BAND, MARKS, Marking, above_bands, draw_cuts, look_of, row_of_bands
from chatsys.teach.figures.role_spans import DOWN, Band, RoleSpans, leaders, story, tell_ends
from chatsys.teach.figures.theme import node_name, seconds
from chatsys.trace import Trace

MOST_BANDS = 2000
"""The longest bands of each role are drawn, at most so many."""


def roles(trace: Trace) -> Any:
    """Draw who had which role in which term, with elections, crashes, pauses and cuts marked."""
    tale = story(trace)
    bands = tale.bands()
    if not bands:
        return theme.nothing("Roles and terms", "This trace has no event of a node yet.")
    figure, at = go.Figure(), _places(trace)
    row = draw_roles(figure, trace, tale, at)
    return theme.finish(
        figure, "Roles and terms", _tell_leaders(trace), row * len(at), above=draw_cuts(figure, tale.cuts, tale.now)
    )


def draw_roles(figure: Any, trace: Trace, tale: RoleSpans, at: dict[int, int]) -> int:
    """Draw the bands of all nodes and what is marked on them, and return how many pixels a row takes."""
    bands = tale.bands()
    alone = [
        number
        for role in _present(bands)
        for number in _draw_bands(figure, role, [band for band in bands if band.role == role], tale.now, at)
    ]
    if alone:  # an entry of the legend without a sign
        figure.add_scatter(
            x=[None], y=[None], mode="markers", marker={"color": "rgba(0,0,0,0)"}, name=f"{alone[0]}: term {alone[0]}"
        )
    _draw_absence(figure, [band for band in bands if band.role == DOWN], at)
    return draw_on_bands(figure, trace, tale, at, MARKS)


def draw_on_bands(figure: Any, trace: Trace, tale: RoleSpans, at: dict[int, int], kinds: Iterable[str]) -> int:
    """Draw the marks above the bands of each node, name the rows, and return how many pixels a row takes."""
    marks = Marking(lambda mark: [at[mark.node]], tale.now)
    for kind in kinds:
        marks.add(look_of(kind, trace), [mark for mark in tale.marks if mark.kind == kind])
    lanes = marks.draw(figure, above_bands)
    row = row_of_bands(lanes)
    for bar in figure.data:
        if bar.type == "bar":
            thick = bar.width if isinstance(bar.width, tuple | list) else [bar.width or 1.0] * len(bar.y)
            bar.width = [one * BAND / row for one in thick]
    name_rows(figure, {node_name(node): place for node, place in at.items()}, tale.now)
    edge = (BAND / 2 + 6) / row
    figure.update_yaxes(range=[-edge, len(at) - edge])
    figure.update_layout(barmode="overlay")
    return row


def _present(bands: list[Band]) -> list[str]:
    known = {band.role for band in bands} - {DOWN}
    return [role for role in theme.LOOKS if role in known] + sorted(known - set(theme.LOOKS))


def _draw_bands(figure: Any, role: str, bands: list[Band], end: float, at: dict[int, int]) -> list[str]:
    """Draw the bands of one role, and return the labels for which there was room for a number only."""
    bands = sorted(sorted(bands, key=lambda band: -band.length)[:MOST_BANDS], key=lambda band: band.start)
    look = theme.look(role)
    word = {"leader": "leads term {}", "paused": "paused"}.get(role, "term {}")
    second, plain = theme.PLOT / (end or 1.0), not look.pattern  # a lone number cannot be read on a pattern
    labels = [
        theme.fit(band.length * second - 3, [word.format(band.term), f"term {band.term}", *([f"{band.term}"] * plain)])
        if role == "paused" or band.term
        else ""
        for band in bands
    ]
    figure.add_bar(
        orientation="h",
        showlegend=True,
        name=theme.MEANINGS.get(role, look.word),
        y=[at[band.node] for band in bands],
        base=[band.start for band in bands],
        x=[band.length for band in bands],
        text=labels,
        textposition="inside",
        insidetextanchor="start",
        textangle=0,
        constraintext="none",
        insidetextfont={"color": look.ink, "size": 12},
        marker={
            "color": look.colour,
            "line": {"width": 1, "color": theme.GREY},
            "pattern": {"shape": look.pattern, "fgcolor": theme.DARK_TEXT, "fillmode": "overlay", "size": 7},
        },
        hovertext=[
            f"{node_name(band.node)}: {look.word}, term {band.term}<br>"
            f"{band.start:.2f} s to {band.end:.2f} s ({seconds(band.length)})"
            for band in bands
        ],
        hoverinfo="text",
    )
    return [label for label in labels if label.isdecimal()]


def _draw_absence(figure: Any, bands: list[Band], at: dict[int, int]) -> None:
    """Draw a node that is down as a dotted line: there is nobody in this row."""
    lines: dict[str, list[Any]] = {"x": [], "y": []}
    for band in bands:
        lines["x"] += [band.start, band.end, None]
        lines["y"] += [at[band.node]] * 2 + [None]
    if bands:
        figure.add_scatter(
            **lines, mode="lines", name="down", line={"dash": "dot", "color": theme.GREY, "width": 2}, hoverinfo="skip"
        )


def _places(trace: Trace) -> dict[int, int]:
    """Return node -> its row, counted from below."""
    return {node: row for row, node in enumerate(trace.nodes)}


def name_rows(figure: Any, rows: dict[str, int], end: float) -> None:
    """Name the rows, counted from below, and let the time go from 0 to `end`."""
    figure.update_yaxes(
        tickvals=list(rows.values()), ticktext=list(rows), ticklabelstandoff=6, showgrid=False,
        range=[-0.6, len(rows) - 0.35],
    )  # fmt: skip
    figure.update_xaxes(title={"text": "time (s)", "standoff": 6}, range=[-0.01 * (end or 1), 1.015 * (end or 1)])


def _tell_leaders(trace: Trace) -> str:
    """Sum up who led when, and say what was bad about it."""
    led = leaders(trace)
    if not led:
        return "No node began to lead in this run."
    parts = [f"node {node} led term {term} from {time:.2f} s" for term, node, time in led]
    if len(parts) > 5:
        parts = [*parts[:2], f"{len(parts) - 4} more leaders followed", *parts[-2:]]
    told = ", then ".join(parts) + "."
    doubles = sorted({term for term, node, _ in led if len({n for t, n, _ in led if t == term}) > 1})
    if doubles:
        told += f" Term {doubles[0]} had more than one leader: that is split brain."
    return " ".join([told[0].upper() + told[1:], *tell_ends(trace)])
