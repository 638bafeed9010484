"""What a node passed on to another member for its clients, and what of it is not answered yet.

A follower passes its clients' messages on to the leader.  If it passed on faster than the leader answers, the
flood of one client would stand in the leader's queue, before everybody's honest messages.

Promises  a count that is never too low for long, and never too high for ever.
Read also `turns` (who lets clients wait by it), `actor.inbox`.
"""

import msgspec

from chatsys.actor.actor import Actor, Address

FORGOTTEN = 0.5
"""Seconds without any answer after which those that were passed on count no more."""


class PassedOn:
    """Requests of clients that this node passed on to another member and that were not answered yet.

    The queue of the member that answers is everybody's queue.  It is bounded here, before it: what is passed on
    travels on the link on which the member also hears our acknowledgements, and must not delay them.
    """

    def __init__(self, actor: Actor) -> None:
        self.requests = frozenset(getattr(type(actor), "requests", ()))
        self.answers = frozenset(type(actor).answers)
        self.count = 0
        self.heard = 0.0

    def goes(self, to: Address, message: msgspec.Struct) -> None:
        """A frame leaves."""
        if type(message) in self.requests and isinstance(to, int):
            self.count += 1

    def came(self, sender: Address, message: msgspec.Struct, now: float) -> None:
        """A frame came."""
        if type(message) in self.answers and isinstance(sender, int):
            self.count = max(0, self.count - getattr(message, "count", 1))
            self.heard = now

    def is_much(self, now: float, most: int) -> bool:
        """Tell whether the next ones do well to wait; not for ever, as some are answered by nobody."""
        if self.count <= most:
            self.heard = now
        elif now > self.heard + FORGOTTEN:
            self.count = 0
        return self.count > most
