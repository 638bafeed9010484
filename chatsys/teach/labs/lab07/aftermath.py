"""Aftermath: what the next lives make of the bytes that a power cut left, worked out before anybody asks.

    content left --load--> records --one record more--> the file --load--> are all of them there?

    {"n": 1, ...}                      loaded
    {"n": 2, "te{"n": 13, ...}         the next record stands behind half a line: both are lost

Read also `picture` (who shows it), `play` (the lives).
"""

from collections.abc import Sequence

import msgspec

from chatsys.teach.labs.lab07.lives import Record, as_bytes
from chatsys.teach.labs.lab07.play import LogMoment, LogRun
from chatsys.teach.labs.lab07.runs import described

KEPT = ("nothing", "half", "all", "zeros")
"""What the disk kept of what was not synced; zeros: all of it, but half of the newest write is zeros."""


class NextLives(msgspec.Struct, frozen=True, array_like=True):
    """What two lives make of a content: the first one loads it and takes one record more, the second one loads that."""

    count: int
    """So many records are loaded, in their order."""
    why: str
    """In words what load did, if it did not give back the first records; empty: it did."""
    size: int
    """So many bytes are left when it has loaded."""
    added: str
    """What was written then."""
    after: int
    """So many records the second of the two lives loads."""
    wrong: str
    """What is wrong with that, in words; empty: all are there."""


class Aftermath:
    """What the next lives make of everything that a power cut may leave of one run; equal contents are looked at once."""

    def __init__(self, run: LogRun, record: Record) -> None:
        self.run, self.record, self.expected = run, record, as_bytes(run.records)
        self._known: dict[bytes, NextLives] = {}
        self._loaded: dict[bytes, tuple[bytes, ...] | str] = {}

    def of(self, content: bytes) -> NextLives:
        """Return what becomes of this content."""
        if content not in self._known:
            self._known[content] = self._lived(content)
        return self._known[content]

    def _lived(self, content: bytes) -> NextLives:
        told = self.run.goes_on(content, self.record)
        got = told.records
        right = got is not None and got == self.expected[: len(got)]
        count, why = (len(got), "") if got is not None and right else (0, described(told))
        if got is None or 1 not in told.said_at:
            return NextLives(count, why, len(content), "", 0, "cannot begin")
        size = told.byte(told.said_at[1])
        added = told.content[size:].decode(errors="replace")
        if told.broken is not None:
            return NextLives(count, why, size, added, 0, described(told))
        after = self._load(told.content)
        if isinstance(after, str):
            return NextLives(count, why, size, added, 0, after)
        wanted = (*got, *as_bytes([self.record]))
        wrong = "" if after == wanted else f"gave back {len(after)} of {len(wanted)} records"
        return NextLives(count, why, size, added, len(after), wrong)

    def _load(self, content: bytes) -> tuple[bytes, ...] | str:
        if content not in self._loaded:
            told = self.run.loaded_of(content)
            self._loaded[content] = described(told) if told.records is None else told.records
        return self._loaded[content]


def left_of(content: bytes, one: LogMoment, kept: str) -> bytes:
    """Return what is left of a content if the power is cut at this moment."""
    size = {"nothing": one.synced, "half": (one.synced + one.written) // 2}.get(kept, one.written)
    if kept != "zeros" or one.synced >= one.written:
        return content[:size]
    came, last = came_of(one)
    zeros = one.written - came - last
    return content[:came] + bytes(zeros) + content[one.written - last : one.written]


def came_of(one: LogMoment) -> tuple[int, int]:
    """Return up to where the newest write came if half of it is zeros, and whether its last byte came, too: 1 or 0."""
    begun = max(one.begun, one.synced)
    return begun + (one.written - begun) // 2, int(one.ended and one.written - begun > 1)


def moments_left(run: LogRun, moments: Sequence[LogMoment], kept: str) -> list[bytes]:
    """Return for each moment what is left."""
    content = run.content
    return [left_of(content, one, kept) for one in moments]
