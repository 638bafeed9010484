"""Fork server: a process that has begun already, and of which confined ones are copies.

    judge --"one in this folder", two descriptors--> fork server --fork--> a process, which goes on in `answering.main`
          <--its number, or why there is none--------     |
          --"has 4711 ended?"---------------------->      `- asks the system, since only a parent is told
          <--how, or not yet------------------------

To begin a Python and to import what answers takes about eight times as much CPU as to copy a process that has done it,
and a judge begins a new one whenever it wants to see what a class does where nothing has run before.

What is copied knows nothing: the server was begun with a clean environment, has imported what every confined process
imports, and never sees an answer, a seed or a class.  Each copy is confined before it opens anything.

Assumes   one thread in the server, so that a fork is a whole process.
Promises  the same process as one that was begun anew: random numbers, clocks and limits are its own.  The server ends with
          the one that began it and takes its copies along; after a quiet minute it ends by itself, and the next request
          begins another one.
Read also `confined_process` (who asks for one), `answering` (what it does); multiprocessing's fork server, which would
          know the judge's environment.
"""

import array
import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec

from chatsys.errors import NotHere
from chatsys.isolation.beginning import clean_environment

if TYPE_CHECKING:  # not every system has these, and all of this can be imported there
    import socket

PACKAGE = str(Path(__file__).parents[1])
QUIET = 60.0
"""Seconds without a request and without a copy that lives, after which the server ends."""
LOOK = 0.002  # seconds between two questions whether a process has ended


class ForkRequest(msgspec.Struct, frozen=True):
    """A request: a copy in `folder`, or, with `ended`, whether that one has ended."""

    folder: str = ""
    paths: list[str] = []
    ended: int = 0


class ForkReply(msgspec.Struct, frozen=True):
    """What came of it: the number of a copy; the code with which one ended, as `subprocess` has it; or an error."""

    pid: int = 0
    code: int | None = None
    cpu: float = 0.0
    """Seconds that one which has ended had computed."""
    error: str = ""


def framed(message: ForkRequest | ForkReply) -> bytes:
    """Return a message with its length in front."""
    data = msgspec.msgpack.encode(message)
    return len(data).to_bytes(4, "big") + data


def _exactly(end: "socket.socket", count: int) -> bytes:
    data = b""
    while len(data) < count:
        if not (more := end.recv(count - len(data))):
            raise EOFError
        data += more
    return data


# --- in the judge ----------------------------------------------------------------------------------


class Forked:
    """A copy, as the judge holds it: it has what is used of a `subprocess.Popen`."""

    def __init__(self, server: "ForkServer", pid: int) -> None:
        self.server, self.pid = server, pid
        self._code: int | None = None

    def kill(self) -> None:
        """End it; the number is its own until `wait` has seen its end."""
        if self._code is None and self.server.lives:
            with suppress(ProcessLookupError):  # its server was ended, and it with that
                os.kill(self.pid, signal.SIGKILL)

    def wait(self, seconds: float | None = None) -> int:
        """Return how it ended; raises `subprocess.TimeoutExpired` where it goes on."""
        end = None if seconds is None else time.monotonic() + seconds
        while self._code is None:
            self._code = self.server.code_of(self.pid)
            if self._code is None:
                if end is not None and time.monotonic() > end:
                    raise subprocess.TimeoutExpired("a confined process", seconds or 0)
                time.sleep(LOOK)
        return self._code


class ForkServer:
    """The server of this process, as the judge holds it."""

    def __init__(self, quiet: float = QUIET) -> None:
        import socket

        self._end, theirs = socket.socketpair()
        self._asking = threading.Lock()
        self.owner, self.lives = os.getpid(), True
        self.computed = 0.0
        """Seconds of CPU that its copies took which have ended."""
        main_thread = threading.current_thread() is threading.main_thread()  # the kernel ends it with its thread
        code = (
            f"import sys; sys.path[:] = {_paths()!r}; sys.prefix, sys.exec_prefix = {sys.prefix!r}, {sys.exec_prefix!r}; "
            f"package = sys.modules['chatsys'] = type(sys)('chatsys'); package.__path__ = [{PACKAGE!r}]; "  # quicker
            "from chatsys.isolation.fork_server import serve; "
            f"serve({theirs.fileno()}, {os.getpid() if main_thread else None}, {quiet})"
        )
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-s", "-S", "-P", "-B", "-c", code],
                env=clean_environment(os.sep), cwd=os.sep, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, pass_fds=(theirs.fileno(),), start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self._end.close()
            raise NotHere(f"No other process could be started ({error.strerror or error}).") from None
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """The number that the system gave it."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Whether it was closed, or has ended by itself."""
        if self.lives and self._process.poll() is not None:
            self.close()
        return not self.lives

    def fork(self, folder: str, end: "socket.socket", shared: int) -> Forked:
        """Return a copy that answers at `end`; raises `EOFError` where the server has ended meanwhile."""
        told = self._ask(ForkRequest(folder, _paths()), [end.fileno(), shared])
        if told.error:
            raise NotHere(f"No other process could be started ({told.error}).")
        return Forked(self, told.pid)

    def code_of(self, pid: int) -> int | None:
        """Return how a copy ended; None while it goes on.  Where the server has ended, so has each copy: it `lives` no more."""
        try:
            reply = self._ask(ForkRequest(ended=pid))
            self.computed += reply.cpu
            return reply.code
        except EOFError:
            return -signal.SIGKILL  # it has ended with its server

    def _ask(self, wanted: ForkRequest, descriptors: list[int] | None = None) -> ForkReply:
        import socket

        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        with self._asking:
            try:
                self._end.sendmsg([framed(wanted)], rights)  # far less than what fits, so it goes as a whole
                data = _exactly(self._end, int.from_bytes(_exactly(self._end, 4), "big"))
            except (OSError, EOFError):
                self.close()
                raise EOFError from None
            except BaseException:  # Ctrl-C: the answer would be read as that to the next request
                self.close()
                raise
        return msgspec.msgpack.decode(data, type=ForkReply)

    def close(self) -> None:
        """End it, and what lives of its copies."""
        self.lives = False
        self._end.close()
        if self.owner == os.getpid():
            self._process.wait()


_beginning = threading.Lock()
_now: ForkServer | None = None


def computed() -> float:
    """Return the seconds of CPU of copies that have ended and that the system does not count as this process's children.

    It does once their server has ended, too.
    """
    return _now.computed if _now is not None and _now.lives and _now.owner == os.getpid() else 0.0


def forked(folder: str, end: "socket.socket", shared: int) -> Forked:
    """Return a new process in `folder` that answers at `end`; raises `NotHere` where none can be started."""
    for _ in range(2):
        with suppress(EOFError):  # it was quiet for long, and has ended in this moment
            return running().fork(folder, end, shared)
    raise NotHere("No other process could be started (the one of which it is a copy has ended).")


def running() -> ForkServer:
    """Return the server of this process, begun if there is none; raises `NotHere` where none can be started."""
    global _now
    with _beginning:
        if _now is None or _now.owner != os.getpid() or _now.has_ended():
            _now = ForkServer()
        return _now


@atexit.register
def _close() -> None:
    if _now is not None and _now.lives and _now.owner == os.getpid():
        _now.close()


def _paths() -> list[str]:
    return [os.path.abspath(path) for path in sys.path if path and os.path.exists(path)]


# --- in the server ---------------------------------------------------------------------------------


def serve(end: int, parent: int | None, quiet: float) -> None:
    """Make copies until nobody asks any more."""
    import ctypes
    import gc
    import mmap
    import resource
    import select
    import socket
    import sysconfig

    from chatsys.isolation.answering import end_with

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with(parent)
    door = socket.socket(fileno=end)
    _ = ctypes.CDLL(None), mmap, resource, sysconfig.get_path("stdlib")  # so that no copy has to look for them
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 2)  # whoever reads what the judge tells waits until nobody can write it any more
    os.close(nowhere)
    gc.freeze()
    copies: set[int] = set()
    while copies or select.select([door], [], [], quiet)[0]:
        length, rights, _flags, _address = door.recvmsg(4, socket.CMSG_SPACE(2 * array.array("i").itemsize))
        if not length:
            return
        length += _exactly(door, 4 - len(length))
        wanted = msgspec.msgpack.decode(_exactly(door, int.from_bytes(length, "big")), type=ForkRequest)
        if wanted.ended:
            told = _ended(wanted.ended, copies)
        else:
            told = _copied(wanted, array.array("i", b"".join(part for _level, _kind, part in rights)), door, copies)
        door.sendall(framed(told))


def _copied(wanted: ForkRequest, descriptors: "array.array[int]", door: "socket.socket", copies: set[int]) -> ForkReply:
    try:
        pid = os.fork()
        if pid == 0:
            door.close()
            _be(wanted, *descriptors)
    except OSError as error:
        return ForkReply(error=error.strerror or str(error))
    finally:
        for one in descriptors:
            os.close(one)
    copies.add(pid)
    return ForkReply(pid)


def _be(wanted: ForkRequest, end: int, shared: int) -> NoReturn:
    """Be the process that was wanted, to its end."""
    from chatsys.isolation.answering import main

    try:
        os.setsid()
        os.environ.update(clean_environment(wanted.folder))
        os.chdir(wanted.folder)
        sys.path[:] = wanted.paths
        main(end, shared)
    finally:
        os._exit(1)


def _ended(pid: int, copies: set[int]) -> ForkReply:
    found, status, used = os.wait4(pid, os.WNOHANG)
    if not found:
        return ForkReply()
    copies.discard(pid)
    return ForkReply(code=os.waitstatus_to_exitcode(status), cpu=used.ru_utime + used.ru_stime)
