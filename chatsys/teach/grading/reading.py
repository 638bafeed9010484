"""Reading: a notebook that was handed in becomes cells with names, whatever became of it on its way.

    submitted.ipynb --as JSON--> cells --by their grade_id--> what runs, what a person reads, what was put right

Every cell is found by its nbgrader id (`grade_id`), never by its place: students move cells, double them, delete
them, and turn them into text by accident.  `tidy` puts right what can be put right, in the notebook itself, and says
so; `chatsys tidy` writes the result back, so that nbgrader meets nothing that it stumbles over.

    locked cells     get the text of the lab's own notebook back; what is missing is put in again
    answers          stay as they are; of doubled ones both run, and the later one has the name
    own cells        run, unless they have the tag `play`

Assumes   nbgrader's metadata (schema 3) in the lab's own notebook.
Promises  nothing of the notebook is run, and nothing is believed: what has the wrong shape is left out with a sentence.
Read also `taking` (who runs the cells), `marking` (who reads both), labs/nbgrader_config.py.
"""

import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from chatsys.errors import UsageError
from chatsys.isolation.drain import say_bytes
from chatsys.surroundings import UNUSABLE, read_ordinary, reason

LARGEST = 64 << 20
"""Bytes that a notebook may have."""
PLAY = "play"
"""The tag of cells that are for playing: they do not run when a notebook is graded."""
STUB = "*Write your answer here.*"
"""What stands in a text that nobody has written yet."""

Notebook = dict[str, Any]
TYPES = {"code", "markdown", "raw"}
FIRST_ANSWER = re.compile(r"^(\d{1,2}[a-z]) kept: (.{1,60})$", re.MULTILINE)


class Unreadable(UsageError):
    """This is no notebook of this lab; the sentence says what it is instead."""


class Cell(msgspec.Struct, frozen=True):
    """One cell that runs when the notebook is graded."""

    name: str
    """As a sentence names it: its grade_id, or `number 7`."""
    source: str


class Source:
    """The lab's own notebook, as a teacher wrote it: what stands in the locked cells, and what each cell is."""

    def __init__(self, path: Path) -> None:
        notebook, _ = read_notebook(path)
        self.path = path
        self.cells: dict[str, dict[str, Any]] = {grade_id(cell): cell for cell in notebook["cells"] if grade_id(cell)}
        self.metadata: dict[str, Any] = notebook["metadata"]

    def is_answer(self, name: str) -> bool:
        """Tell whether students write this cell."""
        return bool(_about(self.cells[name]).get("solution"))

    def is_graded(self, name: str) -> bool:
        """Tell whether this cell is worth points that a machine gives."""
        about = _about(self.cells[name])
        return bool(about.get("grade")) and not about.get("solution")

    def by_hand(self) -> list[str]:
        """Return the cells that a person marks."""
        abouts = map(_about, self.cells.values())
        return [str(about["grade_id"]) for about in abouts if about.get("grade") and about.get("solution")]

    def setup(self) -> list[Cell]:
        """Return the locked cells that run when a notebook is graded, as they stand here."""
        return [
            Cell(name, text_of(cell))
            for name, cell in self.cells.items()
            if cell["cell_type"] == "code" and not (self.is_answer(name) or self.is_graded(name) or _plays(cell))
        ]


class Submission(msgspec.Struct, kw_only=True):
    """A notebook that was handed in, as the grader sees it."""

    notebook: Notebook
    remarks: list[str]
    """What was put right, a sentence each."""
    cells: list[Cell]
    """What runs, in this order."""
    texts: dict[str, str]
    """What was written into text cells, by their grade_id."""
    first_answers: dict[str, str]
    """The first answer to each prediction that the outputs show, as it stands there."""


def read(path: Path, source: Source) -> Submission:
    """Read the notebook at `path` and put it right; raises `Unreadable` with a sentence."""
    notebook, remarks = read_notebook(path)
    return understand(notebook, source, remarks)


def understand(notebook: Notebook, source: Source, remarks: list[str] | None = None) -> Submission:
    """Put a notebook right and return what is in it; raises `Unreadable` if it is one of another lab."""
    first = _first_answers(notebook)
    told = [*(remarks or []), *tidy(notebook, source)]
    return Submission(
        notebook=notebook,
        remarks=told,
        cells=[*source.setup(), *_own(notebook, source)],
        texts={grade_id(cell): text_of(cell) for cell in notebook["cells"] if _is_text(cell, source)},
        first_answers=first,
    )


def _own(notebook: Notebook, source: Source) -> Iterator[Cell]:
    """Yield what the student wrote and what runs: answers, and cells of their own."""
    for number, cell in enumerate(notebook["cells"], 1):
        name = grade_id(cell)
        if cell["cell_type"] != "code" or _plays(cell) or (name and not source.is_answer(name)):
            continue
        if text_of(cell).strip():
            yield Cell(name or f"number {number}", text_of(cell))


def _is_text(cell: dict[str, Any], source: Source) -> bool:
    return cell["cell_type"] == "markdown" and bool(name := grade_id(cell)) and source.is_answer(name)


def written_words(text: str) -> int:
    """Return how many words somebody wrote into a text cell; its stub has none."""
    return len(text.replace(STUB, "").split())


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


def _about(cell: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return found


def grade_id(cell: dict[str, Any]) -> str:
    """Return the nbgrader id of a cell, or "" if it has none."""
    name = _about(cell).get("grade_id")
    return name if isinstance(name, str) else ""


def text_of(cell: dict[str, Any]) -> str:
    """Return what stands in a cell; halves of characters, which no program can hold, become question marks."""
    source = cell["source"]
    whole = source if isinstance(source, str) else "".join(source)
    return whole.encode("utf-8", "replace").decode("utf-8")


def _plays(cell: dict[str, Any]) -> bool:
    tags = cell["metadata"].get("tags", [])
    return isinstance(tags, list) and PLAY in tags


def _first_answers(notebook: Notebook) -> dict[str, str]:
    """Return the first answer to each prediction that the outputs of a notebook show."""
    found: dict[str, str] = {}
    for cell in notebook["cells"]:
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else ():
            text = output.get("text") if isinstance(output, dict) else None
            text = "".join(map(str, text)) if isinstance(text, list) else text
            for number, answer in FIRST_ANSWER.findall(text[:100_000]) if isinstance(text, str) else ():
                found.setdefault(number, answer.strip())
    return found


# --- putting right -------------------------------------------------------------------------------------


def tidy(notebook: Notebook, source: Source) -> list[str]:
    """Put right what became of the cells of the lab, in place; return what was done, a sentence each.

    Raises `Unreadable` if not one cell of this lab is there.
    """
    there = [grade_id(cell) for cell in notebook["cells"] if grade_id(cell) in source.cells]
    if not there:
        other = next((grade_id(cell) for cell in notebook["cells"] if grade_id(cell)), None)
        why = (
            f"it has a cell {other!r:.40}, which belongs to another one" if other else "no cell has a name of nbgrader"
        )
        raise Unreadable(f"This is no notebook of the lab {source.path.stem}: {why}.")
    told = [*_single(notebook, source), *_in_shape(notebook, source)]
    if moved := _moved([name for name in there if there.count(name) == 1], source):
        told.append(
            f"{_listed(moved)} stood in another place than in the lab's notebook; cells are found by their names"
        )
    told += _complete(notebook, source)
    return told


def _single(notebook: Notebook, source: Source) -> list[str]:
    """Let each name be that of one cell: the last one that has it, as nbgrader does."""
    told, seen = [], set[str]()
    for cell in reversed(notebook["cells"]):
        name = grade_id(cell)
        if name and name not in source.cells:
            told.append(f"cell {name:.40} is none of this lab's; it counts as one of the student's own")
            del cell["metadata"]["nbgrader"]
        elif name in seen:
            told.append(_let_go(cell, name, source))
        elif name:
            seen.add(name)
        elif "nbgrader" in cell["metadata"]:
            del cell["metadata"]["nbgrader"]
    return list(dict.fromkeys(reversed(told)))


def _let_go(cell: dict[str, Any], name: str, source: Source) -> str:
    """Take the name from a cell whose name another one has, too."""
    del cell["metadata"]["nbgrader"]
    if source.is_answer(name):
        return f"there is more than one cell {name}; all of them were run, and the last one counts"
    cell["metadata"]["tags"] = [PLAY]
    return f"there is more than one cell {name}; one of them was put back, and the others were not run"


def _in_shape(notebook: Notebook, source: Source) -> Iterator[str]:
    """Give each cell of the lab its kind, its points and, if it is locked, its text back."""
    for cell in notebook["cells"]:
        name = grade_id(cell)
        if not name:
            continue
        mine = source.cells[name]
        if cell["cell_type"] != mine["cell_type"]:
            yield f"cell {name} had become a {_kind(cell)} cell and is a {_kind(mine)} cell again"
            _retype(cell, mine["cell_type"])
        if cell["cell_type"] == "code":
            cell.setdefault("outputs", [])
            cell.setdefault("execution_count", None)
        cell["metadata"]["nbgrader"] = _about(cell) | _about(mine)
        if "tags" in mine["metadata"]:
            cell["metadata"]["tags"] = list(mine["metadata"]["tags"])
        if not source.is_answer(name):
            if released(text_of(mine)) != released(text_of(cell)):
                yield f"cell {name} had been changed and was put back"
            cell["source"] = released(text_of(mine))


def _kind(cell: dict[str, Any]) -> str:
    return "text" if cell["cell_type"] == "markdown" else str(cell["cell_type"])


def _retype(cell: dict[str, Any], kind: str) -> None:
    cell["cell_type"] = kind
    for name in ("outputs", "execution_count", "attachments"):
        cell.pop(name, None)


def released(text: str) -> str:
    """Return the text of a locked cell as students have it: without what nbgrader takes out."""
    hidden = re.compile(r"^[ \t]*### BEGIN HIDDEN TESTS\b.*?### END HIDDEN TESTS[^\n]*\n?", re.DOTALL | re.MULTILINE)
    return hidden.sub("", text).rstrip()


def _moved(there: list[str], source: Source) -> list[str]:
    """Return the cells that stand in another order than in the lab's notebook: as few as explain it."""
    wanted = [name for name in source.cells if name in there]
    kept = difflib.SequenceMatcher(None, wanted, there, autojunk=False).get_matching_blocks()
    in_order = {wanted[at] for block in kept for at in range(block.a, block.a + block.size)}
    return [name for name in there if name not in in_order]


def _complete(notebook: Notebook, source: Source) -> Iterator[str]:
    """Put in again what is missing: locked cells as they are, answers empty."""
    there = {grade_id(cell) for cell in notebook["cells"]}
    for name, mine in source.cells.items():
        if name in there:
            continue
        yield f"cell {name} was missing and was put in again" + (", empty" if source.is_answer(name) else "")
        new = {"cell_type": mine["cell_type"], "metadata": json.loads(json.dumps(mine["metadata"])), "source": ""}
        if not source.is_answer(name):
            new["source"] = released(text_of(mine))
        if mine["cell_type"] == "code":
            new |= {"outputs": [], "execution_count": None}
        if "id" in mine:
            new["id"] = _free_id(str(mine["id"]), notebook)
        notebook["cells"].append(new)


def _free_id(wanted: str, notebook: Notebook) -> str:
    taken = {cell.get("id") for cell in notebook["cells"]}
    return next(
        name for name in (wanted, *(f"{wanted[:50]}-{more}" for more in range(len(taken) + 1))) if name not in taken
    )


def _listed(names: list[str]) -> str:
    if len(names) == 1:
        return f"cell {names[0]}"
    return f"the cells {', '.join(names[:-1])} and {names[-1]}"
