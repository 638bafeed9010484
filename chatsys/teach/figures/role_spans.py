"""Bands: what every node was, and when, folded from a trace.

A band is a stretch of time in which one node had one role in one term.  Crashes and pauses are
bands of their own.  The figures fold a whole trace; the panel feeds the same fold a few records
at a time and forgets what is older than its window.

    records --feed--> RoleSpans --> bands, elections, suspicions, cuts

Assumes   records in the order in which the world wrote them.
Promises  the bands of a node touch and do not overlap.
Read also `figures.roles`, which draws them; `panel.view`, which draws the last seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from chatsys.faults.wording import directions
from chatsys.teach.figures.theme import counted
from chatsys.trace import Record, Trace

OF_THE_WORLD = frozenset(
    {"crash", "restart", "pause", "resume", "stop", "cut", "reconnect", "heal", "slow", "lose", "fault"}
)
"""Kinds of records that the world wrote about a node, not the node itself."""

WITH_ANOTHER_TERM = frozenset({"send", "receive", "drop", "promise"})
"""Kinds of records whose term is that of a frame or of a promise, not the node's own."""

DOWN = "down"
PAUSED = "paused"


@dataclass
class Band:
    """One stretch: `node` had `role` in `term` from `start` to `end` (seconds)."""

    node: int
    role: str
    term: int
    start: float
    end: float

    @property
    def length(self) -> float:
        """Seconds from start to end."""
        return self.end - self.start


@dataclass
class Cut:
    """A stretch of time in which links were cut; `what` is the world's own wording."""

    what: str
    start: float
    end: float | None = None
    ways: set[tuple[int, int]] = field(default_factory=set)
    """The directions that are still cut."""


@dataclass
class RoleSpans:
    """The fold: feed it records, read the bands and the marks."""

    done: list[Band] = field(default_factory=list)
    open: dict[int, Band] = field(default_factory=dict)
    marks: list[Record] = field(default_factory=list)
    """Records to be marked: suspect, restore, lead, crash, broken (it stopped itself), restart, pause, resume."""
    cuts: list[Cut] = field(default_factory=list)
    now: float = 0.0
    _before_pause: dict[int, tuple[str, int]] = field(default_factory=dict)
    _waking: set[int] = field(default_factory=set)
    """Restarted, but not heard of yet."""
    _stopped: set[int] = field(default_factory=set)
    """Stopped in good order, as a learner does that leaves."""

    def feed(self, records: Iterable[Record]) -> "RoleSpans":
        """Take in more records and return this story."""
        for record in records:
            self.now = max(self.now, record.time)
            if record.kind in {"cut", "reconnect", "heal"}:
                self._links(record)
            elif isinstance(record.node, int):
                self._event(record, record.node)
        return self

    def bands(self) -> list[Band]:
        """Return all bands; those that go on end now."""
        for band in self.open.values():
            band.end = self.now
        lasting = [band for band in self.open.values() if band.length > 0]
        return sorted([*self.done, *lasting], key=lambda band: (band.node, band.start))

    def is_down(self, node: int) -> bool:
        """Tell whether this node has no life at present."""
        return node in self.open and self.open[node].role == DOWN

    def forget(self, before: float) -> None:
        """Drop what ended before this time."""
        self.done = [band for band in self.done if band.end >= before]
        self.marks = [mark for mark in self.marks if mark.time >= before]
        self.cuts = [cut for cut in self.cuts if cut.end is None or cut.end >= before]

    def _links(self, record: Record) -> None:
        ways = set(directions(record.reason or ""))
        for cut in self.cuts:
            if record.kind == "heal" and cut.end is None:
                cut.end = record.time
            if record.kind == "reconnect" and cut.end is None:
                cut.ways -= ways
                cut.end = None if cut.ways else record.time
        if record.kind == "cut":
            what = record.reason or "links cut"
            self.cuts.append(Cut(what if what.startswith("cut") else f"cut {what}", record.time, ways=ways))

    def _event(self, record: Record, node: int) -> None:
        if record.kind in {"suspect", "restore", "lead", "crash", "broken", "refused", "restart", "pause", "resume"}:
            if not stopped_itself(record):  # its `broken` says it already
                self.marks.append(record)
        match record.kind:
            case "crash" | "broken" | "refused" | "stop":
                self._stopped |= {node} if record.kind == "stop" else set()
                self._turn(node, DOWN, 0, record.time)
            case "pause":
                band = self.open.get(node)
                self._before_pause[node] = (band.role, band.term) if band else ("up", 0)
                self._turn(node, PAUSED, band.term if band else 0, record.time)
            case "resume":
                self._turn(node, *self._before_pause.pop(node, ("up", 0)), record.time)
            case "restart":
                self._before_pause.pop(node, None)
                self._waking.add(node)
            case "start" if node in self._stopped:  # a learner that had left comes as another one
                self._stopped.discard(node)
                self._waking.add(node)
                self._hear(record, node)
            case kind if kind not in OF_THE_WORLD | WITH_ANOTHER_TERM and node not in self._before_pause:
                self._hear(record, node)

    def _hear(self, record: Record, node: int) -> None:
        """Take the role and the term that a record of a node carries."""
        band = self.open.get(node)
        if band is not None and band.role == DOWN and node not in self._waking:
            return  # the last words of a life, which arrived after the news of its end
        self._waking.discard(node)
        if record.role or band is None or band.role == DOWN:  # an actor without roles is up again all the same
            self._turn(node, record.role or "up", record.term, record.time)

    def _turn(self, node: int, role: str, term: int, time: float) -> None:
        band = self.open.get(node)
        if band is not None:
            if (band.role, band.term) == (role, term):
                return
            band.end = max(time, band.start)
            if band.length > 0:
                self.done.append(band)
        self.open[node] = Band(node, role, term, max(time, band.end) if band else time, time)


def stopped_itself(record: Record) -> bool:
    """Tell whether this is the crash by which a simulated world ends a node that stopped itself."""
    return record.kind == "crash" and (record.reason or "").startswith("It stopped itself")


def tell_ends(trace: Trace) -> list[str]:
    """Return a sentence about the lives that ended by a crash, and one about nodes that stopped themselves."""
    crashed = sum(isinstance(one.node, int) and not stopped_itself(one) for one in trace.of("crash"))
    told = [f"{counted(crashed, 'crash', 'crashes').capitalize()}."] if crashed else []
    if stopped := sorted({record.node for record in trace.of("broken", "refused") if isinstance(record.node, int)}):
        word = "itself" if len(stopped) == 1 else "themselves"
        told.append(f"{' and '.join(f'node {node}' for node in stopped).capitalize()} stopped {word}.")
    return told


def story(trace: Trace) -> RoleSpans:
    """Return the story of a whole trace."""
    return RoleSpans().feed(sorted(trace.records, key=lambda record: record.time))


def leaders(trace: Trace) -> list[tuple[int, int, float]]:
    """Return (term, node, time) of every node that began to lead, in order of time."""
    found = [(mark.term, mark.node, mark.time) for mark in trace.of("lead") if isinstance(mark.node, int)]
    return sorted(found, key=lambda item: item[2])
