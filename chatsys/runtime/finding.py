"""Finding: the first words with a node that is known by its address only.

    client, learner --hello--------------------> a node of the cluster
                    <--hello: members-----------
           learner  --JOIN (a question)-------->
                    <--JOIN_ACK: the config-----

A client needs no more than the members' addresses.  A learner wants to be of the cluster, so it asks also for
what all its nodes agree on: quorum, timing, limits.

Promises  whatever is wrong with the address, with what listens there or with the cluster is one sentence.
Read also `client` and `joining`, which ask; `net.wire` (the lines), `protocol.messages` (JOIN).
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from chatsys.config import ClusterConfig, split_address
from chatsys.errors import ChatsysError, FrameError
from chatsys.protocol.messages import Join, JoinAck
from chatsys.runtime.net.wire import PROTOCOL, Codec, Hello, Refused, line, read_greeting
from chatsys.surroundings import reason as why

GREETING_LIMIT = 2.0
"""Seconds within which a node must answer."""
PAUSE = 0.25
"""Seconds between two rounds through the addresses."""
LINE = 1 << 16
"""Bytes that an answer may have."""

T = TypeVar("T")


class NobodyAnswers(ChatsysError):
    """None of the addresses is that of a node that answers."""


async def find(addresses: Sequence[str], cluster: str, name: str, limit: float) -> tuple[Hello, str]:
    """Return the hello of the first node that answers, and the address it answered at; try for `limit` seconds.

    Raises `NobodyAnswers` with a sentence if no node answers, `ChatsysError` if one refuses.
    """
    return await _first(addresses, lambda address: _greet(address, cluster, name), limit)


async def ask_config(address: str, cluster: str, node: int, limit: float) -> tuple[Hello, ClusterConfig]:
    """Return the hello of the node at `address`, and the configuration of the cluster that it is of.

    Raises `ChatsysError` as `find` does.
    """
    answer, _ = await _first([address], lambda address: _ask(address, cluster, node), limit)
    return answer


async def _first(addresses: Sequence[str], ask: Callable[[str], Coroutine[Any, Any, T]], limit: float) -> tuple[T, str]:
    """Return what the first of the addresses that answers says, and which one that is."""
    loop = asyncio.get_running_loop()
    end = loop.time() + limit
    told = ""
    while True:
        for address in addresses:
            try:
                async with asyncio.timeout(GREETING_LIMIT):
                    return await ask(address), address
            except (OSError, FrameError) as error:  # TimeoutError is one of the first
                told = f"{address}: {_told(error)}"
        if loop.time() >= end:
            raise NobodyAnswers(
                f"No node of the cluster answers ({told.rstrip('.')}); correct the address, or start a node first."
            )
        await asyncio.sleep(PAUSE)


def _told(error: OSError | FrameError) -> str:
    match error:
        case ConnectionRefusedError():
            return "nobody listens there"
        case socket.gaierror():
            return f"the name cannot be resolved: {error.strerror}"
        case FrameError():
            return f"something else listens there, no node ({str(error).rstrip('.')})"
        case TimeoutError():
            return "no answer; if something listens there, it is no node"
    return why(error)


async def _greet(address: str, cluster: str, name: str) -> Hello:
    reader, writer = await _open(address)
    try:
        return await _hello(reader, writer, address, cluster, name)
    finally:
        writer.close()


async def _open(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = split_address(address)
    return await asyncio.open_connection(host, port, limit=LINE)


async def _hello(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str, cluster: str, name: str
) -> Hello:
    """Say hello as a client, and return the answer.  Raises `FrameError` if it is none, `ChatsysError` if it is a no."""
    writer.write(line(Hello(protocol=PROTOCOL, cluster=cluster, role="client", name=name)))
    answer = read_greeting(await _line(reader))
    if isinstance(answer, Refused):
        what = " Correct the address, or the name of the cluster." if "to the cluster" in answer.reason else ""
        raise ChatsysError(f"The node at {address} refused: {answer.reason}{what}")
    if answer.role == "client" or answer.node is None:
        raise FrameError("what answers there is no node")
    return answer


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ValueError as error:  # longer than any answer
        raise FrameError(str(error)) from None


async def _ask(address: str, cluster: str, node: int) -> tuple[Hello, ClusterConfig]:
    """Ask the node there for the config; what does not fit a question is passed over."""
    reader, writer = await _open(address)
    try:
        hello = await _hello(reader, writer, address, cluster, f"learner {node}")
        codec = Codec((Join, JoinAck))
        writer.write(codec.write(1, 1, Join(node)))
        answer = codec.read(await _line(reader))[2]
    finally:
        writer.close()
    if not isinstance(answer, JoinAck) or answer.config is None:
        raise FrameError("what answers there takes in no learners")
    return hello, answer.config
