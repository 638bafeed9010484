"""The judge of 7.2, the answers: what was answered is there after a power cut at any byte, and one sync serves a whole flush.

    answers   each accepted record is answered once, by the flush that follows
    durable   ... and nothing that was answered is ever lost
    failed    after a sync that failed nothing is answered any more
    syncs, idle (a budget)    at most one sync for a flush, none for one in which there is nothing to do

Read also `checks` (the judge of 7.1), `disk` (what a power cut leaves), `telling` (the sentences).
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any
from weakref import WeakKeyDictionary

from chatsys.teach.grading.lab import RUNS, Finding
from chatsys.teach.labs.lab07 import telling, telling_answers
from chatsys.teach.labs.lab07.checks import LOAD, SPARSE, best
from chatsys.teach.labs.lab07.disk import images
from chatsys.teach.labs.lab07.lives import Life, Lived, Record, TwoLives, as_bytes, lives
from chatsys.teach.labs.lab07.machine import Step
from chatsys.teach.labs.lab07.runs import CHAT, draw

TURNS = (1, 4, 0, 3, 4)
"""How many of the twelve records are accepted before each flush."""
NAME = "In a log of 12 records,"

_swept: WeakKeyDictionary[Any, list[Finding]] = WeakKeyDictionary()


def is_wrong(trial: Any) -> bool:
    """Tell whether the log whose every byte is a crash point has shown something: then what needs it is lost anyway."""
    return bool(_swept.get(trial))


def judge_answers(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """7.2: answers, durable, failed."""
    if trial not in _swept:  # what was found in public need not be looked for again
        _swept[trial] = list(judge_turns(trial, CHAT, NAME, whole=False))
    found = _swept[trial]
    yield from found
    if not {RUNS, "answers"} & {one.aspect for one in found}:  # with them all is lost
        yield from _judge_seeds(trial, seeds)


def turns(records: Sequence[Record], counts: Sequence[int]) -> tuple[Step, ...]:
    """Return the calls that accept these records, so many before each flush; their numbers count from 1."""
    steps: list[Step] = []
    numbered = iter(enumerate(records, 1))
    for count in counts:
        steps += [("accept", record, number, None) for number, record in (next(numbered) for _ in range(count))]
        steps.append(("flush",))
    return tuple(steps)


def judge_turns(trial: Any, records: Sequence[Record], name: str, whole: bool) -> Iterator[Finding]:
    """Accept these records and flush now and then, cut the power at every byte, and let each sync fail in turn."""
    steps = (*LOAD, *turns(records, TURNS))
    [first] = lives(trial, [Life(b"", steps)])
    found = list(check_answers(name, first))
    yield from found
    if found:
        return
    yield from best(find_lost(trial, name, first, records, whole))
    yield from best(find_answered_after_failure(trial, name, steps))


def find_answered_after_failure(
    trial: Any, name: str, steps: tuple[Step, ...], seed: int | None = None
) -> Iterator[Finding]:
    """Let each sync fail in turn, and look for answers after it."""
    [plain] = lives(trial, [Life(b"", steps)])
    syncs = sum(one.kind == "sync" for one in plain.tape)
    for told in lives(trial, [Life(b"", steps, fails) for fails in range(1, syncs + 1)]):
        place = next((at for at, one in enumerate(told.tape) if one.kind == "failed"), None)
        if place is None:
            continue
        late = next((at for at, one in enumerate(told.tape) if one.kind == "answer" and at > place), None)
        if late is not None:
            yield telling_answers.tell_after_failure(name, told, place, late, seed)


def check_answers(name: str, told: Lived, seed: int | None = None) -> Iterator[Finding]:
    """Find a record that was not answered once by the flush that followed."""
    if told.broken is not None:
        yield telling.tell_broken(name, told, seed)
        return
    waiting: dict[int, int] = {}
    """The number of each accepted record, and how many flushes it may still take."""
    for number, step in enumerate(told.life.steps, 1):
        if step[0] == "accept":
            waiting[step[2]] = 1
            if step[3] is not None:
                waiting[step[3][1]] = 2
            continue
        if step[0] != "flush":
            continue
        end = told.said_at[number]
        for one in list(waiting):
            waiting[one] -= 1
            if not waiting[one]:
                del waiting[one]
                if not _answers_of(told, one, end):
                    yield telling_answers.tell_unanswered(name, told, one, number, seed)
                    return
    for one in sorted({event.number for event in told.tape if event.kind == "answer"}):
        times = _answers_of(told, one, len(told.tape))
        if len(times) > 1:
            yield telling_answers.tell_answered_again(name, told, one, times, seed)
            return


def _answers_of(told: Lived, one: int, until: int) -> list[int]:
    """Return where on the tape a record was answered."""
    return [at for at, event in enumerate(told.tape[:until]) if event.kind == "answer" and event.number == one]


def find_lost(trial: Any, name: str, first: Lived, records: Sequence[Record], whole: bool) -> Iterator[Finding]:
    """Cut the power at every byte, and look for what was answered."""
    left = [
        one for place, one in enumerate(images(first.life.image, first.tape))
        if whole or one.kind == "cut" or place % SPARSE == 0
    ]  # fmt: skip
    told = lives(trial, [Life(one.content, LOAD) for one in left])
    for image, second in zip(left, told, strict=True):
        yield from check_lost(TwoLives(name, first, first.records or (), image, second), records)


def check_lost(cut: TwoLives, records: Sequence[Record], seed: int | None = None) -> Iterator[Finding]:
    """Find an answered record that is not there any more."""
    expected = (*cut.before, *as_bytes(records))
    answered = [one.number for one in cut.first.tape[: cut.image.until] if one.kind == "answer"]
    promised = len(cut.before) + max(answered, default=0)
    got = cut.second.records
    if got is None or got != expected[: len(got)]:
        yield telling_answers.tell_load_first(cut, seed)
    elif len(got) < promised:
        lost = next(one for one in answered if len(cut.before) + one > len(got))
        yield telling_answers.tell_lie(cut, lost, seed)


def _judge_seeds(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """Two lives of each seed with a power cut between them, and one more in which a sync fails."""
    drawn = {seed: draw(seed, "answers") for seed in seeds}
    content = dict.fromkeys(seeds, b"")
    before: dict[int, tuple[bytes, ...]] = dict.fromkeys(seeds, ())
    for turn in range(2):
        wanted = {}
        for seed in seeds:
            counts = _counts(Random(f"{seed}/{turn}"), len(drawn[seed].lives[turn]))
            wanted[seed] = Life(content[seed], (*LOAD, *turns(drawn[seed].lives[turn], counts)))
        firsts = dict(zip(seeds, lives(trial, list(wanted.values())), strict=True))
        left = {}
        for seed, told in firsts.items():
            every = images(content[seed], told.tape)
            left[seed] = every[int(drawn[seed].shares[turn] * len(every))]
        seconds = lives(trial, [Life(one.content, LOAD) for one in left.values()])
        for (seed, told), second in zip(firsts.items(), seconds, strict=True):
            name = f"With seed {seed}"
            found = list(check_answers(name, told, seed))
            if not found:
                cut = TwoLives(name, told, before[seed], left[seed], second)
                found = list(check_lost(cut, drawn[seed].lives[turn], seed))
            yield from found
            if found:
                return
            content[seed], before[seed] = left[seed].content, second.records or ()


def _counts(random: Random, whole: int) -> list[int]:
    """Return how many records are accepted before each flush, so many in all."""
    counts: list[int] = []
    while whole > 0:
        counts.append(min(whole, random.choice((0, 1, 1, 2, 3))))
        whole -= counts[-1]
    return counts


# --- the budget ----------------------------------------------------------------------------------------


def judge_syncs(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """7.2: syncs, idle."""
    counts = [(*TURNS, 0), *([*_counts(Random(seed), 12), 0, 0] for seed in seeds)]
    for told in lives(trial, [Life(b"", (*LOAD, *turns(CHAT, one))) for one in counts]):
        if told.broken is not None:
            yield telling.tell_broken(NAME, told)
            return
        found = list(_count_syncs(told))
        yield from found
        if found:
            return


def _count_syncs(told: Lived) -> Iterator[Finding]:
    since, accepted = told.said_at[1], 0
    lost: set[str] = set()
    for number, step in enumerate(told.life.steps, 1):
        if step[0] == "accept":
            accepted += 1
        elif step[0] == "flush":
            end = told.said_at[number]
            syncs = sum(one.kind == "sync" for one in told.tape[since:end])
            aspect = "syncs" if accepted else "idle"
            if syncs > min(accepted, 1) and aspect not in lost:
                lost.add(aspect)
                yield telling_answers.tell_syncs(told, number, (accepted, syncs), aspect)
            since, accepted = end, 0
