"""A trial in this process that starts anew: for tests of judges, where a real one would take a process."""

import copy
from collections.abc import Sequence
from typing import Any

import msgspec

from chatsys.errors import told
from chatsys.isolation.calls import Call, Reply, Script
from chatsys.teach.grading.lab import Exercise


class TestTrial:
    """What the class keeps in its own lists and dictionaries is left behind when it is asked alone."""

    __test__ = False

    def __init__(self, answer: type, exercise: Exercise) -> None:
        self.answer, self.name, self.methods = answer, answer.__name__, exercise.methods
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

    def ask(self, scripts: Sequence[Script]) -> list[list[Reply]]:
        """Play them one after the other."""
        return [self._play(self.cls, script) for script in scripts]

    def alone(self, script: Script) -> list[Reply]:
        """Play one with a class of its own."""
        self.cls = self.fresh()
        return self._play(self.cls, script)

    def _play(self, cls: Any, script: Script) -> list[Reply]:
        replies: list[Reply] = []
        try:
            mine = cls(*script.arguments)
        except Exception as error:
            return [Reply(error=told(error))]
        for call in script.calls:
            replies.append(self._reply(mine, call))
            if not replies[-1].right:
                break
        return replies

    def _reply(self, mine: Any, call: Call) -> Reply:
        try:
            value = getattr(mine, call.method)(*call.arguments)
        except Exception as error:
            return Reply(error=told(error))
        try:
            return Reply(msgspec.convert(value, self.methods[call.method].returns))
        except msgspec.ValidationError:
            return Reply(wrong=f"{value!r:.60}")
