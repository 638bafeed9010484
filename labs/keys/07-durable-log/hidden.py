"""What students do not see of lab 07: odd records, what comes while an answer is given, the budget, and the whole sweeps."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from chatsys.teach.grading.lab import RUNS, Finding
from chatsys.teach.labs.lab07 import answering, checks
from chatsys.teach.labs.lab07.answering import TURNS, check_answers, find_lost, judge_syncs, turns
from chatsys.teach.labs.lab07.answering import find_answered_after_failure as find_late
from chatsys.teach.labs.lab07.checks import LOAD, appends, best, check_cut, check_onward, check_written, judge_chat
from chatsys.teach.labs.lab07.disk import flipped, images
from chatsys.teach.labs.lab07.lives import Life, Lived, TwoLives, as_bytes, lives, lives_alone
from chatsys.teach.labs.lab07.runs import CHAT, MORE, ODD, described
from chatsys.teach.labs.lab07.story import calls_of, finding
from chatsys.teach.labs.lab07.telling import tell_alone
from chatsys.teach.labs.lab07.voting import find_unkept, promises

# --- directed ------------------------------------------------------------------------------------


def judge_odd(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """7.1: any text may stand in a record; and a process in which nothing happened loads the same."""
    del seeds
    if checks.is_wrong(trial):
        return
    yield from named("any", judge_chat(trial, ODD, f"In a log of {len(ODD)} odd records,", whole=False))
    [first] = lives(trial, [Life(b"", (*LOAD, *appends(CHAT)))])
    if first.broken is None:
        [alone] = lives_alone(trial, [Life(first.content, LOAD)])
        if alone.records != as_bytes(CHAT):
            yield tell_alone("In a log of 12 records,", alone, len(CHAT))


def judge_broken(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """7.1: of two broken lines the first one is told, and the file stays as it is: the next life must see it, too."""
    yield from judge_odd(trial, seeds)
    [first] = lives(trial, [Life(b"", (*LOAD, *appends(CHAT)))])
    lines = first.content.split(b"\n")
    if checks.is_wrong(trial) or len(lines) != len(CHAT) + 1:
        return
    middles = [sum(len(one) + 1 for one in lines[:place]) + len(lines[place]) // 2 for place in (1, 4)]
    broken = flipped(flipped(first.content, 8 * middles[0]), 8 * middles[1])
    [told] = lives(trial, [Life(broken, LOAD)])
    name = f"In a log of {len(CHAT)} records, a bit flipped in line 2, and one in line 5: load()"
    steps = tuple(calls_of(told, 1))
    if told.damaged != 2:
        yield finding(
            "damage", f"{name} {described(told, 50)} instead of Damaged(2), the first one.", None, steps=steps
        )
    elif told.content != broken:
        story = f"{name} raised Damaged(2) and changed the file to {len(told.content)} bytes: the next life sees no damage any more."
        yield finding("damage", story, None, steps=steps)


def judge_answered_in_turn(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """7.2: the next record comes while an answer is given; and two equal records are two."""
    del seeds
    if answering.is_wrong(trial):
        return
    one, two, three = CHAT[:3]
    steps = (*LOAD, ("accept", one, 1, (three, 3)), ("accept", two, 2, None), ("flush",), ("flush",), ("flush",))
    name = "When record 3 came while record 1 was answered,"
    [told] = lives(trial, [Life(b"", steps)])
    found = list(check_answers(name, told)) or best(find_lost(trial, name, told, CHAT[:3], False))
    yield from named("meanwhile", found)
    twins = [Life(b"", (*LOAD, ("accept", one, 1, None), ("accept", one, 2, None), ("flush",)))]
    yield from check_answers("When records 1 and 2 were equal,", *lives(trial, twins))


def judge_failing(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """7.3: no promise whose sync failed, and none after it, in a life that begins with promises of an earlier one."""
    del seeds
    [first] = lives(trial, [Life(b"", promises((2, 4)))])
    if first.broken is None:
        yield from best(find_unkept(trial, "In the second life of a run,", (6, 7, 7, 9), first.content))


# --- the sweeps ----------------------------------------------------------------------------------


def judge_twice(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """7.1: the power is cut at every byte of a log, and once more at every byte of what the next life does."""
    del seeds
    yield from named("twice", sweep_twice(trial))


def sweep_twice(trial: Any) -> Iterator[Finding]:
    """Cut the power once, with every hole; then let the next life append, and cut the power again."""
    name = "In a log of 12 records,"
    [first] = lives(trial, [Life(b"", (*LOAD, *appends(CHAT)))])
    found = list(check_written(trial, name, first, CHAT))
    yield from found
    if found:
        return
    left = images(b"", first.tape)
    seconds = lives(trial, [Life(one.content, (*LOAD, *appends(MORE))) for one in left])
    cuts = [TwoLives(name, first, (), image, second) for image, second in zip(left, seconds, strict=True)]
    found = best(finding for cut in cuts for finding in check_cut(cut, CHAT))
    found += best(check_onward(trial, cuts, MORE))
    yield from found
    if not found:
        yield from best(check_second(trial, cuts))


def check_second(trial: Any, cuts: Sequence[TwoLives]) -> Iterator[Finding]:
    """Cut the power at every byte of the second lives; equal files are loaded once."""
    ends = {cut.second.content: cut for cut in cuts}  # who has come to the same file does the same from there on
    wanted: dict[bytes, TwoLives] = {}
    for cut in ends.values():
        assert cut.second.records is not None
        for image in images(cut.image.content, cut.second.tape):
            wanted[image.content] = TwoLives("After two power cuts,", cut.second, cut.second.records, image, cut.second)
    for told, cut in zip(lives(trial, [Life(one, LOAD) for one in wanted]), wanted.values(), strict=True):
        yield from check_cut(replace(cut, second=told), MORE)


def judge_every(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """7.2: the power is cut at every byte of three ways to flush, and of a second life; and each sync fails."""
    del seeds
    yield from named("every", sweep_answers(trial))


def sweep_answers(trial: Any) -> Iterator[Finding]:
    """Look at every byte; the second life goes on where the first one left off."""
    for counts in (TURNS, (1,) * 12, (12, 0)):
        name = f"With flushes of {' + '.join(map(str, counts[:5]))}{' + ...' * (len(counts) > 5)} records,"
        steps = (*LOAD, *turns(CHAT, counts))
        [first] = lives(trial, [Life(b"", steps)])
        found = list(check_answers(name, first))
        found = found or [
            *best(find_lost(trial, name, first, CHAT, counts == TURNS)),
            *best(find_late(trial, name, steps)),
        ]
        yield from found
        if found:
            return
    ends: dict[bytes, Lived] = {}
    left = [one for one in images(b"", first.tape) if one.kind == "cut"]
    for told in lives(trial, [Life(one.content, (*LOAD, *turns(MORE, (1, 1)))) for one in left]):
        if told.broken is None and told.records is not None:
            ends.setdefault(told.content, told)
    for told in ends.values():
        found = list(check_answers("After a power cut,", told))
        found = found or best(find_lost(trial, "After two power cuts,", told, MORE, False))
        yield from found
        if found:
            return


def named(aspect: str, found: Iterable[Finding]) -> Iterator[Finding]:
    """Let all that was found count for this aspect."""
    for one in found:
        yield one if one.aspect == RUNS else replace(one, aspect=aspect)


JUDGES = {("7.1", "search"): judge_twice, ("7.2", "search"): judge_every, ("7.2", "budget"): judge_syncs}
EXTRA = {"7.1": judge_broken, "7.2": judge_answered_in_turn, "7.3": judge_failing}
