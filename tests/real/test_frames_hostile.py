"""Hostile frames: whatever arrives on a port is counted, traced and answered, and the chat goes on."""

import json
import random
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from chatsys.runtime.cluster import Cluster

SECONDS = 5.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as cluster:
        assert cluster.until(lambda: cluster.leader, SECONDS)
        yield cluster


def hello(**changes: Any) -> bytes:
    """Return the hello of a well-behaved client, but for `changes`."""
    fine = {"type": "hello", "protocol": "chatsys/1", "cluster": "chat", "role": "client", "name": "mallory"}
    return json.dumps(fine | changes).encode() + b"\n"


def as_node(cluster: Cluster, node: int, **changes: Any) -> bytes:
    facts = {
        "role": "node",
        "node": node,
        "incarnation": 1,
        "config_digest": cluster.config.digest,
        "name": None,
        "challenge": "c",
    }
    return hello(**(facts | changes))


def frame(message: str) -> bytes:
    return b'{"n":1,"clock":1,"message":%b}\n' % message.encode()


def dial(cluster: Cluster, node: int = 1) -> socket.socket:
    host, port = cluster.config.members[node].split(":")
    return socket.create_connection((host, int(port)), timeout=SECONDS)


def converse(cluster: Cluster, data: bytes, *, end: bool = False) -> tuple[str, str]:
    """Send `data` to node 1; return (everything it answered until it closed, the reason of the traced drop)."""
    before = len(cluster.trace.of("drop"))
    answer = b""
    with dial(cluster) as link:
        try:
            link.sendall(data)
            if end:
                link.shutdown(socket.SHUT_WR)
            while more := link.recv(65536):
                answer += more
        except (ConnectionResetError, BrokenPipeError):
            pass
    assert cluster.until(lambda: len(cluster.trace.of("drop")) > before, SECONDS)
    return answer.decode(), str(cluster.trace.of("drop")[before].reason)


def still_chats(cluster: Cluster, text: str) -> None:
    cluster.say(text)
    assert cluster.until(lambda: all(text in cluster.delivered(node) for node in cluster.nodes), SECONDS)
    assert cluster.failures == []
    assert cluster.trace.of("anomaly") == []
    assert len(cluster.trace.of("start")) == len(cluster.nodes) + len(cluster.supervisor.clients)


GREETINGS = {
    "random bytes": (random.Random(1).randbytes(5000).replace(b"\n", b"") + b"\n", "no hello"),
    "an HTTP request": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "no hello"),
    "deep JSON": (b"[" * 16_000 + b"\n", "no hello"),
    "a hello without end": (b"[" * 100_000 + b"\n", "A hello is longer than 16384 bytes"),
    "a frame before the hello": (frame('{"type":"JOIN","node":2}'), "no hello"),
    "an empty line": (b"\n", "no hello"),
}


@pytest.mark.parametrize("name", GREETINGS)
def test_a_link_that_does_not_begin_with_hello_is_refused(cluster: Cluster, name: str) -> None:
    data, reason = GREETINGS[name]
    answer, dropped = converse(cluster, data)
    assert reason in dropped and '"type":"refused"' in answer


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"protocol": "chatsys/9"}, "speaks chatsys/1, not 'chatsys/9'"),
        ({"cluster": "other"}, "belongs to the cluster 'chat', not to 'other'"),
        ({"role": "king"}, "Invalid enum value"),
        ({"name": None}, "needs a name"),
        ({"name": "x" * 5000}, "length"),
        ({"role": "node", "node": 9, "incarnation": 1}, "Node 9 is not a member; members are 1, 2, 3"),
        ({"role": "node", "node": 1, "incarnation": 1}, "is this node itself"),
        ({"role": "node", "node": 2, "incarnation": 1, "config_digest": "feed"}, "limits.sessions differ"),
        ({"role": "node", "node": 2, "incarnation": -1}, ">= 0"),
        ({"role": "node", "node": 2, "incarnation": 10**400}, "no hello"),
    ],
)
def test_a_wrong_hello_is_refused_with_its_reason(cluster: Cluster, changes: dict[str, Any], reason: str) -> None:
    answer, dropped = converse(cluster, hello(**changes))
    assert reason in dropped
    assert json.loads(answer)["type"] == "refused" and reason in json.loads(answer)["reason"]


FRAMES = {
    "not JSON": (b"\xff\xfe{]\n", "malformed"),
    "half an object": (b'{"n":1,"clock":\n', "malformed"),
    "deep": (b'{"n":1,"clock":1,"message":' + b"[" * 100_000 + b"\n", "malformed"),
    "unknown type": (frame('{"type":"OBEY"}'), "Invalid value 'OBEY'"),
    "missing field": (frame('{"type":"SUBMIT","client_id":"x"}'), "missing required field"),
    "wrong type of a field": (frame('{"type":"SUBMIT","client_id":7,"client_seq":1}'), "Expected `str`"),
    "huge integer": (frame('{"type":"SUBMIT","client_id":"x","client_seq":%s}' % ("9" * 4000)), "malformed"),
    "negative clock": (b'{"n":1,"clock":-5,"message":{"type":"SUBSCRIBE"}}\n', ">= 0"),
    "huge clock": (b'{"n":1,"clock":%d,"message":{"type":"SUBSCRIBE"}}\n' % 10**30, "malformed"),
    "lone surrogate": (frame('{"type":"SUBMIT","client_id":"\\ud800","client_seq":0}'), "malformed"),
    "over the limit": (b'"' + b"x" * (1 << 20) + b'"\n', "longer than 1048576 bytes"),
    "endless": (b"x" * (3 << 20), "longer than 1048576 bytes"),
    "only for nodes": (frame('{"type":"TRANSFER_LEAD","term":1,"to":1}'), "A client may not send TRANSFER_LEAD"),
    "an order of messages": (
        frame('{"type":"PROPOSE","term":99,"prev":[0,0],"entries":[],"commit":9}'),
        "A client may not send PROPOSE",
    ),
    "an answer": (
        frame('{"type":"SUBMIT_REPLY","client_id":"x","client_seq":1,"status":"ok"}'),
        "A client may not send SUBMIT_REPLY",
    ),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_bad_frame_of_a_client_closes_its_link(cluster: Cluster, name: str) -> None:
    data, reason = FRAMES[name]
    _, dropped = converse(cluster, hello() + data)
    assert reason in dropped
    still_chats(cluster, f"after {name}")


def test_half_a_line_and_then_the_end_is_a_drop(cluster: Cluster) -> None:
    _, dropped = converse(cluster, hello() + b'{"n":1,"clock":1,"mess', end=True)
    assert "ended within a line (22 bytes of it came)" in dropped


def test_who_says_nothing_is_sent_away(cluster: Cluster) -> None:
    answer, dropped = converse(cluster, b"")
    assert "No hello came within 2 s" in dropped and "No hello came" in answer


def test_a_clock_at_the_end_of_all_numbers_makes_nobody_unreadable(cluster: Cluster) -> None:
    """Whoever counted on from there would send frames that no other node can read: one line, and the node is alone."""
    with dial(cluster, cluster.leader or 1) as link:
        link.sendall(hello() + b'{"n":1,"clock":%d,"message":{"type":"SUBSCRIBE"}}\n' % 2**53)
        link.recv(65536)
        still_chats(cluster, "it is late")
    still_chats(cluster, "but not too late")
    assert not [record for record in cluster.trace.of("drop") if "9007199254740993" in str(record.reason)]


def test_a_flood_of_good_frames_slows_only_its_sender(cluster: Cluster) -> None:
    one = frame('{"type":"SUBMIT","client_id":"flood","client_seq":7,"text":"x"}')
    with dial(cluster) as link:
        link.settimeout(12 * SECONDS)  # all of it has to be taken in, which takes a busy machine a while
        link.sendall(hello(name="flood") + one * 20_000)
        still_chats(cluster, "through the flood")


def test_who_does_not_read_loses_the_link(cluster: Cluster) -> None:
    before = len(cluster.trace.of("drop"))
    asked = frame('{"type":"SUBMIT","client_id":"%s","client_seq":7,"text":"x"}' % ("y" * 64))
    with dial(cluster) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.settimeout(12 * SECONDS)  # it is the node that gives up
        try:
            link.sendall(hello(name="deaf") + asked * 80_000)
        except (ConnectionResetError, BrokenPipeError):
            pass

        def dropped() -> list[str]:
            return [str(record.reason) for record in cluster.trace.of("drop")[before:]]

        assert cluster.until(lambda: any("does not read" in reason for reason in dropped()), 12 * SECONDS)
    still_chats(cluster, "after the deaf one")
