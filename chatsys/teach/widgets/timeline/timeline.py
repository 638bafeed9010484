"""The timeline: a run to scrub, in the browser, with every message as an arrow.

    trace --pack--> about, columns --> browser: lanes, arrows, logs as boxes, rules
                                   <-- event      where the cursor is, both ways
                    lit, said      -->            what Python lights, and says

Everything that moves is the browser's: stepping asks nothing of the kernel, so it answers while a cell runs.

    timeline(world)                    goes on as the world does: a cell, a panel's Step
    timeline(world.trace)              as it is now; also of a cluster, a run, a demo
    timeline(compare(a, b))            two runs, one over the other
    timeline(trace, event=120)         begins there
    timeline(world, check(world)[0])   begins where that rule was broken
    timeline(trace).save_html("x.html")    one file that needs neither kernel nor network

Assumes   a run is followed by reading its trace, which its world only ever appends to.
Promises  without a front end it is a picture; it keeps no cluster alive, and what follows one ends with it.
Read also `packing` (what is sent), `source` (the browser's half), `still` (the picture).
"""

import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import anywidget
import traitlets

from chatsys.capabilities import THREADS, has
from chatsys.check import Violation
from chatsys.errors import UsageError
from chatsys.faults import Testbed
from chatsys.teach.figures.theme import plain
from chatsys.teach.widgets.notebook import cell, shell
from chatsys.teach.widgets.timeline.answers import Told, ask, for_page
from chatsys.teach.widgets.timeline.packing import Packed, pack
from chatsys.teach.widgets.timeline.source import module, page, style
from chatsys.teach.widgets.timeline.still import still
from chatsys.teach.widgets.timeline.verdicts import story_of
from chatsys.trace import Trace, trace_of, write

PACE = 0.25
"""Seconds between two looks at a world that may have gone on."""
SHARE = 4
"""Packing may take one part in so many of the time, however long the run has become."""

SAID = 600
"""A sentence is cut to so many letters."""

_open: "weakref.WeakSet[Timeline]" = weakref.WeakSet()
"""The timelines that follow something."""


@runtime_checkable
class Overlaid(Protocol):
    """Runs that are shown as one, which answer for themselves: those of `compare`."""

    def packed(self) -> Packed:
        """Return all of them as one packed run."""

    def ask(self, packed: Packed, order: dict[str, Any]) -> Told:
        """Answer a question from the browser."""

    def answers(self, packed: Packed) -> dict[str, dict[str, Any]]:
        """Return the answers that a page needs."""


def timeline(given: Any, event: int | Violation | None = None) -> "Timeline":
    """Return the timeline of a trace, or of a world, cluster, run, demo or comparison, to be the last line of a cell.

    `event` is where the cursor begins: the index of a record in order of time, or a violation, whose story is lit then.
    Where nothing is given, that is where two runs part, or the first event that broke a rule, else the end.
    """
    trace = Trace(given.packed().records) if isinstance(given, Overlaid) else trace_of(given)
    if isinstance(event, bool) or not isinstance(event, int | Violation | None):
        raise UsageError(
            f"event is {event!r:.80}; give the index of a record in order of time, from 0 on, or a violation, "
            "for example check(world)[0]."
        )
    if isinstance(event, int):
        _there_is(event, trace)
    now = cell()
    for other in list(_open):
        if now is not None and now.is_again(other.cell):  # the output of the cell's earlier run is off the page
            other.close()
    if isinstance(event, Violation):
        return _opened_at(Timeline(given), event)
    return Timeline(given, event)


def _opened_at(shown: "Timeline", violation: Violation) -> "Timeline":
    """Put the cursor where a rule was broken, light its story and say it."""
    shown.event, shown.lit = story_of(shown.packed.records, violation)
    shown.said = plain(violation.plain, SAID)
    return shown


def _there_is(event: int, trace: Trace) -> None:
    if not 0 <= event < max(len(trace), 1):
        raise UsageError(f"There is no event {event}; this run has {len(trace)}, from 0 on.")


class Timeline(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
    """The widget; make one with `timeline(given)`."""

    _esm = module()
    _css = style()

    about = traitlets.Dict().tag(sync=True)
    columns = traitlets.Dict().tag(sync=True)
    event = traitlets.Int(-1).tag(sync=True)
    """The cursor: an index in order of time; set it, and the browser follows."""
    lit = traitlets.List(traitlets.Int()).tag(sync=True)
    """Events that are lit; all others fade."""
    said = traitlets.Unicode("").tag(sync=True)
    """A sentence below the run: an answer."""
    answers = traitlets.Bool(True).tag(sync=True)
    """Whether somebody answers here."""

    def __init__(self, given: Any, event: int | None = None, follow: bool = True) -> None:
        self.overlaid = given if isinstance(given, Overlaid) else None
        self.packed: Packed = pack(trace_of(given)) if self.overlaid is None else self.overlaid.packed()
        self.trace = trace_of(given) if self.overlaid is None else Trace(self.packed.records)
        self.cell = cell()
        self.given: Callable[[], Any] = watched(given)
        """What was given, to ask about; None when it is gone."""
        self.quiet = False
        """While what was sent as news is put into the state."""
        self.over = threading.Event()
        self.seen = len(self.trace)
        jumps = self.packed.about["jumps"]
        worth = jumps.get("parting") or jumps.get("violation") or [self.seen - 1]
        super().__init__(
            about=self.packed.about, columns=self.packed.buffers(), event=worth[0] if event is None else event
        )
        self.on_msg(self._receive)
        if follow and isinstance(given, Testbed):  # else whoever holds it calls `refresh`
            self._follow(given)

    def open(self) -> None:
        """Open the channel to the browser; where there is no notebook, nobody would listen."""
        if shell() is not None:
            super().open()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Be the widget where there is a notebook, and everywhere a picture for whoever cannot show one."""
        picture = {
            "text/plain": repr(self),
            "image/svg+xml": still(self.packed, self.event if self.packed.records else None, lit=self.lit),
        }
        if self.comm is None:
            return picture
        shown: tuple[dict[str, Any], dict[str, Any]] | None = super()._repr_mimebundle_(**options)
        return picture if shown is None else ({**picture, **shown[0]}, shown[1])

    def __repr__(self) -> str:
        return f"<Timeline of {len(self.trace)} events; it needs a notebook to be scrubbed, or save_html(path)>"

    def save_html(self, path: str | Path) -> Path:
        """Write the run as one page that needs neither kernel nor network, and return its path."""
        answers = for_page(self.trace, self.packed) if self.overlaid is None else self.overlaid.answers(self.packed)
        state = {"event": self.event, "lit": self.lit, "said": self.said, "answers": answers}
        return write(path, page(self.about, self.columns, state).encode())

    def close(self) -> None:
        """Follow nothing any more, and leave the page."""
        self.over.set()
        _open.discard(self)
        super().close()

    @traitlets.validate("event")
    def _is_an_event(self, proposed: Any) -> int:
        """Refuse a cursor outside of the run; -1 is where it stands in a run without events."""
        event = int(proposed["value"])
        if event != -1 or len(self.trace):
            _there_is(event, self.trace)
        return event

    # --- following ------------------------------------------------------------------------

    def _receive(self, _widget: Any, order: dict[str, Any], _buffers: Any) -> None:
        """Answer what the browser asks: why something did not come, or the whole run, as it has missed some of it."""
        if order.get("ask") == "whole":
            self._post([(name, 0) for name in self.columns])
        elif order.get("ask") == "why_not" and self.overlaid is not None:
            self.said, self.lit = self.overlaid.ask(self.packed, order)
        elif order.get("ask") == "why_not":
            given = self.given()
            self.said, self.lit = ask(self.trace if given is None else given, self.packed, order)
            self.send({"said": self.said, "lit": self.lit})  # an answer that is equal to the last one changes no trait

    def _follow(self, source: Testbed) -> None:
        if shell() is None or not has(THREADS):
            return  # `refresh` is there for whoever has no thread
        _open.add(self)
        seen, theirs = weakref.ref(self), weakref.ref(source)
        threading.Thread(target=_watch, args=(seen, theirs, self.over), name="chatsys timeline", daemon=True).start()

    def refresh(self) -> float:
        """Look whether the run went on, and send what is new; return the seconds that this took."""
        if len(self.trace) == self.seen:
            return 0.0
        began = time.perf_counter()
        self.seen = len(self.trace)
        old, self.packed = self.columns, pack(Trace(self.trace.records[: self.seen], self.trace.meta))
        columns = self.packed.buffers()
        begins = [(name, shared(old.get(name, b""), data)) for name, data in columns.items()]
        self.quiet = True
        try:
            self.about, self.columns = self.packed.about, columns
        finally:
            self.quiet = False
        self._post(begins)
        return time.perf_counter() - began

    def _post(self, begins: list[tuple[str, int]]) -> None:
        """Send the columns from these bytes on."""
        self.send({"about": self.about, "from": begins}, [self.columns[name][begin:] for name, begin in begins])

    def send_state(self, key: Any = None) -> None:
        """Send a part of the state, but not what went as news already."""
        if not self.quiet:
            super().send_state(key)


def watched(given: Any) -> Callable[[], Any]:
    """Return what returns `given`; a cluster that runs is not kept alive by a picture of it."""
    return weakref.ref(given) if isinstance(given, Testbed) and given.where != "sim" else lambda: given


def _watch(seen: "weakref.ref[Timeline]", theirs: "weakref.ref[Testbed]", over: threading.Event) -> None:
    """Refresh a timeline for as long as it and the world that it follows are there."""
    pause = PACE
    while not over.wait(pause):
        shown = seen()
        if shown is None:
            return
        pause = max(PACE, SHARE * shown.refresh())
        if theirs() is None:
            return
        del shown


def shared(old: bytes, new: bytes) -> int:
    """Return how many bytes of `old` need not be sent again: all of it if `new` begins with it, else none."""
    return len(old) if new.startswith(old) else 0
