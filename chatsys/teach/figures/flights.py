"""Flights: what became of each frame of a run, and the sentence that sums it up.

    send, receive, drop, by the id of the frame --> sent at 0.52 s, arrived at 0.58 s, or lost; sent before or not

Read also `sequences`, which draws them as arrows.
"""

from typing import NamedTuple

from chatsys.teach.figures.theme import counted
from chatsys.trace import Record, Trace


class Flight(NamedTuple):
    """One frame: the record of its sending, whether the same was sent before, and when copies of it arrived."""

    sent: Record
    again: bool
    arrived: list[float]
    lost: bool


def flights_of(trace: Trace) -> list[Flight]:
    """Return all frames between the nodes of a run, in the order of sending."""
    arrived: dict[object, list[float]] = {}
    lost: set[object] = set()
    for record in trace.of("receive", "drop"):
        if record.kind == "receive":
            arrived.setdefault(record.id, []).append(record.time)
        else:
            lost.add(record.id)
    seen: set[tuple[object, ...]] = set()
    flights = []
    nodes = set(trace.nodes)
    for record in trace.of("send"):
        if record.peer not in nodes or record.node not in nodes:
            continue
        key = (record.node, record.peer, record.message, record.seq)
        flights.append(
            Flight(record, key in seen and record.seq is not None, arrived.get(record.id, []), record.id in lost)
        )
        seen.add(key)
    return flights


def tell_lanes(trace: Trace) -> str:
    """Sum up a run: frames, how many were lost, what was delivered."""
    flights = flights_of(trace)
    lost = sum(one.lost for one in flights)
    again = sum(one.again and trace.nodes.index(one.sent.peer) > trace.nodes.index(one.sent.node) for one in flights)
    numbers = [one.seq for one in trace.of("deliver")]
    twice = len(numbers) - len(set(numbers))
    more = f", {counted(twice, 'of them a copy', 'of them copies')}" if twice else ""
    return (
        f"{counted(len(flights), 'frame')}, {lost or 'none'} of them lost, {again or 'none'} sent again; "
        f"{counted(len(numbers), 'delivery', 'deliveries')}{more}."
    )
