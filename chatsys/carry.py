"""Carry: classes that exist only in a notebook travel to other processes, by value.

    pack((Node, {"election": MyBully})) --bytes--> pickle.loads, in a process that never saw the notebook

cloudpickle carries ordinary classes and functions.  msgspec Structs need help, because their
fields live outside the class body: they are made anew, then given their methods.

Promises  what can be imported travels as its name only, so that it stays the same class.
Read also `runtime.process`, `sim.sweep`, `run` and `teach.grader`, who pack.
"""

import io
import sys
from typing import Any

import cloudpickle
import msgspec

_OPTIONS = (
    "frozen", "eq", "order", "array_like", "gc", "weakref", "dict", "cache_hash", "omit_defaults",
    "forbid_unknown_fields", "repr_omit_defaults", "tag", "tag_field",
)  # fmt: skip
_MADE_BY_MSGSPEC = {
    "__struct_fields__", "__struct_defaults__", "__struct_encode_fields__", "__struct_config__", "__match_args__",
    "__rich_repr__", "__slots__", "__dict__", "__weakref__", "__annotations__", "__module__", "__qualname__",
    "__doc__", "__post_init__",
}  # fmt: skip
_StructMeta = type(msgspec.Struct)


def pack(value: Any) -> bytes:
    """Return `value` (classes, functions, plain data) as bytes."""
    file = io.BytesIO()
    _Packer(file).dump(value)
    return file.getvalue()


class _Packer(cloudpickle.Pickler):  # type: ignore[misc]
    """cloudpickle that knows Structs."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, _StructMeta) and not _importable(obj):
            return _reduce_struct(obj)
        return super().reducer_override(obj)


def _importable(kind: type) -> bool:
    if kind.__module__ == "__main__":
        return False
    found: Any = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is kind


def _reduce_struct(kind: Any) -> tuple[Any, ...]:
    own = set(kind.__dict__.get("__annotations__", ()))
    fields = [
        (field.name, field.type, field.default, field.default_factory)
        for field in msgspec.structs.fields(kind)
        if field.name in own
    ]
    config = kind.__struct_config__
    options = {name: getattr(config, name) for name in _OPTIONS if hasattr(config, name)}
    rest = {
        name: value
        for name, value in kind.__dict__.items()
        if name not in _MADE_BY_MSGSPEC and name not in kind.__struct_fields__
    }
    late = kind.__dict__.get("__post_init__")
    names = (kind.__name__, kind.__qualname__, kind.__module__, kind.__doc__)
    made = (names, kind.__bases__, fields, options, late is not None)
    return _make_struct, made, (rest, late), None, None, _finish_struct


def _make_struct(names: tuple[Any, ...], bases: Any, fields: Any, options: dict[str, Any], late: bool) -> Any:
    name, qualname, module, doc = names
    space = {"__qualname__": qualname, "__doc__": doc, **({"__post_init__": _post_init} if late else {})}
    given: list[Any] = []
    for field, kind, default, factory in fields:
        if factory is not msgspec.NODEFAULT:
            default = msgspec.field(default_factory=factory)
        given.append((field, kind) if default is msgspec.NODEFAULT else (field, kind, default))
    return msgspec.defstruct(name, given, bases=bases, module=module, namespace=space, **options)


def _post_init(self: Any) -> None:
    type(self)._chatsys_post_init(self)


def _finish_struct(kind: Any, state: tuple[dict[str, Any], Any]) -> None:
    """Give the new class its methods, which may well speak of the class itself."""
    rest, late = state
    for name, value in rest.items():
        setattr(kind, name, value)
    if late is not None:
        kind._chatsys_post_init = late
