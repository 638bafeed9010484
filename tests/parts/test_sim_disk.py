"""The imaginary disk: what a sync promises, and what a crash may take."""

from random import Random
from typing import Any

import pytest
from pingpong import Counted, PingPong

from chatsys.actor.logfile import mark
from chatsys.campaign.one_seed import Plan, schedule
from chatsys.errors import DamagedLog, DiskFailed
from chatsys.sim.disk import Disk, DiskModel
from chatsys.sim.world import World


def disk(seed: int = 1, **model: Any) -> Disk:
    return Disk(Random(seed), DiskModel(**model))


def written(one: Disk, *numbers: int) -> Disk:
    for number in numbers:
        one.write(Counted(number))
    return one


def recovered(one: Disk) -> list[int]:
    return [record.number for record in one.recover((Counted,)).records]


def test_a_finished_sync_survives_every_crash() -> None:
    for seed in range(50):
        one = written(disk(seed), 1, 2, 3)
        upto, _ = one.begin_sync()
        written(one, 4, 5)
        one.end_sync(upto)
        one.begin_sync()
        one.crash()
        assert recovered(one) in ([1, 2, 3], [1, 2, 3, 4, 5])


def test_a_crash_takes_what_was_not_on_its_way_to_the_disk_yet() -> None:
    for seed in range(50):
        one = written(disk(seed), 1, 2, 3)
        one.begin_sync()
        written(one, 4, 5)
        one.crash()
        assert recovered(one) in ([], [1, 2, 3])


def crashed_in_a_batch(seed: int) -> Disk:
    """A disk that had synced a batch, was idle, and crashed while another batch of a few pages was on its way."""
    one = written(disk(seed, torn=1.0), 0)
    upto, _ = one.begin_sync()
    one.end_sync(upto, now=1.0)
    written(one, *range(1, 8))
    one.begin_sync(now=3.0)
    one.crash(now=3.0)
    return one


def test_any_pages_of_a_torn_batch_are_lost_and_the_real_recovery_drops_it() -> None:
    shapes, endings = set(), set()
    for seed in range(300):
        one = crashed_in_a_batch(seed)
        left = one.torn_batch
        log = one.recover((Counted,))
        numbers = [record.number for record in log.records]
        assert numbers in ([0], list(range(8))), "all of it or nothing"
        if left and numbers == [0]:
            rest = left.removeprefix(mark(1))
            assert log.torn == len(rest)
            assert ("a torn batch" in log.told()) == (not mark(1).startswith(rest)), "a part of a mark held nothing"
            shapes.add(tuple(any(left[at : at + 64]) for at in range(0, len(left), 64)))
            endings.add(len(left))
    assert len(shapes) > 30 and len(endings) > 20, "pages are lost everywhere, and the file ends anywhere"
    assert {shape[0] for shape in shapes} == {True, False}, "also the page with its header, before pages that are there"


def test_the_mark_before_a_torn_batch_may_be_lost_too() -> None:
    marked = {b'"synced"' in crashed_in_a_batch(seed).torn_batch for seed in range(50)}
    assert marked == {True, False}


def test_a_mark_stands_behind_a_batch_after_an_idle_second_and_a_clean_stop() -> None:
    for idle, stops, expected in ((0.9, False, 0), (1.1, False, 1), (0.1, True, 1)):
        one = written(disk(torn=0.0), 1)
        upto, _ = one.begin_sync(now=1.0)
        one.end_sync(upto, now=2.0)
        if stops:
            one.close()
        one.crash(now=2.0 + idle)
        assert b"".join(one.parts()).count(b'"synced"') == expected


def test_what_rots_is_damage_where_something_shows_that_it_was_synced() -> None:
    for shown_by in ("a mark", "a batch"):
        one = written(disk(torn=0.0), 1)
        one.end_sync(one.begin_sync()[0], now=1.0)
        if shown_by == "a batch":
            written(one, 2)
            one.end_sync(one.begin_sync()[0], now=1.1)
        one.crash(now=3.0)
        one.rot(1, b'"number":1', b'"number":7')
        with pytest.raises(DamagedLog, match="at line 1 "):
            one.recover((Counted,))


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


# --- after a sync that failed ---------------------------------------------------------------


def read_after_an_error(rewrites: bool) -> Disk:
    """Return a disk whose last sync failed, and whose batch a new life has read all the same."""
    for seed in range(20):
        one = disk(seed, rewrites=rewrites)
        one.end_sync(written(one, 1).begin_sync()[0])
        upto, _ = written(one, 2).begin_sync()
        one.become("failing")
        with pytest.raises(DiskFailed, match="a sync returned an error"):
            one.end_sync(upto)
        one.crash()
        one.become("ok")
        if recovered(one) == [1, 2]:
            return one
    raise AssertionError("a batch whose sync failed is never read again")


def test_what_is_read_after_a_failed_sync_is_durable_because_it_is_written_once_more() -> None:
    one = read_after_an_error(rewrites=True)
    one.end_sync(written(one, 3).begin_sync()[0])
    one.crash()
    assert recovered(one) == [1, 2, 3]


def test_what_is_read_after_a_failed_sync_and_not_written_again_is_a_hole_after_a_power_loss() -> None:
    one = read_after_an_error(rewrites=False)
    one.end_sync(written(one, 3).begin_sync()[0])
    one.crash()
    with pytest.raises(DamagedLog, match="batch 2, which begins here, is not whole, and batch 3"):
        one.recover((Counted,))
    one = read_after_an_error(rewrites=False)
    one.crash()
    assert recovered(one) == [1], "nothing stands behind it: it is torn"


@pytest.mark.parametrize("rewrites", [True, False])
def test_seeds_with_a_failing_disk_find_a_node_that_does_not_write_the_last_batch_again(
    rewrites: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatsys.sim.world.DiskModel", lambda: DiskModel(rewrites=rewrites))
    plan = Plan(kinds=("failing-disk", "crash"), seconds=12.0, calm=1.0)
    found = [one for seed in (0, 1, 3) for one in schedule(seed, plan).violations]
    assert {one.invariant for one in found} == (set() if rewrites else {"broken"})
