"""Live figures: a figure on the page that a slider or a click changes, and that is never seen empty.

    figure = live(dressed(trade_off(MyDetector)))      finished first: what is set later travels by itself
    VBox([slider, stretched(), figure])                and as wide as its place, whatever happens beside it

A `FigureWidget` of plotly tells the page that it exists before it has anything in it; what it shows follows in the next
message, which anywidget hands on only once 5 MB of plotly.js are loaded, and only if that took less than 2 s.  So whoever
runs all cells at once sees two empty axes, and on a slow machine a figure that no slider moves.  Here the figure tells of
itself when it is whole, and what anywidget waits for is a page of our own (`live.js`), which loads plotly.js by itself.

And it measures its place when the window changes, not when JupyterLab's side bar does, or a panel beside the page.

Assumes   anywidget, which plotly's widgets are made of.
Promises  the first message has all traces, the layout and the config; what is set before plotly.js is there is not lost.
Read also `page` (the ground and the ink), labs 02 and 04, which show live figures.
"""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def live(figure: Any, *, responsive: bool = False) -> Any:
    """Return a widget that shows `figure`; a `responsive` one is as wide as its place whenever the window changes."""
    return _kinds()[0](figure, responsive)


def stretched() -> Any:
    """Return a widget that is not seen; put it into the box of a responsive figure, which then follows the box."""
    return _kinds()[1]()


@cache
def _kinds() -> tuple[Any, Any]:
    """Return the two classes; a program without a notebook never loads what they are made of."""
    import anywidget
    import plotly.graph_objects as go
    import traitlets

    plotly_js = resources.files("plotly") / "package_data" / "widgetbundle.js"

    class LiveFigure(go.FigureWidget):  # type: ignore[misc, unused-ignore]
        """Opens its line to the page when all of it is there."""

        _esm = (HERE / "live.js").read_text("utf-8")
        _plotly = traitlets.Unicode(plotly_js.read_text("utf-8")).tag(sync=True)
        _whole = False

        def __init__(self, figure: Any, responsive: bool) -> None:
            super().__init__(figure)
            mine: Any = self  # plotly says nothing of the type of its config
            mine._config = {**mine._config, "responsive": responsive}
            self._whole = True
            self.open()

        def open(self) -> None:
            """Tell the page of this figure; ipywidgets asks for it too early."""
            if self._whole:
                super().open()

    class Stretched(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
        """Has no picture of its own: it watches the box that it is in."""

        _esm = (HERE / "stretched.js").read_text("utf-8")

    return LiveFigure, Stretched
