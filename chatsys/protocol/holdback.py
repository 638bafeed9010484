"""The hold-back queue: batches that arrived before the ones they follow.

    has 1 2 3      early: (prev 5 -> [6]), (prev 4 -> [5])
    4 arrives  --> release (prev 4), then (prev 5)

Promises  bounded in entries and bytes; what does not fit is dropped, for the leader sends again.
Read also `ordering.Receiver`, who empties it on every change of leader; lab 3.
"""

from chatsys.config import Limits
from chatsys.protocol.messages import Propose


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
        size = sum(entry.size for entry in batch.entries)
        full = (
            self.entries + len(batch.entries) > self.limits.hold_back_entries
            or self.bytes + size > self.limits.hold_back_bytes
        )
        if full or not batch.entries:
            return not full
        if known is not None:
            self._forget(known)
        self.batches[batch.prev.seq] = batch
        self.entries += len(batch.entries)
        self.bytes += size
        return True

    def release(self, last: int) -> Propose | None:
        """Take out and return a batch that a log ending at `last` can use; drop outdated ones."""
        for seq in sorted(self.batches):
            if seq > last:
                return None
            batch = self.batches[seq]
            self._forget(batch)
            if seq + len(batch.entries) > last:
                return batch
        return None

    def clear(self) -> None:
        """Forget everything."""
        self.batches = {}
        self.entries = self.bytes = 0

    def _forget(self, batch: Propose) -> None:
        del self.batches[batch.prev.seq]
        self.entries -= len(batch.entries)
        self.bytes -= sum(entry.size for entry in batch.entries)
