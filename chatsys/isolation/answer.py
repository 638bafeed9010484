"""What a task with somebody's own classes may take, and what became of it, in another process or in this one.

    Bounds --task--> Answer:  done  refused  raised  hung  late  died      and the value, or a sentence

Two clocks decide.  The CPU time of a step accuses: a step that computes for so long *hung*.  The clock
on the wall accuses nobody, because it also goes on while a process waits for a crowded machine or is
suspended: what it ends is *late*, and nothing is known of it.

Read also `worker` (a process), `in_process` (this process), `deadline`.
"""

import math
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from chatsys.errors import ChatsysError
from chatsys.isolation.attribution import describe_error
from chatsys.isolation.deadline import TimeUp

LOADING = 10.0
"""So many seconds the classes may take to be loaded, however short a task must be."""
MEMORY = 2 << 30
"""Bytes that a process with somebody's own classes may take, beyond what Python itself takes."""
PRINTED, ANSWER = 1 << 16, 1 << 28
"""Bytes of what the classes print that are shown; bytes that an answer may have."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What one task may take; what is left away is not bounded."""

    step: float = math.inf
    """Seconds of CPU from one `heartbeat` to the next, or for the whole task if it gives none."""
    whole: float = math.inf
    """Seconds on the wall for the whole task."""
    loading: float = LOADING
    """Seconds of CPU for loading the classes, or a step's if that is more."""
    memory: int | None = None
    """Bytes beyond those that Python itself takes."""
    answer: int = ANSWER
    """Bytes of an answer."""
    shown: int = PRINTED
    """Bytes of what the classes print that are passed on to stderr."""
    plain: bool = False
    """Whether the function returns bytes, and nothing that came from the process is unpickled here."""


class Answer(msgspec.Struct, frozen=True):
    """What became of a task."""

    verdict: Literal["done", "refused", "raised", "hung", "late", "died"]
    value: Any
    """What the function returned; else a sentence."""
    spent: bool = False
    """Whether the process had better not be given another task."""
    step: str = ""
    """The step that the last `heartbeat` named."""
    place: str = ""
    """The line of somebody's own code at which the task was when its time was over, if it is known."""
    code: int | None = None
    """With which code the process ended, if it died."""
    said: str = ""
    """The last line that it printed, if it died."""

    @property
    def done(self) -> bool:
        """Whether the function returned."""
        return self.verdict == "done"


def attempt(function: Callable[..., Any], *arguments: Any) -> Answer:
    """Call `function` and return what became of it, whatever it raises."""
    try:
        return Answer("done", function(*arguments))
    except ChatsysError as error:
        return Answer("refused", str(error))
    except TimeUp:
        raise
    except BaseException as error:  # somebody's class may do anything, exit() too
        return Answer("raised", describe_error(error), isinstance(error, MemoryError))
