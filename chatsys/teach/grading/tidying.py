"""Tidying: what became of the cells of a lab by accident is put right, in a notebook or in the files of a whole folder.

    submitted/ann/03-total-order/03-total-order.ipynb --tidy--> the same file, mended; beside it ....ipynb.as-handed-in

Every cell is found by its nbgrader id, never by its place: students move cells, double them, delete them, and turn them
into text.  nbgrader stops a whole run at such a notebook, so `chatsys tidy` mends the files before; `chatsys grade`
mends the same things while it reads.

    locked cells     get the text of the lab's own notebook back; what is missing is put in again
    answers          stay as they are; of doubled ones both run, and the last one has the name
    own cells        stay

Promises  no answer is changed.  A notebook that needs nothing is not touched; the first version of one that does is kept.
Read also `reading`, `submission`.
"""

import difflib
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import msgspec

from chatsys.errors import UsageError
from chatsys.escape import escape
from chatsys.surroundings import UNUSABLE, cannot_write
from chatsys.teach.grading.reading import (
    PLAY,
    Notebook,
    Source,
    Unreadable,
    about_of,
    find_source,
    grade_id,
    read_notebook,
    text_of,
)

KEPT = ".as-handed-in"
MOST_NAMED = 12
"""So many cells a sentence names."""


class Tidied(msgspec.Struct, frozen=True):
    """What became of one file."""

    path: str
    remarks: list[str]
    """What was put right, a sentence each; or why nothing can be."""
    sound: bool = True
    """Whether it can be graded now."""


def tidy_folder(folder: Path, lab: str | None = None, course: Path | None = None) -> Iterator[Tidied]:
    """Put right every notebook below `folder`; each is one of `lab`, or of the lab that its file is named after."""
    sources: dict[str, Source] = {}
    for path in sorted(folder.rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts or not path.is_file():
            continue
        name = lab or path.stem
        try:
            if name not in sources:
                sources[name] = Source(find_source(name, course))
            yield _tidied(path, sources[name])
        except (UsageError, *UNUSABLE) as error:
            why = cannot_write(path, error) if isinstance(error, OSError) else str(error)
            yield Tidied(str(path), [why], sound=False)


def _tidied(path: Path, source: Source) -> Tidied:
    try:
        notebook, remarks = read_notebook(path)
        remarks += tidy(notebook, source)
    except Unreadable as error:
        return Tidied(str(path), [str(error)], sound=False)
    if remarks:
        kept = path.with_name(path.name + KEPT)
        if not kept.exists():
            kept.write_bytes(path.read_bytes())
        new = path.with_name(f".{path.name}.new")
        new.write_text(json.dumps(notebook, indent=1) + "\n", encoding="utf-8")
        os.replace(new, path)
    return Tidied(str(path), remarks)


# --- one notebook ---------------------------------------------------------------------------------------


def tidy(notebook: Notebook, source: Source) -> list[str]:
    """Put right what became of the cells of the lab, in place; return what was done, a sentence each.

    Raises `Unreadable` if not one cell of this lab is there.
    """
    _name_again(notebook, source)
    there = [grade_id(cell) for cell in notebook["cells"] if grade_id(cell) in source.cells]
    if not there:
        other = next((grade_id(cell) for cell in notebook["cells"] if grade_id(cell)), None)
        why = (
            f"it has a cell {escape(other[:40])}, which belongs to another one"
            if other
            else "no cell has a name of nbgrader"
        )
        raise Unreadable(f"This is no notebook of the lab {source.path.stem}: {why}.")
    done: dict[str, list[str]] = {}
    for what, name in chain(_single(notebook, source), _in_shape(notebook, source)):
        done.setdefault(what, []).append(name)
    done |= (
        {MOVED: moved}
        if (moved := _moved([name for name, count in Counter(there).items() if count == 1], source))
        else {}
    )
    for what, name in list(_missing(notebook, source)):
        done.setdefault(what, []).append(name)
    return [_said(what, list(dict.fromkeys(names))) for what, names in done.items()]


FOREIGN = "{cells} {is} none of this lab's and {counts} as the student's own"
DOUBLED = "{cells} {was} there more than once; the last one counts, and the others were not run"
ANSWERS = "{cells} {was} there more than once; all of them were run, and the last one counts"
RETYPED = "{cells} had become text or raw and {is} code again"
RECODED = "{cells} had become code or raw and {is} text again"
CHANGED = "{cells} had been changed and {was} put back"
MOVED = "{cells} stood in another place than in the lab's notebook; cells are found by their names"
MISSING = "{cells} {was} missing and {was} put in again"
EMPTY = "{cells} {was} missing and {was} put in again, empty"


def _said(what: str, names: list[str]) -> str:
    """Return a sentence about one cell or several."""
    names = [escape(name[:40]) for name in names]
    if len(names) == 1:
        return what.format(cells=f"cell {names[0]}", **{"is": "is", "was": "was", "counts": "counts"})
    if len(names) > MOST_NAMED:
        names = [*names[:MOST_NAMED], f"{len(names) - MOST_NAMED} more"]
    cells = f"the cells {', '.join(names[:-1])} and {names[-1]}"
    return what.format(cells=cells, **{"is": "are", "was": "were", "counts": "count"})


def _name_again(notebook: Notebook, source: Source) -> None:
    """Give a cell that has lost its name the one that its id in the notebook stands for; some editors drop metadata."""
    there = {grade_id(cell) for cell in notebook["cells"]}
    names = {mine["id"]: name for name, mine in source.cells.items() if "id" in mine and name not in there}
    for cell in notebook["cells"]:
        if not grade_id(cell) and isinstance(cell.get("id"), str) and (name := names.pop(cell["id"], "")):
            cell["metadata"]["nbgrader"] = dict(about_of(source.cells[name]))


def _single(notebook: Notebook, source: Source) -> Iterator[tuple[str, str]]:
    """Let each name be that of one cell: the last one that has it, as nbgrader does."""
    seen = set[str]()
    for cell in reversed(notebook["cells"]):
        name = grade_id(cell)
        if name and name not in seen and name in source.cells:
            seen.add(name)
            continue
        cell["metadata"].pop("nbgrader", None)
        if name and name not in source.cells:
            yield FOREIGN, name
        elif name and source.is_open(name):
            yield ANSWERS, name
        elif name:
            cell["metadata"]["tags"] = [PLAY]
            yield DOUBLED, name


def _in_shape(notebook: Notebook, source: Source) -> Iterator[tuple[str, str]]:
    """Give each cell of the lab its kind, its points and, if it is locked, its text back."""
    for cell in notebook["cells"]:
        name = grade_id(cell)
        if not name:
            continue
        mine = source.cells[name]
        if cell["cell_type"] != mine["cell_type"]:
            yield RETYPED if mine["cell_type"] == "code" else RECODED, name
            cell["cell_type"] = mine["cell_type"]
            for field in ("outputs", "execution_count", "attachments"):
                cell.pop(field, None)
        if cell["cell_type"] == "code":
            cell.setdefault("outputs", [])
            cell.setdefault("execution_count", None)
        cell["metadata"]["nbgrader"] = about_of(cell) | about_of(mine)
        if "tags" in mine["metadata"]:
            cell["metadata"]["tags"] = list(mine["metadata"]["tags"])
        if not source.is_open(name):
            if released(text_of(mine)) != released(text_of(cell)):
                yield CHANGED, name
            cell["source"] = released(text_of(mine))


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


def _missing(notebook: Notebook, source: Source) -> Iterator[tuple[str, str]]:
    """Put in again what is missing: locked cells as they are, answers empty."""
    there = {grade_id(cell) for cell in notebook["cells"]}
    for name, mine in source.cells.items():
        if name in there:
            continue
        yield EMPTY if source.is_open(name) else MISSING, name
        new = {"cell_type": mine["cell_type"], "metadata": json.loads(json.dumps(mine["metadata"])), "source": ""}
        if not source.is_open(name):
            new["source"] = released(text_of(mine))
        if mine["cell_type"] == "code":
            new |= {"outputs": [], "execution_count": None}
        if "id" in mine and notebook.get("nbformat_minor", 0) >= 5:
            new["id"] = _free_id(str(mine["id"]), notebook)
        notebook["cells"].append(new)


def _free_id(wanted: str, notebook: Notebook) -> str:
    taken = [cell.get("id") for cell in notebook["cells"]]
    names = (wanted, *(f"{wanted[:50]}-{more}" for more in range(len(taken) + 1)))
    return next(name for name in names if name not in taken)
