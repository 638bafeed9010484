"""The instructor's kit: a report without danger, marks by hand that stay, one total, and students who are forgotten."""

import json
import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from made_up_class import HOSTILE, LAB, LABS, loses, made_up_class
from msgspec.structs import replace
from typed import Run

from chatsys.commands.grading import _write_table
from chatsys.errors import UsageError
from chatsys.teach.classroom.batch import Grader, grade_class
from chatsys.teach.classroom.forgetting import forget
from chatsys.teach.classroom.hand_marks import (
    NAME,
    HandMark,
    possible_points,
    read_hand_marks,
    total_of,
    write_hand_marks,
)
from chatsys.teach.classroom.handed import Handed
from chatsys.teach.classroom.inbox import Inbox
from chatsys.teach.classroom.jobs import Job, Setting
from chatsys.teach.classroom.misconceptions import misconceptions_of
from chatsys.teach.classroom.overview import label, overview
from chatsys.teach.classroom.report import by_hand_page, report_page
from chatsys.teach.classroom.results import read_results, write_results
from chatsys.teach.classroom.signatures import Signature, signature_of
from chatsys.teach.grading.marking import Mark

pytestmark = pytest.mark.quick

HEAD = "student,cell,points,who,when,why\n"
OVERRULED = HandMark(student="bob", cell="check-3-1", points=14, who="Dr. Ray", when="2026-11-26", why="our fault")
EXPLAINED = HandMark(
    student="bob", cell="explanation", points=7.5, who="Ann, B.", when="2026-11-27", why='"both" numbers'
)


class Parsed(HTMLParser):
    """The tags of a page and its text, as a browser would read them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def pages(marks: dict[tuple[str, str], HandMark] | None = None) -> tuple[str, str]:
    results = made_up_class()
    return report_page(results, LAB, marks or {}, {}), by_hand_page(results, LAB, marks or {}, "# Rubric")


def test_what_a_student_writes_stays_text_wherever_it_stands() -> None:
    for page, scripts in zip(pages(), (0, 2), strict=True):
        parsed = Parsed(page)
        tags = [tag for tag, _ in parsed.tags]
        assert tags.count("script") == scripts and not {"img", "iframe", "svg", "object", "base"} & set(tags)
        assert not [name for _, about in parsed.tags for name in about if name.startswith("on")]
        assert HOSTILE in parsed.text and "\x1b" not in page and "\u202e" not in page


def test_who_marks_by_hand_sees_the_text_and_the_numbers_that_it_speaks_of() -> None:
    by_hand = Parsed(pages()[1]).text
    assert "Two messages" in by_hand and "#4 waited 0.70 s" in by_hand


def test_the_columns_of_a_student_add_up_to_the_points() -> None:
    marks = {(one.student, one.cell): one for one in (OVERRULED, EXPLAINED)}
    for one in overview(made_up_class(), LAB, marks, {})["students"]:
        total = one["total"]
        assert sum(column["points"] for column in one["exercises"]) + (total.by_hand or 0) == total.points


def test_a_notebook_that_could_not_be_read_is_to_be_looked_at() -> None:
    results = made_up_class()
    ann = results.submissions["ann"]
    ann.score, ann.output = 0, "This is no notebook: it is empty."
    for cell in ann.tests:
        cell.score, cell.output = 0, ann.output
    shown = overview(results, LAB, {}, {})
    assert ("not graded", label(ann), ann.output) in shown["look"]
    (count,) = [number for number, what in shown["summary"] if what == "to look at"]
    assert count == str(len({who for _, who, _ in shown["look"] if who}))


def test_a_page_forbids_itself_every_script_but_its_own_and_needs_no_network() -> None:
    for page in pages():
        (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
        assert "default-src &#39;none&#39;" in policy and "unsafe-inline" not in policy.partition("script-src")[2]
        assert not re.search(r'(src|href)="(https?:)?//', page)


def test_the_report_says_what_held_what_to_look_at_and_what_was_expected() -> None:
    text = " ".join(Parsed(pages()[0]).text.split())
    assert "complete 2 of 4 3 of 4" in text, "an aspect with how many kept it, seen and not seen"
    assert "the clock on the wall ended it" in text and "cell hold-back is written like that of bob" in text
    assert "the order of arrival taken for the order of delivery" in text, "the misconception behind an answer"
    assert "4 messages" not in text and "if the network is slow 2" in text


def test_without_the_keys_the_report_says_that_there_is_no_map() -> None:
    text = Parsed(report_page(made_up_class(), LAB, {}, None, "There are no keys.")).text
    assert "There are no keys." in text


def test_a_person_overrules_the_machine_in_one_total_and_the_report_says_who_when_and_why() -> None:
    marks = {(one.student, one.cell): one for one in (OVERRULED, EXPLAINED)}
    bob = made_up_class().submissions["bob"]
    without, total = total_of(bob, LAB, {}), total_of(bob, LAB, marks)
    assert (without.points, without.waiting) == (bob.score, ("explanation",))
    assert (total.points, total.possible, total.waiting) == (bob.score + 14 + 7.5, 100, ())
    text = " ".join(Parsed(report_page(made_up_class(), LAB, marks, {})).text.split())
    assert "check-3-1: 14 by Dr. Ray on 2026-11-26: our fault (the machine gave 0 of 14" in text


def test_a_mark_by_hand_survives_a_regrade(tmp_path: Path, run: Run) -> None:
    write_hand_marks(tmp_path / NAME, {(OVERRULED.student, OVERRULED.cell): OVERRULED})
    for score in (0.0, 5.0):  # graded, and graded again with another outcome
        results = made_up_class()
        next(cell for cell in results.submissions["bob"].tests if cell.name == "check-3-1").score = score
        write_results(tmp_path / "results.json", results)
        code, out, _ = run("report", tmp_path, "--course", tmp_path_course(tmp_path), "--json")
        told = json.loads(out)
        assert code == 0 and told["totals"]["bob"] == {"points": 90, "possible": 100}
        assert f"the machine gave {score:g} of 14" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_table_for_a_gradebook_has_what_people_gave_and_says_who_still_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_hand_marks(tmp_path / NAME, {(one.student, one.cell): one for one in (OVERRULED, EXPLAINED)})
    _write_table(tmp_path / "grades.csv", made_up_class(), None, tmp_path)
    assert "\nbob,,,97.5,100," in (tmp_path / "grades.csv").read_text(encoding="utf-8")
    assert "3 still wait for theirs: ann, eve" in capsys.readouterr().err


def tmp_path_course(folder: Path) -> Path:
    """Return a course without keys, so that no mistake is played."""
    target = folder / "course" / "source" / LAB.name / f"{LAB.name}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes((LABS / "source" / LAB.name / target.name).read_bytes())
    return folder / "course"


def test_marks_are_read_as_they_were_written_and_are_no_formulas_in_a_spreadsheet(tmp_path: Path) -> None:
    odd = HandMark(student="=cmd()", cell="explanation", points=3.25, who="@me", why="-1, +2")
    write_hand_marks(tmp_path / NAME, {(odd.student, odd.cell): odd, ("bob", "explanation"): EXPLAINED})
    text = (tmp_path / NAME).read_text(encoding="utf-8")
    assert "\n'=cmd()," in text and ",'@me," in text
    assert list(read_hand_marks(tmp_path / NAME, LAB).values()) == [odd, EXPLAINED]
    spreadsheet = text.replace(",", ";").replace("3.25", "3,25")
    (tmp_path / NAME).write_text("\ufeff" + spreadsheet.replace("Ann; B.", "Ann"), encoding="utf-8")
    assert read_hand_marks(tmp_path / NAME, LAB)["=cmd()", "explanation"].points == 3.25


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("bob,explanation,11,,,", "line 2, gives '11' points for explanation; write a number from 0 to 10."),
        ("bob,explanation,many,,,", "gives 'many' points"),
        ("bob,explanation,nan,,,", "gives 'nan' points"),
        ("bob,nowhere,1,,,", "marks a cell 'nowhere', which has no points; there are check-3-1,"),
        (",explanation,1,,,", "line 2, has no student"),
        ("bob,explanation,1,,,\nbob,explanation,2,,,", "line 3, marks explanation of bob for the second time"),
    ],
)
def test_a_line_that_cannot_be_meant_so_is_refused_with_its_number(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / NAME).write_text(HEAD + line, encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(says)):
        read_hand_marks(tmp_path / NAME, LAB)


def test_a_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("name,mark\nbob,3\n", encoding="utf-8")
    with pytest.raises(UsageError, match="has no column student; its columns are student,cell,points"):
        read_hand_marks(tmp_path / NAME, LAB)


def test_every_cell_with_points_can_be_marked_by_hand() -> None:
    assert sum(possible_points(LAB).values()) == LAB.points == 100


def test_a_student_who_is_forgotten_stands_in_no_file_any_more(tmp_path: Path) -> None:
    write_results(tmp_path / "results.json", made_up_class())
    write_hand_marks(tmp_path / NAME, {("bob", "check-3-1"): OVERRULED})
    (tmp_path / "gradescope").mkdir()
    for name in ("bob", "ann"):
        (tmp_path / "gradescope" / f"{name}.json").write_text("{}")
    told = forget(tmp_path / "results.json", ["bob"], LAB)
    assert "handed-in/bob.ipynb, delete it there" in " ".join(told)
    left = {path: path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file()}
    assert len(left) == 3 and not [path for path, text in left.items() if "bob" in text]
    assert "ann" in read_results(tmp_path / "results.json").submissions
    with pytest.raises(UsageError, match="Nothing is kept of 'bob'"):
        forget(tmp_path / "results.json", ["bob"], LAB)


def test_the_page_that_downloads_marks_and_the_reader_agree_on_the_columns() -> None:
    data: Any = json.loads(re.findall(r'id="data">(.*?)</script>', pages()[1], re.DOTALL)[0])
    assert ",".join(data["columns"]) + "\n" == HEAD


# --- what a wrong answer is like ------------------------------------------------------------------------


def fails(name: str, sentence: str, seed: int) -> Signature:
    """Return how an answer fails that loses one aspect of one cell."""
    one = made_up_class().submissions["ann"]
    loses(one, name, "complete", sentence, seed)
    return signature_of(cell for cell in one.tests if cell.name == name)


KNOWN = {
    "3.1": {
        "drops": fails("check-3-1", "it dropped #1.", 0),
        "waits": fails("check-3-1", "it waited.", 5),
        "waits, too": fails("check-3-1", "it waited.", 5),
    },
    "3.2": {"never asks": fails("check-3-2", "it never asked.", 0)},
}


@pytest.mark.parametrize(
    ("seed", "sentence", "told"),
    [
        (0, "it dropped #1.", "drops"),
        (0, "it dropped #7.", "drops"),  # the same but for its numbers
        (5, "it waited.", "waits or waits, too"),
        (3, "it raised KeyError: 7 (in your cell, line 3).", "like none of the known mistakes"),
        (3, "There is no MyHoldBack in this notebook; write it in the cell hold-back.", "no answer that can be tried"),
    ],
)
def test_a_wrong_answer_is_like_the_mistakes_that_fail_as_it_does(seed: int, sentence: str, told: str) -> None:
    one = made_up_class().submissions["ann"]
    loses(one, "check-3-1", "complete", sentence, seed)
    near = misconceptions_of(LAB, one, KNOWN)
    assert {number: str(each) for number, each in near.items()} == {"3.1": told}


def test_what_goes_wrong_with_an_earlier_exercise_is_told_as_that() -> None:
    one = made_up_class().submissions["ann"]
    loses(one, "check-3-2", "complete", "it stopped.", 4)
    assert str(misconceptions_of(LAB, one, KNOWN)["3.2"]) == "like none of the known mistakes"
    loses(one, "check-3-1", "complete", "it waited.", 5)
    assert str(misconceptions_of(LAB, one, KNOWN)["3.2"]) == "follows from 3.1"


# --- one exercise for all -------------------------------------------------------------------------------


def judged(score: float, only: str | None) -> Grader:
    """Return a grader that gives every check `score`, of one exercise or of all of them."""

    def grade(jobs: Sequence[Job], setting: Setting) -> Iterator[tuple[str, Mark]]:
        assert setting.exercise == only
        for job in jobs:
            tests = [
                {"name": cell.name, "score": score, "max_score": 8, "output": "told", "exercise": cell.exercise}
                for cell in made_up_class().submissions["ann"].tests
                if only in (None, cell.exercise)
            ]
            flags = [f"{cell['name']}: look, {score:g}" for cell in tests if str(cell["name"]).startswith("check")]
            whole = {"score": score * len(tests), "max_score": 8 * len(tests)}
            yield job.key, Mark(**whole, tests=tests, output="", flags=flags, versions={"lab": "new"})

    return grade


def test_one_exercise_is_graded_anew_for_all_and_the_other_marks_stay(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret for this test only")
    every = Setting(lab=LAB.name, course=str(LABS), secret=str(tmp_path / "secret"))
    handed = []
    for name in ("ann", "bob"):
        (tmp_path / f"{name}.ipynb").write_text("{}")
        handed.append(Handed(student=name, shown=f"{name}.ipynb", path=tmp_path / f"{name}.ipynb"))
    inbox = Inbox(layout="plain", handed=handed[:1], remarks=[])
    grade_class(inbox, every, tmp_path / "results", grader=judged(2.0, None))
    one = replace(every, exercise="3.2")
    inbox.handed = handed  # bob was not graded before
    results = grade_class(inbox, one, tmp_path / "results", grader=judged(8.0, "3.2"))

    ann = results.submissions["ann"]
    assert {cell.score for cell in ann.tests if cell.exercise == "3.2"} == {8.0}
    assert {cell.score for cell in ann.tests if cell.exercise != "3.2"} == {2.0}
    assert ann.score == sum(cell.score for cell in ann.tests) and ann.earlier is not None
    assert ann.changes[:2] == ["Exercise 3.2 alone was graded anew.", "20 of 80 points before, now 38 of 80."]
    assert ann.flags == ["check-3-1: look, 2", "check-3-3: look, 2", "check-3-2: look, 8"]
    assert "bob" not in results.submissions
    assert "Exercise 3.2 was not graded for 1 who are new" in " ".join(results.remarks)
    with pytest.raises(UsageError, match=r"has no exercise '3\.9'; it has 3\.1, 3\.2, 3\.3, 3\.4"):
        grade_class(inbox, replace(every, exercise="3.9"), tmp_path / "results")
