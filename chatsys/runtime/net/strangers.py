"""Strangers: connections that have not said hello yet, and how many of them a node keeps.

Whoever can reach the port can open connections, by mistake (a port scan) or on purpose, and each
takes a file descriptor of this process.  A crowd must cost neither the node's life nor a member's
link, so the descriptors are divided from the top: the kernel always gives the lowest one that is
free, so the number of a new connection tells how many are in use.

    0 ........ clients_below ........ all_below ........ the limit of this process
      clients, and    |   strangers only     |   members' links, the log:
      everybody       |   (to be greeted)    |   nobody else stays here

A stranger becomes a client's link by its hello, and a member's when that member's address has confirmed
it (see `claims`).  If there are too many strangers the oldest is closed: who means well says hello at once.

Assumes   a member says hello before a full round of newer strangers has arrived.
Promises  a crowd of strangers and clients keeps no member's link out; what is turned away is
          counted, and told at most once a second.
Read also `listener` (accepts), `links` (the greeting), `transport` (who owns the links).
"""

import asyncio
import math
from collections import Counter
from collections.abc import Callable
from typing import Protocol

MOST_CLIENTS = 512
MOST_STRANGERS = 128
MOST_DESCRIPTORS = 16_384
"""The soft limit is raised no further than this: some systems scan all descriptors of a process."""
FOR_THE_NODE, FOR_A_MEMBER = 8, 4
"""Descriptors kept free: for the log and look-ups; for two links to and two from each member, old and new."""


def raise_limit(most: int = MOST_DESCRIPTORS) -> None:
    """Allow this process as many descriptors as the system lets it have, up to `most`."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    aim = most if hard == resource.RLIM_INFINITY else min(hard, most)
    if soft != resource.RLIM_INFINITY and soft < aim:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (aim, hard))
        except (OSError, ValueError):  # macOS refuses what its kernel cannot hold; the old limit stays
            pass


def descriptor_limit() -> float:
    """Return how many descriptors this process may have open; infinity where nothing says so."""
    try:
        import resource
    except ImportError:
        return math.inf
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if soft == resource.RLIM_INFINITY else soft


class Stranger(Protocol):
    """What is asked of a connection here: its number, and that it can be ended."""

    descriptor: int

    def abort(self) -> None:
        """End the connection at once."""


class Strangers:
    """The connections of one node that have not said hello, oldest first."""

    def __init__(self, members: int, tell: Callable[[str], None]) -> None:
        limit = descriptor_limit()
        kept = min(FOR_THE_NODE + FOR_A_MEMBER * members, limit / 2)
        self.all_below = limit - kept
        self.clients_below = self.all_below - min(MOST_STRANGERS, self.all_below / 4)
        self.waiting: dict[Stranger, None] = {}
        self.turned_away = Seldom(tell)

    def came(self, link: Stranger) -> None:
        """Take in a new connection; if that is one too many, close the oldest."""
        self.waiting[link] = None
        # The lowest free descriptor says too little alone: what was closed may have left a gap below the others.
        short = any(one.descriptor >= self.all_below for one in self.waiting)
        if short or len(self.waiting) > MOST_STRANGERS:
            oldest = next(iter(self.waiting))
            if oldest is not link:
                del self.waiting[oldest]
                self.turned_away.note("too many links; the oldest that had not said hello was closed")
                oldest.abort()

    def no_room(self, link: Stranger, clients: int) -> str | None:
        """Say why `link` cannot become a client's beside so many `clients`, or None."""
        if clients < MOST_CLIENTS and link.descriptor < self.clients_below:
            return None
        return "This node has too many links; try another one."

    def left(self, link: Stranger) -> None:
        """`link` is greeted, or gone: it is no stranger any more."""
        self.waiting.pop(link, None)

    def spoke(self, link: Stranger) -> None:
        """`link` said hello as a member, and is not confirmed yet: it is younger than whoever has said nothing."""
        if link in self.waiting:
            del self.waiting[link]
            self.waiting[link] = None

    def replaced(self, link: Stranger) -> None:
        """`link` was a member's until a newer one came; it may linger, but only as long as a stranger."""
        self.waiting[link] = None


class Seldom:
    """Tells each sentence at most once a second, with how often it was true meanwhile."""

    def __init__(self, tell: Callable[[str], None], pause: float = 1.0) -> None:
        self.tell, self.pause = tell, pause
        self.total = 0
        self._counts: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def note(self, sentence: str) -> None:
        """It happened: tell it now, or with others in a moment."""
        self.total += 1
        self._counts[sentence] += 1
        if self._timer is None:
            self._tell()

    def stop(self) -> None:
        """Tell what is left, then nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _tell(self) -> None:
        self._timer = None
        counts, self._counts = self._counts, Counter()
        if counts:
            self._timer = asyncio.get_running_loop().call_later(self.pause, self._tell)
        for sentence, times in counts.items():
            self.tell(sentence if times == 1 else f"{sentence} ({times} times)")
