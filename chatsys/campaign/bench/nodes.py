"""Nodes: those that are measured, as a user starts them or in this process, and what each of them has used.

    with nodes_of(3) as nodes:        three times `python -m chatsys node --config ...`, in a temporary folder
        nodes.loaded(order)           a client process speaks; --> what came of it, and what each node used meanwhile
        nodes.kill(1), nodes.start(1)

What a node did (turns, frames, syncs) stands in its status file, which is a second old at most; so it is read before a
load, and again when it was written after it.  Processor time is asked from the system while the load measures.

Promises  nothing is left behind: no process, no folder; on Linux not even where this process is killed.
Read also `load` (the client process), `served` (what is made of it), `runtime.service` (the node, its status).
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

import chatsys
from chatsys.campaign.bench.lines import until
from chatsys.campaign.bench.ordered import LoadOrder, LoadResult
from chatsys.capabilities import PROCESSES, need
from chatsys.config import ClusterConfig
from chatsys.errors import ChatsysError
from chatsys.isolation.beginning import with_parent
from chatsys.runtime import status_file
from chatsys.runtime.cluster import Cluster
from chatsys.runtime.net.ports import Ports
from chatsys.runtime.service import loop_factory, work_of
from chatsys.temporary import remove, temporary

OURS = Path(chatsys.__file__).parents[1]
WORK = ("turns", "frames_in", "frames_out", "syncs")
"""What a node counts in its status."""
MEBI = 2**20


class Used(msgspec.Struct):
    """What a load cost: seconds of CPU while it was measured, and work from its beginning to its end, by node."""

    result: LoadResult
    cpu: dict[int, float]
    work: dict[int, dict[str, int]]


class UserNodes:
    """Nodes 1..n, each a process as a user starts it; a context."""

    def __init__(self, count: int, loop: str = "asyncio") -> None:
        need("To measure nodes", PROCESSES, instead="measure on a computer")
        loop_factory(loop)  # says that uvloop is not there before anything is started
        self.loop = loop
        self.folder = temporary()
        self.ports = Ports(range(1, count + 1))
        self.config = ClusterConfig(members=self.ports.members, quorum=count // 2 + 1)
        self.processes: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "UserNodes":
        try:
            for node in self.config.ids:
                self.start(node)
            until(
                lambda: self.leader is not None and all(self.is_level(one) for one in self.config.ids), "have a leader"
            )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes.values():
            with suppress(OSError):
                process.kill()
            process.wait(10)
        self.ports.free()
        remove(self.folder)

    def data(self, node: int) -> Path:
        """Return the folder of a node's log."""
        return self.folder / f"node{node}"

    def start(self, node: int) -> None:
        """Start a node, or start it again."""
        members = ", ".join(f"{one}: '{address}'" for one, address in self.config.members.items())
        config = self.folder / f"node{node}.yml"
        config.write_text(f"node: {node}\nmembers: {{{members}}}\ndata: '{self.data(node)}'\n")
        words = [sys.executable, *with_parent(signal.SIGKILL), "-m", "chatsys", "node", "--config", str(config)]
        with (self.folder / f"node{node}.err").open("ab") as told:
            self.processes[node] = subprocess.Popen(
                [*words, "--loop", self.loop], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=told,
                env={**os.environ, "PYTHONPATH": str(OURS)},
            )  # fmt: skip

    def kill(self, node: int) -> None:
        """End a node as `kill -9` does."""
        self.processes[node].kill()
        self.processes[node].wait(10)

    def stop(self) -> None:
        """Let all nodes end in peace, so that their logs are whole."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)

    def status(self, node: int) -> dict[str, Any]:
        """Return what a node says of itself; it is as old as its `time`."""
        return status_file.read(self.data(node)) or {}

    @property
    def leader(self) -> int | None:
        """The node that takes messages, if it says so."""
        return next((node for node in self.config.ids if self.status(node).get("ready")), None)

    def is_level(self, node: int) -> bool:
        """Tell whether a node has caught up once in this life."""
        if (code := self.processes[node].poll()) is not None:
            raise ChatsysError(f"Node {node} ended with exit code {code}; nothing was measured.")
        return bool(self.status(node).get("level"))

    def work(self, node: int, since: float = 0.0) -> dict[str, int]:
        """Return what a node has done, told after the moment `since`."""
        until(lambda: self.status(node).get("time", 0.0) > since, "write its status")
        told = self.status(node)
        return {name: told.get(name, 0) for name in WORK}

    def cpu(self, node: int) -> float:
        """Return the seconds of CPU that a node has used."""
        return cpu_of(self.processes[node].pid)

    def memory(self, node: int) -> tuple[float, float]:
        """Return the memory that a node has, and the most that it had, in MB."""
        return memory_of(self.processes[node].pid)

    def loaded(self, order: LoadOrder) -> Used:
        """Let a client process carry out an order; return what came of it and what it cost."""
        return loaded(self, order)


class KernelNodes:
    """The same of nodes that live in this process, whose CPU and memory they share."""

    def __init__(self, count: int) -> None:
        self.folder = temporary()
        self.cluster = Cluster(count, "kernel", data=self.folder)
        self.config = self.cluster.config

    def __enter__(self) -> "KernelNodes":
        until(lambda: self.cluster.leader is not None, "have a leader")
        return self

    def __exit__(self, *error: object) -> None:
        self.cluster.stop()
        remove(self.folder)

    def data(self, node: int) -> Path:
        """Return the folder of a node's log."""
        return self.folder / f"node{node}"

    def stop(self) -> None:
        """Let all nodes end in peace."""
        self.cluster.stop()

    @property
    def leader(self) -> int | None:
        """The node that leads."""
        return self.cluster.leader

    def work(self, node: int, since: float = 0.0) -> dict[str, int]:
        """Return what a node has done."""
        home: Any = self.cluster.supervisor.nodes[node]
        return work_of(home.host)

    def cpu(self, node: int) -> float:
        """Return the share of this process's CPU that would be a node's if all had the same."""
        return cpu_of(os.getpid()) / len(self.config.ids)

    def memory(self, node: int) -> tuple[float, float]:
        """Return the memory of this process, and the most that it had, in MB."""
        return memory_of(os.getpid())

    def loaded(self, order: LoadOrder) -> Used:
        """Let a client process carry out an order; return what came of it and what it cost."""
        return loaded(self, order)


Nodes = UserNodes | KernelNodes


def nodes_of(count: int, where: str = "processes", loop: str = "asyncio") -> Nodes:
    """Return so many nodes of one cluster, to be entered."""
    return UserNodes(count, loop) if where == "processes" else KernelNodes(count)


def loaded(nodes: Nodes, order: LoadOrder, without: tuple[int, ...] = ()) -> Used:
    """Carry out an order at the leader of these nodes, unless it names addresses itself; some nodes may be down."""
    leader = nodes.leader
    assert leader is not None, "whoever measures waits for a leader"
    order = msgspec.structs.replace(order, addresses=order.addresses or (nodes.config.members[leader],))
    up = [node for node in nodes.config.ids if node not in without]
    before = {node: nodes.work(node) for node in up}
    with speaking(order) as load:
        assert load.stdout is not None
        load.stdout.readline()
        began = {node: nodes.cpu(node) for node in up}
        load.stdout.readline()
        cpu = {node: nodes.cpu(node) - used for node, used in began.items()}
        result = read_result(load)
    ended = time.time()
    work = {node: nodes.work(node, ended) for node in up}
    return Used(result, cpu, {one: {name: work[one][name] - before[one][name] for name in WORK} for one in work})


@contextmanager
def speaking(order: LoadOrder) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the client process of an order; it has ended when this is left.

    Nothing of its output is buffered here: whoever reads a line of it leaves the next ones to `read_result`.
    """
    words = [
        sys.executable,
        *with_parent(signal.SIGKILL),
        "-m",
        "chatsys.campaign.bench.load",
        msgspec.json.encode(order).decode(),
    ]
    load = subprocess.Popen(
        words, bufsize=0, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(OURS)},
    )  # fmt: skip
    try:
        yield load
    finally:
        load.kill()
        load.communicate()


def read_result(load: "subprocess.Popen[bytes]") -> LoadResult:
    """Return what came of an order.  Raises `ChatsysError` with the sentence of the client process."""
    told, why = load.communicate(timeout=600)
    if load.returncode:
        raise ChatsysError(
            (why.decode(errors="replace").strip().splitlines() or ["The load did not say why it ended."])[-1]
        )
    return msgspec.json.decode(told.splitlines()[-1], type=LoadResult)


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU that a process has used; 0 if it is gone."""
    import psutil  # here, because this module is imported where there are no processes

    with suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    return 0.0


def memory_of(pid: int) -> tuple[float, float]:
    """Return the memory of a process, and the most that it had where the system tells it, in MB."""
    import psutil  # here, because this module is imported where there are no processes

    with suppress(psutil.Error):
        now = psutil.Process(pid).memory_info()
        most = float(getattr(now, "peak_wset", now.rss))
        with suppress(OSError):
            told = Path(f"/proc/{pid}/status").read_text()
            most = next(int(line.split()[1]) * 1024.0 for line in told.splitlines() if line.startswith("VmHWM"))
        return now.rss / MEBI, most / MEBI
    return 0.0, 0.0
