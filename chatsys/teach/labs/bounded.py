"""Bounded: a scenario that a student wrote is played within bounds, for it is played with every answer that there is.

    [("say", ..), ("run", 3), ("crash", ..)] --verb by verb--> world --some seconds more--> what comes of it

A test of one's own is a few steps that tell right answers from wrong ones.  Forty answers are played
with it, some of which make frames without end, so both its seconds and its events are bounded.

Promises  a scenario within its bounds is played as it is written; of any other a sentence says which bound it met.
Read also the `play` of labs 03 to 06, who say their bounds.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from chatsys.errors import UsageError
from chatsys.faults.arguments import check_seconds
from chatsys.sim.world import World

Steps = Sequence[tuple[str, tuple[Any, ...], dict[str, Any]]]
"""Verbs of a world, with their arguments."""


class ScenarioBounds(msgspec.Struct, frozen=True, kw_only=True):
    """How long a scenario may be (in seconds and events), and for how many seconds the world goes on behind it."""

    seconds: float
    events: int
    afterwards: float
    enough: str
    """What is enough to show everything: the end of the sentence for one that is too long."""

    def play(self, world: World, steps: Steps) -> World:
        """Play the steps, then let some time go by; return the world.  Raises `UsageError` for what is too long."""
        for verb, arguments, named in steps:
            if verb == "run":
                self._go_on(world, self.seconds, *arguments, **named)
            else:
                getattr(world, verb)(*arguments, **named)
        self._go_on(world, self.seconds + self.afterwards, self.afterwards)
        return world

    def _go_on(self, world: World, most: float, seconds: float) -> None:
        check_seconds("run", seconds)
        if world.now + seconds > most:
            raise UsageError(f"the scenario comes to {world.now + seconds:.0f} s; it may take {most:.0f} s")
        if world.until(lambda: world.simulation.events > self.events, limit=seconds, quiet=True):
            raise UsageError(f"the scenario makes more than {self.events:,} events; {self.enough} everything")
