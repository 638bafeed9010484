"""Frames per event are bounded: work makes frames, and frames alone make none.

    node 3 --PROPOSE, SUBMIT_REPLY, HEARTBEAT, ...--> node 1     how many in ten seconds?
      for the entries that either of them wrote or caught up with, the frames clients sent, and the clock

If every refusal is answered by sending everything again, refusals and repetitions feed each other:
safe and alive, and the network drowns.  So between two nodes there are at most `BOUND` frames one
way for each entry and each frame of a client in a stretch of time and the one before it (what came
late in the one is served in the other), with an allowance for what clocks send.  A node that catches up
with entries that it already has writes none: each position that a CATCHUP_REPLY brings counts, once in a
term and a life of the node, so that whoever goes through the same log over and over is told.

The most that 1,100 schedules of all faults had was 1.7 for one (see `tests/seeds/test_frames.py`); the
mutant that lets every refusal re-open the window has nine.

Read also `violation`, `liveness`; the schedule Q25 tells the story.
"""

from collections import Counter
from collections.abc import Iterator

import msgspec

from chatsys.check.violation import Violation
from chatsys.config import Timing
from chatsys.trace import Trace

BOUND = 4.0
"""So many frames one way for each event, at most."""
BEATS = 12.5
"""A stretch is so many heartbeats long: ten seconds with the course's timing."""
ALLOWANCE = 25
"""So many events a stretch has by the clock alone: heartbeats, repetitions, elections."""


class Stretch(msgspec.Struct, frozen=True):
    """What one node sent to another in one stretch of time, and the work of it and the one before."""

    begin: float
    end: float
    sender: int
    receiver: int
    frames: int
    entries: int
    """How many of them either node wrote, or was told of by one that it caught up with."""
    asked: int
    """How many frames of clients the nodes received."""

    @property
    def per_event(self) -> float:
        """Frames for each event."""
        return self.frames / (self.entries + self.asked + ALLOWANCE)


def check_frames(trace: Trace) -> list[Violation]:
    """Return where more frames went from one node to another than the work of the time explains."""
    crowded = [one for one in stretches(trace) if one.per_event > BOUND]
    return [_tell(one) for one in sorted(crowded, key=lambda one: (one.begin, one.sender, one.receiver))]


def stretches(trace: Trace) -> Iterator[Stretch]:
    """Yield each stretch of each pair of nodes in which there were frames."""
    timing = trace.meta.get("timing") or {}
    long = BEATS * timing.get("heartbeat_interval", Timing().heartbeat_interval)
    sent: Counter[tuple[int, int, int]] = Counter()
    wrote: Counter[tuple[int, int]] = Counter()
    caught: Counter[tuple[int, int]] = Counter()
    known: set[tuple[int, int, int, int]] = set()
    asked: Counter[int] = Counter()
    at, begin, end = -1, 0.0, 0.0
    for record in trace.records:
        if not begin <= record.time < end:
            at = int(record.time / long)
            begin, end = at * long, (at + 1) * long
        kind = record.kind
        if kind == "send":
            if type(record.node) is int and type(record.peer) is int:
                sent[at, record.node, record.peer] += 1
        elif kind == "receive":
            if type(record.peer) is str:
                asked[at] += 1
            elif record.message == "CATCHUP_REPLY" and type(record.node) is int and type(record.seq) is int:
                place = record.node, record.incarnation, record.term, record.seq
                caught[at, record.node] += place not in known
                known.add(place)
        elif kind == "append" and type(record.node) is int:
            wrote[at, record.node] += 1
    for (at, a, b), frames in sent.items():
        entries = max(sum(max(wrote[then, one], caught[then, one]) for then in (at - 1, at)) for one in (a, b))
        yield Stretch(at * long, (at + 1) * long, a, b, frames, entries, asked[at] + asked[at - 1])


def _tell(one: Stretch) -> Violation:
    long = one.end - one.begin
    return Violation(
        invariant="frames",
        sentence=f"frames: between {one.begin:.1f} s and {one.end:.1f} s node {one.sender} sent {one.frames} frames to "
        f"node {one.receiver}, but in that time and the {long:.1f} s before only {one.entries} entries were written "
        f"or caught up with, and {one.asked} frames of clients came; refusals and repetitions must not feed each other.",
        time=one.end,
        node=one.sender,
    )
