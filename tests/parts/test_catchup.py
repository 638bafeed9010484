"""Catch-up: chunks from the leader, relays around a cut link; by hand."""

from typing import Any

from by_hand import chat, leader, node, of, sent

from chatsys.actor.effects import Append, Send
from chatsys.config import Limits
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
