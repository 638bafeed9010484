"""Sessions: exactly once, in order, answered when committed; by hand."""

from typing import Any

import pytest
from by_hand import chat, leader, node, of, sent

from chatsys.actor.effects import Append, Deliver, Note, Send
from chatsys.actor.events import DiskSpace, LinkDown
from chatsys.config import Limits
from chatsys.protocol.messages import (
    Ack,
    Coordinator,
    Delivered,
    Entry,
    Heartbeat,
    Label,
    PeerInfo,
    Prepare,
    Propose,
    Submit,
    SubmitReply,
    Subscribe,
)
from chatsys.protocol.node import Node
from chatsys.protocol.session_table import SessionTable, refusal


def submit(number: int, text: str = "hi", client: str = "c", session: int = 2) -> Submit:
    """A frame of the session that `with_session` opens at position 2."""
    return Submit(client, number, "main", "ann", text, session=session)


def all_hold(three: Node, now: float = 1.0) -> list[Any]:
    """Settle, and let every node acknowledge the whole log; return all effects."""
    effects = three.settle(now)
    for peer in three.state.members.ids:
        effects += three.on_message(peer, Ack(three.state.term, True, match=three.log.last_seq), now)
    return effects + three.settle(now)


def with_session(**rest: Any) -> Node:
    three = leader(3, **rest)
    three.on_message("ann", submit(0), 1.0)
    all_hold(three)
    return three


def replies(effects: list[Any]) -> list[tuple[Any, str, int]]:
    return [(to, m.status, m.client_seq) for to, m in sent(effects, SubmitReply)]


def test_a_session_is_opened_through_the_log() -> None:
    three = leader(3)
    effects = three.on_message("ann", submit(0), 1.0)
    assert replies(effects) == [] and of(effects, Append)
    assert replies(all_hold(three)) == [("ann", "ok", 0)]


def test_ok_is_said_only_once_committed_and_with_the_number() -> None:
    three = with_session()
    assert replies(three.on_message("ann", submit(1), 1.0)) == []
    effects = all_hold(three)
    (to, reply) = sent(effects, SubmitReply)[0]
    assert (to, reply.status, reply.msg_no, reply.seq) == ("ann", "ok", 1, 3)
    assert [(one.msg_no, one.text) for d in of(effects, Deliver) for one in d.items] == [(1, "hi")]


def test_messages_that_are_delivered_together_are_answered_in_runs() -> None:
    three = with_session()
    three.on_message("bob", submit(0, client="d"), 1.0)
    all_hold(three)
    for sender, client, number, session in (
        ("ann", "c", 1, 2), ("ann", "c", 2, 2), ("bob", "d", 1, 3), ("ann", "c", 3, 2), ("ann", "c", 4, 2),
        ("second link", "c", 4, 2),
    ):  # fmt: skip
        three.on_message(sender, submit(number, client=client, session=session), 1.0)
    told = [(to, r.client_seq, r.seq, r.msg_no, r.count) for to, r in sent(all_hold(three), SubmitReply)]
    assert told == [("ann", 1, 4, 1, 2), ("bob", 1, 6, 3, 1), ("ann", 3, 7, 4, 2), ("second link", 4, 8, 5, 1)]


def test_an_opening_is_answered_alone() -> None:
    three = leader(3)
    three.on_message("ann", submit(0), 1.0)
    three.on_message("ann", submit(1), 1.0)
    told = [(to, r.client_seq, r.seq, r.msg_no, r.count) for to, r in sent(all_hold(three), SubmitReply)]
    assert told == [("ann", 0, 2, 0, 1), ("ann", 1, 3, 1, 1)]
    (again,) = [reply for _, reply in sent(three.on_message("ann", submit(0), 2.0), SubmitReply)]
    assert (again.seq, again.msg_no, again.count) == (2, 0, 1)


def test_a_retry_before_commit_waits_and_is_numbered_once() -> None:
    three = with_session()
    three.on_message("ann", submit(1), 1.0)
    assert three.on_message("ann", submit(1), 1.1) == []
    effects = all_hold(three)
    assert replies(effects) == [("ann", "ok", 1)] and len(of(effects, Deliver)) == 1


def test_a_retry_after_commit_is_answered_with_the_same_number() -> None:
    three = with_session()
    three.on_message("ann", submit(1), 1.0)
    all_hold(three)
    (to, reply) = sent(three.on_message("ann", submit(1), 2.0), SubmitReply)[0]
    assert (reply.status, reply.seq, reply.msg_no) == ("ok", 3, 1)


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (submit(3), "gap"),
        (submit(1, client="stranger"), "unknown_session"),
        (submit(1, text=" "), "denied"),
        (submit(1, text="bell \x07"), "denied"),
        (submit(1, text="x" * 70_000), "too_large"),
        (submit(1, text="é" * 40_000), "too_large"),
    ],
)
def test_what_cannot_be_taken_is_answered_with_the_reason(message: Submit, status: str) -> None:
    three = with_session()
    (to, reply) = sent(three.on_message("ann", message, 1.0), SubmitReply)[0]
    assert reply.status == status and reply.reason


def test_another_text_under_the_same_number_is_a_conflict() -> None:
    three = with_session()
    three.on_message("ann", submit(1, "one"), 1.0)
    assert replies(three.on_message("ann", submit(1, "two"), 1.0)) == [("ann", "conflict", 1)]


def test_markup_and_emoji_are_ordinary_text() -> None:
    assert refusal("main", "ann", "<b>hi</b> \U0001f44b שלום\n", Limits()) is None


def test_a_follower_passes_on_and_relays_the_answer() -> None:
    two = node(2)
    two.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.1)
    (to, passed) = sent(two.on_message("ann", submit(1), 0.2), Submit)[0]
    assert (to, passed.via, passed.hops) == (3, 2, 1)
    answer = SubmitReply("c", 1, "ok", seq=3, msg_no=1)
    assert two.on_message(3, answer, 0.3) == [Send("ann", answer)]


def test_a_follower_answers_itself_when_it_delivers_the_message() -> None:
    two = node(2)
    two.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.1)
    two.on_message("ann", submit(1), 0.2)
    entries = (Entry(1, 1, "barrier"), Entry(2, 1, "session", "c"), chat(3, text="hi", session=2))
    effects = two.on_message(3, Propose(1, Label(0, 0), entries, 3), 0.3)
    assert replies(effects) == [("ann", "ok", 1)]


def test_without_a_leader_a_follower_says_busy_at_once() -> None:
    (to, reply) = sent(node(2).on_message("ann", submit(1), 0.1), SubmitReply)[0]
    assert reply.status == "busy" and "no leader" in reply.reason


def test_a_leader_that_is_not_ready_keeps_messages_until_its_barrier_commits() -> None:
    from chatsys.protocol.decisions import Lead
    from chatsys.protocol.state import Role

    three = node(3)
    three.state.role = Role.PREPARING
    three.state.enter(1, promised_to=3)
    three._carry_out([Lead()], 0.0)
    assert three.on_message("ann", submit(0), 0.1) == []
    assert replies(all_hold(three) + all_hold(three)) == [("ann", "ok", 0)]


def test_whoever_waits_is_redirected_when_leadership_is_lost() -> None:
    three = with_session()
    three.on_message("ann", submit(1), 1.0)
    three.state.lease_valid = False
    assert replies(three.on_message(1, Prepare(2), 1.1)) == [("ann", "redirect", 1)]


def test_a_leader_about_to_hand_over_redirects() -> None:
    two = leader(2)
    two.state.handing_over = True
    assert replies(two.on_message("ann", submit(0), 1.0)) == [("ann", "redirect", 0)]


def test_a_leader_low_on_disk_space_says_busy() -> None:
    three = leader(3)
    three.on_command(DiskSpace(True), 1.0)
    assert replies(three.on_message("ann", submit(0), 1.0)) == [("ann", "busy", 0)]


def test_a_new_leader_knows_the_numbers_of_the_whole_log() -> None:
    """The table is rebuilt from the log: a retry after fail-over is recognised before it is delivered."""
    from chatsys.protocol.decisions import Lead
    from chatsys.protocol.state import Role

    two = node(2)
    entries = (Entry(1, 1, "barrier"), Entry(2, 1, "session", "c"), chat(3, text="hi", session=2))
    two.on_message(3, Propose(1, Label(0, 0), entries, 0), 0.1)
    two.state.role = Role.PREPARING
    two.state.enter(2, promised_to=2)
    two._carry_out([Lead()], 0.2)
    two.settle(0.2)
    two.on_message(2, Ack(2, True, match=4), 0.3)
    two.on_message("ann", submit(1), 0.3)
    assert two.log.last_seq == 4, "the retry got no second number"
    assert replies(two.on_message(1, Ack(2, True, match=4), 0.4)) == [("ann", "ok", 1)]


def test_the_same_message_in_the_log_twice_is_delivered_once() -> None:
    table = SessionTable(10)
    table.apply(Entry(1, 1, "session", "c"))
    message = chat(2, session=1)
    assert [table.apply(message), table.apply(message)] == ["new", "duplicate"]
    assert table.apply(chat(3, number=3, session=1)) == "gap"
    assert table.apply(chat(4, client="d", session=1)) == "unknown"


def test_the_session_idle_longest_expires_first() -> None:
    table = SessionTable(2)
    for seq, client in enumerate("ab", start=1):
        table.apply(Entry(seq, 1, "session", client))
    table.apply(chat(3, client="a", session=1))
    table.apply(Entry(4, 1, "session", "c"))
    assert list(table.sessions) == ["a", "c"]


def test_a_subscriber_gets_old_and_new_messages_with_their_numbers() -> None:
    three = with_session()
    three.on_message("ann", submit(1, "old"), 1.0)
    all_hold(three)
    three.on_message("bob", Subscribe(after=0), 1.5)
    assert [m.numbers for _, m in sent(three.settle(1.5), Delivered)] == [(1,)]
    three.on_message("ann", submit(2, "new"), 2.0)
    pushed = sent(all_hold(three, 2.0), Delivered)
    assert [(to, m.numbers, m.entries[0].text) for to, m in pushed] == [("bob", (2,), "new")]


def test_a_subscriber_that_asks_again_from_the_same_place_gets_it_again() -> None:
    three = with_session()
    three.on_message("ann", submit(1), 1.0)
    all_hold(three)
    for _ in range(2):
        three.on_message("bob", Subscribe(after=0), 1.5)
        assert len(sent(three.settle(1.5), Delivered)) == 1


def test_a_subscriber_may_ask_for_the_newest_messages_without_knowing_how_many_there_are() -> None:
    three = with_session()
    for number in range(1, 6):
        three.on_message("ann", submit(number, f"m{number}"), 1.0)
    all_hold(three)
    for wanted, numbers in (
        (Subscribe(last=2), [(4, 5)]), (Subscribe(last=2), [(4, 5)]), (Subscribe(4, last=3), [(5,)]),
        (Subscribe(last=9), [(1, 2, 3, 4, 5)]), (Subscribe(5, last=2), [()]),
    ):  # fmt: skip
        three.on_message("bob", wanted, 1.5)
        assert [m.numbers for _, m in sent(three.settle(1.5), Delivered)] == numbers, wanted


def test_a_subscriber_is_told_who_leads_at_once_and_when_that_changes() -> None:
    one = node(1)

    def told(now: float) -> list[int]:
        return [m.leader for _, m in sent(one.settle(now), Delivered)]

    one.on_message("bob", Subscribe(), 0.0)
    assert told(0.0) == [0] and told(0.1) == []
    one.on_message(3, Heartbeat(1, 1, 0, Label(0, 0)), 0.2)
    assert told(0.2) == [3] and told(0.3) == []
    one.on_message("bob", Subscribe(), 0.4)
    assert told(0.4) == [3], "it begins anew, so what was told may be lost"
    one.on_message(2, Heartbeat(2, 1, 0, Label(0, 0)), 0.5)
    assert told(0.5) == [2]


def test_a_subscriber_whose_link_closed_is_forgotten() -> None:
    three = with_session()
    three.on_message("bob", Subscribe(), 1.0)
    three.on_message("bob", LinkDown(), 1.1)
    assert three.sessions.subscribers.links == {}


def test_unsafe_a_subscriber_is_never_pushed_what_was_voided() -> None:
    two = node(2, quorum=1)
    two.on_message("ann", Subscribe(), 0.0)
    session = Entry(1, 1, "session", "c")
    two.on_message(3, Propose(1, Label(0, 0), (session, chat(2, session=1), chat(3, number=2, session=1)), 3), 0.1)
    effects = two.on_message(1, Propose(2, Label(1, 1), (Entry(2, 2, "barrier"),), 0), 0.1)
    assert len(of(effects, Note)) and two.log.last_seq == 2
    assert [m.entries for _, m in sent(two.settle(0.1), Delivered)] == [()]


def test_a_message_of_a_session_that_expired_is_never_called_ok() -> None:
    """It was numbered while its session was still known, but delivered after the session had expired."""
    three = with_session(limits=Limits(sessions=2))
    for number, client in enumerate(("d", "e")):
        three.on_message(client, submit(0, client=client), 1.0 + number / 10)
    three.on_message("ann", submit(1), 1.3)
    effects = all_hold(three, 1.3)
    assert of(effects, Deliver) == [] and replies(effects) == [("d", "ok", 0), ("e", "ok", 0)]
    assert replies(three.on_message("ann", submit(1), 1.4)) == [("ann", "unknown_session", 1)]


def test_a_session_that_a_late_copy_opened_again_takes_nothing_said_in_the_old_one() -> None:
    """Its name is its position: else copies of SUBMIT 0 and 1, late by many sessions, would say message 1 twice."""
    three = with_session(limits=Limits(sessions=1))
    three.on_message("ann", submit(1), 1.0)
    all_hold(three)
    three.on_message("bob", submit(0, client="d"), 1.1)
    all_hold(three)
    three.on_message("ann", submit(0), 1.2)
    assert replies(all_hold(three)) == [("ann", "ok", 0)], "opened again, at another position"
    assert replies(three.on_message("ann", submit(1), 1.3)) == [("ann", "unknown_session", 1)]
    assert replies(three.on_message("ann", submit(1, "new", session=three.log.last_seq), 1.3)) == []


def test_an_old_message_that_is_numbered_already_stays_unknown_in_a_session_opened_again() -> None:
    table = SessionTable(1)
    for entry in (Entry(1, 1, "session", "c"), Entry(2, 1, "session", "d"), Entry(3, 1, "session", "c")):
        assert table.apply(entry) == "new"
    assert table.apply(chat(4, session=1)) == "unknown"
    assert table.apply(chat(5, session=3)) == "new"


def test_nothing_is_remembered_ahead_once_all_is_delivered() -> None:
    three = with_session()
    for number in (1, 2, 3):
        three.on_message("ann", submit(number, f"text {number}"), 1.0)
    all_hold(three)
    assert three.sessions.ahead == {}
    assert replies(three.on_message("ann", submit(2, "text 2"), 2.0)) == [("ann", "ok", 2)]


def test_an_opening_carries_no_text_into_the_log() -> None:
    three = leader(3)
    three.on_message("ann", Submit("c", 0, "r" * 500_000, "a", "t" * 500_000), 1.0)
    assert three.log.entries[-1].kind == "session" and three.log.entries[-1].size < 1000


@pytest.mark.parametrize("name", ["", "x" * 65, "with space", "new\nline"])
def test_a_client_id_that_could_fill_a_frame_never_passes_the_wire(name: str) -> None:
    import msgspec

    frame = msgspec.json.encode(Submit(name, 0))
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(frame, type=Submit)


def test_a_run_of_answers_is_passed_back_once_to_each_who_waits() -> None:
    one = node(1)
    one.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.1)
    for number, link in ((1, "ann"), (2, "ann"), (3, "ann"), (2, "second link")):
        one.on_message(link, submit(number), 1.0)
    run = SubmitReply("c", 1, "ok", seq=3, msg_no=1, count=2)
    assert of(one.on_message(3, run, 1.1), Send) == [Send("ann", run), Send("second link", run)]
    assert list(one.sessions.forwarding.waiting) == [("c", 3)]


def test_a_run_of_answers_longer_than_all_that_wait_is_passed_back_for_its_own_numbers_only() -> None:
    one = node(1)
    one.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.1)
    for number, link in ((1, "ann"), (3, "bob"), (900, "eve")):
        one.on_message(link, submit(number), 1.0)
    run = SubmitReply("c", 1, "ok", seq=3, msg_no=1, count=500)
    assert of(one.on_message(3, run, 1.1), Send) == [Send("ann", run), Send("bob", run)]
    assert list(one.sessions.forwarding.waiting) == [("c", 900)]
