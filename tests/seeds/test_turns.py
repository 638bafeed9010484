"""Turns that last, in the simulator: what comes together is served together, fairly, and settled once."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from pingpong import Ping, PingPong

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Note, Send
from chatsys.actor.events import LinkUp
from chatsys.actor.inbox import LIGHT, QUANTUM
from chatsys.campaign.one_seed import Plan, schedule
from chatsys.campaign.reproduction import Case
from chatsys.errors import UsageError
from chatsys.faults import KINDS, Script
from chatsys.protocol.messages import NODE_MESSAGES, Submit
from chatsys.sim.network import Conditions
from chatsys.sim.world import World

pytestmark = pytest.mark.quick

TURN = 0.01
TRIP = 0.001
STEADY = Conditions(shortest=TRIP, longest=TRIP, tail=0.0)


# --- who is served when ---------------------------------------------------------------------


class Speaker(Actor):
    """Sends node 1 so many SUBMITs at a time, every `gap` seconds, and does not wait for any answer."""

    messages = NODE_MESSAGES

    def __init__(self, *facts: Any, each: int, gap: float) -> None:
        super().__init__(*facts)
        self.each, self.gap, self.number = each, gap, 0

    def on_message(self, sender: Address, message: Any, now: float) -> list[Any]:
        if isinstance(message, LinkUp) and sender == 1:
            self.alarms.set("speak", now + self.gap)
        return []

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        self.alarms.set(name, now + self.gap)
        self.number += self.each
        return [Send(1, Submit(str(self.me), self.number - at)) for at in range(self.each)]


def turns_until_served(flooders: int, each: int) -> tuple[list[int], list[int]]:
    """Return, for each burst of an honest client, in which turn after its arrival it was served; and how big turns were."""
    world = World(flooders, network=STEADY, turn=TURN)
    for number in range(flooders):
        world.add_client(f"flood{number}", partial(Speaker, each=2 * QUANTUM, gap=TURN))
    world.add_client("ann", partial(Speaker, each=each, gap=0.197))
    world.run(0.9)
    taken = [r for r in world.trace.of("receive") if r.node == 1 and r.message == "SUBMIT" and r.time > 0.1]
    turns = sorted({record.time for record in taken})
    sizes = [sum(str(record.peer) != "ann" for record in taken if record.time == turn) for turn in turns]
    sent = {r.id: r.time for r in world.trace.of("send") if r.node == "ann"}
    counts = [sum(sent[r.id] + TRIP <= turn <= r.time for turn in turns) for r in taken if r.peer == "ann"]
    return counts, sizes


@pytest.mark.parametrize("flooders", [1, 2, 5, 9])
def test_beside_so_many_clients_that_flood_an_honest_burst_is_served_in_turn_links_plus_one_exactly(
    flooders: int,
) -> None:
    """A turn has one quantum only, and every flooder has more waiting than that: nothing is worse, and it is reached."""
    counts, sizes = turns_until_served(flooders, each=LIGHT + 1)
    assert len(counts) >= 3 * (LIGHT + 1) and set(counts) == {flooders + 1}
    assert max(sizes) == QUANTUM


def test_whoever_says_little_is_served_in_the_very_next_turn() -> None:
    counts, _ = turns_until_served(6, each=LIGHT)
    assert len(counts) >= 3 * LIGHT and set(counts) == {1}


# --- what a turn is -------------------------------------------------------------------------


class AnswersInSettle(PingPong):
    """Owes an answer to whoever asked last: right as long as nobody else asks in the same turn."""

    asked: Address = 0

    def on_message(self, sender: Address, message: Any, now: float) -> list[Any]:
        match message:
            case LinkUp() if sender == 1:
                return [Send(1, Ping(1))]
            case Ping():
                self.asked = sender
        return []

    def settle(self, now: float) -> list[Any]:
        asked, self.asked = self.asked, 0
        return [Note("seen", peer=asked)] if asked else []


@pytest.mark.parametrize(("turn", "answered"), [(0.0, 2), (0.02, 1)])
def test_what_needs_two_frames_in_one_turn_shows_where_turns_last(turn: float, answered: int) -> None:
    world = World(1, actor=AnswersInSettle, network=STEADY, turn=turn)
    world.run(1)
    assert len({record.peer for record in world.trace.of("receive") if record.node == 1}) == 2
    assert len([record for record in world.trace.of("seen") if record.node == 1]) == answered


def received(world: World, node: int) -> Iterator[tuple[float, Any]]:
    for record in world.trace.of("receive"):
        if record.node == node:
            yield record.time, record.id


def test_a_crash_drops_what_waits_and_a_pause_keeps_it() -> None:
    crashed, paused = (World(1, nodes=2, actor=PingPong, network=STEADY, turn=0.1) for _ in range(2))
    for world in (crashed, paused):
        gate = world.hold(Ping, receiver=2)
        world.run(1)
        gate.release()
        world.run(0.05)  # it has come, and waits for the end of the turn
        assert not list(received(world, 2))
    crashed.crash(2)
    crashed.run(0.2)
    crashed.restart(2)
    paused.pause(2)
    paused.run(1)
    assert not list(received(paused, 2))
    paused.resume(2)
    assert [time for time, _ in received(paused, 2)] == [paused.now]
    crashed.run(1)
    assert not list(received(crashed, 2)), "what waited belonged to the life that ended"


# --- and all the laws -----------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "turn"), [(1, 0.005), (2, 0.01), (107, 0.05)])
def test_the_laws_hold_however_events_are_grouped_into_turns(seed: int, turn: float) -> None:
    outcome = schedule(seed, Plan(nodes=5, kinds=KINDS, seconds=10, talk=0.2, turn=turn))
    assert outcome.violations == [] and outcome.messages > 10
    times = {(record.node, record.time) for record in outcome.trace.of("receive")}
    assert len(times) < len(outcome.trace.of("receive")), "some turns had more than one frame"


def test_the_length_of_turns_belongs_to_what_plays_a_run_again() -> None:
    assert Plan(turn=0.01).replay(7).endswith("--seeds 7:8 --nodes 3 --turn 0.01")
    world = World(1, turn=0.02)
    case = Case(seed=1, script=Script([]), config=world.config, turn=0.02)
    assert case.options()[-1] == "turn=0.02" and case.world().simulation.turn == 0.02
    with pytest.raises(UsageError, match="turn is 2; give seconds from 0 to 1"):
        Plan(turn=2)
