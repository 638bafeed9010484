"""Whose disk it is: who is remembered, who is refused, and what people decide, by hand."""

from random import Random
from typing import Any

import pytest
from by_hand import config

from chatsys.actor.effects import Append, Note, Send
from chatsys.actor.events import Accept, Identity, LinkDown, LinkUp, Stop
from chatsys.config import ClusterConfig
from chatsys.errors import DamagedLog, RefusedIdentity
from chatsys.protocol.messages import Ack, Join, JoinAck, Promise
from chatsys.protocol.node import Node
from chatsys.protocol.recovery import NONCES, replay
from chatsys.protocol.state import FOLDERS, NUMBERS_A_FOLDER, NUMBERS_A_LIFE, Role
from chatsys.protocol.storage import Accepted, Boot, Promised, Remembered

pytestmark = pytest.mark.quick


def node(me: int = 1, chosen: ClusterConfig | None = None, *records: object) -> Node:
    one = Node(me, chosen or config(), Random(1))
    one.christen(Random(me))
    one.recover(records)  # type: ignore[arg-type]
    one.start(0.0)
    one.settle(0.0)
    return one


def up(life: int, name: str = "9f", *nonces: str) -> LinkUp:
    return LinkUp(life, Identity(name, nonces or (f"n{life}",)))


def records(effects: list[Any]) -> list[Any]:
    return [record for effect in effects if isinstance(effect, Append) for record in effect.items]


def told(effects: list[object]) -> list[JoinAck]:
    sent = [effect.message for effect in effects if isinstance(effect, Send)]
    return [one for one in sent if isinstance(one, JoinAck) and one.status == "refused"]


def test_a_folder_is_named_once_and_each_life_has_a_nonce_of_its_own() -> None:
    one = Node(1, config(), Random(1))
    one.christen(Random(7))
    one.recover(())
    (first,) = records(one.start(0.0))
    again = Node(1, config(), Random(1))
    again.christen(Random(8))
    again.recover((first,))
    (second,) = records(again.start(0.0))
    assert isinstance(first, Boot) and isinstance(second, Boot)
    assert len(first.identity) == 32 and len(first.nonce) == 16
    assert (second.identity, second.incarnation) == (first.identity, 2) and second.nonce != first.nonce
    assert again.identity == Identity(first.identity, (first.nonce, second.nonce))


def test_a_world_that_gives_no_names_has_none_and_judges_nobody() -> None:
    one = Node(1, config(), Random(1))
    (boot,) = records(one.start(0.0))
    assert isinstance(boot, Boot) and (boot.identity, boot.nonce) == ("", "")
    one.on_message(2, LinkUp(3), 0.0)
    one.on_message(2, LinkUp(1), 0.0)
    assert one.state.met == {} and one.state.refused == {}


def test_whoever_is_met_is_written_down_with_the_next_records_and_remembered_over_a_restart() -> None:
    one = node()
    assert records(one.on_message(2, up(3), 0.0) + one.settle(0.0)) == []
    assert records(one.on_message(3, Join(3), 0.0) + one.settle(0.0)) == []
    written = records(one.on_command(Accept(3), 0.0) + one.settle(0.0))
    assert written == [Accepted(3), Remembered(2, "9f", 3, "n3")]
    assert replay((Boot(1, "chat", 1), *written)).met == (Remembered(2, "9f", 3, "n3"),)


@pytest.mark.parametrize(
    ("link", "why"),
    [
        (up(1, "30"), "runs on the data folder 30, and was met on the folder 9f"),
        (up(9, "30"), "runs on the data folder 30, and was met on the folder 9f"),
        (up(2), "is in its life 2, and was met in life 3: its data folder is an older copy"),
        (up(3, "9f", "other"), "its life 3 is not the one that was met"),
        (up(5, "9f", "other", "n4", "n5"), "its life 3 is not the one that was met"),
    ],
)
def test_what_cannot_follow_is_refused_told_and_shut_out(link: LinkUp, why: str) -> None:
    one = node()
    one.on_message(2, up(3), 0.0)
    effects = one.on_message(2, link, 1.0)
    (refusal,) = told(effects)
    assert (
        why in refusal.reason and "accept(2)" in refusal.reason and refusal.reason.startswith("Node 1 refuses node 2")
    )
    assert (refusal.code, refusal.nonce) == ("identity", link.identity.nonces[-1])
    assert told(one.on_message(2, Join(2), 1.0)) == [refusal], "it asks again, and is told again"
    assert told(one.on_message(2, Promise(9, False), 1.0)) == [refusal] and one.state.term == 0


@pytest.mark.parametrize("link", [up(3), up(4, "9f", "n3", "n4"), up(40, "9f", *(f"x{k}" for k in range(NONCES)))])
def test_what_follows_is_taken_in_however_long_it_was_away(link: LinkUp) -> None:
    one = node()
    one.on_message(2, up(3), 0.0)
    assert any(isinstance(effect, Send) and isinstance(effect.message, Join) for effect in one.on_message(2, link, 1.0))
    assert one.state.refused == {} and one.state.met[2].incarnation == link.incarnation


def test_an_unsafe_cluster_tells_of_another_disk_and_goes_on() -> None:
    one = node(1, config(quorum=1))
    one.on_message(2, up(3), 0.0)
    effects = one.on_message(2, up(1, "30"), 1.0)
    assert [effect.kind for effect in effects if isinstance(effect, Note)] == ["anomaly"]
    assert one.state.refused == {} and one.state.met[2].name == "30"


def test_a_node_that_is_refused_stops_unless_another_life_of_it_was_meant() -> None:
    one = node()
    nonce = one.identity.nonces[-1]
    late = JoinAck("refused", 1, (1, 2, 3), reason="old news", code="identity", nonce="of the old disk")
    assert [type(effect) for effect in one.on_message(2, late, 0.0)] == [Note]
    with pytest.raises(RefusedIdentity, match="Node 2 refuses you"):
        one.on_message(
            2, JoinAck("refused", 1, (1, 2, 3), reason="Node 2 refuses you", code="identity", nonce=nonce), 0.0
        )


def test_accepting_forgets_one_disk_for_good_and_meets_the_new_one_at_once_if_it_is_there() -> None:
    one = node()
    one.on_message(2, up(3), 0.0)
    one.on_message(3, up(1, "77"), 0.0)
    one.on_message(2, up(1, "30"), 0.1)
    written = records(one.on_command(Accept(2), 0.2) + one.settle(0.2))
    assert written == [Accepted(2), Remembered(3, "77", 1, "n1"), Remembered(2, "30", 1, "n1")]
    assert one.state.refused == {}
    assert told(one.on_message(3, up(1, "other"), 3.0)), "the others are remembered as before"


def test_accepting_a_disk_that_is_to_come_takes_in_the_next_one_and_that_one_only() -> None:
    one = node()
    one.on_message(2, up(3), 0.0)
    assert records(one.on_command(Accept(2), 0.1)) == []
    one.on_message(2, LinkDown(), 0.2)
    assert records(one.on_message(2, up(1, "30"), 0.3)) == [Accepted(2)] and one.state.met[2].name == "30"
    assert told(one.on_message(2, up(1, "31"), 0.4)), "it was accepted once"


def test_an_order_to_accept_oneself_or_a_stranger_changes_nothing() -> None:
    one = node()
    for stranger in (1, 9):
        assert records(one.on_command(Accept(stranger), 0.0)) == []


def test_an_emptied_folder_repeats_no_number_of_its_first_life() -> None:
    first, second = node(), node()
    second.state.identity = Identity("ffffffff" + 24 * "0", ("n",))
    assert first.state.next_number(0) != second.state.next_number(0) < 2**53  # SPECIFICATION R2.7
    assert (FOLDERS - 1) * NUMBERS_A_FOLDER + 2000 * NUMBERS_A_LIFE < 2**53


def test_lives_of_two_folders_in_one_log_are_damage() -> None:
    with pytest.raises(DamagedLog, match="a life of the folder 30 follows one of the folder 9f"):
        replay((Boot(1, "chat", 1, identity="9f", nonce="a"), Boot(2, "chat", 1, identity="30", nonce="b")), "here")


def test_what_a_log_means_is_the_same_after_it_was_written_anew() -> None:
    lives = [Boot(life, "chat", 1, identity="9f", nonce=f"n{life}") for life in range(1, NONCES + 9)]
    found = replay(
        (*lives, Promised(1, 3), Remembered(2, "30", 1, "x"), Remembered(3, "31", 1, "y"), Accepted(3)), "here"
    )
    assert len(found.boots) == NONCES and found.met == (Remembered(2, "30", 1, "x"),)
    assert replay(found.records(), "here") == found


def leader() -> Node:
    """Return node 3, which leads term 1 and knows that node 2 acknowledged everything up to 1 in its life 3."""
    three = node(3)
    for peer in (1, 2):
        three.on_message(peer, up(3, f"disk {peer}"), 0.0)
    three.state.enter(1, promised_to=3)
    three.state.role = Role.PREPARING
    three._lead(0.0)
    three.on_message(2, Ack(1, True, 1), 0.1)
    return three


def test_a_leader_refuses_a_follower_that_lacks_what_it_acknowledged_in_an_earlier_life() -> None:
    three = leader()
    three.on_message(2, up(4, "disk 2", "n3", "n4"), 1.0)
    assert told(three.on_message(2, Ack(1, False, hint=0, at=2), 1.1)) == [], (
        "that it lacks what comes later says nothing"
    )
    (refusal,) = told(three.on_message(2, Ack(1, False, hint=0, at=1), 1.2))
    assert "lacks position 1, though it had acknowledged everything up to 1" in refusal.reason
    again = told(three.on_message(2, up(5, "disk 2", "n3", "n4", "n5"), 2.0))
    assert again and "older copy" in again[0].reason, "a restart gives nothing back"


def test_the_same_life_may_say_that_it_lacks_something_for_that_is_an_old_answer() -> None:
    three = leader()
    assert told(three.on_message(2, Ack(1, False, hint=0, at=1), 0.2)) == []
    three.on_message(2, up(3, "disk 2"), 0.3)
    assert told(three.on_message(2, Ack(1, False, hint=0, at=1), 0.4)) == []


def test_what_the_old_disk_acknowledged_counts_no_more_once_another_one_is_there() -> None:
    three = leader()
    three.sequencer.own_match = 0
    assert sorted(p.match for p in three.sequencer.progress.values()) == [0, 1]
    three.on_message(2, up(1, "new"), 1.0)
    three.sequencer.own_match = 1
    assert three.sequencer.held_by_quorum() == 0
    three.on_command(Accept(2), 2.0)
    assert three.sequencer.held_by_quorum() == 0 and three.sequencer.progress[2].match == 0


def test_a_disk_that_is_new_is_written_down_within_a_heartbeat_and_at_a_clean_stop() -> None:
    one = node()
    one.on_message(2, up(3), 0.0)
    assert records(one.on_time(0.7)) == [] and records(one.on_time(0.8)) == [Remembered(2, "9f", 3, "n3")]
    one.on_message(2, up(4, "9f", "n3", "n4"), 1.0)
    assert records(one.on_time(2.0)) == [], "a new life of a known disk can wait"
    assert records(one.on_command(Stop(), 2.0))[0] == Remembered(2, "9f", 4, "n4")


def test_two_that_refuse_each_other_do_not_answer_each_others_refusals_for_ever() -> None:
    old = node(1, None, Boot(1, "chat", 1, identity="a1", nonce="x1"), Remembered(2, "b1", 1, "y1"))
    new = node(2, None, Boot(1, "chat", 2, identity="b2", nonce="z1"), Remembered(1, "a1", 5, "x5"))
    nodes = {1: old, 2: new}
    wire = [(2, one) for one in told(old.on_message(2, LinkUp(2, new.identity), 0.0))]
    wire += [(1, one) for one in told(new.on_message(1, LinkUp(2, old.identity), 0.0))]
    assert len(wire) == 2 and old.state.refused and new.state.refused
    for to, refusal in wire:
        assert told(nodes[to].on_message(3 - to, refusal, 0.1)) == [], "an older copy may not end a sound node either"
    assert told(old.on_message(2, Join(2), 0.2)), "what else it sends is answered"
