"""Elections: who led and who followed in which term, and where two nodes led at a time.

    node 3 |#### term 3 ####x            thick: leads, thin: follows; the colour is the term
    node 2 |---- term 3 ----??### term 5 ####     two thick bands at one time are fine in two colours,
    node 1 |---- term 3 ------??--- term 5 ---    and wrong in one

A band carries the number of its term, so nothing depends on colour alone.

Read also `over_time` (roles in the chat), `role_spans` (the fold behind both), `storms` (how many messages it took), `labs.lab05`
(whose picture this is).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import plotly.graph_objects as go

from chatsys.teach.figures import theme
from chatsys.teach.figures.marks import MARKS, draw_cuts
from chatsys.teach.figures.over_time import draw_on_bands
from chatsys.teach.figures.role_spans import DOWN, PAUSED, Band, story
from chatsys.teach.figures.theme import counted, node_name, seconds
from chatsys.trace import Trace

THICK, THIN = 1.0, 0.32
"""How thick the bands of leaders and followers are, in bands."""
MOST_BANDS = 1000
"""The longest bands are drawn, at most so many."""
TERMS = (
    (theme.BLUE, "#FFFFFF"), (theme.ORANGE, theme.DARK_TEXT), (theme.GREEN, "#FFFFFF"), (theme.PURPLE, theme.DARK_TEXT),
    (theme.SKY, theme.DARK_TEXT), (theme.YELLOW, theme.DARK_TEXT),
)  # fmt: skip
"""Colours of terms in the order in which they came, and the colour of text on each; after the last the first again."""


class Together(msgspec.Struct, frozen=True):
    """A time in which two nodes led."""

    first: Band
    second: Band

    @property
    def start(self) -> float:
        """From when on."""
        return max(self.first.start, self.second.start)

    @property
    def end(self) -> float:
        """Until when."""
        return min(self.first.end, self.second.end)

    @property
    def wrong(self) -> bool:
        """Whether they led one term."""
        return self.first.term == self.second.term


def term_bands(trace: Trace) -> Any:
    """Draw who led and who followed in which term, and where two nodes led at a time."""
    title = "Terms and their leaders"
    tale = story(trace)
    bands = tale.bands()
    if not bands:
        return theme.nothing(title, "This trace has no event of a node yet.")
    at = {node: row for row, node in enumerate(trace.nodes)}
    figure = go.Figure()
    kept = sorted(bands, key=lambda band: -band.length)[:MOST_BANDS]
    bands = sorted(kept, key=lambda band: (band.node, band.start))
    _draw_terms(figure, bands, at, tale.now)
    _draw_rest(figure, bands, at)
    doubles = list(find_together(bands))
    _draw_doubles(figure, [one for one in doubles if one.wrong], at)
    row = draw_on_bands(figure, trace, tale, at, [kind for kind in MARKS if kind not in ("lead", "restore")])
    above = draw_cuts(figure, tale.cuts[:6], tale.now)
    return theme.finish(figure, title, _tell(bands, doubles), row * len(at), above=above)


def find_together(bands: Sequence[Band]) -> Iterator[Together]:
    """Yield the times in which two nodes led, those of one term first."""
    leads = sorted((band for band in bands if band.role == "leader"), key=lambda band: band.start)
    pairs = (Together(one, other) for place, one in enumerate(leads) for other in leads[place + 1 :])
    both = [pair for pair in pairs if pair.first.node != pair.second.node and pair.end > pair.start]
    apart = [pair for pair in _one_term_apart(leads) if pair.end <= pair.start]
    yield from sorted([*both, *apart], key=lambda pair: (not pair.wrong, pair.start))


def _one_term_apart(leads: Sequence[Band]) -> Iterator[Together]:
    """Yield pairs that led one term, one after the other: that is wrong, too."""
    for place, one in enumerate(leads):
        for other in leads[place + 1 :]:
            if (one.term, one.node) != (other.term, other.node) and one.term == other.term:
                yield Together(one, other)


def _draw_terms(figure: Any, bands: Sequence[Band], at: dict[int, int], end: float) -> None:
    """Draw a bar for each band in which a node led or followed, in the colour of its term."""
    pixels = theme.PLOT / (end or 1.0)
    drawn = [band for band in bands if band.role in ("leader", "follower")]
    order = list(dict.fromkeys(band.term for band in sorted(drawn, key=lambda band: band.start)))
    for term in order:
        colour, ink = TERMS[order.index(term) % len(TERMS)]
        some = [band for band in drawn if band.term == term]
        figure.add_bar(
            orientation="h",
            name=f"term {term}",
            showlegend=False,
            y=[at[band.node] for band in some],
            base=[band.start for band in some],
            x=[band.length for band in some],
            width=[THICK if band.role == "leader" else THIN for band in some],
            text=[
                theme.fit(band.length * pixels, [f"term {term}", f"{term}"]) if band.role == "leader" else ""
                for band in some
            ],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            constraintext="none",
            insidetextfont={"color": ink, "size": 12},
            marker={"color": colour, "line": {"width": 1, "color": theme.GREY}},
            hovertext=[
                f"{node_name(band.node)} {'leads' if band.role == 'leader' else 'follows in'} term {band.term}<br>"
                f"{band.start:.2f} s to {band.end:.2f} s ({seconds(band.length)})"
                for band in some
            ],
            hoverinfo="text",
        )
    for word, size in (("leads (thick)", 16), ("follows (thin)", 6)):
        line = {"width": 4 if size == 6 else 0, "color": theme.GREY}
        marker = {"symbol": "square" if size > 6 else "line-ew", "size": size, "color": theme.GREY, "line": line}
        figure.add_scatter(x=[None], y=[None], mode="markers", name=word, marker=marker)


def _draw_rest(figure: Any, bands: Sequence[Band], at: dict[int, int]) -> None:
    """Draw as lines what is neither: a node in an election, one that knows no leader yet, one that is paused or down."""
    looks = {
        "in an election": (("nominating",), {"color": theme.VERMILLION, "width": 3}),
        "paused": ((PAUSED,), {"color": theme.GREY, "width": 4}),
        "down": ((DOWN,), {"color": theme.GREY, "width": 2, "dash": "dot"}),
    }
    for word, (roles, line) in looks.items():
        x: list[float | None] = []
        y: list[float | None] = []
        for band in bands:
            if band.role in roles:
                x += [band.start, band.end, None]
                y += [at[band.node], at[band.node], None]
        if x:
            figure.add_scatter(x=x, y=y, mode="lines", name=word, line=line, hoverinfo="skip")


def _draw_doubles(figure: Any, doubles: Sequence[Together], at: dict[int, int]) -> None:
    """Tie the bands of two nodes that led one term together."""
    shown = {(pair.first.node, pair.second.node, pair.first.term): pair for pair in reversed(doubles)}
    for place, pair in enumerate(list(reversed(shown.values()))[:6]):
        when = pair.start
        rows = [at[pair.first.node], at[pair.second.node]]
        figure.add_scatter(
            x=[when, when], y=rows, mode="lines+markers", name="two leaders of one term", showlegend=place == 0,
            line={"color": theme.VERMILLION, "width": 4}, hoverinfo="text",
            marker={"symbol": "x", "size": 13, "color": theme.VERMILLION, "line": {"width": 1, "color": theme.DARK_TEXT}},
            hovertext=f"{node_name(pair.first.node)} and {node_name(pair.second.node)} both led term {pair.first.term}",
        )  # fmt: skip


def _tell(bands: Sequence[Band], doubles: Sequence[Together]) -> str:
    """Sum up who led, and whether two leaders at a time were wrong."""
    leads = sorted((band for band in bands if band.role == "leader"), key=lambda band: band.start)
    if not leads:
        return "No node led in this run."
    wrong = next((pair for pair in doubles if pair.wrong), None)
    if wrong is not None:
        return (
            f"Node {wrong.first.node} and node {wrong.second.node} both led term {wrong.first.term}, the one from "
            f"{wrong.first.start:.2f} s on, the other from {wrong.second.start:.2f} s on: one term, two leaders, and that is wrong."
        )
    told = f"{counted(len({band.term for band in leads}), 'term')}, each with one leader."
    if doubles:
        pair = max(doubles, key=lambda one: one.end - one.start)
        told += (
            f" From {pair.start:.2f} s to {pair.end:.2f} s two nodes led at once, node {pair.first.node} in term "
            f"{pair.first.term} and node {pair.second.node} in term {pair.second.term}: two terms, so that is allowed."
        )
    else:
        told += _tell_asleep(bands) or " At no time did two nodes lead."
    return told


def _tell_asleep(bands: Sequence[Band]) -> str:
    """Say who was paused while it led, and still took itself for the leader when another node led."""
    for paused in (band for band in bands if band.role == PAUSED):
        before = [one for one in bands if one.node == paused.node and one.end <= paused.start]
        others = [one for one in bands if one.node != paused.node and one.role == "leader"]
        met = any(one.start < paused.end and paused.start < one.end for one in others)
        if met and before and before[-1].role == "leader":
            return (
                f" No two leaders were awake at once; node {paused.node}, paused from {paused.start:.2f} s to {paused.end:.2f} s, "
                f"took itself for the leader of term {before[-1].term} meanwhile."
            )
    return ""
