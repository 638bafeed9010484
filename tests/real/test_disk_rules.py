"""The real disk, step by step: what is written, synced, looked at and told, in which order; and what it says when it cannot.

The thread's work is done here by the test itself, so that each step is seen.

Read also `test_disk` (the same disk with its thread, and from outside).
"""

import asyncio
import errno
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pingpong import Counted

from chatsys.actor.logfile import IDLE, LOG, batch, encode, mark
from chatsys.errors import DiskFailed
from chatsys.runtime import disk as disks
from chatsys.runtime.disk import Disk, in_use

TYPES = (Counted,)


class Loop:
    """An event loop that does at once what it is told from the thread, and keeps what is to be done soon or later."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def call_soon_threadsafe(self, report: Callable[[Any], None], fact: Any) -> None:
        report(fact)

    def call_soon(self, report: Callable[[Any], None], fact: Any) -> None:
        self.soon.append(lambda: report(fact))

    def call_later(self, seconds: float, again: Callable[..., None], *facts: Any) -> object:
        self.later = (seconds, again, *facts)
        return self.later


class Closed(Loop):
    def call_soon_threadsafe(self, report: Callable[[Any], None], fact: Any) -> None:
        raise RuntimeError("Event loop is closed")


class Steps:
    """A disk whose steps are written down: `write 5`, `sync`, `look log.jsonl`, `durable 2`, `failed ...`, `low True`."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.disk = Disk(folder, TYPES)
        self.seen: list[str] = []
        self.disk._loop = Loop()  # type: ignore[assignment]
        self.disk.done = lambda count: self.seen.append(f"durable {count}")
        self.disk.failed = lambda error: self.seen.append(f"failed {error}")
        self.disk.space = lambda low: self.seen.append(f"low {low}")
        write = os.write

        def written(file: int, data: bytes) -> int:
            self.seen.append("mark" if data.startswith(b'{"type":"synced"') else "write")
            return write(file, data)

        self.clock = 0.0
        """What a sync takes moves it; no test waits for a disk."""
        monkeypatch.setattr(disks, "time", SimpleNamespace(perf_counter=lambda: self.clock))
        monkeypatch.setattr(os, "write", written)
        monkeypatch.setattr(disks, "sync", lambda file: self.seen.append("sync"))
        monkeypatch.setattr(disks, "check_in_place", lambda path, file: self.seen.append(f"look {path.name}"))

    def work(self, *jobs: Any) -> list[str]:
        """Let the thread do these jobs, and end; return its steps."""
        for job in (*jobs, None):
            self.disk._jobs.put(job)
        self.disk._work()
        seen, self.seen = self.seen, []
        return seen


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(tmp_path / "node1", monkeypatch)


ONE, TWO = encode(Counted(1)), encode(Counted(2))
LOOK = ["look log.jsonl", "look lock"]


def test_nothing_is_told_to_be_durable_before_it_was_written_synced_and_looked_for(steps: Steps) -> None:
    """SPECIFICATION R12.9, R4.11."""
    assert steps.work((ONE, 1), (TWO, 2)) == ["write", "sync", *LOOK, "durable 1", "write", "sync", *LOOK, "durable 2"]
    whole = batch(1, ONE) + batch(2, TWO)
    assert steps.disk.path.read_bytes() == whole and steps.disk.size == len(whole)
    assert steps.disk.syncs == 2


def test_a_new_folder_holds_no_records(steps: Steps) -> None:
    assert steps.disk.told() == "0 records" and [*steps.disk.records] == []


def test_at_rest_the_last_batch_is_marked_once_and_no_mark_is_synced(steps: Steps) -> None:
    """SPECIFICATION R12.12."""
    steps.disk.rest()
    assert steps.seen == [], "nothing was synced in this life"
    steps.work((ONE, 1))
    steps.disk.rest()
    steps.disk.rest()
    assert steps.seen == ["mark"]
    assert steps.disk.path.read_bytes() == batch(1, ONE) + mark(1)
    assert steps.disk.size == len(batch(1, ONE) + mark(1))


def test_no_mark_is_written_while_a_sync_is_under_way_or_when_the_life_has_ended(steps: Steps) -> None:
    steps.work((ONE, 1))
    steps.disk.write([Counted(2)])
    steps.disk.flush()
    steps.disk.rest()
    assert steps.seen == []
    steps.disk._report(2)
    steps.seen.clear()
    steps.disk.abandon()
    steps.disk.rest()
    assert steps.seen == []


def test_numbers_of_batches_go_on_where_the_earlier_life_ended(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    steps.work((ONE, 1))
    steps.disk.gone()
    again = Steps(steps.disk.folder, monkeypatch)
    again.work((TWO, 1))
    assert again.disk.path.read_bytes() == batch(1, ONE) + batch(2, TWO)
    assert [*again.disk.records] == [Counted(1)] and again.disk.torn == 0


@pytest.mark.parametrize("broken", ["sync", "check_in_place"])
def test_after_a_failure_nothing_more_is_written_and_it_is_told_once(
    steps: Steps, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """SPECIFICATION R12.6."""

    def fails(*_: Any) -> None:
        raise DiskFailed("it went") if broken == "check_in_place" else OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(disks, broken, fails)
    seen = steps.work((ONE, 1), (TWO, 2))
    steps.disk.write([Counted(3)])
    steps.disk.flush()
    steps.disk.rest()
    seen += steps.seen
    told = f"failed The disk failed at {steps.disk.path}: Input/output error: the device does not work; the node stops."
    assert seen == (["write", told] if broken == "sync" else ["write", "sync", "failed it went"])
    assert steps.disk.size == 0


def test_a_short_write_goes_on_where_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:3]))
    path = tmp_path / "file"
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    disks._write_all(file, b"0123456789")
    os.close(file)
    assert path.read_bytes() == b"0123456789"


def test_what_gathers_while_a_sync_is_under_way_is_one_batch(steps: Steps) -> None:
    disk = steps.disk
    disk.flush()
    assert disk._jobs.empty(), "there is nothing to sync"
    disk.write([Counted(1)])
    disk.flush()
    assert disk._jobs.get_nowait() == (ONE, 1)
    disk.write([Counted(2)])
    disk.write([Counted(1)])
    disk.flush()
    assert disk._jobs.empty(), "one sync at a time"
    disk._report(1)
    disk.flush()
    assert steps.seen == ["durable 1"] and disk._jobs.get_nowait() == (TWO + ONE, 3)
    disk.flush()
    disk._report(3)
    disk.flush()
    assert disk._jobs.empty(), "and nothing twice"


def test_a_life_that_ended_writes_nothing_hears_nothing_and_lets_go_once(steps: Steps) -> None:
    disk = steps.disk
    disk.write([Counted(1)])
    disk.abandon()
    assert disk._buffer == [] and disk._jobs.get_nowait() is None
    disk.write([Counted(2)])
    disk.flush()
    assert disk._jobs.empty()
    disk._report(1)
    disk._report(DiskFailed("too late"))
    disk.rest()
    disk._watch_space()
    assert steps.seen == [] and not hasattr(disk._loop, "later")
    assert in_use(disk.folder)
    disk.gone()
    disk.gone()
    assert not in_use(disk.folder)


def test_a_folder_is_let_go_only_when_its_thread_has_ended(steps: Steps) -> None:
    disk: Any = steps.disk
    disk._thread = SimpleNamespace(join=lambda seconds: steps.seen.append(f"in use: {in_use(disk.folder)}"))
    disk.gone()
    assert steps.seen == ["in use: True"] and not in_use(disk.folder)


def test_a_loop_that_is_closed_is_told_nothing_and_the_thread_goes_on(steps: Steps) -> None:
    steps.disk._loop = Closed()  # type: ignore[assignment]
    assert steps.work((ONE, 1), (TWO, 2)) == ["write", "sync", *LOOK, "write", "sync", *LOOK]


def test_when_nothing_was_synced_for_a_while_the_disk_rests(steps: Steps) -> None:
    loop: Any = steps.disk._loop
    steps.work((ONE, 1))
    assert loop.later[0] == IDLE
    loop.now = IDLE / 2
    look = vars(loop).pop("later")[1]
    steps.work((TWO, 2))
    assert not hasattr(loop, "later"), "one alarm is enough"
    loop.now = IDLE
    look()
    assert steps.seen == [] and loop.later[0] == IDLE / 2, "another sync came: it is looked at again"
    loop.now = 1.5 * IDLE
    vars(loop).pop("later")[1]()
    assert steps.seen == ["mark"]
    steps.work((ONE, 3))
    assert loop.later[0] == IDLE, "what comes later is marked, too"


def test_a_disk_that_is_busy_or_has_ended_when_it_should_rest_is_looked_at_again_or_let_be(steps: Steps) -> None:
    loop: Any = steps.disk._loop
    steps.work((ONE, 1))
    steps.disk.write([Counted(2)])
    steps.disk.flush()
    loop.now = 2 * IDLE
    loop.later[1]()
    assert steps.seen == [] and loop.later[0] == IDLE / 10
    loop.now = 0.0
    look = vars(loop).pop("later")[1]
    steps.disk.abandon()
    look()
    assert steps.seen == [] and not hasattr(loop, "later")


def test_while_syncs_are_short_the_loop_does_them_itself_and_one_long_one_sends_them_to_the_thread(
    steps: Steps,
) -> None:
    disk = steps.disk
    disk._took.extend([disks.SHORT / 2] * (disks.FEW - 1))
    for number in (1, 2, 3):
        disk.write([Counted(number)])
        disk.flush()
        if number == 1:
            assert disk._jobs.get_nowait() == (ONE, 1), "too few are known yet"
            disk._report(disk._store(ONE, 1))
        elif number == 2:
            disk.write([Counted(9)])
            disk.flush()
            assert steps.seen == [*["write", "sync", *LOOK, "durable 1"], "write", "sync", *LOOK], "one at a time"
            disk._loop.soon.pop()()  # type: ignore[attr-defined]
            assert steps.seen[-1] == "durable 2" and disk._jobs.empty()
            disk._took.append(disks.SHORT * 2)
    assert disk._jobs.get_nowait() == (encode(Counted(9)) + encode(Counted(3)), 4)


def test_a_long_sync_is_forgotten_after_a_few_short_ones(steps: Steps) -> None:
    steps.disk._took.extend([disks.SHORT * 2, *[disks.SHORT / 2] * disks.FEW])
    steps.disk.write([Counted(1)])
    steps.disk.flush()
    assert steps.disk._jobs.empty() and steps.seen == ["write", "sync", *LOOK]


def test_what_a_thread_may_have_waited_for_the_interpreter_is_not_held_against_the_disk(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(file: int) -> None:
        steps.clock += 0.002

    monkeypatch.setattr(disks, "sync", slow)
    steps.work((ONE, 1))
    steps.disk._thread = threading.current_thread()
    steps.work((TWO, 2))
    here, there = steps.disk._took
    assert there < disks.SHORT < 0.002 <= here
    steps.disk._thread = None


def test_after_a_sync_in_the_loop_that_failed_nothing_more_is_written(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPECIFICATION R12.6."""

    def fails(*_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    disk = steps.disk
    disk._took.extend([disks.SHORT / 2] * disks.FEW)
    monkeypatch.setattr(disks, "sync", fails)
    disk.write([Counted(1)])
    disk.flush()
    disk._loop.soon.pop()()  # type: ignore[attr-defined]
    disk.write([Counted(2)])
    disk.flush()
    disk.rest()
    assert [step.split(" ", 1)[0] for step in steps.seen] == ["write", "failed"] and disk._jobs.empty()


def test_what_a_life_finds_is_synced_before_it_writes_and_new_names_are_synced_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPECIFICATION R12.12: what a killed process wrote may rest in the memory of the system only."""
    synced: list[str] = []

    def named(file: int) -> str:
        return Path(os.readlink(f"/proc/self/fd/{file}")).name

    monkeypatch.setattr(os, "fdatasync", lambda file: synced.append(f"data of {named(file)}"), raising=False)
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(f"names in {named(file)}"))
    folder = tmp_path / "outer" / "node1"
    folder.parent.mkdir()
    Disk(folder, TYPES).gone()
    assert synced == ["names in outer", "names in node1"]
    (folder / LOG).write_bytes(batch(1, ONE) + batch(2, TWO)[:-1])
    synced.clear()
    disk = Disk(folder, TYPES)
    disk.gone()
    assert synced == ["data of log.jsonl", "names in node1"]
    assert (disk.torn, disk.size) == (len(batch(2, TWO)) - 1, len(batch(1, ONE))) and [*disk.records] == [Counted(1)]
    assert (folder / LOG).read_bytes() == batch(1, ONE)


def test_a_sync_asks_the_system_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append, raising=False)
    disks.sync(7)
    assert synced == [7]


@pytest.mark.parametrize(
    ("number", "synced"),
    [(None, ["full"]), (errno.ENOTSUP, ["full", "data"]), (errno.EINVAL, ["full", "data"]), (errno.ENOTTY, ["full", "data"]), (errno.EIO, None)],
)  # fmt: skip
def test_on_a_mac_the_drive_itself_is_asked_and_where_it_cannot_be_the_system_is(
    monkeypatch: pytest.MonkeyPatch, number: int | None, synced: list[str] | None
) -> None:
    seen: list[str] = []

    def full(file: int, what: int) -> None:
        assert (file, what) == (7, 51)
        seen.append("full")
        if number is not None:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setitem(sys.modules, "fcntl", SimpleNamespace(fcntl=full, F_FULLFSYNC=51))
    monkeypatch.setattr(os, "fdatasync", lambda file: seen.append("data"), raising=False)
    if synced is None:
        with pytest.raises(OSError, match="Input/output error"):
            disks.sync(7)
    else:
        disks.sync(7)
        assert seen == synced


def test_a_disk_that_nobody_listens_to_tells_nobody(tmp_path: Path) -> None:
    disk = Disk(tmp_path, TYPES)
    disk._loop = Loop()  # type: ignore[assignment]
    disk._report(1)
    disk._report(DiskFailed("it went"))
    disk.space(True)
    disk.gone()


def test_space_is_looked_at_again_and_a_disk_that_cannot_say_is_not_low(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps.disk._low = True

    def cannot(folder: Path) -> None:
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr("shutil.disk_usage", cannot)
    steps.disk._watch_space()
    loop: Any = steps.disk._loop
    assert steps.seen == ["low False"] and loop.later == (5.0, steps.disk._watch_space)


def test_a_disk_that_starts_looks_at_the_space_and_its_thread_holds_no_process_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1))
    told: list[bool] = []

    async def begin() -> bool:
        disk = Disk(tmp_path, TYPES)
        disk.space = told.append
        disk.start()
        thread = disk._thread
        disk.gone()
        return thread is not None and thread.daemon and not thread.is_alive()

    assert asyncio.run(begin()) and told == [True]


def test_a_disk_that_is_opened_writes_its_last_batch_again_before_it_syncs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a sync that failed the system may hold it in memory, and call it clean. SPECIFICATION R12.12."""
    whole = batch(1, ONE) + batch(2, TWO)
    path = tmp_path / LOG
    path.write_bytes(whole)
    os.utime(path, ns=(1, 1))
    written: list[bool] = []

    def look(file: int) -> None:
        facts = os.fstat(file)
        if facts.st_ino == path.stat().st_ino:
            written.append(facts.st_mtime_ns > 1)

    monkeypatch.setattr(disks, "sync", look)
    Disk(tmp_path, TYPES).gone()
    assert written and written[0] and path.read_bytes() == whole
