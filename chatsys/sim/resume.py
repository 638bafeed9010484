"""Results of a long sweep in a file, one line per seed, so that it can be stopped and resumed.

    {"chatsys":"sweep","version":1,"plan":{...},"parts":{},"versions":{...}}
    {"seed":0,"events":8123,...}
    {"seed":1,"ev                       <- stopped here: cut off, and this seed is played again

Assumes   one process at a time writes to the file.
Promises  a result that was written whole is never lost; results of another plan, of other classes
          or of other versions never mix: each of them is refused with a sentence.
Read also `sweep` (who makes the results), `commands.simulate` (`--resume`).
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import msgspec

from chatsys.errors import TraceError, UsageError
from chatsys.run import versions
from chatsys.sim.sweep import Plan, Result

VERSION = 1


class _Header(msgspec.Struct):
    chatsys: str
    version: int
    plan: dict[str, Any] = {}
    parts: dict[str, str] = {}
    """Each class, and a digest of its file."""
    versions: dict[str, str] = {}


class Results:
    """The results of earlier runs in `done`, by seed; `add` appends one more."""

    def __init__(self, path: str | Path, plan: Plan, parts: Mapping[str, str] | None = None) -> None:
        """Open or begin the file.

        Raises `TraceError` if it is no such file, is newer or broken before its last line, and
        `UsageError` if it was begun with another plan, other parts or another version.
        """
        self.path = Path(path)
        self.done: dict[int, Result] = {}
        plain = msgspec.json.decode(msgspec.json.encode(plan))
        header = _Header("sweep", VERSION, plain, dict(parts or {}), versions())
        try:
            data = self.path.read_bytes() if self.path.exists() else b""
            whole = data[: data.rfind(b"\n") + 1]
            if whole:
                self._read(whole.splitlines(), header)
            elif data and not msgspec.json.encode(header).startswith(data):
                raise TraceError(f"{self.path} is not a file of sweep results; give another name.")
            self._file: IO[bytes] = open(self.path, "r+b" if data else "wb")  # noqa: SIM115 - `close` closes it
        except OSError as error:
            raise TraceError(f"{self.path} cannot be used for results: {error.strerror}.") from None
        self._file.truncate(len(whole))
        self._file.seek(0, os.SEEK_END)
        if not whole:
            self._write(header)

    def _read(self, lines: list[bytes], here: _Header) -> None:
        try:
            found = msgspec.json.decode(lines[0], type=_Header)
        except msgspec.DecodeError:
            found = _Header("", 0)
        if found.chatsys != "sweep":
            raise TraceError(f"{self.path} is not a file of sweep results; give another name.")
        if found.version > VERSION:
            raise TraceError(
                f"{self.path} has version {found.version} of sweep results, this chatsys reads up to {VERSION}; "
                "install a newer chatsys."
            )
        if other := next(_differences(found, here), None):
            name, was, now = other
            raise UsageError(
                f"{self.path} was begun with {name} {was}, this run has {now}; use the same options, or another file."
            )
        for number, line in enumerate(lines[1:], start=2):
            try:
                result = msgspec.json.decode(line, type=Result)
            except msgspec.DecodeError:
                raise TraceError(f"{self.path} is damaged at line {number}; nothing was skipped.") from None
            self.done[result.seed] = result

    def add(self, result: Result) -> None:
        """Keep one more result; it is in the file when this returns."""
        self.done[result.seed] = result
        self._write(result)

    def _write(self, value: msgspec.Struct) -> None:
        self._file.write(msgspec.json.encode(value) + b"\n")
        self._file.flush()

    def missing(self, seeds: Iterable[int]) -> list[int]:
        """Return those of `seeds` that have no result yet."""
        return [seed for seed in seeds if seed not in self.done]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> "Results":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _differences(found: _Header, here: _Header) -> Iterator[tuple[str, Any, Any]]:
    """Yield (name, what the file says, what holds here)."""
    for was, now in ((found.plan, here.plan), (found.parts, here.parts), (found.versions, here.versions)):
        for name in sorted({*was, *now}):
            if was.get(name) != now.get(name):
                yield name, _told(was.get(name)), _told(now.get(name))


def _told(value: Any) -> str:
    return "nothing" if value is None else ",".join(map(str, value)) if isinstance(value, list) else str(value)
