"""Starting: how long a cluster takes until it serves, and what a long log costs: time, processor, memory.

    startup   a fresh cluster, importing chatsys; with `messages` a node whose log has so many
    growth    the memory of a node against the messages in its log

Read also `nodes` (a node as a user starts it), `protocol.recovery` (what it does with a log).
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from chatsys.actor.logfile import LOG, batch, encode
from chatsys.campaign.bench.lines import Line, line, load, until
from chatsys.campaign.bench.load import SPLIT
from chatsys.campaign.bench.nodes import MEBI, UserNodes
from chatsys.capabilities import PROCESSES, need
from chatsys.config import split_address
from chatsys.errors import ChatsysError
from chatsys.protocol.messages import Entry
from chatsys.protocol.storage import Boot, CommitHint, Promised, Stored
from chatsys.runtime.cluster import Cluster, Where

AT_ONCE = 500
"""Entries that one batch of the log has."""
LONG_START = 600.0
"""Seconds that a node may take on a long log."""
WORLDS: tuple[Where, ...] = ("kernel", "processes")


def startup(nodes: int = 3, rounds: int = 3, messages: int = 0, bytes: int = 100) -> Iterator[Line]:
    """Measure how long a fresh cluster takes until it has a leader, what importing costs, and a log of so many messages."""
    if messages:
        for _ in range(rounds):
            yield one_start("startup", messages, bytes)
        return
    for where in WORLDS:
        for _ in range(rounds):
            began = time.perf_counter()
            with Cluster(nodes=nodes, where=where) as cluster:
                listening = time.perf_counter() - began
                until(partial(_leads, cluster), "have a leader")
                leading = time.perf_counter() - began
            yield line("startup", where, nodes=nodes, seconds_to_listen=listening, seconds_to_leader=leading)
    for module in ("chatsys", "chatsys.runtime.cluster"):
        seconds = min(_import_seconds(module) for _ in range(rounds))
        yield line("import", "python", module=module, seconds_to_import=seconds)


def growth(messages: int = 100_000, bytes: int = 100) -> Iterator[Line]:
    """Measure the time, CPU and memory of a node that starts on a log of 0 messages, a quarter, half and all of them."""
    empty = 0.0
    for count in dict.fromkeys((0, messages // 4, messages // 2, messages)):
        told = one_start("growth", count, bytes)
        empty = empty or told["memory_mb"]
        yield told | {"bytes_per_message": round((told["memory_mb"] - empty) * MEBI / count) if count else 0}


def one_start(bench: str, messages: int, size: int) -> Line:
    """Start one node, the only one of its cluster, on a log of so many messages."""
    nodes = UserNodes(1)
    try:
        write_log(nodes.data(1), messages, size)
        began = time.perf_counter()
        nodes.start(1)
        until(partial(_listens, nodes), "listen", LONG_START)
        wall, cpu = time.perf_counter() - began, nodes.cpu(1)
        until(lambda: nodes.leader == 1, "have a leader", LONG_START)
        now, most = nodes.memory(1)
        log = (nodes.data(1) / LOG).stat().st_size / MEBI
        return line(
            bench, "processes", messages=messages, bytes=size, log_mb=log, seconds_to_listen=wall,
            cpu_seconds_to_listen=cpu, memory_mb=now, memory_peak_mb=most, load=load(),
        )  # fmt: skip
    finally:
        nodes.__exit__()


def write_log(folder: Path, messages: int, size: int) -> None:
    """Write the log of node 1, alone in its cluster, which has led one term and committed so many messages."""
    folder.mkdir(mode=0o700)
    session = Entry(seq=2, term=1, kind="session", client_id="c" * 32)
    first = [Boot(1, "chat", 1), Promised(1, 1), Stored(Entry(seq=1, term=1, kind="barrier")), Stored(session)]
    chat = Entry(seq=SPLIT, term=1, kind="chat", client_id="c" * 32, client_seq=SPLIT, room="main", author="ann",
                 text="x" * size, session=2)  # fmt: skip
    before, between, after = encode(Stored(chat)).split(str(SPLIT).encode())
    with (folder / LOG).open("wb") as file:
        file.write(batch(1, b"".join(map(encode, first))))
        for number, start in enumerate(range(1, messages + 1, AT_ONCE), start=2):
            numbers = range(start, min(start + AT_ONCE, messages + 1))
            lines = b"".join(b"%b%d%b%d%b" % (before, one + 2, between, one, after) for one in numbers)
            file.write(batch(number, lines + encode(CommitHint(numbers[-1] + 2))))


def _listens(nodes: UserNodes) -> bool:
    """Tell whether node 1 can be reached; raises `ChatsysError` if it has ended."""
    nodes.is_level(1)
    try:
        with socket.create_connection(split_address(nodes.config.members[1]), 1):
            return True
    except OSError:
        return False


def _import_seconds(module: str) -> float:
    need("To time an import", PROCESSES, instead="measure on a computer")
    code = f"import time; began = time.perf_counter(); import {module}; print(time.perf_counter() - began)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it did not say why"])[-1]
        raise ChatsysError(f"A new Python cannot import {module} ({said}); nothing was measured.")
    return float(done.stdout)


def _leads(cluster: Cluster) -> bool:
    return cluster.leader is not None
