"""Catch-up: chunks from the leader, relays around a cut link; by hand."""

from typing import Any

import pytest
from by_hand import chat, leader, node, of, part, sent

from chatsys.actor.effects import Append, Send
from chatsys.config import Limits
from chatsys.protocol.catchup import CatchUp
from chatsys.protocol.decisions import Commit, Release, Yield
from chatsys.protocol.messages import (
    Catchup,
    CatchupReply,
    Coordinator,
    Entry,
    Heartbeat,
    Label,
    Ok,
    PeerInfo,
    Propose,
)
from chatsys.protocol.node import Node
from chatsys.protocol.state import Role
from chatsys.protocol.storage import Boot, CommitHint, Promised, Stored

START = Label(0, 0)


def long_leader(entries: int, **rest: Any) -> Node:
    three = leader(3, **rest)
    three.log.splice([chat(seq) for seq in range(2, entries + 1)])
    return three


def restarted(entries: int) -> Node:
    """Node 2 in its second life, with a log of so many entries, all but the last known committed."""
    two = node(2)
    two = Node(2, two.config, two.random)
    two.recover(
        [Boot(1, "chat", 2), Promised(1, 3), *[Stored(chat(seq)) for seq in range(1, entries + 1)]]
        + [CommitHint(entries - 1)]
    )
    two.start(0.0)
    return two


def test_a_restarted_node_asks_for_what_it_missed_at_the_first_heartbeat() -> None:
    two = restarted(4)
    effects = two.on_message(3, Heartbeat(1, 9, 8, Label(1, 8)), 0.1)
    ((to, request),) = sent(effects, Catchup)
    assert (to, request.purpose, request.first) == (3, "follow", 4)


def test_the_log_restored_from_disk_is_delivered_up_to_the_commit_hint() -> None:
    assert (restarted(4).log.commit, restarted(4).log.verified) == (3, 3)


def test_the_leader_serves_chunks_and_says_whether_more_follows() -> None:
    three = long_leader(6, limits=Limits(batch_entries=4))
    first = sent(three.on_message(2, Catchup(1, "follow", 1, 7), 0.1), CatchupReply)[0][1]
    last = sent(three.on_message(2, Catchup(1, "follow", 5, 8), 0.1), CatchupReply)[0][1]
    assert ([e.seq for e in first.entries], first.more) == ([1, 2, 3, 4], True)
    assert ([e.seq for e in last.entries], last.more, last.prev) == ([5, 6], False, Label(1, 4))


def test_chunks_are_asked_for_one_after_the_other_until_nothing_is_missing() -> None:
    two = restarted(1)
    request = sent(two.on_message(3, Heartbeat(1, 9, 6, Label(1, 6)), 0.1), Catchup)[0][1]
    chunk = CatchupReply(1, "follow", request.nonce, START, (chat(1), chat(2), chat(3)), True, 6)
    request = sent(two.on_message(3, chunk, 0.2), Catchup)[0][1]
    assert request.first == 4
    chunk = CatchupReply(1, "follow", request.nonce, Label(1, 3), (chat(4), chat(5), chat(6)), False, 6)
    assert sent(two.on_message(3, chunk, 0.3), Catchup) == []
    assert (two.log.last_seq, two.log.commit) == (6, 6)


def test_a_chunk_that_does_not_come_is_asked_for_again() -> None:
    two = restarted(1)
    two.on_message(3, Heartbeat(1, 9, 6, Label(1, 6)), 0.1)
    assert len(sent(two.on_time(0.51), Catchup)) == 1


def test_a_chunk_twice_is_taken_once() -> None:
    two = restarted(1)
    request = sent(two.on_message(3, Heartbeat(1, 9, 3, Label(1, 3)), 0.1), Catchup)[0][1]
    chunk = CatchupReply(1, "follow", request.nonce, START, (chat(1), chat(2), chat(3)), True, 3)
    two.on_message(3, chunk, 0.2)
    assert two.on_message(3, chunk, 0.2) == []


def test_only_the_leader_serves_its_uncommitted_tail() -> None:
    assert restarted(4).on_message(1, Catchup(1, "follow", 1, 7), 0.1) == []


def test_anyone_relays_its_committed_prefix_and_nothing_more() -> None:
    reply = sent(restarted(4).on_message(1, Catchup(0, "relay", 1, 7), 0.1), CatchupReply)[0][1]
    assert [e.seq for e in reply.entries] == [1, 2, 3]


def test_sync_is_served_to_the_promised_nominee_only() -> None:
    two = restarted(4)
    assert two.on_message(1, Catchup(1, "sync", 1, 7), 0.1) == []
    reply = sent(two.on_message(3, Catchup(1, "sync", 1, 7), 0.1), CatchupReply)[0][1]
    assert [e.seq for e in reply.entries] == [1, 2, 3, 4]


def test_a_nominee_that_hears_of_a_leader_it_cannot_reach_asks_for_a_relay() -> None:
    two = restarted(4)
    ((to, request),) = sent(two.on_message(1, Ok(1, 1, "alive", PeerInfo(3, "")), 0.1), Catchup)
    assert (to, request.purpose, request.first) == (1, "relay", 4)


def test_a_relay_raises_the_term_before_its_entries_enter_the_log() -> None:
    """Otherwise an older leader's delayed PROPOSE could void them (schedule Q24)."""
    two = restarted(3)
    request = sent(two.on_message(1, Ok(1, 1, "alive", PeerInfo(3, "")), 0.1), Catchup)[0][1]
    entries = (chat(3), Entry(4, 3, "barrier"))
    effects = two.on_message(1, CatchupReply(5, "relay", request.nonce, Label(1, 2), entries, False, 4), 0.2)
    writes = [record for e in of(effects, Append) for record in e.items]
    assert writes[0] == Promised(5, None) and writes[1] == Stored(entries[1])
    assert (two.state.term, two.log.commit) == (5, 4)
    late = Propose(4, Label(1, 2), (chat(3, 4, "other"),), 2)
    two.on_message(3, late, 0.3)
    assert two.log.entries[2] == chat(3)


def test_a_request_from_beyond_the_log_is_answered_unknown() -> None:
    reply = sent(long_leader(3).on_message(2, Catchup(1, "follow", 9, 7), 0.1), CatchupReply)[0][1]
    assert reply.unknown


def test_live_traffic_during_a_catch_up_is_held_back_and_used() -> None:
    """Catch-up races the live messages: each entry still enters once, in order."""
    two = restarted(1)
    request = sent(two.on_message(3, Heartbeat(1, 9, 1, Label(1, 3)), 0.1), Catchup)[0][1]
    two.on_message(3, Propose(1, Label(1, 3), (chat(4),), 3), 0.15)
    two.on_message(3, CatchupReply(1, "follow", request.nonce, START, (chat(1), chat(2), chat(3)), False, 4), 0.2)
    assert [e.seq for e in two.log.entries] == [1, 2, 3, 4]
    assert isinstance(two.settle(0.2)[0], Send)


def test_a_coordinator_tells_a_newcomer_how_far_behind_it_is() -> None:
    two = restarted(1)
    effects = two.on_message(3, Coordinator(2, PeerInfo(3, ""), 9, 8), 0.1)
    assert sent(effects, Catchup)[0][1].purpose == "follow"


def test_a_newcomer_notices_by_a_batch_as_well_what_it_missed() -> None:
    effects = restarted(1).on_message(3, Propose(1, Label(1, 4), (chat(5),), 0), 0.1)
    assert sent(effects, Catchup)[0][1].purpose == "follow"


# --- asking, rule by rule -------------------------------------------------------------------------


def catching(leader: int | None = 3, log: int = 0, **rest: Any) -> CatchUp:
    """Return the part of node 2, which follows 3 in term 1 and is no newcomer any more."""
    made: CatchUp = part(CatchUp, **rest)
    made.state.enter(1, promised_to=leader, leader=leader)
    made.log.restore([chat(seq) for seq in range(1, log + 1)], 0)
    made.newcomer = False
    return made


SMALL = Limits(batch_entries=4, window_entries=12, hold_back_entries=24)


@pytest.mark.parametrize("gap", [4, 5])
def test_only_a_gap_longer_than_a_batch_is_asked_for_in_the_middle_of_a_life(gap: int) -> None:
    """SPECIFICATION R9.1."""
    for frame in (
        Heartbeat(1, 1, 0, Label(1, 2 + gap)),
        Coordinator(1, PeerInfo(3, ""), 3 + gap, 0),
        Propose(1, Label(1, 2 + gap), (), 0),
    ):
        two = catching(log=2, limits=SMALL)
        assert bool(two.on_message(3, frame, 0.1)) is (gap == 5), frame


def test_a_newcomer_asks_for_any_gap_and_is_a_newcomer_until_it_heard_of_a_leader_once() -> None:
    two = catching(log=2, limits=SMALL)
    two.newcomer = True
    assert two.on_message(3, Heartbeat(1, 1, 0, Label(1, 2)), 0.1) == [], "there is no gap"
    assert two.on_message(3, Heartbeat(1, 2, 0, Label(1, 3)), 0.1) == [], "and it is no newcomer any more"
    two.newcomer = True
    assert two.on_message(3, Heartbeat(1, 3, 0, Label(1, 3)), 0.1)
    two.newcomer = True
    two.lead(0.2)
    assert not two.newcomer and "follow" not in two.alarms


def test_what_is_asked_for_begins_behind_what_is_verified_and_has_a_nonce_of_its_own() -> None:
    two = catching(log=3, limits=SMALL)
    two.log.verify_to(1)
    beat = Heartbeat(1, 1, 0, Label(1, 9))
    nonce = two.state.next_number(0)
    assert two.on_message(3, beat, 5.0) == [Send(3, Catchup(1, "follow", 2, nonce))]
    assert two.alarms.dates == {"follow": 5.4} and two.on_message(3, beat, 5.1) == [], "it is asked for already"
    two.follow(5.2, Yield("test"))
    (again,) = two.on_message(3, beat, 5.3)
    assert isinstance(again, Send) and again.message == Catchup(1, "follow", 2, nonce + 1)


def test_nobody_asks_without_a_leader_or_as_the_leader() -> None:
    for two in (catching(leader=None), catching()):
        two.state.role = Role.FOLLOWER if two.state.leader is None else Role.LEADER
        assert two.on_message(3, Heartbeat(1, 1, 0, Label(1, 900)), 0.1) == [] and "follow" not in two.alarms


def test_each_time_that_nothing_comes_the_wait_is_twice_as_long_up_to_a_bound() -> None:
    """SPECIFICATION R9.4."""
    two = catching(limits=SMALL)
    two.wait = 3.2
    two.on_message(3, Heartbeat(1, 1, 0, Label(1, 9)), 0.0)
    waits, now = [], 0.0
    for _ in range(6):
        waits.append(round(two.alarms.dates["follow"] - now, 3))
        now = two.alarms.dates["follow"]
        two.on_time(now)
    assert waits == [0.4, 0.8, 1.6, 3.2, 4.0, 4.0], "a new gap begins with the short wait"


def test_a_chunk_makes_the_wait_short_again_and_the_next_one_is_asked_for_behind_it() -> None:
    two = catching(limits=SMALL)
    two.on_message(3, Heartbeat(1, 1, 0, Label(1, 9)), 0.0)
    two.on_time(0.4)
    assert two.wait == 0.8
    chunk = CatchupReply(1, "follow", two.nonce, START, (chat(1), chat(2)), True, 1)
    taken, asked = two.on_message(3, chunk, 1.0)
    assert taken == Release(3, Propose(1, START, (chat(1), chat(2)), 1))
    assert asked == Send(3, Catchup(1, "follow", 3, two.nonce)) and two.nonce == chunk.nonce + 1
    assert two.alarms.dates == {"follow": 1.4}
    last = CatchupReply(1, "follow", two.nonce, Label(1, 2), (chat(3),), False, 1)
    assert len(two.on_message(3, last, 1.1)) == 1 and "follow" not in two.alarms
    empty = CatchupReply(1, "follow", two.nonce, Label(1, 2), (), True, 1)
    assert len(two.on_message(3, empty, 1.2)) == 1, "nothing with more to come is the end"


@pytest.mark.parametrize("wrong", [{"sender": 1}, {"nonce": 1}, {"unknown": True}])
def test_a_chunk_that_was_not_asked_for_is_not_taken(wrong: dict[str, Any]) -> None:
    two = catching(limits=SMALL)
    two.on_message(3, Heartbeat(1, 1, 0, Label(1, 9)), 0.0)
    nonce = two.nonce + wrong.get("nonce", 0)
    chunk = CatchupReply(1, "follow", nonce, START, (chat(1),), False, 1, unknown="unknown" in wrong)
    assert two.on_message(wrong.get("sender", 3), chunk, 0.1) == [] and "follow" in two.alarms


def test_what_a_client_says_is_neither_asked_for_nor_served() -> None:
    assert catching().on_message("ann", Catchup(1, "relay", 1, 7), 0.1) == []


# --- relays ---------------------------------------------------------------------------------------


def relaying(log: int = 2, term: int = 1) -> CatchUp:
    two = catching(log=log)
    two.state.enter(term, promised_to=3, leader=3)
    two.on_message(1, Ok(1, 1, "alive", PeerInfo(3, "")), 0.1)
    return two


def relayed(two: CatchUp, term: int, *entries: Entry, prev: Label = Label(1, 2), **rest: Any) -> Any:  # noqa: B008
    chunk = CatchupReply(term, "relay", two.nonce, prev, entries, rest.pop("more", False), 9, **rest)
    return two.on_message(1, chunk, 0.2)


def test_a_relay_is_asked_for_behind_what_is_committed_each_time_with_a_new_nonce() -> None:
    two = relaying()
    first = two.nonce
    two.log.verify_to(2)
    two.log.commit_to(1)
    assert two.on_message(1, Ok(1, 1, "alive", None), 0.2) == [Send(1, Catchup(1, "relay", 2, first + 1))]
    assert two.on_message(1, Ok(1, 1, "no", None), 0.2) == []


def test_what_is_relayed_within_the_own_term_is_committed_at_once_and_more_is_asked_for() -> None:
    two = relaying()
    nonce = two.nonce
    effects = relayed(two, 1, chat(3), chat(4), more=True)
    assert effects[0] == Append(Stored(chat(3)), Stored(chat(4))) and Commit(4) in effects
    assert effects[-1] == Send(1, Catchup(1, "relay", 5, nonce + 1))
    assert (two.log.verified, two.log.commit, two.state.term) == (4, 4, 1)
    two = relaying()
    assert not [effect for effect in relayed(two, 1, chat(3)) if isinstance(effect, Send)]


@pytest.mark.parametrize(("server", "entry", "entered"), [(4, 2, 4), (2, 3, 3), (1, 1, None)])
def test_a_relay_enters_the_newer_term_of_the_server_and_of_the_last_entry(
    server: int, entry: int, entered: int | None
) -> None:
    """SPECIFICATION R9.6 (the schedule Q24)."""
    two = relaying()
    effects = relayed(two, server, chat(3, entry))
    if entered is None:
        assert effects[0] == Append(Stored(chat(3, entry)))
    else:
        told = Yield(f"node 1 relays entries of term {entered}")
        assert effects[:3] == [Append(Promised(entered, None)), told, Append(Stored(chat(3, entry)))]
        assert (two.state.term, two.state.promised_to) == (entered, None)


def test_of_several_relayed_entries_the_last_one_says_how_new_they_are() -> None:
    two = relaying()
    relayed(two, 1, chat(3, 1), chat(4, 3))
    assert two.state.term == 3


def test_the_answer_to_a_nominee_is_no_relay_though_it_may_have_the_same_number() -> None:
    """A nominee counts its questions by itself; what it is sent is not committed."""
    two = relaying()
    assert two.on_message(1, CatchupReply(1, "sync", two.nonce, Label(1, 2), (chat(3),), False, 9), 0.2) == []
    assert two.log.commit == 0


def test_a_relay_that_is_unknown_empty_or_does_not_follow_on_the_log_changes_nothing() -> None:
    for effects in (
        relayed(relaying(), 4, chat(3), unknown=True),
        relayed(relaying(), 4),
        relayed(relaying(), 4, chat(3), prev=Label(2, 2)),
        relayed(relaying(), 4, chat(4), prev=Label(1, 3)),
    ):
        assert effects == []
    two = relaying()
    two.nonce += 1
    assert two.on_message(1, CatchupReply(4, "relay", two.nonce - 1, Label(1, 2), (chat(3),), False, 9), 0.2) == []


def test_a_leader_takes_a_relay_of_a_newer_term_only() -> None:
    """SPECIFICATION R9.7."""
    for term, taken in ((1, False), (2, True)):
        two = relaying()
        two.state.role = Role.LEADER
        assert bool(relayed(two, term, chat(3))) is taken


# --- serving --------------------------------------------------------------------------------------


def test_a_chunk_says_whether_more_follows_where_it_follows_on_and_what_is_committed() -> None:
    """SPECIFICATION R9.3, R9.4."""
    two = catching(log=6, limits=SMALL)
    two.log.verify_to(6)
    two.log.commit_to(5)

    def served(first: int, purpose: str = "relay") -> CatchupReply:
        ((to, reply),) = sent(two.on_message(1, Catchup(1, purpose, first, 7), 0.1), CatchupReply)  # type: ignore[arg-type]
        assert to == 1 and (reply.term, reply.purpose, reply.nonce) == (1, purpose, 7)
        return reply  # type: ignore[no-any-return]

    assert (served(1).more, served(1).prev, [one.seq for one in served(1).entries]) == (True, START, [1, 2, 3, 4])
    assert (served(2).more, served(2).prev, served(2).commit) == (False, Label(1, 1), 5), "6 is not committed"
    assert (served(6).entries, served(6).more, served(6).unknown) == ((), False, False)
    assert (served(7).entries, served(7).prev, served(7).unknown) == ((), Label(1, 6), False), "the very end is known"
    assert served(8) == CatchupReply(1, "relay", 7, START, (), False, 0, unknown=True)
    two.state.promised_to = 1
    assert (served(5, "sync").more, [one.seq for one in served(5, "sync").entries]) == (False, [5, 6])


def test_what_begins_before_the_log_is_unknown() -> None:
    two = catching(log=2)
    ((_, reply),) = sent(two.on_message(1, Catchup(1, "relay", 0, 7), 0.1), CatchupReply)
    assert reply.unknown


def test_who_may_be_served_what() -> None:
    """SPECIFICATION R7.8, R9.3 (the schedule C14)."""
    two = catching(log=4)
    two.log.verify_to(4)
    two.log.commit_to(3)
    assert [two.may_serve(1, purpose) for purpose in ("follow", "sync", "relay")] == [None, None, 3]
    assert [two.may_serve(3, purpose) for purpose in ("follow", "sync", "relay")] == [None, 4, 3]
    two.state.role = Role.LEADER
    assert two.may_serve(1, "follow") == 4
