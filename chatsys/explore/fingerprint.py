"""Fingerprints of actors, made from their plain state without the class's help.

A search visits the same state by many roads and must know it again, so a state has one
*fingerprint*: fields in a fixed order, sets and dictionaries without their order, every object
as the number under which a walk from the actor first meets it.  (A pickle would not do: it tells
equal states apart by the history of their objects, and a search that counts each twice does the
work twice.)

    actor --walk-----> structure: objects in the order of the walk, a token for each, a token for all
    copy --compare---> the same tokens, but for objects that differ from those copied

Most events change one object or two of an actor's forty, so a copy to which something has happened is compared with
what it was a copy of.  If another object is met, or one is met elsewhere, the whole walk is made.

A date outside the alarms, or a draw of chance that decides more than a date, would make states
look equal that are not.  `NOW`, and what is computed from it, is therefore marked: where a mark
turns up in a field, or a draw is compared, `Undecidable` is raised and nothing is claimed.

Assumes   state is numbers, texts, enums, frozen structs, containers and plain objects of these.
Promises  equal fingerprints, equal behaviour from here on (as far as dates do not matter).
Read also `structures` (how one is copied), `untimed` (what is done with both), `actor.actor.Alarms`.
"""

from collections import deque
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NoReturn, cast

import msgspec

from chatsys.actor.actor import Alarms
from chatsys.config import ClusterConfig, Limits, Timing
from chatsys.explore.chance import Date, Undecidable
from chatsys.explore.structures import (
    SHARED,
    Copier,
    Counted,
    Form,
    Ref,
    Shape,
    Structure,
    Twin,
    demand_fields,
    follow,
    is_frozen,
)

OUTSIDE = (ClusterConfig, Timing, Limits, Random)
"""Values that are not part of the state."""

Pacing = Mapping[type, frozenset[str]]
"""Fields, by class, that hold waiting times or never change: left out like dates."""

Sign = Callable[[Any], Any]


class Survey:
    """Takes fingerprints.  Equal ones are one object, so comparing them costs nothing."""

    def __init__(self, copier: Copier, pacing: Pacing | None = None) -> None:
        self.copier, self.pacing = copier, pacing or {}
        self.known: dict[type, Sign | None] = {}
        self.seen: dict[tuple[Form, tuple[str, ...]], Counted] = {}
        self.shapes: dict[Form, Shape] = {}
        self.tokens: dict[tuple[Any, ...], object] = {}
        self.meanings: dict[object, tuple[Any, ...]] = {}
        """What stands behind a token: an object's shape and the fingerprints of its fields; or the tokens of all objects."""
        self.refs: list[Ref] = []
        self.objects: list[Any] = []
        """What this walk has met so far."""
        self.numbers: dict[int, int] = {}
        self.met: list[int] = []

    def token(self, signs: tuple[Any, ...]) -> object:
        """Return the one object that stands for these fingerprints."""
        token = self.tokens.get(signs)
        if token is None:
            token = self.tokens[signs] = object()
            self.meanings[token] = signs
        return token

    def take(self, *roots: Any) -> Structure:
        """Walk through these objects; put their alarms to rest.  Raises `Undecidable` if a search cannot compare them."""
        self.numbers, self.objects = {}, []
        state = Structure(self, self.objects, len(roots))
        try:
            for root in roots:
                self._refer(root)
            for one in self.objects:  # which grow meanwhile
                state.add(one, self._row(one))
            state.token = self.token(tuple(state.tokens))
        except TypeError as error:
            raise Undecidable(f"a state cannot be compared: {error}") from None
        self._seek_the_rest(state)
        state.rest()
        return state

    def compare(self, twin: Twin) -> Structure:
        """Return what `take` returns, of a copy to which something may have happened; note what it changed."""
        before, objects = twin.structure, twin.objects
        twin.changed = None
        if before.survey is not self or before.extra:
            return self.take(*objects[: before.roots])
        structure = before.of_copies(objects)
        changed = [number for number in range(len(objects)) if not self._is_same(twin, number)]
        if changed:
            self.objects = objects.copy()
            self.numbers = {id(one): number for number, one in enumerate(objects)}
            try:
                for number in changed:
                    structure.replace(number, self._row(objects[number]))
                    self._seek(number, structure)
                    if structure.met[number] != before.met[number] or len(self.objects) > len(objects):
                        return self.take(*objects[: before.roots])
                structure.token = self.token(tuple(structure.tokens))
            except TypeError as error:
                raise Undecidable(f"a state cannot be compared: {error}") from None
        twin.changed = changed
        structure.rest()
        return structure

    def _is_same(self, twin: Twin, number: int) -> bool:
        """Tell whether a copy of an object is as it was, as far as that can be seen at once."""
        before, copies = twin.structure, twin.copies
        counted, fields, old = before.counted[number], twin.objects[number].__dict__, before.objects[number].__dict__
        if len(fields) != counted.size:
            return False
        try:
            if counted.plain(fields) != before.plains[number]:
                return False
            for name in counted.form.links:
                if fields[name] is not copies[id(old[name])]:
                    return False
            for name in counted.form.alarms:
                if fields[name] is not copies[id(old[name])] or fields[name].dates.keys() != old[name].dates.keys():
                    return False
            for name, walk in counted.knots:
                if fields[name] != walk(old[name], copies):
                    return False
            for name in counted.loose:
                if type(fields[name]) not in self.copier.shared:
                    return False
        except KeyError:
            return False
        return True

    def _row(self, one: Any) -> tuple[Counted, object, list[int]]:
        """Return what counts of an object, its token, and the numbers of the objects that its fields hold."""
        form, fields = self.copier.form(one), one.__dict__
        shape = self.shapes.get(form) or self._shape(form, fields)
        met: list[int] = []
        self.met = met
        signs: list[Any] = [shape]
        holding = []
        for name in shape.names:
            before, item = len(met), fields[name]
            signs.append(frozenset(item.dates) if name in form.alarms else self._sign(item))
            if len(met) > before:
                holding.append(name)
        key = form, tuple(holding)
        counted = self.seen.get(key)
        if counted is None:
            counted = self.seen[key] = Counted(form, key[1], shape)
        return counted, self.token(tuple(signs)), met

    def _shape(self, form: Form, fields: dict[str, Any]) -> Shape:
        """Find the fields that count: not those that only pace, not what is outside the state."""
        paced = frozenset[str]().union(*(self.pacing.get(base, ()) for base in form.kind.__mro__))
        names = (name for name, item in fields.items() if name not in paced and not isinstance(item, OUTSIDE))
        made = Shape(form.kind, tuple(sorted(names)))
        alike = (shape for shape in self.shapes.values() if (shape.kind, shape.names) == (made.kind, made.names))
        shape = self.shapes[form] = next(alike, made)
        return shape

    def _seek_the_rest(self, state: Structure) -> None:
        """Meet also what only those fields hold that do not count: a copy needs it."""
        size = len(self.objects)
        for number, one in enumerate(self.objects):  # which grow meanwhile
            if number >= size:
                state.forms.append(self.copier.form(one))
            self._seek(number, state)
        state.extra = len(self.objects) > size

    def _seek(self, number: int, state: Structure) -> None:
        """Meet what is held by the fields of an object that do not count."""
        self.met, fields = [], self.objects[number].__dict__
        names = fields.keys()
        if number < len(state.counted):
            names -= state.counted[number].shape.names
        todo = [fields[name] for name in fields if name in names]
        while todo:
            value = todo.pop()
            walk = self.copier.walk(value)
            if walk is follow:
                self._refer(value)
            elif walk is not None and not isinstance(value, Alarms):
                todo += value.values() if isinstance(value, dict) else value

    # --- one value -------------------------------------------------------------------------

    def _sign(self, value: Any) -> Any:
        kind = type(value)
        try:
            sign = self.known[kind]
        except KeyError:
            sign = self.known[kind] = self._find(kind, value)
        return value if sign is None else sign(value)

    def _find(self, kind: type, value: Any) -> Sign | None:
        if issubclass(kind, Date):
            return _refuse_date
        if issubclass(kind, OUTSIDE):
            return lambda value: None
        if issubclass(kind, SHARED):
            return None
        if is_frozen(kind):
            fields = msgspec.structs.fields(cast(type[msgspec.Struct], kind))
            numbers = [field.name for field in fields if field.type in (float, Any)]
            return _check_numbers(numbers) if numbers else None
        if kind in (list, tuple, deque):
            return lambda value: tuple([self._sign(item) for item in value])
        if kind in (set, frozenset):
            return self._set
        if kind is dict:
            return self._mapping
        demand_fields(kind, value)
        return self._refer

    def _set(self, value: Any) -> Any:
        signs = frozenset([self._sign(item) for item in value])
        if any(type(sign) is Ref for sign in signs):
            raise Undecidable(
                "a field holds a set of objects; nothing decides their order, so a search cannot compare them"
            )
        return signs

    def _mapping(self, value: Any) -> Any:
        if not value:
            return None
        plain = self.copier.shared.issuperset(map(type, value.values()))
        keys = value if plain else sorted(value, key=repr)
        return frozenset([(key, self._sign(value[key])) for key in keys])

    def _refer(self, value: Any) -> Ref:
        number = self.numbers.get(id(value))
        if number is None:
            number = self.numbers[id(value)] = len(self.objects)
            self.objects.append(value)
        self.met.append(number)
        while number >= len(self.refs):
            self.refs.append(Ref(len(self.refs)))
        return self.refs[number]


def _refuse_date(value: Any) -> NoReturn:
    raise Undecidable("a field holds a date; only alarms may hold one, because this search does not know the time")


def _check_numbers(names: list[str]) -> Sign:
    def check(value: Any) -> Any:
        for name in names:
            if isinstance(getattr(value, name), Date):
                _refuse_date(value)
        return value

    return check
