"""A node that is told to stop: it hands over first, keeps what comes meanwhile, and never tries to lead again."""

from typing import Any

from by_hand import leader, node, of, sent

from chatsys.actor.effects import Note, Send
from chatsys.actor.events import DiskSpace, LinkDown, StandDown, Stop
from chatsys.config import Timing
from chatsys.protocol.messages import (
    Coordinator,
    Election,
    Entry,
    Heartbeat,
    HeartbeatAck,
    Ok,
    PeerInfo,
    Prepare,
    Promise,
    Propose,
    Submit,
    SubmitReply,
    TransferLead,
)
from chatsys.protocol.node import Node
from chatsys.protocol.state import Role


def leaving(nodes: int = 3) -> tuple[Node, list[Any]]:
    """The highest node, which leads and is told to stand down at 1.0; and what it did then."""
    three = leader(me=nodes, nodes=nodes)
    three.on_time(0.8)
    return three, three.on_command(StandDown(), 1.0)


def answer(verified: int = 1, number: int = 2, low: bool = False) -> HeartbeatAck:
    return HeartbeatAck(1, True, number, verified, low)


def test_a_leader_asks_at_once_who_is_there() -> None:
    three, effects = leaving()
    assert [to for to, _ in sent(effects, Heartbeat)] == [1, 2]
    assert not three.may_end and three.state.leads


def test_asking_around_right_behind_a_heartbeat_costs_no_lead() -> None:
    """With a lease of two heartbeats one may go unanswered: the one that was under way, so the leader retired."""
    three = leader(timing=Timing(lease=1.6))
    three.on_time(0.8)
    assert sent(three.on_command(StandDown(), 0.801), Heartbeat) == [] and three.state.leads
    assert sent(three.on_message(2, answer(number=1), 0.81), TransferLead) == [(2, TransferLead(1, 2))]


def test_the_highest_that_has_everything_and_room_is_asked_to_take_over() -> None:  # SPECIFICATION R6.17
    five, _ = leaving(nodes=5)
    assert sent(five.on_message(2, answer(), 1.001), TransferLead) == []
    assert sent(five.on_message(4, answer(low=True), 1.001), TransferLead) == []
    assert sent(five.on_message(1, answer(), 1.001), TransferLead) == []
    assert sent(five.on_message(3, answer(), 1.002), TransferLead) == [(3, TransferLead(1, 3))]
    assert sent(five.on_message(2, answer(), 1.003), TransferLead) == []


def test_higher_ones_that_say_nothing_are_waited_for_a_moment_only() -> None:
    five, _ = leaving(nodes=5)
    assert sent(five.on_message(2, answer(), 1.001), TransferLead) == []
    assert sent(five.on_message(1, answer(), 1.002), TransferLead) == []
    assert sent(five.on_time(1.052), TransferLead) == [(2, TransferLead(1, 2))]


def test_whoever_lags_is_not_asked_and_is_looked_at_again() -> None:
    three, _ = leaving()
    for peer in (1, 2):
        assert sent(three.on_message(peer, answer(verified=0), 1.001), TransferLead) == []
    effects = three.on_time(1.5)
    assert [to for to, _ in sent(effects, Heartbeat)] == [1, 2] and three.state.leads
    three.on_message(1, answer(verified=0, number=3), 1.501)
    assert sent(three.on_message(2, answer(number=3), 1.502), TransferLead) == [(2, TransferLead(1, 2))]


def test_if_one_does_not_take_over_another_one_is_asked() -> None:
    three, _ = leaving()
    assert sent(three.on_message(2, answer(), 1.001), TransferLead) == [(2, TransferLead(1, 2))]
    three.on_message(1, answer(), 1.002)
    three.on_time(1.5)
    three.on_message(2, answer(number=3), 1.501)
    assert sent(three.on_message(1, answer(number=3), 1.501), TransferLead) == [(1, TransferLead(1, 1))]


def test_it_waits_two_seconds_at_most() -> None:  # SPECIFICATION R6.19
    three, _ = leaving()
    three.on_time(2.9)
    assert not three.may_end
    three.on_time(3.0)
    assert three.may_end


def test_one_alone_and_one_with_too_few_others_may_end_at_once() -> None:
    alone = leader(me=1, nodes=1)
    alone.on_command(StandDown(), 1.0)
    assert alone.may_end
    three, _ = leaving()
    for peer in (1, 2):
        assert not three.may_end
        three.on_message(peer, LinkDown(), 1.1)
    assert three.may_end


def test_a_follower_may_end_at_once_and_a_nominee_gives_up() -> None:
    two = node(me=2)
    assert two.on_command(StandDown(), 1.0) == [Note("stand_down", reason="it was told to stop")] and two.may_end
    other = node(me=2)
    other.on_time(5.0)
    assert other.view()[1] == "nominating"
    other.on_command(StandDown(), 5.1)
    assert other.view()[1] == "follower" and other.may_end
    assert other.on_command(StandDown(), 5.2) == [], "to be told twice changes nothing"


def test_it_never_tries_to_lead_again_and_says_so() -> None:  # SPECIFICATION R6.16
    three = node(me=3)
    three.on_message(2, Coordinator(4, PeerInfo(2, "x"), 1, 0), 1.0)
    three.on_command(StandDown(), 1.1)
    assert sent(three.on_message(2, TransferLead(4, 3), 1.2), Election) == []
    assert sent(three.on_time(60.0), Election) == [] and three.state.role is Role.FOLLOWER
    assert sent(three.on_message(1, Election(4, 7), 61.0), Ok) == [(1, Ok(4, 7, "support", low=True))]
    (beat,) = sent(three.on_message(2, Heartbeat(4, 1, 0, three.log.last), 62.0), HeartbeatAck)
    assert beat[1].low
    three.on_command(DiskSpace(low=False), 62.0)
    (beat,) = sent(three.on_message(2, Heartbeat(4, 2, 0, three.log.last), 62.8), HeartbeatAck)
    assert beat[1].low, "room on its disk changes nothing"


def handed_over() -> Node:
    """Node 3, which was asked to stop, has asked 2 to take over, and has a message of ann's under way and one kept."""
    three, _ = leaving()
    three.on_message("ann", Submit("ann", 0), 1.0)
    three.settle(1.0)
    three.on_message(2, answer(), 1.001)
    assert three.on_message("bob", Submit("bob", 0), 1.002) == [] == sent(three.settle(1.002), SubmitReply)
    return three


def test_what_comes_between_two_leaders_is_kept_and_passed_on() -> None:  # SPECIFICATION R6.18
    three = handed_over()
    effects = three.on_message(2, Prepare(2, (3, 1)), 1.01)
    assert sent(effects, Promise)[0][1].ok and three.state.role is Role.FOLLOWER
    assert sent(effects, SubmitReply) == [] and not three.may_end
    effects = three.on_message(2, Coordinator(2, PeerInfo(2, "x"), 3, 1), 1.02)
    assert sent(effects, Submit) == [(2, Submit("bob", 0, via=3, hops=1))]
    ((to, late),) = sent(three.on_message("eve", Submit("eve", 0), 1.03), SubmitReply)
    assert to == "eve" and late.status == "redirect" and late.leader is not None and late.leader.node == 2
    assert not three.may_end, "ann and bob wait"
    barrier = Entry(3, 2, "barrier")
    assert three.log.last_seq == 2
    effects = three.on_message(2, Propose(2, three.log.last, (barrier,), 3), 1.04)
    ((to, reply),) = sent(effects, SubmitReply)
    assert to == "ann" and reply.status == "ok" and reply.seq == 2
    effects = three.on_message(2, SubmitReply("bob", 0, "ok", seq=4), 1.05)
    assert [to for to, _ in sent(effects, SubmitReply)] == ["bob"] and three.may_end


def test_whoever_waits_still_when_it_ends_is_told_to_ask_again() -> None:
    three = handed_over()
    three.on_message(2, Prepare(2, (3, 1)), 1.01)
    effects = three.on_command(Stop(), 3.0)
    assert {(to, reply.status) for to, reply in sent(effects, SubmitReply)} == {
        ("ann", "redirect"),
        ("bob", "redirect"),
    }
    assert of(effects, Send), "it leaves nobody without a word"
