"""Calls: what is asked of an object of somebody's own class, and what came of it.

    CallScript(calls=(Call("receive", (3, message)), ...))  --->  [Reply([]), Reply([one, two]), ...]

They are values, so that they can travel to the process in which the class lives, and back.  There are many thousands
of them and none is part of a circle, so Python's collector of circles need not look at them (`gc=False`).

Read also `remote` (the end that asks), `answering` (the process that is asked).
"""

from typing import Any

import msgspec


class Method(msgspec.Struct, frozen=True):
    """A method that the student writes: the names of its arguments (without self), and the type of what it returns."""

    arguments: tuple[str, ...] = ()
    returns: Any = None
    """None: whatever it returns is not looked at."""
    optional: tuple[str, ...] = ()
    """Arguments at the end that a caller may leave away."""


class Call(msgspec.Struct, frozen=True, gc=False):
    """One call of a method of the student's object: what arrives."""

    method: str
    arguments: tuple[Any, ...] = ()


class CallScript(msgspec.Struct, frozen=True, gc=False):
    """The calls that one object gets, in their order; the object is made with `arguments`."""

    calls: tuple[Call, ...]
    arguments: tuple[Any, ...] = ()


class Reply(msgspec.Struct, frozen=True, gc=False):
    """What came of one call: a value of the declared type, or a sentence about what came instead.

    `error` is what the method raised, with its line; `unfinished` says that it was a NotImplementedError.  `wrong`
    tells a value of another type than the declared one.
    """

    value: Any = None
    error: str | None = None
    wrong: str | None = None
    unfinished: bool = False

    @property
    def right(self) -> bool:
        """Whether the method returned a value of the declared type."""
        return self.error is None and self.wrong is None
