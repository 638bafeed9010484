"""Simulated: how fast the simulator is: schedules played and checked, and its engine beside SimPy.

Read also `campaign.one_seed` (one schedule), `sim.simulation` (the engine).
"""

import importlib
import time
from collections.abc import Generator, Iterator
from typing import Any

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Effects, Send
from chatsys.actor.events import LinkUp
from chatsys.campaign.bench.lines import Line, line
from chatsys.campaign.one_seed import Plan, run_seed
from chatsys.faults import KINDS
from chatsys.sim.world import World

BRIEF = Plan(kinds=KINDS, seconds=1.0, calm=1.0)
"""A schedule as a grader plays it: about 300 events."""
LONG = Plan(kinds=KINDS, seconds=60.0, calm=45.0, talk=0.5)
"""A schedule as a night's sweep plays it."""


def schedules(nodes: int = 3, rounds: int = 5) -> Iterator[Line]:
    """Measure fault schedules per second, played, traced and checked on one core; no world runs beside it."""
    run_seed(0, BRIEF)
    for length, plan, count in (("brief", BRIEF, 40 * rounds), ("long", LONG, rounds)):
        plan = msgspec.structs.replace(plan, nodes=nodes)
        began = time.process_time()
        results = [run_seed(seed, plan) for seed in range(count)]
        seconds = time.process_time() - began
        events = sum(result.events for result in results)
        yield line(
            "schedules", "sim", length=length, nodes=nodes, schedules=count,
            virtual_seconds=plan.seconds + plan.calm, events_per_schedule=events / count,
            events_per_second=events / seconds, schedules_per_second=count / seconds,
        )  # fmt: skip


def simulator(nodes: int = 3, rounds: int = 3) -> Iterator[Line]:
    """Measure events per CPU second: two actors that play a ball, SimPy at the same if it is installed, whole nodes."""
    plan = msgspec.structs.replace(LONG, nodes=nodes)
    simpy = _simpy()
    run_seed(0, BRIEF)
    _play_ball()
    for seed in range(rounds):
        ours = _rate(_play_ball)
        yield line("simulator", "sim", what="ball", events_per_cpu_second=ours)
        whole = _rate(lambda seed=seed: run_seed(seed, plan).events)
        theirs = _rate(lambda: _play_ball_in(simpy)) if simpy is not None else None
        told = line("simulator", "sim", what="nodes, faults, trace, checks", nodes=nodes, events_per_cpu_second=whole)
        yield told if theirs is None else told | {"ratio_to_simpy": round(whole / theirs, 3)}
        if theirs is not None:
            yield line("simulator", "simpy", what="ball", events_per_cpu_second=theirs, ratio_of_ours=ours / theirs)


class Ball(msgspec.Struct, frozen=True, tag="BALL", tag_field="type"):
    """What is played to and fro."""

    number: int


class BallPlayer(Actor):
    """Plays the ball back to whoever played it."""

    messages = (Ball,)

    def on_message(self, sender: Address, message: Any, now: float) -> Effects:
        """The higher one of two begins when it hears of the other; then each ball is answered."""
        match message:
            case LinkUp() if isinstance(sender, int) and sender < int(self.me):
                return [Send(sender, Ball(1))]
            case Ball(number):
                return [Send(sender, Ball(number + 1))]
        return []


BALLS = 50_000
"""So often the ball is played."""


def _rate(play: Any) -> float:
    """Return the events of a play by the seconds of CPU that it took."""
    began = time.process_time()
    events = play()
    return float(events / (time.process_time() - began))


def _play_ball() -> int:
    world = World(1, 2, actor=BallPlayer)
    while world.simulation.events < BALLS:
        world.run(10.0)
    return world.simulation.events


def _play_ball_in(simpy: Any) -> int:
    """Play it in SimPy: a store for each player, and a delay on each way."""
    environment = simpy.Environment()
    stores = [simpy.Store(environment), simpy.Store(environment)]

    def player(mine: Any, other: Any) -> Generator[Any, Any, None]:
        while True:
            number: Any = yield mine.get()
            if number >= BALLS:
                return
            yield environment.timeout(0.01)
            other.put(number + 1)

    environment.process(player(*stores))
    environment.process(player(*reversed(stores)))
    stores[0].put(1)
    environment.run()
    return BALLS


def _simpy() -> Any:
    """Return SimPy, or None where it is not installed."""
    try:
        return importlib.import_module("simpy")
    except ImportError:
        return None
