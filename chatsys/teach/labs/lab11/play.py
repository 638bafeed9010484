"""What the page of lab 11 plays: an attack, a table of bugs and invariants, a planted run, your own numbers.

    attack("no session dedup", scenario)    the board after a scenario: what it broke, for timeline and show
    kills(MyInvariants)                     the table: which invariant speaks of which bug, and whom it accuses
    row("no session dedup")                 the run of a row of it, as an invariant gets it
    rehearse(scenario, claim)               what a written test says of the open bugs
    planted("A")                            a run of a chat with a bug whose code is not on your machine
    my_numbers(MyInvariants, seed)          how many of your own random attacks broke something, and how many you saw

Read also `runs` (the rows of the table), `game` (by hand), `par` and `hunting` (by machine).
"""

from collections.abc import Callable
from html import escape
from pathlib import Path
from random import Random
from typing import Any

from chatsys.errors import UsageError
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.teach.grading import revealing
from chatsys.teach.grading.recording import Done, Recording
from chatsys.teach.labs.lab11.asked import NAMES, VERBS, Said, said_by
from chatsys.teach.labs.lab11.board import ChatBoard, Steps, chat_of, code_of, play_steps
from chatsys.teach.labs.lab11.bugs import BUGS, RIGHT, bug_named
from chatsys.teach.labs.lab11.hunting import random_attack
from chatsys.teach.labs.lab11.par import kept, moves_of
from chatsys.teach.labs.lab11.runs import Judged, judged, right_runs, wrong_runs
from chatsys.teach.labs.prints import heard_in
from chatsys.trace import Trace

PLANTED = ("A", "B", "C")
MINE = 40
"""So many random attacks has the run that is explained."""


def student(name: str | None = None) -> int:
    """Choose the seed of this student's runs by a name, and return it."""
    return revealing.student(name)


# --- an attack -------------------------------------------------------------------------------------


class Attacked:
    """What a scenario did to a bug."""

    def __init__(self, board: ChatBoard, stopped: str = "") -> None:
        self.board, self.broken, self.stopped = board, board.broken, stopped

    @property
    def trace(self) -> Trace:
        """The run, for `timeline`."""
        return self.board.trace

    @property
    def chat(self) -> Trace:
        """What people see of it: what your invariants are given."""
        return chat_of(self.board.trace)

    def __repr__(self) -> str:
        bug, count = self.board.bug.name, moves_of(len(self.board.moves))
        par = f" Par is {kept()[bug].par}." if bug in kept() else ""
        if self.stopped:
            return f"{bug}: {self.stopped}"
        first = f"{bug}, {count}: {'broken' if self.broken else 'nothing is broken'}.{par}"
        return "\n".join([first, *(f"  {name}: {said}" for name, said in self.broken.items())])


def attack(bug: str, scenario: Callable[[Any], Any]) -> Attacked:
    """Play a scenario, a function of the world, against a bug or against "the chat as it is", as `grade` does.

    A scenario that is not written yet, or has a move that cannot be made, is told in a sentence.
    """
    flaw = bug_named(bug)
    steps = _steps(f"attack({bug!r:.40}, scenario)", scenario)
    if steps is None:
        return Attacked(ChatBoard(flaw), "this attack is not written yet.")
    try:
        return Attacked(play_steps(flaw, steps))
    except UsageError as error:
        return Attacked(ChatBoard(flaw), f"this attack cannot be played: {error}.")


def _steps(call: str, scenario: Callable[[Any], Any]) -> list[Done] | None:
    """Return the moves of a scenario; None if it is not written yet."""
    if not callable(scenario):
        raise UsageError(f"{call} wants a function of the world; it was given {scenario!r:.40}.")
    recording = Recording(VERBS)
    try:
        with heard_in("your attack"):
            scenario(recording)
    except NotImplementedError:
        return None
    return recording._done


class PlayedScenario:
    """A run of a written test: its trace is what people saw."""

    def __init__(self, board: ChatBoard) -> None:
        self.trace = chat_of(board.trace)


def play_scenario(answer: Mutant, steps: Steps) -> PlayedScenario:
    """Play what a written test does against a chat; what cannot be done in the chat as it is, is refused."""
    return PlayedScenario(play_steps(answer, steps, strict=answer is RIGHT))


def rehearse(scenario: Callable[[Any], Any], claim: Callable[[Trace], str | None]) -> None:
    """Print what a written test says of the chat as it is and of each open bug, and which moves were left out there."""
    steps = _steps("rehearse(scenario, claim)", scenario)
    if steps is None:
        print("You have not written scenario yet.")
        return
    for bug in (RIGHT, *BUGS.values()):
        try:
            board = play_steps(bug, steps, strict=bug is RIGHT)
        except UsageError as error:
            print(f"Your scenario cannot be played in {bug.name}: {error}.")
            return
        try:
            with heard_in(f'claim, "{bug.name}"'):
                said = claim(chat_of(board.trace))
        except NotImplementedError:
            print("You have not written claim yet, or one of the invariants that it asks.")
            return
        sign = "✓" if (said is None) is (bug is RIGHT) else "✗ accuses" if bug is RIGHT else "✗ misses"
        out = f" (left out: {', '.join(map(code_of, board.left_out))})" if board.left_out else ""
        print(f"{sign} {bug.name}: {said}{out}")


# --- the table -------------------------------------------------------------------------------------

SIGNS = {
    "kill": ("✓ speaks", "it is broken, and your invariant says so"),
    "miss": ("silent", "it is broken, and your invariant is silent"),
    "accuse": ("✗ accuses", "nothing is wrong here, and your invariant speaks"),
    "fine": ("·", "it holds, and your invariant is silent"),
    "error": ("raised", "your invariant raised an error, or returned no sentence"),
    "unwritten": ("?", "not written yet"),
}


class Kills:
    """A table of runs and invariants."""

    def __init__(self, cls: Any) -> None:
        self.cls, self.name = cls, getattr(cls, "__name__", "the class")
        self.rows = [(run, self._row(run)) for run in (*wrong_runs(), *right_runs())]

    def _row(self, run: Judged) -> list[tuple[str, str]]:
        with heard_in(f'run "{run.name}"'):
            said = said_by(self.cls, Trace.decode(run.chat))
        return [(_sign(name in run.broken, one), one[1]) for name, one in zip(NAMES, said, strict=True)]

    @property
    def killed(self) -> list[str]:
        """The bugs of which an invariant speaks."""
        return [run.name for run, row in self.rows if run.broken and any(sign == "kill" for sign, _ in row)]

    @property
    def accused(self) -> int:
        """How many cells accuse what is right."""
        return sum(sign == "accuse" for _, row in self.rows for sign, _ in row)

    @property
    def missed(self) -> int:
        """How many broken invariants nobody spoke of."""
        return sum(sign == "miss" for _, row in self.rows for sign, _ in row)

    def first_wrong(self) -> list[str]:
        """Return a sentence for each invariant about the first row that it accuses, or in which it raises an error."""
        told = []
        for place, name in enumerate(NAMES):
            wrong = [(run, row[place]) for run, row in self.rows if row[place][0] in ("accuse", "error")]
            if wrong:
                run, (sign, said) = wrong[0]
                did = "accuses" if sign == "accuse" else "gave no sentence about"
                told.append(f"{name} {did} “{run.name}”: {said}")
        return told

    def summary(self) -> str:
        """Return the table in a sentence."""
        return (
            f"{self.name} speaks of {len(self.killed)} of {len(BUGS)} bugs. It is silent where an invariant is broken: "
            f"{self.missed}. It accuses where an invariant holds: {self.accused}."
        )

    def __repr__(self) -> str:
        lines = [f"{'':38}" + "".join(f"{name:12}" for name in NAMES)]
        for run, row in self.rows:
            lines.append(f"{run.name[:37]:38}" + "".join(f"{SIGNS[sign][0]:12}" for sign, _ in row))
        return "\n".join([*lines, self.summary(), *self.first_wrong()])

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" style="{_CELL}">{name}</th>' for name in NAMES)
        body = "".join(self._line(run, row) for run, row in self.rows)
        return (
            f'<p>{escape(self.summary())}</p><table style="border-collapse:collapse"><thead><tr><th></th>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table>{''.join(f'<p>{escape(one)}</p>' for one in self.first_wrong())}"
        )

    def _line(self, run: Judged, row: list[tuple[str, str]]) -> str:
        kind = "bug" if run.broken else "nothing wrong"
        cells = "".join(
            f'<td style="{_CELL};{_SHADE.get(sign, "")}" title="{escape(text or SIGNS[sign][1])}">{SIGNS[sign][0]}</td>'
            for sign, text in row
        )
        name = f'<th scope="row" style="{_CELL};font-weight:400">{escape(run.name)} <small>({kind})</small></th>'
        return f"<tr>{name}{cells}</tr>"


_CELL = "text-align:left;padding:3px 14px 3px 6px;border-bottom:1px solid rgba(128,128,128,.3)"
_SHADE = {
    "kill": "background:rgba(0,158,115,.22);font-weight:600",
    "miss": "background:rgba(230,159,0,.22);font-weight:600",
    "accuse": "background:rgba(213,94,0,.28);font-weight:600",
    "error": "background:rgba(213,94,0,.28);font-weight:600",
}


def _sign(broken: bool, said: Said) -> str:
    if said[0] in ("raised", "wrong"):
        return "error"
    if said[0] == "unwritten":
        return "unwritten"
    return ("kill" if broken else "accuse") if said[0] == "said" else ("miss" if broken else "fine")


def kills(cls: Any) -> Kills:
    """Return the table of bugs and invariants for a class; raises `UsageError` for what is no class."""
    if not isinstance(cls, type):
        raise UsageError(f"kills(MyInvariants) wants your class; it was given {cls!r:.40}.")
    return Kills(cls)


def row(name: str) -> Trace:
    """Return what people saw of the run of a row of the table, as an invariant gets it; raises `UsageError` for no row."""
    runs = {run.name: run for run in (*wrong_runs(), *right_runs())}
    if name not in runs:
        raise UsageError(f"There is no row {name!r:.60}; there are {', '.join(map(repr, runs))}.")
    return Trace.decode(runs[name].chat)


# --- planted, and your own ---------------------------------------------------------------------------


def planted(letter: str) -> Trace:
    """Return a run of a chat with a bug whose code is not on your machine: "A", "B" or "C"."""
    if letter not in PLANTED:
        raise UsageError(f"There is no planted run {letter!r:.40}; there are {', '.join(PLANTED)}.")
    return Trace.load(Path(__file__).with_name(f"planted-{letter.lower()}.jsonl"))


def my_numbers(cls: Any, seed: int = revealing.NOBODY) -> str:
    """Say how many random attacks of this seed broke something, and how many of them an invariant of the class saw."""
    if not isinstance(cls, type):
        raise UsageError(f"my_numbers(MyInvariants) wants your class; it was given {cls!r:.40}.")
    random, names = Random(f"lab 11/mine/{seed}"), list(BUGS)
    runs = [judged(name := random.choice(names), random_attack(BUGS[name], random), whole=False) for _ in range(MINE)]
    broke = [run for run in runs if run.broken]
    seen = [run for run in broke if any(kind == "said" for kind, _ in said_by(cls, Trace.decode(run.chat)))]
    lived = [name for name in names if all(run.name != name for run in broke)]
    return (
        f"{MINE} random attacks on the five bugs: {len(broke)} broke something, and {cls.__name__} speaks of {len(seen)} of "
        f"them. {len(lived)} of the 5 bugs survived all of them{': ' + ', '.join(lived) if lived else ''}. For each of "
        f"the five an attack of at most {max(one.par for one in kept().values())} moves is known."
    )


__all__ = ["Attacked", "Kills", "attack", "kills", "my_numbers", "planted", "rehearse", "row", "student"]
