"""Interface: whether a class has the methods that an exercise asks for, seen before anything is run.

    problems(MyQueue, "MyQueue", {"receive": Method(("number", "message"))})
        -->  ["`receive` of MyQueue takes (self, number); write `def receive(self, number, message)`."]

Promises  nothing of the class is called; only how many arguments fit is looked at, not what they are named.
Read also `calls.Method`; `answering` and the trials of a lab, who ask.
"""

import inspect
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from chatsys.isolation.calls import Method


def problems(answer: Any, name: str, methods: Mapping[str, Method]) -> list[str]:
    """Return a sentence for each thing that keeps a class from being asked; [] if it can be asked."""
    if not isinstance(answer, type):
        return [f"{name} is no class, but {_kind(answer)}; write `class {name}:`."]
    found = [_problem(answer, name, method, how) for method, how in {"__init__": Method(), **methods}.items()]
    return [one for one in found if one]


def _problem(kind: type, name: str, method: str, how: Method) -> str:
    here = inspect.getattr_static(kind, method, None)
    arguments = (f"{one}=..." if one in how.optional else one for one in how.arguments)
    head = f"`def {method}({', '.join(('self', *arguments))})`"
    if here is None:
        return f"{name} has no method `{method}`; write {head}."
    function = getattr(kind, method, None)
    if not callable(function):
        return f"`{method}` of {name} is no method, but {_kind(here)}; write {head}."
    if method == "__init__" and here is object.__init__:
        return f"`__init__` of {name} is missing; write {head}." if how.arguments else ""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return ""  # written in C, or strange: a call will tell
    own = ("self",) if isinstance(here, FunctionType) else ()
    fewest = len(how.arguments) - len(how.optional)
    for count in {fewest, len(how.arguments)}:
        try:
            signature.bind(*own, *how.arguments[:count])
        except TypeError:
            return f"`{method}` of {name} takes {signature}; write {head}."
    return ""


def _kind(value: Any) -> str:
    kind = type(value).__name__
    return f"an {kind}" if kind[:1] in "aeiou" else f"a {kind}"
