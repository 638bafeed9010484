"""Learners by hand: who is taken in, refused and let go; what a learner keeps, and to whom it listens."""

from random import Random
from typing import Any

import msgspec
import pytest
from by_hand import config, leader, node, of, part, sent

from chatsys.actor.effects import Append, Deliver, Note, Send
from chatsys.actor.events import Depart, LinkDown, LinkUp, RemoveLearner
from chatsys.config import Limits
from chatsys.errors import Departed, ForeignLog, RefusedJoin
from chatsys.protocol.decisions import Order
from chatsys.protocol.learning.admission import ASKED, Learners
from chatsys.protocol.learning.learner import Learner
from chatsys.protocol.learning.records import Gone, Joined, KeptMessage, LearnerBoot
from chatsys.protocol.learning.table import LearnerTable
from chatsys.protocol.messages import (
    Ack,
    Coordinator,
    Delivered,
    Entry,
    Heartbeat,
    HeartbeatAck,
    Join,
    JoinAck,
    Label,
    LearnerInfo,
    Leave,
    PeerInfo,
    Propose,
    Submit,
    SubmitReply,
    Subscribe,
)
from chatsys.protocol.node import Node
from chatsys.protocol.public import Heard
from chatsys.protocol.state import Role
from chatsys.protocol.storage import Boot, Stored

pytestmark = pytest.mark.quick

OLD, NEW, OTHER = "9f" * 16, "30" * 16, "77" * 16


def entry(kind: str, node: int, identity: str, address: str = "") -> Entry:
    """An entry about a learner."""
    return Entry(1, 1, kind, learner=LearnerInfo(node, identity, address))  # type: ignore[arg-type]


def all_hold(one: Node) -> list[Any]:
    """Let the others confirm everything, heartbeats too, and the leader commit it."""
    effects = one.settle(1.0)
    for peer in one.state.members.ids:
        effects += one.on_message(peer, Ack(1, True, match=one.log.last_seq), 1.0)
    for peer in one.state.members.others:
        effects += one.on_message(peer, HeartbeatAck(1, True, one.failure.number, one.log.last_seq), 1.0)
    return effects + one.settle(1.0)


def with_four(identity: str = OLD) -> Node:
    """A leader that has taken learner 4 in."""
    three = leader()
    three.on_message(4, Join(4, "", identity, "n1"), 1.0)
    all_hold(three)
    return three


def answer(effects: list[Any]) -> JoinAck:
    """The one answer to a JOIN or LEAVE."""
    ((_, found),) = sent(effects, JoinAck)
    assert isinstance(found, JoinAck)
    return found


# --- the table ----------------------------------------------------------------------------------


def test_the_first_entry_for_an_id_wins_until_its_learner_leaves() -> None:
    table = LearnerTable(16, (1, 2, 3))
    said = [
        table.apply(one)
        for one in (
            entry("learner", 4, OLD), entry("learner", 4, NEW), entry("learner", 4, OLD, "host:1"), entry("leave", 4, NEW),
            entry("leave", 4, OLD), entry("learner", 4, OLD), entry("learner", 4, NEW), entry("learner", 3, OTHER),
        )
    ]  # fmt: skip
    assert said == ["new", "taken", "moved", "void", "left", "left", "new", "taken"]
    assert table.at(4) == NEW


def test_there_are_so_many_learners_and_no_more() -> None:
    table = LearnerTable(1, (1, 2, 3))
    assert table.apply(entry("learner", 4, OLD)) == "new"
    assert table.judge(LearnerInfo(5, NEW)) == "full"


def test_what_is_committed_means_the_same_whatever_a_nodes_limits_are() -> None:
    """After a start with a smaller limit learner 5 was forgotten, and its id could be taken by another folder."""
    said = [entry("learner", 4, OLD), entry("learner", 5, OTHER), entry("leave", 4, OLD), entry("learner", 5, NEW)]
    large, small = LearnerTable(16, (1, 2, 3)), LearnerTable(1, (1, 2, 3))
    assert [large.apply(one) for one in said] == [small.apply(one) for one in said] == ["new", "new", "left", "taken"]


# --- being asked --------------------------------------------------------------------------------


def test_a_leader_orders_one_entry_for_a_join_however_often_it_is_said() -> None:
    three = leader()
    last = three.log.last_seq
    waits = answer(three.on_message(4, Join(4, "host:5004", OLD, "n1"), 1.0))
    three.on_message("somewhere else", Join(4, "host:5004", OLD, "n1"), 1.1)
    assert (waits.status, waits.nonce, three.log.last_seq) == ("waiting", "n1", last + 1)
    assert three.log.entry(last + 1).learner == LearnerInfo(4, OLD, "host:5004")
    all_hold(three)
    taken = answer(three.on_message(4, Join(4, "host:5004", OLD, "n1"), 2.0))
    assert (taken.status, taken.leader) == ("ok", three.state.members.peer(3))
    assert three.log.last_seq == last + 1


def test_a_follower_passes_a_join_on_and_answers_that_it_waits() -> None:
    one = node(1)
    nobody = answer(one.on_message(4, Join(4, "", OLD, "n1"), 0.1))
    assert (nobody.status, nobody.leader) == ("waiting", None)
    one.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.2)
    effects = one.on_message(4, Join(4, "", OLD, "n1"), 0.3)
    assert sent(effects, Join) == [(3, Join(4, "", OLD, "n1", via=1, hops=1))]
    assert (answer(effects).status, answer(effects).leader) == ("waiting", one.state.members.peer(3))


def test_a_join_that_was_passed_on_is_answered_only_if_it_is_refused_and_the_answer_goes_the_way_back() -> None:
    three = with_four()
    assert sent(three.on_message(1, Join(5, "", NEW, "n5", via=1, hops=1), 2.0), JoinAck) == []
    ((to, refusal),) = sent(three.on_message(1, Join(4, "", NEW, "n2", via=1, hops=1), 2.0), JoinAck)
    assert (to, refusal.code, refusal.nonce) == (1, "taken", "n2")
    one = node(1)
    one.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.2)
    one.on_message("link of 4", Join(4, "", NEW, "n2"), 0.3)
    assert Send("link of 4", refusal) in one.on_message(3, refusal, 0.4)
    assert Send("link of 4", refusal) not in one.on_message(3, refusal, 0.5), "once"
    assert one.membership.answered == {}, "it is no answer to node 1"


def test_only_a_ready_leader_says_that_an_id_is_taken() -> None:
    three = with_four()
    assert answer(three.on_message(4, Join(4, "", NEW, "n2"), 2.0)).code == "taken"
    three.state.ready = False
    assert answer(three.on_message(4, Join(4, "", NEW, "n2"), 2.0)).status == "waiting"


@pytest.mark.parametrize(("fact", "value"), [("lease_valid", False), ("handing_over", True)])
def test_a_leader_that_may_have_a_successor_refuses_nobody(fact: str, value: bool) -> None:
    """The next leader may have let the old folder go; whoever heard `taken` from this one stopped for good."""
    three = with_four()
    setattr(three.state, fact, value)
    last = three.log.last_seq
    told = answer(three.on_message(4, Join(4, "", NEW, "n2", number=7), 1.1))
    assert (told.status, told.number, told.code) == ("waiting", 7, "") and told.reason
    assert three.log.last_seq == last, "and orders nothing that would be void"


def test_a_learner_more_than_there_may_be_is_refused() -> None:
    three = leader(limits=Limits(learners=1))
    three.on_message(4, Join(4, "", OLD, "n1"), 1.0)
    all_hold(three)
    refused = answer(three.on_message(5, Join(5, "", NEW, "n2"), 2.0))
    assert refused.code == "full" and "limits.learners" in refused.reason


def test_a_question_is_answered_with_what_the_cluster_agrees_on() -> None:
    three = leader()
    told = answer(three.on_message("link", Join(4), 1.0))
    assert (told.status, told.code, told.config) == ("refused", "", config())
    assert msgspec.json.decode(msgspec.json.encode(told), type=JoinAck) == told
    of_member = answer(three.on_message("link", Join(2, "", OLD, "n1"), 1.0))
    assert of_member.code == "member" and "node 2 is a member" in of_member.reason


def test_from_strangers_nothing_counts_but_what_clients_may_say() -> None:
    three = with_four()
    term, commit = three.state.term, three.log.commit
    for frame in (
        Heartbeat(9, 1, 0, Label(0, 0)), Ack(1, True, match=99), Coordinator(9, PeerInfo(4, ""), 1, 0),
        Propose(9, Label(0, 0), (), 0), SubmitReply("c", 1, "ok"),
    ):  # fmt: skip
        assert three.on_message(4, frame, 1.1) == three.on_message("eve", frame, 1.1) == []
    assert (three.state.term, three.log.commit) == (term, commit)


def test_what_was_passed_on_is_remembered_within_bounds() -> None:
    one = node(1)
    one.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.2)
    for number in range(3 * ASKED):
        one.learners.passed = 0
        one.on_message(f"link {number}", Join(9, "", OLD, f"n{number}"), 0.3)
    assert len(one.learners.asked) == ASKED


def test_a_flood_of_joins_neither_fills_the_log_nor_the_leaders_queue() -> None:
    three = leader(limits=Limits(learners=2))
    last = three.log.last_seq
    for number in range(100):
        three.on_message(f"link {number}", Join(10 + number, "", OLD[:-3] + f"{number:03}", f"n{number}"), 1.0)
    assert three.log.last_seq == last + 2
    one = node(1)
    one.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.2)
    passed = [
        frame
        for number in range(100)
        for frame in sent(one.on_message("eve", Join(9, "", OLD, f"n{number}", via=2), 0.3), Join)
    ]
    assert len(passed) == 32 and {frame.via for _, frame in passed} == {1}, "who is no member passes nothing on"
    one.on_message(3, Heartbeat(1, 1, 0, Label(0, 0)), 0.9)
    assert sent(one.on_message("eve", Join(9, "", OLD, "n"), 1.2), Join) != []


def test_two_copies_of_a_folder_at_two_addresses_do_not_fill_the_log() -> None:
    """Each said JOIN every heartbeat, and each JOIN was ordered as a change of the address."""
    three = part(Learners, me=3)
    three.state.role, three.state.ready, three.state.lease_valid = Role.LEADER, True, True
    three.table.apply(entry("learner", 4, OLD))
    orders, said = 0, []
    for number in range(100):
        now = 2.0 + number
        three.on_time(now)
        effects = three.on_message(4, Join(4, ("host:1", "host:2")[number % 2], OLD, f"n{number % 2}"), now)
        for order in of(effects, Order):
            three.table.apply(msgspec.structs.replace(order.items[0], seq=1, term=1))
            orders += 1
        said.append(answer(effects))
    assert orders == 2 and {one.status for one in said} == {"ok"}, "one for each minute that began"
    assert sum("two copies of its folder run" in one.reason for one in said) > 40


def test_a_refusal_is_told_once_however_often_somebody_asks() -> None:
    three = with_four()
    told = [note for _ in range(9) for note in of(three.on_message("eve", Join(4, "", NEW, "e"), 1.1), Note)]
    assert [note.kind for note in told] == ["membership"]


def test_a_leave_counts_if_it_names_the_folder_and_is_for_ever() -> None:
    three = with_four()
    last = three.log.last_seq
    assert answer(three.on_message("mallory", Leave(4, NEW, "m"), 2.0)).status == "waiting"
    assert three.log.last_seq == last, "it orders nothing"
    three.on_message(4, Leave(4, OLD, "n1"), 2.0)
    assert three.log.entry(last + 1).kind == "leave"
    all_hold(three)
    assert answer(three.on_message(4, Leave(4, OLD, "n1"), 3.0)).status == "left"
    assert answer(three.on_message(4, Join(4, "", OLD, "n1"), 3.0)).status == "left"
    assert answer(three.on_message(4, Join(4, "", NEW, "n2"), 3.0)).status == "waiting"


def test_people_let_go_whose_folder_is_lost_and_a_follower_asks_until_it_is_done() -> None:
    one = part(Learners, me=1)
    one.table.apply(entry("learner", 4, OLD))
    one.state.set_leader(3)
    one.state.trust = True
    asks = one.remove(4, 1.0)
    assert sent(asks, Leave) == [(3, Leave(4, OLD, via=1, hops=1))]
    assert sent(one.on_time(1.8), Leave) == sent(asks, Leave)
    one.table.apply(entry("leave", 4, OLD))
    assert one.on_time(2.6) == [] and "remove" not in one.alarms
    assert "nobody to remove" in of(one.remove(4, 3.0), Note)[0].reason
    three = with_four()
    three.on_command(RemoveLearner(4), 2.0)
    assert three.log.entry(three.log.last_seq).kind == "leave"


def test_the_table_is_read_anew_in_each_life() -> None:
    three = with_four()
    again = Node(3, config(), Random(2))
    again.log.restore([three.log.entry(seq) for seq in range(1, three.log.last_seq + 1)], three.log.commit)
    told = [note for note in of(again.start(0.0), Note) if note.kind == "learner"]
    assert again.learners.table.at(4) == OLD
    assert [(note.peer, note.text, note.reason) for note in told] == [(4, OLD[:8], "new")]


# --- the learner --------------------------------------------------------------------------------


def learner(*records: Any, through: int | None = 1) -> Learner:
    """Learner 4 in a life of its own, at time 0."""
    made = Learner(4, config(), Random(1), through=through)
    made.christen(Random(2))
    made.recover(records)
    made.start(0.0)
    return made


def listening(one: Learner, *members: int) -> list[Any]:
    """Let links to these members come up."""
    for member in members:
        one.on_message(member, LinkUp(1), 0.1)
    return one.settle(0.1)


def told(one: Learner, status: Any = "ok", leads: int | None = 3, messages: int = 0, **more: Any) -> JoinAck:
    """What a member says to this life of a learner."""
    info = None if leads is None else PeerInfo(leads, "")
    return JoinAck(status, 1, (1, 2, 3), info, nonce=one.chronicle.nonce, messages=messages, **more)


def pushed(*numbers: int) -> Delivered:
    """These messages, as a member shows them."""
    return Delivered(tuple(Heard(10 * one, "main", "ann", f"text {one}") for one in numbers), numbers)


def test_a_learner_asks_to_be_taken_in_and_for_everything() -> None:
    one = learner()
    effects = listening(one, 2, 1)
    ((to, join),) = sent(effects, Join)
    assert (to, join.node, join.identity, sent(effects, Subscribe)) == (
        1,
        4,
        one.chronicle.identity,
        [(1, Subscribe(0))],
    )


def test_a_learner_waits_a_little_for_the_member_that_it_shall_ask_first() -> None:
    one = learner(through=3)
    assert listening(one, 1) == []
    one.on_time(0.4)
    assert sent(one.settle(0.4), Join)[0][0] == 1


def test_a_learner_keeps_and_delivers_without_a_gap_whatever_overtakes_what() -> None:
    one = learner()
    listening(one, 1)
    assert one.on_message(1, pushed(2, 3), 0.2) == []
    effects = one.on_message(1, pushed(1), 0.3)
    assert [record.number for record in of(effects, Append)[0].items] == [1, 2, 3]
    assert [delivery.msg_no for delivery in of(effects, Deliver)[0].items] == [1, 2, 3]
    assert one.on_message(1, pushed(2, 3), 0.4) == [] and one.chronicle.early == {}
    assert one.on_message(2, pushed(4), 0.4) == [], "it does not listen to node 2"
    one.on_message(1, pushed(9999), 0.5)
    assert one.chronicle.early == {}, "nobody sends so far ahead"


def test_a_learner_that_stands_still_asks_again_for_what_was_lost() -> None:
    one = learner()
    listening(one, 1)
    one.on_message(1, pushed(1), 0.2)
    assert sent(one.on_message(1, told(one, messages=3), 0.8), Subscribe) == []
    assert sent(one.on_message(1, told(one, messages=3), 1.6), Subscribe) == [(1, Subscribe(1))] * 2
    one.on_message(1, told(one, messages=3), 2.4)
    assert sent(one.on_message(1, told(one, messages=3), 3.2), Subscribe) == [(1, Subscribe(1))], "it stands still"


def test_a_learner_goes_on_if_the_member_is_silent_or_has_no_leader() -> None:
    one = learner()
    listening(one, 1, 2, 3)
    one.on_message(1, told(one, leads=None), 2.0)
    one.on_time(2.6)
    assert sent(one.settle(2.6), Join)[0][0] == 2
    one.on_message(2, told(one), 4.0)
    one.on_time(5.2)
    assert one.listening.target == 2, "it has a leader"
    one.on_message(2, LinkDown(), 5.3)
    assert sent(one.settle(5.3), Join)[0][0] == 3


def test_an_answer_to_another_life_counts_for_nothing() -> None:
    one = learner()
    listening(one, 1)
    stale = JoinAck("refused", 1, (1, 2, 3), reason="no", code="taken", nonce="another", number=1)
    assert one.on_message(1, stale, 0.5) == []


def no(one: Learner, number: int) -> JoinAck:
    """A refusal of the JOIN of this number."""
    return told(one, "refused", reason="no", code="taken", number=number)


def test_a_learner_that_is_refused_asks_once_more_and_stops_if_that_is_refused_too() -> None:
    one = learner()
    ((_, first),) = sent(listening(one, 1), Join)
    ((_, second),) = sent(one.on_message(1, no(one, first.number), 0.6), Join)
    assert (first.number, second.number) == (1, 2)
    with pytest.raises(RefusedJoin, match="Cluster 'chat' does not take in learner 4: no"):
        one.on_message(1, no(one, 2), 0.7)


def test_a_refusal_that_was_under_way_while_people_made_room_stops_nobody() -> None:
    """It answered an earlier JOIN of the same life, came late, and stopped a learner that was in already."""
    one = learner()
    listening(one, 1)
    one.on_time(0.9)
    ((_, again),) = sent(one.on_message(1, no(one, 1), 1.0), Join)
    assert again.number == 3
    assert one.on_message(1, no(one, 2), 1.1) == [], "it answers a JOIN that was said before the first refusal came"
    one.on_message(1, told(one, number=3), 1.2)
    late = sent(one.on_message(1, no(one, 1), 1.3), Join)
    assert one.admitted and [join.number for _, join in late] == [4], "it asks anew"


def test_a_learner_that_leaves_says_so_until_it_has_left_and_stops_when_that_is_on_its_disk() -> None:
    one = learner()
    listening(one, 1)
    one.on_message(1, told(one), 0.5)
    one.on_command(Depart(), 0.6)
    assert sent(one.on_time(0.6), Leave) == [(1, Leave(4, one.chronicle.identity, one.chronicle.nonce))]
    effects = one.on_message(1, told(one, "left"), 0.7)
    assert effects[0] == Append(Gone()) and effects[1].to == 4, "to itself, behind its own disk"
    with pytest.raises(Departed):
        one.on_message(4, effects[1].message, 0.8)
    with pytest.raises(Departed, match="its folder joins no more"):
        learner(LearnerBoot(1, "chat", 4, identity=OLD, nonce="n"), Gone())


def test_a_new_life_shows_again_what_was_heard_and_goes_on_from_there() -> None:
    before = (
        LearnerBoot(1, "chat", 4, identity=OLD, nonce="n1"),
        Joined(config()),
        KeptMessage(1, Heard(3, text="hello")),
    )
    one = Learner(4, config(), Random(1))
    one.christen(Random(2))
    one.recover(before)
    effects = one.start(0.0)
    assert [(one.msg_no, one.text) for one in of(effects, Deliver)[0].items] == [(1, "hello")]
    assert (one.chronicle.identity, one.incarnation, len(of(effects, Append))) == (OLD, 2, 1)
    assert sent(listening(one, 1), Subscribe) == [(1, Subscribe(1))]
    assert Learner.cluster_of(before) == config() and Learner.owner(before) == ("chat", 4)


def test_a_members_folder_is_no_learners_and_the_other_way_round() -> None:
    with pytest.raises(ForeignLog, match="This folder is that of node 2, a member of cluster 'chat'; learner 4"):
        learner(Boot(1, "chat", 2), Stored(Entry(1, 1, "barrier")))
    with pytest.raises(ForeignLog, match="that of learner 5 of cluster 'chat', not of learner 4"):
        learner(LearnerBoot(1, "chat", 5))
    with pytest.raises(ForeignLog, match="that of learner 4 of cluster 'chat'; a member keeps a folder of its own"):
        Node(2, config(), Random(1)).recover([LearnerBoot(1, "chat", 4)])


def test_a_learner_passes_on_what_its_clients_say_and_the_answers_back() -> None:
    one = learner()
    say = Submit("c", 1, "main", "ann", "hi", session=1)
    assert answer_to(one.on_message("ann", say, 0.0)) == "busy"
    listening(one, 1)
    assert sent(one.on_message("ann", say, 0.2), Submit) == [(1, msgspec.structs.replace(say, hops=1))]
    reply = SubmitReply("c", 1, "ok", seq=5, msg_no=1)
    assert one.on_message(1, reply, 0.3) == [Send("ann", reply)]
    assert one.on_message(1, reply, 0.4) == [], "once"
    assert answer_to(one.on_message("ann", msgspec.structs.replace(say, hops=2), 0.5)) == "redirect"


def answer_to(effects: list[Any]) -> str:
    """What became of a SUBMIT."""
    ((_, reply),) = sent(effects, SubmitReply)
    return str(reply.status)


def test_a_learner_serves_listeners_of_its_own_and_says_whom_to_join() -> None:
    one = learner()
    listening(one, 1)
    one.on_message(1, pushed(1, 2), 0.2)
    one.on_message("bob", Subscribe(1), 0.3)
    assert sent(one.settle(0.3), Delivered) == [("bob", pushed(2))]
    ((_, about),) = sent(one.on_message("bob", Join(5), 0.4), JoinAck)
    assert (about.status, about.config) == ("waiting", config())
