"""Run: one whole run as one file, to hand in, to send to a friend, to open next week.

    world.save("first.run")              the trace, and what made it: seed, script of faults, versions,
                                         and the student's own classes, by value
    run = Run.load("first.run")          the trace can be looked at; no code has run
    run = Run.load("first.run", trust=True)      ... now `run.parts` and `run.actor` are there too

The file is text, one JSON line that says what the run was, then the trace as JSONL.  Classes are
pickled, and to unpickle is to run code: that is why `load` asks for `trust`, and why `run.code`
shows their source first.

Assumes   classes come back under the Python version they were saved with; `load` warns otherwise.
Promises  a file that is cut off, from a newer version or foreign is a `TraceError`, never a wrong run.
Read also `trace` (the history), `sim.world` (the same seed and script give the same trace again).
"""

import base64
import inspect
import platform
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from chatsys.errors import TraceError, UsageError
from chatsys.trace import Trace, write

VERSION = 1


def versions() -> dict[str, str]:
    """Return what this machine runs: the versions that can change how a run goes."""
    return {"chatsys": metadata.version("chatsys"), "python": platform.python_version()}


class _Header(msgspec.Struct):
    chatsys: str
    version: int
    seed: int | None = None
    script: Any = None
    options: dict[str, Any] = {}
    versions: dict[str, str] = {}
    code: dict[str, str] = {}
    pickled: str = ""


@dataclass(repr=False)
class Run:
    """A trace and what made it.

    `script` and `options` are plain JSON values: the faults, in the form of `faults.Script`, and
    the other arguments of the world.  `parts` and `actor` are the student's classes.
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

    def save(self, path: str | Path) -> Path:
        """Write everything to `path` and return it."""
        classes = dict(self.parts or {}) | ({"actor": self.actor} if self.actor else {})
        header = _Header(
            chatsys="run",
            version=VERSION,
            seed=self.seed,
            script=self.script,
            options=self.options,
            versions=self.versions,
            code={name: _source(kind) for name, kind in classes.items()} or self.code,
            pickled=_pickle(self.parts, self.actor) if classes else "",
        )
        return write(path, msgspec.json.encode(header) + b"\n" + self.trace.encode())

    def __repr__(self) -> str:
        classes = ", ".join([*(self.parts or {}), *(["actor"] if self.actor else [])] or self.code) or "none"
        steps = len(self.script or ())
        return f"<Run (seed {self.seed}): {len(self.trace)} events, {steps} steps of script, own classes: {classes}>"

    @classmethod
    def load(cls, path: str | Path, trust: bool = False) -> "Run":
        """Read what `save` wrote.

        Classes in the file are loaded only with `trust=True`, because that runs code of whoever
        saved it; without, `run.code` shows their source and the trace is there to be read.
        Raises `TraceError` if the file is cut off, newer or foreign.
        """
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise TraceError(f"{path} cannot be read: {error.strerror}.") from None
        head, _, body = data.partition(b"\n")
        header = _decode(head, path)
        trace = Trace.decode(body, str(path))
        if different := {name: was for name, was in header.versions.items() if versions().get(name, was) != was}:
            told = ", ".join(f"{name} {was} (here {versions()[name]})" for name, was in different.items())
            warnings.warn(f"{path} was saved with {told}; running it again may go differently.", stacklevel=2)
        run = cls(trace, header.seed, header.script, header.options, versions=header.versions, code=header.code)
        if header.pickled and trust:
            run.parts, run.actor = _unpickle(header.pickled, path)
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
        header = msgspec.json.decode(line, type=_Header)
    except msgspec.DecodeError:
        raise TraceError(f"{path} is not a saved run, or it is cut off in its first line.") from None
    if header.chatsys != "run":
        raise TraceError(f"{path} is a {header.chatsys}, not a run; open it with Trace.load.")
    if header.version > VERSION:
        raise TraceError(
            f"{path} has run version {header.version}, this chatsys reads up to {VERSION}; install a newer chatsys."
        )
    return header


def _source(kind: type) -> str:
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return f"(the source of {kind.__qualname__} is not to be had)"


def _pickle(parts: Mapping[str, type] | None, actor: type | None) -> str:
    from chatsys.carry import pack

    try:
        return base64.b64encode(pack((dict(parts or {}) or None, actor))).decode()
    except Exception as error:  # whatever a student's class drags along
        raise UsageError(f"These classes cannot be saved with the run: {error}") from None


def _unpickle(text: str, path: str | Path) -> tuple[Mapping[str, type] | None, type | None]:
    import pickle

    try:
        parts, actor = pickle.loads(base64.b64decode(text))
    except Exception as error:  # unpickling runs foreign code: anything can be raised
        raise TraceError(f"The classes in {path} cannot be loaded here: {error}") from None
    return parts, actor
