"""Code: of which state of the package a piece of evidence speaks.

    rooms ("protocol", "sim", ...) --every file in them, without comments and docstrings--> digest

A schedule that held says something about the node, the simulator and the checkers.  It says nothing about a
figure, so it stays evidence when a figure changes, or a comment.

Read also `gathering`, which keeps the digest with each piece, and `kinds`, which names the rooms.
"""

import ast
import hashlib
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from chatsys.errors import UsageError

PACKAGE = Path(__file__).resolve().parents[1]
KINDS = (".py", ".c")
"""Files that a machine reads."""


def digest(rooms: tuple[str, ...]) -> str:
    """Return a digest of all files in these rooms of the package, paths like "protocol" or "sim/world.py"; () is all of it.

    Comments and docstrings do not count.  Raises `UsageError` for a room that does not exist.
    """
    whole = hashlib.sha256()
    for path in sorted(set(_files(rooms))):
        whole.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + _meaning(path) + b"\0")
    return whole.hexdigest()[:12]


def _files(rooms: tuple[str, ...]) -> Iterator[Path]:
    for room in rooms or ("",):
        place = PACKAGE / room
        if not place.exists():
            raise UsageError(f"There is no {room} in the package; name folders or files that exist.")
        yield from [place] if place.is_file() else (path for path in place.rglob("*") if path.suffix in KINDS)


@cache
def _meaning(path: Path) -> bytes:
    """Return a digest of what a file tells the machine."""
    source = path.read_bytes()
    if path.suffix == ".py":
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                node.body = [one for one in node.body if not _is_text(one)] or [ast.Pass()]
        source = ast.dump(tree).encode("utf-8", "surrogatepass")
    return hashlib.sha256(source).digest()


def _is_text(statement: ast.stmt) -> bool:
    """Tell whether a statement only says something to people: a docstring, or a text behind a constant."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def commit() -> str:
    """Return the commit for people, with `+` where files of the package differ from it."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(PACKAGE), *words], capture_output=True, text=True, timeout=20, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        found = git("rev-parse", "--short", "HEAD")
        return found + "+" * bool(found and git("status", "--porcelain", "--", ".")) or "no clone"
    except (OSError, subprocess.SubprocessError):
        return "no git"
