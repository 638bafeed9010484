"""What students get holds no answer, and what Gradescope gets grades; both are made and used, not only listed."""

import ast
import json
import os
import py_compile
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatsys.errors import ChatsysError, UsageError
from chatsys.mutants.bugs import MUTANTS
from chatsys.mutants.bugs.open import OPEN
from chatsys.teach.classroom import release
from chatsys.teach.classroom.autograder import write_autograder
from chatsys.teach.classroom.jobs import Setting
from chatsys.teach.classroom.leaks import Secrets, find_leaks, outline_of, secrets_of, shape_of
from chatsys.teach.classroom.release import closed_pages, write_release

ROOT = Path(__file__).parents[2]
LABS = ROOT / "labs"
LAB = "03-total-order"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bundle, made as a zip and unpacked."""
    folder = tmp_path_factory.mktemp("release")
    list(write_release(folder / "students.zip", course=LABS, keep=False))
    with zipfile.ZipFile(folder / "students.zip") as archive:
        archive.extractall(folder)
    return folder / "students"


@pytest.fixture(scope="module")
def secrets() -> Secrets:
    return secrets_of(LABS, closed_pages(ROOT / "chatsys" / "mutants"))


def given() -> set[str]:
    """Return the lines that students have anyway: of the labs' own package, and of their notebooks without solutions."""
    package = [path.read_text() for path in (ROOT / "chatsys" / "teach" / "labs").rglob("*.py")]
    pages = [text_of(path) for path in (LABS / "source").rglob("*.ipynb")]
    pages = [re.sub(r"### BEGIN SOLUTION.*?### END SOLUTION", "", page, flags=re.DOTALL) for page in pages]
    return {line.strip() for text in (*package, *pages) for line in text.splitlines()}


def text_of(path: Path) -> str:
    """Return what people read in a file; of a notebook its cells."""
    text = path.read_text(errors="replace")
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"]) if path.suffix == ".ipynb" else text


def definitions(folder: Path) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    for path in sorted(folder.rglob("*.py")):
        yield from (
            node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef | ast.FunctionDef)
        )


# --- the bundle -----------------------------------------------------------------------------------


def test_no_line_and_no_definition_of_the_keys_stands_in_the_bundle(bundle: Path) -> None:
    files = [path for path in bundle.rglob("*") if path.is_file()]
    assert len(files) > 200 and not [path for path in files if path.suffix in (".pyc", ".pyo", ".so", ".zip", ".whl")]
    there = {line.strip() for path in files for line in text_of(path).splitlines()}
    pages = [path for path in (LABS / "keys").rglob("*.*") if path.suffix in (".py", ".md")]
    keys = [line.strip() for path in pages for line in path.read_text().splitlines()]
    long = {line for line in keys if len(line) >= 30 and not line.startswith(("from ", "import ", "def ", "class "))}
    assert len(long) > 200 and long & there <= given()
    shapes = {shape_of(node): node.name for node in definitions(LABS / "keys")}
    outlines = {outline_of(node) for node in definitions(LABS / "keys")}
    mine = {shape_of(node) for node in definitions(bundle) if outline_of(node) in outlines} - {None}
    opened = {shape_of(node) for node in definitions(ROOT / "chatsys" / "teach" / "labs")}
    assert len(shapes) > 50 and not [name for shape, name in shapes.items() if shape in mine - opened]


def test_the_bundle_has_what_a_lab_needs_and_nothing_of_teachers(bundle: Path) -> None:
    tops = {path.name for path in bundle.iterdir()}
    assert tops == {
        "LICENSE", "README.md", "Makefile", "pyproject.toml", "constraints.txt", "environment.yml", ".gitignore",
        "chatsys", "notebooks", "labs", "binder", "deploy",
    }  # fmt: skip
    assert {path.name for path in (bundle / "labs").iterdir()} == {"README.md", "release"}
    assert (bundle / "labs" / "release" / LAB / f"{LAB}.ipynb").is_file()
    page, make = (bundle / "README.md").read_text(), (bundle / "Makefile").read_text()
    first = min(path.name for path in (bundle / "labs" / "release").iterdir())
    assert f"`{LAB}`" in page and f"make test LAB={first}" in page and "LABS" not in page
    assert all(f"\n{target}: " in make for target in ("lab", "test"))


ASKED = """
from chatsys.errors import ChatsysError
from chatsys.mutants import schedules
from chatsys.mutants.bugs import MUTANTS, named
from chatsys.mutants.closed import need_searches
from chatsys.teach.grading.course import open_course
print(len(MUTANTS), *schedules.DIRECTED)
for act in (lambda: named("vote twice"), lambda: schedules.play("C5"), need_searches, lambda: open_course("03-total-order")):
    try:
        act()
    except ChatsysError as error:
        print(error)
print(schedules.play("C4", flawed=True).violation.invariant, open_course("03-total-order", public=True).lab.name)
"""


def test_what_needs_the_mutants_says_in_one_sentence_that_they_are_not_there(bundle: Path) -> None:
    surroundings = os.environ | {"PYTHONPATH": str(bundle), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", ASKED],
        cwd=bundle,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    first, mutant, schedule, searches, lab, last = done.stdout.splitlines()
    assert first == f"{len(OPEN)} C1 C2 C3 C4 C7 C9 C12 C16 Q1 Q2 Q21 Q22 Q23 Q26" and len(OPEN) < len(MUTANTS)
    assert (
        "no mutant 'vote twice' here: a student's copy" in mutant
        and "no schedule 'C5' here: a student's copy" in schedule
    )
    assert searches == "The searches for mutants are not in a student's copy of chatsys; your instructor has them."
    assert lab.startswith(f"The source and the keys of {LAB} are not here") and "--public" in lab
    assert last == f"S8 {LAB}"


@pytest.mark.parametrize(
    ("out", "says"),
    [
        (".", "is there already; name another place"), (str(ROOT / "inside"), "lies inside of the project"),
        ("none/out", "cannot be written: No such file or directory"), ("a\0b", "can be no path"),
    ],
)  # fmt: skip
def test_a_place_that_does_not_do_is_told_before_the_work(out: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        list(write_release(tmp_path / out if out != str(ROOT / "inside") else Path(out), course=LABS))
    with pytest.raises(UsageError, match="no release of a lab '00-x'"):
        list(write_release(tmp_path / "out", ["00-x"], LABS))
    with pytest.raises(UsageError, match="made from a teacher's clone"):
        list(write_release(tmp_path / "out", course=tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.quick
def test_what_somebody_made_while_working_there_is_not_taken_along(tmp_path: Path) -> None:
    for name in (
        "notebooks/00-tour.ipynb", "notebooks/instructor.ipynb", "notebooks/data/inbox/ann.ipynb", "notebooks/images/tour.png",
        "chatsys/a.py", "chatsys/__pycache__/a.pyc", "chatsys/.secret", "chatsys/mutants/bugs/fence.py", "labs/release/00/00.ipynb",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "chatsys" / "link.py").symlink_to("/etc/passwd")
    taken = {name for name, _ in release._files(tmp_path, ["00"])}
    assert taken == {"notebooks/00-tour.ipynb", "notebooks/images/tour.png", "chatsys/a.py", "labs/release/00/00.ipynb"}


def test_a_solution_that_somebody_left_in_a_notebook_does_not_get_out(
    secrets: Secrets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "left.ipynb"
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": RENAMED}
    left.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    monkeypatch.setattr(release, "secrets_of", lambda labs, mutants: secrets)
    monkeypatch.setattr(release, "_files", lambda root, labs: iter([("notebooks/left.ipynb", left)]))
    with pytest.raises(
        ChatsysError,
        match=r"an answer would get out: notebooks/left.ipynb has MyHoldBack of keys/03-total-order/answers.py",
    ):
        list(write_release(tmp_path / "out", course=LABS, keep=False))
    assert [path.name for path in tmp_path.iterdir()] == ["left.ipynb"]


# --- the search -----------------------------------------------------------------------------------

RENAMED = '''
class Mine:
    """All names are others."""

    def __init__(self, begin: int = 1) -> None:
        self.next = begin
        self.kept = {}

    def receive(self, n: int, m: object) -> list:
        if n >= self.next:
            self.kept[n] = m
        out = []
        while self.next in self.kept:
            out.append(self.kept.pop(self.next))
            self.next += 1
        return out
'''


def test_the_search_finds_an_answer_however_it_is_hidden(secrets: Secrets, tmp_path: Path) -> None:
    answers = LABS / "keys" / LAB / "answers.py"
    py_compile.compile(str(answers), str(tmp_path / "cached.pyc"))
    (tmp_path / "renamed.py").write_text(RENAMED)
    line = "            while (one := self.early.pop(self.due, None)) is not None:"
    assert line in answers.read_text().splitlines()
    (tmp_path / "page.md").write_text(f"As somebody wrote:\n\n{line.strip()}\n")
    with zipfile.ZipFile(tmp_path / "packed.whl", "w") as archive:
        archive.writestr("deep/renamed.py", RENAMED)
    printed = {"output_type": "stream", "name": "stdout", "text": ["out.append(self.waiting.pop(0)[1])\n"]}
    cells = [{"cell_type": "code", "source": "1", "outputs": [printed]}]
    (tmp_path / "shown.ipynb").write_text(json.dumps({"cells": cells}))
    (tmp_path / "fence.py").write_text((ROOT / "chatsys" / "mutants" / "bugs" / "fence.py").read_text())
    found = {line.partition(" has ")[0] for line in find_leaks(tmp_path, secrets)}
    assert found == {"cached.pyc", "renamed.py", "page.md", "packed.whl", "shown.ipynb", "fence.py"}
    (tmp_path / "torn.ipynb").write_text(RENAMED)
    assert "torn.ipynb has MyHoldBack of keys/03-total-order/answers.py" in find_leaks(tmp_path, secrets)
    (tmp_path / "other.pyc").write_bytes(b"\0" * 20)
    assert "other.pyc has compiled code that this Python cannot read" in find_leaks(tmp_path, secrets)


def test_short_code_and_heads_are_nobodys_own(secrets: Secrets, tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text(
        "class MyHoldBack:\n    def receive(self, number, message):\n        return []\n"
    )
    assert find_leaks(tmp_path, secrets) == []


# --- the autograder -------------------------------------------------------------------------------


def test_the_autograder_grades_as_gradescope_calls_it_and_its_keys_are_gone_before_any_cell_runs(
    tmp_path: Path,
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret of the tests, which is long enough")
    setting = Setting(lab=LAB, course=str(LABS), secret=str(secret))
    with pytest.raises(UsageError, match="does not end in .zip"):
        list(write_autograder(tmp_path / "out", setting))
    list(write_autograder(tmp_path / "out.zip", setting))
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        archive.extractall(tmp_path / "autograder" / "source")
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755 and "requirements.txt" in modes
    assert not [name for name in modes if name.startswith("chatsys/mutants/") or "__pycache__" in name]
    home = tmp_path / "autograder"
    (home / "submission").mkdir()
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": WHERE_ARE_THE_KEYS.format(home=home)}
    notebook = json.loads((LABS / "source" / LAB / f"{LAB}.ipynb").read_text())
    (home / "submission" / "mine.ipynb").write_text(json.dumps(notebook | {"cells": [cell, *notebook["cells"]]}))
    about = {"users": [{"email": "ann@example.edu", "name": "Ann"}], "created_at": "2026-11-21T00:00:00+00:00"}
    about["assignment"] = {"due_date": "2026-11-20T00:00:00+00:00"}  # type: ignore[assignment]
    (home / "submission_metadata.json").write_text(json.dumps(about))
    surroundings = os.environ | {"PYTHONPATH": str(home / "source")}
    command = [sys.executable, "-m", "chatsys.teach.classroom.on_gradescope", LAB, str(home)]
    done = subprocess.run(command, cwd=home / "source", env=surroundings, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    form = json.loads((home / "results" / "results.json").read_text())
    assert form["score"] == 90 and form["extra_data"]["student"] == "ann@example.edu" and form["execution_time"] > 0
    assert form["output"].startswith("It was handed in late") and "keys are here" not in form["output"]
    shown = {test["name"]: test["visibility"] for test in form["tests"]}
    assert shown["check-3-1"] == "visible" and shown["hidden-3-1"] == "after_due_date"
    assert not (home / "source" / "labs" / "keys").exists()
    done = subprocess.run(command, cwd=home / "source", env=surroundings, capture_output=True, text=True, timeout=60)
    again = json.loads((home / "results" / "results.json").read_text())
    assert (
        done.returncode == 0
        and again["score"] == 0
        and again["output"].startswith("This could not be graded; tell your")
    )


WHERE_ARE_THE_KEYS = "import os\nif os.path.exists('{home}/source/labs/keys'): raise ValueError('keys are here')"
