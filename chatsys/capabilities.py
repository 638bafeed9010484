"""Capabilities: what this system can do, asked in one place: threads, processes, sockets, locks, limits.

A Python in a browser (Pyodide, WASI) starts no thread and no process and opens no socket; Windows
stops no process by a signal.  Whoever needs such a thing asks here, and then says so in a sentence
or goes on without.

    World, figures, check             need none of it
    Cluster, a client's connection    THREADS, SOCKETS         need(...) --> NotHere, one sentence
    ... of processes, whole notebooks PROCESSES                the same
    sweeps, grades, the panel         has(...)?  no: they go on in this very process

Assumes   what a module of Python lacks here cannot be had: a name that is missing is an answer.
Promises  importing never fails for what is missing; an answer of "no" that may be momentary (no more threads
          now) is not kept.
Read also `runtime.cluster`, `isolation.in_process` (the work of other processes, done in this one), `teach.widgets.panel.panel`, `doctor`.
"""

import signal
import socket
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec

from chatsys.errors import NotHere

THREADS, PROCESSES, SOCKETS = "threads", "processes", "sockets"
PAUSING, FILE_LOCKS, TIMERS = "signals that pause a process", "file locks", "timers"

_WITHOUT = {"emscripten": "runs in a browser or in node", "wasi": "runs in a WebAssembly sandbox"}
"""Platforms of Python without an operating system below, and how to say so."""


def has(*names: str) -> bool:
    """Tell whether this system has all of these."""
    return all(_PROBES[name]() for name in names)


def need(what: str, *names: str, instead: str) -> None:
    """Raise `NotHere` if this system lacks one of these, which `what` needs; `instead` is what one can do."""
    lacking = [name for name in names if not has(name)]
    if lacking:
        where = f"this Python, which {_WITHOUT[sys.platform]}," if sys.platform in _WITHOUT else "this system"
        raise NotHere(f"{what} needs {_listed(names)}, and {where} has no {_listed(lacking, 'or')}; {instead}.")


def _listed(names: list[str] | tuple[str, ...], word: str = "and") -> str:
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _threads() -> bool:
    if _started:
        return True
    try:
        thread = threading.Thread(target=_started.append, args=(True,), daemon=True)
        thread.start()
        thread.join()
    except RuntimeError:  # "can't start new thread": never here, or not at the moment
        return False
    return True


_started: list[bool] = []
"""Not empty once a thread could be started."""


def _processes() -> bool:
    spawning = "_winapi" if sys.platform == "win32" else "_posixsubprocess"
    return sys.platform not in _WITHOUT and _importable("_multiprocessing", spawning)


def _sockets() -> bool:
    return sys.platform not in _WITHOUT and hasattr(socket, "SO_REUSEADDR")


def _importable(*modules: str) -> bool:
    return all(find_spec(module) is not None for module in modules)


_PROBES: dict[str, Callable[[], bool]] = {
    THREADS: _threads,
    PROCESSES: _processes,
    SOCKETS: _sockets,
    PAUSING: lambda: _processes() and hasattr(signal, "SIGSTOP"),
    FILE_LOCKS: lambda: sys.platform not in _WITHOUT and (_importable("msvcrt") or _importable("fcntl")),
    TIMERS: lambda: sys.platform not in _WITHOUT and hasattr(signal, "setitimer"),
}
"""How to find out about each."""
