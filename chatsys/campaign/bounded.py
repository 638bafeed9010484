"""Bounded: a run with a class of somebody's own in it, given up after a while, for it may never end.

    with at_most(10.0): world.run(30)        raises TooLong here when ten seconds are over

Assumes   the main thread, and a system with timers (not Windows); elsewhere nothing is bounded.
Read also `shrink` and `why` (who play changed runs of somebody's class), `isolation` (where it is shut in for good).
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from chatsys.capabilities import TIMERS, has

LONGEST = 10.0
"""Seconds after which a run with a class of somebody's own is given up."""


class TooLong(BaseException):
    """One run takes too long; no class of a student's catches this."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `TooLong` here after so many seconds, where this can be done: in the main thread, not on Windows."""
    if threading.current_thread() is not threading.main_thread() or not has(TIMERS):
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.01))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
