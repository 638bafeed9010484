"""A node in a container: crash is `docker kill -s KILL`, pause is `docker pause`, and its volume outlives its lives.

    cluster --stdin--> docker run --interactive --the engine--> python -m chatsys.runtime.nodes.child
    cluster <--stdout-                                          the same child, the same lines as in a process

`docker run` stays as long as the container lives and carries its pipes, so a node in a container is a node at the other
end of two pipes, like one in a process.  When the cluster's kernel ends, however it ends, the first pipe ends,
and with it the container, which the engine then removes.  One that is paused at that moment is swept by the next cluster.

    volume <-- tar --> a folder of the cluster          wipe, copy, restore: in a container of their own, without network

Assumes   the image has `sh`, `find` and `tar`.
Read also `process` (the node, and the pipes), `net.containers` (network, names, labels), `runtime.engine`.
"""

import asyncio
import io
import os
import subprocess
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path

from chatsys.errors import NotHere
from chatsys.runtime import engine, orders
from chatsys.runtime.engine import INSTEAD, docker
from chatsys.runtime.net.containers import Containers
from chatsys.runtime.nodes.body import Process
from chatsys.runtime.nodes.folder import DataFolder
from chatsys.runtime.nodes.kernel import NodePlan
from chatsys.surroundings import make_folder

DATA = "/data"
_EMPTY = f'find {DATA} -mindepth 1 -delete 2>/dev/null; test -z "$(ls -A {DATA})"'
_OUT = f"tar -C {DATA} -cf - . || test $? -eq 1"
"""The 1 says that a file grew meanwhile: the node may run, and its log grows at the end."""
_IN = f"tar -C {DATA} -xf -"


class Volume:
    """Where the log of a node lies: a volume of the engine, or a folder of this machine that was named with `data`."""

    def __init__(self, network: Containers, plan: NodePlan, node: int) -> None:
        folder = plan.data(node)
        self.mounted: tuple[str, ...] = ("--mount", network.mount_volume(node))
        if plan.keeps:  # its files shall belong to whoever looks for them there
            source = str(folder.resolve()).replace('"', '""')
            self.mounted = (
                "--mount",
                f'type=bind,"source={source}",target={DATA}',
                "--user",
                f"{os.getuid()}:{os.getgid()}",
            )
            make_folder(folder)

    def _run(self, script: str, data: bytes = b"") -> bytes:
        words = ("--rm", "--interactive", "--pull", "never", "--network", "none", "--log-driver", "none")
        return docker("run", *words, *self.mounted, "--entrypoint", "sh", engine.image(), "-c", script, data=data)

    def empty(self) -> None:
        """Remove all that is in it."""
        self._run(_EMPTY)

    def copy_to(self, place: Path) -> None:
        """Copy all that is in it, out of the engine."""
        make_folder(place)
        with tarfile.open(fileobj=io.BytesIO(self._run(_OUT))) as packed:
            packed.extractall(place, filter="data")

    def fill_from(self, place: Path) -> None:
        """Copy all that is in `place` into it."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for path in sorted(place.iterdir()):
                tar.add(path, path.name)
        self._run(_IN, packed.getvalue())

    def leave(self, order: orders.Order) -> None:
        """Leave an order in it."""
        with tempfile.TemporaryDirectory() as made:
            orders.leave(Path(made), order)
            self.fill_from(Path(made))


class Container:
    """The container of a node, a new one for each life."""

    patience = 40.0

    def __init__(self, network: Containers, plan: NodePlan, node: int) -> None:
        self.network, self.node = network, node
        self.volume = Volume(network, plan, node)
        self.folder: DataFolder = self.volume
        self.data = DATA

    @property
    def path(self) -> list[str]:
        """Nothing: the image has a path of its own."""
        return []

    def command(self) -> list[str]:
        """Return the words that begin a life."""
        child = ("-X", "utf8", "-m", "chatsys.runtime.nodes.child")
        return [*self.network.launch(self.node), *self.volume.mounted, "--entrypoint", "python", engine.image(), *child]

    def environment(self) -> dict[str, str]:
        """Return the environment of `docker` itself; nothing of it goes into the container."""
        return dict(os.environ)

    async def kill(self, process: Process) -> None:
        """Kill the container, and with it `docker run`, which reads the pipes to their end first."""
        with suppress(NotHere):  # it has ended already
            await self._order("kill", "--signal", "KILL")
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, self.patience)
        process.kill()

    async def pause(self, process: Process) -> None:
        """Freeze the container."""
        await self._order("pause")

    async def resume(self, process: Process) -> None:
        """Let the container go on."""
        await self._order("unpause")

    async def _order(self, *words: str) -> None:
        await asyncio.to_thread(docker, *words, self.network.containers[self.node])

    def explain(self, said: str) -> str:
        """Return why a life could not begin, where `docker` said it, or where the image lacks somebody's own module."""
        if "ModuleNotFoundError" in said:
            return (
                f"{said.strip().rpartition('ModuleNotFoundError: ')[2]} in the image, which has chatsys and nothing of yours: "
                f"write the class into a cell of the notebook, from where it travels, {INSTEAD}."
            )
        return engine.refusal("run", said) if "docker: " in said else ""
