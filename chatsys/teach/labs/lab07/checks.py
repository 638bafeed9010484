"""The judge of 7.1, the log: a class lives, the power is cut at every byte, and the next life loads what is left.

    loads      what was appended is loaded again, if nothing goes wrong
    kept       ... and after a power cut, if its append had returned: write is not sync
    torn       what is broken at the end of the file is cut off, and nothing else
    continues  what is appended after that is loaded, too
    damage     what is broken before the last line is told with its line

Read also `disk` (what a power cut leaves), `runs` (what is appended), `telling` (the sentences), `grading.judging` (points).
"""

from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from chatsys.teach.grading.lab import RUNS, Finding
from chatsys.teach.labs.lab07 import telling
from chatsys.teach.labs.lab07.disk import Image, flipped, images, line_at
from chatsys.teach.labs.lab07.lives import Life, Lived, Record, TwoLives, as_bytes, lives
from chatsys.teach.labs.lab07.runs import CHAT, MORE, draw

LOAD = (("load",),)
NAME = "In a log of 12 records,"
SPARSE = 4
"""Where not every byte is wanted: zeros and holes, and what is appended after a power cut, at every so-manieth byte."""


_swept: WeakKeyDictionary[Any, list[Finding]] = WeakKeyDictionary()


def is_wrong(trial: Any) -> bool:
    """Tell whether the log whose every byte is a crash point has shown something: then what needs it is lost anyway."""
    return bool(_swept.get(trial))


def judge_log(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """7.1: loads, kept, torn, continues, damage."""
    if trial not in _swept:  # what was found in public need not be looked for again
        _swept[trial] = list(judge_chat(trial, CHAT, NAME, whole=False))
    found = _swept[trial]
    yield from found
    if not {RUNS, "loads"} & {one.aspect for one in found}:  # with them all is lost
        yield from _judge_seeds(trial, seeds)


# --- one log, every byte -------------------------------------------------------------------------------


def judge_chat(trial: Any, records: Sequence[Record], name: str, whole: bool) -> Iterator[Finding]:
    """Append these records, cut the power at every byte, and flip a bit of every byte; `whole`: with every hole."""
    [first] = lives(trial, [Life(b"", (*LOAD, *appends(records)))])
    found = list(check_written(trial, name, first, records))
    yield from found
    if found:
        return
    left = [
        one for place, one in enumerate(images(b"", first.tape)) if whole or one.kind == "cut" or place % SPARSE == 0
    ]
    goes_on = [place % SPARSE == 0 for place in range(len(left))]
    more = (*LOAD, *appends(MORE))
    seconds = lives(trial, [Life(one.content, more if on else LOAD) for one, on in zip(left, goes_on, strict=True)])
    cuts = [TwoLives(name, first, (), image, second) for image, second in zip(left, seconds, strict=True)]
    yield from best(finding for cut in cuts for finding in check_cut(cut, records))
    yield from best(check_onward(trial, [cut for cut in cuts if len(cut.second.life.steps) > 1], MORE))
    yield from best(check_flips(trial, cuts[0], records))


def appends(records: Sequence[Record]) -> tuple[tuple[str, Record], ...]:
    """Return the calls that append these records."""
    return tuple(("append", one) for one in records)


def best(found: Iterator[Finding]) -> list[Finding]:
    """Return of each aspect the finding that explains most; many crash points say the same."""
    kept: dict[str, Finding] = {}
    for one in found:
        if one.aspect not in kept or one.rank > kept[one.aspect].rank:
            kept[one.aspect] = one
    return list(kept.values())


def check_written(
    trial: Any, name: str, first: Lived, records: Sequence[Record], seed: int | None = None
) -> Iterator[Finding]:
    """Find what is wrong although nothing went wrong: an error, a record that comes back otherwise, other lines."""
    if first.broken is not None:
        yield telling.tell_broken(name, first, seed)
        return
    [again, fresh] = lives(trial, [Life(first.content, LOAD), Life(b"", LOAD)])
    expected = as_bytes(records)
    if fresh.records != ():
        yield telling.tell_new(name, fresh, seed)
    elif again.records != expected:
        yield telling.tell_loaded(name, "loads", again, expected, seed)
    elif first.content.count(b"\n") != len(records) or not first.content.endswith(b"\n"):
        yield telling.tell_lines(name, first, len(records), seed)


def check_cut(cut: TwoLives, records: Sequence[Record], seed: int | None = None) -> Iterator[Finding]:
    """Find what is wrong with the load after a power cut: at most what nobody was told may be missing."""
    expected = (*cut.before, *as_bytes(records))
    promised = len(cut.before) + sum(
        cut.first.said_at.get(place, len(cut.first.tape)) < cut.image.until for place in range(2, len(records) + 2)
    )
    got = cut.second.records
    if got is None or got != expected[: len(got)] or len(got) < min(promised, telling.whole_lines(cut.image)):
        yield telling.tell_torn(cut, expected, seed)
    elif len(got) < promised:
        yield telling.tell_lost(cut, len(got), promised, seed)


def check_onward(
    trial: Any, cuts: Sequence[TwoLives], more: Sequence[Record], seed: int | None = None
) -> Iterator[Finding]:
    """Find what is wrong with what was appended after a power cut; equal files are loaded once."""
    wanted: dict[bytes, list[TwoLives]] = {}
    for cut in cuts:
        if cut.second.records is None:
            continue  # the load is to blame, and was told
        if cut.second.broken is not None:
            yield telling.tell_broken(cut.name, cut.second, seed)
            return
        wanted.setdefault(cut.second.content, []).append(cut)
    for told, (content, same) in zip(
        lives(trial, [Life(content, LOAD) for content in wanted]), wanted.items(), strict=True
    ):
        assert told.life.image == content
        for cut in same:
            assert cut.second.records is not None
            expected = (*cut.second.records, *as_bytes(more))
            if told.records != expected:
                yield telling.tell_onward(cut, told, expected, seed)


def check_flips(
    trial: Any, cut: TwoLives, records: Sequence[Record], only: float | None = None, seed: int | None = None
) -> Iterator[Finding]:
    """Flip a bit of every other byte before the last two lines; `only`: of one byte, at this share of them."""
    content, expected = cut.first.content, as_bytes(records)
    end = content.rstrip(b"\n").rfind(b"\n", 0, content.rstrip(b"\n").rfind(b"\n")) + 1
    if end < 1:
        return
    bytes_ = range(0, end, 2) if only is None else [int(only * end)]
    bits = [8 * byte + (5 * byte + 3) % 8 for byte in bytes_]
    for bit, told in zip(bits, lives(trial, [Life(flipped(content, bit), LOAD) for bit in bits]), strict=True):
        line = line_at(content, bit // 8)
        if told.damaged != line and told.records != expected:
            yield telling.tell_damage(cut.name, told, (bit, line, len(records)), expected, seed)


# --- seeds ---------------------------------------------------------------------------------------------


def _judge_seeds(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """Three lives of each seed with a power cut between them; all first lives are lived at once, then all second ones."""
    drawn = {seed: draw(seed) for seed in seeds}
    content = dict.fromkeys(seeds, b"")
    before: dict[int, tuple[bytes, ...]] = dict.fromkeys(seeds, ())
    for turn in range(3):
        told = _live(trial, {seed: Life(content[seed], (*LOAD, *appends(drawn[seed].lives[turn]))) for seed in content})
        left = {seed: _survives(one, drawn[seed].shares[turn]) for seed, one in told.items()}
        whole = _live(trial, {seed: Life(one.content, LOAD) for seed, one in told.items()})
        again = _live(trial, {seed: Life(one.content, LOAD) for seed, one in left.items()})
        for seed, image in left.items():
            cut = TwoLives(f"With seed {seed}", told[seed], before[seed], image, again[seed])
            found = list(_check_turn(cut, whole[seed], drawn[seed].lives[turn], seed))
            if turn == 0 and not found:
                found = list(check_flips(trial, cut, drawn[seed].lives[0], drawn[seed].flip, seed))
            yield from found
            if found:
                return
            content[seed], before[seed] = image.content, again[seed].records or ()


def _survives(told: Lived, share: float) -> Image:
    every = images(told.life.image, told.tape)
    return every[int(share * len(every))]


def _check_turn(cut: TwoLives, whole: Lived, records: Sequence[Record], seed: int) -> Iterator[Finding]:
    """Find what is wrong with one life: with all that it wrote, and with what is left of it."""
    if cut.first.broken is not None:
        yield telling.tell_broken(cut.name, cut.first, seed)
        return
    expected = (*cut.before, *as_bytes(records))
    if whole.records != expected:
        if cut.first.life.image:
            yield telling.tell_onward(cut.onward(), whole, expected, seed)
        else:
            yield telling.tell_loaded(cut.name, "loads", whole, expected, seed)
        return
    yield from check_cut(cut, records, seed)


def _live(trial: Any, wanted: dict[int, Life]) -> dict[int, Lived]:
    return dict(zip(wanted, lives(trial, list(wanted.values())), strict=True))
