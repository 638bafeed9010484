"""A long log: read in blocks, kept once, and delivered without an object for each message."""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

from chatsys.actor import logfile
from chatsys.actor.effects import Deliver
from chatsys.actor.logfile import batch, decode, encode
from chatsys.campaign.long_log import write_long_log
from chatsys.config import ClusterConfig
from chatsys.errors import DamagedLog
from chatsys.protocol.messages import Entry
from chatsys.protocol.node import Node
from chatsys.protocol.serving.delivery_run import DeliveryRun
from chatsys.protocol.storage import Boot, Promised, Stored
from chatsys.runtime import long_file
from chatsys.runtime.disk import Disk
from chatsys.runtime.host import Host
from chatsys.runtime.long_file import LongFile

CONFIG = ClusterConfig(members={1: "127.0.0.1:1"}, quorum=1, cluster="bench")
MESSAGES, FIRST = 1_200, 66
"""Of the log that is written here, and the position of the first of them: behind a barrier and 64 sessions."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(long_file, "BLOCK", 1_000)
    monkeypatch.setattr(logfile, "BLOCK", 1_000)
    write_long_log(tmp_path, MESSAGES)
    return tmp_path


def opened(folder: Path) -> Disk:
    disk = Disk(folder, Node.records, owner=("bench", 1), owner_of=Node.owner)
    disk.gone()
    return disk


def test_a_file_gives_the_parts_that_its_bytes_would_give(folder: Path) -> None:
    whole = (folder / "log.jsonl").read_bytes()
    chance = Random(1)
    with LongFile(folder / "log.jsonl") as file:
        assert len(file) == len(whole)
        for _ in range(300):
            start = chance.randrange(len(whole) + 10)
            end = start + chance.randrange(3_000)
            assert file[start:end] == whole[start:end] and len(file._block) <= 3_000
        assert file[:] == whole


def test_the_records_of_a_file_are_those_of_its_bytes_as_often_as_somebody_asks(folder: Path) -> None:
    disk = opened(folder)
    expected = decode((folder / "log.jsonl").read_bytes(), Node.records).records
    assert disk.records.log_end == FIRST - 1 + MESSAGES
    assert list(disk.records) == list(disk.records) == expected and len(disk.records) == len(expected)
    assert disk.told() == f"{len(expected)} records"


def test_what_entries_have_in_common_is_one_object_and_of_the_type_that_it_was(folder: Path) -> None:
    entries = [record.entry for record in opened(folder).records if isinstance(record, Stored)]
    for field in ("client_id", "room", "author", "session", "client_seq"):
        values = [getattr(entry, field) for entry in entries]
        assert len({id(value) for value in values}) == len(set(values)), field
    assert len({id(entry.time) for entry in entries if entry.kind == "chat"}) == -(-MESSAGES // 500)


def test_a_number_and_a_moment_that_are_equal_stay_two_things(tmp_path: Path) -> None:
    said = [Entry(seq, 1, "chat", "c", seq, "1", "1", "x", time=5.0, session=5) for seq in range(1, 8)]
    (tmp_path / "log.jsonl").write_bytes(batch(1, b"".join(encode(Stored(entry)) for entry in said)))
    found = [record.entry for record in opened(tmp_path).records]
    assert found == said
    assert {(type(one.time), type(one.session), type(one.room)) for one in found} == {(float, int, str)}


@pytest.mark.parametrize("at", [0.2, 0.5, 0.9])
def test_damage_in_a_later_block_is_named_by_its_line(folder: Path, at: float) -> None:
    path = folder / "log.jsonl"
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedLog) as found:
        opened(folder)
    with pytest.raises(DamagedLog) as expected:
        decode(bytes(data), Node.records, str(path))
    assert (found.value.line, found.value.why) == (expected.value.line, expected.value.why) and found.value.line > 60
    assert path.read_bytes() == data, "nothing is written to a log that is damaged"


def test_of_a_torn_end_the_warning_names_what_was_lost_and_only_that_is_cut_off(folder: Path) -> None:
    path = folder / "log.jsonl"
    whole = path.read_bytes()
    number = decode(whole, Node.records).number + 1
    lost = Stored(Entry(FIRST + MESSAGES, 1, "chat", "c", 1, text="lost"))
    path.write_bytes(whole + batch(number, encode(lost))[:-1])
    assert f"(entry {FIRST + MESSAGES})" in opened(folder).log.warning and path.read_bytes() == whole


def start(folder: Path) -> list[Any]:
    """Start a node on the log in `folder`; return its trace."""
    trace: list[Any] = []

    async def live() -> None:
        disk = Disk(folder, Node.records, owner=("bench", 1), owner_of=Node.owner)
        host = Host(1, CONFIG, Node, trace.extend, disk=disk)
        try:
            await host.start(("127.0.0.1", 0))
            while not host.actor.status()["ready"]:
                await asyncio.sleep(0.01)
        finally:
            host.crash()
            disk.gone()

    asyncio.run(live())
    return trace


@pytest.mark.parametrize("line", [b'{"type":"nothing"}\n', b'{"type":"promise","term":"one"}\n'])
def test_a_line_that_is_no_record_stops_the_life_that_would_recover_from_it(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(batch(1, encode(Boot(1, "bench", 1))) + batch(2, encode(Promised(1, 1)) + line))
    with pytest.raises(DamagedLog, match="its batch holds but it is no record") as found:
        start(tmp_path)
    assert (found.value.path, found.value.line) == (str(path), 5)


def test_a_record_that_cannot_stand_there_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(batch(1, encode(Boot(1, "bench", 1))) + batch(2, encode(Stored(Entry(2, 1, "barrier")))))
    with pytest.raises(DamagedLog, match="entry 2 follows entry 0") as found:
        start(tmp_path)
    assert (found.value.path, found.value.line) == (str(path), 4)


def test_whoever_reads_the_trace_of_a_life_reads_each_message_of_its_log_once(folder: Path) -> None:
    told = [record for record in start(folder) if record.kind in ("start", "deliver")]
    assert told[0].seq == FIRST - 1 + MESSAGES
    assert [record.msg_no for record in told[1:]] == list(range(1, MESSAGES + 1))
    last = told[-1]
    assert (last.seq, last.text.strip()) == (FIRST - 1 + MESSAGES, f"{MESSAGES - 1}".ljust(99) + ".")


def test_a_life_begins_with_one_run_of_deliveries_of_the_entries_that_the_log_has(folder: Path) -> None:
    node = Node(1, CONFIG, Random(1))
    node.recover(opened(folder).records)
    (run,) = [effect for effect in node.start(0.0) if isinstance(effect, Deliver)]
    assert isinstance(run.items, DeliveryRun) and len(run.items) == MESSAGES
    assert all(mine is theirs for mine, theirs in zip(run.items.entries, node.log.entries[FIRST - 1 :], strict=True))
