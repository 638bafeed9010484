"""Farewells: whether a leader that was told to stop handed the lead over, where somebody could take it.

    stand_down (leader) .......... stop (follower)    it did
    stand_down (leader) .......... stop (leader)      it did not: a violation, if enough others were up all the time

Read also `liveness` (L7, which asks), `protocol.departure` (who hands over).
"""

from collections.abc import Iterator, Mapping, Set
from typing import Any

from chatsys.check.leaderships import ENDS
from chatsys.trace import Record

Kept = Mapping[str, list[Record]]
"""Records by their kind."""


def farewells(kept: Kept, since: float, quorum: int, low: Set[Any]) -> Iterator[tuple[Any, ...]]:
    """Yield (story, its records) for each leader that stood down after `since`, and still led when it stopped."""
    told = {(record.node, record.incarnation): record for record in kept["stand_down"]}
    for stop in kept["stop"]:
        order = told.get((stop.node, stop.incarnation))
        if order is None or order.time < since or stop.role != "leader":
            continue
        others = up(kept, order.time, stop.time) - {stop.node}
        if len(others) + 1 >= quorum and others - low:
            story = (
                f"farewell: node {stop.node} was told to stop at {order.time:.2f} s, still led when it stopped at "
                f"{stop.time:.2f} s, and could have handed the lead over to node {max(others - low)}."
            )
            yield story, order, stop


def up(kept: Kept, begin: float, end: float) -> set[Any]:
    """Return the nodes that ran all the time from `begin` to `end`, and were not about to stop themselves."""
    found: set[Any] = set()
    kinds = ("start", "pause", "resume", "stand_down", *ENDS)
    for record in sorted((record for kind in kinds for record in kept[kind]), key=lambda one: one.time):
        if record.time > end:
            break
        if record.kind not in ("start", "resume"):
            found.discard(record.node)
        elif record.time <= begin and isinstance(record.node, int):
            found.add(record.node)
    return found
