"""The picture of lab 00 with knobs: how the leader falls silent, when somebody speaks, and what tells the others.

    outages(outage(seed, "crash", said=0.5))          the figure
    knobs(seed)                                       the same with buttons and sliders, drawn anew at each move

Read also `scenes` (the run), `figures.outages` (the figure).
"""

import os
from typing import Any

from chatsys.teach.labs.lab00.scenes import SEED, WAYS, outage


def knobs(seed: int = SEED) -> Any:
    """Return the figure with knobs, and the line of code that draws the same; nothing while graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    from ipywidgets import HTML, Checkbox, Output, ToggleButtons, VBox

    from chatsys.teach.figures import outages, theme
    from chatsys.teach.widgets.slider import slider, steps

    way = ToggleButtons(options=WAYS, description="the leader, at 4 s:", tooltips=TIPS)
    way.style.description_width = "150px"
    said = slider("somebody speaks", steps(-2.0, 6.0, 0.25), 0.5, "{:+.2f} s from then", live=True)
    links = Checkbox(value=False, description="a connection that breaks is news", indent=False)
    other = slider("another run", range(seed, seed + 31), seed, "seed {}", live=True)
    moved = (way, said, links, other)
    code, drawn = HTML(), Output()

    def draw(_: Any = None) -> None:
        chosen = f'{other.value}, "{way.value}", said={said.value:g}' + ", links_tell=True" * links.value
        code.value = f"<code>outages(outage({chosen}))</code>"
        world = outage(other.value, way.value, said.value, links_tell=links.value)
        bundle = theme.WithSentence().to_mimebundle(outages(world).to_dict())
        drawn.outputs = ({"output_type": "display_data", "data": bundle, "metadata": {}},)

    for one in moved:
        one.observe(draw, names="value")
    draw()
    return VBox([*moved, code, drawn])


TIPS = (
    "its power is gone, and comes back six seconds later",
    "it sleeps for six seconds, and wakes up with all that it had in memory",
    "its cable is pulled for six seconds: it lives, and nobody hears it",
)
"""What the three buttons say of themselves."""
