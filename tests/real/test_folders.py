"""Locks, full disks, and advice that loses nothing: what happens to the folder of a node is told truly."""

import asyncio
import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typed import Run, refused

from chatsys import Cluster
from chatsys.errors import DamagedLog, DiskFailed, LogError, LogInUse, NotHere
from chatsys.locks import NO_LOCKS
from chatsys.runtime.disk import Disk, cannot_use
from chatsys.surroundings import try_write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs links, pipes, limits and /proc")

SHORT = "--seeds 0:1 --seconds 1 --calm 1 --jobs 1"


@pytest.fixture
def flock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that makes every lock fail with an errno, as some file systems do."""
    import fcntl

    def fail_with(number: int) -> None:
        def fail(*_: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(fcntl, "flock", fail)

    return fail_with


@pytest.mark.parametrize("number", sorted(NO_LOCKS))
def test_a_file_system_without_locks_is_told_as_that(
    run: Run, tmp_path: Path, flock: Callable[[int], None], config: Callable[..., Path], number: int
) -> None:
    flock(number)
    for line in (("node", "--config", config()), ("simulate", *SHORT.split(), "--resume", tmp_path / "kept.jsonl")):
        answer = run(*line)
        refused(answer, "keeps no file locks")
        assert "in use" not in answer[2] and "a disk of this machine" in answer[2]
    with pytest.raises(NotHere, match="keeps no file locks"):
        Cluster(nodes=1, data=tmp_path / "kept")


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EWOULDBLOCK])
def test_a_lock_that_another_process_has_is_in_use(tmp_path: Path, flock: Callable[[int], None], number: int) -> None:
    flock(number)
    with pytest.raises(LogInUse, match="is in use by another process; stop that node first"):
        Disk(tmp_path, ())


def test_a_lock_that_fails_in_another_way_is_told_as_that(tmp_path: Path, flock: Callable[[int], None]) -> None:
    flock(errno.EIO)
    with pytest.raises(LogError, match=r"cannot be used \(Input/output error: the device does not work\); repair it"):
        Disk(tmp_path, ())


def test_a_second_node_of_this_process_is_refused_the_folder(tmp_path: Path) -> None:
    first = Disk(tmp_path, ())
    with pytest.raises(LogInUse, match=f"in use by process {os.getpid()}; stop that node first"):
        Disk(tmp_path, ())
    first.gone()
    Disk(tmp_path, ()).gone()


# --- advice that loses nothing --------------------------------------------------------------------


def test_following_the_advice_for_a_damaged_log_loses_nothing_acknowledged() -> None:
    advice = str(DamagedLog("log.jsonl", 3, "its checksum is wrong"))
    assert "Leave the node stopped: the others go on" in advice
    assert "start it with an empty folder and let each of the others accept it" in advice
    assert "Never put an older copy of the folder in its place" in advice
    for harmful in ("start as new", "move the folder away", "another folder", "another place"):
        assert harmful not in advice


@pytest.mark.parametrize("number", [getattr(errno, name) for name in ("EACCES", "EPERM", "EROFS", "EIO", "ENOSPC", "EDQUOT",
                                    "ENOENT", "ENOTDIR", "EEXIST", "EISDIR", "EMFILE", "ENOMEM", "ELOOP", "ENAMETOOLONG")])  # fmt: skip
def test_no_sentence_sends_a_node_to_an_empty_folder(number: int) -> None:
    advice = cannot_use(Path("data/node1"), OSError(number, os.strerror(number), "data/node1"))
    assert advice.startswith("The data folder data/node1 ") and advice.endswith(".") and os.strerror(number) in advice
    for harmful in ("another folder", "another place", "another disk", "name another", "place that can be written"):
        assert harmful not in advice


# --- disks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number, words",
    [
        (errno.ENOSPC, "cannot grow: No space left on device: the disk is full. The node stops; make room, then start"),
        (errno.EDQUOT, "this user's share of the disk is full. The node stops; make room"),
        (errno.EFBIG, "it is full. The node stops; raise the limit, then start it again"),
        (errno.EIO, "The disk failed at .*: Input/output error: the device does not work; the node stops"),
        (errno.EROFS, "The disk failed at .*: Read-only file system; the node stops"),
    ],
)
def test_a_disk_that_fails_while_a_node_lives_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    from pingpong import Counted

    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    async def live() -> DiskFailed:
        disk = Disk(tmp_path, (Counted,))
        failed: asyncio.Future[DiskFailed] = asyncio.get_running_loop().create_future()
        disk.failed = failed.set_result
        disk.start()
        monkeypatch.setattr("chatsys.runtime.disk.sync", fail)
        disk.write([Counted(1)])
        disk.flush()
        try:
            return await asyncio.wait_for(failed, 10)
        finally:
            disk.gone()

    with pytest.raises(DiskFailed, match=words):
        raise asyncio.run(live())


FULL = """
import resource, sys
from pathlib import Path
from chatsys import World
from chatsys.errors import UsageError

world = World(seed=1)
world.run(3)
resource.setrlimit(resource.RLIMIT_FSIZE, (1024, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
for save in (world.save, world.trace.save):
    try:
        save(Path(sys.argv[1]) / "x")
    except UsageError as error:
        print(error)
"""


def test_half_a_saved_run_does_not_stay_behind(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, check=True)
    told = done.stdout.splitlines()
    assert len(told) == 2
    assert all(re.search(r"x cannot be written: File too large: .* it is full; raise the limit", one) for one in told)
    assert not list(tmp_path.iterdir())


def test_trying_a_file_leaves_it_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("kept")
    for name in ("old", "new"):
        assert try_write(tmp_path / name) == tmp_path / name
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old", "kept")]
