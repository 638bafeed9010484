"""Declared types: whether what a method returned is of the type that it should be, and how it looks if not.

    checker(list[int] | None)([1, 2])   -->  True
    shown({"number": 3})                -->  {'number': 3} (dict)
    shown(Packet(number=3))             -->  Packet(number=3)

It runs beside the class that returned the value, and is there so that honest mistakes get a sentence: decoding alone
would take a dictionary for a Struct.  What counts is the strict decoding at the other end.
Read also `answering`, `remote`.
"""

from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

SHOWN = 50
"""Signs that are shown of a value of the wrong type."""


def shown(value: Any) -> str:
    """Return how a value of the wrong type looks, and of which type it is, unless its look begins with that."""
    kind = type(value).__name__
    try:
        text = repr(value)
    except BaseException:
        text = "a value that cannot be shown"
    text = text if len(text) <= SHOWN else f"{text[: SHOWN - 4]} ..."
    return text if value is None or text.startswith(f"{kind}(") else f"{text} ({kind})"


def checker(hint: Any) -> Callable[[Any], bool] | None:
    """Return what tells whether a value is of the declared type; None where nothing is declared.

    Decoding alone would take a dictionary for a Struct.
    """
    return None if hint is None else _fits(hint)


def _fits(hint: Any) -> Callable[[Any], bool]:
    kind, inner = get_origin(hint) or hint, get_args(hint)
    if kind in (Union, UnionType):
        any_of = [_fits(one) for one in inner]
        return lambda value: any(fits(value) for fits in any_of)
    if kind is Annotated:
        return _fits(inner[0])
    if kind is Literal:
        return lambda value: value in inner
    if kind is Any or not isinstance(kind, type):
        return lambda value: True
    if kind is float:
        return lambda value: isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return lambda value: isinstance(value, int) and not isinstance(value, bool)
    if kind in (list, tuple):
        of = _fits(inner[0]) if inner and (kind is list or inner[1:] == (...,)) else _fits(Any)
        return lambda value: isinstance(value, list | tuple) and all(map(of, value))
    if kind is dict and inner:
        key, item = map(_fits, inner)
        return lambda value: isinstance(value, dict) and all(map(key, value)) and all(map(item, value.values()))
    return lambda value: isinstance(value, kind)
