"""The network and the timers with which a lab begins show what the chat's own would hide."""

from random import Random
from typing import Any

import msgspec
import pytest
from watcher import INTERVAL, Beat, Watcher

from chatsys.actor.actor import Actor
from chatsys.config import ClusterConfig
from chatsys.sim.world import World
from chatsys.teach.labs.defaults import OVERTAKING, begin_timers

pytestmark = pytest.mark.quick


def alarms(seed: int, **how: Any) -> dict[Any, float]:
    actor = Actor(1, ClusterConfig.of(3), Random(seed))
    begin_timers(actor, 5.0, beat=0.8, tick=0.1, **how)
    return actor.alarms.dates


def test_a_timer_first_rings_at_some_moment_of_its_first_interval() -> None:
    beats = [alarms(seed)["beat"] for seed in range(200)]
    assert 5.0 <= min(beats) < 5.05 and 5.75 < max(beats) <= 5.8
    assert all(5.0 <= alarms(seed)["tick"] <= 5.1 for seed in range(200))


def test_timers_can_be_aligned_to_show_what_happens_then() -> None:
    assert alarms(1, aligned=True) == alarms(2, aligned=True) == {"beat": 5.8, "tick": 5.1}


def test_a_crash_at_one_moment_comes_at_every_phase_of_a_heartbeat() -> None:
    since = []
    for seed in range(60):
        world = World(seed, actor=Watcher, network=OVERTAKING)
        world.run(10)
        since.append(10 - max(record.time for record in world.trace.of("send") if record.node == 3))
    assert min(since) < 0.1 * INTERVAL and max(since) > 0.9 * INTERVAL


def test_messages_overtake_each_other_and_none_is_later_than_the_bound() -> None:
    world = World(1, actor=Watcher, network=msgspec.structs.replace(OVERTAKING, longest=2.0))
    world.run(30)
    sent = {record.id: record.time for record in world.trace.of("send") if record.message == Beat.__struct_config__.tag}
    came = [(record.id, record.time) for record in world.trace.of("receive") if record.node == 1 and record.peer == 2]
    assert all(0.01 <= time - sent[name] <= 2.0 for name, time in came)
    assert [sent[name] for name, _ in came] != sorted(sent[name] for name, _ in came)
