"""The cell of a lab that runs a student's classes for real: three nodes in the kernel, then three processes.

The page's own cells up to that one are run in a real kernel, as a student does who has solved all, and then the cell.
"""

import json
from pathlib import Path

import pytest
from kernels import kernel

SOURCE = Path(__file__).parents[2] / "labs" / "source"
CHATS = {"10-quorum": ["hello", "two are a majority"]}
"""What all three nodes show in the end, in both worlds."""
NEEDED = ("setup", "demonstration", "commit", "promise")
"""The cells with imports and answers."""


def cells_of(name: str) -> dict[str, str]:
    page = json.loads((SOURCE / name / f"{name}.ipynb").read_text(encoding="utf-8"))
    return {cell["id"]: "".join(cell["source"]) for cell in page["cells"] if cell["cell_type"] == "code"}


@pytest.mark.parametrize("name", CHATS)
def test_the_classes_of_the_page_agree_in_the_kernel_and_in_processes(name: str) -> None:
    cells, shown = cells_of(name), CHATS[name]
    with kernel() as student:
        student.run("seed = 7")
        for one in NEEDED:
            student.run(cells[one], cell=one)
            assert not student.error, student.error
        printed = student.run(cells["real"], cell="real")
        assert not student.error, student.error
    nodes = "  ".join(f"node {node} shows {shown}" for node in (1, 2, 3))
    assert printed.splitlines()[1:] == [f"{where}:  {nodes}" for where in ("kernel", "processes")]


def test_a_class_that_stops_its_node_is_told_at_once_and_nothing_is_started() -> None:
    cells = cells_of("10-quorum")
    with kernel() as student:
        student.run("seed = 7")
        for one in NEEDED:
            student.run(cells[one], cell=one)
            assert not student.error, student.error
        student.run("MyCommit.ack = lambda self, *asked: None")
        printed = student.run(cells["real"], cell="real")
        assert not student.error, student.error
    assert "ack returned None; return a number" in printed and "kernel:" not in printed
