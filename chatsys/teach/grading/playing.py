"""Playing a grade: what the student's code saw in the run that went wrong, call by call, and that run to be scrubbed.

    show("3.1")  -->   when     call                            your class returned   right is   before the call
                       1.24 s   receive(#3, eve: "ok")          []                    []
                 -->   1.60 s   receive(#2, bob: "ok")          [#2]                  [#2, #3]   #3 waited
                       ...                                                    the first wrong one is marked

                       the timeline of that run, opened at the first wrong call; the lab's figure of it

The timeline begins at the event that is the first wrong call; lit are how the messages came that the answer is about,
and what the class did with them then.  A call that leaves no record of its own, such as a question, is where the last
event of its node before it is.

A column in which nothing stands is left out.  Where nothing went wrong, or nothing was run, a sentence says so; of a
class that is right, `show` plays the run that its lab has for that, and opens it where it is most worth seeing.

Promises  where there is no front end it is a picture, and in a terminal lines; the timeline is made when it is looked at.
Read also `lab.ShownCall` (one line of it), `grader` (which grade),
          `teach.figures` (the figure).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING, Any, NamedTuple

from chatsys.actor.words import Words
from chatsys.errors import UsageError
from chatsys.teach.grading.lab import Grade, ShownCall
from chatsys.teach.scores import LINE
from chatsys.trace import Record, Trace, trace_of

if TYPE_CHECKING:
    from chatsys.teach.widgets.timeline.timeline import Timeline

HEADS = ("when", "call", "your class returned", "right is", "before the call")
MARK = "→"
MORE = "Nothing went wrong. This is one more run of your answer, opened where it is most worth seeing."
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
        found = find_wrong(shown.packed.records, self.grade.steps, self.trace.words)
        if found is not None:
            shown.event, shown.lit, shown.said = found.event, found.lit, found.said
        else:
            shown.event = worth_seeing(shown.packed)
            shown.said = self.grade.sentence.replace("`", "") if self.grade.trace is not None else MORE
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


# --- where the timeline begins ----------------------------------------------------------------

SAME = 1e-6
"""Two moments are the same if they are so near, in seconds: those of a call are read from the clock of its node."""
FATES = ("crash", "pause", "cut", "broken")
"""What may have silenced a node."""


class WrongCall(NamedTuple):
    """Where a call is in a run: events, as places among its records; and the call in a sentence."""

    event: int
    lit: list[int]
    said: str


def find_wrong(records: Sequence[Record], steps: Iterable[ShownCall], words: Words) -> WrongCall | None:
    """Return where the first wrong one of these calls is; None if the calls do not say where they were.

    `records` are those of the run, in the order of its timeline.
    """
    call = next((step for step in steps if step.wrong), None)
    if call is None or call.node is None or call.time is None:
        return None
    mine = [at for at, record in enumerate(records) if record.node == call.node and record.time <= call.time + SAME]
    if not mine:
        return None
    now = [at for at in mine if records[at].time >= call.time - SAME]
    event = next((at for at in now if records[at].kind == "receive"), (now or mine[-1:])[0])
    lit = {event, *_done_then(records, now, event)}
    lit |= {
        *_messages_of(records, mine, call, words),
        *_peers_of(records, mine, call),
        *_rivals(records, lit, words.lead),
    }
    return WrongCall(event, sorted(lit | {at for one in lit if (at := _sent(records, one)) is not None}), _say(call))


def _say(call: ShownCall) -> str:
    """Return the call as a sentence."""
    before = f" ({call.waiting})" if call.waiting else ""
    right = f" Right is: {call.expected}." if call.expected else ""
    return f"The first wrong call, at {call.when} at node {call.node}{before}: {call.call} gave {call.returned}.{right}"


def _done_then(records: Sequence[Record], now: Iterable[int], event: int) -> Iterable[int]:
    """Yield what the node did at this moment, up to the next message that it received."""
    for at in now:
        if at > event:
            if records[at].kind == "receive":
                return
            yield at


def _messages_of(records: Sequence[Record], mine: Sequence[int], call: ShownCall, words: Words) -> Iterable[int]:
    """Yield how the messages that the call is about came to its node, and what became of them there by then.

    One that was still on its way is followed to its end.
    """
    if not call.about:
        return
    numbers = [getattr(record, words.number or "seq") for record in records]
    carries = [record.message == words.numbered for record in records]
    ids: set[str | None] = set()
    """Those of the frames that were still on their way."""
    came = {numbers[at] for at in mine if records[at].kind == "receive" and carries[at]}
    for at, record in enumerate(records):
        if numbers[at] not in call.about:
            continue
        if numbers[at] not in came:
            if at <= mine[-1] and record.kind == "send" and carries[at] and record.peer == call.node:
                ids.add(record.id)
            if carries[at] and record.id in ids:
                yield at
        elif at <= mine[-1] and record.node == call.node:
            if record.kind in ("hold", "deliver") or (record.kind == "receive" and carries[at]):
                yield at


def _peers_of(records: Sequence[Record], mine: Sequence[int], call: ShownCall) -> Iterable[int]:
    """Yield when each node that the call is about was heard last, and what silenced it."""
    for peer in call.peers:
        heard = [at for at in mine if records[at].kind == "receive" and records[at].peer == peer]
        silenced = [
            at
            for at, record in enumerate(records[: mine[-1]])
            if record.kind in FATES and peer in (record.node, record.peer)
        ]
        yield from (*heard[-1:], *silenced[-1:])


def _rivals(records: Sequence[Record], lit: Iterable[int], lead: str) -> list[int]:
    """Return who led the same term, if the node began to lead at this moment."""
    terms = {records[at].term for at in lit if records[at].kind == lead}
    return [at for at, record in enumerate(records) if record.kind == lead and record.term in terms]


def _sent(records: Sequence[Record], event: int) -> int | None:
    """Return the event in which the frame was sent that arrives in this one."""
    record = records[event]
    if record.kind not in ("receive", "drop") or record.id is None:
        return None
    return next((at for at in range(event, -1, -1) if records[at].kind == "send" and records[at].id == record.id), None)
