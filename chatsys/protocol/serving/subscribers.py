"""Subscribers: whoever listens is pushed what is committed, in order, within a credit.

    SUBSCRIBE(after 7) --> [8, 9, ... 7 + CREDIT] --DELIVERED, a frame a turn--> listener
                      <-- SUBSCRIBE(after 263): confirmed up to here, go on

The credit: a subscriber confirms by a SUBSCRIBE with a greater cursor, and is pushed at most `CREDIT`
messages beyond the last it confirmed (a sliding window, as in TCP).  A SUBSCRIBE whose cursor stands
still says that a push was lost, and everything after it is sent again.  Without a credit a listener
that reads slowly, or not at all, would let what is sent to it pile up in this node's memory.

Members and learners serve listeners alike; each has its own messages, and says how one is shown.

Assumes   the messages are those that were committed, in order, and none is taken back in a safe cluster.
Promises  a listener that confirms gets every message once it asks for it; what is under way to one is bounded.
Read also `sessions` (a member's subscribers), `learner` (who subscribes, and has subscribers of its own).
"""

from collections.abc import Callable, Iterator
from typing import Any

from chatsys.actor.actor import Address
from chatsys.actor.effects import Effects, Send
from chatsys.config import Limits
from chatsys.protocol.messages import Delivered, Subscribe
from chatsys.protocol.public import Heard

CREDIT = 1024
"""A subscriber is sent at most so many messages beyond the last it confirmed."""

Shown = Callable[[int, str | None], tuple[Heard, int] | None]
"""Gives the message of a number, and its size; None if it is not of the room that is listened to."""


class Subscribers:
    """The links that listen here, and how far each was sent and has confirmed."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.links: dict[Address, list[Any]] = {}
        """link -> [sent up to, confirmed up to, room or None, who leads as it was told]"""

    def take(self, link: Address, request: Subscribe, last: int) -> None:
        """A growing cursor confirms; one that stands still asks for what was lost.

        A cursor beyond what was sent here was earned at another node, before the client came to this one;
        the pushing then begins there.  Another room begins anew as well, and so does whoever wants the newest ones.
        """
        known = self.links.get(link)
        after = max(request.after, last - request.last if request.last else 0)  # SPECIFICATION R10.15
        if known is None or request.last or known[2] != request.room or after <= known[1] or after > known[0]:
            self.links[link] = [after, after, request.room, None]
        else:
            known[1] = after

    def forget(self, link: Address) -> None:
        """A link is gone."""
        self.links.pop(link, None)

    def push(self, last: int, shown: Shown, leader: int) -> tuple[Effects, bool]:
        """Return one frame for every subscriber that lacks messages up to `last`, and whether one lacks more.

        A frame says who leads, too; whoever was told something else is sent one in any case.
        """
        effects: Effects = []
        more = False
        for link, cursor in self.links.items():
            upto = min(last, cursor[1] + CREDIT)  # SPECIFICATION R10.13
            if cursor[0] >= upto and cursor[3] == leader:
                continue
            numbered = list(self._batch(cursor, upto, shown))
            if cursor[2] is not None and not numbered:
                cursor[1] = cursor[0]
            if numbered or cursor[3] != leader:
                cursor[3] = leader  # SPECIFICATION R10.16
                entries, numbers = tuple(entry for _, entry in numbered), tuple(number for number, _ in numbered)
                effects.append(Send(link, Delivered(entries, numbers, leader)))
            more = more or cursor[0] < upto
        return effects, more

    def _batch(self, cursor: list[Any], upto: int, shown: Shown) -> Iterator[tuple[int, Heard]]:
        """Yield what one frame has room for, and move the cursor over it."""
        count = size = 0
        while cursor[0] < upto and count < self.limits.batch_entries and size < self.limits.batch_bytes:
            cursor[0] += 1
            if (found := shown(cursor[0], cursor[2])) is not None:
                entry, its_size = found
                count += 1
                size += its_size
                yield cursor[0], entry
