"""Patience: how long a client waits for an answer, how long it pauses after one, and whom it avoids.

Whose silence it is.  The patience with silence grows with each *round* of the nodes, and not with each try:

    0 s    3, the leader, falls silent; ann asks it, waits 1 s, and asks 1, which passes it on to 3
    4 s    2 leads; 1 says `redirect`, and ann asks again, soon: the wait for 1 is over, and no other alarm is set
           were ann more patient because 3 was silent, or did she go on to 3, she would hear nothing for 8 s

So a node that said nothing when it was asked last is avoided as long as others answer, and an answer of
any node makes the client impatient again.

Why pauses grow.  During an election nobody can be served, and a hundred clients that repeat at once would
be one more load on the nodes that elect.  So the pauses after answers that bring nothing double, and chance
keeps those apart which lost the same leader at the same moment.  (Ethernet does both after a collision:
Metcalfe and Boggs 1976.)

Assumes   nothing of the nodes.
Promises  without an `ok`, at most five tries in the first second, and at most four in any three seconds later.
Read also `client`, who waits; `check.liveness` (L3), which holds it to `longest_wait`.
"""

from collections.abc import Set
from random import Random

from chatsys.actor.actor import Address, Alarms
from chatsys.config import Timing


def longest_try(timing: Timing) -> float:
    """Return how long a client waits for an answer at most, before chance adds up to a quarter."""
    return max(timing.client_retry, timing.client_retry_max / 4)  # SPECIFICATION R11.2


def longest_wait(timing: Timing, silent: int = 0) -> float:
    """Return how long a message may be without its answer while a ready leader serves and `silent` members are silent.

    The client is in the middle of a wait for an answer that was lost, and then asks each silent member in turn;
    it pauses after an answer that brings nothing; and within two heartbeats everybody who lives knows the leader,
    and has what it lacked.
    """
    # SPECIFICATION R11.11
    return 1.25 * ((1 + silent) * longest_try(timing) + timing.client_retry) + 2 * timing.heartbeat_interval


def failover_wait(timing: Timing, rank: int = 1) -> float:
    """Return how long a client waits at most for its next `ok` when the leader falls silent, but for frames and syncs.

    The nominee of this `rank` hears nothing, and waits for the answer of the silent one; then it has its promises
    at once.  A client may just have asked the silent one.
    """
    # SPECIFICATION R11.10
    suspicion = timing.heartbeat_timeout + timing.heartbeat_spread + timing.rank_step * rank
    return suspicion + timing.answer_timeout + 1.25 * timing.client_retry


class Patience:
    """What one client remembers of answers that brought nothing, and of silence."""

    def __init__(self, timing: Timing, random: Random) -> None:
        self.timing, self.random = timing, random
        self.failures = 0
        """How many answers in a row brought nothing: the more, the longer the next pause."""
        self.rounds = 0
        """How many times in a row all nodes were silent: the more, the longer it waits for an answer."""
        self.silent = Alarms()
        """Set for each node that said nothing when it was asked last: as long as it is set, that node is avoided."""

    def forget(self) -> None:
        """Begin anew: an `ok` came."""
        self.failures = self.rounds = 0

    def heard(self, node: Address) -> None:
        """An answer of any kind came from `node`: it is there, and somebody is."""
        if node in self.silent:
            self.silent.clear(node)
        self.rounds = 0

    def heard_nothing(self, node: int, choice: Set[int], now: float) -> None:
        """`node` was silent: avoid it; if all of `choice` were, begin another round, with more patience."""
        self.silent.set(node, now + self.timing.client_retry_max / 2)  # SPECIFICATION R11.9
        if choice <= self.silent.dates.keys():
            self.rounds += 1
            self.silent.clear(*list(self.silent.dates))

    def avoided(self, now: float) -> Set[int]:
        """Return which nodes to avoid now."""
        self.silent.ring(now)
        return self.silent.dates.keys()

    def wait(self) -> float:
        """Return how long to wait for the next answer: `client_retry` in the first round of the nodes, then longer."""
        wait = min(self.timing.client_retry * 2 ** min(self.rounds, 8), longest_try(self.timing))
        return float(wait) * self.random.uniform(1.0, 1.25)

    def pause(self) -> float:
        """Return how long to pause after one more answer that brought nothing."""
        self.failures += 1
        wait = min(self.timing.client_retry * 0.03 * 2 ** min(self.failures, 8), self.timing.client_retry)
        return float(wait) * self.random.uniform(0.75, 1.25)
