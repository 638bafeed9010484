"""What a class handed in is found, whichever platform laid it, and whatever is odd is told and stops nobody."""

import os
import unicodedata
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from class_of_forty import DUE, LAYOUTS, Made, lay_out

from chatsys.errors import UsageError
from chatsys.teach.classroom import inbox as inboxes
from chatsys.teach.classroom.handed import Handed
from chatsys.teach.classroom.inbox import Inbox, open_inbox
from chatsys.teach.grading.reading import LARGEST, Unreadable, read_notebook

pytestmark = pytest.mark.quick

LAB = "03-total-order"
PEOPLE = [
    Made(0, "Ann Ampère", "right", "{}", {}, late=False, doubled=False),
    Made(1, "Smith, Jr. Bülent", "right", "{}", {}, late=True, doubled=True),
    Made(4, "Chloé", "empty folder", None, {}, late=False, doubled=False),
]


def look(*places: Path, due: datetime | None = DUE) -> Inbox:
    with open_inbox(places, LAB, due) as inbox:
        return inbox


def by_id(inbox: Inbox) -> dict[str, Handed]:
    return {one.student: one for one in inbox.handed}


def write(path: Path, text: str = "{}") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# --- the five layouts -----------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_class_is_read_as_each_platform_lays_it(layout: str, tmp_path: Path) -> None:
    inbox = look(lay_out(PEOPLE, tmp_path / "inbox", layout))
    assert inbox.layout == layout and inbox.remarks == []
    ann, bulent, *rest = sorted(inbox.handed, key=lambda one: one.student)
    assert [one.path is None for one in (ann, bulent, *rest)] == (
        [False, False, True] if layout != "plain" else [False] * 2
    )
    assert ann.path is not None and LAB in ann.path.name or layout == "plain"
    assert any("2 notebooks were handed in under the id" in remark for remark in bulent.remarks)
    if rest:
        assert rest[0].remarks[-1].startswith("There is no notebook in this submission")
    assert bulent.late is {"moodle": None, "plain": None}.get(layout, True) and not ann.late
    ids = {"moodle": {"moodle": "5001"}, "canvas": {"canvas": "901"}}
    ids["gradescope"] = {"sid": "301", "email": "student1@example.edu"}
    assert bulent.ids == ids.get(layout, {})
    if layout in ("moodle", "gradescope"):
        assert bulent.name == "Smith, Jr. Bülent"


def test_a_folder_around_all_of_it_changes_nothing(tmp_path: Path) -> None:
    lay_out(PEOPLE, tmp_path / "outer" / "moodle 2026", "moodle")
    inbox = look(tmp_path / "outer")
    assert inbox.layout == "moodle" and "/moodle 2026/Ann" in by_id(inbox)["5000"].shown


def test_text_that_was_typed_into_moodle_and_files_without_folders_are_read(tmp_path: Path) -> None:
    write(tmp_path / "Ann_7_assignsubmission_onlinetext" / "onlinetext.html", "<p>text</p>")
    write(tmp_path / f"Ann_7_assignsubmission_file_{LAB}.ipynb")
    write(tmp_path / "Ann_7_assignsubmission_file_notes.ipynb")
    (only,) = look(tmp_path).handed
    assert only.path is not None and only.path.name.endswith(f"file_{LAB}.ipynb") and only.ids == {"moodle": "7"}
    assert only.remarks[0] == "Text that was typed into Moodle came with it; it is not graded."
    assert "the one with the name of the lab counts" in only.remarks[1]


def test_canvas_names_a_newer_file_by_a_larger_number_and_hides_who_is_anonymous(tmp_path: Path) -> None:
    for name in (
        f"doejane_12_9_{LAB}.ipynb",
        f"doejane_12_10_{LAB}-1.ipynb",
        f"LATE_anon_5aB_3_{LAB}.ipynb",
        "a.ipynb",
        "b.pdf",
    ):
        write(tmp_path / name)
    inbox = look(tmp_path)
    found = by_id(inbox)
    assert inbox.layout == "canvas" and set(found) == {"12", "anon_5aB", "a"}
    assert found["12"].shown.endswith("_12_10_03-total-order-1.ipynb") and found["anon_5aB"].ids == {}
    assert found["anon_5aB"].late and "id" in found["a"].remarks[0]
    assert inbox.remarks == ["b.pdf is no submission, and was left out."]


def test_the_times_of_nbgrader_are_read_in_their_zones_or_told(tmp_path: Path) -> None:
    for name, stamp in {"ann": "2015-02-02 15:58:23.948203 America/Los_Angeles", "bob": "yesterday"}.items():
        write(tmp_path / "submitted" / name / LAB / f"{LAB}.ipynb")
        write(tmp_path / "submitted" / name / LAB / "timestamp.txt", stamp)
    write(tmp_path / "submitted" / "cid" / "04-failure-detection" / "x.ipynb")
    found = by_id(look(tmp_path))
    assert found["ann"].submitted == datetime(2015, 2, 2, 23, 58, 23, 948203, tzinfo=UTC)
    assert found["bob"].remarks == ["The time in timestamp.txt cannot be read."] and found["bob"].late is None
    assert found["cid"].path is None and found["cid"].remarks == [f"The folder has nothing of {LAB}."]


def test_a_group_a_stranger_and_a_folder_that_is_missing_in_gradescopes_export(tmp_path: Path) -> None:
    metadata = """
submission_1:
  :submitters:
  - :name: Ann
    :email: ann@example.edu
  - :name: Bob
    :email: bob@example.edu
  :created_at: 2026-11-20 21:00:00.5 Z
  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess {score: 1}
submission_3:
  :submitters: []
"""
    write(tmp_path / "export" / "submission_metadata.yml", metadata)
    for name in ("submission_1", "submission_2"):
        write(tmp_path / "export" / name / "lab.ipynb")
    found = by_id(look(tmp_path / "export"))
    assert found["ann@example.edu"].members == [
        {"student": "bob@example.edu", "name": "Bob", "email": "bob@example.edu"}
    ]
    assert found["ann@example.edu"].late is False
    assert "does not say whose" in found["submission_2"].remarks[0] and "missing" in found["submission_3"].remarks[0]
    write(tmp_path / "export" / "submission_metadata.yml", "{[")
    assert "cannot be read (it is not YAML)" in look(tmp_path / "export").remarks[0]


# --- what is odd ----------------------------------------------------------------------------------


def test_an_umlaut_is_one_id_however_it_is_spelt(tmp_path: Path) -> None:
    for folder, form in (("a", "NFC"), ("b", "NFD")):
        write(tmp_path / folder / f"{unicodedata.normalize(form, 'Bülent')}.ipynb")  # type: ignore[arg-type]
    (only,) = look(tmp_path / "a", tmp_path / "b").handed
    assert only.student == "Bülent" and "2 notebooks were handed in" in only.remarks[0]


def test_of_two_files_the_newest_counts_and_the_other_one_is_told(tmp_path: Path) -> None:
    old, new = write(tmp_path / "x" / "ann.ipynb"), write(tmp_path / "a" / "ann.ipynb")
    os.utime(old, (1, 1))
    (only,) = look(tmp_path).handed
    assert (
        only.path == new
        and "the newest counts, and this was not graded" in only.remarks[0]
        and "x/ann.ipynb" in only.remarks[0]
    )


def test_no_link_is_followed_out_of_the_folder_and_nothing_hidden_is_seen(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside.ipynb")
    write(tmp_path / "in" / ".ipynb_checkpoints" / "ann.ipynb")
    write(tmp_path / "in" / "__MACOSX" / "ann.ipynb")
    write(tmp_path / "in" / "bob.ipynb")
    (tmp_path / "in" / "eve.ipynb").symlink_to(outside)
    (tmp_path / "in" / "loop.ipynb").symlink_to("loop.ipynb")
    assert [one.student for one in look(tmp_path / "in").handed] == ["bob"]


@pytest.mark.parametrize(
    ("name", "says"), [("none", "is not a file or folder that can be read"), ("empty", "There is no submission in")]
)
def test_a_place_without_a_submission_is_one_sentence(name: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=says):
        look(tmp_path / name)


def test_many_files_that_are_none_are_told_shortly(tmp_path: Path) -> None:
    for number in range(30):
        write(tmp_path / f"read me {number}.txt")
    write(tmp_path / "Ann_7_assignsubmission_file" / "ann.ipynb")
    remarks = look(tmp_path).remarks
    assert len(remarks) == inboxes.MOST_TOLD + 1 and remarks[-1] == "10 more files are no submissions."


# --- zips -----------------------------------------------------------------------------------------


def test_a_zip_is_read_as_its_folder_and_is_gone_afterwards(tmp_path: Path) -> None:
    folder = lay_out(PEOPLE, tmp_path / "inbox", "moodle")
    with zipfile.ZipFile(tmp_path / "moodle.zip", "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
        archive.writestr("Dora_9_assignsubmission_file/report.pdf", "x" * 1000)
        archive.mkdir("Eve_10_assignsubmission_file")
    with open_inbox([tmp_path / "moodle.zip"], LAB) as inbox:
        found = by_id(inbox)
        path = found["5000"].path or Path("none")
        assert path.read_text() == "{}"
    assert inbox.layout == "moodle" and found["9"].remarks == [
        "There is no notebook in this submission (it has report.pdf)."
    ]
    assert "it is empty" in found["10"].remarks[0]
    assert not path.exists() and found["5000"].shown.startswith(f"{tmp_path}/moodle.zip/Ann")


def test_a_hostile_zip_writes_nothing_outside_and_a_bomb_takes_no_room(tmp_path: Path) -> None:
    place = tmp_path / "class.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("../escaped.ipynb", "/tmp/escaped.ipynb", "a\\..\\..\\escaped.ipynb", "good.ipynb"):
            archive.writestr(name, "{}")
        link = zipfile.ZipInfo("link.ipynb")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        with archive.open("bomb.ipynb", "w", force_zip64=True) as file:
            for _ in range(65):
                file.write(bytes(1 << 20))
    with open_inbox([place], LAB) as inbox:
        found = by_id(inbox)
        bomb = found["bomb"].path
        assert set(found) == {"good", "bomb"} and len(inbox.remarks) == 4
        assert all("was left out" in remark for remark in inbox.remarks)
        assert bomb is not None and bomb.stat().st_size == LARGEST + 1 and bomb.stat().st_blocks < 100
        with pytest.raises(Unreadable, match="a notebook may have"):
            read_notebook(bomb)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class.zip"] and not Path("/tmp/escaped.ipynb").exists()


def test_what_is_no_zip_is_one_sentence(tmp_path: Path) -> None:
    write(tmp_path / "x.zip", "no zip")
    with pytest.raises(UsageError, match="cannot be unpacked: it is no zip, or a damaged one"):
        look(tmp_path / "x.zip")
