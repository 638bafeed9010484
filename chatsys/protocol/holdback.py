"""The hold-back queue: batches that arrived before the ones they follow.

    has 1 2 3      early: (prev 5 -> [6]), (prev 4 -> [5])
    4 arrives  --> release (prev 4 -> [5, 6])

What is released comes out as *one* batch, merged: released one by one, each would release the next
from within its own handling, and a few hundred would overflow the stack.

Why nothing is kept for another leader.  A batch waits here because its `prev` is missing.  Suppose an
old leader sent it, and the leader of the next term fills the gap.  Now `prev` is there, even with the
right label, and the batch fits: but the new leader has given that position to another entry.  So the
queue is emptied whenever the node begins to follow or to lead, and what it lets out passes the term
fence once more (the schedule Q23 lifts both rules; 1,700 random runs did not find it).

Promises  bounded in entries and bytes; what does not fit is dropped, for the leader sends again.
Read also `ordering.Receiver`, who empties it on every change of leader; lab 3.
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
        """Take out what a log ending at `last` can use, as one batch; drop what is outdated."""
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
