"""A course: everything that is needed to mark notebooks of one lab, read before the first of them is opened.

    labs/   source/<lab>/<lab>.ipynb   keys/<lab>/   keys/secret   --open_course--> Course

Assumes   the folder of the course as in a clone.
Promises  what is missing or broken is told in one sentence; a mark hangs on the notebook, the secret and `versions` alone.
Read also `keys`, `seeds`, `marking` (who uses it).
"""

import ast
import hashlib
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from chatsys import __version__
from chatsys.errors import UsageError
from chatsys.surroundings import place
from chatsys.teach.copies import Shape, shape
from chatsys.teach.grading.grader import find_lab
from chatsys.teach.grading.keys import Keys, read_keys, read_secret
from chatsys.teach.grading.lab import Exercise, Kind, Lab
from chatsys.teach.grading.reading import Source, find_source
from chatsys.teach.grading.seeds import digest_seeds, hidden_seeds, secret_id
from chatsys.teach.grading.versions import CarriedVersion, asked_by, differences, kept_files, read_kept, some


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is needed to mark notebooks of one lab, read before the first of them is opened."""

    lab: Lab
    source: Source
    keys: Keys | None
    """None: only what students can grade themselves."""
    secret: bytes
    version: str
    """A short name of the lab's files and keys, so that two marks can be compared."""
    known: tuple[Shape, ...] = ()
    """How the answers in the keys are written."""
    only: str | None = None
    """The number of the one exercise that is judged; None: all of them."""
    kept: dict[int, CarriedVersion] = {}
    """The versions that were handed out before, by their numbers."""

    def of_exercise(self, number: str | None) -> "Course":
        """Return the course that judges one exercise only; raises `UsageError` if the lab has none of this number."""
        there = [*(one.number for one in self.lab.exercises), *(one.number for one in self.lab.tests)]
        if number is not None and number not in there:
            raise UsageError(f"Lab {self.lab.name} has no exercise {number!r:.40}; it has {', '.join(there)}.")
        return msgspec.structs.replace(self, only=number)

    def of_page(self, page: int | None, one_maximum: bool = False) -> tuple["Course", list[str]]:
        """Return the course that grades a notebook of this version of the page, and what to say of it.

        `one_maximum`: where a cell has the same points for everybody, as in nbgrader's gradebook, so that a version with
        other points is graded by today's.
        """
        now = self.lab.version
        if page == now or (page is None and not self.kept):
            return self, []
        if page is None:
            return self, [
                f"this notebook does not say which version of the lab's page it is; it was graded by version {now}"
            ]
        if (kept := self.kept.get(page)) is None:
            return self, [
                f"what version {page} asked for is not kept, so nobody can tell what differs"
            ] if page < now else []
        today = asked_by(self.lab, self.source)
        what = f"version {now} differs ({some(differences(kept.asked, today)) or 'in nothing that counts'})"
        if kept.lab is None:
            return self, [f"it cannot be graded by version {page} any more: {some(list(kept.why))}; {what}"]
        if one_maximum and kept.asked.points() != today.points():
            return self, [
                f"it was not graded by version {page}, for this gradebook has one number of points for each cell; {what}"
            ]
        told = f"this notebook is version {page} of the lab's page, and it was graded by that version; {what}"
        return msgspec.structs.replace(self, lab=kept.lab, source=kept.source), [told]

    def seeds_for(self, student: str, exercise: Exercise, kind: Kind) -> Sequence[int]:
        """Return the seeds on which this student's answer is tried."""
        if kind == "public" or self.keys is None:
            return range(exercise.public)
        return hidden_seeds(self.secret, self.lab.name, exercise.number, student, exercise.hidden)

    def versions(self, student: str) -> dict[str, str]:
        """Return what a mark of this student hangs on besides the notebook and the secret."""
        kinds: tuple[Kind, ...] = ("public",) if self.keys is None else ("public", "hidden")
        seeds = [self.seeds_for(student, one, kind) for one in self.lab.exercises for kind in kinds]
        return {
            "chatsys": __version__,
            "lab": f"{self.lab.name} {self.version}",
            "seeds": digest_seeds(seeds),
            "python": platform.python_version(),
        }

    @property
    def secret_id(self) -> str | None:
        """A short name of the secret; None without one."""
        return secret_id(self.secret) if self.secret else None


def open_course(
    lab: str, course: str | Path | None = None, secret: str | Path | None = None, public: bool = False
) -> Course:
    """Return the course that marks `lab`; raises `UsageError` if its notebook, keys or secret are missing."""
    path = find_source(lab, course, released=public)
    declared = find_lab(path.stem)
    if declared is None:
        raise UsageError(f"There is no declaration of a lab {path.stem} in chatsys.teach.labs, so it cannot be graded.")
    folder = place(course) if course is not None else path.parents[2]
    keys = None if public else read_keys(folder, declared)
    kept = b"" if public else read_secret(place(secret) if secret is not None else folder / "keys" / "secret")
    return Course(
        lab=declared, source=Source(path), keys=keys, secret=kept, version=_version_of(declared, path, folder),
        kept=read_kept(folder, declared), known=() if public else tuple(_shapes(folder / "keys" / declared.name / "answers.py")),
    )  # fmt: skip


def _shapes(answers: Path) -> Iterator[Shape]:
    """Yield how each class of the known answers is written."""
    for node in ast.walk(ast.parse(answers.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            yield shape(ast.unparse(node))


def _version_of(lab: Lab, source: Path, folder: Path) -> str:
    """Return a short name of all files that a mark of this lab hangs on."""
    from chatsys.teach import labs

    homes = [*(Path(path) / f"lab{lab.number}" for path in labs.__path__), folder / "keys" / lab.name]
    files = [source, *(path for home in homes for path in sorted(home.glob("*.py")))]
    files += [path for _, path in kept_files(folder, lab.name) if path.parent.name != str(lab.version)]
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:8]
