"""Bully election, one part by hand."""

from collections.abc import Mapping
from typing import Any

import pytest
from by_hand import of, part, sent

from chatsys.actor.effects import Note, Send
from chatsys.actor.events import LinkDown
from chatsys.check import check
from chatsys.protocol.decisions import Stand, Suspect, Yield
from chatsys.protocol.election import Bully
from chatsys.protocol.messages import Election, Heartbeat, Label, Ok, PeerInfo
from chatsys.protocol.state import Role
from chatsys.sim.world import World

DOUBT = Suspect("test")
FIRST = 1_000_001
"""The first round of the first life."""


def nominated(me: int = 2, **rest: Any) -> Bully:
    bully: Bully = part(Bully, me=me, **rest)
    bully.nominate(DOUBT, now=0.0)
    return bully


def test_a_nominee_asks_every_other_member() -> None:
    bully = part(Bully, me=2)
    effects = bully.nominate(DOUBT, now=0.0)
    assert sent(effects, Election) == [(1, Election(0, FIRST)), (3, Election(0, FIRST))]
    assert bully.state.role is Role.NOMINATING


def test_a_nominee_with_a_quorum_and_no_rival_stands_when_the_answers_are_due() -> None:
    two = nominated(2)
    assert two.on_message(1, Ok(0, FIRST, "support"), now=0.1) == []
    assert two.on_time(now=0.5) == [Stand()]


def test_the_highest_stands_as_soon_as_a_quorum_supports_it() -> None:
    assert nominated(3).on_message(1, Ok(0, FIRST, "support"), now=0.1) == [Stand()]


def test_a_nominee_stands_back_for_a_higher_one_that_takes_over() -> None:
    one = nominated(1)
    one.on_message(2, Ok(0, FIRST, "support"), now=0.1)
    one.on_message(3, Ok(0, FIRST, "takeover"), now=0.1)
    assert one.state.role is Role.DEFERRING


def test_it_stands_back_only_once_and_then_stands() -> None:
    one = nominated(1)
    one.on_message(2, Ok(0, FIRST, "takeover"), now=0.1)
    one.on_message(3, Ok(0, FIRST, "takeover"), now=0.1)
    effects = one.on_time(now=2.1)
    assert len(sent(effects, Election)) == 2
    one.on_message(2, Ok(0, FIRST + 1, "takeover"), now=2.2)
    assert one.on_message(3, Ok(0, FIRST + 1, "takeover"), now=2.2) == [Stand()]


def test_hearing_a_leader_gives_back_the_right_to_stand_back() -> None:
    one = nominated(1)
    one.may_defer = False
    one.follow(1.0, Yield("heard", leader=3))
    assert one.may_defer


def test_a_failed_nomination_does_not_give_it_back() -> None:
    one = nominated(1)
    one.may_defer = False
    one.follow(1.0, Yield("failed", back_off=True))
    assert not one.may_defer


def test_without_a_quorum_the_nominee_backs_off_and_burns_no_term() -> None:
    two = nominated(2)
    assert two.on_time(now=0.5) == [Yield("only 1 of 2 support this node", back_off=True)]
    assert two.state.term == 0


def test_an_answer_to_an_earlier_round_or_life_does_not_count() -> None:
    two = nominated(2)
    for stale in (FIRST - 1, 1, 0):
        assert two.on_message(1, Ok(0, stale, "support"), now=0.1) == []
    assert of(two.on_time(now=0.5), Yield)


def test_alive_counts_in_no_quorum() -> None:
    three = nominated(3)
    three.on_message(1, Ok(0, FIRST, "alive", PeerInfo(2, "")), now=0.1)
    three.on_message(2, Ok(0, FIRST, "alive", PeerInfo(2, "")), now=0.1)
    assert of(three.on_time(now=0.5), Yield)


def test_a_higher_node_takes_over_and_nominates_itself() -> None:
    three = part(Bully, me=3)
    effects = three.on_message(1, Election(0, 7), now=0.0)
    assert effects[0] == Send(1, Ok(0, 7, "takeover"))
    assert of(effects, Suspect) and of(effects, Note)


def test_a_lower_node_supports() -> None:
    assert part(Bully, me=1).on_message(3, Election(0, 7), now=0.0) == [Send(3, Ok(0, 7, "support"))]


def test_whoever_trusts_a_leader_answers_alive_and_names_it() -> None:
    one = part(Bully, me=1)
    one.state.leader, one.state.trust = 3, True
    answer = sent(one.on_message(2, Election(0, 7), now=0.0), Ok)[0][1]
    assert answer.verdict == "alive" and answer.leader.node == 3


def test_a_node_that_backs_off_supports_instead_of_taking_over() -> None:
    three = part(Bully, me=3)
    three.backing_off = True
    assert three.on_message(1, Election(0, 7), now=0.0) == [Send(1, Ok(0, 7, "support"))]


def test_a_stranger_is_answered_no() -> None:
    assert part(Bully).on_message(9, Election(0, 7), now=0.0) == [Send(9, Ok(0, 7, "no"))]


def test_a_higher_node_whose_link_is_down_needs_not_be_waited_for() -> None:
    two = part(Bully, me=2)
    two.state.down.add(3)
    two.nominate(DOUBT, now=0.0)
    assert two.on_message(1, Ok(0, FIRST, "support"), now=0.01) == [Stand()]


def test_a_higher_node_that_dies_while_asked_needs_not_be_waited_for() -> None:
    two = nominated(2)
    two.on_message(1, Ok(0, FIRST, "support"), now=0.01)
    assert two.on_message(3, LinkDown(), now=0.02) == [Stand()]


def test_with_quorum_1_the_own_support_is_enough() -> None:
    three = part(Bully, me=3, quorum=1)
    assert three.nominate(DOUBT, now=0.0)[-1] == Stand()


def test_alone_in_the_cluster_a_nominee_stands_at_once() -> None:
    assert part(Bully, me=1, nodes=1).nominate(DOUBT, now=0.0)[-1] == Stand()


def test_a_node_asked_to_take_over_defers_to_nobody() -> None:
    two = part(Bully, me=2)
    two.state.term, two.state.leader, two.state.trust = 1, 1, True
    two.nominate(Suspect("asked", transfer=(1, 1)), now=0.0)
    two.on_message(3, Ok(1, FIRST, "takeover"), now=0.1)
    assert two.on_message(1, Ok(1, FIRST, "support"), now=0.1) == [Stand((1, 1))]


def test_followers_support_a_transfer_from_exactly_the_leader_they_trust() -> None:
    one = part(Bully, me=1)
    one.state.term, one.state.leader, one.state.trust = 4, 2, True
    good, old = Election(4, 7, transfer=(2, 4)), Election(4, 7, transfer=(2, 3))
    assert sent(one.on_message(3, good, now=0.0), Ok)[0][1].verdict == "support"
    assert sent(one.on_message(3, old, now=0.0), Ok)[0][1].verdict == "alive"


def test_a_failed_transfer_leaves_a_follower_as_before() -> None:
    three = part(Bully, me=3)
    three.state.term, three.state.leader, three.state.trust = 4, 2, True
    three.nominate(Suspect("asked", transfer=(2, 4)), now=0.0)
    assert three.on_time(now=0.5) == [Yield("only 1 of 2 support this node", leader=2)]
    assert three.state.term == 4


def test_whoever_said_alive_and_then_nominates_itself_is_asked_again() -> None:
    """Two nodes notice a broken link at different moments; the first need not wait out a back-off."""
    two = nominated(2)
    two.state.down.add(3)
    two.on_message(1, Ok(0, FIRST, "alive", PeerInfo(3, "")), now=0.01)
    effects = two.on_message(1, Election(0, 5), now=0.1)
    assert sent(effects, Ok) == [(1, Ok(0, 5, "takeover"))]
    assert sent(effects, Election) == [(1, Election(0, FIRST))]
    assert sent(two.on_message(1, Election(0, 5), now=0.11), Election) == [], "once is enough"
    assert two.on_message(3, LinkDown(), now=0.12) == []
    assert two.on_message(1, Ok(0, FIRST, "support"), now=0.13) == [Stand()]


def test_hearing_the_leader_it_follows_ends_the_back_off_and_gives_back_the_right_to_defer() -> None:
    two = part(Bully, me=2)
    two.may_defer, two.backing_off = False, True
    two.on_message(3, Heartbeat(1, 1, 0, Label(0, 0)), now=0.1)
    assert two.may_defer and not two.backing_off
    assert sent(two.on_message(1, Election(1, 7), now=5.0), Ok)[0][1].verdict == "takeover"


# --- a Bully of one's own ---------------------------------------------------------------------------


class ForItself(Bully):
    """May always claim the lead, if anybody answered; overrides what is public, and nothing else."""

    def may_claim(self, answers: Mapping[int, str], time_is_up: bool) -> bool | None:
        return True if len(answers) > 1 else None


class NeverFirst(Bully):
    """Never thinks that it may claim the lead."""

    def may_claim(self, answers: Mapping[int, str], time_is_up: bool) -> bool | None:
        return False if time_is_up else None


def test_who_may_claim_the_lead_is_asked_with_the_answers_of_this_round() -> None:
    one = part(ForItself, me=1)
    one.nominate(DOUBT, now=0.0)
    assert one.on_message(2, Ok(0, FIRST, "takeover"), now=0.1) == [Stand()]


def test_whoever_may_not_claim_stands_back_once_and_a_quorum_is_needed_all_the_same() -> None:
    three = part(NeverFirst, me=3)
    three.nominate(DOUBT, now=0.0)
    assert three.on_message(1, Ok(0, FIRST, "support"), now=0.1) == []
    three.on_time(now=0.5)
    assert three.state.role is Role.DEFERRING
    alone = part(ForItself, me=3)
    alone.nominate(DOUBT, now=0.0)
    assert alone.on_message(1, Ok(0, FIRST, "alive"), now=0.1) == []
    assert of(alone.on_time(now=0.5), Yield)


@pytest.mark.parametrize("mine", [ForItself, NeverFirst])
def test_in_the_chat_it_elects_and_nothing_else_breaks(mine: type[Bully]) -> None:
    world = World(4, parts={"election": mine})
    assert world.until(lambda: world.leader is not None)
    world.say("hello")
    world.crash(world.leader or 0)
    world.run(20)
    assert world.leader is not None and not check(world.trace)


# --- who is low on disk space -----------------------------------------------------------------------


def test_a_node_with_room_takes_over_from_a_higher_one_that_is_low() -> None:
    one = part(Bully, me=1)
    effects = one.on_message(3, Election(0, 7, low=True), now=0.0)
    assert effects[0] == Send(3, Ok(0, 7, "takeover")) and of(effects, Suspect)


def test_a_low_node_takes_over_from_nobody_who_has_room_and_keeps_bullys_order_among_the_low() -> None:
    three = part(Bully, me=3)
    three.state.low = True
    assert three.on_message(1, Election(0, 7), now=0.0) == [Send(1, Ok(0, 7, "support", low=True))]
    assert sent(three.on_message(1, Election(0, 7, low=True), now=0.0), Ok)[0][1].verdict == "takeover"


def test_a_low_nominee_asks_with_that_word_waits_for_lower_ones_and_stands_back_once() -> None:
    three = part(Bully, me=3)
    three.state.low = True
    assert sent(three.nominate(DOUBT, now=0.0), Election)[0][1] == Election(0, FIRST, low=True)
    assert three.on_message(2, Ok(0, FIRST, "support", low=True), now=0.1) == [], "1 may have room"
    three.on_message(1, Ok(0, FIRST, "takeover"), now=0.2)
    assert three.state.role is Role.DEFERRING
    three.on_time(now=2.2)
    three.on_message(2, Ok(0, FIRST + 1, "support", low=True), now=2.3)
    assert three.on_message(1, Ok(0, FIRST + 1, "takeover"), now=2.3) == [Stand()], "nobody else did: the low one leads"


def test_where_all_are_low_the_highest_leads_at_once() -> None:
    three = part(Bully, me=3)
    three.state.low = True
    three.nominate(DOUBT, now=0.0)
    three.on_message(1, Ok(0, FIRST, "support", low=True), now=0.1)
    assert three.on_message(2, Ok(0, FIRST, "support", low=True), now=0.1) == [Stand()]


def test_a_lower_node_that_is_low_too_holds_no_low_nominee_back() -> None:
    three = part(Bully, me=3)
    three.state.low = True
    three.nominate(DOUBT, now=0.0)
    three.on_message(1, Ok(0, FIRST, "alive", PeerInfo(2, ""), low=True), now=0.1)
    assert three.on_message(2, Ok(0, FIRST, "support", low=True), now=0.1) == [Stand()]
