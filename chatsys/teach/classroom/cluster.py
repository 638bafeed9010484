"""A cluster: the notebooks of a class graded on many machines, by dask.

    this machine --course, notebooks--> scheduler --> workers, each with chatsys and nothing of the course
                 <------- marks -------     |
                                            `- gone: one sentence; what was graded is kept

A worker gets the source, the keys and the secret with its first notebook, reads them into its memory, and removes the
files before any cell runs.  They travel as the scheduler's address says: over tls:// encrypted, over tcp:// not, so
tcp:// is for machines and a network of one's own.

    dask scheduler                                     on one machine
    dask worker ADDRESS --nthreads 1 --nworkers 4      on each; the same chatsys is installed there: pip install "chatsys[cluster]"

Assumes   workers have the same chatsys; a mark from another one is refused.
Promises  the marks of `jobs.grade_each`; a worker that dies costs nobody anything, its notebook goes to another one.
Read also `batch`, `jobs` (one machine).
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from chatsys.errors import ChatsysError, UsageError, named
from chatsys.surroundings import UNUSABLE, place
from chatsys.teach.classroom.jobs import Job, Setting, flagged, grade_one, the_course
from chatsys.teach.grading.course import Course, open_course
from chatsys.teach.grading.marking import Mark
from chatsys.teach.grading.reading import LARGEST
from chatsys.teach.grading.versions import kept_files
from chatsys.temporary import remove, temporary

CONNECT, PATIENCE = 10.0, 15.0
"""Seconds until a scheduler is taken for missing: at the beginning, and in the middle of the work."""


class CoursePackage(msgspec.Struct, frozen=True):
    """What a worker needs of a course: files below labs/, by their names."""

    lab: str
    public: bool
    files: dict[str, bytes]
    exercise: str | None = None
    """The one exercise that is judged; None: all of them."""

    @property
    def digest(self) -> str:
        """A short name of all of it."""
        text = f"{self.exercise}\n" + "".join(
            f"{name} {hashlib.sha256(data).hexdigest()}\n" for name, data in sorted(self.files.items())
        )
        return hashlib.sha256(text.encode()).hexdigest()


def on_scheduler(address: str) -> Callable[[Sequence[Job], Setting], Iterator[tuple[str, Mark]]]:
    """Return who grades on the workers of this scheduler; raises `UsageError` if dask is not installed."""
    try:
        import_module("distributed")
    except ImportError:
        raise UsageError(
            '--scheduler needs the package distributed, which is not installed; install it with: pip install "chatsys[cluster]"'
        ) from None

    def grade(jobs: Sequence[Job], setting: Setting) -> Iterator[tuple[str, Mark]]:
        if jobs:
            yield from _graded(address, jobs, setting)

    return grade


def _graded(address: str, jobs: Sequence[Job], setting: Setting) -> Iterator[tuple[str, Mark]]:
    course, client = the_course(setting), _connect(address)
    try:
        package = client.scatter(packed(setting, course), broadcast=True)
        waiting = {
            client.submit(grade_far, package, _bytes(job.path), Path(job.path).name, job.student, pure=False): job
            for job in jobs
        }
        while waiting:
            for future in _some_done(client, list(waiting), address):
                job = waiting.pop(future)
                yield job.key, _mark(future, course, job.student, address)
    except (OSError, TimeoutError) as error:  # distributed's errors of a connection are OSErrors
        raise _gone(address, error) from None
    finally:
        client.close(timeout=2)


def _connect(address: str) -> Any:
    """Return a client of the scheduler; raises `UsageError` if there is none, or no worker."""
    distributed: Any = import_module("distributed")  # its types are known where it is installed, and only there
    import_module("dask").config.set({"distributed.comm.timeouts.connect": f"{CONNECT}s"})
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # it is told here, in a sentence
    try:
        client = distributed.Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise UsageError(
            f"There is no scheduler of dask at {address!r} ({named(error, 120)}); start one with dask scheduler, and give "
            "the address that it prints."
        ) from None
    if not client.scheduler_info(n_workers=-1)["workers"]:
        client.close(timeout=2)
        raise UsageError(
            f"The scheduler at {address} has no worker; start some with: dask worker {address} --nthreads 1"
        )
    return client


def _some_done(client: Any, futures: list[Any], address: str) -> list[Any]:
    """Return those that are done, as soon as there are any; raises `ChatsysError` if the scheduler is gone."""
    lost: float | None = None
    while True:
        done = [future for future in futures if future.status in ("finished", "error")]
        if done:
            return done
        if client.status == "running" and not any(future.status in ("lost", "cancelled") for future in futures):
            lost = None
        elif lost is None:
            lost = time.monotonic()
        elif time.monotonic() - lost > PATIENCE or client.status == "closed":
            raise _gone(address, None)
        time.sleep(0.1)


def _gone(address: str, error: Exception | None) -> ChatsysError:
    why = f" ({named(error, 120)})" if error is not None else ""
    return ChatsysError(
        f"The scheduler at {address} is gone{why}; what was graded is kept. Start it again and give the same command, or leave "
        "--scheduler out."
    )


def _mark(future: Any, course: Course, student: str, address: str) -> Mark:
    """Return the mark that a worker made; one of another chatsys is refused."""
    if future.status == "error":
        return flagged(course, f"This notebook could not be graded: {named(future.exception(), 200)}.", student)
    mark = Mark(future.result())
    ours = course.versions(student)
    for name in ("chatsys", "lab"):
        if mark["versions"][name] != ours[name]:
            raise ChatsysError(
                f"A worker of {address} has another chatsys than this machine ({name} {mark['versions'][name]}, here "
                f"{ours[name]}); install the same one there, and start it again."
            )
    return mark


def _bytes(path: str) -> bytes:
    """Return what is handed over of a file; of one that is too large so much that the worker can say so."""
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST + 1)
    except UNUSABLE:
        return b""


def packed(setting: Setting, course: Course) -> CoursePackage:
    """Return the files of a course that its workers need."""
    source = course.source.path
    labs = place(setting.course).resolve() if setting.course is not None else source.parents[2]
    files = {f"source/{course.lab.name}/{source.name}": source.read_bytes()}
    files |= {name: path.read_bytes() for name, path in kept_files(labs, course.lab.name)}
    if not setting.public:
        secret = place(setting.secret) if setting.secret is not None else labs / "keys" / "secret"
        files["keys/secret"] = secret.read_bytes()
        for path in sorted((labs / "keys" / course.lab.name).iterdir()):
            if path.is_file():
                files[f"keys/{course.lab.name}/{path.name}"] = path.read_bytes()
    return CoursePackage(course.lab.name, setting.public, files, setting.exercise)


# --- at the worker ----------------------------------------------------------------------------------------

_one_at_a_time = threading.Lock()
_courses: dict[str, Course] = {}
"""What this worker has read, by the digests of the packages."""


def grade_far(package: CoursePackage, notebook: bytes, name: str, student: str) -> dict[str, Any]:
    """Grade one notebook; run by a worker, whose threads take turns."""
    with _one_at_a_time:
        if package.digest not in _courses:
            _courses[package.digest] = unpacked(package)
        folder = temporary()
        try:
            path = folder / name
            path.write_bytes(notebook)
            return dict(grade_one(path, _courses[package.digest], student))
        finally:
            remove(folder)


def unpacked(package: CoursePackage) -> Course:
    """Return the course of a package, read into memory; its files are removed."""
    folder = temporary()
    try:
        for name, data in package.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return open_course(package.lab, folder, None, package.public).of_exercise(package.exercise)
    finally:
        remove(folder)
