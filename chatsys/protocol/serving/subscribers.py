"""Subscribers: whoever listens is pushed what is committed, in order, within a credit.

    SUBSCRIBE(after 7) --> [8, 9, ... 7 + CREDIT] --DELIVERED, a frame a turn--> listener
                      <-- SUBSCRIBE(after 263): confirmed up to here, go on

The credit: a subscriber confirms by a SUBSCRIBE with a greater cursor, and is pushed at most `CREDIT`
messages beyond the last it confirmed (a sliding window, as in TCP).  A SUBSCRIBE whose cursor stands
still says that a push was lost, and everything after it is sent again.  Without a credit a listener
that reads slowly, or not at all, would let what is sent to it pile up in this node's memory.

Whoever is far behind is not served as fast as can be.  What is new goes out at once, and so do the newest `CREDIT`
messages; of what lies further back, a frame of `PAST` messages goes out every `PAUSE`, to those who lack it in turn.  A
learner that joins behind a hundred thousand messages would otherwise take the processors of the nodes from everybody who
speaks meanwhile.  If many lack the past, up to `AT_A_TIME` of them get their frame at a time: a hundred in one queue
would get 128 messages a second each, and at 200 new ones a second none of them would ever be level.

Members and learners serve listeners alike; each has its own messages, and says how one is shown.

Assumes   the messages are those that were committed, in order, and none is taken back in a safe cluster.
Promises  a listener that confirms gets every message once it asks for it; what is under way to one is bounded.
Read also `sessions` (a member's subscribers), `learner` (who subscribes, and has subscribers of its own).
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from chatsys.actor.actor import Address
from chatsys.actor.effects import Effects, Send
from chatsys.config import Limits
from chatsys.protocol.messages import Delivered, Subscribe
from chatsys.protocol.public import Heard

CREDIT = 1024
"""A subscriber is sent at most so many messages beyond the last it confirmed."""
PAST, PAUSE = 128, 0.01
"""So many messages of the past go out at a time, and the next ones so many seconds later.  SPECIFICATION R10.13"""
MORE_FOR_EACH, AT_A_TIME = 8, 4
"""For each so many who lack the past one more of them is served at a time, up to four: that bounds what they cost."""

Shown = Callable[[int, str | None], tuple[Heard, int] | None]
"""Gives the message of a number, and its size; None if it is not of the room that is listened to."""


class Subscribers:
    """The links that listen here, and how far each was sent and has confirmed."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.links: dict[Address, list[Any]] = {}
        """link -> [sent up to, confirmed up to, room or None, who leads as it was told]"""
        self.behind: dict[Address, None] = {}
        """Those who had a frame and lack more, in the order in which they get it."""

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
        self.behind.pop(link, None)

    def go_on(self) -> None:
        """The pause is over: it is the turn of those who have waited for longest."""
        turns = min(1 + len(self.behind) // MORE_FOR_EACH, AT_A_TIME)  # SPECIFICATION R10.13
        for link in list(islice(self.behind, turns)):
            del self.behind[link]

    def push(self, last: int, shown: Shown, leader: int) -> tuple[Effects, bool]:
        """Return a frame for each subscriber that lacks messages up to `last`, and whether one that had it lacks more.

        A frame says who leads, too; whoever was told something else is sent one in any case.
        """
        effects: Effects = []
        more = bool(self.behind)
        for link, cursor in self.links.items():
            upto = min(last, cursor[1] + CREDIT)  # SPECIFICATION R10.13
            lacks = cursor[0] < upto and link not in self.behind
            if not lacks and cursor[3] == leader:
                continue
            numbered = list(self._batch(cursor, upto, shown)) if lacks else []
            if lacks and cursor[2] is not None and not numbered:
                cursor[1] = cursor[0]
            if numbered or cursor[3] != leader:
                cursor[3] = leader  # SPECIFICATION R10.16
                entries, numbers = tuple(entry for _, entry in numbered), tuple(number for number, _ in numbered)
                effects.append(Send(link, Delivered(entries, numbers, leader)))
            if cursor[0] < upto:
                more = True
                if self.is_far(last - cursor[0]):
                    self.behind[link] = None
        return effects, more

    def is_far(self, lacks: int) -> bool:
        """Tell whether a listener that lacks so many messages reads the past; whoever lacks fewer only had a bad moment.

        A burst leaves everybody behind by a frame or two.  If all of them then waited for their turns, and more came
        meanwhile than the turns carry, they would fall further behind for ever, although nothing is the matter.
        """
        return lacks > CREDIT  # SPECIFICATION R10.13

    def _batch(self, cursor: list[Any], upto: int, shown: Shown) -> Iterator[tuple[int, Heard]]:
        """Yield what one frame has room for, and move the cursor over it."""
        count = size = 0
        most = min(PAST, self.limits.batch_entries)
        while cursor[0] < upto and count < most and size < self.limits.batch_bytes:
            cursor[0] += 1
            if (found := shown(cursor[0], cursor[2])) is not None:
                entry, its_size = found
                count += 1
                size += its_size
                yield cursor[0], entry
