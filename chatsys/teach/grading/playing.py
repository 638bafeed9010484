"""Playing a grade: what the student's code saw in the run that went wrong, call by call, and that run to be scrubbed.

    show("3.1")  -->   when     call                            your class returned   right is   before the call
                       1.24 s   receive(#3, eve: "ok")          []                    []
                 -->   1.60 s   receive(#2, bob: "ok")          [#2]                  [#2, #3]   #3 waited
                       ...                                                    the first wrong one is marked

                       the timeline of that run, opened at the first wrong call; the lab's figure of it

A column in which nothing stands is left out.  Where nothing went wrong, or nothing was run, a sentence says so; of a
class that is right, `show` plays the run that its lab has for that, and opens it where it is most worth seeing.

Promises  where there is no front end it is a picture, and in a terminal lines; the timeline is made when it is looked at.
Read also `lab.ShownCall` (one line of it), `first_wrong` (where the timeline begins), `grader` (which grade),
          `teach.figures` (the figure).
"""

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from chatsys.errors import UsageError
from chatsys.teach.grading.first_wrong import find
from chatsys.teach.grading.lab import LINE, Grade, ShownCall
from chatsys.trace import Trace, trace_of

if TYPE_CHECKING:
    from chatsys.teach.widgets.timeline.timeline import Timeline

HEADS = ("when", "call", "your class returned", "right is", "before the call")
MARK = "→"
MORE = "Nothing went wrong. This is one more run of your class, opened where it is most worth seeing."
"""What is said of the run of a class that is right."""


class PlayedGrade:
    """The calls of one object, as a table for a notebook and as lines for a terminal; a timeline and a figure of the run."""

    def __init__(self, grade: Grade, run: Any = None) -> None:
        self.grade, self.run = grade, run
        """A trace or a world, or None."""

    @property
    def trace(self) -> Trace:
        """The run, for `timeline`, `why_not` and figures."""
        if self.run is None:
            raise UsageError(f"{self.grade.question} has no run that could be drawn: its calls are all that there is.")
        return trace_of(self.run)

    @cached_property
    def timeline(self) -> "Timeline | None":
        """The run to be scrubbed: from the first wrong call on, or from where it is most worth seeing; None without a run."""
        if self.run is None:
            return None
        from chatsys.teach.widgets.timeline.excerpt import worth_seeing
        from chatsys.teach.widgets.timeline.timeline import timeline

        shown = timeline(self.run)
        found = find(shown.packed.records, self.grade.steps, self.trace.words)
        if found is not None:
            shown.event, shown.lit, shown.said = found.event, found.lit, found.said
        else:
            shown.event = worth_seeing(shown.packed)
            shown.said = self.grade.sentence if self.grade.trace is not None else MORE
        return shown

    @cached_property
    def figure(self) -> Any:
        """The figure that the exercise has for such a run; None where it would only say that there is nothing to see."""
        if self.run is None or not self.grade.figure:
            return None
        from chatsys.teach import figures

        drawn = getattr(figures, self.grade.figure)(self.trace)
        return drawn if drawn.data else None

    def __repr__(self) -> str:
        if not self.grade.steps:
            return self.grade.sentence
        rows = _table(self.grade.steps)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        marks = [" ", *(MARK if step.wrong else " " for step in self.grade.steps)]
        table = [f"{mark} {line}" for mark, line in zip(marks, lines, strict=True)]
        page = f'show("{self.grade.question}").timeline.save_html("run.html") writes this run as a page to scrub.'
        return "\n".join([self.grade.sentence, "", *table, *(["", page] if self.run is not None else [])])

    def _repr_html_(self) -> str:
        sentence = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(self.grade.sentence, quote=False))
        if not self.grade.steps:
            return f"<p>{sentence}</p>"
        heads, *rows = _table(self.grade.steps)
        head = "".join(f'<th scope="col" style="{_CELL};white-space:nowrap">{name}</th>' for name in heads)
        body = "".join(_row(step.wrong, row) for step, row in zip(self.grade.steps, rows, strict=True))
        return (
            f"<p>{sentence}</p>"
            f'<table style="border-collapse:collapse"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>'
        )

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        # A dictionary would show this object again: sentence and table go out as what they are.
        display(HTML(self._repr_html_()))  # type: ignore[no-untyped-call]
        for drawn in (self.timeline, self.figure):
            if drawn is not None:
                display(drawn)  # type: ignore[no-untyped-call]


_CELL = "text-align:left;vertical-align:top;padding:2px 14px 2px 0;white-space:pre-wrap"
_WRONG = "background:rgba(213,94,0,.16);font-weight:600"
"""Vermilion, thin enough for a light and for a dark page; the arrow says it without a colour."""


class Sentence(str):
    """A text that a notebook shows as it is, without quotes, its lines broken between words."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(wrap(self, LINE, break_long_words=False, break_on_hyphens=False))


def _table(steps: Sequence[ShownCall]) -> list[tuple[str, ...]]:
    """Return the heads and the rows, without the columns in which nothing stands."""
    rows = [(step.when.replace(" ", "\u00a0"), step.call, step.returned, step.expected, step.waiting) for step in steps]
    filled = [column for column, texts in enumerate(zip(*rows, strict=True)) if any(texts)]
    return [tuple(row[column] for column in filled) for row in (HEADS, *rows)]


def _row(wrong: bool, texts: tuple[str, ...]) -> str:
    mark = f'<td title="the first wrong answer" style="{_CELL}">{MARK}</td>' if wrong else "<td></td>"
    cells = "".join(f'<td style="{_CELL};font-family:monospace">{escape(text)}</td>' for text in texts)
    return f'<tr style="{_WRONG if wrong else ""}">{mark}{cells}</tr>'


def play(grade: Grade, run: Callable[[], Any] | None = None) -> Any:
    """Return what there is to see of a grade: the calls and the run, one of them, or a sentence.

    `run` plays a class that is right, whose grade has no run of its own.
    """
    if grade.trace is not None:
        return PlayedGrade(grade, Trace.decode(grade.trace))
    if grade.steps:
        return PlayedGrade(grade)
    if grade.points == grade.possible:
        if run is not None:
            return PlayedGrade(grade, run())
        return Sentence(f"Nothing went wrong in {grade.question}, so there is no run to show.")
    return Sentence(f"There is no run to show: {grade.sentence}")
