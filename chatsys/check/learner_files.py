"""What learners kept, beside the logs of members: the same messages, in the same order, with the same numbers.

    member   position   1        2        3   4   5        6         committed up to 6
                        barrier  session  a   b   barrier  c
             message                      1   2            3
    learner  keeps                        a   b            c         each at the member's position

A learner is told only what is committed, so whatever it keeps must stand in every member's log where that member knows
it for committed; and between two messages that it keeps it lacks none.  What a member does not know for committed may
still be replaced there.

Assumes   the members remember as many sessions as their limits say by default.
Promises  a difference is one sentence that names both folders.
Read also `log_files` (members' logs), `protocol.learning.records` (what a learner writes).
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from chatsys.actor.logfile import LOG, LogFile, decode, line_of
from chatsys.config import Limits
from chatsys.errors import DamagedLog, LogError
from chatsys.protocol.learning.records import LEARNER_RECORDS, LearnerBoot, replay_learner
from chatsys.protocol.learning.table import LearnerTable
from chatsys.protocol.messages import Entry
from chatsys.protocol.public import Heard, public
from chatsys.protocol.session_table import SessionTable
from chatsys.protocol.storage import NODE_RECORDS

LEARNER = b'\n{"type":"learner",'
"""So begins the second line of a learner's log."""


class LearnerLog(msgspec.Struct):
    """What the folder of a learner holds; `damaged` is the number of the line at which the damage begins."""

    folder: str
    node: str = ""
    cluster: str | None = None
    heard: list[Heard] = []
    torn: int = 0
    warning: str = ""
    damaged: int | None = None


def is_learners(folder: Path) -> bool:
    """Tell whether a data folder is that of a learner, which is no member."""
    try:
        with open(folder / LOG, "rb") as log:
            return LEARNER in log.read(1 << 12)
    except OSError:
        return False


def decoded(path: Path, data: bytes) -> tuple[LogFile, DamagedLog | None]:
    """Return what can be read of a log, and what is wrong behind it."""
    types = (*NODE_RECORDS, *LEARNER_RECORDS)
    try:
        return decode(data, types, path=str(path)), None
    except DamagedLog as damage:
        sound = data.split(b"\n")[: damage.line - 1]
        return decode(b"".join(line + b"\n" for line in sound), types, path=str(path)), damage


def read_learner_log(folder: str, path: Path, data: bytes) -> LearnerLog:
    """Read one learner's data folder; damage is noted in the result.  Raises `LogError`."""
    file, damage = decoded(path, data)
    log = LearnerLog(folder, torn=file.torn, warning=file.warning, damaged=damage.line if damage else None)
    for record in file.records:
        if isinstance(record, LearnerBoot):
            if log.cluster not in (None, record.cluster) or log.node not in ("", str(record.node)):
                raise LogError(f"{path} is the log of two learners; two nodes must not share one folder.")
            log.cluster, log.node = record.cluster, str(record.node)
    try:
        log.heard = replay_learner(file.records, str(path)).heard
    except DamagedLog as wrong:  # what the learner would refuse at boot
        log.damaged = line_of(data, wrong.line)
        log.heard = replay_learner(file.records[: wrong.line - 1], str(path)).heard
    return log


def difference_from_member(learner: LearnerLog, folder: str, entries: Sequence[Entry], commit: int) -> Any:
    """Return the first thing that the learner keeps otherwise than the member's log has it; None if there is none."""
    known = list(_told(entries[:commit]))
    for number, (mine, theirs) in enumerate(zip(learner.heard, known, strict=False), start=1):
        if msgspec.structs.replace(mine, time=0.0) != theirs:
            return _difference(number, (learner.folder, mine), (folder, theirs))
    return None


def difference_from_learner(one: LearnerLog, other: LearnerLog) -> Any:
    """Return the first message that two learners keep differently; None if there is none."""
    for number, (mine, theirs) in enumerate(zip(one.heard, other.heard, strict=False), start=1):
        if msgspec.structs.replace(mine, time=theirs.time) != theirs:
            return _difference(number, (one.folder, mine), (other.folder, theirs))
    return None


def learners_in(entries: Iterable[Entry]) -> tuple[int, ...]:
    """Return the ids of the learners that a member's log names, also of those whose entry may still be replaced."""
    table = LearnerTable(0, ())
    for entry in entries:
        table.apply(entry)
    return tuple(sorted(table.learners))


def _told(entries: Sequence[Entry]) -> Iterator[Heard]:
    """Yield what everybody is told of these entries, without their cosmetic time."""
    table = SessionTable(Limits().sessions)
    for entry in entries:
        if entry.kind in ("chat", "session") and table.apply(entry) == "new" and entry.kind == "chat":
            yield Heard(entry.seq, entry.room, entry.author, entry.text, 0.0, public(entry.client_id), entry.client_seq)


def _difference(number: int, one: tuple[str, Heard], two: tuple[str, Heard]) -> dict[str, Any]:
    both = f"{one[0]} has {_name(one[1])} as message {number}, but {two[0]} has {_name(two[1])}"
    return {"seq": min(one[1].seq, two[1].seq), "committed": True, "sentence": f"S1 agreement: {both}."}


def _name(heard: Heard) -> str:
    text = heard.text if len(heard.text) <= 40 else heard.text[:37] + "..."
    return f"{text!r} by {heard.author} (position {heard.seq})"
