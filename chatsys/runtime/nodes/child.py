"""Child: the main program of a node process that a cluster started.

    python -m chatsys.runtime.nodes.child < control pipe > trace pipe        in a container too

It first reads `Begin`, then lives as long as that pipe: its end, however it comes, is the end of
this process.  A thread reads the pipe, so that even an actor that loops for ever cannot miss it.

Promises  the trace of a turn is in the pipe before the frames of that turn leave (a pipe's bytes
          survive kill -9); nothing heavy is imported, so that a process is up in a blink.
Read also `control` (the messages), `process` (the other end of the pipes).
"""

import asyncio
import base64
import os
import pickle
import signal
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NoReturn

from chatsys.config import split_address
from chatsys.errors import BrokenInvariant, ChatsysError
from chatsys.runtime.disk import Disk
from chatsys.runtime.host import Host
from chatsys.runtime.net.ports import cannot_listen
from chatsys.runtime.net.strangers import raise_limit
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
    line,
    to_node,
)
from chatsys.runtime.unguessable import Unguessable
from chatsys.surroundings import TOGETHER
from chatsys.trace import Record


def main() -> NoReturn:
    """Be the node that the control pipe describes, until told to end or until the pipe ends."""
    trace_pipe = os.dup(1)
    os.dup2(2, 1)  # what an actor prints must not mix with the trace
    _die_with_parent()
    lines = open(0, "rb", closefd=False)
    first = lines.readline()
    if not first:
        os._exit(1)
    begin = to_node.decode(first)
    assert isinstance(begin, Begin), "the first line to a node process is Begin"
    try:
        asyncio.run(_live(begin, lines, trace_pipe))
        code = 0
    except (ChatsysError, OSError) as error:
        _tell(trace_pipe, Failed(type(error).__name__, str(error)))
        code = 2
    except Exception as error:
        _tell(trace_pipe, Failed(type(error).__name__, f"{type(error).__name__}: {error}"))
        code = 3
    os._exit(code)


async def _live(begin: Begin, lines: Any, trace_pipe: int) -> None:
    sys.path[:] = begin.path or sys.path
    actor, options = _unpack(begin.classes)
    loop = asyncio.get_running_loop()
    raise_limit()

    def sink(records: list[Record]) -> None:
        _tell(trace_pipe, Traced(records))

    random = Random(begin.seed) if begin.seed is not None else Unguessable()
    owner = (begin.config.cluster, begin.node)
    disk = Disk(Path(begin.data), actor.records, owner=owner, owner_of=actor.owner)
    host = Host(
        begin.node, begin.config, partial(actor, **options), sink, disk=disk, origin=begin.origin,
        life=begin.life, random=random, rules=begin.rules, address=begin.address,
    )  # fmt: skip
    loop.set_exception_handler(lambda _, context: host.escaped(context))
    ended: asyncio.Future[bool] = loop.create_future()
    threading.Thread(target=_read, args=(lines, loop, _orders(host, trace_pipe, ended)), daemon=True).start()
    with suppress(NotImplementedError):
        loop.add_signal_handler(signal.SIGTERM, _end, ended, True)
    address = begin.config.members.get(begin.node) or begin.address
    try:
        await host.start(split_address(address))
    except OSError as error:
        raise ChatsysError(cannot_listen(address, error)) from None
    _tell(trace_pipe, Ready(host.recorder.incarnation))
    either: set[asyncio.Future[Any]] = {ended, host.ended}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if host.ended.done():
        known = host.error if isinstance(host.error, ChatsysError) else None
        _tell(trace_pipe, Failed(type(known or BrokenInvariant("")).__name__, host.ended.result()))
        return
    await _leave(host, politely=ended.result())


async def _leave(host: Host, politely: bool) -> None:
    """Stop in good order; a second signal ends this process at once, but not one that came together with the first."""
    if politely:
        asyncio.get_running_loop().call_later(TOGETHER, _end_at_next)
        await host.stand_down()
    await host.stop()


def _end_at_next() -> None:
    with suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, os._exit, 1)


def _end(ended: "asyncio.Future[bool]", politely: bool) -> None:
    if not ended.done():
        ended.set_result(politely)


def _orders(host: Host, trace_pipe: int, ended: "asyncio.Future[bool]") -> Any:
    """Return the function that carries out one order of the cluster."""

    def carry_out(order: Any) -> None:
        match order:
            case ApplyRules(rules):
                host.apply_rules(rules)
            case AskStatus(number):
                _tell(trace_pipe, StatusReply(number, host.status()))
            case GiveCommand(packed):
                host.command(_unpack(packed))
            case End(politely):
                _end(ended, politely)

    return carry_out


def _read(lines: Any, loop: asyncio.AbstractEventLoop, carry_out: Any) -> None:
    """The thread: pass every order on; when the pipe ends, so does this process, at once."""
    for one in lines:
        try:
            loop.call_soon_threadsafe(carry_out, to_node.decode(one))
        except RuntimeError:  # the loop has ended already
            break
    os._exit(1)


def _tell(pipe: int, value: Any) -> None:
    """Write all of it, however long the cluster takes to read: evidence goes before frames."""
    data = memoryview(line(value))
    try:
        while data:
            data = data[os.write(pipe, data) :]
    except BrokenPipeError:
        os._exit(1)


def _unpack(packed: str) -> Any:
    return pickle.loads(base64.b64decode(packed))  # from our own cluster; see `pickling`


def _die_with_parent() -> None:
    """On Linux ask to be killed when the parent dies: a stopped process cannot notice its pipe's end.

    Elsewhere a stopped process gets SIGHUP when its process group loses its last parent.
    """
    if sys.platform != "linux":
        return
    import ctypes
    import signal

    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


if __name__ == "__main__":
    main()
