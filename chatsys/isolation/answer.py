"""Answer: what became of a task with somebody's own classes, in another process or in this one.

    done  refused  raised  hung  died      and the value, or a sentence

Read also `aside` (a process), `here` (this process).
"""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from chatsys.errors import ChatsysError
from chatsys.isolation.attribution import blame
from chatsys.isolation.deadline import TimeUp

LOADING = 10.0
"""So many seconds the classes may take to be loaded, however short a task must be."""


class Answer(msgspec.Struct, frozen=True):
    """What became of a task."""

    verdict: Literal["done", "refused", "raised", "hung", "died"]
    value: Any
    """What the function returned; else a sentence."""
    spent: bool = False
    """Whether the process had better not be given another task."""

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
        return Answer("raised", blame(error), isinstance(error, MemoryError))
