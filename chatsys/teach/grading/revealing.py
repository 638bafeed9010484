"""Revealing: after the prediction, what the student's own run says.

    student("ann")               the seed of this student's runs: 7 for nobody, the same each time for each name
    predict("3b", 0.8)           3b kept: 0.8 s
    reveal("3b", MyHoldBack)     plays the run, and says by how much the prediction was off

A reveal waits for the prediction, because a number that one has seen teaches nothing.

Promises  nothing is played and nothing is shown while a notebook is graded.
Read also `predictions` (what is kept), `lab.Predict` (a question, and what answers it).
"""

import os
import zlib
from collections.abc import Callable, Sequence
from itertools import count
from textwrap import wrap
from typing import Any

from chatsys.errors import told
from chatsys.teach.grading import predictions
from chatsys.teach.grading.lab import Predict

NOBODY = 7
"""The seed of whoever gives no name; it is one of those that people talk about."""
MOST_SEEDS = 10_000
NARROW = 60
"""Signs of a line, as many as a cell shows at 1000 pixels, and on a wide screen at 150 %."""

_seed = NOBODY


def student(name: str | None = None, *, nobody: int = NOBODY, shows: Callable[[int], bool] = lambda seed: True) -> int:
    """Choose the seed of this student's runs by a name, of oneself or of the hub's login, and return it.

    Without a name it is `nobody`.  Of the seeds that follow on the name's own one it is the first whose runs show what
    the lab's page speaks of.
    """
    global _seed
    name = (name if name is not None else os.environ.get("JUPYTERHUB_USER", "")).strip()
    first = zlib.crc32(name.encode()) % MOST_SEEDS
    _seed = next(seed for seed in count(first) if shows(seed)) if name else nobody
    return _seed


def reveal(number: str, *classes: type) -> Any:
    """Play the run that answers the prediction `number`, with the student's classes; return its figure, if it has one.

    Raises `UsageError` for a question that does not exist.
    """
    asked = predictions.find_prediction(number)
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    if asked.number not in predictions.kept:
        print(f'{asked.number}: write down what you expect first, in part (b):\n    predict("{asked.number}", ...)')
        return None
    if asked.from_run is None:
        return None
    try:
        happened, figure = asked.from_run(*classes, seed=_seed)
    except Exception as error:
        print(in_lines(f"{asked.number}: your class stopped, so there is nothing to compare yet: {told(error)}."))
        return None
    print(in_lines(compared(asked, predictions.kept[asked.number], happened)))
    return figure


def in_lines(sentence: str) -> str:
    """Return a sentence in lines that a narrow page shows whole; JupyterLab breaks a longer one inside a word."""
    return "\n".join(wrap(sentence, NARROW, subsequent_indent=" " * 4, break_long_words=False, break_on_hyphens=False))


def compared(asked: Predict, expected: Any, happened: Any) -> str:
    """Return in a sentence what was expected and what happened, and by how much they differ."""
    unit = f" {asked.unit}" if asked.unit else ""
    if asked.kind is tuple:
        return _compared_range(asked, expected, happened)
    where = asked.where.format(seed=_seed)
    both = f"{asked.number}  You said {_shown(expected)}{unit}; {where} it was {_shown(happened)}{unit}"
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (expected, happened))
    if not numbers or not asked.unit:  # #4 is not near #5
        why = asked.options.get(expected, "")
        return f"{both}{': right.' if expected == happened else '.'}" + (f" Behind your answer: {why}." if why else "")
    off = abs(expected - happened)
    if off <= asked.tolerance:
        return f"{both}: right" + (f", to {_shown(off)}{unit}." if off else ".")
    return f"{both}: {_shown(off)}{unit} off."


def _compared_range(asked: Predict, expected: str, happened: Sequence[float]) -> str:
    """Return in a sentence how much of what happened lies in the range that was expected."""
    unit = f" {asked.unit}" if asked.unit else ""
    low, high = predictions.bounds(expected)
    inside = sum(low <= one <= high for one in happened)
    return (
        f"{asked.number}  You said {expected}{unit}; in {len(happened)} runs (seed {_seed}) it was {_shown(min(happened))} to "
        f"{_shown(max(happened))}{unit}, and {100 * inside / len(happened):.0f} % of them lie in your range."
    )


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
