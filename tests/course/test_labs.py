"""The nbgrader course: the source scores full marks, the release none, and the release is made from the source."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader_course import run
from submissions import SUBMISSIONS

from chatsys.errors import told
from chatsys.sim.world import World
from chatsys.teach.labs.lab03.stage import Message, stopped, total_order

LABS = Path(__file__).parents[2] / "labs"
NAMES = sorted(folder.name for folder in (LABS / "source").iterdir() if folder.is_dir())
LAB = "03-total-order"


def notebook(kind: str, name: str) -> Path:
    return LABS / kind / name / f"{name}.ipynb"


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def grade(folder: Path, *paths: Path) -> dict[str, Any]:
    """Grade notebooks by the command line, two at a time."""
    secret = folder / "secret"
    secret.write_text("a secret of these tests only")
    out = run(
        "-m", "chatsys", "grade", *map(str, paths), "--lab", LAB, "--course", str(LABS), "--secret", str(secret),
        "--jobs", "2", "--results", "results", "--json", folder=folder,
    )  # fmt: skip
    results = json.loads(out)
    assert json.loads((folder / "results" / "results.json").read_text(encoding="utf-8")) == results
    return {mark["path"]: mark for mark in results["submissions"].values()}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the course in which nbgrader may write."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(LABS / "nbgrader_config.py", folder)
    shutil.copytree(LABS / "source", folder / "source")
    shutil.copytree(LABS / "keys", folder / "keys", ignore=shutil.ignore_patterns("__pycache__", "secret"))
    run("-c", _GENERATE, *NAMES, folder=folder)
    return folder


_GENERATE = """
import sys
from nbgrader.apps import GenerateAssignmentApp
for name in sys.argv[1:]:
    GenerateAssignmentApp.launch_instance([name])
    GenerateAssignmentApp.clear_instance()
"""
"""`nbgrader generate_assignment`, for one lab after another: to start it takes as long as a lab does."""


@pytest.mark.parametrize("name", NAMES)
def test_the_release_is_what_nbgrader_makes_of_the_source(course: Path, name: str) -> None:
    assert read(course / "release" / name / f"{name}.ipynb") == read(notebook("release", name))


@pytest.mark.parametrize("name", NAMES)
def test_the_release_holds_no_solution_and_no_hidden_test(name: str) -> None:
    text = notebook("release", name).read_text(encoding="utf-8")
    assert "SOLUTION" not in text and "HIDDEN" not in text and "range(200" not in text


@pytest.mark.parametrize("name", NAMES)
def test_every_lab_has_the_frame_and_saves_no_output(name: str) -> None:
    cells = read(notebook("source", name))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    for part in "abcdefg":
        assert f"## ({part}) " in text
    assert "**Time:**" in text and text.count("<summary>Hint ") % 3 == 0
    assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.parametrize("name", NAMES)
def test_graded_cells_have_ids_and_the_tag(name: str) -> None:
    cells = read(notebook("source", name))["cells"]
    ids = [cell["metadata"]["nbgrader"]["grade_id"] for cell in cells if "nbgrader" in cell["metadata"]]
    assert len(ids) == len(set(ids))
    for cell in cells:
        if cell["metadata"].get("nbgrader", {}).get("grade") and cell["cell_type"] == "code":
            assert cell["metadata"]["tags"] == ["graded"] and cell["metadata"]["nbgrader"]["locked"]


def test_both_paths_give_the_same_points_and_tell_the_same_stories(course: Path) -> None:
    paths = {name: course / "submitted" / name / LAB / f"{LAB}.ipynb" for name in ("ann", "bob", "cid")}
    for student, kind in (("ann", "source"), ("bob", "release"), ("cid", "source")):
        shutil.copytree(course / kind / LAB, course / "submitted" / student / LAB)
    page = nbformat.read(paths["cid"], as_version=4)  # type: ignore[no-untyped-call]
    SUBMISSIONS["h9 more points than there are"].make(page)
    place = next(at for at, cell in enumerate(page["cells"]) if cell["id"] == "hold-back")  # nbgrader alone stops at
    page["cells"].insert(place, page["cells"][place] | {"id": "first-half", "source": "class MyHoldBack: pass"})
    next(cell for cell in page["cells"] if cell["id"] == "check-3-2")["cell_type"] = "raw"  # a double and a raw test
    cell = next(cell for cell in page["cells"] if cell["id"] == "hold-back")
    assert "while self.due in" in cell["source"]  # and it delivers one message at a time
    cell["source"] = cell["source"].replace("while self.due in", "if self.due in")
    paths["cid"].write_text(json.dumps(page), encoding="utf-8")
    assert "was there more than once" in run("-m", "chatsys", "tidy", "submitted", folder=course)

    broken = course / "broken.ipynb"
    broken.write_text("{this is no notebook")
    marks = grade(course, broken, *paths.values())
    assert {mark["max_score"] for mark in marks.values()} == {90}
    given = {name: marks[str(path)]["score"] for name, path in paths.items()}
    assert (given["ann"], given["bob"]) == (90, 0) and 20 < given["cid"] < 70
    assert marks[str(broken)]["score"] == 0
    assert marks[str(broken)]["output"].startswith("This is no notebook: it is not JSON")
    source, release = marks[str(paths["ann"])], marks[str(paths["bob"])]
    for mark in (source, release):
        assert mark["output"] == "to be read by a person: explanation; design note: not done (0 words)"
        assert mark["flags"] == [] and mark["cpu"] < 12
    assert all(test["score"] == 0 and "not written" in test["output"] for test in release["tests"][1:3])

    shutil.copy(course / "secret", course / "keys" / "secret")
    run("-m", "nbgrader", "autograde", LAB, folder=course)
    assert json.loads(run("-c", _SCORES, LAB, folder=course)) == {name: [score, 100.0] for name, score in given.items()}
    for name, path in paths.items():
        shown = {
            cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["outputs"][0]["text"]).strip()
            for cell in read(course / "autograded" / name / LAB / f"{LAB}.ipynb")["cells"]
            if cell["cell_type"] == "code" and cell["outputs"]
        }
        assert shown == {test["name"]: test["output"] for test in marks[str(path)]["tests"]}


_SCORES = """
import json, sys
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    scores = {s.student.id: [s.score, s.max_score] for s in book.assignment_submissions(sys.argv[1])}
print(json.dumps(scores))
"""


def test_a_queue_that_is_not_written_yet_is_told_as_what_it_is() -> None:
    class Unwritten:
        def receive(self, number: int, message: Message) -> list[Message]:
            raise NotImplementedError

    world = World(1, actor=total_order(Unwritten))
    world.say("hello", 1)
    world.run(1)
    assert stopped(world)
    for sentence in stopped(world):
        assert re.fullmatch(
            r"node \d stopped: your class raised NotImplementedError \(test_labs.py, line \d+\)", sentence
        )


def test_an_error_of_a_cell_is_told_without_the_name_that_a_notebook_gives_its_cells() -> None:
    code = compile("1 / 0", "/tmp/ipykernel_17/2774985643.py", "exec")
    with pytest.raises(ZeroDivisionError) as caught:
        exec(code)
    assert told(caught.value) == "ZeroDivisionError: division by zero (in your cell, line 1)"
