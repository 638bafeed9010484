"""Given: classes in files, named on the command line as `NAME=FILE:Class`, and whether they can be parts.

    election=my.py:MyBully --read_parts--> code: opened in another process, which runs the file there
                               `- not a class of one's own, a door is missing or takes other arguments,
                                  cannot be made, loops, exits: one sentence, with the file and the line

Modules beside the file can be imported, as if the file itself were run.

Promises  nothing of the file runs in this process; what `read_parts` returns has been opened once.
Read also `worker` (the other process), `protocol.node` (the parts).
"""

import importlib.util
import inspect
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from types import FunctionType, ModuleType, new_class
from typing import Any, get_args

from chatsys.actor.effects import Effect, Effects
from chatsys.campaign.one_seed import Plan, schedule
from chatsys.config import ClusterConfig
from chatsys.errors import UsageError
from chatsys.isolation.answer import LOADING
from chatsys.isolation.attribution import describe_error, place
from chatsys.isolation.worker import call_in_worker
from chatsys.places import is_own
from chatsys.protocol.decisions import Decision
from chatsys.protocol.node import PARTS, Node
from chatsys.protocol.part import Part

Named = tuple[str, str, str]
"""(name of the part, file, name of the class)"""


def read_parts(texts: Sequence[str]) -> bytes:
    """Return the classes named by `NAME=FILE:Class` as `code`; raises `UsageError` with a sentence."""
    named: dict[str, Named] = {}
    for text in texts:
        part = _read(text)
        if part[0] in named:
            raise UsageError(f"--part names {part[0]} twice; a node has one of each part, so leave one out.")
        named[part[0]] = part
    code = pickle.dumps(_Recipe(tuple(named.values())))
    answer = call_in_worker(misfits, parts=code, limit=LOADING, loading=LOADING)
    files = ", ".join(dict.fromkeys(Path(file).name for _, file, _ in named.values()))
    if not answer.done:
        said = answer.value if answer.verdict == "refused" else f"{files} cannot be used: {answer.value}"
        raise UsageError(f"{said.rstrip('.')}.")
    if answer.value:
        raise UsageError(" ".join(answer.value))
    return code


def _read(text: str) -> Named:
    name, equals, rest = text.partition("=")
    file, colon, kind = rest.rpartition(":")
    if not (name and equals and file and colon and kind):
        raise UsageError(f"--part is {text!r}; write NAME=FILE:Class, for example election=my.py:MyBully.")
    if name not in PARTS:
        raise UsageError(f"--part names {name}, but the parts are {', '.join(PARTS)}.")
    if not Path(file).is_file():
        raise UsageError(f"--part names the file {file}, which is not there.")
    if Path(file).suffix != ".py":
        raise UsageError(f"--part names {file}, which is no Python file; its name must end in .py.")
    return name, str(Path(file).resolve()), kind


class _Recipe:
    """Is the classes themselves once it is opened."""

    def __init__(self, named: tuple[Named, ...]) -> None:
        self.named = named

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return load_parts, (self.named,)


# --- inside the process --------------------------------------------------------------------------


def load_parts(named: Sequence[Named]) -> dict[str, type]:
    """Run the files, each once, and return their classes by name of the part."""
    modules: dict[str, ModuleType] = {}
    found = {}
    for name, file, kind in named:
        if file not in modules:
            modules[file] = _run_file(Path(file), f"part_{len(modules)}_{Path(file).stem}")
        found[name] = _class_in(modules[file], Path(file), kind)
    return found


def _run_file(path: Path, name: str) -> ModuleType:
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, "a .py file has a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:  # it is somebody's program: it may raise anything, or leave
        raise UsageError(f"{path.name} cannot be run: {describe_error(error)}.") from None
    return module


def _class_in(module: ModuleType, path: Path, name: str) -> type:
    found = vars(module).get(name)
    classes = [key for key, one in vars(module).items() if isinstance(one, type) and one.__module__ == module.__name__]
    listed = f"it has {', '.join(classes)}" if classes else "it has no classes of its own"
    if not isinstance(found, type):
        raise UsageError(f"{path.name} has no class {name}; {listed}.")
    if found.__module__.partition(".")[0] == "chatsys":
        raise UsageError(f"{name} in {path.name} is chatsys' own {found.__name__}; name a class of your own: {listed}.")
    return found


OF_A_NODE = {"christen", "on_messages"}
"""Doors of an actor that a world opens only at a whole node: no part needs them."""


def misfits(parts: Mapping[str, type]) -> list[str]:
    """Return one sentence for each class that cannot be the part it is named for."""
    return [sentence for name, kind in parts.items() for sentence in _misfits(name, kind)]


def _misfits(name: str, kind: type) -> list[str]:
    usual = PARTS[name]
    mine = f"{kind.__name__} ({place(kind)})"
    lacking = [one for one in _doors(usual) if not hasattr(kind, one)]
    if lacking:
        return [
            f"{mine} cannot be the part {name}, for it has no {', '.join(lacking)}; "
            f"begin with `class {kind.__name__}({usual.__name__}):`."
        ]
    config = ClusterConfig.of(3)
    try:
        made = getattr(Node(1, config, Random(0), {name: kind}), name)
    except BaseException as error:  # it is somebody's program
        return [f"{mine} cannot be made with (state, config, random): {describe_error(error)}."]
    whole = getattr(Node(1, config, Random(0)), name)
    lacking = [one for one in vars(whole) if not one.startswith("_") and not hasattr(made, one)]
    if lacking and not isinstance(made, usual):
        return [f"{mine} cannot be the part {name}: its __init__ must set {', '.join(lacking)}."]
    if lacking:
        return [f"{mine} lacks {', '.join(lacking)}: call super().__init__(state, config, random) in its __init__."]
    return [sentence for one in _public(usual) for sentence in _wrong_call(made, whole, one)]


def _doors(usual: type) -> list[str]:
    """Return the methods of a part that are called from outside: a small rule of a part is its own business."""
    called = {name for one in vars(Node).values() if inspect.isfunction(one) for name in one.__code__.co_names}
    methods = [name for name in _public(usual) if inspect.isfunction(getattr(usual, name)) and name not in OF_A_NODE]
    return [name for name in methods if hasattr(Part, name) or name in called]


def _public(kind: type) -> list[str]:
    return [name for name in dir(kind) if not name.startswith("_")]


def _wrong_call(made: Any, whole: Any, name: str) -> Iterator[str]:
    """Say that a door takes other arguments than it is given."""
    usual, door = getattr(whole, name), getattr(made, name)
    if not inspect.ismethod(usual):
        return
    expected = list(inspect.signature(usual).parameters)
    kind, where = type(made).__name__, place(_function(type(made), name) or type(made))
    if not callable(door):
        yield f"{kind}.{name} ({where}) is no method; write `def {name}(self, {', '.join(expected)})`."
        return
    try:
        inspect.signature(door).bind(*expected)
    except TypeError:
        said = f"def {name}({', '.join(['self', *expected])})"
        yield f"{kind}.{name} ({where}) cannot be called with ({', '.join(expected)}); write `{said}`."
    except ValueError:
        return  # written in C: nobody knows


def _function(kind: type, name: str) -> FunctionType | None:
    found = inspect.getattr_static(kind, name, None)
    found = inspect.unwrap(getattr(found, "__func__", found)) if callable(getattr(found, "__func__", found)) else None
    return found if isinstance(found, FunctionType) else None


# --- what doors return ---------------------------------------------------------------------------

_ANSWERS = (*get_args(Effect), *get_args(Decision))
"""What a door may return: effects for the world, decisions for the siblings."""


def wrong_answers(parts: Mapping[str, type], seed: int, plan: Plan) -> list[str]:
    """Play a seed and return one sentence for each door that returned something else than a list of effects."""
    found: dict[str, None] = {}
    schedule(seed, plan, parts={name: _noting(kind, PARTS[name], found) for name, kind in parts.items()})
    return list(found)


def _noting(kind: type, usual: type[Part], found: dict[str, None]) -> type:
    """Return `kind`, but whatever its doors return is looked at."""
    doors = {
        name: _door(kind, name, found)
        for name in _public(usual)
        if (function := _function(kind, name)) is not None and is_own(function.__code__.co_filename)
        if inspect.signature(getattr(usual, name)).return_annotation in (list[Any], Effects, "Effects")
    }
    return new_class(kind.__name__, (kind,), {}, lambda space: space.update(doors))


def _door(kind: type, name: str, found: dict[str, None]) -> Any:
    written, where = getattr(kind, name), place(_function(kind, name))

    def door(self: Any, *arguments: Any, **named: Any) -> Any:
        answer = written(self, *arguments, **named)
        strange = [one for one in answer if not isinstance(one, _ANSWERS)] if isinstance(answer, list) else [answer]
        for one in strange[:1]:
            among = "a list with " if isinstance(answer, list) else ""
            found[f"{kind.__name__}.{name} ({where}) returned {among}{one!r:.60}; return a list of effects, or []."] = (
                None
            )
        return answer

    return door
