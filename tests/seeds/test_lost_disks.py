"""Folders that are emptied, swapped, copied and put back in simulated worlds: nothing acknowledged is lost by them."""

from typing import Any

import pytest

from chatsys import Script, World
from chatsys.campaign.lost_disks import KINDS, play, summary
from chatsys.check import check, check_histories
from chatsys.faults.model import OutsideModel, outside


@pytest.mark.parametrize("nodes", [3, 5])
def test_a_minority_of_lost_disks_loses_nothing_and_everybody_is_served_again(nodes: int) -> None:
    """The long run: `python tests/support/lost_disks.py 0 2000 3`."""
    told = summary([play(seed, nodes, kind, seconds=8.0) for seed, kind in enumerate(KINDS * 2)])
    assert told["ok"], told
    assert sum(row["came back"] for row in told["kinds"].values()) >= 8
    assert told["kinds"]["swapped"]["refused"] == told["kinds"]["swapped"]["came back"] > 0


def chatting(seed: int = 1) -> World:
    world = World(seed=seed)
    world.until(lambda: world.leader)
    world.say("first")
    world.run(1)
    return world


def test_an_emptied_folder_that_two_of_three_would_elect_with_is_refused() -> None:
    """The schedule with which an operator lost an acknowledged message."""
    world = chatting()
    world.crash(1)
    world.say("kept")
    world.run(2)
    world.crash(2)
    world.crash(3)
    world.wipe(2)
    world.restart(1)
    world.restart(2)
    world.run(15)
    assert world.leader is None
    (_, sentence), state = world.failures[-1], world.status()[2]
    assert "Node 1 refuses node 2" in sentence and state["failure"] == sentence and not state["alive"]
    world.restart(3)
    world.run(8)
    assert world.leader and world.delivered(1) == world.delivered(3) == ["first", "kept"]
    assert world.accept(2) == "Nodes 1 and 3 are told."
    world.restart(2)
    world.run(5)
    assert world.delivered(2) == ["first", "kept"]
    assert check(world.trace) == [] == check_histories(world.trace)


def test_a_node_that_is_down_hears_of_a_new_disk_when_it_starts() -> None:
    world = chatting()
    world.crash(1)
    world.crash(2)
    world.wipe(2)
    assert world.accept(2) == "Node 3 is told. Node 1 is down, and hears of it when it starts."
    world.restart(2)
    world.run(3)
    world.restart(1)
    world.run(5)
    assert world.delivered(1) == world.delivered(2) == ["first"] and world.failures == []


@pytest.mark.parametrize("verb", ["wipe", "restore"])
def test_a_node_whose_folder_goes_under_it_stops_before_it_confirms_anything_more(verb: str) -> None:
    world = chatting()
    world.copy(1)
    getattr(world, verb)(1)
    world.say("second")
    world.run(2)
    state = world.status()[1]
    assert not state["alive"] and "no longer in its place" in state["failure"]
    assert check(world.trace) == []


def test_folders_that_were_swapped_are_refused_at_the_start_and_by_nobody_once_they_are_back() -> None:
    world = chatting()
    for node in (1, 2):
        world.crash(node)
        world.copy(node)
    world.restore(1, 2)
    world.restore(2, 1)
    world.mend()
    assert "belongs to node 2" in world.status()[1]["failure"] and "belongs to node 1" in world.status()[2]["failure"]
    world.restore(1)
    world.restore(2)
    world.mend()
    world.run(5)
    assert world.failures[2:] == [] and world.delivered(1) == world.delivered(2) == ["first"]


def test_ids_of_frames_are_used_once_although_a_new_disk_counts_its_lives_anew() -> None:
    world = chatting()
    world.crash(2)
    world.wipe(2)
    world.run(0.1)
    world.accept(2)
    world.restart(2)
    world.run(3)
    sent = [record.id for record in world.trace.of("send")]
    assert len(sent) == len(set(sent)) and any(name.startswith("2.1.2000") for name in sent if name)


def test_a_script_says_what_happens_to_folders_and_how_much_of_it_is_allowed() -> None:
    nodes = (1, 2, 3)
    script: list[Any] = [
        (3.0, "crash", 2),
        (3.1, "wipe", 2),
        (4.0, "mend"),
        (6.0, "crash", 2),
        (9.0, "accept", 2),
        (9.1, "restart", 2),
    ]
    assert outside(Script(script), nodes) is None
    cases: list[tuple[list[Any], str]] = [
        ([(4.0, "wipe", 1), (5.0, "restore", 3, 2)], "of 3 nodes 1 may lose their folders"),
        ([(4.0, "restore", 1)], "an older copy of a node's own folder looks as if the node had just slept"),
        ([(4.0, "wipe", 2), (5.0, "cut", 1, 3), (6.0, "accept", 2), (7.0, "mend")], "when all else is mended"),
    ]
    for more, why in cases:
        assert why in (outside(Script(more), nodes, mended=9.0) or "")
    world = chatting()
    with pytest.warns(OutsideModel, match="1 may lose their folders"):
        Script([(0.1, "copy", 1), (0.2, "wipe", 2), (0.3, "restore", 3, 1)]).play(world)
    world.run(1)
    assert [fault.verb for fault in world.done[-3:]] == ["copy", "wipe", "restore"]
