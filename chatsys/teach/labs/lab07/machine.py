"""The machine of this lab: a class lives on it until the power is cut, and everything that it does to its file is written down.

    image --ToyFile--> MyLog(file) --load, append, accept, flush, promise--> a tape
                           |
                           `-- write(b'{"n":1}\\n')   sync()   truncate(8)   answer 1     each a LifeEvent, in their order

A life ends with the tape: which bytes a power cut leaves is not decided here but by the judge (`disk`), who makes the image
of the next life from them.  So a class can neither see a crash coming nor choose what survives.

Assumes   it runs beside the student's class, in a confined process or in a notebook; it is loaded before that class is.
Promises  what the class raises is an event like all others, with the line it came from.
Read also `disk` (what a power cut leaves), `lives` (who asks for lives).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from chatsys.errors import told
from chatsys.isolation.declared import shown
from chatsys.isolation.interface import problems

Step = tuple[Any, ...]
"""A call: ("load",), ("append", record), ("accept", record, number, (record, number) or None), ("flush",), ("promise", term).

What stands behind an accepted record comes at once, while its answer is given."""

BEGINNING = ("__init__", "load")
"""The steps without which a life has not begun."""
MOST = 1 << 17
"""Bytes of what a class may write in one life."""


class LifeEvent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One thing that happened in a life.

    call (number: which step)       returned (number, data)     raised (number, text)      damaged (number: the line)
    unwritten (text: the method)    wrong (text)                write (data)               truncate (number: the size)
    sync    failed (a sync)         answer (number: of what)
    """

    kind: str
    number: int = 0
    data: bytes = b""
    text: str = ""


class ToyFile:
    """A file as the student's class sees it: what was written can be read, synced or not.

    `fails` is the number of the sync that raises, 0 for none.
    """

    def __init__(self, content: bytes = b"", fails: int = 0) -> None:
        self._content, self._fails, self._syncs = bytearray(content), fails, 0
        self._tape: list[LifeEvent] = []

    def write(self, data: bytes) -> int:
        """Write at the end of the file: the operating system has it now, and the disk may not."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"file.write wants bytes; it was given {shown(data)}")
        if len(self._content) + len(data) > MOST:
            raise OSError(28, f"this disk has {MOST:,} bytes, and they are full")
        self._content += data
        self._tape.append(LifeEvent("write", data=bytes(data)))
        return len(data)

    def sync(self) -> None:
        """Return when everything that was written is on the disk; raise `OSError` if the disk did not take it."""
        self._syncs += 1
        if self._syncs == self._fails:
            self._tape.append(LifeEvent("failed"))
            raise OSError(5, "the disk did not take what was written")
        self._tape.append(LifeEvent("sync"))

    def read(self) -> bytes:
        """Return the whole content."""
        return bytes(self._content)

    def truncate(self, size: int) -> None:
        """Cut everything off behind the first `size` bytes."""
        if not isinstance(size, int) or not 0 <= size <= len(self._content):
            raise ValueError(f"file.truncate({shown(size)}): give a number from 0 to {len(self._content)}")
        del self._content[size:]
        self._tape.append(LifeEvent("truncate", size))


class Machine:
    """What the judge asks in the place of the student's class, in the process of that class."""

    def __init__(self, opened: Mapping[str, Any]) -> None:
        (self.cls,) = opened.values()

    @staticmethod
    def problems(opened: Mapping[str, Any], name: str, methods: Mapping[str, Any]) -> list[str]:
        """Return a sentence for each thing that keeps the class from being asked."""
        (answer,) = opened.values()
        asked = {one: how for one, how in methods.items() if one == "__init__" or one not in vars(Machine)}
        return problems(answer, name, asked)

    def live(self, image: bytes, steps: Sequence[Step], fails: int = 0) -> bytes:
        """Play one life on a file with this content, and return its tape."""
        file = ToyFile(image, fails)
        _Life(self.cls, file).all(steps)
        return encode(file._tape)


class _Life:
    def __init__(self, cls: Any, file: ToyFile) -> None:
        self.cls, self.file, self.tape = cls, file, file._tape
        self.log: Any = None

    def all(self, steps: Sequence[Step]) -> None:
        """Make the object, then do what is asked; an error ends the life, unless the disk failed before it.

        A node whose `load` raised has not begun, whatever the disk did: nothing can be accepted by it.
        """
        for place, step in enumerate((("__init__",), *steps)):
            self.tape.append(LifeEvent("call", place))
            try:
                self.tape.append(self._returned(place, step, self._do(step)))
            except Exception as error:
                self.tape.append(_raised(error, place, step[0]))
                if step[0] in BEGINNING or not any(one.kind == "failed" for one in self.tape):
                    return

    def _do(self, step: Step) -> Any:
        match step:
            case ("__init__",):
                self.log = self.cls(self.file)
            case ("accept", record, number, then):
                return self.log.accept(dict(record), self._answer(number, then))
            case ("append", record):
                return self.log.append(dict(record))
            case (method, *arguments):
                return getattr(self.log, method)(*arguments)
        return None

    def _answer(self, number: int, then: Any) -> Callable[[], None]:
        def answer() -> None:
            first = not any(one.kind == "answer" and one.number == number for one in self.tape)
            self.tape.append(LifeEvent("answer", number))
            if then is not None and first:
                self.log.accept(dict(then[0]), self._answer(then[1], None))

        return answer

    def _returned(self, place: int, step: Step, value: Any) -> LifeEvent:
        if step[0] == "load":
            if isinstance(value, list | tuple) and all(isinstance(one, dict) for one in value):
                try:
                    return LifeEvent("returned", place, encode_records(value))
                except (TypeError, ValueError, OverflowError):
                    pass  # a key that is no text, or a value that no line could hold
            return LifeEvent("wrong", place, text=f"load returned {shown(value)}; return a list of dictionaries")
        if step[0] == "promise":
            if not isinstance(value, bool):
                return LifeEvent("wrong", place, text=f"promise returned {shown(value)}; return True or False")
            return LifeEvent("returned", place, b"yes" if value else b"no")
        return LifeEvent("returned", place)


_encoder = msgspec.msgpack.Encoder(order="deterministic")
encode = msgspec.msgpack.Encoder().encode


def encode_records(records: Sequence[Mapping[str, Any]]) -> bytes:
    """Return records such that equal ones are equal bytes."""
    return _encoder.encode(records)


def _raised(error: Exception, place: int, method: str) -> LifeEvent:
    if isinstance(error, NotImplementedError):
        return LifeEvent("unwritten", place, text=method)
    if type(error).__name__ == "Damaged":
        line = getattr(error, "line", next(iter(error.args), None))
        if isinstance(line, int) and not isinstance(line, bool) and -(2**53) < line < 2**53:
            return LifeEvent("damaged", place, str(line).encode())
        return LifeEvent("wrong", place, text=f"{method} raised Damaged({shown(line)}); give it the number of the line")
    return LifeEvent("raised", place, text=told(error)[:300])
