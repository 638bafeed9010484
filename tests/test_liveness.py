"""L1-L4: something good happens in time, once faults have ended; or the run was too short to tell."""

import pytest
from stories import Story

from chatsys.check.liveness import check_live
from chatsys.sim.world import World


def busy_world(seconds: float, quorum: int | str = "majority") -> World:
    world = World(seed=5, quorum=quorum)
    for number in range(5):
        world.at(1 + number, "say", f"message {number}")
    world.at(2.5, "crash", 3)
    world.at(8, "mend")
    world.run(seconds)
    return world


def test_a_healthy_cluster_passes() -> None:
    verdict = check_live(busy_world(90).trace, faults_end=8.0)
    assert (verdict.verdict, verdict.violations, verdict.open) == ("pass", (), ())


def test_a_run_that_is_too_short_is_inconclusive_and_says_what_it_cannot_tell() -> None:
    verdict = check_live(busy_world(30).trace, faults_end=8.0)
    assert verdict.verdict == "inconclusive"
    assert [sentence[:2] for sentence in verdict.open] == ["L3", "L4"]
    assert "the run ends at" in verdict.open[0]


def test_a_cluster_without_a_quorum_has_no_leader() -> None:
    world = World(seed=5)
    world.run(3)
    world.say("hello", node=1)
    world.run(1)
    world.crash(2)
    world.crash(3)
    world.say("anyone?", node=1)
    world.run(100)
    verdict = check_live(world.trace, faults_end=5.0)
    assert verdict.verdict == "fail"
    assert [violation.invariant for violation in verdict.violations] == ["L1", "L3"]
    assert "no node was a ready leader" in str(verdict.violations[0])
    assert "'anyone?'" in str(verdict.violations[1])


def test_a_live_node_that_misses_an_acknowledged_message_breaks_l2() -> None:
    story = Story().add("start", 1).add("start", 2).add("ready", 1, term=1)
    story.submit("ann", 1, "hi").ack("ann", 1, 1, "hi").deliver(1, 1, 1, "hi").add("durable", 1)
    story.records[-1].time = 200.0
    (violation,) = check_live(story.trace(), 0.0).violations
    assert violation.invariant == "L2" and "node 2 had not delivered it" in violation.sentence


@pytest.mark.parametrize("leads", [1, 2])
def test_one_hand_over_is_allowed_and_two_are_not(leads: int) -> None:
    story = Story().add("start", 1).add("ready", 1, term=1)
    for term in range(leads):
        story.add("lead", 1, term=2 + term)
        story.records[-1].time = 30.0
    story.add("durable", 1)
    story.records[-1].time = 200.0
    assert [v.invariant for v in check_live(story.trace(), 0.0).violations] == ["L4"] * (leads - 1)
