"""Service: one node in a terminal or a container, from its config file, until Ctrl-C or SIGTERM.

    python -m chatsys node --config node1.yml
    python -m chatsys node --join 127.0.0.1:5001 --id 4 --data data/node4       (a learner, see `joining`)

What it tells meanwhile is in `terminal`.  It may run on uvloop, which is faster where many connections
bring a message each.

Promises  a clean end: the actor is told, the log is synced, links are closed, exit code 0.
Read also `host` (the node's life), `config` (the file), `terminal` (the lines).
"""

import asyncio
import importlib
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from chatsys.actor.actor import Actor
from chatsys.capabilities import SOCKETS, THREADS, need
from chatsys.config import NodeConfig
from chatsys.errors import ChatsysError, Departed, RefusedIdentity, RefusedJoin, UsageError
from chatsys.protocol.node import Node
from chatsys.runtime.disk import Disk
from chatsys.runtime.host import Factory, Host
from chatsys.runtime.loop import new_loop
from chatsys.runtime.net.ports import cannot_listen, is_loopback
from chatsys.runtime.net.strangers import raise_limit
from chatsys.runtime.status_file import StatusFile
from chatsys.runtime.terminal import Terminal
from chatsys.surroundings import TOGETHER, place

LOOPS = ("asyncio", "uvloop")
LOGS = ("text", "json")


def run_node(
    config: NodeConfig, verbose: bool = False, *, actor: type[Actor] | None = None, loop: str = "asyncio",
    log: str = "text",
) -> None:  # fmt: skip
    """Run one node until it is told to end; raises `ChatsysError` if it cannot run (any longer).

    With `log` "json" each line that it tells is an object of JSON (see `json_lines`).
    """
    need("A node", THREADS, SOCKETS, instead="use a World, which needs neither")
    raise_limit()
    with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
        runner.run(_live(config, actor or Node, Terminal(to_stderr, verbose, log == "json")))


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes an event loop of this kind.  Raises `UsageError` if it is not installed."""
    if name != "uvloop":
        return new_loop
    try:
        made: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    except ImportError:
        raise UsageError(
            "--loop is uvloop, which is not installed; run pip install 'chatsys[fast]', or leave --loop out."
        ) from None
    return made


def to_stderr(text: str) -> None:
    """Write what a node tells; at once, so that nothing is missing if it is killed."""
    sys.stderr.write(text)
    sys.stderr.flush()


def _who(config: NodeConfig) -> str:
    """Return which node this is, and where the others find it if that is elsewhere than it listens."""
    members = config.cluster.members
    if config.through is not None:
        return f"learner {config.node}"
    found = members[config.node]
    elsewhere = f", {found} to the others," if config.listen not in ("", found) else ""
    return f"node {config.node} of {len(members)}{elsewhere}"


async def _live(config: NodeConfig, actor: type[Actor], sink: Terminal) -> None:
    owner = (config.cluster.cluster, config.node)
    loop = asyncio.get_running_loop()
    # Both before the log is read, which may take long: who looks must not see an earlier life, nor who asks wait in vain.
    status = StatusFile(place(config.data), lambda: _facts(config, host, sink))
    status.begin()
    asked, asked_again = _signals(loop)
    disk = Disk(Path(config.data), actor.records, owner=owner, owner_of=actor.owner)
    # The origin is 0: records carry the monotonic clock itself, which `terminal` turns into the time of day.
    host = Host(config.node, config.cluster, _factory(config, actor), sink, disk=disk, address=config.where)
    loop.set_exception_handler(lambda _, context: host.escaped(context))
    try:
        await host.start(config.address)
    except OSError as error:
        host.crash()
        raise ChatsysError(cannot_listen(config.where, error)) from None
    _greet(config, config.where, sink)
    status.keep()
    await _until_asked(host, asked)
    if host.ended.done():
        await asyncio.to_thread(disk.gone)
        has_left = isinstance(host.error, Departed)
        await status.end("stopped" if has_left else "failed", host.ended.result())
        return _ended(config, host)
    status.state = "leaving"
    leaving = asyncio.create_task(_leave(host))
    again = asyncio.create_task(asked_again.wait())
    await asyncio.wait({leaving, again}, return_when=asyncio.FIRST_COMPLETED)
    again.cancel()
    if not leaving.done():
        leaving.cancel()
        host.crash()
        told = f"node {config.node} ends at once; what was acknowledged is on the disks of a quorum"
        sink.greet(told, node=config.node, event="stop")
    else:
        leaving.result()
    await status.end("stopped")
    await asyncio.to_thread(disk.gone)


def _greet(config: NodeConfig, where: str, sink: Terminal) -> None:
    """Say in a line what this is, and in a sentence whom its port must not be open to."""
    facts = {"node": config.node, "cluster": config.cluster.cluster}
    told = f"{_who(config)} listens on {where}, log in {config.data}; Ctrl-C stops"
    sink.greet(told, **facts, event="listens", address=where, data=config.data)
    host, port = config.address
    if not is_loopback(host):
        said = "the config" if config.through is None else "--listen"
        exposed = (
            f"Port {port} can be reached from other machines, as {said} says, and nothing on it is encrypted or "
            "signed yet: open it to the members and to the clients of this cluster only."
        )
        sink.greet(exposed, **facts, event="exposed", address=where)


async def _leave(host: Host) -> None:
    """End the node's life in peace: it hands over what it leads, then writes and closes."""
    await host.stand_down()
    await host.stop()


def _signals(loop: asyncio.AbstractEventLoop) -> tuple[asyncio.Event, asyncio.Event]:
    """Return what is set when somebody asks this node to end, and what is set when they ask once more.

    Signals that come together are one wish: `timeout` tells the process, and at once its whole group, so that the node
    would be told twice, and ended without handing over.
    """
    asked, again = asyncio.Event(), asyncio.Event()
    first = 0.0

    def hear() -> None:
        nonlocal first
        if not asked.is_set():
            asked.set()
            first = loop.time()
        elif loop.time() - first > TOGETHER:
            again.set()

    for name in ("SIGINT", "SIGTERM"):
        try:
            loop.add_signal_handler(getattr(signal, name), hear)
        except (NotImplementedError, AttributeError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
            pass
    return asked, again


async def _until_asked(host: Host, asked: asyncio.Event) -> None:
    """Wait until somebody asks this node to end, or it ends by itself."""
    waiting = asyncio.create_task(asked.wait())
    either: set[asyncio.Future[Any]] = {waiting, host.ended}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


def _facts(config: NodeConfig, host: Host, sink: Terminal) -> dict[str, Any]:
    """Return what stands in the status file of this node."""
    cluster = config.cluster
    members = {str(node): address for node, address in cluster.members.items()}
    who = {"node": config.node, "cluster": cluster.cluster, "members": members, "quorum": cluster.quorum}
    return who | {"pid": os.getpid(), "said": sink.said} | host.status() | work_of(host)


def work_of(host: Host) -> dict[str, int]:
    """Return what this life has done so far: turns of its loop, frames in and out, syncs of its disk."""
    links, disk = host.transport, host.disk
    done = {"turns": host.turns.count, "frames_in": links.taken, "frames_out": links.sent}
    return done if disk is None else done | {"syncs": disk.syncs}


def _factory(config: NodeConfig, actor: type[Actor]) -> Factory:
    """Return what makes the actor of this node."""
    made: Factory = actor
    return made if config.through is None else partial(made, through=config.through, address=config.where)


def _ended(config: NodeConfig, host: Host) -> None:
    """Say why a node ended by itself; only a learner that has left did well."""
    why = host.ended.result()
    match host.error:
        case Departed():
            return  # its last line says so
        case RefusedIdentity():
            raise RefusedIdentity(why)
        case RefusedJoin():
            raise ChatsysError(why)
    raise ChatsysError(f"Node {config.node} stopped itself: {why}")
