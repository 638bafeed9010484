"""A class is graded, stopped, graded again: nothing is lost, nothing is done twice, and no mark changes without a reason."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from toy_lab import LAB, RIGHT, cells, course, written
from typed import Run

from chatsys.errors import ChatsysError, UsageError
from chatsys.teach.classroom import batch, jobs
from chatsys.teach.classroom.batch import FORMS, RESULTS, Settled, grade_class, results_place
from chatsys.teach.classroom.cluster import on_scheduler, packed, unpacked
from chatsys.teach.classroom.gradebooks import as_csv, left_out
from chatsys.teach.classroom.gradescope import file_name
from chatsys.teach.classroom.hand_marks import Total
from chatsys.teach.classroom.inbox import open_inbox
from chatsys.teach.classroom.jobs import Job, Setting
from chatsys.teach.classroom.regrading import of_another_version
from chatsys.teach.classroom.results import FORM, ClassResults, StudentResult, as_text, read_results, write_whole
from chatsys.teach.grading.course import Course, open_course
from chatsys.teach.grading.marking import Mark, without_answers

LABS = Path(__file__).parents[2] / "labs"
WRONG = RIGHT.replace("FACTOR", "3")
SETTING = Setting(lab=LAB.name)


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    made = course(tmp_path / "course")
    use(monkeypatch, made)
    return made


def use(monkeypatch: pytest.MonkeyPatch, made: Course) -> None:
    """Let this be the course of every setting."""
    monkeypatch.setattr(jobs, "_opened", lambda setting: made)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """Ann is right, Bob is wrong, and Cid's file is no notebook; as Moodle lays them."""
    for number, (name, source) in enumerate({"Ann": RIGHT, "Bob": WRONG}.items(), 1):
        answered(tmp_path / "inbox" / f"{name}_{number}_assignsubmission_file" / "98.ipynb", source)
    bad = tmp_path / "inbox" / "Cid, =1+1_3_assignsubmission_file" / "98.ipynb"
    bad.parent.mkdir(parents=True)
    bad.write_text("{")
    return tmp_path / "inbox"


def answered(path: Path, source: str) -> None:
    found = cells()
    next(one for one in found if one["metadata"].get("nbgrader", {}).get("grade_id") == "double")["source"] = source
    written(path, found)


def graded(inbox: Path, folder: Path, tell: Callable[[Settled], None] = lambda one: None, **how: Any) -> ClassResults:
    with open_inbox([inbox], LAB.name) as found:
        return grade_class(found, SETTING, folder, tell=tell, **how)


def marked(student: str, score: float, about: dict[str, Any] | None = None) -> StudentResult:
    return StudentResult(student=student, score=score, max_score=12, **(about or {}))


# --- stopped, and on again ------------------------------------------------------------------------


def test_a_class_that_was_stopped_goes_on_where_it_was_and_its_results_say_all_of_it(
    toy: Course, inbox: Path, tmp_path: Path
) -> None:
    folder, whole = tmp_path / "results", []

    def stop(one: Settled) -> None:
        whole.append(list(read_results(folder / RESULTS).submissions))
        if one.result.student == "2":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        graded(inbox, folder, stop)
    assert whole == [["1"], ["1", "2"]]
    with results_place(folder):  # the lock went with the one that was stopped
        pass
    done: list[tuple[str, bool]] = []
    results = graded(inbox, folder, lambda one: done.append((one.result.student, one.again)))
    assert done == [("1", False), ("2", False), ("3", True)]
    assert [(one.score, one.name) for one in results.submissions.values()] == [
        (12, "Ann"),
        (2, "Bob"),
        (0, "Cid, =1+1"),
    ]
    assert results.submissions["3"].output.startswith("This is no notebook: it is not JSON")
    failed = results.submissions["2"].tests[1].failed
    assert [(one.aspect, one.seed) for one in failed] == [("right", None)] and "not 2" in failed[0].sentence
    assert results.submissions["1"].texts["explanation"] == "Twice." and results.submissions["2"].answers == {
        "double": WRONG
    }
    form = json.loads((folder / FORMS / "2.json").read_text())
    assert form["score"] == 2 and [test["visibility"] for test in form["tests"]] == [
        "visible",
        "visible",
        "after_due_date",
    ]
    assert form["execution_time"] > 0 and form["extra_data"]["secret"] == toy.secret_id
    assert toy.secret.decode() not in (folder / RESULTS).read_text() + json.dumps(form)


def test_what_changed_is_graded_again_and_its_mark_says_why(
    toy: Course, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, done = tmp_path / "results", list[str]()
    graded(inbox, folder, grader=answers_at_once)
    answered(inbox / "Bob_2_assignsubmission_file" / "98.ipynb", RIGHT)
    results = graded(inbox, folder, lambda one: done.append(one.result.student * one.again))
    assert done == ["", "", "2"]
    assert results.submissions["2"].changes == [
        "0 of 12 points before, now 12 of 12.", "The notebook is another one than before.",
    ]  # fmt: skip
    assert results.submissions["2"].earlier is not None and results.submissions["2"].earlier.score == 0
    use(monkeypatch, msgspec.structs.replace(toy, secret=b"another secret, long enough", version="newer"))
    results = graded(inbox, folder, grader=answers_at_once)
    assert results.remarks[0].startswith(f"The secret changed since the last grading ({toy.secret_id} -> ")
    assert "all 3 marks are made again" in results.remarks[0]
    assert results.submissions["2"].changes == [
        "12 of 12 points before, now 0 of 12.",
        "Lab version toy -> newer: its notebook, its checks or its keys were changed.",
        f"Secret changed ({toy.secret_id} -> {results.secret}): other hidden seeds.",
    ]


def test_a_place_that_takes_no_more_ends_it_in_one_sentence_and_keeps_what_was_graded(
    toy: Course, inbox: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "results"

    def in_the_way(one: Settled) -> None:
        (folder / f".{RESULTS}.new").mkdir()

    with pytest.raises(ChatsysError, match=r"cannot be written: Is a directory\. What stood in it is still there; "):
        graded(inbox, folder, in_the_way)
    assert list(read_results(folder / RESULTS).submissions) == ["1"]


@pytest.mark.quick
def test_nothing_takes_the_place_of_a_pipe_and_a_link_stays_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_whole(tmp_path / "pipe", "told")
    assert os.read(reader, 10) == b"told" and not (tmp_path / "pipe").is_file()
    os.close(reader)
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_whole(tmp_path / "link", "told")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_text() == "told"


def answers_at_once(some: Sequence[Job], setting: Setting) -> Iterator[tuple[str, Mark]]:
    """Mark without looking; for what does not hang on marks."""
    for job in some:
        yield job.key, without_answers(jobs.the_course(setting), "not looked at", job.student)


def test_who_is_not_in_the_inbox_any_more_is_kept_and_told(toy: Course, inbox: Path, tmp_path: Path) -> None:
    graded(inbox, tmp_path / "results", grader=answers_at_once)
    (inbox / "Ann_1_assignsubmission_file").rename(tmp_path / "away")
    results = graded(inbox, tmp_path / "results", grader=answers_at_once)
    assert list(results.submissions) == ["2", "3", "1"] and results.expected == 2
    assert results.remarks == ["1 marks from before are of people who are not in this inbox (1); they are kept."]


def test_again_grades_everybody(toy: Course, inbox: Path, tmp_path: Path) -> None:
    done: list[bool] = []
    for again in (False, False, True):
        graded(inbox, tmp_path / "results", lambda one: done.append(one.again), grader=answers_at_once, again=again)
    assert done == [True] * 3 + [False] * 3 + [True] * 3


# --- what stands in the way -----------------------------------------------------------------------


def test_what_stands_in_the_way_of_results_is_told_before_the_work(
    toy: Course, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "results"
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        graded(inbox, tmp_path / "file")
    graded(inbox, folder, grader=answers_at_once)
    with results_place(folder), pytest.raises(UsageError, match="Another process grades into"):
        graded(inbox, folder)
    use(monkeypatch, msgspec.structs.replace(toy, lab=msgspec.structs.replace(LAB, name="99-other")))
    with pytest.raises(UsageError, match="has the results of 98-doubling, not of 99-other"):
        graded(inbox, folder)
    for text, says in {
        as_text({"form": FORM + 1}): f"form {FORM + 1}, this chatsys reads up to {FORM}; install a newer chatsys",
        "{": "is not the results.json of a class",
    }.items():
        (folder / RESULTS).write_text(text)
        with pytest.raises(UsageError, match=says):
            graded(inbox, folder)


def test_a_secret_that_is_lost_is_told_with_what_that_means(
    toy: Course, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graded(inbox, tmp_path / "results", grader=answers_at_once)
    monkeypatch.setattr(jobs, "_opened", lambda setting: open_course("03-total-order", LABS, tmp_path / "lost"))
    with pytest.raises(
        UsageError, match=f"lost.*The 3 marks in .* were made with the secret {toy.secret_id}: with a new"
    ):
        graded(inbox, tmp_path / "results")


def test_the_command_tells_each_mark_and_refuses_what_does_not_go_together(
    toy: Course, inbox: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "grade_each", lambda some, setting, at_a_time: answers_at_once(some, setting))
    results, table = tmp_path / "results", tmp_path / "t.csv"
    code, out, err = run("grade", inbox, "--lab", LAB.name, "--results", results, "--csv", table)
    assert code == 0 and "[3 of 3] 3 Cid, =1+1: 0 of 12" in out and "3 submissions of 98-doubling (moodle)" in out
    assert "3 submissions, as moodle lays them; results in" in err and "3 of 3" in err and table.read_text()
    code, out, _ = run("grade", inbox, "--lab", LAB.name, "--results", results, "--json")
    assert code == 0 and set(json.loads(out)["submissions"]) == {"1", "2", "3"}
    for words, says in {
        f"grade --lab {LAB.name}": "Nothing was given to grade",
        f"grade {inbox} --lab {LAB.name} --id ann": "--id names the student of one notebook",
        f"grade {inbox} --lab {LAB.name} --due soon": "--due is 'soon'; write a day and a time",
        f"grade {inbox} --lab {LAB.name} --gradescope a.zip": "grades nothing; leave the notebooks out",
        f"grade {tmp_path / 'course' / 'keys'} --lab {LAB.name}": "is not a file",
    }.items():
        code, _, err = run(*words.split())
        assert code == 2 and says in err and err.count("\n") == 1, err


# --- tables and names -----------------------------------------------------------------------------


@pytest.mark.quick
def test_the_table_of_each_platform_has_the_columns_that_its_import_asks_for() -> None:
    people = {
        "5": marked("5", 7.25, {"name": "=SUM(A1)", "ids": {"moodle": "5", "canvas": "50"}}),
        "x": marked("x", 12, {"name": "Ann, Öz", "members": [{"student": "y", "name": "Bob"}]}),
    }

    def table(layout: str) -> list[list[str]]:
        results = ClassResults(lab="98-doubling", layout=layout, submissions=people)
        return list(
            csv.reader(io.StringIO(as_csv(results, {"x": Total(points=15, possible=12)}, "Lab 3 (1234)"), newline=""))
        )

    head, *rows = table("moodle")
    assert head == ["Identifier", "Full name", "Grade", "Maximum grade", "Last modified (grade)"]
    assert [row[:4] for row in rows] == [["Participant 5", "'=SUM(A1)", "7.25", "12"]]
    head, points, *rows = table("canvas")
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Lab 3 (1234)"]
    assert points == ["    Points Possible", "", "", "", "", "12"] and rows[0] == [
        "'=SUM(A1)",
        "50",
        "",
        "",
        "",
        "7.25",
    ]
    head, *rows = table("plain and nbgrader")
    assert head[:2] == ["id", "name"] and [row[0] for row in rows] == ["5", "x", "y"]
    assert [row[3] for row in rows] == ["7.25", "15", "15"]
    assert left_out(ClassResults(lab="l", layout="moodle", submissions=people)) == ["x"]


@pytest.mark.quick
def test_every_id_has_a_file_of_its_own_and_none_leaves_the_folder() -> None:
    ids = ["ann", "Ann", "a b", "a_b", "a/b", "../x", ".x", "", "ü" * 300, "\ud800", "con\x00"]
    names = [file_name(one) for one in ids]
    assert len({name.lower() for name in names}) == len(ids) and names[0] == "ann.json"
    assert all("/" not in name and not name.startswith(".") and len(name.encode()) < 255 for name in names)


@pytest.mark.quick
def test_results_with_half_a_letter_are_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / RESULTS
    path.write_text(as_text(ClassResults(lab="98", submissions={"x": marked("x", 1, {"name": "\ud800"})})))
    assert path.read_bytes().isascii() and json.loads(path.read_text())["lab"] == "98"


@pytest.mark.quick
def test_a_class_that_got_another_version_of_the_lab_is_told_so_and_one_person_is_not() -> None:
    odd = marked("x", 5, {"output": "cell setup had been changed and was put back", "answers": {"double": "1"}})
    (told,) = of_another_version([odd, odd, odd, marked("y", 5), marked("z", 0)])
    assert told.startswith("In 3 of 4 notebooks the lab's own cells are others than here")
    assert list(of_another_version([odd, odd, marked("y", 5)])) == []
    assert list(of_another_version([odd] * 3 + [marked("y", 5)] * 3)) == []


# --- many machines --------------------------------------------------------------------------------


@pytest.mark.quick
def test_a_worker_gets_the_same_course_and_leaves_no_file_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret of the tests, which is long enough")
    setting = Setting(lab="03-total-order", course=str(LABS), secret=str(secret))
    here = open_course(setting.lab, LABS, secret)
    (tmp_path / "worker").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "worker"))
    one = unpacked(packed(msgspec.structs.replace(setting, exercise="3.2"), here))
    assert one.only == "3.2"
    there = unpacked(packed(setting, here))
    assert there.only is None
    assert there.versions("ann") == here.versions("ann") and there.secret == here.secret
    assert list((tmp_path / "worker").iterdir()) == []


@pytest.mark.quick
def test_a_scheduler_without_dask_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(UsageError, match=r'needs the package distributed.*pip install "chatsys\[cluster\]"'):
        on_scheduler("tcp://127.0.0.1:1")
