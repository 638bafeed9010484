"""Events: what came before what in a run, found from its notes alone, with no clock.

    node 1  --1.1---------1.2------->          1.1 is before 2.1, for a message leads there, and before 2.2
                \\                              1.2 and 2.2 are concurrent: no path leads from either to the other
    node 2  -----2.1-------------2.2->

An event knows its past: how many events of each node lie on paths that end in it, itself counted.  `chain` is the length of
the longest such path.  These are what a vector clock and a Lamport clock have to say, but nobody's clock says them here.

Promises  the same for every class that was played: only who spoke to whom counts.
Read also `stage` (who notes the events), `clocks`, `orders`, `cuts` (who compare an answer with this).
"""

from collections.abc import Iterable, Mapping

import msgspec

from chatsys.trace import Record, Trace

KINDS = ("step", "says", "hears")
CALLS = {"step": "tick", "says": "send", "hears": "receive"}
"""Which method of a clock is called in an event of each kind."""


class Event(msgspec.Struct, frozen=True):
    """One event of a run, and what lies before it."""

    node: int
    number: int
    """It is the `number`-th one of its node."""
    kind: str
    time: float
    past: dict[int, int]
    """node -> how many of its events lie before this one; of its own node this one, too."""
    chain: int
    """How many events the longest path has that ends here."""
    cause: tuple[int, int] | None = None
    """(node, number) of the event in which the message was sent that is received here."""
    peer: int | None = None
    """Of a letter: to whom it goes; of what is received: from whom."""
    text: str | None = None
    line: int | None = None
    """Of a line that is said or heard: its number among those of its sender."""
    said: int = 0
    """What the student's Lamport clock said of it."""
    vector: dict[int, int] | None = None
    """What the student's vector clock said of it."""

    @property
    def name(self) -> str:
        """The event as people name it: 2.5."""
        return f"{self.node}.{self.number}"

    @property
    def place(self) -> tuple[int, int]:
        """The same as (node, number)."""
        return self.node, self.number

    @property
    def sent(self) -> str:
        """The event in which the message was sent that is received here, as people name it; "" if there is none."""
        return "" if self.cause is None else f"{self.cause[0]}.{self.cause[1]}"

    def is_before(self, other: "Event") -> bool:
        """Tell whether a path leads from this event to the other one."""
        return self.place != other.place and other.past.get(self.node, 0) >= self.number


def events_of(trace: Trace) -> list[Event]:
    """Return the events of a run, in order of time."""
    found: dict[tuple[int, int], Event] = {}
    newest: dict[int, Event] = {}
    for record in trace:
        if record.kind in KINDS and isinstance(record.node, int) and record.seq is not None:
            event = _event(record, newest, found)
            found[event.place] = newest[event.node] = event
    return list(found.values())


def _event(record: Record, newest: Mapping[int, Event], found: Mapping[tuple[int, int], Event]) -> Event:
    node, number = int(record.node or 0), int(record.seq or 0)
    cause = (int(record.peer or 0), record.msg_no) if record.kind == "hears" and record.msg_no is not None else None
    parents = [one for one in (newest.get(node), found.get(cause) if cause is not None else None) if one is not None]
    past = join(parent.past for parent in parents)
    past[node] = number
    return Event(
        node, number, record.kind, record.time, past, 1 + max((one.chain for one in parents), default=0), cause,
        record.peer if isinstance(record.peer, int) else None, record.text, record.client_seq, record.entry_term or 0,
        None if record.entry is None else msgspec.json.decode(record.entry, type=dict[int, int]),
    )  # fmt: skip


def join(pasts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Return the union of pasts: of each node the larger number."""
    whole: dict[int, int] = {}
    for past in pasts:
        for node, count in past.items():
            whole[node] = max(whole.get(node, 0), count)
    return whole


def full(past: Mapping[int, int], nodes: Iterable[int]) -> dict[int, int]:
    """Return a past as a vector with an entry for each of these nodes."""
    return {node: past.get(node, 0) for node in nodes}


def sparse(vector: Mapping[int, int]) -> dict[int, int]:
    """Return a vector without the entries that are 0."""
    return {node: count for node, count in vector.items() if count}
