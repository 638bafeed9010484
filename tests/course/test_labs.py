"""The nbgrader course: the source scores full marks, the release none, and the release is made from the source."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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


def run(*command: str, folder: Path) -> str:
    """Run a command of the venv in `folder`; return its output, fail with it if it fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    private = {
        name: str(folder / ".jupyter") for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *command], cwd=folder, env=os.environ | private | {"PATH": path},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def grade(folder: Path, *paths: Path) -> dict[str, Any]:
    (folder / "secret").write_text("a secret for tests only")
    out = run(
        "-m", "chatsys", "grade", *map(str, paths), "--lab", LAB, "--secret", "secret", "--results", "results.json", "--json",
        folder=folder,
    )  # fmt: skip
    marks: dict[str, Any] = json.loads(out)
    told = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert told == (marks[str(paths[0])] if len(paths) == 1 else {"submissions": marks})
    return marks


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the course in which nbgrader may write."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(LABS / "nbgrader_config.py", folder)
    shutil.copytree(LABS / "source", folder / "source")
    shutil.copytree(LABS / "keys", folder / "keys")
    (folder / "keys" / "secret").write_text("a secret for tests only")
    for name in NAMES:
        run("-m", "nbgrader", "generate_assignment", name, folder=folder)
    return folder


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
    assert "**Time:**" in text and text.count("<details>") % 3 == 0
    assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.parametrize("name", NAMES)
def test_graded_cells_have_ids_and_the_tag(name: str) -> None:
    cells = read(notebook("source", name))["cells"]
    ids = [cell["metadata"]["nbgrader"]["grade_id"] for cell in cells if "nbgrader" in cell["metadata"]]
    assert len(ids) == len(set(ids))
    for cell in cells:
        if cell["metadata"].get("nbgrader", {}).get("grade") and cell["cell_type"] == "code":
            assert cell["metadata"]["tags"] == ["graded"] and cell["metadata"]["nbgrader"]["locked"]


def test_the_source_scores_full_marks_and_a_broken_notebook_before_it_stops_nothing(tmp_path: Path) -> None:
    source, broken = notebook("source", LAB), tmp_path / "broken.ipynb"
    broken.write_text("{this is no notebook")
    marks = grade(tmp_path, broken, source)
    assert (marks[str(source)]["score"], marks[str(source)]["max_score"]) == (90, 90)
    assert "to be read by a person: explanation" in marks[str(source)]["output"]
    assert (marks[str(broken)]["score"], marks[str(broken)]["max_score"]) == (0, 90)


def test_tampered_tests_are_put_back_and_moved_cells_are_found(tmp_path: Path) -> None:
    handed_in = read(notebook("release", LAB))
    for cell in handed_in["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("locked"):
            cell["source"] = ["5\n"]
        if cell["id"] == "predictions":
            cell["source"] = ['predict("3a", 4); predict("3b", 1.0); predict("3c", 1); predict("3d", "no")\n']
    handed_in["cells"].insert(0, {"cell_type": "markdown", "id": "mine", "metadata": {}, "source": ["my notes"]})
    handed_in["cells"] = [cell for cell in handed_in["cells"] if cell["id"] != "hidden-3-2"]
    path = tmp_path / "ann.ipynb"
    path.write_text(json.dumps(handed_in), encoding="utf-8")
    mark = grade(tmp_path, path)[str(path)]
    scores = {test["name"]: test["score"] for test in mark["tests"]}
    assert scores.pop("predictions-test") == 5
    assert "hidden-3-2" in scores and not any(scores.values())


def test_nbgrader_itself_gives_the_source_full_marks_and_the_release_none(course: Path) -> None:
    for student, kind in (("ann", "source"), ("bob", "release")):
        shutil.copytree(course / kind / LAB, course / "submitted" / student / LAB)
    run("-m", "nbgrader", "autograde", LAB, folder=course)
    told = run("-c", _SCORES, LAB, folder=course)
    assert json.loads(told) == {"ann": [90.0, 100.0], "bob": [0.0, 100.0]}


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
