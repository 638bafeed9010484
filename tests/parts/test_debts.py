"""Nothing is owed to the next leader, and nothing is said that is not known: whole nodes, by hand."""

from typing import Any

from by_hand import chat, leader, node, of, sent

from chatsys.actor.effects import Append, Deliver
from chatsys.actor.events import Stop
from chatsys.config import Limits
from chatsys.protocol.decisions import Stand
from chatsys.protocol.holdback import HoldBack
from chatsys.protocol.messages import (
    Ack,
    Catchup,
    CatchupReply,
    Delivered,
    Entry,
    Heartbeat,
    Label,
    Ok,
    Prepare,
    Promise,
    Propose,
    Subscribe,
)
from chatsys.protocol.node import Node
from chatsys.protocol.state import Role
from chatsys.protocol.storage import CommitHint, Promised

BARRIER = Entry(1, 1, "barrier")


def nominee(nodes: int = 3, me: int = 2, term: int = 1) -> Node:
    """Node `me`, asking for promises of `term`; its own promise has come back from its disk."""
    made = node(me, nodes)
    made.state.term = term - 1
    _stand(made)
    made.on_message(me, Promise(term, True), 0.0)
    return made


def role(made: Node) -> str:
    """What the node is now."""
    return made.state.role.value


def _stand(made: Node) -> None:
    made.state.become(Role.NOMINATING, "by hand")
    made._carry_out([Stand()], 0.0)
    made.settle(0.0)


def follower(*entries: Entry, me: int = 1, nodes: int = 3, commit: int = 0, leads: int = 3) -> Node:
    """Node `me`, which took these entries in from the leader of term 1, and has confirmed them."""
    made = node(me, nodes)
    made.on_message(leads, Propose(1, Label(0, 0), entries, commit), 0.0)
    made.settle(0.0)
    return made


# --- debts ----------------------------------------------------------------------------------


def test_a_promise_for_an_attempt_that_is_over_does_not_count() -> None:
    two = nominee(term=2)
    two.on_message(1, Promise(1, True), 0.0)
    assert role(two) == "preparing"
    two.on_message(1, Promise(2, True), 0.0)
    assert role(two) == "leader"


def test_the_promises_of_one_attempt_do_not_count_in_the_next() -> None:
    two = nominee(nodes=5)
    two.on_message(1, Promise(1, True), 0.0)
    two.succession.alarms.set("prepare", 0.0)
    two.on_time(0.0)
    assert role(two) == "follower"
    _stand(two)
    two.on_message(3, Promise(2, True), 0.0)
    two.on_message(2, Promise(2, True), 0.0)
    assert role(two) == "preparing"


def test_an_older_term_is_promised_to_nobody() -> None:
    two = node(2)
    two.on_message(3, Prepare(5), 0.0)
    assert sent(two.on_message(1, Prepare(4), 0.0), Promise) == [(1, Promise(5, False))]
    assert two.state.term == 5


def test_what_is_owed_to_one_leader_is_not_paid_to_the_next() -> None:
    one = node(1)
    one.on_message(3, Propose(1, Label(0, 0), (BARRIER, chat(2)), 0), 0.0)
    one.on_message(2, Heartbeat(2, 1, 0, Label(2, 2)), 0.0)
    assert sent(one.settle(0.0), Ack) == []


def test_a_leader_that_leads_again_begins_to_count_copies_anew() -> None:
    three = leader(3)
    three.on_message(1, Heartbeat(2, 1, 0, Label(2, 2)), 0.0)
    three.state.term = 3
    three.state.role = Role.PREPARING
    three._carry_out(three._lead(0.0), 0.0)
    assert three.sequencer.own_match == 0
    assert [progress.match for progress in three.sequencer.progress.values()] == [0, 0]


def test_what_is_proved_equal_to_one_leaders_log_is_not_proved_for_the_next() -> None:
    one = follower(BARRIER, chat(2))
    assert one.log.verified == 2
    one.on_message(2, Heartbeat(2, 1, 2, Label(2, 2)), 0.0)
    assert (one.log.verified, one.log.commit) == (0, 0)


def test_a_newer_leaders_term_is_entered_and_written_down_before_its_frame_counts() -> None:
    for frame in (Heartbeat(2, 1, 2, Label(2, 2)), Propose(2, Label(1, 2), (), 2)):
        one = follower(BARRIER, chat(2))
        effects = one.on_message(2, frame, 0.0)
        assert [record for effect in of(effects, Append) for record in effect.items][:1] == [Promised(2, 2)]
        assert one.state.term == 2


# --- what is said ---------------------------------------------------------------------------


def test_an_ack_names_the_end_of_what_was_compared_and_not_of_the_log() -> None:
    one = follower(BARRIER, chat(2), chat(3))
    one.on_message(2, Propose(2, Label(1, 1), (chat(2),), 0), 0.0)
    assert one.log.last_seq == 3
    assert sent(one.settle(0.0), Ack) == [(2, Ack(2, True, match=2))]


def test_a_hint_is_no_copy() -> None:
    three = leader(3, nodes=5)
    for text in ("a", "b"):
        three.sequencer.order([Entry(0, 0, "chat", text=text)], 0.0)
    three.on_message(1, Ack(1, False, hint=3, at=3), 0.0)
    assert three.sequencer.progress[1].match == 1


def test_a_chunk_of_a_sync_that_comes_twice_counts_once() -> None:
    two = nominee(term=2)
    two.on_message(1, Promise(2, True, Label(1, 3)), 0.0)
    nonce = two.succession.nonce
    first = CatchupReply(2, "sync", nonce, Label(0, 0), (BARRIER,), True, 0)
    two.on_message(1, first, 0.0)
    two.on_message(1, first, 0.0)
    two.on_message(1, CatchupReply(2, "sync", nonce, Label(1, 1), (chat(2), chat(3)), False, 0), 0.0)
    assert role(two) == "leader" and [entry.seq for entry in two.log.entries] == [1, 2, 3, 4]


def test_a_relay_commits_what_it_brings_and_not_what_stands_behind_it() -> None:
    one = follower(BARRIER, chat(2), chat(3))
    one.on_message(2, Ok(1, one.election.round, "alive"), 0.0)
    one.on_message(2, CatchupReply(1, "relay", one.catchup.nonce, Label(0, 0), (BARRIER, chat(2)), False, 2), 0.0)
    assert (one.log.commit, one.log.last_seq) == (2, 3)


def test_a_leader_calls_committed_what_a_quorum_holds_and_no_more() -> None:
    three = leader(3)
    three.sequencer.order([Entry(0, 0, "chat", text="a")], 0.0)
    three.failure.alarms.set("beat", 0.0)
    beats = sent(three.on_time(0.0), Heartbeat)
    assert [beat.commit for _, beat in beats] == [1, 1]
    assert [batch.commit for _, batch in sent(three.settle(0.0), Propose)] == [1, 1]
    chunks = sent(three.on_message(1, Catchup(1, "follow", 1, 7), 0.0), CatchupReply)
    assert [(chunk.commit, len(chunk.entries)) for _, chunk in chunks] == [(1, 2)]


def test_what_was_held_back_tells_of_a_commit_what_its_leader_told() -> None:
    early = HoldBack(Limits())
    early.hold(Propose(1, Label(1, 1), (chat(2),), 1))
    early.hold(Propose(1, Label(1, 2), (chat(3),), 2))
    released = early.release(1)
    assert released is not None
    assert (released.commit, len(released.entries)) == (2, 2)


def test_nobody_is_shown_what_is_not_committed() -> None:
    opened = Entry(2, 1, "session", "c", 0)
    one = node(1)
    one.on_message("eve", Subscribe(), 0.0)
    effects = one.on_message(3, Propose(1, Label(0, 0), (BARRIER, opened, chat(3, session=2)), 2), 0.0) + one.settle(
        0.0
    )
    assert _shown(effects) == [] and of(effects, Deliver) == []
    effects = one.on_message(3, Heartbeat(1, 1, 3, Label(1, 3)), 0.0) + one.settle(0.0)
    assert _shown(effects) == [3] and len(of(effects, Deliver)) == 1


def test_what_is_written_down_as_committed_is_committed() -> None:
    one = follower(BARRIER, chat(2), commit=1)
    records = [record for effect in of(one.on_command(Stop(), 0.0), Append) for record in effect.items]
    assert [record.seq for record in records if isinstance(record, CommitHint)] == [1]


def _shown(effects: list[Any]) -> list[int]:
    return [entry.seq for _, frame in sent(effects, Delivered) for entry in frame.entries]
