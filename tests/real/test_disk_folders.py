"""The folder of the real disk: who holds it, what is said when it cannot be used, and that no handle is left open.

Read also `test_disk_rules` (what is written into it, step by step).
"""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from pingpong import Counted

from chatsys.actor.logfile import LOG, batch, encode
from chatsys.errors import ForeignLog, LogError, LogInUse
from chatsys.runtime import disk as disks
from chatsys.runtime.disk import LOCK, Disk, cannot_use, in_use, made_folder
from chatsys.surroundings import sync_folder

TYPES = (Counted,)


def test_a_life_that_ended_keeps_no_handle(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    Disk(tmp_path, TYPES).gone()
    assert not in_use(tmp_path) and os.listdir("/proc/self/fd") == before


def test_a_folder_that_cannot_be_synced_is_let_be_and_no_handle_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_folder(tmp_path / "nothing")

    def refuses(file: int) -> None:
        raise OSError(errno.EINVAL, "no")

    closed: list[int] = []
    close = os.close
    monkeypatch.setattr(os, "fsync", refuses)

    def closes(file: int) -> None:
        closed.append(file)
        close(file)

    monkeypatch.setattr(os, "close", closes)
    sync_folder(tmp_path)
    assert len(closed) == 1


def test_who_holds_a_folder_stands_in_its_lock(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("an older and longer text\n")
    disk = Disk(tmp_path, TYPES)
    assert (tmp_path / LOCK).read_text() == f" {os.getpid()}\n"
    disk.gone()
    assert not in_use(tmp_path) and not in_use(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("content", "who"),
    [
        (b" 4711\n", "process 4711"),
        (b" 1\n", "the node of another container"),
        (b"", "another process"),
        (b" \xff\xfe\n", "another process"),
    ],
)
def test_who_holds_the_folder_is_named_and_no_handle_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, who: str
) -> None:
    (tmp_path / LOCK).write_bytes(content)
    monkeypatch.setattr(disks, "lock", lambda file, path: False)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(LogInUse, match=f"is in use by {who}; stop that node first"):
        Disk(tmp_path, TYPES)
    assert os.listdir("/proc/self/fd") == before


def test_a_lock_that_cannot_be_written_is_an_error_and_no_handle_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "ftruncate", full)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(LogError, match="cannot be used"):
        Disk(tmp_path, TYPES)
    assert os.listdir("/proc/self/fd") == before


def test_a_log_that_names_nobody_is_anybodys_and_whoever_asks_for_nobody_takes_any(tmp_path: Path) -> None:
    nobody: Any = lambda records: None  # noqa: E731
    somebody: Any = lambda records: ("chat", 2)  # noqa: E731
    (tmp_path / LOG).write_bytes(batch(1, encode(Counted(1))))
    Disk(tmp_path, TYPES, owner=("chat", 1), owner_of=nobody).gone()
    Disk(tmp_path, TYPES, owner=None, owner_of=somebody).gone()
    Disk(tmp_path, TYPES, owner=("chat", 2), owner_of=somebody).gone()
    with pytest.raises(ForeignLog, match="belongs to node 2 of cluster 'chat', not to node 1"):
        Disk(tmp_path, TYPES, owner=("chat", 1), owner_of=somebody)


def test_a_folder_whose_log_cannot_be_opened_is_let_go(tmp_path: Path) -> None:
    (tmp_path / LOG).mkdir()
    with pytest.raises(LogError, match="cannot be used"):
        Disk(tmp_path, TYPES)
    assert not in_use(tmp_path)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EACCES, "cannot be written (Permission denied); give this user the right. If the log must move"),
        (errno.EROFS, "cannot be written (Read-only file system)"),
        (errno.EPERM, "cannot be written (Operation not permitted)"),
        (errno.EEXIST, "is not a folder (File exists); a file is in its way"),
        (errno.ENOTDIR, "is not a folder (Not a directory); a file is in its way"),
        (errno.ENOENT, "cannot be used (No such file or directory); name the right folder."),
        (errno.ELOOP, "name the right folder."),
        (errno.EISDIR, "name the right folder."),
        (errno.EINVAL, "name the right folder."),
        (errno.ENOSPC, "cannot be used (No space left on device: the disk is full); make room"),
    ],
)
def test_why_a_folder_cannot_be_used_is_said_with_what_to_do(tmp_path: Path, number: int, told: str) -> None:
    said = cannot_use(tmp_path, OSError(number, os.strerror(number), str(tmp_path)))
    assert f"The data folder {tmp_path} " in said and told in said
    other = cannot_use(tmp_path, OSError(number, os.strerror(number), str(tmp_path / "lock")))
    assert "None" not in cannot_use(tmp_path, OSError(number, os.strerror(number)))
    assert f": {tmp_path / 'lock'}" in other and f": {tmp_path / 'lock'}" not in said


def test_a_link_to_nothing_is_told_apart(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "gone")
    assert "is a link to a folder that is not there" in cannot_use(link, OSError(errno.EEXIST, "File exists"))
    (tmp_path / "file").write_text("")
    with pytest.raises(LogError, match="is not a folder"):
        made_folder(tmp_path / "file")
    assert made_folder(tmp_path / "new").is_dir()
