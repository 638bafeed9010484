"""Limits: what a class in a confined process may take, read off from outside, and what is said when it took more.

    one operation    3 s of CPU           hung    it accuses: the same on every machine
                     30 s of sleep        hung    it accuses, too: the process itself asked the kernel to let it wait
                     45 s on the wall     late    accuses nobody: it was ready to run, or was suspended
    the whole        15 s of CPU, 60 s of sleep, a number of threads, of files and of their bytes

A machine that is busy, swaps or stops a process never puts it to sleep: the kernel says which of these it is.
Otherwise a class would get, by sleeping, the points that are given where nobody can tell.

The process cannot change these readings, whatever it does with its own clocks and signals.

Read also `confined_process` (who looks), `confinement` (the limits that the kernel keeps).
"""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import Literal

import msgspec

from chatsys.escape import escape
from chatsys.isolation.confinement import DESCRIPTORS
from chatsys.isolation.deadline import WAITS, queued

THREADS, FILES, FOLDER, DEPTH = 200, 2000, 64 << 20, 50
"""Threads of a process; files in its folder, their bytes in all, folders within folders."""

NO_THREAD = "RuntimeError: can't start new thread"
"""What Python says when a process has so many threads that there is no memory for the stack of one more."""
LONGEST_LOOK = 1.0
"""Seconds that one look can tell of: who looks may have been suspended as well."""
SUSPENDED = 1.5
"""So many times as long a process may be kept from running, so that one that sleeps is told as that."""


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """What a class may take."""

    operation: float = 3.0
    """Seconds of CPU for one call."""
    opening: float = 5.0
    """Seconds of CPU until the class has been opened."""
    whole: float = 15.0
    """Seconds of CPU in all."""
    patience: float = 10.0
    """So many times as long on the wall."""
    waiting: float = 60.0
    """Seconds of sleep in all."""
    memory: int = 1 << 30
    """Bytes beyond those that Python takes."""
    files: int = 1 << 20
    """Bytes of a file that it writes."""
    reply: int = 1 << 18
    """Bytes of one value that it returns."""
    replies: int = 1 << 24
    """Bytes of all that it answers, in its whole life: they become objects of the judge, many times as large."""


class Gone(BaseException):
    """The process of a class has ended, or was ended; no world may take that for a crash of one of its nodes.

    Attributes: `verdict`, `sentence`, `place` (a line of the class, or ""), `index` (which operation of the request),
    `call` (which script and which call of it, where scripts were run), `cpu` (what its processes took until then).
    """

    def __init__(
        self,
        verdict: Literal["hung", "late", "died", "borrowed", "refused"],
        sentence: str,
        place: str = "",
        index: int = 0,
    ) -> None:
        self.verdict, self.sentence, self.place, self.index = verdict, sentence, place, index
        self.call: tuple[int, int] | None = None
        self.cpu = 0.0
        super().__init__(sentence)


class Clock:
    """The two clocks of one request."""

    def __init__(self, limit: float, limits: Quota, slept: float = 0.0) -> None:
        """The process has slept for `slept` seconds before, while it was asked something."""
        self.limit, self.limits, self.slept = limit, limits, slept
        self.begun = self.since = self.looked = time.monotonic()
        self.at: int | None = None
        self.worked = self.slept_before = 0.0

    def sleeps(self) -> None:
        """It sleeps, and has since the last look; a look that came late counts as one, for who looks may be suspended."""
        self.slept += min(time.monotonic() - self.looked, LONGEST_LOOK)

    def over(self, at: int, worked: float, whole: float) -> tuple[Literal["hung", "asleep", "late"], float] | None:
        """Return which verdict it is and after how many seconds, if the time is over; `at` is the operation."""
        self.looked = now = time.monotonic()
        if at != self.at:
            self.at, self.worked, self.since, self.slept_before = at, worked, now, self.slept
        if worked - self.worked > self.limit:
            return "hung", self.limit
        if whole > self.limits.whole:
            return "hung", self.limits.whole
        wall, patience = now - self.since, self.limits.patience * self.limit
        if self.slept - self.slept_before > patience:
            return "asleep", patience
        if self.slept > self.limits.waiting:
            return "asleep", self.limits.waiting
        if wall > SUSPENDED * patience and worked - self.worked < WAITS * wall:
            return "late", patience
        # However little it may compute: who sleeps must be told as that long before.
        patience = max(self.limits.patience * self.limits.whole, SUSPENDED * self.limits.waiting)
        return ("late", patience) if now - self.begun > patience else None


class Taken(msgspec.Struct, frozen=True):
    """What a process has taken."""

    cpu: float = 0.0
    threads: int = 0
    sleeps: bool = False
    """Whether it waits for something of its own accord: it is neither ready to run, nor stopped, nor at the disk."""
    memory: int = 0
    """Bytes that it has in memory now."""
    ready: bool = False
    """Whether it runs, or would if a processor were free."""
    queued: float | None = None
    """Seconds that it has been ready to run while no processor was free, where the system counts them."""


class Spent(msgspec.Struct, frozen=True):
    """What all processes of a class have used up of its quota, one after the other."""

    cpu: float = 0.0
    slept: float = 0.0
    """Seconds of sleep while an answer was waited for."""
    answered: int = 0
    """Bytes of all answers."""


NOTHING_SPENT = Spent()


class Idle:
    """How long a process slept, and how long it was kept from running, as far as somebody sees who looks often."""

    def __init__(self) -> None:
        self.slept = self.kept = 0.0
        self._cpu, self._queued, self._looked = 0.0, 0.0, time.monotonic()

    def look(self, has: Taken) -> None:
        """Count the time since the last look, if the process has computed nothing in it.

        Who is looked at because it has just said something is awake at every look, although it slept between them.
        """
        passed = min(time.monotonic() - self._looked, LONGEST_LOOK)
        queued = 0.0 if has.queued is None else min(max(0.0, has.queued - self._queued), passed)
        if has.cpu > self._cpu:
            self._cpu = has.cpu
        elif has.sleeps or (has.ready and has.queued is not None):
            self.slept += passed - queued
            self.kept += queued
        else:
            self.kept += passed
        self._queued, self._looked = has.queued or 0.0, time.monotonic()


def taken(pid: int) -> Taken:
    """Return what a process has taken; nothing if nobody can say."""
    try:
        if sys.platform == "linux":
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            memory = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
            return Taken(cpu, int(fields[17]), fields[0] == "S", memory, fields[0] == "R", queued(pid))
        import psutil

        process = psutil.Process(pid)
        times = process.cpu_times()
        return Taken(float(times.user + times.system), process.num_threads(), False, int(process.memory_info().rss))
    except Exception:  # it has ended
        return Taken()


def overfull(folder: str, files: int = FILES, most: int = FOLDER) -> bool:
    """Tell whether there are more files in a folder, or more bytes in them, or deeper ones, than there may be."""
    waiting = [(folder, 0)]
    while waiting:
        here, depth = waiting.pop()
        with suppress(OSError), os.scandir(here) as entries:  # what was removed meanwhile does not count
            for entry in entries:
                files -= 1
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, depth + 1))
                else:
                    most -= entry.stat(follow_symlinks=False).st_size
                if files < 0 or most < 0 or depth > DEPTH:
                    return True
    return most < 0


def unlinked(pid: int) -> int:
    """Return the bytes of files that a process has open and that stand in no folder any more."""
    found = 0
    with suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
        for entry in entries:
            with suppress(OSError):
                found += _in_no_folder(entry.stat())
    return found


def left_behind(folder: str, files: int, most: int) -> Literal["full", "crowded"] | None:
    """Say whether this process has too many threads by now, or files in its folder and in none.

    Its files are asked one by one: a process that is confined may not look into /proc.
    """
    if len(sys._current_frames()) > THREADS:
        return "crowded"
    for descriptor in range(DESCRIPTORS):
        with suppress(OSError):
            most -= _in_no_folder(os.fstat(descriptor))
    return "full" if overfull(folder, files, most) else None


def _in_no_folder(about: os.stat_result) -> int:
    return about.st_blocks * 512 if S_ISREG(about.st_mode) and about.st_nlink == 0 else 0


def keeps_threads(name: str, where: str = "") -> str:
    """Say that a class keeps threads at work, and what to do."""
    line = f" ({where})" if where else ""
    return (
        f"{name} starts threads{line} that go on when the method is over, which the judge does not allow; do all of the "
        "work in the methods that are called."
    )


def bounded(text: str, most: int) -> str:
    """Return the beginning of a text that somebody else has written, with no sign that steers a terminal."""
    return escape(text[:most])
