"""What a node's durable records mean: the fold that recovery makes of them, and the fewest that mean the same.

Promises  recovery from `Durable.records()` and from the records it was read from is the same.
Read also `protocol.storage` (the records), `ledger`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from chatsys.protocol.messages import Entry
from chatsys.protocol.storage import Boot, CommitHint, Promised, Stored, Truncate


class Durable(msgspec.Struct, frozen=True):
    """What records mean: the fold that recovery makes of them."""

    boot: Boot | None
    promise: Promised | None
    entries: tuple[Entry, ...]
    hint: int

    @property
    def term(self) -> int:
        """The highest term promised."""
        return self.promise.term if self.promise else 0

    def records(self) -> tuple[Any, ...]:
        """Return the fewest records that mean this."""
        first = [record for record in (self.boot, self.promise) if record is not None]
        last = [CommitHint(self.hint)] if self.hint else []
        return (*first, *map(Stored, self.entries), *last)


def read_records(records: Sequence[Any]) -> Durable:
    """Return what `records` mean."""
    boot, promise, hint = None, None, 0
    entries: list[Entry] = []
    for record in records:
        match record:
            case Boot():
                boot = record
            case Promised():
                promise = record
            case Stored(entry=entry):
                entries.append(entry)
            case Truncate(first=first):
                del entries[first - 1 :]
                hint = min(hint, first - 1)
            case CommitHint(seq=seq):
                hint = min(seq, len(entries))
    return Durable(boot, promise, tuple(entries), hint)
