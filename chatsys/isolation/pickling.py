"""Pickling: classes that exist only in a notebook travel to other processes, by value.

    pack((Node, {"election": MyBully})) --bytes--> pickle.loads, in a process that never saw the notebook

        functions, classes    by cloudpickle
        the code in them      by `marshal`, which keeps the name of the file; the text of a notebook's cell
                              goes along, so that an error there can show its line
        msgspec Structs       made anew from their fields, then given their annotations and methods,
                              which may well speak of the class itself

Assumes   the same version of Python at both ends.
Promises  what can be imported travels as its name only, so that it stays the same class; a Struct that
          arrives twice is one class; one that would arrive with other fields is refused in a sentence.
Read also `places` (which names are cells), `runtime.nodes.process`, `campaign.one_seed`, `run` and `teach.grading.grader`, who pack.
"""

import inspect
import io
import linecache
import marshal
import sys
import threading
import typing
from collections.abc import Callable, Collection
from types import CodeType
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import cloudpickle
import msgspec

from chatsys.places import is_cell

_OPTIONS = (
    "frozen", "eq", "order", "array_like", "gc", "weakref", "dict", "cache_hash", "omit_defaults",
    "forbid_unknown_fields", "repr_omit_defaults", "tag", "tag_field",
)  # fmt: skip
_MADE_ANEW = {
    "__struct_fields__", "__struct_defaults__", "__struct_encode_fields__", "__struct_config__", "__match_args__",
    "__rich_repr__", "__slots__", "__dict__", "__weakref__", "__module__", "__qualname__", "__doc__", "__orig_bases__",
    "__annotations__", "__annotations_cache__", "__annotate__", "__annotate_func__", "__conditional_annotations__",
}  # fmt: skip
"""What msgspec and Python put into a class by themselves; the last five are its annotations, in 3.14 and before."""
_StructMeta = type(msgspec.Struct)

_names: WeakKeyDictionary[type, str] = WeakKeyDictionary()
"""The name under which each Struct was packed here, or came here."""
_came: WeakValueDictionary[str, type] = WeakValueDictionary()
"""The other way round: a Struct that comes once more is the one that is here already."""

_LOCKS: dict[Callable[[], Any], type] = {make: type(make()) for make in (threading.Lock, threading.RLock)}
"""They travel as new ones that nobody holds: who arrives is alone."""


def pack(value: Any, by_value: Collection[type] = ()) -> bytes:
    """Return `value` (classes, functions, plain data) as bytes; the Structs `by_value` travel whole, importable or not."""
    file = io.BytesIO()
    _Packer(file, by_value).dump(value)
    return file.getvalue()


class _Packer(cloudpickle.Pickler):  # type: ignore[misc]
    """cloudpickle that knows Structs, and where code is written."""

    def __init__(self, file: io.BytesIO, by_value: Collection[type] = ()) -> None:
        super().__init__(file)
        self._by_value = by_value
        self._cells: dict[str, tuple[str, str] | None] = {}

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, _StructMeta) and (obj in self._by_value or not _importable(obj)):
            return _reduce_struct(obj)
        if isinstance(obj, msgspec.Meta):
            bounds = {name: getattr(obj, name) for name in dir(obj) if not name.startswith("_")}
            return _make_meta, ({name: bound for name, bound in bounds.items() if bound is not None},)
        if isinstance(obj, CodeType):
            try:
                return _load_code, (marshal.dumps(obj), self._cell(obj.co_filename))
            except ValueError:
                pass  # somebody put a constant into it that no source can hold: cloudpickle knows how
        for make, kind in _LOCKS.items():
            if type(obj) is kind:
                return make, ()
        if isinstance(obj, type) and "__msgspec_cache__" in vars(obj):
            # What msgspec has learned of an enum or a dataclass it leaves there; it cannot travel, and is learned anew.
            delattr(obj, "__msgspec_cache__")
        return super().reducer_override(obj)

    def _cell(self, file: str) -> tuple[str, str] | None:
        """Return the name and the text of a notebook's cell; None for a file, which the other process can read itself."""
        if file not in self._cells:
            lines = linecache.getlines(file) if is_cell(file) else []
            self._cells[file] = (file, "".join(lines)) if lines else None
        return self._cells[file]


def _load_code(data: bytes, cell: tuple[str, str] | None) -> Any:
    if cell is not None:
        name, text = cell
        linecache.cache.setdefault(name, (len(text), None, text.splitlines(keepends=True), name))
    return marshal.loads(data)


def _make_meta(bounds: dict[str, Any]) -> msgspec.Meta:
    return msgspec.Meta(**bounds)


# --- Structs -------------------------------------------------------------------------------------


class _Example(msgspec.Struct):
    made: dict[str, int] = msgspec.field(default_factory=dict)


_Factory = type(_Example.__struct_defaults__[0])
"""What stands among the defaults of a Struct for a field whose default is made each time."""


class _Plan(typing.NamedTuple):
    """All that is needed to make a Struct anew, but for what may speak of the class itself."""

    identity: str
    name: str
    bases: tuple[type, ...]
    space: dict[str, Any]
    """What must be there when the class is made."""
    fields: list[tuple[Any, ...]]
    """Those of its own, as `defstruct` takes them."""
    options: dict[str, Any]
    all_fields: tuple[tuple[str, ...], tuple[str, ...]]
    """(names, names in frames) of every field, to compare with what came of it."""
    late: bool
    """Whether it has a `__post_init__` of its own."""


def _importable(kind: type) -> bool:
    if kind.__module__ in ("__main__", "__mp_main__"):
        return False
    found: Any = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is kind


def _reduce_struct(kind: Any) -> tuple[Any, ...]:
    from uuid import uuid4  # who only opens what was packed never needs it

    annotations = _annotations(kind)
    own = [name for name in kind.__struct_fields__ if name in annotations]
    config = kind.__struct_config__
    options = {name: getattr(config, name) for name in _OPTIONS if hasattr(config, name)}
    options["kw_only"] = not set(own) <= set(kind.__match_args__)  # a pattern names only what may be given by place
    plan = _Plan(
        identity=_names.setdefault(kind, uuid4().hex),
        name=kind.__name__,
        bases=kind.__bases__,
        space={
            name: kind.__dict__[name]
            for name in ("__module__", "__qualname__", "__doc__", "__orig_bases__")
            if name in kind.__dict__
        },
        fields=_fields(kind, own),
        options=options,
        all_fields=(kind.__struct_fields__, kind.__struct_encode_fields__),
        late="__post_init__" in kind.__dict__,
    )
    _came[plan.identity] = kind
    rest = {
        name: value
        for name, value in kind.__dict__.items()
        if name not in _MADE_ANEW and name not in kind.__struct_fields__
    }
    return _make_struct, tuple(plan), (annotations, rest), None, None, _finish_struct


def _annotations(kind: type) -> dict[str, Any]:
    """Return the annotations of this class alone, each as the type it names, or as text if that cannot be found here.

    Python 3.14 keeps them out of the class's dict (PEP 649), so they are asked for.
    """
    try:
        types = typing.get_type_hints(kind, include_extras=True)
        return {name: types[name] for name in inspect.get_annotations(kind)}
    except Exception:  # a name of a function, or one that comes later; evaluating it may raise anything
        if sys.version_info >= (3, 14):
            import annotationlib

            return annotationlib.get_annotations(kind, format=annotationlib.Format.STRING)
        return inspect.get_annotations(kind)


def _fields(kind: Any, own: list[str]) -> list[tuple[Any, ...]]:
    """Return these fields as `defstruct` takes them; their types come later, for one may be the class itself."""
    required = len(kind.__struct_fields__) - len(kind.__struct_defaults__)
    defaults = (*[msgspec.NODEFAULT] * required, *kind.__struct_defaults__)
    found = []
    for name, written, default in zip(kind.__struct_fields__, kind.__struct_encode_fields__, defaults, strict=True):
        if name in own:
            made = isinstance(default, _Factory)
            how = {"default_factory": default.factory} if made else {"default": default}
            found.append((name, Any, written, how))
    return found


def _make_struct(*values: Any) -> Any:
    plan = _Plan(*values)
    if (here := _came.get(plan.identity)) is not None:
        return here
    space = dict(plan.space)
    if plan.late:
        # msgspec looks for it only now, and its code has not come yet.
        space["__post_init__"] = lambda self: kind.__dict__["__post_init__"](self)
    fields = [(name, hint, msgspec.field(name=written, **how)) for name, hint, written, how in plan.fields]
    module = space.pop("__module__")
    kind: Any = msgspec.defstruct(plan.name, fields, bases=plan.bases, module=module, namespace=space, **plan.options)
    if (kind.__struct_fields__, kind.__struct_encode_fields__) != plan.all_fields:
        wanted, found = (", ".join(names) or "none" for names in (plan.all_fields[0], kind.__struct_fields__))
        raise TypeError(f"The fields of {plan.name} are {wanted}, and would arrive as {found}; write it into a module.")
    _came[plan.identity], _names[kind] = kind, plan.identity
    kind._chatsys_unfinished = True
    return kind


def _finish_struct(kind: Any, state: tuple[dict[str, Any], dict[str, Callable[..., Any]]]) -> None:
    """Give the new class its annotations and methods, which may well speak of the class itself."""
    if "_chatsys_unfinished" not in kind.__dict__:
        return  # it was here already
    del kind._chatsys_unfinished
    annotations, rest = state
    if annotations:
        kind.__annotations__ = annotations
    for name, value in rest.items():
        setattr(kind, name, value)
