"""Sessions, rule by rule: who is told to wait, who is named as the leader, and what an unsafe cluster delivers anew."""

from typing import Any

import pytest
from by_hand import chat, leader, node, of, sent
from test_sessions import all_hold, replies, submit, with_session

from chatsys.actor.effects import Append, Deliver
from chatsys.actor.events import LinkDown, StandDown
from chatsys.config import Limits
from chatsys.protocol.decisions import Lead
from chatsys.protocol.messages import (
    Coordinator,
    Delivered,
    Entry,
    HeartbeatAck,
    Label,
    PeerInfo,
    Propose,
    SubmitReply,
    Subscribe,
)
from chatsys.protocol.node import Node
from chatsys.protocol.serving.subscribers import CREDIT, PAUSE
from chatsys.protocol.session_table import SessionTable
from chatsys.protocol.state import Role


def not_ready(waiting: int) -> Node:
    """A leader whose barrier is not committed, and which keeps so many messages."""
    three = node(3, limits=Limits(waiting_submits=waiting))
    three.state.role = Role.PREPARING
    three.state.enter(1, promised_to=3)
    three._carry_out([Lead()], 0.0)
    return three


def about_to_stop(waiting: int) -> Node:
    """A leader that was told to stop, and has asked node 2 to take over."""
    three = leader(3, limits=Limits(waiting_submits=waiting))
    three.on_command(StandDown(), 1.0)
    for peer in (1, 2):
        three.on_message(peer, HeartbeatAck(1, True, 1, 1), 1.0)
    assert three.state.handing_over
    return three


@pytest.mark.parametrize("kept", [not_ready, about_to_stop])
def test_a_leader_keeps_so_many_messages_for_later_and_tells_the_others_to_ask_again(kept: Any) -> None:
    three = kept(2)
    said = [replies(three.on_message(f"link {number}", submit(0, client=f"c{number}"), 1.1)) for number in range(4)]
    assert said == [[], [], [("link 2", "busy", 0)], [("link 3", "busy", 0)]]


def test_what_is_kept_is_taken_up_when_the_leader_is_ready_and_not_before() -> None:
    three = not_ready(2)
    three.on_message("ann", submit(0), 0.1)
    assert three.sessions.deliver(0.2) == [] and len(three.sessions.held) == 1
    all_hold(three, 0.3)
    assert three.log.entries[-1].kind == "session" and three.sessions.held == []


def test_only_a_redirect_names_the_leader_and_none_names_the_node_itself() -> None:
    one = node(1)
    one.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.2)
    ((_, away),) = sent(one.on_message(2, submit(0), 0.3) and one.on_message(3, submit(0), 0.3), SubmitReply)
    assert (away.status, away.leader) == ("redirect", one.state.members.peer(3))
    one.on_message(3, LinkDown(), 0.4)
    ((_, busy),) = sent(one.on_message("ann", submit(0), 0.5), SubmitReply)
    assert (busy.status, busy.leader) == ("busy", None)
    three = leader(3)
    three.state.handing_over = True
    ((_, own),) = sent(three.on_message("ann", submit(0), 1.0), SubmitReply)
    assert (own.status, own.leader) == ("redirect", None), "this node is the leader, but not for long"


def test_whom_to_answer_is_forgotten_after_two_sweeps() -> None:
    one = node(1)
    one.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.2)
    one.on_message("ann", submit(0), 0.3)
    sessions, sweep = one.sessions, one.sessions.timing.client_retry_max
    assert sessions.alarms.dates["sweep"] == 0.3 + sweep
    assert sessions.on_time(0.3 + sweep) == [] and len(sessions.forwarding) == 1
    assert sessions.alarms.dates["sweep"] == 0.3 + 2 * sweep
    sessions.on_time(0.3 + 2 * sweep)
    assert len(sessions.forwarding) == 0 and "sweep" not in sessions.alarms


def test_an_opening_that_is_on_its_way_is_not_numbered_again() -> None:
    assert SessionTable(4).continues(Entry(5, 1, "session", "c"), [])
    three = leader(3)
    first = of(three.on_message("ann", submit(0), 1.0), Append)
    assert first and of(three.on_message("ann", submit(0), 1.1), Append) == []


def test_the_past_goes_out_with_pauses_that_nothing_puts_off() -> None:
    three = leader(3)
    three.log.commit = 0
    three.sessions.chat = [1] * (2 * CREDIT)
    three.on_message("bob", Subscribe(), 1.0)
    assert len(sent(three.sessions.settle(1.0), Delivered)) == 1
    assert three.sessions.alarms.dates["push"] == 1.0 + PAUSE
    three.sessions.settle(1.0 + PAUSE / 2)
    assert three.sessions.alarms.dates["push"] == 1.0 + PAUSE
    level = with_session()
    level.on_message("bob", Subscribe(), 1.0)
    level.settle(1.0)
    assert "push" not in level.sessions.alarms


def test_unsafe_what_was_voided_is_forgotten_before_anything_else_is_delivered() -> None:
    """Node 3's messages 1 and 2 stand at 2 and 3; node 1, which leads next, has another one at 3."""
    two = node(2, quorum=1)
    session = Entry(1, 1, "session", "c")
    effects = two.on_message(3, Propose(1, Label(0, 0), (session, chat(2), chat(3, number=2)), 3), 0.1)
    assert [one.text for run in of(effects, Deliver) for one in run.items] == ["text 2", "text 3"]
    entries = (Entry(3, 2, "barrier"), chat(4, term=2, text="another", number=2))
    effects = two.on_message(1, Propose(2, Label(1, 2), entries, 4), 0.2)
    assert [(one.msg_no, one.text) for run in of(effects, Deliver) for one in run.items] == [(2, "another")]
    assert (two.sessions.chat, two.sessions.delivered, two.state.messages) == ([2, 4], 4, 2)
    assert two.sessions.table.sessions == {"c": [1, 2, 4]}


def test_unsafe_what_was_voided_is_forgotten_even_if_nothing_follows() -> None:
    two = node(2, quorum=1)
    session = Entry(1, 1, "session", "c")
    two.on_message(3, Propose(1, Label(0, 0), (session, chat(2), chat(3, number=2)), 3), 0.1)
    two.on_message(1, Propose(2, Label(1, 2), (Entry(3, 2, "barrier"),), 0), 0.2)
    two.settle(0.2)
    assert (two.sessions.chat, two.sessions.delivered, two.state.messages) == ([2], 2, 1)
    assert two.sessions.table.sessions == {"c": [1, 2]} and two.log.rewound is None


def test_who_waits_is_counted_for_people_wherever_its_message_is() -> None:
    one = node(1)
    one.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.2)
    one.on_message("ann", submit(0), 0.3)
    one.sessions.held.append(("bob", submit(0, client="d")))
    assert one.status()["waiting"] == 2
