"""Results of a long sweep in a file, one line per seed, so that it can be stopped and resumed.

    {"chatsys":"sweep","version":2,"plan":{...},"parts":{},"versions":{...},"core":"51ab..."}
    {"seed":0,"events":8123,...}
    {"seed":1,"ev                       <- stopped here: cut off, and this seed is played again

Promises  a result that was written whole is never lost; results of another plan, of other classes, of
          another chatsys or Python never mix: each of them is refused with a sentence; so is a second
          process, as long as the first has the file.
Read also `run` (which code it was), `sweep` (who makes the results), `commands.simulate` (`--resume`).
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from chatsys.campaign.one_seed import Plan, SeedResult
from chatsys.errors import ChatsysError, TraceError, UsageError
from chatsys.locks import lock
from chatsys.run import digest_core, versions
from chatsys.surroundings import UNUSABLE, advice, place, reason
from chatsys.trace import UNREADABLE

VERSION = 2
"""2 says with which code of chatsys the file was begun."""


class _Header(msgspec.Struct):
    chatsys: str
    version: int
    plan: dict[str, Any] = {}
    parts: dict[str, str] = {}
    """Each class, and a digest of its file and of what that imports."""
    versions: dict[str, str] = {}
    core: str = ""
    """A digest of chatsys itself."""


class Results:
    """The results of earlier runs in `done`, by seed; `add` appends one more."""

    def __init__(self, path: str | Path, plan: Plan, parts: Mapping[str, str] | None = None) -> None:
        """Open or begin the file; `parts` are digests (`digest_part`) of the classes, by name.

        Raises `TraceError` if it is no such file, is of another version or broken before its last
        line, and `UsageError` if it was begun with another plan, other parts or another chatsys, or
        if another process has it, and `NotHere` where the file system keeps no locks.
        """
        self.path = place(path)
        self.done: dict[int, SeedResult] = {}
        plain = msgspec.json.decode(msgspec.json.encode(plan))
        header = _Header("sweep", VERSION, plain, dict(parts or {}), versions(), digest_core())
        self._file = self._open()
        try:
            self._begin(header)
        except BaseException:
            os.close(self._file)
            raise

    def _open(self) -> int:
        try:
            if self.path.exists() and not self.path.is_file():
                raise TraceError(f"{self.path} cannot be used for results: it is no ordinary file; give another name.")
            file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        except UNUSABLE as error:
            raise TraceError(self._cannot(error)) from None
        try:
            if not lock(file, self.path):
                raise UsageError(f"{self.path} is in use by another process; wait until it ends, or give another name.")
        except OSError as error:
            os.close(file)
            raise TraceError(self._cannot(error)) from None
        except ChatsysError:
            os.close(file)
            raise
        return file

    def _cannot(self, error: Exception) -> str:
        return f"{self.path} cannot be used for results: {reason(error)}; {advice(error)}."

    def _begin(self, header: _Header) -> None:
        try:
            with open(self._file, "rb", closefd=False) as file:  # on Windows nobody else may read what is locked
                file.seek(0)
                data = file.read()
        except OSError as error:
            raise TraceError(self._cannot(error)) from None
        whole = data[: data.rfind(b"\n") + 1]
        if whole:
            self._read(whole.splitlines(), header)
        elif data and not msgspec.json.encode(header).startswith(data):
            raise TraceError(f"{self.path} is not a file of sweep results; give another name.")
        if len(whole) < len(data):
            os.ftruncate(self._file, len(whole))
        if not whole:
            self._write(header)

    def _read(self, lines: list[bytes], here: _Header) -> None:
        try:
            found = msgspec.json.decode(lines[0], type=_Header)
        except UNREADABLE:
            found = _Header("", 0)
        if found.chatsys != "sweep":
            raise TraceError(f"{self.path} is not a file of sweep results; give another name.")
        if found.version > VERSION:
            raise TraceError(
                f"{self.path} has version {found.version} of sweep results, this chatsys reads up to {VERSION}; "
                "install a newer chatsys."
            )
        if found.version < VERSION:
            raise TraceError(
                f"{self.path} has version {found.version} of sweep results, which does not say with which code "
                "it was begun; give another name."
            )
        self._compare(found, here)
        for number, line in enumerate(lines[1:], start=2):
            try:
                result = msgspec.json.decode(line, type=SeedResult)
            except UNREADABLE:
                raise TraceError(f"{self.path} is damaged at line {number}; nothing was skipped.") from None
            self.done[result.seed] = result

    def _compare(self, found: _Header, here: _Header) -> None:
        if other := next(_differences(found, here), None):
            name, was, now = other
            raise UsageError(
                f"{self.path} was begun with {name} {was}, this run has {now}; use the same options, or another file."
            )
        if found.core != here.core:
            raise UsageError(
                f"{self.path} was begun with another state of the chatsys code ({found.core}, here {here.core}); "
                "its results and new ones do not belong together: give another name."
            )

    def add(self, result: SeedResult) -> None:
        """Keep one more result; it is in the file when this returns.  Raises `TraceError` if it cannot be written."""
        self.done[result.seed] = result
        self._write(result)

    def _write(self, value: msgspec.Struct) -> None:
        data = msgspec.json.encode(value) + b"\n"
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            raise TraceError(
                f"{self.path} cannot be written: {reason(error)}. What is in it is kept; {advice(error)}, then give "
                "the same command again."
            ) from None

    def missing(self, seeds: Iterable[int]) -> list[int]:
        """Return those of `seeds` that have no result yet."""
        return [seed for seed in seeds if seed not in self.done]

    def close(self) -> None:
        """Close the file; from now on another process may have it."""
        os.close(self._file)

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
