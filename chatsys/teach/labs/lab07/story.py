"""The story of a wrong answer: the calls of a life, the power cut, and the calls of the next one.

    when                  call                     your class returned
    47 bytes              append({'n': 1, ...})    wrote 47 bytes; synced
    21 bytes are left     the power is cut
    21 bytes              load()                   Damaged(1)

Read also `telling`, `telling_answers` and `telling_promises`, which put a sentence above it.
"""

from collections.abc import Iterator

from chatsys.teach.grading.lab import Finding, ShownCall
from chatsys.teach.labs.lab07.disk import Image
from chatsys.teach.labs.lab07.lives import Lived, TwoLives
from chatsys.teach.labs.lab07.machine import LifeEvent
from chatsys.teach.labs.lab07.runs import shortened, show_record

LOUDEST, FIRST, CAUSE, SEEN, VAGUE = 100, 4, 3, 2, 1
"""How much a sentence explains: the highest rank is told first."""
CUT_OFF = "(the power is cut)"
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


def synced_at(told: Lived, moment: int) -> int:
    """Return how many bytes had been synced at this place of the tape."""
    last = max((place for place, one in enumerate(told.tape[:moment]) if one.kind == "sync"), default=None)
    return len(told.life.image) if last is None else told.byte(last)


def shown_step(told: Lived, number: int) -> str:
    """Return a call as students write it."""
    if number == 0:
        return "__init__(file)"
    method, *arguments = told.life.steps[number - 1]
    inside = [show_record(one) if isinstance(one, dict) else str(one) for one in arguments[:1]]
    if method == "accept":
        inside.append(f"answer {arguments[1]}")
    return f"{method}({', '.join(inside)})"


def end_of(told: Lived, number: int) -> int:
    """Return where on the tape a call has ended."""
    return next((at for at, one in enumerate(told.tape) if one.kind == "call" and one.number > number), len(told.tape))


def calls_of(
    told: Lived, wrong: int | None = None, until: int | None = None, since: int | None = None
) -> Iterator[ShownCall]:
    """Yield the calls of a life: what each returned, wrote, synced and answered, and the size of the file behind it.

    With `since` each call is told with its moment: a second for each, from that one on.
    """
    until = len(told.tape) if until is None else until
    begins = [(place, one.number) for place, one in enumerate(told.tape) if one.kind == "call" and place < until]
    begins = begins[-SHOWN:]
    for (place, number), (end, _) in zip(begins, [*begins[1:], (until, 0)], strict=True):
        did = [_did(one) for one in told.tape[place + 1 : end]]
        answer = _answer(told, number, until)
        returned = [*did, answer] if answer == CUT_OFF else [answer, *did]
        yield ShownCall(
            call=shown_step(told, number),
            returned="; ".join(one for one in returned if one),
            when=f"{told.byte(end)} bytes" if since is None else f"{since + number}.0 s",
            wrong=number == wrong,
        )


def _did(one: LifeEvent) -> str:
    """Return in words what a class did to its file, or said, in the middle of a call."""
    match one.kind:
        case "write":
            return f"wrote {many(len(one.data), 'byte')}"
        case "truncate":
            return f"cut to {one.number} bytes"
        case "answer":
            return f"answered {one.number}"
        case "sync":
            return "synced"
        case "failed":
            return "sync failed"
    return ""


def _answer(told: Lived, number: int, until: int) -> str:
    """Return what a call returned or raised."""
    for one in told.tape[:until]:
        if one.number == number and one.kind in ("returned", "raised", "wrong", "damaged", "unwritten"):
            if one.kind == "damaged":
                return f"Damaged({one.data.decode()})"
            if one.kind != "returned":
                return shortened(one.text, 60)
            method = "" if number == 0 else told.life.steps[number - 1][0]
            if method == "load":
                return many(len(told.records or ()), "record")
            return "" if method != "promise" else "True" if one.data == b"yes" else "False"
    return CUT_OFF


def power_cut(image: Image) -> ShownCall:
    """Return the line that stands between two lives."""
    left = "bytes are left" if image.kind == "cut" else "bytes, zeros among them"
    return ShownCall(call="the power is cut", returned="", when=f"{len(image.content)} {left}")


def both_lives(cut: TwoLives, wrong: int = 1, cut_at: int | None = None) -> tuple[ShownCall, ...]:
    """Return the calls before a power cut and those after it, of which one is the wrong one; `cut_at`: in seconds."""
    first: Iterator[ShownCall] = iter(())
    if cut.first is not cut.second:
        first = calls_of(cut.first, until=cut.image.until, since=None if cut_at is None else 0)
    return (*first, power_cut(cut.image), *calls_of(cut.second, wrong, since=cut_at))
