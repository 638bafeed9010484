"""Tries: what counts as one on the way to the hint that helps, in every lab."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from chatsys.teach.grading import grader
from chatsys.teach.grading.grader import find_lab, grade, known_labs
from chatsys.teach.grading.keys import read_keys
from chatsys.teach.grading.lab import Exercise, Lab

COURSE = Path(__file__).parents[2] / "labs"
LABS = [lab for number in known_labs() if (lab := find_lab(number)) is not None]
EXERCISES = [pytest.param(lab, one, id=one.number) for lab in LABS for one in lab.exercises]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with a kernel in which nothing was tried."""
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setattr(grader, "_failed", Counter())


def stub_of(lab: Lab, exercise: Exercise) -> Any:
    """Return the class as a student gets it, with those of the cells before it that it is built on."""
    page = json.loads((COURSE / "release" / lab.name / f"{lab.name}.ipynb").read_text(encoding="utf-8"))
    sources = {cell["id"]: "".join(cell["source"]) for cell in page["cells"] if cell["cell_type"] == "code"}
    names: dict[str, Any] = {"__name__": "__main__"}
    before = [one.cell for one in lab.exercises[: lab.exercises.index(exercise)]]
    for cell in ("setup", *before, exercise.cell):
        exec(sources[cell], names)
    return names[exercise.writes]


@pytest.mark.parametrize(("lab", "exercise"), EXERCISES)
def test_a_class_that_is_still_to_be_written_has_not_failed_a_try(lab: Lab, exercise: Exercise) -> None:
    told = grade(exercise.number, stub_of(lab, exercise))
    assert told.verdict == "fail" and "You have not written" in told.sentence and told.hint is None
    assert grader._failed[exercise.number] == 0


def test_the_hint_comes_with_the_third_wrong_answer_and_not_before_and_a_stub_between_them_takes_none_back() -> None:
    lab = find_lab("01")
    assert lab is not None
    exercise = lab.exercises[0]
    mistakes = read_keys(COURSE, lab).mistakes["1.1"]
    tried = ["is not written", "gives up", "is not written", "sends once", "is not written", "gives up", "gives up"]
    hints = [grade("1.1", mistakes[name].cls).hint for name in tried]
    assert hints == [None, None, None, None, None, exercise.hints["arrive"], exercise.hints["arrive"]]
    assert grade("1.1", read_keys(COURSE, lab).answers["1.1"]["reference"]).hint is None
    assert grade("1.1", mistakes["gives up"].cls).hint is None, "who was right once begins anew"
