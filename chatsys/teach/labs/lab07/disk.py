"""The disk of this lab: which bytes may be left of a life when the power is cut.

    synced                     |  written since                        |
    {"n":1,...}\\n{"n":2,...}\\n |  {"n":3,...}\\n{"n":4,"te            |
                               ^ ... any of these bytes may be the last that is left ... ^

    cut     the file ends there
    zeros   the file is as long as the write made it, and the bytes that did not come are zeros
    hole    only the last byte of the write came: a whole line with a hole in it

Between two syncs the power may be cut late, when everything has been said that was said before the second one; so the worst
moment for each of these images is just before the next sync, and only that one is looked at.

Assumes   a disk that takes writes in their order.  A real one may keep a later page of the same turn and lose an earlier
          one: then damage stands before a good line, and no log of this kind can tell it from rot.
Promises  what a sync returned for is always there.  What a failed sync was to keep may be there or not, for ever.
Read also `machine` (who writes the tape).
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from chatsys.teach.labs.lab07.machine import LifeEvent

Kind = Literal["cut", "zeros", "hole"]


class Image(msgspec.Struct, frozen=True, gc=False):
    """What is left of a file: its bytes, how many of them had been synced, and what had been said by then."""

    content: bytes
    kind: Kind
    synced: int
    until: int
    """The life had come so far: all events before this one."""


class Unsynced(msgspec.Struct, frozen=True):
    """What was written between two syncs: bytes, or the size to which the file was cut."""

    durable: bytes
    pending: tuple[bytes | int, ...]
    until: int


def stretches(image: bytes, tape: Sequence[LifeEvent]) -> Iterator[Unsynced]:
    """Yield them in their order; the last one ends with the life, or with a sync that failed."""
    durable = image
    pending: list[bytes | int] = []
    for place, event in enumerate(tape):
        if event.kind == "write":
            pending.append(event.data)
        elif event.kind == "truncate":
            pending.append(event.number)
        elif event.kind in ("sync", "failed"):
            yield Unsynced(durable, tuple(pending), place)
            if event.kind == "failed":
                return
            durable = written(durable, pending)
            pending = []
    yield Unsynced(durable, tuple(pending), len(tape))


def written(content: bytes, pending: Sequence[bytes | int]) -> bytes:
    """Return a content after all of these writes."""
    for one in pending:
        content = content[:one] if isinstance(one, int) else content + one
    return content


def without_failed(image: bytes, tape: Sequence[LifeEvent]) -> bytes:
    """Return what may be on the disk at the end of a tape in which a sync failed: zeros, where that one was to keep bytes.

    What was written after it is there: a later sync has kept it, in its own place.
    """
    content, since = image, 0
    for place, event in enumerate(tape):
        if event.kind in ("sync", "failed"):
            lost = event.kind == "failed"
            for one in tape[since:place]:
                content = written(
                    content, [bytes(len(one.data)) if lost else one.data] if one.kind == "write" else _cut(one)
                )
            since = place
    return written(
        content, [step for one in tape[since:] for step in ([one.data] if one.kind == "write" else _cut(one))]
    )


def _cut(one: LifeEvent) -> list[bytes | int]:
    return [one.number] if one.kind == "truncate" else []


def content_of(image: bytes, tape: Sequence[LifeEvent]) -> bytes:
    """Return the content at the end of a life, synced or not."""
    done = [one.data if one.kind == "write" else one.number for one in tape if one.kind in ("write", "truncate")]
    return written(image, done)


def images(image: bytes, tape: Sequence[LifeEvent]) -> list[Image]:
    """Return everything that may be left of a life, each content once, with the latest moment at which it may be left."""
    found: dict[bytes, Image] = {}
    for stretch in stretches(image, tape):
        for content, kind, synced in _left(stretch):
            found[content] = Image(content, kind, synced, stretch.until)
    return list(found.values())


def _left(stretch: Unsynced) -> Iterator[tuple[bytes, Kind, int]]:
    content, synced = stretch.durable, len(stretch.durable)
    yield content, "cut", synced
    for one in stretch.pending:
        if isinstance(one, int):
            content = content[:one]
            synced = min(synced, one)
            yield content, "cut", synced
            continue
        for came in range(len(one)):
            rest = len(one) - came
            yield content + one[:came] + b"\0" * rest, "zeros", synced
            if rest > 1:
                yield content + one[:came] + b"\0" * (rest - 1) + one[-1:], "hole", synced
            yield content + one[: came + 1], "cut", synced
        content += one


def flipped(content: bytes, bit: int) -> bytes:
    """Return the content with one bit the other way round."""
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def line_at(content: bytes, byte: int) -> int:
    """Return in which line a byte is, counted from 1."""
    return content.count(b"\n", 0, byte) + 1
