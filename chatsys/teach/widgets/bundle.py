"""Bundle: the browser's half of a widget as one text, from files of plain functions.

    elements.js, then js/buttons.js, js/nodes.js, ...  --one behind the other, in one scope-->  what anywidget imports

There is no build step.

Promises  how elements are made stands in one file, which every widget takes in.
Read also `panel` and `timeline.source`, which say which files are theirs.
"""

from collections.abc import Iterable
from pathlib import Path

ELEMENTS = Path(__file__).parent / "elements.js"


def joined(folder: Path, parts: Iterable[str]) -> str:
    """Return all functions of these files of `folder`, what is used before what uses it, as one text."""
    files = [ELEMENTS, *(folder / f"{part}.js" for part in parts)]
    return "\n".join(file.read_text("utf-8") for file in files)
