"""Images: what the disk of each node held at a moment, if the power had failed then.

    written      batch 1 | batch 2 | batch 3          what the process, and whoever reads the file, sees
    on the disk  batch 1 | batch 2                    what a completed sync covered: writes that had begun before it did
    named                                             whether the folder was synced after the file was made in it

A sync that fails covers nothing, and what it should have covered is forgotten, though it can still be read: the next
sync returns 0 and covers what was written since (Rebello and others, "Can Applications Recover from fsync Failures?",
USENIX ATC 2020).  What was written again is covered again.

From the bytes on the disk it is read what they say, by a reader of its own: promises, entries, lives.

Promises  a record counts only when its whole batch is on the disk.
Read also `actor.logfile` (the format), `witness` (who asks).
"""

import json
import re
from pathlib import PurePath
from typing import Any, NamedTuple

from chatsys.campaign.below.events import CUT, MKDIR, OPEN, SYNC, WRITE, SystemCall

_BATCH = re.compile(rb'\{"type":"batch","number":\d+,"bytes":(\d+),"crc":"[0-9a-f]{8}"\}\n')
_MARK = re.compile(rb'\{"type":"synced","number":\d+,"crc":"[0-9a-f]{8}"\}\n')


class EntryOnDisk(NamedTuple):
    """One entry on a disk."""

    term: int
    client: str
    number: int
    author: str
    text: str


class Facts:
    """What the bytes of a log say."""

    def __init__(self) -> None:
        self.at = 0
        """So many bytes were read."""
        self.node = 0
        self.lives: set[int] = set()
        self.promised: dict[int, set[int]] = {}
        """To whom, by term; empty where it was to nobody yet."""
        self.term = 0
        self.entries: list[EntryOnDisk] = []
        self.longest = 0
        """How long the log ever was, before something was cut off."""

    def entry(self, seq: int) -> EntryOnDisk | None:
        """Return the entry at this position, from 1 on; None: the log does not reach so far."""
        return self.entries[seq - 1 : seq][0] if 0 < seq <= len(self.entries) else None

    def read(self, data: bytes | bytearray) -> None:
        """Take in the batches that are whole and were not read yet."""
        while True:
            if mark := _MARK.match(data, self.at):
                self.at = mark.end()
                continue
            head = _BATCH.match(data, self.at)
            if head is None or len(data) < head.end() + int(head[1]):
                return
            self.at = head.end() + int(head[1])
            for line in bytes(data[head.end() : self.at]).splitlines():
                self._take(json.loads(line))

    def _take(self, record: dict[str, Any]) -> None:
        match record["type"]:
            case "boot":
                self.node = record["node"]
                self.lives.add(record["incarnation"])
            case "promise":
                self.term = max(self.term, record["term"])
                to = self.promised.setdefault(record["term"], set())
                to |= {record["to"]} - {None}
            case "truncate":
                del self.entries[record["first"] - 1 :]
            case "entry":
                entry = record["entry"]
                own = (entry.get("client_id") or "", entry.get("client_seq") or 0)
                self.entries.append(
                    EntryOnDisk(entry["term"], *own, entry.get("author") or "", entry.get("text") or "")
                )
                self.longest = max(self.longest, len(self.entries))


class DiskImage:
    """One log over all lives of its node."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.disk = bytearray()
        self.named = True
        """False from when the file was made until its folder was synced."""
        self.facts = Facts()
        self.distrusted: set[int] = set()
        """The processes to which a write or a sync failed."""
        self.wrong: list[str] = []
        """What nobody may do: to write or sync after that, or to lose what was on the disk."""
        self._under_way: list[SystemCall] = []

    def take(self, event: SystemCall) -> None:
        """Take in what happened to this file."""
        if event.kind in (WRITE, CUT, SYNC) and event.pid in self.distrusted:
            what = {WRITE: "wrote to", CUT: "cut", SYNC: "synced"}[event.kind]
            self.wrong.append(f"process {event.pid} {what} its log after a write or a sync of it had failed")
        match event.kind:
            case _ if event.result < 0:
                self._failed(event)
            case _ if event.kind == OPEN:
                self._open(event)
            case _ if event.kind in (WRITE, CUT):
                if event.data.startswith(b'{"type":"batch"'):
                    self._begin_batch(event)
                _apply(self.written, event)
                self._under_way.append(event)
            case _ if event.kind == SYNC:
                for one in self._covered(event):
                    if one.kind == CUT or one.offset < self.facts.at:
                        self._changed(one)
                    _apply(self.disk, one)
                self.facts.read(self.disk)

    def _begin_batch(self, event: SystemCall) -> None:
        """What is in front of a batch is on the disk, but for marks: else a reader calls a torn batch damage, or worse."""
        marks = sum(len(one.data) for one in self._under_way if _MARK.match(one.data))
        if len(self.disk) + marks < event.offset:
            self.wrong.append(
                f"process {event.pid} began a batch at byte {event.offset}, and only {len(self.disk)} were on the disk"
            )

    def _covered(self, sync: SystemCall) -> list[SystemCall]:
        covered = [one for one in self._under_way if one.ended <= sync.began]
        self._under_way = [one for one in self._under_way if one.ended > sync.began]
        return covered

    def _changed(self, event: SystemCall) -> None:
        """Something that was read already is written over or cut off: if it differs, read all of it anew."""
        before = bytes(self.disk[event.offset : self.facts.at])
        if event.kind == CUT and not before or event.kind == WRITE and event.data.startswith(before):
            return
        if event.kind == WRITE and before.startswith(event.data):
            return
        self.facts, longest = Facts(), self.facts.longest
        self.facts.longest = longest

    def _failed(self, event: SystemCall) -> None:
        if event.kind == SYNC:
            self._covered(event)
        if event.kind in (SYNC, WRITE):
            self.distrusted.add(event.pid)

    def _open(self, event: SystemCall) -> None:
        if event.offset:
            self.written.clear()
            self.disk.clear()
            self._under_way.clear()
            self.facts, self.named = Facts(), False
        elif event.data and event.data != self.written:  # a disk that forgets: what is there now was kept
            if not event.data.startswith(bytes(self.disk)):
                self.wrong.append(f"process {event.pid} found a log that lacks what was synced")
            self.written[:] = self.disk[:] = event.data
            self._under_way.clear()
            self.facts = Facts()
            self.facts.read(self.disk)

    def after_power_loss(self, kept: int, zeros: int = 0) -> bytes:
        """Return what may be found: what is on the disk, and of the unsynced bytes behind it the first `kept`.

        `zeros` bytes in front of these were pages that did not reach the disk, though later ones did.
        """
        unsynced = bytes(self.written[len(self.disk) :])[:kept]
        holes = min(zeros, len(unsynced))
        return bytes(self.disk) + bytes(holes) + unsynced[holes:]

    @property
    def unsynced(self) -> int:
        """How many bytes at the end are not on the disk."""
        return max(0, len(self.written) - len(self.disk))


def _apply(content: bytearray, event: SystemCall) -> None:
    if event.kind == CUT:
        del content[event.offset :]
        return
    content += bytes(max(0, event.offset - len(content)))
    content[event.offset : event.offset + len(event.data)] = event.data


class Disks:
    """All logs that were seen, and the folders above them."""

    def __init__(self) -> None:
        self.images: dict[str, DiskImage] = {}
        self.of_process: dict[int, str] = {}
        """The log of each process."""
        self._fresh: dict[str, int] = {}
        """Folders that were made, and whose own folder was not synced since; when they were made."""

    def take(self, event: SystemCall) -> None:
        """Take in what happened to a file or a folder."""
        if event.kind == MKDIR:
            self._fresh[event.path] = event.ended
        elif event.kind == SYNC and not event.path.endswith("/log.jsonl"):
            if event.result < 0:
                return
            self._fresh = {
                path: made
                for path, made in self._fresh.items()
                if str(PurePath(path).parent) != event.path or made > event.began
            }
            image = self.images.get(f"{event.path}/log.jsonl")
            if image is not None:
                image.named = True
        elif event.kind in (OPEN, WRITE, CUT, SYNC):
            self.of_process[event.pid] = event.path
            self.images.setdefault(event.path, DiskImage()).take(event)

    def facts_of(self, pid: int) -> Facts:
        """Return what stands on the disk of the node in this process; nothing if the name of its log does not."""
        return self._facts_at(self.of_process.get(pid, ""))

    def all_facts(self) -> list[Facts]:
        """Return what stands on each disk."""
        return [self._facts_at(path) for path in self.images]

    def _facts_at(self, path: str) -> Facts:
        image = self.images.get(path)
        if image is None or not image.named or any(path.startswith(f"{folder}/") for folder in self._fresh):
            return Facts()
        return image.facts
