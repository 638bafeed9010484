"""Backups: a data folder copied while its node runs, and a copy made into the folder of a node again.

    data/node2/log.jsonl  --back_up--> backup/log.jsonl, backup.json      up to the last batch that was synced for sure
    backup/               --restore--> data/node2/log.jsonl               the same entries, in a folder with a new name

A log grows at its end only, so whatever stands in front of a finished sync is a whole history of its own, also while
the node goes on writing.  That a sync has finished shows in what follows: a mark, or the beginning of the next batch
(SPECIFICATION R12.1, R12.12).  What is behind the last such sign is left out.

Why a restored folder is not the old one.  It has forgotten what its node promised and acknowledged since, so the
others must not take it for the folder that they met.  It gets a name of its own, and the others refuse it
until people tell them to accept it, exactly as an empty one.  Who was met is left out, too: the restored node
would refuse a member whose disk was replaced since, and a refused member stops.

Assumes   nobody but its node writes the folder.
Promises  the folder of a running node is only read; a backup is there as a whole and was read again, or is not there;
          nothing is written over.
Read also `disk` (who writes the log), `protocol.identity` (who refuses whom), `commands.backing`.
"""

import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import SystemRandom

import msgspec

from chatsys.actor.logfile import LOG, Reader, batch, decode, encode, mark
from chatsys.check.learner_files import is_learners
from chatsys.errors import DamagedLog, LogError, LogInUse
from chatsys.protocol.recovery import Recovered, replay
from chatsys.protocol.storage import NODE_RECORDS, Boot
from chatsys.runtime.disk import LOCK, cannot_use, in_use, sync
from chatsys.runtime.orders import FOLDER as ORDERS
from chatsys.runtime.status_file import STATUS
from chatsys.surroundings import UNUSABLE, advice, make_folder, place, private, read_ordinary, reason, sync_folder

MANIFEST = "backup.json"
IN_A_BATCH = 1 << 20
"""About so many bytes of a restored log are one batch."""
TRIES = 3
"""A node that starts may cut off a torn end while it is read; then it is read again."""
OF_NO_WEIGHT = {LOCK, STATUS, ORDERS, "stderr.txt", "lost+found"}
"""What may lie in a folder that counts as empty: nothing of it is a node's memory.  A fresh disk has the last one."""


class Manifest(msgspec.Struct, frozen=True):
    """What a backup is of, and how its log can be checked."""

    node: int
    cluster: str
    folder: str
    """The name of the data folder that was copied."""
    entries: int
    committed: int
    """So many of them the node knew to be committed."""
    bytes: int
    sha256: str
    time: float


# --- backing up -----------------------------------------------------------------------------------


def back_up(source: Path, to: Path) -> Manifest:
    """Copy what is synced of the log in `source`, the folder of a node that may run, into the new folder `to`.

    Raises `LogError` with one sentence; then nothing of `to` is left behind.
    """
    source, to = place(source), place(to)
    _check_apart(source, to, "the backup", "the data folder")
    _check_empty(to, "a backup is made in a new or an empty folder: name another one", allowed=set())
    if is_learners(source):
        raise LogError(
            f"{source} is the folder of a learner, which needs no backup: with an empty one it hears everything again, "
            "once its id is free (chatsys cluster leave)."
        )
    data, found = _read_synced(source / LOG)
    assert found.boot is not None
    manifest = Manifest(
        node=int(found.boot.node), cluster=found.boot.cluster, folder=found.boot.identity, entries=len(found.entries),
        committed=found.hint, bytes=len(data), sha256=_sum(data), time=time.time(),
    )  # fmt: skip
    made = not to.exists()
    try:
        make_folder(to)
        _write(to / LOG, data)
        _write(to / MANIFEST, msgspec.json.encode(manifest) + b"\n")
        if _sum(read_ordinary(to / LOG)) != manifest.sha256:
            raise OSError("what was written does not read back the same")
    except OSError as error:
        _remove(to, made)
        raise LogError(f"The backup {to} cannot be written ({reason(error)}); {_new(error)}.") from None
    return manifest


def synced(data: bytes, path: str = LOG) -> int:
    """Return how many bytes at the beginning of a log were synced for sure: what follows on them shows it."""
    reader = Reader(data, NODE_RECORDS, path)
    sure = 0
    while reader.at < len(data):
        begin = reader.at
        if reader.take_mark():
            sure = reader.at
        elif reader.take_batch(begin) or reader.take_batch(reader.after_mark()):
            sure = begin if begin else sure
        else:
            break
    if 0 < reader.at < len(data) and data[reader.at : reader.at + 8] == b'{"type":':
        return reader.at  # the next header has begun
    return sure


def _read_synced(path: Path) -> tuple[bytes, Recovered]:
    """Return the synced part of a log, and what it means.  Raises `LogError`."""
    for last in (*[False] * (TRIES - 1), True):
        try:
            data = read_ordinary(path)
        except UNUSABLE as error:
            raise LogError(f"{path} cannot be read ({reason(error)}); {_right(error)}.") from None
        try:
            decode(data, NODE_RECORDS, str(path))  # damage is no torn end: a copy would only keep it
            data = data[: synced(data, str(path))]
            found = replay(decode(data, NODE_RECORDS, str(path)).records, str(path))
        except DamagedLog as damage:
            if last:
                raise LogError(f"{str(damage).rstrip('.')}; no backup was made of a log that is damaged.") from None
            time.sleep(0.2)
            continue
        if found.boot is None:
            raise LogError(f"{path} holds nothing that is synced yet; make the backup when the node has started.")
        return data, found
    raise AssertionError("the last try returns or raises")


# --- restoring ------------------------------------------------------------------------------------


def restore(backup: Path, folder: Path, node: int | None = None, cluster: str | None = None) -> Manifest:
    """Make the log of a backup into the new folder of its node, under a new name.

    With `node` and `cluster`, the backup must be of that node.  Raises `LogError` with one sentence.
    """
    backup, folder = place(backup), place(folder)
    _check_apart(backup, folder, "the data folder", "the backup")
    manifest, data = _read_backup(backup)
    expected = node if node is not None else _node_by_name(folder)
    if (expected, cluster or manifest.cluster) not in ((None, manifest.cluster), (manifest.node, manifest.cluster)):
        whose = f"node {expected}" + (f" of the cluster {cluster!r}" if cluster else "")
        raise LogError(
            f"{backup} is a backup of node {manifest.node} of the cluster {manifest.cluster!r}, and {folder} is for "
            f"{whose}; name the backup of that node, or the folder of this one."
        )
    _check_not_running(folder)
    why = "a backup is restored into a new or an empty folder: a node that ran before must not lose what it has"
    _check_empty(folder, why, allowed=OF_NO_WEIGHT)
    lines = _renamed(replay(decode(data, NODE_RECORDS, str(backup / LOG)).records))
    made = not folder.exists()
    try:
        make_folder(folder)
        _write(folder / LOG, lines)
    except OSError as error:
        if made:
            _remove(folder, made)
        raise LogError(cannot_use(folder, error)) from None
    return manifest


def _renamed(found: Recovered) -> bytes:
    """Return a log with the same promise and entries, in the first life of a folder with a name of its own.

    SPECIFICATION R4.5: the name, and the nonce of that life, are drawn anew.  Nobody was met in it.
    """
    assert found.boot is not None
    chance = SystemRandom()
    name, nonce = f"{chance.getrandbits(128):032x}", f"{chance.getrandbits(64):016x}"
    boot = Boot(1, found.boot.cluster, found.boot.node, identity=name, nonce=nonce)
    kept = msgspec.structs.replace(found, boots=(boot,), met=())
    return _in_batches([encode(record) for record in kept.records()])


def _in_batches(lines: Sequence[bytes]) -> bytes:
    """Return records as a log: batches of a handy size, and the mark that all of them are synced."""
    parts: list[bytes] = []
    waiting: list[bytes] = []
    size = 0
    for at, line in enumerate(lines, start=1):
        waiting.append(line)
        size += len(line)
        if size >= IN_A_BATCH or at == len(lines):
            parts.append(batch(len(parts) + 1, b"".join(waiting)))
            waiting, size = [], 0
    return b"".join(parts) + mark(len(parts))


def _read_backup(backup: Path) -> tuple[Manifest, bytes]:
    try:
        manifest = msgspec.json.decode((backup / MANIFEST).read_bytes(), type=Manifest)
        data = read_ordinary(backup / LOG)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        raise LogError(
            f"{backup} is no backup: it has no {MANIFEST} and {LOG} that chatsys cluster backup made; name the folder "
            "that was given there."
        ) from None
    except UNUSABLE as error:
        raise LogError(f"{backup} cannot be read ({reason(error)}); {_right(error)}.") from None
    if (len(data), _sum(data)) != (manifest.bytes, manifest.sha256):
        raise LogError(f"The log in {backup} is not what was backed up: it was changed, or rotted; use another backup.")
    return manifest, data


def _node_by_name(folder: Path) -> int | None:
    """Return whose folder it is where `cluster up` and our configs call it `node2`."""
    name = folder.name
    return int(name[4:]) if name.startswith("node") and name[4:].isdecimal() else None


def _check_not_running(folder: Path) -> None:
    """Raise `LogInUse` if a node runs in this folder."""
    try:
        running = in_use(folder)
    except OSError as error:
        raise LogError(cannot_use(folder, error)) from None
    if running:
        raise LogInUse(f"A node runs in {folder}; stop it, and give it an empty folder, before a backup is restored.")


# --- both -----------------------------------------------------------------------------------------


def _check_apart(one: Path, other: Path, what: str, of: str) -> None:
    """Raise `LogError` if one of two folders is the other, or lies in it."""
    first, second = one.resolve(), other.resolve()
    if first == second:
        raise LogError(f"{other} is {of} itself; name another folder for {what}.")
    if first in second.parents or second in first.parents:
        raise LogError(f"{other} and {one} lie one in the other; name a folder for {what} that is apart.")


def _check_empty(folder: Path, why: str, allowed: set[str]) -> None:
    try:
        there = sorted(path.name for path in folder.iterdir() if path.name not in allowed)
    except FileNotFoundError:
        return
    except UNUSABLE as error:
        raise LogError(f"{folder} cannot be used ({reason(error)}); {_new(error)}.") from None
    if there:
        raise LogError(f"{folder} is not empty ({', '.join(there[:3])}{', ...' * (len(there) > 3)}); {why}.")


def _right(error: Exception) -> str:
    """Say what to do about a folder that cannot be read: often it is the volume of a container, and another user's."""
    if isinstance(error, PermissionError):
        return "give this user the right to read it, or run this as the user that runs the node"
    return f"give the data folder of a node, the one that holds {LOG}"


def _new(error: Exception) -> str:
    """Say what to do about a folder that cannot be made, or cannot be written."""
    if isinstance(error, NotADirectoryError | FileExistsError):
        return "a file is in its way: name a new or an empty folder"
    return "name another folder" if isinstance(error, FileNotFoundError) else advice(error, "name another folder")


def _write(path: Path, data: bytes) -> None:
    """Write a new file as a whole, and make it durable."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with open(fresh, "xb", opener=private) as file:
        file.write(data)
        file.flush()
        sync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def _remove(folder: Path, made: bool) -> None:
    """Remove what was begun."""
    with suppress(OSError):
        for name in (LOG, MANIFEST):
            (folder / name).unlink(missing_ok=True)
            (folder / f".{name}.new").unlink(missing_ok=True)
        if made:
            folder.rmdir()


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
