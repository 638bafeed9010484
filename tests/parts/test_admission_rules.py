"""Taking learners in, rule by rule: who is answered, what is passed on, and how people let one go."""

from typing import Any

import pytest
from by_hand import leader, node, of, sent
from test_learners import NEW, OLD, all_hold, answer, with_four

from chatsys.actor.effects import Note
from chatsys.actor.events import RemoveLearner
from chatsys.config import Limits
from chatsys.protocol.learning.admission import ASKED
from chatsys.protocol.messages import (
    Coordinator,
    Entry,
    Heartbeat,
    Join,
    JoinAck,
    Label,
    LearnerInfo,
    Leave,
    PeerInfo,
    Propose,
)
from chatsys.protocol.node import Node


def following(me: int = 1) -> Node:
    """A follower of node 3."""
    one = node(me)
    one.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.2)
    return one


@pytest.mark.parametrize("asked", [Join(5, "", NEW, "n5", via=2, hops=1), Leave(5, NEW, "n5", via=2, hops=1)])
def test_whoever_is_no_member_is_answered_itself_whatever_way_its_frame_names(asked: Any) -> None:
    three = leader()
    ((to, said),) = sent(three.on_message("link of 5", asked, 1.0), JoinAck)
    assert (to, said.status, said.nonce) == ("link of 5", "waiting", "n5")


def test_who_refuses_answers_the_link_that_asked_and_tells_of_it_once() -> None:
    three = with_four()
    effects = three.on_message("link of 4", Join(4, "", NEW, "n2"), 2.0)
    assert [to for to, _ in sent(effects, JoinAck)] == ["link of 4"]
    assert [(note.kind, note.peer) for note in of(effects, Note)] == [("membership", 4)]
    assert of(three.on_message("link of 4", Join(4, "", NEW, "n2"), 2.1), Note) == []
    assert of(three.on_message("another link", Join(4, "", NEW, "n2"), 2.2), Note)


def test_a_leave_that_was_passed_on_is_not_answered_and_one_that_was_not_is() -> None:
    three = with_four()
    assert sent(three.on_message(1, Leave(4, OLD, "n1", via=1, hops=1), 2.0), JoinAck) == []
    assert answer(three.on_message("link of 4", Leave(4, OLD, "n1"), 2.1)).status == "waiting"


def test_a_learner_that_has_just_moved_may_leave_at_once() -> None:
    three = with_four()
    three.on_message(4, Join(4, "host:1", OLD, "n1"), 2.0)
    all_hold(three)
    three.on_message(4, Leave(4, OLD, "n1"), 2.1)
    assert three.log.entries[-1].kind == "leave"


def test_what_went_far_enough_or_comes_from_the_leader_itself_goes_no_further() -> None:
    one = following()
    assert sent(one.on_message(2, Join(4, "", OLD, "n1", via=2, hops=2), 0.3), Join) == [], "it went far enough"
    assert sent(one.on_message(3, Join(4, "", OLD, "n1", via=3, hops=1), 0.3), Join) == [], "its sender leads no more"


def test_whoever_asks_again_counts_among_the_latest() -> None:
    one = following()
    for number in (*range(ASKED), 0, ASKED):
        one.learners.passed = 0
        one.on_message(f"link {number}", Join(4, "", OLD, f"n{number}"), 0.3)
    assert len(one.learners.asked) == ASKED and "n0" in one.learners.asked


def test_people_remove_a_learner_whose_entry_is_under_way_and_no_other_one() -> None:
    three = with_four()
    three.on_message(5, Join(5, "", NEW, "n5"), 2.0)
    (nobody,) = of(three.on_command(RemoveLearner(6), 2.0), Note)
    assert (nobody.kind, nobody.peer) == ("membership", 6) and not three.learners.removing
    three.on_command(RemoveLearner(5), 2.0)
    assert three.learners.removing == {5: NEW}
    assert three.learners.alarms.dates["remove"] == 2.0 + three.learners.timing.heartbeat_interval
    three.on_command(RemoveLearner(4), 2.0)
    assert three.learners.removing == {4: OLD, 5: NEW}


def test_unsafe_a_learner_whose_entry_was_voided_is_no_learner() -> None:
    two = node(2, quorum=1)
    taken_in = Entry(1, 1, "learner", learner=LearnerInfo(4, OLD))
    two.on_message(3, Propose(1, Label(0, 0), (taken_in,), 1), 0.1)
    two.on_message(3, Heartbeat(1, 1, 1, Label(1, 1)), 0.1)
    assert two.learners.table.at(4) == OLD
    two.on_message(1, Propose(2, Label(0, 0), (Entry(1, 2, "barrier"),), 0), 0.2)
    two.settle(0.2)
    assert two.learners.table.at(4) is None and two.learners.applied == 0


def test_there_is_room_for_those_under_way_too() -> None:
    three = leader(limits=Limits(learners=1))
    three.on_message(4, Join(4, "", OLD, "n4"), 1.0)
    assert answer(three.on_message(5, Join(5, "", NEW, "n5"), 1.1)).reason == "others are about to be taken in"
    assert answer(three.on_message(6, Leave(6, NEW, "n6"), 1.2)).reason == "no learner 6 is known by this folder"
