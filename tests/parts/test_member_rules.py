"""A member's parts, rule by rule: disks that are met again, the first leader, an election's episodes, a departure."""

from collections.abc import Mapping
from typing import Any

import pytest
from by_hand import of, part, sent
from test_departure import answer, leaving
from test_election import DOUBT, FIRST, nominated
from test_failure import leading
from test_identity import leader as with_a_disk
from test_identity import node, records, told, up
from test_membership import NONE_KNOWN

from chatsys.actor.effects import Append, Note
from chatsys.actor.events import Accept, LinkDown
from chatsys.protocol.decisions import HandOver, Yield
from chatsys.protocol.election import Bully
from chatsys.protocol.failure import BEATS_BEFORE_HAND_OVER, Detector
from chatsys.protocol.membership import Membership
from chatsys.protocol.messages import Ack, Heartbeat, HeartbeatAck, Join, JoinAck, Label, Ok
from chatsys.protocol.state import Role
from chatsys.protocol.storage import Accepted

# --- disks --------------------------------------------------------------------------------------


def test_that_a_refused_member_is_gone_is_heard_all_the_same() -> None:
    one = node()
    one.on_message(2, up(3), 0.0)
    one.on_message(2, up(1, "30"), 0.1)
    assert 2 in one.state.refused
    one.on_message(2, LinkDown(), 0.2)
    assert 2 in one.state.down and 2 not in one.identities.links


def test_a_member_on_another_disk_is_told_so_and_not_greeted() -> None:
    one = node()
    one.on_message(2, up(3), 0.0)
    one.on_message(2, LinkDown(), 0.1)
    effects = one.on_message(2, up(1, "30"), 0.2)
    assert told(effects) and sent(effects, Join) == [] and 2 in one.state.down


def test_the_true_disk_is_taken_in_after_an_older_copy_of_it_was_refused() -> None:
    one = node()
    one.on_message(2, up(3, "9f", "n2", "n3"), 0.0)
    assert told(one.on_message(2, up(2, "9f", "n1", "n2"), 0.1))
    assert told(one.on_message(2, up(4, "9f", "n2", "n3", "n4"), 0.2)) == [] and one.state.refused == {}


def test_of_who_lacks_what_it_acknowledged_the_life_is_remembered_in_which_that_was_seen() -> None:
    three = with_a_disk()
    three.on_message(2, up(4, "disk 2", "n3", "n4"), 1.0)
    assert told(three.on_message(2, Ack(1, False, hint=0, at=1), 1.2))
    assert three.identities.disowned == {2: "n4"}
    three.identities.refuse(1, "it runs elsewhere")
    assert three.identities.disowned == {2: "n4"}


def test_who_was_met_is_written_once() -> None:
    one = node()
    one.on_message(2, up(3), 0.0)
    assert "write" in one.identities.alarms
    assert len(records(one.identities.unwritten())) == 1 and "write" not in one.identities.alarms


def test_only_members_say_that_a_disk_is_refused() -> None:
    one = node()
    refusal = JoinAck("refused", 1, (1, 2, 3), reason="no", code="identity", nonce=one.identity.nonces[-1])
    for stranger in (9, "a client"):
        assert one.identities.on_message(stranger, refusal, 0.0) == []


def test_people_hear_what_becomes_of_an_order_to_accept() -> None:
    one = node()
    assert one.identities.accept(2) == [Append(Accepted(2))], "nobody is there yet"
    one.on_message(2, up(3), 0.1)
    assert [(note.kind, note.peer) for note in of(one.on_command(Accept(2), 0.2), Note)] == [("membership", 2)]


# --- the first leader ---------------------------------------------------------------------------


def test_whoever_has_met_a_leader_or_stands_already_does_not_use_the_start_rule() -> None:
    met = part(Membership, me=3)
    met.state.set_leader(2)
    met.state.set_leader(None)
    standing = part(Membership, me=3)
    standing.state.role = Role.DEFERRING
    for three in (met, standing):
        three.on_message(1, NONE_KNOWN, 0.0)
        assert three.on_message(2, NONE_KNOWN, 0.0) == [] and not three.nominated


def test_that_somebody_refuses_is_told_with_its_name() -> None:
    (note,) = part(Membership).on_message(1, JoinAck("refused", 1, (1, 2, 3), reason="no"), 0.0)
    assert (note.kind, note.peer, note.reason) == ("membership", 1, "refused: no")


# --- elections ----------------------------------------------------------------------------------


def test_a_leader_waits_for_no_answer_any_more_and_may_stand_back_again() -> None:
    two = nominated(2)
    two.may_defer = False
    two.lead(0.1)
    assert (two.alarms.dates, two.may_defer, two.backing_off) == ({}, True, False)


def test_a_node_that_nominates_itself_again_no_longer_waits_for_the_higher_one() -> None:
    one = nominated(1)
    one.on_message(2, Ok(0, FIRST, "support"), now=0.1)
    effects = one.on_message(3, Ok(0, FIRST, "takeover"), now=0.1)
    assert [note.reason for note in of(effects, Note)] == ["node 3 is higher and answered"]
    assert set(one.alarms.dates) == {"defer"}
    one.nominate(DOUBT, now=0.2)
    assert set(one.alarms.dates) == {"answer"}


class Undecided(Bully):
    """An election of one's own that never says whether this node may claim the lead."""

    def may_claim(self, answers: Mapping[int, str], time_is_up: bool) -> bool | None:
        return None


def test_whoever_cannot_decide_stands_back_when_the_time_is_up() -> None:
    two = part(Undecided, me=2)
    two.nominate(DOUBT, now=0.0)
    assert two.on_message(1, Ok(0, FIRST, "support"), now=0.1) == []
    two.on_time(now=0.5)
    assert two.state.role is Role.DEFERRING


# --- silence and space --------------------------------------------------------------------------


def test_a_leader_that_is_about_to_stop_leaves_the_choice_of_its_successor_to_the_departure() -> None:
    def handed_over(leaving: bool) -> list[Any]:
        two: Detector = leading(2)
        two.state.leaving = leaving
        effects: list[Any] = []
        for number in range(1, BEATS_BEFORE_HAND_OVER + 1):
            two.on_alarm("beat", float(number))
            effects += two.on_message(3, HeartbeatAck(1, True, number, 0), float(number))
        return of(effects, HandOver)

    assert handed_over(False) == [HandOver(3)] and handed_over(True) == []


# --- departure ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("gone", "over"), [((1,), False), ((1, 2), False), ((1, 2, 4), True)])
def test_it_waits_as_long_as_enough_are_there_to_elect_another_leader(gone: tuple[int, ...], over: bool) -> None:
    five, _ = leaving(nodes=5)
    for peer in gone:
        five.on_message(peer, LinkDown(), 1.1)
    assert five.departure.over is over
    late, _ = leaving(nodes=5)
    late.state.down.update(gone)
    late.departure.over = False
    late.departure.on_alarm("look", 1.6)
    assert late.departure.over is over


def test_who_gave_the_lead_away_asks_nobody_else() -> None:
    three, _ = leaving()
    three.departure.follow(1.1, Yield("another one leads"))
    three.state.role = Role.FOLLOWER
    assert three.departure.on_message(2, answer(), 1.2) == [] and three.departure.able == {}


def test_a_heartbeat_of_the_leader_is_what_a_node_has_met() -> None:
    one = node()
    assert not one.state.met_leader
    one.on_message(3, Heartbeat(1, 1, 0, Label(0, 0)), 0.1)
    assert one.state.met_leader
