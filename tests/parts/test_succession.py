"""Succession and the term fence, by hand."""

from typing import Any

import pytest
from by_hand import chat, leader, node, of, part, sent

from chatsys.actor.effects import Append, Note, Send
from chatsys.errors import BrokenInvariant
from chatsys.protocol.decisions import Lead, Stand, Yield
from chatsys.protocol.fence import Fence
from chatsys.protocol.messages import (
    Ack,
    Catchup,
    CatchupReply,
    Coordinator,
    Heartbeat,
    HeartbeatAck,
    Label,
    PeerInfo,
    Prepare,
    Promise,
    Propose,
    TransferLead,
)
from chatsys.protocol.state import MOVES, Role
from chatsys.protocol.storage import Promised
from chatsys.protocol.succession import Succession


def standing_for_term_1(me: int = 3, **rest: Any) -> Succession:
    made: Succession = part(Succession, me=me, **rest)
    made.state.role = Role.NOMINATING
    made.stand(Stand(), now=0.0)
    return made


def test_whoever_stands_opens_a_new_term_and_asks_everyone_and_itself() -> None:
    three = part(Succession, me=3)
    three.state.role = Role.NOMINATING
    effects = three.stand(Stand(), now=0.0)
    assert effects[1] == Append(Promised(1, 3)), "the promise is durable before anything is sent"
    assert effects[2:] == [Send(1, Prepare(1)), Send(2, Prepare(1)), Send(3, Promise(1, True, Label(0, 0)))]


def test_a_quorum_of_promises_makes_the_leader() -> None:
    three = standing_for_term_1()
    assert three.on_message(3, Promise(1, True), now=0.1) == []
    assert three.on_message(1, Promise(1, True), now=0.1) == [Lead()]


def test_the_same_promise_twice_counts_once() -> None:
    three = standing_for_term_1(nodes=5)
    three.on_message(3, Promise(1, True), now=0.1)
    three.on_message(1, Promise(1, True), now=0.1)
    assert three.on_message(1, Promise(1, True), now=0.1) == []


def test_a_newer_log_among_the_promisers_is_fetched_first() -> None:
    three = standing_for_term_1()
    three.on_message(3, Promise(1, True), now=0.1)
    effects = three.on_message(1, Promise(1, True, Label(1, 2)), now=0.1)
    assert three.state.role is Role.SYNCING
    (to, request) = sent(effects, Catchup)[0]
    assert (to, request.purpose, request.first) == (1, "sync", 1)


def test_newest_term_beats_longest_log() -> None:
    three = standing_for_term_1()
    three.log.splice([chat(1, 1), chat(2, 1), chat(3, 1)])
    three.promises = {3: three.log.last}
    effects = three.on_message(1, Promise(1, True, Label(2, 1)), now=0.1)
    assert sent(effects, Catchup)[0][0] == 1


def test_chunks_are_spliced_once_all_are_here_and_then_it_leads() -> None:
    three = standing_for_term_1()
    three.promises = {3: Label(0, 0)}
    three.on_message(1, Promise(1, True, Label(1, 2)), now=0.1)
    nonce = three.nonce
    first = CatchupReply(1, "sync", nonce, Label(0, 0), (chat(1),), True, 0)
    again = three.on_message(1, first, now=0.2)
    assert three.log.last_seq == 0 and sent(again, Catchup)[0][1].first == 2
    last = CatchupReply(1, "sync", nonce, Label(1, 1), (chat(2),), False, 0)
    effects = three.on_message(1, last, now=0.3)
    assert three.log.last_seq == 2 and effects[-1] == Lead()


def test_a_chunk_of_another_round_is_ignored() -> None:
    three = standing_for_term_1()
    three.promises = {3: Label(0, 0)}
    three.on_message(1, Promise(1, True, Label(1, 1)), now=0.1)
    stale = CatchupReply(1, "sync", three.nonce - 1, Label(0, 0), (chat(1),), False, 0)
    assert three.on_message(1, stale, now=0.2) == []


def test_an_attempt_that_takes_too_long_backs_off() -> None:
    effects = standing_for_term_1().on_time(now=1.5)
    assert of(effects, Yield)[0].back_off


def test_a_promise_is_recorded_before_it_is_given() -> None:
    two = node(2)
    effects = two.on_message(3, Prepare(1), now=0.1)
    appended = effects.index(Append(Promised(1, 3)))
    assert effects.index(Send(3, Promise(1, True, Label(0, 0)))) > appended


def test_a_term_is_promised_to_one_nominee_only() -> None:
    two = node(2)
    two.on_message(3, Prepare(1), now=0.1)
    assert two.on_message(1, Prepare(1), now=0.2) == [Send(1, Promise(1, False))]


def test_the_same_nominee_gets_its_promise_again() -> None:
    two = node(2)
    two.on_message(3, Prepare(1), now=0.1)
    again = two.on_message(3, Prepare(1), now=0.2)
    assert sent(again, Promise) == [(3, Promise(1, True, Label(0, 0)))] and not of(again, Append)


def test_whoever_trusts_a_leader_ignores_prepare() -> None:
    two = node(2)
    two.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), now=0.1)
    assert two.on_message(1, Prepare(2), now=0.2) == []
    assert two.state.term == 1


def test_a_leader_with_a_fresh_quorum_ignores_prepare() -> None:
    three = leader(3)
    assert three.on_message(1, Prepare(2), now=0.1) == []


def test_a_prepare_of_a_transfer_is_accepted_by_leader_and_followers() -> None:
    two = leader(2)
    assert sent(two.on_message(3, Prepare(2, transfer=(2, 1)), now=0.1), Promise)[0][1].ok
    assert two.state.role is Role.FOLLOWER


def test_an_older_leader_is_refused_with_the_newer_term() -> None:
    two = node(2)
    two.on_message(3, Prepare(5), now=0.1)
    start = Label(0, 0)
    assert two.on_message(1, Heartbeat(4, 1, 0, start), 0.2) == [Send(1, HeartbeatAck(5, False, 1))]
    assert two.on_message(1, Propose(4, start, (), 0), 0.2) == [Send(1, Ack(5, False))]
    assert two.on_message(1, Prepare(4), 0.2) == [Send(1, Promise(5, False))]


def test_a_refusal_with_a_newer_term_ends_a_leadership() -> None:
    three = leader(3)
    effects = three.on_message(1, HeartbeatAck(7, False, 1), now=0.5)
    assert (three.state.term, three.state.role) == (7, Role.FOLLOWER)
    assert Append(Promised(7, None)) in effects


def test_a_newer_term_in_other_messages_is_only_a_hint() -> None:
    two = node(2)
    two.on_message(1, Ack(9, True, match=0), now=0.1)
    assert two.state.term == 0


def test_a_newer_leader_is_followed_and_its_term_recorded() -> None:
    two = node(2)
    effects = two.on_message(3, Coordinator(4, PeerInfo(3, "h:1"), 1, 0), now=0.1)
    assert (two.state.term, two.state.leader) == (4, 3)
    assert Append(Promised(4, 3)) in effects


def test_hearing_the_leader_cancels_a_nomination() -> None:
    two = node(2)
    two.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), now=0.1)
    two.on_time(now=3.0)
    assert two.state.role is Role.NOMINATING
    two.on_message(3, Heartbeat(1, 1, 0, Label(0, 0)), now=3.01)
    assert two.state.role is Role.FOLLOWER  # type: ignore[comparison-overlap]  # mypy cannot know that a message changes it


def test_a_replayed_heartbeat_cancels_nothing() -> None:
    two = node(2)
    beat = Heartbeat(1, 1, 0, Label(0, 0))
    two.on_message(3, beat, now=0.1)
    two.on_time(now=3.0)
    assert two.on_message(3, beat, now=3.01) == []
    assert two.state.role is Role.NOMINATING


def test_two_leaders_of_one_term_are_a_broken_invariant_in_a_safe_cluster() -> None:
    three = leader(3)
    with pytest.raises(BrokenInvariant, match="nodes 3 and 1 both lead term 1"):
        three.on_message(1, Heartbeat(1, 1, 0, Label(0, 0)), now=0.1)


def test_in_an_unsafe_cluster_the_higher_of_two_leaders_is_followed() -> None:
    two = leader(2, quorum=1)
    beat = Heartbeat(1, 1, 0, Label(0, 0))
    assert [type(e) for e in two.on_message(1, beat, now=0.1)] == [Note]
    assert two.state.leads
    two.on_message(3, beat, now=0.1)
    assert (two.state.role, two.state.leader) == (Role.FOLLOWER, 3)


def test_of_two_leaders_the_one_that_is_not_followed_is_told_of_and_the_other_ones_beats_are_counted() -> None:
    two = node(2, quorum=1)
    two.on_message(1, Coordinator(1, PeerInfo(1, ""), 1, 0), now=0.1)
    told = two.on_message(3, Heartbeat(1, 7, 0, Label(0, 0)), now=0.2)
    sentence = "nodes 1 and 3 both lead term 1"
    assert told[0] == Note("anomaly", peer=3, reason=sentence) and two.state.leader == 3
    assert sent(told, HeartbeatAck) == [(3, HeartbeatAck(1, True, 7, 0))], "the beat of the new leader is answered"
    assert two.on_message(3, Heartbeat(1, 7, 0, Label(0, 0)), now=0.3) == [], "and counts once"
    two.on_message(3, Heartbeat(1, 8, 0, Label(0, 0)), now=0.4)
    assert two.on_message(1, Heartbeat(1, 9, 0, Label(0, 0)), now=0.5) == [
        Note("anomaly", peer=1, reason="nodes 3 and 1 both lead term 1")
    ]


def test_a_coordinator_says_nothing_of_how_many_beats_were_heard() -> None:
    two = node(2, quorum=1)
    two.on_message(1, Coordinator(1, PeerInfo(1, ""), 1, 0), now=0.1)
    two.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), now=0.2)
    assert two.state.leader == 3 and sent(two.on_message(3, Heartbeat(1, 1, 0, Label(0, 0)), now=0.3), HeartbeatAck)


def test_a_nominee_whose_leader_asked_it_to_take_over_goes_on_when_that_leader_beats() -> None:
    """SPECIFICATION R6.11: frames of the leader that hands over do not cancel the nomination."""
    three = node(3)
    three.on_message(2, Coordinator(1, PeerInfo(2, ""), 1, 0), now=0.1)
    three.on_message(2, TransferLead(1, 3), now=0.2)
    assert three.state.role is Role.NOMINATING
    three.on_message(2, Heartbeat(1, 1, 0, Label(0, 0)), now=0.3)
    assert three.state.role is Role.NOMINATING  # type: ignore[unreachable,unused-ignore]


def test_what_the_fence_lets_follow_names_the_leader_and_its_term() -> None:
    fence = part(Fence)
    owed, passes = fence.check(3, Coordinator(4, PeerInfo(3, "h:1"), 1, 0))
    assert (owed, passes) == ([Append(Promised(4, 3)), Yield("node 3 leads term 4", leader=3)], True)
    fence = part(Fence)
    fence.state.enter(4, promised_to=None)
    assert fence.check(3, Coordinator(4, PeerInfo(3, "h:1"), 1, 0)) == ([Yield("node 3 leads term 4", leader=3)], True)


def test_every_legal_move_starts_at_a_role_and_every_role_can_fall_back() -> None:
    assert set(MOVES) == set(Role)
    assert all(Role.FOLLOWER in MOVES[role] or role is Role.FOLLOWER for role in Role)


def test_a_move_that_is_not_in_the_table_is_refused() -> None:
    here = part(Succession).state
    for role in Role:
        for target in set(Role) - MOVES[role]:
            here.role = role
            with pytest.raises(AssertionError, match="no rule leads"):
                here.become(target, "test")


def test_a_node_that_is_low_on_space_takes_no_lead_that_is_offered() -> None:
    made = node(3)
    made.state.enter(1, promised_to=2, leader=2)
    made.state.trust = True
    made.state.low = True
    assert made.on_message(2, TransferLead(1, 3), now=0.1) == []
    made.state.low = False
    assert made.on_message(2, TransferLead(1, 3), now=0.1) and made.state.role is Role.NOMINATING
