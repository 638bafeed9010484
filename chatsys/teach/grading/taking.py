"""Taking: the answers of a notebook leave it by value, and all that its cells did otherwise is thrown away.

    cells --> a confined process (`running`) --bytes, numbers, texts--> Taken
                |  a cell comes to no end, ends the process, fills memory or disk: it is named and left out,
                |  and those before it are run again in a new process for those behind it
                `- afterwards it is ended, and its folder removed

Time is counted on the clock of the CPU: what computes too long is to blame.  The clock on the wall, ten times slower,
only ends what waits; then nobody knows whose fault it was, and a person is asked to look.

Assumes   nothing of what the process says, but that it may hold answers: all of it is decoded strictly, within bounds.
Promises  a cell costs itself, and no notebook more than `NOTEBOOK` seconds of CPU and what its processes need to begin;
          nothing of one notebook reaches the next one.
Read also `running` (inside the process), `reading` (which cells), `marking` (what becomes of the answers).
"""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from chatsys.capabilities import PROCESSES, need
from chatsys.isolation.confined_process import clean_environment, cpu_time
from chatsys.isolation.drain import Drain, say_bytes
from chatsys.surroundings import remove, temporary
from chatsys.teach.grading import running
from chatsys.teach.grading.reading import Cell

CELL, NOTEBOOK = 5.0, 12.0
"""Seconds of CPU for one cell, and for all of a notebook."""
PATIENCE = 10.0
"""So many times that on the wall."""
MEMORY, FILES = 2 << 30, 64 << 20
"""Bytes of memory beyond those of Python itself; bytes of its folder."""
MOST_FILES, MOST_DEEP = 10_000, 200
LIVES, LEAST = 8, 0.2
"""So many processes one notebook may use up; with less CPU time than this left, none is begun."""
BEGINNING = 60.0
"""Seconds on the wall until a process is ready."""
ANSWER, ALL_ANSWERS = 16 << 20, 256 << 20
"""Bytes that one answer may have; bytes that a process may tell in all."""
SLACK = 0.5
"""Seconds of CPU that the process has to say by itself where it is."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a notebook may take."""

    cell: float = CELL
    notebook: float = NOTEBOOK
    patience: float = PATIENCE
    memory: int = MEMORY
    files: int = FILES


class Taken(msgspec.Struct, kw_only=True):
    """What was taken out of one notebook."""

    answers: dict[str, bytes] = {}
    """Packed classes and functions, by the numbers of their exercises."""
    predictions: dict[str, bool | int | float | str] = {}
    remarks: list[str] = []
    """What happened, a sentence each."""
    cells: dict[str, str] = {}
    """Those of the sentences that speak of a cell, by its name."""
    cannot: dict[str, str] = {}
    """Why an answer that is there cannot be taken, by the number of its exercise."""
    flags: list[str] = []
    """Those of the remarks at which a person should look: the student may not be to blame."""
    unwritten: list[str] = []
    """Cells that nobody has written yet."""
    held: tuple[str, ...] = ()
    """The measures of confinement that held."""
    cpu: float = 0.0
    memory: int = 0
    """Bytes that the largest of its processes took."""


def take(cells: Sequence[Cell], wanted: Mapping[str, Mapping[str, str]], limits: Limits | None = None) -> Taken:
    """Run `cells` and return what is `wanted`: answer -> name under which it travels -> name in the notebook."""
    need("Grading whole notebooks", PROCESSES, instead="check one class at a time")
    taking = _Taking(list(cells), {key: dict(parts) for key, parts in wanted.items()}, limits or Limits())
    while not taking.over:
        taking.live()
    return taking.result()


class _Taking:
    """One notebook, over all lives of its process."""

    def __init__(self, cells: list[Cell], wanted: dict[str, dict[str, str]], limits: Limits) -> None:
        self.cells, self.wanted, self.limits = cells, wanted, limits
        self.left_out: dict[int, str] = {}
        """Cells that ended a process, each with what to say."""
        self.ended: dict[int, running.Ended] = {}
        self.again: dict[int, running.Ended] = {}
        """What became of cells in the end, and of those that were run once more."""
        self.cannot: dict[str, str] = {}
        self.taken = Taken()
        self.lives, self.spent = 0, 0.0
        """`spent` is what the cells took, without what the processes needed to begin."""
        self.over = False

    def left(self) -> float:
        """Return the seconds of CPU that the cells still have."""
        return self.limits.notebook - self.spent

    def live(self) -> None:
        """Run what is left in a new process."""
        self.lives += 1
        folder = temporary()
        try:
            _Life(self, folder).watch()
        finally:
            remove(folder)
        if not self.over and (self.lives >= LIVES or self.left() < LEAST):
            self.stop(
                f"the cells took {self.spent:.1f} s of CPU in {self.lives} processes, so some of them were not run"
            )

    def leave_out(self, cell: int, why: str, flag: bool = False) -> None:
        """Go on without this cell."""
        self.left_out[cell] = why
        if flag:
            self.taken.flags.append(f"cell {self.cells[cell].name} {why}")

    def stop(self, why: str, flag: bool = False) -> None:
        """Run no more cells."""
        self.over = True
        self.taken.remarks.append(why)
        if flag:
            self.taken.flags.append(why)

    def result(self) -> Taken:
        """Return what was taken, with all that is to be said."""
        taken, cells = self.taken, self.taken.cells
        for number, cell in enumerate(self.cells):
            ended, again = self.ended.get(number), self.again.get(number)
            if number in self.left_out:
                cells[cell.name] = f"cell {cell.name} {self.left_out[number]}"
            elif again is not None and not again.raised:
                cells[cell.name] = f"cell {cell.name} uses a name that comes below it, so it was run again at the end"
            elif ended is not None and ended.unwritten:
                taken.unwritten.append(cell.name)
            elif ended is not None and ended.raised:
                cells[cell.name] = f"cell {cell.name} raised {ended.raised[: running.TOLD]}"
        for key, why in self.cannot.items():
            names = " and ".join(self.wanted[key].values())
            taken.cannot[key] = f"{names} cannot be taken out of the notebook ({why[: running.TOLD]})"
        taken.remarks = [*cells.values(), *taken.cannot.values(), *taken.remarks]
        return taken


class _Life:
    """One process, from its beginning to its end."""

    def __init__(self, taking: _Taking, folder: Path) -> None:
        self.taking, self.limits, self.folder = taking, taking.limits, folder
        self.numbers = [number for number in range(len(taking.cells)) if number not in taking.left_out]
        self.cell: int | None = None
        """The cell that runs."""
        self.cpu = self.ready_cpu = self.cell_cpu = 0.0
        """Seconds of CPU by now, when the process was ready, and when the cell began."""
        self.since = self.looked = time.monotonic()
        self.process = subprocess.Popen(
            command(), env=environment(folder), cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        assert self.process.stdin is not None and self.process.stdout is not None and self.process.stderr is not None
        self.told: queue.Queue[running.Told | Lost] = queue.Queue()
        threading.Thread(target=_listen, args=(self.process.stdout, self.told), daemon=True).start()
        self.said = Drain(self.process.stderr)
        try:
            with self.process.stdin as stdin:
                stdin.write(msgspec.msgpack.encode(self._request()))
        except OSError:
            pass  # it has ended, and `watch` finds out

    def _request(self) -> running.Request:
        limits, left = self.limits, self.taking.left()
        return running.Request(
            private=str(self.folder), cells=[self.taking.cells[number] for number in self.numbers],
            wanted=self.taking.wanted, cell=min(limits.cell, left), patience=limits.patience,
            memory=limits.memory, cpu=left + 10 * SLACK, files=limits.files,
        )  # fmt: skip

    def watch(self) -> None:
        """Follow the process until it is over, and note down what became of it."""
        try:
            while not self._is_over():
                pass
        finally:
            self._end()

    def _is_over(self) -> bool:
        try:
            told = self.told.get(timeout=0.1)
        except queue.Empty:
            return self._is_overdue()
        if isinstance(told, Lost):
            self._lost(told)
            return True
        return self._hear(told) or (time.monotonic() - self.looked > 0.2 and self._is_overdue())

    def _hear(self, told: running.Told) -> bool:
        """Take in what the process says; return whether it is over."""
        taking, taken = self.taking, self.taking.taken
        match told:
            case running.Confined(held) if self.cell is None:
                taken.held = held if taking.lives == 1 else tuple(one for one in taken.held if one in held)
                self.ready_cpu = self._used()
            case running.Begun(cell) if 0 <= cell < len(self.numbers):
                self.cell, self.cell_cpu, self.since = self.numbers[cell], self._used(), time.monotonic()
            case running.Ended(cell, again=again) if 0 <= cell < len(self.numbers):
                (taking.again if again else taking.ended)[self.numbers[cell]] = told
            case running.Kept(key, code, why) if key in taking.wanted:
                if why or len(code) > ANSWER:
                    taking.cannot[key] = why or f"it brings more than {say_bytes(ANSWER)} along"
                    taken.answers.pop(key, None)
                else:
                    taking.cannot.pop(key, None)
                    taken.answers[key] = code
            case running.Predicted(answers):
                taken.predictions = answers
            case running.Stopped(verdict, place):
                self._stopped(verdict, place)
                return True
            case running.Done():
                taking.over = True
                return True
        return False

    # --- why it is over

    def _stopped(self, verdict: str, place: str = "") -> None:
        """A cell took too long."""
        where = f"; it was in {place[: running.TOLD]}" if place else ""
        limit = self.limits.cell
        if self.cell is None:
            self.taking.stop(
                f"the process for its cells was not ready within {BEGINNING:g} s; grade it again", flag=True
            )
        elif verdict == "late":
            why = f"did not end within {limit * self.limits.patience:g} s and computed little in that time{where}; it was left out"
            self.taking.leave_out(self.cell, why, flag=True)
        elif self.taking.left() < limit:
            name, whole = self.taking.cells[self.cell].name, self.limits.notebook
            self.taking.stop(
                f"the cells took {whole:g} s of CPU, so cell {name} was ended{where}, and the rest was not run"
            )
        else:
            self.taking.leave_out(self.cell, f"did not end within {limit:g} s of CPU{where}; it was left out")

    def _lost(self, lost: "Lost") -> None:
        """The process ended, or says what nobody can read."""
        if self.cell is None:
            self.said.wait(SLACK)
            said = self.said.last_line() or "it said nothing"
            self.taking.stop(f"the process for its cells could not begin: {said}", flag=True)
        elif lost.babbles:
            self.taking.leave_out(self.cell, "wrote into the channel of the grader; it was left out")
        else:
            self.taking.leave_out(self.cell, f"{_death(self._end(), self.limits)}; it was left out")

    def _is_overdue(self) -> bool:
        """Look at the clocks and at the folder from outside; a cell can keep its own process from looking."""
        now, used = time.monotonic(), self._used()
        self.looked = now
        if self.cell is None:
            if now - self.since < BEGINNING:
                return False
            self._stopped("late")
        elif used - self.cell_cpu > self.limits.cell + SLACK or used - self.ready_cpu > self.taking.left() + SLACK:
            self._stopped("hung")
        elif now - self.since > self.limits.cell * self.limits.patience + 4 * SLACK:
            self._stopped("late")
        elif _is_full(self.folder, self.limits.files):
            self.taking.leave_out(
                self.cell, f"wrote files of more than {say_bytes(self.limits.files)}; it was left out"
            )
        else:
            return False
        return True

    # --- the process

    def _used(self) -> float:
        """Return the seconds of CPU that the process has taken."""
        self.cpu = max(self.cpu, cpu_time(self.process.pid))
        return self.cpu

    def _end(self) -> int:
        """End the process and whatever it began; return the code with which it ended."""
        if self.process.returncode is None:
            self._used()
            _kill(self.process)
            if hasattr(os, "wait4"):
                _, status, usage = os.wait4(self.process.pid, 0)
                self.process.returncode = os.waitstatus_to_exitcode(status)
                self.cpu = usage.ru_utime + usage.ru_stime
                scale = 1 if sys.platform == "darwin" else 1024
                self.taking.taken.memory = max(self.taking.taken.memory, usage.ru_maxrss * scale)
            else:
                self.process.wait()
            self.taking.taken.cpu += self.cpu
            self.taking.spent += max(0.0, self.cpu - self.ready_cpu) if self.ready_cpu else 0.0
        assert self.process.returncode is not None
        return int(self.process.returncode)


class Lost(msgspec.Struct, frozen=True):
    """Nothing more comes from the process."""

    babbles: bool
    """Whether it says what nobody can read; else it has ended."""


def _listen(pipe: IO[bytes], told: "queue.Queue[running.Told | Lost]") -> None:
    """Read what the process says until there is nothing more, or too much."""
    decoder, whole = msgspec.msgpack.Decoder(running.Told), 0
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
                told.put(Lost(babbles=True))
                return
    told.put(Lost(babbles=False))


def _death(code: int, limits: Limits) -> str:
    """Return how a process ended, as a sentence says it of a cell."""
    if code == running.NO_MEMORY:
        return f"took all of the {say_bytes(limits.memory)} of memory that a notebook has"
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = str(-code)
        return f"ended the process in which it ran (signal {name})"
    return f"ended the process in which it ran (code {code})"


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
    except Exception:
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


def _is_full(folder: Path, most: int) -> bool:
    """Tell whether there is more in a folder than may be."""
    size, count, waiting = 0, 0, [str(folder)]
    try:
        while waiting and size <= most and count <= MOST_FILES:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    count += 1
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        size += entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:  # it has gone meanwhile
        pass
    except OSError:  # it may not be looked at, or its path is longer than the system allows
        return not os.access(folder, os.R_OK) or count > MOST_DEEP
    return size > most or count > MOST_FILES
