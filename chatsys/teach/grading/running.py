"""Running: the process in which a notebook's cells run when it is graded; `cell_process` begins and watches it.

    cells --one after the other, in a plain IPython--> names --packed, by value--> answers
                                    `- after each cell, so that a later one that ends the process takes nothing with it

There is no kernel, and nothing that a cell shows goes anywhere.  The process is confined before the first cell runs:
it reads Python, packages and chatsys, writes into a folder of its own, and starts nothing.  What it tells is what
its cells may have told as well; so it can say nothing but answers, and `taking` believes no more than that.

Promises  a cell that raises costs itself.  A cell that computes without end is told with its line, and ends the process;
          one that only sleeps is seen from outside, by a signal asked for its line, and ended.  A cell that
          leaves too many files or threads behind ends the process before another one begins that would be blamed.
Read also `cell_process` (the other end), `exchange` (what is said), `isolation.confinement`, `isolation.pickling` (how a class travels).
"""

import builtins
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import FrameType, ModuleType
from typing import IO, Any, Literal, NoReturn

import msgspec

from chatsys.errors import told
from chatsys.isolation.deadline import own_line
from chatsys.isolation.limits import left_behind
from chatsys.isolation.pickling import pack
from chatsys.teach.grading.exchange import (
    MOST_FILES,
    MOST_TOLD,
    NO_MEMORY,
    Begun,
    Carried,
    Confined,
    Done,
    Ended,
    Predicted,
    Request,
    Stopped,
    Told,
)

ROOM = 256 << 20
"""Bytes that must be free after a cell that had not enough memory."""


def main() -> NoReturn:
    """Read what is to be done from stdin, do it, and leave."""
    request = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Request)
    channel = Channel(os.fdopen(os.dup(1), "wb"))
    _silence()
    os.chdir(request.private)
    _reach(request.private, sys.argv[1], sys.argv[2:])
    parent = os.getppid()
    shell = _shell(any("await" in cell.source for cell in request.cells))
    from chatsys.isolation.confinement import confine

    held = confine(
        Path(request.private), package=True, memory=request.memory, cpu=request.cpu, files=request.files
    )  # fmt: skip
    channel.tell(Confined(held))
    _Run(request, shell, channel, parent).all()
    channel.tell(Done())
    os._exit(0)


def _reach(private: str, root: str, packages: list[str]) -> None:
    """Let cells import packages, and chatsys, which is here already; of other files, those that they write."""
    sys.path[:] = [private, *(path for path in sys.path if path and path != root)]
    sys.path += [path for path in packages if path not in sys.path]
    sys.argv = [""]


class Channel:
    """The way back to the one who takes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._lock = file, threading.Lock()

    def tell(self, what: Told) -> None:
        """Say one thing."""
        data = msgspec.msgpack.encode(what)
        with self._lock:
            self._file.write(len(data).to_bytes(4, "big") + data)
            self._file.flush()


def _silence() -> None:
    """Let whatever is printed go nowhere, by Python or by C, and let nothing be read."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.stdin = open(os.devnull, encoding="utf-8")
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8", errors="replace")
    builtins.input = _nobody_answers


def _nobody_answers(*_: object) -> NoReturn:
    raise EOFError("nobody answers input() while a notebook is graded")


def _shell(awaits: bool) -> Any:
    """Return a plain IPython; it must be made before the process is confined, for an event loop wants sockets."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Shell(InteractiveShell):
        """Shows nothing."""

        def showtraceback(self, *_: Any, **__: Any) -> None:
            """What a cell raised is in its result."""

        showsyntaxerror = showindentationerror = showtraceback

        def _tee(self, *_: Any, **__: Any) -> Any:
            """IPython keeps what is printed in memory; here nobody will ask for it."""
            return nullcontext()

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.ast_node_interactivity = "none"
    shell: Any = Shell.instance(config=config)
    shutil.rmtree(shell.profile_dir.location)  # the cells begin with an empty folder
    shell.user_ns.pop("get_ipython", None)
    shell.user_ns["exit"] = shell.user_ns["quit"] = sys.exit
    if awaits:
        from IPython.core.async_helpers import get_asyncio_loop

        get_asyncio_loop()  # type: ignore[no-untyped-call]
    sys.modules["chatsys.teach.figures"] = _Figures("chatsys.teach.figures")
    return shell


class _Figures(ModuleType):
    """Stands for the figures until one is drawn: cells import them, and what draws seldom runs here."""

    __path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def draw(*arguments: Any, **options: Any) -> Any:
            return getattr(self._real(), name)(*arguments, **options)

        return draw

    def _real(self) -> Any:
        from importlib import import_module

        del sys.modules[self.__name__]
        return import_module(self.__name__)


class _Run:
    """All cells of one notebook."""

    def __init__(self, request: Request, shell: Any, channel: Channel, parent: int) -> None:
        self.request, self.channel, self.run_cell = request, channel, shell.run_cell  # a cell may replace it
        self.answers = _Answers(request, shell.user_ns, channel.tell)
        self.watch = _Watch(request, channel, parent)

    def all(self) -> None:
        """Run the cells in their order; what missed a name is run once more, for it may stand below."""
        again = [number for number in range(len(self.request.cells)) if isinstance(self._cell(number), NameError)]
        for number in again:
            self._cell(number, again=True)

    def _cell(self, number: int, again: bool = False) -> BaseException | None:
        self.channel.tell(Begun(number))
        self.watch.begin()
        result = self.run_cell(self.request.cells[number].source, store_history=False)
        error: BaseException | None = result.error_before_exec or result.error_in_exec
        del result
        if (excess := left_behind(self.request.private, MOST_FILES, self.request.files)) is not None:
            self.watch.stop(excess)
        self.channel.tell(_ended(number, error, again))
        if isinstance(error, MemoryError):
            _drop(error)
        self.answers.look()
        self.watch.over()
        if isinstance(error, MemoryError) and not _is_room():
            os._exit(NO_MEMORY)
        return error


def _ended(number: int, error: BaseException | None, again: bool) -> Ended:
    if error is None:
        return Ended(number, again=again)
    if isinstance(error, SyntaxError):
        where = f" (in your cell, line {error.lineno})" if error.lineno else ""
        return Ended(number, f"{type(error).__name__}: {str(error.msg)[:MOST_TOLD]}{where}", again=again)
    try:
        said = told(error)[:MOST_TOLD]
    except MemoryError:  # there is none left for a sentence
        said = "MemoryError"
    return Ended(number, said, isinstance(error, NotImplementedError), again)


def _drop(error: BaseException) -> None:
    """Let go of what the frames of an error hold."""
    import gc

    error.__traceback__ = None
    sys.last_traceback = sys.last_value = None
    gc.collect()


def _is_room() -> bool:
    try:
        bytearray(ROOM)
    except MemoryError:
        return False
    return True


class _Answers:
    """What is taken out of the notebook, told anew whenever it has changed."""

    def __init__(self, request: Request, names: dict[str, Any], tell: Callable[[Told], None]) -> None:
        self.request, self.names, self.tell = request, names, tell
        self._told: dict[str, Carried] = {}
        self._predicted: dict[str, Any] = {}

    def look(self) -> None:
        """Tell what is new."""
        self._carry_own_modules()
        for key, parts in self.request.wanted.items():
            if all(name in self.names for name in parts.values()):
                found = self._packed(key, parts)
                if found != self._told.get(key):
                    self._told[key] = found
                    self.tell(found)
        predictions = sys.modules.get("chatsys.teach.grading.predictions")
        kept = dict(getattr(predictions, "kept", {}))
        if kept != self._predicted:
            self._predicted = kept
            self.tell(Predicted(kept))

    def _packed(self, key: str, parts: dict[str, str]) -> Carried:
        try:
            return Carried(key, pack({travels: self.names[name] for travels, name in parts.items()}))
        except BaseException as error:  # a generator, an open file, or a class that refuses
            return Carried(key, why=f"{type(error).__name__}: {error!s:.200}")

    def _carry_own_modules(self) -> None:
        """What a cell wrote into a file beside the notebook and imported travels by value, too."""
        import cloudpickle

        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and file.startswith(self.request.private) and isinstance(module, ModuleType):
                cloudpickle.register_pickle_by_value(sys.modules[name])


class _Watch:
    """A thread that ends the process when a cell computes too long, and says in which line it was."""

    def __init__(self, request: Request, channel: Channel, parent: int) -> None:
        self.request, self.channel, self.parent = request, channel, parent
        self.main = threading.get_ident()
        self._since: float | None = None
        if hasattr(signal, "SIGUSR1"):
            signal.signal(signal.SIGUSR1, lambda *_: self.stop("asleep", self._place()))
        threading.Thread(target=self._look, daemon=True).start()

    def begin(self) -> None:
        """A cell begins."""
        self._since = time.process_time()

    def over(self) -> None:
        """The cell is over."""
        self._since = None

    def _look(self) -> None:
        while os.getppid() == self.parent:
            time.sleep(0.05)
            if (since := self._since) is not None and time.process_time() - since > self.request.cell:
                self.stop("hung", self._place())
        os._exit(1)

    def stop(self, verdict: Literal["hung", "asleep", "full", "crowded"], place: str = "") -> NoReturn:
        """Say why the process ends, and end it."""
        try:
            self.channel.tell(Stopped(verdict, place))
        finally:
            os._exit(1)

    def _place(self) -> str:
        """Return the line in which the cell is."""
        frame: FrameType | None = sys._current_frames().get(self.main)
        return own_line(frame).removesuffix(", in <module>")[:MOST_TOLD] if frame is not None else ""
