"""Copies and fingerprints of actors, made from their plain state without the class's help.

A search visits the same state by many roads and must know it again, so a state has one
*fingerprint*: fields in a fixed order, sets and dictionaries without their order, every object
that was seen before as a reference.  (A pickle would not do: it tells equal states apart by the
history of their objects, and a search that counts each twice does the work twice.)

    actor --survey--> (fingerprint, its alarms)        dates, config and random are left out
    actor --copy----> an equal actor                   frozen structs, texts, numbers are shared

A date outside the alarms, or a draw of chance that decides more than a date, would make states
look equal that are not.  `NOW`, and what is computed from it, is therefore marked: where a mark
turns up in a field, or a draw is compared, `Undecidable` is raised and nothing is claimed.

Assumes   state is numbers, texts, enums, frozen structs, containers and plain objects of these.
Promises  equal fingerprints, equal behaviour from here on (as far as dates do not matter).
Read also `untimed` (what is done with both), `actor.actor.Alarms`.
"""

from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from random import Random
from types import BuiltinFunctionType, FunctionType
from typing import Any, NoReturn, cast

import msgspec

from chatsys.actor.actor import Alarms
from chatsys.config import ClusterConfig, Limits, Timing
from chatsys.explore.chance import Date, Undecidable

FAR = 1e12
"""The date of every alarm that is set, as long as nobody makes it ring."""


SHARED = (str, int, float, bytes, bool, type(None), Enum, type, ClusterConfig, Timing, Limits, Random,
          FunctionType, BuiltinFunctionType)  # fmt: skip
"""Values that never change, or are none of the state: a copy shares them."""
OUTSIDE = (ClusterConfig, Timing, Limits, Random)
"""Values that are not part of the state."""

Pacing = Mapping[type, frozenset[str]]
"""Fields, by class, that hold waiting times or never change: left out like dates."""

Walk = Callable[[Any, Any], Any]


class Copier:
    """Copies plain objects, each kind of value by a function found once."""

    def __init__(self) -> None:
        self.known: dict[type, Walk | None] = {}
        self.plans: dict[tuple[type, ...], tuple[tuple[int, Walk], ...]] = {}
        """By the kinds of the fields of an object: which of them are copied, and by what."""

    def copy(self, value: Any, memo: dict[int, Any]) -> Any:
        """Return an equal value; `memo` maps id(original) to its copy, for objects."""
        walk = self._walk(type(value), value)
        return value if walk is None else walk(value, memo)

    def _walk(self, kind: type, value: Any) -> Walk | None:
        """Return what copies values of this kind, None if they are shared; `value` is one of them."""
        try:
            return self.known[kind]
        except KeyError:
            walk = self.known[kind] = self._find(kind, value)
            return walk

    def _find(self, kind: type, value: Any) -> Walk | None:
        if issubclass(kind, SHARED) or _frozen(kind):
            return None
        if kind in (list, tuple, set, frozenset, deque):
            return self._sequence
        if kind is dict:
            return self._mapping
        if issubclass(kind, Alarms):
            return self._alarms
        _demand_fields(kind, value)
        return self._object

    def _sequence(self, value: Any, memo: dict[int, Any]) -> Any:
        copy = self.copy
        return type(value)([copy(item, memo) for item in value]) if value else type(value)()

    def _mapping(self, value: Any, memo: dict[int, Any]) -> Any:
        copy = self.copy
        return {key: copy(item, memo) for key, item in value.items()} if value else {}

    def _alarms(self, value: Any, memo: dict[int, Any]) -> Any:
        made = memo[id(value)] = object.__new__(type(value))
        made.dates, made.next = value.dates.copy(), value.next
        return made

    def _object(self, value: Any, memo: dict[int, Any]) -> Any:
        made = memo.get(id(value))
        if made is not None:
            return made
        made = memo[id(value)] = object.__new__(type(value))
        fields = made.__dict__
        fields.update(value.__dict__)
        kinds = tuple(map(type, fields.values()))
        walks = self.plans.get(kinds)
        if walks is None:
            walks = self.plans[kinds] = self._plan(fields)
        names = tuple(fields)
        for place, walk in walks:
            name = names[place]
            fields[name] = walk(fields[name], memo)
        return made

    def _plan(self, fields: dict[str, Any]) -> tuple[tuple[int, Walk], ...]:
        """Return the places of those fields, among fields of these kinds, that are not shared, and what copies them."""
        walks = [self._walk(type(item), item) for item in fields.values()]
        return tuple((place, walk) for place, walk in enumerate(walks) if walk is not None)


class Shape:
    """A class and those fields of an instance that count."""

    def __init__(self, kind: type, names: tuple[str, ...], paced: frozenset[str]) -> None:
        self.kind, self.names, self.paced = kind, names, paced


class Survey:
    """Takes fingerprints.  Equal ones are one object, so comparing them costs nothing."""

    def __init__(self, pacing: Pacing | None = None) -> None:
        self.pacing = pacing or {}
        self.known: dict[type, Walk | None] = {}
        self.shapes: dict[tuple[type, tuple[str, ...]], Shape] = {}
        self.tokens: dict[tuple[Any, ...], object] = {}
        self.meanings: dict[object, tuple[Any, ...]] = {}
        """What stands behind a token: the class of an object and the fingerprints of its fields."""

    def take(self, value: Any) -> tuple[Any, list[tuple[str, Alarms]]]:
        """Return the fingerprint of `value`, and its alarms, each with the class it belongs to, put to rest."""
        found: list[tuple[str, Alarms]] = []
        memo: dict[Any, Any] = {"alarms": found}
        try:
            return self._sign(value, memo), found
        except TypeError as error:
            raise Undecidable(f"a state cannot be compared: {error}") from None

    def token(self, signs: tuple[Any, ...]) -> object:
        """Return the one object that stands for these fingerprints."""
        token = self.tokens.get(signs)
        if token is None:
            token = self.tokens[signs] = object()
            self.meanings[token] = signs
        return token

    def _sign(self, value: Any, memo: dict[Any, Any]) -> Any:
        kind = type(value)
        try:
            walk = self.known[kind]
        except KeyError:
            walk = self.known[kind] = self._find(kind, value)
        return value if walk is None else walk(value, memo)

    def _find(self, kind: type, value: Any) -> Walk | None:
        if issubclass(kind, Date):
            return _refuse_date
        if issubclass(kind, OUTSIDE):
            return lambda value, memo: None
        if issubclass(kind, SHARED):
            return None
        if _frozen(kind):
            numbers = [
                field.name
                for field in msgspec.structs.fields(cast(type[msgspec.Struct], kind))
                if field.type in (float, Any)
            ]
            return _check_numbers(numbers) if numbers else None
        if kind in (list, tuple, deque):
            return self._sequence
        if kind in (set, frozenset):
            return lambda value, memo: frozenset([self._sign(item, memo) for item in value])
        if kind is dict:
            return self._mapping
        _demand_fields(kind, value)
        return self._object

    def _sequence(self, value: Any, memo: dict[Any, Any]) -> Any:
        sign = self._sign
        return tuple([sign(item, memo) for item in value])

    def _mapping(self, value: Any, memo: dict[Any, Any]) -> Any:
        if not value:
            return None
        sign = self._sign
        return frozenset([(key, sign(item, memo)) for key, item in value.items()])

    def _object(self, value: Any, memo: dict[Any, Any]) -> Any:
        seen = memo.get(id(value))
        if seen is not None:
            return seen
        memo[id(value)] = f"object {len(memo)}"
        fields, known = value.__dict__, self.known
        key = type(value), tuple(fields)
        shape = self.shapes.get(key) or self._shape(key, fields)
        signs: list[Any] = [shape]
        for name in shape.names:
            item = fields[name]
            if known.get(type(item), self) is None:
                signs.append(item)
            elif isinstance(item, Alarms):
                signs.append(_rest(shape.kind, item, memo["alarms"]))
                if name in shape.paced:
                    signs.pop()
            else:
                signs.append(self._sign(item, memo))
        return self.token(tuple(signs))

    def _shape(self, key: tuple[type, tuple[str, ...]], fields: dict[str, Any]) -> Shape:
        """Find the fields that count: not those that only pace, not what is outside the state."""
        kind = key[0]
        paced = frozenset[str]().union(*(self.pacing.get(base, ()) for base in kind.__mro__))
        state = (name for name, item in fields.items() if not isinstance(item, OUTSIDE))
        names = tuple(sorted(name for name in state if name not in paced or isinstance(fields[name], Alarms)))
        for shape in self.shapes.values():
            if (shape.kind, shape.names) == (kind, names):
                break
        else:
            shape = Shape(kind, names, paced)
        self.shapes[key] = shape
        return shape


def _rest(owner: type, alarms: Alarms, found: list[tuple[str, Alarms]]) -> frozenset[Any]:
    """Put all alarms off into the far future; which ones are set is what counts."""
    found.append((owner.__name__, alarms))
    if not alarms.dates:
        return frozenset()
    alarms.dates = dict.fromkeys(alarms.dates, FAR)
    alarms.next = FAR
    return frozenset(alarms.dates)


def _refuse_date(value: Any, memo: Any) -> NoReturn:
    raise Undecidable("a field holds a date; only alarms may hold one, because this search does not know the time")


def _check_numbers(names: list[str]) -> Walk:
    def check(value: Any, memo: Any) -> Any:
        for name in names:
            if isinstance(getattr(value, name), Date):
                _refuse_date(value, memo)
        return value

    return check


def _frozen(kind: type) -> bool:
    return issubclass(kind, msgspec.Struct) and kind.__struct_config__.frozen


def _demand_fields(kind: type, value: Any) -> None:
    """Refuse what cannot be copied field by field."""
    bases = [vars(base) for base in kind.__mro__ if base is not object]
    own_ways = any("__slots__" in names or "__getstate__" in names or "__reduce__" in names for names in bases)
    if own_ways or callable(value) or not hasattr(value, "__dict__"):
        raise Undecidable(f"a field holds a {kind.__name__}; state must be plain data, or a search cannot copy it")
