"""Tidying: notebooks that were handed in are put right where they lie, before nbgrader looks at them.

    submitted/ann/03-total-order/03-total-order.ipynb --tidy--> the same file, mended; beside it ....ipynb.as-handed-in

nbgrader stops a whole run at a notebook in which a cell was doubled or has become text.  `chatsys grade` mends the same
things by itself, while it reads.

Promises  a notebook that needs nothing is not touched; the first version of one that does is kept beside it.
Read also `reading.tidy` (what is put right).
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from chatsys.errors import UsageError
from chatsys.surroundings import UNUSABLE, cannot_write
from chatsys.teach.grading.marking import find_source
from chatsys.teach.grading.reading import Source, Unreadable, read_notebook, tidy

KEPT = ".as-handed-in"


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
