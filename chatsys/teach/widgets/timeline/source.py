"""Source: the browser's half of the timeline as one text, for a notebook and for a saved page.

    elements.js, js/buttons.js, js/packed.js, ...  --joined in the order of PARTS-->  one module for anywidget, one script for a page

There is no build step: each file is plain functions, and the files stand one behind the other in one scope (`bundle`).

Promises  a saved page is one file that asks for nothing: no network, no other file.
Read also `js/timeline.js` (where it begins), `timeline` (the widget).
"""

import base64
import html
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from chatsys.teach.widgets.bundle import joined

HERE = Path(__file__).parent
PARTS = (
    "buttons", "packed", "axis", "sentences", "moment", "causes", "scene", "signs", "arrows", "lanes", "overview", "comparing",
    "rules", "boxes", "controls", "finding", "asking", "pointing", "legend", "timeline", "doors",
)  # fmt: skip
"""The files of `js`, what is used before what uses it."""


@cache
def script() -> str:
    """Return all functions, as one text."""
    return joined(HERE / "js", PARTS)


def module() -> str:
    """Return what anywidget imports."""
    return f"{script()}\nexport default widget;\n"


@cache
def style() -> str:
    """Return how it looks."""
    return (HERE / "timeline.css").read_text("utf-8")


def page(about: Mapping[str, Any], buffers: Mapping[str, bytes], state: Mapping[str, Any]) -> str:
    """Return a page that shows a run: its events, the functions and the looks are all in it."""
    columns = {name: base64.b64encode(data).decode() for name, data in buffers.items()}
    run = msgspec.json.encode({"about": about, "columns": columns, **state}).decode()
    title = html.escape(str(about.get("title") or "A run of chatsys"))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n'
        f"<title>{title}</title>\n<style>\n{style()}</style>\n</head>\n"
        f'<body class="cs-tl-page">\n<main><h1 class="cs-tl-unseen">{title}</h1><div id="timeline"></div>\n'
        f"<noscript>This page draws a run with JavaScript, which is switched off here.</noscript></main>\n"
        f'<script type="application/json" id="run">{_in_html(run)}</script>\n'
        f"<script>\n(() => {{\n{script()}\nopenPage();\n}})();\n</script>\n</body>\n</html>\n"
    )


def _in_html(text: str) -> str:
    """Return JSON that cannot end the element it stands in."""
    return text.replace("<", "\\u003c")
