"""A client's connection: a `Client` actor with real sockets, for a terminal, a bot or a web page.

    host = ClientHost(["127.0.0.1:5001"], name="ann", on_record=print)
    host.start()                  # finds the cluster through any address that answers
    host.say("hello")             # from any thread; repeated until it is known what became of it
    host.stop()

Any one live address is enough: the node there tells who the members are.  Everything that happens
is a trace `Record`, handed to `on_record` on the client's own thread:

    link_up, link_down   peer                 a node is reachable, or not any more
    submit               text, client_seq     sent for the first time, to `peer`
    ack                  text, seq, msg_no    it is committed: delivered everywhere, for ever
    reply                reason               busy, redirect, ... (it is repeated), or refused (too_large ...)
    indeterminate        text                 perhaps delivered, perhaps not; it is never said twice
    seen                 author, room, text, msg_no    the chat itself, in order
    reread               the same             what `reread` asked for, in order, all of it at once

Read also `protocol.client` (what the actor does), `clients.line` (a terminal around this).
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from chatsys.actor.events import Say
from chatsys.capabilities import SOCKETS, THREADS, need
from chatsys.config import ClusterConfig, Timing, split_address
from chatsys.errors import ChatsysError, FrameError, UsageError
from chatsys.protocol.client import Client
from chatsys.protocol.listening.reading import Reread
from chatsys.runtime.host import Host
from chatsys.runtime.loop import LoopThread
from chatsys.runtime.net.wire import PROTOCOL, Hello, Refused, line, read_greeting
from chatsys.surroundings import reason as why
from chatsys.trace import Record

GREETING_LIMIT = 2.0


class ClientHost:
    """One user's end of the chat over TCP."""

    def __init__(
        self,
        addresses: Sequence[str],
        name: str,
        on_record: Callable[[Record], None],
        *,
        cluster: str = "chat",
        timing: Timing | None = None,
        listen: bool = True,
        newest: int = 0,
    ) -> None:
        """Prepare a client called `name` for the cluster behind any of `addresses` (`host:port`).

        With `listen` it also receives the chat (records of kind `seen`), all of it, or the `newest` so many
        messages and what follows.  Raises `ConfigError` for an address that is none, `UsageError` for an empty name.
        """
        if not addresses:
            raise UsageError("A client needs at least one address, for example 127.0.0.1:5001.")
        if not isinstance(name, str) or not name.strip() or len(name) > 80:
            raise UsageError(f"The name is {name!r:.90}; give one of 1 to 80 characters.")
        self.addresses = [(*split_address(address), address) for address in addresses]
        self.name, self.cluster, self.listen, self.newest = name, cluster, listen, newest
        self.timing = timing or Timing()
        self.on_record = on_record
        self.config: ClusterConfig | None = None
        """The cluster as it was found; None before `start`."""
        self._host: Host | None = None
        self._loop: LoopThread | None = None
        self._lock = threading.Lock()
        self._posted = 0

    def start(self, limit: float = 10.0) -> "ClientHost":
        """Find the cluster and begin; tries all addresses in turn for `limit` seconds.

        Raises `ChatsysError` with a sentence if no node answers or the cluster refuses.
        """
        need("A client's connection", THREADS, SOCKETS, instead="use a World: world.say(...) has clients of its own")
        self._loop = LoopThread(f"chatsys client {self.name}", self._lost)
        try:
            self._loop.call(self._begin(limit), limit + 5.0)
        except BaseException:
            self.stop()
            raise
        return self

    def say(self, text: str, room: str = "main", author: str | None = None) -> None:
        """Say `text`; returns at once, and a record tells what became of it.  Any thread may call this."""
        if not isinstance(text, str):
            raise UsageError(f"The text is {text!r:.80}, which is no text; put it in quotes.")
        if not text.strip():
            raise UsageError("The text is empty; write at least one character.")
        host, loop = self._host, self._loop
        if host is None or loop is None:
            raise UsageError("This client is not started; call start() first.")
        with self._lock:
            self._posted += 1
        loop.loop.call_soon_threadsafe(self._hand, host, Say(text, room, author or self.name))

    def reread(self, first: int, last: int) -> None:
        """Read messages `first` to `last` again, as far as they were seen; at most `LONGEST_STRETCH`, as records `reread`.

        Returns at once; any thread may call this.  A later call takes the place of one that is not answered yet.
        """
        host, loop = self._host, self._loop
        if host is not None and loop is not None:
            loop.loop.call_soon_threadsafe(host.command, Reread(first, last))

    def _hand(self, host: Host, said: Say) -> None:
        host.command(said)
        with self._lock:
            self._posted -= 1

    @property
    def idle(self) -> bool:
        """Whether everything said so far has found its end (acknowledged, refused or indeterminate)."""
        host = self._host
        return host is None or (not self._posted and host.idle and bool(getattr(host.actor, "idle", True)))

    @property
    def links(self) -> tuple[int, ...]:
        """The nodes that can be reached now."""
        host = self._host
        return () if host is None else tuple(sorted(getattr(host.actor, "links", ())))

    @property
    def members(self) -> tuple[int, ...]:
        """All nodes, as the first one that answered named them."""
        return () if self.config is None else self.config.ids

    @property
    def target(self) -> int | None:
        """The node that is spoken to, whether it can be reached or not."""
        return getattr(self._host.actor, "target", None) if self._host is not None else None

    @property
    def leader(self) -> int | None:
        """The node that leads, as far as somebody told."""
        return getattr(self._host.actor, "leader", None) if self._host is not None else None

    def stop(self) -> None:
        """Close all links; again is harmless."""
        with self._lock:
            loop, self._loop = self._loop, None
            if loop is None:
                return
            if self._host is not None:
                loop.call(self._host.stop(), 5.0)
            loop.stop()

    def __enter__(self) -> "ClientHost":
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    # --- on the loop --------------------------------------------------------------------------

    async def _begin(self, limit: float) -> None:
        hello, address = await self._find(limit)
        assert hello.node is not None
        members = {node: where for node, where in hello.members.items() if node >= 1}
        members[hello.node] = address  # as we reach it, which may differ from inside the cluster
        quorum = len(members) // 2 + 1
        self.config = ClusterConfig(members=members, quorum=quorum, cluster=self.cluster, timing=self.timing)
        factory = partial(Client, home=hello.node, listen=self.listen, newest=self.newest)
        now = asyncio.get_running_loop().time()
        self._host = Host(self.name, self.config, factory, self._tell, origin=now)
        await self._host.start()

    async def _find(self, limit: float) -> tuple[Hello, str]:
        """Return the hello of the first node that answers, and the address it answered at."""
        loop = asyncio.get_running_loop()
        end = loop.time() + limit
        reason = ""
        while True:
            for host, port, address in self.addresses:
                try:
                    async with asyncio.timeout(GREETING_LIMIT):
                        return await self._greet(host, port), address
                except ConnectionRefusedError:
                    reason = f"{address}: nobody listens there"
                except socket.gaierror as error:
                    reason = f"{address}: the name cannot be resolved: {error.strerror}"
                except FrameError as error:
                    reason = f"{address}: something else listens there, no node ({str(error).rstrip('.')})"
                except TimeoutError:
                    reason = f"{address}: no answer; if something listens there, it is no node"
                except OSError as error:
                    reason = f"{address}: {why(error)}"
            if loop.time() >= end:
                raise ChatsysError(
                    f"No node of the cluster answers ({reason.rstrip('.')}); correct the address, or start a node first."
                )
            await asyncio.sleep(0.25)

    async def _greet(self, host: str, port: int) -> Hello:
        reader, writer = await asyncio.open_connection(host, port, limit=1 << 16)
        try:
            mine = Hello(protocol=PROTOCOL, cluster=self.cluster, role="client", name=self.name)
            writer.write(line(mine))
            try:
                answer: Any = read_greeting(await reader.readline())
            except ValueError as error:
                raise FrameError(str(error)) from None
        finally:
            writer.close()
        if isinstance(answer, Refused):
            raise ChatsysError(f"The node at {host}:{port} refused: {answer.reason}")
        if answer.role != "node" or answer.node is None:
            raise FrameError("what answers there is no node")
        assert isinstance(answer, Hello)
        return answer

    def _tell(self, records: list[Record]) -> None:
        for record in records:
            if record.kind not in ("send", "receive"):
                self.on_record(record)

    def _lost(self, sentence: str) -> None:
        self.on_record(Record(0.0, "anomaly", self.name, reason=sentence))
