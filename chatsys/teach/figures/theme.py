"""How everything looks: colours, templates, and texts of users made harmless.

A difference is never shown by colour alone.  Every role has a colour *and* a pattern, every mark a
colour *and* a shape, every cell of a table a colour *and* a sign.  The colours are those of Okabe
and Ito, which stay apart for people who see red and green alike.

    escape(text)            what a user wrote, safe to show: no markup, no formulas, no control signs
    finish(figure, ...)     title, summary, size and template, the same for every figure
    fit(pixels, texts)      the longest of several wordings for which there is room
    use("dark")             from now on new figures are dark whatever the page is; use("page") follows it again
    use(modebar=True)       from now on figures have plotly's bar of buttons

Promises  a text of a user can change nothing but the place it stands in.
          Nothing overlaps or is cut off where the page offers 500 pixels or more.
Read also `figures` and `role_spans`, which draw; `page` (how a figure follows the page); `panel.view`, which
repeats these colours in CSS; `drawing`.
"""

import html
import re
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from chatsys.errors import UsageError
from chatsys.teach.figures import drawing
from chatsys.teach.figures.page import FOLLOWS, follow_page

pio = drawing.load()

BLUE, SKY, GREEN, YELLOW = "#0072B2", "#56B4E9", "#009E73", "#F0E442"
ORANGE, VERMILLION, PURPLE, GREY = "#E69F00", "#D55E00", "#CC79A7", "#8A8A8A"
PALE_SKY, PALE_GREEN, PALE_ORANGE, PALE_GREY = "#BFE3F7", "#A6DCC9", "#F6CFA0", "#DADADA"
PALE_PURPLE = "#EBC8DC"
DARK_TEXT = "#1B1B1B"
"""Text on one of the pale colours, in light and in dark figures."""

WIDTH = 500
"""Pixels a figure is laid out for: what a notebook page offers in a narrow window, or at 150 %.

The kernel does not know how wide the page is, and plotly does not shorten a text.  So texts are
shortened to what fits here, and the whole text is told where the mouse points.
"""
PLOT = WIDTH - 100
"""Pixels of these between the axis and the right edge."""
LETTER = 7.5
"""Pixels of one letter of a label, on average and with a little air."""
LINE = 70
"""Letters of a summary in one line."""
_APART = re.compile(r"(?<=\d) (?=m?s\b|%|crash)|(?<=\bnode) (?=\d)|(?<=\bterm) (?=\d)", re.IGNORECASE)
"""Spaces at which no line ends."""
ENTRY, BETWEEN = 42, 5
"""Pixels of an entry of the legend, beside its letters, and between two entries."""
LEFT, RIGHT = 70, 24
"""Pixels left and right of the plot, unless the names at the left are longer."""


@dataclass(frozen=True)
class Look:
    """How a role is drawn: its word, its colour, its pattern and the colour of text on it."""

    word: str
    colour: str
    pattern: str = ""
    ink: str = DARK_TEXT


LOOKS = {
    "leader": Look("leader", BLUE, "", "#FFFFFF"),
    "follower": Look("follower", PALE_SKY),
    "nominating": Look("nominating", ORANGE, "/"),
    "deferring": Look("deferring", YELLOW, "."),
    "preparing": Look("preparing", PURPLE, "x"),
    "syncing": Look("syncing", GREEN, "|"),
    "up": Look("running", PALE_SKY),
    "paused": Look("paused", PALE_GREY, "\\"),
}
"""Every role, in the order of the legend."""
MEANINGS = {
    "nominating": "nominating (asks all)",
    "deferring": "deferring (waits)",
    "preparing": "preparing (takes over)",
    "syncing": "syncing (copies the log)",
}
"""What the legend says of the roles whose words do not speak for themselves."""


def look(role: str) -> Look:
    """Return how `role` is drawn; a role of somebody's own actor is drawn as running."""
    return LOOKS.get(role) or Look(escape(role, 16), PALE_SKY)


def plain(text: object, width: int = 0) -> str:
    """Return what a user wrote without control signs, shortened to `width` characters if that is not 0.

    Control characters become their pictures; marks that turn the writing direction are dropped.
    """
    shown = "".join(_visible(letter) for letter in str(text))
    if width and len(shown) > width:
        shown = shown[: max(width - 1, 1)].rstrip() + "…"
    return shown


def escape(text: object, width: int = 0) -> str:
    """Return what a user wrote as text that plotly and HTML show letter by letter.

    Beside what `plain` does, markup and formulas lose their meaning, and the text is fenced off,
    so that Arabic or Hebrew cannot reorder what stands beside it.
    """
    shown = plain(text, width)
    safe = html.escape(shown, quote=True).replace("$", "&#36;").replace("%{", "%&#123;")
    if any(unicodedata.bidirectional(letter) in {"R", "AL", "AN"} for letter in shown):
        safe = f"\u2068{safe}\u2069"
    return safe


def _visible(letter: str) -> str:
    code = ord(letter)
    if code < 32:
        return chr(0x2400 + code)
    if code == 127:
        return "\u2421"
    kind = unicodedata.category(letter)
    if kind in {"Cc", "Cs", "Zl", "Zp"} or letter in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069":
        return ""
    return letter


def node_name(node: object) -> str:
    """Return how a node stands on an axis: `node 3`."""
    return f"node {escape(node, 12)}"


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun: `1 message`, `3 messages`, `no message`."""
    return f"{count or 'no'} {one if count < 2 else many or one + 's'}"


def seconds(value: float) -> str:
    """Return a duration as people say it: `35 ms`, `2.41 s`."""
    return f"{value * 1000:.0f} ms" if value < 0.95 else f"{value:.2f} s"


def fit(pixels: float, texts: Sequence[str]) -> str:
    """Return the first of these texts for which there is room, or an empty one."""
    return next((text for text in texts if len(text) * LETTER <= pixels), "")


def lanes(stretches: Sequence[tuple[float, float]], most: int) -> list[int]:
    """Return a lane for each stretch (begin, end), in order of their begins, such that those of one lane do not touch.

    Where more than `most` lanes would be needed, a stretch goes where the one before it ends first.
    """
    ends: list[float] = []
    found = []
    for begin, end in stretches:
        lane = next((lane for lane, taken in enumerate(ends) if taken <= begin), len(ends))
        if lane == most:
            lane = ends.index(min(ends))
        ends[lane : lane + 1] = [end]
        found.append(lane)
    return found


def _template(paper: str, ink: str, grid: str, meta: Any = None) -> Any:
    axis: dict[str, Any] = {"gridcolor": grid, "zeroline": False, "linecolor": grid, "ticks": "", "automargin": True}
    axis["title"] = {"font": {"size": 13}}
    return go.layout.Template(
        layout={
            "paper_bgcolor": paper,
            "plot_bgcolor": paper,
            "colorway": [BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW],
            "font": {"color": ink, "size": 13, "family": "system-ui, Helvetica, Arial, DejaVu Sans, sans-serif"},
            "title": {
                "font": {"size": 17},
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "y": 1,
                "yref": "container",
            },
            "xaxis": {**axis, "title": {**axis["title"], "standoff": 6}},  # plotly's own puts it at the very edge
            "yaxis": {**axis, "ticklabelstandoff": 6},
            "hoverlabel": {"align": "left", "font": {"size": 13, "color": "#222222"}, "bgcolor": "#FFFFFF"}
            | {"bordercolor": GREY, "namelength": -1},
            "legend": {"orientation": "h", "x": 0, "xref": "container", "xanchor": "left", "font": {"size": 12}}
            | {"yref": "container", "yanchor": "top", "itemsizing": "constant"},
            "meta": meta,
        }
    )


GRID = "rgba(128,128,128,0.25)"
TEMPLATES = {"page": "chatsys", "light": "chatsys_light", "dark": "chatsys_dark"}
"""What `use` takes, and the template of plotly that it means."""

pio.templates["chatsys"] = _template("#FFFFFF", "#222222", GRID, FOLLOWS)
pio.templates["chatsys_light"] = _template("#FFFFFF", "#222222", GRID)
pio.templates["chatsys_dark"] = _template("#16181C", "#E8E8E8", "#3A3F47")
pio.templates.default = "chatsys"


_Mimetype: Any = pio.base_renderers.PlotlyRenderer


class WithSentence(_Mimetype):  # type: ignore[misc]
    """Shows a figure in a notebook, and beside it the sentence for readers and exports that draw nothing."""

    def to_mimebundle(self, fig_dict: dict[str, Any]) -> dict[str, Any]:
        """Return plotly's own output and, as plain text, the title and the summary."""
        layout = fig_dict.get("layout", {})
        title, meta = layout.get("title", {}).get("text"), layout.get("meta")
        summary = meta.get("summary") if isinstance(meta, dict) else None
        sentence = ": ".join(str(part) for part in (title, summary) if part) or "A figure."
        return {**super().to_mimebundle(follow_page(fig_dict)), "text/plain": sentence}


pio.renderers["chatsys"] = WithSentence()
pio.renderers.default = "chatsys"
drawing.configure(modebar=False)


def use(theme: str | None = None, *, modebar: bool | None = None) -> None:
    """Draw figures from now on `"light"`, `"dark"` or as the `"page"` is, and with or without plotly's bar of buttons.

    At first they are as the page is, and change with it.  What is not given stays as it is.  The bar zooms and saves pictures; it never has the button that
    uploads a figure.
    """
    if theme is not None and theme not in TEMPLATES:
        raise UsageError(f"There is no theme {theme!r:.40}; write page, light or dark.")
    if not isinstance(modebar, bool | None):
        raise UsageError(f"modebar is {modebar!r}; write True or False.")
    if theme is not None:
        pio.templates.default = TEMPLATES[theme]
    if modebar is not None:
        drawing.configure(modebar=modebar)


def finish(figure: Any, title: str, summary: str, height: int, *, below: int = 52, above: int = 0) -> Any:
    """Give `figure` its title, its one-sentence summary and its size, and return it.

    `above` and `below` are the room over and under the plot in pixels, for its labels; the legend gets
    the room that it takes on a narrow page.
    """
    lines = lines_of(summary)
    top = 48 + 18 * len(lines) + above
    legend = 20 * _lines_of_legend(figure)
    whole = top + height + below + legend
    figure.update_layout(legend={"y": (legend + 6) / whole})
    figure.update_layout(
        title={"text": title, "subtitle": {"text": "<br>".join(lines), "font": {"size": 13}}, "pad": {"t": 14, "l": 4}},
        title_yanchor="top",
        margin={"l": LEFT, "r": RIGHT, "t": top, "b": below + legend},
        height=whole,
        meta={"summary": html.unescape(summary).replace("\u2068", "").replace("\u2069", "")},
    )
    return figure


def lines_of(sentence: str, most: int = LINE) -> list[str]:
    """Return a sentence in as few lines as it takes, all about equally long: no word stands alone in the last one.

    A number stays with its unit, and a node or a term with its number.
    """
    joined = _APART.sub("\x00", sentence)
    lines = textwrap.wrap(joined, most, break_long_words=False)
    while most > 20 and len(closer := textwrap.wrap(joined, most - 1, break_long_words=False)) == len(lines):
        lines, most = closer, most - 1
    return [line.replace("\x00", " ") for line in lines]


def _lines_of_legend(figure: Any) -> int:
    """Return how many lines the legend takes on a narrow page: it is as wide as the plot, which is as wide as the names at its left leave it.

    Plotly gives all entries one width when they do not fit in one line.
    """
    named = [one for one in figure.data if "showlegend" in one and one.showlegend is not False]
    names = [one.name or "" for one in named if one.showlegend or len(named) > 1]
    names = names if figure.layout.showlegend is not False else []
    widths = [ENTRY + LETTER * 0.9 * len(name) for name in names]
    if not names:
        return 0
    rows = [re.sub("<[^>]*>", "", line) for row in figure.layout.yaxis.ticktext or () for line in row.split("<br>")]
    room = WIDTH - RIGHT - max(LEFT, LETTER * max(map(len, rows), default=0) + 12) + BETWEEN
    if sum(widths) + BETWEEN * len(names) <= room:
        return 1
    return -(-len(names) // max(1, int(room // (max(widths) + BETWEEN))))


def nothing(title: str, sentence: str) -> Any:
    """Return an empty figure that says in a sentence why it is empty."""
    figure = go.Figure()
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return finish(figure, title, sentence, 40, below=10)
