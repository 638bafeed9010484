"""Service: one node in a terminal or a container, from its config file, until Ctrl-C or SIGTERM.

    python -m chatsys node --config node1.yml

It writes one readable line to stderr per event of membership, role, term and delivery:

    12:04:07.311  node 1  term 2  follower   follow     node 2 leads
    12:04:09.020  node 1  term 2  follower   deliver    #5 seq 9  main  ann: hello

Heartbeats and every other frame are shown with `verbose`.

Promises  a clean end: the actor is told, the log is synced, links are closed, exit code 0.
Read also `host` (the node's life), `config` (the file).
"""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from chatsys.config import NodeConfig
from chatsys.errors import ChatsysError
from chatsys.inert import inert
from chatsys.protocol.actor import Actor
from chatsys.protocol.node import Node
from chatsys.runtime.disk import Disk
from chatsys.runtime.host import Host
from chatsys.runtime.ports import cannot_listen
from chatsys.trace import Record

TOLD = {
    "start", "stop", "broken", "membership", "link_up", "link_down", "role", "lead", "ready", "follow", "suspect",
    "promise", "deliver", "anomaly",
}  # fmt: skip
"""What is worth a line without -v; with it, everything is."""
QUIET_DROPS = {"no link"}
"""Frames that vanish for these reasons are shown with -v only."""


def run_node(config: NodeConfig, verbose: bool = False, *, actor: type[Actor] | None = None) -> None:
    """Run one node until it is told to end; raises `ChatsysError` if it cannot run (any longer)."""
    asyncio.run(_live(config, actor or Node, teller(sys.stderr.write, verbose)))


def teller(write: Callable[[str], Any], verbose: bool) -> Callable[[list[Record]], None]:
    """Return a sink that writes one line per record worth telling."""
    begun = time.time() - time.monotonic()

    def tell(records: list[Record]) -> None:
        lines = [
            describe(record, begun)
            for record in records
            if verbose or record.kind in TOLD or (record.kind == "drop" and record.reason not in QUIET_DROPS)
        ]
        if lines:
            with suppress(OSError):  # where the lines go the disk may be full: the node itself goes on
                write("".join(lines))
                sys.stderr.flush()

    return tell


def describe(record: Record, begun: float = 0.0) -> str:
    """Return one line about `record`; the time of day is `begun + record.time`."""
    moment = begun + record.time
    clock = time.strftime("%H:%M:%S", time.localtime(moment)) + f".{int(moment % 1 * 1000):03d}"
    head = f"{clock}  node {record.node}  term {record.term}  {record.role:<10} {record.kind:<10}"
    return f"{head} {inert(_story(record))}".rstrip() + "\n"


def _story(record: Record) -> str:
    match record.kind:
        case "deliver":
            return f"#{record.msg_no} seq {record.seq}  {record.room}  {record.author}: {record.text}"
        case "follow":
            return f"node {record.peer} leads" + (f" ({record.reason})" if record.reason else "")
        case "lead" | "ready":
            return f"seq {record.seq}"
        case "promise":
            return f"to node {record.peer}" if record.peer else "to nobody yet"
    words = [
        record.message or "",
        f"peer {record.peer}" if record.peer is not None else "",
        f"seq {record.seq}" if record.seq is not None else "",
        record.id or "",
        record.reason or "",
        f"{record.text!r}" if record.text else "",
    ]
    return "  ".join(word for word in words if word)


async def _live(config: NodeConfig, actor: type[Actor], sink: Callable[[list[Record]], None]) -> None:
    owner = (config.cluster.cluster, config.node)
    disk = Disk(Path(config.data), actor.records, owner=owner)
    loop = asyncio.get_running_loop()
    # The origin is 0: records carry the monotonic clock itself, which `describe` turns into the time of day.
    host = Host(config.node, config.cluster, actor, sink, disk=disk)
    loop.set_exception_handler(lambda _, context: host.broke(_error(context)))
    asked = asyncio.Event()
    for name in ("SIGINT", "SIGTERM"):
        try:
            loop.add_signal_handler(getattr(signal, name), asked.set)
        except (NotImplementedError, AttributeError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
            pass
    try:
        await host.start(config.address)
    except OSError as error:
        host.crash()
        where = config.listen or config.cluster.members[config.node]
        raise ChatsysError(cannot_listen(where, error)) from None
    waiting = asyncio.create_task(asked.wait())
    either: set[asyncio.Future[Any]] = {waiting, host.ended}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if host.ended.done():
        raise ChatsysError(f"Node {config.node} stopped itself: {host.ended.result()}")
    await host.stop()
    await asyncio.to_thread(disk.gone)


def _error(context: dict[str, Any]) -> Exception:
    error = context.get("exception")
    return error if isinstance(error, Exception) else RuntimeError(str(context["message"]))
