"""Explorer: every order in which things can happen, up to stated bounds, breadth first.

A state of the cluster is what each address holds, the frames under way (a bag: the network has no
order), a ledger of what was said and decided, and how much of each budget is spent.  From each
state everything that may happen is tried; states seen before are not entered again.  Because the
search goes level by level, the first violation it meets has a story that no other beats in length.

    state --deliver, duplicate, ring, sync, crash, start, ...--> states     seen before? leave it
      |                                                                     broken? tell the story
      `-- (lives, ledger, spent, frames), all small numbers: lives and turns are computed once

*Loss* takes no step.  A frame under way changes nothing, so losing it early or late is the same;
here it is lost when there is room for `capacity` frames only and newer ones need it, each choice
of losers being tried, or it simply never arrives.  *Reordering* is the bag, *delay* is waiting.

Assumes   `untimed` covers what clocks can do (its docstring argues that); the bounds of the model
          are bounds of the claim, and every result repeats them.
Promises  four verdicts: `pass` (the goal was reached), `fail` (with the shortest story),
          `exhausted, ok` (nothing is left to search within the bounds) and `inconclusive` (a budget
          ran out, the actor does what a search without time cannot judge, or something was found
          by a model that grants more than can happen).  Never a silent ok: the nodes were asked about each frame
          and each variable that was forgotten on the way (`asking`), and what is only argued is named.
          Memory: 16 bytes of digest a state and the step that led to it.
Read also `models` (what is searched), `untimed` (one step of one node), `fingerprint`.
"""

import time
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from chatsys.check.violation import Violation
from chatsys.explore.asking import StillAlive
from chatsys.explore.chance import Undecidable
from chatsys.explore.model import Model, Step
from chatsys.explore.opening import Opening, OpeningBroken
from chatsys.explore.opening import replay as play
from chatsys.explore.result import Budget, Result, Verdict, sentences
from chatsys.explore.successors import Successors
from chatsys.explore.tables import State
from chatsys.explore.untimed import Life

__all__ = ["Budget", "Explorer", "Predicate", "Result", "Verdict"]

Predicate = Callable[[Sequence[Life]], bool]


class Explorer:
    """Searches one model; several searches share what was computed, so one can go on where another ended."""

    def __init__(self, model: Model, symmetry: bool = True, prune: bool = True) -> None:
        self.model, self.symmetry, self.prune = model, symmetry, prune
        self.alive: dict[type, str] = {}
        """Frames that are never forgotten, since a node was asked and still takes an old one; and what it takes."""
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.world = Successors(self.model, self.symmetry, self.prune, frozenset(self.alive))
        self.parents = array("q")
        self.steps = array("q")
        self.found: dict[State, int] = {}
        """Collected states, and where their stories are."""

    def search(
        self,
        budget: Budget | None = None,
        *,
        goal: str | Predicate | None = None,
        collect: Predicate | None = None,
        starts: Iterable[State] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Result:
        """Search breadth first until the goal, a violation, the end, or the end of the budget.

        `goal` is a mark of the model or a predicate on the lives.  `collect` gathers the states that
        satisfy it, and does not search beyond them: hand them to the next stage as `starts`.
        `progress(states, depth)` is called now and then.
        """
        run = _Run(self, budget or Budget(), goal, collect, progress)
        try:
            run.search(self._begin(starts))
        except StillAlive as error:
            self.alive[error.kind] = f"{error}."
            if starts is None:
                self._begin_anew()
                left = replace(run.budget, seconds=max(run.budget.seconds - run.seconds, 1.0))
                return self.search(left, goal=goal, collect=collect, progress=progress)
            run.end("inconclusive", "The search forgot a frame that is not dead.")
        except Undecidable as error:
            run.end("inconclusive", f"{error}.")
        except OpeningBroken as error:
            run.violation = error.violation
            run.end("fail", f"Already in the opening: {error}")
        return run.result()

    def _begin(self, starts: Iterable[State] | None) -> list[tuple[int, State]]:
        if starts is None:
            return [(self.place(-1, -1), Opening(self.world).first())]
        return [(self.found[state], state) for state in starts]

    def place(self, parent: int, step: int) -> int:
        """Keep how a state was reached; return its place."""
        self.parents.append(parent)
        self.steps.append(step)
        return len(self.parents) - 1

    def story(self, place: int) -> tuple[Step, ...]:
        """Return the steps that lead to a state, from the opening on."""
        told: list[Step] = []
        while place >= 0 and self.steps[place] >= 0:
            told.append(self.world.step(self.steps[place]))
            place = self.parents[place]
        return tuple(reversed(told))

    def lives(self, state: State) -> tuple[Life, ...]:
        """Return the lives of a state."""
        return self.world.lives(state)

    def replay(self, story: Iterable[Step]) -> tuple[State, Violation | None]:
        """Play a story from the start; return the state at its end and the violation it meets."""
        return play(self.world, story)


class _Run:
    """One search."""

    def __init__(self, explorer: Explorer, budget: Budget, goal: Any, collect: Predicate | None, progress: Any) -> None:
        self.explorer, self.world, self.model = explorer, explorer.world, explorer.model
        self.budget, self.goal, self.collect, self.progress = budget, goal, collect, progress
        self.began, self.worked = time.perf_counter(), time.process_time()
        self.depth = 0
        self.seen: set[bytes] = set()
        self.verdict: Verdict | None = None
        self.why = ""
        self.violation: Violation | None = None
        self.last = -1
        self.reached: dict[str, int] = {}
        self.collected: list[State] = []

    def end(self, verdict: Verdict, why: str, last: int = -1) -> None:
        """Give the verdict; `last` is the place where the story ends."""
        self.verdict, self.why, self.last = verdict, why, last

    def _find(self, verdict: Verdict, why: str, last: int) -> None:
        """Give the verdict of something found, which proves nothing if the model grants what cannot happen."""
        if self.model.generous:
            verdict, why = "inconclusive", f"{why}  But this search grants more than can happen; search exactly."
        self.end(verdict, why, last)

    def search(self, level: list[tuple[int, State]]) -> None:
        """Go level by level."""
        self.seen.update(self.world.digest(state) for _, state in level)
        level = [(here, state) for here, state in level if self._look(state, here)]
        while level and self.verdict is None:
            if self.depth >= self.budget.depth:
                return self.end("inconclusive", f"Every state within {self.depth} steps was searched; there are more.")
            level = self._expand(level)
            if self.verdict is None:
                self.depth += 1
                self._ask()
        if self.verdict is None:
            self._ask(last=True)
        vital = self.model.vital
        if self.verdict is None and self.goal is None and vital and vital not in self.reached:
            self.end("inconclusive", f"Everything within the bounds was searched, but {vital!r} never happened in it.")
        elif self.verdict is None:
            what = "nothing is violated" if self.goal is None else "the goal cannot be reached"
            rests = f"  It rests on {len(self.model.assumed)} assumptions, each named." if self.model.assumed else ""
            self.end("exhausted, ok", f"Everything within the bounds was searched; {what}.{rests}")

    def _ask(self, last: bool = False) -> None:
        """Ask the nodes about what was forgotten: after each step, so as to find out soon, and at the end."""
        asking = self.world.asking
        if asking is not None:
            asking.check()
        if asking is not None and last:
            asking.check_forgotten()

    def _expand(self, level: list[tuple[int, State]]) -> list[tuple[int, State]]:
        """Try everything in every state of a level; return the states not seen before."""
        seen, digest, place, reached = self.seen, self.world.digest, self.explorer.place, self.reached
        looks = callable(self.goal) or self.collect is not None
        following: list[tuple[int, State]] = []
        for count, (here, state) in enumerate(level):
            if count & 127 == 0 and self._is_over():
                break
            for step, after, marks, wrong in self.world.successors(state):
                if wrong is not None:
                    self.violation = wrong
                    self._find("fail", wrong.sentence, place(here, step))
                    return []
                for mark in marks:
                    if mark not in reached:
                        reached[mark] = self.depth + 1
                        if mark == self.goal:
                            self._find("pass", f"The goal {mark!r} is reached.", place(here, step))
                            return []
                key = digest(after)
                if key not in seen:
                    seen.add(key)
                    there = place(here, step)
                    if not looks or self._look(after, there):
                        following.append((there, after))
                    if self.verdict is not None:
                        return []
        return following

    def _look(self, state: State, place: int) -> bool:
        """Compare a new state with goal and collection; tell whether to search beyond it."""
        lives = self.world.lives(state)
        if callable(self.goal) and self.goal(lives):
            self._find("pass", "The goal is reached.", place)
        if self.collect is not None and self.collect(lives):
            self.collected.append(state)
            self.explorer.found[state] = place
            return False
        return True

    @property
    def seconds(self) -> float:
        """How long this search has taken."""
        return time.perf_counter() - self.began

    def _is_over(self) -> bool:
        """Tell whether a budget ran out."""
        states, seconds = len(self.seen), self.seconds
        if self.progress is not None:
            self.progress(states, self.depth)
        if states >= self.budget.states:
            self.end(
                "inconclusive", f"The budget of {self.budget.states} distinct states ran out at depth {self.depth}."
            )
        elif seconds >= self.budget.seconds:
            self.end("inconclusive", f"The budget of {self.budget.seconds:g} s ran out at depth {self.depth}.")
        return self.verdict is not None

    def result(self) -> Result:
        """Return what was found out."""
        seconds = max(self.seconds, 1e-9)
        worked = max(time.process_time() - self.worked, 1e-9)
        assert self.verdict is not None, "a search ends with a verdict"
        asking = self.world.asking
        return Result(
            model=self.model.name,
            verdict=self.verdict,
            why=" ".join([self.why, *self.explorer.alive.values()]),
            distinct_states=len(self.seen),
            states_per_second=len(self.seen) / seconds,
            states_per_cpu_second=len(self.seen) / worked,
            depth=self.depth,
            bounds=self.model.bounds,
            asked=tuple(sentences(asking.asked if asking is not None else {}, self.explorer.alive)),
            assumed=self.model.assumed,
            violation=self.violation,
            story=self.explorer.story(self.last),
            reached=self.reached,
            collected=self.collected,
        )
