"""The imaginary disk: what a sync promises, and what a crash may take."""

from random import Random
from typing import Any

import pytest
from pingpong import Counted, PingPong

from chatsys.errors import DiskFailed
from chatsys.sim.disk import Disk, DiskModel
from chatsys.sim.world import World


def disk(seed: int = 1, **model: Any) -> Disk:
    return Disk(Random(seed), DiskModel(**model))


def written(one: Disk, *numbers: int) -> Disk:
    for number in numbers:
        one.write(Counted(number))
    return one


def recovered(one: Disk) -> list[int]:
    return [record.number for record in one.recover((Counted,))[0]]


def test_a_finished_sync_survives_every_crash() -> None:
    for seed in range(50):
        one = written(disk(seed), 1, 2, 3)
        upto, _ = one.begin_sync()
        written(one, 4, 5)
        one.end_sync(upto)
        one.crash()
        assert recovered(one) in ([1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5])


def test_a_crash_loses_unsynced_records_from_some_point_on() -> None:
    lengths = set()
    for seed in range(60):
        one = written(disk(seed), 1, 2, 3)
        one.crash()
        kept = recovered(one)
        assert kept == [1, 2, 3][: len(kept)]
        lengths.add(len(kept))
    assert lengths == {0, 1, 2, 3}


def test_a_torn_line_is_dropped_by_the_real_recovery() -> None:
    torn = set()
    for seed in range(200):
        one = written(disk(seed, torn=1.0), 1, 2, 3)
        one.crash()
        records, dropped = one.recover((Counted,))
        assert [record.number for record in records] == [1, 2, 3][: len(records)]
        assert (dropped > 0) == (len(records) < 3)
        torn.add(dropped)
    assert len(torn) > 20, "lines are torn at many places"


def test_one_sync_is_in_flight_and_the_next_takes_all_that_gathered() -> None:
    one = written(disk(), 1)
    assert one.owes_sync
    first, _ = one.begin_sync()
    written(one, 2, 3)
    assert not one.owes_sync
    one.end_sync(first)
    assert one.owes_sync and one.begin_sync()[0] == 3


def test_a_full_disk_has_a_little_room_left_and_then_fails() -> None:
    one = disk(room=2)
    one.become("full")
    written(one, 1, 2)
    with pytest.raises(DiskFailed, match="The disk is full"):
        one.write(Counted(3))
    one.become("ok")
    assert recovered(written(one, 3)) == [1, 2, 3]


def test_a_failing_disk_fails_at_the_sync() -> None:
    one = written(disk(), 1)
    upto, _ = one.begin_sync()
    one.become("failing")
    with pytest.raises(DiskFailed, match="a sync returned an error"):
        one.end_sync(upto)


# --- in a world -----------------------------------------------------------------------------


def world(**options: Any) -> World:
    return World(1, actor=PingPong, **options)


def test_an_answer_leaves_only_when_its_record_is_durable() -> None:
    one = world(disk=DiskModel(shortest=0.2, longest=0.2))
    one.run(2)
    ping = next(record for record in one.trace.of("receive") if record.message == "PING")
    pong = next(record for record in one.trace.of("send") if record.message == "PONG" and record.node == ping.node)
    durable = next(record for record in one.trace.of("durable") if record.node == ping.node)
    assert ping.time + 0.2 == pytest.approx(pong.time) and pong.time == durable.time


def test_what_was_counted_aloud_is_still_known_after_a_crash() -> None:
    for seed in range(20):
        one = World(seed, actor=PingPong)
        one.run(3)
        one.crash(2)
        said = max(record.seq or 0 for record in one.trace.of("send") if record.node == 2 and record.message == "PONG")
        one.restart(2)
        one.run(0)
        assert one.simulation.hosts[2].actor.status()["count"] >= said


def test_a_failing_disk_stops_its_node_with_the_reason() -> None:
    one = world()
    one.run(1)
    one.disk(2, "failing")
    one.run(1)
    crash = one.trace.of("crash")[0]
    assert (crash.node, crash.reason) == (2, "The disk failed: a sync returned an error.")
    assert not one.status()[2]["alive"] and one.failures == []
    one.disk(2, "ok")
    one.restart(2)
    one.run(1)
    assert one.status()[2]["alive"]


def test_a_full_disk_stops_its_node_when_the_room_is_used_up() -> None:
    one = world(disk=DiskModel(room=3))
    one.run(1)
    one.disk(2, "full")
    assert one.until(lambda: not one.status()[2]["alive"], limit=10)
    assert one.trace.of("crash")[0].reason == "The disk is full: a record could not be written."


def test_a_slow_disk_delays_answers() -> None:
    one = world()
    one.run(1)
    one.disk(2, "slow")
    one.run(4)
    syncs = [record.time for record in one.trace.of("durable") if record.node == 2 and record.time > 1]
    appends = [record.time for record in one.trace.of("append") if record.node == 2 and record.time > 1]
    assert max(sync - append for sync, append in zip(syncs, appends, strict=False)) > 0.1
