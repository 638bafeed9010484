"""The picture of lab 07: the bytes of a log, and a slider that cuts the power.

    power_cut(MyLog)                     each record is appended
    power_cut(MyAnsweringLog, every=4)   four are accepted, then a flush, and so on
    power_cut(Quick, every=4, moment=230, kept="all")      opened at a moment, and with what the disk kept of the rest

    answered 1 2 3 4 .
    {"n": 1, "text": "bob: Who has the key?"}          synced: no power cut takes it
    {"n": 2, "text": "eve: Not me."}                   written: a power cut may take it
    {"n": 3, "te                                       torn: a part of a line

All that a move of the slider shows was worked out before: what the file holds, what was synced and answered by then, and
what the class itself loads of each of its beginnings.  So it answers at once, also while the kernel is busy.

Assumes   a notebook with widgets; elsewhere the same is told in a sentence.
Promises  a difference is never shown by colour alone; it works with the keyboard, from 500 pixels on.
Read also `play` (the run), `crash.js` (the page).
"""

import os
from functools import cache
from pathlib import Path
from typing import Any

from chatsys.errors import UsageError
from chatsys.teach.labs.lab07.lives import Lived, as_bytes
from chatsys.teach.labs.lab07.play import EVERY, LogRun, write_log
from chatsys.teach.labs.lab07.runs import described
from chatsys.teach.labs.lab07.story import many
from chatsys.teach.widgets.notebook import shell

HERE = Path(__file__).parent
KEPT = ("nothing", "half", "all")
"""What the disk kept of what was not synced."""


def power_cut(cls: Any, every: int = EVERY, *, moment: int | None = None, kept: str = "nothing") -> "PowerCut | None":
    """Return the picture of a log that this class writes; None while a notebook is graded.

    `moment` is the byte at which the slider stands first; without it, where most is lost.  Raises `UsageError` for what is
    no log, and for a class that stops.
    """
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    if kept not in KEPT:
        raise UsageError(f"kept is {kept!r:.40}; write {', '.join(map(repr, KEPT))}.")
    run = write_log(cls, every)
    whole = len(run.content)
    if moment is not None and (not isinstance(moment, int) or not 0 <= moment <= whole):
        raise UsageError(f"moment is {moment!r:.40}; this log has {whole} bytes, so give a number from 0 to {whole}.")
    return PowerCut(run, moment, kept)


class PowerCut:
    """A log, and what is left of it after a power cut at each of its moments."""

    def __init__(self, run: LogRun, moment: int | None, kept: str) -> None:
        self.run, self.kept = run, kept
        self.moments = run.moments()
        self.loads = [self._load(size) for size in range(len(run.content) + 1)]
        """For each size of the file: how many records are loaded, and in words what load did if it did not."""
        self.at = self._worst() if moment is None else self._place(moment)

    def _load(self, size: int) -> tuple[int, str]:
        told: Lived = self.run.loaded(size)
        got, expected = told.records, as_bytes(self.run.records)
        if got is not None and got == expected[: len(got)]:
            return len(got), ""
        return 0, described(told)

    def _place(self, byte: int) -> int:
        return max((at for at, one in enumerate(self.moments) if one.written == byte), default=0)

    def _worst(self) -> int:
        """Return the first moment at which most answered records are lost, or one at which much is written and not synced."""
        lost = [max(0, one.answered - self.loads[one.synced][0]) for one in self.moments]
        if any(lost):
            return lost.index(max(lost))
        torn = [self.loads[one.written][1] != "" for one in self.moments]
        if any(torn):
            return len(torn) - 1 - torn[::-1].index(True)
        behind = [one.written - one.synced for one in self.moments]
        return len(behind) - 1 - behind[::-1].index(max(behind)) - 3

    def left(self, at: int) -> int:
        """Return how many bytes are left if the power is cut at this moment."""
        one = self.moments[at]
        return {"nothing": one.synced, "half": (one.synced + one.written) // 2, "all": one.written}[self.kept]

    def data(self) -> dict[str, Any]:
        """Return all that the page shows."""
        return {
            "name": self.run.name,
            "lines": [line.decode(errors="replace") for line in self.run.content.split(b"\n")[:-1]],
            "sizes": [len(line) + 1 for line in self.run.content.split(b"\n")[:-1]],
            "moments": [[one.written, one.synced, one.answered, one.what] for one in self.moments],
            "loads": self.loads,
            "at": self.at,
            "kept": self.kept,
        }

    def __repr__(self) -> str:
        one, left = self.moments[self.at], self.left(self.at)
        count, why = self.loads[left]
        lost = max(0, one.answered - count)
        did = why or f"gives back {many(count, 'record')}"
        end = f"{lost} of them {'is' if lost == 1 else 'are'} lost" if lost else "none of them is lost"
        return (
            f"{self.run.name}: {one.written} of {len(self.run.content)} bytes are written, {one.synced} of them synced, and "
            f"{one.answered} records answered. The power is cut, {left} bytes are left, load() {did}: {end}."
        )

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Be the picture in a notebook, and a sentence everywhere."""
        text = {"text/plain": repr(self)}
        if shell() is None:
            return text
        shown = _widget()(data=self.data())._repr_mimebundle_(**options)
        if shown is None:
            return text
        data, facts = shown if isinstance(shown, tuple) else (shown, {})
        return {**data, **text}, facts


@cache
def _widget() -> Any:
    """Return the class of the widget; a program without a notebook never loads what it is made of."""
    import anywidget
    import traitlets

    class Bytes(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
        _esm = (HERE / "crash.js").read_text("utf-8")
        _css = (HERE / "crash.css").read_text("utf-8")
        data = traitlets.Dict().tag(sync=True)

    return Bytes
