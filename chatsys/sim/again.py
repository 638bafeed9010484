"""Again: a run of a world, played again without some of its steps, and with the same chance otherwise.

    world --Again--> its steps, and what chance decided     played once more, and compared with what it was
    again.play(without={2}, end=9.0)                        the same run up to 9 s, but its third step does not happen

A step that does not fit any more, since another one is gone (a restart of a node that was not crashed), is passed over.

Assumes   what `replay` assumes: the verbs are the only hands laid on the world.
Promises  `play` without nothing is the run itself; chance is told by what it was about (`chance`), so that taking a
          step away changes what follows from it, and nothing else.
Read also `replay` (the run as it was, from a file), `campaign.why` (who asks what would have been).
"""

from collections.abc import Callable, Collection
from typing import Any

from msgspec.structs import replace

from chatsys.errors import ChatsysError, Runaway, UsageError
from chatsys.faults import Fault, apply
from chatsys.run import Run
from chatsys.sim.chance import Book, Rolled
from chatsys.sim.network import Conditions
from chatsys.sim.replay import arguments, read_step
from chatsys.sim.world import World
from chatsys.trace import Record

STRIDE = 0.25
"""Whoever waits for a record looks at the trace after so many seconds of virtual time."""


class Again:
    """A run that can be played again; raises `UsageError`, with the reason, for one that cannot."""

    def __init__(self, given: World | Run) -> None:
        if isinstance(given, World) and (what := given._unsaveable_because):
            raise UsageError(f"{what} was used in this world, and what it did cannot be played again")
        self.run = given._as_run() if isinstance(given, World) else given
        self._arguments = arguments(self.run)
        self._moments: list[int | None] = []
        """How many events at the very time of a step came before it; None: all that there were."""
        self.book: Book = {}
        self.steps = self._play_once()

    @property
    def conditions(self) -> Conditions:
        """What the network is like in this run, when nobody disturbs it."""
        conditions: Conditions = self._arguments["network"]
        return conditions

    def _play_once(self) -> tuple[Fault, ...]:
        """Play the run, keep its chance, and return its steps; raises `UsageError` if it is another run this time."""
        world = World(self.run.seed or 0, **self._arguments)
        drawn = Rolled(world.simulation, None)
        steps = []
        try:
            for step in self.run.steps or ():
                events, time, verb, args = read_step(step, world)
                self._moments.append(world.simulation.reach(events, time))
                steps.append(Fault(time, verb, tuple(args)))
                self._do(world, steps[-1])
                drawn.attend()
        except ChatsysError:
            same = False
        else:
            same = world.trace.records == self.run.trace.records
        if not same:
            raise UsageError(
                "this run comes out differently when it is played again: something was done to it that is no command of a "
                "world, a class keeps something outside its objects, or the code has changed"
            )
        self.book = drawn.book
        return tuple(steps)

    def play(
        self,
        without: Collection[int] = (),
        *,
        end: float,
        conditions: Conditions | None = None,
        quorum: int | None = None,
        until: Callable[[Record], bool] = lambda record: False,
    ) -> tuple[World, Record | None]:
        """Play the run without these steps; with other `conditions` of the network, or another `quorum`, if they are given.

        It ends at `end` seconds, or soon after a record for which `until` holds, which is returned.
        """
        arguments = self._arguments
        if quorum is not None:
            arguments = arguments | {"nodes": replace(arguments["nodes"], quorum=quorum)}
        world = World(self.run.seed or 0, **arguments)
        drawn = Rolled(world.simulation, self.book)
        if conditions is not None:
            world.simulation.network.become(conditions)
        waiting = _Waiting(world, until)
        try:
            for number, step in enumerate(self.steps):
                if step.time > end or step.verb == "end" or waiting.sees(step.time):
                    break
                world.simulation.approach(step.time, self._moments[number])
                if number not in without:
                    self._do(world, step)
                    drawn.attend()
            waiting.sees(end)
            if waiting.found is None:
                world.simulation.run(max(end, world.now))
                waiting.look()
        except Runaway:
            waiting.look()
        return world, waiting.found

    def _do(self, world: World, step: Fault) -> None:
        """Do a step, if it fits its moment."""
        match step.verb:
            case "client":
                name, home = step.args
                world.add_client(name, self.run.clients.get(name), home)
            case "stop":
                world.stop()
            case "end":
                pass
            case _:
                apply(world, step.verb, step.args, lenient=True)


class _Waiting:
    """Looks for a record while a world goes on."""

    def __init__(self, world: World, until: Callable[[Record], bool]) -> None:
        self.world, self.until, self.seen = world, until, 0
        self.found: Record | None = None

    def sees(self, time: float) -> bool:
        """Go on to `time`, but not through the events at it; tell whether the record came before."""
        while self.found is None and self.world.now + STRIDE < time:
            self.world.simulation.approach(self.world.now + STRIDE, None)
            self.look()
        return self.found is not None

    def look(self) -> None:
        """Look at what is new."""
        records: Any = self.world.trace.records
        self.found = self.found or next(filter(self.until, records[self.seen :]), None)
        self.seen = len(records)
