"""Endings: whether a process has ended, whoever its parent is by now, and whether or not that one has asked for its code."""

import time

import psutil


def has_exited(process: psutil.Process) -> bool:
    """Return whether a process has ended, whether or not its new parent has asked for its exit code yet."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def ends(process: psutil.Process, limit: float) -> bool:
    """Return whether a process has ended after at most `limit` seconds."""
    end = time.monotonic() + limit
    while not has_exited(process):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
