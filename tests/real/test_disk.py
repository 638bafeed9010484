"""The real disk: what a completed sync covered comes back, and everything else is a clear sentence.

What the system below it saw, and a system that forgets, fails and lies: see `test_below`.
"""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from pingpong import Counted

from chatsys.actor.logfile import batch, encode, mark
from chatsys.errors import DamagedLog, DiskFailed, LogError, LogInUse
from chatsys.protocol.node import Node
from chatsys.protocol.storage import NODE_RECORDS, Boot
from chatsys.runtime import disk as disks
from chatsys.runtime import status_file
from chatsys.runtime.backup import back_up, restore
from chatsys.runtime.disk import Disk, made_folder

TYPES = (Counted,)


def store(folder: Path, *records: Counted) -> list[int]:
    """Write `records` in one turn of a loop, wait until all are durable, return what was reported."""
    reports: list[int] = []

    async def write() -> None:
        disk = Disk(folder, TYPES)
        everything = asyncio.Event()

        def done(count: int) -> None:
            reports.append(count)
            disk.flush()
            if count == len(records):
                everything.set()

        disk.done = done
        disk.start()
        for record in records:
            disk.write([record])
            disk.flush()
        await asyncio.wait_for(everything.wait(), 20)
        disk.gone()

    asyncio.run(write())
    return reports


def read(folder: Path) -> list[Counted]:
    disk = Disk(folder, TYPES)
    disk.gone()
    return [*disk.records]


def test_what_was_synced_comes_back_in_the_next_life(tmp_path: Path) -> None:
    store(tmp_path / "node1", Counted(1), Counted(2))
    store(tmp_path / "node1", Counted(3))
    assert read(tmp_path / "node1") == [Counted(1), Counted(2), Counted(3)]


def test_nobody_else_can_look_into_a_data_folder_or_a_backup(tmp_path: Path) -> None:
    """The log has the secrets of clients, and was made for everybody on the machine to read."""
    data, copy, open_to_a_group = made_folder(tmp_path / "cluster") / "node1", tmp_path / "copy", tmp_path / "volume"
    before = os.umask(0)
    try:
        open_to_a_group.mkdir(0o770)
        for folder in (data, open_to_a_group):
            disk = Disk(folder, NODE_RECORDS)
            os.write(disk._file, batch(1, encode(Boot(1, "chat", 1, identity="9f", nonce="a"))) + mark(1))
            status_file.write(folder / status_file.STATUS, b"{}")
            disk.gone()
        back_up(data, copy)
        restore(copy, tmp_path / "again")
    finally:
        os.umask(before)
    assert stat.S_IMODE(open_to_a_group.stat().st_mode) == 0o770, "who made it has decided"
    folders = [tmp_path / "cluster", data, copy, tmp_path / "again"]
    files = [path for folder in (*folders[1:], open_to_a_group) for path in folder.iterdir()]
    assert len(files) == 3 + 2 + 1 + 3
    modes = {str(path): oct(stat.S_IMODE(path.stat().st_mode)) for path in (*folders, *files)}
    assert {path: mode for path, mode in modes.items() if int(mode, 8) & 0o077} == {}


def test_a_thousand_records_of_one_turn_need_two_syncs(tmp_path: Path) -> None:
    assert store(tmp_path, *map(Counted, range(1000))) == [1, 1000]


def test_each_sync_is_a_batch_and_a_mark_follows_when_the_disk_is_idle_or_at_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disks, "IDLE", 0.05)
    log = tmp_path / "log.jsonl"
    marked: list[bool] = []

    async def write() -> None:
        disk = Disk(tmp_path, TYPES)
        durable: asyncio.Queue[int] = asyncio.Queue()
        disk.done = durable.put_nowait
        disk.start()
        for number in (1, 2):
            disk.write([Counted(number)])
            disk.flush()
            await asyncio.wait_for(durable.get(), 20)
        while not marked:
            await asyncio.sleep(0.01)
            marked.extend([True] * log.read_bytes().endswith(mark(2)))
        disk.write([Counted(3)])
        disk.flush()
        await asyncio.wait_for(durable.get(), 20)
        disk.rest()
        disk.gone()

    asyncio.run(write())
    one, two, three = (batch(number, encode(Counted(number))) for number in (1, 2, 3))
    assert log.read_bytes() == one + two + mark(2) + three + mark(3)


def test_a_mark_that_finds_no_room_leaves_nothing_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(tmp_path, Counted(1))
    whole = (tmp_path / "log.jsonl").read_bytes()
    write = os.write
    disk = Disk(tmp_path, TYPES)
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:20]))  # as a disk that is full by then
    disk._write_mark(mark(1))
    monkeypatch.undo()
    disk.gone()
    assert (tmp_path / "log.jsonl").read_bytes() == whole


@pytest.mark.parametrize("torn", [b'{"type":"bat', batch(3, encode(Counted(3)))[:-1], bytes(4096)])
def test_a_torn_last_batch_is_cut_off_the_file(tmp_path: Path, torn: bytes) -> None:
    store(tmp_path, Counted(1), Counted(2))
    log = tmp_path / "log.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole + torn)
    assert read(tmp_path) == [Counted(1), Counted(2)]
    assert log.read_bytes() == whole


def test_a_rotten_batch_in_the_middle_is_an_error_with_its_line(tmp_path: Path) -> None:
    store(tmp_path, Counted(1), Counted(2), Counted(3))
    log = tmp_path / "log.jsonl"
    whole = log.read_bytes()
    log.write_bytes(log.read_bytes().replace(b'"counted","number":1', b'"counted","number":7'))
    with pytest.raises(DamagedLog, match="line 1 .* batch 2, which begins at line 3, follows"):
        Disk(tmp_path, TYPES)
    assert len(log.read_bytes()) == len(whole)  # nothing was cut off
    log.write_bytes(batch(1, encode(Counted(1))))
    assert read(tmp_path) == [Counted(1)]  # the refused attempt let go of the folder


def test_the_log_of_another_node_or_cluster_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(batch(1, encode(Boot(1, "chat", 2))))
    with pytest.raises(LogError, match="belongs to node 2 of cluster 'chat', not to node 1"):
        Disk(tmp_path, NODE_RECORDS, owner=("chat", 1), owner_of=Node.owner)
    Disk(tmp_path, NODE_RECORDS, owner=("chat", 2), owner_of=Node.owner).gone()


def test_two_nodes_cannot_use_one_folder_and_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    hold = f"from chatsys.runtime.disk import Disk; from pathlib import Path; d = Disk(Path({str(tmp_path)!r}), ());"
    command = [sys.executable, "-c", hold + "print('held', flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(LogInUse, match=f"in use by process {other.pid}; stop that node first"):
            Disk(tmp_path, TYPES)
        other.send_signal(signal.SIGKILL)
    Disk(tmp_path, TYPES).gone()


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LogError, match="is not a folder"):
        Disk(tmp_path / "file", TYPES)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no read-only folders of this kind")
def test_a_read_only_folder_is_refused(for_all: Path) -> None:
    folder = for_all / "mine"
    folder.mkdir(mode=0o555)
    drop = "import os; os.getuid() or os.setuid(65534);"  # root may write anywhere, so be nobody
    attempt = f"from pathlib import Path; from chatsys.runtime.disk import Disk; {drop} Disk(Path({str(folder)!r}), ())"
    done = subprocess.run([sys.executable, "-c", attempt], capture_output=True, text=True, check=False)
    assert f"LogError: The data folder {folder} cannot be written (Permission denied: {folder}/lock)" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_failed_write_is_told_once_and_nothing_is_written_after_it(tmp_path: Path) -> None:
    async def fail() -> tuple[list[int], list[DiskFailed]]:
        disk = Disk(tmp_path, TYPES)
        reports: list[int] = []
        failures: list[DiskFailed] = []
        failed = asyncio.Event()
        disk.done = reports.append
        disk.failed = lambda error: (failures.append(error), failed.set())  # type: ignore[func-returns-value, assignment]
        disk.start()
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, disk._file)
        os.close(full)
        disk.write([Counted(1)])
        disk.flush()
        await asyncio.wait_for(failed.wait(), 5)
        disk.write([Counted(2)])
        disk.flush()
        disk.gone()
        return reports, failures

    reports, failures = asyncio.run(fail())
    assert reports == []
    assert [str(error) for error in failures] == [
        f"The log {tmp_path / 'log.jsonl'} cannot grow: No space left on device: the disk is full. "
        "The node stops; make room, then start it again."
    ]


def test_low_space_is_told_when_it_begins_and_when_there_is_half_as_much_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two it stays what it was, so that a disk around the threshold does not draw the lead to and fro."""
    free = [120, 99, 101, 149, 90, 150, 120, 99]
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=free.pop(0)))

    async def watch() -> list[tuple[int, bool]]:
        disk = Disk(tmp_path, TYPES, low_bytes=100)
        told: list[tuple[int, bool]] = []
        disk.space = lambda low: told.append((len(free), low))
        disk.start()
        while free:
            disk._watch_space()
        disk.gone()
        return told

    assert asyncio.run(watch()) == [(6, True), (2, False), (0, True)]
