"""Telling: each way in which a log (7.1) is wrong, in one sentence with its bytes and numbers, and the calls that led there.

Read also `checks` (who asks), `story` (the calls).
"""

from collections.abc import Sequence

from chatsys.teach.grading.lab import RUNS, Finding
from chatsys.teach.labs.lab07.disk import Image
from chatsys.teach.labs.lab07.lives import Lived, TwoLives, as_record
from chatsys.teach.labs.lab07.runs import described, shortened, show_record
from chatsys.teach.labs.lab07.story import (
    CAUSE,
    LOUDEST,
    SEEN,
    VAGUE,
    both_lives,
    calls_of,
    finding,
    many,
    shown_step,
    synced_at,
)


def whole_lines(image: Image) -> int:
    """Return how many lines of what is left are whole and as they were written."""
    return image.content.count(b"\n") - (image.kind == "hole")


def tell_broken(name: str, told: Lived, seed: int | None = None) -> Finding:
    """Tell what a class raised, or returned of another kind, although nothing had gone wrong."""
    broken = told.broken
    assert broken is not None, "it came to its end"
    if broken.kind == "unwritten":
        return Finding(aspect=RUNS, sentence=f"You have not written `{broken.text}` yet.", rank=LOUDEST, written=False)
    call = shown_step(told, broken.number)
    if broken.kind == "damaged":
        story = f"{name} {call} raised Damaged({broken.data.decode()}), and no line was broken."
    elif broken.kind == "wrong":
        story = f"{name} something was wrong in step {broken.number}: {broken.text}."
    else:
        story = f"{name} {call} raised {shortened(broken.text, 120)}; the file had {many(told.byte(len(told.tape)), 'byte')} then."
    return finding(RUNS, story, seed, rank=LOUDEST, steps=tuple(calls_of(told, broken.number)))


def tell_loaded(name: str, aspect: str, told: Lived, expected: Sequence[bytes], seed: int | None = None) -> Finding:
    """Tell how what was loaded differs from what was appended, where nothing was cut."""
    got = told.records
    if got is None:
        at = told.damaged or 0
        record = f"; record {at} is {show_record(as_record(expected[at - 1]), 50)}" if 0 < at <= len(expected) else ""
        story = f"{name} nothing went wrong, and load() {described(told)}{record}."
    else:
        story = f"{name} nothing went wrong, and {_difference(got, expected)}"
    return finding(aspect, story, seed, steps=tuple(calls_of(told, 1)))


def tell_new(name: str, fresh: Lived, seed: int | None = None) -> Finding:
    """Tell that a new file is not loaded as one in which there is nothing."""
    story = f"{name} all was well. Then load() of a second, empty file {described(fresh)}, where there is none."
    if fresh.records:
        story += " Do all logs share a list?"
    return finding("loads", story, seed, rank=CAUSE, steps=tuple(calls_of(fresh, 1)))


def _difference(got: Sequence[bytes], expected: Sequence[bytes]) -> str:
    """Say where two lists of records differ first."""
    place = next((at for at, (one, other) in enumerate(zip(got, expected, strict=False)) if one != other), None)
    if place is None and len(got) > len(expected):
        return f"load() gave back {len(got)} records, where {len(expected)} were appended."
    if place is None:
        return f"load() gave back {len(got)} of {len(expected)} records: record {len(got) + 1} is missing."
    came, right = as_record(got[place]), as_record(expected[place])
    lost = [key for key in right if key not in came]
    if lost and not came.keys() - right.keys():
        return f"record {place + 1} came back without the key {lost[0]!r:.20}, which it had."
    return f"record {place + 1} came back as {show_record(came, 30)}; appended was {show_record(right, 30)}."


def tell_lines(name: str, first: Lived, count: int, seed: int | None = None) -> Finding:
    """Tell that the lines of a file are not one for each record."""
    lines = first.content.count(b"\n")
    end = "" if first.content.endswith(b"\n") else ', and it does not end with "\\n"'
    story = f"{name} {count} records were appended, and the file has {lines} lines{end}. One record is one line."
    return finding("loads", story, seed, steps=tuple(calls_of(first, count + 1)))


def tell_torn(cut: TwoLives, expected: Sequence[bytes], seed: int | None = None) -> Finding:
    """Tell that a load did not give back what is whole in a torn file."""
    whole, got = whole_lines(cut.image), cut.second.records
    left = f"{cut.name} a power cut left {len(cut.image.content)} bytes: {many(whole, 'whole line')}{_tail(cut.image)}."
    if got is None:
        lost = f", and refused the {many(whole, 'record')} before it" if whole else ""
        story, rank = f"{left} load() {described(cut.second, 45)}{lost}.", CAUSE if whole > 1 else SEEN
    elif got != expected[: len(got)]:
        story, rank = f"{left} Then {_difference(got, expected)}", SEEN
    else:
        story, rank = f"{left} load() gave back {many(len(got), 'record')}.", SEEN
    return finding("torn", story, seed, rank=rank, steps=both_lives(cut))


def _tail(image: Image) -> str:
    """Say what stands behind the whole lines."""
    if image.kind == "hole":
        return ", and a last line whose end is zeros"
    tail = image.content.rpartition(b"\n")[2]
    if not tail:
        return ""
    return " and zeros behind them" if not tail.strip(b"\0") else " and a part of the next one"


def tell_lost(cut: TwoLives, got: int, promised: int, seed: int | None = None) -> Finding:
    """Tell that a record is lost whose append had returned."""
    first, number = cut.first, promised - len(cut.before)
    moment = first.said_at[number + 1]
    written, synced = first.byte(moment), synced_at(first, moment)
    story = (
        f"{cut.name} append of record {promised} returned when {written} bytes were written and {synced} synced. A power cut left "
        f"{len(cut.image.content)} bytes and {many(got, 'record')}: written is not synced."
    )
    return finding("kept", story, seed, rank=SEEN if got else VAGUE, steps=both_lives(cut))


def tell_onward(cut: TwoLives, told: Lived, expected: Sequence[bytes], seed: int | None = None) -> Finding:
    """Tell that what was appended after a power cut is not loaded, or took something with it."""
    content, left = cut.second.content, len(cut.image.content)
    lines = content.split(b"\n")
    at = cut.image.content.count(b"\n")
    tail = cut.image.content.rpartition(b"\n")[2]
    if tail and content.startswith(cut.image.content) and at < len(lines):
        text = lines[at][max(0, len(tail) - 10) : len(tail) + 10].decode(errors="replace").replace("\0", "")
        story = (
            f"{cut.name} a power cut left {left} bytes, and the next record was written behind half a line: line {at + 1} is now "
            f"...{text}..., and load() {described(told, 30)}."
        )
        rank = CAUSE if at and 8 < len(tail.strip(b"\0")) == len(tail) else SEEN
        return finding("continues", story, seed, rank=rank, steps=both_lives(cut))
    if cut.image.kind == "hole" and content.startswith(cut.image.content):
        story = (
            f"{cut.name} a power cut left {left} bytes, with zeros in the last line. The next life left that line in the file and wrote "
            f"behind it: then load() {described(told, 30)}."
        )
        return finding("continues", story, seed, rank=SEEN if at > 1 else VAGUE, steps=both_lives(cut))
    what = f"load() {described(told)}." if told.records is None else _difference(told.records, expected)
    story = f"{cut.name} a power cut left {left} bytes. More was appended after it, and then {what}"
    return finding("continues", story, seed, rank=SEEN if told.records is None else VAGUE, steps=both_lives(cut))


def tell_damage(
    name: str, told: Lived, where: tuple[int, int, int], expected: Sequence[bytes], seed: int | None = None
) -> Finding:
    """Tell that a broken line before the last one was not found, or another line was called broken."""
    bit, line, count = where
    broken = f"{name} a bit of byte {bit // 8} flipped, in line {line} of {count}: load()"
    got = told.records
    rank = SEEN
    if got is None:
        story = f"{broken} {described(told, 50)} instead of Damaged({line})."
    elif got == (*expected[: line - 1], *expected[line:]):
        story = f"{broken} went on: record {line + 1} now stands at place {line}. Right is Damaged({line})."
        rank = CAUSE if line > 1 else SEEN
    elif got == expected[: len(got)]:
        story = f"{broken} gave back {many(len(got), 'record')}, as if the others were torn. Right is Damaged({line})."
        rank = CAUSE if line > 1 else SEEN
    else:
        story = f"{broken} noticed nothing: {_difference(got, expected)}"
    return finding("damage", story, seed, rank=rank, steps=tuple(calls_of(told, 1)))


def tell_alone(name: str, alone: Lived, count: int) -> Finding:
    """Tell that a log is loaded otherwise in a new process."""
    story = (
        f"{name} a new process with the same file: load() {described(alone)}, where {count} had been appended. A crash takes all "
        "memory with it, what classes share among it."
    )
    return finding("loads", story, None, rank=CAUSE, steps=tuple(calls_of(alone, 1)))
