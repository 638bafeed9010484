"""A lab changes in mid-term: a notebook is graded by the version that it was made from, or told why not, and nothing is lost in silence."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from toy_lab import LAB, RIGHT, cells, notebook

from chatsys.errors import UsageError
from chatsys.teach.classroom.cluster import packed
from chatsys.teach.classroom.gradebooks import as_csv
from chatsys.teach.classroom.gradescope import as_gradescope
from chatsys.teach.classroom.jobs import Setting
from chatsys.teach.classroom.regrading import of_versions
from chatsys.teach.classroom.results import ClassResults, StudentResult
from chatsys.teach.grading.course import Course
from chatsys.teach.grading.keys import Keys
from chatsys.teach.grading.lab import GradedPart, Lab
from chatsys.teach.grading.marking import Mark, mark_notebook
from chatsys.teach.grading.reading import Source
from chatsys.teach.grading.versions import check_kept, keep, read_kept

FIRST = LAB.exercises[0]
SECOND = replace(
    FIRST, title="Twice", writes="MyTwice", aspects={"right": 2, "quick": 1},
    parts=(
        GradedPart(kind="public", cell="check-98-1", points=6), FIRST.parts[1],
        GradedPart(kind="budget", cell="budget-98-1", points=5, aspects={"quick": 1}),
    ),
)  # fmt: skip
CHANGED = replace(LAB, version=2, exercises=(SECOND, replace(SECOND, number="98.2", parts=())))


def page(version: int, answer: str = RIGHT) -> dict[str, Any]:
    """Return the notebook of this version with an answer in it."""
    found = cells()
    next(one for one in found if one.get("id") == "double")["source"] = answer
    if version == 2:
        extra = json.loads(json.dumps(next(one for one in found if one.get("id") == "check-98-1")))
        extra["id"] = extra["metadata"]["nbgrader"]["grade_id"] = "budget-98-1"
        found.append(extra)
    made = notebook(found)
    made["metadata"]["chatsys"] = {"lab": LAB.name, "version": version}
    return made


def laid(path: Path, made: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made), encoding="utf-8")
    return path


@pytest.fixture
def labs(tmp_path: Path) -> Path:
    """Return the folder of a course that handed out version 1."""
    keep(tmp_path, LAB, laid(tmp_path / "release" / LAB.name / f"{LAB.name}.ipynb", page(1)))
    return tmp_path


def course(labs: Path, lab: Lab = CHANGED) -> Course:
    """Return the course in mid-term."""
    source = Source(laid(labs / "source" / LAB.name / f"{LAB.name}.ipynb", page(2)))
    kept = read_kept(labs, lab)
    return Course(lab=lab, source=source, keys=Keys(), secret=b"0123456789abcdef", version="toy", kept=kept)


def points(mark: Mark) -> dict[str, tuple[float, float]]:
    return {test["name"]: (test["score"], test["max_score"]) for test in mark["tests"]}


TWICE = RIGHT.replace("MyDouble", "MyTwice")


def test_a_notebook_of_each_version_is_graded_by_that_version(labs: Path) -> None:
    now = course(labs)
    old, new = mark_notebook(page(1), [], now, "ann"), mark_notebook(page(2, TWICE), [], now, "bob")
    assert points(old) == {"predictions-test": (2, 2), "check-98-1": (4, 4), "hidden-98-1": (6, 6)}
    assert (old["score"], old["max_score"], old["max_today"]) == (12, 12, 19)
    assert (new["score"], new["max_score"]) == (19, 19) and "max_today" not in new
    assert (old["versions"]["page"], old["versions"]["by"], new["versions"]["by"]) == ("1", "1", "2")
    assert old["versions"]["seeds"] == now.versions("ann")["seeds"]  # a mark that hangs on the same is kept
    for told in (
        "version 1 of the lab's page, and it was graded by that version", "check-98-1 has 6 points, not 4",
        "budget-98-1 (5 points) is new", "98.1 asks for MyTwice, not MyDouble", "98.1 is called 'Twice', not 'Double'",
    ):  # fmt: skip
        assert told in old["output"]
    assert "put back" not in old["output"] and "version" not in new["output"]


def test_what_today_no_judge_tries_is_told_with_the_cells_that_differ(labs: Path) -> None:
    other = replace(SECOND, aspects={"quick": 1}, parts=(replace(SECOND.parts[0], aspects={}), *SECOND.parts[1:]))
    mark = mark_notebook(page(1), [], course(labs, replace(CHANGED, exercises=(other,))), "ann")
    assert mark["versions"]["by"] == "2" and mark["max_score"] == 19
    assert "graded by version 2" in mark["output"]
    assert "cannot be graded by version 1 any more: nothing tries the aspect right of 98.1" in mark["output"]
    said = {test["name"]: test["output"] for test in mark["tests"]}
    assert "version 1 of the page, which has 4 points here" in said["check-98-1"]
    assert "version 1 of the page, which has no such cell here" in said["budget-98-1"]
    assert said["hidden-98-1"].endswith("(Your notebook is version 1 of the page; version 2 graded it.)")
    assert "Your notebook" not in said["predictions-test"]


def test_a_version_that_is_not_kept_and_a_notebook_without_one_are_told(labs: Path) -> None:
    nothing = replace(course(labs), kept={})
    mark = mark_notebook(page(1), [], nothing, "ann")
    assert "graded by version 2" in mark["output"] and "version 1 asked for is not kept" in mark["output"]
    silent = page(2, TWICE)
    del silent["metadata"]["chatsys"]
    assert "does not say which version" in mark_notebook(silent, [], course(labs), "ann")["output"]


def test_a_gradebook_with_one_number_of_points_a_cell_takes_only_a_version_that_has_the_same(labs: Path) -> None:
    mark = mark_notebook(page(1), [], course(labs), "ann", one_maximum=True)
    assert mark["versions"]["by"] == "2" and "one number of points for each cell" in mark["output"]
    renamed = replace(LAB, version=2, exercises=(replace(FIRST, writes="MyTwice"),))
    mark = mark_notebook(page(1), [], course(labs, renamed), "ann", one_maximum=True)
    assert mark["versions"]["by"] == "1" and mark["score"] == 12


def test_a_lab_that_changed_under_its_old_number_is_not_handed_out(labs: Path) -> None:
    released = labs / "release" / LAB.name / f"{LAB.name}.ipynb"
    check_kept(labs, LAB, released)
    check_kept(labs, CHANGED, released)
    with pytest.raises(UsageError, match=r"as version 1 already.*check-98-1 has 6 points, not 4.*Count version up"):
        check_kept(labs, replace(CHANGED, version=1), released)
    setup = page(1)
    next(one for one in setup["cells"] if one.get("id") == "setup")["source"] = "FACTOR = 3"
    with pytest.raises(UsageError, match="cell setup has other code"):
        check_kept(labs, LAB, laid(released, setup))


def test_a_broken_version_is_told_before_the_work(labs: Path) -> None:
    (labs / "versions" / LAB.name / "1" / "lab.json").write_text("{}")
    with pytest.raises(UsageError, match=r"lab\.json cannot be read .*remove its folder"):
        course(labs)


def test_the_workers_of_a_cluster_get_the_kept_versions(labs: Path) -> None:
    files = packed(Setting(lab=LAB.name, course=str(labs), public=True), course(labs)).files
    assert {f"versions/{LAB.name}/1/{name}" for name in ("lab.json", f"{LAB.name}.ipynb")} <= files.keys()


def test_the_class_is_told_how_many_had_which_version_and_one_maximum_takes_shares() -> None:
    def result(student: str, version: str, **more: Any) -> StudentResult:
        return StudentResult(student=student, versions={"page": version, "by": version}, **more)

    every = [result("ann", "1", score=6, max_score=12, max_today=19.0), result("bob", "2", score=19, max_score=19)]
    told = list(of_versions(every, 2))
    assert told[0] == "1 of version 1 of the lab's page, graded by version 1, whose points are 12 (ann)."
    assert told[1].startswith("1 of version 2") and told[2].startswith("1 marks are of a version") and len(told) == 3
    assert list(of_versions(every[1:], 2)) == []
    results = ClassResults(lab=LAB.name, layout="canvas", submissions={one.student: one for one in every})
    rows = [line.split(",") for line in as_csv(results).splitlines()]
    assert [row[-1] for row in rows[1:]] == ["19", "9.5", "19"]
    results.layout = "plain"
    assert ",6,12," in as_csv(results) and ",19,19," in as_csv(results)
    form = as_gradescope(every[0])
    assert form["score"] == 9.5 and "6 of 12 points count here as 9.5 of 19." in form["output"]
    assert as_gradescope(every[1])["score"] == 19
