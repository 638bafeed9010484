"""Missing: variables that are taken out of an actor, so that whoever reads one is caught at it.

    drop(actor, variables)      the fields are gone; writing one brings it back, with the value that everybody would have
    reading one                 is an error, and is kept in mind even if somebody swallows the error

An actor that does without a variable stands for all actors that differ only in what is in it: what it does, they do.
So one such actor is asked in place of hundreds.  Where a variable is missed, that argument ends, and it is kept.

Assumes   actors have plain fields, and nobody looks into their `__dict__`.
Promises  outside of `with`, classes are as they were.
Read also `variants` (who asks), `fingerprint.Shape`.
"""

from collections.abc import Iterable
from typing import Any


class MissedError(Exception):
    """Somebody reads a variable that was taken out."""


class Missing:
    """Which variables may be taken out, and which were read."""

    def __init__(self) -> None:
        self.kept: set[tuple[str | None, type, str]] = set()
        """(role, class, field): what is read in that role; None: whatever the role."""
        self.missed: set[tuple[type, str]] = set()
        self.dropped: set[tuple[type, str]] = set()
        self.classes: set[type] = set()
        """Classes that tell when a field is missing."""

    def drop(self, actor: Any, variables: Iterable[tuple[type, str]]) -> bool:
        """Take these variables out of an actor and its parts, but for those that are kept; return whether any was."""
        some = False
        for kind, name in variables:
            if {(actor.view()[1], kind, name), (None, kind, name)} & self.kept:
                continue
            if hasattr(kind, name) or not self._listen(kind):
                continue  # the class would answer in its place
            self.dropped.add((kind, name))
            for part in (actor, *vars(actor).values()):
                if type(part) is kind:
                    some |= vars(part).pop(name, self) is not self
        return some

    def _listen(self, kind: type) -> bool:
        """Let a class tell when a field is missing; return False if it has another opinion."""
        if kind not in self.classes and not hasattr(kind, "__getattr__"):
            self.classes.add(kind)
            self._tell(kind)
        return kind in self.classes

    def _tell(self, kind: type) -> None:
        def missed(part: Any, name: str) -> Any:
            if (kind, name) not in self.dropped:
                raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")
            self.missed.add((kind, name))
            raise MissedError(f"{name!r} of {kind.__name__} is missing")

        kind.__getattr__ = missed  # type: ignore[attr-defined]

    def check(self) -> None:
        """Raise `MissedError` if a variable was missed, by whomever."""
        if self.missed:
            raise MissedError

    def keep_what_was_missed(self, role: str | None) -> None:
        """Take out those variables no more in this role; in none, if they were taken out in another role before."""
        before = len(self.kept)
        for kind, name in self.missed:
            self.kept.add((None if (role, kind, name) in self.kept else role, kind, name))
        self.missed.clear()
        assert len(self.kept) > before, "what is kept is not missed"

    def __enter__(self) -> "Missing":
        for kind in self.classes:
            self._tell(kind)
        return self

    def __exit__(self, *_: object) -> None:
        for kind in self.classes:
            del kind.__getattr__  # type: ignore[attr-defined]
