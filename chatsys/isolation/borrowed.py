"""Borrowed: what a student's class uses of the package, found by use, in the process in which the class lives.

    names of the package   stand for nothing in that process: an import, a base class, a global becomes a `Stub`
    a Stub                 is inert while the class is loaded and when it is only named, as in an annotation
    used                   called, made, or asked for an attribute: noted, and the call ends

The package itself cannot be read there (`confinement`), so this is only the sentence that says why.  Names of
attributes, values, and what is never called are nobody's business.

    given types            frozen Structs of the package that go in and out of the methods are the real thing

Read also `answering`, which opens a class with it.
"""

import importlib.machinery
import os
import pickle
import sys
import warnings
from abc import ABCMeta
from collections.abc import Sequence
from functools import partial
from io import BytesIO
from types import CodeType, ModuleType
from typing import Any

from chatsys.isolation import pickling

PACKAGE = "chatsys"
FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_UNPACKING = {"_load_code", "_make_meta", "_make_struct", "_finish_struct"}
"""What `pickling` puts classes together with."""

used: list[str] = []
"""The full names of what was used, in order."""
_loading: list[bool] = []
"""Not empty while a class is being opened."""


class Borrowed(BaseException):
    """Something of the package was used; no `except Exception` of the class takes it for an error of its own."""


def _use(name: str, *_: object) -> None:
    used.append(name)
    raise Borrowed(name)


class Stub(ABCMeta):
    """The class of what stands for a name of the package: it can be named, and inherited from, but not used."""

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        if not _loading:
            _use(_name_of(cls))
        return object.__new__(cls)  # type: ignore[arg-type]  # an object that came along with the class, perhaps as a global

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if not _loading:
            _use(_name_of(cls))
        return _nothing


class _Object:
    """What the objects of a stub do."""

    def __getattribute__(self, name: str) -> Any:
        if not (_loading or name.startswith("__")):
            _use(_name_of(type(self)))
        return object.__getattribute__(self, name)

    def __getattr__(self, name: str) -> Any:
        if _loading and not name.startswith("__"):
            return _nothing
        raise AttributeError(name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return _use(_name_of(type(self))) if not _loading else None

    def __setitem__(self, key: Any, value: Any) -> None:
        if not _loading:
            _use(_name_of(type(self)))


def _nothing(*arguments: Any, **named: Any) -> None:
    """Take part in loading, and do nothing."""


def _name_of(kind: type) -> str:
    return next((f"{one.__module__}.{one.__qualname__}" for one in kind.__mro__ if "_stands_for" in vars(one)), "")


def stands_on(kind: type) -> str:
    """Return the full name of the stub that a class is, or inherits from; "" if there is none."""
    return _name_of(kind) if isinstance(kind, Stub) else ""


class Opener:
    """Opens pickled bytes, with stubs for all of the package but the types that are given."""

    def __init__(self) -> None:
        self.given: dict[tuple[str, str], type] = {}
        self.stubs: dict[str, Stub] = {}

    def give(self, types: Sequence[type]) -> None:
        """Let these types stand for themselves."""
        self.given |= {(kind.__module__, kind.__qualname__): kind for kind in types}

    def load(self, data: bytes) -> Any:
        """Return what these bytes hold."""
        _loading.append(True)
        try:
            return _Unpickler(data, self).load()
        finally:
            _loading.pop()

    def find(self, module: str, name: str) -> Any:
        """Return what stands for a name of the package."""
        if (given := self.given.get((module, name))) is not None:
            return given
        full = f"{module}.{name}"
        if full not in self.stubs:
            space = {"__module__": module, "__qualname__": name, "_stands_for": full}
            self.stubs[full] = Stub(name.rpartition(".")[2], (_Object,), space)
        return self.stubs[full]


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, opener: Opener) -> None:
        super().__init__(BytesIO(data))
        self._opener = opener

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self._opener.given:
            return self._opener.given[module, name]
        if module == pickling.__name__ and name in _UNPACKING:
            return _load_code if name == "_load_code" else getattr(pickling, name)
        if not _of_the_package(module):
            return super().find_class(module, name)
        return self._opener.find(module, name)


def _load_code(data: bytes, cell: tuple[str, str] | None) -> CodeType:
    """Return code of the student's as it is; code that was taken out of the package becomes code that notes its use."""
    code: CodeType = pickling._load_code(data, cell)
    if not code.co_filename.startswith(FOLDER + os.sep):
        return code
    module = code.co_filename.removeprefix(FOLDER).removesuffix(".py").replace(os.sep, ".")
    held = ", ".join(code.co_freevars)
    source = f"def outer({held}):\n  def inner(*_, **__):\n    ({held or 0},)\n    return None('use')\n  return inner"
    with warnings.catch_warnings(action="ignore"):
        outer = compile(source, "<string>", "exec").co_consts[0]
    inner = next(one for one in outer.co_consts if isinstance(one, CodeType))
    use = partial(_use, f"{PACKAGE}{module}.{code.co_qualname}")
    return inner.replace(co_consts=tuple(use if one is None else one for one in inner.co_consts))


def _of_the_package(module: str) -> bool:
    return module == PACKAGE or module.startswith(f"{PACKAGE}.")


class Finder:
    """Answers every later import of the package, however it is written, with a module of stubs."""

    def __init__(self, opener: Opener) -> None:
        self.opener = opener

    def install(self) -> None:
        """Stand in front of all others, and let nothing of the package be found that was loaded before."""
        sys.meta_path.insert(0, self)
        for name in [name for name in sys.modules if _of_the_package(name)]:
            del sys.modules[name]

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """Answer for the package alone."""
        if not _of_the_package(name):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return a module of stubs."""
        module = _Module(spec.name)
        module.__dict__["_opener"] = self.opener
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Run nothing."""


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.__dict__["_opener"].find(self.__name__, name)


def sentence(name: str, what: str) -> str:
    """Say that the class `name` uses `what`."""
    return f"{name} uses {what}, which belongs to the package; write this part yourself."
