"""Here: a worker without a process of its own, for a Python that can start none.

    Here.give(function, arguments) --> done at once, under a time deadline --> look() returns the Answer

It keeps the answers of `aside`: done, refused, raised, hung.  It bounds no memory, and a class that ends
its process ends this one; so it is used only where there is no other way.

Assumes   classes that are one's own, or read: a page in a browser is the only thing at stake.
Promises  the same answer that a process would give, but for PYTHONHASHSEED, which only a process can change.
Read also `aside` (the interface, and who chooses), `deadline` (how a loop is ended), `chatsys.capabilities`.
"""

import math
import pickle
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from chatsys.isolation.answer import LOADING, Answer, attempt
from chatsys.isolation.deadline import Deadline, TimeUp


class Here:
    """Does one task at a time in this process, when it is given."""

    deadline: Deadline | None = None
    """That of the task that is being done."""

    def __init__(self, code: bytes, limit: float = math.inf) -> None:
        self.code, self.limit = code, limit
        self.busy = False
        self._loaded: Answer | None = None
        self._answer: Answer | None = None

    def give(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Do a task."""
        self.busy = True
        if self._loaded is None:
            self._loaded = self._bounded(LOADING, pickle.loads, self.code) if self.code else Answer("done", {})
        done = self._loaded.done
        self._answer = self._bounded(self.limit, function, self._loaded.value, *arguments) if done else self._loaded

    def _bounded(self, limit: float, function: Callable[..., Any], *arguments: Any) -> Answer:
        deadline = Deadline(limit) if limit < math.inf else None
        Here.deadline = deadline
        try:
            with deadline or nullcontext():
                return attempt(function, *arguments)
        except TimeUp as error:
            return Answer("hung", str(error))
        finally:
            Here.deadline = None

    def wait(self) -> Answer:
        """Return the answer, which is there."""
        answer = self.look()
        assert answer is not None, "nothing was given to do"
        return answer

    def look(self) -> Answer | None:
        """Return the answer to the task that was given."""
        answer, self._answer, self.busy = self._answer, None, False
        return answer

    def kill(self) -> None:
        """There is nothing to end."""
