"""Signatures: how each mistake of a lab fails, so that an answer that fails in the same way can be recognised.

    mistake --judge--> which aspects are lost in which part, at which seed, with which sentence

The public seeds and the searches are the same for everybody.  So two answers that behave alike fail there at the same
seed, with the same sentence, however differently they are written.  Of the hidden part only the lost aspects are
compared, which a mistake declares, for its seeds differ from student to student.

Playing all mistakes of an exercise takes seconds, so they are played once, where somebody lost points in it, and kept in
a file, for one state of the lab.

Read also `misconceptions` (who compares), `grading.keys` (the mistakes).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from chatsys import __version__
from chatsys.errors import ChatsysError
from chatsys.teach.classroom.results import CellResult, as_text, write_whole
from chatsys.teach.grading.judging import judge
from chatsys.teach.grading.keys import Keys, Mistake
from chatsys.teach.grading.lab import Exercise, Kind, PartResult

PLAYED: tuple[Kind, ...] = ("public", "search")
"""The parts in which everybody has the same runs."""
PLACE = re.compile(r" \([^()]*\bline \d+[^()]*\)")
"""Where in somebody's code an error was: it says nothing about the mistake."""

Trait = tuple[str, ...]
Signature = frozenset[Trait]
"""What can be compared: ("lost", kind, aspect), ("seed", kind, aspect, seed), ("says", kind, aspect, sentence)."""


class PlayedSignatures(msgspec.Struct, kw_only=True):
    """The file in which signatures are kept."""

    state: str
    """The state of the lab in which they were played; in another one they are played anew."""
    signatures: dict[str, dict[str, list[tuple[str, ...]]]]
    """Exercise -> mistake -> traits; an exercise in which nobody ever lost a point is not there."""


def signature_of(cells: Iterable[CellResult]) -> Signature:
    """Return how an answer failed, of the graded cells of one exercise."""
    found: set[Trait] = set()
    for cell in cells:
        found |= {("lost", cell.kind, aspect) for aspect in cell.lost}
        for one in cell.failed if cell.kind in PLAYED and cell.lost else ():
            found |= _told(cell.kind, one.aspect, one.seed, one.sentence)
    return frozenset(found)


def _told(kind: str, aspect: str, seed: int | None, sentence: str) -> set[Trait]:
    sentence = PLACE.sub("", sentence)
    shape = re.sub(r"\d+(\.\d+)?", "0", sentence)
    return {("seed", kind, aspect, str(seed)), ("says", kind, aspect, sentence), ("says", kind, aspect, shape)}


def signature_of_mistake(mistake: Mistake, outcomes: Iterable[PartResult]) -> Signature:
    """Return how a mistake of the lab fails: which aspects, by what it declares; how, by what became of it when played."""
    found: set[Trait] = {("lost", kind, aspect) for kind, aspects in mistake.loses.items() for aspect in aspects}
    for outcome in outcomes:
        for one in outcome.findings if outcome.kind in PLAYED and outcome.lost else ():
            found |= _told(outcome.kind, one.aspect, one.seed, one.sentence)
    return frozenset(found)


def play(exercise: Exercise, keys: Keys, tell: Callable[[str], None] = lambda name: None) -> dict[str, Signature]:
    """Play every mistake of an exercise and return mistake -> signature; `tell` gets each name before."""

    def everybodys(one: Exercise, kind: Kind) -> Sequence[int]:
        return range(one.public)

    found = {}
    for name, mistake in keys.mistakes.get(exercise.number, {}).items():
        tell(f"{exercise.number}: {name}")
        found[name] = signature_of_mistake(mistake, judge(exercise, mistake.cls, everybodys, keys, PLAYED))
    return found


class KeptSignatures:
    """Signatures of one state of a lab, played when they are first asked for, and kept in a file."""

    def __init__(
        self, keys: Keys, state: str, file: Path | None = None, tell: Callable[[str], None] = lambda name: None
    ) -> None:
        """`state` names the lab, its files and its keys; what was played in another state is played anew."""
        self.keys, self.file, self.tell = keys, file, tell
        self.state = f"{state}, chatsys {__version__}"
        known = _read(file) if file is not None else None
        self.played = known.signatures if known is not None and known.state == self.state else {}

    def of(self, exercises: Iterable[Exercise]) -> dict[str, dict[str, Signature]]:
        """Return exercise -> mistake -> signature of these exercises."""
        wanted = list(exercises)
        missing = [one for one in wanted if one.number not in self.played]
        for one in missing:
            every = play(one, self.keys, self.tell)
            self.played[one.number] = {name: sorted(signature) for name, signature in every.items()}
        if missing and self.file is not None:
            self._keep(self.file)
        return {
            one.number: {name: frozenset(map(tuple, traits)) for name, traits in self.played[one.number].items()}
            for one in wanted
        }

    def _keep(self, file: Path) -> None:
        whole = PlayedSignatures(state=self.state, signatures=self.played)
        try:
            write_whole(file, as_text(msgspec.to_builtins(whole)))
        except ChatsysError:  # they can be played again
            pass


def _read(path: Path) -> PlayedSignatures | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=PlayedSignatures)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
