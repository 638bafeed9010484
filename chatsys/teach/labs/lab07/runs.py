"""What is written in the runs of this lab: the chat whose every byte is a crash point, and what a seed draws.

    CHAT          twelve lines of a chat: about 600 bytes in the log of most people
    ODD           records with a line break, a checksum of their own, letters of several bytes, one that comes twice
    draw(seed)    a few records, and where the power is cut

Read also `checks`, `answering` and `voting` (the judges), who let a class live with them.
"""

import re
from random import Random
from typing import Any

import msgspec

from chatsys.teach.labs.lab07.lives import Lived, Record

LINES = (
    "Who has the key?", "Not me.", "I have it.", "Where are you?", "In the lab.", "Coming!",
    "Wait for me.", "Bring coffee.", "How many cups?", "Three, please.", "On my way.", "Thank you!",
)  # fmt: skip
AUTHORS = ("ann", "bob", "eve")

CHAT: tuple[Record, ...] = tuple({"n": n, "text": f"{AUTHORS[n % 3]}: {text}"} for n, text in enumerate(LINES, 1))
MORE: tuple[Record, ...] = ({"n": 20, "text": "bob: Back again."}, {"n": 21, "text": "ann: Hi!"})
"""What is appended after a crash."""

ODD: tuple[Record, ...] = (
    {"n": 1, "text": "one line\nand another"},
    {"n": 2, "crc": "mine", "sum": 17, "check": [1, 2], "crc32": 0, "data": {"crc": 1}, "record": "mine"},
    {"n": 3, "text": "tea \U0001f375 and caf\u00e9"},
    {},
    {"n": 5, "text": "\u2028 ends no line, nor does \u0085, \x0b or \r"},
    {"n": 6, "text": 'a "quote", a \\ and a \x00', "": None},
    {"n": 7, "nested": {"list": [1, 2.5, True, None, "\u00e9"], "empty": []}},
    {"n": 8, "text": "\U0001f600" * 4},
    {"n": 8, "text": "\U0001f600" * 4},
)


class DrawnLives(msgspec.Struct, frozen=True):
    """What a seed draws: the records of each life, and how much of it survives, as a share of what may."""

    lives: tuple[tuple[Record, ...], ...]
    shares: tuple[float, ...]
    flip: float


def draw(seed: int, kind: str = "log") -> DrawnLives:
    """Return what this seed draws."""
    random = Random(f"lab 07/{kind}/{seed}")
    counts = random.randint(4, 8), random.randint(1, 3), random.randint(1, 2)
    first = random.randint(1, 900)
    every = iter(_records(random, first, sum(counts)))
    records = tuple(tuple(next(every) for _ in range(count)) for count in counts)
    return DrawnLives(records, tuple(random.random() for _ in counts), random.random())


def _records(random: Random, first: int, count: int) -> list[Record]:
    return [{"n": first + place, "text": f"{random.choice(AUTHORS)}: {random.choice(LINES)}"} for place in range(count)]


def described(told: Lived, most: int = 60) -> str:
    """Return in words what load did: what it raised, or how many records it gave back; a long error without its message."""
    broken = told.broken
    if told.damaged is not None:
        return f"raised Damaged({told.damaged})"
    if told.records is None and broken is not None:
        return f"raised {shortened(broken.text, most)}" if broken.kind == "raised" else broken.text
    count = len(told.records or ())
    return f"gave back {count or 'no'} record{'s' * (count != 1)}"


def shortened(error: str, most: int) -> str:
    """Return an error with its line; of a long one only its type and its line."""
    if len(error) <= most:
        return error
    kind, place = error.partition(":")[0], re.search(r" \([^()]*line \d+[^()]*\)$", error)
    return f"{kind}{place[0] if place else ''}"


def show_record(record: Any, most: int = 48) -> str:
    """Return a record as students write it, shortened."""
    text = repr(record)
    return text if len(text) <= most else f"{text[: most - 4]}...}}"
