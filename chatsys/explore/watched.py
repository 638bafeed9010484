"""Watched: an actor that tells whether a door changed anything, without being looked through from end to end.

    watch(copy of an actor)        lower the flag, open a door: is it raised?    no: nothing changed, for certain

To compare two fingerprints takes a hundred times as long as to open a door that does nothing, and a search that
asks about everything it forgot opens many thousands of such doors.  So each object of a copy gets a class that
notes when a field gets another value, and each list, dictionary and set one that notes every change.

A raised flag says little: the change may be of a date only, or undone.  Then the question is asked the slow way.

Assumes   actors change themselves by assignment and by methods of containers, not through `__dict__`.
Promises  a flag that is not raised: the actor is as it was.
Read also `asking` (who asks), `fingerprint` (the slow way).
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from chatsys.explore.fingerprint import SHARED

CHANGES: dict[type, tuple[str, ...]] = {
    list: (
        "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort", "__setitem__", "__delitem__", "__iadd__",
        "__imul__",
    ),
    dict: ("clear", "pop", "popitem", "setdefault", "update", "__setitem__", "__delitem__", "__ior__"),
    set: (
        "add", "clear", "discard", "pop", "remove", "update", "difference_update", "intersection_update",
        "symmetric_difference_update", "__iand__", "__ior__", "__isub__", "__ixor__",
    ),
}  # fmt: skip
"""What changes a container."""

PLAIN = (int, str, bool, type(None))


class Watch:
    """Watches any number of actors with one flag."""

    def __init__(self) -> None:
        self.raised = False
        """Raised as soon as something changes; whoever asks lowers it first."""
        self.known: dict[type, type] = {}

    def watch(self, actor: Any) -> bool:
        """Watch an actor that nobody else holds; return False if it holds something that cannot be watched."""
        try:
            self._watch(actor, set())
        except TypeError:
            return False
        return True

    def _watch(self, value: Any, seen: set[int]) -> Any:
        kind = type(value)
        if kind in CHANGES:
            return self._container(value, kind, seen)
        if kind is tuple:
            return tuple([self._watch(item, seen) for item in value])
        if isinstance(value, SHARED) or id(value) in seen or not hasattr(value, "__dict__"):
            if isinstance(value, (bytearray, deque)):
                raise TypeError(f"a {kind.__name__} cannot be watched")
            return value
        seen.add(id(value))
        fields = value.__dict__
        for name, item in fields.items():
            fields[name] = self._watch(item, seen)
        value.__class__ = self._class(kind, self._setters)
        return value

    def _container(self, value: Any, kind: type, seen: set[int]) -> Any:
        items: Any
        if kind is dict:
            items = {key: self._watch(item, seen) for key, item in value.items()}
        else:
            items = [self._watch(item, seen) for item in value]
        return self._class(kind, self._changers)(items)

    def _class(self, kind: type, methods: Callable[[type], dict[str, Any]]) -> type:
        found = self.known.get(kind)
        if found is None:
            found = self.known[kind] = type(kind.__name__, (kind,), {"__slots__": (), **methods(kind)})
        return found

    def _changers(self, kind: type) -> dict[str, Any]:
        return {name: self._changer(getattr(kind, name)) for name in CHANGES[kind]}

    def _changer(self, change: Callable[..., Any]) -> Callable[..., Any]:
        watch = self

        def changed(self: Any, *given: Any, **named: Any) -> Any:
            watch.raised = True
            return change(self, *given, **named)

        return changed

    def _setters(self, kind: type) -> dict[str, Any]:
        watch = self

        def set_field(self: Any, name: str, value: Any) -> None:
            old = self.__dict__.get(name, watch)
            if old is not value and not (type(old) is type(value) and isinstance(value, PLAIN) and old == value):
                watch.raised = True
            object.__setattr__(self, name, value)

        def delete_field(self: Any, name: str) -> None:
            watch.raised = True
            object.__delattr__(self, name)

        return {"__setattr__": set_field, "__delattr__": delete_field}
