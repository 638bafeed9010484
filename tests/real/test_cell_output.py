"""Cells that print without end, while a notebook is marked: memory stays flat, and no point changes.

Notebooks are made here and run by real kernels; the memory looked at is the grader's.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat

from chatsys.teach.grading.cell_output import MOST, SHORT, Allowance

FLOODS = {
    "print": "while True: print('x' * 1000)",
    "stderr": "import sys\nwhile True: print('x' * 1000, file=sys.stderr)",
    "one line": "print('x' * 60_000_000)",
    "descriptors": "import os\nwhile True: os.write(1, b'x' * 50_000); os.write(2, b'x' * 50_000)",
    "displays": "from IPython.display import display\nwhile True: display({'text/plain': 'x' * 100_000}, raw=True)",
    "one display": "from IPython.display import HTML, display\ndisplay(HTML('x' * 60_000_000))",
    "updates": (
        "from IPython.display import display\nh = display('x', display_id=True)\n"
        "while True: h.update({'text/plain': 'x' * 100_000}, raw=True)"
    ),
    "a result": "'x' * 60_000_000",
    "an error": "raise ValueError('x' * 60_000_000)",
    "errors": (
        "it = get_ipython().kernel\n"
        "while True: it.send_response(it.iopub_socket, 'error', {'ename': 'E', 'evalue': 'x' * 50_000, 'traceback': []})"
    ),
}
SCORES = {
    "nothing": ("print('x' * 3_000_000)", 2),
    "a part": ("print('x' * 3_000_000)\n1", 1),
    "raises": ("print('x' * 3_000_000)\nraise ValueError", 0),
    "warns": ("print('x' * 3_000_000)\nimport sys\nprint('oops', file=sys.stderr)", 0),
    "right": ("assert answered", 2),
}
UNDONE = "del get_ipython().kernel.session.send\nwhile True: print('x' * 1000)"
"""A notebook that undoes what its own kernel cuts."""

GRADE = """
import json, resource, sys
from chatsys.teach.grading import marking
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
marking.CELL_LIMIT = 3
source, calm, flood = sys.argv[1:]
marking.grade_notebooks([calm], source)
before = peak()
mark = marking.grade_notebooks([flood], source)[flood]
print(json.dumps([mark, peak() - before]))
"""


def notebook(path: Path, cells: dict[str, str]) -> Path:
    """Write a notebook with these cells; those named in `SCORES` are graded, for two points each."""
    made = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    about = {"schema_version": 3, "task": False, "locked": False}
    for number, (name, source) in enumerate(cells.items()):
        cell = nbformat.v4.new_code_cell(source, id=f"cell-{number}")  # type: ignore[no-untyped-call]
        kind = {"grade": True, "solution": False, "points": 2} if name in SCORES else {"grade": False, "solution": True}
        cell.metadata["nbgrader"] = about | kind | {"grade_id": name}
        made.cells.append(cell)
    path.write_text(json.dumps(made), encoding="utf-8")
    return path


def grade(folder: Path, cells: dict[str, str]) -> tuple[dict[str, Any], int, str]:
    """Grade a notebook; return its mark, the MiB by which the grader grew, and what else came out of the process."""
    graded = {name: source for name, (source, _) in SCORES.items()}
    calm = notebook(folder / "calm.ipynb", {"answer": "answered = True", **graded})
    flood = notebook(folder / "flood.ipynb", {"answer": "answered = True", **cells, **graded})
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    command = [sys.executable, "-W", "ignore", "-c", GRADE, str(flood), str(calm), str(flood)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    *before, last = done.stdout.splitlines()
    mark, grown = json.loads(last)
    return mark, grown, "\n".join(before) + done.stderr


def test_floods_from_cells_are_cut_and_said_memory_stays_flat_and_no_point_changes(tmp_path: Path) -> None:
    mark, grown, noise = grade(tmp_path, FLOODS)
    assert {test["name"]: test["score"] for test in mark["tests"]} == {
        name: score for name, (_, score) in SCORES.items()
    }
    cut = [*FLOODS, *(name for name in SCORES if name != "right")]
    assert mark["output"] == "; ".join(f"the output of cell {name} was cut after 1 MiB" for name in cut)
    assert grown < 60
    assert len(noise) < 5000
    for test in mark["tests"][:-1]:
        assert test["output"].endswith(" characters]") and len(test["output"]) < 2100


def test_a_notebook_that_undoes_the_cut_of_its_kernel_is_cut_by_the_grader(tmp_path: Path) -> None:
    mark, grown, _ = grade(tmp_path, {"undone": UNDONE})
    assert mark["tests"][-1]["score"] == 2 and "the output of cell undone was cut" in mark["output"]
    assert grown < 256, "what was on its way when the grader had enough, and no more, however long the loop runs"


# --- an allowance ---------------------------------------------------------------------------------


def text(shown: Any) -> list[str]:
    return [content.get("text", content.get("evalue", "")) for _, content in shown]


def test_up_to_its_allowance_a_cell_shows_everything_and_then_one_line_says_that_it_was_cut() -> None:
    allowance = Allowance(10_000)
    assert text(allowance.take("stream", {"name": "stdout", "text": "a" * 5000})) == ["a" * 5000]
    first, said = text(allowance.take("stream", {"name": "stdout", "text": "b" * 9000}))
    assert set(first) == {"b"} and len(first) < 5000
    assert said == "\n[This cell showed more than 9.77 KiB; the rest was cut.]\n"
    assert text(allowance.take("stream", {"name": "stdout", "text": "c"})) == []
    allowance.begin()
    assert text(allowance.take("stream", {"name": "stdout", "text": "d"})) == ["d"]


def test_what_decides_about_points_is_shown_after_the_cut_but_not_without_end() -> None:
    allowance = Allowance(1000)
    list(allowance.take("display_data", {"data": {"text/html": "a" * 5000}}))
    error = {"ename": "E", "evalue": "x" * 5000, "traceback": []}
    shown = [text(allowance.take("error", error)) for _ in range(10)]
    assert shown == [["x" * SHORT]] * 3 + [[]] * 7
    shown = [text(allowance.take("stream", {"name": "stderr", "text": "x" * 5000})) for _ in range(10)]
    assert shown == [["x" * SHORT]] * 3 + [[]] * 7


def test_many_small_messages_and_buffers_count_too() -> None:
    allowance = Allowance()
    shown = sum(len(list(allowance.take("display_data", {"data": {}}))) for _ in range(100_000))
    assert shown < MOST / 200 + 2
    allowance.begin()
    assert [kind for kind, _ in allowance.take("comm_msg", {"data": {}}, [bytes(2 * MOST)])] == ["stream"]
