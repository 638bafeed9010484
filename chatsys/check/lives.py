"""Lives: a number for each life of a node that no other life of it has, whatever its disk says.

    node 2   start 1 .. start 2 .. (its folder is emptied) .. start 1       as its disk counts them
             life 1     life 2                                life 3        as the invariants count them

A node counts its lives in its log.  Where the folder was emptied, or an older copy was put in its place, the count
begins again, and what two lives did would be taken for what one did.  The world writes down that it happened
(`wipe`, `restored`), and from the next `start` on the numbers go on above all that were.

Assumes   the records come in order of time.
Promises  where no folder was replaced, every record stays what it is.
Read also `violation` (what an invariant keeps about a node, and forgets with its disk), `protocol.identity`.
"""

from collections.abc import Iterable

import msgspec

from chatsys.trace import Record, Trace

REPLACED = frozenset(("wipe", "restored"))
"""Kinds of records that tell that another folder lies in the place of a node's."""
KINDS = REPLACED | {"start"}


class Lives:
    """How far the lives of each node are counted."""

    def __init__(self) -> None:
        self.newest: dict[object, int] = {}
        self.shift: dict[object, int] = {}
        """How much is added to the number that a node gives itself."""
        self.replaced: set[object] = set()

    def take(self, record: Record) -> tuple[Record, bool]:
        """Return the record as the invariants count lives, and whether a node begins on another disk with it."""
        node, fresh = record.node, False
        if record.kind in REPLACED:
            self.replaced.add(node)
        elif record.kind == "start" and node in self.replaced:
            self.replaced.discard(node)
            self.shift[node] = self.newest.get(node, 0)
            fresh = True
        if shift := self.shift.get(node):
            record = msgspec.structs.replace(record, incarnation=record.incarnation + shift)
        if record.kind == "start":
            self.newest[node] = max(record.incarnation, self.newest.get(node, 0))
        return record, fresh


def renumbered(trace: Trace) -> Trace:
    """Return a trace, in order of time, with every life under a number of its own."""
    if not any(trace.by_kind(*REPLACED).values()):
        return trace
    lives = Lives()
    return Trace([lives.take(record)[0] for record in trace.records], trace.meta)


def on_other_disks(records: Iterable[Record]) -> frozenset[object]:
    """Return the nodes whose folder was replaced."""
    return frozenset(record.node for record in records if record.kind in REPLACED)
