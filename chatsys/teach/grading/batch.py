"""Batches: many notebooks of one lab, several at a time, each mark written down as soon as it is there.

    paths --one at a time--> N processes, each with the course (keys, secret) in its memory --> marks --> results.json

One bad notebook never stops the rest: what goes wrong with it is told in its mark.

Promises  keys, secret and the place of the results are tried before the work; `results` gets what Gradescope expects,
          one object, or {"submissions": {...}} for several, and is whole after each notebook.
Read also `marking` (one notebook), `isolation.worker` (the processes).
"""

import gc
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from chatsys.capabilities import PROCESSES, need
from chatsys.errors import told
from chatsys.isolation.answer import Bounds
from chatsys.isolation.worker import Worker, wait_for_any
from chatsys.surroundings import try_write
from chatsys.teach.grading.copies import ALIKE, SHORTEST, Shape, alike, shape, similar_pairs
from chatsys.teach.grading.marking import Course, Mark, mark_submission, open_course, without_answers
from chatsys.teach.grading.reading import Unreadable
from chatsys.teach.grading.submission import read

LONGEST = 100_000
"""Letters of an answer that is compared with others."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What every notebook of a batch is graded with."""

    lab: str
    course: str | None = None
    """The labs folder of a clone; None: looked for from here upwards."""
    secret: str | None = None
    """The file of the secret; None: keys/secret of the course."""
    public: bool = False
    """Whether only what students can grade themselves is graded."""


def grade_notebooks(
    paths: Iterable[str | Path],
    setting: Setting,
    *,
    results: str | Path | None = None,
    jobs: int = 1,
    student: str | None = None,
    tell: Callable[[str, Mark], None] = lambda path, mark: None,
) -> dict[str, Mark]:
    """Grade notebooks and return {path: mark}; `tell` gets each as soon as it is there.

    `student` is the id of the one who handed in, if it is not the name of the file or its folder.  Raises `UsageError`
    if the lab, its keys or the secret are missing or `results` cannot be written; a bad notebook gets a mark that says why.
    """
    need("Grading whole notebooks", PROCESSES, instead="check one class at a time")
    place = try_write(results) if results is not None else None
    course = _course(setting)
    names = list(dict.fromkeys(map(str, paths)))
    students = {name: student or student_of(Path(name), course.lab.name) for name in names}
    twice = Counter(students.values())
    marks: dict[str, Mark] = {}
    for name, mark in _graded(students, setting, jobs):
        mark["student"] = students[name]
        if twice[students[name]] > 1:
            others = ", ".join(one for one in names if students[one] == students[name] and one != name)
            mark["flags"].append(f"handed in under the id {students[name]}, as this was: {others}")
        marks[name] = mark
        if place is not None:
            _write(place, {one: marks[one] for one in names if one in marks}, alone=len(names) == 1)
        tell(name, mark)
    for name, hints in likenesses(names, course).items():
        marks[name]["hints"] = hints
    if place is not None:
        _write(place, {one: marks[one] for one in names}, alone=len(names) == 1)
    return {name: marks[name] for name in names}


def likenesses(names: Sequence[str], course: Course) -> dict[str, list[str]]:
    """Return, for each notebook, what its answers are like: a known answer, or those of another one; for people to read.

    Short answers are alike by chance, so this takes no points from anybody.
    """
    found: dict[str, list[str]] = {name: [] for name in names}
    cells = {name: _answers(Path(name), course) for name in names}
    for exercise in course.lab.exercises:
        shapes = {name: _shape(texts.get(exercise.cell, "")) for name, texts in cells.items()}
        for name, one in shapes.items():
            known = [alike(one, other) for other in course.known if len(one) >= SHORTEST]
            if known and max(known) >= ALIKE:
                found[name].append(f"cell {exercise.cell} is written like an answer in the keys ({max(known):.2f})")
        for share, first, second in similar_pairs(shapes, course.known):
            for name, other in ((first, second), (second, first)):
                found[name].append(f"cell {exercise.cell} is written like that of {other} ({share:.2f})")
    return found


def _shape(text: str) -> Shape:
    """Return how a text is written; nothing of what only a machine writes."""
    try:
        return shape(text) if len(text) < LONGEST else frozenset()
    except RecursionError:
        return frozenset()


def _answers(path: Path, course: Course) -> dict[str, str]:
    """Return the text of each cell that runs; nothing of what is no notebook."""
    try:
        return {cell.name: cell.source for cell in read(path, course.source).cells}
    except Unreadable:
        return {}


def student_of(path: Path, lab: str) -> str:
    """Return whose notebook this is: the name of its file, or of its folder if the file has the name of the lab."""
    names = [path.stem, *(folder.name for folder in path.absolute().parents)]
    return next((name for name in names if name and name != lab), path.stem)


def grade_one(path: Path, course: Course, student: str) -> Mark:
    """Return the mark of the notebook at `path`, whatever it is."""
    try:
        return mark_submission(read(path, course.source), course, student)
    except Unreadable as error:
        return without_answers(course, str(error))
    except Exception as error:  # a fault of the grader must not stop the others
        return _flagged(course, f"This notebook could not be graded: {told(error)}.")


def _flagged(course: Course, why: str) -> Mark:
    mark = without_answers(course, why)
    mark["flags"].append(why)
    return mark


@lru_cache(maxsize=1)
def _course(setting: Setting) -> Course:
    """Return the course, read once in each process; the collector of circles passes over what is there by now."""
    course = open_course(setting.lab, setting.course, setting.secret, setting.public)
    gc.freeze()
    return course


def _write(path: Path, marks: Mapping[str, Mark], alone: bool) -> None:
    """Write the marks so that whoever reads them meanwhile finds them whole."""
    whole: Any = next(iter(marks.values())) if alone else {"submissions": marks}
    text = json.dumps(whole, indent=2) + "\n"
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        os.replace(new, path)
    except OSError:  # a device, or a folder that takes no new file
        new.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")


# --- several at a time -----------------------------------------------------------------------------------


def _graded(students: Mapping[str, str], setting: Setting, jobs: int) -> Iterator[tuple[str, Mark]]:
    """Yield (path, mark) of each, in the order in which they are ready."""
    jobs = min(jobs, len(students))
    if jobs <= 1:
        for name, student in students.items():
            yield name, grade_one(Path(name), _course(setting), student)
        return
    workers = [Worker(b"", Bounds(shown=1 << 16)) for _ in range(jobs)]
    try:
        yield from _in_workers(workers, students, setting)
    finally:
        for worker in workers:
            worker.kill()


def _in_workers(workers: Sequence[Worker], students: Mapping[str, str], setting: Setting) -> Iterator[tuple[str, Mark]]:
    waiting = list(students.items())[::-1]
    busy: dict[int, str] = {}
    while waiting or busy:
        for number, worker in enumerate(workers):
            if number in busy and (answer := worker.poll()) is not None:
                name = busy.pop(number)
                why = f"This notebook could not be graded: {answer.value}"
                yield name, Mark(answer.value) if answer.done else _flagged(_course(setting), why)
            if number not in busy and waiting:
                name, student = waiting.pop()
                busy[number] = name
                worker.submit(_task, setting, name, student)
        if busy:
            wait_for_any([workers[number] for number in busy], 0.2)


def _task(parts: Any, setting: Setting, name: str, student: str) -> dict[str, Any]:
    """Grade one notebook; run in a worker."""
    return dict(grade_one(Path(name), _course(setting), student))
