"""The retrying client, rule by rule: which answers count, when it waits, and what it says of itself."""

from typing import Any

import pytest
from by_hand import of, sent
from test_client import client, numbers, opened, reply, say

from chatsys.actor.effects import Note
from chatsys.actor.events import LinkDown, LinkUp, Say
from chatsys.protocol.messages import Delivered, PeerInfo, SubmitReply, Subscribe
from chatsys.protocol.public import Heard, public


def test_what_is_said_and_acknowledged_is_noted_whole() -> None:
    ann = client()
    ann.on_command(Say("hello", room="yard", author="Ann"), 0.0)
    ann.settle(0.0)
    said = of(reply(ann, 0), Note) + of(reply(ann, 1, seq=5, msg_no=2), Note)
    whole = {"client": public(ann.client_id), "client_seq": 1, "room": "yard", "author": "Ann", "text": "hello"}
    assert said == [Note("submit", peer=1, **whole), Note("ack", seq=5, msg_no=2, **whole)]  # type: ignore[arg-type]


def test_only_a_redirect_names_another_node_and_a_sticky_client_follows_none() -> None:
    ann = opened()
    reply(ann, 1, "gap", sender=3, leader=PeerInfo(2, ""))
    assert ann.target == 1
    sticky = opened(home=1, sticky=True)
    reply(sticky, 1, "redirect", sender=2, leader=PeerInfo(3, ""))
    assert sticky.target == 1


def test_an_answer_to_the_opening_counts_until_the_session_is_open() -> None:
    ann = client()
    say(ann, "one")
    assert ann.settle(0.05) == [], "it was asked for already"
    assert [note.reason for note in of(reply(ann, 0, "busy"), Note)] == ["busy"]
    assert "soon" in ann.alarms and ann.target == 2
    assert reply(ann, 1, "busy") == reply(ann, 7, "busy") == [], "no such message is under way"
    late = opened()
    assert reply(late, 0, "busy") == [] and "soon" not in late.alarms


def test_a_second_refusal_within_a_pause_neither_moves_on_nor_lengthens_it() -> None:
    ann = opened()
    reply(ann, 1, "busy", sender=1, now=0.1)
    soon, target = ann.alarms.dates["soon"], ann.target
    reply(ann, 2, "busy", sender=1, now=0.11)
    assert (ann.alarms.dates["soon"], ann.target) == (soon, target) == (soon, 2)


def test_what_is_said_during_a_pause_waits_for_its_end() -> None:
    ann = opened()
    reply(ann, 1, "busy", now=0.1)
    assert numbers(say(ann, "three", now=0.11)) == []
    ann.on_time(0.4)
    assert numbers(ann.settle(0.4)) == [(2, 1), (2, 2), (2, 3)]


def test_nothing_that_happens_meanwhile_puts_a_retry_off_and_an_idle_client_has_none() -> None:
    ann = opened()
    due = ann.alarms.dates["retry"]
    ann.settle(0.5)
    ann.on_message(3, LinkUp(2), 0.6)
    assert ann.settle(0.6) == [] and ann.alarms.dates["retry"] == due
    reply(ann, 1, seq=5)
    reply(ann, 2, seq=6)
    assert ann.idle and not ann.alarms.dates


@pytest.mark.parametrize("listen", [False, True])
def test_a_link_that_comes_back_is_asked_all_anew_and_another_one_nothing(listen: bool) -> None:
    ann = opened(listen=listen)
    ann.on_message(2, LinkUp(2), 0.5)
    assert ann.settle(0.5) == []
    ann.on_message(1, LinkUp(2), 0.6)
    effects = ann.settle(0.6)
    assert numbers(effects) == [(1, 1), (1, 2)]
    assert sent(effects, Subscribe) == ([(1, Subscribe(0))] if listen else [])


def test_a_push_is_confirmed_now_and_then_and_not_each_time() -> None:
    ann = client(listen=True)
    ann.settle(0.0)
    assert sent(ann.on_message(1, Delivered((Heard(2, text="a"),), (1,)), 0.1), Subscribe) == []


def test_what_another_node_pushes_and_what_another_client_is_told_are_not_for_this_one() -> None:
    ann = opened(listen=True)
    other: Any = SubmitReply("another client", 1, "ok", seq=9)
    assert ann.on_message(2, Delivered((Heard(2, text="a"),), (1,)), 0.1) == ann.on_message(1, other, 0.1) == []
    ann.on_message(3, LinkDown(), 0.2)
    assert ann.target == 1 and list(ann.under_way) == [1, 2]
