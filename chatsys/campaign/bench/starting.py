"""Starting: how long a cluster takes until it serves, and what a long log costs: time, processor, memory.

    startup   a fresh cluster, importing chatsys; with `messages` a node whose log has so many
    growth    the memory of a node against the messages in its log

Read also `nodes` (a node as a user starts it), `protocol.recovery` (what it does with a log).
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial

from chatsys.campaign.bench.lines import Line, line, until
from chatsys.capabilities import PROCESSES, need
from chatsys.errors import ChatsysError
from chatsys.runtime.cluster import Cluster, Where

WORLDS: tuple[Where, ...] = ("kernel", "processes")


def startup(nodes: int = 3, rounds: int = 3) -> Iterator[Line]:
    """Measure how long a fresh cluster takes until it has a leader, and what importing costs."""
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
