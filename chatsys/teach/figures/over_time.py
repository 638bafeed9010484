"""Roles and terms over time, one row per node; and the marks of all figures over time.

    node 3 |=====leads term 1=====x                 >--follower--
    node 2 |--------follower------//*====leads term 2============
    node 1 |--------follower--------*--------follower------------

Read also `role_spans` (the fold behind it), `beats` (the other figure over time), `theme` (colours, patterns and signs).
"""

from collections.abc import Callable, Iterable
from typing import Any

import plotly.graph_objects as go

from chatsys.teach.figures import theme
from chatsys.teach.figures.role_spans import DOWN, Band, RoleSpans, leaders, story, tell_ends
from chatsys.teach.figures.theme import escape, node_name, seconds
from chatsys.trace import Record, Trace

ROW = 62
"""Pixels for each node."""
MOST_BANDS = 2000
"""The longest bands of each role are drawn, at most so many."""

MARKS = {
    "suspect": ("triangle-down", theme.VERMILLION, "suspects the leader"),
    "restore": ("cross", theme.GREEN, "suspects it no longer"),
    "lead": ("star", theme.ORANGE, "begins to lead"),
    "crash": ("x", theme.VERMILLION, "crashes"),
    "broken": ("square-x", theme.PURPLE, "stops itself"),
    "refused": ("square-x-open", theme.PURPLE, "stops, for its disk is refused"),
    "restart": ("triangle-right", theme.GREEN, "restarts"),
}
"""Marks on the bands: sign, colour, word."""


def roles(trace: Trace) -> Any:
    """Draw who had which role in which term, with elections, crashes, pauses and cuts marked."""
    tale = story(trace)
    bands = tale.bands()
    if not bands:
        return theme.nothing("Roles and terms", "This trace has no event of a node yet.")
    figure, at = go.Figure(), _places(trace)
    for role in _present(bands):
        _draw_bands(figure, role, [band for band in bands if band.role == role], tale.now, at)
    _draw_absence(figure, [band for band in bands if band.role == DOWN], at)
    for kind in MARKS:
        marks = [mark for mark in tale.marks if mark.kind == kind]
        draw_marks(figure, look_of(kind, trace), marks, lambda mark: [at[mark.node] + 0.42])
    _draw_cuts(figure, tale)
    name_rows(figure, {node_name(node): row for node, row in at.items()}, tale.now)
    figure.update_layout(barmode="overlay")
    above = 30 if len(tale.cuts) > 1 else 16 if tale.cuts else 0
    height = ROW * len(trace.nodes) + 20
    return theme.finish(figure, "Roles and terms", _tell_leaders(trace), height, below=90, above=above)


def _present(bands: list[Band]) -> list[str]:
    known = {band.role for band in bands} - {DOWN}
    return [role for role in theme.LOOKS if role in known] + sorted(known - set(theme.LOOKS))


def _draw_bands(figure: Any, role: str, bands: list[Band], end: float, at: dict[int, int]) -> None:
    bands = sorted(sorted(bands, key=lambda band: -band.length)[:MOST_BANDS], key=lambda band: band.start)
    look = theme.look(role)
    word = {"leader": "leads term {}", "paused": "paused"}.get(role, "term {}")
    room = end / 100 or 1.0  # seconds that one letter takes, with a little air
    labels = [word.format(band.term) if band.term or role == "paused" else "" for band in bands]
    figure.add_bar(
        orientation="h",
        width=0.62,
        showlegend=role != "leader",  # its bands say so themselves
        name=look.word,
        y=[at[band.node] for band in bands],
        base=[band.start for band in bands],
        x=[band.length for band in bands],
        text=[label if len(label) * room < band.length else "" for label, band in zip(labels, bands, strict=True)],
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


def look_of(kind: str, trace: Trace) -> tuple[str, str, str]:
    """Return sign, colour and word of a mark; not everybody who is suspected is a leader."""
    sign, colour, word = MARKS[kind]
    return sign, colour, "suspects another node" if kind == "suspect" and trace.words.each_other else word


def draw_marks(
    figure: Any, look: tuple[str, str, str], marks: list[Record], places: Callable[[Any], Iterable[float]]
) -> None:
    """Draw a mark wherever `places` puts it."""
    placed = [(mark, place) for mark in marks for place in places(mark)]
    if not placed:
        return
    sign, colour, word = look
    figure.add_scatter(
        x=[mark.time for mark, _ in placed],
        y=[place for _, place in placed],
        mode="markers",
        name=word,
        marker={"symbol": sign, "size": 14, "color": colour, "line": {"width": 1, "color": theme.DARK_TEXT}},
        hovertext=[_tell_mark(mark, word) for mark, _ in placed],
        hoverinfo="text",
    )


def _tell_mark(mark: Record, word: str) -> str:
    term = f" (term {mark.term})" if mark.kind == "lead" else ""
    whom = f" ({node_name(mark.peer)})" if mark.kind in ("suspect", "restore") and mark.peer else ""
    why = f"<br>{escape(mark.reason, 70)}" if mark.reason else ""
    return f"{mark.time:.3f} s: {node_name(mark.node)} {word}{term}{whom}{why}"


def _draw_cuts(figure: Any, tale: RoleSpans) -> None:
    """Shade the times in which links were cut, and say which."""
    for number, cut in enumerate(tale.cuts[:12]):
        end = tale.now if cut.end is None else cut.end
        figure.add_vrect(x0=cut.start, x1=end, fillcolor=theme.VERMILLION, opacity=0.13, line_width=0, layer="below")
        for edge in (cut.start, end):
            figure.add_vline(x=edge, line={"dash": "dash", "width": 1, "color": theme.VERMILLION})
        figure.add_annotation(
            x=cut.start, y=1, yref="paper", yanchor="bottom", xanchor="left", showarrow=False,
            text=escape(cut.what, 40), font={"size": 12}, yshift=14 * (number % 2),
        )  # fmt: skip


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
