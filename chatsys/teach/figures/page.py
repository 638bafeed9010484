"""The page: a figure that is shown takes the ground and the ink of the page on which it stands.

A figure is drawn in the kernel, which does not know whether the page is light or dark, and the
reader may change that at any time.  So the ground becomes transparent, and each text that stands
on it asks the page for its colour, as the page's own texts do:

    <span style="color:var(--jp-content-font-color1, ...)">Roles and terms</span>

JupyterLab and Notebook set this variable and change it with their theme; VS Code has one of its
own; elsewhere the page is white and the ink is dark.  Grids and lines are grey and half
transparent.  Why not one ink for both grounds?  None has a contrast of 4.5 on white and on the
#111 of JupyterLab alike: the best grey reaches 4.35.  Why no rule in a style sheet?  It would have
to come with the output of some cell, and go when that output is cleared.

Assumes   plotly.js, which hands the style of a `span` on to the browser.
Promises  the figure itself stays as it is, dark ink on white: for widgets, files and other renderers;
          a text with a colour of its own keeps it: it stands on a bar or in a cell.
Read also `theme` (who asks for it), `drawing` (the other thing that every shown figure gets).
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import plotly.graph_objects as go

INK = "var(--jp-content-font-color1, var(--vscode-editor-foreground, #222222))"
"""The colour of texts on this page, and a dark one where the page names none."""
OPEN, CLOSE = f'<span style="color:{INK}">', "</span>"
CLEAR = "rgba(0,0,0,0)"
FOLLOWS = {"follows": "page"}
"""What a template says of itself whose figures follow the page."""


def dressed(figure: Any) -> Any:
    """Return this figure with the ground and the ink of the page: for a widget, which no renderer shows."""
    shown, found = follow_page(figure.to_dict()), go.Figure(figure)
    found.layout = shown["layout"]
    for trace, new in zip(found.data, shown["data"], strict=True):
        trace.update({part: new[part] for part in ("name", "text", "colorbar") if part in new})
    return found


def follow_page(figure: Mapping[str, Any]) -> dict[str, Any]:
    """Return this figure, as a dictionary, with the ground and the ink of the page if its template says so."""
    shown: dict[str, Any] = deepcopy(dict(figure))
    layout: dict[str, Any] = shown.setdefault("layout", {})
    template = layout.get("template", {}).get("layout", {})
    if template.get("meta") != FOLLOWS:
        return shown
    template["meta"] = None  # once is enough
    for ground in ("paper_bgcolor", "plot_bgcolor"):
        template[ground] = CLEAR
    for axis in ("xaxis", "yaxis"):
        template[axis] = {**template.get(axis, {}), "tickprefix": OPEN, "ticksuffix": CLOSE}
    _ink(layout.get("title"), "text")
    _ink(layout.get("title", {}).get("subtitle"), "text")
    for name, part in layout.items():
        if name.startswith(("xaxis", "yaxis")):
            _ink_scale(part)
    for note in layout.get("annotations", ()):
        if "bgcolor" not in note:
            _ink(note, "text")
    for trace in shown.get("data", ()):
        _ink_trace(trace)
    return shown


def _ink(part: Any, key: str) -> None:
    """Give a text, or each of several, the ink of the page, unless it has a colour."""
    if not part or part.get(key) is None or part.get("font", {}).get("color"):
        return
    text = part[key]
    part[key] = _in_ink(text) if isinstance(text, str) else [_in_ink(one) for one in text]


def _in_ink(text: Any) -> Any:
    return f"{OPEN}{text}{CLOSE}" if text and isinstance(text, str) else text


def _ink_scale(axis: dict[str, Any]) -> None:
    """Give the title and the labels of an axis or a bar of colours the ink of the page."""
    _ink(axis.get("title"), "text")
    if axis.get("tickvals") is not None and axis.get("ticktext") is None:
        axis["ticktext"] = [one if isinstance(one, str) else f"{one:g}" for one in axis["tickvals"]]
    _ink(axis, "ticktext")  # to places that somebody chose, plotly adds no prefix
    if axis.get("tickprefix"):
        axis["tickprefix"] = OPEN + axis["tickprefix"]
    if axis.get("ticksuffix"):
        axis["ticksuffix"] += CLOSE


def _ink_trace(trace: dict[str, Any]) -> None:
    """Give the name of a trace, which stands in the legend, its texts and its scale the ink of the page."""
    if trace.get("showlegend") is not False:
        _ink(trace, "name")
    written = "text" in trace.get("mode", "") or trace.get("textposition") == "outside"
    if written and not trace.get("textfont", {}).get("color"):
        _ink(trace, "text")
    for owner in (trace, trace.get("marker", {})):
        if bar := owner.get("colorbar"):
            bar |= {"tickprefix": OPEN + bar.get("tickprefix", ""), "ticksuffix": bar.get("ticksuffix", "") + CLOSE}
            _ink(bar, "ticktext")
            _ink(bar.get("title"), "text")
