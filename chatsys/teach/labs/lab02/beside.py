"""The picture of lab 02 to click in: past and future of an event, and beside it the chat, sorted by the date.

    sliders(run, MyOrder)      click on an event, or choose it; let the clock of node 1 be ahead; sort by something else

A clock that is ahead changes every date of its node, and so the order of the chat, and nothing in the figure: nobody's
path of messages becomes another one.

Read also `past_and_future` (the figure), `play.lines` (the chat in words).
"""

import os
from html import escape
from typing import Any

from chatsys.teach.figures.live import live
from chatsys.teach.figures.page import dressed
from chatsys.teach.labs.lab02.events import Event, events_of
from chatsys.teach.labs.lab02.past_and_future import LOOKS, SIGNS, Sides, cones, find, sides_of, summary
from chatsys.teach.labs.lab02.play import SORTS, date, in_order, too_early, wall
from chatsys.teach.labs.lab02.stage import PEOPLE
from chatsys.trace import trace_of

INK = "color:var(--jp-content-font-color1, var(--vscode-editor-foreground, #222222))"
TOLD = '<div class="chatsys-told" style="{};line-height:1.4;max-width:760px;white-space:normal">{}</div>'
LEGEND = 44
"""Pixels for what the legend may have more, when another event is chosen."""
CODE = "<code style='white-space:pre-wrap'>{}</code>"


def sliders(run: Any, order: Any = None, event: str | None = None) -> Any:
    """Return the figure to click in, and the chat beside it, sorted by a clock that a slider sets; nothing while graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    events = events_of(trace_of(run))
    if not events:
        return cones(run, order)
    return _Picture(run, order, events, find(events, event).name).box


class _Picture:
    """The figure, the chat, and what moves them."""

    def __init__(self, run: Any, order: Any, events: list[Event], first: str) -> None:
        from ipywidgets import HTML, Dropdown, HBox, VBox

        from chatsys.teach.widgets.slider import slider, steps

        self.run, self.order, self.events = run, order, events
        self.event = slider("the event", [one.name for one in events], first)
        self.ahead = slider("node 1 is ahead", steps(-5.0, 5.0, 0.5), 0.0, "{:+.1f} s")
        self.sort = Dropdown(
            options=SORTS,
            value=SORTS[0],
            description="sort the chat by",
            style={"description_width": "160px"},
            layout={"width": "480px"},
        )
        self.code, self.told, self.chat = HTML(), HTML(), HTML()
        self.figure = live(_without_title(cones(run, order, first)))
        for trace in self.figure.data:
            if trace.mode == "markers+text":
                trace.on_click(self._clicked)
        for one in (self.event, self.ahead, self.sort):
            one.observe(self._moved, names="value")
        self._write()
        side = HBox(
            [self.figure, self.chat],
            layout={"flex_flow": "row wrap", "align_items": "flex-start", "overflow": "visible"},
        )
        self.box = VBox([self.event, self.ahead, self.sort, self.code, self.told, side])

    def _clicked(self, trace: Any, points: Any, _state: Any) -> None:
        """Choose the event that was clicked."""
        if points.point_inds:
            self.event.value = trace.customdata[points.point_inds[0]]

    def _moved(self, change: dict[str, Any]) -> None:
        if change["owner"] is self.event:
            _redraw(self.figure, _without_title(cones(self.run, self.order, self.event.value)))
        self._write()

    def _write(self) -> None:
        """Write the chat anew, and the lines of code that do the same."""
        name = getattr(self.order, "__name__", "None")
        ahead, sort = self.ahead.value, self.sort.value
        self.code.value = CODE.format(
            escape(f'cones(run, {name}, event="{self.event.value}"); lines(run, ahead={ahead:g}, sort="{sort}")')
        )
        chosen = find(self.events, self.event.value)
        sides = sides_of(self.events, chosen, self.order)
        self.told.value = TOLD.format(INK, summary(self.events, chosen, sides))
        self.chat.value = _chat_html(in_order(self.run, sort, ahead), sides, ahead)


def _chat_html(order: list[Event], sides: Sides, ahead: float) -> str:
    """Return the lines of the chat: date, author, text, and on which side of the chosen event it was said."""
    wrong = {one.name: question.text for one, question in too_early(order)}
    colours = {side: colour for side, (_, colour) in LOOKS.items()}
    rows = []
    for one in order:
        side = sides.said[one.name]
        mark = f'<span style="color:{colours[side]};font-weight:700" title="{side}">{SIGNS[side]}</span>'
        early = one.name in wrong
        note = f"<br><small>✖ before what it answers: “{escape(wrong[one.name] or '')}”</small>" if early else ""
        ground = "background:rgba(213,94,0,.16);" if early else ""
        number = f" · {one.said}" if one.said else ""
        rows.append(
            f'<tr style="{ground}"><td style="{_CELL}">{mark}</td><td style="{_CELL};font-family:monospace">{date(wall(one, ahead, 1))}</td>'
            f'<td style="{_CELL}"><b>{escape(PEOPLE.get(one.node, str(one.node)))}</b> <small>{one.name}{number}</small></td>'
            f'<td style="{_CELL};white-space:normal">{escape(one.text or "")}{note}</td></tr>'
        )
    told = (
        f"{len(wrong)} of {len(order)} lines stand before what they answer."
        if wrong
        else "Every answer stands after its question."
    )
    return (
        f'<div class="chatsys-skewed" style="{INK};line-height:1.35;max-width:460px"><b>The chat, sorted</b><br><small>{told}</small>'
        f'<table style="border-collapse:collapse">{"".join(rows)}</table></div>'
    )


_CELL = "text-align:left;vertical-align:top;padding:2px 10px 2px 0;white-space:nowrap"


def _redraw(figure: Any, new: Any) -> None:
    """Let a figure on the page show what a new one shows, in one message."""
    with figure.batch_update():
        for old, fresh in zip(figure.data, new.data, strict=True):
            old.update(
                {
                    key: fresh[key]
                    for key in ("x", "y", "text", "textposition", "customdata", "hovertext")
                    if fresh[key] is not None
                }
            )
            old.showlegend = fresh.showlegend
        figure.layout.meta = new.layout.meta


def _without_title(figure: Any) -> Any:
    """Return the figure for the page, without the texts that stand above it there."""
    shown = dressed(figure)
    above, below = shown.layout.margin.t, shown.layout.margin.b
    shown.update_layout(title=None, margin={"t": 16, "b": below + LEGEND}, width=500, autosize=False)
    shown.layout.height += 16 - above + LEGEND
    return shown
