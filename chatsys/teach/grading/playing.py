"""Playing a grade: what the student's code saw in the run that went wrong, call by call, and the lab's figure of it.

    show("3.1")  -->   when     call                            your class returned   right is   was waiting
                       1.24 s   receive(#3, eve: "ok")          []                    []
                 -->   1.60 s   receive(#2, bob: "ok")          [#2]                  [#2, #3]   #3
                       ...                                                    the first wrong one is marked

Where nothing went wrong, or nothing was run, a sentence says so.

Read also `lab.ShownCall` (one line of it), `grader.newest` (which grade), `teach.figures` (the figure below it).
"""

from html import escape
from typing import Any

from chatsys.teach.grading.lab import Grade, ShownCall

HEADS = ("when", "call", "your class returned", "right is", "was waiting")
MARK = "→"


class PlayedGrade:
    """The calls of one object, as a table for a notebook and as lines for a terminal; and a figure, if there is one."""

    def __init__(self, grade: Grade, figure: Any = None) -> None:
        self.grade, self.figure = grade, figure

    def __repr__(self) -> str:
        rows = [HEADS, *map(_cells, self.grade.steps)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        marks = [" ", *(MARK if step.wrong else " " for step in self.grade.steps)]
        return "\n".join(
            [self.grade.sentence, "", *(f"{mark} {line}" for mark, line in zip(marks, lines, strict=True))]
        )

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" style="{_CELL}">{name}</th>' for name in HEADS)
        rows = "".join(map(_row, self.grade.steps))
        return (
            f"<p>{escape(self.grade.sentence)}</p>"
            f'<table style="border-collapse:collapse"><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table>'
        )

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        if self.grade.steps:
            # A dictionary would show this object again: the table goes out as what it is.
            display(HTML(self._repr_html_()))  # type: ignore[no-untyped-call]
        if self.figure is not None:
            display(self.figure)  # type: ignore[no-untyped-call]


_CELL = "text-align:left;vertical-align:top;padding:2px 14px 2px 0"
_WRONG = "background:rgba(213,94,0,.16);font-weight:600"
"""Vermilion, thin enough for a light and for a dark page; the arrow says it without a colour."""


def _cells(step: ShownCall) -> tuple[str, ...]:
    return step.when, step.call, step.returned, step.expected, step.waiting


def _row(step: ShownCall) -> str:
    mark = f'<td title="the first wrong answer" style="{_CELL}">{MARK if step.wrong else ""}</td>'
    cells = "".join(f'<td style="{_CELL};font-family:monospace">{escape(text)}</td>' for text in _cells(step))
    return f'<tr style="{_WRONG if step.wrong else ""}">{mark}{cells}</tr>'


def play(grade: Grade) -> Any:
    """Return what there is to see of a grade: the calls and a figure, one of them, or a sentence."""
    if not grade.steps and grade.trace is None:
        if grade.points == grade.possible:
            return f"Nothing went wrong in {grade.question}, so there is no run to show."
        return f"{grade.question} was judged without a run, so there is nothing to play; its sentence says it all."
    figure = None
    if grade.trace is not None and grade.figure:
        from chatsys.teach import figures
        from chatsys.trace import Trace

        figure = getattr(figures, grade.figure)(Trace.decode(grade.trace))
    return PlayedGrade(grade, figure)
