"""The nbgrader course: the source scores full marks, the release none, and the release is made from the source."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from nbgrader_course import run

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
        "--jobs", "2", "--results", "results.json", "--json", folder=folder,
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
    shutil.copytree(LABS / "keys", folder / "keys", ignore=shutil.ignore_patterns("__pycache__", "secret"))
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


def test_the_source_scores_full_marks_the_release_none_and_a_broken_notebook_stops_nothing(tmp_path: Path) -> None:
    source, release, broken = notebook("source", LAB), notebook("release", LAB), tmp_path / "broken.ipynb"
    broken.write_text("{this is no notebook")
    marks = grade(tmp_path, broken, source, release)
    assert {mark["max_score"] for mark in marks.values()} == {90}
    assert [marks[str(path)]["score"] for path in (broken, source, release)] == [0, 90, 0]
    assert marks[str(broken)]["output"].startswith("This is no notebook: it is not JSON")
    for path in (source, release):
        assert marks[str(path)]["output"] == "to be read by a person: explanation; design note: not done (0 words)"
        assert marks[str(path)]["flags"] == [] and marks[str(path)]["cpu"] < 12
    assert all(test["score"] == 0 and "not written" in test["output"] for test in marks[str(release)]["tests"][1:3])


def test_nbgrader_gives_the_points_and_tells_the_stories_of_the_command_line(course: Path) -> None:
    for student, kind in (("ann", "source"), ("bob", "release"), ("cid", "source"), ("dan", "source")):
        shutil.copytree(course / kind / LAB, course / "submitted" / student / LAB)
    paths = {name: course / "submitted" / name / LAB / f"{LAB}.ipynb" for name in ("ann", "bob", "cid", "dan")}
    page = read(paths["cid"])  # an answer doubled, a test made text: nbgrader alone stops at them
    place = next(at for at, cell in enumerate(page["cells"]) if cell["id"] == "hold-back")
    page["cells"].insert(place, page["cells"][place] | {"id": "first-half", "source": "class MyHoldBack: pass"})
    next(cell for cell in page["cells"] if cell["id"] == "check-3-2")["cell_type"] = "raw"
    paths["cid"].write_text(json.dumps(page), encoding="utf-8")
    page = read(paths["dan"])  # one message at a time
    cell = next(cell for cell in page["cells"] if cell["id"] == "hold-back")
    cell["source"] = "".join(cell["source"]).replace("while self.due in", "if self.due in")
    paths["dan"].write_text(json.dumps(page), encoding="utf-8")
    assert "was there more than once" in run("-m", "chatsys", "tidy", "submitted", folder=course)

    marks = grade(course, *paths.values())
    shutil.copy(course / "secret", course / "keys" / "secret")
    run("-m", "nbgrader", "autograde", LAB, folder=course)
    scores = json.loads(run("-c", _SCORES, LAB, folder=course))
    assert scores == {name: [marks[str(path)]["score"], 100.0] for name, path in paths.items()}
    assert [scores[name][0] for name in ("ann", "bob", "cid")] == [90, 0, 90] and 20 < scores["dan"][0] < 70
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
