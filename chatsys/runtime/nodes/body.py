"""Body: what a node at the other end of two pipes lives in, and how that is begun, killed and paused.

    a process of its own    SIGKILL        SIGSTOP, SIGCONT          a folder of this machine
    a container             docker kill    docker pause, unpause     a volume of the engine      (`container`)

Read also `process` (the node that has a body), `folder` (what lies in it), `net.ports` (which network it lives in).
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from chatsys.runtime.net.ports import Network
from chatsys.runtime.nodes import control
from chatsys.runtime.nodes.folder import DataFolder, HostFolder
from chatsys.runtime.nodes.kernel import NodePlan

Process = subprocess.Popen[bytes]


class Body(Protocol):
    """What a node lives in, behind its two pipes."""

    patience: float
    """Seconds that the beginning of a life may take."""
    folder: DataFolder
    data: str
    """Where the node itself finds its folder."""

    @property
    def path(self) -> list[str]:
        """The sys.path that the node takes over; without one it keeps its own."""

    def command(self) -> list[str]:
        """Return the words that begin a life."""

    def environment(self) -> dict[str, str]:
        """Return the environment of that command."""

    async def kill(self, process: Process) -> None:
        """End a life at once."""

    async def pause(self, process: Process) -> None:
        """Let nothing in it go on until `resume`."""

    async def resume(self, process: Process) -> None:
        """Let it go on."""

    def explain(self, said: str) -> str:
        """Return a better sentence than the last thing `said` about why a life could not begin, "" if there is none."""


class OwnProcess:
    """A process of this machine, in the network that `launch` says."""

    patience = 20.0

    def __init__(self, network: Network, plan: NodePlan, node: int) -> None:
        self.network, self.node = network, node
        self.folder: DataFolder = HostFolder(plan.data(node))
        self.data = str(plan.data(node))

    @property
    def path(self) -> list[str]:
        """This process's own sys.path, as it is now."""
        return [*sys.path]

    def command(self) -> list[str]:
        """Return the words that begin a life."""
        return [*self.network.launch(self.node), sys.executable, "-X", "utf8", "-m", "chatsys.runtime.nodes.child"]

    def environment(self) -> dict[str, str]:
        """Return this process's environment, with the place of this chatsys in it."""
        place = str(Path(__file__).parents[3])
        return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (place, os.environ.get("PYTHONPATH"))))}

    async def kill(self, process: Process) -> None:
        """Send SIGKILL."""
        process.kill()

    async def pause(self, process: Process) -> None:
        """Send SIGSTOP."""
        control.pause(process.pid)

    async def resume(self, process: Process) -> None:
        """Send SIGCONT."""
        control.resume(process.pid)

    def explain(self, said: str) -> str:
        """Return nothing: what a process says last is the reason."""
        return ""
