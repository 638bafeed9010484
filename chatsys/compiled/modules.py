"""Modules: which ones are compiled, and which are left to Python, and why.

Read also `rewriting` (what is done to them), `using` (who looks for them).
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
ROOMS = ("actor", "protocol", "sim")
"""The pure rooms: they open no file and start nothing, and all worlds play what they say.

The checkers are as pure.  But they take a tenth of the time, and what judges a compiled run had better be what judges
any other: so they stay interpreted.
"""
MADE_OF = (*ROOMS, "config.py", "errors.py", "faults", "trace.py", "compiled/building.py", "compiled/rewriting.py")
"""What a build is made of: these rooms, what they import, for types come from there, and what rewrites them."""
STRUCTS = "it is made of structs, and these are msgspec's already"
SELDOM = "it is asked so seldom that nobody would notice"
LEFT = {
    "actor.effects": STRUCTS,
    "actor.events": STRUCTS,
    "actor.words": STRUCTS,
    "protocol.decisions": STRUCTS,
    "protocol.learning.chronicle": SELDOM,
    "protocol.learning.learner": SELDOM,
    "protocol.learning.listening": SELDOM,
    "protocol.learning.records": STRUCTS,
    "protocol.learning.table": SELDOM,
    "protocol.members": STRUCTS,
    "protocol.messages": STRUCTS,
    "protocol.serving.delivery_run": "it is a sequence of Python's",
    "protocol.storage": STRUCTS,
    "sim.again": SELDOM,
    "sim.chance": "it is a generator of Python's",
    "sim.hold": SELDOM,
    "sim.replay": SELDOM,
    "sim.world": "it inherits from the testbed of all worlds, which is interpreted",
}
"""By its name in the package: what a module is, that it stays interpreted."""


def sources() -> dict[str, Path]:
    """Return the modules of the pure rooms by their dotted names, packages without their own text left out."""
    found = {}
    for room in ROOMS:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            if path.name != "__init__.py":
                found[".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)] = path
    return found


def chosen() -> dict[str, Path]:
    """Return those that are compiled."""
    return {name: path for name, path in sources().items() if name.removeprefix("chatsys.") not in LEFT}
