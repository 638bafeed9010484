"""Placing: a change is put into a running process, so that everybody who holds the function has it.

    inside a function    the code of the function that everybody already holds is replaced: whoever imported it by name,
                         inherited it or keeps it in a table runs the changed one, and nothing is imported again
    in a module's body   the module is read with the change when it is first imported, so this needs a new process

Assumes   one process tries one change: nothing is ever put back.
Read also `changes` (what is placed), `trying` (who forks).
"""

import gc
import importlib.machinery
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from changes import Change


class NoChange(Exception):
    """The changed file is no Python, or does the same, or nobody holds the function."""


Held = dict[tuple[str, str, int], list[FunctionType]]
"""The functions of some files by file, name and line."""


def held(files: set[str]) -> Held:
    """Return every function of these files that lives in this process."""
    found: Held = {}
    for one in gc.get_objects():
        if type(one) is FunctionType and one.__code__.co_filename in files:
            code = one.__code__
            found.setdefault((code.co_filename, code.co_qualname, code.co_firstlineno), []).append(one)
    return found


def place(change: Change, path: Path, source: bytes, functions: Held) -> None:
    """Replace the code of the function that the change is in.  Raises `NoChange`."""
    before = list(_codes(compile(source, str(path), "exec"), change.where))
    after = list(_codes(changed(change, path, source), change.where))
    done = False
    for old, new in zip(before, after, strict=True):
        for function in functions.get((str(path), old.co_qualname, old.co_firstlineno), []):
            if same(old, new):
                continue
            if old.co_freevars != new.co_freevars:  # only `super()` binds a name here, and it went
                assert old.co_freevars == ("__class__",) and not new.co_freevars
                function.__code__ = _with_class(path, source, change)
            else:
                function.__code__ = new
            done = True
    if not done:
        raise NoChange(change.where)


def changed(change: Change, path: Path, source: bytes) -> CodeType:
    """Return the changed file, compiled.  Raises `NoChange`."""
    try:
        return compile(change.applied(source), str(path), "exec")
    except SyntaxError as error:
        raise NoChange(change.words) from error


def same(one: CodeType, other: CodeType) -> bool:
    """Tell whether two codes do the same, wherever their lines are."""
    if (one.co_code, one.co_names, one.co_varnames) != (other.co_code, other.co_names, other.co_varnames):
        return False
    pairs = list(zip(one.co_consts, other.co_consts, strict=False))
    return len(one.co_consts) == len(other.co_consts) and all(
        same(a, b) if isinstance(a, CodeType) and isinstance(b, CodeType) else (type(a), repr(a)) == (type(b), repr(b))
        for a, b in pairs
    )


def _with_class(path: Path, source: bytes, change: Change) -> CodeType:
    """Return the changed code, which names its class without using it, so that it fits the function."""
    text = source[: change.start] + b"__class__" + source[change.end :]
    return next(_codes(compile(text, str(path), "exec"), change.where))


def _codes(code: CodeType, where: str) -> Iterator[CodeType]:
    """Yield the code of each function of this name, in the order of the file."""
    for one in code.co_consts:
        if isinstance(one, CodeType):
            if one.co_qualname == where:
                yield one
            elif where.startswith(one.co_qualname + "."):
                yield from _codes(one, where)


def read_with(change: Change, path: Path, source: bytes) -> None:
    """Let this process import the file with the change, when it does."""
    code = changed(change, path, source)
    plain = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: Any, fullname: str) -> CodeType | None:
        return code if self.path == str(path) else plain(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
