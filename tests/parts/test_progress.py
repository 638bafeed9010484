"""What a leader knows of each follower, and when it sends what: rule by rule, by hand (SPECIFICATION, chapter 8)."""

from typing import Any

from by_hand import chat, leader, node, part, sent

from chatsys.actor.effects import Append, Note, Send
from chatsys.actor.events import Identity, LinkUp
from chatsys.config import Limits
from chatsys.protocol.decisions import Commit, Order, Yield
from chatsys.protocol.messages import Ack, Coordinator, Entry, Heartbeat, HeartbeatAck, Label, PeerInfo, Propose
from chatsys.protocol.node import Node
from chatsys.protocol.ordering import Progress, Receiver, Sequencer
from chatsys.protocol.state import Role
from chatsys.protocol.storage import Remembered, Stored


def leading(entries: int, **rest: Any) -> Node:
    """Return node 3, which leads term 1 and has sent so many entries, of which the first, a barrier, is everywhere."""
    three = leader(3, **rest)
    order(three, entries - 1)
    three.settle(1.0)
    return three


def order(three: Node, count: int, now: float = 1.0) -> None:
    first = three.log.last_seq
    three._carry_out([Order(Entry(0, 0, "chat", "c", first + one, "main", "ann", "hi")) for one in range(count)], now)


def to(peer: int, effects: list[Any]) -> list[tuple[int, int]]:
    """The PROPOSEs to one peer: after which position, and how many entries."""
    return [(frame.prev.seq, len(frame.entries)) for one, frame in sent(effects, Propose) if one == peer]


def known(three: Node, peer: int = 1) -> Progress:
    return three.sequencer.progress[peer]


# --- the beginning of a term ----------------------------------------------------------------------


def about_to_lead(entries: int = 2, **rest: Any) -> Sequencer:
    """Return the sequencer of node 3 with a log of so many entries of term 1, at the moment when it leads term 4."""
    made: Sequencer = part(Sequencer, me=3, **rest)
    made.log.restore([chat(seq) for seq in range(1, entries + 1)], min(1, entries))
    made.state.enter(4, promised_to=3, leader=3)
    made.state.role = Role.LEADER
    return made


def test_a_term_begins_with_a_barrier_and_everybody_hears_where_it_stands() -> None:
    """SPECIFICATION R8.2."""
    three = about_to_lead()
    three.own_match = three.own_asked = 9
    three.state.ready = True
    barrier = Entry(3, 4, "barrier", time=7.0)
    announce = Coordinator(4, three.state.members.peer(3), 3, 1)
    assert three.lead(7.0) == [Append(Stored(barrier)), Note("lead", seq=3), Send(1, announce), Send(2, announce)]
    assert (three.own_match, three.own_asked, three.barrier, three.state.ready) == (0, 0, 3, False)
    assert three.log.verified == 3, "its own log is what the others are compared with"
    told = three.settle(7.0)
    assert told == [
        Send(3, Ack(4, True, 3)),
        Send(1, Propose(4, Label(1, 2), (barrier,), 1)),
        Send(2, Propose(4, Label(1, 2), (barrier,), 1)),
    ]
    assert three.settle(7.1) == [], "each of them is said once"


def test_a_new_leader_guesses_that_each_log_ends_where_its_own_did_and_knows_nothing() -> None:
    three = about_to_lead()
    three.state.met[1] = Remembered(1, "disk", 4, "n")
    three.lead(0.0)
    one, two = three.progress[1], three.progress[2]
    assert (one.next, one.base, one.match, one.kept, one.wait, one.seen) == (3, 2, 0, 0, 0.4, -1)
    assert (one.probing, one.sent_probe, one.told) == (False, False, 0)
    assert (one.disk, one.life, two.disk, two.life) == ("disk", 4, "", 0)


def test_times_in_the_log_never_go_back() -> None:
    three = about_to_lead(0)
    times = []
    for now in (0.5014, 0.3, 9.0):
        three.order([Entry(0, 0, "chat", "c", 1, "main", "ann", "hi")], now)
        times.append(three.log.entries[-1].time)
    assert times == [0.501, 0.501, 9.0] and [entry.seq for entry in three.log.entries] == [1, 2, 3]
    assert {entry.term for entry in three.log.entries} == {4}


def test_who_no_longer_leads_sends_nothing_waits_for_nothing_and_counts_nothing() -> None:
    three = leading(3)
    sequencer = three.sequencer
    assert sequencer.alarms.dates and three.state.ready
    sequencer.follow(1.5, Yield("test"))
    assert (sequencer.progress, sequencer.alarms.dates, three.state.ready) == ({}, {}, False)
    three.state.role = Role.FOLLOWER
    order(three, 1)
    assert sequencer.settle(1.6) == [] == sequencer.on_message(1, Ack(1, True, match=1), 1.6)


def test_a_leader_is_ready_once_when_its_own_barrier_is_committed() -> None:
    """SPECIFICATION R8.3, R8.6."""
    three = about_to_lead()
    three.lead(0.0)
    three.on_message(3, Ack(4, True, match=2), 0.1)
    assert three.on_message(1, Ack(4, True, match=2), 0.1) == [], "what is of an older term is not counted"
    three.on_message(3, Ack(4, True, match=3), 0.1)
    assert three.on_message(1, Ack(4, True, match=3), 0.2) == [
        Note("commit", seq=3, verified=3), Note("ready", seq=3), Commit(3),
    ]  # fmt: skip
    assert three.state.ready
    three.order([Entry(0, 0, "chat", "c", 1, "main", "ann", "hi")], 0.3)
    three.on_message(3, Ack(4, True, match=4), 0.3)
    assert three.on_message(1, Ack(4, True, match=4), 0.3) == [Note("commit", seq=4, verified=4), Commit(4)]


def test_what_a_quorum_holds_is_the_place_of_the_quorum_in_falling_order() -> None:
    three = about_to_lead(9, nodes=5)
    three.lead(0.0)
    three.own_match = 9
    for peer, match in ((1, 7), (2, 4), (4, 2), (5, 1)):
        three.progress[peer].match = match
    assert three.held_by_quorum() == 4


def test_answers_from_strangers_and_clients_are_not_counted() -> None:
    three = leading(2)
    for sender in (9, "ann"):
        for frame in (Ack(1, True, match=2), Ack(1, False, hint=1, at=2), HeartbeatAck(1, True, 1, 1), LinkUp(1)):
            assert three.sequencer.on_message(sender, frame, 1.1) == []
    assert set(three.sequencer.progress) == {1, 2}


# --- the window -----------------------------------------------------------------------------------


def test_batches_go_out_until_the_window_is_full_and_no_further() -> None:
    three = leader(3, limits=Limits(batch_entries=2, window_entries=5, hold_back_entries=12))
    order(three, 12)
    assert to(1, three.settle(1.0)) == [(1, 2), (3, 2), (5, 2)], "base 1, and at most five beyond it when one begins"
    assert to(1, three.settle(1.0)) == []
    three.on_message(1, Ack(1, True, match=3), 1.1)
    assert to(1, three.settle(1.1)) == [(7, 2)]


def test_a_follower_that_has_everything_hears_of_the_commit_once() -> None:
    three = leading(2)
    three.on_message(1, Ack(1, True, match=2), 1.1)
    three.on_message(3, Ack(1, True, match=2), 1.1)
    told = three.settle(1.1)
    assert to(1, told) == [(2, 0)] == to(2, told) and three.log.commit == 2
    assert to(1, three.settle(1.2)) == []


def test_whoever_lacks_something_has_an_alarm_and_nobody_else() -> None:
    three = leading(2)
    assert set(three.sequencer.alarms.dates) == {1, 2} and three.sequencer.alarms.dates[1] == 1.4
    three.settle(1.2)
    assert three.sequencer.alarms.dates[1] == 1.4, "it is not put off by a turn in which nothing came"
    three.on_message(1, Ack(1, True, match=2), 1.3)
    three.settle(1.3)
    assert set(three.sequencer.alarms.dates) == {2}


def test_who_is_down_or_refused_is_sent_nothing() -> None:
    three = leading(2)
    three.state.down.add(1)
    three.state.refused[2] = "another disk"
    order(three, 1)
    assert sent(three.settle(1.1), Propose) == []


# --- answers that say yes -------------------------------------------------------------------------


def test_what_a_follower_confirmed_never_goes_back() -> None:
    three = leading(4)
    three.on_message(1, Ack(1, True, match=3), 1.1)
    three.on_message(1, Ack(1, True, match=2), 1.2)
    progress = known(three)
    assert (progress.match, progress.base, progress.next) == (3, 3, 5)


def test_an_answer_that_brings_no_progress_leaves_the_alarm_unless_nothing_is_left_to_send() -> None:
    three = leading(4)
    three.on_message(1, Ack(1, True, match=3), 1.1)
    three.settle(1.1)
    known(three).wait = 3.2
    three.on_message(1, Ack(1, True, match=3), 1.2)
    assert 1 in three.sequencer.alarms and known(three).wait == 3.2, "a copy says nothing new"
    three.on_message(1, Ack(1, True, match=4), 1.3)
    assert 1 not in three.sequencer.alarms and known(three).wait == 0.4
    known(three).wait = 3.2
    three.sequencer.alarms.set(1, 9.0)
    three.on_message(1, Ack(1, True, match=2), 1.4)
    assert 1 not in three.sequencer.alarms and known(three).wait == 0.4, "and it had everything already"


def test_an_ack_of_the_very_end_counts_and_one_beyond_it_does_not() -> None:
    """SPECIFICATION R8.5."""
    three = leading(3)
    three.on_message(1, Ack(1, True, match=4), 1.1)
    assert known(three).match == 1
    three.on_message(1, Ack(1, True, match=3), 1.1)
    three.on_message(3, Ack(1, True, match=3), 1.1)
    assert known(three).match == 3 and three.log.commit == 3
    three.on_message(3, Ack(1, True, match=2), 1.2)
    assert three.sequencer.own_match == 3, "nor does the own copy go back"


def test_a_follower_that_was_refused_counts_in_no_quorum() -> None:
    """SPECIFICATION R4.7."""
    three = leading(2)
    three.state.refused[1] = "another disk"
    three.on_message(1, Ack(1, True, match=2), 1.1)
    known(three).match = 2
    three.on_message(3, Ack(1, True, match=2), 1.1)
    assert three.log.commit == 1 and three.sequencer.held_by_quorum() == 1


# --- answers that say no --------------------------------------------------------------------------


def test_a_hint_below_what_was_confirmed_goes_no_lower_than_that_in_a_safe_cluster() -> None:
    """SPECIFICATION R8.8: what a follower confirmed it keeps, so a lower hint is an old one."""
    three = leading(5)
    three.on_message(1, Ack(1, True, match=3), 1.1)
    three.on_message(1, Ack(1, False, hint=1, at=4), 1.2)
    assert (known(three).match, known(three).base, known(three).next) == (3, 3, 4)
    assert to(1, three.settle(1.2)) == [(3, 2)]


def test_a_hint_below_what_was_confirmed_is_believed_in_an_unsafe_cluster() -> None:
    three = leading(5, quorum=1)
    three.on_message(1, Ack(1, True, match=3), 1.1)
    three.on_message(1, Ack(1, False, hint=2, at=4), 1.2)
    assert (known(three).match, known(three).base) == (2, 2)
    three.on_message(1, Ack(1, False, hint=4, at=5), 1.3)
    assert known(three).match == 2, "a hint confirms nothing"


def test_while_one_question_is_under_way_only_a_hint_below_it_asks_anew() -> None:
    """SPECIFICATION R8.9 (the schedule Q25)."""
    three = leading(6)
    three.on_message(1, Ack(1, False, hint=3, at=5), 1.1)
    assert to(1, three.settle(1.1)) == [(3, 3)]
    for hint in (4, 3):
        three.on_message(1, Ack(1, False, hint=hint, at=5), 1.2)
        assert to(1, three.settle(1.2)) == [], f"hint {hint}"
    three.on_message(1, Ack(1, False, hint=2, at=3), 1.3)
    assert to(1, three.settle(1.3)) == [(2, 4)] and known(three).next == 3, "a question moves nothing"


def test_a_refusal_without_a_hint_says_nothing_of_the_log() -> None:
    """SPECIFICATION R8.10."""
    three = leading(4)
    three.on_message(1, Ack(1, False), 1.1)
    assert not known(three).probing and known(three).base == 1


def test_a_hint_beyond_the_own_end_begins_at_the_end() -> None:
    three = leading(3)
    three.on_message(1, Ack(1, False, hint=9, at=3), 1.1)
    assert (known(three).base, known(three).next) == (3, 4)


def test_after_a_yes_the_window_is_open_again() -> None:
    three = leading(6, limits=Limits(batch_entries=2, window_entries=6, hold_back_entries=12))
    three.on_message(1, Ack(1, False, hint=1, at=3), 1.1)
    assert to(1, three.settle(1.1)) == [(1, 2)]
    three.on_message(1, Ack(1, True, match=3), 1.2)
    assert to(1, three.settle(1.2)) == [(3, 2), (5, 1)]


# --- silence, heartbeats, links -------------------------------------------------------------------


def test_silence_asks_again_from_the_last_safe_point() -> None:
    three = leading(4)
    three.on_message(1, Ack(1, True, match=2), 1.1)
    three.settle(1.1)
    three.on_time(1.6)
    assert to(1, three.settle(1.6)) == [(2, 2)] and known(three).probing


def test_one_answer_of_standing_still_is_not_enough_and_a_question_not_asked_yet_is_let_alone() -> None:
    """SPECIFICATION R8.12."""
    three = leading(4)
    three.on_message(1, HeartbeatAck(1, True, 1, 2), 1.1)
    three.on_message(1, HeartbeatAck(1, True, 2, 3), 1.2)
    assert to(1, three.settle(1.2)) == [], "it moved"
    three.on_message(1, Ack(1, True, match=2), 1.2)
    three.on_message(1, HeartbeatAck(1, True, 3, 3), 1.3)
    assert to(1, three.settle(1.3)) == [(3, 1)], "what it verified may be more than it confirmed"
    three.sequencer._restart(known(three), 1)
    three.on_message(1, HeartbeatAck(1, True, 4, 3), 1.4)
    assert known(three).base == 3 and to(1, three.settle(1.4)) == [(1, 3)]
    three.on_message(1, HeartbeatAck(1, True, 5, 1), 1.5)
    three.on_message(1, HeartbeatAck(1, True, 6, 1), 1.6)
    assert known(three).base == 2, "not below what it confirmed"


def test_whoever_has_everything_never_stands_still() -> None:
    three = leading(2)
    three.on_message(1, Ack(1, True, match=2), 1.1)
    three.settle(1.1)
    for number in (1, 2, 3):
        three.on_message(1, HeartbeatAck(1, True, number, 2), 1.1)
    assert not known(three).probing and to(1, three.settle(1.2)) == []


def test_in_an_unsafe_cluster_who_stands_still_is_believed_to_hold_no_more() -> None:
    three = leading(4, quorum=1)
    three.on_message(1, Ack(1, True, match=4), 1.1)
    for number in (1, 2):
        three.on_message(1, HeartbeatAck(1, True, number, 2), 1.2)
    assert (known(three).match, known(three).base) == (2, 2)


def link(name: str, life: int) -> LinkUp:
    return LinkUp(life, Identity(name, ("n",) * life))


def test_a_link_that_comes_back_begins_where_the_follower_was() -> None:
    """SPECIFICATION R8.13."""
    three = leading(4)
    three.on_message(1, Ack(1, True, match=3), 1.1)
    known(three).wait = 3.2
    three.sequencer.on_message(1, LinkUp(1), 1.2)
    assert (known(three).match, known(three).base, known(three).wait) == (3, 3, 0.4) and known(three).probing


def test_a_question_may_be_lost_even_if_the_follower_has_everything() -> None:
    """SPECIFICATION R8.11."""
    three = leading(2)
    three.on_message(1, Ack(1, True, match=2), 1.1)
    three.settle(1.1)
    three.sequencer.on_message(1, LinkUp(1), 1.2)
    assert to(1, three.settle(1.2)) == [(2, 0)] and 1 in three.sequencer.alarms


def test_in_an_unsafe_cluster_a_follower_may_forget() -> None:
    three = leading(4, quorum=1).sequencer
    three.progress[1].kept = 3
    assert not three.has_forgotten(three.progress[1], 2)


def test_a_follower_on_another_disk_holds_nothing() -> None:
    three = leading(4)
    sequencer = three.sequencer
    sequencer.on_message(1, link("old", 1), 1.0)
    three.on_message(1, Ack(1, True, match=3), 1.1)
    sequencer.on_message(1, link("new", 1), 1.2)
    assert (known(three).match, known(three).base, known(three).kept, known(three).disk) == (0, 4, 0, "new")


def test_what_an_earlier_life_confirmed_the_next_one_must_still_hold() -> None:
    """SPECIFICATION R4.10."""
    three = leading(4)
    sequencer = three.sequencer
    sequencer.on_message(1, link("disk", 1), 1.0)
    three.on_message(1, Ack(1, True, match=3), 1.1)
    assert known(three).kept == 0, "this life may still be asked"
    sequencer.on_message(1, link("disk", 1), 1.2)
    assert known(three).kept == 0
    sequencer.on_message(1, link("disk", 2), 1.3)
    assert (known(three).kept, known(three).life) == (3, 2)
    assert [sequencer.has_forgotten(known(three), at) for at in (0, 1, 3, 4)] == [False, True, True, False]
    sequencer.alarms.set(1, 9.0)
    (disowned,) = sequencer.on_message(1, Ack(1, False, hint=1, at=2), 1.4)
    assert disowned.node == 1 and "lacks position 2, though it had acknowledged everything up to 3" in disowned.reason
    assert known(three).match == 0 and 1 not in sequencer.alarms


# --- the follower ---------------------------------------------------------------------------------


def follower(entries: int = 0, **rest: Any) -> Node:
    """Return node 2, which follows 3 in term 1 and has taken so many entries from it."""
    two = node(2, **rest)
    two.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.1)
    two.on_message(3, Propose(1, Label(0, 0), tuple(chat(seq) for seq in range(1, entries + 1)), 0), 0.2)
    two.settle(0.2)
    return two


def test_a_follower_confirms_the_end_of_the_batch_and_not_the_end_of_its_log() -> None:
    """SPECIFICATION R8.16: beyond the batch its entries may be a dead leader's."""
    two = node(2)
    two.log.splice([chat(seq) for seq in range(1, 6)])
    two.on_message(3, Propose(2, Label(1, 1), (chat(2),), 5), 0.1)
    assert (two.log.last_seq, two.log.verified, two.log.commit) == (5, 2, 2)
    assert sent(two.settle(0.1), Ack) == [(3, Ack(2, True, 2))]


def test_the_confirmation_of_a_turn_names_the_furthest_batch() -> None:
    two = follower(4)
    two.on_message(3, Propose(1, Label(1, 4), (chat(5),), 0), 0.3)
    two.on_message(3, Propose(1, Label(1, 1), (chat(2),), 0), 0.3)
    assert sent(two.settle(0.3), Ack) == [(3, Ack(1, True, 5))]


def test_a_gap_of_one_batch_is_reported_and_a_longer_one_is_for_catch_up() -> None:
    """SPECIFICATION R8.14, R9.1."""
    for gap, reported in ((2, True), (3, False)):
        two = follower(1, limits=Limits(batch_entries=2, window_entries=6, hold_back_entries=12))
        effects = two.on_message(3, Propose(1, Label(1, 1 + gap), (chat(2 + gap),), 0), 0.3)
        assert bool(sent(effects, Ack)) is reported


def test_another_entry_before_the_batch_is_answered_with_where_the_logs_may_agree() -> None:
    """SPECIFICATION R8.15: before the whole term that disagrees, but not below what is committed."""
    two = node(2)
    two.log.splice([chat(1, 1), chat(2, 2), chat(3, 2), chat(4, 2)])
    refusal = sent(two.on_message(3, Propose(5, Label(3, 4), (), 0), 0.1), Ack)
    assert refusal == [(3, Ack(5, False, hint=1, at=4))]
    two.log.verify_to(3)
    two.log.commit_to(3)
    refusal = sent(two.on_message(3, Propose(5, Label(3, 4), (), 0), 0.1), Ack)
    assert refusal == [(3, Ack(5, False, hint=3, at=4))]


def test_in_an_unsafe_cluster_even_what_is_committed_may_disagree() -> None:
    two = node(2, quorum=1)
    two.log.splice([chat(1, 1), chat(2, 2), chat(3, 2)])
    two.log.verify_to(3)
    two.log.commit_to(3)
    assert sent(two.on_message(3, Propose(5, Label(3, 3), (), 0), 0.1), Ack) == [(3, Ack(5, False, hint=1, at=3))]


def test_a_new_leader_owes_nothing_to_the_one_before() -> None:
    two = follower(1)
    two.on_message(3, Propose(1, Label(1, 1), (chat(2),), 0), 0.3)
    two.on_message(1, Coordinator(2, PeerInfo(1, ""), 3, 0), 0.4)
    assert sent(two.settle(0.4), Ack) == [], "what it owed was another leader's"


def test_a_gap_is_reported_anew_to_a_new_leader() -> None:
    for held in (0, 1):
        two = follower(held)
        assert sent(two.on_message(3, Propose(1, Label(1, held + 1), (chat(held + 2),), 0), 0.3), Ack)
        two.on_message(1, Coordinator(2, PeerInfo(1, ""), 3, 0), 0.4)
        assert sent(two.on_message(1, Propose(2, Label(2, held + 1), (chat(held + 2, 2),), 0), 0.5), Ack)


def test_the_door_lets_a_batch_in_and_what_is_committed_out() -> None:
    """SPECIFICATION R8.16, R8.18."""
    two = part(Receiver)
    two.state.enter(1, promised_to=3, leader=3)
    batch = Propose(1, Label(0, 0), (chat(1), chat(2)), 1)
    assert two.on_message(3, batch, 0.1) == [
        Append(Stored(chat(1)), Stored(chat(2))), Note("commit", seq=1, verified=2), Commit(1),
    ]  # fmt: skip
    assert two.on_message(3, Heartbeat(1, 1, 9, Label(1, 9)), 0.2) == [Note("commit", seq=2, verified=2), Commit(2)]
    assert two.on_message("ann", Propose(1, Label(1, 2), (chat(3),), 1), 0.2) == []


def test_an_early_batch_is_told_of_and_whether_it_was_kept() -> None:
    """SPECIFICATION R8.14."""
    two = part(Receiver, limits=Limits(batch_entries=1, window_entries=1, hold_back_entries=1))
    two.state.enter(1, promised_to=3, leader=3)
    early = two.on_message(3, Propose(1, Label(1, 1), (chat(2),), 0), 0.1)
    assert early == [Note("hold", seq=2, peer=3, reason="kept"), Send(3, Ack(1, False, hint=0, at=1))]
    full = two.on_message(3, Propose(1, Label(1, 2), (chat(3),), 0), 0.1)
    assert full == [Note("hold", seq=3, peer=3, reason="dropped: the hold-back queue is full")]
    two.owed = 2
    two.lead(0.2)
    assert len(two.early) == 0 and two.owed is None


def test_a_follower_without_a_leader_and_a_leader_confirm_nothing() -> None:
    for leads in (False, True):
        two = part(Receiver)
        two.state.enter(1, promised_to=3, leader=3)
        two.on_message(3, Propose(1, Label(0, 0), (chat(1),), 0), 0.1)
        two.state.role = Role.LEADER if leads else Role.FOLLOWER
        two.state.leader = 2 if leads else None
        assert two.settle(0.1) == []


def test_a_batch_before_what_is_owed_already_does_not_lower_it_and_none_is_owed_twice() -> None:
    two = follower(3)
    assert two.settle(0.3) == []
    two.on_message(3, Propose(1, Label(0, 0), (), 0), 0.3)
    assert sent(two.settle(0.3), Ack) == [(3, Ack(1, True, 0))]
