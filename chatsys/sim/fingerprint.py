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
Read also `untimed` (what is done with both), `protocol.actor.Alarms`.
"""

from collections import deque
from collections.abc import Callable, Hashable
from enum import Enum
from random import Random
from types import BuiltinFunctionType, FunctionType
from typing import Any, NoReturn

import msgspec

from chatsys.config import ClusterConfig, Limits, Timing
from chatsys.errors import ChatsysError
from chatsys.protocol.actor import NEVER, Alarms

FAR = 1e12
"""The date of every alarm that is set, as long as nobody makes it ring."""


class Undecidable(ChatsysError):
    """This actor does something that an untimed search cannot judge; the sentence says what."""


class Date(float):
    """A number made from the time: it may go into an alarm and nowhere else."""

    def _dated(self, other: float) -> "Date":
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _dated  # type: ignore[assignment]


class Now(Date):
    """The one moment of an untimed world: 0.0; what is added to it is later."""

    def __add__(self, wait: float) -> Date:  # type: ignore[override]
        return Date(float(wait))

    __radd__ = __add__  # type: ignore[assignment]

    def __sub__(self, date: float) -> Date:  # type: ignore[override]
        return Date(-float(date))


NOW = Now(0.0)


class Draw(Date):
    """A number drawn by chance: it may pace an alarm, but no rule may depend on it."""

    def _refuse(self, other: object) -> NoReturn:
        raise Undecidable("a rule compares a number drawn by chance; only waiting times may be drawn")

    __lt__ = __le__ = __gt__ = __ge__ = _refuse


class Chance(Random):
    """What an actor is given for `random`: names at birth, waiting times ever after."""

    newborn = True

    def uniform(self, a: float, b: float) -> float:
        """Return a marked number: any waiting time is as good as another."""
        return Draw((a + b) / 2)

    def random(self) -> float:
        """Return a marked number."""
        return Draw(0.5)

    def getrandbits(self, k: int) -> int:
        """Return bits for a name, before the life has started; afterwards refuse."""
        return super().getrandbits(k) if self.newborn else self._refuse()

    def choice(self, seq: Any) -> NoReturn:
        """Refuse: a choice would have to be searched both ways."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise Undecidable("a decision is drawn by chance; only waiting times may be drawn")


SHARED = (str, int, float, bytes, bool, type(None), Enum, type, ClusterConfig, Timing, Limits, Random,
          FunctionType, BuiltinFunctionType)  # fmt: skip
"""Values that never change, or are none of the state: a copy shares them."""
OUTSIDE = (ClusterConfig, Timing, Limits, Random, type, FunctionType, BuiltinFunctionType)
"""Values that are not part of the state."""

Pacing = dict[type, frozenset[str]]
"""Fields, by class, that hold waiting times and decide nothing else: left out like dates."""

Walk = Callable[[Any, Any], Any]


class Copier:
    """Copies plain objects, each kind of value by a function found once."""

    def __init__(self, constants: tuple[object, ...] = ()) -> None:
        self.constants = constants
        """Containers that nobody changes, such as the members in the config."""
        self.known: dict[type, Walk | None] = {}

    def copy(self, value: Any, memo: dict[int, Any]) -> Any:
        """Return an equal value; `memo` maps id(original) to its copy, for objects."""
        if not memo:
            memo.update((id(constant), constant) for constant in self.constants)
        return self._copy(value, memo)

    def _copy(self, value: Any, memo: dict[int, Any]) -> Any:
        kind = type(value)
        try:
            walk = self.known[kind]
        except KeyError:
            walk = self.known[kind] = self._find(kind, value)
        return value if walk is None else walk(value, memo)

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
        copy = self._copy
        return type(value)([copy(item, memo) for item in value])

    def _mapping(self, value: Any, memo: dict[int, Any]) -> Any:
        if id(value) in memo:
            return memo[id(value)]
        copy = self._copy
        return {key: copy(item, memo) for key, item in value.items()}

    def _alarms(self, value: Any, memo: dict[int, Any]) -> Any:
        made = memo[id(value)] = object.__new__(type(value))
        made.dates, made.next = value.dates.copy(), value.next
        return made

    def _object(self, value: Any, memo: dict[int, Any]) -> Any:
        made = memo.get(id(value))
        if made is not None:
            return made
        kind = type(value)
        made = memo[id(value)] = object.__new__(kind)
        known, fields = self.known, made.__dict__
        for name, item in value.__dict__.items():
            walk = known.get(type(item), self)
            if walk is None:
                fields[name] = item
            else:
                fields[name] = self._copy(item, memo)
        return made


class Survey:
    """Takes fingerprints.  Equal ones are one object, so comparing them costs nothing."""

    def __init__(self, constants: tuple[object, ...] = (), pacing: Pacing | None = None) -> None:
        self.constants = constants
        self.pacing = pacing or {}
        self.known: dict[type, Walk | None] = {}
        self.names: dict[type, tuple[int, tuple[str, ...]]] = {}
        self.tokens: dict[tuple[Any, ...], object] = {}
        self.meanings: dict[object, tuple[Any, ...]] = {}
        """What stands behind a token: the class of an object and the fingerprints of its fields."""

    def take(self, value: Any) -> tuple[Any, list[tuple[str, Alarms]]]:
        """Return the fingerprint of `value`, and its alarms, each with the class it belongs to, put to rest."""
        found: list[tuple[str, Alarms]] = []
        memo: dict[Any, Any] = {id(constant): "constant" for constant in self.constants}
        memo["alarms"] = found
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
        if issubclass(kind, (str, int, float, bytes, type(None), Enum)):
            return None
        if _frozen(kind):
            numbers = [field.name for field in msgspec.structs.fields(kind) if field.type in (float, Any)]
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
        if not value or id(value) in memo:
            return None
        sign = self._sign
        return frozenset([(key, sign(item, memo)) for key, item in value.items()])

    def _object(self, value: Any, memo: dict[Any, Any]) -> Any:
        seen = memo.get(id(value))
        if seen is not None:
            return seen
        memo[id(value)] = f"object {len(memo)}"
        kind, fields, known = type(value), value.__dict__, self.known
        count, names = self.names.get(kind, (-1, ()))
        if count != len(fields):
            names = self._choose(kind, fields)
        signs: list[Any] = [kind]
        for name in names:
            item = fields[name]
            if known.get(type(item), self) is None:
                signs.append(item)
            elif isinstance(item, Alarms):
                signs.append(_rest(kind, item, memo["alarms"]))
            else:
                signs.append(self._sign(item, memo))
        return self.token(tuple(signs))

    def _choose(self, kind: type, fields: dict[str, Any]) -> tuple[str, ...]:
        """Find the fields that count: not those that only pace, not what is outside the state."""
        paced = frozenset[str]().union(*(self.pacing.get(base, ()) for base in kind.__mro__))
        names = tuple(
            sorted(name for name, item in fields.items() if name not in paced and not isinstance(item, OUTSIDE))
        )
        self.names[kind] = len(fields), names
        return names


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
    if not hasattr(value, "__dict__") or hasattr(kind, "__getstate__") and kind.__getstate__ is not object.__getstate__:
        raise Undecidable(f"a field holds a {kind.__name__}; state must be plain data, or a search cannot copy it")
    if callable(value) or any("__slots__" in vars(base) for base in kind.__mro__):
        raise Undecidable(f"a field holds a {kind.__name__}; state must be plain data, or a search cannot copy it")
