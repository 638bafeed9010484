"""Search: where a bug is looked for by trying every order of events, stage by stage.

    first state --every order--> the nearest where stage 1 holds --every order--> stage 2 --...--> a violation?

A story of twenty steps is too long to be met by blind search, so its way is marked out: each stage
is a sentence and a predicate on the three nodes, the search goes on from the nearest states where
it holds, and everything between is left to the search.  Stages say nothing of the bug: the protocol
without it passes through the same stages and is searched beyond them with the same budget.

Assumes    the bounds of the model and the stages are bounds of the claim; `Sight` repeats them.
Promises   the same search of the same mutant sees the same, after as many steps and states.
Left out   roads that avoid a stage: for the protocol they are searched by `chatsys explore`.
Read also  `models` (the models and their bounds), `explore.explorer` (how it searches).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatsys.check.violation import Violation
from chatsys.explore.explorer import Budget, Explorer, Result
from chatsys.explore.model import Step
from chatsys.explore.node_model import NodeModel
from chatsys.explore.tables import State
from chatsys.explore.untimed import Life
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.protocol.node import Node

When = Callable[[Life, Life, Life], bool]


@dataclass(frozen=True)
class Stage:
    """A place on the way."""

    what: str
    """What has come to pass, in a sentence."""
    when: When
    """Tells it of the three nodes."""
    width: int = 1
    """From how many of the nearest states like this the search goes on."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """Which model is searched, within which bounds, by which stages."""

    model: type[NodeModel]
    bounds: Mapping[str, Any] = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()
    states: int = 5_000
    """How many distinct states are looked at on the way to each stage, and beyond the last."""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What a search saw."""

    verdict: str
    """As of `explore.explorer`: fail, exhausted, ok, or inconclusive (a budget ran out)."""
    why: str
    killer: str = ""
    """The invariant that was seen broken."""
    story: tuple[Step, ...] = ()
    """The way there from the first state; from stage to stage none is shorter."""
    states: int = 0
    """Distinct states of all stages together."""
    reached: int = 0
    """How many stages were reached."""
    seconds: float = 0.0
    bounds: tuple[str, ...] = ()


def look(search: Search, mutant: Mutant | None = None) -> Sight:
    """Search the mutant, or (None) the protocol as it is."""
    return _Look(search, mutant).look()


def replay(search: Search, mutant: Mutant | None, story: Sequence[Step]) -> Violation | None:
    """Play a story step by step; return the violation at its end."""
    return _Look(search, mutant).explorer.replay(story)[1]


class _Look:
    """One search by its stages."""

    def __init__(self, search: Search, mutant: Mutant | None) -> None:
        self.search = search
        parts, actor = (mutant.parts, mutant.actor) if mutant else (None, Node)
        self.model = search.model(parts, node=actor, **search.bounds)
        self.explorer = Explorer(self.model)
        self.states, self.reached = 0, 0
        self.began = time.perf_counter()

    def look(self) -> Sight:
        """Go from stage to stage, and on."""
        starts: list[State] | None = None
        for stage in self.search.stages:
            result = self._go_on(starts, stage)
            if result.violation is not None:
                return self._sight(result)
            if not result.collected:
                return self._sight(result, missed=stage)
            starts = result.collected
            self.reached += 1
        return self._sight(self._go_on(starts))

    def _go_on(self, starts: list[State] | None, stage: Stage | None = None) -> Result:
        """Search from `starts` to the nearest states of a stage, or as far as the budget goes."""
        ways: dict[str, Any] = {}
        if stage is not None:
            there, width, count = stage.when, stage.width, 0

            def enough(lives: Sequence[Life]) -> bool:
                nonlocal count
                count += there(*lives)
                return count >= width

            ways = {"goal": enough, "collect": lambda lives: there(*lives)}
        result = self.explorer.search(Budget(states=self.search.states), starts=starts, **ways)
        self.states += result.distinct_states
        return result

    def _sight(self, result: Result, missed: Stage | None = None) -> Sight:
        found = result.violation
        return Sight(
            verdict=result.verdict if missed is None else "inconclusive",
            why=result.why if missed is None else f"It was not seen that {missed.what}.  {result.why}",
            killer=found.invariant if found is not None else "",
            story=result.story if found is not None else (),
            states=self.states,
            reached=self.reached,
            seconds=time.perf_counter() - self.began,
            bounds=self.model.bounds,
        )
