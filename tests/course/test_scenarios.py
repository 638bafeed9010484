"""The four demonstrations hold in every world; split brain happens with a quorum of 1 and only then."""

import inspect
import json
import re
from typing import Any

import pytest

from chatsys.campaign.why import why_not
from chatsys.check import SAFETY, check
from chatsys.errors import ChatsysError, UsageError
from chatsys.sim.world import World
from chatsys.teach import figures, scenarios
from chatsys.teach.demonstration import Demo
from chatsys.teach.scenarios import NAMES, SCRIPTS, play

SHAPE = {"scenario", "where", "quorum", "messages", "delivered", "violations", "leaders", "failover_seconds"}


def assert_held(demo: Demo) -> None:
    """Everything submitted was delivered on every node, and no invariant was broken."""
    result = demo.result()
    assert set(result) == SHAPE
    assert json.loads(json.dumps(result))["violations"] == []
    assert set(demo.delivered.values()) == {demo.messages}
    assert figures.describe(figures.delivery_matrix(demo.trace)).startswith(
        f"All {len(demo.delivered)} nodes delivered"
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("quorum", ["majority", 1])
@pytest.mark.parametrize("name", NAMES)
def test_every_demonstration_holds_in_the_simulator(name: str, quorum: int | str, seed: int) -> None:
    assert_held(play(name, quorum=quorum, seed=seed))


@pytest.mark.parametrize(("name", "where"), [("leader-failure", "kernel"), ("concurrent", "processes")])
def test_a_demonstration_holds_in_real_time(name: str, where: str) -> None:
    """Notebook 01 plays each of them with processes, and the tests play the notebook."""
    demo = play(name, where=where)
    assert_held(demo)
    assert demo.trace.meta["where"] == where


@pytest.mark.parametrize("nodes", [1, 2, 5, 7])
def test_other_numbers_of_nodes_will_do(nodes: int) -> None:
    assert_held(play("concurrent", nodes=nodes))


def test_the_same_seed_plays_the_same_demonstration() -> None:
    assert play("leader-failure", seed=7).trace.hash() == play("leader-failure", seed=7).trace.hash()
    assert play("leader-failure", seed=7).trace.hash() != play("leader-failure", seed=8).trace.hash()


def test_leader_failure_elects_the_next_highest_and_hands_back_politely() -> None:
    demo = play("leader-failure", seed=1)
    assert demo.leaders == [(1, 3), (2, 2), (3, 3)]
    assert demo.failover_seconds is not None
    assert 0 < demo.failover_seconds < 1


def test_numbers_go_on_without_gap_or_reuse_after_a_fail_over() -> None:
    demo = play("leader-failure", seed=1)
    for node in (1, 2):
        assert [record.msg_no for record in demo.trace.of("deliver") if record.node == node] == [1, 2, 3, 4, 5, 6]


def test_without_a_crash_there_is_no_fail_over_to_measure() -> None:
    assert play("normal").failover_seconds is None


# --- split brain -------------------------------------------------------------------------------


def test_with_a_quorum_of_one_both_sides_go_on_and_the_check_says_so() -> None:
    demo = play("split-brain", quorum=1, seed=1)
    assert demo.violations
    assert "node 2" in str(demo.violations[0])
    assert "do not agree" in figures.describe(figures.delivery_matrix(demo.trace))


def test_with_a_majority_the_same_script_is_clean_and_everything_arrives_after_the_heal() -> None:
    assert_held(play("split-brain", seed=1))


def test_the_side_without_a_majority_refuses_with_a_reason_within_the_lease() -> None:
    demo = play("split-brain", seed=1)
    said = next(record for record in demo.trace.of("submit") if record.text == "I am with the old leader")
    refused = [r for r in demo.trace.of("reply") if r.client == said.client and r.time > said.time]
    lease = World().config.timing.lease
    assert refused
    assert refused[0].time - said.time < lease + 1.0
    assert refused[0].reason


# --- what is wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"name": "abnormal"}, "There is no scenario 'abnormal'; write one of normal,"),
        ({"name": "normal", "where": "cloud"}, "There is no world 'cloud'"),
        ({"name": "leader-failure", "nodes": 2}, "a quorum of 2 cannot go on without it"),
        ({"name": "recovery", "nodes": 1, "quorum": 1}, "take more nodes or a smaller quorum"),
    ],
)
def test_what_cannot_be_played_is_refused_with_a_sentence(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        play(**arguments)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_has_nothing_but_verbs_and_the_two_helpers_that_the_page_explains(name: str) -> None:
    code = inspect.getsource(SCRIPTS[name])
    assert not re.search(r"lambda|status|\bwait\(", code)
    assert set(re.findall(r"\b(await_\w+)", code)) <= {"await_leader", "await_delivery"}


def test_a_demonstration_that_waits_in_vain_says_for_what() -> None:
    world = World()
    world.partition({1}, {2}, {3})
    with pytest.raises(ChatsysError, match="waited 30 s for a leader, and it did not come"):
        scenarios.normal(world)


def test_a_demo_knows_what_to_say_of_itself() -> None:
    assert repr(play("normal")) == f"normal in sim, with a quorum of 2. Held: {len(SAFETY)} rules, 6 messages."
    assert check(play("normal").trace) == []


def test_a_demo_that_was_simulated_can_be_played_again_without_its_faults() -> None:
    """`check` offers a line with `why` for it, which promises just that."""
    told = str(why_not(play("recovery", seed=1), "and this", node=1, before=2.5))
    assert "Without the crash of node 1 at 1.22 s, #4" in told
