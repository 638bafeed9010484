"""Greetings and the first leader of a fresh cluster; by hand."""

from by_hand import of, part, sent

from chatsys.actor.effects import Note
from chatsys.actor.events import LinkDown, LinkUp
from chatsys.protocol.decisions import Suspect
from chatsys.protocol.learning.admission import Learners
from chatsys.protocol.membership import Membership
from chatsys.protocol.messages import Join, JoinAck, PeerInfo

NONE_KNOWN = JoinAck("ok", 0, (1, 2, 3))
KNOWN = JoinAck("ok", 1, (1, 2, 3), leader=PeerInfo(2, "h:1"))


def test_a_node_greets_each_member_whose_link_comes_up() -> None:
    two = part(Membership)
    assert [to for to, _ in sent(two.on_message(1, LinkUp(1), 0.0), Join)] == [1]


def test_a_greeting_is_answered_with_the_leader_and_its_address() -> None:
    two = part(Membership)
    two.state.leader = 3
    ((to, answer),) = sent(two.on_message(1, Join(1), 0.0), JoinAck)
    assert (to, answer.status, answer.leader) == (1, "ok", PeerInfo(3, "node3:0"))


def test_the_highest_nominates_once_all_have_answered_and_none_knows_a_leader() -> None:
    three = part(Membership, me=3)
    assert three.on_message(1, NONE_KNOWN, 0.0) == []
    assert of(three.on_message(2, NONE_KNOWN, 0.0), Suspect)
    assert of(three.on_message(2, NONE_KNOWN, 0.0), Suspect) == [], "once in a life"


def test_it_does_not_if_one_of_them_knows_a_leader() -> None:
    three = part(Membership, me=3)
    three.on_message(1, KNOWN, 0.0)
    assert three.on_message(2, NONE_KNOWN, 0.0) == []


def test_a_lower_node_leaves_the_start_to_the_highest() -> None:
    two = part(Membership, me=2)
    two.on_message(1, NONE_KNOWN, 0.0)
    assert two.on_message(3, NONE_KNOWN, 0.0) == []


def test_alone_it_nominates_at_the_start() -> None:
    assert of(part(Membership, me=1, nodes=1).start(0.0), Suspect)


def test_a_stranger_is_refused_with_a_sentence() -> None:
    effects = part(Learners).on_message(9, Join(9), 0.0)
    ((to, answer),) = sent(effects, JoinAck)
    assert (to, answer.status) == (9, "refused")
    assert answer.reason == "node 9 is not a member of this cluster; its members are 1, 2, 3"


def test_who_is_gone_is_remembered_and_must_answer_again() -> None:
    three = part(Membership, me=3)
    three.on_message(1, NONE_KNOWN, 0.0)
    effects = three.on_message(1, LinkDown(), 0.1)
    assert of(effects, Note)[0].kind == "membership" and three.state.down == {1}
    assert three.on_message(2, NONE_KNOWN, 0.2) == []
    three.on_message(1, LinkUp(2), 0.3)
    assert three.state.down == set()
