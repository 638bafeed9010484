"""Differences: which events two runs have in common, which only one of them has, and where they part.

    node 1 of the one     a  b  c  d        the longest common part of each history    a  b  .  d
    node 1 of the other   a  b  x  d        what is left over                          c, x

What happened is compared for each node and client apart, in the order in which it happened to it; when it happened is
no part of that, for after a first difference every delay may be another.  In two runs of the simulator all that
happened counts, every frame too.  Where one of the runs was real, only the story counts: what a node delivered, whom it
followed, when it crashed; heartbeats and the numbers of places and terms differ always.

Promises  no event has two partners, and partners come in the same order at every node.
Read also `overlay` (both runs in one picture), `comparing` (who asks).
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from chatsys.trace import Record

FAULTS = frozenset({"cut", "reconnect", "heal", "slow", "lose", "fault"})
STORY = FAULTS | {
    "start", "crash", "restart", "pause", "resume", "stop", "broken", "refused", "wipe", "restored",
    "lead", "follow", "suspect", "restore", "deliver", "submit", "ack", "indeterminate",
}  # fmt: skip
"""Kinds of records that make the story of a node, in whatever world it lives."""
MOST = 1_500
"""What differs in the middle of a longer story is paired in passing, without looking for the longest common part."""


@dataclass(frozen=True)
class Parting:
    """Where two runs part: an event of each, or -1 where that run has ended before."""

    events: tuple[int, int]
    time: float
    """Seconds from the beginning, in the run that goes on its own way first."""


@dataclass(frozen=True)
class Differences:
    """What two runs have in common, and what not; events are numbers in the order of each run."""

    parting: Parting | None
    """None: as far as they are compared, the runs are equal."""
    only: tuple[frozenset[int], frozenset[int]]
    """The events of each run that the other one lacks."""
    pairs: tuple[tuple[int, int], ...]
    """The events that both have."""
    simulated: bool
    """Whether every event counts, or only the story, since one of the runs was real."""

    @property
    def by(self) -> str:
        """How far the runs were compared, in words."""
        return "event by event" if self.simulated else "as far as their stories go"


def find_differences(a: Sequence[Record], b: Sequence[Record], simulated: bool) -> Differences:
    """Compare the records of two runs, each in the order of its events."""
    told = _told(a, simulated), _told(b, simulated)
    pairs = _equal_events(a, b, told, whole if simulated else _story)
    only = (
        frozenset(told[0]) - {mine for mine, _ in pairs},
        frozenset(told[1]) - {other for _, other in pairs},
    )
    return Differences(_parting((a, b), only), only, tuple(pairs), simulated)


def _parting(runs: tuple[Sequence[Record], Sequence[Record]], only: Sequence[frozenset[int]]) -> Parting | None:
    firsts = [min(those, default=-1) for those in only]
    if firsts == [-1, -1]:
        return None
    times = [run[at].time for run, at in zip(runs, firsts, strict=True) if at >= 0]
    return Parting((firsts[0], firsts[1]), min(times))


def _told(records: Sequence[Record], simulated: bool) -> list[int]:
    """Return the events that count."""
    return [at for at, record in enumerate(records) if simulated or record.kind in STORY]


def whole(record: Record) -> Hashable:
    """Return what of a record is the same in every run in which the same happened, but for the moment."""
    return (
        record.kind, record.peer, record.message, record.seq, record.msg_no, record.term, record.entry_term,
        record.role if record.kind == "role" else None,
        record.entry, record.verified, record.author, record.text, record.incarnation, record.reason,
    )  # fmt: skip


def _story(record: Record) -> Hashable:
    """Return what of a record is the same in every world: not in which term, not at which place of the log."""
    told = record.reason if record.kind in FAULTS else None
    peer = record.peer if record.kind in ("follow", "suspect", "restore") else None
    return record.kind, peer, record.msg_no, record.author, record.text, told


def _equal_events(
    a: Sequence[Record], b: Sequence[Record], told: Sequence[Sequence[int]], said: Callable[[Record], Hashable]
) -> list[tuple[int, int]]:
    """Return the pairs of events that say the same in the history of one node or client."""
    histories: list[dict[Hashable, list[int]]] = [{}, {}]
    for records, events, history in zip((a, b), told, histories, strict=True):
        for at in events:
            history.setdefault(records[at].node, []).append(at)
    pairs = []
    for node, mine in histories[0].items():
        other = histories[1].get(node, [])
        pairs += [(mine[x], other[y]) for x, y in matches([said(a[at]) for at in mine], [said(b[at]) for at in other])]
    return pairs


def matches(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return pairs of places with equal values, in order: the common beginning, the common end, and what is between."""
    least = min(len(a), len(b))
    begin = next((at for at in range(least) if a[at] != b[at]), least)
    end = next((at for at in range(least - begin) if a[-1 - at] != b[-1 - at]), least - begin)
    inner = _inner(a[begin : len(a) - end], b[begin : len(b) - end])
    return [
        *((at, at) for at in range(begin)),
        *((begin + x, begin + y) for x, y in inner),
        *((len(a) - at, len(b) - at) for at in range(end, 0, -1)),
    ]


def _inner(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    if max(len(a), len(b)) <= MOST:
        blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
        return [(block.a + at, block.b + at) for block in blocks for at in range(block.size)]
    places: dict[Hashable, list[int]] = {}
    for at, value in enumerate(b):
        places.setdefault(value, []).append(at)
    pairs, last = [], -1
    for at, value in enumerate(a):
        those = places.get(value, [])
        next_one = bisect_right(those, last)
        if next_one < len(those) and those[next_one] - last <= MOST:
            last = those[next_one]
            pairs.append((at, last))
    return pairs
