"""Copies and fingerprints of a search: a copy to which something happened is told from its original, and made equal again."""

from collections.abc import Callable
from types import SimpleNamespace as Namespace
from typing import Any

import pytest

from chatsys.actor.actor import Alarms
from chatsys.explore.chance import NOW, Undecidable
from chatsys.explore.fingerprint import Survey
from chatsys.explore.structures import Copier

pytestmark = pytest.mark.quick


class Pair:
    def __init__(self, left: int, right: Any) -> None:
        self.left, self.right = left, right


class Holder:
    """Of everything that a state may be made of, something."""

    def __init__(self) -> None:
        self.alarms = Alarms()
        self.alarms.set("beat", 3.0)
        self.count, self.since, self.nothing = 0, 0.0, None
        self.names: list[Any] = ["ann"]
        self.by_name, self.low = {"ann": {1, 2}}, {3}
        self.one = Pair(1, None)
        self.same = self.one
        self.pairs = {2: Pair(2, []), 1: Pair(1, self.one)}
        self.parts = (self.one, self.pairs[1])
        self.wait, self.spare_part = 0.5, [Pair(9, 9)]
        self.patience: dict[int, Any] = {1: 2.5}


PACING: dict[type, frozenset[str]] = {Holder: frozenset({"wait", "patience", "parts"})}


def undo(one: Holder) -> None:
    one.count += 1
    one.count -= 1


def set_alike(one: Holder) -> None:
    one.alarms = Alarms()
    one.alarms.set("beat", 1.0)


CHANGES: dict[str, Callable[[Holder], Any]] = {
    "a number": lambda one: setattr(one, "count", 1),
    "a number that is a name now": lambda one: setattr(one, "count", "1"),
    "nothing that is a list now": lambda one: setattr(one, "nothing", []),
    "nothing that is an object now": lambda one: setattr(one, "nothing", Pair(7, 7)),
    "nothing that is a known object now": lambda one: setattr(one, "nothing", one.one),
    "a list": lambda one: one.names.append("bob"),
    "a list that is another one": lambda one: setattr(one, "names", ["bob"]),
    "a list that holds an object": lambda one: one.names.append(Pair(1, 1)),
    "a set": lambda one: one.low.clear(),
    "a set in a dictionary": lambda one: one.by_name["ann"].discard(1),
    "a key": lambda one: one.by_name.pop("ann"),
    "a field that is gone": lambda one: delattr(one, "count"),
    "a field that is new": lambda one: setattr(one, "more", 1),
    "an object's field": lambda one: setattr(one.one, "left", 5),
    "an object far inside": lambda one: one.pairs[2].right.append(4),
    "another object": lambda one: setattr(one, "same", Pair(1, None)),
    "an object in a dictionary that is another one": lambda one: one.pairs.update({2: Pair(3, [])}),
    "an object more in a dictionary": lambda one: one.pairs.update({3: Pair(3, [])}),
    "an object less": lambda one: one.spare_part.clear(),
    "an alarm that is set": lambda one: one.alarms.set("silence", 2.0),
    "an alarm that rang": lambda one: one.alarms.ring(1e13),
    "other alarms": lambda one: setattr(one, "alarms", Alarms()),
}
NO_CHANGES: dict[str, Callable[[Holder], Any]] = {
    "nothing": lambda one: None,
    "a list that is equal": lambda one: setattr(one, "names", ["ann"]),
    "a dictionary in another order": lambda one: setattr(one, "pairs", dict(reversed(one.pairs.items()))),
    "when an alarm rings": lambda one: one.alarms.set("beat", NOW + 8.0),
    "other alarms that are set alike": set_alike,
    "a waiting time": lambda one: setattr(one, "wait", NOW + 0.7),
    "waiting times": lambda one: one.patience.update({1: 9.0, 2: 1.0}),
    "a waiting time that is an object now": lambda one: setattr(one, "wait", Pair(6, [])),
    "a waiting time that is a list now": lambda one: setattr(one, "wait", [6]),
    "waiting times that are objects now": lambda one: one.patience.update({1: Pair(6, [])}),
    "a change that is undone": undo,
}


def look(one: Any) -> Any:
    """Return all that a state holds, with dates and without the search's help; objects by the order in which they are met."""
    met: dict[int, int] = {}

    def told(value: Any) -> Any:
        if isinstance(value, (Holder, Pair, Alarms)):
            if id(value) in met:
                return met[id(value)]
            met[id(value)] = len(met)
            return type(value).__name__, {name: told(item) for name, item in sorted(vars(value).items())}
        if isinstance(value, dict):
            return {key: told(value[key]) for key in sorted(value, key=repr)}
        return [told(item) for item in value] if isinstance(value, (list, tuple)) else value

    return told(one)


def begin() -> Any:
    copier = Copier()
    survey = Survey(copier, PACING)
    holder = Holder()
    structure = survey.take(holder)
    return Namespace(copier=copier, survey=survey, holder=holder, structure=structure, looks=look(holder))


@pytest.mark.parametrize("what", [*CHANGES, *NO_CHANGES])
def test_a_copy_that_something_happened_to_has_the_fingerprint_that_a_whole_walk_finds(what: str) -> None:
    it = begin()
    twin = it.copier.copy(it.structure)
    changed = twin.objects[0]
    assert look(changed) == it.looks
    (CHANGES | NO_CHANGES)[what](changed)
    compared = it.survey.compare(twin)
    assert compared.token is it.survey.take(changed).token
    assert (compared.token is it.structure.token) == (what in NO_CHANGES)
    assert it.looks == look(it.holder), "the original is as it was"
    assert [id(one) for _, one in compared.alarms] == [id(changed.alarms)]


@pytest.mark.parametrize("what", [*CHANGES, *NO_CHANGES])
def test_a_copy_of_what_was_compared_shares_nothing_with_it(what: str) -> None:
    it = begin()
    twin = it.copier.copy(it.structure)
    (CHANGES | NO_CHANGES)[what](twin.objects[0])
    looks = look(twin.objects[0]) if it.survey.compare(twin) else None
    again = it.copier.copy(it.survey.take(twin.objects[0]))
    assert look(again.objects[0]) == looks
    for change in CHANGES.values():
        try:
            change(again.objects[0])
        except (AttributeError, KeyError):
            continue  # it is gone already
    assert look(twin.objects[0]) == looks and look(it.holder) == it.looks


@pytest.mark.parametrize("what", [*CHANGES, *NO_CHANGES])
def test_a_copy_that_is_taken_back_is_as_it_was(what: str) -> None:
    it = begin()
    twin = it.copier.copy(it.structure)
    for change in ("a list", what, what, "an alarm that is set"):
        (CHANGES | NO_CHANGES)[change](twin.objects[0])
        it.survey.compare(twin)
        if twin.changed is None:
            return  # it holds other objects now, so nobody uses it again
        it.copier.take_back(twin)
        assert look(twin.objects[0]) == it.looks and twin.objects[0].alarms is twin.copies[id(it.holder.alarms)]
        assert it.survey.compare(twin).token is it.structure.token


def test_only_what_holds_other_objects_now_is_copied_anew() -> None:
    anew: set[str] = set()
    for what, change in (CHANGES | NO_CHANGES).items():
        it = begin()
        twin = it.copier.copy(it.structure)
        change(twin.objects[0])
        it.survey.compare(twin)
        anew |= {what} if twin.changed is None else set()
    objects = {one for one in CHANGES | NO_CHANGES if "object" in one}
    assert anew == objects - {"an object's field", "an object far inside"}


def test_a_date_is_found_out_also_where_a_number_that_equals_it_stood() -> None:
    it = begin()
    twin = it.copier.copy(it.structure)
    twin.objects[0].since = NOW
    with pytest.raises(Undecidable, match="a field holds a date"):
        it.survey.compare(twin)


def test_a_set_of_objects_is_refused() -> None:
    it = begin()
    it.holder.low = {it.holder.one}
    with pytest.raises(Undecidable, match="a set of objects"):
        it.survey.take(it.holder)
