"""Copies: how alike two pieces of code are, whatever their names; a hint to a person, never a loss of points.

    def receive(self, number, message):          FunctionDef a0 a1 a2 ...
        if number >= self.due: ...         -->   If Compare a1 GtE Attribute a0 ...   --> 5 tokens at a time --> a set

Names become their order of appearance, constants their type; comments, docstrings and the lay-out are gone.  Two
sets are compared by what they share (Jaccard).  That is the idea of Winnowing (Schleimer, Wilkerson, Aiken, "Winnowing:
Local Algorithms for Document Fingerprinting", SIGMOD 2003), without its thinning: these texts are short.

An exercise with a reference of eleven lines has few shapes, so alike is not copied.  What defends a grade is the
explain cell about the student's own run.

Promises  renaming, reordering of methods and other texts in strings change nothing or little; text that is no Python is
          like nothing.
Read also `marking` (who reports it).
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

TOKENS = 5
"""So many tokens in a row are one piece."""
ALIKE = 0.9
"""From so large a share on two texts are told as alike."""
SHORTEST = 40
"""Pieces that a text must have, for shorter ones are alike by chance."""

Shape = frozenset[int]


def shape(source: str) -> Shape:
    """Return the pieces of a text; none if it is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    pieces: set[int] = set()
    for definition in _definitions(tree):
        tokens = list(_tokens(definition))
        pieces |= {hash(tuple(tokens[at : at + TOKENS])) for at in range(len(tokens) - TOKENS + 1)}
    return frozenset(pieces)


def alike(a: Shape, b: Shape) -> float:
    """Return the share of the pieces that both have: 0 to 1."""
    return len(a & b) / len(a | b) if a and b else 0.0


def similar_pairs(shapes: Mapping[str, Shape], except_like: Iterable[Shape] = ()) -> list[tuple[float, str, str]]:
    """Return (share, name, name) of all pairs that are alike, the most alike first.

    What is like one of `except_like`, the reference for instance, is so for a reason that two people may share.
    """
    usual = list(except_like)
    odd = {
        name: one
        for name, one in shapes.items()
        if len(one) >= SHORTEST and not any(alike(one, other) >= ALIKE for other in usual)
    }
    found = [(alike(odd[a], odd[b]), a, b) for a, b in combinations(sorted(odd), 2)]
    return sorted((one for one in found if one[0] >= ALIKE), reverse=True)


def _definitions(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield each function by itself, so that their order does not matter, and what stands outside of all."""
    rest: list[ast.stmt] = []
    todo: list[ast.stmt] = list(tree.body)
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.ClassDef):
            todo = [*node.body, *todo]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            rest.append(node)
    yield from rest


def _tokens(node: ast.AST, names: dict[str, str] | None = None) -> Iterator[str]:
    names = {} if names is None else names
    match node:
        case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name) | ast.FunctionDef(name=name):
            yield type(node).__name__
            yield names.setdefault(name, f"a{len(names)}")
        case ast.Constant(value=value):
            yield type(value).__name__
        case ast.Load() | ast.Store() | ast.Expr(value=ast.Constant()):
            return
        case _:
            yield type(node).__name__
    for child in ast.iter_child_nodes(node):
        if not (
            isinstance(node, ast.arg | ast.FunctionDef)
            and child in (getattr(node, "returns", None), getattr(node, "annotation", None))
        ):
            yield from _tokens(child, names)
