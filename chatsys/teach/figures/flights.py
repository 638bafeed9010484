"""Flights: what became of each frame of a run, and the sentence that sums it up.

    send, receive, drop, by the id of the frame --> sent at 0.52 s, arrived at 0.58 s, or lost; sent before or not

Read also `sequences`, which draws them as arrows.
"""

from typing import NamedTuple

from chatsys.teach.figures.theme import counted
from chatsys.trace import Record, Trace

NOBODY = "nobody there"
"""Why a frame is dropped that comes to a node that is down."""


class Flight(NamedTuple):
    """One frame: the record of its sending, whether the same was sent before, and when copies of it arrived or met a node that was down."""

    sent: Record
    again: bool
    arrived: list[float]
    lost: bool
    met_nobody: float | None = None
    """When it came to a node that was down, if none of its copies arrived anywhere else."""


def flights_of(trace: Trace) -> list[Flight]:
    """Return all frames between the nodes of a run, in the order of sending."""
    arrived: dict[object, list[float]] = {}
    lost: set[object] = set()
    down: dict[object, float] = {}
    for record in trace.of("receive", "drop"):
        if record.kind == "receive":
            arrived.setdefault(record.id, []).append(record.time)
        elif record.reason == NOBODY:
            down[record.id] = record.time
        else:
            lost.add(record.id)
    seen: set[tuple[object, ...]] = set()
    flights = []
    nodes = set(trace.nodes)
    for record in trace.of("send"):
        if record.peer not in nodes or record.node not in nodes:
            continue
        key = (record.node, record.peer, record.message, record.seq)
        came, again = arrived.get(record.id, []), key in seen and record.seq is not None
        flights.append(Flight(record, again, came, record.id in lost, None if came else down.get(record.id)))
        seen.add(key)
    return flights


def tell_lanes(trace: Trace) -> str:
    """Sum up a run: frames, how many were lost, what was delivered."""
    flights = flights_of(trace)
    lost = sum(one.lost for one in flights)
    down = sum(one.met_nobody is not None for one in flights)
    nobody = f", {down} met a node that was down" if down else ""
    again = sum(one.again and trace.nodes.index(one.sent.peer) > trace.nodes.index(one.sent.node) for one in flights)
    numbers = [one.seq for one in trace.of("deliver")]
    twice = len(numbers) - len(set(numbers))
    more = f", {counted(twice, 'of them a copy', 'of them copies')}" if twice else ""
    return (
        f"{counted(len(flights), 'frame')}, {lost or 'none'} of them lost{nobody}, {again or 'none'} sent again; "
        f"{counted(len(numbers), 'delivery', 'deliveries')}{more}."
    )
