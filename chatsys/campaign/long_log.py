"""A long log: written as a node would have written it, to measure what it costs to start on one.

    boot | promise, barrier | a session for each client | 500 messages, commit hint | 500 messages, ... | hint, mark
                                                          `- one batch, one turn of the leader: one time for all

Assumes   the cluster has one member, so that nothing but the log stands between its start and its service.
Promises  a node accepts the log (`recovery.replay` finds nothing that cannot follow), and delivers all of it.
Read also `actor.logfile` (the format), `protocol.recovery` (who reads it), `bench` (who measures).
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from chatsys.actor.logfile import LOG, batch, encode, mark
from chatsys.config import ClusterConfig
from chatsys.protocol.messages import Entry
from chatsys.protocol.storage import Boot, CommitHint, Promised, Stored

BATCH = 500
"""Messages that one sync covers; so many gather while a sync goes on, when a thousand are outstanding."""
LIMIT = 600.0
"""Seconds after which a node that has not started is an error."""


class StartCost(msgspec.Struct, frozen=True):
    """What the start of a node cost: seconds of CPU, and megabytes (10^6 bytes) of memory; `before` with an empty log."""

    cpu: float
    stays: float
    peak: float
    before: float


def write_long_log(folder: Path, messages: int, *, clients: int = 64, size: int = 100) -> Path:
    """Write the log of node 1, the only one of its cluster, into `folder`: so many messages of `size` bytes.

    Returns the path of the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOG
    with open(path, "wb") as file:
        number = 0
        for number, records in enumerate(_batches(messages, clients, size), start=1):
            file.write(batch(number, b"".join(map(encode, records))))
        file.write(mark(number))
    return path


def _batches(messages: int, clients: int, size: int) -> Iterator[list[msgspec.Struct]]:
    """Yield what each sync covers."""
    yield [Boot(1, "bench", 1, identity=f"{1:032x}", nonce=f"{1:016x}")]
    first = clients + 2
    sessions = [Entry(seq, 1, "session", f"client-{seq:025}") for seq in range(2, first)]
    yield [Promised(1, 1), Stored(Entry(1, 1, "barrier")), *map(Stored, sessions), CommitHint(1)]
    for begin in range(0, messages, BATCH):
        batch_of: list[msgspec.Struct] = []
        for message in range(begin, min(begin + BATCH, messages)):
            session = sessions[message % clients]
            said = (f"room {message % 7}", f"author {message % clients}", f"{message:<{size - 1}}.")
            batch_of.append(Stored(Entry(
                first + message, 1, "chat", session.client_id, message // clients + 1, *said,
                time=round(1e6 + begin / 10_000, 3), session=session.seq,
            )))  # fmt: skip
        yield [*batch_of, CommitHint(first - 1 + begin)]
    yield [CommitHint(first - 1 + messages)]


def measure_start(folder: Path) -> StartCost:
    """Start a node on the log in `folder`, in a process of its own, until it leads; return what that cost."""
    code = f"from chatsys.campaign.long_log import start_here; start_here({str(folder)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=LIMIT, check=True)
    return msgspec.json.decode(done.stdout, type=StartCost)


def start_here(folder: str) -> None:
    """Start the node in this process, and print what it cost; then end."""
    import asyncio
    import time

    from chatsys.protocol.node import Node
    from chatsys.runtime.disk import Disk
    from chatsys.runtime.host import Host
    from chatsys.runtime.terminal import Terminal

    async def live() -> None:
        config = ClusterConfig(members={1: "127.0.0.1:7001"}, quorum=1, cluster="bench")
        before = _memory("VmRSS")
        began = time.process_time()
        disk = Disk(Path(folder), Node.records, owner=("bench", 1), owner_of=Node.owner)
        host = Host(1, config, Node, Terminal(sys.stderr.write), disk=disk)
        await host.start(("127.0.0.1", 0))
        while not host.actor.status()["ready"]:
            await asyncio.sleep(0.01)
        cpu = time.process_time() - began
        sys.stdout.buffer.write(msgspec.json.encode(StartCost(cpu, _memory("VmRSS"), _memory("VmHWM"), before)))
        host.crash()
        disk.gone()

    asyncio.run(live())


def _memory(name: str) -> float:
    """Return a number of this process's memory, as Linux calls it, in megabytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0
