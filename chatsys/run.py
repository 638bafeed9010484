"""Run: one whole run as one file, to hand in, to send to a friend, to open next week.

    world.save("first.run")              the trace, and what made it: seed, options, script of faults,
                                         versions, and the student's own classes, by value
    run = Run.load("first.run")          the trace can be looked at; no code has run
    run = Run.load("first.run", trust=True)      ... now `run.parts` and `run.actor` are there too
    world = replay(run)                  the same world at the same moment: the same trace

The file is text, one JSON line that says what the run was, then the trace as JSONL.  Classes are
pickled, and to unpickle is to run code: that is why `load` asks for `trust`, and why `run.code`
shows their source first.

Assumes   classes come back under the Python version they were saved with; `load` warns otherwise.
Promises  a file that is cut off, from a newer version or foreign is a `TraceError`, never a wrong run.
Read also `trace` (the history), `sim.replay` (what a world keeps of itself, and how it is played again).
"""

import ast
import base64
import hashlib
import inspect
import os
import platform
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from chatsys.errors import TraceError, UsageError
from chatsys.surroundings import is_file
from chatsys.trace import UNREADABLE, Trace, read, read_kind, write

VERSION = 2
"""2 keeps everything that makes the run; files of version 1 kept its verbs and classes only."""


def versions() -> dict[str, str]:
    """Return what this machine runs: the versions that can change how a run goes."""
    return {"chatsys": metadata.version("chatsys"), "python": platform.python_version()}


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    chatsys: str
    version: int
    seed: int | None = None
    script: Any = None
    options: dict[str, Any] = {}
    steps: list[list[Any]] | None = None
    versions: dict[str, str] = {}
    code: dict[str, str] = {}
    pickled: str = ""


@dataclass(repr=False)
class Run:
    """A trace and what made it.

    `script`, `options` and `steps` are plain JSON values: the faults, in the form of
    `faults.Script`; the arguments of the world; and, for `sim.replay.replay`, every step with the number
    of events before it (None: not kept).  `parts` and `actor` are the student's classes, `client`
    and `clients` (by name) are what makes clients, if the world was given any.
    """

    trace: Trace
    seed: int | None = None
    script: Any = None
    options: dict[str, Any] = field(default_factory=dict)
    parts: Mapping[str, type] | None = None
    actor: type | None = None
    versions: dict[str, str] = field(default_factory=versions)
    code: dict[str, str] = field(default_factory=dict)
    """The source of each class, for people to read before they trust it."""
    steps: list[list[Any]] | None = None
    client: Any = None
    clients: Mapping[str, Any] = field(default_factory=dict)

    @property
    def _own(self) -> dict[str, Any]:
        """Everything that is code, by the name that people read."""
        alone = {"actor": self.actor, "client": self.client}
        named = {f"client {name}": factory for name, factory in self.clients.items()}
        return dict(self.parts or {}) | {name: kind for name, kind in alone.items() if kind} | named

    def save(self, path: str | Path) -> Path:
        """Write everything to `path` and return it."""
        own = self._own
        header = _Header(
            chatsys="run",
            version=VERSION,
            seed=self.seed,
            script=self.script,
            options=self.options,
            steps=self.steps,
            versions=self.versions,
            code={name: _source(kind) for name, kind in own.items()} or self.code,
            pickled=_pickle((dict(self.parts or {}) or None, self.actor, self.client, self.clients)) if own else "",
        )
        return write(path, chain((msgspec.json.encode(header) + b"\n",), self.trace.lines()))

    def __repr__(self) -> str:
        classes = ", ".join(self._own or self.code) or "none"
        steps = len(self.script or ())
        return f"<Run (seed {self.seed}): {len(self.trace)} events, {steps} steps of script, own classes: {classes}>"

    @classmethod
    def load(cls, path: str | Path, trust: bool = False) -> "Run":
        """Read what `save` wrote.

        Classes in the file are loaded only with `trust=True`, because that runs code of whoever
        saved it; without, `run.code` shows their source and the trace is there to be read.
        Raises `TraceError` if the file is cut off, newer or foreign.
        """
        head, _, body = read(path).partition(b"\n")
        header = _decode(head, path)
        trace = Trace.decode(body, str(path))
        if different := {name: was for name, was in header.versions.items() if versions().get(name, was) != was}:
            told = ", ".join(f"{name} {was} (here {versions()[name]})" for name, was in different.items())
            warnings.warn(f"{path} was saved with {told}; running it again may go differently.", stacklevel=2)
        run = cls(trace, header.seed, header.script, header.options, versions=header.versions, code=header.code)
        run.steps = header.steps
        if header.pickled and trust:
            run.parts, run.actor, run.client, run.clients = _unpickle(header.pickled, path)
        elif header.pickled:
            names = ", ".join(sorted(header.code))
            warnings.warn(
                f"{path} carries code for {names}, which was not loaded. Read run.code; "
                "if you trust it, use Run.load(path, trust=True).",
                stacklevel=2,
            )
        return run


def _decode(line: bytes, path: str | Path) -> _Header:
    try:
        what, version = read_kind(line)
        if what == "trace":
            raise TraceError(f"{path} is a trace, not a run; open it with Trace.load.")
        if what != "run":
            raise TraceError(f"{path} is not a saved run; its first line must be the header of a run.")
        if version > VERSION:
            raise TraceError(
                f"{path} has run version {version}, this chatsys reads up to {VERSION}; install a newer chatsys."
            )
        return msgspec.json.decode(line, type=_Header)
    except UNREADABLE:
        raise TraceError(f"{path} is not a saved run, or it is cut off in its first line.") from None


def _source(kind: Any) -> str:
    kind = getattr(kind, "func", kind)  # of a partial
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return f"(the source of {getattr(kind, '__qualname__', kind)} is not to be had)"


def _pickle(own: tuple[Any, ...]) -> str:
    from chatsys.isolation.pickling import pack

    try:
        return base64.b64encode(pack(own)).decode()
    except Exception as error:  # whatever a student's class drags along
        raise UsageError(f"These classes cannot be saved with the run: {error}") from None


def _unpickle(text: str, path: str | Path) -> tuple[Any, Any, Any, Any]:
    """Return parts, actor, client and clients; files of version 1 have the first two."""
    import pickle

    try:
        parts, actor, *more = pickle.loads(base64.b64decode(text))
        client, clients = more or (None, {})
    except Exception as error:  # unpickling runs foreign code: anything can be raised
        raise TraceError(f"The classes in {path} cannot be loaded here: {error}") from None
    return parts, actor, client, clients


# --- which code it was ----------------------------------------------------------------------


@cache
def digest_core() -> str:
    """Return a digest of every source file of chatsys."""
    package = Path(__file__).parent
    return _digest(package, package.rglob("*.py"))


def digest_part(file: str | Path) -> str:
    """Return a digest of `file` and of all that it imports, directly or not, from its folder or from here.

    Imports are found by reading, nothing is run: wherever in the file they stand.  What a class
    needs in other ways nobody sees.
    """
    first = Path(file).resolve()
    folders = (first.parent, Path.cwd())
    found: set[Path] = set()
    waiting = [first]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for level, name in _imports(path):
            near = (path.parents[level - 1],) if 0 < level <= len(path.parents) else folders
            waiting += (one for folder in near for one in _files(folder, name))
    return _digest(first.parent, found)


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (dots before it, dotted name) of everything that this file may import; chatsys has its own digest."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError):
        return  # no program: its bytes are all there is to know
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((0, alias.name) for alias in names if not _ours(alias.name))
            case ast.ImportFrom(module=module, names=names, level=level):
                if level or not _ours(module or ""):
                    yield from ((level, ".".join(filter(None, (module, alias.name)))) for alias in names)
            case ast.Call(
                func=ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield 0, name


def _ours(name: str) -> bool:
    return name.partition(".")[0] == "chatsys"


def _files(folder: Path, name: str) -> Iterator[Path]:
    """Yield the files in `folder` that `import name` would run: packages on the way, and the module."""
    for part in name.split("."):
        for path in (folder / f"{part}.py", folder / part / "__init__.py"):
            if is_file(path):
                yield path.resolve()
        folder = folder / part


def _digest(folder: Path, files: Iterable[Path]) -> str:
    """Return a digest of names, as seen from `folder`, and bytes."""
    whole = hashlib.sha256()
    for name, path in sorted((os.path.relpath(path, folder).replace(os.sep, "/"), path) for path in files):
        data = path.read_bytes()
        whole.update(name.encode(errors="surrogateescape") + f" {len(data)}\n".encode() + data)
    return whole.hexdigest()[:16]
