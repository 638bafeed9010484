"""Dock: the panel beside the page, in a place of its own, where JupyterLab has the extension `sidecar`.

Assumes   whoever calls it is on any thread: what stands in the dock is set as a value, not displayed.
Promises  where the extension is not installed there is no dock, and no button.  There, and in Jupyter Notebook, a button
          keeps the panel's cell at the top of the page instead (`js/place.js`).  Neither can be where each output is in
          a frame of its own, as in VS Code and in Colab, or where JupyterLab is set to take cells out of the page that
          are out of view (the windowing mode "full"): there the panel scrolls with the page, and has no such button.
Read also `panel`, which has one.
"""

from importlib.util import find_spec
from typing import Any

from chatsys.teach.widgets.notebook import shell

VIEW = "application/vnd.jupyter.widget-view+json"


def can_dock() -> bool:
    """Return whether this notebook may be able to: its page must be JupyterLab, too, which the browser knows."""
    return shell() is not None and find_spec("sidecar") is not None


class Dock:
    """The place beside the page, if the panel stands there."""

    def __init__(self) -> None:
        self.place: Any = None

    def open(self, widget: Any, title: str) -> None:
        """Show a widget beside the page."""
        from sidecar import Sidecar

        view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        shown = {"output_type": "display_data", "data": {VIEW: view, "text/plain": repr(widget)}, "metadata": {}}
        self.place = Sidecar(title=title, anchor="split-right", outputs=(shown,))

    def close(self) -> None:
        """Take it away again."""
        if self.place is not None:
            self.place.close()
            self.place = None
