"""Backups: made while everybody writes, read again, restored under a new name; and what is refused, in a sentence."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from backed_up import story
from typed import Run, refused

from chatsys import Cluster
from chatsys.actor.logfile import LOG, batch, encode, mark
from chatsys.check.log_files import verify
from chatsys.protocol.messages import Entry
from chatsys.protocol.storage import Boot, Promised, Remembered, Stored
from chatsys.runtime.backup import MANIFEST, back_up, restore, synced
from chatsys.runtime.disk import Disk


def test_a_member_that_lost_its_disk_comes_back_from_a_backup_made_under_load(tmp_path: Path) -> None:
    found = story(tmp_path, seconds=1.6)
    assert found["equal"] and found["delivered"] == [found["said"]] * 3 and found["said"] > 50
    assert found["in_the_backup"][0] == found["in_the_backup"][1] > 20
    assert found["refused"] == [] and found["violations"] == []
    assert found["verify"]["ok"] and found["verify"]["messages"] == found["said"]
    assert found["verify_backup"]["ok"]


BOOT = Boot(3, "chat", 1, identity="9f" * 16, nonce="04" * 8)
LINES = [encode(Boot(life, "chat", 1, identity=BOOT.identity, nonce="04" * 8)) for life in (1, 2, 3)]
MET = encode(Remembered(2, "c5" * 16, 7, "a1" * 8))
ENTRY = encode(Promised(4, 2)) + encode(Stored(Entry(1, 4, "barrier")))


def test_only_what_is_synced_for_sure_is_in_a_backup() -> None:
    """A sync has ended where the next header begins, or a mark says so. SPECIFICATION R12.1, R12.12."""
    one, two = batch(1, LINES[0]), batch(2, MET)
    assert synced(one) == 0 and synced(one + two) == len(one)
    assert synced(one + mark(1)) == len(one + mark(1))
    assert synced(one + mark(1) + two) == len(one + mark(1)) and synced(one + two + mark(2)) == len(one + two + mark(2))
    assert synced(one + two[:-1]) == len(one) == synced(one + two[:20])
    assert synced(one + b"\0" * len(mark(1)) + two + mark(2)) == len(one + mark(1) + two + mark(2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder of node 1 with three lives, a promise, an entry, and somebody whom it met."""
    data = tmp_path / "node1"
    data.mkdir()
    (data / LOG).write_bytes(batch(1, b"".join(LINES)) + batch(2, ENTRY) + batch(3, MET) + mark(3))
    return data


def test_a_restored_folder_has_a_name_of_its_own_and_knows_nobody(folder: Path, tmp_path: Path) -> None:
    """Its promise and its entries are those of the backup. SPECIFICATION R4.5."""
    made = back_up(folder, tmp_path / "backup")
    assert (made.node, made.entries, made.folder) == (1, 1, BOOT.identity)
    restore(tmp_path / "backup", tmp_path / "new" / "node1")
    disk = Disk(tmp_path / "new" / "node1", (Boot, Promised, Stored, Remembered))
    boot, *rest = disk.records
    assert rest == [Promised(4, 2), Stored(Entry(1, 4, "barrier"))]
    assert boot.incarnation == 1 and boot.node == 1 and len(boot.identity) == 32 and boot.identity != BOOT.identity
    disk.gone()
    (tmp_path / "newer" / "node1" / "lost+found").mkdir(parents=True)  # a fresh disk has one
    restore(tmp_path / "backup", tmp_path / "newer" / "node1")
    for path in (tmp_path / "backup" / LOG, tmp_path / "backup" / MANIFEST, tmp_path / "newer" / "node1" / LOG):
        assert os.name == "nt" or path.stat().st_mode & 0o077 == 0, f"others read {path}, with the secrets of clients"
    assert boot.identity.encode() not in (tmp_path / "newer" / "node1" / LOG).read_bytes()


def test_what_cannot_be_backed_up_or_restored_is_a_sentence_and_nothing_is_touched(
    folder: Path, tmp_path: Path, run: Run, config: Callable[..., Path]
) -> None:
    before = (folder / LOG).read_bytes()
    backup = tmp_path / "backup"
    back_up(folder, backup)
    for words, sentence in (
        (("backup", folder, folder), "is the data folder itself; name another folder for the backup"),
        (("backup", folder, folder / "in"), "lie one in the other"),
        (("backup", folder, backup), "is not empty (backup.json, log.jsonl); a backup is made in a new"),
        (("backup", tmp_path / "nowhere", tmp_path / "b2"), "log.jsonl cannot be read (No such file or directory)"),
        (("restore", folder, tmp_path / "node1b"), "is no backup: it has no backup.json and log.jsonl"),
        (("restore", backup, folder), "is not empty (log.jsonl); a backup is restored into a new or an empty folder"),
        (("restore", backup, backup), "is the backup itself; name another folder"),
        (("restore", backup, tmp_path / "node2"), "is a backup of node 1 of the cluster 'chat', and"),
        (("restore", backup, "--config", config(3)), "is for node 3 of the cluster 'chat'; name the backup of that"),
        (("restore", backup), "Neither DIR nor --config was given"),
    ):
        refused(run("cluster", *words), sentence)
    assert (folder / LOG).read_bytes() == before and sorted(os.listdir(backup)) == [MANIFEST, LOG]
    assert not (tmp_path / "node2").exists() and not (tmp_path / "b2").exists()
    (backup / LOG).write_bytes(before[:-1])
    refused(
        run("cluster", "restore", backup, tmp_path / "node1c"), "is not what was backed up: it was changed, or rotted"
    )
    (folder / LOG).write_bytes(before.replace(b"barrier", b"berries"))
    refused(run("cluster", "backup", folder, tmp_path / "b3"), "no backup was made of a log that is damaged")


def test_the_folder_of_a_running_node_is_refused_and_the_node_goes_on(tmp_path: Path, run: Run) -> None:
    with Cluster(1, "kernel", timing="fast", data=tmp_path) as cluster:
        assert cluster.until(lambda: cluster.leader)
        cluster.say("hello")
        assert cluster.until(lambda: cluster.delivered(1) == ["hello"])
        cluster.run(1.2)
        code, out, _ = run("cluster", "backup", tmp_path / "node1", tmp_path / "backup", "--json")
        assert code == 0 and json.loads(out)["entries"] == 3
        (tmp_path / "node1" / LOG).rename(tmp_path / "aside")
        refused(run("cluster", "restore", tmp_path / "backup", tmp_path / "node1"), "A node runs in")
        (tmp_path / "aside").rename(tmp_path / "node1" / LOG)
        cluster.say("still there")
        assert cluster.until(lambda: cluster.delivered(1) == ["hello", "still there"])
    assert verify([tmp_path / "node1", tmp_path / "backup"])["ok"]
