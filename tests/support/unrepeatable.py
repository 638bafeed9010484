"""Classes of somebody's own that break a rule each: they read the clock, keep what is not theirs, go by a set, hang, die.

    from unrepeatable import Hangs, line_of

They stand in a file of their own because each process to which they are handed imports it: beside the tests they would
bring pytest along, which takes longer than what the process is there for.

Read also `test_determinism`, which says what each of them is told.
"""

import os
import random
import secrets
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from chatsys.actor.effects import Note
from chatsys.protocol.election import Bully

SEEN: list[Any] = []
NUMBERS = (number for number in range(10**9))


class Counts:
    n = 0

    def __call__(self) -> None:
        self.n += 1


COUNTS = Counts()


def counter() -> Any:
    n = 0

    def bump(self: Any) -> None:
        nonlocal n
        n += 1

    return bump


def group() -> set[str]:
    return {"ann", "bob", "eve", "joe"}


class Fine(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        for node in sorted({"c", "a", "b"}):
            self.first = (node, self.random.random(), random.Random(7).random(), time.strftime)
        return super().on_message(sender, message, now)


class ReadsTheClockAndRolls(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        self.seen = (time.time(), datetime.now())
        random.choice([1, 2])
        random.Random()
        uuid.uuid4()
        os.urandom(4)
        secrets.token_hex(4)
        return super().on_message(sender, message, now)


class Keeps(Bully):
    count = 0
    _names: list[Any] = []
    __mine: list[Any] = []

    def on_message(self, sender: Any, message: Any, now: float, seen: list[Any] = []) -> list[Any]:  # noqa: B006
        SEEN.append(sender)
        seen.append(sender)
        self._names.append(sender)
        self.__mine.append(sender)
        Keeps.count += 1
        Keeps.lead.turns = now  # type: ignore[attr-defined]
        COUNTS()
        self.bump()
        return super().on_message(sender, message, now)

    def follow(self, now: float, decision: Any, *, times: list[float] = []) -> list[Any]:  # noqa: B006
        times.append(now)
        return super().follow(now, decision)

    def lead(self, now: float) -> list[Any]:
        return super().lead(now)

    bump = counter()


class Other(Bully):
    count = 0
    """Has the name, but not the guilt."""


class GoesThroughASet(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        names = {"ann", "bob", "eve", "joe"}
        note = Note("membership", reason=" ".join(names))
        return [note, *super().on_message(sender, message, now)]


class GoesThroughAnotherOnes(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        length = 0
        for name in group():  # adds up: whatever the order
            length += len(name)
        self.names = []
        if now > 1:
            self.names = [name.upper() for name in group()]
        return [Note("membership", reason=str(self.names[:1])), *super().on_message(sender, message, now)]


class KnowsWhoItIs(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        mine = os.getpid()
        return [Note("membership", reason=str(mine)), *super().on_message(sender, message, now)]


class CountsInAGenerator(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        number = next(NUMBERS)
        return [Note("membership", reason=str(number)), *super().on_message(sender, message, now)]


class Hangs(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        while now > 0:
            self.turns = 1
        return super().on_message(sender, message, now)


class Dies(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        if now > 0:
            os._exit(7)
        return super().on_message(sender, message, now)


class Leaves(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        print("this must not reach stdout")
        if now > 0:
            raise SystemExit("I quit")
        return super().on_message(sender, message, now)


def line_of(words: str) -> int:
    """Return the line of this file in which `words` stand first."""
    lines = Path(__file__).read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if words in line)
