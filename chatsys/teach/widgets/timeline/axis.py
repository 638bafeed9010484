"""The axis: in which order events stand, and where, so that an arrow can be seen to lean.

Real time makes every arrow upright: a frame takes 5 ms, and between two heartbeats nothing happens for 800.  So an
event has a *place* of its own.  Where much happens the axis is stretched, where nothing happens it is short:

    time     0.800  0.803  0.803  0.806                        1.600
    place    12     15     16     19                            31         800 ms of silence cost no more than `MOST`

An order of time is enough as long as all clocks agree, as they do in the simulator and on one machine.  Where they do
not, a frame may seem to arrive before it was sent.  Then the node whose clock is behind is shown later, by as much as
it takes (Lamport: what causes comes before what is caused); its own events keep their order.

Promises  places never fall from one event to the next; an arrow leads to the right by at least `LEAST`, and so does one
          event of a lane to the next; where all clocks agree, the order is that of `Trace.in_order`, and places of the
          first n events stay what they are when more follow.
Read also `packing` (who asks), `flights` (which event sent a frame).
"""

from collections.abc import Iterable, Sequence
from math import inf, nextafter

from chatsys.trace import Record, Trace

LEAST = 1.0
"""The distance of neighbours in a lane, and of the two ends of an arrow."""
MOST = 12.0
"""The longest silence is as long as this."""
RATE = 1000.0
"""So long is a second, up to `MOST`: a frame that takes 5 ms covers at least 5."""
ROUNDS = 200
"""A trace that is nobody's work may say that a frame was sent because it had arrived; then we stop asking."""


def in_causal_order(trace: Trace) -> tuple[list[Record], list[float]]:
    """Return the records in order of time, what causes before what is caused, and the times at which they are shown."""
    records = list(trace.in_order())
    times = [record.time for record in records]
    if not _receives_come_too_early(records):
        return records, times
    order = list(range(len(records)))
    for _ in range(ROUNDS):
        if not _shift(records, order, times):
            break
        order.sort(key=times.__getitem__)
    return [records[at] for at in order], [times[at] for at in order]


def _receives_come_too_early(records: Iterable[Record]) -> bool:
    missing: set[str | None] = set()
    sent: set[str | None] = set()
    for record in records:
        if record.kind == "send":
            if record.id in missing and record.id not in sent:
                return True
            sent.add(record.id)
        elif record.kind == "receive" and record.id not in sent:
            missing.add(record.id)
    return False


def _shift(records: Sequence[Record], order: Sequence[int], times: list[float]) -> bool:
    """Move what stands before its cause behind it, in `times`; tell whether anything moved."""
    sent = {records[at].id: times[at] for at in reversed(order) if records[at].kind == "send"}
    latest: dict[object, float] = {}
    moved = False
    for at in order:
        record = records[at]
        least = latest.get(record.node, -inf)
        if record.kind == "receive" and record.id in sent:
            least = max(least, nextafter(sent[record.id], inf))
        if times[at] < least:
            times[at], moved = least, True
        latest[record.node] = times[at]
    return moved


def places(times: Sequence[float], lanes: Sequence[int], causes: Sequence[int]) -> list[float]:
    """Return the place of each event; `causes` has for the end of an arrow the event at its beginning, else -1."""
    found: list[float] = []
    last: dict[int, float] = {}
    place, before = 0.0, times[0] if times else 0.0
    for time, lane, cause in zip(times, lanes, causes, strict=True):
        step = (time - before) * RATE
        place += step if step < MOST else MOST
        before = time
        least = last.get(lane, -inf) + LEAST
        if least > place:
            place = least
        if cause >= 0 and found[cause] + LEAST > place:
            place = found[cause] + LEAST
        last[lane] = place
        found.append(place)
    return found
