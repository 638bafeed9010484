"""Decides which code belongs to the student, and finds what that code keeps outside of `self`.

    belongs to the student    a part file, the modules beside it, the cells of a notebook
    does not                  chatsys, Python itself, installed packages

State outside of `self` is shared by all nodes of a world and survives from one run to the next, so
two runs of one seed differ.  It hides in these places:

    SEEN = []                                         at the top of a module
    def f(self, seen=[])                              in a default argument
    f.count = 1, class attributes                     on a function or a class
    what a decorator keeps between two calls          in a closure

Promises  nothing of the code is run.  A line is named only where the source shows that this line gives
          the value to this variable.
Read also `determinism`, `steps` (the line at which two runs differ), `worker` (the line that hangs).
"""

import ast
import linecache
import pickle
import sys
from collections.abc import Iterator, Mapping
from types import CellType, FunctionType, ModuleType
from typing import Any

from chatsys.errors import named
from chatsys.places import at, innermost, inside, is_own

_MADE = {
    "__dict__", "__weakref__", "__doc__", "__module__", "__annotations__", "__orig_bases__", "__parameters__",
    "__slotnames__", "__abstractmethods__", "_abc_impl",
}  # fmt: skip
"""What Python puts into a class by itself, some of it only when a value is pickled."""


def describe_error(error: BaseException) -> str:
    """Tell what `error` is, and the innermost line of somebody's own code it came through, if there is one."""
    place = innermost(error.__traceback__)
    where = f" ({inside(*place)})" if place else ""
    return f"{named(error)}{where}"


def place(thing: Any) -> str:
    """Return `file, line N` of where a class or a function is written; the file alone if the line is not known."""
    if isinstance(thing, type):
        file, line = _file_of(thing), _line_of_class(_file_of(thing), thing.__qualname__)
    else:
        code = thing.__code__
        file, line = code.co_filename, code.co_firstlineno
    return at(file, line)


def own_classes(parts: Mapping[str, type]) -> list[type]:
    """Return the classes of `parts` and what they inherit from, but for those of chatsys and of Python."""
    found = dict.fromkeys(kind for part in parts.values() for kind in part.__mro__)
    return [kind for kind in found if kind.__module__ != "builtins" and is_own(_file_of(kind) or "<frozen")]


def _file_of(kind: type) -> str:
    """Return the file that a class is written in; "" if it is written in C."""
    for value in vars(kind).values():
        function = getattr(value, "__func__", getattr(value, "fget", value))
        if isinstance(function, FunctionType) and function.__module__ == kind.__module__:
            if is_own(file := function.__code__.co_filename):
                return file
    return getattr(sys.modules.get(kind.__module__), "__file__", None) or ""


# --- what is kept outside of self ----------------------------------------------------------------


class Kept:
    """What somebody's own modules, classes and functions hold at one moment: name and line -> value."""

    def __init__(self, parts: Mapping[str, type]) -> None:
        self.found: dict[tuple[str, str], bytes] = {}
        self._seen: set[int] = set()
        for kind in own_classes(parts):
            self._class(kind)
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if isinstance(module, ModuleType) and isinstance(file, str) and is_own(file):
                self._globals(vars(module), file)

    def changed(self, before: "Kept") -> list[tuple[str, str]]:
        """Return (place, name) of what is another value than it was."""
        return [key for key, value in self.found.items() if value != before.found.get(key)]

    def _globals(self, names: dict[str, Any], file: str, carried: bool = False) -> None:
        """Look at the names of a module; of a notebook only those came along that its own code uses."""
        if id(names) in self._seen:
            return
        self._seen.add(id(names))
        body = _tree(file).body
        given = _given(body)
        for name, value in list(names.items()):
            if isinstance(value, FunctionType):
                self._function(value)
            elif isinstance(value, type):
                self._class(value)
            elif (
                not name.startswith("__")
                and not isinstance(value, ModuleType)
                and (carried or name in given or not body)
            ):
                self.found[at(file, given.get(name)), name] = _value(value)

    def _class(self, kind: type) -> None:
        file = _file_of(kind)
        if id(kind) in self._seen or not file or not is_own(file):
            return
        self._seen.add(id(kind))
        given = _given(_body(file, kind.__qualname__))
        for name, value in list(vars(kind).items()):
            function = getattr(value, "__func__", getattr(value, "fget", value))
            if isinstance(function, FunctionType):
                self._function(function)
            elif name not in _MADE and not hasattr(value, "__get__"):
                written = name.removeprefix(f"_{kind.__name__}") if "__" in name else name
                self.found[at(file, given.get(written)), f"{kind.__name__}.{written}"] = _value(value)

    def _function(self, function: FunctionType) -> None:
        file = function.__code__.co_filename
        if id(function) in self._seen or not is_own(file):
            return
        self._seen.add(id(function))
        home = sys.modules.get(function.__module__)
        if home is None or vars(home) is not function.__globals__:  # a notebook's class: its globals came along with it
            self._globals(function.__globals__, file, carried=True)
        held = [cell for cell in function.__closure__ or () if not isinstance(_content(cell), FunctionType | type)]
        for cell in function.__closure__ or ():
            if isinstance(content := _content(cell), FunctionType):
                self._function(content)
        own = {name: value for name, value in vars(function).items() if name != "__wrapped__"}
        kept = (function.__defaults__, function.__kwdefaults__, own, [_content(cell) for cell in held])
        if any(kept):
            name = f"what {function.__qualname__.replace('<locals>.', '')}() keeps"
            self.found[at(file, function.__code__.co_firstlineno), name] = _value(kept)


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None  # nothing is in it yet


def _value(value: Any) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception:
        return repr(value).encode(errors="replace")


# --- the source ----------------------------------------------------------------------------------


def _tree(file: str) -> ast.Module:
    """Return the syntax tree of a file or of a notebook's cell; an empty one if it cannot be had."""
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _line_of_class(file: str, qualname: str) -> int | None:
    return next((node.lineno for node in _classes(file, qualname)), None)


def _body(file: str, qualname: str) -> list[ast.stmt]:
    return next((node.body for node in _classes(file, qualname)), [])


def _classes(file: str, qualname: str) -> Iterator[ast.ClassDef]:
    """Yield the class of this name, if the file has exactly one; which of several it is nobody can tell."""
    name = qualname.rpartition(".")[2]
    found = [node for node in ast.walk(_tree(file)) if isinstance(node, ast.ClassDef) and node.name == name]
    if len(found) == 1:
        yield found[0]


def _given(body: list[ast.stmt]) -> dict[str, int | None]:
    """Return the names that get a value here, each with its first line; a `global` of a function has none."""
    found: dict[str, int | None] = {}
    todo: list[ast.AST] = [*body]
    while todo:
        node = todo.pop(0)
        match node:
            case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
                continue
            case ast.Assign(targets=targets):
                named = [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                named = [name]
            case _:
                named = []
                todo += ast.iter_child_nodes(node)
        for name in named:
            found.setdefault(name, getattr(node, "lineno", None))
    for inner in (one for statement in body for one in ast.walk(statement)):
        for name in inner.names if isinstance(inner, ast.Global) else ():
            found.setdefault(name, None)
    return found
