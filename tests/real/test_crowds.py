"""A crowd at the port, and a process out of descriptors: members keep their links, and the node lives on."""

import asyncio
import errno
import os
import resource
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from test_host import Bench, on_a_bench

from chatsys.errors import ChatsysError
from chatsys.runtime.loop import LoopThread, new_loop
from chatsys.runtime.net import strangers
from chatsys.runtime.net.listener import Listener, bind
from chatsys.runtime.net.strangers import Seldom, Strangers, raise_limit

RESET = struct.pack("ii", 1, 0)


class Stranger:
    """A connection as `Strangers` sees it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.gone = descriptor, False

    def abort(self) -> None:
        self.gone = True


def limited(monkeypatch: pytest.MonkeyPatch, limit: int, members: int = 2) -> tuple[Strangers, list[str]]:
    """Return the strangers of a node in a process that may have `limit` descriptors, and what they tell."""
    monkeypatch.setattr(resource, "getrlimit", lambda what: (limit, limit))
    told: list[str] = []
    return Strangers(members, told.append), told


def test_of_too_many_strangers_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        some, told = limited(monkeypatch, 10**6)
        crowd = [Stranger(10 + number) for number in range(strangers.MOST_STRANGERS + 3)]
        for one in crowd:
            some.came(one)
        assert [one.gone for one in crowd[:5]] == [True, True, True, False, False]
        assert told == ["too many links; the oldest that had not said hello was closed"], "once a second"
        some.turned_away.stop()

    asyncio.run(story())


def test_strangers_leave_the_last_descriptors_to_members_also_when_gaps_open_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        some, _ = limited(monkeypatch, 64)
        free, crowd = set(range(12, 64)), list[Stranger]()
        for _ in range(500):
            one = Stranger(min(free))
            free.remove(one.descriptor)
            crowd.append(one)
            some.came(one)
            for gone in [other for other in crowd if other.gone]:
                crowd.remove(gone)
                free.add(gone.descriptor)
            assert len(free) >= 64 - some.all_below - 1
        some.turned_away.stop()

    asyncio.run(story())


def test_clients_leave_descriptors_to_strangers_of_whom_one_may_be_a_member(monkeypatch: pytest.MonkeyPatch) -> None:
    some, _ = limited(monkeypatch, 64)
    low, high, member = Stranger(20), Stranger(40), Stranger(41)
    assert some.no_room(low, 3) is None
    assert some.no_room(high, 3) == "This node has too many links; try another one."
    assert some.no_room(low, strangers.MOST_CLIENTS) is not None
    some.came(member)
    some.left(member)
    assert not some.waiting, "a member is no stranger once it is greeted, whatever its descriptor"


def test_what_happens_often_is_told_once_a_second_with_its_count() -> None:
    async def story() -> None:
        told: list[str] = []
        seldom = Seldom(told.append, pause=0.05)
        for _ in range(5):
            seldom.note("full")
        assert told == ["full"]
        async with asyncio.timeout(5):
            while len(told) < 2:
                await asyncio.sleep(0.01)
        assert told == ["full", "full (4 times)"] and seldom.total == 5
        seldom.stop()

    asyncio.run(story())


def test_the_soft_limit_is_raised_to_the_hard_one_but_not_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    for soft, hard, set_to in (
        (64, 256, 256), (64, 10**6, 1000), (64, resource.RLIM_INFINITY, 1000), (5000, 10**6, None), (64, 64, None),
    ):  # fmt: skip
        asked: list[Any] = []
        monkeypatch.setattr(resource, "getrlimit", lambda what, pair=(soft, hard): pair)
        monkeypatch.setattr(resource, "setrlimit", lambda what, pair, asked=asked: asked.append(pair))
        raise_limit(most=1000)
        assert asked == ([] if set_to is None else [(set_to, hard)])


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Let this process open nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(1)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Answering(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        transport.write(b"welcome")
        transport.close()


def test_a_listener_without_descriptors_turns_away_tells_and_goes_on() -> None:
    async def story() -> None:
        loop, told, escaped = asyncio.get_running_loop(), list[str](), list[Any]()
        loop.set_exception_handler(lambda _, context: escaped.append(context))
        [listening] = await bind("127.0.0.1", 0)
        listener = Listener([listening], Answering, Seldom(told.append))
        listener.start()
        clients = [socket.socket() for _ in range(3)]
        for one in clients:
            one.setblocking(False)
        async with asyncio.timeout(10):
            with no_descriptor_left():
                for one in clients[:2]:
                    await loop.sock_connect(one, listening.getsockname())
                    assert await loop.sock_recv(one, 100) == b""
            await loop.sock_connect(clients[2], listening.getsockname())
            assert await loop.sock_recv(clients[2], 100) == b"welcome"
        listener.short.stop()
        listener.close()
        for one in clients:
            one.close()
        await asyncio.sleep(0.01)
        assert told == ["a connection was closed at once: too many open files"]
        assert listener.short.total == 2 and escaped == []

    asyncio.run(story())


def test_a_listener_that_closes_as_somebody_comes_raises_nothing() -> None:
    async def story() -> None:
        escaped: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
        [listening] = await bind("127.0.0.1", 0)
        listener = Listener([listening], Answering, Seldom(lambda sentence: None))
        listener.start()
        await asyncio.sleep(0)  # it waits for the first
        with socket.create_connection(listening.getsockname()):
            await asyncio.sleep(0)  # in this turn of the loop the connection is seen, after this task has run
            listener.close()
            listener.close()
            await asyncio.sleep(0.01)
        assert escaped == [] and listening.fileno() == -1

    asyncio.run(story())


def test_a_listener_that_closes_when_it_has_just_accepted_leaves_no_socket_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        accepted: list[socket.socket] = []
        accept = socket.socket.accept

        def noted(listening: socket.socket) -> tuple[socket.socket, Any]:
            raw, address = accept(listening)
            accepted.append(raw)
            return raw, address

        monkeypatch.setattr(socket.socket, "accept", noted)
        [listening] = await bind("127.0.0.1", 0)
        told: list[str] = []
        listener = Listener([listening], Answering, Seldom(told.append))
        listener.start()
        await asyncio.sleep(0)  # it waits for the first
        with socket.create_connection(listening.getsockname()):
            while not accepted:
                await asyncio.sleep(0)  # this task runs before the one that accepts, which has not seen it yet
            listener.close()
            await asyncio.sleep(0.01)
        assert [raw.fileno() for raw in accepted] == [-1] and listening.fileno() == -1
        assert told == []

    asyncio.run(story())


def test_a_listener_that_closes_while_it_takes_a_connection_leaves_no_socket_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        taken: list[socket.socket] = []
        loop = asyncio.get_running_loop()
        [listening] = await bind("127.0.0.1", 0)

        async def slow(made: Any, raw: socket.socket) -> Any:
            taken.append(raw)
            await asyncio.sleep(3600)  # the listener is closed before the connection is anybody's

        monkeypatch.setattr(loop, "connect_accepted_socket", slow)
        listener = Listener([listening], Answering, Seldom(lambda sentence: None))
        listener.start()
        with socket.create_connection(listening.getsockname()):
            while not taken:
                await asyncio.sleep(0.001)
            listener.close()
            await asyncio.sleep(0.01)
        assert [raw.fileno() for raw in taken] == [-1]

    asyncio.run(story())


def test_without_descriptors_an_event_loop_is_refused_with_a_sentence() -> None:
    with no_descriptor_left(), pytest.raises(ChatsysError, match=r"cannot have an event loop \(Too many open files\)"):
        new_loop()


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_a_node_that_lacks_what_it_needs_to_dial_says_so_and_dials_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    async def story(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        dial, lacks = loop.create_connection, SimpleNamespace(still=True)

        async def lacking(*facts: Any, **more: Any) -> Any:
            if lacks.still:
                raise OSError(code, os.strerror(code))
            return await dial(*facts, **more)

        monkeypatch.setattr(loop, "create_connection", lacking)
        await bench.begin(1)
        await bench.begin(2)
        await bench.until(lambda: any("could not be dialled" in str(drop.reason) for drop in bench.trace.of("drop")))
        lacks.still = False
        await bench.until(lambda: bench.has("link_up", node=1, peer=2))

    on_a_bench(tmp_path, story)


def test_an_error_of_the_surroundings_in_the_loop_is_no_broken_invariant(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        one, loop = await bench.begin(1), asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: one.escaped(context))

        def fail(error: Exception) -> None:
            raise error

        loop.call_soon(fail, OSError(errno.ENOTCONN, "gone"))
        await bench.until(
            lambda: any("ENOTCONN" in str(d.reason) or "gone" in str(d.reason) for d in bench.trace.of("drop"))
        )
        assert one.alive
        loop.call_soon(fail, AssertionError("ours"))
        assert "AssertionError: ours" in await asyncio.wait_for(one.ended, 5)

    on_a_bench(tmp_path, story)


def test_a_cluster_in_this_process_is_not_told_of_surroundings_as_of_bugs() -> None:
    lost: list[str] = []
    thread = LoopThread("a test", lost.append)

    def fail_with(error: Exception) -> None:
        raise error

    async def fail() -> None:
        for error in (OSError(errno.EMFILE, "full"), ValueError("ours")):
            asyncio.get_running_loop().call_soon(fail_with, error)
        await asyncio.sleep(0)

    thread.call(fail())
    thread.stop()
    assert thread.surroundings == 1 and len(lost) == 1 and "ours" in lost[0]


# --- three processes, one of them with few descriptors ----------------------------------------


class Node:
    """A node in a process, and the lines that it tells."""

    def __init__(self, config: Path, limit: int | None) -> None:
        words = [sys.executable, "-m", "chatsys", "node", "--config", str(config)]
        if limit is not None:
            words = ["/bin/sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", *words]
        self.err = config.with_suffix(f".{time.monotonic_ns()}.err")
        with self.err.open("wb") as err:
            self.process = subprocess.Popen(words, stderr=err)

    def tells(self, text: str) -> bool:
        return self.times(text) > 0

    def times(self, text: str) -> int:
        """Return how often it has told this."""
        assert self.process.poll() is None, self.err.read_text()
        return " ".join(self.err.read_text().split()).count(text)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


def wait_for(holds: Callable[[], bool], limit: float = 20.0) -> None:
    end = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def crowd(port: int, many: int) -> list[socket.socket]:
    """Open this many connections, most of which say nothing, and let every third end at once, half of them rudely."""
    stay = []
    for number in range(many):
        one = socket.create_connection(("127.0.0.1", port), timeout=5)
        if number % 3:
            stay.append(one)
            continue
        if number % 2:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        one.close()
    return stay


def test_members_keep_and_make_links_while_a_crowd_holds_the_port(
    config: Callable[..., Path], free_ports: list[int]
) -> None:
    nodes = {node: Node(config(node), 64 if node == 1 else None) for node in (1, 2, 3)}
    said = [sys.executable, "-m", "chatsys", "client", "--name", "ann", "--port"]
    everybody: list[socket.socket] = []

    def chat(text: str, port: int) -> None:
        subprocess.run([*said, str(port)], input=f"{text}\n", text=True, check=True, timeout=20, capture_output=True)

    try:
        wait_for(lambda: nodes[1].tells("follows node 3"))
        everybody += crowd(free_ports[0], 200)
        chat("with the crowd", free_ports[1])
        wait_for(lambda: nodes[1].tells("ann: with the crowd"))
        followed = nodes[1].times("follows node 3")
        nodes[3].kill()
        nodes[3] = Node(config(3), None)
        everybody += crowd(free_ports[0], 200)
        # in which term depends on whether node 2 led meanwhile: node 3 may be back before anybody suspects it
        wait_for(
            lambda: nodes[3].tells("is in touch with node 1") and nodes[1].times("follows node 3") > followed, 40.0
        )
        assert not nodes[1].tells("has lost node 2")
        for one in everybody:
            one.close()
        chat("after the crowd", free_ports[0])
        wait_for(lambda: nodes[1].tells("ann: after the crowd"))
        assert nodes[1].tells("too many links; the oldest that had not said hello was closed")
    finally:
        for one in everybody:
            one.close()
        for node in nodes.values():
            node.kill()
