"""Versions: what a lab asked for when it was handed out is kept, so that it can still be graded so after a change.

    chatsys release --keep--> labs/versions/NAME/1/  lab.json     what it asked for: exercises, cells, points, shares
                                                     NAME.ipynb   the page that students got
    a notebook of version 1 --carry--> today's judges, with the cells, the points and the shares of version 1

Only data is kept and no code, so there is one judge for all versions.  An old version can be graded as long as today's
judges still try all that it asked for; else `Carried.why` says what they do not try any more.

Assumes   what a notebook says of its version: its writer can change that, and the report says who handed in which.
Promises  a version that is kept is never overwritten by one that asks for something else.
Read also `course` (who chooses the version), `marking` (what a mark says of it), `classroom.release` (who keeps it).
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from chatsys.errors import UsageError
from chatsys.surroundings import UNUSABLE, cannot_write, reason
from chatsys.teach.grading.lab import Exercise, GradedPart, Lab
from chatsys.teach.grading.reading import Source, text_of
from chatsys.teach.grading.tidying import released

FILE = "lab.json"
MOST = 4
"""So many differences a sentence names."""
T = TypeVar("T")


class KeptExercise(msgspec.Struct, frozen=True, kw_only=True):
    """What one exercise asked for, and what its cells were worth."""

    title: str
    writes: str
    cell: str
    methods: dict[str, tuple[str, ...]]
    """The names of the arguments of each method."""
    aspects: dict[str, int]
    needs: dict[str, tuple[str, ...]]
    parts: tuple[GradedPart, ...]


class KeptTest(msgspec.Struct, frozen=True, kw_only=True):
    """What one test that students write asked for."""

    title: str
    of: str
    cell: str
    graded: str
    points: float
    scenario: str
    claim: str


class KeptLab(msgspec.Struct, frozen=True, kw_only=True):
    """What a lab asked for in one version: all that decides which points a notebook can get."""

    version: int
    exercises: dict[str, KeptExercise]
    tests: dict[str, KeptTest]
    predictions: dict[str, str]
    """Number -> the type of the answer."""
    predictions_cell: str
    predictions_graded: str
    predictions_points: float
    explain: dict[str, float]
    """The cells that people mark -> points."""
    design: str | None
    setup: dict[str, str]
    """The lab's own cells that run -> a digest of their text."""

    def points(self) -> dict[str, float]:
        """Return every cell that has points."""
        found = {part.cell: part.points for one in self.exercises.values() for part in one.parts}
        found |= {one.graded: one.points for one in self.tests.values()} | self.explain
        return found | ({self.predictions_graded: self.predictions_points} if self.predictions else {})


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """A kept version, as today's judges can grade it."""

    asked: KeptLab
    source: Source
    lab: Lab | None
    """The declaration with the cells, points and shares of that version; None: it cannot be graded any more."""
    why: tuple[str, ...] = ()
    """What stands in the way."""


def asked_by(lab: Lab, source: Source) -> KeptLab:
    """Return what a lab asks for today; `source` is its notebook."""
    exercises = {
        one.number: KeptExercise(
            title=one.title, writes=one.writes, cell=one.cell, aspects=one.aspects, needs=one.needs, parts=one.parts,
            methods={name: method.arguments for name, method in one.methods.items()},
        )
        for one in lab.exercises
    }  # fmt: skip
    tests = {one.number: KeptTest(**_fields(one, KeptTest)) for one in lab.tests}
    setup = {name: _digest(text_of(cell)) for name, cell in source.cells.items() if source.runs(name)}
    return KeptLab(
        version=lab.version, exercises=exercises, tests=tests, setup=setup,
        predictions={one.number: one.kind.__name__ for one in lab.predictions},
        explain={one.cell: one.points for one in lab.explain},
        **{name: getattr(lab, name) for name in ("predictions_cell", "predictions_graded", "predictions_points", "design")},
    )  # fmt: skip


def _fields(one: object, kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {name: getattr(one, name) for name in kind.__struct_fields__}


def _digest(text: str) -> str:
    return hashlib.sha256(released(text).encode()).hexdigest()[:8]


# --- what is different -----------------------------------------------------------------------------------


def differences(old: KeptLab, new: KeptLab) -> list[str]:
    """Return what `new` asks for otherwise than `old`, a phrase each: points first."""
    had, has = old.points(), new.points()
    told = [
        f"{cell} has {has[cell]:g} points, not {had[cell]:g}" for cell in had if has.get(cell, had[cell]) != had[cell]
    ]
    told += [f"{cell} ({has[cell]:g} points) is new" for cell in has if cell not in had]
    told += [f"{cell} ({had[cell]:g} points) is gone" for cell in had if cell not in has]
    for number, one in new.exercises.items():
        if (before := old.exercises.get(number)) is not None:
            told += _between(number, before, one)
    told += [f"{number} is another test" for number in _other(old.tests, new.tests, points=0)]
    asked = (old.predictions, old.predictions_cell) != (new.predictions, new.predictions_cell)
    told += ["other predictions are asked for"] if asked else []
    told += ["the design note is another cell"] if old.design != new.design else []
    return told + [f"cell {name} has other code" for name in _other(old.setup, new.setup)]


def _between(number: str, old: KeptExercise, new: KeptExercise) -> Iterator[str]:
    if old.writes != new.writes:
        yield f"{number} asks for {new.writes}, not {old.writes}"
    if old.title != new.title:
        yield f"{number} is called {new.title!r}, not {old.title!r}"
    if old.cell != new.cell:
        yield f"{number} is written in the cell {new.cell}, not {old.cell}"
    if old.methods != new.methods:
        yield f"{number} asks for other methods"
    shares = {part.cell: part.aspects or old.aspects for part in old.parts}
    for part in new.parts:
        if part.cell in shares and shares[part.cell] != (part.aspects or new.aspects):
            yield f"the points of {part.cell} are shared out otherwise"
    if old.needs != new.needs:
        yield f"what counts only with what in {number} is other"


def _other(old: Mapping[str, T], new: Mapping[str, T], **same: object) -> list[str]:
    """Return the names whose values differ, the fields in `same` left aside."""

    def without(one: T | None) -> T | None:
        return replace(one, **same) if isinstance(one, msgspec.Struct) else one

    return [name for name in dict.fromkeys((*old, *new)) if without(old.get(name)) != without(new.get(name))]


def some(phrases: list[str]) -> str:
    """Return the first of these phrases as one text, and how many there are beyond them."""
    more = len(phrases) - MOST
    return "; ".join([*phrases[:MOST], *([f"{more} more"] if more > 0 else [])])


# --- an old version, by today's judges -------------------------------------------------------------------


def carry(old: KeptLab, source: Source, lab: Lab) -> Carried:
    """Return `lab` with the cells, points and shares of `old`, or what stands in the way."""
    now = {one.number: one for one in lab.exercises}
    why = [told for number, one in old.exercises.items() for told in _hindrances(number, one, now.get(number))]
    tests = {one.number: one for one in lab.tests}
    for number, test in old.tests.items():
        why += [f"there is no test {number} any more"] if number not in tests or tests[number].of != test.of else []
    asked = {one.number: one for one in lab.predictions}
    for number, kind in old.predictions.items():
        same = number in asked and asked[number].kind.__name__ == kind
        why += [] if same else [f"there is no prediction {number} of that kind any more"]
    if old.explain != {one.cell: one.points for one in lab.explain}:
        why.append("people mark other texts now, or with other points")
    if why:
        return Carried(asked=old, source=source, lab=None, why=tuple(why))
    made = replace(
        lab, version=old.version, exercises=tuple(_as_then(now[number], one) for number, one in old.exercises.items()),
        tests=tuple(replace(tests[number], **_fields(one, KeptTest)) for number, one in old.tests.items()),
        predictions=tuple(asked[number] for number in old.predictions), predictions_cell=old.predictions_cell,
        predictions_graded=old.predictions_graded, predictions_points=old.predictions_points, design=old.design,
    )  # fmt: skip
    return Carried(asked=old, source=source, lab=made)


def _as_then(now: Exercise, then: KeptExercise) -> Exercise:
    names = [name for name in KeptExercise.__struct_fields__ if name != "methods"]
    return replace(now, **{name: getattr(then, name) for name in names})


def _hindrances(number: str, then: KeptExercise, now: Exercise | None) -> Iterator[str]:
    """Yield what of an exercise today's judges do not try any more."""
    if now is None:
        yield f"there is no exercise {number} any more"
        return
    if {name: method.arguments for name, method in now.methods.items()} != then.methods:
        yield f"{number} asks for other methods now"
    tried = {part.kind: {*now.aspects, *part.aspects} for part in now.parts}
    for part in then.parts:
        if part.kind not in tried:
            yield f"{number} has no {part.kind} part any more"
            continue
        for aspect in (part.aspects or then.aspects).keys() - tried[part.kind]:
            yield f"nothing tries the aspect {aspect} of {number} any more"


# --- where they are kept ---------------------------------------------------------------------------------


def kept_files(labs: Path, lab: str) -> Iterator[tuple[str, Path]]:
    """Yield (name below `labs`, file) of all that is kept of a lab's versions."""
    for path in sorted((labs / "versions" / lab).glob("*/*")):
        if path.is_file() and path.parent.name.isdecimal():
            yield path.relative_to(labs).as_posix(), path


def read_kept(labs: Path, lab: Lab) -> dict[int, Carried]:
    """Return the kept versions of a lab but today's, by their numbers; raises `UsageError` for a broken one."""
    found = {}
    for _, path in kept_files(labs, lab.name):
        if path.name == FILE and (number := int(path.parent.name)) != lab.version:
            found[number] = carry(_read(path), Source(path.with_name(f"{lab.name}.ipynb")), lab)
    return found


def _read(path: Path) -> KeptLab:
    try:
        return msgspec.json.decode(path.read_bytes(), type=KeptLab)
    except (*UNUSABLE, msgspec.MsgspecError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise UsageError(f"{path} cannot be read ({why}); bring it back, or remove its folder.") from None


def check_kept(labs: Path, lab: Lab, page: Path) -> None:
    """Raise `UsageError` if this version was handed out already and asked for something else then."""
    path = labs / "versions" / lab.name / str(lab.version) / FILE
    if path.is_file() and (changed := differences(_read(path), asked_by(lab, Source(page)))):
        raise UsageError(
            f"{lab.name} was handed out as version {lab.version} already, and it asks for something else now: {some(changed)}. "
            f"Count version up in its declaration and run make pages; if no student has that version, remove {path.parent}."
        )


def keep(labs: Path, lab: Lab, page: Path) -> Path:
    """Keep today's version of a lab and the page that students get; return its folder."""
    folder = labs / "versions" / lab.name / str(lab.version)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{lab.name}.ipynb").write_bytes(page.read_bytes())
        form = msgspec.json.format(msgspec.json.encode(asked_by(lab, Source(page))), indent=1)
        (folder / FILE).write_bytes(form + b"\n")
    except UNUSABLE as error:
        raise UsageError(cannot_write(folder, error)) from None
    return folder
