"""Beginning: what holds while a process with somebody's own classes begins, because the process inherits it.

    with deaf(), hash_seed("1"):  process.start()      both are as before when it has begun
    bound_memory(1 << 30)                              in the process itself, before it opens the classes

Read also `aside` and `teach.grading.grader`, which begin them.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def deaf() -> Iterator[None]:
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
