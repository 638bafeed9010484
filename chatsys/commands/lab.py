"""The command lab: JupyterLab on the tour, with what a student needs and nothing in the way.

    chatsys lab --> finds the notebooks, or lays a copy of those in the package into this folder
                `-> JUPYTER_CONFIG_PATH = teach/jupyter + what it was --> jupyterlab

`teach/jupyter` is a folder of Jupyter's own settings files: no question about news, no look for
updates or language servers, no tools of nbgrader.  They are defaults put below what a person has
set in JupyterLab; no file of that person is written.

Promises  whatever stands in the way is one sentence; a student's notebook is never overwritten.
Read also `binder/start`, which lays the same settings.
"""

import errno
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from chatsys.capabilities import PROCESSES, SOCKETS, need
from chatsys.commands import hint, leave
from chatsys.errors import UsageError

PACKAGE = Path(__file__).resolve().parents[1]
TOUR = Path("notebooks") / "00-tour.ipynb"
SHIPPED = PACKAGE / "notebooks"
"""The notebooks that a wheel carries."""
SETTINGS = PACKAGE / "teach" / "jupyter"
COPY = "chatsys-notebooks"
"""The folder for the notebooks of an installed chatsys, below the current one."""


def lab(
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of JupyterLab.  [default: 8888 or the next free one]")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
    instructor: Annotated[bool, typer.Option("--instructor", help="Show the tools of nbgrader, too.")] = False,
) -> None:
    """Open JupyterLab on the tour.

    Where chatsys was installed without its repository, the notebooks are copied into the folder
    chatsys-notebooks first; what is there already stays as it is.

    Examples:

        chatsys lab

        chatsys lab --no-browser --port 9000
    """
    need("JupyterLab", PROCESSES, SOCKETS, instead="start it on a computer")
    if importlib.util.find_spec("jupyterlab") is None:
        raise UsageError("JupyterLab is not installed; install it with: pip install 'chatsys[notebook]'")
    if port:
        _try(port)
    tour = place()
    root = tour.parent.parent
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}"]
    command += [f"--LabApp.default_url=/lab/tree/{tour.relative_to(root).as_posix()}"]
    if port is not None:
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += _encrypted()
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    surroundings = os.environ | {"JUPYTER_CONFIG_PATH": config_path(root, instructor)}
    hint(f"Opening {tour}. Ctrl-C twice stops JupyterLab.")
    if os.name == "posix":
        os.execve(command[0], command, surroundings)  # JupyterLab takes this process's place, so Ctrl-C is its own
    leave(subprocess.run(command, env=surroundings, check=False).returncode)


def config_path(root: Path, instructor: bool) -> str:
    """Return JUPYTER_CONFIG_PATH with our settings before what it was; instructors get those of the course as well."""
    ours = [str(SETTINGS / "instructor"), str(root / "labs")] if instructor else []
    return os.pathsep.join([*ours, str(SETTINGS), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])])


def place() -> Path:
    """Return where the tour is; without a repository, after laying the notebooks of the package into this folder."""
    tour = find_tour()
    if tour is None:
        raise UsageError(
            f"{TOUR.as_posix()} is neither here nor in the package; run this in the folder that you cloned."
        )
    if tour.parent != SHIPPED:
        return tour
    target = Path.cwd() / COPY
    try:
        lay(SHIPPED, target)
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(
            f"The notebooks cannot be copied to {target}: {reason}. Run this in a folder of your own."
        ) from None
    return target / tour.name


def find_tour() -> Path | None:
    """Return where the tour is: below this folder, in the clone that chatsys was installed from, or in the package."""
    for root in (Path.cwd(), SHIPPED.parent.parent, SHIPPED.parent):
        if (root / TOUR).is_file():
            return root / TOUR
    return None


def lay(source: Path, target: Path) -> None:
    """Copy all that is in `source` to `target`, but nothing that is there already."""
    for path in sorted(source.rglob("*")):
        goal = target / path.relative_to(source)
        if path.is_file() and not goal.exists() and "__pycache__" not in path.parts:
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, goal)


def _encrypted() -> list[str]:
    """Return the option for encrypted kernels where there is such a thing; without it each kernel warns of its absence."""
    import zmq
    from jupyter_client.manager import KernelManager

    known = zmq.has("curve") and hasattr(KernelManager, "transport_encryption")
    return ["--KernelManager.transport_encryption=auto"] if known else []


def _try(port: int) -> None:
    """Raise a sentence if nobody can listen on `port`."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"Port {port} is in use by another program; give another --port, or none at all."
            ) from None
        raise UsageError(f"Port {port} cannot be used here: {error.strerror or error}. Give another --port.") from None


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(rich_help_panel="Classroom")(lab)
