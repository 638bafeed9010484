"""A batch: a whole class is graded, and what is there already is not graded again.

    Inbox --what is new, or hangs on something else than before--> jobs --> marks --> results.json after each of them
       `-- what is the same: notebook, lab, chatsys, seeds, secret ------------------^ kept

The results are the memory: stop it (Ctrl-C, kill -9, a full disk), give the same command again, and it goes on.  A mark
that is made anew says what was different the last time.

Assumes   one process at a time has the results: a lock beside them sees to it.
Promises  keys, secret and the place of the results are tried before the work; the results are whole after each mark, and
          what was graded is never lost; no mark changes without a sentence that says why.
Read also `results` (what is kept), `inbox` (who handed in), `teach.classroom.jobs` (several at a time), `cluster` (many machines).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from chatsys.errors import UsageError
from chatsys.locks import lock
from chatsys.surroundings import UNUSABLE, advice, cannot_write, place, read_ordinary, reason, try_write
from chatsys.teach.classroom.gradescope import as_gradescope, file_name
from chatsys.teach.classroom.handed import Handed
from chatsys.teach.classroom.inbox import Inbox
from chatsys.teach.classroom.jobs import Job, Setting, grade_each, likenesses, the_course
from chatsys.teach.classroom.one_exercise import with_one_anew
from chatsys.teach.classroom.regrading import Basis, basis_of, explain, of_another_version, of_the_secret, of_versions
from chatsys.teach.classroom.results import (
    ClassResults,
    EarlierMark,
    StudentResult,
    as_text,
    read_results,
    write_results,
    write_whole,
)
from chatsys.teach.grading.course import Course
from chatsys.teach.grading.marking import Mark, without_answers

RESULTS, FORMS, LOCK = "results.json", "gradescope", ".lock"
"""What stands in the folder of the results: all of the class, a file for each student, and the lock."""

Grader = Callable[[Sequence[Job], Setting], Iterator[tuple[str, Mark]]]
"""(jobs, setting) -> (key, mark) of each, as soon as it is there."""


class Settled(msgspec.Struct, kw_only=True):
    """One submission has its mark: what whoever watches a batch is told."""

    total: int
    done: int
    result: StudentResult
    again: bool
    """Whether it was graded now; else it is the mark that was there."""


def grade_class(
    inbox: Inbox,
    setting: Setting,
    folder: Path,
    *,
    jobs: int = 1,
    again: bool = False,
    grader: Grader | None = None,
    tell: Callable[[Settled], None] = lambda progress: None,
) -> ClassResults:
    """Grade what lies in the inbox and return the results, which stand in `folder`.

    `again` grades all of it anew.  Raises `UsageError` before the work if the lab, its keys or the secret are missing or
    `folder` cannot be used, and `ChatsysError` if the results cannot be written any more.
    """
    grade = grader or (lambda some, setting: grade_each(some, setting, jobs))
    with results_place(folder):
        before = _before(folder, setting)
        course = _course(setting, before, folder)
        session = _Session(inbox, course, before, folder)
        todo = session.begin(again, tell)
        for student, mark in grade(todo, setting):
            tell(session.add(student, mark))
        return session.end()


@contextmanager
def results_place(folder: Path) -> Iterator[None]:
    """Hold the folder of the results; raises `UsageError` if it cannot be written, or another process has it."""
    folder = place(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FORMS).mkdir(exist_ok=True)
        file = open(folder / LOCK, "ab")  # noqa: SIM115  it is held for as long as the batch takes
    except UNUSABLE as error:
        raise UsageError(cannot_write(folder, error)) from None
    with file:
        try:
            free = lock(file.fileno(), folder / LOCK)
        except OSError as error:
            raise UsageError(f"{folder} cannot be used for results: {reason(error)}; {advice(error)}.") from None
        if not free:
            raise UsageError(f"Another process grades into {folder}; wait until it ends, or give another --results.")
        try_write(folder / RESULTS)
        yield


def _before(folder: Path, setting: Setting) -> ClassResults | None:
    """Return the results that are there already, if there are any."""
    path = folder / RESULTS
    return read_results(path) if path.exists() else None


def _course(setting: Setting, before: ClassResults | None, folder: Path) -> Course:
    """Return the course; a secret that is missing is told with what that means for the marks that are there."""
    try:
        course = the_course(setting)
    except UsageError as error:
        if before is not None and before.secret and "secret" in str(error):
            raise UsageError(
                f"{error} The {len(before.submissions)} marks in {folder} were made with the secret {before.secret}: with "
                "a new one every student gets other hidden seeds, so look for the old file first."
            ) from None
        raise
    if before is not None and before.lab != course.lab.name:
        raise UsageError(
            f"{folder} has the results of {before.lab}, not of {course.lab.name}; give another place with --results."
        )
    return course


class _Session:
    """One run of a batch: what is kept, what is graded, and what stands in the file meanwhile."""

    def __init__(self, inbox: Inbox, course: Course, before: ClassResults | None, folder: Path) -> None:
        self.inbox, self.course, self.folder = inbox, course, folder
        self.old = before.submissions if before is not None else {}
        self.handed = {one.student: one for one in inbox.handed}
        self.digests: dict[str, str] = {}
        self.settled: set[str] = set()
        self.unseen = 0
        self.results = ClassResults(
            lab=course.lab.name,
            title=course.lab.title,
            layout=inbox.layout,
            versions=course.versions(""),
            secret=course.secret_id,
            expected=len(self.handed),
            begun=_now(),
            remarks=[*inbox.remarks, *of_the_secret(before, course.secret_id), *self._gone()],
        )
        self.results.versions.pop("seeds")

    def _gone(self) -> Iterator[str]:
        gone = [student for student in self.old if student not in self.handed]
        if gone:
            yield (
                f"{len(gone)} marks from before are of people who are not in this inbox ({', '.join(gone[:5])}"
                f"{', ...' if len(gone) > 5 else ''}); they are kept."
            )

    def begin(self, again: bool, tell: Callable[[Settled], None]) -> list[Job]:
        """Keep what is the same as before, mark what has no notebook, and return the rest as jobs."""
        todo: list[Job] = []
        self.results.submissions = dict(self.old)
        for student, one in self.handed.items():
            old = self.old.get(student)
            basis = self._basis(one)
            if self.course.only is not None:
                if one.path is not None and self._may_be_one(old, basis):
                    todo.append(Job(key=student, path=str(one.path), student=student))
            elif old is not None and not again and basis_of(old) == basis:
                self.results.submissions[student] = replace(old, **_identity(one))
                tell(self._progress(student, again=False))
            elif one.path is None:
                self._put(one, self._without_notebook(one), old)
                tell(self._progress(student, again=True))
            else:
                todo.append(Job(key=student, path=str(one.path), student=student))
        self._write()
        return todo

    def _may_be_one(self, old: StudentResult | None, basis: Basis) -> bool:
        """Tell whether one exercise alone can be graded anew; say so of those for whom it cannot."""
        if old is not None and old.digest == basis.digest:
            return True
        number = self.course.only
        self.unseen += 1
        self.results.remarks[:] = [one for one in self.results.remarks if not one.startswith("Exercise ")]
        self.results.remarks.append(
            f"Exercise {number} was not graded for {self.unseen} who are new or handed in another notebook; grade all exercises."
        )
        return False

    def _without_notebook(self, one: Handed) -> Mark:
        return without_answers(self.course, one.remarks[-1], one.student)

    def _basis(self, one: Handed) -> Basis:
        self.digests[one.student] = digest_of(one.path)
        versions = self.course.versions(one.student)
        return Basis(digest=self.digests[one.student], secret=self.course.secret_id, versions=versions)

    def add(self, student: str, mark: Mark) -> Settled:
        """Take in a mark, and write it down."""
        self._put(self.handed[student], mark, self.old.get(student))
        self._write()
        result = self.results.submissions[student]
        write_whole(self.folder / FORMS / file_name(student), as_text(as_gradescope(result)))
        return self._progress(student, again=True)

    def _put(self, one: Handed, mark: Mark, old: StudentResult | None) -> None:
        about = {"digest": self.digests[one.student], "graded": _now()} | _identity(one)
        result = msgspec.convert(dict(mark) | about, StudentResult)
        if old is not None and self.course.only is not None:
            result = with_one_anew(old, result, self.course.only)
            result.earlier = _earlier(old) if old.score != result.score else old.earlier
        elif old is not None:
            result.earlier = (
                _earlier(old) if basis_of(old) != basis_of(result) or old.score != result.score else old.earlier
            )
            result.changes = explain(old, result) or old.changes
        self.results.submissions[one.student] = result

    def end(self) -> ClassResults:
        """Say what is alike, write all of it once more, and return it."""
        graded = self.results.submissions
        paths = {name: one.path for name, one in self.handed.items() if one.path is not None and name in graded}
        for student, hints in likenesses(paths, self.course).items():
            graded[student].hints = hints
        every = [graded[one] for one in self.handed if one in graded]
        self.results.remarks += [*of_versions(every, self.course.lab.version), *of_another_version(every)]
        self._write()
        return self.results

    def _write(self) -> None:
        found = self.results.submissions
        self.results.submissions = {one: found[one] for one in (*self.handed, *self.old) if one in found}
        self.results.written = _now()
        write_results(self.folder / RESULTS, self.results)

    def _progress(self, student: str, again: bool) -> Settled:
        self.settled.add(student)
        return Settled(
            total=len(self.handed), done=len(self.settled), result=self.results.submissions[student], again=again
        )


def _identity(one: Handed) -> dict[str, Any]:
    """Return what a result says of the submission, which may be told otherwise each time."""
    return {
        "student": one.student,
        "name": one.name,
        "ids": one.ids,
        "members": one.members,
        "path": one.shown,
        "submitted": one.submitted.isoformat() if one.submitted is not None else None,
        "late": one.late,
        "remarks": one.remarks,
    }


def _earlier(old: StudentResult) -> EarlierMark:
    return EarlierMark(
        score=old.score, max_score=old.max_score, graded=old.graded, digest=old.digest, versions=old.versions, secret=old.secret
    )  # fmt: skip


def digest_of(path: Path | None) -> str:
    """Return the SHA-256 of a file; empty if it cannot be read."""
    if path is None:
        return ""
    try:
        return hashlib.sha256(read_ordinary(path)).hexdigest()
    except UNUSABLE:
        return ""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
