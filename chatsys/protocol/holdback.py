"""The hold-back queue: batches that arrived before the ones they follow.

    has 1 2 3      early: (prev 5 -> [6]), (prev 4 -> [5])
    4 arrives  --> release (prev 4 -> [5, 6])

What is released comes out as *one* batch, merged: released one by one, each would release the next
from within its own handling, and a few hundred would overflow the stack.

Why nothing is kept for another leader.  A batch waits here because its `prev` is missing, and the
leader of the next term may be the one who fills the gap:

    term 1   3 sends x for position 4 and y for 5; at 1 only y arrives, and waits for 4
             2 has x, but not y; then 3 crashes
    term 2   2 leads, gives 5 to its barrier, and sends x to 1: now the batch with y fits

Its `prev` is there, even with the right label.  If it left the queue, node 1 would hold y at 5 and
confirm 5 to node 2, which takes that for its barrier and commits; and node 1, told that 5 is
committed, would deliver y.  So the queue is emptied whenever the node begins to follow or to lead, and
what it lets out passes the term fence once more (the schedule Q23 lifts both rules; 1,700 random runs
did not find it).

Promises  bounded in entries and bytes; what does not fit is dropped, for the leader sends again.
Read also `ordering.Receiver`, who empties it on every change of leader; lab 03.
"""

import msgspec

from chatsys.config import Limits
from chatsys.protocol.messages import Entry, Propose


class HoldBack:
    """Early batches by the position they follow."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.batches: dict[int, Propose] = {}
        self.entries = 0
        self.bytes = 0

    def __len__(self) -> int:
        return len(self.batches)

    def hold(self, batch: Propose) -> bool:
        """Keep `batch` unless it is empty, known, or too much; tell whether it is kept."""
        known = self.batches.get(batch.prev.seq)
        if known is not None and len(known.entries) >= len(batch.entries):
            return True
        if not self.has_room(batch):
            return False
        if not batch.entries:
            return True
        if known is not None:
            self._forget(known)
        self.batches[batch.prev.seq] = batch
        self.entries += len(batch.entries)
        self.bytes += _size(batch)
        return True

    def has_room(self, batch: Propose) -> bool:
        """Tell whether the batch fits into the queue beside what is there, in entries and in bytes."""
        limits, entries = self.limits, self.entries + len(batch.entries)
        # SPECIFICATION R8.20
        return entries <= limits.hold_back_entries and self.bytes + _size(batch) <= limits.hold_back_bytes

    def release(self, last: int) -> Propose | None:
        """Take out what a log ending at `last` can use, as one batch; drop what is outdated.

        Batches may overlap, for the leader sends again what it holds for lost.  The first comes out whole, as
        splice leaves alone what is there; each later one adds what reaches beyond the end so far, and the
        walk ends at the first gap.
        """
        first: Propose | None = None
        entries: tuple[Entry, ...] = ()
        commit, end = 0, last
        for seq in sorted(self.batches):
            if seq > end:
                break
            batch = self.batches[seq]
            self._forget(batch)
            if seq + len(batch.entries) > end:
                entries += batch.entries[end - seq :] if first else batch.entries
                first = first or batch
                commit, end = max(commit, batch.commit), seq + len(batch.entries)
        return first and msgspec.structs.replace(first, entries=entries, commit=commit)

    def clear(self) -> None:
        """Forget everything."""
        self.batches = {}
        self.entries = self.bytes = 0

    def _forget(self, batch: Propose) -> None:
        del self.batches[batch.prev.seq]
        self.entries -= len(batch.entries)
        self.bytes -= _size(batch)


def _size(batch: Propose) -> int:
    return sum(entry.size for entry in batch.entries)
