"""Evidence: the long ring of the tests, cut into pieces that run one after another, and go on tomorrow.

    kinds of evidence --the one that had the least time so far--> its next piece: a chatsys command, in a process
                                                                     |
    data/evidence/pieces.jsonl <--one line: commit, seeds, seconds, result
    chatsys/evidence/pieces.jsonl <--the same lines, of all who gathered for the two pages: the record (`--write`)

A test must be over in minutes.  What shows that the protocol is safe takes hours: twenty thousand long schedules,
searches of every order of events, real processes under real faults, and every bug that the checkers must find.
Each piece is a command that you can type yourself, so a piece that fails can be run again alone.

Assumes   the code does not change while a piece runs.
Promises  a piece that was finished with the same code is not run again; a piece that is stopped leaves nothing, and none goes
          on without the command that began it.
Read also `kinds` (what is gathered), `code` (what "the same code" is), `page` (how it is told), `commands.prove`.
"""

import shlex
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import msgspec

from chatsys.errors import UsageError
from chatsys.evidence.code import PACKAGE, commit, digest
from chatsys.isolation.beginning import with_parent
from chatsys.surroundings import TOGETHER

GRACE = 2.0
"""Seconds that a piece has to end in good order."""
PIECES, TABLE = "pieces.jsonl", "evidence.txt"
RECORD = PACKAGE / "evidence" / PIECES
"""The lines that the table in the README and in EVIDENCE.md is made of: each can be read, and its command run again."""


class Whole(float):
    """A number that is told whole, with its thousands apart."""

    def __format__(self, _how: str) -> str:
        return f"{round(self):,}"


Verdict = Literal["held", "violated", "inconclusive", "failed"]
_VERDICTS: dict[int, Verdict] = {0: "held", 1: "violated", 3: "inconclusive"}


class Piece(msgspec.Struct, frozen=True):
    """One command of a kind, and how many seconds it may take before it is given up."""

    words: tuple[str, ...]
    limit: float
    seeds: str = ""
    """Which seeds it plays, A:B, if it plays any."""
    script: str = ""
    """The program of a clone that runs it, where it is no command of chatsys."""
    bounded: bool = False
    """Whether it has a budget for something that may have no end: that it stops there is as it should be."""

    @property
    def command(self) -> str:
        """The command as one types it."""
        return shlex.join((*(("python", self.script) if self.script else ("chatsys",)), *self.words))


class Kind(msgspec.Struct, frozen=True):
    """One kind of evidence: what it is called, the pieces it is made of, and what they say."""

    name: str
    pieces: tuple[Piece, ...]
    rooms: tuple[str, ...] = ()
    """Of which rooms of the package it speaks (`code.digest`); () is all of it."""
    lacks: str = ""
    """What this machine lacks to run it, a sentence; its lines are read and told all the same."""
    tells: str = ""
    """How much was done, with the names of counts in braces: "{schedules} schedules, {messages} messages"."""
    shows: str = ""
    """What is known if it held, in a sentence or two."""
    leaves: str = ""
    """What is not known although it held."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one finished piece."""

    kind: str
    command: str
    commit: str
    code: str
    """A digest of the files that it speaks of, so that a change of them makes the evidence old."""
    seeds: str
    seconds: float
    result: Verdict
    what: str = ""
    """The first sentence that says what was violated, or why there is no verdict."""
    counts: dict[str, float] = {}
    """The numbers that the command told of itself; of a list, how long it was."""


class Evidence:
    """The lines that are kept in a folder, and the work that is left for the code as it is now."""

    def __init__(self, folder: Path, wanted: tuple[Kind, ...], record: Path | None = None) -> None:
        """Read what is there, and in a record.  Raises `UsageError` if the folder cannot be used or a line cannot be read."""
        self.folder, self.kinds = folder, wanted
        self.commit = commit()
        self.codes = {kind.name: digest(kind.rooms) for kind in wanted}
        self.done: dict[tuple[str, str], Line] = {}
        self.path = folder / PIECES
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.path.touch()
            for path in (record, self.path):
                if path is not None and path.exists():
                    self._read(path)
        except OSError as error:
            raise UsageError(f"The evidence cannot be kept in {folder}: {error.strerror or error}.") from None
        self.again = {key for key, line in self.done.items() if line.result == "failed"}
        """What failed by itself in an earlier call."""

    def _read(self, path: Path) -> None:
        """Take in the lines of a file that speak of the code as it is; a later line of a piece replaces an earlier one."""
        for number, text in enumerate(path.read_bytes().splitlines(), start=1):
            try:
                line = msgspec.json.decode(text, type=Line)
            except msgspec.DecodeError as error:
                raise UsageError(f"{path} is broken at line {number} ({error}); remove that line.") from None
            if line.code == self.codes.get(line.kind):
                self.done[line.kind, line.command] = line

    def lines(self) -> bytes:
        """Return every line that counts for the code as it is, in the order of kinds and pieces."""
        pieces = [(kind.name, piece.command) for kind in self.kinds for piece in kind.pieces]
        return b"".join(msgspec.json.encode(self.done[one]) + b"\n" for one in pieces if one in self.done)

    def next(self) -> tuple[Kind, Piece] | None:
        """Return the piece to run now: of the kinds with something left, the one that had the least time."""
        left = [kind for kind in self.kinds if not kind.lacks and self.missing(kind)]
        kind = min(left, key=self.seconds, default=None)
        return None if kind is None else (kind, self.missing(kind)[0])

    def missing(self, kind: Kind) -> list[Piece]:
        """Return the pieces of a kind that are left to do; what failed by itself in an earlier call is tried again."""
        done = self.done.keys() - self.again
        return [piece for piece in kind.pieces if (kind.name, piece.command) not in done]

    def seconds(self, kind: Kind) -> float:
        """Return how long the finished pieces of a kind took."""
        return sum(line.seconds for line in self._of(kind))

    def _of(self, kind: Kind) -> list[Line]:
        """Return the lines of a kind, in the order of its pieces, whichever of them was run last."""
        return [self.done[key] for piece in kind.pieces if (key := (kind.name, piece.command)) in self.done]

    def run(self, kind: Kind, piece: Piece) -> Line:
        """Run one piece in a process of its own, keep its line and return it."""
        began = time.monotonic()
        result, what, counts = _play(piece)
        line = Line(
            kind=kind.name,
            command=piece.command,
            commit=self.commit,
            code=self.codes[kind.name],
            seeds=piece.seeds,
            seconds=round(time.monotonic() - began, 1),
            result=result,
            what=what,
            counts=counts,
        )
        try:
            with open(self.path, "ab") as file:
                file.write(msgspec.json.encode(line) + b"\n")
        except OSError as error:
            raise UsageError(f"The evidence cannot be kept in {self.path}: {error.strerror or error}.") from None
        self.done[line.kind, line.command] = line
        self.again.discard((line.kind, line.command))
        return line

    def rows(self) -> list[dict[str, Any]]:
        """Return for each kind: commit, how many pieces, seeds, seconds and the worst result."""
        return [self._row(kind) for kind in self.kinds]

    def _row(self, kind: Kind) -> dict[str, Any]:
        lines = self._of(kind)
        found = {line.result for line in lines}
        order: tuple[Verdict, ...] = ("violated", "failed", "inconclusive", "held")
        counts: Counter[str] = Counter()
        for line in lines:
            counts.update(line.counts)
        return {
            "kind": kind.name,
            "commit": lines[-1].commit if lines else "",
            "pieces": len(lines),
            "of": len(kind.pieces),
            "seeds": joined([line.seeds for line in lines if line.seeds]),
            "seconds": round(self.seconds(kind), 1),
            "result": next((one for one in order if one in found), "not run yet"),
            "what": [f"{line.command}: {line.what}" for line in lines if line.result != "held"],
            "told": kind.tells.format_map(defaultdict(Whole, {name: Whole(of) for name, of in counts.items()})),
        }


def gather(evidence: Evidence, seconds: float, tell: Callable[[Line], None]) -> None:
    """Run pieces, and tell each, until all are done; after `seconds` no new one is begun."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and (work := evidence.next()) is not None:
        tell(evidence.run(*work))
    text = "\n".join(map(written, evidence.rows()))
    try:
        (evidence.folder / TABLE).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{evidence.folder / TABLE} cannot be written: {error.strerror or error}.") from None


def written(row: dict[str, Any]) -> str:
    """Return the line of one kind of evidence, as it is printed and kept."""
    pieces = f"{row['pieces']} of {row['of']}"
    told = f"{row['kind']:<24} {row['commit']:<9} {pieces:>10}  {row['seconds']:>8.0f} s  {row['result']}"
    return told + (f"  (seeds {row['seeds']})" if row["seeds"] else "")


def joined(ranges: list[str]) -> str:
    """Return ranges of seeds in their shortest form: 0:200 for 0:100 and 100:200."""
    pairs = sorted(tuple(map(int, one.split(":"))) for one in {*ranges})
    merged: list[list[int]] = []
    for first, last in pairs:
        if merged and merged[-1][1] == first:
            merged[-1][1] = last
        else:
            merged.append([first, last])
    return ", ".join(f"{first}:{last}" for first, last in merged)


def _play(piece: Piece) -> tuple[Verdict, str, dict[str, float]]:
    """Run the command; return its verdict, a sentence unless it held, and what it counted."""
    program = (str(PACKAGE.parent / piece.script),) if piece.script else ("-m", "chatsys")
    command = [sys.executable, *with_parent(signal.SIGTERM), *program, *piece.words]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            out, err = process.communicate(timeout=piece.limit)
        except subprocess.TimeoutExpired:
            return "failed", f"It did not end within {piece.limit:g} s.", {}
        finally:
            _end(process)
    verdict = _VERDICTS.get(process.returncode, "failed")
    answer = _answer(out)
    if verdict == "violated" and not answer:
        verdict = "failed"  # a traceback ends with 1, too
    if verdict == "held" or (verdict == "inconclusive" and piece.bounded):
        return "held", "", _counted(answer)
    said = err.strip().splitlines()
    told = _sentence(answer) or (said[-1] if said else f"It ended with code {process.returncode}.")
    return verdict, told, _counted(answer)


def _end(process: "subprocess.Popen[str]") -> None:
    """End a piece that still runs in good order, for it has processes of its own; kill it if that takes too long."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(TOGETHER)  # Ctrl-C reached it, too
        return
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()


def _answer(out: str) -> dict[str, Any]:
    """Return the JSON object that a command printed; {} if it printed none."""
    try:
        answer = msgspec.json.decode(out)
    except (msgspec.DecodeError, ValueError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _counted(answer: dict[str, Any]) -> dict[str, float]:
    """Return the numbers of an answer, and the lengths of its lists."""
    counts = {name: len(value) if isinstance(value, list) else value for name, value in answer.items()}
    return {name: float(of) for name, of in counts.items() if isinstance(of, int | float) and not isinstance(of, bool)}


def _sentence(answer: dict[str, Any]) -> str:
    """Return the first sentence in the answer of a command that says what was found."""
    for key in ("violations", "findings", "inconclusive", "survived", "unseen", "why", "unfinished"):
        found = answer.get(key)
        first = found[0] if isinstance(found, list) and found else found
        if isinstance(first, dict):
            first = next((first[name] for name in ("sentence", "finding", "why") if name in first), "")
        if first and isinstance(first, str):
            return first[:300]
    return ""
