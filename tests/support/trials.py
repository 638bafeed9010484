"""A trial in this process that starts anew: for tests of judges, where a real one would take a process."""

import copy
from collections.abc import Sequence
from typing import Any

from chatsys.isolation.calls import CallScript, Reply
from chatsys.teach.grading.lab import Exercise
from chatsys.teach.grading.trial import LocalTrial


class TestTrial(LocalTrial):
    """What the class keeps in its own lists and dictionaries is left behind when it is asked alone."""

    __test__ = False

    def __init__(self, answer: type, exercise: Exercise) -> None:
        super().__init__(answer, exercise)
        self.answer = answer
        self.cls: Any = self.fresh()

    def fresh(self) -> Any:
        """Return the class as it is where nothing was done with it."""
        kept = {
            name: copy.deepcopy(value)
            for kind in reversed(self.answer.__mro__)
            for name, value in vars(kind).items()
            if isinstance(value, list | dict | set) and not name.startswith("__")
        }
        return type(self.name, (self.answer,), kept)

    def ask(self, scripts: Sequence[CallScript]) -> list[list[Reply]]:
        """Play them one after the other, all with one class."""
        return [LocalTrial.alone(self, script) for script in scripts]

    def alone(self, script: CallScript) -> list[Reply]:
        """Play one with a class of its own."""
        self.cls = self.fresh()
        return super().alone(script)
