"""The story of a wrong answer: the calls of a life, the power cut, and the calls of the next one.

    call                   returned     before the call        when
    append({'n': 1, ...})               write 47, sync         47 bytes
    -- the power is cut --                                     21 bytes are left
    load()                 Damaged(1)                          21 bytes

Read also `telling`, `telling_answers` and `telling_promises`, which put a sentence above it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chatsys.teach.grading.lab import Finding, ShownCall
from chatsys.teach.labs.lab07.disk import Image
from chatsys.teach.labs.lab07.lives import Told
from chatsys.teach.labs.lab07.runs import show_record

if TYPE_CHECKING:
    from chatsys.teach.labs.lab07.checks import Cut

LOUDEST, FIRST, CAUSE, SEEN, VAGUE = 100, 4, 3, 2, 1
"""How much a sentence explains: the highest rank is told first."""
SHOWN = 16
"""So many calls of a life are shown at most."""


def finding(
    aspect: str, story: str, seed: int | None, *, rank: int = SEEN, steps: tuple[ShownCall, ...] = ()
) -> Finding:
    """Return what is found, with its story."""
    return Finding(aspect=aspect, sentence=story, seed=seed, rank=rank, steps=steps)


def many(count: int, one: str) -> str:
    """Return a count with its noun: "1 record", "3 records", "no records"."""
    return f"{count or 'no'} {one}{'s' * (count != 1)}"


def synced_at(told: Told, moment: int) -> int:
    """Return how many bytes had been synced at this place of the tape."""
    last = max((place for place, one in enumerate(told.tape[:moment]) if one.kind == "sync"), default=None)
    return len(told.life.image) if last is None else told.byte(last)


def shown_step(told: Told, number: int) -> str:
    """Return a call as students write it."""
    if number == 0:
        return "__init__(file)"
    method, *arguments = told.life.steps[number - 1]
    inside = [show_record(one) if isinstance(one, dict) else str(one) for one in arguments[:1]]
    if method == "accept":
        inside.append(f"answer {arguments[1]}")
    return f"{method}({', '.join(inside)})"


def calls_of(told: Told, wrong: int | None = None, until: int | None = None) -> Iterator[ShownCall]:
    """Yield the calls of a life: what each returned, what it wrote and synced, and the size of the file."""
    until = len(told.tape) if until is None else until
    begins = [(place, one.number) for place, one in enumerate(told.tape) if one.kind == "call" and place < until]
    begins = begins[-SHOWN:]
    for (place, number), (end, _) in zip(begins, [*begins[1:], (until, 0)], strict=True):
        inside = told.tape[place + 1 : end]
        did = [_did(one.kind, one.data, one.number) for one in inside]
        yield ShownCall(
            call=shown_step(told, number),
            returned=_answer(told, number, until),
            when=f"{told.byte(end)} bytes",
            waiting=", ".join(one for one in did if one),
            wrong=number == wrong,
        )


def _did(kind: str, data: bytes, number: int) -> str:
    match kind:
        case "write":
            return f"write {len(data)}"
        case "truncate":
            return f"truncate({number})"
        case "answer":
            return f"answer {number}"
        case "sync":
            return "sync"
        case "failed":
            return "sync fails"
    return ""


def _answer(told: Told, number: int, until: int) -> str:
    for one in told.tape[:until]:
        if one.number == number and one.kind in ("returned", "raised", "wrong", "damaged", "unwritten"):
            if one.kind == "damaged":
                return f"Damaged({one.data.decode()})"
            if one.kind != "returned":
                return one.text[:60]
            method = "" if number == 0 else told.life.steps[number - 1][0]
            if method == "load":
                return f"{len(told.records or ())} records"
            return "" if method != "promise" else "True" if one.data == b"yes" else "False"
    return "(not yet)"


def power_cut(image: Image) -> ShownCall:
    """Return the line that stands between two lives."""
    return ShownCall(call="-- the power is cut --", returned="", when=f"{len(image.content)} bytes are left")


def both_lives(cut: "Cut", wrong: int = 1) -> tuple[ShownCall, ...]:
    """Return the calls before a power cut and those after it, of which one is the wrong one."""
    first = calls_of(cut.first, until=cut.image.until) if cut.first is not cut.second else ()
    return (*first, power_cut(cut.image), *calls_of(cut.second, wrong))
