"""A class of forty, made up: right answers, every misconception, and what a real class hands in besides.

    python tests/support/class_of_forty.py FOLDER --layout moodle       moodle, canvas, nbgrader, gradescope, plain
    chatsys grade FOLDER --lab 03-total-order --jobs 2

Answers come from the keys of the lab, any lab by its name: in each submission one exercise has one of its mistakes, the
others a right answer, so that what each must lose is known (`Made.loses`).  Beside them: late ones, two of one id, an empty
folder, an empty file, no JSON, another lab, a loop without end, a cell that ends the process, no answer at all, names with
spaces, commas and umlauts.

Read also `submissions` (seventy by hand, for lab 03), `chatsys.teach.classroom.layouts` (who reads them).
"""

import argparse
import ast
import copy
import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, cycle, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from chatsys.teach.grading.course import Course, open_course

LABS = Path(__file__).parents[2] / "labs"
DUE = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
FIRST = (
    "Ann",
    "Bülent",
    "Chloé",
    "Dmitri",
    "Eve",
    "Finn",
    "Grace",
    "Håkon",
    "Ines",
    "José",
    "Kai",
    "Łucja",
    "Mei",
    "Nils",
)
LAST = ("Ampère", "de la Cruz", "Müller-Lüdenscheidt", "O'Brien", "Smith, Jr.", "Nguyễn", "van den Berg", "Öz")
STRANGE = (
    "empty folder",
    "empty file",
    "no JSON",
    "another lab",
    "a loop without end",
    "ends the process",
    "no answer",
)
"""What is no ordinary submission, one of each at the end of the class."""

Notebook = dict[str, Any]


class Made(NamedTuple):
    """One person of the class."""

    number: int
    name: str
    what: str
    """What was handed in: "right", a mistake ("3.1 skips the gap"), or one of `STRANGE`."""
    text: str | None
    """The file; None: there is none."""
    loses: dict[str, tuple[str, ...]]
    """Cell -> aspects that are lost there."""
    late: bool
    doubled: bool
    """Whether an older notebook without answers was handed in before."""

    @property
    def submitted(self) -> datetime:
        return DUE + timedelta(hours=5 if self.late else -self.number)


def make_class(lab: str = "03-total-order", size: int = 40, labs: Path = LABS) -> list[Made]:
    """Return a class of this size, the same each time."""
    course = open_course(lab, labs, _a_secret(labs))
    source = json.loads(course.source.path.read_text(encoding="utf-8"))
    people = []
    ordinary = list(zip(range(size - len(STRANGE)), cycle(_wrongs(course))))
    for number, wrong in ordinary:
        made = _answered(copy.deepcopy(source), course, number, wrong)
        what = f"{wrong[0]} {wrong[1]}" if wrong else "right"
        people.append(_made(number, what, json.dumps(made), _losses(course, wrong)))
    for number, what in enumerate(STRANGE[: max(0, size - len(ordinary))], len(ordinary)):
        people.append(_made(number, what, _strange(what, copy.deepcopy(source), course), {}))
    return people


def _made(number: int, what: str, text: str | None, loses: dict[str, tuple[str, ...]]) -> Made:
    name = f"{FIRST[number % len(FIRST)]} {LAST[number % len(LAST)]}"
    return Made(number, name, what, text, loses, late=number % 11 == 5, doubled=bool(text) and number % 13 == 7)


def _a_secret(labs: Path) -> Path:
    """Return a file that is long enough to be a secret; a class is made without one."""
    return labs / "nbgrader_config.py"


def _wrongs(course: Course) -> Iterator[tuple[str, str] | None]:
    """Yield (exercise, mistake), exercise by exercise in turn, and None for a right answer after every third."""
    assert course.keys is not None
    by_exercise = [[(number, name) for name in found] for number, found in course.keys.mistakes.items()]
    every = [one for one in chain.from_iterable(zip_longest(*by_exercise)) if one is not None]
    for place, one in enumerate(every):
        yield one
        if place % 3 == 2:
            yield None


def _losses(course: Course, wrong: tuple[str, str] | None) -> dict[str, tuple[str, ...]]:
    if wrong is None:
        return {}
    assert course.keys is not None
    exercise = course.lab.exercise(wrong[0])
    assert exercise is not None
    loses = course.keys.mistakes[wrong[0]][wrong[1]].loses
    return {part.cell: tuple(loses[part.kind]) for part in exercise.parts if part.kind in loses}


def _answered(notebook: Notebook, course: Course, number: int, wrong: tuple[str, str] | None) -> Notebook:
    """Return the notebook with an answer to each exercise, right or wrong, and a text in each cell that people read."""
    keys = course.keys
    assert keys is not None
    answers, mistakes = (LABS / "keys" / course.lab.name / f"{kind}.py" for kind in ("answers", "mistakes"))
    sources = {"answers": Classes(answers), "mistakes": Classes(answers, mistakes)}
    taken = frozenset(exercise.writes for exercise in course.lab.exercises)
    for exercise in course.lab.exercises:
        right = list(keys.answers[exercise.number].values())
        cls, kind = right[number % len(right)], "answers"
        if wrong is not None and wrong[0] == exercise.number:
            cls, kind = keys.mistakes[exercise.number][wrong[1]].cls, "mistakes"
        cell(notebook, exercise.cell)["source"] = sources[kind].source(cls.__name__, exercise.writes, taken)
    for explain in course.lab.explain:
        cell(notebook, explain.cell)["source"] = (
            f"In my run {2 + number % 4} messages waited, the longest for 0.{number % 9 + 1} s, because an earlier number was missing."
        )
    if course.lab.design is not None:
        cell(notebook, course.lab.design)["source"] = (
            "What waits is kept by its number until all before it are there. " * 5
        )
    return notebook


def _strange(what: str, notebook: Notebook, course: Course) -> str | None:
    first = course.lab.exercises[0].cell
    if what in ("empty folder", "empty file"):
        return None if what == "empty folder" else ""
    if what == "no JSON":
        return '{"cells": ['
    if what == "another lab":
        other = {"grade_id": "somewhere-else", "solution": True, "grade": False, "locked": False}
        notebook["cells"] = [{"cell_type": "code", "source": "1", "metadata": {"nbgrader": other}, "outputs": []}]
    elif what == "a loop without end":
        cell(notebook, first)["source"] = "while True:\n    pass"
    elif what == "ends the process":
        cell(notebook, first)["source"] = "import os\nos._exit(3)"
    else:
        for exercise in course.lab.exercises:
            cell(notebook, exercise.cell)["source"] = "raise NotImplementedError"
    return json.dumps(notebook)


def cell(notebook: Notebook, name: str) -> dict[str, Any]:
    """Return the cell with this grade_id."""
    found: dict[str, Any] = next(
        one for one in notebook["cells"] if one["metadata"].get("nbgrader", {}).get("grade_id") == name
    )
    return found


class Classes:
    """The classes in files of keys, each with all that it needs, as a student would have written it."""

    def __init__(self, *paths: Path) -> None:
        self.body = [node for path in paths for node in ast.parse(path.read_text(encoding="utf-8")).body]
        self.defined = {name: place for place, node in enumerate(self.body) for name in _names_defined(node)}

    def source(self, cls: str, name: str, taken: frozenset[str]) -> str:
        """Return the source of a class under another name, after what it stands on; no other name is one of `taken`."""
        needed: set[int] = set()
        self._need(cls, needed)
        body = [copy.deepcopy(self.body[place]) for place in sorted(needed)]
        renamed = {one: f"Base{one}" for one in taken if not one == cls == name}
        text = "\n\n\n".join(ast.unparse(_Renamed(renamed).visit(node)) for node in body)
        return text if cls == name else f"{text}\n\n\nclass {name}({renamed.get(cls, cls)}):\n    pass"

    def _need(self, name: str, needed: set[int]) -> None:
        place = self.defined.get(name)
        if place is None or place in needed:
            return
        needed.add(place)
        for one in ast.walk(self.body[place]):
            if isinstance(one, ast.Name):
                self._need(one.id, needed)


class _Renamed(ast.NodeTransformer):
    """Gives classes and functions other names, so that no cell takes the answer of another one away."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self.names.get(node.name, node.name)
        return self.generic_visit(node)


def _names_defined(node: ast.stmt) -> list[str]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return [name]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [one.asname or one.name for one in names]
        case ast.Assign(targets=[ast.Name(id=name)]):
            return [name]
    return []


# --- in the layouts of the platforms ---------------------------------------------------------------------


def lay_out(people: Sequence[Made], folder: Path, layout: str, lab: str = "03-total-order") -> Path:
    """Write the class into `folder` as a platform lays it; return the folder that is given to `chatsys grade`."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in people:
        _LAYOUTS[layout](one, folder, lab)
    if layout == "gradescope":
        entries = {f"submission_{7000 + one.number}": _entry(one) for one in people}
        text = yaml.safe_dump(entries, allow_unicode=True)
        (folder / "assignment_9_export" / "submission_metadata.yml").write_text(text, encoding="utf-8")
    return folder / "submitted" if layout == "nbgrader" else folder


def _moodle(one: Made, folder: Path, lab: str) -> None:
    home = folder / f"{one.name}_{5000 + one.number}_assignsubmission_file"
    home.mkdir()
    if one.text is not None:
        _write(home / f"{lab}.ipynb", one.text, one)
    if one.doubled:
        _write(home / "first-try.ipynb", "{}", one)
    if one.number % 9 == 4:
        typed = folder / f"{one.name}_{5000 + one.number}_assignsubmission_onlinetext"
        typed.mkdir()
        (typed / "onlinetext.html").write_text("<p>Here it is.</p>", encoding="utf-8")


def _canvas(one: Made, folder: Path, lab: str) -> None:
    name = "".join(sign for sign in "".join(reversed(one.name.split(" ", 1))).lower() if sign.isalnum())
    late, user, file = "_LATE" if one.late else "", 900 + one.number, 100_000 + 10 * one.number
    if one.text is None:
        (folder / f"{name}{late}_{user}_text.html").write_text("<p>I forgot the file.</p>", encoding="utf-8")
        return
    if one.doubled:
        _write(folder / f"{name}{late}_{user}_{file}_{lab}.ipynb", "{}", one)
    more = "-1" if one.doubled else ""
    _write(folder / f"{name}{late}_{user}_{file + 1}_{lab}{more}.ipynb", one.text, one)


def _nbgrader(one: Made, folder: Path, lab: str) -> None:
    home = folder / "submitted" / f"s{one.number:02} {one.name}" / lab
    home.mkdir(parents=True)
    (home / "timestamp.txt").write_text(f"{one.submitted:%Y-%m-%d %H:%M:%S.%f UTC}\n", encoding="utf-8")
    if one.text is not None:
        _write(home / f"{lab}.ipynb", one.text, one)
    if one.doubled:
        _write(home / "copy.ipynb", "{}", one)


def _gradescope(one: Made, folder: Path, lab: str) -> None:
    home = folder / "assignment_9_export" / f"submission_{7000 + one.number}"
    home.mkdir(parents=True)
    if one.text is not None:
        _write(home / f"{lab}.ipynb", one.text, one)
    if one.doubled:
        _write(home / "old" / "first-try.ipynb", "{}", one)


def _entry(one: Made) -> dict[str, Any]:
    person = {":name": one.name, ":sid": str(300 + one.number), ":email": f"student{one.number}@example.edu"}
    return {":submitters": [person], ":created_at": one.submitted, ":score": 0.0, ":status": "unprocessed"}


def _plain(one: Made, folder: Path, lab: str) -> None:
    if one.text is not None:
        _write(folder / f"{one.name} {one.number}.ipynb", one.text, one)
    if one.doubled:
        _write(folder / f"{one.name} {one.number}" / f"{lab}.ipynb", "{}", one, older=True)


def _write(path: Path, text: str, one: Made, older: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    when = one.submitted.timestamp() - 3600 * older
    os.utime(path, (when, when))


_LAYOUTS = {"moodle": _moodle, "canvas": _canvas, "nbgrader": _nbgrader, "gradescope": _gradescope, "plain": _plain}
LAYOUTS = tuple(_LAYOUTS)


def main() -> None:
    """Write a class into a folder; `--help` tells how."""
    reader = argparse.ArgumentParser(description="Write a made-up class into a folder.")
    reader.add_argument("folder", type=Path)
    reader.add_argument("--layout", choices=LAYOUTS, default="moodle")
    reader.add_argument("--lab", default="03-total-order")
    reader.add_argument("--size", type=int, default=40)
    asked = reader.parse_args()
    print(lay_out(make_class(asked.lab, asked.size), asked.folder, asked.layout, asked.lab))


if __name__ == "__main__":
    main()
