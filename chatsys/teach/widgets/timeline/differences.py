"""Differences: which events two runs have in common, which only one of them has, and where they part.

    node 1 of the one     a  b  c  d        both have     a  b  d        the longest common part of each history
    node 1 of the other   a  b  x  d        only one has  c, x           they part at the first of these

What happened is compared for each node and client apart, in the order in which it happened to it; when it happened is
no part of that, for after a first difference every delay may be another.  In two runs of the simulator all that
happened counts, every frame too.  Where one of the runs was real, or somebody asks for no more, only the story counts:
what a node delivered, whom it followed, when it crashed; heartbeats and the numbers of places and terms differ always.

Promises  no event has two partners, and partners come in the same order at every node.
Read also `overlay` (both runs in one picture), `comparing` (who asks).
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from math import inf

from chatsys.trace import Record

Histories = dict[Hashable, list[int]]
"""The events of each node and client, in their order."""

FAULTS = frozenset({"cut", "reconnect", "heal", "slow", "lose", "fault"})
STORY = FAULTS | {
    "start", "crash", "restart", "pause", "resume", "stop", "broken", "refused", "wipe", "restored",
    "lead", "follow", "suspect", "restore", "deliver", "submit", "ack", "indeterminate",
}  # fmt: skip
"""Kinds of records that make the story of a node, in whatever world it lives."""
TELLING = frozenset({"durable", "append", "commit", "deliver"})
"""Kinds of records before which it matters most that something happens."""
MOST = 1_500
"""What differs in the middle of a longer story is paired in passing, without looking for the longest common part."""


@dataclass(frozen=True)
class Parting:
    """Where two runs part: the first event of each that is not what the other has there, or -1 if that one has ended."""

    events: tuple[int, int]
    time: float
    """Seconds from the beginning, in the run that goes on its own way first."""
    early: int
    """The run that goes on its own way first: 0 or 1."""
    before: int
    """What the other run has before the same happens there; -1 if the same never happens there."""


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
    """Whether every event counts, or only the story: one of the runs was real, or nothing else was asked for."""

    @property
    def by(self) -> str:
        """How far the runs were compared, in words."""
        return "event by event" if self.simulated else "as far as their stories go"


def find_differences(a: Sequence[Record], b: Sequence[Record], simulated: bool) -> Differences:
    """Compare the records of two runs, each in the order of its events."""
    runs = a, b
    said = whole if simulated else _story
    told = _histories(a, simulated), _histories(b, simulated)
    parting = _parting(runs, told, said)
    parted = (-1, -1) if parting is None else parting.events
    pairs = [(x, y) for x, y in _equal_events(runs, told, said) if x != parted[0] and y != parted[1]]
    only = [
        frozenset(event for history in told[side].values() for event in history) - {pair[side] for pair in pairs}
        for side in (0, 1)
    ]
    return Differences(parting, (only[0], only[1]), tuple(pairs), simulated)


def _histories(records: Sequence[Record], simulated: bool) -> dict[Hashable, list[int]]:
    """Return the events that count, for each node and client."""
    found: dict[Hashable, list[int]] = {}
    for at, record in enumerate(records):
        if simulated or record.kind in STORY:
            found.setdefault(record.node, []).append(at)
    return found


def _parting(
    runs: Sequence[Sequence[Record]], told: Sequence[Histories], said: Callable[[Record], Hashable]
) -> Parting | None:
    """Return the first event of each run at which the history of a node is not what it is in the other run."""
    firsts = [-1, -1]
    for node in {**told[0], **told[1]}:
        mine, other = (history.get(node, []) for history in told)
        same = _common(said(runs[0][x]) == said(runs[1][y]) for x, y in zip(mine, other, strict=False))
        for side, history in enumerate((mine, other)):
            if same < len(history) and (firsts[side] < 0 or history[same] < firsts[side]):
                firsts[side] = history[same]
    if firsts == [-1, -1]:
        return None
    times = [run[at].time if at >= 0 else inf for run, at in zip(runs, firsts, strict=True)]
    early = times.index(min(times))
    before = _before(runs, told, (early, firsts[early]), said)
    return Parting((firsts[0], firsts[1]), times[early], early, before)


def _before(
    runs: Sequence[Sequence[Record]],
    told: Sequence[Histories],
    early: tuple[int, int],
    said: Callable[[Record], Hashable],
) -> int:
    """Return what the other run has before the same happens there to the same node; -1 if the same never happens."""
    side, event = early
    node, word = runs[side][event].node, said(runs[side][event])
    mine, other = told[side][node], runs[1 - side]
    rest = told[1 - side].get(node, [])[mine.index(event) :]
    until = next((at for at, later in enumerate(rest) if said(other[later]) == word), 0)
    return min(rest[:until], key=lambda at: (other[at].kind not in TELLING, at), default=-1)


def _common(same: Iterable[bool]) -> int:
    """Return how many are true before the first that is not."""
    return sum(1 for _ in takewhile(bool, same))


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
    runs: Sequence[Sequence[Record]], told: Sequence[Histories], said: Callable[[Record], Hashable]
) -> list[tuple[int, int]]:
    """Return the pairs of events that say the same in the history of one node or client."""
    pairs = []
    for node, mine in told[0].items():
        other = told[1].get(node, [])
        words = [said(runs[0][at]) for at in mine], [said(runs[1][at]) for at in other]
        pairs += [(mine[x], other[y]) for x, y in matches(*words)]
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
