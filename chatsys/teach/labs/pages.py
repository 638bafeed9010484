"""Pages: what every lab's notebook has in common is written into it from the declaration, and what students get is made.

    python -m chatsys.teach.labs.pages 03     (all labs without a number; `make pages`)

    labs/source/NAME    the cells `facts`, `open`, `save` and `save-work`, and the version in its metadata
         --nbgrader-->  labs/release/NAME, and the same page in the package: what `start_again` lays

Promises  a cell that a person has written is not touched; who runs it twice changes nothing the second time.
Read also `facts` (the text), `desk` (the functions that the cells call).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from chatsys.errors import UsageError
from chatsys.teach.grading.lab import Lab
from chatsys.teach.grading.reading import PLAY
from chatsys.teach.labs.facts import facts

COURSE = Path(__file__).resolve().parents[3] / "labs"
"""The labs folder of the clone, in which teachers write."""

OPEN = """from chatsys.teach.labs.desk import open_lab, save_work, start_again

open_lab("{number}", version={version})"""
SAVE = """## Save, and hand in

Choose *File > Save*, then run the next cell: its link downloads this notebook, answers and all. To go on another day,
or on another machine, drag that file into the file browser on the left and open it; then run all cells. To begin anew
without losing anything, type `start_again()` into a cell of your own."""


def page_of(lab: Lab) -> Path:
    """Return the page that students get, as the package carries it."""
    return Path(__file__).parent / f"lab{lab.number}" / "page.ipynb"


def with_common_cells(page: dict[str, Any], lab: Lab) -> None:
    """Write what all labs have in common into the source notebook of `lab`, in place."""
    cells: list[dict[str, Any]] = page["cells"]
    page["metadata"]["chatsys"] = {"lab": lab.name, "version": lab.version}
    _put(cells, 1, _text("facts", facts(lab)))
    first = next(at for at, cell in enumerate(cells) if cell["cell_type"] == "code")
    _put(cells, first, _code("open", OPEN.format(number=lab.number, version=lab.version)))
    _put(cells, len(cells), _text("save", SAVE))
    _put(cells, len(cells), _code("save-work", "save_work()"))


def _put(cells: list[dict[str, Any]], at: int, new: dict[str, Any]) -> None:
    """Let the cell with this id be `new`, or put it in at this place."""
    for cell in cells:
        if cell["id"] == new["id"]:
            cell.update(new)
            return
    cells.insert(at, new)


def _text(name: str, source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source.splitlines(keepends=True)}


def _code(name: str, source: str) -> dict[str, Any]:
    lines = source.splitlines(keepends=True)
    return _text(name, source) | {
        "cell_type": "code", "metadata": {"tags": [PLAY]}, "source": lines, "outputs": [], "execution_count": None
    }  # fmt: skip


def make(lab: Lab, course: Path = COURSE) -> None:
    """Write the common cells into the source of `lab`, and make from it what students get; needs nbgrader."""
    source = course / "source" / lab.name / f"{lab.name}.ipynb"
    if not source.is_file():
        raise UsageError(f"There is no notebook {source}; write it first.")
    page = json.loads(source.read_text(encoding="utf-8"))
    with_common_cells(page, lab)
    source.write_text(json.dumps(page, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(course / "nbgrader_config.py", folder)
        shutil.copytree(source.parent, Path(folder) / "source" / lab.name)
        command = [sys.executable, "-m", "nbgrader", "generate_assignment", lab.name]
        path = (
            f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"  # it calls `alembic` by its name
        )
        done = subprocess.run(
            command, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
        )
        made = Path(folder) / "release" / lab.name / source.name
        if not made.is_file():
            raise UsageError(f"nbgrader made nothing of {source}: {done.stderr[-300:]}")
        for target in (course / "release" / lab.name / source.name, page_of(lab)):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made, target)


if __name__ == "__main__":
    from chatsys.teach.grading.grader import find_lab, known_labs

    for number in sys.argv[1:] or known_labs():
        if (found := find_lab(number)) is None:
            sys.exit(f"There is no lab {number}; there are {', '.join(known_labs())}.")
        make(found)
        print(f"{found.name}: source, release and {page_of(found).name}")
