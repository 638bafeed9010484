"""What is handed in, and what it gets: seventy submissions through the whole path of grading, as one table.

Correct ones lose nothing, wrong ones what they should, hostile ones only what is theirs; nothing of one reaches the next.
`WHOLE_TABLE=1 pytest tests/course/test_grades.py -s` prints the table of all of them, each graded by `chatsys grade` and by
nbgrader: some ten minutes.  Without it some are left to others: what differs in its class alone is played at the judge by
the mould, and nbgrader gets two.
"""

import copy
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import psutil
import pytest
from nbgrader_course import autograded
from submissions import SUBMISSIONS

from chatsys.isolation.limits import Allowance
from chatsys.teach.classroom.jobs import grade_one
from chatsys.teach.grading.course import Course, open_course

LAB = "03-total-order"
LABS = Path(__file__).parents[2] / "labs"
SOURCE = nbformat.read(LABS / "source" / LAB / f"{LAB}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
FEW = 16
"""Hidden seeds of each exercise, instead of all."""
MOST_CPU = 20.0
"""Seconds of CPU that one submission may cost, whatever it does."""
WHOLE = bool(os.environ.get("WHOLE_TABLE"))
BY_NBGRADER = ("t2 ", "h9")
"""The beginnings of those that always go through nbgrader, too: ten seconds for each."""
BY_THE_JUDGE = ("c2 ", "c3 ", "c5 ", "c8 ", "c9 ", "c10 ", "w2 ", "w3 ", "w4 ", "w5 ", "w8 ", "w9 ")
"""The beginnings of those that differ in their class alone: the mould plays such classes at the judge."""
PLAYED = [name for name in SUBMISSIONS if WHOLE or not name.startswith(BY_THE_JUDGE)]

quota = Allowance.quota

ROWS: dict[str, list[str]] = {}


def small(course: Course) -> Course:
    """Let a course have few hidden seeds, so that seventy submissions take a minute."""
    exercises = tuple(msgspec.structs.replace(one, hidden=FEW) for one in course.lab.exercises)
    return msgspec.structs.replace(course, lab=msgspec.structs.replace(course.lab, exercises=exercises))


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("secret") / "secret"
    path.write_text("the secret of the tests, which is long enough")
    return path


@pytest.fixture(scope="module")
def course(secret: Path) -> Course:
    return small(open_course(LAB, LABS, secret))


@pytest.fixture(scope="module", autouse=True)
def table(secret: Path) -> Iterator[None]:
    before = files(*OUTSIDE)
    yield
    after = files(*OUTSIDE)
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    print_table()
    assert changed == [], "grading touched these"


def notebook(name: str) -> Any:
    made = copy.deepcopy(SOURCE)
    SUBMISSIONS[name].make(made)
    return made


OUTSIDE = [
    LABS,
    *(Path(path) for path in sys.path if path.endswith("site-packages")),
    Path.home() / ".ipython",
    Path.home() / ".jupyter",
]
"""Where a submission must change nothing: keys, packages, what IPython and Jupyter read at their start."""


def files(*places: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for place in places:
        for folder, below, names in os.walk(place):
            below[:] = [one for one in below if one != "__pycache__"]
            for name in names:
                if name.startswith(
                    "history.sqlite"
                ):  # any session of IPython writes there, and nothing is read from it
                    continue
                path = Path(folder, name)
                state = path.lstat()
                found[str(path)] = state.st_size, state.st_mtime_ns
    return found


def lost(mark: dict[str, Any]) -> set[str]:
    return {test["name"] for test in mark["tests"] if test["score"] < test["max_score"]}


def told(mark: dict[str, Any]) -> str:
    return "\n".join(
        [mark["output"], *mark["flags"], *(test["output"] for test in mark["tests"] if test["name"] in lost(mark))]
    )


@pytest.mark.parametrize("name", PLAYED)
def test_a_submission_gets_what_it_should_and_is_told_why(
    name: str, course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Allowance, "quota", lambda self: msgspec.structs.replace(quota(self), waiting=5.0))
    path = tmp_path / f"{LAB}.ipynb"
    path.write_text(json.dumps(notebook(name)))
    kin = {child.pid for child in psutil.Process().children(recursive=True)}
    package = files(Path(__file__).parents[2] / "chatsys")
    mark = grade_one(path, course, "ann")
    touched = len(files(Path(__file__).parents[2] / "chatsys").items() ^ package.items())
    expected = SUBMISSIONS[name]
    ROWS[name] = [
        f"loses {', '.join(sorted(expected.loses))}" if expected.loses else "90",
        f"{mark['score']:g}", "", f"{mark['cpu']:.1f}", f"{mark['memory'] / 1e6:.0f}", str(touched),
    ]  # fmt: skip
    assert expected.loses <= lost(mark), f"kept what it should lose:\n{told(mark)}"
    assert lost(mark) <= expected.loses | expected.may_lose, f"lost what it should keep:\n{told(mark)}"
    assert re.search(expected.says, told(mark)), told(mark)
    assert mark["cpu"] <= MOST_CPU and touched == 0
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= kin, "it left a process behind"


def test_nbgrader_gives_the_same_points(course: Course, secret: Path, tmp_path: Path) -> None:
    names = [name for name in SUBMISSIONS if WHOLE or name.startswith(BY_NBGRADER)]
    students = {f"student{number}": name for number, name in enumerate(names)}
    scores = autograded(tmp_path, LAB, {student: notebook(name) for student, name in students.items()}, secret)
    for student, name in students.items():
        path = tmp_path / "submitted" / student / LAB / f"{LAB}.ipynb"
        mark = grade_one(path, open_course(LAB, LABS, secret), student)
        ROWS.setdefault(name, ["", f"{mark['score']:g}", "", "", "", ""])[2] = f"{scores[student]:g}"
        assert scores[student] == pytest.approx(mark["score"]), name


def print_table() -> None:
    heads = ["submission", "expected", "chatsys grade", "nbgrader", "CPU s", "MB", "files touched"]
    print(f"\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for name, row in ROWS.items():
        print(f"| {name} | {' | '.join(row)} |")
