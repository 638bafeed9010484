"""Faults as data: scripts print, parse, refuse and play; random ones stay inside the model."""

from random import Random
from typing import Any

import pytest
from pingpong import PingPong

from chatsys.campaign.one_seed import Plan, schedule
from chatsys.errors import UsageError
from chatsys.faults import (
    BOUNDS,
    KINDS,
    VERBS,
    Fault,
    OutsideModel,
    Script,
    outside,
    parse_kinds,
    random_script,
    swarm,
)
from chatsys.runtime.cluster import Cluster
from chatsys.sim.world import World

pytestmark = pytest.mark.quick


def test_a_script_prints_as_python_that_makes_it_again() -> None:
    script = Script([(3.0, "crash", 3), (5.0, "partition", {1}, {3, 2}), (9.0, "heal"), (9.5, "say", 'it\'s "me"')])
    assert eval(repr(script)) == script
    assert Script(script.plain()) == script
    assert str(script).splitlines()[:2] == ["world.at(3.0, 'crash', 3)", "world.at(5.0, 'partition', (1,), (2, 3))"]
    assert eval(repr(Script())) == Script()


def test_a_script_pasted_line_by_line_plays_like_the_script() -> None:
    script = Script([(0.5, "crash", 3), (1.0, "cut", 1, 2, True), (2.0, "mend")])
    played, pasted = World(1, actor=PingPong), World(1, actor=PingPong)
    script.play(played)
    for line in str(script).splitlines():
        eval(line, {"world": pasted})
    played.run(4)
    pasted.run(4)
    assert played.trace.hash() == pasted.trace.hash()
    assert [record.kind for record in played.trace.of("crash", "cut", "heal", "restart")] == [
        "crash",
        "cut",
        "heal",
        "restart",
    ]


@pytest.mark.parametrize(
    ("faults", "sentence"),
    [
        ([(1.0, "explode", 3)], "'explode' is no verb of a script; there are say, crash, "),
        ([(1.0, "crash", 9)], "crash: 9 is no node; the nodes are 1, 2, 3."),
        ([(1.0, "crash", True)], "crash: True is no node"),
        ([(1.0, "crash")], "crash takes 1 argument, not 0."),
        ([(2.0, "heal"), (1.0, "crash", 1)], "world.at(1.0, 'crash', 1) comes after 2.0 s; write the faults in order"),
        ([(-1.0, "heal")], "(-1.0, 'heal') is no fault; write (seconds, verb, arguments...)"),
        (["crash 3"], "'crash 3' is no fault"),
        ([(1.0, "lose", 1, 2, 1.5)], "lose: 1.5 is no fraction; give a number from 0 to 1."),
        ([(1.0, "slow", 1, 2, "much")], "slow: 'much' is no time; give seconds, 0 or more."),
        ([(1.0, "disk", 1, "wet")], "disk: 'wet' is not one of ok, slow, full, failing."),
        ([(1.0, "clock", 1, 0)], "clock: 0 is no rate of a clock"),
        ([(1.0, "partition", 3)], "partition: 3 is no group of nodes; write for example (1, 2)."),
        ([(1.0, "partition", (1, 7), (2,))], "partition: 7 is no node"),
        ([(1.0, "partition")], "partition was given no group of nodes; write for example (1, 2)."),
        ([(1.0, "partition", True)], "partition was given no group of nodes; write for example (1, 2)."),
        ([(1.0, "partition", (1,), ())], "partition: a group is empty; leave it out, or put a node into it."),
        ([(1.0, "partition", {1, 2, 3})], "partition: all nodes are in one group, so nobody is parted; leave some"),
        ([(1.0, "partition", (1, None, "x"))], "partition: None is no node"),
        ([(1.0, "slow", 2, 2, 1)], "slow: both ends are 2; a link joins two different nodes."),
        ([(1.0, "slow", 2)], "slow takes 3 to 4 arguments, not 1."),
        ([(1.0, "say", "")], "say: '' is no text; write at least one character."),
        ([(1.0, "ambush", "sleep", 1, 1)], "ambush: 'sleep' is not one of lead, promise, ready, "),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(faults: list[Any], sentence: str) -> None:
    with pytest.raises(UsageError) as info:
        Script(faults, nodes=(1, 2, 3))
    assert sentence in str(info.value)


@pytest.mark.parametrize(
    "given", [5, None, "heal", b"heal", [5], [None], [{"time": 1, "verb": "heal"}], [(1, 2)], [("1", "heal")], [[1.0]]]
)
def test_what_is_no_script_is_refused_in_a_sentence(given: Any) -> None:
    with pytest.raises(UsageError, match=r"is no (script|fault); (give|write) "):
        Script(given)


@pytest.mark.parametrize("fault", [Fault("1", "heal"), Fault(1.0, 5), Fault(1.0, "crash", 3)])  # type: ignore[arg-type]
def test_a_fault_that_was_made_by_hand_is_checked_too(fault: Fault) -> None:
    with pytest.raises(UsageError, match="is no fault; write"):
        Script([fault])


def test_the_leader_may_stand_in_a_group_with_others() -> None:
    world = World(1, nodes=5)
    Script([(8.0, "partition", ("leader", 1)), (9.0, "partition", (5, "leader", 2), (1,))]).play(world)
    world.run(9)
    assert [record.reason for record in world.trace.of("cut")] == ["cut 1,5 | 2,3,4", "cut 2,5 | 1"]


def test_a_script_is_checked_against_the_nodes_before_it_plays() -> None:
    world = World(1, actor=PingPong)
    with pytest.raises(UsageError, match="5 is no node; the nodes are 1, 2, 3"):
        Script([(0.1, "crash", 1), (0.2, "crash", 5)]).play(world)
    world.run(1)
    assert not world.trace.of("crash")


def test_a_verb_that_does_not_fit_its_moment_is_an_error_unless_lenient() -> None:
    script = Script([(0.1, "crash", 1), (0.2, "crash", 1), (0.3, "crash", "leader"), (0.4, "restart", 1)])
    strict, lenient = World(1, actor=PingPong), World(1, actor=PingPong)
    script.play(strict)
    with pytest.raises(UsageError, match="Node 1 is not running"):
        strict.run(1)
    script.play(lenient, lenient=True)
    lenient.run(1)
    assert [fault.verb for fault in lenient.script] == ["crash", "restart"]


def test_the_leader_can_be_named_without_knowing_who_it_is() -> None:
    world = World(1)
    Script([(2.0, "partition", ("leader",)), (4.0, "heal"), (8.0, "crash", "leader")]).play(world)
    world.run(9)
    assert world.trace.of("cut")[0].reason == "cut 3 | 1,2"
    assert len(world.trace.of("crash")) == 1


def test_one_group_is_parted_from_all_others() -> None:
    world = World(1, nodes=5)
    Script([(1.0, "partition", (4, 2)), (2.0, "partition", (1,), True)]).play(world)
    world.run(3)
    assert [record.reason for record in world.trace.of("cut")] == ["cut 2,4 | 1,3,5", "cut 1 -> 2,3,4,5"]


def test_on_a_real_cluster_a_script_waits_and_mends_with_the_verbs_there_are() -> None:
    with Cluster(where="kernel") as cluster:  # whose leader stays for 2.5 s, however busy this process is
        assert cluster.until(lambda: cluster.leader)
        first, begin = cluster.leader, cluster.now
        Script([(0.2, "crash", "leader"), (0.5, "cut", 1, 2), (0.6, "reconnect", 1, 2), (0.8, "mend")]).play(cluster)
        assert [fault.verb for fault in cluster.done] == ["crash", "cut", "reconnect", "mend"]
        assert cluster.done[0].args == (first,) and cluster.done[0].time - begin >= 0.2
        told = [record for record in cluster.trace if record.time >= begin]
        kinds = [one.kind for one in told if one.kind in ("crash", "cut", "reconnect", "heal", "restart")]
        assert kinds == ["crash", "cut", "reconnect", "heal", "restart"]
        with pytest.raises(
            UsageError, match="clock exists in the simulated World only; leave it out for a kernel cluster"
        ):
            Script([(0.1, "crash", 3), (0.2, "clock", 1, 1.1)]).play(cluster)
        assert len(cluster.done) == 4, "nothing was played before it was refused"


# --- random scripts -------------------------------------------------------------------------


def test_kinds_are_named_on_the_command_line() -> None:
    assert parse_kinds("all") == KINDS
    assert parse_kinds("partition, crash") == ("partition", "crash")
    with pytest.raises(UsageError, match="'crush' is no kind of fault; write all, or some of loss, duplication, "):
        parse_kinds("crash,crush")


@pytest.mark.parametrize("nodes", [1, 2, 3, 5, 7])
def test_random_scripts_are_sound_for_any_number_of_nodes(nodes: int) -> None:
    ids = tuple(range(1, nodes + 1))
    for seed in range(200):
        script = random_script(Random(seed), ids, seconds=20)
        script.check(ids)
        assert all(fault.time < 20 for fault in script)
        assert random_script(Random(seed), ids, seconds=20) == script


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_drawn_alone_and_uses_known_verbs(kind: str) -> None:
    faults = [fault for seed in range(20) for fault in random_script(Random(seed), (1, 2, 3), 20, kind)]
    assert faults and {fault.verb for fault in faults} <= set(VERBS)


def test_each_seed_draws_its_own_subset_of_kinds() -> None:
    subsets = {frozenset(fault.verb for fault in random_script(Random(seed), (1, 2, 3))) for seed in range(50)}
    assert len(subsets) > 20
    assert not any(
        {"crash", "pause", "partition", "lose", "clock", "disk", "cut", "ambush"} <= subset for subset in subsets
    )


def test_whatever_is_drawn_stays_inside_the_fault_model() -> None:
    for seed in range(150):
        for nodes in ((1, 2, 3), (1, 2, 3, 4, 5)):
            script = random_script(Random(seed), nodes, 60, ("all", "clock,pause,leader", "slow-disk,delay")[seed % 3])
            assert outside(script, nodes, mended=60) is None


def test_the_swarm_asserts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(swarm._DRAWS, "pause", (1, lambda chance, nodes, at: [Fault(at, "clock", (1, 2.0))]))
    with pytest.raises(AssertionError, match="drew what it must not draw: world.at.* is outside the fault model: cloc"):
        random_script(Random(1), (1, 2, 3), 20, "pause")


def test_all_ways_to_part_the_nodes_are_drawn() -> None:
    seen = set()
    for seed in range(300):
        seen |= {fault.args for fault in random_script(Random(seed), (1, 2, 3), 20, "partition") if fault.args}
    assert len(seen) == 6


# --- the fault model ------------------------------------------------------------------------


def test_every_verb_has_its_bounds() -> None:
    assert set(BOUNDS) == set(VERBS)
    rot = outside([Fault(1.0, "rot", (1, "a", "b"))])
    assert (
        rot
        == "world.at(1.0, 'rot', 1, 'a', 'b') is outside the fault model: no bound says how much of it there may be."
    )


@pytest.mark.parametrize(
    ("faults", "sentence"),
    [
        ([(1, "clock", 1, 0.5)], "world.at(1.0, 'clock', 1, 0.5) is outside the fault model: clocks run within 12 %"),
        ([(1, "slow", 1, 2, 9), (2, "mend")], "a link is slower by up to 3 s, not 9."),
        ([(1, "slow", "*", "*", 0, 2.5), (2, "mend")], "the delay of a frame varies by up to 1 s, not 2.5."),
        ([(1, "duplicate", 1, 2, 0.5, 60), (2, "mend")], "a copy comes up to 8 s late, not 60."),
        ([(1, "ambush", "lead", 5, 1), (2, "mend")], "an ambush crashes within 0.06 s of the act, not 5."),
        ([(1, "ambush", "lead", 0, 30), (2, "mend")], "a node that was ambushed is back within 4 s, not 30."),
        ([(1, "pause", 2), (9, "resume", 2)], "'pause', 2) is outside the fault model: a pause lasts up to 7 s, this one 8 s."),
        ([(1, "pause", 2), (4, "resume", 3), (9, "crash", 2), (9, "mend")], "this one 8 s."),
        ([(1, "pause", "leader"), (9, "mend")], "this one 8 s."),
        ([(1, "pause", 2), (30, "heal")], "this one 29 s."),
        *(
            ([(1, *step)], 'what it begins has an end, at the latest a "mend".')
            for step in (
                ("crash", 1), ("pause", 1), ("partition", (1,)), ("cut", 1, 2), ("lose", 1, 2, 0.5),
                ("slow", 1, 2, 0, 0.5), ("disk", 1, "slow"), ("ambush", "lead", 0, 1),
            )
        ),
        ([(1, "disk", 1, "full"), (2, "disk", 1, "ok")], "what it begins has an end"),
        ([(1, "lose", 1, 2, 0.5), (2, "lose", 1, 3, 0.0)], "what it begins has an end"),
        ([(1, "lose", "*", "*", 0.5), (2, "lose", 1, 3, 0.0)], "what it begins has an end"),
        ([(1, "lose", 1, 2, 0.5), (2, "heal")], "what it begins has an end"),
        ([(1, "cut", 1, 2), (2, "reconnect", 1, 2, True)], "what it begins has an end"),
        ([(1, "partition", (1,)), (2, "reconnect", 1, 2)], "what it begins has an end"),
    ],
)  # fmt: skip
def test_a_script_outside_the_model_is_told_by_step_and_bound(faults: list[Any], sentence: str) -> None:
    found = outside(Script(faults), (1, 2, 3))
    assert found is not None and sentence in found


@pytest.mark.parametrize(
    "faults",
    [
        [(1, "clock", 1, 0.88), (2, "clock", 2, 1.12), (3, "say", "hi")],
        [(1, "pause", 2), (8, "resume", 2)],
        [(1, "pause", "leader"), (5, "resume", 3)],
        [(1, "pause", 1), (2, "crash", 1), (20, "restart", 1)],
        [(1, "crash", 1), (2, "crash", 2), (3, "disk", 3, "failing"), (90, "mend")],
        [(1, "cut", 1, 2), (2, "partition", (1,)), (3, "lose", 1, 2, 0.5), (4, "heal", True)],
        [(1, "cut", 1, 2), (2, "reconnect", 2, 1)],
        [(1, "cut", 1, 2, True), (2, "reconnect", 1, 2, True), (3, "cut", "leader", 2), (4, "heal")],
        [(1, "partition", (1,), (2,)), (2, "reconnect", 1, 2)],
        [(1, "lose", 1, 2, 1.0), (2, "lose", "*", "*", 0.0), (3, "slow", 2, 1, 3, 1), (4, "slow", 1, 2, 0)],
        [(1, "disk", 1, "slow"), (2, "disk", 1, "ok")],
    ],
)
def test_a_script_inside_the_model_has_nothing_told(faults: list[Any]) -> None:
    assert outside(Script(faults), (1, 2, 3)) is None


def test_who_mends_afterwards_need_not_end_what_the_script_begins() -> None:
    begun = Script([(1, "crash", 1), (2, "partition", (2,)), (5, "pause", "leader")])
    assert outside(begun, (1, 2, 3), mended=12) is None
    assert "this one 7.5 s" in (outside(begun, (1, 2, 3), mended=12.5) or "")


def test_a_script_outside_the_model_is_played_with_a_warning() -> None:
    script = Script([(0.5, "crash", 3), (1.0, "clock", 1, 2.0), (1.1, "clock", 2, 0.5)])
    one, engine = World(1, actor=PingPong), World(1, actor=PingPong)
    with pytest.warns(
        OutsideModel, match=r"'clock', 1, 2.0\) is outside .* \(and 1 more\) .* proves nothing about"
    ) as seen:
        script.play(one)
    assert seen[0].filename == __file__, "it points at who plays it"
    script.play(engine, lenient=True)
    one.run(2)
    engine.run(2)
    assert one.trace.hash() == engine.trace.hash() and len(one.script) == 3
    Script([(0.0, "restart", 3), (1.0, "crash", 1)]).play(one)  # a node that stays down is a fault like any other


def test_a_node_that_leaves_politely_is_drawn_only_where_it_is_named() -> None:
    """So each seed of `all` is the schedule that it was."""
    assert "shutdown" not in KINDS and parse_kinds("all,shutdown") == (*KINDS, "shutdown")
    drawn = [random_script(Random(seed), (1, 2, 3), kinds=("shutdown", "crash")) for seed in range(5)]
    assert any(fault.verb == "shutdown" for script in drawn for fault in script)


def test_random_schedules_in_which_nodes_leave_politely_hold() -> None:
    plan = Plan(kinds=parse_kinds("shutdown,loss,crash"), seconds=12.0, calm=14.0)
    for seed in (1, 2):
        assert schedule(seed, plan).violations == []


def test_a_node_on_its_way_out_is_there_again_after_a_mend() -> None:
    world = World(1)
    world.until(lambda: world.leader == 3)
    world.partition({3}, {1, 2})
    world.shutdown(3)
    world.run(0.5)
    assert world.status()[3]["alive"], "it looks for a successor for 2 s"
    world.mend()
    assert world.until(lambda: world.leader == 3, 30)
    world.pause(2)
    world.shutdown(2)
    world.resume(2)
    world.run(0.1)
    assert not world.status()[2]["alive"], "a follower ends at once, when it hears of it"
    world.restart(2)
    world.run(1)
    assert world.status()[2]["alive"]
