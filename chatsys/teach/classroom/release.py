"""A release: what students get of a course, as one folder or one zip.

    OUT/  README.md  Makefile            their own: a lab is done with `make lab` and `make test`
          notebooks/  labs/release/      without the instructor's
          chatsys/                       without the closed pages of `mutants`
          binder/  deploy/  environment.yml  constraints.txt  pyproject.toml

Keys, sources and hidden checks stay where they are.  Before anything is written, every file of it is searched for every
answer of the course (`leaks`), so that a solution that somebody left in a notebook does not get out.

Promises  the place is tried before the work; OUT is whole or not there; a lab does not go out changed under an old version.
Read also `leaks`, `mutants.closed` (what of the mutants stays), `autograder` (what has the keys).
"""

import os
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from chatsys.errors import ChatsysError, UsageError
from chatsys.mutants.closed import CLOSED
from chatsys.surroundings import UNUSABLE, advice, place, reason
from chatsys.teach.classroom.leaks import find_leaks, secrets_of
from chatsys.teach.grading.grader import find_lab
from chatsys.teach.grading.lab import Lab
from chatsys.teach.grading.versions import check_kept
from chatsys.teach.grading.versions import keep as keep_version
from chatsys.teach.grading.written import open_answers
from chatsys.teach.labs.path import labs_in_order, with_facts
from chatsys.temporary import remove

BUNDLE = Path(__file__).with_name("bundle")
"""What students get in the place of the project's own pages."""
FILES = ("LICENSE", "constraints.txt", "environment.yml", ".gitignore")
FOLDERS = ("chatsys", "notebooks/images", "binder", "deploy")
INSTRUCTORS = ("instructor.ipynb",)
"""Notebooks that are no student's."""
WORKED = {"__pycache__", "data"}
"""Folders that came with the work: compiled files; saved runs, logs, and what the instructor's notebook keeps of a class."""
COMPILED = {".pyc", ".pyo", ".so", ".pyd"}


def write_release(
    out: Path, labs: Sequence[str] = (), course: Path | None = None, *, keep: bool = True
) -> Iterator[str]:
    """Write what students get to `out`, a new folder or a name that ends in .zip, and say what is in it.

    `labs` are the labs that are given out; all that have a release, if none is named.  `keep`: their versions are kept in
    labs/versions, so that they can be graded after a change.  Raises `UsageError` for a place that does not do or a lab that
    changed under the same version, and `ChatsysError` if an answer would get out.
    """
    root = _project(course)
    out = place(out)
    _check_place(out, root)
    chosen = _chosen(root / "labs", labs)
    handed = list(_handed_out(root / "labs", chosen)) if keep else []
    for lab, page in handed:
        check_kept(root / "labs", lab, page)
    half = out.with_name(f".{out.name}.new")
    remove(half)
    try:
        half.mkdir()
        for name, path in _files(root, chosen):
            goal = half / name
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, goal)
        _put_pages(half, root, chosen)
        _search(half, root)
        count = sum(1 for path in half.rglob("*") if path.is_file())
        _finish(half, out)
    except OSError as error:
        raise ChatsysError(f"{out} cannot be written: {reason(error)}; {advice(error)}.") from None
    finally:
        remove(half)
    yield f"{out}: {count} files; labs {', '.join(chosen)}."
    yield "No answer, no solution and no closed mutant was found in any of them."
    if folders := [keep_version(root / "labs", lab, page) for lab, page in handed]:
        kept = ", ".join(f"{folder.parent.name} {folder.name}" for folder in folders)
        yield f"Kept in {root / 'labs' / 'versions'}: {kept}. Commit it: notebooks of these versions are graded by them."


def _handed_out(labs: Path, names: Sequence[str]) -> Iterator[tuple[Lab, Path]]:
    """Yield each lab that has a declaration, with the page that students get."""
    for name in names:
        if (lab := find_lab(name)) is not None and (page := labs / "release" / name / f"{name}.ipynb").is_file():
            yield lab, page


def _project(course: Path | None) -> Path:
    """Return the folder of the project: the one around its labs/."""
    homes = [Path.cwd(), *Path.cwd().parents, Path(__file__).resolve().parents[3]]
    folders = [place(course).resolve().parent] if course is not None else homes
    for folder in folders:
        if (folder / "pyproject.toml").is_file() and (folder / "labs" / "source").is_dir():
            return folder.resolve()
    raise UsageError(
        "A release is made from a teacher's clone, with labs/source and labs/keys, and there is none here; run this in it, "
        "or give its labs folder with --course."
    )


def _check_place(out: Path, root: Path) -> None:
    """Refuse a place that is there, that lies in the project, or that cannot be written."""
    try:
        if os.path.lexists(out):
            raise UsageError(f"{out} is there already; name another place, or remove it first.")
        if out.resolve().is_relative_to(root):
            raise UsageError(
                f"{out} lies inside of the project, where it would be taken for a part of it; name a place outside."
            )
        trial = out.with_name(f".{out.name}.new")
        remove(trial)
        trial.mkdir()
        trial.rmdir()
    except UNUSABLE as error:
        raise UsageError(f"{out} cannot be written: {reason(error)}; {advice(error)}.") from None


def _chosen(labs: Path, asked: Sequence[str]) -> list[str]:
    """Return the labs that are given out; raises `UsageError` for one that has no release."""
    there = sorted(path.parent.name for path in (labs / "release").glob("*/*.ipynb"))
    for name in asked:
        if name not in there:
            raise UsageError(
                f"There is no release of a lab {name!r}; there are {', '.join(there) or 'none'}. "
                f"Make it with nbgrader generate_assignment in {labs}."
            )
    if not there:
        raise UsageError(f"There is no release below {labs}; make one with nbgrader generate_assignment there.")
    return [name for name in there if not asked or name in asked]


def _files(root: Path, labs: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Yield (name in the bundle, file) of all that is copied as it is."""
    for name in FILES:
        if (root / name).is_file():
            yield name, root / name
    for path in sorted((root / "notebooks").glob("*.ipynb")):  # what lies deeper may be somebody's, who worked there
        if _belongs(name := path.relative_to(root).as_posix()):
            yield name, path
    for folder in (*FOLDERS, *(f"labs/release/{lab}" for lab in labs)):
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and not path.is_symlink() and _belongs(name):
                yield name, path


def _belongs(name: str) -> bool:
    parts = name.split("/")
    if any(part.startswith(".") or part in WORKED for part in parts) or Path(name).suffix in COMPILED:
        return False
    inside = name.removeprefix("chatsys/mutants/")
    closed = inside != name and any(inside == one or (one.endswith("/") and inside.startswith(one)) for one in CLOSED)
    return not closed and parts[-1] not in INSTRUCTORS and not name.startswith("chatsys/teach/classroom/bundle/")


def _put_pages(bundle: Path, root: Path, labs: Sequence[str]) -> None:
    """Write the pages that students get in the place of the project's own."""
    shutil.copy(BUNDLE / "Makefile", bundle)
    page = (BUNDLE / "README.md").read_text(encoding="utf-8")
    listed = ", ".join(f"`{lab}`" for lab in labs) + "."
    (bundle / "README.md").write_text(page.replace("LABS", listed).replace("FIRST", labs[0]), encoding="utf-8")
    _put_path(bundle, root / "labs" / "README.md", labs)
    project = (root / "pyproject.toml").read_text(encoding="utf-8").splitlines(keepends=True)
    carried = re.compile(r'"(notebooks/[^"]+)" = ')
    kept = [line for line in project if (match := carried.match(line)) is None or (bundle / match[1]).exists()]
    (bundle / "pyproject.toml").write_text("".join(kept), encoding="utf-8")


def _put_path(bundle: Path, path: Path, labs: Sequence[str]) -> None:
    """Write the path through these labs, if the course has one."""
    if path.is_file():
        told = with_facts(path.read_text(encoding="utf-8"), [lab for lab in labs_in_order() if lab.name in labs])
        (bundle / "labs").mkdir(exist_ok=True)
        (bundle / "labs" / "README.md").write_text(told, encoding="utf-8")


def _search(bundle: Path, root: Path) -> None:
    """Raise `ChatsysError` if an answer stands in the bundle."""
    secrets = secrets_of(root / "labs", closed_pages(root / "chatsys" / "mutants"))
    for path in (root / "chatsys" / "teach" / "labs").rglob("*.py"):
        secrets.open(path.read_text(encoding="utf-8"), shapes=False)
    for text in open_mistakes(path.name for path in (root / "labs" / "source").iterdir()):
        secrets.open(text, shapes=True)
    if found := find_leaks(bundle, secrets):
        more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
        raise ChatsysError(
            f"Nothing was written, for an answer would get out: {'; '.join(found[:3])}{more}. Take it out of that file first."
        )


def closed_pages(mutants: Path) -> list[Path]:
    """Return the files of the mutants that no student gets."""
    found: list[Path] = []
    for name in CLOSED:
        found += sorted((mutants / name).rglob("*.py")) if name.endswith("/") else [mutants / name]
    return [path for path in found if path.is_file()]


def open_mistakes(labs: Iterable[str]) -> Iterator[str]:
    """Yield the source of the answers that labs show to students on purpose, for their written tests."""
    import inspect

    for name in labs:
        lab = find_lab(name)
        for test in lab.tests if lab is not None else ():
            mistakes, right = open_answers(test)
            for cls in (*mistakes.values(), *right.values()):
                yield inspect.getsource(cls)


def _finish(half: Path, out: Path) -> None:
    """Put the bundle where it was asked for."""
    if out.suffix.lower() != ".zip":
        half.rename(out)
        return
    packed = half / ".packed.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(half.rglob("*")):
            if path.is_file() and path != packed:
                archive.write(path, f"{out.stem}/{path.relative_to(half).as_posix()}")
    packed.rename(out)
