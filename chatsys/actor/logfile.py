"""The log file: records as lines of bytes, and back.

One append-only file per actor holds everything that must survive a crash.  Each line is a record in
JSON, and its last field is the CRC-32 of what stands before it:

    {"type":"promise","term":1,"to":3,"crc":"5d3f0a11"}

A crash may tear the last line: it was never acknowledged, so recovery drops it.  A broken line
before the last is damage: an error with its line number, never skipped.

Assumes   the records are frozen, tagged msgspec Structs; which ones, the actor says (`Actor.records`).
Promises  decoding what was encoded gives the same records, wherever the last line was torn.
Read also `outbox` (frames that wait for these lines), `sim.disk` and `runtime.disk` (who writes them).
"""

from collections.abc import Sequence
from functools import lru_cache, reduce
from operator import or_
from typing import Any
from zlib import crc32

import msgspec

from chatsys.errors import DamagedLog

_encoder = msgspec.json.Encoder()
_MARK = b',"crc":"'
DECODERS = 32
"""So many decoders are kept; each keeps the classes of its records, of which a notebook makes new ones again and again."""


def encode(record: msgspec.Struct) -> bytes:
    """Return `record` as one line, its CRC-32 inside, newline included. SPECIFICATION R12.1."""
    body = _encoder.encode(record)
    return b'%b,"crc":"%08x"}\n' % (body[:-1], crc32(body))


class _Nothing(msgspec.Struct, frozen=True, tag="", tag_field="type"):
    """What an actor without records reads: no record of any kind."""


@lru_cache(maxsize=DECODERS)
def _decoder(types: tuple[type[msgspec.Struct], ...]) -> msgspec.json.Decoder[Any]:
    known: Any = reduce(or_, types) if types else _Nothing  # not Union[types]: typing keeps the classes of what it made
    return msgspec.json.Decoder(known)


def decode(data: bytes, types: Sequence[type[msgspec.Struct]], path: str = "log") -> tuple[list[Any], int]:
    """Return (records, torn): what `data` holds and how many bytes of a torn last line to drop.

    A last line without its newline, or one whose checksum fails, is torn.  Raises `DamagedLog`
    with path and line number for a broken line before the last.
    """
    decoder = _decoder(tuple(types))
    lines = data.split(b"\n")
    tail = lines.pop()
    records: list[Any] = []
    for number, line in enumerate(lines, start=1):
        why = _broken(line)
        if why is None:
            body = line[: -len(_MARK) - 10] + b"}"
            try:
                records.append(decoder.decode(body))
                continue
            except (msgspec.DecodeError, RecursionError, ValueError) as error:
                raise DamagedLog(path, number, f"its checksum holds but it is no record: {error}") from None
        if number == len(lines) and not tail:  # SPECIFICATION R12.5
            return records, len(line) + 1
        raise DamagedLog(path, number, why)
    return records, len(tail)


def _broken(line: bytes) -> str | None:
    """Say why `line` (without newline) cannot be trusted, or None if its checksum holds."""
    at = len(line) - len(_MARK) - 10
    if at < 1 or line[at : at + len(_MARK)] != _MARK or line[-2:] != b'"}':
        return "it has no checksum at its end"
    body = line[:at] + b"}"
    found, expected = line[-10:-2], b"%08x" % crc32(body)
    return (
        None
        if found == expected
        else f"its checksum is {expected.decode()}, the line says {found.decode(errors='replace')}"
    )
