"""Answering: what the confined process of a student's class does, from its beginning to its end.

    setup --> confine --> "held" --> open the class, look at its methods --> "loaded"
    ask   --> for each operation: make an object, call a method, forget an object --> what came of each

It is confined before anything of the student's is opened.  What it writes are answers and nothing else: the judge
(`remote`) decodes them strictly, and whatever the class does to this process, to its modules or to the pipe, it can
at most answer something else.

    operation   (object's number, method; "" makes the object, None forgets it; arguments, named arguments)
    answer      (OK, value)  (ERROR, [sentence, not written yet?, out of memory?])  (WRONG, text)  (BORROWED, name)  (SKIPPED, nil)

Read also `remote` (the end that asks), `borrowed` (how the class is opened), `confinement`, `interface`.
"""

import gc
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

from chatsys.errors import named
from chatsys.isolation import borrowed
from chatsys.isolation.calls import Method
from chatsys.isolation.confinement import confine
from chatsys.isolation.deadline import own_line
from chatsys.isolation.declared import SHOWN, checker, shown
from chatsys.isolation.interface import problems
from chatsys.places import innermost, inside

OK, ERROR, WRONG, BORROWED, SKIPPED = range(5)
SETTLE = -1
"""The number of no object: give back to the system what is not used any more, so that memory can be read."""
CONFINED, LOADED = 1, 2
"""The numbers of the first two answers; those of the requests follow."""
FLUSH, CHUNK = 1 << 18, 1 << 16
"""So many bytes of answers are sent at once, or a little more; so many are read at once."""


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What such a process is told first."""

    private: str
    read: list[str]
    memory: int
    cpu: float
    files: int
    reply: int
    """Bytes that one value may have."""
    parent: int | None
    """The process with which this one ends."""
    name: str
    holder: str
    """ "module:Class" of the package, made of what is opened, and asked instead; its `problems`, if it has them, look at that."""
    given: bytes
    """Packed: the given types, and the methods with the types of what they return."""
    code: bytes


def main(end: int, shared: int) -> None:
    """Answer until nobody asks any more."""
    import mmap  # not every system has it, and all of this can be imported there

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe = Pipe(end)
    setup = msgspec.msgpack.decode(pipe.read(), type=Setup)
    end_with(setup.parent)
    holder = _find(setup.holder)
    own_line(sys._getframe())  # it looks up where Python is, which it cannot any more in a moment
    progress = memoryview(mmap.mmap(shared, mmap.PAGESIZE)).cast("Q")
    os.close(shared)
    held = confine(Path(setup.private), [*map(Path, setup.read)], memory=setup.memory, cpu=setup.cpu, files=setup.files)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    pipe.write(CONFINED, [(OK, held)])
    try:
        Answers(pipe, setup, progress, holder).go_on()
    except (EOFError, OSError):
        os._exit(0)
    except BaseException:  # memory is so scarce that not even an answer can be made
        os._exit(1)


def _find(holder: str) -> Any:
    if not holder:
        return None
    module, name = holder.split(":")
    return getattr(import_module(module), name)


def end_with(parent: int | None) -> None:
    """Let the kernel end this process when `parent` ends; at once, if it has ended already.  Only Linux can."""
    if parent is None or sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(0)


class Pipe:
    """Frames with their length in front, in both directions."""

    def __init__(self, end: int) -> None:
        self.end = end
        self._encode = msgspec.msgpack.Encoder().encode

    def read(self) -> bytes:
        """Return the next frame; nothing comes behind it, because who asks waits for the answer."""
        data = b""
        while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "big"):
            if not (more := os.read(self.end, CHUNK)):
                raise EOFError
            data += more
        return data[4:]

    def write(self, number: int, entries: list[Any], done: bool = True, place: str = "") -> None:
        """Send answers to request `number`; `done` if they are the last ones."""
        data = self._encode((number, done, entries, place))
        data = len(data).to_bytes(4, "big") + data
        while data:
            data = data[os.write(self.end, data) :]


def _nobody_is_here(*_: object, **__: object) -> None:
    """Go on: a `breakpoint()` that was left in a class is no mistake of it."""


class Answers:
    """The class, its objects, and what comes of the calls."""

    def __init__(self, pipe: Pipe, setup: Setup, progress: memoryview, holder: Any) -> None:
        self.pipe, self.setup, self.progress, self.holder = pipe, setup, progress, holder
        self.opener = borrowed.Opener()
        self.objects: dict[int, Any] = {}
        self.failed: set[int] = set()
        self.number = LOADED
        self.spent = False
        self.encode = msgspec.msgpack.Encoder().encode
        signal.signal(signal.SIGUSR1, self._say_where)
        sys.breakpointhook = _nobody_is_here
        self.answer: Any = None
        self.fits: dict[str, Callable[[Any], bool] | None] = {}
        self.load()

    def _say_where(self, _signal: int, frame: FrameType | None) -> None:
        """Tell in which line this process is, because the judge will wait no longer."""
        try:
            self.pipe.write(self.number, [], True, own_line(frame) if frame is not None else "")
        finally:
            os._exit(0)

    def load(self) -> None:
        """Open the class and tell what is wrong with it."""
        name = self.setup.name
        types, plain = self.opener.load(self.setup.given)
        methods = {one: Method(*how) for one, how in plain.items()}
        self.opener.give(types)
        self.fits = {one: checker(how.returns) for one, how in methods.items()}
        sys.path[:] = [path for path in sys.path if not os.path.isdir(os.path.join(path, borrowed.PACKAGE))]
        borrowed.Finder(self.opener).install()
        wrong, base = self._open(name, methods)
        self.pipe.write(LOADED, [(OK, (wrong, base))])

    def _open(self, name: str, methods: dict[str, Method]) -> tuple[list[str], str]:
        try:
            opened = self.opener.load(self.setup.code)
            if self.holder is not None:
                self.answer = partial(self.holder, opened)
                look = getattr(self.holder, "problems", None)
                return look(opened, name, methods) if look is not None else [], ""
            (self.answer,) = opened.values()
            base = borrowed.stands_on(self.answer) if isinstance(self.answer, type) else ""
            return ([] if base else problems(self.answer, name, methods)), base
        except BaseException as error:
            return [f"{name} cannot be opened: {_told(error)}"], "".join(borrowed.used[:1])

    def go_on(self) -> None:
        """Answer one request after the other."""
        while True:
            self.number, stop, operations = self.opener.load(self.pipe.read())
            entries: list[Any] = []
            size = 0
            for index, operation in enumerate(operations):
                self.progress[0] = index
                entry = self._do(stop, *operation)
                if borrowed.used:
                    entry = BORROWED, borrowed.used[0]
                entries.append(entry)
                size += len(entry[1]) if entry[0] == OK else SHOWN
                if self.spent or borrowed.used:
                    break
                if size > FLUSH:
                    self.pipe.write(self.number, entries, False)
                    entries, size = [], 0
            self.pipe.write(self.number, entries)

    def _do(self, stop: bool, number: int, method: str | None, arguments: Any, named: Any) -> tuple[int, Any]:
        if not method:
            self.failed.discard(number)
            self.objects.pop(number, None)
            if method is None:
                return _settle() if number == SETTLE else _SKIPPED
        elif number in self.failed:
            return _SKIPPED
        try:
            if not method:
                self.objects[number] = self.answer(*arguments, **named)
                return _SKIPPED
            value = getattr(self.objects[number], method)(*arguments, **named)
        except BaseException as error:
            if stop:
                self.failed.add(number)
            if self._out_of_memory(error):
                self.objects.clear()
            return ERROR, (_told(error), isinstance(error, NotImplementedError), self.spent)
        kind, data = self._value(self.fits.get(method), value)
        if stop and kind == WRONG:
            self.failed.add(number)
        return kind, data

    def _out_of_memory(self, error: BaseException) -> bool:
        self.spent = isinstance(error, MemoryError)
        return self.spent

    def _value(self, fits: Callable[[Any], bool] | None, value: Any) -> tuple[int, Any]:
        """Return a value as bytes, or what it is instead, if it is of another type than the declared one."""
        if fits is None:
            return _NONE
        try:
            if fits(value):
                data = self.encode(value)
                if len(data) <= self.setup.reply:
                    return OK, msgspec.Raw(data)
                return WRONG, f"a value of {len(data):,} bytes"
        except BaseException:
            pass  # it cannot be encoded, or breaks whoever looks at it
        return WRONG, shown(value)


_SKIPPED = (SKIPPED, None)
_NONE = (OK, msgspec.Raw(b"\xc0"))


def _settle() -> tuple[int, Any]:
    gc.collect()
    try:
        import ctypes

        ctypes.CDLL(None).malloc_trim(0)
    except (ImportError, OSError, AttributeError):
        pass  # another C library
    return _SKIPPED


def _told(error: BaseException) -> str:
    try:
        place = innermost(error.__traceback__)
        return f"{named(error)} ({inside(*place)})" if place else named(error)
    except BaseException:
        return "an error that cannot be shown"
