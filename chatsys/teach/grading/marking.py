"""The light path of grading: notebooks in, points out, without a gradebook.

    submitted.ipynb --cells that students must not change: from source/, by their id--> run --> points per cell

A cell is found by its nbgrader id, never by its place.  Each notebook runs in a kernel of its own;
what goes wrong in one is told in its mark, and the next one begins.  It is no sandbox: to grade
strangers' work, run this in a container.

Assumes   nbgrader's metadata (schema 3) in `labs/source/<lab>/*.ipynb`.
Promises  `results` gets what Gradescope expects: one object, or {"submissions": {...}} for several.
Read also `grader` (what the cells call), labs/nbgrader_config.py (the full path).
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chatsys.capabilities import PROCESSES, need
from chatsys.errors import UsageError
from chatsys.isolation.drain import say_bytes
from chatsys.surroundings import place
from chatsys.teach.grading import cell_output
from chatsys.teach.grading.cell_output import Allowance

CELL_LIMIT = 90
"""Seconds for one cell; then it is interrupted and the next one runs."""

TOLD = 2000
"""Characters of a cell's output that go into the mark."""


class Mark(dict[str, Any]):
    """One notebook's mark, as Gradescope reads it: score, max_score, tests, output."""

    def __str__(self) -> str:
        lines = [
            f"{self['score']:g} of {self['max_score']:g} points" + (f"; {self['output']}" if self["output"] else "")
        ]
        lines += [f"    {test['name']}: {test['score']:g} of {test['max_score']:g}" for test in self["tests"]]
        return "\n".join(lines)


def grade_notebooks(
    paths: Iterable[str | Path], lab: str, results: str | Path | None = None, course: str | Path | None = None
) -> dict[str, Any]:
    """Grade each notebook of `lab`, which `find_source` finds with `course`; return {path: mark}.

    Raises `UsageError` only if the lab cannot be found; a bad notebook gets a mark that says why.
    """
    need("Grading whole notebooks", PROCESSES, instead="check one class at a time")
    source = _read(find_source(lab, course))
    marks: dict[str, Any] = {}
    for path in paths:
        try:
            marks[str(path)] = _grade(Path(path), source)
        except Exception as error:
            told = f"this notebook could not be graded: {type(error).__name__}: {error!s:.300}"
            marks[str(path)] = Mark(score=0, max_score=_possible(source), tests=[], output=told)
    if results is not None:
        alone = len(marks) == 1
        whole: Any = next(iter(marks.values())) if alone else {"submissions": marks}
        Path(results).write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    return marks


def find_source(lab: str, course: str | Path | None = None) -> Path:
    """Return the source notebook of a lab: below `course`, a clone's labs/; else looking upwards from here.

    `lab` may also be a path, of the notebook or of its folder.  Raises `UsageError` if there is none.
    """
    given = place(lab)
    if given.suffix == ".ipynb" and given.is_file():
        return given
    homes = [Path.cwd(), *Path.cwd().parents, Path(__file__).resolve().parents[3]]
    courses = [folder / "labs" for folder in homes] if course is None else [place(course)]
    folders = [given] * (course is None) + [folder / "source" / lab for folder in courses]
    for folder in folders if lab.strip(".") else ():
        if found := sorted(folder.glob("*.ipynb")):
            return found[0]
    if course is None:
        raise UsageError(
            f"There is no lab {lab!r} under labs/source; give its folder's name, for example 03-total-order, "
            "and with --course the labs folder of your clone."
        )
    raise UsageError(f"There is no lab {lab!r} under {courses[0] / 'source'}; give the labs folder of a clone.")


def _read(path: Path) -> Any:
    import nbformat

    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def _of(cell: Any) -> dict[str, Any]:
    found: dict[str, Any] = cell.metadata.get("nbgrader", {})
    return found


def _possible(source: Any) -> float:
    return float(
        sum(
            _of(cell).get("points", 0)
            for cell in source.cells
            if _of(cell).get("grade") and not _of(cell).get("solution")
        )
    )


def restore(submitted: Any, source: Any) -> Any:
    """Put back every locked cell of `source`, by its id; what is missing or doubled is put right."""
    original = {_of(cell)["grade_id"]: cell for cell in source.cells if _of(cell)}
    seen: set[str] = set()
    for cell in submitted.cells:
        name = _of(cell).get("grade_id")
        if name is None:
            continue
        if name in seen or name not in original:
            del cell.metadata["nbgrader"]
            continue
        seen.add(name)
        mine = original[name]
        cell.metadata["nbgrader"] = dict(_of(mine))
        if _of(mine).get("locked") or not _of(mine).get("solution"):
            cell.source, cell.cell_type = mine.source, mine.cell_type
    submitted.cells += [
        original[name] for name in original if name not in seen and not _of(original[name]).get("solution")
    ]
    return submitted


def _grade(path: Path, source: Any) -> Mark:
    import nbformat
    from nbgrader.utils import determine_grade

    notebook = restore(_read(path), source)
    notebook.metadata["kernelspec"] = dict(
        source.metadata.get("kernelspec", {"name": "python3", "display_name": "Python 3"})
    )
    nbformat.validator.normalize(notebook)
    with tempfile.TemporaryDirectory() as folder, _while_graded():
        run = _bounded_execute()(timeout=CELL_LIMIT, interrupt_on_timeout=True, store_widget_state=False)
        notebook, _ = run.preprocess(notebook, {"metadata": {"path": folder}})
    tests, by_hand = [], []
    for cell in notebook.cells:
        about = _of(cell)
        if not about.get("grade"):
            continue
        if about.get("solution"):
            by_hand.append(about["grade_id"])
            continue
        score, possible = determine_grade(cell)
        tests.append({"name": about["grade_id"], "score": score or 0, "max_score": possible, "output": _told(cell)})
    return Mark(
        score=sum(test["score"] for test in tests),
        max_score=sum(test["max_score"] for test in tests),
        tests=tests,
        output="; ".join(_remarks(notebook, by_hand)),
    )


def _remarks(notebook: Any, by_hand: list[str]) -> Iterator[str]:
    if by_hand:
        yield f"to be read by a person: {', '.join(by_hand)}"
    for number, cell in enumerate(notebook.cells, 1):
        if cell_output.was_cut(cell):
            name = _of(cell).get("grade_id", f"number {number}")
            yield f"the output of cell {name} was cut after {say_bytes(cell_output.MOST)}"


def _bounded_execute() -> Any:
    """Return nbgrader's way to run a notebook, with an end to what each cell may show."""
    from nbgrader.preprocessors import Execute

    class BoundedExecute(Execute):  # type: ignore[misc]
        """Both the kernel and the grader cut; the grader later, for a notebook can undo what its kernel does."""

        def __init__(self, **named: Any) -> None:
            super().__init__(extra_arguments=[f"--IPKernelApp.extensions={cell_output.__name__}"], **named)
            self.allowance, self.cell_index = Allowance(2 * cell_output.MOST), -1

        def start_new_kernel(self, **named: Any) -> None:
            """What reaches the kernel's descriptors past Jupyter goes nowhere: not into the grader's own output."""
            nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            super().start_new_kernel(**{**nowhere, **named})

        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            if msg["msg_type"] not in cell_output.OUTPUT:
                return super().process_message(msg, cell, cell_index)
            if cell_index != self.cell_index:
                self.cell_index = cell_index
                self.allowance.begin()
            made = None
            for kind, content in self.allowance.take(msg["msg_type"], msg["content"], msg.get("buffers") or ()):
                header = {**msg["header"], "msg_type": kind}
                made = super().process_message(
                    {**msg, "msg_type": kind, "header": header, "content": content}, cell, cell_index
                )
            return made

    return BoundedExecute


def _told(cell: Any) -> str:
    """Return what a cell printed, and its error."""
    texts = [output.get("text", "") or output.get("evalue", "") for output in cell.get("outputs", [])]
    whole = "\n".join(text.strip() for text in texts if text.strip())
    return whole if len(whole) <= TOLD else f"{whole[:TOLD]}\n[cut after {TOLD:,} of {len(whole):,} characters]"


@contextmanager
def _while_graded() -> Iterator[None]:
    """Tell widgets in the notebook that nobody looks."""
    before = os.environ.get("NBGRADER_EXECUTION")
    os.environ["NBGRADER_EXECUTION"] = "autograde"
    try:
        yield
    finally:
        if before is None:
            del os.environ["NBGRADER_EXECUTION"]
        else:
            os.environ["NBGRADER_EXECUTION"] = before
