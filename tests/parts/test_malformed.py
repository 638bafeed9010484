"""Malformed by itself: what a frame says of itself that nobody can mean, and that nothing is said which nobody can read."""

from random import Random
from typing import Any

import msgspec
import pytest

from chatsys.actor.actor import GREATEST
from chatsys.actor.effects import Send
from chatsys.campaign.fuzz.made import Maker
from chatsys.config import ClusterConfig, Limits
from chatsys.errors import FrameError
from chatsys.protocol.messages import (
    GROWN,
    NODE_MESSAGES,
    Ack,
    Catchup,
    CatchupReply,
    Coordinator,
    Delivered,
    Entry,
    Heartbeat,
    HeartbeatAck,
    Join,
    JoinAck,
    Label,
    Message,
    Ok,
    PeerInfo,
    Prepare,
    Promise,
    Propose,
    Submit,
    SubmitReply,
    Subscribe,
)
from chatsys.protocol.node import Node
from chatsys.protocol.public import Heard
from chatsys.protocol.storage import Boot, Promised
from chatsys.runtime.net.wire import Codec
from chatsys.runtime.recorder import Recorder

CODEC = Codec(NODE_MESSAGES, Limits(batch_entries=4))


def chat(seq: int, term: int, **facts: Any) -> Entry:
    return Entry(seq, term, "chat", client_id="c", client_seq=1, **facts)


def propose(prev: Label, *entries: Entry, term: int = 3) -> Propose:
    return Propose(term, prev, entries, commit=0)


def chunk(prev: Label, *entries: Entry, **facts: Any) -> CatchupReply:
    return CatchupReply(3, "relay", 1, prev, entries, False, 0, **facts)


MALFORMED = {
    "a gap in a batch": (propose(Label(1, 1), chat(2, 1), chat(4, 1)), "entry 4 stands where entry 3 follows"),
    "a batch that does not follow on prev": (propose(Label(1, 1), chat(3, 1)), "entry 3 stands where entry 2"),
    "a batch that repeats": (propose(Label(1, 1), chat(2, 1), chat(2, 1)), "entry 2 stands where entry 3"),
    "a term above the frame's": (propose(Label(1, 1), chat(2, 4)), "entry 2 is of term 4"),
    "a term below prev's": (propose(Label(2, 1), chat(2, 1)), "entry 2 is of term 1; behind term 2"),
    "terms that fall": (propose(Label(1, 1), chat(2, 3), chat(3, 2)), "entry 3 is of term 2; behind term 3"),
    "position 0": (propose(Label(0, 0), chat(0, 1)), "`$.message.entries[0].seq`"),
    "an entry of term 0": (propose(Label(0, 0), chat(1, 0)), "`$.message.entries[0].term`"),
    "a session that begins later": (propose(Label(0, 0), chat(1, 1, session=1)), "session that position 1"),
    "prev of a term to come": (propose(Label(4, 1)), "an entry of term 4 is spoken of in term 3"),
    "prev without a position": (propose(Label(1, 0)), "no entry can have the label 1, 0"),
    "prev without a term": (propose(Label(0, 1)), "no entry can have the label 0, 1"),
    "a batch over the limit": (propose(Label(0, 0), *[chat(n, 1) for n in range(1, 6)]), "limits.batch_entries is 4 here"),
    "a chunk with a gap": (chunk(Label(1, 1), chat(3, 1)), "entry 3 stands where entry 2"),
    "a chunk that follows on nothing": (chunk(Label(0, 0), chat(1, 1), unknown=True), "not to be there"),
    "a promise of term 0": (Promise(0, True), "Expected `int` >= 1 - at `$.message.term`"),
    "a log that ends in a term to come": (Promise(3, True, Label(4, 9)), "term 4 is spoken of in term 3"),
    "PREPARE of a term that nothing reaches": (Prepare(GROWN + 1), "Expected `int` <= 4503599627370496 - at `$.message.term`"),
    "ACK of the highest number": (Ack(GREATEST, False), "- at `$.message.term`"),
    "a match that nothing reaches": (Ack(3, True, match=GREATEST), "- at `$.message.match`"),
    "a hint that nothing reaches": (Ack(3, False, hint=GREATEST), "- at `$.message.hint`"),
    "a beat of more than the log": (Heartbeat(3, 1, 5, Label(3, 4)), "position 5 is to be committed in a log that ends at 4"),
    "beat 0": (Heartbeat(3, 0, 0, Label(0, 0)), "Expected `int` >= 1 - at `$.message.number`"),
    "a beat's answer out of bounds": (HeartbeatAck(3, True, GREATEST), "- at `$.message.number`"),
    "barrier 0": (Coordinator(3, PeerInfo(3, ""), 0, 0), "Expected `int` >= 1 - at `$.message.barrier`"),
    "catch-up from 0": (Catchup(3, "relay", 0, 1), "Expected `int` >= 1 - at `$.message.first`"),
    "JOIN of node 0": (Join(0), "Expected `int` >= 1 - at `$.message.node`"),
    "JOIN_ACK out of bounds": (JoinAck("ok", GREATEST, (1,)), "- at `$.message.term`"),
    "SUBMIT out of bounds": (Submit("c", GREATEST), "- at `$.message.client_seq`"),
    "an answer about nothing": (SubmitReply("c", 1, "ok", count=0), "Expected `int` >= 1 - at `$.message.count`"),
    "SUBSCRIBE out of bounds": (Subscribe(GREATEST), "- at `$.message.after`"),
    "an entry without its number": (Delivered((Heard(1),), ()), "1 entries have 0 numbers"),
    "a number too many": (Delivered((Heard(1),), (1, 2)), "1 entries have 2 numbers"),
    "numbers that fall": (Delivered((Heard(1), Heard(2)), (2, 1)), "entry 2 with number 1 stands behind"),
    "number 0": (Delivered((Heard(1),), (0,)), "entry 1 with number 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_by_itself_never_leaves_the_wire(name: str) -> None:
    message, why = MALFORMED[name]
    with pytest.raises(FrameError, match="The frame is malformed: ") as caught:
        CODEC.read(CODEC.write(1, 1, message))
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "message",
    [
        propose(Label(1, 1), chat(2, 1), chat(3, 1), chat(4, 3)),
        propose(Label(0, 0)),
        propose(Label(0, 0), chat(1, 1, text="x" * 300_000)),  # one entry always fits
        chunk(Label(0, 0), unknown=True),
        Promise(3, False),
        Heartbeat(GROWN, GROWN, GROWN, Label(GROWN, GROWN)),
        Delivered((Heard(2), Heard(5)), (1, 2)),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_nodes_say_is_read(message: Message) -> None:
    assert CODEC.read(CODEC.write(1, 1, message)) == (1, 1, message)


def test_whatever_fits_its_types_is_read_or_refused_with_a_sentence() -> None:
    maker, read = Maker(Random(1), likely=(1, 2, 3, GROWN - 1, GROWN, GROWN + 1)), 0
    codec = Codec(NODE_MESSAGES)
    for count in range(3000):
        message = maker.anything(NODE_MESSAGES[count % len(NODE_MESSAGES)])
        line = codec.write(GREATEST, GREATEST, message)
        try:
            found = codec.read(line)
        except FrameError as refused:
            assert str(refused).startswith("The frame is malformed: ")
        else:
            assert found == (GREATEST, GREATEST, message)
            read += 1
    assert read > 1000


# --- nothing is said that nobody can read --------------------------------------------------------


def node_of_term(term: int) -> Node:
    node = Node(3, ClusterConfig.of(3), Random(1))
    node.recover([Boot(1, "chat", 3), Promised(term, None)])
    return node


@pytest.mark.parametrize("term", [GROWN - 2, GROWN - 1, GROWN, GREATEST - 1, GREATEST])
def test_a_node_at_the_last_term_opens_none_that_others_would_refuse(term: int) -> None:
    node, said, now = node_of_term(term), list[Any](), 0.0
    effects = node.start(now) + node.settle(now)
    for _ in range(200):  # it suspects, is supported, stands, fails, and so on
        said += [effect.message for effect in effects if isinstance(effect, Send)]
        now = node.deadline
        effects = node.on_time(now) + node.settle(now)
        effects += node.on_message(2, _support(node), now) + node.settle(now)
    prepared = sorted({message.term for message in said if isinstance(message, Prepare)})
    assert prepared == list(range(term + 1, min(GROWN, term + len(prepared)) + 1))
    assert bool(prepared) == (term < GROWN)
    codec = Codec(NODE_MESSAGES)
    for message in [one for one in said if isinstance(one, Prepare)]:
        assert codec.read(codec.write(1, 1, message))[2] == message


def _support(node: Node) -> Any:
    return Ok(min(node.state.term, GROWN), node.election.round, "support")


def test_a_lamport_clock_stops_where_nobody_could_read_it() -> None:
    recorder = Recorder(1, 1, lambda records: None)
    recorder.received("ann", 0, [(1, GREATEST, Subscribe())])
    n, clock = recorder.sent(2, Subscribe())
    assert Codec((Subscribe,)).read(Codec((Subscribe,)).write(n, clock, Subscribe())) == (n, GREATEST, Subscribe())


@pytest.mark.parametrize("message", [
    Ack(2**32 + 2, False), Promise(2**32 + 2, False), Prepare(2**32 + 2),
    Coordinator(2**32 + 2, PeerInfo(2, ""), 1, 0), Heartbeat(2**32 + 2, 1, 0, Label(0, 0)),
    Propose(2**32 + 2, Label(0, 0), (), 0), CatchupReply(2**32 + 2, "relay", 0, Label(0, 0), (chat(1, 1),), False, 0),
])  # fmt: skip
def test_a_jump_of_terms_is_believed_of_nobody(message: Any) -> None:
    node = node_of_term(1)
    node.start(0.0)
    before = node.state.term
    if isinstance(message, CatchupReply):
        message = msgspec.structs.replace(message, nonce=node.catchup.nonce)
    node.on_message(2, message, 0.1)
    assert node.state.term == before
    node.on_message(2, msgspec.structs.replace(message, term=2**32 + 1), 0.1)  # so far it may be
    assert node.state.term == 2**32 + 1
