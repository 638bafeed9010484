"""The term fence, by hand: what each term brings about, and who is followed.  (The table of its cells is walked by `test_specification`.)"""

import pytest
from by_hand import leader, node, part, sent

from chatsys.actor.effects import Append, Note, Send
from chatsys.errors import BrokenInvariant
from chatsys.protocol.decisions import Yield
from chatsys.protocol.fence import Fence
from chatsys.protocol.messages import (
    Ack,
    Coordinator,
    Heartbeat,
    HeartbeatAck,
    Label,
    PeerInfo,
    Prepare,
    Promise,
    Propose,
    TransferLead,
)
from chatsys.protocol.state import Role
from chatsys.protocol.storage import Promised


def test_an_older_leader_is_refused_with_the_newer_term() -> None:
    two = node(2)
    two.on_message(3, Prepare(5), now=0.1)
    start = Label(0, 0)
    assert two.on_message(1, Heartbeat(4, 1, 0, start), 0.2) == [Send(1, HeartbeatAck(5, False, 1))]
    assert two.on_message(1, Propose(4, start, (), 0), 0.2) == [Send(1, Ack(5, False))]
    assert two.on_message(1, Prepare(4), 0.2) == [Send(1, Promise(5, False))]


def test_a_refusal_with_a_newer_term_ends_a_leadership() -> None:
    three = leader(3)
    effects = three.on_message(1, HeartbeatAck(7, False, 1), now=0.5)
    assert (three.state.term, three.state.role) == (7, Role.FOLLOWER)
    assert Append(Promised(7, None)) in effects


def test_a_newer_term_in_other_messages_is_only_a_hint() -> None:
    two = node(2)
    two.on_message(1, Ack(9, True, match=0), now=0.1)
    assert two.state.term == 0


def test_a_newer_leader_is_followed_and_its_term_recorded() -> None:
    two = node(2)
    effects = two.on_message(3, Coordinator(4, PeerInfo(3, "h:1"), 1, 0), now=0.1)
    assert (two.state.term, two.state.leader) == (4, 3)
    assert Append(Promised(4, 3)) in effects


def test_hearing_the_leader_cancels_a_nomination() -> None:
    two = node(2)
    two.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), now=0.1)
    two.on_time(now=3.0)
    assert two.state.role is Role.NOMINATING
    two.on_message(3, Heartbeat(1, 1, 0, Label(0, 0)), now=3.01)
    assert two.state.role is Role.FOLLOWER  # type: ignore[comparison-overlap]  # mypy cannot know that a message changes it


def test_a_replayed_heartbeat_cancels_nothing() -> None:
    two = node(2)
    beat = Heartbeat(1, 1, 0, Label(0, 0))
    two.on_message(3, beat, now=0.1)
    two.on_time(now=3.0)
    assert two.on_message(3, beat, now=3.01) == []
    assert two.state.role is Role.NOMINATING


def test_two_leaders_of_one_term_are_a_broken_invariant_in_a_safe_cluster() -> None:
    three = leader(3)
    with pytest.raises(BrokenInvariant, match="nodes 3 and 1 both lead term 1"):
        three.on_message(1, Heartbeat(1, 1, 0, Label(0, 0)), now=0.1)


def test_in_an_unsafe_cluster_the_higher_of_two_leaders_is_followed() -> None:
    two = leader(2, quorum=1)
    beat = Heartbeat(1, 1, 0, Label(0, 0))
    assert [type(e) for e in two.on_message(1, beat, now=0.1)] == [Note]
    assert two.state.leads
    two.on_message(3, beat, now=0.1)
    assert (two.state.role, two.state.leader) == (Role.FOLLOWER, 3)


def test_of_two_leaders_the_one_that_is_not_followed_is_told_of_and_the_other_ones_beats_are_counted() -> None:
    two = node(2, quorum=1)
    two.on_message(1, Coordinator(1, PeerInfo(1, ""), 1, 0), now=0.1)
    told = two.on_message(3, Heartbeat(1, 7, 0, Label(0, 0)), now=0.2)
    sentence = "nodes 1 and 3 both lead term 1"
    assert told[0] == Note("anomaly", peer=3, reason=sentence) and two.state.leader == 3
    assert sent(told, HeartbeatAck) == [(3, HeartbeatAck(1, True, 7, 0))], "the beat of the new leader is answered"
    assert two.on_message(3, Heartbeat(1, 7, 0, Label(0, 0)), now=0.3) == [], "and counts once"
    two.on_message(3, Heartbeat(1, 8, 0, Label(0, 0)), now=0.4)
    assert two.on_message(1, Heartbeat(1, 9, 0, Label(0, 0)), now=0.5) == [
        Note("anomaly", peer=1, reason="nodes 3 and 1 both lead term 1")
    ]


def test_a_coordinator_says_nothing_of_how_many_beats_were_heard() -> None:
    two = node(2, quorum=1)
    two.on_message(1, Coordinator(1, PeerInfo(1, ""), 1, 0), now=0.1)
    two.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), now=0.2)
    assert two.state.leader == 3 and sent(two.on_message(3, Heartbeat(1, 1, 0, Label(0, 0)), now=0.3), HeartbeatAck)


def test_a_nominee_whose_leader_asked_it_to_take_over_goes_on_when_that_leader_beats() -> None:
    """SPECIFICATION R6.11: frames of the leader that hands over do not cancel the nomination."""
    three = node(3)
    three.on_message(2, Coordinator(1, PeerInfo(2, ""), 1, 0), now=0.1)
    three.on_message(2, TransferLead(1, 3), now=0.2)
    assert three.state.role is Role.NOMINATING
    three.on_message(2, Heartbeat(1, 1, 0, Label(0, 0)), now=0.3)
    assert three.state.role is Role.NOMINATING  # type: ignore[unreachable,unused-ignore]


def test_what_the_fence_lets_follow_names_the_leader_and_its_term() -> None:
    fence = part(Fence)
    owed, passes = fence.check(3, Coordinator(4, PeerInfo(3, "h:1"), 1, 0))
    assert (owed, passes) == ([Append(Promised(4, 3)), Yield("node 3 leads term 4", leader=3)], True)
    fence = part(Fence)
    fence.state.enter(4, promised_to=None)
    assert fence.check(3, Coordinator(4, PeerInfo(3, "h:1"), 1, 0)) == ([Yield("node 3 leads term 4", leader=3)], True)
