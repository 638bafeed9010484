"""Forwarding: whom to answer for what was passed on, and for how long that is remembered.

    client a --(c, 7)--> here --(c, 7)--> leader          waiting: (c, 7) -> a
    client a <---ok----- here <---ok----- leader          and a waits no more

The sweep: whoever passed a message on cannot know whether an answer will come.  It keeps two generations,
`waiting` and `older`; every 8 s the older one is dropped and the newer one becomes the older.  So each place
lives 8 to 16 s, by when the client has asked again, and no date is kept for any.

Promises  what is kept is bounded; an answer, or a run of answers, goes to everybody who waits for one of them.
Read also `sessions` (a member passes on to its leader), `learner` (which passes on to a member).
"""

from collections.abc import Sequence

from chatsys.actor.actor import Address
from chatsys.actor.effects import Effects, Send
from chatsys.protocol.messages import SubmitReply

Pair = tuple[str, int]


class Forwarding:
    """Whom to answer once it is known what became of a pair (client_id, client_seq)."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.waiting: dict[Pair, dict[Address, None]] = {}
        self.older: dict[Pair, dict[Address, None]] = {}
        """The same, from before the last sweep: dropped at the next."""

    def __len__(self) -> int:
        return len(self.waiting) + len(self.older)

    def wait(self, pair: Pair, link: Address, bounded: bool = True) -> None:
        """Note that `link` waits for what becomes of `pair`."""
        self.waiting.setdefault(pair, {})[link] = None
        if bounded and len(self.waiting) > self.most:  # SPECIFICATION R10.11
            del self.waiting[next(iter(self.waiting))]

    def answerable(self, pair: Pair) -> list[Address]:
        """Return who waits for this pair; from now on nobody does."""
        return [*self.waiting.pop(pair, {}), *self.older.pop(pair, {})]

    def pass_back(self, sender: Address, reply: SubmitReply) -> Effects:
        """Hand an answer, or a run of answers, to whoever waits for one of them."""
        client, first = reply.client_id, reply.client_seq
        links = self.answerable((client, first))
        run: Sequence[int] = range(first + 1, first + reply.count)
        if len(run) > len(self):  # whatever number a frame names, only those who wait are looked at
            run = sorted(number for other, number in {*self.waiting, *self.older} if other == client and number in run)
        for number in run:
            links += [link for link in self.answerable((client, number)) if link not in links]
        return [Send(link, reply) for link in links if link != sender]

    def sweep(self) -> bool:
        """Forget what is older than a sweep; tell whether something is left to be swept."""
        self.older, self.waiting = self.waiting, {}
        return bool(self.older)

    def take_all(self) -> list[tuple[Pair, dict[Address, None]]]:
        """Return everybody who waits; from now on nobody does."""
        everybody = [*self.waiting.items(), *self.older.items()]
        self.waiting, self.older = {}, {}
        return everybody
