"""Deadline: a bound in time on somebody's own code where no other process can be asked to hold it.

    with Deadline(3.0) as deadline:      sys.settrace: after every 2,000 calls and lines, a look at the clock
        work()                           too late --> TimeUp is raised in the line that is running
        deadline.again()                 the next step: its time counts anew

Lines are followed in somebody's own files only; of chatsys and Python itself, calls.

Assumes   nobody else uses `sys.settrace` meanwhile (a debugger does).
Promises  a loop that never ends is ended.  Two kinds cannot be: one inside a single call of C, such as
          `sum(itertools.count())`, and one that catches every exception (`except:`) and goes on.
Read also `here` (tasks under a deadline), `aside` (the better way: a process), `teach.grading.grader`.
"""

import sys
import time
from types import FrameType
from typing import Any

from chatsys.places import at, is_own

EVENTS = 2_000
"""So many calls and lines lie between two looks at the clock."""


class TimeUp(BaseException):
    """The time is over; no `except Exception` of somebody's own class can take it for an error of its own."""

    def __init__(self, limit: float, where: str) -> None:
        self.limit, self.where = limit, where
        super().__init__(f"It did not end within {limit:g} s; it hung in {where}. Look for a loop that never ends.")


class Deadline:
    """Bounds what runs while it is entered: `limit` seconds for each step."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.until = 0.0
        self._events = 0
        self._before: Any = None

    def __enter__(self) -> "Deadline":
        self.again()
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def again(self, limit: float | None = None) -> None:
        """Let a new step begin, which may take `limit` seconds (as before)."""
        self.limit = self.limit if limit is None else limit
        self.until = time.monotonic() + self.limit

    def _call(self, frame: FrameType, event: str, value: Any) -> Any:
        self._look(frame)
        return self._line if is_own(frame.f_code.co_filename) else None

    def _line(self, frame: FrameType, event: str, value: Any) -> Any:
        self._look(frame)
        return self._line

    def _look(self, frame: FrameType) -> None:
        self._events += 1
        if self._events % EVENTS == 0 and time.monotonic() > self.until:
            raise TimeUp(self.limit, line_of(frame))


def line_of(innermost: FrameType) -> str:
    """Name the line at which somebody's own code is, or else the innermost one."""
    frame: FrameType | None = innermost
    while frame is not None and not is_own(frame.f_code.co_filename):
        frame = frame.f_back
    frame = frame or innermost
    return f"{at(frame.f_code.co_filename, frame.f_lineno)}, in {frame.f_code.co_name}"
