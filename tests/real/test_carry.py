"""Carry: what a notebook's cell defines works in a process that never saw the notebook, and is told by its cell.

Cells are run as a notebook runs them: in `__main__`, under a file name that no file has.
"""

import inspect
import linecache
import pickle
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from types import CodeType, FunctionType, ModuleType
from typing import Any

import msgspec
import pytest

from chatsys.actor.events import Say
from chatsys.errors import told
from chatsys.isolation.pickling import pack
from chatsys.places import at, inside, is_cell, is_own, opening

FILE = "/tmp/ipykernel_17/2774985643.py"


class _Call:
    """Is what `function(*given)` returns, in the process that opens it."""

    def __init__(self, function: Any, given: tuple[Any, ...]) -> None:
        self.all = function, given

    def __reduce__(self) -> Any:
        return self.all


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Any]:
    """Return a function that calls a function with carried values in another process, always the same one."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield lambda function, *given: pool.submit(pickle.loads, pack(_Call(function, given))).result(timeout=60)


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs a cell and returns the names of the notebook."""
    notebook = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", notebook)
    names: Any = vars(notebook)

    def run(source: str, file: str = FILE) -> dict[str, Any]:
        lines = source.splitlines(keepends=True)
        monkeypatch.setitem(linecache.cache, file, (len(source), None, lines, file))
        exec(compile(source, file, "exec"), names)
        return names  # type: ignore[no-any-return]

    return run


# --- names of files ------------------------------------------------------------------------------

EVERY_KIND = """
import asyncio, enum, functools, dataclasses, typing, msgspec
def decorated(function):
    @functools.wraps(function)
    def around(*given): return function(*given)
    return around
def fail(*_): raise ValueError("here")
class Kind:
    def method(self): fail()
    @property
    def attribute(self): fail()
    @classmethod
    def of_class(cls): fail()
    @staticmethod
    def of_none(): fail()
    @decorated
    def wrapped(self): fail()
    def comprehension(self): return [fail() for _ in "a"]
    def expression(self): return list(fail() for _ in "a")
    def inner(self):
        def function(): return (lambda: fail())()
        return function()
    def generator(self): yield fail()
    async def coroutine(self): fail()
    class Within:
        def method(self): fail()
class Message(msgspec.Struct):
    x: int = 1
    def method(self): fail()
    @classmethod
    def of_class(cls): fail()
class Base(typing.Generic[typing.TypeVar("T")]):
    def method(self): fail()
class Sub(Base[int]):
    def method(self): return super().method()
class Colour(enum.Enum):
    RED = 1
    def method(self): fail()
@dataclasses.dataclass
class Point:
    x: int = 0
    def method(self): fail()
def closure(by):
    def function(): return fail(by)
    return function
CALLS = {
    "method": lambda: Kind().method(), "property": lambda: Kind().attribute, "class method": lambda: Kind.of_class(),
    "static method": lambda: Kind.of_none(), "decorated": lambda: Kind().wrapped(),
    "comprehension": lambda: Kind().comprehension(), "expression": lambda: Kind().expression(),
    "function in a function": lambda: Kind().inner(), "generator": lambda: list(Kind().generator()),
    "coroutine": lambda: asyncio.run(Kind().coroutine()), "class in a class": lambda: Kind.Within().method(),
    "method of a Struct": lambda: Message().method(), "class method of a Struct": lambda: Message.of_class(),
    "method above": lambda: Sub().method(), "enum": lambda: Colour.RED.method(), "dataclass": lambda: Point().method(),
    "closure": closure(3), "partial": functools.partial(fail, 1),
}
"""


def caught(call: Any) -> list[str]:
    """Return the error of a call in words, and the file names of its traceback."""
    try:
        call()
    except ValueError as error:
        frames = [one.filename for one in traceback.extract_tb(error.__traceback__)[1:]]
        return [told(error), *dict.fromkeys(file for file in frames if is_own(file)), traceback.format_exc()]
    raise AssertionError("it was to fail")


def test_every_kind_of_code_is_told_by_its_cell(cell: Any, elsewhere: Any) -> None:
    calls = cell(EVERY_KIND)["CALLS"]
    line = EVERY_KIND[: EVERY_KIND.index("def fail")].count("\n") + 1
    for name, call in calls.items():
        sentence, *files, whole = elsewhere(caught, call)
        assert sentence == f"ValueError: here (in your cell, line {line})", name
        assert files == [FILE], name
        assert 'def fail(*_): raise ValueError("here")' in whole, name


def files_of(thing: Any) -> list[str]:
    """Return the file names of a function's code and of all code inside of it."""
    found, waiting = [], [thing.__code__]
    while waiting:
        code = waiting.pop()
        found.append(code.co_filename)
        waiting += [one for one in code.co_consts if isinstance(one, CodeType)]
    return found


def test_code_inside_code_keeps_its_file_too(cell: Any, elsewhere: Any) -> None:
    outer = cell("def outer():\n    class Kind:\n        def method(self): return [lambda: x for x in ()]\n")["outer"]
    found = elsewhere(files_of, outer)
    assert len(found) >= 4 and set(found) == {FILE}


def test_a_class_of_a_file_is_told_by_the_name_of_the_file(cell: Any, elsewhere: Any) -> None:
    made = cell("class Mine:\n    def go(self):\n        raise ValueError('no')\n", "/users/ann/bully.py")["Mine"]
    assert elsewhere(caught, made().go)[0] == "ValueError: no (bully.py, line 3)"


def test_two_cells_keep_apart(cell: Any, elsewhere: Any) -> None:
    cell("def first():\n    raise ValueError(1)\n", "/tmp/ipykernel_17/1.py")
    names = cell("\n\ndef second():\n    first()\n", "/tmp/ipykernel_17/2.py")
    sentence, *files, whole = elsewhere(caught, names["second"])
    assert sentence == "ValueError: 1 (in your cell, line 2)"
    assert files == ["/tmp/ipykernel_17/2.py", "/tmp/ipykernel_17/1.py"]
    assert "    raise ValueError(1)\n" in whole


def test_the_line_told_is_ones_own_and_not_the_librarys_that_was_called(cell: Any, elsewhere: Any) -> None:
    go = cell("import json\ndef go():\n    json.loads('{')\n")["go"]
    assert elsewhere(caught, go)[0].endswith("(in your cell, line 3)")


def test_a_constant_that_no_source_can_hold_travels_all_the_same(elsewhere: Any) -> None:
    def answer() -> Any:
        return "constant"

    code = answer.__code__
    strange = tuple(range if one == "constant" else one for one in code.co_consts)
    made = FunctionType(code.replace(co_consts=strange), {})
    assert elsewhere(made) is range


@pytest.mark.parametrize(
    ("file", "named"),
    [
        ("/tmp/ipykernel_17/2774985643.py", "your cell, line 5"),
        (r"C:\Users\ann\AppData\Local\Temp\ipykernel_17\27.py", "your cell, line 5"),
        ("<ipython-input-3-1f2e>", "your cell, line 5"),
        ("/users/ann/my bully.py", "my bully.py, line 5"),
        ("/users/ipykernel_17/deeper/bully.py", "bully.py, line 5"),
    ],
)
def test_a_cell_is_called_your_cell_and_a_file_by_its_name(file: str, named: str) -> None:
    assert at(file, 5) == named
    assert is_cell(file) == named.startswith("your cell")
    assert inside(file, 5) == ("in " if is_cell(file) else "") + named
    assert opening(at(file, 5)) == named.replace("your", "Your")


# --- Structs -------------------------------------------------------------------------------------


def shown(kind: Any, *given: Any, **named: Any) -> tuple[Any, ...]:
    """Make an instance, send it through JSON, and return what it is and what its class is."""
    made = kind(*given, **named)
    data = msgspec.json.encode(made)
    assert msgspec.json.decode(data, type=kind) == made
    types = {field.name: str(field.type) for field in msgspec.structs.fields(kind)}
    return repr(made), data, kind.__struct_fields__, types, kind.__doc__, kind.__name__


STRUCTS = '''
import enum, typing, msgspec
T = typing.TypeVar("T")
class Colour(enum.Enum):
    RED = "red"
class Plain(msgspec.Struct, frozen=True):
    """A message of a notebook."""
    number: int
    text: str = "x"
class Adds(Plain, frozen=True):
    more: float = 0.5
class Changes(Plain, frozen=True):
    text: str = "another"
    number: int = 7
class SameAgain(Plain, frozen=True):
    number: int
class Nothing(Plain, frozen=True):
    pass
class Empty(msgspec.Struct):
    pass
class Factory(msgspec.Struct):
    many: list[int] = msgspec.field(default_factory=lambda: [1, 2])
    none: dict[str, int] = {}
class Keywords(msgspec.Struct, kw_only=True):
    x: int = 1
    y: int
class MoreKeywords(Keywords):
    z: int = 3
    x: int = 5
class Tagged(msgspec.Struct, tag="it", tag_field="kind", omit_defaults=True):
    x: int = 1
class Renamed(msgspec.Struct, rename="camel"):
    my_name: int = 1
    other: int = msgspec.field(name="o", default=2)
class List(msgspec.Struct, array_like=True, order=True):
    x: int = 1
class OfItself(msgspec.Struct):
    next: "OfItself | None" = None
    many: list["OfItself"] = []
class Left(msgspec.Struct):
    right: "Right | None" = None
class Right(msgspec.Struct):
    left: Left | None = None
class Box(msgspec.Struct, typing.Generic[T]):
    held: T
class Full(Box[int]):
    limit: int = 3
class Coloured(msgspec.Struct):
    best: typing.ClassVar[int] = 4
    colour: Colour = Colour.RED
    price: typing.Annotated[int, msgspec.Meta(ge=0)] = 0
'''
MADE = {
    "Plain": (1,), "Adds": (1, "y", 2.0), "Changes": (), "SameAgain": (1,), "Nothing": (1,), "Empty": (), "Factory": (),
    "MoreKeywords": (), "Tagged": (), "Renamed": (), "List": (2,), "OfItself": (), "Left": (), "Right": (), "Box": (3,),
    "Full": (3,), "Coloured": (),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_a_struct_arrives_as_it_was(cell: Any, elsewhere: Any, name: str) -> None:
    kind = cell(STRUCTS)[name]
    named = {"y": 2} if name == "MoreKeywords" else {}
    at_home = shown(kind, *MADE[name], **named)  # first, for msgspec leaves things in what it has worked with
    assert elsewhere(shown_named, kind, MADE[name], named) == at_home


def shown_named(kind: Any, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
    return shown(kind, *given, **named)


def options(kind: Any) -> dict[str, Any]:
    config = kind.__struct_config__
    return {name: getattr(config, name) for name in dir(config) if not name.startswith("_")}


@pytest.mark.parametrize("name", [*MADE, "Keywords"])
def test_a_struct_keeps_its_options_and_what_it_inherits(cell: Any, elsewhere: Any, name: str) -> None:
    kind = cell(STRUCTS)[name]
    assert elsewhere(options, kind) == options(kind)
    assert elsewhere(own_fields, kind) == own_fields(kind)


def own_fields(kind: Any) -> tuple[Any, ...]:
    """Return which fields a class redefines: the others are the very same descriptors as those of its bases."""
    slots = [name for name in kind.__struct_fields__ if name in vars(kind)]
    return slots, [base.__name__ for base in kind.__mro__], sorted(inspect.get_annotations(kind))


METHODS = """
import msgspec
class Base(msgspec.Struct):
    x: int = 1
    def __post_init__(self):
        self.x += 10
    def me(self): return __class__.__name__
    @property
    def double(self): return 2 * self.x
    @staticmethod
    def three(): return 3
    def other(self): return Sub(1)
    def __eq__(self, other): return other == "anything"
class Sub(Base):
    y: int = 0
    def __post_init__(self):
        super().__post_init__()
        self.y = self.x + 100
    def me(self): return super().me() + "Sub"
class SubSub(Sub):
    pass
"""


def used(kind: Any) -> Any:
    made = kind(1)
    return msgspec.structs.astuple(made), made.me(), made.double, made.three(), made == "anything", repr(made.other())


@pytest.mark.parametrize("name", ["Base", "Sub", "SubSub"])
def test_methods_and_post_init_work_through_the_whole_family(cell: Any, elsewhere: Any, name: str) -> None:
    kind = cell(METHODS)[name]
    assert elsewhere(used, kind) == used(kind)


def remember(kind: type) -> None:
    sys.modules["chatsys.isolation.pickling"].__dict__["remembered"] = kind


def is_remembered(value: Any) -> bool:
    return isinstance(value, sys.modules["chatsys.isolation.pickling"].__dict__["remembered"])


def test_a_struct_that_arrives_twice_is_one_class(cell: Any, elsewhere: Any) -> None:
    kind = cell(STRUCTS)["Plain"]
    elsewhere(remember, kind)
    assert elsewhere(is_remembered, kind(1))


def test_at_home_a_struct_comes_back_as_itself_and_as_it_is(cell: Any) -> None:
    kind = cell(METHODS)["Base"]
    inspect.get_annotations(kind)  # Python 3.14 remembers the answer in the class
    before = dict(vars(kind))
    assert pickle.loads(pack(kind)) is kind
    assert dict(vars(kind)) == before


def pack_again(kind: Any) -> bytes:
    return pack(kind)


def test_a_struct_travels_on_from_where_it_came_to(cell: Any, elsewhere: Any) -> None:
    kind = cell(METHODS)["Sub"]
    data = elsewhere(pack_again, kind)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as third:
        assert third.submit(used_packed, data).result(timeout=60) == used(kind)


def used_packed(data: bytes) -> Any:
    return used(pickle.loads(data))


def test_a_struct_that_would_arrive_with_other_fields_is_refused(
    cell: Any, elsewhere: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = cell("import msgspec\nclass Ping(msgspec.Struct):\n    number: int\n    text: str = 'x'\n")["Ping"]
    monkeypatch.setattr("chatsys.isolation.pickling._annotations", lambda kind: {"text": str})
    with pytest.raises(TypeError, match="The fields of Ping are number, text, and would arrive as text"):
        elsewhere(shown, kind, 1)


# --- by name only --------------------------------------------------------------------------------


def test_what_can_be_imported_travels_by_name_only() -> None:
    assert len(pack(Say)) < 80 and pickle.loads(pack(Say)) is Say
    assert len(pack(told)) < 80 and pickle.loads(pack(told)) is told
    said = Say("hi", "main", "ann")
    assert len(pack(said)) < 120 and pickle.loads(pack(said)) == said
