"""Scene: one trace, read once for many questions: who led when, and what became of each frame.

    records in order of time  -->  reigns [(node, term, from, to)]    sends {receiver: [event, ...]}    fate(event)

Promises  an event is a place in `trace.in_order()`, as in the timeline.
Read also `whereabouts` (what became of one message).
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from chatsys.campaign.why.words import at, listed, node
from chatsys.trace import Record, Trace

MOST = 5
"""So many leaders, one after the other, are told."""


class Leadership(NamedTuple):
    """A leadership, and when it ended."""

    node: Any
    term: int
    begin: float
    end: float


class Scene:
    """A trace in order of time, and the readings that every question needs."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.records: Sequence[Record] = list(trace.in_order())
        self.times = [record.time for record in self.records]
        self.members: tuple[int, ...] = tuple(trace.meta.get("members") or trace.nodes)
        self.everyone = trace.nodes
        self.reigns: list[Leadership] = []
        self.sends: dict[Any, list[int]] = {}
        """The frames that were sent to each address."""
        self.ends: dict[tuple[Any, Any], int] = {}
        """For (id, receiver): where the frame was received first, else where it was lost."""
        self.received: set[tuple[Any, Any]] = set()
        self.is_chat = any(record.kind == "append" and record.entry is not None for record in self.records)
        """Whether this is a chat with logs; other actors have frames and deliveries only."""
        leads: dict[Any, Record] = {}
        for event, record in enumerate(self.records):
            self._frame(event, record)
            self._lead(record, leads)
        for record in list(leads.values()):
            self._ended(leads, record.node, math.inf)
        self.reigns.sort(key=lambda reign: reign.begin)

    def _frame(self, event: int, record: Record) -> None:
        match record.kind:
            case "send":
                self.sends.setdefault(record.peer, []).append(event)
            case "receive":
                key = (record.id, record.node)
                if key not in self.received:
                    self.received.add(key)
                    self.ends[key] = event
            case "drop" if record.id is not None:
                whose = record.peer if record.id.startswith(f"{record.node}.") else record.node
                self.ends.setdefault((record.id, whose), event)

    def _lead(self, record: Record, leads: dict[Any, Record]) -> None:
        """Follow who leads: from `lead` on, until it says another role, or ends."""
        if record.kind == "lead":
            self._ended(leads, record.node, record.time)
            leads[record.node] = record
        elif record.kind in ("crash", "stop", "start") or (
            record.kind in ("role", "follow") and record.role not in ("leader", "")
        ):
            self._ended(leads, record.node, record.time)

    def _ended(self, leads: dict[Any, Record], who: Any, time: float) -> None:
        if (began := leads.pop(who, None)) is not None:
            self.reigns.append(Leadership(who, began.term, began.time, time))

    # --- questions ------------------------------------------------------------------------

    def leaders(self, since: float, until: float) -> list[Leadership]:
        """Return the leaderships that lay over some of this time."""
        return [reign for reign in self.reigns if reign.begin <= until and reign.end > since]

    def led(self, who: Any, since: float, until: float) -> bool:
        """Tell whether a node led all of this time."""
        return any(reign.node == who and reign.begin <= since + 0.01 and reign.end > until for reign in self.reigns)

    def who_led(self, since: float, until: float) -> str:
        """Say who led in this time, one after the other."""
        told, last = list[str](), since
        for reign in self.leaders(since, until):
            if reign.begin > last + 0.005:
                told.append(f"nobody until {at(reign.begin)}")
            beside = f"from {at(reign.begin)} on also " if reign.begin < last - 0.005 and told else ""
            upto = "" if reign.end > until else f" until {at(reign.end)}"
            told.append(f"{beside}{node(reign.node)} in term {reign.term}{upto}")
            last = max(last, reign.end)
        if not told:
            return f"Nobody led from {at(since)} to {at(until)}."
        if last + 0.005 < until:
            told.append("nobody")
        when = "then" if len(told) <= MOST else "last"
        first, *more = told[-MOST:]
        return f"Who led {when}: {first}{''.join(_next(one) for one in more)}."

    def sent(self, to: Any, events: tuple[int, int], tags: Iterable[str]) -> list[int]:
        """Return the frames of these kinds that were sent to an address behind the first event and up to the second."""
        mine, kinds = self.sends.get(to, []), set(tags)
        first, last = bisect_right(mine, events[0]), bisect_right(mine, events[1])
        return [event for event in mine[first:last] if self.records[event].message in kinds]

    def upto(self, time: float) -> int:
        """Return the last event at `time` or before."""
        return bisect_right(self.times, time) - 1

    def since(self, time: float) -> int:
        """Return the first event at `time` or after."""
        return bisect_left(self.times, time)

    def arrival(self, send: int, until: int) -> int | None:
        """Return where a frame arrived, if it did up to the event `until`."""
        record = self.records[send]
        key = (record.id, record.peer)
        end = self.ends.get(key)
        return end if key in self.received and end is not None and end <= until else None

    def fates(self, sends: Sequence[int], until: int, what: str) -> str:
        """Say what became of these frames up to an event: "of 4 frames with it 3 were lost on a cut link and 1 arrived"."""
        count: Counter[str] = Counter()
        for send in sends:
            record = self.records[send]
            end = self.ends.get((record.id, record.peer))
            if self.arrival(send, until) is not None:
                count["arrived"] += 1
            elif end is None or end > until or (record.id, record.peer) in self.received:
                count["under way"] += 1
            else:
                count[self.records[end].reason or "lost"] += 1
        if len(count) == 1:
            (why,) = count
            number = len(sends)
            which = {1: f"the one frame {what} ", 2: f"both frames {what} "}.get(number, f"all {number} frames {what} ")
            return which + _fate(why, number)
        told = [f"{number} {_fate(why, number)}" for why, number in count.most_common()]
        return f"of {len(sends)} frames {what}, {listed(told)}"

    def fate(self, send: int, until: int) -> str:
        """Say what became of one frame up to an event."""
        return self.fates([send], until, "").removeprefix("the one frame  ")


def _next(led: str) -> str:
    """Join who led next to those who led before; two can believe at once that they lead."""
    return f", and {led}" if led.startswith("from") else f", then {led}"


def _fate(why: str, number: int) -> str:
    was = "was" if number == 1 else "were"
    match why:
        case "arrived":
            return "arrived"
        case "under way":
            return f"{was} still under way"
        case "cut":
            return f"{was} lost on a cut link"
        case "lost":
            return f"{was} lost"
        case "nobody there":
            return "met a node that was down"
        case "old incarnation":
            return f"came from an older life of {'its' if number == 1 else 'their'} sender"
    return f"{was} dropped ({why})"
