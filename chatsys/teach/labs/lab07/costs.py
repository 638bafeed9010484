"""What a policy costs and what it loses: syncs in a second against answered records that a power cut takes.

    policies(MyAnsweringLog)     a figure: one point for each way to flush, your own class marked
    draw_lost([run, run])        the same question byte by byte: how many answered records are lost, if the power is cut there

    left     syncs per second, against answered records that a power cut takes at the worst moment
    right    syncs per second, against how long an answer waits

Who answers at once pays with records, who waits for the sync pays with time.  Both pay less with more syncs, and only one
of the two prices is honest.

Read also `play` (the runs), `friends` (Quick), `teach.figures.theme`.
"""

import os
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from chatsys.errors import UsageError
from chatsys.teach.figures import theme
from chatsys.teach.labs.lab07.friends import Quick
from chatsys.teach.labs.lab07.play import LogRun, check_class
from chatsys.teach.labs.lab07.runs import CHAT

COUNTS = (1, 2, 4, 8, 16)
"""So many records before each flush: a policy."""
RATE = 50
"""So many records come in a second."""
LOOKS = ((theme.VERMILLION, "x", "dash"), (theme.BLUE, "circle", "solid"), (theme.PURPLE, "diamond", "dot"))


def policies(*classes: Any) -> Any:
    """Return the figure for these classes, up to two, beside a friend who answers at once; nothing while graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    for cls in classes:
        check_class(cls)
        if not hasattr(cls, "accept"):
            raise UsageError(f"{cls.__name__} accepts nothing; give your answering log, MyAnsweringLog.")
    if not 1 <= len(classes) <= 2:
        raise UsageError(f"{len(classes)} classes were given; give one or two, for example policies(MyAnsweringLog).")
    titles = ("what a power cut takes", "how long an answer waits")
    figure = make_subplots(2, 1, vertical_spacing=0.22, subplot_titles=titles)
    told = [_draw_policy(figure, cls, look) for cls, look in zip((Quick, *classes), LOOKS, strict=False)]
    for row, title in ((1, "answered and lost"), (2, "milliseconds")):
        figure.update_xaxes(title_text="syncs in a second" if row == 2 else "", rangemode="tozero", row=row, col=1)
        figure.update_yaxes(title_text=title, rangemode="tozero", row=row, col=1)
    figure.update_annotations(font={"size": 14})
    return theme.finish(figure, "Pay with records, or with time", " ".join(told), 420, above=30)


def _draw_policy(figure: Any, cls: Any, look: tuple[str, str, str]) -> str:
    """Draw one class with each policy, and return the sentence that sums it up."""
    colour, sign, dash = look
    name = theme.escape(cls.__name__, 24)
    records = [{"n": n, **CHAT[n % len(CHAT)]} for n in range(48)]
    points = []
    for every in COUNTS:
        try:
            run = LogRun(cls, records, every)
        except UsageError as error:
            return f"{name}: {theme.escape(error, 90)}."
        lost = run.lost()
        syncs = sum(one.kind == "sync" for one in run.told.tape)
        points.append((RATE * syncs / len(records), max(count for _, count in lost), _waits(run), every))
    x, losses, waits, every_ = zip(*points, strict=True)
    texts = [f"a flush for {one}" for one in every_]
    for row, y in ((1, losses), (2, waits)):
        figure.add_scatter(
            x=x, y=y, mode="lines+markers", cliponaxis=False, name=name, legendgroup=name, showlegend=row == 1, customdata=texts,
            line={"color": colour, "dash": dash, "width": 2}, marker={"symbol": sign, "size": 11, "color": colour},
            hovertemplate=f"{name}, %{{customdata}}: %{{x:.0f}} syncs in a second, %{{y:.2f}}<extra></extra>", row=row, col=1,
        )  # fmt: skip
    at = COUNTS.index(4)
    takes = "no answered record" if not losses[at] else f"{losses[at]} answered records"
    return f"{name}, a flush for 4: {x[at]:.0f} syncs in a second; a power cut takes {takes}, and an answer waits {waits[at]:.0f} ms."


def _waits(run: LogRun) -> float:
    """Return how many milliseconds an answer waits on average, if records come at an even rate."""
    came: dict[int, int] = {}
    waits = []
    count = 0
    for one in run.told.tape:
        if one.kind == "call" and one.number and run.told.life.steps[one.number - 1][0] == "accept":
            count += 1
            came[count] = count
        elif one.kind == "answer" and one.number in came:
            waits.append(count - came[one.number])
    return 1000 / RATE * sum(waits) / max(len(waits), 1)


def draw_lost(runs: Sequence[LogRun]) -> Any:
    """Draw for each byte how many answered records are lost if the power is cut there and only what was synced is left."""
    figure = go.Figure()
    told = []
    for run, (colour, _, dash) in zip(runs, LOOKS, strict=False):
        lost = run.lost_at_bytes()
        bad = sum(count > 0 for _, count in lost)
        name = theme.escape(run.name, 24)
        figure.add_scatter(
            x=[one.written for one, _ in lost], y=[count for _, count in lost], name=name, mode="lines",
            line={"color": colour, "dash": dash, "shape": "hv", "width": 3},
            hovertemplate=f"{name}: byte %{{x}}, %{{y}} answered records lost<extra></extra>",
        )  # fmt: skip
        told.append(f"{name}: after {bad} of {len(lost)} power cuts an answered record is lost.")
    figure.update_xaxes(title_text="the power is cut when so many bytes are written")
    figure.update_yaxes(title_text="answered and lost", rangemode="tozero", dtick=1)
    figure.update_layout(showlegend=True)
    return theme.finish(figure, "Answered, and lost", " ".join(told), 180)
