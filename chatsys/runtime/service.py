"""Service: one node in a terminal or a container, from its config file, until Ctrl-C or SIGTERM.

    python -m chatsys node --config node1.yml

What it tells meanwhile is in `terminal`.  It may run on uvloop, which is faster where many connections
bring a message each.

Promises  a clean end: the actor is told, the log is synced, links are closed, exit code 0.
Read also `host` (the node's life), `config` (the file), `terminal` (the lines), `health` (what others look at).
"""

import asyncio
import importlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chatsys.actor.actor import Actor
from chatsys.capabilities import SOCKETS, THREADS, need
from chatsys.config import NodeConfig
from chatsys.errors import ChatsysError, RefusedIdentity, UsageError
from chatsys.protocol.node import Node
from chatsys.runtime.disk import Disk
from chatsys.runtime.health import Health
from chatsys.runtime.host import Host
from chatsys.runtime.loop import new_loop
from chatsys.runtime.net.ports import cannot_listen
from chatsys.runtime.net.strangers import raise_limit
from chatsys.runtime.terminal import Terminal

LOOPS = ("asyncio", "uvloop")


def run_node(
    config: NodeConfig,
    verbose: bool = False,
    *,
    actor: type[Actor] | None = None,
    loop: str = "asyncio",
    health: Path | None = None,
) -> None:
    """Run one node until it is told to end; raises `ChatsysError` if it cannot run (any longer).

    `health` is the file that it keeps for health checks.
    """
    need("A node", THREADS, SOCKETS, instead="use a World, which needs neither")
    raise_limit()
    sink = teller(_to_stderr, verbose)
    alive = Health(health, config.node, sink.greet)
    try:
        with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
            runner.run(_live(config, actor or Node, sink, alive))
    finally:
        alive.stop()


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


def teller(write: Callable[[str], Any], verbose: bool) -> Terminal:
    """Return a sink that writes what is worth telling, as lines."""
    return Terminal(write, verbose)


def _to_stderr(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _who(config: NodeConfig) -> str:
    """Return which node this is, and where the others find it if that is elsewhere than it listens."""
    members = config.cluster.members
    found = members[config.node]
    elsewhere = f", {found} to the others," if config.listen not in ("", found) else ""
    return f"node {config.node} of {len(members)}{elsewhere}"


async def _live(config: NodeConfig, actor: type[Actor], sink: Terminal, health: Health) -> None:
    owner = (config.cluster.cluster, config.node)
    disk = Disk(Path(config.data), actor.records, owner=owner, owner_of=actor.owner)
    loop = asyncio.get_running_loop()
    # The origin is 0: records carry the monotonic clock itself, which `terminal` turns into the time of day.
    host = Host(config.node, config.cluster, actor, sink, disk=disk)
    loop.set_exception_handler(lambda _, context: host.escaped(context))
    asked = asyncio.Event()
    for name in ("SIGINT", "SIGTERM"):
        try:
            loop.add_signal_handler(getattr(signal, name), asked.set)
        except (NotImplementedError, AttributeError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
            pass
    where = config.listen or config.cluster.members[config.node]
    try:
        await host.start(config.address)
    except OSError as error:
        host.crash()
        raise ChatsysError(cannot_listen(where, error)) from None
    sink.greet(f"{_who(config)} listens on {where}, log in {config.data}; Ctrl-C stops")
    health.watch(host)
    waiting = asyncio.create_task(asked.wait())
    either: set[asyncio.Future[Any]] = {waiting, host.ended}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    health.leave()
    if host.ended.done():
        await asyncio.to_thread(disk.gone)
        if host.is_refused:
            raise RefusedIdentity(host.ended.result())
        raise ChatsysError(f"Node {config.node} stopped itself: {host.ended.result()}")
    await host.stop()
    await asyncio.to_thread(disk.gone)
