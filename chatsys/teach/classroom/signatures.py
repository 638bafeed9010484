"""Signatures: how each mistake of a lab fails, so that an answer that fails in the same way can be recognised.

    mistake --judge--> which aspects are lost in which part, at which seed, with which sentence

The public seeds and the searches are the same for everybody.  So two answers that behave alike fail there at the same
seed, with the same sentence, however differently they are written.  Of the hidden part only the lost aspects are
compared, which a mistake declares, for its seeds differ from student to student.

Playing all mistakes takes half a minute, so they are kept in a file, for one state of the lab.

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
from chatsys.teach.grading.lab import Exercise, Kind, Lab, PartResult

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
    """Exercise -> mistake -> traits."""


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


def play(lab: Lab, keys: Keys, tell: Callable[[str], None] = lambda name: None) -> dict[str, dict[str, Signature]]:
    """Play every mistake of `lab` and return exercise -> mistake -> signature; `tell` gets each name before."""

    def everybodys(exercise: Exercise, kind: Kind) -> Sequence[int]:
        return range(exercise.public)

    found: dict[str, dict[str, Signature]] = {}
    for exercise in lab.exercises:
        found[exercise.number] = {}
        for name, mistake in keys.mistakes.get(exercise.number, {}).items():
            tell(f"{exercise.number}: {name}")
            outcomes = judge(exercise, mistake.cls, everybodys, keys, PLAYED)
            found[exercise.number][name] = signature_of_mistake(mistake, outcomes)
    return found


def signatures(
    lab: Lab, keys: Keys, version: str, kept: Path | None, tell: Callable[[str], None] = lambda name: None
) -> dict[str, dict[str, Signature]]:
    """Return the signatures of `lab`, from the file `kept` if they are of this state of the lab; else play them.

    `version` names the state of the lab's files and keys.
    """
    state = f"{lab.name} {version} chatsys {__version__}"
    if kept is not None and (known := _read(kept)) is not None and known.state == state:
        return {
            number: {name: frozenset(map(tuple, traits)) for name, traits in mistakes.items()}
            for number, mistakes in known.signatures.items()
        }
    found = play(lab, keys, tell)
    if kept is not None:
        plain = {number: {name: sorted(one) for name, one in every.items()} for number, every in found.items()}
        try:
            write_whole(kept, as_text(msgspec.to_builtins(PlayedSignatures(state=state, signatures=plain))))
        except ChatsysError:  # they can be played again
            pass
    return found


def _read(path: Path) -> PlayedSignatures | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=PlayedSignatures)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
