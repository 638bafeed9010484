"""Names and ports: what nobody can be called, what is not known, and where nobody can listen."""

import asyncio
import errno
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatsys.config import ClusterConfig
from chatsys.errors import ChatsysError
from chatsys.protocol.node import Node
from chatsys.runtime.client import ClientHost
from chatsys.runtime.disk import Disk
from chatsys.runtime.host import Host
from chatsys.runtime.net.listener import bind
from chatsys.runtime.net.ports import cannot_listen
from chatsys.trace import Record

Found = list[tuple[int, int, int, str, tuple[Any, ...]]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Found | None]:
    """Return what names stand for, to be filled; None: nobody knows the name."""
    known: dict[str, Found | None] = {}
    ask = socket.getaddrinfo

    def answer(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in known:
            return ask(host, *rest, **more)
        if (found := known[host]) is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return known


def live(config: ClusterConfig, address: tuple[str, int], folder: Path, holds: Callable[[list[Record]], Any]) -> None:
    """Let node 1 live until something shows in its records."""

    async def story() -> None:
        records: list[Record] = []
        host = Host(1, config, Node, records.extend, disk=Disk(folder, Node.records))
        assert host.disk is not None
        try:
            await host.start(address)
            async with asyncio.timeout(10):
                while not holds(records):
                    await asyncio.sleep(0.01)
            assert host.alive
        finally:
            host.crash()
            await asyncio.to_thread(host.disk.gone)

    asyncio.run(story())


def test_localhost_works_where_it_also_stands_for_an_address_that_is_not_here(
    tmp_path: Path, names: dict[str, Found | None], free_ports: list[int]
) -> None:
    port = free_ports[0]
    stream = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    names["localhost"] = [
        (socket.AF_INET6, *stream, ("2001:db8::1", port, 0, 0)),  # as ::1 is no address here where IPv6 is off
        (socket.AF_INET, *stream, ("127.0.0.1", port)),
    ]
    config = ClusterConfig(members={1: f"localhost:{port}"}, quorum=1)

    def answers(_: list[Record]) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0

    live(config, ("localhost", port), tmp_path, answers)


def test_a_node_goes_on_while_a_members_name_is_not_known_and_says_it_once(
    tmp_path: Path, names: dict[str, Found | None], free_ports: list[int]
) -> None:
    names["gone.example"] = None
    port = free_ports[0]
    config = ClusterConfig(members={1: f"127.0.0.1:{port}", 2: "gone.example:1"}, quorum=1)
    told: list[str] = []

    def leads(records: list[Record]) -> bool:
        told[:] = [one.reason or "" for one in records if one.kind == "drop" and "resolved" in (one.reason or "")]
        return any(record.kind == "ready" for record in records)

    live(config, ("127.0.0.1", port), tmp_path, leads)
    assert told == ["the name gone.example cannot be resolved (Name or service not known); it is tried again"]


def meet(config: ClusterConfig, folder: Path, during: Callable[[Host, Host], Any]) -> None:
    """Let two nodes live on their own addresses until what `during` waits for has come."""

    async def story() -> None:
        hosts = [Host(n, config, Node, lambda _: None, disk=Disk(folder / f"{n}", Node.records)) for n in (1, 2)]
        try:
            for host in hosts:
                await host.start(("127.0.0.1", int(config.members[int(str(host.transport.me))].rpartition(":")[2])))
            async with asyncio.timeout(15):
                await during(*hosts)
        finally:
            for host in hosts:
                host.crash()
                if host.disk is not None:
                    await asyncio.to_thread(host.disk.gone)

    asyncio.run(story())


async def linked(one: Host, to: int) -> None:
    while one.transport.peers[to].link is None:
        await asyncio.sleep(0.01)


def test_a_member_is_found_again_where_its_name_leads_then(
    tmp_path: Path, names: dict[str, Found | None], free_ports: list[int]
) -> None:
    """As with a pod: between two lives its name is not known, and then it stands for another address."""
    first, second = free_ports[:2]
    stream = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    config = ClusterConfig(members={1: f"127.0.0.1:{first}", 2: f"pod.example:{second}"}, quorum=2)
    names["pod.example"] = None

    async def during(one: Host, _: Host) -> None:
        while "resolved" not in (one.transport.peers[2].trouble or ""):
            await asyncio.sleep(0.01)
        names["pod.example"] = [(*stream, ("127.0.0.1", second))]
        await linked(one, 2)

    meet(config, tmp_path, during)


def test_a_silent_address_of_a_name_is_passed_over(
    tmp_path: Path, names: dict[str, Found | None], free_ports: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatsys.runtime.net.transport.GREETING_TIME", 0.3)
    port = free_ports[1]
    stream = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    deaf = socket.create_server(("127.0.0.1", 0), backlog=0)
    filling = [socket.socket() for _ in range(4)]
    for one in filling:  # what waits to be accepted has no room left: a further SYN gets no answer
        one.setblocking(False)
        one.connect_ex(deaf.getsockname())
    names["pod.example"] = [(*stream, deaf.getsockname()), (*stream, ("127.0.0.1", port))]
    config = ClusterConfig(members={1: f"127.0.0.1:{free_ports[0]}", 2: f"pod.example:{port}"}, quorum=2)
    try:
        meet(config, tmp_path, lambda one, _: linked(one, 2))
    finally:
        for one in (deaf, *filling):
            one.close()


def test_a_name_server_that_is_slow_is_waited_for_and_holds_nothing_up(
    tmp_path: Path, free_ports: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatsys.runtime.net.transport.GREETING_TIME", 0.3)
    asked: list[float] = []
    ask = socket.getaddrinfo

    def slowly(host: Any, *rest: Any, **more: Any) -> Any:
        if host != "pod.example":
            return ask(host, *rest, **more)
        if more.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        asked.append(time.monotonic())
        time.sleep(1.0)  # longer than a dial may take
        return ask("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    config = ClusterConfig(members={1: f"127.0.0.1:{free_ports[0]}", 2: f"pod.example:{free_ports[1]}"}, quorum=2)

    async def during(one: Host, _: Host) -> None:
        await asyncio.sleep(0.5)
        assert len(asked) == 1 and asyncio.get_running_loop()._default_executor is None  # type: ignore[attr-defined]
        await linked(one, 2)

    meet(config, tmp_path, during)


def test_a_node_whose_own_name_is_not_known_says_so(names: dict[str, Found | None]) -> None:
    names["gone.example"] = None
    with pytest.raises(socket.gaierror) as caught:
        asyncio.run(bind("gone.example", 1))
    assert cannot_listen("gone.example:1", caught.value) == (
        "The name in gone.example:1 cannot be resolved (Name or service not known); correct it, or write the number "
        "of an address."
    )


@pytest.mark.parametrize(
    "number, words",
    [
        (errno.EADDRINUSE, "stop the other program there, or choose another port"),
        (errno.EADDRNOTAVAIL, "it is no address of this machine"),
        (errno.EACCES, "ports below 1024 are for root only: choose another port"),
        (errno.EMFILE, "raise the limit (ulimit -n)"),
    ],
)
def test_why_nobody_can_listen_there(number: int, words: str) -> None:
    sentence = cannot_listen("h:1", OSError(number, "error while attempting to bind"))
    assert (
        sentence.startswith(f"The address h:1 cannot be used ({os.strerror(number).lower()}); ") and words in sentence
    )


@pytest.mark.parametrize("address", ["my..host:1", f"{'a' * 80}:1", "a\0b:1", "a b:1", "h:0", "h:-1", "h:70000", "h"])
def test_a_client_refuses_an_address_that_can_be_none(address: str) -> None:
    with pytest.raises(ChatsysError, match="address is "):
        ClientHost([address], "ann", lambda record: None)
