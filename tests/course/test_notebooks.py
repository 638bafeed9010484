"""The notebooks as files: small, clean, sound; that they run top to bottom is what nbval holds."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from chatsys.sim.world import World
from chatsys.teach.widgets.panel.orders import ABOUT_THE_PANEL, ORDERS
from chatsys.teach.widgets.panel.panel import Panel

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST = 200_000
"""Bytes: figures yes, widget states and pictures no."""

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
def test_a_notebook_was_run_from_top_to_bottom_without_an_error(path: Path) -> None:
    cells = [cell for cell in code(path) if cell.source.strip()]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [output for cell in cells for output in cell.outputs if output.output_type in {"error"}]
    assert not [output for cell in cells for output in cell.outputs if output.get("name") == "stderr"]


@of_students
def test_what_a_cell_shows_is_ignored_only_where_real_time_passes(path: Path) -> None:
    kept = [cell for cell in code(path) if "nbval-ignore-output" not in cell.metadata.get("tags", [])]
    figures = [cell for cell in kept if any("plotly" in kind for o in cell.outputs for kind in o.get("data", {}))]
    assert figures, "simulated figures are compared exactly"
    assert all("processes" not in cell.source and "cluster" not in cell.source for cell in figures)


@of_students
def test_every_scenario_ends_in_a_check(path: Path) -> None:
    assert sum("check(" in cell.source for cell in code(path)) >= 3


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


def test_the_first_figure_comes_with_the_first_cell() -> None:
    first = code(ROOT / "notebooks" / "00-tour.ipynb")[0]
    assert any("plotly" in kind for output in first.outputs for kind in output["data"])


def test_the_saved_figures_are_those_that_the_simulator_gives_today() -> None:
    first = code(ROOT / "notebooks" / "00-tour.ipynb")[0]
    names: dict[str, object] = {}
    exec(first.source.rpartition("\n")[0], names)
    assert isinstance(names["world"], World)
    import chatsys

    drawn = json.loads(chatsys.roles(names["world"].trace).to_json())
    saved = first.outputs[0]["data"]["application/vnd.plotly.v1+json"]
    assert saved["layout"]["meta"] == drawn["layout"]["meta"], (
        "the simulator has changed: run the notebooks again (jupyter nbconvert --execute --inplace notebooks/*.ipynb, "
        "then nbstripout --keep-output --keep-count --keep-id notebooks/*.ipynb)"
    )
