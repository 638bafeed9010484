"""Frames at the links: the real connection objects of a real host, fed with bytes in memory.

    made-up lines --data_received--> Inbound, Outbound --> Transport --> Host --> Node or Client
                                                                 `--> no exception, no slow step

Three ends are tried: a node that was dialled, a node that dialled, a client that dialled.  Most links of
members were confirmed, as if the frames came from a true member that has gone mad; others were not.  Each
line counts as one frame, and a link is used until it is closed, so no frame counts that nobody read.
Some connections end while they are used: from some use on, each raises what systems raise then.

What counts as a finding: an exception that leaves a connection or a callback of the event loop; a
bug that a link contained; an actor that stopped for anything but `BrokenInvariant`, or a node that stopped
and no confirmed member spoke to it (a member that contradicts a committed log stops a safe node: that is its
promise, not its failure); a step longer than `SLOW`.

Assumes   nothing is sent: the other ends of the links exist in memory only.
Promises  the frames depend on the seed alone; what a node answers depends on real time too.
Read also `runtime.net.links`, `runtime.host`, `nodes` (frames that are well formed, in the simulator).
"""

import asyncio
import errno
import math
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import msgspec

from chatsys.campaign.fuzz.made import Maker, spoilt
from chatsys.campaign.fuzz.tally import Tally
from chatsys.config import ClusterConfig
from chatsys.errors import BrokenInvariant, told
from chatsys.protocol.client import Client
from chatsys.protocol.messages import NODE_MESSAGES, Submit, Subscribe
from chatsys.protocol.node import Node
from chatsys.runtime.host import Host
from chatsys.runtime.net.links import Inbound, Outbound
from chatsys.runtime.net.wire import PROTOCOL, ChallengeAnswer, Codec, Hello, line

LIFE = 4000
"""So many frames until both hosts begin anew."""

End = tuple["WatchedHost", Inbound | Outbound, Hello]
"""Whose link it is, the link, and the hello with which the other end begins it."""


GONE = (errno.ENOTCONN, errno.EPIPE, errno.EINVAL, errno.EBADF, errno.ECONNRESET)
"""What using a connection may raise once its other end has gone."""


class WatchedHost(Host):
    """A host that also keeps what stopped it, and the bugs that its links contained."""

    def __init__(self, *facts: Any, **more: Any) -> None:
        super().__init__(*facts, **more)
        self.errors: list[Exception] = []

    def broke(self, error: Exception) -> None:
        """Keep the error."""
        self.errors.append(error)
        super().broke(error)

    def link_failed(self, label: str, error: Exception) -> None:
        """Keep the error."""
        self.errors.append(error)
        super().link_failed(label, error)


class _Wire(asyncio.BaseTransport):
    """The other end of a link: reads nothing, keeps nothing, and after `uses` uses it has gone.

    As uvloop's, it is no `asyncio.Transport`: a link must not ask what it is, only use it.
    """

    def __init__(self, uses: float) -> None:
        super().__init__()
        self.closed = False
        self.uses, self.used = uses, 0

    def _use(self) -> None:
        self.used += 1
        if self.used > self.uses:
            raise OSError(GONE[self.used % len(GONE)], "the other end has gone")

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """This is its own socket."""
        return self if name == "socket" else default

    family = socket.AF_INET

    def fileno(self) -> int:
        """As if few were open."""
        return 10

    def setsockopt(self, *facts: Any) -> None:
        """As asked."""
        self._use()

    def write(self, data: Any) -> None:
        """Lose what is written."""
        self._use()

    def writelines(self, list_of_data: Any) -> None:
        """Lose what is written."""
        self._use()

    def get_write_buffer_size(self) -> int:
        """Nothing ever waits."""
        self._use()
        return 0

    def can_write_eof(self) -> bool:
        """As TCP can."""
        return True

    def write_eof(self) -> None:
        """Say no more."""
        self._use()

    def pause_reading(self) -> None:
        """As asked."""
        self._use()

    def resume_reading(self) -> None:
        """As asked."""
        self._use()

    def is_closing(self) -> bool:
        """Whether this end is closed."""
        return self.closed

    def close(self) -> None:
        """Close this end."""
        self.closed = True

    def abort(self) -> None:
        """Close this end."""
        self.closed = True
        self._use()


def fuzz_links(frames: int, seed: int, tally: Tally) -> None:
    """Feed this many frames to the links of a node and of a client."""
    with _unheard_addresses(3) as members:
        asyncio.run(_Links(ClusterConfig(members=members, quorum=2), Random(f"{seed}/links"), tally).run(frames))


@contextmanager
def _unheard_addresses(count: int) -> Iterator[dict[int, str]]:
    """Yield addresses at which nobody listens and nobody will, for as long as this lasts."""
    taken = [socket.socket() for _ in range(count)]
    try:
        for one in taken:
            one.bind(("127.0.0.1", 0))
        yield {node: f"127.0.0.1:{one.getsockname()[1]}" for node, one in enumerate(taken, start=1)}
    finally:
        for one in taken:
            one.close()


class _Links:
    """The two hosts, and the link at hand."""

    def __init__(self, config: ClusterConfig, chance: Random, tally: Tally) -> None:
        self.config, self.chance, self.tally = config, chance, tally
        self.codec = Codec(NODE_MESSAGES)
        self.node: WatchedHost
        self.client: WatchedHost
        self.confirmed = 0
        """How many links of members the node of this life has confirmed."""

    async def run(self, frames: int) -> None:
        """Use link after link until so many frames were read."""
        asyncio.get_running_loop().set_exception_handler(self._escaped)
        end = self.tally.frames + frames
        renewed = -LIFE
        while self.tally.frames < end:
            if self.tally.frames - renewed >= LIFE or not (renewed >= 0 and self.node.alive and self.client.alive):
                if renewed >= 0:
                    await self._end()
                renewed = self.tally.frames
                await self._begin()
            await self._one_link(min(end - self.tally.frames, self.chance.choice((1, 5, 50))))
        await self._end()

    async def _begin(self) -> None:
        """Start a node without a disk, and a client."""
        sink = lambda records: None  # noqa: E731 - nobody reads this trace
        chance = Random(self.chance.random())
        self.confirmed = 0
        self.node = WatchedHost(1, self.config, Node, sink, random=chance)
        self.client = WatchedHost("ann", self.config, lambda *facts: Client(*facts, listen=True), sink, random=chance)
        for host in (self.node, self.client):
            await host.start()

    async def _end(self) -> None:
        for host in (self.node, self.client):
            host.crash()
            for error in host.errors:
                if isinstance(error, BrokenInvariant) and (self.confirmed or host is self.client):
                    self.tally.stopped += 1
                else:
                    self.tally.find(f"{host.actor.me} stopped: {told(error)}", error)
        await asyncio.sleep(0)

    def _escaped(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception") or RuntimeError(context["message"])
        self.tally.find(f"an exception left a callback: {told(error)}", error)

    async def _one_link(self, frames: int) -> None:
        """Make a link, feed it with at most `frames` lines until it is closed, then lose it."""
        host, link, hello = self._link()
        uses = self.chance.choice((math.inf, math.inf, math.inf, *range(12)))
        step = self.tally.step
        with step():
            link.connection_made(_Wire(uses))
        greeting = line(hello)
        if isinstance(link, Inbound) and hello.role == "node" and self.chance.random() < 0.8:
            greeting += self._answer(host, hello)
        if self.chance.random() < 0.05:
            greeting = spoilt(self.chance, greeting)
            self.tally.frames += 1
        together = self.chance.random() < 0.2  # the first frame may come in one piece with the hello
        if not together:
            await self._feed(link, greeting)
        for count in range(frames):
            if link.closing or not host.alive:
                break
            data = self._line(link.sender)
            await self._feed(link, greeting + data if together and count == 0 else data)
            self.tally.frames += 1
        with step():
            if self.chance.random() < 0.5:
                link.eof_received()
            link.connection_lost(None if self.chance.random() < 0.5 else ConnectionResetError())
        await asyncio.sleep(0)

    def _answer(self, host: WatchedHost, hello: Hello) -> bytes:
        """Let the address of this member answer a link of the node; return what the member says there."""
        assert hello.node is not None, "a member has an id"
        dialled = Outbound(host.transport, hello.node, host.transport.now())
        with self.tally.step():
            dialled.connection_made(_Wire(math.inf))
            dialled.data_received(line(hello))
        self.confirmed += 1
        return line(ChallengeAnswer(dialled.challenge))

    def _link(self) -> End:
        """Return one end of a link, and what the other end says first."""
        chance = self.chance
        facts: dict[str, Any] = {"protocol": PROTOCOL, "cluster": self.config.cluster}
        life, peer = chance.choice((1, 1, 2, 2**53)), chance.choice((2, 3))
        node = Hello(**facts, role="node", node=peer, incarnation=life, config_digest=self.config.digest, challenge="c")
        kind = chance.random()
        if kind < 0.4:
            return self.node, Inbound(self.node.transport), Hello(**facts, role="client", name=chance.choice("abc"))
        if kind < 0.75:
            return self.node, Inbound(self.node.transport), node
        host = self.node if kind < 0.8 else self.client
        return host, Outbound(host.transport, peer), node

    def _line(self, sender: Any) -> bytes:
        """Return one frame: as a broken, a hostile or a confused sender would write it."""
        actor = self.node.actor
        assert isinstance(actor, Node), "the node's host runs a node"
        maker = Maker.against(self.chance, actor)
        kinds = (Submit, Subscribe) if isinstance(sender, str) and self.chance.random() < 0.8 else NODE_MESSAGES
        message: msgspec.Struct = maker.anything(self.chance.choice(kinds))
        whole = self.codec.write(self.chance.randrange(10**6), self.chance.randrange(10**6), message)
        return spoilt(self.chance, whole) if self.chance.random() < 0.35 else whole

    async def _feed(self, link: Inbound | Outbound, data: bytes) -> None:
        """Let `data` arrive, in one piece or in several, and let the host have its turn."""
        cuts = sorted(self.chance.randrange(len(data)) for _ in range(self.chance.choice((0, 0, 0, 1, 2))))
        for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            with self.tally.step():
                link.data_received(data[begin:end])
        began = time.process_time()
        await asyncio.sleep(0)
        self.tally.took(time.process_time() - began)
