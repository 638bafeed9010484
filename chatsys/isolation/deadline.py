"""Deadline: a bound in time on somebody's own code, and the sentence that says what happened when it was over.

    with Deadline(step=3.0, whole=30.0) as deadline:     sys.settrace: after every 2,000 calls and lines, a look at the clocks
        work()                                           too late --> TimeUp is raised in the line that is running
        deadline.heartbeat("seed 2")                     the next step: its time counts anew

`Clocks` are the two clocks alone, which a thread can look at from outside, as that of a `worker` does.
Lines are followed in somebody's own files only; of chatsys and Python itself, calls.

Assumes   nobody else uses `sys.settrace` meanwhile (a debugger does).
Promises  a loop that never ends is ended.  Two kinds cannot be: one inside a single call of C, such as
          `sum(itertools.count())`, and one that catches every exception (`except:`) and goes on.
Read also `in_process` (tasks under a deadline), `worker` (the better way: a process), `answer` (what the clocks mean).
"""

import math
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from chatsys.places import at, is_own

EVENTS = 2_000
"""So many calls and lines lie between two looks at the clock."""
PATIENCE, WAITS = 5.0, 0.05
"""A step is given up after so many times its CPU time on the wall, if it computed for less than this fraction of it:
then it only waits, or is suspended.  Where others compute too, the time in which it had no processor does not count."""


class TimeUp(BaseException):
    """The time is over; no `except Exception` of somebody's own class can take it for an error of its own."""

    def __init__(self, verdict: Literal["hung", "late"], sentence: str, step: str = "", place: str = "") -> None:
        self.verdict, self.sentence, self.step, self.place = verdict, sentence, step, place
        super().__init__(sentence)


def queued(pid: int | str = "self") -> float | None:
    """Return the seconds for which a process was ready and had no processor; None if its system does not count them."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def only_waits(wall: float, worked: float, limit: float) -> bool:
    """Tell whether a step that may compute for `limit` seconds has waited for so long that it is given up."""
    return wall > PATIENCE * limit and worked < WAITS * wall


class Clocks:
    """The CPU time and the time on the wall of one task."""

    def __init__(self, step: float, whole: float = math.inf) -> None:
        self.limit, self.whole = step, whole
        self.step = ""
        self.begun = self.since = time.monotonic()
        self.worked, self.queued = time.process_time(), queued() or 0.0

    def heartbeat(self, step: str = "") -> None:
        """The next step begins: its time counts anew."""
        self.step, self.since = step, time.monotonic()
        self.worked, self.queued = time.process_time(), queued() or 0.0

    def over(self, frame: FrameType) -> TimeUp | None:
        """Return what to say of a task that is at `frame` if its time is over."""
        worked, now = time.process_time() - self.worked, time.monotonic()
        if worked > self.limit:
            why = (
                f"It did not end within {self.limit:g} s; it hung in {line_of(frame)}. Look for a loop that never ends."
            )
            return TimeUp("hung", why, self.step, own_line(frame))
        if now - self.begun > self.whole:
            why = f"It did not end within {self.whole:g} s; it was in {line_of(frame)} then."
        elif only_waits(now - self.since, worked, self.limit) and only_waits(
            now - self.since - ((queued() or 0.0) - self.queued), worked, self.limit
        ):
            why = (
                f"It did not end within {PATIENCE * self.limit:g} s, of which it computed {worked:.1f} s; it waits in "
                f"{line_of(frame)}, or this machine has no time for it."
            )
        else:
            return None
        return TimeUp("late", why, self.step, own_line(frame))


class Deadline:
    """Bounds what runs while it is entered: seconds of CPU for each step, seconds on the wall for the whole."""

    def __init__(self, step: float, whole: float = math.inf) -> None:
        self.clocks = Clocks(step, whole)
        self._events = 0
        self._before: Any = None

    def __enter__(self) -> "Deadline":
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def heartbeat(self, step: str = "") -> None:
        """Let a new step begin; raises `TimeUp` if the time for the whole is over."""
        if (late := self.clocks.over(sys._getframe(1))) is not None:
            raise late
        self.clocks.heartbeat(step)

    def _call(self, frame: FrameType, event: str, value: Any) -> Any:
        self._look(frame)
        return self._line if is_own(frame.f_code.co_filename) else None

    def _line(self, frame: FrameType, event: str, value: Any) -> Any:
        self._look(frame)
        return self._line

    def _look(self, frame: FrameType) -> None:
        self._events += 1
        if self._events % EVENTS == 0 and (late := self.clocks.over(frame)) is not None:
            raise late


def own_line(innermost: FrameType) -> str:
    """Name the line at which somebody's own code is; "" if none of it runs."""
    frame: FrameType | None = innermost
    while frame is not None and not is_own(frame.f_code.co_filename):
        frame = frame.f_back
    return _name(frame) if frame is not None else ""


def line_of(innermost: FrameType) -> str:
    """Name the line at which somebody's own code is, or else the innermost one."""
    return own_line(innermost) or _name(innermost)


def _name(frame: FrameType) -> str:
    return f"{at(frame.f_code.co_filename, frame.f_lineno)}, in {frame.f_code.co_name}"
