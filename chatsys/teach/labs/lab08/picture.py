"""The picture of lab 08: lag over time and the seam, for any gap, any rate and any room.

    lag(MyCatchUp, seed, gap=200, rate=10, room=100)     the figure
    sliders(MyCatchUp, seed)                             the same with sliders, drawn anew at each move

Read also `rejoining.rejoin` (the run), `drawing` (the figure), `widgets.slider`.
"""

import html
import json
import os
from typing import Any

from chatsys.teach.labs.lab08 import rejoining
from chatsys.teach.labs.lab08.asking import stopped
from chatsys.teach.labs.lab08.stage import ROOM

RATES, ROOMS, GAPS = (
    tuple(range(0, 81, 5)),
    (0, 5, 10, 20, 40, 60, 80, 100, 150, 200, 400, 1_000),
    tuple(range(0, 401, 25)),
)
"""Where the sliders can stand."""


def lag(catches_up: Any, seed: int = rejoining.SEED, gap: int = 200, rate: float = 10, room: int = ROOM) -> Any:
    """Return the figure of the run of `rejoin` with the same arguments; nothing while a notebook is graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    from chatsys.teach.figures import theme
    from chatsys.teach.labs.lab08.drawing import draw_lag

    world = rejoining.rejoin(catches_up, seed, gap, rate, room)
    if world.failures:
        return theme.nothing("How far node 2 is behind", f"{stopped(world)[0]}.".capitalize())
    return draw_lag(world.trace)


def sliders(catches_up: Any, seed: int = rejoining.SEED) -> Any:
    """Return the figure with three sliders, and below them the line of code that draws the same; nothing while graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    from ipywidgets import HTML, Output, VBox

    from chatsys.teach.widgets.slider import slider

    name = getattr(catches_up, "__name__", "MyCatchUp")
    gap = slider("messages that node 2 has missed", GAPS, 200)
    rate = slider("messages said meanwhile", RATES, 10, "{} a second")
    room = slider("room for live messages", ROOMS, ROOM)
    code, shown = HTML(), Output()

    def draw(_: Any = None) -> None:
        line = f"lag({name}, seed, gap={gap.value}, rate={rate.value}, room={room.value})"
        code.value = f"<code>{html.escape(line)}</code>"
        shown.outputs = (_as_output(lag(catches_up, seed, gap.value, rate.value, room.value)),)

    for one in (gap, rate, room):
        one.observe(draw, names="value")
    draw()
    return VBox([gap, rate, room, code, shown])


def _as_output(figure: Any) -> dict[str, Any]:
    """Return a figure as an output of a cell, with the ground and the ink of the page: for a widget that shows outputs."""
    from chatsys.teach.figures import describe
    from chatsys.teach.figures.page import follow_page

    drawn = follow_page(json.loads(figure.to_json()))
    data = {"application/vnd.plotly.v1+json": drawn, "text/plain": describe(figure)}
    return {"output_type": "display_data", "data": data, "metadata": {}}
