"""The picture of lab 04: quick or right, for every timeout and every loss, and where one's own detector stands.

    trade_off(MyDetector, MyAdaptive, interval=0.8, slowest=0.2, loss=0.1)     the figure
    sliders(MyDetector, MyAdaptive)                                            the same with sliders, drawn anew at each move

    left    timeout x loss: how many false suspicions an hour brings (colour); one's own detectors are lines in it
    right   the chosen loss: seconds to notice a crash, against false suspicions; fixed timeouts lie on one curve

A fixed timeout can only move along the curve.  What learns from the gaps stays near its lower left end, whatever the
loss is: that is all that 4.2 is about.

The numbers are those of thousands of short runs of the beats of one line, not of the simulator (see `beats`).
Read also `beats` (the runs), `teach.figures.theme`.
"""

import html
import os
from typing import Any

import numpy as np
from plotly.subplots import make_subplots

from chatsys.errors import UsageError
from chatsys.teach.figures import theme
from chatsys.teach.figures.live import live, stretched
from chatsys.teach.figures.page import dressed
from chatsys.teach.labs.lab04 import beats
from chatsys.teach.labs.lab04.stage import INTERVAL, TIMEOUT

TIMEOUTS = np.round(np.arange(0.8, 8.01, 0.1), 2)
LOSSES = np.round(np.arange(0.0, 0.301, 0.025), 3)
NEVER = 0.1
"""Less than one false suspicion in ten hours is drawn as this: a logarithm has no zero."""
MOST = 3600.0
SCALE = (-1.15, 3.66)
"""The logarithms where the colours and the right axis begin and end, so that the bar of colours stands beside the axis."""
RUNS, SHORT, LONG = 1000, 12, 120
"""Runs of each loss; of one's own detector at each loss, and at the chosen one."""
LOOKS = ((theme.VERMILLION, "circle", "solid"), (theme.PURPLE, "diamond", "dash"), (theme.SKY, "square", "dot"))


def trade_off(*detectors: Any, interval: float = INTERVAL, slowest: float = 0.2, loss: float = 0.1) -> Any:
    """Return the figure for these detectors, up to three, and one kind of line; nothing while a notebook is graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    _check(interval, slowest, loss, detectors)
    figure = make_subplots(
        1, 2, column_widths=[0.5, 0.5], horizontal_spacing=0.24,
        subplot_titles=("every timeout, every loss", f"{loss:.0%} of the beats are lost"),
    )  # fmt: skip
    told = _fill(figure, detectors, beats.BeatLine(interval, slowest, loss))
    figure.update_xaxes(title_text="silence that is tolerated (s)", range=[0.8, 8], row=1, col=1)
    figure.update_yaxes(title_text="loss (%)", row=1, col=1)
    figure.update_xaxes(title_text="a crash is noticed after (s)", range=[0, 8], row=1, col=2)
    figure.update_yaxes(
        title_text="", type="log", range=list(SCALE),
        tickvals=[0.1, 1, 10, 100, 1000], ticktext=["none", "1", "10", "100", "1,000"], row=1, col=2,
    )  # fmt: skip
    figure.update_annotations(font={"size": 14})
    return theme.finish(figure, "Quick or right", told, 380, above=36)


def _check(interval: float, slowest: float, loss: float, detectors: tuple[Any, ...]) -> None:
    for name, value, low, high in (
        ("interval", interval, 0.1, 5.0), ("slowest", slowest, 0.01, 5.0), ("loss", loss, 0.0, 0.5)
    ):  # fmt: skip
        if not isinstance(value, int | float) or not low <= value <= high:
            raise UsageError(f"{name} is {value!r:.40}; give a number from {low:g} to {high:g}.")
    for one in detectors:
        if not isinstance(one, type):
            raise UsageError(f"{one!r:.60} is no class; give your detectors, for example trade_off(MyDetector).")
    if len(detectors) > len(LOOKS):
        raise UsageError(f"{len(detectors)} detectors are too many for one picture; give up to {len(LOOKS)}.")


def _fill(figure: Any, detectors: tuple[Any, ...], line: beats.BeatLine) -> str:
    """Draw everything, and return the sentence that sums it up."""
    lanes = [beats.BeatLine(line.interval, line.slowest, float(loss)) for loss in LOSSES]
    false = np.array([beats.drawn(one, RUNS).false(TIMEOUTS) for one in lanes])
    here = beats.drawn(line, RUNS)
    _draw_surface(figure, false)
    curve_x, curve_y = here.seconds(TIMEOUTS), np.maximum(here.false(TIMEOUTS), NEVER)
    figure.add_scatter(
        x=curve_x, y=curve_y, mode="lines", line={"color": theme.GREY, "width": 3}, name="all fixed timeouts",
        customdata=TIMEOUTS, row=1, col=2,
        hovertemplate="timeout %{customdata} s: noticed after %{x:.1f} s, %{y:.1f} false an hour<extra></extra>",
    )  # fmt: skip
    x, y = float(here.seconds(TIMEOUT)), float(here.false(TIMEOUT))
    for col, at in ((1, (TIMEOUT, 100 * line.loss)), (2, (x, max(y, NEVER)))):
        _draw_point(figure, at, col, f"timeout {TIMEOUT} s", ("#FFFFFF" if col == 1 else theme.GREY, "x"))
    told = [
        f"A beat every {line.interval:g} s, up to {line.slowest:g} s on the way, {line.loss:.0%} lost. A timeout of {TIMEOUT} s: "
        f"{_often(y)} false suspicions an hour, a crash is noticed after {x:.1f} s."
    ]
    for detector, look in zip(detectors, LOOKS, strict=False):
        told.append(_draw_own(figure, detector, look, lanes, line))
    return " ".join(told)


def _draw_surface(figure: Any, false: Any) -> None:
    shown = np.log10(np.clip(false, NEVER, MOST))
    figure.add_heatmap(
        x=TIMEOUTS, y=100 * LOSSES, z=shown, customdata=false, colorscale="Cividis", zsmooth="best", zmin=SCALE[0], zmax=SCALE[1],
        hovertemplate="timeout %{x} s, %{y} % lost: %{customdata:.1f} false suspicions an hour<extra></extra>",
        colorbar={
            "title": {"text": "false suspicions in an hour", "side": "right", "font": {"size": 12}}, "showticklabels": False,
            "x": 0.62, "xanchor": "right", "xpad": 42, "len": 1.0, "ypad": 0, "thickness": 10, "outlinewidth": 0,
        },
        row=1, col=1,
    )  # fmt: skip


def _draw_own(
    figure: Any, detector: Any, look: tuple[str, str, str], lanes: list[beats.BeatLine], line: beats.BeatLine
) -> str:
    """Draw somebody's own detector: a line through all losses, and a point at the chosen one."""
    colour, sign, dash = look
    name = theme.escape(getattr(detector, "__name__", "your detector"), 24)
    try:
        silences = [beats.play(detector, one, SHORT).silence for one in lanes]
        found = beats.play(detector, line, LONG)
    except Exception as error:  # a class that raises must not take the picture with it
        return f"{name} stopped: {theme.escape(f'{type(error).__name__}: {error}', 80)}."
    figure.add_scatter(
        x=silences, y=100 * LOSSES, mode="lines", line={"color": colour, "width": 3, "dash": dash}, name=name, legendgroup=name,
        hovertemplate=f"{name}: %{{y}} % lost, it waits for %{{x:.1f}} s<extra></extra>", row=1, col=1,
    )  # fmt: skip
    _draw_point(figure, (found.seconds, max(found.per_hour, NEVER)), 2, name, (colour, sign))
    return f"{name}: {_often(found.per_hour).replace('no', 'none')} an hour, and after {found.seconds:.1f} s."


def _draw_point(figure: Any, at: tuple[float, float], col: int, name: str, look: tuple[str, str]) -> None:
    colour, sign = look
    figure.add_scatter(
        x=[at[0]], y=[at[1]], mode="markers", name=name, legendgroup=name, showlegend=col == 2 and sign == "x", row=1, col=col,
        marker={"symbol": sign, "size": 13, "color": colour, "line": {"width": 1.5, "color": theme.DARK_TEXT if colour == "#FFFFFF" else "#FFFFFF"}},
        hovertemplate=f"{name}: %{{x:.1f}}, %{{y:.1f}}<extra></extra>",
    )  # fmt: skip


def _often(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 9.5 else f"{rate:.1f}" if rate >= NEVER else "no"


# --- with sliders ------------------------------------------------------------------------------------------


def sliders(*detectors: Any) -> Any:
    """Return the figure with three sliders, and below them the line of code that draws the same; nothing while graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    from ipywidgets import HTML, VBox

    from chatsys.teach.widgets.slider import slider, steps

    names = ", ".join(getattr(one, "__name__", "detector") for one in detectors)
    moved = {
        "loss": slider("beats that are lost", steps(0.0, 0.3, 0.01), 0.1, "{:.0%}"),
        "slowest": slider("slowest beat", steps(0.05, 1.5, 0.05), 0.2, "{:.2f} s"),
        "interval": slider("a beat every", steps(0.4, 1.6, 0.1), INTERVAL, "{:.1f} s"),
    }
    code, told = HTML(), HTML()

    def draw() -> Any:
        chosen = {name: one.value for name, one in moved.items()}
        arguments = ", ".join(
            part for part in (names, *(f"{name}={value:g}" for name, value in chosen.items())) if part
        )
        code.value = f"<code>trade_off({arguments})</code>"
        new = dressed(trade_off(*detectors, **chosen))
        told.value = f"<b>Quick or right.</b> {html.escape(new.layout.meta['summary'])}"
        return new

    first = draw()
    first.update_layout(
        autosize=True, title=None, margin={"t": 50, "b": 110}, height=500, legend_y=56 / 500
    )  # the page has the title
    figure = live(first, responsive=True)
    for one in moved.values():
        one.observe(lambda _: _redraw(figure, draw()), names="value")
    return VBox([*moved.values(), code, told, stretched(), figure])


def _redraw(figure: Any, new: Any) -> None:
    """Let a figure on the page show what a new one shows, in one message."""
    with figure.batch_update():
        for old, fresh in zip(figure.data, new.data, strict=False):
            old.update(
                {key: fresh[key] for key in ("x", "y", "z", "customdata") if key in fresh and fresh[key] is not None}
            )
        for old, fresh in zip(figure.layout.annotations, new.layout.annotations, strict=True):
            old.text = fresh.text
        figure.layout.meta = new.layout.meta
