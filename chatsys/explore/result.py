"""Result: what a search found out, within which bounds, and what its verdict rests on.

    exhausted, ok    everything within `bounds` was searched, and nothing is violated, if what is `assumed` is true
    fail             `violation`, and the shortest `story` that leads to it: it rests on nothing
    pass             the goal was reached, and the shortest story
    inconclusive     neither: `why` says what stood in the way

Promises  whatever a search left out is named: as a bound, as asked (and how often), or as assumed.
Read also `explorer` (who makes it), `asking` (what was asked), `model.Model.assumed`.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from chatsys.check.violation import Violation
from chatsys.errors import UsageError
from chatsys.explore.model import Step
from chatsys.explore.tables import State

Verdict = Literal["pass", "fail", "exhausted, ok", "inconclusive"]


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """When to stop without an answer: after so many steps, distinct states, seconds."""

    depth: int = 1_000_000
    states: int = 1_000_000
    seconds: float = 600.0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} is {getattr(self, name)}; give a number above 0.")


class Result(msgspec.Struct, kw_only=True):
    """What a search found out."""

    model: str
    verdict: Verdict
    why: str
    """The verdict in a sentence."""
    distinct_states: int
    states_per_second: float
    """By the clock on the wall."""
    states_per_cpu_second: float
    """By the processor's: the speed on a core of its own, however many others want that core now."""
    depth: int
    """Every state within so many steps was looked at."""
    bounds: tuple[str, ...]
    """What was left out."""
    asked: tuple[str, ...] = ()
    """What was forgotten on the way, and that the nodes were asked about it."""
    assumed: tuple[str, ...] = ()
    """What the verdict rests on: argued, not asked."""
    violation: Violation | None = None
    story: tuple[Step, ...] = ()
    """The shortest way to the violation, or to the goal."""
    reached: dict[str, int] = {}
    """What happened in at least one state, and after how many steps first."""
    collected: list[State] = []

    def summary(self) -> dict[str, Any]:
        """Return what `explore --json` prints."""
        violations = []
        if self.violation is not None:
            violations = [
                {
                    "invariant": self.violation.invariant,
                    "sentence": self.violation.sentence,
                    "story": [str(step) for step in self.story],
                }
            ]
        return {
            "model": self.model,
            "distinct_states": self.distinct_states,
            "states_per_second": round(self.states_per_second),
            "states_per_cpu_second": round(self.states_per_cpu_second),
            "depth": self.depth,
            "verdict": self.verdict,
            "violations": violations,
            "why": self.why,
            "bounds": list(self.bounds),
            "asked": list(self.asked),
            "assumed": list(self.assumed),
            "reached": self.reached,
        }


def sentences(asked: dict[str, int], kept: Iterable[type]) -> Iterator[str]:
    """Say what was asked, for the words of a result."""
    told = {
        "frames": "times a forgotten frame was delivered all the same, to every later life of its receiver; nothing came of it",
        "alarms": "times an alarm that this search leaves out was rung all the same; nothing came of it",
        "variables": "times an event, or a forgotten frame, met a node that forgets nothing; the same came of it as in this search",
    }
    for name, sentence in told.items():
        if asked.get(name):
            yield f"{asked[name]} {sentence}"
    for kind in sorted(kept, key=lambda kind: kind.__name__):
        yield f"no {kind.__name__} was forgotten, for a node was asked and still takes an old one"
