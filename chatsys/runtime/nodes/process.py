"""A node at the other end of two pipes: in a process of its own, or in a container (`container`).

    cluster --stdin pipe: Begin, rules, questions--> process
    cluster <--stdout pipe: the trace, answers------ process
    stderr.txt <--stderr pipe, cut: what it prints-- process

What the pipes lead to is its `body`, which alone knows how it is begun, killed and paused.

The process ends when its stdin pipe ends, so killing the notebook's kernel ends it too.  Its own
process group keeps the terminal's Ctrl-C away from it, and gets it woken if it is an orphan.

Read also `child` (what runs there), `control` (what is said), `body`, `container`, `kernel` (the node in this process).
"""

import asyncio
import base64
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec

from chatsys import errors
from chatsys.errors import ChatsysError, NotHere
from chatsys.isolation.drain import Drain
from chatsys.isolation.pickling import pack
from chatsys.runtime.host import STAND_DOWN
from chatsys.runtime.net.rules import RuleSet
from chatsys.runtime.nodes import control
from chatsys.runtime.nodes.body import Body, Process
from chatsys.runtime.nodes.control import (
    ApplyRules,
    AskStatus,
    Begin,
    End,
    Failed,
    GiveCommand,
    Ready,
    StatusReply,
    Traced,
)
from chatsys.runtime.nodes.kernel import NodePlan
from chatsys.runtime.recorder import Sink
from chatsys.surroundings import make_folder, private
from chatsys.trace import Record

FIRST = asyncio.FIRST_COMPLETED
STOP_TIME = 2.0
PRINTED = 1 << 20
"""So many bytes of what one life prints are kept in stderr.txt; a file that is fuller begins anew with the next life."""
LINE = 1 << 26
"""Bytes that one line of the trace pipe may have."""
PIPE_BYTES = 1 << 20
"""The trace pipe holds so much while the cluster is busy, where the system allows it."""


class ProcessNode:
    """One node over all its lives."""

    def __init__(self, plan: NodePlan, node: int, sink: Sink, body: Body) -> None:
        self.plan, self.node, self.sink, self.body = plan, node, sink, body
        self.folder = body.folder
        self.lives = 0
        self.paused = False
        self.failure: str | None = None
        """Why the last life ended by itself."""
        self.process: Process | None = None
        self.log = plan.data(node) / "stderr.txt"
        self.printed: Drain | None = None
        """What the last life printed, from whatever it printed with; the trace has a pipe of its own."""
        self._wire: _Wire | None = None
        self._ends = False
        """Whether the end of this life was ordered here."""
        self._telling: asyncio.Future[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether a life goes on: one that said why it ended is over, though its process may still be there."""
        return self._wire is not None and not self._wire.ended.done() and self._wire.failed is None

    @property
    def pid(self) -> int | None:
        """The process id of the life that goes on."""
        return self.process.pid if self.process is not None and self.alive else None

    async def start(self, rules: RuleSet) -> None:
        """Begin a life in a new process.  Raises `ChatsysError` with the child's own sentence."""
        await self.crash()  # a life that ended by itself left its pipes
        self.lives += 1
        self.paused, self.failure, self._ends = False, None, False
        plan = self.plan
        begin = Begin(
            node=self.node, config=plan.config, data=self.body.data, origin=plan.origin, life=self.lives,
            seed=plan.seed_of(self.node, self.lives), rules=rules, address=plan.address,
            classes=base64.b64encode(pack((plan.actor, plan.options))).decode(), path=self.body.path,
        )  # fmt: skip
        self.process = self._spawn()
        self._wire = await _Wire.open(self.process, self._take)
        self._wire.send(begin)
        begun: set[asyncio.Future[Any]] = {self._wire.ready, self._wire.ended}
        await asyncio.wait(begun, timeout=self.body.patience, return_when=FIRST)
        if not self._wire.ready.done():
            await self.crash()
            raise self._error()
        self._wire.ended.add_done_callback(partial(self._was_ended, self._wire))

    def _was_ended(self, wire: "_Wire", _: object) -> None:
        """See whether the process is gone though nobody here ended it and it said nothing: `kill -9` in a terminal, say."""
        if wire is self._wire and self.process is not None and not self._ends and wire.failed is None:
            self._telling = asyncio.ensure_future(self._tell_end(self.process, time.monotonic() - self.plan.origin))

    async def _tell_end(self, process: Process, at: float) -> None:
        life = self.lives
        with suppress(subprocess.TimeoutExpired):  # its pipe ends a moment before the system can say how it ended
            await asyncio.to_thread(process.wait, 2.0)
        code = process.poll()
        if code == 0:  # SIGTERM: it handed over and stopped, and has said so
            return
        how = f" ({signal.Signals(-code).name})" if code is not None and code < 0 else ""
        why = f"Its process was ended from outside{how}."
        self.sink([Record(at, "crash", self.node, life, reason=why)])
        if life == self.lives:
            self.failure = why

    def _spawn(self) -> Process:
        if os.name == "nt":
            raise NotHere("Nodes in processes need Linux or macOS; use where='kernel'.")
        make_folder(self.log.parent)
        if self.log.exists() and self.log.stat().st_size > PRINTED:
            self.log.unlink()
        command, environment = self.body.command(), self.body.environment()
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, process_group=0, env=environment)
        assert process.stdout is not None and process.stderr is not None
        self.printed = Drain(process.stderr, self._print, most=PRINTED)
        _widen(process.stdout.fileno())
        return process

    def _print(self, data: bytes) -> None:
        with open(self.log, "ab", opener=private) as log:
            log.write(data)

    def _take(self, message: Any) -> None:
        match message:
            case Traced(records):
                self.sink(records)
            case Failed(_, sentence):
                self.failure = sentence

    def _error(self) -> ChatsysError:
        """Return why the process could not begin, as the error it told of."""
        failed = self._wire.failed if self._wire is not None else None
        printed = self.printed if self.printed is not None and self.printed.wait(2.0) else None
        if why := self.body.explain(
            failed.sentence if failed else printed.tail.decode(errors="replace") if printed else ""
        ):
            return NotHere(why)
        if failed is None:
            last = printed.last_line() if printed else ""
            return ChatsysError(f"Node {self.node}'s process did not start: {last or 'it said nothing'}.")
        kind = getattr(errors, failed.error, ChatsysError)
        if kind is errors.DamagedLog or not (isinstance(kind, type) and issubclass(kind, ChatsysError)):
            kind = errors.LogError if kind is errors.DamagedLog else ChatsysError
        return kind(failed.sentence)

    async def crash(self) -> None:
        """Kill the process, or the container."""
        self._ends = True
        if self.process is None:
            return
        process, self.process = self.process, None
        await self.body.kill(process)
        if self._wire is not None:
            await self._wire.gone()
        await asyncio.to_thread(process.wait, 10.0)
        if self.printed is not None:
            await asyncio.to_thread(self.printed.wait, 1.0)  # before its folder goes

    def end(self) -> None:
        """Kill the process if it is still there: the last resort, from any thread."""
        if self.process is not None:
            self.process.kill()

    async def shutdown(self) -> None:
        """End this life in peace, after it has handed over what it leads."""
        await self._end(End(politely=True), STAND_DOWN + STOP_TIME)

    async def stop(self) -> None:
        """End this life in peace; a process that does not answer is killed."""
        await self._end(End(), STOP_TIME)

    async def _end(self, order: End, limit: float) -> None:
        if self._wire is not None and self.alive:
            self._ends = True
            if self.paused:
                await self.resume()
            self._wire.send(order)
            done, _ = await asyncio.wait({self._wire.ended}, timeout=limit)
            if not done:
                at, why = time.monotonic() - self.plan.origin, f"It had not stopped after {limit:g} s, and was killed."
                self.sink([Record(at, "crash", self.node, self.lives, reason=why)])
        await self.crash()

    async def pause(self) -> None:
        """Stop the process (SIGSTOP), or freeze the container."""
        if self.process is not None:
            await self.body.pause(self.process)
            self.paused = True

    async def resume(self) -> None:
        """Let it go on."""
        if self.process is not None:
            await self.body.resume(self.process)
            self.paused = False

    async def status(self) -> dict[str, Any]:
        """Ask the process; {} if it does not answer."""
        if self._wire is None or not self.alive or self.paused:
            return {}
        return await self._wire.ask(limit=2.0)

    def apply_rules(self, rules: RuleSet) -> None:
        """Apply these link rules."""
        if self._wire is not None:
            self._wire.send(ApplyRules(rules))

    def command(self, command: msgspec.Struct) -> None:
        """Give the actor an order."""
        if self._wire is not None:
            self._wire.send(GiveCommand(base64.b64encode(pack(command)).decode()))


class _Wire(asyncio.Protocol):
    """The two pipes of one process."""

    def __init__(self, take: Callable[[Any], None]) -> None:
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[int] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self.failed: Failed | None = None
        self._take = take
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._tail = b""
        self._out: asyncio.WriteTransport
        self._in: asyncio.BaseTransport

    @classmethod
    async def open(cls, process: Process, take: Callable[[Any], None]) -> "_Wire":
        """Serve the pipes of `process` on the running loop."""
        loop = asyncio.get_running_loop()
        wire = cls(take)
        assert process.stdin is not None and process.stdout is not None
        wire._out, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, process.stdin)
        wire._in, _ = await loop.connect_read_pipe(lambda: wire, process.stdout)
        return wire

    def send(self, message: msgspec.Struct) -> None:
        """Tell the process something; nothing happens if it is gone."""
        if not self._out.is_closing():
            self._out.write(control.line(message))

    async def ask(self, limit: float) -> dict[str, Any]:
        """Return the process's status, {} if it does not answer in time."""
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self.send(AskStatus(number))
        await asyncio.wait({answer, self.ended}, timeout=limit, return_when=FIRST)
        self._asked.pop(number, None)
        return answer.result() if answer.done() else {}

    async def gone(self) -> None:
        """Wait until everything the process ever wrote has been read, then close."""
        await asyncio.wait({self.ended}, timeout=5.0)
        if not self._out.is_closing():
            self._out.abort()
        self._in.close()

    def data_received(self, data: bytes) -> None:
        """Take in whole lines."""
        *lines, self._tail = (self._tail + data).split(b"\n")
        for one in lines if len(self._tail) < LINE else (b"",):
            try:
                message = control.from_node.decode(one)
            except msgspec.DecodeError:
                self.failed = Failed("ChatsysError", "The process wrote into the pipe of its trace what is no trace.")
                self._take(self.failed)
                self._tail = b""
                self._in.close()
                return
            match message:
                case Ready(incarnation) if not self.ready.done():
                    self.ready.set_result(incarnation)
                case StatusReply(number, status):
                    if (answer := self._asked.get(number)) is not None and not answer.done():
                        answer.set_result(status)
                case Failed():
                    self.failed = message
            self._take(message)

    def connection_lost(self, error: Exception | None) -> None:
        """The process has ended."""
        if not self.ended.done():
            self.ended.set_result(None)


def _widen(pipe: int) -> None:
    """Let the trace pipe hold more, so that a busy notebook does not slow the nodes down."""
    try:
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except (ImportError, AttributeError, OSError):
        pass
