"""Beginning: what holds while a process with somebody's own classes begins, because the process inherits it.

    with sigint_blocked(), hidden_main(), hash_seed("1"):  process.start()     all is as before when it has begun
    bound_memory(1 << 30)                                                      in the process itself, before it opens the classes
    clean_environment(folder)                                                  for one that shall know nothing, and leave nothing
    with_parent(signal.SIGTERM)                                                for one that shall not outlive this one

Read also `worker` and `confined_process`, which begin them.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_hiding = threading.Lock()


@contextmanager
def sigint_blocked() -> Iterator[None]:
    """Let Ctrl-C wait while a process begins, which inherits this: it would be hit before it can ignore it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker  # importing it needs what only systems with processes have

    resource_tracker.ensure_running()  # else it begins meanwhile, and lifts the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def hidden_main() -> Iterator[None]:
    """Let a process begin without running the main file of this program once more, which may have no guard against it."""
    main: dict[str, Any] = vars(sys.modules["__main__"])
    with _hiding:
        kept: dict[str, Any] = {name: main[name] for name in ("__file__", "__spec__") if name in main}
        main.pop("__file__", None)
        main["__spec__"] = None
        try:
            yield
        finally:
            main.update(kept)


@contextmanager
def hash_seed(seed: str | None) -> Iterator[None]:
    """Let processes that begin here have this PYTHONHASHSEED; None: as it is."""
    if seed is None:
        yield
        return
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = seed
    try:
        yield
    finally:
        del os.environ["PYTHONHASHSEED"]
        if before is not None:
            os.environ["PYTHONHASHSEED"] = before


def bound_memory(memory: int) -> None:
    """Let this process take so many bytes more than it has taken by now."""
    try:
        import resource

        import psutil
    except ImportError:
        return  # Windows: the time limits alone must do
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + memory, resource.getrlimit(resource.RLIMIT_AS)[1]))


def with_parent(ending: int) -> tuple[str, ...]:
    """Return the words of Python that stand before those of a command which gets this signal when this process ends.

    The thread that begins it must last as long as this process.  The wish (PR_SET_PDEATHSIG) survives `exec`, so anything
    can be started so; only Linux has it.
    """
    if sys.platform != "linux":
        return ()
    code = (
        f"import ctypes, os, sys; ctypes.CDLL(None).prctl(1, {int(ending)}); os.getppid() == {os.getpid()} or os._exit(1); "
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    return ("-c", code)


def clean_environment(folder: str) -> dict[str, str]:
    """Return the environment of a process that knows nothing of who began it and keeps everything in `folder`."""
    own = {"HOME": folder, "TMPDIR": folder, "IPYTHONDIR": folder, "MPLCONFIGDIR": folder, "PATH": os.defpath}
    fixed = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # fmt: skip
    needed = {
        name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ
    }
    return {**needed, **own, **fixed}
