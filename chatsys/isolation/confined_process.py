"""A confined process, seen from outside: it is begun, asked, watched and ended.

    exchange(request) --bytes--> the process (`answering`) --bytes--> (done, answers)
        no answer yet: look at its CPU clock, from outside
            3 s of CPU on one operation           hung    it accuses
            ten times that asleep                 hung    it waits for what nobody brings
            fifteen times that on the wall        late    nothing is known of it: it was kept from running
            its end of the pipe is closed         died

The limits hold for one operation of a request: the process writes into memory that both share at which one it is.
That, like all that it writes, may be a lie; the CPU time of the whole bounds a process that lies.

Promises  whatever came from the process is bounded and decoded strictly; a frame with another number than that of the
          request ends it.  It ends with the one that began it, and its folder is removed.
Read also `limits`, `remote` (what is asked), `answering` (the process itself), `confinement`.
"""

import os
import signal
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from chatsys.capabilities import PROCESSES, need
from chatsys.errors import NotHere
from chatsys.isolation.answering import CONFINED, LOADED, Setup
from chatsys.isolation.drain import say_bytes
from chatsys.isolation.fork_server import forked
from chatsys.isolation.limits import (
    FILES,
    FOLDER,
    NOTHING_SPENT,
    THREADS,
    Clock,
    Gone,
    Quota,
    Spent,
    bounded,
    keeps_threads,
    overfull,
    taken,
)
from chatsys.temporary import remove, temporary

FRAME, CHUNK = 1 << 20, 1 << 16
"""Bytes that a frame may have; bytes that are read at once."""
LOOK, COUNT = 0.05, 0.25
"""Seconds between two looks at the clocks, and at the folder."""
ENDING = 1.0
"""Seconds that a process has to be gone after its pipe is closed, and to say where it is if it is suspended."""
ANSWERING, SAYING = 5.0, 0.15
"""Seconds on the wall, and of CPU, that a process gets to say where it is."""


Entry = tuple[int, msgspec.Raw]
_frames = msgspec.msgpack.Decoder(tuple[int, bool, list[Entry], str])


class ConfinedProcess:
    """One process: begun, confined, asked, ended."""

    def __init__(self, limits: Quota, name: str, holder: str = "", before: Spent = NOTHING_SPENT) -> None:
        """`before` is what others of the same class have used up."""
        need("A confined process", PROCESSES, instead="judge the class in this process")
        if os.name == "nt":
            raise NotHere("A confined process needs Linux or macOS; judge the class in this process.")
        self.limits, self.name, self._holder = limits, name, holder
        self._before, self._slept, self._answered = before.cpu, before.slept, before.answered
        self._seen = 0.0
        self._came = bytearray()
        """What has come of the next frames."""
        self.held: tuple[str, ...] = ()
        """The measures of confinement that hold."""
        self.problems: list[str] = []
        """What keeps the class from being asked."""
        self.base = ""
        """What the class is, or inherits from, of the package."""
        self._ended: float | None = None
        self._looked = self._counted = time.monotonic()
        self.folder = os.fspath(temporary("chatsys-answer-"))
        self._begin()

    def open(self, given: bytes, code: bytes) -> None:
        """Confine it and let it open the class."""
        limits = self.limits
        setup = Setup(
            private=self.folder, read=[], memory=limits.memory, cpu=max(limits.whole - self._before, 1) + 2,
            files=limits.files, reply=limits.reply, parent=self._process.server.pid,
            name=self.name, holder=self._holder, given=given, code=code,
        )  # fmt: skip
        try:
            self.number = CONFINED
            self.held = tuple(self._first(msgspec.msgpack.encode(setup), list[str]))
            self.number = LOADED
            problems, base = self._first(b"", tuple[list[str], str])
            self.problems, self.base = [bounded(one, 500) for one in problems[:20]], bounded(base, 200)
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        import mmap  # not every system has these, and all of this can be imported there
        import select
        import socket

        self._end, theirs = socket.socketpair()
        shared = tempfile.TemporaryFile()
        shared.truncate(mmap.PAGESIZE)
        self._progress = memoryview(mmap.mmap(shared.fileno(), mmap.PAGESIZE)).cast("Q")
        try:
            self._process = forked(self.folder, theirs, shared.fileno())
        except BaseException:
            self._end.close()
            remove(Path(self.folder))
            raise
        finally:
            theirs.close()
            shared.close()
        # Reading waits by itself, which spares a call before each read; sending does not wait.
        self._end.setblocking(True)
        self._end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, int(1e6 * LOOK)))
        self._at_once = socket.MSG_DONTWAIT
        self._poll = select.poll()
        self._poll.register(self._end, select.POLLIN)

    def _first(self, request: bytes, kind: Any) -> Any:
        """Return the only answer to what stands at the beginning."""
        entries = [entry for found in self._exchange(request, self.limits.opening) for entry in found]
        try:
            ((_ok, data),) = entries
            return msgspec.msgpack.decode(data, type=kind)
        except Exception:
            self._unreadable()

    def ask(self, request: bytes, number: int) -> Iterator[list[Entry]]:
        """Yield what the process answers to a request of this number, in pieces."""
        self.number = number
        return self._exchange(request, self.limits.operation)

    # --- one exchange --------------------------------------------------------------------------------

    def _exchange(self, request: bytes, limit: float) -> Iterator[list[Entry]]:
        self._clock = Clock(limit, self.limits, self._slept)
        if request:
            self._send(len(request).to_bytes(4, "big") + request)
        done = False
        while not done:
            frame = self._frame()
            self._answered += len(frame)
            if self._answered > self.limits.replies:
                self._gone("died", f"What {self.name} answered is longer than {say_bytes(self.limits.replies)}.")
            try:
                number, done, entries, _place = _frames.decode(frame)
            except Exception:
                self._unreadable()
            if number != self.number:
                self._gone("died", f"{self.name} wrote an answer to something that was not asked.")
            yield entries

    def _send(self, data: bytes | memoryview) -> None:
        while data:
            try:
                sent = self._end.send(data, self._at_once)
            except BlockingIOError:
                self._look(silent=True)
                time.sleep(0.001)
            except OSError:
                self._died()
            else:
                data = memoryview(data)[sent:] if sent < len(data) else b""

    def _frame(self) -> bytes:
        self._wait_for(4)
        whole = 4 + int.from_bytes(self._came[:4], "big")
        if whole > 4 + FRAME:
            self._gone("died", f"What {self.name} answered is longer than {say_bytes(FRAME)}.")
        self._wait_for(whole)
        frame = bytes(self._came[4:whole])
        del self._came[:whole]
        return frame

    def _wait_for(self, count: int) -> None:
        """Read until so many bytes are there; more may have come with them."""
        while len(self._came) < count:
            silent = False
            try:
                more = self._end.recv(CHUNK)
            except BlockingIOError:  # nothing came for so long as it waits
                silent, more = True, b""
            except OSError:
                more = b""
            self._came += more
            if not (more or silent):
                self._died()
            if time.monotonic() - self._looked > LOOK:
                self._look(silent)

    # --- the clocks ----------------------------------------------------------------------------------

    @property
    def cpu(self) -> float:
        """Seconds of CPU that this process has taken."""
        return self._ended if self._ended is not None else taken(self._process.pid).cpu

    @property
    def spent(self) -> Spent:
        """What it has used up, and those before it."""
        return Spent(self._before + self.cpu, self._slept, self._answered)

    def _look(self, silent: bool) -> None:
        """End the process if its time is over, or if it has taken too much of something else; `silent`: nothing came."""
        now, index = time.monotonic(), int(self._progress[0])
        self._looked = now
        has = taken(self._process.pid)
        if silent and has.sleeps and has.cpu == self._seen:
            self._clock.sleeps()
        self._seen, self._slept = has.cpu, self._clock.slept
        over = self._clock.over(index, has.cpu, self._before + has.cpu)
        if over is not None:
            place = self._where(ENDING if over[0] == "late" else ANSWERING)  # who is suspended cannot say it
            self._gone("late" if over[0] == "late" else "hung", _too_long(*over, place), place, index)
        if has.threads > THREADS:
            self._gone("died", keeps_threads(self.name), "", index)
        if now - self._counted > COUNT:
            self._counted = now
            if overfull(self.folder):
                most = f"{FILES:,} files or {say_bytes(FOLDER)}"
                self._gone("died", f"{self.name} wrote more than {most}, or too many folders.", "", index)

    def _where(self, limit: float) -> str:
        """Ask the process in which line it is; "" if it does not say."""
        try:
            os.kill(self._process.pid, signal.SIGUSR1)
            until, data = time.monotonic() + limit, bytes(self._came)
            enough = self.cpu + SAYING
            ended = False
            while not ended and len(data) < FRAME:
                if self._poll.poll(1000 * LOOK):  # what has come counts, however late it is read
                    data += (more := self._end.recv(CHUNK))
                    ended = not more
                if time.monotonic() > until or self.cpu > enough:
                    break
            while len(data) > 4:
                size = int.from_bytes(data[:4], "big")
                place = _frames.decode(data[4 : 4 + size])[3]
                if place:
                    return bounded(place, 100)
                data = data[4 + size :]
        except Exception:
            pass  # what came is no frame
        return ""

    # --- the end -------------------------------------------------------------------------------------

    def _died(self) -> NoReturn:
        worked = self.cpu
        index = int(self._progress[0])
        try:
            code = self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self._gone("died", f"{self.name} closed the pipe through which it is asked.", "", index)
        self._ended = worked
        if not self._process.server.lives:
            self._gone("late", f"The process of {self.name} was ended from outside; nothing is known of the class.")
        if code in (-getattr(signal, "SIGXCPU", 0), -9) and self._before + worked >= self.limits.whole:
            self._gone("hung", f"It took more than {self.limits.whole:g} s of computing in all.", "", index)
        how = f"by signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"with code {code}"
        self._gone("died", f"{self.name} ended the process in which it runs, {how}.", "", index)

    def _unreadable(self) -> NoReturn:
        self._gone("died", f"What {self.name} answered cannot be read.")

    def _gone(self, verdict: Any, sentence: str, place: str = "", index: int = 0) -> NoReturn:
        self.close()
        gone = Gone(verdict, sentence, place, index)
        gone.cpu = self.spent.cpu
        raise gone

    @property
    def pid(self) -> int:
        """The number that the system gave it."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it was not ended yet."""
        return self._ended is None

    def close(self) -> None:
        """End the process and remove its folder."""
        if self._ended is None:
            self._ended = taken(self._process.pid).cpu
        self._process.kill()
        self._process.wait()
        self._end.close()
        remove(Path(self.folder))


def _too_long(verdict: str, limit: float, place: str) -> str:
    if verdict == "asleep":
        where = f" in {place}" if place else ""
        return f"It slept for {limit:g} s{where} and computed nothing; nobody wakes it. What does it wait for?"
    if not place:
        more = "; look for one very long step" if verdict == "hung" else ""
        return f"It did not end within {limit:g} s, and the process did not say where{more}."
    if verdict == "hung":
        return f"It did not end within {limit:g} s; it hung in {place}. Look for a loop that never ends."
    return f"It did not end within {limit:g} s; it was in {place} then, or this machine had no time for it."
