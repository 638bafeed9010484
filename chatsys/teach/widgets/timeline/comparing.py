"""Compare: two runs laid over each other, and where they part.

    quorum 2     ----o----o----o-----o---- ...      equal events are drawn grey, and stand at one place
    quorum 1     ----o----o----x--o------- ...      what only one of the two has is in colour
                               ^ here the runs part

    compare(a, b)                         the last line of a cell: both timelines, one above the other
    str(compare(a, b))                    where they part, in a sentence
    compare(a, b, story=True)             by what people see: who led, what was delivered; by no heartbeat and no frame
    compare(a, b).save_html("ab.html")    one file that needs neither kernel nor network
    timeline(compare(a, b), event=7)      the widget itself

Promises  the runs that were given are not changed, and what they do later is not shown; of equal runs it says that they
          are equal; a cluster is not kept alive by a picture of it.
Read also `differences` (what both have), `overlay` (both as one picture), `timeline` (who draws them).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from chatsys.errors import UsageError
from chatsys.teach.figures.theme import plain
from chatsys.teach.widgets.timeline.answers import Told, ask_at, for_page
from chatsys.teach.widgets.timeline.differences import Differences, Parting, find_differences
from chatsys.teach.widgets.timeline.overlay import events_of, lay_over
from chatsys.teach.widgets.timeline.packing import Packed, pack
from chatsys.teach.widgets.timeline.timeline import Timeline, timeline, watched
from chatsys.trace import Trace, trace_of

UNLIKE = (
    "peer",
    "seq",
    "term",
    "entry_term",
    "msg_no",
    "verified",
    "role",
    "entry",
    "incarnation",
    "author",
    "text",
    "reason",
)
"""Columns that are told where two records differ, and their sentences do not."""
LONGEST = 40
"""A name has at most so many letters."""


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Two runs beside each other; a notebook shows their timelines, text their sentence."""

    names: tuple[str, str]
    runs: tuple[Packed, Packed]
    found: Differences
    given: tuple[Callable[[], Any], Callable[[], Any]]
    """What returns what was given, to ask about; None when it is gone."""
    traces: tuple[Trace, Trace]
    """The runs as they were when they were compared."""

    @property
    def parting(self) -> Parting | None:
        """Where they part; None if the runs are equal, as far as they are compared."""
        return self.found.parting

    @property
    def only(self) -> tuple[frozenset[int], frozenset[int]]:
        """The events of each run that the other one lacks."""
        return self.found.only

    # --- in words -------------------------------------------------------------------------

    def __str__(self) -> str:
        one, other = self.names
        if self.parting is None:
            first, second = (len(run.records) for run in self.runs)
            many = f"{first} events" if first == second else f"{first} and {second} events"
            return f"“{one}” and “{other}” are equal, {self.found.by}: {many}."
        here = f"Here these runs part, at {self.parting.time:.2f} s: "
        told = self._told_early_delivery(self.parting) or self._told_too_early(self.parting)
        return here + (told or self._told_apart(*self.parting.events))

    __repr__ = __str__

    def _told_apart(self, x: int, y: int) -> str:
        told = [
            f"in “{name}” nothing follows that the other lacks" if at < 0 else f"in “{name}”, {_inside(run, at)}"
            for name, run, at in zip(self.names, self.runs, (x, y), strict=True)
        ]
        if x >= 0 and y >= 0 and self.runs[0].sentence(x) == self.runs[1].sentence(y):
            return f"in both {_inside(self.runs[0], x)}, but {self._unlike(x, y)}."
        return f"{told[0]}; {told[1]}."

    def _unlike(self, x: int, y: int) -> str:
        """Say in which columns two records differ, whose sentences do not."""
        one, other = self.runs[0].records[x], self.runs[1].records[y]
        columns = [name for name in UNLIKE if getattr(one, name) != getattr(other, name)]
        told = [
            f"its {name} is {_short(getattr(one, name))} in “{self.names[0]}”, {_short(getattr(other, name))} in “{self.names[1]}”"
            for name in columns
        ]
        return " and ".join(told) or "at another node"

    def _told_early_delivery(self, parting: Parting) -> str:
        """Say of a story that parts at a delivery what becomes of that message in the other run."""
        early, late = parting.early, 1 - parting.early
        mine = self.runs[early].records[parting.events[early]]
        if self.found.simulated or mine.kind != "deliver":
            return ""
        same = (
            one for one in self.runs[late].records
            if one.kind == "deliver" and (one.node, one.author, one.text) == (mine.node, mine.author, mine.text)
        )  # fmt: skip
        other = next(same, None)
        what, _, _place = _inside(self.runs[early], parting.events[early]).partition("; it stands at place")
        then = "never delivers it" if other is None else f"delivers it only at {other.time:.2f} s, as #{other.msg_no}"
        return f"in “{self.names[early]}”, {what}; in “{self.names[late]}”, node {mine.node} {then}."

    def _told_too_early(self, parting: Parting) -> str:
        """Say before and after what the same happens to the same node; "" if it never happens in the other run."""
        if parting.before < 0:
            return ""
        early, late = self.names[parting.early], self.names[1 - parting.early]
        what = _inside(self.runs[parting.early], parting.events[parting.early])
        then = self.runs[1 - parting.early].sentence(parting.before)
        return f"{what} both times, in “{early}” before and in “{late}” after this: {then}"

    # --- as a picture ---------------------------------------------------------------------

    def packed(self) -> Packed:
        """Return both runs as one, with the lanes of the first above those of the second, on one axis."""
        return self._both

    @cached_property
    def _both(self) -> Packed:
        return lay_over(self.runs, self.names, self.found, str(self))

    def timeline(self, event: int | None = None) -> Timeline:
        """Return both timelines as one widget; its cursor begins where the runs part, or at `event`."""
        return timeline(self, event)

    def save_html(self, path: str | Path) -> Path:
        """Write both runs as one page that needs neither kernel nor network, and return its path."""
        return self.timeline().save_html(path)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Be the widget where there is a notebook, and everywhere a sentence and a picture."""
        shown = self.timeline()._repr_mimebundle_(**options)
        words = {"text/plain": str(self)}
        return {**shown, **words} if isinstance(shown, dict) else ({**shown[0], **words}, shown[1])

    # --- questions ------------------------------------------------------------------------

    def ask(self, packed: Packed, order: dict[str, Any]) -> Told:
        """Answer a question from the browser about the run to which its node belongs."""
        lane = next((one for one in packed.about["lanes"] if one["id"] == order.get("node")), None)
        event = order.get("event")
        if lane is None or not isinstance(event, int) or not 0 <= event < len(packed.records):
            return "There is no such node, or no such moment, in these runs.", []
        side = lane["side"] - 1
        mine, run, time = events_of(packed, side), self.runs[side], packed.records[event].time
        given = self.given[side]()
        about = self.traces[side] if given is None else given
        said, lit = ask_at(about, run, (order.get("what"), _id(run, lane)), time)
        return f"In “{self.names[side]}”: {said}", [mine[at] for at in lit]

    def answers(self, packed: Packed) -> dict[str, dict[str, Any]]:
        """Return the answers that a page needs, for both runs."""
        found = {}
        for side, (name, run, trace) in enumerate(zip(self.names, self.runs, self.traces, strict=True)):
            mine = events_of(packed, side)
            for question, answer in for_page(trace, run).items():
                found[f"{question} of {name}"] = {
                    "said": f"In “{name}”: {answer['said']}",
                    "lit": [mine[at] for at in answer["lit"]],
                    "earlier": [
                        [mine[event], f"In “{name}”: {said}", [mine[at] for at in lit]]
                        for event, said, lit in answer["earlier"]
                    ],
                }
        return found


def compare(a: Any, b: Any, names: Iterable[str] = ("first", "second"), *, story: bool = False) -> Comparison:
    """Lay two runs over each other: traces, worlds, clusters, runs or demos; `names` is what they are called.

    With `story` only what people see is compared, which is all that can be compared with a real run: who led, what was
    delivered and acknowledged, what broke.  Raises `UsageError` for what has no trace, for runs of actors that do not use
    the same words, and where there are not two different names.
    """
    if not isinstance(story, bool):
        raise UsageError(f"story is {story!r:.40}; write True or False.")
    called = _called(names)
    traces = _as_now(a), _as_now(b)
    if len(traces[0]) and len(traces[1]) and traces[0].words != traces[1].words:
        raise UsageError(
            f"“{called[0]}” and “{called[1]}” are runs of two different actors, which call leaders and numbers by different "
            "words; compare two runs of one actor."
        )
    runs = pack(traces[0]), pack(traces[1])
    simulated = not story and all(trace.meta.get("where") == "sim" for trace in traces)
    found = find_differences(runs[0].records, runs[1].records, simulated)
    return Comparison(called, runs, found, (watched(a), watched(b)), traces)


def _called(names: Iterable[str]) -> tuple[str, str]:
    called = tuple(names) if isinstance(names, list | tuple) else ()
    if len(called) != 2 or not all(isinstance(one, str) and one.strip() for one in called) or called[0] == called[1]:
        raise UsageError(f"names is {names!r:.60}; give two different names, one for each run.")
    one, other = (plain(name.strip(), LONGEST) for name in called)
    if one == other:
        raise UsageError(f"The names {names!r:.120} look the same; give two names that differ in {LONGEST} letters.")
    return one, other


def _as_now(given: Any) -> Trace:
    """Return the trace of what was given; a world that goes on changes it no more."""
    trace = trace_of(given)
    return Trace(list(trace.records), dict(trace.meta))


def _id(run: Packed, lane: dict[str, Any]) -> Any:
    """Return what a lane of both runs is called in its own run."""
    return next(one["id"] for one in run.about["lanes"] if lane["id"] == f"{one['id']} of {lane['run']}")


def _short(value: object) -> str:
    return plain("nothing" if value is None else value, 60)


def _inside(run: Packed, event: int) -> str:
    """Return a sentence about an event as a part of another sentence."""
    told = run.sentence(event).removesuffix(".")
    return told[0].lower() + told[1:] if told.startswith(("Node ", "Learner ", "The ", "All ", "Links ")) else told
