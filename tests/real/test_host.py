"""The host: one life of any actor, on a real loop with a real disk and real links."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pingpong import Counted, Ping, PingPong, Pong

from chatsys.actor.actor import Actor
from chatsys.actor.effects import Append, Note, Send
from chatsys.actor.events import Say, Stop
from chatsys.actor.logfile import batch, encode, mark
from chatsys.config import ClusterConfig
from chatsys.errors import BrokenInvariant
from chatsys.protocol.storage import Boot
from chatsys.runtime.disk import Disk
from chatsys.runtime.host import Host
from chatsys.runtime.net.ports import Ports
from chatsys.trace import Record, Trace


class Bench:
    """Hosts on this machine that write one trace."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, Ports((1, 2))
        self.config = ClusterConfig(members=self.ports.members, quorum=2)
        self.trace = Trace()
        self.hosts: list[Host] = []

    async def begin(self, me: int, actor: Any = PingPong, life: int = 1) -> Host:
        disk = Disk(self.folder / f"node{me}", actor.records)
        host = Host(me, self.config, actor, self.trace.records.extend, disk=disk, life=life)
        self.hosts.append(host)
        address, port = self.config.members[me].split(":")
        await host.start((address, int(port)))
        return host

    async def until(self, holds: Callable[[], Any]) -> None:
        async with asyncio.timeout(5):
            while not holds():
                await asyncio.sleep(0.005)

    def has(self, kind: str, **facts: Any) -> bool:
        return any(all(getattr(record, k) == v for k, v in facts.items()) for record in self.trace.of(kind))


def on_a_bench(folder: Path, story: Callable[[Bench], Awaitable[None]]) -> Trace:
    async def play() -> Trace:
        bench = Bench(folder)
        try:
            await asyncio.wait_for(story(bench), 20)
        finally:
            for host in bench.hosts:
                host.crash()
                assert host.disk is not None
                host.disk.gone()
            bench.ports.free()
            await asyncio.sleep(0.01)
        return bench.trace

    return asyncio.run(play())


def place_of(trace: Trace, holds: Callable[[Record], bool]) -> int:
    return next(place for place, record in enumerate(trace) if holds(record))


def test_two_players_count_and_each_answer_waits_for_the_disk(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        await bench.begin(1)
        await bench.begin(2)
        await bench.until(lambda: bench.has("seen", node=1, seq=2))

    trace = on_a_bench(tmp_path, story)
    two = trace.where(lambda record: record.node == 2)
    stored = place_of(two, lambda record: record.kind == "append" and record.message == "Counted")
    synced = place_of(two, lambda record: record.kind == "durable")
    answered = place_of(two, lambda record: record.kind == "send" and record.message == "PONG")
    assert stored < synced < answered
    sent = {record.id: record.clock for record in trace.of("send")}
    assert all(sent[record.id] < record.clock for record in trace.of("receive"))


def test_a_new_life_remembers_what_the_old_one_wrote(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        one, two = await bench.begin(1), await bench.begin(2)
        await bench.until(lambda: bench.has("seen", node=1, seq=1))
        two.crash()
        assert two.disk is not None
        two.disk.gone()
        two = await bench.begin(2, life=2)
        assert two.actor.status() == {"count": 1}
        await bench.until(lambda: bench.has("seen", node=1, seq=2))
        assert one.alive

    trace = on_a_bench(tmp_path, story)
    assert [record.incarnation for record in trace.of("start") if record.node == 2] == [1, 2]
    assert [record.reason for record in trace.of("start") if record.node == 2] == ["0 records", "1 records"]


def test_what_an_older_life_said_is_dropped_though_it_waited_for_the_next_turn(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        one, two = await bench.begin(1), await bench.begin(2)
        await bench.until(lambda: bench.has("seen", node=1, seq=1))
        two.crash()
        assert two.disk is not None
        two.disk.gone()
        await bench.begin(2, life=2)
        await bench.until(lambda: bench.has("seen", node=1, seq=2))
        for life, number in ((1, 666), (2, 777)):  # SPECIFICATION R2.3
            one.turns.take_in(2, life, [(99, 99, Pong(number))], [50])
        await bench.until(lambda: bench.has("seen", node=1, seq=777))

    trace = on_a_bench(tmp_path, story)
    (dropped,) = [record for record in trace.of("drop") if record.id == "2.1.99"]
    assert (dropped.node, dropped.peer, dropped.reason) == (1, 2, "old incarnation")
    assert not [record for record in trace.of("seen") if record.seq == 666]


class Adder(Actor):
    """Counts messages and settlings; sends its sum to itself, through its own disk."""

    messages = (Ping, Pong)
    records = (Counted,)
    taken = settled = 0

    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        match message:
            case Ping():
                self.taken += 1
            case Pong(number):
                return [Note("seen", seq=number)]
        return []

    def settle(self, now: float) -> list[Any]:
        self.settled += 1
        return []

    def on_command(self, command: Any, now: float) -> list[Any]:
        match command:
            case Say():
                return [Append(Counted(4), Counted(5)), Send(self.me, Pong(5))]
            case Stop():
                return [Append(Counted(6))]
        return []


def test_everything_at_hand_is_one_turn_and_settles_once(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        one, two = await bench.begin(1, Adder), await bench.begin(2, Adder)
        await bench.until(lambda: bench.has("link_up", node=1, peer=2))
        before = two.actor.settled  # type: ignore[attr-defined]
        for number in range(1, 501):
            one.transport.send(2, number, number, Ping(number))
        one.transport.flush()
        await bench.until(lambda: two.actor.taken == 500)  # type: ignore[attr-defined]
        assert two.actor.settled - before < 20  # type: ignore[attr-defined]

    on_a_bench(tmp_path, story)


class Flooded(PingPong):
    """Notes how many messages of clients went in together; more than `hard` under way, and it is pressed."""

    hard = 10_000

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.runs: list[int] = []
        self.open = 0

    @property
    def pressed(self) -> bool:
        return self.open > self.hard

    def on_messages(self, sender: Any, messages: Sequence[msgspec.Struct], now: float) -> list[Any]:
        self.runs.append(len(messages))
        self.open += len(messages)
        return []

    def relieve(self) -> None:
        """Let nothing be under way any more."""
        self.open = 0


class Pressed(Flooded):
    hard = 300


def flood(host: Host, client: str, frames: int = 256) -> None:
    """Let a client say so much at once."""
    host.turns.take_in(client, 1, [(n, n, Ping(n)) for n in range(1, frames + 1)], [50] * frames)


def test_what_a_client_that_is_alone_says_goes_in_together_and_by_quanta_beside_another(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        actor: Any = (host := await bench.begin(1, Flooded)).actor
        flood(host, "alone")
        await bench.until(lambda: sum(actor.runs) == 256)
        assert actor.runs == [256]
        flood(host, "light", 1)
        flood(host, "one", 20)
        await bench.until(lambda: sum(actor.runs) == 277)
        assert actor.runs[1:] == [1, 8, 8, 4]

    on_a_bench(tmp_path, story)


def test_a_client_that_is_alone_goes_on_as_soon_as_the_actor_is_pressed_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatsys.runtime.turns.PRESSED_PAUSE", 1000.0)

    async def story(bench: Bench) -> None:
        actor: Any = (host := await bench.begin(1, Pressed)).actor
        for _ in range(3):
            flood(host, "alone")
        await bench.until(lambda: actor.pressed)
        host.turns.wake()
        await asyncio.sleep(0.1)
        assert actor.runs == [256, 256]  # two turns; then it would wait for a quarter of an hour
        host.turns.later(actor.relieve)
        await bench.until(lambda: actor.runs == [256, 256, 256])

    on_a_bench(tmp_path, story)


def test_clients_that_flood_beside_each_other_wait_though_the_actor_is_pressed_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatsys.runtime.turns.PRESSED_PAUSE", 1000.0)
    monkeypatch.setattr("chatsys.runtime.turns.CLIENT_TIME", 1000.0)

    async def story(bench: Bench) -> None:
        actor: Any = (host := await bench.begin(1, Pressed)).actor
        for client in ("one", "other"):
            flood(host, client, 200)
        await bench.until(lambda: actor.pressed)
        served = list(actor.runs)
        host.turns.later(actor.relieve)
        await bench.until(lambda: not actor.pressed)
        await asyncio.sleep(0.05)
        assert actor.runs == served and set(served) == {8}
        host.turns._patience_ends()  # as if it were over; on a busy machine a short one could be over too soon
        await bench.until(lambda: sum(actor.runs) == 400)

    on_a_bench(tmp_path, story)


def test_while_the_actor_is_pressed_a_client_that_is_alone_is_served_a_quantum_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatsys.runtime.turns.PRESSED_PAUSE", 0.001)

    async def story(bench: Bench) -> None:
        actor: Any = (host := await bench.begin(1, Pressed)).actor
        for _ in range(3):
            flood(host, "alone")
        await bench.until(lambda: sum(actor.runs) == 768)
        assert actor.runs == [256, 256] + 32 * [8]

    on_a_bench(tmp_path, story)


def test_what_a_node_sends_to_itself_comes_back_when_the_disk_is_done(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        one = await bench.begin(1, Adder)
        one.command(Say("go"))
        await bench.until(lambda: bench.has("seen", seq=5))

    trace = on_a_bench(tmp_path, story)
    kinds = [record.kind for record in trace]
    assert kinds.count("append") == 2, "a run of two records"
    assert kinds.index("append") < kinds.index("durable") < kinds.index("seen")
    assert not trace.of("send", "receive")


def test_a_clean_stop_lets_the_actor_write_and_syncs_it(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        one = await bench.begin(1, Adder)
        await one.stop()
        assert one.disk is not None and not one.alive
        one.disk.gone()
        bench.hosts.clear()

    trace = on_a_bench(tmp_path, story)
    assert [record.kind for record in trace][-3:] == ["append", "durable", "stop"]
    assert (tmp_path / "node1" / "log.jsonl").read_bytes() == batch(1, encode(Counted(6))) + mark(1)


class Faulty(PingPong):
    """Fails in its own way when it is told something."""

    def on_command(self, command: Any, now: float) -> list[Any]:
        match command:
            case Say("divide"):
                return [1 / 0]
            case Say("nothing"):
                return None  # type: ignore[return-value]
            case Say("nonsense"):
                return ["hello"]
            case Say("surroundings"):
                raise OSError(28, "No space left on device")
            case Say("invariant"):
                raise BrokenInvariant("Node 1 would truncate what is committed.")
        return []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("divide", r"ZeroDivisionError: division by zero \(test_host.py, line \d+\)"),
        ("nothing", "a door returned None; return a list of effects"),
        ("nonsense", "'hello' is no effect"),
        ("surroundings", r"OSError: \[Errno 28\] No space left on device \(test_host.py, line \d+\)"),
        ("invariant", r"^Node 1 would truncate what is committed\.$"),
    ],
)
def test_an_actor_that_fails_stops_alone_and_says_why(tmp_path: Path, text: str, sentence: str) -> None:
    async def story(bench: Bench) -> None:
        one, two = await bench.begin(1, Faulty), await bench.begin(2)
        await bench.until(lambda: bench.has("link_up", node=2, peer=1))
        one.command(Say(text))
        reason = await asyncio.wait_for(one.ended, 5)
        assert bench.trace.of("broken")[0].reason == reason
        await bench.until(lambda: bench.has("link_down", node=2, peer=1))
        assert two.alive and not one.alive
        assert re.search(sentence, reason)

    on_a_bench(tmp_path, story)


class Sleeper(Actor):
    def start(self, now: float) -> list[Any]:
        self.alarms.set("wake", now + 0.2)
        self.begun = now
        return []

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        return [Note("seen", text=f"{now - self.begun}")]


def test_an_alarm_rings_at_its_time_and_not_while_the_node_is_paused(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        one, two = await bench.begin(1, Sleeper), await bench.begin(2, Sleeper)
        two.pause()
        await bench.until(lambda: bench.has("seen", node=1))
        await asyncio.sleep(0.3)
        assert not bench.has("seen", node=2)
        two.resume()
        await bench.until(lambda: bench.has("seen", node=2))
        assert one.alive

    trace = on_a_bench(tmp_path, story)
    (rang,) = (record.text for record in trace.of("seen") if record.node == 1)
    assert rang is not None and float(rang) >= 0.2


class Bookkeeper(Actor):
    """Boots as the chat node does, and says itself which life it is."""

    records = (Boot,)

    @property
    def incarnation(self) -> int:
        return self.life

    def recover(self, records: Any) -> None:
        self.life = 1 + len(list(records))

    def start(self, now: float) -> list[Any]:
        return [Append(Boot(self.life, "chat", self.me)), Note("seen", text="started")]


def test_a_life_is_durable_before_anybody_can_speak_to_it(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        await bench.begin(1, Bookkeeper)
        await bench.until(lambda: bench.has("seen"))

    trace = on_a_bench(tmp_path, story)
    assert [record.kind for record in trace] == ["start", "boot", "durable", "seen"]
    trace = on_a_bench(tmp_path, story)
    assert {record.incarnation for record in trace} == {2}


def test_a_port_in_use_is_an_error_and_the_folder_is_free_again(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        one = await bench.begin(1)
        with pytest.raises(OSError, match="(?i)address already in use"):
            config = msgspec.structs.replace(bench.config, members={1: "127.0.0.1:1", 2: bench.config.members[1]})
            other = Host(2, config, PingPong, bench.trace.records.extend, disk=Disk(tmp_path / "x", (Counted,)))
            with contextlib.closing(_Ending(other)):
                await other.start(("127.0.0.1", int(bench.config.members[1].split(":")[1])))
        Disk(tmp_path / "x", (Counted,)).gone()
        assert one.alive

    on_a_bench(tmp_path, story)


class _Ending:
    def __init__(self, host: Host) -> None:
        self.host = host

    def close(self) -> None:
        self.host.crash()
        assert self.host.disk is not None
        self.host.disk.gone()
