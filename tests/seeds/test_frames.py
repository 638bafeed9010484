"""Frames per event are bounded, in healthy runs far below the bound and in a bad one far above it."""

import pytest

from chatsys.campaign.one_seed import Plan, schedule
from chatsys.check.frames import BOUND, check_frames, stretches
from chatsys.mutants.schedules import play
from chatsys.trace import Record, Trace

pytestmark = pytest.mark.quick


def storm(frames: int, entries: int) -> Trace:
    """Node 3 writes so many entries and sends so many frames to node 1 within a second."""
    records = [Record(n / frames, "send", 3, peer=1, message="PROPOSE") for n in range(frames)]
    records += [Record(n / entries, "append", 3, seq=n + 1) for n in range(entries)]
    return Trace(sorted(records, key=lambda record: record.time))


def test_frames_that_nothing_asked_for_are_told() -> None:
    (found,) = check_frames(storm(frames=2000, entries=20))
    assert found.invariant == "frames" and found.node == 3
    assert found.sentence == (
        "frames: between 0.0 s and 10.0 s node 3 sent 2000 frames to node 1, but in that time and the 10.0 s before only "
        "20 entries were written or caught up with, and 0 frames of clients came; refusals and repetitions must not feed each other."
    )


def test_many_frames_for_many_entries_are_fine() -> None:
    assert check_frames(storm(frames=2000, entries=1000)) == []


def catch_up(frames: int, positions: int, seconds: float = 1.0) -> Trace:
    """Node 1 asks node 3 so often within some time, and is told of so many positions, over and over."""
    records = []
    for n in range(frames):
        records.append(Record(n * seconds / frames, "send", 1, peer=3, message="CATCHUP"))
        records.append(Record(n * seconds / frames, "receive", 1, peer=3, message="CATCHUP_REPLY", seq=n % positions))
    return Trace(records)


def test_who_catches_up_with_entries_that_it_already_has_writes_none_and_is_at_work_all_the_same() -> None:
    assert check_frames(catch_up(frames=2000, positions=2000)) == []


def test_whoever_asks_for_the_same_over_and_over_is_told() -> None:
    (found,) = check_frames(catch_up(frames=2000, positions=20))
    assert found.node == 1 and "only 20 entries were written or caught up with" in found.sentence


def test_whoever_goes_through_the_same_log_again_in_each_stretch_is_told() -> None:
    found = check_frames(catch_up(frames=4000, positions=1000, seconds=40.0))
    assert [one.node for one in found] == [1, 1] and "only 0 entries" in found[0].sentence


def test_a_seed_in_which_a_node_was_led_through_a_log_that_it_had_one_entry_at_a_time() -> None:
    assert schedule(1153, Plan(seconds=60.0, calm=45.0, talk=0.5)).violations == []


def test_the_empty_trace_has_no_frames() -> None:
    assert check_frames(Trace()) == []


def test_the_bound_parts_the_good_from_the_bad_by_a_factor_of_two() -> None:
    good = max(one.per_event for one in stretches(play("Q25").trace))
    bad = max(one.per_event for one in stretches(play("Q25", flawed=True).trace))
    assert 2 * good < BOUND < bad / 2


@pytest.mark.parametrize("nodes", [3, 5])
def test_schedules_of_all_faults_stay_far_below_the_bound(nodes: int) -> None:
    for seed in range(5):
        worst = max(one.per_event for one in stretches(schedule(seed, Plan(nodes=nodes)).trace))
        assert 2 * worst < BOUND
