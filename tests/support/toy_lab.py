"""A toy lab and its notebooks, for tests of the grading engine: a class that doubles numbers."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from chatsys.isolation.calls import Call, CallScript, Method
from chatsys.teach.grading.course import Course
from chatsys.teach.grading.keys import Keys
from chatsys.teach.grading.lab import Exercise, Explain, Finding, GradedPart, Lab, Predict
from chatsys.teach.grading.reading import Source

Cell = dict[str, Any]


def judge(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """Find numbers that are not doubled."""
    scripts = [CallScript(calls=(Call("double", (seed % 1000,)),)) for seed in seeds]
    for script, replies in zip(scripts, trial.ask(scripts), strict=True):
        (number,) = script.calls[0].arguments
        if replies[0].error:
            yield Finding(aspect="runs", sentence=f"double({number}) raised {replies[0].error}.")
            return
        if replies[0].value != 2 * number:
            yield Finding(aspect="right", sentence=f"double({number}) returned {replies[0].value}, not {2 * number}.")
            return


LAB = Lab(
    number="98", name="98-doubling", title="Doubling", idea="Twice is twice.", hours=(1, 1), words={},
    exercises=(
        Exercise(
            number="98.1", title="Double", writes="MyDouble", cell="double", lines=3,
            methods={"double": Method(("number",), int)}, judge=judge, aspects={"right": 1},
            parts=(
                GradedPart(kind="public", cell="check-98-1", points=4), GradedPart(kind="hidden", cell="hidden-98-1", points=6),
            ),
            public=5, hidden=5, done="All are doubled.",
        ),
    ),
    predictions=(Predict(number="98a", question="How much?", kind=int), Predict(number="98b", question="Why?", kind=str)),
    predictions_points=2,
    explain=(Explain(cell="explanation", points=3, says=("twice",)),),
)  # fmt: skip

RIGHT = "class MyDouble:\n    def double(self, number):\n        return FACTOR * number\n"
PREDICTED = "from chatsys.teach.grading import predictions\npredictions.kept.update({'98a': 4, '98b': 'so'})"


def code(source: str, name: str = "", **about: Any) -> Cell:
    """Return a code cell; with a name it is one of the lab's."""
    cell: Cell = {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
    return _named(cell, name, about)


def text(source: str, name: str = "", **about: Any) -> Cell:
    """Return a text cell."""
    return _named({"cell_type": "markdown", "metadata": {}, "source": source}, name, about)


def _named(cell: Cell, name: str, about: dict[str, Any]) -> Cell:
    if name:
        whole = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3} | about
        cell["metadata"] = {"nbgrader": {"grade_id": name, **whole}}
        cell["id"] = name
    return cell


def tagged(cell: Cell, *tags: str) -> Cell:
    """Give a cell these tags."""
    cell["metadata"]["tags"] = list(tags)
    return cell


def cells() -> list[Cell]:
    """Return the cells of the source notebook."""
    return [
        text("# Doubling"),
        code("FACTOR = 2", "setup", locked=True),
        code(PREDICTED, "predictions", solution=True),
        code("# answers are counted", "predictions-test", grade=True, locked=True, points=2),
        text("*Write your answer here.*", "design", solution=True),
        code(RIGHT, "double", solution=True),
        tagged(code("raise SystemError('a play cell was run')", "toy", locked=True), "play"),
        tagged(code("raise SystemError('a graded cell was run')", "check-98-1", grade=True, locked=True, points=4), "graded"),
        tagged(code("raise SystemError('a graded cell was run')", "hidden-98-1", grade=True, locked=True, points=6), "graded"),
        text("Twice.", "explanation", grade=True, solution=True, points=3),
    ]  # fmt: skip


def notebook(found: list[Cell]) -> dict[str, Any]:
    """Return a notebook of these cells."""
    return {"cells": found, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def written(path: Path, found: list[Cell]) -> Path:
    """Write a notebook of these cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook(found)), encoding="utf-8")
    return path


def course(folder: Path) -> Course:
    """Return the course of the toy lab, with its notebook in `folder`."""
    source = Source(written(folder / "source" / LAB.name / f"{LAB.name}.ipynb", cells()))
    return Course(lab=LAB, source=source, keys=Keys(), secret=b"0123456789abcdef", version="toy")
