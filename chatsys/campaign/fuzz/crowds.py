"""Crowds at the port: real connections to a real node, that end in every way at the wrong moment.

    moment    before the hello | within it | after a wrong one | after a right one | after a claim to be a
              member | within an answer to its challenge | within a frame
    end       closed | reset | closed for sending only | silent until everybody leaves

The node also dials: its members are sockets of ours, which accept and then behave no better.
Between two steps the event loop turns a few times, so that ends meet reads, writes, timers and the
closing of the link by the node itself.  Nobody here can confirm that he is a member, so nobody can
make the node stop: not even by what would be a broken invariant.  Now and then the whole crowd leaves at once, and the node
is paused, stopped or crashed while it is there.

What counts as a finding: the node stopped, for whatever reason; a bug that a link
contained or that left a callback; a node that does not answer a hello once the crowd has left.

Assumes   this machine lets a process listen on its own address.
Promises  what is tried depends on the seed alone; what meets what depends on real time too.
Read also `links` (bytes to connections in memory), `runtime.net.strangers`, `runtime.net.listener`.
"""

import asyncio
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from traceback import extract_tb
from typing import Any

from chatsys.campaign.fuzz.links import WatchedHost
from chatsys.campaign.fuzz.tally import Tally
from chatsys.config import ClusterConfig
from chatsys.errors import told
from chatsys.protocol.node import Node
from chatsys.runtime.net import links
from chatsys.runtime.net.wire import PROTOCOL, ChallengeAnswer, Confirmed, Hello, line

TOGETHER = 150
"""At most so many connections at a time."""
LIFE = 400
"""So many connections until the node begins anew."""
GREETING_TIME = 0.03
"""Seconds: short, so that its end meets everything else."""
PATIENCE = 5.0
"""Seconds within which a hello must be answered once the crowd has left."""
OURS = Path(links.__file__).parent
RESET = struct.pack("ii", 1, 0)


def fuzz_crowds(connections: int, seed: int, tally: Tally) -> None:
    """Let so many connections come to a node and leave it."""
    asyncio.run(_Crowds(Random(f"{seed}/crowds"), tally).run(connections))


class _Crowds:
    """The node, the members that it dials, and the connections at hand."""

    def __init__(self, chance: Random, tally: Tally) -> None:
        self.chance, self.tally = chance, tally
        self.node: WatchedHost
        self.config: ClusterConfig
        self.members: list[socket.socket] = []
        self.silent: list[socket.socket] = []
        self.answering: asyncio.Future[Any]

    async def run(self, connections: int) -> None:
        """Make connection after connection, a handful at the same time."""
        end = self.tally.connections + connections
        while self.tally.connections < end:
            await self._begin()
            life = min(self.tally.connections + LIFE, end)
            while self.tally.connections < life and self.node.alive:
                many = min(life - self.tally.connections, self.chance.choice((1, 5, 20, TOGETHER)))
                self.tally.connections += many
                await asyncio.gather(*[self._one(mute=many == TOGETHER) for _ in range(many)])
                if len(self.silent) > TOGETHER or many == TOGETHER or self.chance.random() < 0.2:
                    await self._leave_as_time_is_up()
                if self.chance.random() < 0.05:
                    self.node.pause()
                    await self._moment()
                    self.node.resume()
            await self._end()

    async def _begin(self) -> None:
        port, *self.members = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
        addresses = {id: f"127.0.0.1:{one.getsockname()[1]}" for id, one in enumerate((port, *self.members), start=1)}
        self.config = ClusterConfig(members=addresses, quorum=2)
        self.node = WatchedHost(1, self.config, Node, lambda records: None, random=Random(self.chance.random()))
        self.node.transport.greeting_time = GREETING_TIME
        asyncio.get_running_loop().set_exception_handler(self._escaped)
        await self.node.start(port)
        self.answering = asyncio.gather(*[self._dialled(one) for one in self.members])

    def _escaped(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What leaves a callback of ours is a bug; what asyncio does alone with a link that has gone is not."""
        error = context.get("exception")
        if isinstance(error, Exception) and any(
            Path(one.filename).parent == OURS for one in extract_tb(error.__traceback__)
        ):
            self.node.errors.append(error)
        elif self.node.alive:
            self.node.escaped(context)

    async def _end(self) -> None:
        if self.chance.random() < 0.5:  # the crowd is still there
            self._leave()
        if self.node.alive:
            await self._must_answer()
        if self.chance.random() < 0.5:
            with self.tally.step("an exception left a node that was told to stop"):
                await self.node.stop()
        self.node.crash()
        self._leave()
        self.answering.cancel()
        with suppress(asyncio.CancelledError):
            await self.answering
        for one in self.members:
            one.close()
        await self._moment()
        for error in self.node.errors:
            self.tally.find(f"a crowd met a bug: {told(error)}", error)

    async def _must_answer(self) -> None:
        """See that one who means well is heard, now that the crowd is at rest."""
        loop = asyncio.get_running_loop()
        self._leave()
        self.node.transport.greeting_time = PATIENCE
        with socket.socket() as link:
            link.setblocking(False)
            try:
                async with asyncio.timeout(PATIENCE):
                    await loop.sock_connect(link, self._address)
                    await loop.sock_sendall(link, self._hello(client=True))
                    answer = await loop.sock_recv(link, 4096)
            except OSError as error:
                return self.tally.find(f"after a crowd the node does not answer a hello: {told(error)}")
        if b'"type":"hello"' not in answer:
            self.tally.find("after a crowd the node refuses a hello")

    @property
    def _address(self) -> tuple[str, int]:
        host, port = self.config.members[1].split(":")
        return host, int(port)

    # --- one connection -----------------------------------------------------------------------

    async def _one(self, mute: bool) -> None:
        """Connect to the node, come as far as some moment, then end in some way; `mute`: say nothing and stay."""
        link = socket.socket()
        link.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(link, self._address)
            if mute:
                self.silent.append(link)
            else:
                await self._behave(link)
        except OSError:  # turned away already
            link.close()
        except BaseException:
            link.close()
            raise

    async def _dialled(self, listening: socket.socket) -> None:
        """Be a member that answers the node's own links no better."""
        listening.setblocking(False)
        while True:
            link, _ = await asyncio.get_running_loop().sock_accept(listening)
            link.setblocking(False)
            with suppress(OSError):
                await self._behave(link)

    async def _behave(self, link: socket.socket) -> None:
        """Say something, then end; whatever happens, nothing stays open that is not in `silent`."""
        try:
            await self._speak_and_end(link)
        except BaseException:
            link.close()
            raise

    async def _speak_and_end(self, link: socket.socket) -> None:
        await self._moment()
        for data in self._words():
            link.send(data)
            await self._moment()
        match self.chance.randrange(5):
            case 0:
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                link.close()
            case 1:
                link.shutdown(socket.SHUT_WR)
                self.silent.append(link)
            case 2:
                self.silent.append(link)
            case _:
                link.close()

    def _words(self) -> list[bytes]:
        """Return what is said before the end, piece by piece."""
        whole = self._hello()
        cut = self.chance.randrange(1, len(whole))
        frame = b'{"n":1,"clock":1,"message":{"type":"SUBSCRIBE"}}\n'
        answer, confirmed = line(ChallengeAnswer(f"{self.chance.getrandbits(128):032x}")), line(Confirmed())
        return self.chance.choice((
            [], [whole[:cut]], [whole[:cut], whole[cut:]], [b"GET / HTTP/1.1\r\n\r\n"], [b"\0" * 64 + b"\n"],
            [whole], [whole, answer], [whole, answer[:20]], [whole + answer * 3, frame], [whole, confirmed],
            [whole, frame], [whole, frame[:20]], [whole, frame, b"rubbish\n"], [whole + b"rubbish\n"],
        ))  # fmt: skip

    def _hello(self, client: bool = False) -> bytes:
        """Return the hello of a client, or of a member in one life or another."""
        facts: dict[str, Any] = {"protocol": PROTOCOL, "cluster": self.config.cluster}
        if client or self.chance.random() < 0.6:
            return line(Hello(**facts, role="client", name=self.chance.choice("abc")))
        life = self.chance.choice((1, 2))
        digest = self.config.digest
        return line(
            Hello(
                **facts,
                role="node",
                node=self.chance.choice((2, 3)),
                incarnation=life,
                config_digest=digest,
                challenge=f"{self.chance.getrandbits(128):032x}",
            )
        )

    async def _moment(self) -> None:
        for _ in range(self.chance.choice((0, 0, 1, 1, 2, 3))):
            await asyncio.sleep(0)
        if self.chance.random() < 0.02:
            await asyncio.sleep(GREETING_TIME)

    async def _leave_as_time_is_up(self) -> None:
        """Let everybody leave in the very turn of the loop in which the node gives up waiting for their hello."""
        if self.chance.random() < 0.7:
            end = time.monotonic() + GREETING_TIME / 2
            while time.monotonic() < end:  # the node accepts one at a time
                await asyncio.sleep(0)
            time.sleep(GREETING_TIME)  # the machine is slow: all timers are due in the next turn
            await asyncio.sleep(0)
        self._leave()
        await self._moment()

    def _leave(self) -> None:
        """Everybody who was silent leaves at once, half of them rudely."""
        for link in self.silent:
            with suppress(OSError):
                if self.chance.random() < 0.5:
                    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            link.close()
        self.silent.clear()
