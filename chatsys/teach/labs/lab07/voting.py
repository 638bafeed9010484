"""The judge of 7.3, the promise: at most once for a term, never for a lower one, and a power cut changes nothing of that.

    yes        a term above all that were promised is promised
    once       in one life no term is promised twice, and none below one that was promised
    remembers  nor after a power cut at any byte
    failed     none is promised whose sync failed, nor any after that in the same life: a later sync keeps its own bytes only

Each call takes a second of the story, and so does a power cut.

Read also `checks` (the judge of 7.1), `disk` (what a power cut leaves), `telling` (the sentences).
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from chatsys.teach.grading.lab import RUNS, Finding
from chatsys.teach.labs.lab07 import telling, telling_promises
from chatsys.teach.labs.lab07.checks import best
from chatsys.teach.labs.lab07.disk import Image, images, without_failed
from chatsys.teach.labs.lab07.lives import Life, Lived, TwoLives, lives
from chatsys.teach.labs.lab07.telling_promises import asked

TERMS = (5, 5, 3, 7, 7, 6, 12)
"""What is asked in the run whose every byte is a crash point."""
NAME = "In a run of 7 calls,"
FAILING = (5, 6, 6, 8)
"""What is asked in the runs in which each sync fails in turn: the same again, and more."""


def judge_promises(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """7.3: yes, once, remembers."""
    found = list(judge_terms(trial, TERMS, NAME))
    if not {RUNS, "yes"} & {one.aspect for one in found}:
        found += best(find_unkept(trial, "In a run of 4 calls,", FAILING))
    yield from found
    if not {RUNS, "yes"} & {one.aspect for one in found}:  # with them all is lost
        yield from _judge_seeds(trial, seeds)


def judge_terms(trial: Any, terms: Sequence[int], name: str) -> Iterator[Finding]:
    """Ask for these terms, and cut the power at every byte."""
    [first] = lives(trial, [Life(b"", promises(terms))])
    found = list(check_promises(name, first))
    yield from found
    if RUNS in {one.aspect for one in found}:
        return
    left = images(b"", first.tape)
    after = [_asked_after(first, image.until) for image in left]
    seconds = lives(trial, [Life(image.content, steps) for image, steps in zip(left, after, strict=True)])
    cuts = [TwoLives(name, first, (), image, second) for image, second in zip(left, seconds, strict=True)]
    yield from best(one for cut in cuts for one in check_after(cut, promised(first, cut.image.until)))


def promises(terms: Sequence[int]) -> tuple[tuple[str, int], ...]:
    """Return the calls that ask for these terms."""
    return tuple(("promise", term) for term in terms)


def promised(told: Lived, until: int, before: int = 0) -> int:
    """Return the highest term that had been promised at this place of the tape."""
    said = (asked(told, number) for number, at in told.said_at.items() if number and at < until)
    return max((term for term, yes in said if yes), default=before)


def _asked_after(first: Lived, until: int) -> tuple[tuple[str, int], ...]:
    """Return what is asked after a power cut: the same again first, a lower term, and one above all."""
    highest = promised(first, until)
    same = promises((highest, highest - 1)) if highest > 1 else ()
    return (*same, *promises((max(term for _, term in first.life.steps) + 1,)))


def check_promises(
    name: str, told: Lived, before: int = 0, tried: int = 0, seed: int | None = None
) -> Iterator[Finding]:
    """Find what is wrong in one life.

    `before` is the highest term that was promised before it, `tried` the highest that was asked: whether that was
    promised nobody knows if the power was cut meanwhile.
    """
    if told.broken is not None:
        yield telling.tell_broken(name, told, seed)
        return
    highest = before
    lost: set[bool] = set()
    for number in range(1, len(told.life.steps) + 1):
        term, said = asked(told, number)
        wrong = term <= highest and highest > before if said else term > max(highest, tried)
        if wrong and said not in lost:
            lost.add(said)
            yield telling_promises.tell_promise(name, told, number, highest, seed)
        if said:
            highest = max(highest, term)


def check_after(cut: TwoLives, before: int, tried: int = 0, seed: int | None = None) -> Iterator[Finding]:
    """Find what is wrong in the life after a power cut; `before` and `tried` are those of `check_promises`."""
    if cut.second.broken is not None:
        yield telling_promises.tell_refused(cut, before, cut.second.broken.number, seed)
        return
    highest = max(before, tried, *(term for _, term in cut.first.life.steps))
    for number in range(1, len(cut.second.life.steps) + 1):
        term, said = asked(cut.second, number)
        if said and term <= before:
            yield telling_promises.tell_forgotten(cut, before, number, seed)
        elif not said and term > highest:
            yield telling_promises.tell_refused(cut, before, number, seed)
        highest = max(highest, term if said else 0)


def find_unkept(trial: Any, name: str, terms: Sequence[int], image: bytes = b"") -> Iterator[Finding]:
    """Let each sync fail in turn: what was to be kept by it is not promised, and nothing is after it in this life."""
    wanted = [Life(image, promises(terms), fails) for fails in range(1, len(set(terms)) + 2)]
    for told in lives(trial, wanted):
        failed = next((at for at, one in enumerate(told.tape) if one.kind == "failed"), None)
        if failed is None:
            continue
        number = max(one.number for one in told.tape[:failed] if one.kind == "call")
        late = next((one for one in range(max(number, 1), len(terms) + 1) if asked(told, one)[1]), None)
        if late is None:
            continue
        if late == number:
            yield telling_promises.tell_unkept(name, told, number)
            continue
        until = told.said_at[late] + 1
        left = Image(without_failed(image, told.tape[:until]), "zeros", 0, until)
        [after] = lives(trial, [Life(left.content, promises([asked(told, late)[0]]))])
        yield telling_promises.tell_goes_on(TwoLives(name, told, (), left, after), number, late)


def _judge_seeds(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """Three lives of each seed with a power cut between them."""
    random = {seed: Random(f"lab 07/terms/{seed}") for seed in seeds}
    content, before, tried = dict.fromkeys(seeds, b""), dict.fromkeys(seeds, 0), dict.fromkeys(seeds, 0)
    last: dict[int, TwoLives] = {}
    for turn in range(3):
        wanted = [Life(content[seed], promises(_terms(random[seed], 4 * turn))) for seed in seeds]
        for seed, told in zip(seeds, lives(trial, wanted), strict=True):
            name = f"With seed {seed}"
            found = []
            if seed in last:
                cut = TwoLives(name, last[seed].first, (), last[seed].image, told)
                found = list(check_after(cut, before[seed], tried[seed], seed))
            found = found or list(check_promises(name, told, before[seed], tried[seed], seed))
            yield from found
            if found:
                return
            every = images(content[seed], told.tape)
            image = every[int(random[seed].random() * len(every))]
            before[seed] = max(before[seed], promised(told, image.until, before[seed]))
            tried[seed] = max(tried[seed], *(term for _, term in told.life.steps))
            content[seed], last[seed] = image.content, TwoLives(name, told, (), image, told)


def _terms(random: Random, above: int) -> list[int]:
    return [above + random.randint(1, 9) for _ in range(random.randint(2, 5))]
