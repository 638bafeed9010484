"""What the texts of the notebooks claim about their simulated runs is so: each cell's value, beside the words about it."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest

from chatsys.check.findings import Findings

ROOT = Path(__file__).parents[2]
REAL = "real-time"
"""The tag of cells that need real time or write files; nbval runs them."""


@cache
def values(name: str) -> dict[str, Any]:
    """Run the simulated cells of a notebook; return by id what the last line of each is."""
    (path,) = (ROOT / "notebooks").glob(f"{name}-*.ipynb")
    names: dict[str, Any] = {"display": lambda *things: None}
    found = {}
    for cell in nbformat.read(path, as_version=4).cells:  # type: ignore[no-untyped-call]
        if cell.cell_type == "code" and REAL not in cell.metadata.get("tags", []):
            found[cell.id] = _value(ast.parse(cell.source), names)
    return found


def _value(tree: ast.Module, names: dict[str, Any]) -> Any:
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        exec(compile(tree, "cell", "exec"), names)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


@pytest.mark.parametrize(
    ("cell", "happened"),
    [
        ("tour-p2", "node 2"),
        ("four-6", "1"),
        ("four-19", "delivered once"),
        ("four-34", "no"),
        ("four-45", "yes"),
        ("four-57", "both"),
        ("four-61", "nothing, or: ask again"),
        ("wrong-5", "both"),
        ("wrong-13", "1"),
        ("wrong-21", "no"),
        ("wrong-29", "2"),
        ("wrong-39", "nobody"),
        ("wrong-49", "yes"),
        ("wrong-59", "no"),
        ("wrong-67", "more than ten times"),
        ("wrong-73", "yes"),
    ],
)
def test_what_a_prediction_is_compared_with_is_what_the_text_explains(cell: str, happened: str) -> None:
    name = {"tour": "00", "four": "01", "wrong": "02"}[cell.partition("-")[0]]
    assert str(values(name)[cell]) == f"You made no prediction. What happened: “{happened}”."


@pytest.mark.parametrize("name", ["00", "01", "02"])
def test_every_check_of_a_good_run_holds_and_the_text_says_of_every_other_one_that_it_breaks(name: str) -> None:
    found = {cell: value for cell, value in values(name).items() if isinstance(value, Findings)}
    assert len(found) >= 1
    assert {cell for cell, value in found.items() if value} == ({"four-59"} if name == "01" else set())


def test_the_first_violation_a_student_meets_has_no_code_and_no_place_in_its_first_sentence() -> None:
    first = values("01")["four-59"][0]
    assert first.plain.startswith("Nodes 3 and 2 do not agree: node 3 has “I am with the old leader”")


def test_split_brain_with_a_quorum_of_one_parts_from_the_one_with_two_before_ann_is_told_ok() -> None:
    told = str(values("01")["four-63"])
    assert told.startswith("Here these runs part, at ")


def test_the_message_that_was_cut_off_waited_for_a_quorum_and_would_have_come_without_the_partition() -> None:
    answer = values("01")["four-67"]
    assert answer.missing == "stored by a quorum"
    assert [fault.verb for fault in answer.needed] == ["partition"]


def test_each_bad_day_breaks_the_rule_that_its_schedule_is_about() -> None:
    cells = ("wrong-7", "wrong-15", "wrong-23", "wrong-31", "wrong-41", "wrong-51", "wrong-61", "wrong-69")
    assert [values("02")[cell].invariant for cell in cells] == ["S1", "S7", "S8", "S4", "S7", "S8", "S1", "L4"]


def test_the_tour_asks_why_the_crashed_leader_never_had_the_second_message() -> None:
    answer = values("00")["tour-11"]
    assert answer.missing == "told" and [fault.verb for fault in answer.needed] == ["crash"]
