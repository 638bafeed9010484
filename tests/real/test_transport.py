"""The transport on real sockets: links come up, go down, are cut, slowed and refused, as people can see."""

import asyncio
import itertools
import socket
import struct
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
from pingpong import Ping, PingPong, Pong

from chatsys.actor.events import LinkDown, LinkUp
from chatsys.config import ClusterConfig
from chatsys.errors import FrameError
from chatsys.protocol.messages import NODE_MESSAGES, Label, Propose
from chatsys.runtime.net.ports import Ports
from chatsys.runtime.net.rules import ANY, Lossy, Rule, RuleBook, RuleSet, Slow
from chatsys.runtime.net.transport import Transport
from chatsys.runtime.net.wire import Codec, Hello, objection

# --- the wire -------------------------------------------------------------------------------


def test_a_frame_is_one_line_and_comes_back_as_it_was() -> None:
    codec = Codec(NODE_MESSAGES)
    data = codec.write(7, 9, Propose(term=1, prev=Label(0, 0), entries=(), commit=0))
    assert data == b'{"n":7,"clock":9,"message":{"type":"PROPOSE","term":1,"prev":[0,0],"entries":[],"commit":0}}\n'
    assert codec.read(data) == (7, 9, Propose(term=1, prev=Label(0, 0), entries=(), commit=0))


def test_a_codec_knows_only_what_the_actor_declares() -> None:
    with pytest.raises(FrameError, match="Invalid value 'HEARTBEAT'"):
        Codec(PingPong.messages).read(b'{"n":1,"clock":1,"message":{"type":"HEARTBEAT"}}')


def test_a_hello_is_judged_before_anything_else() -> None:
    config = ClusterConfig.of(3)
    fine = Hello(protocol="chatsys/1", cluster="chat", role="node", node=2, incarnation=1, config_digest=config.digest)
    assert objection(fine, 1, config) is None
    assert objection(fine, 2, config) == "Node 2 is this node itself; two nodes must not share an id."


# --- rules ----------------------------------------------------------------------------------


def test_the_latest_rule_that_fits_holds_and_a_cut_beats_all() -> None:
    rules = RuleBook(Random(1))
    both = RuleSet().with_rule(Rule(ANY, ANY, Slow(1.0))).with_rule(Rule(1, 2, Slow(0.25)))
    rules.set(both)
    assert (rules.fate(1, 2), rules.fate(2, 1)) == (0.25, 1.0)
    rules.set(both.with_cut(1, 2))
    assert (rules.fate(1, 2), rules.fate(2, 1)) == ("cut", 1.0)
    rules.set(both.with_cut(1, 2).with_rule(Rule(ANY, ANY, Lossy(1.0))).healed(everything=False))
    assert rules.fate(1, 2) == "lost"
    rules.set(both.healed(everything=True))
    assert rules.fate(1, 2) == 0.0


# --- links ----------------------------------------------------------------------------------


class Ear:
    """Writes down what a transport tells, and lets a test wait for it."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.news = asyncio.Event()

    def took(self, sender: Any, incarnation: int, frames: Any, sizes: Any) -> None:
        assert len(frames) == len(sizes) and min(sizes) > 0
        for frame in frames:
            self.tell((sender, frame[2]))

    def room(self, sender: Any) -> tuple[int, int]:
        return 1_000, 1_000_000

    def refused(self, peer: int, code: str, reason: str) -> None:
        self.tell(("refused", code))

    def linked(self, peer: Any, event: LinkUp | LinkDown) -> None:
        self.tell((peer, event))

    def dropped(self, peer: Any, reason: str, message: str | None = None, id: str | None = None) -> None:
        self.tell(("drop", reason))

    def link_failed(self, label: str, error: Exception) -> None:
        self.tell(("bug", type(error).__name__))

    def tell(self, fact: Any) -> None:
        self.heard.append(fact)
        self.news.set()

    async def hears(self, *facts: Any) -> None:
        async with asyncio.timeout(5):
            while not all(fact in self.heard for fact in facts):
                self.news.clear()
                await self.news.wait()


class Place:
    """Transports of up to three nodes on this machine, each with its ear."""

    def __init__(self) -> None:
        self.ports = Ports((1, 2, 3))
        self.config = ClusterConfig(members=self.ports.members, quorum=2)
        self.open: list[Any] = []
        self.count = itertools.count(1)

    async def begin(self, me: int | str, incarnation: int = 1) -> tuple[Transport, Ear]:
        address = self.config.members[me].split(":") if isinstance(me, int) else None
        return await self._begin(me, incarnation, (address[0], int(address[1])) if address else None)

    async def begin_elsewhere(self, me: int, incarnation: int = 1, learner: bool = False) -> tuple[Transport, Ear]:
        """Begin at an address that nobody knows."""
        return await self._begin(me, incarnation, ("127.0.0.1", 0), learner)

    async def _begin(
        self, me: int | str, incarnation: int, at: tuple[str, int] | None, learner: bool = False
    ) -> tuple[Transport, Ear]:
        ear = Ear()
        transport = Transport(me, self.config, Codec(PingPong.messages), ear, RuleBook(Random(1)), from_clients=(Ping,))
        transport.is_member = transport.is_member and not learner
        self.open.append(transport)
        await transport.open(incarnation, at)
        return transport, ear

    def send(self, transport: Transport, to: int | str, message: Any) -> None:
        transport.send(to, next(self.count), 1, message)
        transport.flush()


def in_a_place(story: Callable[[Place], Awaitable[None]]) -> None:
    async def play() -> None:
        place = Place()
        try:
            await asyncio.wait_for(story(place), 20)
        finally:
            for transport in place.open:
                transport.abort()
            place.ports.free()
            await asyncio.sleep(0.01)

    asyncio.run(play())


def test_frames_pass_both_ways_once_the_links_are_up() -> None:
    async def story(place: Place) -> None:
        (one, ear1), (two, ear2) = await place.begin(1), await place.begin(2, incarnation=4)
        await ear1.hears((2, LinkUp(4)))
        await ear2.hears((1, LinkUp(1)))
        for number in range(100):
            place.send(one, 2, Ping(number))
        place.send(two, 1, Pong(7))
        await ear1.hears((2, Pong(7)))
        await ear2.hears((1, Ping(99)))
        assert [fact for fact in ear2.heard if fact[0] == 1][1:] == [(1, Ping(number)) for number in range(100)]

    in_a_place(story)


def test_a_dead_process_is_a_link_down_and_its_next_life_a_new_link_up() -> None:
    async def story(place: Place) -> None:
        (_, ear), (two, _) = await place.begin(1), await place.begin(2)
        await ear.hears((2, LinkUp(1)))
        two.abort()
        await ear.hears((2, LinkDown()))
        await place.begin(2, incarnation=2)
        await ear.hears((2, LinkUp(2)))

    in_a_place(story)


def test_a_cut_swallows_frames_and_shows_nobody_a_dead_link() -> None:
    async def story(place: Place) -> None:
        (one, ear1), (two, ear2) = await place.begin(1), await place.begin(2)
        await ear1.hears((2, LinkUp(1)))
        await ear2.hears((1, LinkUp(1)))
        for transport in (one, two):
            transport.apply_rules(RuleSet().with_cut(1, 2))
        place.send(one, 2, Ping(1))
        place.send(two, 1, Pong(1))
        await ear1.hears(("drop", "cut"), (2, Pong(1)))
        for transport in (one, two):
            transport.apply_rules(RuleSet().with_cut(1, 2).with_cut(2, 1))
        two.abort()
        await asyncio.sleep(0.3)
        assert (2, LinkDown()) not in ear1.heard
        one.apply_rules(RuleSet())
        await ear1.hears((2, LinkDown()))  # healed: now it is found out
        assert (1, Ping(1)) not in ear2.heard

    in_a_place(story)


def test_a_slow_link_delays_and_a_lossy_one_loses() -> None:
    async def story(place: Place) -> None:
        (one, ear1), (_, ear2) = await place.begin(1), await place.begin(2)
        await ear1.hears((2, LinkUp(1)))
        one.apply_rules(RuleSet().with_rule(Rule(1, 2, Slow(0.2))))
        began = asyncio.get_running_loop().time()
        place.send(one, 2, Ping(1))
        await ear2.hears((1, Ping(1)))
        assert asyncio.get_running_loop().time() - began >= 0.2
        one.apply_rules(RuleSet().with_rule(Rule(ANY, ANY, Lossy(1.0))))
        place.send(one, 2, Ping(2))
        await ear1.hears(("drop", "lost"))
        assert one.counters["lost"] == 1

    in_a_place(story)


def test_a_client_is_answered_on_its_own_link_and_may_send_only_what_the_actor_allows() -> None:
    async def story(place: Place) -> None:
        (one, ear), (ann, heard) = await place.begin(1), await place.begin("ann")
        await ear.hears(("ann", LinkUp(0)))
        await heard.hears((1, LinkUp(1)))
        place.send(ann, 1, Ping(1))
        await ear.hears(("ann", Ping(1)))
        place.send(one, "ann", Pong(1))
        await heard.hears((1, Pong(1)))
        place.send(ann, 1, Pong(2))
        await ear.hears(("ann", LinkDown()))
        assert any("A client may not send PONG" in str(fact[1]) for fact in ear.heard if fact[0] == "drop")
        await ear.hears(("ann", LinkUp(0)))  # and it is welcome again
        assert ("ann", Pong(2)) not in ear.heard

    in_a_place(story)


def test_two_clients_of_one_name_are_told_apart() -> None:
    async def story(place: Place) -> None:
        _, ear = await place.begin(1)
        await place.begin("ann")
        await place.begin("ann")
        await ear.hears(("ann", LinkUp(0)), ("ann#2", LinkUp(0)))

    in_a_place(story)


def test_a_learner_is_served_as_a_client_is_and_its_number_carries_no_authority() -> None:
    async def story(place: Place) -> None:
        (one, ear), (four, heard) = await place.begin(1), await place.begin_elsewhere(4, incarnation=7)
        await ear.hears((4, LinkUp(7)))
        await heard.hears((1, LinkUp(1)))
        place.send(four, 1, Ping(1))
        await ear.hears((4, Ping(1)))
        place.send(one, 4, Pong(1))
        await heard.hears((1, Pong(1)))
        for number, name in ((4, "learner 4"), (2, "learner 2")):  # a number that is taken, and a member's own
            await place.begin_elsewhere(number, learner=True)
            await ear.hears((name, LinkUp(1)))
        place.send(four, 1, Pong(2))
        await ear.hears((4, LinkDown()))
        assert any("A client may not send PONG" in str(fact[1]) for fact in ear.heard if fact[0] == "drop")

    in_a_place(story)


def test_frames_without_a_link_are_dropped_and_counted() -> None:
    async def story(place: Place) -> None:
        one, ear = await place.begin(1)
        await asyncio.sleep(0.05)
        for number in range(1000):
            place.send(one, 2, Ping(number))
        place.send(one, "nobody", Ping(1))
        await ear.hears(("drop", "no link"))
        assert one.counters["no link"] + len(one.peers[2].waiting) == 1001
        assert len(one.peers[2].waiting) <= 256

    in_a_place(story)


def test_a_paused_node_takes_nothing_in_and_loses_nothing() -> None:
    async def story(place: Place) -> None:
        (one, ear1), (two, ear2) = await place.begin(1), await place.begin(2)
        await ear1.hears((2, LinkUp(1)))
        two.pause()
        place.send(one, 2, Ping(1))
        await asyncio.sleep(0.1)
        assert (1, Ping(1)) not in ear2.heard
        two.resume()
        await ear2.hears((1, Ping(1)))
        assert (2, LinkDown()) not in ear1.heard

    in_a_place(story)


def test_a_crash_also_ends_a_link_that_closes_while_the_other_end_does_not_read() -> None:
    """The other end has said its last word, but what waits for it would keep the connection open after the crash."""

    async def story(place: Place) -> None:
        one, _ = await place.begin(1)
        host, port = place.config.members[1].split(":")
        with socket.create_connection((host, int(port))) as far:
            async with asyncio.timeout(5):
                while not one.links:
                    await asyncio.sleep(0)
                link = next(iter(one.links))
                assert link.socket is not None
                link.socket.write(b"x" * 10_000_000)
                far.shutdown(socket.SHUT_WR)
                while not link.socket.is_closing():
                    await asyncio.sleep(0)
            assert link.socket.get_write_buffer_size() > 0
            link.abort()
            async with asyncio.timeout(1):  # the system itself would end it, after `SILENCE`
                while one.links:
                    await asyncio.sleep(0)

    in_a_place(story)


@pytest.mark.parametrize("end", ["reset", "closed"])
@pytest.mark.parametrize("use", ["close", "abort", "fail", "flush", "pause", "resume"])
def test_using_a_link_whose_other_end_has_gone_raises_nothing(use: str, end: str) -> None:
    """The node does not read at the moment, so it has not seen that the other end was reset."""

    async def story(place: Place) -> None:
        escaped: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
        one, ear = await place.begin(1)
        host, port = place.config.members[1].split(":")
        far = socket.create_connection((host, int(port)))
        async with asyncio.timeout(5):
            while not one.links:
                await asyncio.sleep(0)
        link = next(iter(one.links))
        link.pause()
        if end == "reset":
            far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        far.close()
        if use == "flush":
            link.batch.append(b"x" * 100)
        getattr(link, use)(*["because"] * (use == "fail"))
        if use in ("pause", "resume", "flush"):
            link.close()
        async with asyncio.timeout(5):
            while one.links:
                await asyncio.sleep(0.01)
        assert escaped == [] and not any(fact[0] == "bug" for fact in ear.heard)

    in_a_place(story)


def test_a_bug_in_a_link_is_told_and_costs_that_link_only(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(place: Place) -> None:
        one, ear = await place.begin(1)
        two, heard = await place.begin(2)
        await heard.hears((1, LinkUp(1)))
        monkeypatch.setattr(one.strangers, "no_room", lambda *facts: 1 / 0)
        await place.begin("ann")
        await ear.hears(("bug", "ZeroDivisionError"))
        place.send(two, 1, Ping(1))
        await ear.hears((2, Ping(1)))

    in_a_place(story)
