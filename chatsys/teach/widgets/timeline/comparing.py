"""Compare: two runs laid over each other, and where they part.

    quorum 2     ----o----o----o-----o---- ...      equal events are drawn grey, and stand at one place
    quorum 1     ----o----o----x--o------- ...      what only one of the two has is in colour
                               ^ here the runs part

    compare(a, b)                         the last line of a cell: both timelines, one above the other
    str(compare(a, b))                    where they part, in a sentence
    compare(a, b).save_html("ab.html")    one file that needs neither kernel nor network
    timeline(compare(a, b), event=7)      the widget itself

Promises  the runs that were given are not changed, and what they do later is not shown; of equal runs it says that they
          are equal; a cluster is not kept alive by a picture of it.
Read also `differences` (what both have), `overlay` (both as one picture), `timeline` (who draws them).
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from chatsys.errors import UsageError
from chatsys.teach.figures.theme import plain
from chatsys.teach.widgets.timeline.answers import Told, ask_at, for_page
from chatsys.teach.widgets.timeline.differences import Differences, Parting, find_differences, whole
from chatsys.teach.widgets.timeline.overlay import events_of, lay_over
from chatsys.teach.widgets.timeline.packing import Packed, pack
from chatsys.teach.widgets.timeline.timeline import Timeline, timeline, watched
from chatsys.trace import Trace, trace_of

TELLING = frozenset({"durable", "append", "commit", "deliver"})
"""Kinds of records before or after which it matters most that something happens."""
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
        return here + (self._told_in_another_order(*self.parting.events) or self._told_apart(*self.parting.events))

    __repr__ = __str__

    def _told_apart(self, x: int, y: int) -> str:
        told = [
            f"in “{name}” nothing follows that the other lacks" if at < 0 else f"in “{name}”, {_inside(run, at)}"
            for name, run, at in zip(self.names, self.runs, (x, y), strict=True)
        ]
        return f"{told[0]}; {told[1]}."

    def _told_in_another_order(self, x: int, y: int) -> str:
        """Say before and after what the same happens to the same node; "" if it is not the same."""
        if x < 0 or y < 0 or self._word(0, x) != self._word(1, y):
            return ""
        pairs = self.found.pairs
        before = [{pair[side] for pair in pairs if self._is_before(side, pair, at)} for side, at in ((0, x), (1, y))]
        early = 0 if len(before[0]) < len(before[1]) else 1
        between = [pair for pair in pairs if pair[1 - early] in before[1 - early] and pair[early] not in before[early]]
        if not between:
            return ""
        run, at = self.runs[early], (x, y)[early]
        first = min(between, key=lambda pair: (run.records[pair[early]].kind not in TELLING, pair))
        return (
            f"{_inside(run, at)} both times, in “{self.names[early]}” before and in “{self.names[1 - early]}” after this: "
            f"{run.sentence(first[early])}"
        )

    def _word(self, side: int, at: int) -> Hashable:
        record = self.runs[side].records[at]
        return record.node, whole(record)

    def _is_before(self, side: int, pair: tuple[int, int], at: int) -> bool:
        records = self.runs[side].records
        return pair[side] < at and records[pair[side]].node == records[at].node

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
                lit = [mine[at] for at in answer["lit"]]
                found[f"{question} of {name}"] = {"said": f"In “{name}”: {answer['said']}", "lit": lit}
        return found


def compare(a: Any, b: Any, names: Iterable[str] = ("first", "second")) -> Comparison:
    """Lay two runs over each other: traces, worlds, clusters, runs or demos; `names` is what they are called.

    Raises `UsageError` for what has no trace, and where there are not two different names.
    """
    called = _called(names)
    traces = _as_now(a), _as_now(b)
    runs = pack(traces[0]), pack(traces[1])
    simulated = all(trace.meta.get("where") == "sim" for trace in traces)
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


def _inside(run: Packed, event: int) -> str:
    """Return a sentence about an event as a part of another sentence."""
    told = run.sentence(event).removesuffix(".")
    return told[0].lower() + told[1:] if told.startswith(("Node ", "Learner ", "The ", "All ", "Links ")) else told
