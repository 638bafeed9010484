"""Bugs of one line, made by hand and by a drawing of lots: each is put into one module of the protocol while it is imported.

    fence.py:67                                  the line of the protocol, at this place or the nearest that reads so
    -    Promise: "answer",
    +    Promise: "outside",

`made_bugs.txt` keeps them, so that two states of the code are measured by the same ones.

Read also `kill_rate` (who counts what finds them).
"""

import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

LIST = Path(__file__).with_name("made_bugs.txt")
PROTOCOL = "chatsys.protocol"


class MadeBug(NamedTuple):
    """One line of a module, and what stands there in its place."""

    file: str
    line: int
    old: str
    new: str

    @property
    def name(self) -> str:
        """How it is called in the table."""
        return f"{self.file}:{self.line} {self.new.strip()}"

    def applied(self, text: str) -> str:
        """Return `text`, the source of the module, with the bug in it; raises `LookupError` where its line is no more."""
        lines = text.splitlines()
        places = [at for at, line in enumerate(lines) if line == self.old]
        if not places:
            raise LookupError(
                f"{self.file} has no line {self.old.strip()!r} any more; mend or remove it in {LIST.name}."
            )
        lines[min(places, key=lambda at: abs(at + 1 - self.line))] = self.new
        return "\n".join(lines) + "\n"


def read() -> list[MadeBug]:
    """Return all bugs of the list."""
    lines = [line for line in LIST.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    bugs = []
    for where, old, new in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        file, _, line = where.partition(":")
        bugs.append(MadeBug(file, int(line), old[1:], new[1:]))
    return bugs


class _Importer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module with its bug; all others as ever."""

    def __init__(self, bug: MadeBug) -> None:
        self.bug, self.name = bug, f"{PROTOCOL}.{bug.file.removesuffix('.py')}"

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        """Take the one module that is meant."""
        if name != self.name or path is None:
            return None
        return importlib.util.spec_from_file_location(name, Path(next(iter(path))) / self.bug.file, loader=self)

    def create_module(self, spec: Any) -> None:
        """Let it be an ordinary module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed source."""
        assert module.__spec__ is not None and module.__spec__.origin is not None, "find_spec has given both"
        origin = module.__spec__.origin
        exec(compile(self.bug.applied(Path(origin).read_text(encoding="utf-8")), origin, "exec"), module.__dict__)


def put_in(bug: MadeBug) -> None:
    """From now on the module has the bug; it must not be imported yet."""
    importer = _Importer(bug)
    assert importer.name not in sys.modules, "the module was imported without its bug"
    sys.meta_path.insert(0, importer)
