"""The command doctor: what is installed here, what this system can do, and what to do about the rest.

Read also `chatsys.capabilities` (the facts that the package itself goes by), `lab` (who finds the tour).
"""

import importlib.util
import os
import platform
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import msgspec
import typer

from chatsys.capabilities import PAUSING, has
from chatsys.commands import HELD, VIOLATED, AsJson, leave, print_json
from chatsys.commands.lab import TOUR, find_tour
from chatsys.errors import NotHere

"""Where the notebooks are in an installed package; in a clone they stand beside it."""
NEEDED, WANTED, OPTIONAL = "needed", "wanted", "optional"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

PACKAGES = {
    # distribution: (how badly, what for)
    "msgspec": (NEEDED, "frames, logs and traces"),
    "PyYAML": (NEEDED, "config files"),
    "typer": (NEEDED, "this command line"),
    "psutil": (NEEDED, "looking after node processes"),
    "cloudpickle": (NEEDED, "your own classes in processes"),
    "pandas": (WANTED, "trace.frame()"),
    "plotly": (WANTED, "figures"),
    "ipywidgets": (WANTED, "the panel"),
    "anywidget": (WANTED, "the timeline"),
    "jupyterlab": (WANTED, "notebooks and labs"),
    "ipykernel": (WANTED, "notebooks and labs"),
    "nest-asyncio": (WANTED, "asyncio.run in cells, on old kernels"),
    "nest-asyncio2": (WANTED, "asyncio.run in cells"),
    "nbgrader": (WANTED, "grading"),
    "pytest": (WANTED, "make test"),
    "nbval": (WANTED, "notebooks as tests"),
    "uvloop": (OPTIONAL, "a faster loop in node processes"),
}


class Diagnosis(msgspec.Struct):
    """One thing that was looked at: whether it is fine, what was found, what to do if not."""

    name: str
    fine: bool
    need: str
    found: str
    advice: str = ""


def examine() -> list[Diagnosis]:
    """Look at the Python, the packages and the system, and return what was found."""
    python = Diagnosis(
        "Python", sys.version_info >= (3, 11), NEEDED, platform.python_version(), "Install 3.11 or newer."
    )
    return [python, *map(_package, PACKAGES), *(_try(*check) for check in _SYSTEM)]


def verdict(findings: list[Diagnosis]) -> dict[str, Any]:
    """Return what `doctor --json` prints: `ok` unless something needed is missing."""
    return {
        "ok": all(finding.fine for finding in findings if finding.need == NEEDED),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": os.cpu_count(),
        "findings": {finding.name: msgspec.to_builtins(finding) for finding in findings},
    }


def _package(name: str) -> Diagnosis:
    need, purpose = PACKAGES[name]
    from importlib import metadata  # every command imports this module; only this one asks for versions

    try:
        return Diagnosis(name, True, need, f"{metadata.version(name)}: {purpose}")
    except metadata.PackageNotFoundError:
        return Diagnosis(name, False, need, f"not installed: {purpose}", f"pip install {name}")


def _try(name: str, need: str, look: Callable[[], str], advice: str) -> Diagnosis:
    try:
        return Diagnosis(name, True, need, look())
    except (OSError, AttributeError, LookupError) as error:
        return Diagnosis(name, False, need, str(error) or type(error).__name__, advice)


def _listen() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1, for example port {listener.getsockname()[1]}"


def _sync() -> str:
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
        file.flush()
        sync = getattr(os, "fdatasync", os.fsync)
        sync(file.fileno())
        return f"{sync.__name__} in {tempfile.gettempdir()}"


def _pause() -> str:
    if not has(PAUSING):
        raise LookupError(f"this system has no {PAUSING}")
    return f"by signal {signal.SIGSTOP.value}"


def _notebook() -> str:
    if importlib.util.find_spec("jupyterlab") is None:
        raise LookupError("jupyterlab is not installed")
    tour = find_tour()
    if tour is None:
        raise LookupError(f"{TOUR.as_posix()} is neither here nor in the package")
    return str(tour)


def _browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise LookupError("not installed: only the browser test drives it")
    return f"{found}: for the browser test"


def _engine() -> str:
    from chatsys.runtime.engine import check_engine, image

    try:
        check_engine()
    except NotHere as error:
        raise LookupError(str(error)) from None
    return f"it has {image()}: for Cluster(where='containers')"


_SYSTEM: tuple[tuple[str, str, Callable[[], str], str], ...] = (
    ("listening", NEEDED, _listen, "Allow programs to listen on the loopback address."),
    ("syncing to disk", NEEDED, _sync, "Give the temporary folder a real file system with free space."),
    ("pausing a process", WANTED, _pause, "Not on this system: pause works in the simulator and in the kernel only."),
    ("the tour", WANTED, _notebook, "Start in the folder that you cloned: git clone brings the notebooks."),
    ("a container engine", OPTIONAL, _engine, "Only Cluster(where='containers') needs one."),
    ("Chromium", OPTIONAL, _browser, "Install chromium with the system's packages."),
)


def doctor(as_json: AsJson = False) -> None:
    """Tell what is installed, what works here and what is missing.

    Example:

        chatsys doctor
    """
    findings = examine()
    result = verdict(findings)
    if as_json:
        print_json(result)
    else:
        print(f"{result['system']}, {result['cores']} cores")
        for finding in findings:
            word = "ok" if finding.fine else "without" if finding.need == OPTIONAL else "MISSING"
            print(f"  {word:7}  {finding.name:18} {finding.found}")
            if not finding.fine and finding.advice:
                print(f"           {'':18} {finding.advice} ({finding.need})")
    leave(HELD if result["ok"] else VIOLATED)


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(rich_help_panel="Classroom")(doctor)
