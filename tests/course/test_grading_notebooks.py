"""Whole notebooks become marks: cells are found by their names, play and graded cells never run, nobody stops the rest."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from toy_lab import PREDICTED, RIGHT, Cell, cells, code, course, notebook, tagged, text, written

from chatsys.errors import UsageError
from chatsys.teach.classroom import jobs
from chatsys.teach.classroom.handed import student_of
from chatsys.teach.classroom.jobs import grade_one
from chatsys.teach.copies import shape
from chatsys.teach.grading import marking
from chatsys.teach.grading.course import Course, open_course
from chatsys.teach.grading.marking import Mark
from chatsys.teach.grading.reading import Source, Unreadable, text_of
from chatsys.teach.grading.submission import read
from chatsys.teach.grading.taking import NotebookAnswers
from chatsys.teach.grading.tidying import tidy, tidy_folder

FULL = {"predictions-test": 2, "check-98-1": 4, "hidden-98-1": 6}


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return course(tmp_path_factory.mktemp("course"))


def at(found: list[Cell], name: str) -> int:
    return next(i for i, one in enumerate(found) if one["metadata"].get("nbgrader", {}).get("grade_id") == name)


def scores(mark: Mark) -> dict[str, float]:
    return {test["name"]: test["score"] for test in mark["tests"]}


def graded(toy: Course, folder: Path, found: list[Cell]) -> Mark:
    return grade_one(written(folder / "ann.ipynb", found), toy, "ann")


# --- what a mark says -------------------------------------------------------------------------------


def test_the_source_has_all_points_and_no_play_or_graded_cell_is_run(toy: Course, tmp_path: Path) -> None:
    mark = graded(toy, tmp_path, cells())
    assert scores(mark) == FULL and (mark["score"], mark["max_score"]) == (12, 12)
    assert mark["output"] == "to be read by a person: explanation; design note: not done (0 words)"
    assert mark["predictions"] == {"kept": {"98a": 4, "98b": "so"}, "first": {}}
    assert mark["flags"] == [] and mark["cpu"] < 3 and len(mark["secret"]) == 8
    assert {test["name"]: test["visibility"] for test in mark["tests"]}["hidden-98-1"] == "after_due_date"


@pytest.mark.parametrize("known", ({}, {"double": "cell double raised NameError"}))
def test_what_a_machine_had_no_time_for_costs_no_points_and_is_for_a_person(
    known: dict[str, str], toy: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = NotebookAnswers(undecided="this machine had no time for its cells", cells=known)
    monkeypatch.setattr(marking, "take", lambda cells, wanted: none)
    mark = graded(toy, tmp_path, cells())
    lost = {"check-98-1": 0, "hidden-98-1": 0} if known else {}
    assert scores(mark) == FULL | lost
    assert [flag for flag in mark["flags"] if "Nobody can tell what this is worth" in flag] or known
    assert {test["verdict"] for test in mark["tests"]} == {"inconclusive"} | ({"fail"} if known else set())


def test_a_mark_can_be_written_as_json_and_read_by_people(toy: Course, tmp_path: Path) -> None:
    mark = graded(
        toy, tmp_path, [*cells()[:5], code(RIGHT.replace("FACTOR", "3"), "double", solution=True), *cells()[6:]]
    )
    assert json.loads(json.dumps(mark)) == mark
    assert scores(mark) == {"predictions-test": 2, "check-98-1": 0, "hidden-98-1": 0}
    first, *lines = str(mark).splitlines()
    assert first.startswith("2 of 12 points; to be read")
    assert lines[1] == "    check-98-1: 0 of 4   98.1  not yet (0 of 4 points).  double(1) returned 3, not 2."


def test_a_mark_stays_short_however_many_cells_go_wrong_and_no_cell_can_forge_a_line_of_it(
    toy: Course, tmp_path: Path
) -> None:
    wrong = [code(f"raise ValueError('{n}\\n100 of 12 points\\x1b[2J')") for n in range(40)]
    foreign = [code("1", f"other-{n}\n", solution=True) for n in range(40)]
    mark = graded(toy, tmp_path, [*cells(), *wrong, *foreign])
    assert mark["score"] == 12 and len(mark["output"]) < 5000
    assert "20 more remarks" in mark["output"] and "and 28 more are none of this lab's" in mark["output"]
    assert "\n" not in mark["output"] and "\x1b" not in mark["output"]


def test_the_first_answers_are_those_of_the_outputs_that_were_handed_in(toy: Course, tmp_path: Path) -> None:
    found = cells()
    printed = {
        "output_type": "stream",
        "name": "stdout",
        "text": ["98a kept: 7 messages\n", "98b kept: no\n", "98a kept: 9\n"],
    }
    found[at(found, "predictions")]["outputs"] = [printed]
    assert graded(toy, tmp_path, found)["predictions"]["first"] == {"98a": "7 messages", "98b": "no"}


def test_who_marks_an_explanation_sees_what_the_cell_above_had_printed(toy: Course, tmp_path: Path) -> None:
    found = cells()
    numbers = code("print('made anew')") | {
        "outputs": [{"output_type": "stream", "text": ["waited 0.7 s\n", 5]}, 7, {"text": {}}]
    }
    found.insert(at(found, "explanation"), numbers)
    assert graded(toy, tmp_path, found)["printed"] == {"explanation": "waited 0.7 s\n5"}


@pytest.mark.parametrize(
    ("kept", "points", "missing"),
    [({"98a": 4}, 1, "98b"), ({"98a": "four", "98b": "so"}, 1, "98a"), ({"98a": True}, 0, "98a and 98b")],
)
def test_predictions_count_for_being_there_and_of_the_right_kind(
    toy: Course, tmp_path: Path, kept: dict[str, Any], points: float, missing: str
) -> None:
    found = cells()
    found[at(found, "predictions")]["source"] = (
        f"from chatsys.teach.grading import predictions as p\np.kept.update({kept!r})"
    )
    test = graded(toy, tmp_path, found)["tests"][0]
    assert test["score"] == points and test["output"].endswith(f"There is no answer to {missing}.")


def test_an_answer_that_is_not_there_is_told_by_what_became_of_its_cell(toy: Course, tmp_path: Path) -> None:
    for source, says in {
        "class MyDouble\n    pass": "Cell double raised SyntaxError: expected ':' (in your cell, line 1).",
        "raise NotImplementedError": "Cell double is not written yet.",
        "import os\nos._exit(0)": "Cell double ended the process in which it ran (code 0); it was left out.",
    }.items():
        found = cells()
        found[at(found, "double")]["source"] = source
        mark = graded(toy, tmp_path, found)
        assert scores(mark) == {"predictions-test": 2, "check-98-1": 0, "hidden-98-1": 0}
        assert mark["tests"][1]["output"] == f"98.1  not yet (0 of 4 points).  {says}"


# --- odd notebooks ----------------------------------------------------------------------------------

Change = Callable[[list[Cell]], Any]
ODD: dict[str, tuple[Change, str]] = {}


def odd(says: str) -> Callable[[Change], Change]:
    def keep(change: Change) -> Change:
        ODD[change.__name__] = change, says
        return change

    return keep


@odd("cell check-98-1 was there more than once; the last one counts, and the others were not run")
def a_copy_of_a_test_at_the_top(found: list[Cell]) -> None:
    found.insert(0, copy.deepcopy(found[at(found, "check-98-1")]))


@odd("cell double was there more than once; all of them were run, and the last one counts")
def the_copy_below_is_the_good_one(found: list[Cell]) -> None:
    place = at(found, "double")
    found.insert(place + 1, copy.deepcopy(found[place]))
    found[place]["source"] = "class MyDouble:\n    pass"


@odd("cell double was there more than once; all of them were run, and the last one counts")
def an_answer_split_in_two(found: list[Cell]) -> None:
    place = at(found, "double")
    found.insert(place, copy.deepcopy(found[place]))
    found[place]["source"] = "TWICE = 2"
    found[place + 1]["source"] = RIGHT.replace("FACTOR", "TWICE")


@odd("cell check-98-1 had become text or raw and is code again")
def a_test_made_text(found: list[Cell]) -> None:
    cell = found[at(found, "check-98-1")]
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]


@odd("cell double had become text or raw and is code again")
def an_answer_made_raw(found: list[Cell]) -> None:
    found[at(found, "double")]["cell_type"] = "raw"


@odd("")
def an_answer_without_outputs(found: list[Cell]) -> None:
    del found[at(found, "double")]["outputs"]


@odd(
    "the cells hidden-98-1 and setup stood in another place than in the lab's notebook; cells are found by their names"
)
def cells_moved(found: list[Cell]) -> None:
    found.append(found.pop(at(found, "setup")))
    found.insert(0, found.pop(at(found, "hidden-98-1")))


@odd("cell hidden-98-1 was missing and was put in again; cell explanation was missing and was put in again, empty")
def cells_deleted(found: list[Cell]) -> None:
    del found[at(found, "hidden-98-1") :]


@odd("the cells setup and check-98-1 had been changed and were put back")
def locked_cells_changed(found: list[Cell]) -> None:
    found[at(found, "setup")]["source"] = "FACTOR = 3"
    found[at(found, "check-98-1")]["source"] = "5"
    found[at(found, "check-98-1")]["metadata"]["nbgrader"]["points"] = 500


@odd("cell other-lab is none of this lab's and counts as the student's own")
def a_cell_of_another_lab(found: list[Cell]) -> None:
    found.insert(2, code("x = 1", "other-lab", solution=True))


@odd("cell number 2 is damaged and was left out; cell number 3 is damaged and was left out")
def damaged_cells(found: list[Cell]) -> None:
    found.insert(1, {"cell_type": "code"})
    found.insert(2, ["no cell"])  # type: ignore[arg-type]


@odd("")
def broken_metadata(found: list[Cell]) -> None:
    found.insert(1, code("y = 1") | {"metadata": None})
    found.insert(1, code("y = 1") | {"metadata": {"nbgrader": [1], "tags": 5}})
    found.insert(1, code("y = '\ud800'") | {"outputs": [None, {"text": 5}, {"text": ["98a", 3]}]})


@odd("")
def metadata_dropped_by_an_editor(found: list[Cell]) -> None:
    for cell in found[:8]:
        cell["metadata"] = {}


@odd("cell number 3 raised NameError")
def own_cells_that_fail_and_play(found: list[Cell]) -> None:
    found.insert(2, code("unknown"))
    found.append(tagged(code("del MyDouble"), "play"))


@odd("")
def every_value_shown_and_stderr(found: list[Cell]) -> None:
    found.insert(
        0, code("%config InteractiveShell.ast_node_interactivity = 'all'\nimport sys\nprint(1, file=sys.stderr)")
    )


@pytest.mark.parametrize("name", ODD)
def test_a_notebook_that_met_an_accident_loses_nothing_and_it_is_told(toy: Course, tmp_path: Path, name: str) -> None:
    change, says = ODD[name]
    found = cells()
    change(found)
    mark = graded(toy, tmp_path, found)
    assert scores(mark) == FULL, mark["output"]
    assert says in mark["output"]


def test_a_byte_order_mark_and_an_old_format_cost_nothing(toy: Course, tmp_path: Path) -> None:
    path = tmp_path / "ann.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(notebook(cells())).encode())
    mark = grade_one(path, toy, "ann")
    assert scores(mark) == FULL and "byte order mark" in mark["output"]
    old = [{"cell_type": "markdown", "metadata": one["metadata"], "source": one["source"]} if one["cell_type"] == "markdown"
           else {"cell_type": "code", "metadata": one["metadata"], "input": one["source"], "outputs": [], "language": "python"}
           for one in cells()]  # fmt: skip
    path.write_text(json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": old}]}))
    mark = grade_one(path, toy, "ann")
    assert scores(mark) == FULL and "old format" in mark["output"]


NONE = {
    b"": "This is no notebook: the file is empty.",
    b"{this is none": "This is no notebook: it is not JSON (Expecting property name enclosed in double quotes at line 1, column 2).",
    b"\xff\xfe\x00": "This is no notebook: it is not text in UTF-8.",
    b"[" * 100_000: "This is no notebook: it is JSON of a kind that no notebook has.",
    b"[1, 2]": "This is no notebook: it has no cells.",
    b'{"cells": [], "nbformat": 5}': "This notebook has the format 5; chatsys reads format 4 (and 3).",
    b'{"cells": [], "nbformat": 4}': "This is no notebook of the lab 98-doubling: no cell has a name of nbgrader.",
}


@pytest.mark.parametrize("data", NONE, ids=[repr(data[:20]) for data in NONE])
def test_what_is_no_notebook_of_the_lab_is_told_in_a_sentence(toy: Course, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "ann.ipynb"
    path.write_bytes(data)
    mark = grade_one(path, toy, "ann")
    assert (mark["score"], mark["max_score"], mark["output"]) == (0, 12, NONE[data])


def test_a_notebook_of_another_lab_is_told_by_both_commands_in_the_same_sentence(toy: Course, tmp_path: Path) -> None:
    path = written(tmp_path / "ann.ipynb", [code("x = 1", "hold-back", solution=True)])
    mark = grade_one(path, toy, "ann")
    assert (
        mark["output"]
        == "This is no notebook of the lab 98-doubling: it has a cell hold-back, which belongs to another one."
    )
    (told,) = tidy_folder(tmp_path, str(toy.source.path))
    assert told.remarks == [mark["output"]] and not told.sound


# --- tidy -------------------------------------------------------------------------------------------


def test_tidy_writes_what_was_put_right_keeps_the_first_and_then_finds_nothing(toy: Course, tmp_path: Path) -> None:
    found = cells()
    a_test_made_text(found)
    an_answer_split_in_two(found)
    cells_deleted(found)
    path = written(tmp_path / "in" / "ann" / "98.ipynb", found)
    untouched = written(tmp_path / "in" / "bob" / "98.ipynb", cells()).read_bytes()
    before = path.read_bytes()
    first, second = tidy_folder(tmp_path / "in", str(toy.source.path))
    assert len(first.remarks) == 4 and first.sound and second.remarks == []
    assert path.with_name("98.ipynb.as-handed-in").read_bytes() == before
    assert Path(second.path).read_bytes() == untouched
    assert [one.remarks for one in tidy_folder(tmp_path / "in", str(toy.source.path))] == [[], []]
    names = [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in json.loads(path.read_text())["cells"]]
    assert len([name for name in names if name]) == len(toy.source.cells)


def test_tidy_changes_no_answer(toy: Course) -> None:
    for change, _ in ODD.values():
        found = cells()
        change(found)
        page = notebook([one for one in found if isinstance(one, dict) and "source" in one])
        for cell in page["cells"]:
            cell["metadata"] = cell["metadata"] if isinstance(cell["metadata"], dict) else {}
            if not isinstance(cell["metadata"].get("nbgrader", {}), dict):
                del cell["metadata"]["nbgrader"]
        before = [text_of(cell) for cell in page["cells"] if text_of(cell) and "SystemError" not in text_of(cell)]
        tidy(page, toy.source)
        after = {text_of(cell) for cell in page["cells"]}
        assert {one for one in before if one not in after} <= {"FACTOR = 3", "5"}


# --- whose it is, and many --------------------------------------------------------------------------


def test_the_student_is_the_name_of_the_file_or_of_the_folder() -> None:
    lab = "03-total-order"
    for path, student in {
        f"submitted/ann/{lab}/{lab}.ipynb": "ann",
        f"submitted/ann/{lab}.ipynb": "ann",
        f"submitted/eve/{lab} (1).ipynb": "eve",
        "inbox/bob.ipynb": "bob",
    }.items():
        assert student_of(Path(path), lab) == student


def test_what_is_missing_for_the_hidden_part_is_told_before_the_work(tmp_path: Path) -> None:
    labs = Path(__file__).parents[2] / "labs"
    with pytest.raises(UsageError, match="secret"):
        open_course("03-total-order", labs, tmp_path / "no-secret")
    short = tmp_path / "short"
    short.write_text("too short")
    with pytest.raises(UsageError, match="at least 16"):
        open_course("03-total-order", labs, short)
    (tmp_path / "source").symlink_to(labs / "source")
    with pytest.raises(UsageError, match="--public"):
        open_course("03-total-order", tmp_path, short)
    assert open_course("03-total-order", tmp_path, public=True).keys is None


LONG = """
class MyDouble:
    def double(self, number):
        total, left = 0, abs(number)
        while left > 0:
            if left % 2 == 1:
                total = total + 2
            else:
                total = total - 0 + 2
            left = left - 1
        for unused in range(3):
            total = total + unused - unused
        return total if number >= 0 else -total
"""


def test_answers_that_are_written_alike_are_told_to_people_and_cost_nothing(toy: Course, tmp_path: Path) -> None:
    renamed = LONG.replace("total", "sum_").replace("left", "rest").replace("unused", "i")
    paths = {}
    for name, source in {"ann": LONG, "bob": renamed, "cid": RIGHT}.items():
        found = cells()
        found[at(found, "double")]["source"] = source
        paths[name] = written(tmp_path / f"{name}.ipynb", found)
    (tmp_path / "bad.ipynb").write_text("{")
    assert jobs._shape("x = " + "-" * 600 + "1" + " + 1" * 900) == frozenset()
    hints = jobs.likenesses({**paths, "dan": tmp_path / "bad.ipynb"}, toy)
    assert hints["ann"] == ["cell double is written like that of bob (1.00)"]
    assert [len(one) for one in hints.values()] == [1, 1, 0, 0]
    known = jobs.likenesses(paths, msgspec.structs.replace(toy, known=(shape(LONG),)))
    assert known["bob"] == ["cell double is written like an answer in the keys (1.00)"] and known["cid"] == []


def test_a_fault_of_the_grader_costs_one_notebook_and_is_flagged(
    toy: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Mark:
        raise RuntimeError("broken")

    monkeypatch.setattr(jobs, "mark_notebook", broken)
    mark = graded(toy, tmp_path, cells())
    assert mark["score"] == 0 and mark["flags"] == [mark["output"]]
    assert mark["output"].startswith("This notebook could not be graded: RuntimeError: broken")


def test_reading_runs_the_setup_of_the_lab_first_and_its_text_is_that_of_the_lab(toy: Course, tmp_path: Path) -> None:
    found = cells()
    cells_moved(found)
    locked_cells_changed(found)
    submission = read(written(tmp_path / "a.ipynb", found), toy.source)
    assert [one.name for one in submission.cells] == ["setup", "predictions", "double"]
    assert submission.cells[0].source == "FACTOR = 2"
    assert submission.texts == {"design": "*Write your answer here.*", "explanation": "Twice."}


def test_what_students_wrote_into_texts_is_counted(toy: Course, tmp_path: Path) -> None:
    found = cells()
    found[at(found, "design")] = text("*Write your answer here.* " + "word " * 50, "design", solution=True)
    assert "design note: done (50 words)" in graded(toy, tmp_path, found)["output"]


def test_a_file_that_cannot_be_read_is_told(toy: Course, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="cannot be read"):
        read(tmp_path / "none.ipynb", toy.source)
    assert isinstance(toy.source, Source) and PREDICTED
