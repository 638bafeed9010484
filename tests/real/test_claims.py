"""Claims: who says that he is a member is believed when the member's own address repeats what was sent there."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pingpong import Ping, Pong
from test_transport import Place, in_a_place

from chatsys.actor.events import LinkDown, LinkUp
from chatsys.runtime.cluster import Cluster
from chatsys.runtime.net import claims


class Visitor:
    """A connection that says what it likes, and reads lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def at(cls, place: Place, node: int) -> "Visitor":
        host, port = place.config.members[node].split(":")
        visitor = cls(*await asyncio.open_connection(host, int(port)))
        place.open.append(visitor)
        return visitor

    async def says(self, *lines: Any) -> None:
        self.writer.write(b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in lines))
        await self.writer.drain()

    async def reads(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            line = await self.reader.readline()
        return json.loads(line) if line else {"type": "end"}

    def abort(self) -> None:
        self.writer.transport.abort()


def hello(digest: str, node: int, incarnation: int = 1, **more: Any) -> dict[str, Any]:
    facts = {"type": "hello", "protocol": "chatsys/1", "cluster": "chat", "role": "node", "challenge": "c" * 32}
    return {**facts, "node": node, "incarnation": incarnation, "config_digest": digest, **more}


PONG = {"n": 1, "clock": 1, "message": {"type": "PONG", "number": 666}}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatsys.runtime.net.peer.LOOK_AGAIN", 0.1)


def test_what_is_said_in_a_members_name_reaches_nobody_and_takes_nobodys_place() -> None:
    async def story(place: Place) -> None:
        (one, ear), (two, _) = await place.begin(1), await place.begin(2)
        await ear.hears((2, LinkUp(1)))
        true = one.inbound[2]
        visitor = await Visitor.at(place, 1)
        await visitor.says(hello(place.config.digest, 2), PONG)
        assert (await visitor.reads())["type"] == "hello"
        assert "A frame came before node 2's address confirmed" in (await visitor.reads())["reason"]
        place.send(two, 1, Pong(7))
        await ear.hears((2, Pong(7)))
        assert one.inbound[2] is true and (2, Pong(666)) not in ear.heard

    in_a_place(story)


def test_a_visitor_may_hold_a_claim_for_the_greeting_time_and_guess_only_so_often() -> None:
    async def story(place: Place) -> None:
        (one, ear), (_, _) = await place.begin(1), await place.begin(2)
        await ear.hears((2, LinkUp(1)))
        one.greeting_time = 0.2
        silent, guessing = await Visitor.at(place, 1), await Visitor.at(place, 1)
        await silent.says(hello(place.config.digest, 2))
        await guessing.says(hello(place.config.digest, 2))
        await guessing.says(*[{"type": "answer", "challenge": "x"}] * (claims.WRONG_ANSWERS + 1))
        for visitor, reason in (
            (guessing, "None of so many answers"),
            (silent, "nobody at node 2's address confirmed"),
        ):
            assert (await visitor.reads())["type"] == "hello"
            assert reason in (await visitor.reads())["reason"]
        async with asyncio.timeout(5):
            while one.strangers.waiting or one.claims.open[2]:
                await asyncio.sleep(0.01)

    in_a_place(story)


def test_a_claim_is_heard_also_while_the_members_queue_is_full_and_its_frames_wait_for_room() -> None:
    async def story(place: Place) -> None:
        (one, ear) = await place.begin(1)
        full = {2}
        ear.room = lambda sender: (0, 0) if sender in full else (1_000, 1_000_000)  # type: ignore[method-assign]
        two, _ = await place.begin(2)
        await ear.hears((2, LinkUp(1)))
        async with asyncio.timeout(1.5):  # shorter than a claim is held
            while 2 not in one.inbound:
                await asyncio.sleep(0.01)
        place.send(two, 1, Pong(7))
        await asyncio.sleep(0.05)
        assert (2, Pong(7)) not in ear.heard
        full.clear()
        one.read_on(2)
        await ear.hears((2, Pong(7)))

    in_a_place(story)


def test_a_hello_that_would_fill_the_memory_as_long_as_its_link_lasts_is_refused() -> None:
    async def story(place: Place) -> None:
        await place.begin(1)
        for one in (
            {"type": "hello", "protocol": "chatsys/1", "cluster": "chat", "role": "client", "name": "x"},
            hello(place.config.digest, 2),
        ):
            visitor = await Visitor.at(place, 1)
            await visitor.says({**one, "members": dict.fromkeys(range(2000), "")})
            assert "A hello is longer than 16384 bytes" in (await visitor.reads())["reason"]

    in_a_place(story)


@pytest.mark.parametrize("claimed", [1, 2, 4, 10**9])
def test_a_claim_of_another_life_ends_no_link_and_is_refused_by_the_address_itself(claimed: int) -> None:
    async def story(place: Place) -> None:
        (one, ear), (two, ear2) = await place.begin(1), await place.begin(2, incarnation=3)
        await ear.hears((2, LinkUp(3)))
        await ear2.hears((1, LinkUp(1)))
        visitor = await Visitor.at(place, 1)
        await visitor.says(hello(place.config.digest, 2, claimed))
        assert (await visitor.reads())["incarnation"] == 1
        refused = await visitor.reads()
        assert refused["code"] == "identity"
        assert "at node 2's address another process answers, in life 3 of node 2" in refused["reason"]
        place.send(two, 1, Pong(7))
        place.send(one, 2, Ping(7))
        await ear.hears((2, Pong(7)))
        await ear2.hears((1, Ping(7)))
        assert one.seen == {2: 3} and (2, LinkDown()) not in ear.heard and (1, LinkDown()) not in ear2.heard

    in_a_place(story)


def test_a_copy_of_a_running_node_that_speaks_from_elsewhere_is_told_so() -> None:
    """It is a whole node: it dials the others, as the true one does, and they dial the true one."""

    async def story(place: Place) -> None:
        (_, ear), (_, _) = await place.begin(1), await place.begin(2)
        await ear.hears((2, LinkUp(1)))
        copy, told = await place.begin_elsewhere(2, incarnation=2)
        await told.hears(("refused", "identity"))
        assert any("at node 2's address another process answers" in str(fact[1]) for fact in told.heard)
        copy.abort()
        assert (2, LinkDown()) not in ear.heard

    in_a_place(story)


def test_a_member_that_cannot_be_dialled_cannot_speak_and_both_sides_say_so() -> None:
    async def story(place: Place) -> None:
        one, ear = await place.begin(1)
        one.greeting_time = 0.2
        two, told = await place.begin_elsewhere(2)
        sentence = (
            f"node 2 cannot be reached at {place.config.members[2]} (connection refused), so nothing that it says"
        )
        async with asyncio.timeout(5):
            for one_ear in (ear, told):
                while not any(sentence in str(fact[1]) for fact in one_ear.heard):
                    one_ear.news.clear()
                    await one_ear.news.wait()
        place.send(two, 1, Pong(1))
        await told.hears(("refused", ""))
        assert not [fact for fact in ear.heard if fact[0] == 2]

    in_a_place(story)


def test_a_new_life_is_met_before_its_frames_also_if_the_end_of_the_old_one_was_not_seen() -> None:
    """As after a power cut: no reset comes, so that the link to the old life looks alive."""

    async def story(place: Place) -> None:
        (one, ear), (two, _) = await place.begin(1), await place.begin(2)
        await ear.hears((2, LinkUp(1)))
        for link in (one.peers[2].out, one.inbound[2]):
            assert link is not None
            link.pause()  # node 1 reads neither an end nor a reset
        two.abort()
        await asyncio.sleep(0.05)
        two, _ = await place.begin(2, incarnation=2)
        await ear.hears((2, LinkUp(2)))
        place.send(two, 1, Pong(7))
        await ear.hears((2, Pong(7)))
        heard = [fact for fact in ear.heard if fact[0] == 2]
        assert heard == [(2, LinkUp(1)), (2, LinkDown()), (2, LinkUp(2)), (2, Pong(7))]

    in_a_place(story)


def test_frames_that_are_sent_while_the_links_are_made_all_arrive() -> None:
    async def story(place: Place) -> None:
        (one, ear), (two, heard) = await place.begin(1), await place.begin(2)
        await ear.hears((2, LinkUp(1)))
        for number in range(100):
            place.send(one, 2, Ping(number))  # at once: perhaps node 2 has not confirmed yet
        await heard.hears((1, Ping(99)))
        assert [fact for fact in heard.heard if fact[0] == 1] == [(1, LinkUp(1)), *[(1, Ping(n)) for n in range(100)]]
        assert one.counters == {} and two.counters == {}

    in_a_place(story)


# --- a cluster -------------------------------------------------------------------------------


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster() as cluster:
        assert cluster.until(lambda: cluster.leader, 5)
        yield cluster


def forged(cluster: Cluster, incarnation: int, *frames: dict[str, Any]) -> list[socket.socket]:
    """Say hello to each node in the name of each other one, and then these frames."""
    links = []
    for node in cluster.nodes:
        host, port = cluster.config.members[node].split(":")
        for name in set(cluster.nodes) - {node}:
            link = socket.create_connection((host, int(port)), timeout=5)
            lines = [hello(cluster.config.digest, name, incarnation), *frames]
            link.sendall(b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in lines))
            links.append(link)
    return links


def chats(cluster: Cluster, text: str) -> bool:
    cluster.say(text)
    return cluster.until(lambda: all(text in cluster.delivered(node) for node in cluster.nodes), 10)


def test_six_hellos_in_the_members_names_stop_nobody(cluster: Cluster) -> None:
    links = forged(cluster, 10**9)
    time.sleep(0.3)  # the visitor leaves when everything that it said is read
    for link in links:
        link.close()
    assert chats(cluster, "we are still here")


def test_three_refusals_of_the_highest_term_stop_nobody(cluster: Cluster) -> None:
    ack = {"n": 1, "clock": 1, "message": {"type": "ACK", "term": 2**53, "ok": False}}
    links = forged(cluster, 1, ack)
    time.sleep(0.3)
    for link in links:
        link.close()
    assert cluster.until(lambda: cluster.leader, 20)
    leader = cluster.leader
    assert leader is not None
    cluster.crash(leader)
    assert cluster.until(lambda: cluster.leader not in (None, leader), 20)
    cluster.restart(leader)
    assert chats(cluster, "we are still here")
    assert max(record.term for record in cluster.trace.records) < 100
