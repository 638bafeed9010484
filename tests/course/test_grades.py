"""What is handed in, and what it gets: seventy submissions through the whole path of grading, as one table.

Correct ones lose nothing, wrong ones what they should, hostile ones only what is theirs; nothing of one reaches the next.
`WHOLE_TABLE=1 pytest tests/course/test_grades.py -s` prints the table of all of them, each graded by `chatsys grade` and by
nbgrader: a quarter of an hour.  Without it one of each kind is played, with shorter times for what never ends.  What
differs in its class alone is played at the judge by the mould; what a class or a cell may not do or reach is tried one by
one in `real/test_confinement`, `real/test_remote_hostile` and `real/test_taking`, a page that was tidied wrongly in
`test_grading_notebooks`, one that claims more points than there are in `test_labs`.
"""

import copy
import json
import os
import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import psutil
import pytest
from nbgrader_course import autograded, run
from submissions import SUBMISSIONS

from chatsys.isolation import fork_server
from chatsys.isolation.budget import WHOLE as MOST_CPU
from chatsys.isolation.budget import Allowance
from chatsys.teach.classroom.jobs import grade_one
from chatsys.teach.grading import taking
from chatsys.teach.grading.course import Course, open_course
from chatsys.teach.grading.taking import CellLimits

LAB = "03-total-order"
LABS = Path(__file__).parents[2] / "labs"
SOURCE = nbformat.read(LABS / "source" / LAB / f"{LAB}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
FEW = 16
"""Hidden seeds of each exercise, instead of all."""
WHOLE = bool(os.environ.get("WHOLE_TABLE"))
ALWAYS = """
c4 c6 w10 w11 t6 h1 h2 h5 h7b h8 h10 h11b h12 h19 h21 k1 p1
""".split()
"""How those begin that every run of the tests plays: one of each kind at least."""
PLAYED = [name for name in SUBMISSIONS if WHOLE or name.split()[0] in ALWAYS]

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
    shorter: dict[str, float] = {"waiting": 5.0} if WHOLE else {"waiting": 5.0, "operation": 1.5}
    monkeypatch.setattr(Allowance, "quota", lambda self: msgspec.structs.replace(quota(self), **shorter))
    if not WHOLE:
        monkeypatch.setattr(taking, "CellLimits", partial(CellLimits, cell=2.5))
    path = tmp_path / f"{LAB}.ipynb"
    path.write_text(json.dumps(notebook(name)))
    fork_server.running()  # of which its processes are copies; it stays
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


if WHOLE:  # `test_labs` sends a few through nbgrader in every run

    def test_nbgrader_gives_the_same_points(secret: Path, tmp_path: Path) -> None:
        students = {f"student{number}": name for number, name in enumerate(SUBMISSIONS)}
        scores = autograded(tmp_path, LAB, {student: notebook(name) for student, name in students.items()}, secret)
        paths = {student: tmp_path / "submitted" / student / LAB / f"{LAB}.ipynb" for student in students}
        out = run(
            "-m", "chatsys", "grade", *map(str, paths.values()), "--lab", LAB, "--course", str(LABS),
            "--secret", str(secret), "--jobs", "2", "--json", folder=tmp_path,
        )  # fmt: skip
        marks = {mark["path"]: mark for mark in json.loads(out)["submissions"].values()}
        for student, name in students.items():
            score = marks[student]["score"]
            ROWS.setdefault(name, ["", f"{score:g}", "", "", "", ""])[2] = f"{scores[student]:g}"
        steady = {one: name for one, name in students.items() if name != "h15 wrong by the clock"}
        unequal = {name: scores[one] - marks[one]["score"] for one, name in steady.items()}
        assert {name: more for name, more in unequal.items() if more} == {}


def print_table() -> None:
    heads = ["submission", "expected", "chatsys grade", "nbgrader", "CPU s", "MB", "files touched"]
    print(f"\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for name, row in ROWS.items():
        print(f"| {name} | {' | '.join(row)} |")
