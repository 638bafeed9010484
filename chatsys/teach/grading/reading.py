"""Reading: the file of a notebook becomes cells with names, whatever it is.

    03-total-order.ipynb --as JSON--> cells, each with its text and its nbgrader id (`grade_id`)

A file that is no notebook is told in a sentence; a cell that has the wrong shape is left out.  Nothing is run, and
nothing is believed: a notebook is text that somebody sent.

Read also `tidying` (which puts right what became of the cells of a lab), `submission` (what is in a notebook).
"""

import json
import re
from pathlib import Path
from typing import Any

from chatsys.errors import UsageError
from chatsys.isolation.drain import say_bytes
from chatsys.surroundings import UNUSABLE, place, read_ordinary, reason

LARGEST = 64 << 20
"""Bytes that a notebook may have."""
PLAY = "play"
"""The tag of cells that are for playing: they do not run when a notebook is graded."""

TYPES = {"code", "markdown", "raw"}
OPENED = re.compile(r"^open_lab\(.{1,20}\bversion *= *(\d{1,6})\)", re.MULTILINE)
"""The line of a lab's page that says its version, for editors that drop metadata."""
Notebook = dict[str, Any]


class Unreadable(UsageError):
    """This is no notebook of this lab; the sentence says what it is instead."""


class Source:
    """The lab's own notebook, as a teacher wrote it: what stands in the locked cells, and what each cell is."""

    def __init__(self, path: Path) -> None:
        notebook, _ = read_notebook(path)
        self.path = path
        self.cells: dict[str, dict[str, Any]] = {grade_id(cell): cell for cell in notebook["cells"] if grade_id(cell)}
        self.metadata: dict[str, Any] = notebook["metadata"]
        self.version = page_version(notebook)
        """Which version of the lab's page this is; None if it does not say."""

    def is_open(self, name: str) -> bool:
        """Tell whether students write this cell: an answer, or a note that is worth nothing."""
        about = about_of(self.cells[name])
        return bool(about.get("solution")) or not (about.get("grade") or about.get("locked"))

    def runs(self, name: str) -> bool:
        """Tell whether this is one of the lab's own cells that runs when a notebook is graded, as it stands here."""
        cell = self.cells[name]
        closed = not (self.is_open(name) or about_of(cell).get("grade") or plays(cell))
        return closed and cell["cell_type"] == "code"

    def by_hand(self) -> list[str]:
        """Return the cells that a person marks."""
        abouts = map(about_of, self.cells.values())
        return [str(about["grade_id"]) for about in abouts if about.get("grade") and about.get("solution")]


def find_source(lab: str, course: str | Path | None = None, released: bool = False) -> Path:
    """Return the source notebook of a lab: below `course`, a clone's labs/; else looking upwards from here.

    `lab` may also be a path, of the notebook or of its folder.  `released`: where there is no source, as in a student's
    bundle, the notebook that students get will do.  Raises `UsageError` if there is none.
    """
    given = place(lab)
    if given.suffix == ".ipynb" and given.is_file():
        return given.resolve()
    homes = [Path.cwd(), *Path.cwd().parents, Path(__file__).resolve().parents[3]]
    courses = [folder / "labs" for folder in homes] if course is None else [place(course)]
    folders = [given] * (course is None) + [
        folder / kind / lab for kind in ("source", *["release"] * released) for folder in courses
    ]
    for folder in folders if lab.strip(".") else ():
        if found := sorted(folder.glob("*.ipynb")):
            return found[0].resolve()
    if not released and lab.strip(".") and any((folder / "release" / lab).is_dir() for folder in courses):
        raise UsageError(
            f"The source and the keys of {lab} are not here, as in a student's copy of chatsys; grade what students can "
            "grade themselves with --public, or give the labs folder of a teacher's clone with --course."
        )
    if course is None:
        raise UsageError(
            f"There is no lab {lab!r} under labs/source; give its folder's name, for example 03-total-order, "
            "and with --course the labs folder of your clone."
        )
    raise UsageError(f"There is no lab {lab!r} under {courses[0] / 'source'}; give the labs folder of a clone.")


# --- from the file -------------------------------------------------------------------------------------


def read_notebook(path: Path) -> tuple[Notebook, list[str]]:
    """Return the notebook at `path` as plain data, with remarks; raises `Unreadable` with a sentence."""
    try:
        size = path.stat().st_size
        data = read_ordinary(path) if size <= LARGEST else b""
    except UNUSABLE as error:
        raise Unreadable(f"This file cannot be read: {reason(error)}.") from None
    if size > LARGEST:
        raise Unreadable(
            f"This file has {say_bytes(size)}, and a notebook may have {say_bytes(LARGEST)}; clear its outputs."
        )
    remarks = []
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        remarks.append("the file began with a byte order mark, which was taken away")
    return _with_cells(_decoded(data), remarks), remarks


def _decoded(data: bytes) -> Any:
    if not data.strip():
        raise Unreadable("This is no notebook: the file is empty.")
    try:
        return json.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise Unreadable("This is no notebook: it is not text in UTF-8.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Unreadable(f"This is no notebook: it is not JSON ({error.msg} at {where}).") from None
    except (ValueError, RecursionError, MemoryError):
        raise Unreadable("This is no notebook: it is JSON of a kind that no notebook has.") from None


def _with_cells(found: Any, remarks: list[str]) -> Notebook:
    """Return what was read as a notebook with sound cells."""
    if isinstance(found, dict) and isinstance(found.get("worksheets"), list):
        found = _newer(found)
        remarks.append("the notebook had an old format (nbformat 3) and was brought to the present one")
    if not (isinstance(found, dict) and isinstance(found.get("cells"), list)):
        raise Unreadable("This is no notebook: it has no cells.")
    if found.get("nbformat") != 4:
        raise Unreadable(f"This notebook has the format {found.get('nbformat')!r:.20}; chatsys reads format 4 (and 3).")
    sound = []
    for number, cell in enumerate(found["cells"], 1):
        if _is_sound(cell):
            sound.append(cell)
        else:
            remarks.append(f"cell number {number} is damaged and was left out")
    found["cells"] = sound
    if not isinstance(found.get("metadata"), dict):
        found["metadata"] = {}
    return found


def _newer(found: Any) -> Any:
    import nbformat  # takes a second to import, and hardly anybody needs it

    try:
        return json.loads(json.dumps(nbformat.convert(nbformat.from_dict(found), 4)))  # type: ignore[no-untyped-call]
    except Exception:
        raise Unreadable("This notebook has an old format, and cannot be brought to the present one.") from None


def _is_sound(cell: Any) -> bool:
    """Tell whether this is a cell; mend what does not matter."""
    if not (isinstance(cell, dict) and cell.get("cell_type") in TYPES):
        return False
    source = cell.get("source")
    if not (isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))):
        return False
    if not isinstance(cell.get("metadata"), dict):
        cell["metadata"] = {}
    if not isinstance(cell["metadata"].get("nbgrader", {}), dict):
        del cell["metadata"]["nbgrader"]
    return True


def page_version(notebook: Notebook) -> int | None:
    """Return the version of the lab's page that a notebook was made of, as it says itself; None if it does not."""
    about = notebook["metadata"].get("chatsys")
    version = about.get("version") if isinstance(about, dict) else None
    if type(version) is int and 0 < version < 1_000_000:
        return version
    lines = (OPENED.search(text_of(cell)[:1000]) for cell in notebook["cells"] if cell["cell_type"] == "code")
    return next((int(found[1]) for found in lines if found), None)


def about_of(cell: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return found


def grade_id(cell: dict[str, Any]) -> str:
    """Return the nbgrader id of a cell, or "" if it has none."""
    name = about_of(cell).get("grade_id")
    return name if isinstance(name, str) else ""


def text_of(cell: dict[str, Any]) -> str:
    """Return what stands in a cell; halves of characters, which no program can hold, become question marks."""
    source = cell["source"]
    whole = source if isinstance(source, str) else "".join(source)
    return whole.encode("utf-8", "replace").decode("utf-8")


def plays(cell: dict[str, Any]) -> bool:
    tags = cell["metadata"].get("tags", [])
    return isinstance(tags, list) and PLAY in tags
