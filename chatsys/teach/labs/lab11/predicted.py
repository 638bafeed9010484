"""What answers the predictions of lab 11.

    11a tries_until_broken   11b shortest   11c what_is_known

Read also `hunting`, `par`, `grading.revealing` (who asks).
"""

from math import log10
from typing import Any

from chatsys.teach.labs.lab11.bugs import BUGS
from chatsys.teach.labs.lab11.hunting import hunt
from chatsys.teach.labs.lab11.par import explore, moves_of, par_of

HUNTED = "no session dedup"
SEARCHED = "claims the lead at start"
HUNTS = 12
WITHIN = "no attack so short breaks it, within the bounds of the search"


def tries_until_broken(*classes: Any, seed: int) -> tuple[int, Any]:
    """11a: the number of random attacks until the first that breaks something; and of a dozen hunts, as a figure."""
    del classes
    tries = [hunt(HUNTED, seed * HUNTS + place).tries for place in range(HUNTS)]
    return tries[0], _draw(tries)


def _draw(tries: list[int]) -> Any:
    import plotly.graph_objects as go

    from chatsys.teach.figures import theme

    colors = [theme.ORANGE if place == 0 else theme.BLUE for place in range(len(tries))]
    figure = go.Figure(
        go.Bar(
            x=list(range(1, len(tries) + 1)), y=tries, marker_color=colors, text=tries,
            hovertemplate="hunt %{x}: %{y} random attacks<extra></extra>",
        )
    )  # fmt: skip
    figure.update_traces(textposition="outside", cliponaxis=False)
    figure.update_layout(showlegend=False)
    figure.update_xaxes(title="hunt (the first one is that of your answer)", dtick=1)
    figure.update_yaxes(title="random attacks, logarithmic", type="log", dtick=1, range=[0, log10(max(tries)) + 0.2])
    summary = (
        f"{len(tries)} hunts for “{HUNTED}” took {min(tries)} to {max(tries)} random attacks each; "
        f"your first one took {tries[0]}."
    )
    return theme.finish(figure, "Random attacks until something breaks", summary, 240)


def shortest(*classes: Any, seed: int) -> tuple[int, Any]:
    """11b: par, the moves of a known attack; every shorter one was made."""
    del classes, seed
    for name in BUGS:
        print(f"{moves_of(par_of(name))}: {name}")
    return par_of(SEARCHED), None


def what_is_known(*classes: Any, seed: int) -> tuple[str, Any]:
    """11c: what an exhausted search says; it makes every attack of one move."""
    del classes, seed
    print(explore(SEARCHED, moves=1, seconds=60))
    return WITHIN, None
