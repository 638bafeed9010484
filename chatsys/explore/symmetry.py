"""Symmetry: states that differ only in who is called what are searched once.

Only texts can be exchanged (client ids, names of links), and only those that the model calls
interchangeable.  Ids of nodes cannot: Bully ranks them, so node 3 is not node 1 by another name.

Assumes   the model is right that an exchange of these texts changes nothing.
Promises  a state and its images have the same smallest image.
Read also `model.Model.interchangeable`, `tables`.
"""

from itertools import permutations
from typing import Any

import msgspec

from chatsys.errors import UsageError
from chatsys.explore.model import Model
from chatsys.explore.tables import GIVEN, Tables

Names = dict[str, str]


class Symmetry:
    """Finds the smallest image of a state under all exchanges of names."""

    def __init__(self, model: Model, tables: Tables) -> None:
        self.tables = tables
        names = model.interchangeable
        for name in names:
            if not isinstance(name, str):
                raise UsageError(f"interchangeable names {name!r}; only texts can be exchanged, node ids are ranked.")
        exchanges = [dict(zip(names, other, strict=True)) for other in permutations(names)]
        self.exchanges = [self._prepare(model, exchange) for exchange in exchanges]
        self.exchanges = [prepared for prepared in self.exchanges if prepared is not None]
        self.numbers: dict[Any, int] = {}

    def _prepare(self, model: Model, names: Names) -> Any:
        """Return (names, where each gift goes, what was renamed already); None if gifts forbid it."""
        renamed = [self.rename(gift, names, {}) for gift in model.inputs]
        if any(gift not in model.inputs for gift in renamed):
            return None
        order = [model.inputs.index(gift) for gift in renamed]
        if model.in_order and order != sorted(order):
            return None
        return names, order, {}

    def smallest(self, state: tuple[int, ...], size: int) -> tuple[int, ...]:
        """Return one and the same tuple of numbers for a state and all its images."""
        return min(self._image(state, size, exchange) for exchange in self.exchanges)

    def _image(self, state: tuple[int, ...], size: int, exchange: Any) -> tuple[int, ...]:
        names, order, done = exchange
        lives = sorted(self._number("life", number, names, done) for number in state[:size])
        ledger = self._number("ledger", state[size], names, done)
        spent = state[size + 1]
        given = sum(1 << order[place] for place in range(len(order)) if spent // GIVEN >> place & 1)
        frames = sorted(self._number("frame", number, names, done) for number in state[size + 2 :])
        return (*lives, ledger, spent % GIVEN + given * GIVEN, *frames)

    def _number(self, kind: str, number: int, names: Names, done: dict[Any, int]) -> int:
        found = done.get((kind, number))
        if found is None:
            image = self._of(kind, number, names)
            found = done[kind, number] = self.numbers.setdefault((kind, image), len(self.numbers))
        return found

    def _of(self, kind: str, number: int, names: Names) -> Any:
        tables = self.tables
        seen: dict[Any, Any] = {}
        if kind == "life":
            return self.rename(tables.signs[number], names, seen)
        if kind == "ledger":
            return self.rename(tables.ledgers[number], names, seen)
        place, event = tables.happenings[number]
        return self.rename((tables.model.addresses[place], event), names, seen)

    def rename(self, value: Any, names: Names, seen: dict[Any, Any]) -> Any:
        """Return `value` with every name in it exchanged."""
        if isinstance(value, str):
            return names.get(value, value)
        if type(value) is object:
            if value not in seen:
                meaning = self.tables.turns.survey.meanings[value]
                seen[value] = self.tables.turns.survey.token(self.rename(meaning, names, seen))
            return seen[value]
        if isinstance(value, (tuple, frozenset)):
            return type(value)(self.rename(item, names, seen) for item in value)
        if isinstance(value, msgspec.Struct):
            changed = {name: self.rename(getattr(value, name), names, seen) for name in value.__struct_fields__}
            return msgspec.structs.replace(value, **changed)
        return value
