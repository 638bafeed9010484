"""Do the logs of several nodes agree?  Reads data folders and nothing else.

    node1/log.jsonl --> [boot, promise, entry, truncate, commit]  --> what its log holds, 1..last
    node2/log.jsonl --> ...                                       --> and how far it knows it committed

    position   1  2  3  4  5  6
    node 1     a  b  c  d  e        commit 4
    node 2     a  b  c  d  x  y     commit 3      5 and 6: an uncommitted tail, allowed

A difference where both nodes know that the position is committed breaks S1.  A difference above
that is what an election repairs.  A torn last batch is what a crash leaves; it was never promised.
What learners keep is compared with both (see `learner_files`).

Promises  every node folder that can be read is reported, even if another one is damaged.
Read also `actor.logfile` (the batches of a log), `check` (the same question, asked of a trace).
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from chatsys.actor.logfile import LOG, line_of
from chatsys.check.learner_files import (
    LearnerLog,
    decoded,
    difference_from_learner,
    difference_from_member,
    is_learners,
    read_learner_log,
)
from chatsys.errors import DamagedLog, LogError
from chatsys.protocol.messages import Entry
from chatsys.protocol.public import public
from chatsys.protocol.recovery import replay
from chatsys.protocol.storage import Boot
from chatsys.surroundings import UNUSABLE, place, read_ordinary, reason

HEADER = b'{"type":"batch"'
"""So begins the first line of a log."""


class NodeLog(msgspec.Struct):
    """What one folder holds.  `damaged` is the number of the line at which the damage begins, `warning` what a torn end held."""

    folder: str
    node: str = ""
    cluster: str | None = None
    entries: list[Entry] = []
    commit: int = 0
    torn: int = 0
    warning: str = ""
    damaged: int | None = None
    why: str = ""

    def at(self, seq: int) -> Entry | None:
        """Return the entry at position `seq`, if the log is that long."""
        return self.entries[seq - 1] if seq <= len(self.entries) else None


def verify(folders: Iterable[str | Path]) -> dict[str, Any]:
    """Compare the logs in these data folders.

    Returns `{"ok", "messages", "nodes": {folder: {"entries", "torn", "damaged",
    "uncommitted_tail"}}, "first_difference"}`: counts, but for `torn` (bytes), `damaged` (a line
    number or None) and `first_difference` (None, or its position and a sentence); with a torn end that
    held something, `warning` says beside them what that was.  A learner has `learner` beside them, and its
    entries are messages.  `messages` are those in one order: all that are committed, or those before a
    difference in what is committed.
    `ok` is false for damage and for such a difference.  Raises `LogError` for what is no log and
    for logs of different clusters.
    """
    read = [read_log(folder) for folder in folders]
    _check_one_cluster(read)
    logs = [log for log in read if isinstance(log, NodeLog)]
    learners = [log for log in read if isinstance(log, LearnerLog)]
    whole = [log for log in logs if log.damaged is None]
    best = max(whole, key=lambda log: (log.commit, len(log.entries)), default=logs[0] if logs else NodeLog(""))
    settled = max(best.commit, min((_agreeing(log, best) for log in whole), default=0))
    differs = _first_difference(whole)
    if differs is None or not differs["committed"]:
        differs = _learners_differ(whole, learners) or differs
    broken = differs is not None and differs["committed"]
    in_order = _count_messages(best.entries[: differs["seq"] - 1 if differs and broken else settled])
    sure = {log.folder: max(log.commit, min(settled, _agreeing(log, best))) for log in logs if log.damaged is None}
    return {
        "ok": all(log.damaged is None for log in read) and not broken,
        "messages": in_order if broken else max([in_order, *(len(one.heard) for one in learners)]),
        "nodes": {log.folder: _facts(log, sure.get(log.folder)) for log in read},
        "first_difference": differs,
    }


def _check_one_cluster(logs: Sequence[NodeLog | LearnerLog]) -> None:
    """Raise `LogError` if these are logs of several clusters, or none at all."""
    if not logs:
        raise LogError("No folder was given; name the data folders of the nodes, for example data/node1 data/node2.")
    for log in logs:
        first = next(other for other in logs if other.cluster is not None or other is log)
        if log.cluster not in (None, first.cluster):
            raise LogError(
                f"{log.folder} belongs to the cluster {log.cluster!r}, but {first.folder} belongs to "
                f"{first.cluster!r}; compare the nodes of one cluster."
            )


def _facts(log: NodeLog | LearnerLog, sure: int | None) -> dict[str, Any]:
    """Return what is told of one folder, whose entries are committed up to position `sure` (None: nobody can say)."""
    count = len(log.heard if isinstance(log, LearnerLog) else log.entries)
    tail = 0 if sure is None else count - sure
    facts: dict[str, Any] = {"entries": count, "torn": log.torn, "damaged": log.damaged, "uncommitted_tail": tail}
    facts |= {"learner": log.node} if isinstance(log, LearnerLog) else {}
    return ({"warning": log.warning} if log.warning else {}) | facts


def _learners_differ(members: Sequence[NodeLog], learners: Sequence[LearnerLog]) -> dict[str, Any] | None:
    """Return the first difference between what a learner keeps and the logs of members, or of another learner."""
    sound = [one for one in learners if one.damaged is None]
    found = [difference_from_member(one, log.folder, log.entries, log.commit) for one in sound for log in members]
    found += [difference_from_learner(one, other) for at, one in enumerate(sound) for other in sound[at + 1 :]]
    return min((one for one in found if one), key=lambda one: int(one["seq"]), default=None)


def read_log(folder: str | Path) -> NodeLog | LearnerLog:
    """Read one node's data folder; damage is noted in the result.  Raises `LogError`."""
    path = place(folder) / LOG
    try:
        data = read_ordinary(path)
    except UNUSABLE as error:
        what = f"give the data folder of a node, the one that holds {LOG}"
        if isinstance(error, PermissionError):  # often the volume of a container, which belongs to the user in there
            what = "give this user the right to read it, or run this as the user that runs the node"
        raise LogError(f"{path} cannot be read ({reason(error)}); {what}.") from None
    if is_learners(path.parent):
        return read_learner_log(str(folder), path, data)
    log = NodeLog(folder=str(folder))
    if not data:
        return log
    file, damage = decoded(path, data)
    if damage is None:
        log.torn, log.warning = file.torn, file.warning
    else:
        log.damaged, log.why = damage.line, damage.why
    records = file.records
    if not isinstance(records[0], Boot) if records else not _may_be_a_log(data):
        raise LogError(f"{path} is not the log of a chat node; its first record must be a boot record.")
    for number, record in enumerate(records, start=1):
        if isinstance(record, Boot):
            _check_owner(log, record, line_of(data, number), path)
    try:
        found = replay(records, str(path))
    except DamagedLog as damage:  # what a node would refuse at boot
        log.damaged, log.why = line_of(data, damage.line), damage.why
        found = replay(records[: damage.line - 1])
    log.entries, log.commit = list(found.entries), found.hint
    return log


def _may_be_a_log(data: bytes) -> bool:
    """Tell whether a file without a whole batch may be what a crash or damage left of a log."""
    return HEADER in data or HEADER.startswith(data.strip(b"\0")[: len(HEADER)])


def _check_owner(log: NodeLog, boot: Boot, line: int, path: Path) -> None:
    """Note whose log it is; raises `LogError` if an earlier life was another node's."""
    if log.cluster not in (None, boot.cluster) or log.node not in ("", str(boot.node)):
        raise LogError(
            f"{path} line {line} says node {boot.node} of the cluster {boot.cluster!r}, but the log began as node "
            f"{log.node} of {log.cluster!r}; two nodes must not share one folder."
        )
    log.cluster, log.node = boot.cluster, str(boot.node)


def _first_difference(logs: Sequence[NodeLog]) -> dict[str, Any] | None:
    """Return the first broken agreement, or else the first difference above the commits."""
    tail = None
    for seq in range(1, max((len(log.entries) for log in logs), default=0) + 1):
        holders = [(log, entry) for log in logs if (entry := log.at(seq)) is not None]
        sure = [(log, entry) for log, entry in holders if seq <= log.commit]  # SPECIFICATION R12.11
        for group, committed in ((sure, True), (holders, False)):
            other = next(((log, entry) for log, entry in group if not _equal(entry, group[0][1])), None)
            if other is not None and (committed or tail is None):
                found = _tell(seq, committed, group[0], other)
                if committed:
                    return found
                tail = found
    return tail


def _tell(seq: int, committed: bool, one: tuple[NodeLog, Entry], two: tuple[NodeLog, Entry]) -> dict[str, Any]:
    both = f"at position {seq} {one[0].folder} holds {_name(one[1])}, but {two[0].folder} holds {_name(two[1])}"
    sentence = (
        f"S1 agreement: {both}; both nodes took this position for committed, so they must hold the same entry."
        if committed
        else f"Uncommitted tail: {both}; this position is not known to be committed by both nodes, so an election "
        "may still replace one of them."
    )
    return {"seq": seq, "committed": committed, "sentence": sentence}


def _name(entry: Entry) -> str:
    if entry.kind != "chat":
        return f"the {entry.kind} entry of term {entry.term}"
    text = entry.text if len(entry.text) <= 40 else entry.text[:37] + "..."
    return f"{text!r} by {entry.author or public(entry.client_id)} (term {entry.term})"


def _equal(one: Entry, other: Entry) -> bool:
    """Tell whether two entries are the same; the cosmetic time is left out."""
    return one == other or msgspec.structs.replace(one, time=0.0) == msgspec.structs.replace(other, time=0.0)


def _agreeing(log: NodeLog, other: NodeLog) -> int:
    """Return up to which position both logs hold the same entries."""
    pairs = zip(log.entries, other.entries, strict=False)
    return next((seq for seq, (mine, theirs) in enumerate(pairs) if not _equal(mine, theirs)),
                min(len(log.entries), len(other.entries)))  # fmt: skip


def _count_messages(entries: Sequence[Entry]) -> int:
    """Return how many different chat messages these entries hold; a retry counts once."""
    return len({(entry.client_id, entry.client_seq) for entry in entries if entry.kind == "chat"})
