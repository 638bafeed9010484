"""Remote: somebody's own class in a confined process, asked from here.

    remote = RemoteClass(code, "MyHoldBack", {"receive": Method(("number", "message"), list[Message])}, given=(Message,))
    remote.problems                             what keeps it from being asked, in sentences
    remote.run([Script(...), ...])              offline: many objects, all calls of each at once
    queue = remote.new(); remote.call(queue, "receive", (1, message))  --> Reply
    queue.receive(1, message)                   live: like the class itself; what it raised is `Raised`

Nothing that comes from the process is unpickled here: a reply is a value of the declared type, or a sentence about
what came instead.  When the process is lost, `Gone` says why; it is a BaseException, because a world would take any
other error for a crash of one node and would play on.

Promises  the class can answer, and nothing else; the same answers however many scripts are sent at once.
Read also `calls` (Script, Reply), `confined_process` (limits and clocks), `answering` (the other end).
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import msgspec

from chatsys.errors import ToldThere
from chatsys.isolation import borrowed
from chatsys.isolation.answering import BORROWED, ERROR, LOADED, OK, SETTLE, SKIPPED, WRONG
from chatsys.isolation.calls import Call, Method, Reply, Script
from chatsys.isolation.confined_process import ConfinedProcess, Entry
from chatsys.isolation.limits import Allowance, Gone, bounded
from chatsys.isolation.operations import SCRIPT, Operation, encode, is_plain, operation, with_bases
from chatsys.isolation.pickling import pack

__all__ = ["Allowance", "Gone", "Raised", "RemoteClass", "RemoteObject"]

ORDINARY = Allowance()
"""Those of an ordinary exercise."""
AT_ONCE = 500
"""So many operations go into one request."""


class Raised(ToldThere):
    """What a method of somebody's own class raised, or returned of a wrong type, as one sentence."""

    def __init__(self, sentence: str, unfinished: bool = False) -> None:
        self.unfinished = unfinished
        super().__init__(sentence)


class RemoteClass:
    """A class in a confined process."""

    def __init__(
        self,
        code: bytes,
        name: str,
        methods: Mapping[str, Method],
        given: Sequence[type] = (),
        limits: Allowance = ORDINARY,
        holder: str = "",
    ) -> None:
        """`code` is {name: the class}, packed.  Raises `Gone` if the class cannot even be opened in time.

        With a `holder`, "module:Class" of the package, `code` may hold anything: the holder is made of it, and asked.
        """
        self.code, self.name, self.methods, self.limits, self.holder = code, name, dict(methods), limits, holder
        self.given = with_bases(given)
        self._packed = pack((self.given, self.methods), by_value=self.given)
        self._decoders = {one: msgspec.msgpack.Decoder(how.returns) for one, how in methods.items()}
        self._shared = {kind for kind in self.given if is_plain(kind)}
        self._dropped: list[int] = []
        self._objects, self._life, self._before = SCRIPT, 0, 0.0
        self._begin()

    def _begin(self) -> None:
        self._number, self._spent = LOADED, False
        self._life += 1
        self._dropped.clear()
        self._process = ConfinedProcess(self.limits, self.name, self._before, self.holder)
        self._process.open(self._packed, self.code)

    @property
    def held(self) -> tuple[str, ...]:
        """The measures of confinement that hold."""
        return self._process.held

    @property
    def problems(self) -> list[str]:
        """What keeps the class from being asked, in sentences."""
        return self._process.problems

    @property
    def borrowed(self) -> str | None:
        """What the class is, or inherits from, if that belongs to the package; in a sentence."""
        return borrowed.sentence(self.name, self._process.base) if self._process.base else None

    @property
    def cpu(self) -> float:
        """Seconds of CPU that the class has taken, in all its processes."""
        return self._before + self._process.cpu

    def memory(self) -> int:
        """Return how many bytes the process has for itself, after it gave back what it does not use."""
        list(self._ask([(SETTLE, None, (), {})]))
        if sys.platform == "linux":
            _size, resident, shared, *_ = map(int, Path(f"/proc/{self._process.pid}/statm").read_text().split())
            import mmap

            return (resident - shared) * mmap.PAGESIZE
        import psutil

        return int(psutil.Process(self._process.pid).memory_info().rss)

    def restart(self) -> None:
        """Begin a new process, in which nothing has happened yet; objects of the old one are lost."""
        self.close()
        self._before += self._process.cpu
        self._begin()

    def close(self) -> None:
        """End the process."""
        if self._process.alive:
            self._process.close()

    def __enter__(self) -> "RemoteClass":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- live ----------------------------------------------------------------------------------------

    def new(self, *arguments: Any, **named: Any) -> "RemoteObject":
        """Make an object; raises `Raised` for what its `__init__` raises."""
        self._ready()
        self._objects += 1
        made = RemoteObject(self, self._objects, self._life)
        (reply,) = self._replies([(self._objects, "", arguments, named)])
        if reply is not None:
            raise Raised(reply.error or "", reply.unfinished)
        return made

    __call__ = new

    def call(
        self,
        thing: "RemoteObject",
        method: str,
        arguments: Sequence[Any] = (),
        named: Mapping[str, Any] = MappingProxyType({}),
    ) -> Reply:
        """Call a method of an object and return what came of it."""
        (reply,) = self._replies([(self._known(thing), method, tuple(arguments), dict(named))])
        assert reply is not None
        return reply

    def calls(self, thing: "RemoteObject", calls: Sequence[Call]) -> list[Reply]:
        """Call many methods of one object, and go on whatever they raise."""
        number = self._known(thing)
        operations: list[Operation] = [(number, call.method, call.arguments, {}) for call in calls]
        return [reply for reply in self._replies(operations) if reply is not None]

    def _known(self, thing: "RemoteObject") -> int:
        self._ready()
        life, number = object.__getattribute__(thing, "_life"), object.__getattribute__(thing, "_number")
        if life != self._life:
            raise Gone("died", f"The process with this object of {self.name} has ended before.")
        return int(number)

    # --- offline -------------------------------------------------------------------------------------

    def run(self, scripts: Sequence[Script]) -> list[list[Reply]]:
        """Play each script with an object of its own, up to the first error; one of `__init__` is its only reply."""
        found: list[list[Reply]] = [[] for _ in scripts]
        places = [(index, call) for index, script in enumerate(scripts) for call in range(-1, len(script.calls))]
        first = 0
        while first < len(places):
            self._ready()
            left = places[first:]
            operations = [operation(scripts[script], call) for script, call in left]
            place = -1
            try:
                for place, reply in enumerate(self._replies(operations, stop=True)):
                    if reply is not None:
                        found[left[place][0]].append(reply)
            except Gone as gone:
                gone.call = left[min(gone.index, len(left) - 1)]
                raise
            script = left[place][0]  # if memory was used up, the rest of it needs an object that is lost
            first += next((later for later in range(place, len(left)) if left[later][0] > script), len(left))
        return found

    # --- both ----------------------------------------------------------------------------------------

    def _ready(self) -> None:
        if self.borrowed is not None:
            raise Gone("borrowed", self.borrowed)
        if self._spent or not self._process.alive:
            self.restart()
        if self.problems:
            raise Gone("died", self.problems[0])

    def _replies(self, operations: Sequence[Operation], stop: bool = False) -> Iterator[Reply | None]:
        """Yield what came of each operation, None for what returns nothing; ends early if memory was used up."""
        done = 0
        for kind, data in self._ask(operations, stop):
            try:
                reply = self._reply(operations[done][1] or "", kind, data)
            except Exception:
                reply = self._end("died", self._unreadable, done)
            yield reply
            done += 1
        if done < len(operations) and not self._spent:
            self._end("died", self._unreadable, done)

    def _ask(self, operations: Sequence[Operation], stop: bool = False) -> Iterator[Entry]:
        if self._dropped:
            dropped: list[Operation] = [(number, None, (), {}) for number in self._dropped]
            self._dropped.clear()
            list(self._send(dropped, False))
        for start in range(0, len(operations), AT_ONCE):
            try:
                yield from self._send(operations[start : start + AT_ONCE], stop)
            except Gone as gone:
                gone.index += start
                raise
            if self._spent:
                return

    def _send(self, operations: Sequence[Operation], stop: bool) -> Iterator[Entry]:
        self._number += 1
        count = 0
        for entries in self._process.ask(encode((self._number, stop, operations), self._shared), self._number):
            count += len(entries)
            if count > len(operations):
                self._end("died", self._unreadable, 0)
            yield from entries

    def _reply(self, method: str, kind: int, data: msgspec.Raw) -> Reply | None:
        if kind == SKIPPED:
            return None
        if kind == OK and method:
            if len(data) > self.limits.reply:
                return Reply(wrong=f"a value of {len(data):,} bytes")
            try:
                return Reply(self._decoders[method].decode(data))
            except Exception:
                return Reply(wrong=_shown(data))
        if kind == ERROR:
            text, unfinished, self._spent = msgspec.msgpack.decode(data, type=tuple[str, bool, bool])
            return Reply(error=bounded(text, 700), unfinished=unfinished)
        text = msgspec.msgpack.decode(data, type=str)
        if kind == BORROWED:
            self._end("borrowed", borrowed.sentence(self.name, bounded(text, 200)))
        if kind != WRONG or not method:
            raise ValueError("no such answer")
        return Reply(wrong=bounded(text, 80))

    @property
    def _unreadable(self) -> str:
        return f"What {self.name} answered cannot be read."

    def _end(self, verdict: Any, sentence: str, index: int = 0) -> NoReturn:
        self.close()
        raise Gone(verdict, sentence, "", index)


def _shown(data: msgspec.Raw) -> str:
    try:
        return bounded(repr(msgspec.msgpack.decode(data)), 60)
    except Exception:
        return "a value that cannot be shown"


class RemoteObject:
    """An object of a remote class, which is called as if it were here."""

    def __init__(self, remote: RemoteClass, number: int, life: int) -> None:
        self._remote, self._number, self._life = remote, number, life

    def __getattr__(self, name: str) -> Any:
        if name not in self._remote.methods:
            raise AttributeError(f"{self._remote.name} is asked for its methods only; {name!r} is none of them")
        return _RemoteMethod(self, name)

    def __del__(self) -> None:
        remote = self._remote
        if self._life == remote._life:
            remote._dropped.append(self._number)


class _RemoteMethod:
    def __init__(self, thing: RemoteObject, name: str) -> None:
        self._thing, self._name = thing, name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        thing, name = self._thing, self._name
        reply = thing._remote.call(thing, name, arguments, named)
        if reply.error is not None:
            raise Raised(reply.error, reply.unfinished)
        if reply.wrong is not None:
            raise Raised(f"{name} returned {reply.wrong}")
        return reply.value
