"""Why a message did not come: the obligation that was missing, what lay over the wait, and the run without it."""

from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from why_not import asked, comes, wrong

from chatsys import Run, World, why, why_not
from chatsys.campaign.one_seed import Plan, schedule
from chatsys.campaign.why import Answer, Question
from chatsys.campaign.why.lasting import Lasting, lasting, steps_of
from chatsys.campaign.why.smallest import Smallest
from chatsys.check import check
from chatsys.errors import UsageError
from chatsys.faults import KINDS, Fault
from chatsys.sim.again import Again
from chatsys.sim.network import Conditions
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab03.stage import total_order

pytestmark = pytest.mark.quick

SHORT = Plan(kinds=KINDS, seconds=10.0, calm=6.0)


def begun(seed: int = 1, **options: Any) -> World:
    """Return a world with a leader, 3, and one message delivered everywhere; it is 2.2 s."""
    world = World(seed, **options)
    world.run(2)
    world.say("one", node=3)
    world.run(0.2)
    return world


# --- chance that is kept ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [2, 7])
def test_a_run_that_is_played_again_with_nothing_left_out_is_the_same_run(seed: int) -> None:
    world = schedule(seed, SHORT).world
    again, _ = Again(world).play(end=world.now)
    assert again.trace.hash() == world.trace.hash()


def flights(world: World, link: tuple[int, int]) -> list[tuple[Any, float]]:
    """Return each frame of a link by what it says, and how long it took."""
    sent = {record.id: record for record in world.trace.of("send")}
    took = [(sent[r.id], r) for r in world.trace.of("receive") if (r.peer, r.node) == link]
    return sorted(((one.message, one.term, one.seq or 0), round(other.time - one.time, 9)) for one, other in took)


def test_a_fault_that_does_not_happen_leaves_the_chance_of_everything_else_as_it_was() -> None:
    world = begun(network=Conditions(in_order=False))  # else a frame may also wait for the one before it
    world.pause(1)
    for number in range(4):
        world.say(f"number {number}", node=3)
        world.run(0.5)
    again = Again(world)
    without, _ = again.play({[step.verb for step in again.steps].index("pause")}, end=world.now)
    assert flights(without, (1, 3)) != flights(world, (1, 3)), "node 1 answers now, among the others"
    assert flights(without, (2, 3)) == flights(world, (2, 3))
    assert flights(without, (3, 2)) == flights(world, (3, 2))


def test_a_step_that_does_not_fit_any_more_is_passed_over() -> None:
    world = begun()
    world.crash(1)
    world.run(1)
    world.restart(1)
    again = Again(world)
    without, _ = again.play({[step.verb for step in again.steps].index("crash")}, end=4.0)
    assert not without.trace.of("crash") and len(without.trace.of("start")) == 3 + 1  # and the client


# --- each obligation ----------------------------------------------------------------------------


def unheard(world: World) -> None:
    for node in (1, 2):
        world.cut(node, 3, one_way=True)
    world.say("two", node=3)
    world.run(0.3)


def all_down(world: World) -> None:
    for node in world.nodes:
        world.crash(node)
    world.run(0.1)
    world.say("two", author="bob")
    world.run(1)


def leader_asleep(world: World) -> None:
    world.say("between", node=1)
    world.run(0.3)
    world.pause(3)
    world.say("two", node=1)
    world.run(1)


def cut_off(world: World) -> None:
    world.cut(1, 3)
    world.cut(2, 3)
    world.say("two", node=3)
    world.run(1)


def node_down(world: World) -> None:
    world.crash(1)
    world.run(0.1)
    world.say("two", node=3)
    world.run(1)


def one_link(world: World) -> None:
    world.cut(1, 3)
    world.say("two", node=3)
    world.run(0.3)


def gap(world: World) -> None:
    world.lose(1, 3, 1.0)
    world.say("earlier", node=3)
    world.run(0.05)
    world.lose(1, 3, 0.0)
    world.slow(1, 3, 0.1)
    world.say("two", node=3)
    world.run(0.15)


@pytest.mark.parametrize(
    ("fault", "missing", "needed"),
    [
        (all_down, "said", {"crash"}),
        (leader_asleep, "ordered", {"pause"}),
        (cut_off, "stored by a quorum", {"cut"}),
        (unheard, "committed", {"cut"}),
        (node_down, "told", {"crash"}),
        (one_link, "received", {"cut"}),
        (gap, "released", {"slow"}),
    ],
)
def test_the_first_obligation_that_is_missing_is_named_and_what_must_go_so_that_it_comes(
    fault: Callable[[World], None], missing: str, needed: set[str]
) -> None:
    world = begun()
    fault(world)
    answer = why_not(world, "two", node=1)
    assert answer.missing == missing, str(answer)
    assert answer.needed and {step.verb for step in answer.needed} == needed
    assert set(answer.needed) <= set(answer.faults), "what must go lay over the wait"
    assert answer.certain and answer.comes is not None and answer.comes <= world.now
    assert answer.since is not None and answer.until == world.now and answer.since < answer.until
    records = list(world.trace.in_order())
    assert all(records[event].time <= world.now for event in answer.events)


def test_the_sentences_are_for_people() -> None:
    world = begun()
    cut_off(world)
    answer = why_not(world, 2, node=1, before=3.0)
    assert str(answer) == (
        "#2 ('two' of ann) was ordered by node 3 at 2.21 s, but by 3.00 s only node 3 had it on disk; a quorum is 2 of 3. "
        "All 4 frames that could bring it to nodes 1 and 2 were lost on a cut link. "
        "Meanwhile, the links 1-3 and 2-3 were cut from 2.20 s to the end. "
        "Without the cut between nodes 1 and 3 at 2.20 s, #2 is delivered at node 1 at 2.23 s."
    )
    assert "<b>#2 (&#x27;two&#x27; of ann)" in answer._repr_html_()


def test_a_message_that_was_there_is_told_so_and_nothing_is_tried() -> None:
    world = begun()
    answer = why_not(world, 1, node=2)
    assert answer.missing is None and answer.runs == 0 and "was delivered at node 2 at 2.0" in str(answer)


def test_without_a_node_the_first_one_that_lacks_it_is_told() -> None:
    world = begun()
    node_down(world)
    assert "had sent it to node 1" in str(why_not(world, "two"))


def test_a_message_may_be_named_by_its_number_its_text_or_its_client() -> None:
    world = begun()
    cut_off(world)
    answers = [why_not(world, name, node=1) for name in (2, "two", ("ann@3", 2))]
    assert len(set(map(str, answers))) == 1


def test_a_frame_is_asked_about_by_its_id() -> None:
    world = begun()
    one_link(world)
    lost = next(r for r in world.trace.of("drop") if r.message == "PROPOSE")
    answer = why_not(world, lost.id)
    assert answer.missing == "received" and "was lost on a cut link" in str(answer)
    assert answer.needed == (Fault(2.2, "cut", (1, 3, False)),)


def test_faults_of_which_each_is_enough_to_stop_it_must_all_go() -> None:
    world = begun()
    world.crash(1)
    world.cut(1, 3)
    world.cut(1, 2)
    world.say("two", node=3)
    world.run(2)
    answer = why_not(world, 2, node=1)
    assert answer.needed is not None and [step.verb for step in answer.needed] == ["crash", "cut"]
    assert "if only a part of them is left out, it does not." in str(answer)


def test_the_loss_of_the_network_itself_can_be_what_must_go() -> None:
    world = begun(network=Conditions(loss=0.9))
    answer = why_not(world, "one", node=1)
    assert answer.missing is not None and answer.needed == (Fault(0.0, "lose", ("*", "*", 0.9)),)
    assert "Without the loss of this network" in str(answer)


def test_what_takes_its_time_without_any_fault_is_no_fault_of_anybody() -> None:
    world = begun()
    world.crash(1)
    world.run(1)
    world.say("two", node=3)
    world.run(0.5)
    answer = why_not(world, "two", node=3, before=3.205)
    assert answer.needed is None and answer.tried and answer.comes is not None and answer.comes > 3.205
    assert "Even without any fault it does not come before 3.2" in str(answer)


# --- other actors -------------------------------------------------------------------------------


class Queue:
    """What a student writes in 3.1."""

    def __init__(self) -> None:
        self.next, self.early = 1, dict[int, Any]()

    def receive(self, number: int, message: Any) -> list[Any]:
        self.early[number] = message
        ready = []
        while self.next in self.early:
            ready.append(self.early.pop(self.next))
            self.next += 1
        return ready


class Stuck(Queue):
    """One that keeps the second message for itself."""

    def receive(self, number: int, message: Any) -> list[Any]:
        return [] if number == 2 else super().receive(number, message)


def lab(queue: type) -> World:
    world = World(3, actor=total_order(queue), network=OVERTAKING)
    world.run(1)
    world.say("a", node=1)
    world.run(0.5)
    world.lose(2, 3, 1.0)
    world.say("b", node=1)
    world.run(1)
    return world


def test_in_a_lab_a_message_is_ordered_told_received_released_delivered() -> None:
    world = lab(Queue)
    answer = why_not(world, 2, node=2)
    assert answer.missing == "received" and answer.needed and answer.needed[0].verb == "lose"
    assert why_not(world, "b", node=2).missing == "received"


def test_where_no_fault_is_to_blame_the_class_of_somebody_is_named() -> None:
    world = lab(Stuck)
    world.heal(True)
    world.run(2)
    answer = why_not(world, 2, node=1)
    assert answer.missing == "delivered" and answer.needed is None and answer.tried
    assert "Look at TotalOrderWithStuck." in str(answer)


# --- why ----------------------------------------------------------------------------------------


def test_why_tells_what_was_done_when_and_what_took_longest() -> None:
    world = begun()
    cut_off(world)
    world.heal()
    world.run(6)
    answer = why(world, 2, node=1)
    assert "'two' of ann) was said to node 3 at 2.20 s, ordered by node" in str(answer)
    assert "delivered at node 1 at" in str(answer) and "The longest wait, " in str(answer)
    assert [fault.verb for fault in answer.faults] == ["cut", "cut"]
    kinds = [list(world.trace.in_order())[event].kind for event in answer.events]
    assert kinds[0] == "submit" and kinds[-1] == "deliver"


def test_a_broken_rule_is_told_and_tried() -> None:
    world = World(2, quorum=1)
    world.run(2)
    world.crash(1)
    world.restart(1)
    world.run(0.5)
    world.partition({3}, {1, 2})
    world.say("left", node=3)
    world.say("right", node=2, author="bob")
    world.run(6)
    (broken, *_) = check(world, ["S1"])
    answer = why(world, broken)
    assert [fault.verb for fault in answer.needed or ()] == ["partition"]
    assert "Without the split 3 | 1,2 at 2.50 s, S1 holds." in str(answer)
    assert "A quorum of 1 of 3 is not safe" in str(answer) and "with a quorum of 2 S1 holds" in str(answer)
    assert str(why(broken)).startswith(f"{broken.plain} Exactly: {broken.sentence}") and "why(world, violation)" in str(
        why(broken)
    )
    assert "why(world, violation)" in broken._repr_html_()


# --- runs that are not tried --------------------------------------------------------------------


def test_a_saved_run_is_tried_and_a_trace_alone_says_probably(tmp_path: Path) -> None:
    world = begun()
    cut_off(world)
    saved = why_not(Run.load(world.save(tmp_path / "a.run")), "two", node=1)
    assert str(saved) == str(why_not(world, "two", node=1))
    alone = why_not(world.trace, "two", node=1)
    assert not alone.tried and not alone.certain and alone.needed is None
    assert "Probably because of this: the links 1-3 and 2-3 were cut from 2.20 s to the end." in str(alone)
    assert "give the world or the run" in str(alone)


def test_a_world_with_a_gate_says_why_it_is_not_tried() -> None:
    world = begun()
    world.hold(sender=3, receiver=1)
    one_link(world)
    assert "hold was used in this world" in str(why_not(world, "two", node=1))


@pytest.mark.parametrize("seed", [5, 9])
def test_a_trace_tells_of_its_faults_what_its_steps_tell(seed: int) -> None:
    world = schedule(seed, SHORT).world
    told = lasting([(None, step) for step in world.done], world.trace)
    alone = lasting(steps_of(world.trace), world.trace)

    def spans(faults: list[Lasting]) -> Any:
        verbs = {"cut", "partition", "slow", "lose", "duplicate", "pause", "clock"}
        return sorted(
            (one.begin, one.end, sorted(one.links), sorted(one.nodes)) for one in faults if one.fault.verb in verbs
        )

    assert spans(told) == spans(alone) and told


@pytest.mark.parametrize(
    ("asks", "sentence"),
    [
        (
            lambda world: why_not(world, 70),
            "There is no #70 in this run; the highest number is #1. A message that was never",
        ),
        (lambda world: why_not(world, "nothing"), "Nobody said 'nothing' in this run."),
        (lambda world: why_not(world, 1.5), "1.5 names no message; give its number"),
        (lambda world: why_not(world, ("ann", 9)), r"There is no message \('ann', 9\) in this run"),
        (lambda world: why_not(world, 1, node=9), "node is 9; the nodes of this run are 1, 2 and 3."),
        (lambda world: why_not(world, 1, before=-1), "before is -1; give seconds"),
        (lambda world: why_not(world, 1, seconds=-1), "why_not was given -1 seconds"),
        (lambda world: why_not("a trace", 1), "str has no trace"),
        (lambda world: why(world, "nothing"), "Nobody said 'nothing' in this run."),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(asks: Callable[[World], Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        asks(begun())


def test_a_text_that_was_said_twice_must_be_named_otherwise() -> None:
    world = begun()
    world.say("one", node=3)
    world.run(0.3)
    with pytest.raises(UsageError, match="'one' was said 2 times; say which: 1, 2"):
        why_not(world, "one")


# --- the smallest set ---------------------------------------------------------------------------


def parts(faults: Any) -> Iterator[frozenset[int]]:
    return (frozenset(part) for size in range(1, len(faults) + 1) for part in combinations(faults, size))


@pytest.mark.parametrize(
    "enough",
    [
        lambda without: {1, 4, 6} <= without,
        lambda without: {1, 2} <= without and 3 not in without or len(without) == 8,
        lambda without: len(without) >= 3 and len(without) != 4,
        lambda without: without == {5} or {2, 7} <= without,
        lambda without: False,
    ],
)
def test_no_proper_part_of_what_is_found_is_enough(enough: Callable[[frozenset[int]], bool]) -> None:
    search = Smallest(lambda without: 1.0 if enough(without) else None, 60.0, lambda found: found)
    search.search([3, 5], range(8))
    assert search.finished
    if search.best is None:
        assert not enough(frozenset(range(8))) and not enough(frozenset((3, 5)))
    else:
        assert enough(search.best)
        assert [part for part in parts(search.best) if part < search.best and enough(part)] == []


def test_a_search_that_has_no_time_says_so() -> None:
    search = Smallest(lambda without: 1.0, 0.0, lambda found: found)
    search.search([1], [2])
    assert not search.finished and search.best is None


# --- random runs: the long version is tests/support/why_not.py ------------------------------------


@pytest.fixture(scope="module", params=[1, 9])
def question(request: pytest.FixtureRequest) -> tuple[Again, Any, Answer]:
    found = asked(request.param, SHORT)
    assert found is not None, "something was late in this run"
    return Again(found[0]), found[1], found[2]


def test_in_random_runs_what_is_named_brings_the_message_and_no_part_of_it_does(
    question: tuple[Again, Any, Answer],
) -> None:
    assert list(wrong(*question)) == []


def test_a_wrong_answer_would_be_found(question: tuple[Again, Any, Answer]) -> None:
    again, asks, answer = question
    assert answer.needed, str(answer)
    more = [fault for fault in answer.faults if fault not in answer.needed]
    for other in more[:1]:
        bad = replace(answer, needed=(*answer.needed, other))
        assert any("alone the message comes" in told or "does not come" in told for told in wrong(again, asks, bad))
    assert list(wrong(again, asks, replace(answer, needed=()))) == [
        "without the faults that it names the message does not come"
    ]
    assert list(wrong(again, asks, replace(answer, needed=None, tried=True))) != []
    assert not comes(again, asks, ())


def test_a_run_is_read_once_for_many_questions() -> None:
    world = begun()
    cut_off(world)
    question = Question(world.trace)
    assert [question.why_not("two", node).missing for node in world.nodes] == ["stored by a quorum"] * 3
