"""Layouts: how platforms lay what a class handed in, and whose each notebook is.

    moodle      Firstname Lastname_12345_assignsubmission_file/03-total-order.ipynb     ..._onlinetext/onlinetext.html
    canvas      lastnamefirstname_123_456_03-total-order.ipynb     lastnamefirstname_LATE_123_457_03-total-order-1.ipynb
    nbgrader    submitted/ann/03-total-order/03-total-order.ipynb  submitted/ann/03-total-order/timestamp.txt
    gradescope  assignment_9_export/submission_metadata.yml        assignment_9_export/submission_123/...
    plain       anything else: ann.ipynb, or ann/03-total-order.ipynb

The forms are those of the platforms' own code and pages: Moodle's `mod/assign` (download all submissions, with and
without folders: the number is the participant's, which its grading worksheet calls "Participant 12345"), Canvas's
`lib/content_zipper` (name, LATE, number of the user, number of the file), nbgrader's page *The philosophy and the approach*
(submitted/{student_id}/{assignment_id}), and the export of Gradescope's *Review Grades* page.

Promises  whatever is no submission is told, and nothing raises for one student.
Read also `inbox` (which layout it is, two submissions of one id, zips), `batch`.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import yaml

from chatsys.escape import escape
from chatsys.surroundings import UNUSABLE, reason
from chatsys.teach.classroom.handed import (
    Handed,
    alone,
    entries,
    files_below,
    notebooks_of,
    plainly,
    stays_inside,
    submissions_of,
)

MOODLE = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?P<plugin>[a-z]+)(?:_(?P<file>.*))?")
CANVAS = re.compile(
    r"(?:(?!LATE_)(?P<name>.*?)_)?(?:(?P<late>LATE)_)?(?P<user>\d+|anon_[A-Za-z0-9]+)_"
    r"(?:(?P<file>\d+)_(?P<rest>.+)|(?P<typed>text|link)\.html)"
)
METADATA, TIMESTAMP = "submission_metadata.yml", "timestamp.txt"


class Layout(msgspec.Struct, frozen=True):
    """One way in which submissions lie in a folder."""

    name: str
    find: Callable[[Path, str], Path | None]
    """(folder, lab) -> the folder from which it counts, if this is the layout."""
    read: Callable[[Path, str], Iterator[Handed | str]]
    """(that folder, lab) -> submissions, and sentences about what is none."""


# --- Moodle ----------------------------------------------------------------------------------------------


def _find_moodle(folder: Path, lab: str) -> Path | None:
    return folder if any(MOODLE.fullmatch(path.name) for path in entries(folder)) else None


def _read_moodle(folder: Path, lab: str) -> Iterator[Handed | str]:
    """Yield the submissions of Moodle: a folder for each participant and kind, or a file for each of their files."""
    people: dict[str, tuple[Handed, list[Path]]] = {}
    for path in entries(folder):
        match = MOODLE.fullmatch(plainly(path.name))
        if match is None:
            yield from _strangers(path, folder, lab)
            continue
        number = match["id"]
        first = Handed(student=number, name=match["name"], ids={"moodle": number}, shown=path.name)
        whose, files = people.setdefault(number, (first, []))
        if match["plugin"] == "onlinetext":
            whose.remarks = ["Text that was typed into Moodle came with it; it is not graded."]
        if path.is_dir():
            files += files_below(path)
        elif stays_inside(path, folder):
            files.append(path)
    for whose, files in people.values():
        yield from submissions_of(whose, files, lab, folder, _without_prefix)


def _without_prefix(path: Path) -> str:
    match = MOODLE.fullmatch(path.name)
    return match["file"] or "" if match is not None else path.name


# --- Canvas ----------------------------------------------------------------------------------------------


def _find_canvas(folder: Path, lab: str) -> Path | None:
    names = [path.name for path in entries(folder) if path.is_file()]
    ours = sum(CANVAS.fullmatch(name) is not None for name in names)
    return folder if ours and 2 * ours >= len(names) else None


def _read_canvas(folder: Path, lab: str) -> Iterator[Handed | str]:
    """Yield the submissions of Canvas: one file for each file of a student; a later one has the larger number."""
    for path in entries(folder):
        match = CANVAS.fullmatch(plainly(path.name)) if path.is_file() else None
        if match is None:
            yield from _strangers(path, folder, lab)
            continue
        whose = Handed(
            student=match["user"],
            name=match["name"] or "",
            ids={} if match["user"].startswith("anon_") else {"canvas": match["user"]},
            shown=path.name,
            late=match["late"] is not None,
            order=(float(match["file"] or 0),),
        )
        own_name = match["rest"] or ""
        files = [path] if stays_inside(path, folder) else []
        yield from submissions_of(whose, files, lab, folder, lambda _, name=own_name: name)  # type: ignore[misc]


# --- nbgrader --------------------------------------------------------------------------------------------


def _find_nbgrader(folder: Path, lab: str) -> Path | None:
    for root in (folder / "submitted", folder):
        if root.is_dir() and any((path / lab).is_dir() for path in entries(root)):
            return root
    return None


def _read_nbgrader(root: Path, lab: str) -> Iterator[Handed | str]:
    """Yield the submissions of nbgrader: submitted/ID/LAB/LAB.ipynb, with the time in timestamp.txt."""
    for home in entries(root):
        if not home.is_dir():
            yield f"{escape(home.name)} is no folder of a student, and was left out."
            continue
        whose = Handed(student=plainly(home.name), shown=f"{home.name}/{lab}")
        if not (home / lab).is_dir():
            whose.remarks = [f"The folder has nothing of {lab}."]
            yield whose
            continue
        files = files_below(home / lab)
        stamp = next((path for path in files if path.name == TIMESTAMP), None)
        if stamp is not None:
            whose.submitted, whose.remarks = _time_in(stamp)
        yield from submissions_of(whose, [path for path in files if path.name != TIMESTAMP], lab, root)


def _time_in(path: Path) -> tuple[datetime | None, list[str]]:
    """Return what timestamp.txt says: "2026-11-25 21:00:00.123456 UTC", or with the name of a time zone."""
    try:
        text = path.read_text(encoding="utf-8")[:100].strip()
        day, clock, *zone = text.split()
        time = datetime.fromisoformat(f"{day} {clock}")
        if time.tzinfo is None:
            time = time.replace(tzinfo=ZoneInfo(zone[0]) if zone else UTC)
        return time, []
    except (*UNUSABLE, KeyError):
        return None, ["The time in timestamp.txt cannot be read."]


# --- Gradescope ------------------------------------------------------------------------------------------


class _Metadata(yaml.SafeLoader):
    """Reads the export, which is written by Ruby: what only Ruby knows is read as what it holds."""


def _plain_node(loader: Any, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else node.value


_Metadata.add_multi_constructor("!", _plain_node)


def _find_gradescope(folder: Path, lab: str) -> Path | None:
    roots = (folder, *(path for path in entries(folder) if path.is_dir() and path.name.startswith("assignment_")))
    return next((root for root in roots if (root / METADATA).is_file()), None)


def _read_gradescope(root: Path, lab: str) -> Iterator[Handed | str]:
    """Yield the submissions of Gradescope's export: the metadata says whose each folder is; a group has one."""
    try:
        text = (root / METADATA).read_text(encoding="utf-8")
        known = yaml.load(text, Loader=_Metadata)
        known = known if isinstance(known, dict) else {}
    except (*UNUSABLE, yaml.YAMLError, RecursionError) as error:
        why = reason(error) if isinstance(error, OSError) else "it is not YAML"
        known = {}
        yield f"{METADATA} cannot be read ({why}), so nobody knows whose the submissions are; their folders' names stand for ids."
    for home in entries(root):
        if home.name == METADATA:
            continue
        whose = _submitter(known.pop(home.name, None), home.name)
        yield from submissions_of(whose, files_below(home) if home.is_dir() else [home], lab, root)
    for name, entry in known.items():
        if isinstance(name, str) and name.startswith("submission"):
            whose = _submitter(entry, name)
            whose.remarks = ["Its folder is missing in the export."]
            yield whose


def _submitter(entry: Any, folder: str) -> Handed:
    """Return whose a submission is: the first of its submitters counts for the seeds, the others are members."""
    whose = Handed(student=plainly(folder), shown=folder)
    people = entry.get(":submitters") if isinstance(entry, dict) else None
    found = [_person(one) for one in people if isinstance(one, dict)] if isinstance(people, list) else []
    found = [one for one in found if one["student"]]
    created = entry.get(":created_at") if isinstance(entry, dict) else None
    if isinstance(created, datetime):
        whose.submitted = created if created.tzinfo else created.replace(tzinfo=UTC)
    if not found:
        whose.remarks = ["The export does not say whose this is; the folder's name stands for an id."]
        return whose
    first, *whose.members = found
    whose.student, whose.name = first["student"], first.get("name", "")
    whose.ids = {key: value for key, value in first.items() if key in ("email", "sid")}
    return whose


def _person(one: dict[str, Any]) -> dict[str, str]:
    """Return a person of the export; the address is the id, for it is what the autograder sees, too."""
    told = {key: plainly(str(one[f":{key}"])).strip() for key in ("name", "sid", "email") if one.get(f":{key}")}
    return {"student": told.get("email") or told.get("sid") or "", **told}


# --- anything else ---------------------------------------------------------------------------------------


def _read_plain(folder: Path, lab: str) -> Iterator[Handed | str]:
    """Yield every notebook below a folder; its file, or the folder around it, has the name of the student."""
    for path in files_below(folder):
        if path.suffix.lower() == ".ipynb":
            yield alone(path, lab, folder)


def _strangers(path: Path, root: Path, lab: str) -> Iterator[Handed | str]:
    """Yield the notebooks of what has not the form of the layout, and a sentence about it."""
    found = notebooks_of(files_below(path) if path.is_dir() else [path] * stays_inside(path, root))
    for one in found:
        handed = alone(one, lab, root)
        handed.remarks = [f"Its name has no id; {escape(handed.student[:60])} stands for one."]
        yield handed
    if not found:
        yield f"{escape(path.name[:80])} is no submission, and was left out."


LAYOUTS = (
    Layout("gradescope", _find_gradescope, _read_gradescope),
    Layout("moodle", _find_moodle, _read_moodle),
    Layout("nbgrader", _find_nbgrader, _read_nbgrader),
    Layout("canvas", _find_canvas, _read_canvas),
    Layout("plain", lambda folder, lab: folder, _read_plain),
)
"""The first one that finds its form in a folder reads it."""
