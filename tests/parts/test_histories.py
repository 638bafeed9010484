"""The second checker agrees with the first, although it shares nothing with it."""

import pytest
from stories import BAD, META, Story, good_run, said

from chatsys.check import check
from chatsys.check.histories import check_histories, second_opinion
from chatsys.sim.world import World
from chatsys.trace import Trace

SEEN_BY_USERS = {"S1", "S2", "S3", "S4", "S7", "S9", "S10", "S11"}
UNSEEN = {
    "a chat here, a barrier there",
    "different committed messages that nobody delivered",
    "a barrier overwrites an acknowledged message",
    "one position acknowledged to two clients",
    "acknowledged at a position that holds another message",
    "one message acknowledged at two positions",
    "an invented message",
    "the same, seen in a delivery",
    "an author changed on the way",
}
"""Bad runs whose fault stands in no delivered list and no answer, or that only a closed world shows."""


def fired(story: Story) -> set[str]:
    return {violation.invariant for violation in check_histories(Trace(story.records, META))}


def test_a_good_run_breaks_nothing() -> None:
    assert fired(good_run()) == set()


def test_the_empty_trace_breaks_nothing() -> None:
    assert check_histories(Trace()) == []


@pytest.mark.parametrize(("what", "names", "story"), BAD, ids=[bad[0] for bad in BAD])
def test_what_users_could_see_both_checkers_find(what: str, names: str, story: Story) -> None:
    visible = set(names.split()) & SEEN_BY_USERS
    assert bool(fired(story)) == bool(visible) or what in UNSEEN


def test_a_client_that_saw_another_message_than_the_nodes_delivered_breaks_agreement() -> None:
    story = said("hi").deliver(1, 1, 1, "hi").add("seen", "bob", seq=1, msg_no=1, text="yo", author="ann")
    assert fired(story) == {"S1"}


@pytest.mark.parametrize("seed", range(5))
def test_both_checkers_are_content_with_a_majority_that_loses_its_leader(seed: int) -> None:
    world = World(seed)
    for number in range(10):
        world.at(2 + number, "say", f"message {number}")
    world.at(4.5, "crash", 3)
    world.at(9, "restart", 3)
    world.run(25)
    assert len(world.trace.of("ack")) == 10
    assert check(world.trace) == check_histories(world.trace) == []


def test_a_second_opinion_tells_only_what_the_first_checker_did_not_notice() -> None:
    story = said("hi").deliver(1, 1, 1, "hi").add("seen", "bob", seq=1, msg_no=1, text="yo", author="ann")
    told = check(story.trace())
    (found,) = second_opinion(story.trace(), told)
    assert told == [] and found.invariant == "S1" and found.sentence.endswith("Only the second checker noticed.")
    story.deliver(2, 1, 1, "he")
    assert second_opinion(story.trace(), check(story.trace())) == []


def test_both_checkers_see_a_split_brain() -> None:
    world = World(seed=3, quorum=1)
    world.run(5)
    world.partition({3}, {1, 2})
    world.say("left", node=3)
    world.say("right", node=1, author="bob")
    world.run(10)
    world.heal()
    world.run(20)
    assert "S7" in {violation.invariant for violation in check(world.trace)}
    assert "S7" in {violation.invariant for violation in check_histories(world.trace)}
