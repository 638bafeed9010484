"""Watching: a child that sleeps for ever is ended, and one that only waits for its turn on a busy machine is not.

    every quarter of a second:  all threads of the child and of what it began sleep, and none has computed since --> one more
                                anything else                                                                    --> none
    sixty in a row: it has hung

A thread that waits for a processor or a disk does not sleep, and neither does one that somebody stopped.

Assumes   Linux, whose /proc tells what a thread does; elsewhere nobody watches, and a child that sleeps is waited for.
Read also `trying` (which ends what computes for too long).
"""

import os
import resource
import select
import signal
from pathlib import Path

LOOK, LOOKS = 0.25, 60
"""Seconds between two looks, and how many of them in a row end a child."""


def wait(pid: int) -> tuple[int, resource.struct_rusage]:
    """Return the status of a child, and what it used, when it has ended; end it if it sleeps for ever."""
    ended = select.poll()
    child = os.pidfd_open(pid)
    ended.register(child, select.POLLIN)
    before, asleep = None, 0
    while not ended.poll(1000 * LOOK):
        now = computed(pid)
        asleep = asleep + 1 if now is not None and now == before else 0
        before = now
        if asleep >= LOOKS:
            os.kill(pid, signal.SIGKILL)
    os.close(child)
    _, status, usage = os.wait4(pid, 0)
    return status, usage


def computed(pid: int) -> int | None:
    """Return how long a process and its children have computed, in ticks; nothing if one of their threads does not sleep."""
    ticks = 0
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            told = (thread / "stat").read_text().rpartition(") ")[2].split()
            if told[0] not in "SZ":
                return None
            ticks += int(told[11]) + int(told[12])
            for child in (thread / "children").read_text().split():
                more = computed(int(child))
                if more is None:
                    return None
                ticks += more
    except (FileNotFoundError, ProcessLookupError):  # a thread, or a child, that has just ended
        return None
    return ticks
