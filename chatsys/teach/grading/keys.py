"""Keys: what an instructor has of a lab and students do not.

    labs/keys/secret               the course's secret, in no repository: at least 16 bytes
    labs/keys/03-total-order/
        answers.py                 ANSWERS: exercise -> right answers, each by its name
        mistakes.py                MISTAKES: exercise -> wrong answers, each with what it loses and is told
        hidden.py                  JUDGES: (exercise, kind) -> judge of a search or a budget; EXTRA: exercise -> judge
        rubric.md                  what the explain cell must say, and sample answers

All of it is read before any code of a student starts, and lies below no folder that such code can open.

Promises  a missing or broken key is told in one sentence, before the work begins.
Read also `judging` (who uses the judges), `written` (who plays answers and mistakes), `seeds`.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from chatsys.errors import UsageError, told
from chatsys.surroundings import UNUSABLE, reason
from chatsys.teach.grading.lab import Judge, Kind, Lab

SHORTEST = 16
"""Bytes that a secret must have."""


class Mistake(msgspec.Struct, frozen=True):
    """A wrong answer: what it must lose, and what its writer must be told."""

    cls: Any
    loses: Mapping[str, tuple[str, ...]]
    """Kind of part ("public", "hidden", "search", "budget") -> the aspects that are lost there."""
    says: str
    """A regular expression that the sentence matches."""
    tests: bool = True
    """Whether a written test can be asked to find it."""


class Keys(msgspec.Struct, frozen=True):
    """The keys of one lab."""

    answers: Mapping[str, Mapping[str, Any]] = {}
    mistakes: Mapping[str, Mapping[str, Mistake]] = {}
    judges: Mapping[tuple[str, Kind], Judge] = {}
    extra: Mapping[str, Judge] = {}
    rubric: str = ""


def read_keys(course: Path, lab: Lab) -> Keys:
    """Return the keys of `lab` below the folder `course`; raises `UsageError` if they are missing or broken."""
    folder = course / "keys" / lab.name
    if not folder.is_dir():
        raise UsageError(
            f"There are no keys of lab {lab.name} at {folder}; give the labs folder of a clone with --course, or grade "
            "what students can grade themselves with --public."
        )
    answers, mistakes, hidden = (_module(folder / f"{name}.py") for name in ("answers", "mistakes", "hidden"))
    try:
        rubric = (folder / "rubric.md").read_text(encoding="utf-8")
        return Keys(answers.ANSWERS, mistakes.MISTAKES, hidden.JUDGES, hidden.EXTRA, rubric)
    except (AttributeError, *UNUSABLE) as error:
        why = reason(error) if isinstance(error, OSError) else told(error)
        raise UsageError(f"The keys of lab {lab.name} at {folder} are not whole: {why}.") from None


def read_secret(path: Path) -> bytes:
    """Return the secret in `path`; raises `UsageError` if there is none that is long enough."""
    try:
        secret = path.read_bytes().strip()
    except UNUSABLE as error:
        raise UsageError(
            f"The course's secret cannot be read at {path} ({reason(error)}). If the course has one, give its place; if it "
            f"has none yet, make one, and keep it: python -c \"import secrets; print(secrets.token_hex(32))\" > '{path}'"
        ) from None
    if len(secret) < SHORTEST:
        raise UsageError(f"The secret at {path} has {len(secret)} bytes; it needs at least {SHORTEST}.")
    return secret


def _module(path: Path) -> ModuleType:
    """Return the module in this file; nobody can import it by a name."""
    spec = importlib.util.spec_from_file_location(f"key_{path.parent.name.replace('-', '_')}_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"The key {path} is missing.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(f"The key {path} cannot be read: {told(error)}.") from None
    return module


def lines_of(source: str) -> int:
    """Return how many lines a class or a function has, counted alike everywhere: as Python writes it anew, without docstrings."""
    import ast

    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return sum(1 for line in ast.unparse(tree).splitlines() if line.strip())
