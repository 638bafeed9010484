"""How everything looks: colours, templates, and texts of users made harmless.

A difference is never shown by colour alone.  Every role has a colour *and* a pattern, every mark a
colour *and* a shape, every cell of a table a colour *and* a sign.  The colours are those of Okabe
and Ito, which stay apart for people who see red and green alike.

    escape(text)            what a user wrote, safe to show: no markup, no formulas, no control signs
    finish(figure, ...)    title, summary, size and template, the same for every figure
    use("dark")            from now on new figures are dark
    use(modebar=True)      from now on figures have plotly's bar of buttons

Promises  a text of a user can change nothing but the place it stands in.
Read also `figures` and `role_spans`, which draw; `panel.view`, which repeats these colours in CSS; `drawing`.
"""

import html
import textwrap
import unicodedata
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from chatsys.errors import UsageError
from chatsys.teach.figures import drawing

pio = drawing.load()

BLUE, SKY, GREEN, YELLOW = "#0072B2", "#56B4E9", "#009E73", "#F0E442"
ORANGE, VERMILLION, PURPLE, GREY = "#E69F00", "#D55E00", "#CC79A7", "#8A8A8A"
PALE_SKY, PALE_GREEN, PALE_ORANGE, PALE_GREY = "#BFE3F7", "#A6DCC9", "#F6CFA0", "#DADADA"
PALE_PURPLE = "#EBC8DC"
DARK_TEXT = "#1B1B1B"
"""Text on one of the pale colours, in light and in dark figures."""

WIDTH = 900
"""Pixels a figure is laid out for: what a notebook page offers on a small laptop."""
LINE = 95
"""Letters of a summary in one line, so that it is not cut off where the page is narrower."""


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


def _template(paper: str, ink: str, grid: str) -> Any:
    axis: dict[str, Any] = {"gridcolor": grid, "zeroline": False, "linecolor": grid, "ticks": "", "automargin": True}
    axis["title"] = {"font": {"size": 13}}
    return go.layout.Template(
        layout={
            "paper_bgcolor": paper,
            "plot_bgcolor": paper,
            "colorway": [BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW],
            "font": {"color": ink, "size": 13, "family": "system-ui, Helvetica, Arial, DejaVu Sans, sans-serif"},
            "title": {"font": {"size": 17}, "x": 0, "xref": "paper", "xanchor": "left", "y": 1, "yref": "container"},
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {"align": "left", "font": {"size": 13}},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 0, "yref": "container", "yanchor": "bottom"}
            | {"font": {"size": 12}, "itemsizing": "constant"},
        }
    )


pio.templates["chatsys"] = _template("#FFFFFF", "#222222", "#E4E4E4")
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
        return {**super().to_mimebundle(fig_dict), "text/plain": sentence}


pio.renderers["chatsys"] = WithSentence()
pio.renderers.default = "chatsys"
drawing.configure(modebar=False)


def use(theme: str | None = None, *, modebar: bool | None = None) -> None:
    """Draw figures from now on `"light"` or `"dark"`, and with or without plotly's bar of buttons.

    What is not given stays as it is.  The bar zooms and saves pictures; it never has the button that
    uploads a figure.
    """
    if theme not in {"light", "dark", None}:
        raise UsageError(f"There is no theme {theme!r}; write light or dark.")
    if not isinstance(modebar, bool | None):
        raise UsageError(f"modebar is {modebar!r}; write True or False.")
    if theme is not None:
        pio.templates.default = "chatsys_dark" if theme == "dark" else "chatsys"
    if modebar is not None:
        drawing.configure(modebar=modebar)


def finish(figure: Any, title: str, summary: str, height: int, *, below: int = 60, above: int = 0) -> Any:
    """Give `figure` its title, its one-sentence summary and its size, and return it.

    `above` and `below` are the room over and under the plot in pixels, for labels and a legend.
    """
    lines = textwrap.wrap(summary, LINE, break_long_words=False)
    top = 48 + 18 * len(lines) + above
    figure.update_layout(
        title={"text": title, "subtitle": {"text": "<br>".join(lines), "font": {"size": 13}}, "pad": {"t": 14}},
        title_yanchor="top",
        margin={"l": 70, "r": 24, "t": top, "b": below},
        height=height + top + below,
        meta={"summary": html.unescape(summary).replace("\u2068", "").replace("\u2069", "")},
    )
    return figure


def nothing(title: str, sentence: str) -> Any:
    """Return an empty figure that says in a sentence why it is empty."""
    figure = go.Figure()
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return finish(figure, title, sentence, 40, below=10)
