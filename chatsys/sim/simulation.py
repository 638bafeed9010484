"""Events: virtual time.  Nothing waits: the earliest event is taken off a heap, and it is that late.

    heap [(time, order, action, one, two)] --earliest--> now = time; action(one, two)
       ^                                                       |
       `------------------- push -------------------------------'

Assumes   an action ends; what it wants to happen later it pushes.
Promises  equal times keep the order of pushing; too many events in one second of virtual time raise
          `Runaway`, so that nothing hangs.
Read also `world`, which is made of this.
"""

import heapq
from collections.abc import Callable
from typing import Any

from chatsys.errors import Runaway
from chatsys.faults import check_seconds, condition, warn_expired
from chatsys.trace import Record, Trace


class Events:
    """A heap of events and the time, `now`, in seconds from 0."""

    trace: Trace

    def __init__(self, busiest: int) -> None:
        self.now = 0.0
        self.busiest = busiest
        self._heap: list[tuple[float, int, Callable[[Any, Any], None], Any, Any]] = []
        self._order = 0
        self._second, self._count = 0.0, 0

    def push(self, time: float, action: Callable[[Any, Any], None], one: Any, two: Any) -> None:
        """Let `action(one, two)` happen at `time`; equal times keep the order of pushing."""
        self._order += 1
        heapq.heappush(self._heap, (time, self._order, action, one, two))

    def _next(self) -> None:
        """Let the earliest event happen."""
        time, _, action, one, two = heapq.heappop(self._heap)
        self.now = time
        self._count += 1
        if time >= self._second:
            self._second, self._count = time + 1.0, 0
        elif self._count > self.busiest:
            raise Runaway(
                f"More than {self.busiest} events in one second, at {time:.2f} s of virtual time: "
                "some actor answers without end, or sets an alarm that is due already."
            )
        action(one, two)

    @property
    def events(self) -> int:
        """How many events happened so far."""
        return self._order - len(self._heap)

    def run(self, seconds: float) -> None:
        """Let `seconds` of virtual time go by."""
        check_seconds("run", seconds)
        end = self.now + seconds
        heap, next_event = self._heap, self._next
        while heap and heap[0][0] <= end:
            next_event()
        self.now = end

    def until(self, predicate: Callable[..., Any], limit: float = 60.0, quiet: bool = False) -> bool:
        """Run until `predicate()` or `predicate(world)` holds, at most `limit` seconds; False, and a warning, if not."""
        check_seconds("until", limit)
        holds = condition(predicate, self)
        end = self.now + limit
        while not holds():
            if not self._heap or self._heap[0][0] > end:
                self.now = end
                if not (held := bool(holds())) and not quiet:
                    warn_expired(self, predicate, limit)
                return held
            self._next()
        return True

    def step(self) -> list[Record]:
        """Run until something shows in the trace; return these records, [] if nothing does for an hour."""
        before, end = len(self.trace), self.now + 3600.0
        while self._heap and self._heap[0][0] <= end and len(self.trace) == before:
            self._next()
        return self.trace.records[before:]
