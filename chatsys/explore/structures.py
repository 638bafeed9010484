"""Structures: what an actor is made of, and copies of it that are made, and made equal again, object by object.

    structure    the objects of an actor, in the order in which a walk from it meets them
      each with a form:   links  fields that hold another object         bags  fields that hold a container, or alarms
                          all other fields hold what never changes: a copy shares it
    twin         a copy --something happens--> compared (`fingerprint`) --> what changed is copied once more: equal again

A search needs a copy of a life for each event that it tries, tens of thousands of times, and most events change one
object or two of forty.  What an object is made of is therefore found out once, and a copy is used again and again.

Assumes   state is numbers, texts, enums, frozen structs, containers and plain objects of these.
Promises  a copy shares nothing with its original that either could change.
Read also `fingerprint` (who takes structures), `untimed` (who copies).
"""

from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum
from operator import itemgetter
from random import Random
from types import BuiltinFunctionType, FunctionType
from typing import Any

import msgspec

from chatsys.actor.actor import Alarms
from chatsys.config import ClusterConfig, Limits, Timing
from chatsys.explore.chance import Undecidable

SHARED = (str, int, float, bytes, bool, type(None), Enum, type, ClusterConfig, Timing, Limits, Random,
          FunctionType, BuiltinFunctionType)  # fmt: skip
"""Values that never change, or are none of the state: a copy shares them."""

FAR = 1e12
"""The date of every alarm that is set, as long as nobody makes it ring."""

Walk = Callable[[Any, Any], Any]
Kinds = tuple[type, tuple[str, ...], tuple[type, ...]]
"""The class of an object, the names of its fields, and the class of what each holds."""


class Form:
    """What a copy has to know of all objects of the same `Kinds`."""

    __slots__ = ("alarms", "bags", "kind", "links", "names")

    def __init__(self, kinds: Kinds, walks: dict[str, Walk | None]) -> None:
        self.kind, self.names, held = kinds
        fields = tuple(zip(self.names, held, strict=True))
        self.alarms = tuple(sorted(name for name, kind in fields if issubclass(kind, Alarms)))
        self.links = tuple(name for name, kind in fields if walks[name] is follow and name not in self.alarms)
        self.bags = tuple((name, walk) for name, walk in walks.items() if walk is not None and walk is not follow)


class Ref:
    """What stands in a field for an object: its number."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


class Shape:
    """A class and those fields of an instance that count."""

    __slots__ = ("kind", "names")

    def __init__(self, kind: type, names: tuple[str, ...]) -> None:
        self.kind, self.names = kind, names


class Counted:
    """What counts of objects of one form, and how little has to be compared to know that one is as it was."""

    __slots__ = ("form", "knots", "loose", "plain", "shape", "size")

    def __init__(self, form: Form, holding: tuple[str, ...], shape: Shape) -> None:
        self.form, self.shape, self.size = form, shape, len(form.names)
        bags = [(name, walk) for name, walk in form.bags if name not in form.alarms]
        self.knots = tuple((name, walk) for name, walk in bags if name in holding or name not in shape.names)
        """Containers in which objects are, so that a copy is never equal to its original; and what does not count."""
        others = {*form.alarms, *form.links, *(name for name, _ in self.knots)}
        names = [name for name in shape.names if name not in others]
        self.plain = itemgetter(*names) if names else len
        """Returns the values of the other fields."""
        self.loose = tuple(set(form.names) - {*shape.names, *others})
        """Fields that do not count, and hold what is shared; if they hold anything else one day, a copy must know."""


class Structure:
    """The objects of an actor in the order of a walk from its roots, and all that their fingerprint was made of."""

    __slots__ = (
        "alarms", "counted", "extra", "forms", "met", "objects", "plains", "roots", "survey", "token", "tokens",
    )  # fmt: skip

    def __init__(self, survey: object, objects: list[Any], roots: int) -> None:
        self.survey, self.objects, self.roots = survey, objects, roots
        self.forms: list[Form] = []
        self.counted: list[Counted] = []
        self.plains: list[Any] = []
        self.tokens: list[object] = []
        self.met: list[list[int]] = []
        """By object: the numbers of those that its fields hold, in the order of the walk."""
        self.alarms: list[tuple[str, Alarms]] = []
        """Each with the class that it belongs to."""
        self.extra = False
        """Whether there are objects that are held only by fields which do not count."""
        self.token: object = None

    def add(self, one: Any, row: tuple[Counted, object, list[int]]) -> None:
        """Add what was found out of one more object."""
        counted, token, met = row
        self.forms.append(counted.form)
        self.counted.append(counted)
        self.plains.append(counted.plain(one.__dict__))
        self.tokens.append(token)
        self.met.append(met)

    def replace(self, number: int, row: tuple[Counted, object, list[int]]) -> None:
        """Put what was found out of an object that changed in the place of what was known."""
        counted, token, met = row
        self.forms[number], self.counted[number], self.tokens[number] = counted.form, counted, token
        self.plains[number], self.met[number] = counted.plain(self.objects[number].__dict__), met

    def of_copies(self, objects: list[Any]) -> "Structure":
        """Return a structure of which the same is known, of copies of the objects."""
        made = Structure(self.survey, objects, self.roots)
        made.forms, made.counted, made.plains = self.forms.copy(), self.counted.copy(), self.plains.copy()
        made.tokens, made.met, made.token = self.tokens.copy(), self.met.copy(), self.token
        return made

    def rest(self) -> None:
        """Put all alarms off into the far future: which ones are set is what counts."""
        for one, counted in zip(self.objects, self.counted, strict=False):
            for name in counted.form.alarms:
                alarms = one.__dict__[name]
                self.alarms.append((counted.form.kind.__name__, alarms))
                if alarms.dates:
                    alarms.dates = dict.fromkeys(alarms.dates, FAR)
                    alarms.next = FAR


class Twin:
    """A copy of a structure."""

    __slots__ = ("changed", "copies", "objects", "structure")

    def __init__(self, structure: Structure, objects: list[Any], copies: dict[int, Any]) -> None:
        self.structure, self.objects = structure, objects
        self.copies = copies
        """By the id of each original, alarms among them: its copy."""
        self.changed: list[int] | None = None
        """Which objects a comparison found changed; None: it was not compared, or holds other objects."""


class Copier:
    """Copies structures; what is known of each class and each form is found out once."""

    def __init__(self) -> None:
        self.known: dict[type, Walk | None] = {}
        self.shared: set[type] = set()
        """Classes of values that a copy shares."""
        self.followed: set[type] = set()
        """Classes of objects that have a number of their own."""
        self.forms: dict[Kinds, Form] = {}

    def copy(self, structure: Structure) -> "Twin":
        """Return equal objects in the same order, made without the help of their classes."""
        new = object.__new__
        made: list[Any] = [new(form.kind) for form in structure.forms]
        twin = Twin(structure, made, dict(zip(map(id, structure.objects), made, strict=True)))
        self._fill(twin, range(len(made)))
        return twin

    def take_back(self, twin: "Twin") -> None:
        """Make a copy equal to its original again, where `changed` says that it is not."""
        assert twin.changed is not None, "it was compared with its original"
        self._fill(twin, twin.changed)
        for number, counted in enumerate(twin.structure.counted):
            for name in counted.loose:
                twin.objects[number].__dict__[name] = twin.structure.objects[number].__dict__[name]

    def _fill(self, twin: "Twin", numbers: Iterable[int]) -> None:
        structure, copies = twin.structure, twin.copies
        for number in numbers:
            fields, form = twin.objects[number].__dict__, structure.forms[number]
            fields.clear()
            fields.update(structure.objects[number].__dict__)
            for name in form.links:
                fields[name] = copies[id(fields[name])]
            for name, walk in form.bags:
                fields[name] = walk(fields[name], copies)

    def form(self, value: Any) -> Form:
        """Return the form of an object."""
        fields = value.__dict__
        kinds = type(value), tuple(fields), tuple(map(type, fields.values()))
        form = self.forms.get(kinds)
        if form is None:
            walks = {name: self.walk(item) for name, item in fields.items()}
            form = self.forms[kinds] = Form(kinds, walks)
        return form

    def walk(self, value: Any) -> Walk | None:
        """Return what copies values of this kind: None if they are shared, `follow` if each is an object of its own."""
        kind = type(value)
        if kind not in self.known:
            self.known[kind] = self._find(kind, value)
            if self.known[kind] in (None, follow):
                (self.shared if self.known[kind] is None else self.followed).add(kind)
        return self.known[kind]

    def _find(self, kind: type, value: Any) -> Walk | None:
        if issubclass(kind, SHARED) or is_frozen(kind):
            return None
        if kind in (list, tuple, set, frozenset, deque):
            return self._sequence
        if kind is dict:
            return self._mapping
        demand_fields(kind, value)
        return _copy_alarms if issubclass(kind, Alarms) else follow

    def _sequence(self, value: Any, copies: dict[int, Any]) -> Any:
        if not value or self.shared.issuperset(map(type, value)):
            return value if isinstance(value, (tuple, frozenset)) else value.copy()
        if self.followed.issuperset(map(type, value)):
            return type(value)(map(copies.__getitem__, map(id, value)))
        return type(value)([self._item(item, copies) for item in value])

    def _mapping(self, value: dict[Any, Any], copies: dict[int, Any]) -> Any:
        if not value or self.shared.issuperset(map(type, value.values())):
            return value.copy()
        return {key: self._item(item, copies) for key, item in value.items()}

    def _item(self, item: Any, copies: dict[int, Any]) -> Any:
        walk = self.walk(item)
        return item if walk is None else walk(item, copies)


def follow(value: Any, copies: dict[int, Any]) -> Any:
    """Return the copy of an object."""
    return copies[id(value)]


def _copy_alarms(value: Alarms, copies: dict[int, Any]) -> Alarms:
    made: Alarms = copies.get(id(value)) or object.__new__(type(value))
    copies[id(value)] = made
    made.dates, made.next = value.dates.copy(), value.next
    return made


def is_frozen(kind: type) -> bool:
    """Tell whether this is a class of structs that never change."""
    return issubclass(kind, msgspec.Struct) and kind.__struct_config__.frozen


def demand_fields(kind: type, value: Any) -> None:
    """Refuse what cannot be copied field by field.  Raises `Undecidable`."""
    bases = [vars(base) for base in kind.__mro__ if base is not object]
    own_ways = any("__slots__" in names or "__getstate__" in names or "__reduce__" in names for names in bases)
    if own_ways or callable(value) or not hasattr(value, "__dict__"):
        raise Undecidable(f"a field holds a {kind.__name__}; state must be plain data, or a search cannot copy it")
