"""Simulated clusters with learners: they join through every node, are refused and removed, and count nowhere."""

from collections import Counter
from pathlib import Path

import pytest

from chatsys import Run, World
from chatsys.campaign.learners import play
from chatsys.check import check
from chatsys.errors import UsageError
from chatsys.faults import Script
from chatsys.sim.replay import replay


def with_four(seed: int = 1, through: int | None = None) -> World:
    """A cluster of three that chats, and learner 4, which was taken in."""
    world = World(seed)
    world.until(lambda: world.leader)
    world.say("before")
    world.join(4, through)
    assert world.until(lambda: world.status()[4]["ready"])
    world.run(1)
    return world


def test_seeds_with_learners_hold_and_everything_happens_in_them() -> None:
    counts: Counter[str] = Counter()
    for seed, nodes in ((0, 3), (1, 3), (2, 3), (3, 3), (4, 3), (8, 3), (1000, 5)):
        one = play(seed, nodes)
        assert (one.broken, one.late, one.inconclusive) == ((), (), ""), seed
        counts.update(one.counts)
    for happened in ("admitted", "refused", "wipe", "restored", "stop", "entries: left", "entries: new", "delivered"):
        assert counts[happened] >= 3, happened


@pytest.mark.parametrize("through", [1, 2, 3])
def test_a_learner_joins_through_any_node_also_with_the_leader_dead_at_that_moment(through: int) -> None:
    world = World(2)
    world.until(lambda: world.leader)
    world.say("before")
    world.run(1)
    world.crash(world.leader or 3)
    world.join(4, through)
    world.run(0.5)
    assert not world.status()[4]["ready"], "nobody leads"
    assert world.until(lambda: world.status()[4]["ready"], 20)
    world.say("after")
    world.run(3)
    assert world.delivered(4) == ["before", "after"] and not check(world.trace)


def test_what_waits_for_a_leader_is_served_what_is_committed() -> None:
    world = with_four()
    for node in world.nodes:
        if node != 1:
            world.crash(node)
    world.run(4)
    world.join(5, through=1)
    world.run(2)
    assert not world.status()[5]["ready"] and "no leader" in world.status()[5]["waits_for"]
    assert world.delivered(5) == ["before"]


def test_a_learner_is_in_no_quorum() -> None:
    world = with_four()
    world.join(5)
    world.run(3)
    for node in (1, 2):
        world.crash(node)
    world.run(10)
    assert world.leader is None
    world.say("nobody can order this", node=4)
    world.run(10)
    assert "nobody can order this" not in world.delivered(4) + world.delivered(3)
    asked = {
        r.message
        for r in world.trace.of("send")
        if isinstance(r.node, int) and r.node in world.nodes and r.peer in (4, 5)
    }
    assert asked == {"JOIN_ACK", "DELIVERED", "SUBMIT_REPLY"}, "no frame of an election or of the ordering"
    told = {r.message for r in world.trace.of("send") if r.node in (4, 5) and r.peer in world.nodes}
    assert told == {"JOIN", "SUBSCRIBE", "SUBMIT"}


def test_an_emptied_learner_is_refused_until_it_is_let_go() -> None:
    world = with_four()
    world.crash(4)
    world.wipe(4)
    world.restart(4)
    world.run(3)
    assert "node 4 is a learner already, and it keeps another data folder" in world.status()[4]["failure"]
    assert world.leave(4).startswith("Learner 4 is down, so nodes 1, 2 and 3 are told to let it go. A node whose log")
    world.run(2)
    world.restart(4)
    assert world.until(lambda: world.status()[4]["ready"], 10)
    assert world.delivered(4) == ["before"] and not check(world.trace)


@pytest.mark.parametrize("how", ["cut", "crash"])
def test_a_learner_that_reaches_no_member_names_no_leader(how: str) -> None:
    world = with_four()
    assert world.status()[4]["leader"] == world.leader
    if how == "cut":
        world.partition((4,), (1, 2, 3))
    else:
        for node in (1, 2, 3):
            world.crash(node)
    world.run(2 * world.config.timing.heartbeat_timeout)
    assert world.status()[4]["leader"] is None


def test_people_let_a_learner_go_while_the_whole_cluster_is_down() -> None:
    """No node knew at its start that the entry of learner 4 was committed, so each forgot the wish."""
    world = World(nodes=3, seed=1)
    world.run(8)
    world.join(4)
    assert world.until(lambda: world.status()[4]["ready"], 10)
    for node in (4, 1, 2, 3):
        world.crash(node)
    world.leave(4)
    for node in (1, 2, 3):
        world.restart(node)
    assert world.until(lambda: len([one for one in world.trace.of("learner") if one.reason == "left"]) == 3, 20)


def test_a_learner_that_has_left_stops_and_its_id_is_free_again() -> None:
    world = with_four()
    assert world.leave(4).startswith("Learner 4 leaves;")
    world.run(3)
    assert world.learners == () and 4 not in world.status() and not world.failures
    world.join(4, through=2)
    assert world.until(lambda: world.status()[4]["ready"], 10) and not check(world.trace)


def test_a_learner_that_was_let_go_while_it_was_down_may_join_again_at_once() -> None:
    """A script needed a restart between, though the docstring of `join` said nothing of it."""
    world = with_four()
    world.crash(4)
    world.leave(4)
    world.run(2)
    world.join(4, through=2)
    assert world.until(lambda: world.status()[4]["ready"], 10)
    world.run(1)
    assert world.delivered(4) == ["before"] and not check(world.trace)
    with pytest.raises(UsageError, match="Node 4 is a learner already; "):
        world.join(4)
    world.pause(4)
    assert world.leave(4).startswith("Learner 4 is paused, so it can only leave when it goes on: call resume(4).")
    world.crash(4)
    with pytest.raises(UsageError, match=r"leave\(4\) lets it go, and then its id is free"):
        world.join(4)


def test_a_learner_survives_restarts_of_both_sides_and_serves_whoever_sticks_to_it() -> None:
    world = with_four()
    world.say("through four", node=4, author="eve")
    world.run(2)
    for node in (4, *world.nodes):
        world.crash(node)
    for node in (4, *world.nodes):
        world.restart(node)
    world.run(8)
    world.say("and again", node=4, author="eve")
    world.run(4)
    assert world.delivered(4) == world.delivered(1) == ["before", "through four", "and again"]
    assert world.status()[4]["ready"] and not check(world.trace)


def test_a_run_with_learners_is_saved_and_played_again(tmp_path: Path) -> None:
    world = with_four()
    world.partition({1, 4}, {2, 3})
    world.run(5)
    world.heal()
    world.leave(4)
    world.run(3)
    again = replay(Run.load(world.save(tmp_path / "run.json")))
    assert again.trace.hash() == world.trace.hash() and again.learners == ()


def test_a_script_may_name_a_learner_that_comes_in_it() -> None:
    script = Script(
        [(1.0, "join", 4, 2), (3.0, "crash", 4), (4.0, "restart", 4), (6.0, "cut", 4, 1), (9.0, "leave", 4)]
    )
    world = World(1)
    script.play(world)
    world.run(14)
    assert world.learners == () and [fault.verb for fault in world.script] == [
        "join",
        "crash",
        "restart",
        "cut",
        "leave",
    ]
