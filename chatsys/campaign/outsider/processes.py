"""The processes of a visit: three nodes, one honest client, and the visitors; none of them stays behind.

    suite --start--> chatsys node (three)    ended by their ids, whatever happens; on Linux the kernel
            |------> honest.py               ends them too when the suite is killed
            `------> visitors                these also end when the pipe of the suite ends

The nodes and the honest client may run another version of the code: `code` is the folder that stands
first on their path.  The visitors are always those of this version.

Promises  `Processes` is a context: when it is left, every process has ended.
Read also `suite` (the order of events), `honest`, `visitors`.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import chatsys
from chatsys.config import ClusterConfig
from chatsys.isolation.beginning import with_parent
from chatsys.runtime.net.ports import Ports

OURS = Path(chatsys.__file__).parents[1]
HERE = Path(__file__).parent
MEBI = 2**20


class Usage:
    """The most memory (MB) and descriptors that each node was seen to use in a stretch of time."""

    def __init__(self) -> None:
        self.memory: dict[int, float] = {}
        self.descriptors: dict[int, int] = {}

    def note(self, node: int, memory: float, descriptors: int) -> None:
        """Keep the greatest."""
        self.memory[node] = max(memory, self.memory.get(node, 0.0))
        self.descriptors[node] = max(descriptors, self.descriptors.get(node, 0))

    def clear(self) -> None:
        """Begin a new stretch."""
        self.memory.clear()
        self.descriptors.clear()


class Processes:
    """Everything that is started for one visit."""

    def __init__(self, folder: Path, code: Path | None = None) -> None:
        self.folder = folder
        self.code = code or OURS
        self.ports = Ports((1, 2, 3))
        self.config = ClusterConfig(members=self.ports.members, quorum=2)
        self.nodes: dict[int, subprocess.Popen[bytes]] = {}
        self.others: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *error: object) -> None:
        for process in (*self.others, *self.nodes.values()):
            with suppress(OSError):
                process.kill()
            process.wait(10)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
        self.ports.free()

    @property
    def addresses(self) -> dict[int, tuple[str, int]]:
        """Where the nodes listen."""
        found = {}
        for node, address in self.config.members.items():
            host, _, port = address.rpartition(":")
            found[node] = (host, int(port))
        return found

    def start_nodes(self) -> None:
        """Start three nodes, each with a config file and a data folder of its own."""
        members = ", ".join(f"{node}: '{address}'" for node, address in self.config.members.items())
        for node in self.config.ids:
            config = self.folder / f"node{node}.yml"
            config.write_text(f"node: {node}\nmembers: {{{members}}}\ndata: '{self.data(node)}'\n")
            with self.told_by(node).open("wb") as told:
                words = ("-m", "chatsys", "node", "--config", str(config))
                self.nodes[node] = self._start(self.code, words, stderr=told)

    def data(self, node: int) -> Path:
        """Return the data folder of a node."""
        return self.folder / f"data{node}"

    def told_by(self, node: int) -> Path:
        """Return the file that holds what a node told on stderr."""
        return self.folder / f"node{node}.err"

    def last_words(self, node: int) -> str:
        """Return the last line that a node told."""
        lines = self.told_by(node).read_text(errors="replace").splitlines() or ["it told nothing"]
        return lines[-1].strip()[:300]

    def start_honest(self, rate: float) -> "subprocess.Popen[bytes]":
        """Start the honest client; what it writes is read by `diary`."""
        diary, where = str(self.folder / "honest.jsonl"), self.config.members.values()
        words = ("-P", str(HERE / "honest.py"), diary, self.config.cluster, str(rate), *where)
        return self._keep(self._start(self.code, words, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL))

    def diary(self) -> list[dict[str, Any]]:
        """Return what the honest client has written down so far."""
        path = self.folder / "honest.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]

    def start_visitor(self, attack: str, seconds: float, seed: int) -> "subprocess.Popen[bytes]":
        """Start one attack."""
        plan = {"attack": attack, "seconds": seconds, "seed": seed, "cluster": self.config.cluster,
                "addresses": {str(node): where for node, where in self.addresses.items()}}  # fmt: skip
        words = ("-m", "chatsys.campaign.outsider.visitors", json.dumps(plan))
        return self._keep(self._start(OURS, words, stdin=subprocess.PIPE, stdout=subprocess.PIPE))

    def verify(self) -> dict[str, Any]:
        """Return what `chatsys verify` of the nodes' version says about their folders; `{}` if it cannot be read."""
        folders = [str(self.data(node)) for node in self.nodes if self.data(node).is_dir()]
        words = [sys.executable, "-m", "chatsys", "verify", "--json", *folders]
        done = subprocess.run(words, env=self._environment(self.code), capture_output=True, timeout=300, check=False)
        try:
            found = json.loads(done.stdout)
        except ValueError:
            found = {"sentence": done.stderr.decode(errors="replace").strip()[-300:]}
        return dict(found)

    def ended(self) -> dict[int, int]:
        """Return the exit codes of those nodes that have ended."""
        return {node: code for node, process in self.nodes.items() if (code := process.poll()) is not None}

    def stop_nodes(self, limit: float = 15.0) -> None:
        """Ask the nodes to end and wait for them; who does not is killed on leaving."""
        for process in self.nodes.values():
            with suppress(OSError):
                process.terminate()
        end = time.monotonic() + limit
        for process in self.nodes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, end - time.monotonic()))

    def look(self, usage: Usage) -> None:
        """Note how much memory and how many descriptors each live node uses."""
        import psutil  # here and not above: this module is listed, and imported, where there are no processes

        for node, process in self.nodes.items():
            with suppress(psutil.Error):
                one = psutil.Process(process.pid)
                usage.note(node, one.memory_info().rss / MEBI, one.num_fds() if hasattr(one, "num_fds") else 0)

    def _keep(self, process: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
        self.others.append(process)
        return process

    def _start(self, code: Path, words: tuple[str, ...], **more: Any) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, *with_parent(signal.SIGKILL), *words],
            env=self._environment(code),
            cwd=self.folder,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **more},
        )

    @staticmethod
    def _environment(code: Path) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(code)}
