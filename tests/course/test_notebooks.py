"""The notebooks as files: small, clean, sound; that they run top to bottom is what nbval holds.

What their texts claim is held by `test_what_the_notebooks_say`.
"""

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from chatsys.teach.widgets.panel.orders import ABOUT_THE_PANEL, ORDERS
from chatsys.teach.widgets.panel.panel import Panel

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST = 60_000
"""Bytes: texts and code, no figures."""

read_any: Callable[..., nbformat.NotebookNode] = nbformat.read
"""nbformat's own function, which comes without types."""

INSTRUCTORS = ROOT / "notebooks" / "instructor.ipynb"
"""It plays no run: it grades."""

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
of_students = pytest.mark.parametrize(
    "path", [path for path in NOTEBOOKS if path != INSTRUCTORS], ids=lambda path: path.stem
)


def read(path: Path) -> nbformat.NotebookNode:
    return read_any(path, as_version=4)


def code(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def test_the_tour_and_the_four_scenarios_are_there() -> None:
    assert {"00-tour", "01-four-scenarios"} <= {path.stem for path in NOTEBOOKS}


@each
def test_a_notebook_is_valid_and_small(path: Path) -> None:
    nbformat.validate(read(path))
    assert path.stat().st_size <= LARGEST


@each
def test_a_notebook_carries_no_widget_state_and_no_trace_of_this_machine(path: Path) -> None:
    notebook = read(path)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    assert str(ROOT) not in path.read_text("utf-8")
    assert not re.search(r"/home/|/root/|/tmp/|C:\\\\", path.read_text("utf-8"))


def test_no_line_of_the_keys_stands_in_what_instructors_read() -> None:
    """A notebook goes round; the answers stay in the keys."""
    text = INSTRUCTORS.read_text(encoding="utf-8")
    for key in sorted((ROOT / "labs" / "keys").glob("*/answers.py")):
        lines = {line.strip() for line in key.read_text(encoding="utf-8").splitlines()}
        assert not [line for line in lines if len(line) > 24 and "import" not in line and line in text]


@each
def test_a_notebook_carries_no_outputs_so_that_no_prediction_is_spoiled(path: Path) -> None:
    assert not [cell.id for cell in code(path) if cell.outputs or cell.execution_count]


@of_students
def test_no_outcome_of_a_prediction_is_revealed_before_it_is_asked(path: Path) -> None:
    asked: set[str] = set()
    for cell in code(path):
        asked |= set(re.findall(r"^(\w+) = cs\.predict\(", cell.source, re.MULTILINE))
        assert set(re.findall(r"^(\w+)\.reveal\(", cell.source, re.MULTILINE)) <= asked
    revealed = {name for cell in code(path) for name in re.findall(r"^(\w+)\.reveal\(", cell.source, re.MULTILINE)}
    assert revealed == asked, "whoever is asked is told"


@of_students
def test_every_scenario_ends_in_a_check(path: Path) -> None:
    assert sum("check(" in cell.source or "good.violations" in cell.source for cell in code(path)) >= 3


def test_every_control_of_the_panel_has_its_line_of_code_in_the_tour() -> None:
    text = "\n".join(cell.source for cell in read(ROOT / "notebooks" / "00-tour.ipynb").cells)
    for control in (
        "Say",
        "Crash",
        "Restart",
        "Pause",
        "Resume",
        "Heal all links",
        "Split",
        "Timeline",
        "Dock",
        "Reset",
        "Stop all",
        "Play",
        "Step",
    ):
        assert f"**{control}**" in text
        assert control in Panel._esm
    for verb in {*ORDERS, "reconnect"} - {"join_link", "reset"} - ABOUT_THE_PANEL:
        assert re.search(rf"\b(cluster|world)\.{verb}\(", text), f"the tour has no line of code for {verb}"


def test_the_first_figure_comes_with_the_first_run() -> None:
    first = [cell for cell in code(ROOT / "notebooks" / "00-tour.ipynb") if "predict(" not in cell.source][0]
    assert first.source.splitlines()[-1] == "cs.roles(world.trace)"


@of_students
def test_every_link_to_another_page_leads_somewhere(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (path.parent / target).exists(), target


@of_students
def test_every_page_has_a_knob_to_turn_a_way_to_take_it_home_and_a_next_page(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    for part in (
        "**Turn one knob.**",
        "## Take your work home",
        "to go next" if path.stem == "03-for-real" else "**Next:**",
    ):
        assert part in text or part.replace("## ", "## 6  ") in text, part


@pytest.mark.parametrize(("page", "parts"), [("00-tour", 5), ("01-four-scenarios", 5), ("02-what-can-go-wrong", 8)])
def test_each_part_of_a_page_has_a_knob_to_turn(page: str, parts: int) -> None:
    text = "\n".join(cell.source for cell in read(ROOT / "notebooks" / f"{page}.ipynb").cells)
    found = dict(re.findall(r"^## (\d)  (.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert len(found) == parts + ("6" in found and "Take your work home" in found["6"])
    assert [found[str(part)].count("**Turn one knob.**") for part in range(1, parts + 1)] == [1] * parts


@of_students
def test_no_rule_has_a_code_before_the_list_of_all_rules(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells)
    before, _, after = text.partition("names a rule by a code. **S** is for *safety*")
    assert not re.search(r"\b[SL]\d+\b", before)
    assert bool(after) == (path.stem == "02-what-can-go-wrong")


@of_students
def test_a_cell_that_reveals_is_folded_so_that_nobody_reads_the_answer_below_the_question(path: Path) -> None:
    cells = [cell for cell in code(path) if ".reveal(" in cell.source]
    assert cells and all(cell.metadata.get("jupyter", {}).get("source_hidden") for cell in cells)
    assert {cell.source.splitlines()[0] for cell in cells} == {"# your prediction, and what happened"}  # stays in sight
