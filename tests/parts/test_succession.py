"""Succession, by hand: attempts to lead, the copy of the best log, promises."""

from typing import Any

import pytest
from by_hand import chat, leader, members, node, of, part, sent

from chatsys.actor.effects import Append, Note, Send
from chatsys.errors import BrokenInvariant
from chatsys.protocol.decisions import HandOver, Lead, Stand, Suspect, Yield
from chatsys.protocol.messages import (
    GROWN,
    Catchup,
    CatchupReply,
    Coordinator,
    Entry,
    Label,
    PeerInfo,
    Prepare,
    Promise,
    TransferLead,
)
from chatsys.protocol.state import MOVES, Role
from chatsys.protocol.storage import Promised, Stored, Truncate
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


# --- one attempt, rule by rule --------------------------------------------------------------------


def nominee(me: int = 3, **rest: Any) -> Succession:
    made: Succession = part(Succession, me=me, **rest)
    made.state.role = Role.NOMINATING
    return made


def syncing(*own: Entry, committed: int = 0, best: Label = Label(2, 5), **rest: Any) -> Succession:  # noqa: B008
    """Return node 3, which stands for term 3, has this log, and was promised by node 1, whose log ends in `best`."""
    three = nominee(**rest)
    three.state.term = 2
    three.log.restore([*own], committed)
    three.stand(Stand(), now=0.0)
    three.on_message(3, Promise(3, True, three.log.last), now=0.1)
    if three.state.role is Role.PREPARING:
        three.on_message(1, Promise(3, True, best), now=0.1)
    assert three.state.role is Role.SYNCING
    return three


def chunk(three: Succession, prev: Label, *entries: Entry, more: bool = False, **rest: Any) -> CatchupReply:
    return CatchupReply(3, "sync", three.nonce, prev, entries, more, 0, **rest)


def test_no_term_is_opened_that_nobody_would_believe() -> None:
    """SPECIFICATION R3.11."""
    three = nominee()
    three.state.term = GROWN
    (given_up,) = three.stand(Stand(), now=0.0)
    assert isinstance(given_up, Yield) and given_up.back_off and three.state.term == GROWN
    three.state.term = GROWN - 1
    assert len(three.stand(Stand(), now=0.0)) == 5 and three.state.term == GROWN


def test_each_attempt_begins_without_promises_has_its_own_time_and_says_who_asked_for_it() -> None:
    three = nominee(nodes=5)
    three.promises = {1: Label(0, 0), 2: Label(0, 0)}
    effects = three.stand(Stand(transfer=(1, 4)), now=7.0)
    assert sent(effects, Prepare)[0] == (1, Prepare(1, (1, 4))) and three.alarms.dates == {"prepare": 8.5}
    assert three.state.promised_to == 3 and three.on_message(1, Promise(1, True), now=7.1) == []
    assert three.promises == {1: Label(0, 0)}


def test_a_refusal_and_a_promise_that_nobody_waits_for_count_for_nothing() -> None:
    three = standing_for_term_1()
    three.on_message(3, Promise(1, True), now=0.1)
    assert three.on_message(1, Promise(1, False), now=0.1) == [] and three.promises == {3: Label(0, 0)}
    for role in set(Role) - {Role.PREPARING}:
        three.state.role = role
        assert three.on_message(1, Promise(1, True), now=0.1) == [] and 1 not in three.promises, role


def test_what_comes_from_a_client_is_no_promise() -> None:
    three = standing_for_term_1()
    three.on_message(3, Promise(1, True), now=0.1)
    assert three.on_message("ann", Promise(1, True), now=0.1) == [] and set(three.promises) == {3}


def test_of_logs_that_are_equally_good_the_one_of_the_highest_node_is_fetched_and_the_own_one_is_good_enough() -> None:
    three = nominee(nodes=5)
    three.stand(Stand(), now=0.0)
    for peer, last in ((1, Label(1, 2)), (4, Label(1, 2)), (3, Label(0, 0))):
        effects = three.on_message(peer, Promise(1, True, last), now=0.1)
    assert three.source == 4 and sent(effects, Catchup) == [(4, Catchup(1, "sync", 1, three.nonce))]
    three = standing_for_term_1()
    three.log.splice([chat(1, 1)])
    three.on_message(3, Promise(1, True, three.log.last), now=0.1)
    assert three.on_message(1, Promise(1, True, Label(1, 1)), now=0.1) == [Lead()]


def test_the_copy_begins_behind_what_is_committed_and_has_its_own_time() -> None:
    three = syncing(chat(1), chat(2), committed=1)
    assert three.alarms.dates == {"prepare": 1.6} and three.source == 1
    end = chunk(three, Label(1, 1), chat(2, 2), chat(3, 2), more=True)
    (asked,) = three.on_message(1, end, now=0.5)
    assert asked == Send(1, Catchup(3, "sync", 4, three.nonce)) and three.alarms.dates == {"prepare": 2.0}


@pytest.mark.parametrize("wrong", [{"sender": 2}, {"nonce": 1}, {"purpose": "relay"}, {"role": Role.PREPARING}])
def test_only_the_answer_to_what_was_asked_last_is_taken(wrong: dict[str, Any]) -> None:
    """SPECIFICATION R7.7 (the schedule Q10)."""
    three = syncing(best=Label(2, 1))
    three.state.role = wrong.get("role", Role.SYNCING)
    reply = CatchupReply(
        3, wrong.get("purpose", "sync"), three.nonce + wrong.get("nonce", 0), Label(0, 0), (chat(1, 2),), False, 0
    )
    assert three.on_message(wrong.get("sender", 1), reply, now=0.2) == [] and three.log.last_seq == 0


def test_a_chunk_twice_or_too_early_is_dropped_and_the_next_one_is_still_taken() -> None:
    three = syncing(best=Label(2, 3))
    first = chunk(three, Label(0, 0), chat(1, 2), more=True)
    assert three.on_message(1, first, now=0.2) and three.on_message(1, first, now=0.3) == []
    assert three.on_message(1, chunk(three, Label(2, 2), chat(3, 2)), now=0.3) == []
    assert three.on_message(1, chunk(three, Label(2, 1), chat(2, 2), chat(3, 2)), now=0.4)[-1] == Lead()
    assert [entry.seq for entry in three.log.entries] == [1, 2, 3]


@pytest.mark.parametrize("answer", [{"prev": Label(2, 1)}, {"prev": Label(0, 0), "unknown": True}])
def test_a_promiser_that_lacks_what_is_committed_here_is_a_broken_invariant(answer: dict[str, Any]) -> None:
    """SPECIFICATION R7.9."""
    three = syncing(chat(1), committed=1)
    with pytest.raises(BrokenInvariant, match="Node 1 promised the newest log but does not have entry 1 of term 1"):
        three.on_message(1, chunk(three, more=False, **answer), now=0.2)


def test_a_promiser_that_does_not_know_its_own_log_from_the_start_is_not_believed() -> None:
    three = syncing()
    with pytest.raises(BrokenInvariant, match="does not have entry 0 of term 0"):
        three.on_message(1, chunk(three, Label(0, 0), unknown=True), now=0.2)


@pytest.mark.parametrize("answer", [{"prev": Label(2, 1)}, {"prev": Label(0, 0), "unknown": True}])
def test_in_an_unsafe_cluster_the_whole_log_is_asked_for_then(answer: dict[str, Any]) -> None:
    three = syncing(chat(1), committed=1)
    three.log.members = members(quorum=1, me=3)
    three.collected = [chat(1, 1)]
    nonce = three.nonce
    told, asked = three.on_message(1, chunk(three, more=False, **answer), now=0.2)
    assert told == Note("anomaly", reason="the best log differs in a committed entry")
    assert asked == Send(1, Catchup(3, "sync", 1, three.nonce)) and three.nonce != nonce
    assert (three.collected, three.collected_prev) == ([], Label(0, 0))


def test_a_log_that_comes_shorter_than_it_was_promised_makes_no_leader() -> None:
    three = syncing(best=Label(2, 3))
    effects = three.on_message(1, chunk(three, Label(0, 0), chat(1, 2), chat(2, 2), more=False), now=0.2)
    written = [Append(Stored(chat(1, 2)), Stored(chat(2, 2)))]
    assert effects == [*written, Yield("the best log came incomplete", back_off=True)]
    assert three.log.last_seq == 2 and three.collected == []


def test_an_empty_chunk_that_promises_more_is_the_last_one() -> None:
    three = syncing(best=Label(2, 3))
    (given_up,) = three.on_message(1, chunk(three, Label(0, 0), more=True), now=0.2)
    assert isinstance(given_up, Yield) and given_up.back_off


def test_an_own_tail_gives_way_to_the_best_log_only_when_all_of_it_is_here() -> None:
    three = syncing(chat(1), chat(2), chat(3), committed=1, best=Label(2, 4))
    three.on_message(1, chunk(three, Label(1, 1), chat(2), chat(3, 2), more=True), now=0.2)
    assert three.log.last == Label(1, 3)
    effects = three.on_message(1, chunk(three, Label(2, 3), chat(4, 2)), now=0.3)
    written = [Append(Truncate(3)), Append(Stored(chat(3, 2)), Stored(chat(4, 2)))]
    assert three.log.last == Label(2, 4) and effects == [*written, Lead()], "what was copied is on the disk as well"


def test_time_ends_an_attempt_only_while_there_is_one() -> None:
    """SPECIFICATION R7.10."""
    for role in Role:
        three = standing_for_term_1()
        three.state.role = role
        given_up = three.on_time(now=1.5)
        assert bool(given_up) is (role in (Role.PREPARING, Role.SYNCING)), role
    three = syncing()
    (end,) = three.on_time(now=1.6)
    assert end == Yield("the attempt to lead failed: 2 of 2 promises came in time", back_off=True)


def test_a_leader_and_a_follower_have_nothing_left_of_the_attempt() -> None:
    for leads in (True, False):
        three = syncing()
        three.collected = [chat(1)]
        three.state.handing_over = True
        three.alarms.set("hand", 9.0)
        if leads:
            three.lead(0.3)
        else:
            three.follow(0.3, Yield("test"))
        assert (three.source, three.collected) == (None, []) and "prepare" not in three.alarms
    assert not three.state.handing_over and three.alarms.dates == {}, "a follower hands nothing over"


def test_the_leader_knows_that_it_leads() -> None:
    three = syncing()
    (became,) = three.lead(0.3)
    assert three.state.leader == 3 and three.state.role is Role.LEADER and isinstance(became, Note)


def test_the_lead_is_offered_for_as_long_as_an_attempt_may_take() -> None:
    """SPECIFICATION R6.10."""
    three = leader(3).succession
    assert three.hand_over(HandOver(2), now=5.0) == [Send(2, TransferLead(1, 2))]
    assert three.state.handing_over and three.alarms.dates["hand"] == 5.0 + 0.5 + 1.5
    assert three.on_time(7.0) == [] and not three.state.handing_over


@pytest.mark.parametrize("wrong", ["another sender", "no trust", "not a follower", "on its way out"])
def test_whoever_is_asked_to_take_over_does_so_only_for_the_leader_it_trusts(wrong: str) -> None:
    """SPECIFICATION R6.11, R6.16."""
    two = part(Succession)
    two.state.enter(1, promised_to=3, leader=3)
    two.state.trust = wrong != "no trust"
    two.state.leaving = wrong == "on its way out"
    two.state.role = Role.NOMINATING if wrong == "not a follower" else Role.FOLLOWER
    assert two.on_message(1 if wrong == "another sender" else 3, TransferLead(1, 2), now=0.1) == []


def test_whoever_takes_over_says_for_whom() -> None:
    two = part(Succession)
    two.state.enter(1, promised_to=3, leader=3)
    two.state.trust = True
    (stands,) = two.on_message(3, TransferLead(1, 2), now=0.1)
    assert isinstance(stands, Suspect) and stands.transfer == (3, 1)


# --- promises -------------------------------------------------------------------------------------


def test_the_term_that_was_promised_is_entered_and_recorded_before_the_answer() -> None:
    """SPECIFICATION R7.4."""
    two = part(Succession)
    two.log.splice([chat(1)])
    effects = two.on_message(3, Prepare(4), now=0.1)
    promise = Send(3, Promise(4, True, Label(1, 1)))
    assert effects == [Append(Promised(4, 3)), Yield("promised term 4 to node 3"), promise]
    assert (two.state.term, two.state.promised_to) == (4, 3)
    assert two.on_message(3, Prepare(4), now=0.2) == effects[1:], "and recorded once"


def test_the_own_term_may_be_promised_to_nobody_else_and_an_older_one_to_nobody() -> None:
    """SPECIFICATION R7.2."""
    two = part(Succession)
    two.state.enter(4, promised_to=3)
    assert [two.may_promise(term, 3) for term in (3, 4, 5)] == [False, True, True]
    assert [two.may_promise(term, 1) for term in (3, 4, 5)] == [False, False, True]
    assert two.on_message(1, Prepare(4), now=0.1) == [Send(1, Promise(4, False))]
    assert two.on_message(3, Prepare(3), now=0.1) == [Send(3, Promise(4, False))]


def test_a_leader_whose_quorum_is_silent_may_be_deposed_and_the_trusted_leader_itself_is_heard() -> None:
    """SPECIFICATION R7.3."""
    three = leader(3)
    three.state.lease_valid = False
    assert sent(three.on_message(1, Prepare(2), now=0.1), Promise) == [(1, Promise(2, True, Label(1, 1)))]
    two = part(Succession)
    two.state.enter(1, promised_to=3, leader=3)
    two.state.trust = True
    assert two.on_message(1, Prepare(2), now=0.1) == []
    assert sent(two.on_message(3, Prepare(2), now=0.1), Promise)


def test_of_two_logs_the_one_that_ends_in_the_newer_term_is_better_and_then_the_longer_one() -> None:
    """SPECIFICATION R7.6."""
    three = part(Succession)
    ordered = [Label(1, 9), Label(2, 1), Label(2, 2)]
    assert sorted(ordered, key=three.compared_by) == ordered


def test_a_log_may_be_longer_than_it_was_promised() -> None:
    """SPECIFICATION R7.7: the promiser may have taken in more by a relay."""
    three = syncing(best=Label(2, 1))
    assert three.on_message(1, chunk(three, Label(0, 0), chat(1, 2), chat(2, 2)), now=0.2)[-1] == Lead()


def test_a_whole_node_copies_the_best_log_and_then_leads() -> None:
    three = node(3)
    three.state.role = Role.NOMINATING
    three._carry_out([Stand()], 0.0)
    three.on_message(3, Promise(1, True), 0.1)
    three.on_message(1, Promise(1, True, Label(1, 1)), 0.1)
    assert three.state.role is Role.SYNCING
    three.on_message(1, CatchupReply(1, "sync", three.succession.nonce, Label(0, 0), (chat(1),), False, 0), 0.2)
    assert three.state.leads and [entry.kind for entry in three.log.entries] == ["chat", "barrier"]
