"""A run of deliveries: committed entries as what is told of them to the user, made when somebody looks.

    entries 5 7 8   last message 231   -->   Delivery #229, #230, #231

A node that begins a life delivers all that its log says is committed: a checker must see that what was shown before is
shown again, and unchanged.  After years that is a million messages, and a terminal reads the first and the last of them.
So a run of deliveries keeps its entries, which the log has anyway, and makes the deliveries one by one.

Promises  it compares and counts as the tuple of its deliveries would.
Read also `actor.effects` (Deliver), `sessions` (who delivers).
"""

from collections.abc import Iterator, Sequence
from typing import overload

from chatsys.actor.effects import Delivery
from chatsys.protocol.messages import Entry
from chatsys.protocol.public import public


class DeliveryRun(Sequence[Delivery]):
    """The deliveries of these entries, the last of which is message number `last`."""

    __slots__ = ("entries", "first")

    def __init__(self, entries: Sequence[Entry], last: int) -> None:
        self.entries = entries
        self.first = last - len(entries) + 1

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, at: int) -> Delivery: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[Delivery, ...]: ...

    def __getitem__(self, at: int | slice) -> Delivery | tuple[Delivery, ...]:
        places = range(len(self.entries))[at]
        return self._delivery(places) if isinstance(places, int) else tuple(map(self._delivery, places))

    def __iter__(self) -> Iterator[Delivery]:
        return map(self._delivery, range(len(self.entries)))

    def _delivery(self, place: int) -> Delivery:
        entry = self.entries[place]
        client = public(entry.client_id)
        said = (entry.author, entry.text, entry.room, entry.term, client, entry.client_seq)
        return Delivery(entry.seq, self.first + place, *said)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeliveryRun | tuple) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))
