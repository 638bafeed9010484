"""What happens before a search: everybody starts, the links come up, the model's opening is played.

    (3, "silence") --calm--> (3, Give(...)) --calm--> the first state of the search

*Calm* means: disks finish and frames arrive, oldest number first, until there is nothing left of
either.

Promises  the same first state every time.  An opening that violates an invariant says which.
Read also `model.Model.opening`, `successors`.
"""

from collections.abc import Iterable
from typing import Any

from chatsys.check.violation import Violation
from chatsys.errors import UsageError
from chatsys.explore.happenings import Own, Ring, Start, Sync
from chatsys.explore.model import Step
from chatsys.explore.successors import Successors
from chatsys.explore.tables import State
from chatsys.explore.untimed import Life

CALM = 10_000
"""An opening that is not calm after so many steps never will be."""


class OpeningBroken(Exception):
    """The opening violates an invariant: the search ends before it begins."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(violation.sentence)
        self.violation = violation


class Opening:
    """Plays the opening of a model."""

    def __init__(self, world: Successors) -> None:
        self.world, self.tables, self.size = world, world.tables, world.size

    def first(self) -> State:
        """Return the state in which the search begins: every link is up, and the opening was played."""
        tables, model = self.tables, self.world.model
        lives = [tables.life(Life(address)) for address in model.addresses]
        state: State = (*lives, tables.ledger(()), 0)
        starts = [tables.happening(place, Start()) for place in range(self.size)]
        for happening in starts:
            state = self._play(state, happening)
        for place in range(self.size):
            for other in range(self.size):
                if (found := self.world.find_news(place, state[place], state[other])) is not None and place != other:
                    state = self._play(state, found)
        state = state[: self.size + 2]
        for address, event in model.opening:
            state = self._calm(self._play(state, self._opening(state, address, event)))
        if self.world.asking is not None:
            self.world.asking.met = len(tables.lives)
        return state

    def _opening(self, state: State, address: Any, event: Any) -> int:
        place = self.tables.places[address]
        if not isinstance(event, str):
            return self.tables.happening(place, event)
        for happening, _ in self.tables.chances(place, state[place]):
            found = self.tables.happenings[happening][1]
            if isinstance(found, Ring) and found.name == event:
                return happening
        raise UsageError(f"The opening lets the alarm {event!r} of {address} ring, but it is not set.")

    def _play(self, state: State, happening: int, frames: tuple[int, ...] | None = None) -> State:
        model = self.world.model
        capacity, model.capacity = model.capacity, CALM
        try:
            frames = state[self.size + 2 :] if frames is None else frames
            for _, after, _, wrong in self.world.act(state, happening, frames, state[self.size + 1]):
                if wrong is not None:
                    raise OpeningBroken(wrong)
                return after
        finally:
            model.capacity = capacity
        return state[: self.size + 2] + frames

    def _calm(self, state: State) -> State:
        """Let disks finish and frames arrive until there is nothing left of either."""
        size = self.size
        for _ in range(CALM):
            due = [
                happening
                for place in range(size)
                for happening, _ in self.tables.chances(place, state[place])
                if isinstance(self.tables.happenings[happening][1], (Sync, Own))
            ]
            frames = state[size + 2 :]
            if due:
                state = self._play(state, due[0])
            elif frames:
                event = self.tables.happenings[frames[0]][1]
                if self.world.asking is not None and type(getattr(event, "message", None)) not in self.tables.kept:
                    self.world.asking.lost.append(frames[0])
                state = self._play(state, frames[0], frames[1:])
            else:
                return state
        raise UsageError(f"The opening of {self.world.model.name} never becomes calm.")


def replay(world: Successors, story: Iterable[Step]) -> tuple[State, Violation | None]:
    """Play a story from the first state; return where it ends and the violation it meets."""
    try:
        state = Opening(world).first()
    except OpeningBroken as error:
        return (), error.violation
    for number, step in enumerate(story, start=1):
        for key, after, _, wrong in world.successors(state):
            if world.step(key) == step:
                state = after
                if wrong is not None:
                    return state, wrong
                break
        else:
            raise UsageError(f"Step {number} of the story cannot happen here: {step}.")
    return state, None
