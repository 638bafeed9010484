"""The whole node: recovery, pauses, decisions carried out in order; by hand."""

import pytest
from by_hand import chat, config, leader, node, of, recovered, sent

from chatsys.actor.effects import Append, Deliver, Send
from chatsys.actor.events import Stop
from chatsys.errors import LogError, UsageError
from chatsys.protocol.messages import (
    NODE_MESSAGES,
    Ack,
    Coordinator,
    Delivered,
    Election,
    Entry,
    Heartbeat,
    Label,
    Ok,
    PeerInfo,
    Prepare,
    Promise,
    Propose,
)
from chatsys.protocol.node import PARTS, PRESSED, Node
from chatsys.protocol.state import Role
from chatsys.protocol.storage import Boot, CommitHint, Promised, Stored, Truncate


def test_a_life_begins_with_its_number_on_disk() -> None:
    assert Node(2, config(), node().random).start(0.0) == [Append(Boot(1, "chat", 2))]
    assert recovered(Boot(4, "chat", 2)).start(0.0)[0] == Append(Boot(5, "chat", 2))


def test_a_restart_takes_back_term_promise_log_and_commit() -> None:
    two = recovered(Boot(1, "chat", 2), Promised(3, 1), Stored(chat(1)), Stored(chat(2)), CommitHint(1))
    state = two.state
    assert (state.term, state.promised_to, two.log.last_seq, two.log.commit) == (3, 1, 2, 1)
    two.start(0.0)
    assert two.on_message(3, Prepare(3), 9.0) == [Send(3, Promise(3, False))], "the promise still binds"


def test_a_truncation_in_the_log_is_repeated_and_lowers_the_commit() -> None:
    two = recovered(Stored(chat(1)), Stored(chat(2)), CommitHint(2), Truncate(2), Stored(chat(2, 5)))
    assert [entry.term for entry in two.log.entries] == [1, 5] and two.log.commit == 1


def test_what_was_committed_is_delivered_again_from_the_first_message() -> None:
    records = [Stored(Entry(1, 1, "session", "c")), Stored(chat(2, session=1)), CommitHint(2)]
    assert [one.msg_no for d in of(recovered(*records).start(0.0), Deliver) for one in d.items] == [1]


def test_a_restarted_leader_does_not_lead_on() -> None:
    """SPECIFICATION R7.11: its log may have lost an end that it had numbered."""
    assert recovered(Boot(1, "chat", 2), Promised(3, 2)).state.role is Role.FOLLOWER


@pytest.mark.parametrize("foreign", [Boot(1, "other", 2), Boot(1, "chat", 3)])
def test_a_log_of_another_node_or_cluster_is_refused_with_a_sentence(foreign: Boot) -> None:
    with pytest.raises(LogError, match="name the folder in which this node's own log is"):
        recovered(foreign)


def test_a_log_of_another_format_is_refused_with_a_sentence() -> None:
    with pytest.raises(LogError, match="format 9"):
        recovered(Boot(1, "chat", 2, format=9))
    with pytest.raises(
        LogError, match="format 1, this chatsys reads format 3; run this node with the older chatsys that wrote it"
    ):
        recovered(Boot(1, "chat", 2, format=1))


def test_a_leader_that_slept_longer_than_its_lease_steps_down_before_anything_else() -> None:
    three = leader(3)
    effects = three.on_message(1, Ack(1, True, match=1), 10.0)
    assert three.state.role is Role.FOLLOWER and three.state.leader is None
    assert sent(effects, Heartbeat) == [] and sent(three.settle(10.0), Propose) == []


def test_a_clean_stop_leaves_a_commit_hint() -> None:
    assert leader(3).on_command(Stop(), 0.1) == [Append(CommitHint(1))]


def test_a_commit_hint_rides_only_with_what_is_written_anyway() -> None:
    two = node(2)
    two.settle(0.0)
    two.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.1)
    two.on_message(3, Propose(1, Label(0, 0), (chat(1),), 1), 0.1)
    assert Append(CommitHint(1)) in two.settle(0.1)
    two.on_message(3, Heartbeat(1, 1, 1, Label(1, 1)), 0.2)
    assert of(two.settle(0.2), Append) == []


def test_effects_of_a_turn_persist_then_send_then_deliver() -> None:
    two = node(2)
    two.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.1)
    entries = (Entry(1, 1, "session", "c"), chat(2, session=1))
    effects = two.on_message(3, Propose(1, Label(0, 0), entries, 2), 0.1) + two.settle(0.1)
    appended = max(i for i, e in enumerate(effects) if isinstance(e, Append) and isinstance(e.items[-1], Stored))
    acked = next(i for i, e in enumerate(effects) if isinstance(e, Send) and isinstance(e.message, Ack))
    delivered = next(i for i, e in enumerate(effects) if isinstance(e, Deliver))
    assert appended < acked and appended < delivered


def test_alone_a_node_elects_itself_and_serves() -> None:
    one = Node(1, config(nodes=1), node().random)
    effects = one.start(0.0)
    ((to, promise),) = sent(effects, Promise)
    assert to == 1
    effects = one.on_message(1, promise, 0.01) + one.settle(0.01)
    one.on_message(1, sent(effects, Ack)[0][1], 0.02)
    assert one.state.leads and one.state.ready and one.log.commit == 1


def test_every_message_of_the_chat_has_a_part_that_handles_it() -> None:
    handled = {kind for part in PARTS.values() for kind in part.handles}
    assert set(NODE_MESSAGES) - handled == {Delivered}, "which only clients receive"


def test_a_part_can_be_replaced_by_name() -> None:
    class Deaf(PARTS["election"]):  # type: ignore[misc, name-defined, valid-type]
        handles = (Ok,)

    two = Node(2, config(), node().random, parts={"election": Deaf})
    two.start(0.0)
    assert two.on_message(3, Election(0, 1), 0.1) == []


def test_the_card_of_a_follower_says_how_it_stands() -> None:
    two = node(2)
    assert two.status()["behind"] is None and two.view() == (0, "follower"), "no leader is known"
    two.on_message(3, Coordinator(1, PeerInfo(3, ""), 1, 0), 0.1)
    two.on_message(3, Propose(1, Label(0, 0), (chat(1), chat(2)), 1), 0.1)
    two.on_message(3, Propose(1, Label(1, 4), (chat(5),), 1), 0.1)
    two.on_message(3, Heartbeat(1, 1, 4, Label(1, 5)), 0.2)
    assert two.status() == {
        "role": "follower", "term": 1, "leader": 3, "ready": False, "last": 2, "commit": 2, "verified": 2, "behind": 2,
        "delivered": 0, "held_back": 1, "waiting": 0, "incarnation": 1,
    }  # fmt: skip


def test_a_leader_is_never_behind_and_is_pressed_by_many_entries_that_no_quorum_holds() -> None:
    """SPECIFICATION R2.13."""
    three = leader(3)
    assert three.status()["behind"] == 0 and three.status()["ready"] and not three.pressed
    three.log.splice([chat(seq) for seq in range(2, PRESSED + 2)])
    assert three.log.last_seq - three.log.commit == PRESSED and not three.pressed
    three.log.splice([chat(PRESSED + 2)])
    assert three.pressed


def test_a_part_that_is_none_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(UsageError, match="There is no part 'elections'; the parts are identities, fence"):
        Node(2, config(), node().random, parts={"elections": PARTS["election"]})


def test_only_parts_that_ever_owe_something_are_asked_at_the_end_of_a_turn() -> None:
    two = node(2)
    silent = {two.fence, two.succession, two.election}
    assert not silent & set(two.settling) and {two.sequencer, two.receiver} <= set(two.settling)
