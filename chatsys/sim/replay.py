"""Replay: a saved run of a world, played again up to the moment at which it was saved.

    world --save--> file: seed, arguments, steps [events before it, time, verb, ...]
    file --Run.load--> Run --replay--> the same world at the same moment

A script alone says when; where a step and an event share one moment it does not say which came
first, and people who wait with `until` act at such moments all the time.  So every step carries the
number of events before it.

Assumes   the verbs of `world` are the only hands laid on it; classes that keep state outside
          themselves do not repeat.
Promises  the same trace, or a warning which event is another one.
Read also `run` (the file), `world` (who writes down the steps), `again` (a run without some of its steps).
"""

import warnings
from itertools import zip_longest
from typing import Any

import msgspec

from chatsys.config import ClusterConfig
from chatsys.errors import ChatsysError, UsageError
from chatsys.faults import apply, check_fault
from chatsys.run import Run
from chatsys.sim.disk import DiskModel
from chatsys.sim.network import Conditions
from chatsys.sim.world import World

_PLAIN = {"nodes": ("config", ClusterConfig), "network": ("network", Conditions), "disk": ("disk", DiskModel)}
"""Arguments of `World` that are values of ours: under which name they are kept, and what they are."""


def replay(run: Run) -> World:
    """Return the world of a saved run, played again up to the moment when it was saved.

    Warns if its history is another one: the code has changed, or something was done past the
    verbs.  Raises `UsageError` for a run that cannot be played again.
    """
    world = World(run.seed or 0, **arguments(run))
    _play_again(world, run)
    return world


def arguments(run: Run) -> dict[str, Any]:
    """Return the arguments of the world of a saved run; raises `UsageError` if it cannot be made again."""
    options = run.options
    if options.get("where", "sim") != "sim":
        raise UsageError("This run was no simulation, so its time and chance are gone; play its script instead.")
    if run.steps is None or type(run.seed) is not int:
        raise UsageError("This run was saved without all that made it, by an older chatsys; its trace can be read.")
    if run.code and not (run.parts or run.actor or run.client or run.clients):
        raise UsageError(
            f"This run needs code for {', '.join(sorted(run.code))}, which was not loaded; read run.code, and if you "
            "trust it, use Run.load(path, trust=True)."
        )
    try:
        made = {name: msgspec.convert(options[key], kind, str_keys=True) for name, (key, kind) in _PLAIN.items()}
        made |= {name: options[name] for name in ("clock_drift", "busiest")}
        made["turn"] = options.get("turn", 0.0)  # runs that were saved before turns could last have none
    except (KeyError, msgspec.ValidationError) as error:
        raise UsageError(f"The options of this run are not whole ({error}); its trace can be read.") from None
    return made | {"parts": run.parts, "actor": run.actor, "client": run.client}


def _play_again(world: World, run: Run) -> None:
    """Do every step of `run` in the new `world`, each after as many events as before it."""
    try:
        for step in run.steps or ():
            events, time, verb, args = read_step(step, world)
            world.simulation.reach(events, time)
            if verb == "client":
                world.add_client(args[0], run.clients.get(args[0]), args[1])
            elif verb == "stop":
                world.stop()
            elif verb != "end":
                apply(world, verb, args)
    except ChatsysError as error:
        _warn(f"at {world.now:.3f} s it went another way: {str(error).rstrip('.')}.")
        return
    pairs = enumerate(zip_longest(world.trace, run.trace))
    if (at := next((at for at, (mine, was) in pairs if mine != was), None)) is not None:
        _warn(f"event {at} of its trace is another one.")


def read_step(step: list[Any], world: World) -> tuple[int, float, str, list[Any]]:
    """Return a step of a file, which anybody may have written: no more than verbs get through."""
    try:
        events, time, verb = msgspec.convert(step[:3], tuple[int, float, str])
        if verb == "client":
            msgspec.convert(step[3:], tuple[str, int | None])
        elif verb in ("stop", "end"):
            msgspec.convert(step[3:], tuple[()])
        else:
            check_fault(verb, step[3:])
    except msgspec.ValidationError:
        raise UsageError(f"{step!r} is no step of a run") from None
    return events, time, verb, step[3:]


def _warn(what: str) -> None:
    warnings.warn(
        f"The run was played again, but {what} The code is not what it was, or something was done past the verbs.",
        stacklevel=4,
    )
