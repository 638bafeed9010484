"""All labs in one table, played and graded anew, and all sentences that a wrong answer is told, in one file.

    python tests/support/labs_table.py                     each lab: answers, mistakes, null answers, seconds, searches
    python tests/support/labs_table.py 04 05               these labs only
    python tests/support/labs_table.py --notebooks         and what source and release get, by chatsys and by nbgrader
    python tests/support/labs_table.py --sentences FILE    and every sentence of every mistake, to be read as prose

Seconds are those of one run on this machine, as a student or a batch waits for them; the load stands below the table.
The code is 1 where a lab is not as it says of itself: a right answer that loses, a mistake that loses something else,
a null answer with more than a tenth, a source without full points, a release with any.
"""

import argparse
import json
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nbgrader_course import autograded
from null_answers import NULLS

from chatsys.explore.explorer import Budget, Explorer, Result
from chatsys.teach.classroom.jobs import Job, Setting, grade_each
from chatsys.teach.grading import searching
from chatsys.teach.grading.grader import find_lab, known_labs
from chatsys.teach.grading.judging import judge
from chatsys.teach.grading.keys import Keys, read_keys
from chatsys.teach.grading.lab import Exercise, Kind, Lab, PartResult
from chatsys.teach.grading.seeds import hidden_seeds

COURSE = Path(__file__).parents[2] / "labs"
SECRET = secrets.token_hex(16).encode()  # what is read from a file loses white space at its ends
FAR = 10_000
"""So many states are searched of an answer that is not right."""
LONGEST = 200
"""Letters that a sentence of a mistake may have."""


class Row(msgspec.Struct):
    """What is found of one lab."""

    lab: str
    right: int = 0
    mistakes: int = 0
    null: float = 0.0
    """The share of all points that the best null answer gets."""
    public: float = 0.0
    """Seconds of the slowest exercise's public part."""
    hidden: float = 0.0
    """Seconds of all other parts of all exercises together, with all hidden seeds."""
    searches: dict[str, str] = msgspec.field(default_factory=dict)
    """What each search said, and for the reference how long it took."""
    points: dict[str, float] = msgspec.field(default_factory=dict)
    wrong: list[str] = msgspec.field(default_factory=list)
    sentences: list[str] = msgspec.field(default_factory=list)

    def __str__(self) -> str:
        notebooks = " | ".join(f"{self.points[which]:g}" if which in self.points else "-" for which in PATHS)
        searches = ", ".join(f"{one}{took}" for one, took in sorted(self.searches.items())) or "-"
        return (
            f"| {self.lab} | {notebooks} | {self.right} | {self.mistakes} | {self.null:.0%} "
            f"| {self.public:.1f} | {self.hidden:.1f} | {searches} |"
        )


PATHS = ("source, chatsys", "source, nbgrader", "release, chatsys", "release, nbgrader")
HEAD = (
    f"| lab | {' | '.join(PATHS)} | right answers | mistakes as declared | best null answer | public, s | hidden, s | search |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)  # fmt: skip


class ShortSearch(Explorer):
    """Searches no further than `FAR`: what is wrong is met before that, or by no search."""

    def search(self, budget: Budget | None = None, **how: Any) -> Result:
        budget = budget or Budget()
        return super().search(msgspec.structs.replace(budget, states=min(budget.states, FAR)), **how)


@contextmanager
def short_searches() -> Iterator[None]:
    """Search only so far while this is open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searching, "Explorer", ShortSearch)
        yield


def seeds_of(lab: Lab, few: int | None = None) -> Any:
    """Return which seeds an exercise's part is played with; `few` bounds how many."""

    def seeds(exercise: Exercise, kind: Kind) -> Any:
        if kind == "public":
            return range(exercise.public)
        return hidden_seeds(SECRET, lab.name, exercise.number, "ann", min(few or exercise.hidden, exercise.hidden))

    return seeds


def play_right(row: Row, lab: Lab, exercise: Exercise, keys: Keys) -> None:
    """Play the right answers; the reference with all its hidden seeds, by the clock."""
    for name, answer in keys.answers[exercise.number].items():
        outcomes: list[PartResult] = []
        for part in exercise.parts:
            begun = time.monotonic()
            few = None if name == "reference" else 12
            outcomes += judge(exercise, answer, seeds_of(lab, few), keys, [part.kind])
            if part.kind == "search":
                took = f" in {time.monotonic() - begun:.1f} s" if name == "reference" else ""
                row.searches.setdefault(f"{exercise.number} {outcomes[-1].verdict}", took)
            if name == "reference" and part.kind == "public":
                row.public = max(row.public, time.monotonic() - begun)
            elif name == "reference":
                row.hidden += time.monotonic() - begun
        lost = [one.sentence for one in outcomes if one.lost]
        row.wrong += [f"{exercise.number}, right answer {name}: {sentence}" for sentence in lost]
        row.right += not lost


def play_wrong(row: Row, lab: Lab, exercise: Exercise, keys: Keys) -> None:
    """Play mistakes and null answers."""
    with short_searches():
        for name, mistake in keys.mistakes[exercise.number].items():
            declared = {kind: set(aspects) for kind, aspects in mistake.loses.items()}
            for few in (12, None):  # what a student loses is what all hidden seeds find
                outcomes = judge(exercise, mistake.cls, seeds_of(lab, few), keys)
                lost = {one.kind: set(one.lost) for one in outcomes if one.lost}
                if lost == declared:
                    break
            told = [finding.sentence for one in outcomes for finding in one.findings]
            row.mistakes += lost == declared
            row.wrong += [f"{exercise.number}, {name}: loses {lost}, declared {declared}"] if lost != declared else []
            row.wrong += [f"{exercise.number}, {name}: {len(one)} letters: {one}" for one in told if len(one) > LONGEST]
            title = f"## {exercise.number} {name}\n{(mistake.cls.__doc__ or '').strip()}\n"
            row.sentences += [title, *(f"- {one}" for one in dict.fromkeys(told)), ""]
        for null in NULLS.values():
            outcomes = judge(exercise, null(exercise), seeds_of(lab, 12), keys)
            row.null = max(row.null, sum(one.points for one in outcomes) / sum(one.possible for one in outcomes))
    row.wrong += [f"{exercise.number}: a null answer gets {row.null:.0%}"] if row.null > 0.1 else []


def grade_notebooks(row: Row, lab: Lab) -> None:
    """Grade what an instructor has and what students get, on both paths."""
    pages = {which: COURSE / which / lab.name / f"{lab.name}.ipynb" for which in ("source", "release")}
    with tempfile.TemporaryDirectory() as place:
        secret = Path(place) / "secret"
        secret.write_bytes(SECRET)
        setting = Setting(lab=lab.name, course=str(COURSE), secret=str(secret))
        jobs = [Job(key=which, path=str(path), student=which) for which, path in pages.items()]
        marks = dict(grade_each(jobs, setting))
        folder = Path(place) / "course"
        folder.mkdir()
        read = {which: json.loads(path.read_text(encoding="utf-8")) for which, path in pages.items()}
        scores = autograded(folder, lab.name, read, secret)
    for which in pages:
        row.points |= {f"{which}, chatsys": marks[which]["score"], f"{which}, nbgrader": scores[which]}
    full = marks["source"]["max_score"]
    wanted = dict(zip(PATHS, (full, full, 0, 0), strict=True))
    row.wrong += [f"{where}: {row.points[where]:g} points, not {points:g}" for where, points in wanted.items()
                  if row.points[where] != points]  # fmt: skip


def main() -> int:
    """Fill the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labs", nargs="*", help="the numbers of the labs; all where none is given")
    parser.add_argument("--notebooks", action="store_true", help="grade source and release on both paths, too")
    parser.add_argument("--sentences", type=Path, metavar="FILE", help="write every mistake's sentences here")
    options = parser.parse_args()
    if unknown := [number for number in options.labs if not re.fullmatch(r"\d\d", number) or find_lab(number) is None]:
        print(f"There is no lab {unknown[0]!r}; write some of {', '.join(known_labs())}.", file=sys.stderr)
        return 2
    print(HEAD)
    rows = []
    for number in options.labs or known_labs():
        lab = find_lab(number)
        assert lab is not None
        keys, row = read_keys(COURSE, lab), Row(lab.name)
        for exercise in lab.exercises:
            play_right(row, lab, exercise, keys)
            play_wrong(row, lab, exercise, keys)
        if options.notebooks:
            grade_notebooks(row, lab)
        rows.append(row)
        print(row, flush=True)
    wrong = [f"{row.lab}: {one}" for row in rows for one in row.wrong]
    print(f"\nload {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", *wrong, sep="\n")
    if options.sentences:
        lines = [line for row in rows for line in (f"# {row.lab}\n", *row.sentences)]
        options.sentences.write_text("\n".join(lines), encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
