"""Jobs: many notebooks of one lab, several at a time.

    Job(key, path, student) --one at a time--> N processes, each with the course (keys, secret) in its memory --> key, mark

One bad notebook never stops the rest: what goes wrong with it is told in its mark.

Promises  a mark for every job, in the order in which they are ready; no process outlives the loop that asks for marks.
Read also `marking` (one notebook), `isolation.worker` (the processes), `teach.classroom.batch` (a class, and what is kept).
"""

import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from chatsys.capabilities import PROCESSES, need
from chatsys.errors import told
from chatsys.isolation.answer import Bounds
from chatsys.isolation.worker import Worker, wait_for_any
from chatsys.teach.copies import ALIKE, SHORTEST, Shape, alike, shape, similar_pairs
from chatsys.teach.grading.course import Course, open_course
from chatsys.teach.grading.marking import Mark, mark_notebook, without_answers
from chatsys.teach.grading.reading import Unreadable, page_version, read_notebook
from chatsys.teach.grading.submission import understand

LONGEST = 100_000
"""Letters of an answer that is compared with others."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What every notebook of a class is graded with."""

    lab: str
    course: str | None = None
    """The labs folder of a clone; None: looked for from here upwards."""
    secret: str | None = None
    """The file of the secret; None: keys/secret of the course."""
    public: bool = False
    """Whether only what students can grade themselves is graded."""
    exercise: str | None = None
    """The number of the one exercise that is judged; None: all of them."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One notebook to be graded."""

    key: str
    """By which its mark is known."""
    path: str
    student: str
    """The id from which the hidden seeds come."""


def the_course(setting: Setting) -> Course:
    """Return the course of this setting, read once in each process; raises `UsageError` as `open_course` does."""
    return _opened(setting)


@lru_cache(maxsize=1)
def _opened(setting: Setting) -> Course:
    """Return the course, read once in each process; the collector of circles passes over what is there by now."""
    course = open_course(setting.lab, setting.course, setting.secret, setting.public).of_exercise(setting.exercise)
    gc.freeze()
    return course


def grade_each(jobs: Sequence[Job], setting: Setting, at_a_time: int = 1) -> Iterator[tuple[str, Mark]]:
    """Yield (key, mark) of each job, in the order in which they are ready."""
    need("Grading whole notebooks", PROCESSES, instead="check one class at a time")
    at_a_time = min(at_a_time, len(jobs))
    if at_a_time <= 1:
        for job in jobs:
            yield job.key, grade_one(Path(job.path), the_course(setting), job.student)
        return
    workers = [Worker(b"", Bounds(shown=1 << 16)) for _ in range(at_a_time)]
    try:
        yield from _in_workers(workers, jobs, setting)
    finally:
        for worker in workers:
            worker.kill()


def _in_workers(workers: Sequence[Worker], jobs: Sequence[Job], setting: Setting) -> Iterator[tuple[str, Mark]]:
    waiting = list(jobs)[::-1]
    busy: dict[int, Job] = {}
    while waiting or busy:
        for number, worker in enumerate(workers):
            if number in busy and (answer := worker.poll()) is not None:
                job = busy.pop(number)
                why = f"This notebook could not be graded: {answer.value}"
                yield job.key, Mark(answer.value) if answer.done else flagged(the_course(setting), why, job.student)
            if number not in busy and waiting:
                job = waiting.pop()
                busy[number] = job
                worker.submit(_task, setting, job.path, job.student)
        if busy:
            wait_for_any([workers[number] for number in busy], 0.2)


def _task(parts: Any, setting: Setting, path: str, student: str) -> dict[str, Any]:
    """Grade one notebook; run in a worker."""
    return dict(grade_one(Path(path), the_course(setting), student))


def grade_one(path: Path, course: Course, student: str) -> Mark:
    """Return the mark of the notebook at `path`, whatever it is."""
    begun = time.monotonic()
    try:
        mark = mark_notebook(*read_notebook(path), course, student)
    except Unreadable as error:
        mark = without_answers(course, str(error), student)
    except Exception as error:  # a fault of the grader must not stop the others
        mark = flagged(course, f"This notebook could not be graded: {told(error)}.", student)
    mark["execution_time"] = round(time.monotonic() - begun, 2)
    return mark


def flagged(course: Course, why: str, student: str) -> Mark:
    """Return the mark of a notebook that could not be graded through no fault of its own: a person must look."""
    mark = without_answers(course, why, student)
    mark["flags"].append(why)
    return mark


# --- answers that are alike ------------------------------------------------------------------------------


def likenesses(paths: Mapping[str, Path], course: Course) -> dict[str, list[str]]:
    """Return, for each notebook, what its answers are like: a known answer, or those of another one; for people to read.

    `paths` are the notebooks by the names with which they are told.  Short answers are alike by chance, so this takes no
    points from anybody.
    """
    found: dict[str, list[str]] = {name: [] for name in paths}
    cells = {name: _answers(path, course) for name, path in paths.items()}
    for exercise in course.lab.exercises:
        shapes = {name: _shape(texts.get(exercise.number, "")) for name, texts in cells.items()}
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
    """Return the text of each exercise's cell, as its version of the page names it; nothing of what is no notebook."""
    try:
        notebook, _ = read_notebook(path)
        its, _ = course.of_page(page_version(notebook))
        found = {cell.name: cell.source for cell in understand(notebook, its.source).cells}
    except Unreadable:
        return {}
    return {one.number: found.get(one.cell, "") for one in its.lab.exercises}
