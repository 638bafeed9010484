"""A submission: what is in a notebook that was handed in: which cells run, which texts a person reads.

    submitted.ipynb --read, put right--> Submission     setup of the lab, answers, own cells      these run
                                            |           graded cells, cells with the tag `play`   these do not
                                            `- texts, first answers to the predictions, what was put right

Read also `reading`, `tidying` (before), `taking` (who runs the cells), `marking`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from chatsys.teach.grading.exchange import RunnableCell
from chatsys.teach.grading.reading import Notebook, Source, grade_id, page_version, plays, read_notebook, text_of
from chatsys.teach.grading.tidying import tidy

STUB = re.compile(r"^\*Write [^*\n]*\*", re.MULTILINE)
"""What stands in a text that nobody has written yet."""
FIRST_ANSWER = re.compile(r"^(\d{1,2}[a-z]) kept: (.{1,60})$", re.MULTILINE)


class Submission(msgspec.Struct, kw_only=True):
    """A notebook that was handed in, as the grader sees it."""

    notebook: Notebook
    remarks: list[str]
    """What was put right, a sentence each."""
    cells: list[RunnableCell]
    """What runs, in this order."""
    texts: dict[str, str]
    """What was written into text cells, by their grade_id."""
    printed: dict[str, str]
    """What the code cell above each text had printed when it was handed in, by the text's grade_id; it may be made up."""
    first_answers: dict[str, str]
    """The first answer to each prediction that the outputs show, as it stands there."""
    page: int | None = None
    """Which version of the lab's page it was made of; None if it does not say."""


def read(path: Path, source: Source) -> Submission:
    """Read the notebook at `path` and put it right; raises `Unreadable` with a sentence."""
    notebook, remarks = read_notebook(path)
    return understand(notebook, source, remarks)


def understand(notebook: Notebook, source: Source, remarks: list[str] | None = None) -> Submission:
    """Put a notebook right and return what is in it; raises `Unreadable` if it is one of another lab."""
    first, page, printed = _first_answers(notebook), page_version(notebook), _printed_above(notebook)
    told = [*(remarks or []), *_other_version(page, source.version), *tidy(notebook, source)]
    return Submission(
        notebook=notebook,
        remarks=told,
        cells=[*_setup(source), *_own(notebook, source)],
        texts={grade_id(cell): text_of(cell) for cell in notebook["cells"] if _is_text(cell, source)},
        printed=printed,
        first_answers=first,
        page=page,
    )


def _other_version(mine: int | None, current: int | None) -> Iterator[str]:
    """Say what it means that a notebook is of another version of the page than the one that it is graded by."""
    if mine is None or current is None or mine == current:
        return
    yield f"this notebook is version {mine} of the lab's page, and it was graded by version {current}" + (
        ": what had changed since was put back"
        if mine < current
        else "; a newer chatsys has the page that it was made of"
    )


def _setup(source: Source) -> Iterator[RunnableCell]:
    """Yield the lab's own cells that run, wherever they stand in the notebook, with the text that the lab gives them."""
    for name, cell in source.cells.items():
        if source.runs(name):
            yield RunnableCell(name, text_of(cell))


def _own(notebook: Notebook, source: Source) -> Iterator[RunnableCell]:
    """Yield what the student wrote and what runs: answers, and cells of their own."""
    for number, cell in enumerate(notebook["cells"], 1):
        name = grade_id(cell)
        if cell["cell_type"] != "code" or plays(cell) or (name and not source.is_open(name)):
            continue
        if text_of(cell).strip():
            yield RunnableCell(name or f"number {number}", text_of(cell))


def _is_text(cell: dict[str, Any], source: Source) -> bool:
    return cell["cell_type"] == "markdown" and bool(name := grade_id(cell)) and source.is_open(name)


def written_words(text: str) -> int:
    """Return how many words somebody wrote into a text cell; its stub has none."""
    return len(STUB.sub("", text).split())


def _first_answers(notebook: Notebook) -> dict[str, str]:
    """Return the first answer to each prediction that the outputs of a notebook show."""
    found: dict[str, str] = {}
    for cell in notebook["cells"]:
        for text in _printed(cell):
            for number, answer in FIRST_ANSWER.findall(text):
                found.setdefault(number, answer.strip())
    return found


def _printed_above(notebook: Notebook) -> dict[str, str]:
    """Return, for each text with a grade_id, what the code cell above it shows as printed."""
    found, above = {}, ""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            above = "".join(_printed(cell))
        elif name := grade_id(cell):
            found[name] = above
    return found


def _printed(cell: dict[str, Any]) -> Iterator[str]:
    """Yield what a cell printed, as its outputs say; anything may stand there."""
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        text = output.get("text") if isinstance(output, dict) else None
        text = "".join(map(str, text)) if isinstance(text, list) else text
        if isinstance(text, str):
            yield text[:100_000]
