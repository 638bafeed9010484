"""The process in which cells run, seen from outside: it is begun, listened to, watched and ended.

    Request --> the process (`running`) --Told, Told, ...--> hear(told)     until it is done, or
                    |  it computes or waits too long, fills its folder or talks nonsense: ended from here
                    `- it ends by itself

Its clock and its folder are read from outside, because a cell can keep its own process from looking; the process looks
first, says in which line it was, and after which cell there was too much of something.  The clock on the wall decides
nothing.  A process that computes nothing either sleeps, which is its own doing and is bounded, or is kept from running,
by a busy machine or by who suspended it: then it is waited for, much longer, and given up as late, which costs nobody
points.

Promises  what it says is decoded strictly and bounded in bytes; afterwards it is gone, with whatever it began.
Read also `exchange` (what is said), `taking` (who begins it), `isolation.confinement`.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Literal

import msgspec

from chatsys.isolation.beginning import clean_environment
from chatsys.isolation.budget import SLACK
from chatsys.isolation.drain import Drain
from chatsys.isolation.limits import THREADS, Idle, Taken, overfull, taken, unlinked
from chatsys.teach.grading.exchange import MOST_FILES, Begun, Confined, Done, Request, Stopped, Told

BEGINNING = 60.0
"""Seconds in which a process computes nothing until it is ready."""
ANSWER, ALL_ANSWERS = 16 << 20, 64 << 20
"""Bytes that one answer may have; bytes that a process may tell in all."""
UNJUDGED = 100
"""So many things a process may say in a row before it is looked at: what it has said first says which cell took what."""
SAYING = 1.0
"""Seconds on the wall that a process that sleeps has to say where it is."""


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What the cells of a notebook still may, in seconds, all together; `nap` is for one cell."""

    cpu: float
    sleep: float
    nap: float
    wait: float
    """So long the process may be kept from running."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """Why a process is over."""

    verdict: Literal["done", "hung", "asleep", "late", "died", "babbled", "full", "crowded", "never ready"]
    place: str = ""
    """The line that was running, if it said so."""
    said: str = ""
    """How it ended by itself, or the last that it said before it was ready."""


class CellProcess:
    """One process, from its beginning to its end."""

    def __init__(self, request: Request, left: Left) -> None:
        self.request, self.left, self.folder = request, left, Path(request.private)
        self.cell: int | None = None
        """The cell that runs; None before the first one."""
        self.cpu = self.ready = self.cell_cpu = 0.0
        """Seconds of CPU by now, when the process was ready, and when the cell began."""
        self.memory = 0
        """Bytes that it took at most, once it is over."""
        self.idle = Idle()
        self.slept_before = 0.0
        """Seconds that it had slept when the cell began."""
        self.judged, self.unjudged = time.monotonic(), 0
        """When somebody last looked whether it is over its limits, and how much it has said since then."""
        self.process = subprocess.Popen(
            command(), env=environment(self.folder), cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        assert self.process.stdin is not None and self.process.stdout is not None and self.process.stderr is not None
        self.told: queue.Queue[Told | Ending] = queue.Queue()
        threading.Thread(target=_listen, args=(self.process.stdout, self.told), daemon=True).start()
        self.said = Drain(self.process.stderr)
        try:
            with self.process.stdin as stdin:
                stdin.write(msgspec.msgpack.encode(request))
        except OSError:
            pass  # it has ended, and `watch` finds out

    @property
    def worked(self) -> float:
        """Seconds of CPU that its cells have taken."""
        return self.cpu - self.ready if self.ready else 0.0

    def watch(self, hear: Callable[[Told], None]) -> Ending:
        """Follow the process until it is over, giving what it says to `hear`; return why it is over."""
        try:
            while True:
                ending = self._next(hear)
                if ending is not None:
                    return ending
        finally:
            self.end()

    def _next(self, hear: Callable[[Told], None]) -> Ending | None:
        try:
            told = self.told.get(timeout=0.1)
        except queue.Empty:
            return self._overdue(hear)
        match told:
            case Ending():
                return self._by_itself(told)
            case Stopped(verdict, place):
                return Ending(verdict=verdict, place=place)
            case Done():
                return Ending(verdict="done")
            case Confined() if self.ready:
                return None  # only the first one is no cell's
            case Confined():
                self.ready = self._look().cpu
                self.idle = Idle()
            case Begun(cell):
                if not 0 <= cell < len(self.request.cells):
                    return Ending(verdict="babbled")
                self.cell, self.cell_cpu, self.slept_before = cell, self._look().cpu, self.idle.slept
        hear(told)
        self.unjudged += 1
        due = time.monotonic() - self.judged > 0.2 if self.told.empty() else self.unjudged > UNJUDGED
        return self._overdue(hear) if due else None  # who says much is looked at, too

    def _by_itself(self, ending: Ending) -> Ending:
        """Say how it ended, or why it was never ready."""
        if self.cell is None:
            self.said.wait(SLACK)
            return Ending(verdict="never ready", said=self.said.last_line() or "it said nothing")
        return ending if ending.verdict == "babbled" else Ending(verdict="died", said=self._death(self.end()))

    def _overdue(self, hear: Callable[[Told], None]) -> Ending | None:
        """Look at the clocks and at the folder."""
        self.judged, self.unjudged = time.monotonic(), 0
        has, idle, left = self._look(), self.idle, self.left
        if self.cell is None:
            waited = idle.slept + idle.kept > BEGINNING
            return Ending(verdict="never ready", said=f"it was not ready within {BEGINNING:g} s") if waited else None
        if has.cpu - self.cell_cpu > self.request.cell + SLACK or has.cpu - self.ready > left.cpu + SLACK:
            return Ending(verdict="hung")
        if idle.slept - self.slept_before > left.nap or idle.slept > left.sleep:
            return Ending(verdict="asleep", place=self._where(hear=lambda _: None))
        if idle.kept > left.wait:
            return Ending(verdict="late")
        crowded, room = has.threads > THREADS, self.request.files - unlinked(self.process.pid)
        if not (crowded or overfull(self.request.private, MOST_FILES, room)):
            return None
        self._where(lambda told: self._follow(told, hear))  # another cell may have begun since, and did it
        return Ending(verdict="crowded" if crowded else "full")

    def _look(self) -> Taken:
        """Return what the process has taken."""
        has = taken(self.process.pid)
        self.idle.look(has)
        self.cpu, self.memory = max(self.cpu, has.cpu), max(self.memory, has.memory)
        return has

    def _follow(self, told: Told, hear: Callable[[Told], None]) -> None:
        """Hear what a process says that is to end."""
        if isinstance(told, Begun) and 0 <= told.cell < len(self.request.cells):
            self.cell = told.cell
        if not isinstance(told, Confined):
            hear(told)

    def _where(self, hear: Callable[[Told], None]) -> str:
        """Ask a process in which line it is, and hear what it says before that; "" if it does not say."""
        if not hasattr(signal, "SIGUSR1"):  # Windows
            return ""
        try:
            os.kill(self.process.pid, signal.SIGUSR1)
            until = time.monotonic() + SAYING
            while not isinstance(told := self.told.get(timeout=max(0.0, until - time.monotonic())), Stopped | Ending):
                hear(told)
        except (queue.Empty, OSError):
            return ""
        return told.place

    def end(self) -> int:
        """End the process and whatever it began; return the code with which it ended."""
        if self.process.returncode is None:
            self._look()
            _kill(self.process)
            if hasattr(os, "wait4"):
                _, status, usage = os.wait4(self.process.pid, 0)
                self.process.returncode = os.waitstatus_to_exitcode(status)
                self.cpu = usage.ru_utime + usage.ru_stime
            else:
                self.process.wait()
        assert self.process.returncode is not None
        return int(self.process.returncode)

    def _death(self, code: int) -> str:
        if code >= 0:
            return f"code {code}"
        try:
            return f"signal {signal.Signals(-code).name}"
        except ValueError:
            return f"signal {-code}"


def _listen(pipe: IO[bytes], told: "queue.Queue[Told | Ending]") -> None:
    """Read what the process says until there is nothing more, or too much."""
    decoder, whole = msgspec.msgpack.Decoder(Told), 0
    with pipe:
        while len(head := pipe.read(4)) == 4:
            size = int.from_bytes(head, "big")
            whole += size
            try:
                if size > ANSWER + 1000 or whole > ALL_ANSWERS:
                    raise ValueError
                data = pipe.read(size)
                if len(data) < size:
                    break
                told.put(decoder.decode(data))
            except (ValueError, msgspec.DecodeError):
                told.put(Ending(verdict="babbled"))
                return
    told.put(Ending(verdict="died"))


def command() -> list[str]:
    """Return the command that begins the process: this Python, and the packages that this process has."""
    root = str(Path(__file__).resolve().parents[3])
    packages = [path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages")]
    start = "import sys; sys.path[:0] = sys.argv[1:2]; from chatsys.teach.grading.running import main; main()"
    return [sys.executable, "-s", "-P", "-B", "-X", "utf8", "-c", start, root, *packages]


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of the process: nothing of ours but what the system needs."""
    return {**clean_environment(str(folder)), "NBGRADER_EXECUTION": "autograde"}


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a process and those of its session; where it may start some of its own, those as well."""
    try:
        import psutil

        children = psutil.Process(process.pid).children(recursive=True)
    except Exception:  # it has ended
        children = []
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)  # Popen.kill would also reap it, and lose what it took
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        pass
    for child in children:
        try:
            child.kill()
        except Exception:  # it has ended
            pass
