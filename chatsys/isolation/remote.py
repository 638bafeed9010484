"""Remote: somebody's own class in a confined process, asked from here.

    remote = RemoteClass(code, "MyHoldBack", {"receive": Method(("number", "message"), list[Message])}, given=(Message,))
    remote.problems                             what keeps it from being asked, in sentences
    remote.run([CallScript(...), ...])              offline: many objects, all calls of each at once
    queue = remote.new(); remote.call(queue, "receive", (1, message))  --> Reply
    queue.receive(1, message)                   live: like the class itself; what it raised is `Raised`

Nothing that comes from the process is unpickled here: a reply is a value of the declared type, or a sentence about
what came instead.  When the process is lost, `Gone` says why; it is a BaseException, because a world would take any
other error for a crash of one node and would play on.

Promises  the class can answer, and nothing else; the same answers however many scripts are sent at once.
Read also `calls` (CallScript, Reply), `confined_process` (limits and clocks), `answering` (the other end).
"""

import sys
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import msgspec

from chatsys.isolation import borrowed
from chatsys.isolation.answering import BORROWED, ERROR, LOADED, OK, SETTLE, SKIPPED, WRONG
from chatsys.isolation.calls import Call, CallScript, Method, Reply
from chatsys.isolation.confined_process import ConfinedProcess, Entry
from chatsys.isolation.drain import say_bytes
from chatsys.isolation.limits import NO_THREAD, NOTHING_SPENT, Gone, Quota, bounded, keeps_threads
from chatsys.isolation.operations import SCRIPT, Operation, encode, is_plain, operations_of, with_bases
from chatsys.isolation.pickling import pack
from chatsys.isolation.remote_object import Raised, RemoteObject

__all__ = ["Gone", "Quota", "Raised", "RemoteClass", "RemoteObject"]

ORDINARY = Quota()
"""Those of an ordinary exercise."""
SHORTAGES = 5
"""So many times a class may use up its memory and is asked on."""
AT_ONCE = 500
"""So many operations go into one request."""


class RemoteClass:
    """A class in a confined process."""

    def __init__(
        self,
        code: bytes,
        name: str,
        methods: Mapping[str, Method],
        given: Sequence[type] = (),
        limits: Quota = ORDINARY,
        *,
        holder: str = "",
    ) -> None:
        """`code` is {name: the class}, packed.  Raises `Gone` if the class cannot even be opened in time.

        With a `holder`, "module:Class" of the package, `code` may hold anything: the holder is made of it, and asked; then
        `methods` may have those of both.
        """
        self.code, self.name, self.methods, self.limits, self.holder = code, name, dict(methods), limits, holder
        self.given = with_bases(given)
        plain = {one: (how.arguments, how.returns, how.optional) for one, how in methods.items()}
        self._packed = pack((self.given, plain), by_value=self.given)
        self._decoders = {one: msgspec.msgpack.Decoder(how.returns) for one, how in methods.items()}
        self._shared = {kind for kind in self.given if is_plain(kind)}
        self._dropped: list[int] = []
        self.unfinished = ""
        """The first method that raised NotImplementedError: nobody has written it yet."""
        self._objects, self._life, self._before, self._shortages = SCRIPT, 0, NOTHING_SPENT, 0
        self._begin()

    def _begin(self) -> None:
        self._number, self._spent = LOADED, False
        self._life += 1
        self._dropped.clear()
        self._process = ConfinedProcess(self.limits, self.name, self.holder, self._before)
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
        return self._process.spent.cpu

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
        self._before = self._process.spent
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

    def new(self, *arguments: Any, **named: Any) -> RemoteObject:
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
        thing: RemoteObject,
        method: str,
        arguments: Sequence[Any] = (),
        named: Mapping[str, Any] = MappingProxyType({}),
    ) -> Reply:
        """Call a method of an object and return what came of it."""
        (reply,) = self._replies([(self._known(thing), method, tuple(arguments), dict(named))])
        assert reply is not None
        return reply

    def first_wrong(self, thing: RemoteObject, calls: Sequence[Call]) -> Reply | None:
        """Call many methods of one object, and go on whatever they raise, unless memory is used up: that is the last.

        Returns the first reply that is not right; none of the others is kept, for they may be many.
        """
        number = self._known(thing)
        operations: list[Operation] = [(number, call.method, call.arguments, {}) for call in calls]
        first = None
        for reply in self._replies(operations):
            if first is None and reply is not None and not reply.right:
                first = reply
        return first

    def _known(self, thing: RemoteObject) -> int:
        self._ready()
        life, number = object.__getattribute__(thing, "_life"), object.__getattribute__(thing, "_number")
        if life != self._life:
            raise Gone("died", f"The process with this object of {self.name} has ended before.")
        return int(number)

    # --- offline -------------------------------------------------------------------------------------

    def run(self, scripts: Sequence[CallScript]) -> list[list[Reply]]:
        """Play each script with an object of its own, up to the first reply that is not right.

        What `__init__` raised is the only reply of its script.
        """
        found: list[list[Reply]] = [[] for _ in scripts]
        operations = [one for script in scripts for one in operations_of(script)]
        owners = [index for index, script in enumerate(scripts) for _ in range(len(script.calls) + 1)]
        first = 0
        while first < len(operations):
            self._ready()
            place = first - 1
            try:
                for place, reply in enumerate(self._replies(operations[first:], stop=True), first):
                    mine = found[owners[place]]
                    if reply is not None and (not mine or mine[-1].right):
                        mine.append(reply)
            except Gone as gone:
                at = min(first + gone.index, len(owners) - 1)
                gone.call = owners[at], at - owners.index(owners[at]) - 1
                raise
            first = bisect_right(owners, owners[place])  # what is left of this script needs an object that is lost
        return found

    # --- both ----------------------------------------------------------------------------------------

    def _ready(self) -> None:
        if self.borrowed is not None:
            raise Gone("borrowed", self.borrowed)
        if self._spent:
            self._shortages += 1
            if self._shortages > SHORTAGES:
                self._end("died", f"{self.name} used up {say_bytes(self.limits.memory)} of memory again and again.")
        if self._spent or not self._process.alive:
            self.restart()
        if self.problems:
            raise Gone("died", self.problems[0])

    def _replies(self, operations: Sequence[Operation], stop: bool = False) -> Iterator[Reply | None]:
        """Yield what came of each operation, None for what returns nothing; ends early if memory was used up."""
        done, failed = 0, False
        for entries in self._ask(operations, stop):
            for kind, data in entries:
                method = operations[done][1] or ""
                failed = failed and method != ""
                try:
                    reply = self._reply(method, kind, data)
                except Exception:
                    self._end("died", self._unreadable, done)
                if (reply is None) != (failed or not method) and not (kind == ERROR and not failed):
                    # it leaves out what it should answer, or the other way round
                    self._end("died", self._unreadable, done)
                failed = failed or (stop and kind in (ERROR, WRONG))
                yield reply
                done += 1
        if done < len(operations) and not self._spent:
            self._end("died", self._unreadable, done)

    def _ask(self, operations: Sequence[Operation], stop: bool = False) -> Iterator[list[Entry]]:
        """Yield what came of the operations, many at once."""
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

    def _send(self, operations: Sequence[Operation], stop: bool) -> Iterator[list[Entry]]:
        self._number += 1
        count = 0
        for entries in self._process.ask(encode((self._number, stop, operations), self._shared), self._number):
            count += len(entries)
            if count > len(operations):
                self._end("died", self._unreadable, 0)
            yield entries

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
            if text.startswith(NO_THREAD):
                where = bounded(text.removeprefix(NO_THREAD).strip().removeprefix("(").removesuffix(")"), 100)
                self._end("died", keeps_threads(self.name, where))
            if unfinished and not self.unfinished:
                self.unfinished = method or "__init__"
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
