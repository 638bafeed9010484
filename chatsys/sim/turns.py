"""Turns: what waits at one simulated host, and how it is served together.

    seconds = 0   nothing waits, every event is a turn; a paused host serves later what came, in order of arrival
    seconds > 0   frames, syncs, links, orders --> inbox --at the end of the turn--> doors ... settle --> effects

With seconds, the first thing that comes begins a turn.  Whatever else comes before its end is served with
it, by the rules of the real hosts and by their very inbox: all that is at hand of this end and of members,
what light clients say, then a quantum of the client that has waited longest.  A real turn has time for
many quanta, and this one for a single one, so nobody waits for more turns there than here.  What it leaves
begins the next turn.

Assumes   its host opens no door while something is being served but those that it is asked to open here.
Promises  `settle` is called once in a turn, at its end; what one link brought is served in order.
Read also `host` (whose doors these are), `actor.inbox` (whose turn it is); `runtime.turns` is its counterpart.
"""

from collections.abc import Callable, Collection
from typing import Any, Protocol

from chatsys.actor.actor import NEVER, Address
from chatsys.actor.inbox import FairInbox

Thing = tuple[Callable[[Any, Any], None], Any, Any]
"""What to do, and with what."""


class Agenda(Protocol):
    """What turns need of the simulation."""

    now: float

    def push(self, time: float, action: Callable[[Any, Any], None], one: Any, two: Any) -> None:
        """Let `action(one, two)` happen at `time`."""


class Served(Protocol):
    """What turns need of the host whose doors they open."""

    alive: bool
    ready: bool
    paused: bool

    def settle(self) -> None:
        """End a turn of several doors."""


class Turns:
    """The inbox of one host; `end` says when the turn ends that is under way, NEVER if none is."""

    def __init__(self, host: Served, agenda: Agenda, seconds: float, members: Collection[Address]) -> None:
        self.host, self.agenda, self.seconds = host, agenda, seconds
        self.inbox: FairInbox[Thing] = FairInbox(members)
        self.end = NEVER
        self.serving = False
        """Doors of one turn are being opened now."""

    def put(self, sender: Address | None, action: Callable[[Any, Any], None], one: Any, two: Any) -> None:
        """Let `action(one, two)` wait for its turn, behind what came from `sender` before (None: from this end)."""
        if sender is None or not self.seconds:
            self.inbox.put_own((action, one, two))
        else:
            self.inbox.put(sender, [(action, one, two)])
        self._begin()

    def _begin(self) -> None:
        """Begin a turn, unless one is under way or this host serves nothing now."""
        if self.seconds and self.end == NEVER and self.host.ready and not self.host.paused:
            self.end = self.agenda.now + self.seconds
            self.agenda.push(self.end, self._over, self.end, None)

    def _over(self, end: float, _: None) -> None:
        if end == self.end:  # else a pause or a crash has ended that turn
            self.end = NEVER
            if not self.host.paused:
                self._serve()

    def drain(self) -> None:
        """Serve what has waited for the end of a pause, or for this life to be durable."""
        if self.seconds and self.host.ready:
            self.end = NEVER
            if self.inbox:
                self._serve()
            return
        for action, one, two in self.inbox.at_hand():
            if self.host.alive:
                action(one, two)

    def _serve(self) -> None:
        """Take in what this turn has room for, then settle once.  SPECIFICATION R13.4."""
        self.serving = True
        try:
            for take in (self.inbox.at_hand, self.inbox.light, self.inbox.quantum):
                for action, one, two in take():
                    if self.host.alive:
                        action(one, two)
        finally:
            self.serving = False
        if self.host.alive:
            self.host.settle()
        if self.inbox:
            self._begin()

    def clear(self) -> None:
        """Drop what waits: the life that it was for has ended."""
        self.inbox.clear()
        self.end = NEVER
