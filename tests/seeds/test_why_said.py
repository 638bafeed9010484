"""What `why` and `why_not` say is true, is plain, and where nothing can be said one sentence says why."""

import math
from collections import Counter
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace
from why_truth import simulated, untrue

from chatsys import World, why, why_not
from chatsys.campaign.one_seed import Plan
from chatsys.check import check
from chatsys.check.liveness import check_live
from chatsys.errors import UsageError
from chatsys.faults import KINDS
from chatsys.mutants.schedules import DIRECTED
from chatsys.trace import Trace

pytestmark = pytest.mark.quick

NO_NAMES: list[Any] = [True, 1.0, math.nan, None, b"x", [1], "", {}]
"""What names no message at all."""
NO_PAIRS: list[Any] = [(), ("ann",), ("ann", "1"), ("ann", True), ("ann", 1.0), (None, 1)]
"""What is no (client, number)."""


def begun(**options: Any) -> World:
    """Return a world with a leader, 3, in which one message was delivered everywhere; it is 2.2 s."""
    world = World(1, **options)
    world.run(2)
    world.say("one", node=3)
    world.run(0.2)
    return world


# --- what is said is true -------------------------------------------------------------------------


def test_what_is_said_of_frames_is_what_they_carried() -> None:
    told, kinds = [], Counter[Any]()
    for answer, wrong in untrue(*simulated(16, Plan(kinds=KINDS, seconds=15.0, calm=10.0)), Random(16), 40):
        kinds[answer.missing] += 1
        told += [f"{wrong}: {answer}"] if wrong else []
    assert told == [] and len(kinds) > 2, kinds


def answer_of(name: str, what: Any, node: int, before: float) -> Any:
    return why_not(DIRECTED[name].play().trace, what, node=node, before=before)


def test_a_frame_of_somebody_who_did_not_have_the_message_could_not_bring_it() -> None:
    answer = answer_of("C2", "only node 3 has this", 3, 4.2)
    assert "Both frames that could bring it to nodes 1 and 2 were lost." in str(answer), str(answer)


def test_a_message_that_was_undone_is_blamed_on_what_undid_it_and_not_on_another_client() -> None:
    answer = answer_of("C9", "in memory only", 3, 5.9)
    assert "node 3 started again without it, since its disk had not written it" in str(answer)
    assert "nodes 1, 2 and 3 crashed at 1.12 s and started again at once; the client ann@3 was gone" in str(answer)
    assert "bob" not in str(answer)


def test_a_node_that_was_down_when_it_was_committed_waited_from_then_on() -> None:
    answer = answer_of("C8", "three", 1, 2.41)
    assert answer.missing == "told" and [fault.args for fault in answer.faults] == [(1,)], str(answer)


def test_what_a_held_back_message_waits_for_is_told_by_its_number() -> None:
    answer = answer_of("Q25", 362, 1, 2.0)
    assert answer.missing == "released" and "the first of them #3, were still missing there at 2.00 s" in str(answer)


def test_a_learner_lacks_what_the_node_that_it_hears_from_lacks() -> None:
    world = begun()
    world.join(4)
    world.run(2)
    server = next(r.node for r in reversed(world.trace.of("send")) if r.message == "DELIVERED" and r.peer == 4)
    assert isinstance(server, int) and server != 3
    world.cut(server, 3)
    world.say("two", node=3)
    world.run(0.3)
    answer = why_not(world, "two", node=4)
    assert f"Node 4 is a learner: it hears from node {server}, which had not delivered it." in str(answer)
    assert [step.verb for step in answer.needed or ()] == ["cut"]


def test_before_it_was_said_nobody_could_have_it_and_no_fault_is_blamed() -> None:
    world = begun()
    world.crash(1)
    world.run(1)
    world.say("two", node=3)
    world.run(0.3)
    answer = why_not(world, "two", node=1, before=3.0)
    assert str(answer) == "#2 ('two' of ann) was said at 3.20 s, so at 3.00 s nobody could have it."
    assert answer.missing == "said" and answer.faults == () and answer.runs == 0


# --- laws of liveness -----------------------------------------------------------------------------


def test_a_law_of_liveness_is_tried_too() -> None:
    world = begun(quorum=3)
    world.cut(1, 2)
    world.crash(2)
    world.run(20)
    (broken,) = check_live(world, 2.2, laws=["L1"]).violations
    answer = why(world, broken)
    assert [step.verb for step in answer.needed or ()] == ["crash"] and answer.tried
    assert "Until then this was done to the run" in str(answer)
    assert "Without the crash of node 2 at 2.20 s, L1 holds." in str(answer)


def test_a_law_that_was_judged_in_another_way_is_not_tried_and_says_so() -> None:
    world = begun(quorum=3)
    world.crash(2)
    world.run(20)
    (broken,) = check_live(world, 2.2, laws=["L1"]).violations
    world.restart(2)
    world.run(16)
    answer = why(world, replace(broken, since=30.0))
    assert not answer.tried and "judged once more, the law holds in this run" in str(answer)


# --- what cannot be meant -------------------------------------------------------------------------

NO_MESSAGE = "names no message; give its number"
NO_NODE = "the nodes of this run are 1, 2 and 3."
NO_TIME = "give seconds since the beginning of the run."


@pytest.fixture(scope="module")
def world() -> World:
    world = begun()
    world.say("one", node=3)
    world.run(0.2)
    return world


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (0, "There is no #0 in this run"),
        (-1, "There is no #-1 in this run"),
        (10**30, "the highest number is #2"),
        *((what, NO_MESSAGE) for what in NO_NAMES),
        *((what, "There is no message ") for what in NO_PAIRS),
        ("never", "Nobody said 'never' in this run."),
        ("9.9.9", "Nobody said '9.9.9' in this run."),
        ("one", "'one' was said 2 times; say which: 1, 2."),
    ],
)  # fmt: skip
def test_a_message_that_is_not_there_is_refused(world: World, what: Any, sentence: str) -> None:
    for asks in (why_not, why):
        with pytest.raises(UsageError) as refused:
            asks(world, what)
        assert sentence in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        *((node, NO_NODE) for node in (0, -1, 9, True, 1.0, 1.5, math.nan, "3", [1])),
        ("ann@3", "'ann@3', a client, and only nodes deliver"),
    ],
)
def test_a_node_that_is_no_node_is_refused(world: World, node: Any, sentence: str) -> None:
    for asks in (why_not, why):
        with pytest.raises(UsageError) as refused:
            asks(world, 1, node)
        assert sentence in str(refused.value)


@pytest.mark.parametrize("before", [-1, -0.1, math.nan, math.inf, "9", True, [2]])
def test_a_moment_that_is_none_is_refused(world: World, before: Any) -> None:
    with pytest.raises(UsageError, match=NO_TIME):
        why_not(world, 1, 1, before)


def test_a_moment_and_a_patience_of_any_size_are_taken(world: World) -> None:
    assert "was delivered at node 1" in str(why_not(world, 1, 1, 10**400, seconds=1e300))


@pytest.mark.parametrize("given", [None, "x", 5, Trace])
def test_what_has_no_trace_is_refused(given: Any) -> None:
    for asks in (why_not, why):
        with pytest.raises(UsageError, match="has no trace; give a(n object| trace)"):
            asks(given, 1)


def test_a_violation_of_another_run_is_refused(world: World) -> None:
    other = DIRECTED["C1"].play(flawed=True)
    assert other.violation is not None and check(world) == []
    with pytest.raises(UsageError, match="This violation is of another run"):
        why(world, other.violation)
