"""Listener: takes connections in, one by one, also when the process is out of descriptors.

    listening socket --accept--> a new `Inbound` link
                        `--no descriptor left--> give up the spare one, accept, close, take it back

asyncio's own server accepts hundreds at once, and where descriptors run out it tells the loop's
exception handler and is deaf for a second.  So a node accepts by itself: after each connection the
others have their turn, and `Strangers` sees every one in time.

Promises  an error of the surroundings ends no listener: it is told (at most once a second), what
          cannot be served is closed, and the next connection is taken as if nothing had been.
Read also `strangers` (how many are kept), `transport` (who listens).
"""

import asyncio
import errno
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from chatsys.runtime.net.strangers import Seldom

BACKLOG = 256
SHORT = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
"""What a system says when it has no more to give: descriptors of the process, of the machine, memory."""
REST = 0.1
"""Seconds to wait where nothing can be done."""


class Listener:
    """Accepts on some sockets; `made` makes the protocol of each connection, `short` takes what went wrong."""

    def __init__(self, sockets: list[socket.socket], made: Callable[[], asyncio.BaseProtocol], short: Seldom) -> None:
        self.sockets, self.made, self.short = sockets, made, short
        self._closed = False
        self._spare: int | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to accept."""
        self._keep_spare()
        loop = asyncio.get_running_loop()
        for one in self.sockets:
            one.setblocking(False)
            one.listen(BACKLOG)
            task = loop.create_task(self._accept(one), name="accepts")
            task.add_done_callback(lambda task, one=one: _ended(task, one))  # type: ignore[misc]
            self._tasks.append(task)

    def close(self) -> None:
        """Accept no more; nobody can connect from here on.  Again is harmless."""
        self._closed = True
        loop = asyncio.get_running_loop()
        tasks, self._tasks = self._tasks, []
        for one, task in zip(self.sockets, tasks, strict=False):
            with suppress(NotImplementedError):  # Windows: its loop has no readers
                loop.remove_reader(one)  # otherwise a connection that is there already meets a cancelled future
            with suppress(OSError):  # some systems cannot shut a listening socket down; it is closed in a moment
                one.shutdown(socket.SHUT_RDWR)
            # Not at once: what was accepted in this turn of the loop is on its way to the task, and would be lost unclosed.
            loop.call_soon(task.cancel)
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while not self._closed:
            try:
                raw, _ = await loop.sock_accept(listening)
            except OSError as error:
                if not self._closed:
                    await self._without(listening, error)
                continue
            try:
                await loop.connect_accepted_socket(self.made, raw)
            except BaseException as error:  # cancelled, too: whoever came just now is not left hanging
                raw.close()
                if not isinstance(error, OSError):
                    raise
                self.short.note(f"a connection could not be taken: {reason(error)}")

    async def _without(self, listening: socket.socket, error: OSError) -> None:
        """Accepting failed: send one who waits away, so that nobody waits for nothing, and go on."""
        if error.errno not in SHORT:
            self.short.note(f"a connection could not be taken: {reason(error)}")
            return await asyncio.sleep(REST)
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        try:
            listening.accept()[0].close()
        except BlockingIOError:  # nobody waits: Linux takes the descriptor before it looks
            pause = REST
        except OSError:
            pause = REST
            self.short.note(f"connections must wait: {reason(error)}")
        else:
            pause = 0.0
            self.short.note(f"a connection was closed at once: {reason(error)}")
        self._keep_spare()
        await asyncio.sleep(pause)

    def _keep_spare(self) -> None:
        if self._spare is None:
            with suppress(OSError):
                self._spare = os.open(os.devnull, os.O_RDONLY)


def _ended(task: "asyncio.Task[None]", listening: socket.socket) -> None:
    listening.close()
    if not task.cancelled():
        task.result()  # a bug of ours: the loop's exception handler is told


async def bind(host: str, port: int) -> list[socket.socket]:
    """Return sockets bound to all addresses of `host` that this machine has; raises `OSError`."""
    find = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        found = find(flags=socket.AI_PASSIVE | socket.AI_NUMERICHOST)  # at once: nobody is asked
    except OSError:
        found = await asyncio.get_running_loop().run_in_executor(None, partial(find, flags=socket.AI_PASSIVE))
    except UnicodeError:
        raise OSError(errno.EINVAL, "no host can have this name") from None
    sockets: list[socket.socket] = []
    absent: OSError | None = None
    try:
        for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
            try:
                sockets.append(_bound(family, address))
            except OSError as error:
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
                absent = error  # `localhost` may name ::1 on a machine without it; 127.0.0.1 is enough
        if not sockets:
            raise absent or OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    except OSError:
        for one in sockets:
            one.close()
        raise
    return sockets


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix" and sys.platform != "cygwin":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except BaseException:
        made.close()
        raise
    return made


def reason(error: Exception) -> str:
    """Return what the system says, as part of a sentence."""
    said = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return (said[:1].lower() + said[1:]).rstrip(".") or type(error).__name__
