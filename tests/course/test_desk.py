"""The desk of a student: which version it is, work that goes home, a new page without the loss of an old answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from chatsys.errors import UsageError
from chatsys.teach.grading.grader import find_lab
from chatsys.teach.grading.reading import Source, find_source, page_version, read_notebook
from chatsys.teach.grading.submission import understand
from chatsys.teach.labs import desk
from chatsys.teach.labs.desk import open_lab, save_work, start_again
from chatsys.teach.labs.pages import page_of
from chatsys.teach.scores import LINE

pytestmark = pytest.mark.quick

LAB = "03-total-order"
LABS = Path(__file__).parents[2] / "labs"


def cell(page: Any, name: str) -> Any:
    return next(one for one in page["cells"] if one["id"] == name)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A notebook of the lab with one answer in it, in a folder whose name wants quoting, opened as a student does."""
    lab = find_lab("03")
    assert lab is not None
    page = json.loads(page_of(lab).read_text(encoding="utf-8"))
    cell(page, "hold-back")["source"] = "class MyHoldBack: 'mine'"
    file = tmp_path / f"{LAB}.ipynb"
    file.write_text(json.dumps(page), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.setattr(desk, "_open", lab)
    return file


def test_beginning_again_lays_a_new_page_and_touches_no_old_one(mine: Path) -> None:
    before = mine.read_bytes()
    assert start_again() is not None
    second = mine.parent / "again-2" / mine.name
    cell_of_second = cell(json.loads(second.read_text(encoding="utf-8")), "hold-back")
    assert "NotImplementedError" in "".join(cell_of_second["source"])
    second.write_text("an answer in the second one", encoding="utf-8")
    again = start_again(second)
    assert again is not None and (mine.parent / "again-3" / mine.name).is_file()
    assert mine.read_bytes() == before and second.read_text(encoding="utf-8") == "an answer in the second one"
    assert f'<a href="again-3/{mine.name}">' in again._repr_html_()


def test_a_new_page_can_take_the_answers_along(mine: Path) -> None:
    told = start_again(with_answers=True)
    page = json.loads((mine.parent / "again-2" / mine.name).read_text(encoding="utf-8"))
    assert "".join(cell(page, "hold-back")["source"]) == "class MyHoldBack: 'mine'"
    assert "What you had saved stands in it: hold-back." in repr(told)


def test_the_work_of_all_attempts_can_be_downloaded_under_a_harmless_link(mine: Path) -> None:
    odd = mine.with_name('a"><b.ipynb')
    odd.write_bytes(mine.read_bytes())
    start_again(odd)
    (mine.parent / "again-2" / mine.name).rename(mine.parent / "again-2" / odd.name)
    work = save_work(odd)
    assert work is not None
    assert work.files == [odd, mine.parent / "again-2" / odd.name]
    html = work._repr_html_()
    assert "<b" not in html.replace("<br>", "") and '<a href="a%22%3E%3Cb.ipynb" download>' in html
    assert "as you saved it at" in repr(work)


def test_the_notebook_is_found_as_jupyterlab_names_it(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = mine.rename(mine.with_name("my lab.ipynb"))
    with pytest.raises(UsageError, match=r"name it, for example save_work\('03-total-order\.ipynb'\)"):
        save_work()
    monkeypatch.setenv("JPY_SESSION_NAME", str(renamed))
    work = save_work()
    assert work is not None and work.files == [renamed]


def test_the_first_cell_says_the_version_and_what_to_do_about_an_older_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BINDER_SERVICE_HOST", "here")
    open_lab("03", version=1)
    said = capsys.readouterr().out
    assert said.startswith("Lab 03, Total order: version 1 of the page") and "Binder, which forgets" in said
    assert "with_answers" not in said and max(map(len, said.splitlines())) <= LINE
    open_lab("03", version=0)
    assert "This chatsys has version 1 of the page, which start_again(with_answers=True)" in capsys.readouterr().out
    open_lab("03", version=2)
    assert "install the newest chatsys" in capsys.readouterr().out
    with pytest.raises(UsageError, match="There is no lab '77'; there are 00, 01, "):
        open_lab("77", version=1)


def test_nothing_is_laid_and_nothing_is_said_while_a_notebook_is_graded(
    mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    open_lab("03", version=1)
    assert (save_work(), start_again()) == (None, None)
    assert capsys.readouterr().out == "" and list(mine.parent.iterdir()) == [mine]


@pytest.mark.parametrize(("version", "says"), [(2, "what had changed since was put back"), (1, None), (3, "newer")])
def test_a_notebook_of_another_version_is_told_when_it_is_marked(mine: Path, version: int, says: str | None) -> None:
    source = Source(find_source(LAB, LABS))
    source.version = 2 if version != 1 else 1
    page, _ = read_notebook(mine)
    page["metadata"]["chatsys"]["version"] = 1 if version < 3 else 3
    told = [one for one in understand(page, source).remarks if "version" in one]
    assert (says in told[0]) if says else not told


def test_an_editor_that_drops_metadata_does_not_hide_the_version(mine: Path) -> None:
    page, _ = read_notebook(mine)
    page["metadata"] = {}
    assert page_version(page) == 1
    cell(page, "open")["source"] = "pass"
    assert page_version(page) is None
