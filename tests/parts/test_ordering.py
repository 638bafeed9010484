"""Ordering: numbers, hold-back, commit; by hand."""

from typing import Any

import pytest
from by_hand import chat, leader, members, node, of, part, sent
from runs import joined

from chatsys.actor.effects import Note
from chatsys.actor.events import LinkUp
from chatsys.config import Limits
from chatsys.errors import BrokenInvariant
from chatsys.protocol.decisions import Commit, Order, Release
from chatsys.protocol.holdback import HoldBack
from chatsys.protocol.log import Log
from chatsys.protocol.messages import Ack, Coordinator, Entry, Heartbeat, HeartbeatAck, Label, PeerInfo, Propose
from chatsys.protocol.node import Node
from chatsys.protocol.ordering import Receiver, Sequencer

START = Label(0, 0)


def receiver(quorum: Any = "majority") -> Receiver:
    """A follower of leader 3 in term 1 with an empty log."""
    made: Receiver = part(Receiver, me=2, quorum=quorum)
    made.state.enter(1, promised_to=3, leader=3)
    return made


def batch(after: int, *entries: Entry, term: int = 1, commit: int = 0) -> Propose:
    return Propose(term, Label(1, after) if after else START, entries, commit)


def chats(made: Node) -> list[int]:
    return [entry.seq for entry in made.log.entries if entry.kind == "chat"]


# --- the follower ---------------------------------------------------------------------------


def test_entries_in_order_are_appended_and_acknowledged_once_a_turn() -> None:
    two = receiver()
    two.on_message(3, batch(0, chat(1)), 0.0)
    two.on_message(3, batch(1, chat(2)), 0.0)
    assert sent(two.settle(0.0), Ack) == [(3, Ack(1, True, match=2))]
    assert two.settle(0.0) == []


def test_a_batch_that_is_early_is_held_back_and_the_gap_reported_once() -> None:
    two = receiver()
    assert sent(two.on_message(3, batch(1, chat(2)), 0.0), Ack) == [(3, Ack(1, False, hint=0, at=1))]
    assert sent(two.on_message(3, batch(2, chat(3)), 0.0), Ack) == []
    assert len(two.early) == 2 and two.log.last_seq == 0


def test_the_missing_batch_releases_what_was_held_back() -> None:
    two = receiver()
    early = batch(1, chat(2))
    two.on_message(3, early, 0.0)
    assert two.on_message(3, batch(0, chat(1)), 0.0)[-1] == Release(3, early)


def test_a_batch_twice_changes_nothing_but_is_acknowledged() -> None:
    two = receiver()
    two.on_message(3, batch(0, chat(1)), 0.0)
    two.settle(0.0)
    assert of(two.on_message(3, batch(0, chat(1)), 0.0), object) == []
    assert sent(two.settle(0.0), Ack) == [(3, Ack(1, True, match=1))]


def test_an_empty_proposal_asks_and_is_answered() -> None:
    two = receiver()
    two.on_message(3, batch(0), 0.0)
    assert sent(two.settle(0.0), Ack) == [(3, Ack(1, True, match=0))]


def test_one_that_only_tells_the_commit_is_not_answered_and_takes_no_answer_from_what_came_with_it() -> None:
    two = receiver()
    two.on_message(3, batch(0, chat(1)), 0.0)
    two.on_message(3, Propose(1, Label(1, 1), (), 1, wants_ack=False), 0.0)
    assert two.log.commit == 1
    assert sent(two.settle(0.0), Ack) == [(3, Ack(1, True, match=1))]
    two.on_message(3, Propose(1, Label(1, 1), (), 1, wants_ack=False), 0.0)
    assert two.settle(0.0) == []


def test_where_its_place_is_not_held_it_is_refused_as_any_other() -> None:
    two = receiver()
    two.log.splice([chat(1, 1), chat(2, 1)])
    refused = sent(two.on_message(3, Propose(2, Label(2, 2), (), 1, wants_ack=False), 0.0), Ack)
    assert [(to, ack.ok, ack.hint) for to, ack in refused] == [(3, False, 0)]


def test_a_tail_of_an_older_term_gives_way() -> None:
    two = receiver()
    two.log.splice([chat(1, 1), chat(2, 1), chat(3, 1)])
    two.on_message(3, Propose(2, Label(1, 1), (chat(2, 2, "new"),), 0), 0.0)
    assert [(e.seq, e.term) for e in two.log.entries] == [(1, 1), (2, 2)]


def test_a_different_label_at_prev_asks_for_everything_since_that_term_began() -> None:
    two = receiver()
    two.log.splice([chat(1, 1), chat(2, 2), chat(3, 2)])
    refused = sent(two.on_message(3, Propose(5, Label(4, 3), (), 0), 0.0), Ack)
    assert refused == [(3, Ack(1, False, hint=1, at=3))]


def test_commit_never_passes_what_is_verified() -> None:
    two = receiver()
    two.log.splice([chat(1, 1), chat(2, 1)])
    assert two.on_message(3, Heartbeat(1, 1, 2, Label(1, 2)), 0.0) == []
    two.on_message(3, batch(0, chat(1), commit=2), 0.0)
    assert two.log.commit == 1


def test_a_committed_entry_is_never_replaced_in_a_safe_cluster() -> None:
    two = receiver()
    two.on_message(3, batch(0, chat(1), commit=1), 0.0)
    with pytest.raises(BrokenInvariant, match="entry 1 is to be replaced"):
        two.on_message(3, Propose(2, START, (chat(1, 2),), 0), 0.0)


def test_in_an_unsafe_cluster_it_is_replaced_and_the_anomaly_noted() -> None:
    two = receiver(quorum=1)
    two.on_message(3, batch(0, chat(1), chat(2), commit=2), 0.0)
    effects = two.on_message(3, Propose(2, START, (chat(1, 2),), 0), 0.0)
    assert [note.kind for note in of(effects, Note)] == ["anomaly"]
    assert (two.log.commit, two.log.verified, two.log.rewound) == (0, 1, 1)


def test_what_an_older_leader_sent_early_is_void_under_the_next() -> None:
    two = node(2)
    two.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.0)
    two.on_message(3, batch(1, chat(2)), 0.0)
    assert len(two.receiver.early) == 1
    two.on_message(1, Coordinator(2, PeerInfo(1, ""), 1, 0), 0.1)
    assert len(two.receiver.early) == 0


def test_the_hold_back_queue_is_bounded_in_entries_and_bytes() -> None:
    queue = HoldBack(Limits(hold_back_entries=2))
    assert queue.hold(batch(1, chat(2))) and queue.hold(batch(2, chat(3)))
    assert not queue.hold(batch(3, chat(4)))
    assert queue.entries == 2
    queue.release(3)
    assert (queue.entries, queue.bytes, len(queue)) == (0, 0, 0)


# --- the leader -----------------------------------------------------------------------------


def test_a_new_leader_opens_its_term_with_a_barrier() -> None:
    three = leader(3)
    assert [(e.seq, e.term, e.kind) for e in three.log.entries] == [(1, 1, "barrier")]
    assert three.state.ready


def test_numbers_are_given_without_gap_or_reuse() -> None:
    three = leader(3)
    for number in range(1, 6):
        three._carry_out([Order(Entry(0, 0, "chat", "c", number, "main", "ann", "hi"))], 1.0)
    assert chats(three) == [2, 3, 4, 5, 6]


def test_a_run_of_drafts_is_numbered_in_its_order() -> None:
    one, other = leader(3), leader(3)
    drafts = [Entry(0, 0, "chat", "c", number, "main", "ann", "hi") for number in (1, 2, 3)]
    assert one._carry_out([Order(*drafts)], 1.0) == joined(other._carry_out([Order(draft) for draft in drafts], 1.0))
    assert one.log.entries == other.log.entries and chats(one) == [2, 3, 4]


def test_one_proposal_carries_all_that_gathered_in_a_turn() -> None:
    three = leader(3)
    for number in (1, 2, 3):
        three._carry_out([Order(Entry(0, 0, "chat", "c", number, "main", "ann", "hi"))], 1.0)
    proposals = sent(three.settle(1.0), Propose)
    assert [(to, len(p.entries)) for to, p in proposals] == [(1, 3), (2, 3)]


def test_an_entry_commits_when_a_quorum_holds_it() -> None:
    three = leader(3)
    three._carry_out([Order(Entry(0, 0, "chat", "c", 1, "main", "ann", "hi"))], 1.0)
    three.settle(1.0)
    three.on_message(3, Ack(1, True, match=2), 1.0)
    assert three.log.commit == 1, "its own copy alone is no quorum"
    three.on_message(1, Ack(1, True, match=2), 1.0)
    assert three.log.commit == 2


def test_what_is_committed_goes_with_the_next_entries_or_alone_and_then_wants_no_ack() -> None:
    three = leader(3)
    for number, wanted in ((1, True), (2, False)):
        three._carry_out([Order(Entry(0, 0, "chat", "c", number, "main", "ann", "hi"))], 1.0)
        three.settle(1.0)
        three.on_message(3, Ack(1, True, match=1 + number), 1.0)
        three.on_message(1, Ack(1, True, match=1 + number), 1.0)
        if wanted:
            three._carry_out([Order(Entry(0, 0, "barrier"))], 1.0)
        told = sent(three.settle(1.0), Propose)
        assert {(p.commit, bool(p.entries), p.wants_ack) for _, p in told} == {(three.log.commit, wanted, wanted)}


def test_a_commit_sends_nothing_beyond_a_full_window() -> None:
    three = leader(3, limits=Limits(window_entries=2, batch_entries=1))
    for number in range(1, 9):
        three._carry_out([Order(Entry(0, 0, "chat", "c", number, "main", "ann", "hi"))], 1.0)
    three.settle(1.0)
    for match in (2, 3):
        three.on_message(3, Ack(1, True, match=match), 1.0)
        three.on_message(1, Ack(1, True, match=match), 1.0)
        told = [p for to, p in sent(three.settle(1.0), Propose) if to == 2]
        assert [(p.commit, p.entries) for p in told] == [(match, ())], "node 2 has acknowledged nothing"


def test_the_same_ack_twice_counts_once() -> None:
    five = leader(5, nodes=5)
    five._carry_out([Order(Entry(0, 0, "chat", "c", 1, "main", "ann", "hi"))], 1.0)
    five.settle(1.0)
    for _ in range(3):
        five.on_message(1, Ack(1, True, match=2), 1.0)
    assert five.log.commit == 1


def test_an_old_terms_entry_commits_only_through_one_of_the_own_term() -> None:
    three: Sequencer = part(Sequencer, me=3)
    state = three.state
    three.log.splice([chat(1, 1), chat(2, 1)])
    state.enter(3, promised_to=3, leader=3)
    from chatsys.protocol.state import Role

    state.role = Role.LEADER
    three.lead(0.0)
    three.settle(0.0)
    three.on_message(3, Ack(3, True, match=2), 0.0)
    assert of(three.on_message(1, Ack(3, True, match=2), 0.0), Commit) == []
    three.on_message(3, Ack(3, True, match=3), 0.0)
    assert of(three.on_message(1, Ack(3, True, match=3), 0.0), Commit) == [Commit(3)]


def test_an_ack_beyond_the_own_log_is_ignored() -> None:
    three = leader(3)
    three.on_message(1, Ack(1, True, match=99), 1.0)
    assert three.sequencer.progress[1].match == 1


def test_a_refused_proposal_is_sent_again_from_the_hint_one_at_a_time() -> None:
    three = leader(3)
    for number in (1, 2, 3):
        three._carry_out([Order(Entry(0, 0, "chat", "c", number, "main", "ann", "hi"))], 1.0)
    three.settle(1.0)
    three.on_message(1, Ack(1, False, hint=2), 1.0)
    probe = [p for to, p in sent(three.settle(1.0), Propose) if to == 1]
    assert [(p.prev.seq, len(p.entries)) for p in probe] == [(2, 2)]
    three.on_message(1, Ack(1, False, hint=2), 1.0)
    assert [p for to, p in sent(three.settle(1.0), Propose) if to == 1] == []


def test_a_silent_follower_is_asked_again_ever_more_patiently() -> None:
    three = leader(3)
    three._carry_out([Order(Entry(0, 0, "chat", "c", 1, "main", "ann", "hi"))], 1.0)
    three.settle(1.0)
    waits = []
    now = 1.0
    for _ in range(5):
        due = three.sequencer.alarms.dates[1]
        waits.append(round(due - now, 3))
        now = due
        three.sequencer.on_time(now)
        three.settle(now)
    assert waits == [0.4, 0.8, 1.6, 3.2, 4.0]


def test_a_follower_that_stands_still_for_two_beats_is_sent_the_rest_again() -> None:
    three = leader(3)
    three._carry_out([Order(Entry(0, 0, "chat", "c", 1, "main", "ann", "hi"))], 1.0)
    three.settle(1.0)
    three.on_message(1, HeartbeatAck(1, True, 1, 1), 1.1)
    assert [to for to, _ in sent(three.settle(1.1), Propose)] == []
    three.on_message(1, HeartbeatAck(1, True, 2, 1), 1.2)
    assert [to for to, _ in sent(three.settle(1.2), Propose)] == [1]


def test_with_quorum_1_the_leaders_own_durable_copy_commits() -> None:
    three = leader(3, quorum=1)
    three._carry_out([Order(Entry(0, 0, "chat", "c", 1, "main", "ann", "hi"))], 1.0)
    three.settle(1.0)
    assert three.log.commit == 1
    three.on_message(3, Ack(1, True, match=2), 1.0)
    assert three.log.commit == 2


# --- the log --------------------------------------------------------------------------------


def test_the_first_position_of_a_term_is_found() -> None:
    log = Log(members())
    log.splice([chat(1, 1), chat(2, 3), chat(3, 3), chat(4, 5)])
    assert [log.start_of_term(seq) for seq in (1, 2, 3, 4)] == [1, 2, 2, 4]


def test_a_batch_is_bounded_in_entries_and_bytes_but_never_empty() -> None:
    log = Log(members())
    log.splice([chat(seq, 1, "x" * 1000) for seq in range(1, 11)])
    assert len(log.batch(1, Limits(batch_entries=4))) == 4
    assert len(log.batch(1, Limits(batch_bytes=9000))) == 2
    assert len(log.batch(1, Limits(batch_bytes=10))) == 1
    assert [e.seq for e in log.batch(3, Limits(), upto=5)] == [3, 4, 5]


def test_hundreds_of_early_batches_are_released_as_one() -> None:
    """One PROPOSE came late behind a thousand of one entry each; released one by one they overflowed the stack."""
    two = node(2)
    two.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.0)
    for seq in range(2, 1001):
        two.on_message(3, batch(seq - 1, chat(seq)), 0.1)
    two.on_message(3, batch(0, chat(1)), 0.2)
    assert two.log.last_seq == 1000 and len(two.receiver.early) == 0


def test_an_idle_leader_leaves_a_complete_follower_alone() -> None:
    three = leader(3)
    three.on_message(1, LinkUp(2), 1.0)
    assert [to for to, _ in sent(three.settle(1.0), Propose)] == [1]
    three.on_message(1, Ack(1, True, match=1), 1.1)
    assert 1 not in three.sequencer.alarms and three.sequencer.progress[1].wait == 0.4
