"""Null answers: classes or functions that a student might hand in without an answer, each of which may get a tenth at most.

    NULLS["says no"](exercise)     a class with the exercise's methods, each of which returns False, 0 or what is empty

They are made inside functions, so that they travel by value: what a file defines is asked for there by its name.
"""

from collections.abc import Callable
from types import UnionType
from typing import Any, get_args, get_origin

from chatsys.teach.grading.lab import Exercise


def nothing(exercise: Exercise) -> Any:
    """A class whose methods are there, or a function, that does nothing."""
    if exercise.function:
        return lambda *arguments: None
    methods = {name: lambda self, *arguments: None for name in exercise.methods}
    return type(exercise.writes, (), methods)


def echo(exercise: Exercise) -> Any:
    """A class whose methods return, or a function that returns, what they were given last."""
    if exercise.function:
        return lambda *arguments: arguments[-1]

    def last(self: Any, *arguments: Any) -> Any:
        return arguments[-1] if arguments else None

    methods: dict[str, Any] = dict.fromkeys(exercise.methods, last)
    return type(exercise.writes, (), methods | {"__init__": lambda self, *arguments: None})


def says_no(exercise: Exercise) -> Any:
    """A class whose methods return something of the right kind, always the same: False, 0, what is empty."""
    return _constant(exercise, truth=False)


def says_yes(exercise: Exercise) -> Any:
    """The same with True and 1."""
    return _constant(exercise, truth=True)


NULLS: dict[str, Callable[[Exercise], Any]] = {
    "nothing": nothing, "echo": echo, "says no": says_no, "says yes": says_yes,
}  # fmt: skip


def _constant(exercise: Exercise, truth: bool) -> Any:
    if exercise.function:
        return lambda *arguments: truth

    def saying(kind: Any) -> Any:
        return lambda self, *arguments: a_value(kind, truth)

    def a_value(kind: Any, truth: bool) -> Any:
        kind, parts = get_origin(kind) or kind, get_args(kind)
        if kind is tuple:
            return tuple(a_value(part, truth) for part in parts)
        if kind is UnionType:
            return a_value(parts[0], truth)
        if kind is None:  # the exercise has its own way of looking at what comes back
            return truth
        return kind(truth) if kind in (bool, int, float) else kind() if kind in (list, dict, set, str) else None

    methods: dict[str, Any] = {name: saying(method.returns) for name, method in exercise.methods.items()}
    return type(exercise.writes, (), methods | {"__init__": lambda self, *arguments: None})
