"""Modules: which ones are compiled, and which are left to Python, and why.

Read also `rewriting` (what is done to them), `using` (who looks for them).
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
ROOMS = ("actor", "protocol", "sim", "check")
"""The pure rooms: they open no file and start nothing, and all worlds play what they say."""
STRUCTS = "it is made of structs, and these are msgspec's already"
LEFT = {
    "actor.effects": STRUCTS,
    "actor.events": STRUCTS,
    "actor.words": STRUCTS,
    "check.findings": "it is a list of Python's",
    "protocol.decisions": STRUCTS,
    "protocol.learning.records": STRUCTS,
    "protocol.members": STRUCTS,
    "protocol.messages": STRUCTS,
    "protocol.storage": STRUCTS,
    "protocol.serving.delivery_run": "it is a sequence of Python's",
    "sim.world": "it inherits from the testbed of all worlds, which is interpreted",
    "sim.chance": "it is a generator of Python's",
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
