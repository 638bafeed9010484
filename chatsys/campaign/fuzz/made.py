"""Made-up frames: any value that a message's types allow, and bytes that they do not.

    anything(Propose) --> Propose(term=7, prev=Label(2**53, 0), entries=(), commit=3)
    spoilt(line)      --> the line with a bit flipped, cut off, a key doubled, a number absurd, ...

Assumes   the types are those of msgspec Structs.
Promises  the same `Random` draws the same values; most numbers are `likely` ones, so that
          they mean something to whoever reads them.
Read also `protocol.messages` (the types), `links` and `nodes` (who take these frames).
"""

import math
import re
from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Any

import msgspec
from msgspec import inspect

from chatsys.config import ClusterConfig
from chatsys.protocol.messages import Label
from chatsys.protocol.node import Node

TEXTS = ("", "hello", "x" * 5000, "\x00\x1b[2J", "日本語 🙂", '"}\\', "ann", "main", " ", "\u202e")
NUMBERS = (0, 1, 2, 3, 7, 255, 10**6, 10**9, 2**31, 2**32, 2**53 - 1, 2**53)
LIKELY = 0.85
FLOATS = (0.0, -1.0, 1.5, 1e300, -1e300, 5e-324)


class Maker:
    """Draws values; `likely` are numbers and `labels` ends of logs that mean something to the receiver."""

    def __init__(self, random: Random, likely: Sequence[int] = (1, 2, 3), labels: Sequence[Label] = ()) -> None:
        self.random = random
        self.likely = likely
        self.labels = labels

    @classmethod
    def against(cls, random: Random, node: Node) -> "Maker":
        """Return a maker of frames that the state of `node` makes interesting."""
        here, log = node.state, node.log
        near = (
            here.term,
            here.term,
            here.term,
            here.term + 1,
            log.last_seq,
            log.last_seq + 1,
            log.commit,
            here.heard + 1,
        )
        rounds = (node.catchup.nonce, node.succession.nonce, node.election.round)
        return cls(random, (*near, *rounds), [log.label(random.randint(0, log.last_seq)), log.last])

    def anything(self, kind: type) -> Any:
        """Return a random value of this type."""
        return self._value(_type(kind))

    def _value(self, kind: Any) -> Any:
        chance = self.random
        match kind:
            case inspect.IntType():
                return chance.choice(self.likely if chance.random() < LIKELY else NUMBERS)
            case inspect.StrType():
                return chance.choice(_texts(kind.min_length or 0, kind.max_length, kind.pattern or ""))
            case inspect.BoolType():
                return chance.random() < 0.5
            case inspect.FloatType():
                return chance.choice(FLOATS)
            case inspect.NoneType():
                return None
            case inspect.LiteralType(values=values):
                return chance.choice(values)
            case inspect.UnionType(types=types):
                return self._value(chance.choice(types))
            case inspect.TupleType(item_types=items):
                return tuple(map(self._value, items))
            case inspect.VarTupleType(item_type=item):
                count = min(chance.choice((0, 1, 1, 2, 5)), kind.max_length or 5)
                return tuple(self._value(item) for _ in range(max(count, kind.min_length or 0)))
            case inspect.StructType(cls=cls) if cls is Label and self.labels and chance.random() < LIKELY:
                return chance.choice(self.labels)
            case inspect.StructType(cls=cls) if cls is ClusterConfig:  # it checks itself when it is made
                return ClusterConfig.of(chance.randint(1, 7))
            case inspect.StructType(cls=cls, fields=fields):
                return self._chain(cls(*(self._value(field.type) for field in fields)))
        raise TypeError(f"{kind!r} cannot be made up yet; say here how.")

    def _chain(self, value: Any) -> Any:
        """Number the entries of a batch as they must be, most of the time: it gets further."""
        fields = value.__struct_fields__
        if "entries" not in fields or "prev" not in fields or self.random.random() < 0.3:
            return value
        entries = tuple(
            msgspec.structs.replace(
                entry, seq=min(value.prev.seq + count, NUMBERS[-1]), term=min(entry.term, value.term)
            )
            for count, entry in enumerate(value.entries, start=1)
        )
        return msgspec.structs.replace(value, entries=entries)


@cache
def _texts(least: int, most: int | None, pattern: str) -> tuple[str, ...]:
    """Return those texts that a type with these bounds allows."""
    fits = [text for text in TEXTS if least <= len(text) <= (math.inf if most is None else most)]
    return tuple(text for text in fits if re.search(pattern, text)) or ("c",)


@cache
def _type(kind: type) -> Any:
    return inspect.type_info(kind)


# --- bytes -------------------------------------------------------------------------------------


def flipped(chance: Random, line: bytes) -> bytes:
    """Return `line` with one to three bits flipped."""
    spoilt = bytearray(line)
    for _ in range(chance.choice((1, 1, 2, 3))):
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def _cut(chance: Random, line: bytes) -> bytes:
    return line[: chance.randrange(len(line))] + b"\n"


def _doubled_key(chance: Random, line: bytes) -> bytes:
    at = line.find(b"{", chance.randrange(len(line))) + 1
    key = chance.choice((b'"term":', b'"type":', b'"n":', b'"message":', b'"seq":'))
    return line[:at] + key + chance.choice((b"0,", b'"x",', b"null,", b"[],")) + line[at:]


def _spliced(chance: Random, line: bytes) -> bytes:
    at, to = sorted((chance.randrange(len(line)), chance.randrange(len(line))))
    return line[:at] + chance.choice((b"", line[at:to] * 2, chance.randbytes(8))) + line[to:]


def _absurd(chance: Random, line: bytes) -> bytes:
    """Replace one number by a value that no field takes."""
    at = next((i for i in range(chance.randrange(len(line)), len(line)) if line[i : i + 1].isdigit()), -1)
    if at < 0:
        return line[:-1] + b"}\n"
    values = (b"-1", b"1e400", b"1.5", b"9" * 400, b"null", b'"7"', b"[]", b"{}", b"true", b"NaN", b"-0")
    return line[:at] + chance.choice(values) + line[at + 1 :]


def _deep(chance: Random, line: bytes) -> bytes:
    depth = chance.choice((10, 100, 1000, 5000))
    return b'{"n":1,"clock":1,"message":' + chance.choice((b"[", b'{"a":')) * depth + b"\n"


def _wide(chance: Random, line: bytes) -> bytes:
    return b'{"n":1,"clock":1,"message":{"type":"SUBMIT","client_id":"%b"}}\n' % (b"y" * chance.choice((10**4, 10**5)))


def _noise(chance: Random, line: bytes) -> bytes:
    return chance.randbytes(chance.randrange(1, 200)).replace(b"\n", b"") + b"\n"


_SPOILS: tuple[Callable[[Random, bytes], bytes], ...] = (
    flipped, flipped, flipped, _cut, _doubled_key, _spliced, _spliced, _absurd, _absurd, _noise, _deep, _wide,
)  # fmt: skip


def spoilt(chance: Random, line: bytes) -> bytes:
    """Return what may become of a line on its way from a broken or hostile sender; never empty."""
    return chance.choice(_SPOILS)(chance, line) or b"\n"
