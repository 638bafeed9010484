"""A worker without a process of its own, for a Python that can start none, as in a browser.

    InProcessWorker.submit(function, arguments) --> done at once, under a deadline --> poll() returns the Answer

It keeps the answers of `worker`: done, refused, raised, hung, late.  It bounds no memory, and a class that
ends its process ends this one; so it is used only where there is no other way.

Assumes   classes that are one's own, or read: a page in a browser is the only thing at stake.
Promises  the same answer that a process would give, but for PYTHONHASHSEED, which only a process can change.
Read also `worker` (the interface, and who chooses), `deadline` (how a loop is ended), `chatsys.capabilities`.
"""

import math
import pickle
from collections.abc import Callable
from typing import Any

from chatsys.isolation.answer import Answer, Bounds, attempt
from chatsys.isolation.deadline import Deadline, TimeUp


class InProcessWorker:
    """Does one task at a time in this process, when it is submitted."""

    deadline: Deadline | None = None
    """That of the task that is being done."""

    def __init__(self, code: bytes, bounds: Bounds) -> None:
        self.code, self.bounds = code, bounds
        self.busy = False
        self._loaded: Answer | None = None
        self._answer: Answer | None = None

    def submit(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Do a task."""
        self.busy = True
        if self._loaded is None:
            most = self.bounds.loading
            self._loaded = _bounded(most, math.inf, pickle.loads, self.code) if self.code else Answer("done", {})
        if self._loaded.done:
            limits = self.bounds.step, self.bounds.whole
            self._answer = _bounded(*limits, function, self._loaded.value, *arguments)
        else:
            self._answer = self._loaded

    def wait(self) -> Answer:
        """Return the answer, which is there."""
        answer = self.poll()
        assert answer is not None, "nothing was given to do"
        return answer

    def poll(self) -> Answer | None:
        """Return the answer to the task that was submitted."""
        answer, self._answer, self.busy = self._answer, None, False
        return answer

    def kill(self) -> None:
        """There is nothing to end."""


def _bounded(step: float, whole: float, function: Callable[..., Any], *arguments: Any) -> Answer:
    if step == whole == math.inf:
        return attempt(function, *arguments)
    InProcessWorker.deadline = deadline = Deadline(step, whole)
    try:
        with deadline:
            return attempt(function, *arguments)
    except TimeUp as late:
        return Answer(late.verdict, late.sentence, step=late.step, place=late.place)
    finally:
        InProcessWorker.deadline = None
