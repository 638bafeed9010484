"""Using: whether this process runs the pure rooms compiled, and whether what was compiled is what stands in the sources.

    CHATSYS_COMPILED=.fast python -m chatsys simulate ...

    import chatsys --> begin --> .fast/built.json: of these sources, this Python, this folder?
                                    yes: chatsys.protocol.node is .fast/chatsys/protocol/node.*.so, and so on
                                    no:  one sentence, and the sources are run as always

Why a build that is old is no error.  Both give the same runs, and the compiled one only sooner.  Whoever has just
changed a line wants to see what it does, and whoever measures is told by `chatsys --version` and by `chatsys bench`
which one ran.

What people look into runs on the sources, and says so: notebooks and grades; classes from a file, whose doors are compared
with ours, for a compiled door does not tell what it takes; and a search of every order of events, which copies a node
field by field, for the fields of a compiled one cannot be listed.

Assumes   nobody changes a source between this check and the import, a second later.
Promises  a compiled module is used only with all others of the same build, and only if every file that it was made
          of is the same, byte by byte; nobody is left to guess which one runs.
Read also `building` (who makes the folder), `modules` (what is in it), `rewriting` (what is done to it before).
"""

import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from chatsys.compiled.modules import MADE_OF, PACKAGE
from chatsys.errors import UsageError

VARIABLE = "CHATSYS_COMPILED"
"""The variable of the environment that names the folder of the build; it reaches the processes that this one starts."""
FOLDER = PACKAGE.parent / ".fast"
"""Where the build is kept, beside `.venv`; `make clean` removes both."""
COMPILED = "compiled"
"""What a version and a measurement say of a process that uses a build."""
BUILT = "built.json"
LIBRARY = "chatsys__mypyc"
"""What all compiled modules share."""
COPIES, FILES = "chatsys.explore.structures", "chatsys.campaign.loading"
"""Who copies actors field by field, and who opens files with classes."""
GRADES = ("chatsys.teach.grading.grader", "chatsys.teach.grading.judging")
"""Who grades."""


def key(package: Path = PACKAGE) -> str:
    """Return a digest of what a build is made of: every file that counts, the Python, and where all of it is."""
    whole = hashlib.sha256(f"{sys.version}\0{importlib.machinery.EXTENSION_SUFFIXES[0]}\0{package}\0".encode())
    every = (path for name in MADE_OF for path in (package / name, *(package / name).rglob("*.py")))
    for path in sorted(path for path in every if path.is_file()):
        whole.update(path.relative_to(package).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def build_of(folder: Path) -> dict[str, Any] | None:
    """Return what `building` wrote of the build in this folder; None if there is none that can be read."""
    try:
        found = json.loads((folder / BUILT).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("modules"), dict) else None


def refusal(folder: Path) -> str:
    """Say why the build in this folder cannot be used here; "" if it can."""
    built = build_of(folder)
    if built is None:
        return (
            f"{VARIABLE} is set, but nothing is compiled in {folder}; the sources are run. `make fast` compiles them."
        )
    if built.get("key") != key():
        return (
            f"{VARIABLE} is set, but what is compiled in {folder} is not of these sources and this Python; "
            "the sources are run. `make fast` compiles them anew."
        )
    return ""


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of a build before Python finds their sources."""

    def __init__(self, folder: Path, modules: Mapping[str, str]) -> None:
        self.modules = {name: str(folder / file) for name, file in modules.items()}

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where a compiled module is; None: Python looks for it as always."""
        if (file := self.modules.get(name)) is not None:
            loader = None if file.endswith(".py") or name == LIBRARY else _Compiled(name, file)
            return importlib.util.spec_from_file_location(name, file, loader=loader)
        if name in GRADES:
            raise UsageError(f"Grades are given on the sources: do it without {VARIABLE}.")
        if name in (COPIES, FILES):
            source = _source(name)
            return importlib.util.spec_from_file_location(name, source, loader=_Guarded(name, source))
        return None


def _source(name: str) -> str:
    return str(PACKAGE.parent / Path(*name.split("."))) + ".py"


class _Compiled(importlib.machinery.ExtensionFileLoader):
    """Loads a compiled module, which says where its source is: whoever asks a class for its text gets that."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, and name its source."""
        super().exec_module(module)
        module.__file__ = _source(self.name)


class _Guarded(importlib.machinery.SourceFileLoader):
    """Loads a module of which one door does something else in a process that runs a build."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, and guard its door."""
        super().exec_module(module)
        own = vars(module)
        if module.__name__ == COPIES:
            own["Copier"].__init__ = _refuse
        else:
            own["read_parts"] = _on_the_sources(own["read_parts"])


def _refuse(*_given: Any, **_named: Any) -> None:
    raise UsageError(
        "A search of every order of events copies nodes field by field, and those of a compiled class cannot be listed; "
        f"run it without {VARIABLE}."
    )


def _on_the_sources(read: Callable[..., bytes]) -> Callable[..., bytes]:
    """Return the function that reads classes from files; the processes in which these run take the sources from then on."""

    def read_parts(*given: Any, **named: Any) -> bytes:
        step_back("Classes from files run on the sources, for a compiled door does not tell what it takes.")
        return read(*given, **named)

    return read_parts


_used: dict[str, str] = {}
"""The modules that are compiled in this process; {}: none is."""


def begin() -> None:
    """Let Python find the compiled modules, if they are those of the sources and this is no notebook."""
    folder = Path(os.environ[VARIABLE]).absolute()
    if sentence := "In a notebook the sources are run." if "ipykernel" in sys.modules else refusal(folder):
        step_back(sentence)
        return
    built = build_of(folder)
    assert built is not None, "it was read a moment ago"
    os.environ[VARIABLE] = str(folder)
    _used.update(built["modules"])
    sys.meta_path.insert(0, _Finder(folder, _used))


def step_back(sentence: str) -> None:
    """Say why the sources are run, once: the processes that this one starts from now on run them, too, and say nothing."""
    os.environ.pop(VARIABLE, None)
    print(sentence, file=sys.stderr, flush=True)


def used() -> bool:
    """Tell whether this process runs the pure rooms compiled."""
    return bool(_used)
