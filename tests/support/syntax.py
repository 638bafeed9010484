"""Syntax: the trees of our own modules, parsed once for all the rules that look at them, and forgotten at the end.

    import syntax

    trees = syntax.trees          a fixture: it forgets them when the last test of this file is over
    syntax.parsed(path)           the tree of a module
    syntax.nodes(path)            every node of it, walked once: to walk a tree takes longer than to parse it

Read also `test_architecture` and `test_house`, whose rules these are.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a module, which a dozen rules look at."""
    return ast.parse(path.read_text())


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return every node of the tree of a module, in the order of `ast.walk`."""
    return tuple(ast.walk(parsed(path)))


@pytest.fixture(scope="module", autouse=True)
def trees() -> Iterator[None]:
    """Forget the trees at the end: they are millions of objects, and all later tests would be slower for them."""
    yield
    parsed.cache_clear()
    nodes.cache_clear()
