"""The desk of a student: which lab lies on it, how to take the work home, how to begin again.

    open_lab("03", version=1)         Lab 03, Total order, version 1.  ...
    save_work()                       a link that downloads this notebook, and older ones of this lab
    start_again()                     a new page in again-2/; this notebook stays as it is
    start_again(with_answers=True)    the same, with the answers of this notebook in it

Nothing here changes a file that is there: a new page always gets a new place, so no answer can be lost by it.

Assumes   the notebook was saved: nobody but the person at the browser can do that.
Promises  whatever stands in the way is one sentence; nothing happens while a notebook is graded.
Read also `pages` (where the new page comes from), `grading.tidying` (what the grader puts right).
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import quote

from chatsys import __version__
from chatsys.errors import UsageError
from chatsys.surroundings import UNUSABLE, advice, place, reason
from chatsys.teach.grading.grader import find_lab, known_labs
from chatsys.teach.grading.lab import Lab
from chatsys.teach.grading.reading import Source, grade_id, read_notebook, text_of
from chatsys.teach.labs.pages import page_of
from chatsys.teach.labs.prints import stop_in_cells

AGAIN = "again-"
"""A new page lies in a folder of its own: again-2, again-3, and so on."""

_open: Lab | None = None
"""The lab of this notebook."""


class Links:
    """Sentences, and files that a notebook shows as links."""

    def __init__(self, sentences: list[str], files: list[Path], home: Path, download: bool) -> None:
        self.sentences, self.files, self.home, self.download = sentences, files, home, download

    def __repr__(self) -> str:
        return "\n".join([*self.sentences, *map(str, self.files)])

    def _repr_html_(self) -> str:
        lines = [escape(sentence) for sentence in self.sentences]
        for file in self.files:
            name = file.relative_to(self.home).as_posix()
            what, how = ("Download", " download") if self.download else ("Open", "")
            lines.append(f'<a href="{escape(quote(name))}"{how}>{what} {escape(name)}</a>')
        return "<br>".join(lines)


def open_lab(number: str, version: int) -> None:
    """Say which lab this notebook is, in which version, and what can be done with it.

    `version` is that of the notebook.  Raises `UsageError` for a lab that is not there.
    """
    global _open
    if os.environ.get("NBGRADER_EXECUTION"):
        return
    lab = find_lab(str(number))
    if lab is None:
        raise UsageError(f"There is no lab {number!r:.40}; there are {', '.join(known_labs())}.")
    _open = lab
    stop_in_cells()
    print(f"Lab {lab.number}, {lab.title}: version {version} of the page, chatsys {__version__}.")
    if version < lab.version:
        print(
            f"This chatsys has version {lab.version} of the page, which start_again(with_answers=True) lays beside this one."
        )
    elif version > lab.version:
        print(f"This chatsys knows the page up to version {lab.version}; install the newest chatsys of your course.")
    print("save_work()    downloads what you have saved")
    print("start_again()  lays a new page beside this one, which stays as it is")
    if os.environ.get("BINDER_SERVICE_HOST"):
        print("This is Binder, which forgets everything when you leave: run save_work() before you do.")


def save_work(notebook: str | Path | None = None) -> Links | None:
    """Return links that download this notebook, as it was saved, and older ones of this lab.

    `notebook` names the file where it cannot be found by itself.  Raises `UsageError` if there is none.
    """
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    mine = _find(notebook)
    saved = mine.stat().st_mtime
    ago = max(0, round(time.time() - saved))
    told = f"{mine.name} as you saved it at {time.strftime('%H:%M', time.localtime(saved))}, {_ago(ago)}."
    what = "Save it once more if you have changed anything since (Ctrl-S), and download it then."
    home = _home(mine)
    others = [one for one in _attempts(home, mine.name) if one != mine]
    inside = [one for one in (mine, *others) if home in one.parents]
    return Links([told, what], inside, mine.parent if home == mine.parent else home, download=True)


def start_again(notebook: str | Path | None = None, *, with_answers: bool = False) -> Links | None:
    """Lay a new page of this lab beside this notebook, which stays as it is; return a link to it.

    `with_answers` puts the saved answers of this notebook into it.  Raises `UsageError` where no page can be laid.
    """
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    lab = _lab()
    mine = _find(notebook)
    page = page_of(lab)
    told = ["A new page; this notebook stays as it is. Hand in the one that is to be marked."]
    if with_answers:
        fresh, filled = _filled(page, mine)
        told.append(f"What you had saved stands in it: {', '.join(filled) or 'nothing yet'}.")
    else:
        fresh = page.read_bytes()
    home = _home(mine)
    return Links(told, [_lay(fresh, home, f"{lab.name}.ipynb")], mine.parent if home == mine.parent else home, False)


def _lab() -> Lab:
    if _open is None:
        raise UsageError(
            'chatsys does not know yet which lab this is; run the first cell, with open_lab("03", version=1).'
        )
    return _open


def _find(named: str | Path | None) -> Path:
    """Return the file of this notebook: as named, as JupyterLab or VS Code tell, or by the lab's name in this folder."""
    if named is not None:
        file = place(named)
        if not file.is_file():
            raise UsageError(f"{file} is not there; give the file of this notebook.")
        return file.resolve()
    told = [os.environ.get("JPY_SESSION_NAME"), getattr(sys.modules.get("__main__"), "__vsc_ipynb_file__", None)]
    told += [f"{_lab().name}.ipynb"]
    found = next((Path(one).resolve() for one in told if one and one.endswith(".ipynb") and Path(one).is_file()), None)
    if found is None:
        raise UsageError(
            f"chatsys cannot see which file this notebook is; name it, for example save_work({_lab().name + '.ipynb'!r})."
        )
    return found


def _home(mine: Path) -> Path:
    """Return the folder in which the new pages of this notebook lie."""
    return mine.parent.parent if mine.parent.name.startswith(AGAIN) else mine.parent


def _attempts(home: Path, name: str) -> Iterator[Path]:
    yield from (one for one in [home / name, *sorted(home.glob(f"{AGAIN}*/{name}"))] if one.is_file())


def _ago(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} s ago"
    return f"{seconds // 60} min ago" if seconds < 5400 else f"{seconds // 3600} h ago"


def _lay(page: bytes, home: Path, name: str) -> Path:
    """Write a page into a folder that is new."""
    number = 2
    try:
        while (folder := home / f"{AGAIN}{number}").exists():
            number += 1
        folder.mkdir()
        (folder / name).write_bytes(page)
    except UNUSABLE as error:
        raise UsageError(f"No new page can be laid into {home}: {reason(error)}; {advice(error)}.") from None
    return folder / name


def _filled(page: Path, mine: Path) -> tuple[bytes, list[str]]:
    """Return a new page with the answers of a notebook in it, and the names of the cells that were filled."""
    fresh, _ = read_notebook(page)
    source = Source(page)
    answers = {grade_id(cell): text_of(cell) for cell in read_notebook(mine)[0]["cells"] if grade_id(cell)}
    filled = []
    for cell in fresh["cells"]:
        name = grade_id(cell)
        if name in answers and source.is_open(name) and answers[name] != text_of(cell):
            cell["source"] = answers[name]
            filled.append(name)
    return (json.dumps(fresh, indent=1) + "\n").encode(), filled
