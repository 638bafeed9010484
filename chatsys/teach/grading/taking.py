"""Taking: the answers of a notebook leave it by value, and all that its cells did otherwise is thrown away.

    cells --> a confined process (`cell_process`, `running`) --bytes, numbers, texts--> NotebookAnswers
                |  a cell comes to no end, ends the process, fills memory or disk: it is named and left out,
                |  and those before it are run again in a new process for those behind it
                `- afterwards it is ended, and its folder removed

Time is counted on the clock of the CPU: what computes too long is to blame, and so is what sleeps ten times as long.
Nobody is to blame for a machine that has no time for the process, or suspends it.  It is waited for; and where there is
no end of that, what was not run is `undecided`: no points are lost, and a person is asked to look.

Assumes   nothing of what the process says, but that it may hold answers.
Promises  a cell costs itself, and no notebook more than `notebook` seconds of CPU and what its first process needs to
          begin (`isolation.budget`); nothing of one notebook reaches the next one.
Read also `running` (inside the process), `submission` (which cells), `marking` (what becomes of the answers).
"""

from collections.abc import Mapping, Sequence

import msgspec

from chatsys.capabilities import PROCESSES, need
from chatsys.escape import escape
from chatsys.isolation.budget import CELL, NOTEBOOK, PATIENCE, SLACK
from chatsys.isolation.drain import say_bytes
from chatsys.isolation.limits import THREADS
from chatsys.teach.grading.cell_process import ANSWER, CellProcess, Ending, Left
from chatsys.teach.grading.exchange import (
    MOST_TOLD,
    NO_MEMORY,
    Carried,
    Confined,
    Ended,
    Predicted,
    Request,
    RunnableCell,
    Told,
)
from chatsys.temporary import remove, temporary

LIVES, LEAST = 8, 0.2
"""So many processes one notebook may use up; with less CPU time than this left, none is begun."""


class CellLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a notebook may take."""

    cell: float = CELL
    """Seconds of CPU for one cell."""
    notebook: float = NOTEBOOK
    """Seconds of CPU for all of them, and for what other processes need to begin than the first."""
    patience: float = PATIENCE
    """So many times as long may one sleep, or all of them, or be kept from running."""
    memory: int = 2 << 30
    """Bytes beyond those of Python itself."""
    files: int = 64 << 20
    """Bytes of its folder."""


class NotebookAnswers(msgspec.Struct, kw_only=True):
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
    """Those of the remarks at which a person should look: the student is not to blame."""
    unwritten: list[str] = []
    """Cells that nobody has written yet."""
    undecided: str = ""
    """Why nobody can tell what is in cells that were not run: their process got no time from this machine."""
    held: tuple[str, ...] = ()
    """The measures of confinement that held."""
    cpu: float = 0.0
    memory: int = 0
    """Bytes that the largest of its processes took."""

    def doubt(self, cell: str) -> str:
        """Return why nobody can tell what became of a cell; "" if it is known."""
        return "" if cell in self.cells or cell in self.unwritten else self.undecided


def take(
    cells: Sequence[RunnableCell], wanted: Mapping[str, Mapping[str, str]], limits: CellLimits | None = None
) -> NotebookAnswers:
    """Run `cells` and return what is `wanted`: answer -> name under which it travels -> name in the notebook."""
    need("Grading whole notebooks", PROCESSES, instead="check one class at a time")
    taking = _Taking(list(cells), {key: dict(parts) for key, parts in wanted.items()}, limits or CellLimits())
    while not taking.over:
        taking.live()
    return taking.result()


class _Taking:
    """One notebook, over all lives of its process."""

    def __init__(self, cells: list[RunnableCell], wanted: dict[str, dict[str, str]], limits: CellLimits) -> None:
        self.cells, self.wanted, self.limits = cells, wanted, limits
        self.numbers: list[int] = []
        """The cells of this life."""
        self.left_out: dict[int, str] = {}
        """Cells that ended a process, each with what to say."""
        self.ended: dict[int, Ended] = {}
        self.again: dict[int, Ended] = {}
        """What became of cells, and of those that were run once more."""
        self.cannot: dict[str, str] = {}
        self.taken = NotebookAnswers()
        self.lives, self.left, self.over = 0, limits.notebook, False
        """`left` is the CPU time that the cells still have."""
        self.slept = self.kept = 0.0
        """Seconds that the processes slept, and were kept from running."""

    def live(self) -> None:
        """Run what is left in a new process."""
        self.lives += 1
        self.numbers = [number for number in range(len(self.cells)) if number not in self.left_out]
        folder = temporary()
        try:
            process = CellProcess(self._request(str(folder)), self._left())
            ending = process.watch(self._hear)
        finally:
            remove(folder)
        self.left -= process.worked + process.ready  # and what the next one needs to begin
        self.slept += process.idle.slept
        self.kept += process.idle.kept
        self.taken.cpu += process.cpu
        self.taken.memory = max(self.taken.memory, process.memory)
        self._note(ending, None if process.cell is None else self.numbers[process.cell])
        if not self.over and (self.lives >= LIVES or self.left < LEAST):
            spent = f"{self.taken.cpu:.1f} s of CPU in {self.lives} processes"
            self._stop(f"its cells took {spent}, so some were not run")

    def _left(self) -> Left:
        limits, most = self.limits, self.limits.notebook * self.limits.patience
        nap = limits.cell * limits.patience
        return Left(cpu=self.left, sleep=most - self.slept, nap=nap, wait=most - self.kept)

    def _request(self, folder: str) -> Request:
        limits = self.limits
        return Request(
            private=folder, cells=[self.cells[number] for number in self.numbers], wanted=self.wanted,
            cell=min(limits.cell, self.left), memory=limits.memory, cpu=self.left + 10 * SLACK, files=limits.files,
        )  # fmt: skip

    def _hear(self, told: Told) -> None:
        """Take in what the process says."""
        taken = self.taken
        match told:
            case Confined(held):
                taken.held = held if self.lives == 1 else tuple(one for one in taken.held if one in held)
            case Ended(cell, again=again) if 0 <= cell < len(self.numbers):
                (self.again if again else self.ended)[self.numbers[cell]] = told
            case Carried(key, code, why) if key in self.wanted:
                if why or len(code) > ANSWER:
                    self.cannot[key] = why or f"it brings more than {say_bytes(ANSWER)} along"
                    taken.answers.pop(key, None)
                else:
                    self.cannot.pop(key, None)
                    taken.answers[key] = code
            case Predicted(answers):
                taken.predictions = answers

    def _note(self, ending: Ending, cell: int | None) -> None:
        """Note down why a process is over: it was done, or a cell is left out, or no more of them are run."""
        where = f"; it was in {_plain(ending.place)}" if ending.place else ""
        limit, patience = self.limits.cell, self.limits.patience
        if ending.verdict == "done":
            self.over = True
        elif cell is None:
            self._give_up(f"the process for its cells could not begin ({ending.said})")
        elif ending.verdict == "hung" and self.left < LEAST:
            name, whole = self.cells[cell].name, self.limits.notebook
            self._stop(f"its cells took {whole:g} s of CPU, so cell {name} was ended{where}, and the rest was not run")
        elif ending.verdict == "late":
            self._give_up(f"this machine had no time for its cells, or suspended them, from {self.cells[cell].name} on")
        elif ending.verdict == "asleep" and self.slept > self.limits.notebook * patience:
            self._stop(f"its cells slept too long, the last one {self.cells[cell].name}, so some were not run")
        else:
            why = {
                "hung": f"did not end within {limit:g} s of CPU{where}",
                "asleep": f"slept for {limit * patience:g} s and computed nothing{where}",
                "died": f"ended the process in which it ran ({ending.said})",
                "babbled": "wrote into the channel of the grader",
                "crowded": f"began more than {THREADS} threads",
                "full": f"wrote files of more than {say_bytes(self.limits.files)}",
            }[ending.verdict]
            if ending.said == f"code {NO_MEMORY}":
                why = f"took all of the {say_bytes(self.limits.memory)} of memory that a notebook has"
            self.left_out[cell] = f"{why}; it was left out"

    def _stop(self, why: str) -> None:
        """Run no more cells."""
        self.over = True
        self.taken.remarks.append(why)

    def _give_up(self, why: str) -> None:
        """Run no more cells, for no fault of theirs."""
        self._stop(why)
        self.taken.undecided = why
        self.taken.flags.append(why)

    def result(self) -> NotebookAnswers:
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
                cells[cell.name] = f"cell {cell.name} raised {_plain(ended.raised)}"
        for key, why in self.cannot.items():
            names = " and ".join(self.wanted[key].values())
            taken.cannot[key] = f"{names} cannot be taken out of the notebook ({_plain(why)})"
        taken.remarks = [*cells.values(), *taken.cannot.values(), *taken.remarks]
        return taken


def _plain(text: str) -> str:
    """Return what a process said, short and on one line, whatever signs stand in it."""
    return escape(text[:MOST_TOLD])
