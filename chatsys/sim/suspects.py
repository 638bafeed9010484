"""Suspects: the lines of somebody's classes that make two equal runs differ.

    for node in self.waiting:      a set: its order depends on PYTHONHASHSEED      sorted(...)
    SEEN = []                      shared by all nodes, and kept from run to run   self.seen in __init__

Lines are found by reading the source, so this can be wrong; `determinism` asks only for lines of a
kind that a run has shown to matter.

Promises  nothing is run.
Read also `determinism`, which runs.
"""

import ast
import linecache
from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any

ORDERLY = {"sorted", "set", "frozenset", "sum", "min", "max", "len", "any", "all"}
"""Whoever is given a set by these need not care for its order."""
IN_ORDER = {"list", "tuple", "iter", "next", "enumerate", "zip", "map", "join", "extend", "fromkeys", "choice", "deque"}
"""These take a set in the order that it happens to have."""
SET_METHODS = {"union", "difference", "intersection", "symmetric_difference", "copy"}


def own_classes(parts: Mapping[str, type]) -> list[type]:
    """Return the classes of `parts` and what they inherit from, but for those of chatsys and of Python."""
    found = dict.fromkeys(kind for part in parts.values() for kind in part.__mro__)
    return [kind for kind in found if kind.__module__.partition(".")[0] not in ("chatsys", "builtins", "typing", "abc")]


def own_functions(parts: Mapping[str, type]) -> list[FunctionType]:
    """Return the methods of `own_classes`."""
    found = []
    for kind in own_classes(parts):
        for value in vars(kind).values():
            function = getattr(value, "__func__", getattr(value, "fget", value))
            if isinstance(function, FunctionType):
                found.append(function)
    return found


def files_of(parts: Mapping[str, type]) -> frozenset[str]:
    """Return the files (or notebook cells) in which the classes were written."""
    return frozenset(function.__code__.co_filename for function in own_functions(parts))


def tree_of(file: str) -> ast.Module:
    """Return the syntax tree of a file or of a notebook's cell; an empty one if it cannot be had."""
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return ast.Module([], [])


def line_of(file: str, name: str) -> int | None:
    """Return the line that first gives `name` a value at the top of the file or of a class, or defines it."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Module | ast.ClassDef):
            for one in node.body:
                if name in _given(one):
                    return one.lineno
    return None


def _given(node: ast.stmt) -> list[str]:
    match node:
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.FunctionDef(name=name):
            return [name]
    return []


def loops_over_sets(file: str) -> list[int]:
    """Return the lines that go through a set in the order it happens to have."""
    return sorted(set(_Sets(tree_of(file)).lines()))


class _Sets:
    """Which names hold sets in a file, as far as one can read it there."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.names: set[str] = set()
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=targets, value=value) if self.is_set(value):
                    self.names |= {_name(target) for target in targets}
                case ast.AnnAssign(annotation=kind) | ast.arg(annotation=kind) if kind is not None:
                    if ast.unparse(kind).lower().startswith(("set", "frozenset", "typing.set")):
                        self.names.add(_name(getattr(node, "target", node)))
        self.names.discard("")

    def is_set(self, node: Any) -> bool:
        """Tell whether this expression is a set."""
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Call(func=ast.Name(id="set" | "frozenset")):
                return True
            case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in SET_METHODS:
                return self.is_set(value)
            case ast.BinOp(left=left, right=right, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor()):
                return self.is_set(left) or self.is_set(right)
            case ast.Name() | ast.Attribute():
                return _name(node) in self.names
        return False

    def lines(self) -> Iterator[int]:
        """Yield the lines where the order of a set is used."""
        harmless: set[int] = set()
        for node in ast.walk(self.tree):
            match node:
                case ast.Call(func=ast.Name(id=name), args=args) if name in ORDERLY:
                    harmless |= {id(one) for one in args}
                case ast.For(iter=source) | ast.Starred(value=source) if self.is_set(source):
                    yield source.lineno
                case ast.ListComp() | ast.GeneratorExp() | ast.DictComp() if id(node) not in harmless:
                    yield from (one.iter.lineno for one in node.generators if self.is_set(one.iter))
                case ast.Call(func=function, args=args) if _name(function) in IN_ORDER:
                    yield from (one.lineno for one in args if self.is_set(one))
                case ast.Call(func=ast.Attribute(value=value, attr="pop"), args=[]) if self.is_set(value):
                    yield node.lineno


def _name(node: Any) -> str:
    """Return the last word of `a.b.c`."""
    return next((value for key in ("id", "attr", "arg") if (value := getattr(node, key, None))), "")
