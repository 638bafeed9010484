"""The picture of lab 07: the bytes of a log, and a slider that cuts the power.

    power_cut(MyLog)                     each record is appended
    power_cut(MyAnsweringLog, every=4)   four are accepted, then a flush, and so on
    power_cut(Quick, every=4, moment=230, kept="all")      opened at a moment, and with what the disk kept of the rest

    {"n": 1, "text": "bob: Who has the key?"}          synced: no power cut takes it
    {"n": 2, "text": "eve: Not me."}                   written: a power cut may take it
    {"n": 3, "te                                       torn: a part of a line
    {"n": 3, "te00000000000000000000↵                  zeros: the disk made the file longer, and the bytes did not come
    next life: {"n": 13, "text": "bob: Back."}         what it writes, and where

All that a move of the slider shows was worked out before: what the file holds, what was synced and answered by then, and
what the class itself makes of what is left.  So it answers at once, also while the kernel is busy.

Assumes   a notebook with widgets; elsewhere the same is told in a sentence.
Promises  a difference is never shown by colour alone; it works with the keyboard, from 500 pixels on.
Read also `play` (the run), `aftermath` (the next lives), `crash.js` (the page).
"""

import os
from functools import cache
from pathlib import Path
from typing import Any

from chatsys.errors import UsageError
from chatsys.teach.labs.lab07.aftermath import KEPT, Aftermath, NextLives, came_of, left_of, moments_left
from chatsys.teach.labs.lab07.play import EVERY, LogRun, write_log
from chatsys.teach.labs.lab07.story import many
from chatsys.teach.widgets.notebook import shell

HERE = Path(__file__).parent
NEXT = "bob: Back again."
"""What the next life writes."""
SEEN_AT = {"load() does not give back the whole lines": "why", "the record of the next life is lost": "wrong"}
"""What a picture opens at, and which field of the next lives tells it."""
ZEROED = ", some of them zeros"


def power_cut(cls: Any, every: int = EVERY, *, moment: int | None = None, kept: str | None = None) -> "PowerCut | None":
    """Return the picture of a log that this class writes; None while a notebook is graded.

    `moment` is the byte at which the slider stands first, `kept` what the disk kept of what was not synced; without them,
    where most can be seen.  Raises `UsageError` for what is no log, and for a class that stops.
    """
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    if kept not in (None, *KEPT):
        raise UsageError(f"kept is {kept!r:.40}; write {', '.join(map(repr, KEPT))}.")
    run = write_log(cls, every)
    whole = len(run.content)
    if moment is not None and (not isinstance(moment, int) or not 0 <= moment <= whole):
        raise UsageError(f"moment is {moment!r:.40}; this log has {whole} bytes, so give a number from 0 to {whole}.")
    return PowerCut(run, moment, kept)


class PowerCut:
    """A log, and what is left of it after a power cut at each of its moments."""

    def __init__(self, run: LogRun, moment: int | None, kept: str | None) -> None:
        self.run, self.note = run, ""
        self.moments = run.moments()
        after = Aftermath(run, {"n": len(run.records) + 1, "text": NEXT})
        self.lives = {one: [after.of(left) for left in moments_left(run, self.moments, one)] for one in KEPT}
        """For what the disk kept, and for each moment: what the next lives make of it."""
        self.at, self.kept = 0, kept or "nothing"
        if moment is None:
            self._open(kept)
        else:
            self.at = max((at for at, one in enumerate(self.moments) if one.written == moment), default=0)

    def _open(self, kept: str | None) -> None:
        """Choose a moment at which something is to be seen, and say why it is that one."""
        asked = [kept] if kept else ["all", "zeros", "half"]
        lost = [
            max(0, one.answered - life.count)
            for one, life in zip(self.moments, self.lives[kept or "nothing"], strict=True)
        ]
        if any(lost):
            self.at, self.note = lost.index(max(lost)), "It opens where most answered records are lost."
            return
        middle = len(self.moments) // 2
        for what, bad in SEEN_AT.items():
            for one in asked:
                places = [at for at, life in enumerate(self.lives[one]) if getattr(life, bad)]
                if places:
                    self.at, self.kept = min(places, key=lambda at: abs(at - middle)), one
                    self.note = f"It opens where {what}."
                    return
        self.kept = kept or "half"
        torn = [
            at
            for at, one in enumerate(self.moments)
            if left_of(self.run.content, one, self.kept)[-1:] not in (b"", b"\n")
        ]
        self.at = next((at for at in torn if at >= middle and self.moments[at].ended), middle)
        where = ", at a line of which a part is left" if self.at in torn else ""
        self.note = f"No power cut takes an answered record of this log. It opens in the middle{where}."

    def data(self) -> dict[str, Any]:
        """Return all that the page shows."""
        known: dict[NextLives, int] = {}
        places = {kept: [known.setdefault(life, len(known)) for life in lives] for kept, lives in self.lives.items()}
        return {
            "name": self.run.name,
            "note": self.note,
            "lines": [line.decode(errors="replace") for line in self.run.content.split(b"\n")[:-1]],
            "sizes": [len(line) + 1 for line in self.run.content.split(b"\n")[:-1]],
            "moments": [[one.written, one.synced, one.answered, one.what, *came_of(one)] for one in self.moments],
            "lives": [[life.count, life.why, life.size, life.added, life.after, life.wrong] for life in known],
            "places": places,
            "at": self.at,
            "kept": self.kept,
        }

    def __repr__(self) -> str:
        one, life = self.moments[self.at], self.lives[self.kept][self.at]
        left = len(left_of(self.run.content, one, self.kept))
        lost = max(0, one.answered - life.count)
        did = life.why or f"gives back {many(life.count, 'record')}"
        end = f"{lost} of them {'is' if lost == 1 else 'are'} lost" if lost else "none of them is lost"
        return (
            f"{self.run.name}: {one.written} of {len(self.run.content)} bytes are written, {one.synced} of them synced, and "
            f"{many(one.answered, 'record')} answered. The power is cut, {left} bytes are left{ZEROED * (self.kept == 'zeros')}, load() {did}: {end}."
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
