"""Lazily: a lab names what its notebook may take from it, and loads the home of a name when it is first used.

    HOMES = {"stopped": "chatsys.teach.labs.lab03.stage", ...}
    from chatsys.teach.labs.lab03 import stopped      loads `stage`, and none of the others

Handing in answers must not load a simulator, and the names of a lab live in several packages: `lazy_loader`, which
`chatsys` itself uses, knows only modules below the one that asks.

Read also `lab03`, `lab04`, `lab05`, `lab06` (who use it).
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazily(lab: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a lab's package; `homes` says in which module each name stands."""

    def look_up(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"lab {lab} has no {name}; it has {', '.join(homes)}")
        return getattr(import_module(homes[name]), name)

    return look_up, lambda: list(homes)
