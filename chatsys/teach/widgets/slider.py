"""Slider: one of several values, chosen with the mouse or with the arrow keys, and observed in Python.

    pause = slider("the leader sleeps", steps(0.5, 8.0, 0.5), 4.0, told="{:.1f} s")
    pause.observe(draw, names="value")      draw is called at each move
    pause.value                             4.0

Why one of our own?  The sliders of ipywidgets give their handle no name: who hears a page instead of seeing it hears a
number, and not of what.  Here the browser's own slider has a label, and the position is told in words (“4.0 s”).

Assumes   a notebook with widgets, as everything that is shown with a slider does.
Promises  `value` is always one of the options; it has their type, which may be a number, a name or anything else.
Read also `guess`, a question with buttons; `panel`, whose sliders are made in the browser.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from chatsys.errors import UsageError

HERE = Path(__file__).parent


def slider(label: str, options: Sequence[Any], value: Any, told: str = "{}", live: bool = False) -> Any:
    """Return a slider with this label over these options, which stands at `value` first.

    `told` says how a position is told, as in `str.format`: "{:.0%}", "{:+.1f} s".  It has the traits `value` and
    `options`; set `value` in code, or observe it, as with a slider of ipywidgets.  It tells a new value once it is let
    go; a `live` one tells it while it is dragged, too: for what is drawn in a moment.  Raises `UsageError` for an
    empty label, for no options, and for a value that is none of them.
    """
    if not label.strip():
        raise UsageError('A slider needs a label, which says what it sets: slider("seconds asleep", ...).')
    if not options:
        raise UsageError(f"The slider “{label}” has no options; give at least one value that it can stand at.")
    return _kind()(
        label=label, options=tuple(options), texts=[told.format(one) for one in options], value=value, live=live
    )


def steps(least: float, most: float, step: float) -> tuple[float, ...]:
    """Return the numbers from `least` to `most`, both among them, a step apart: 0.1, 0.2, 0.3, without 0.30000000000000004."""
    return tuple(round(least + number * step, 9) for number in range(round((most - least) / step) + 1))


@cache
def _kind() -> Any:
    """Return the class of a slider; a program without a notebook never loads what it is made of."""
    import anywidget
    import traitlets

    class Slider(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
        """What the browser has is the number of an option; what Python has is the option."""

        _esm = (HERE / "slider.js").read_text("utf-8")
        _css = (HERE / "slider.css").read_text("utf-8")
        label = traitlets.Unicode().tag(sync=True)
        texts = traitlets.List(traitlets.Unicode()).tag(sync=True)
        index = traitlets.Int(0).tag(sync=True)
        live = traitlets.Bool(False).tag(sync=True)
        options = traitlets.Tuple()
        value = traitlets.Any()

        @traitlets.validate("value")
        def _check(self, proposal: Any) -> Any:
            if proposal["value"] not in self.options:
                first, last = self.texts[0], self.texts[-1]
                raise UsageError(
                    f"{proposal['value']!r:.60} is no value of the slider “{self.label}”; it has "
                    f"{len(self.options)}, from {first} to {last}."
                )
            return self.options[self.options.index(proposal["value"])]

        @traitlets.observe("value")
        def _set(self, _change: Any) -> None:
            self.index = self.options.index(self.value)

        @traitlets.observe("index")
        def _moved(self, _change: Any) -> None:
            if 0 <= self.index < len(self.options):  # what a page sends beyond that is passed over
                self.value = self.options[self.index]

    return Slider
