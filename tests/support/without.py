"""A system without threads, processes, sockets, locks and limits, as a Python in a browser is: run a script in it.

    python tests/support/without.py script.py

The parts of Python that such a system lacks are taken away before anything of ours is imported; what
is left refuses in the same words as there.
"""

import _thread
import os
import runpy
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

GONE = ("_multiprocessing", "_posixsubprocess", "_posixshmem", "fcntl", "resource", "psutil", "termios", "pwd", "grp")


class Gone:
    """Finds nothing for these modules."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name in GONE:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


class Absent:
    """Tells `importlib.util.find_spec` that these modules are not there, as a missing file would."""

    def __init__(self, find: Any) -> None:
        self.find = find

    def __call__(self, name: str, package: str | None = None) -> Any:
        return None if name in GONE else self.find(name, package)


def refuse(*_args: Any, **_options: Any) -> Any:
    raise OSError(138, "this platform does not support processes")


def no_thread(*_args: Any, **_options: Any) -> Any:
    raise RuntimeError("can't start new thread")


def take_away() -> None:
    """Leave what such a system has."""
    import importlib.util

    for name in GONE:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, Gone())
    importlib.util.find_spec = Absent(importlib.util.find_spec)
    for name in ("start_new_thread", "start_new", "start_joinable_thread"):
        if hasattr(_thread, name):
            setattr(_thread, name, no_thread)
    import threading

    for name in ("_start_new_thread", "_start_joinable_thread"):
        if hasattr(threading, name):
            setattr(threading, name, no_thread)
    for name in ("fork", "posix_spawn", "posix_spawnp", "kill", "pidfd_open"):
        if hasattr(os, name):
            delattr(os, name)
    subprocess.Popen.__init__ = refuse  # type: ignore[method-assign]
    for name in ("SO_REUSEADDR", "SO_LINGER"):
        delattr(socket, name)
    for name in ("setitimer", "SIGSTOP", "pthread_sigmask"):
        delattr(signal, name)


if __name__ == "__main__":
    take_away()
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
