"""Judging: one answer, tried part by part, becomes points and sentences.

    code --> a confined process --> Trial --judge(trial, seeds)--> Finding, Finding, ...
    Findings --needs--> aspects that are lost --points--> points of each part

This is the clean side: it holds worlds, seeds, keys and points.  The student's class arrives as bytes that only
its own process opens, and what comes back is an answer, never a result.

Promises  points depend on the answer and the seeds alone, never on how fast a machine is.  What nobody can tell is
          inconclusive: its points are given, and a person is asked to look.  An answer that runs into a wall takes
          no later part of the same exercise with it into another wait: the same finding counts there.
Read also `lab` (the declaration), `trial` (the ways to ask), `marking` (a whole submission), `grader` (in a notebook).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import msgspec

from chatsys.capabilities import PROCESSES, has
from chatsys.isolation.budget import Allowance
from chatsys.isolation.pickling import pack
from chatsys.isolation.remote import Gone, Raised, RemoteClass
from chatsys.teach.grading.keys import Keys
from chatsys.teach.grading.lab import (
    MEMORY,
    RUNS,
    Exercise,
    Finding,
    GradedPart,
    Judge,
    Kind,
    PartResult,
)
from chatsys.teach.grading.points import account, points_of
from chatsys.teach.grading.trial import AFTER, BEFORE, LocalTrial, RemoteTrial, Trial

ANSWER = "answer"
"""Under which name a class travels."""
LOUDEST = 100
"""The rank of what ends a trial: it is told before all else."""
MOST_KEPT = 1_000_000
"""Bytes that the calls of a load may leave behind."""

SeedsFor = Callable[[Exercise, Kind], Sequence[int]]


@contextmanager
def open_trial(exercise: Exercise, answer: type | bytes, allowance: Allowance | None = None) -> Iterator[Trial]:
    """Return a trial of `answer`, a class or packed code; raises `Gone` where it cannot be tried at all."""
    if not has(PROCESSES):
        assert answer is not None and not isinstance(answer, bytes), (
            "packed code is opened in a process of its own only"
        )
        trial = LocalTrial(answer, exercise)
        with trial.bounded():
            yield trial
        return
    code = answer if isinstance(answer, bytes) else pack({ANSWER: answer})
    allowance = allowance or Allowance()
    try:
        methods = exercise.methods | exercise.asked
        remote = RemoteClass(
            code, exercise.writes, methods, exercise.given, allowance.quota(), holder=exercise.holder
        )  # fmt: skip
    except Gone as gone:
        allowance.spend(gone.cpu)
        raise
    with remote:
        try:
            if remote.borrowed or remote.problems:
                raise Gone("refused", remote.borrowed or remote.problems[0])
            yield RemoteTrial(remote)
        finally:
            allowance.spend(remote.cpu)


def judge(
    exercise: Exercise,
    answer: type | bytes | None,
    seeds_for: SeedsFor,
    keys: Keys | None = None,
    kinds: Iterable[Kind] | None = None,
    *,
    allowance: Allowance | None = None,
) -> list[PartResult]:
    """Try `answer` on all parts of `exercise`, or those of these `kinds`, and return what became of each.

    None is no answer.  Without `keys` there are public parts only.  `allowance` is what the answers of one submission
    may take together.
    """
    wanted = [part for part in exercise.parts if kinds is None or part.kind in kinds]
    if answer is None:
        why = f"There is no {exercise.writes} in this notebook; write it in the cell {exercise.cell}."
        return [_nothing(exercise, part, Finding(aspect=RUNS, sentence=why)) for part in wanted]
    try:
        with open_trial(exercise, answer, allowance) as trial:
            return _Judging(exercise, trial, seeds_for, keys).all(wanted)
    except Gone as gone:  # it did not even load
        return [_nothing(exercise, part, told_gone(exercise, gone)) for part in wanted]


class _Judging:
    """One answer to one exercise."""

    def __init__(self, exercise: Exercise, trial: Trial, seeds_for: SeedsFor, keys: Keys | None) -> None:
        self.exercise, self.trial, self.seeds_for, self.keys = exercise, trial, seeds_for, keys
        self.broken: set[str] = set()
        """What was lost in any part, for the needs of later ones."""
        self.ended: Finding | None = None
        """Why the answer cannot be asked any more."""
        self.memory: list[Finding] | None = None
        self.seen: dict[Kind, list[Finding]] = {}
        """What the exercise's own judge found in each part."""

    def all(self, parts: Sequence[GradedPart]) -> list[PartResult]:
        """Judge these parts, one after the other; then see whether what was lost is lost again."""
        outcomes = [self._part(part) for part in parts]
        return [self._looked_at_again(one) for one in outcomes]

    def _part(self, part: GradedPart) -> PartResult:
        if self.ended is None:
            found = self._tried(part)
        else:
            found = [self.ended]
        return outcome(self.exercise, part, found, self.broken)

    def _tried(self, part: GradedPart) -> list[Finding]:
        found: list[Finding] = []
        try:
            for judge in self._judges(part.kind):
                told = list(judge(self.trial, self.seeds_for(self.exercise, part.kind)))
                found += told
                if judge is self.exercise.judge:
                    self.seen[part.kind] = told
            if MEMORY in self.exercise.shares(part) and not self._decided(found):
                found += self._memory()
        except Gone as gone:
            self.ended = told_gone(self.exercise, gone)
            found.append(self.ended)
        except Raised as error:
            found.append(Finding(aspect=RUNS, sentence=f"{self.exercise.writes} raised {error}."))
        if self.trial.unfinished:
            why = f"You have not written `{self.trial.unfinished}` yet, which {self.exercise.writes} needs."
            self.ended = Finding(aspect=RUNS, sentence=why, rank=LOUDEST, written=False)
            return [self.ended]
        return found

    def _looked_at_again(self, outcome: PartResult) -> PartResult:
        """Play the run again in which points were lost; an answer that now does otherwise is for a person."""
        wrong = next((one for one in self.seen.get(outcome.kind, ()) if one.seed is not None), None)
        if not outcome.lost or wrong is None or wrong.seed is None or self.ended is not None:
            return outcome
        try:
            again = list(self.exercise.judge(self.trial, [wrong.seed]))
        except (Gone, Raised):
            return outcome
        if any((one.aspect, one.sentence) == (wrong.aspect, wrong.sentence) for one in again):
            return outcome
        why = (
            f"When the run of seed {wrong.seed} was played again, {self.exercise.writes} did otherwise: what it does "
            "depends on more than what it is given (a clock, chance, what an earlier run left), so another grading may give "
            "other points."
        )
        return msgspec.structs.replace(outcome, unsteady=why)

    def _decided(self, found: Sequence[Finding]) -> bool:
        """Whether the memory does not count anyway: then nothing is measured, and nothing can end the trial there."""
        needed = {RUNS, *self.exercise.needs.get(MEMORY, ())}
        return bool(needed & (self.broken | {one.aspect for one in found if not one.inconclusive}))

    def _judges(self, kind: Kind) -> Iterator[Judge]:
        if kind in ("public", "hidden"):
            yield self.exercise.judge
        if self.keys is not None:
            number = self.exercise.number
            if kind == "hidden" and number in self.keys.extra:
                yield self.keys.extra[number]
            if (number, kind) in self.keys.judges:
                yield self.keys.judges[number, kind]

    def _memory(self) -> list[Finding]:
        if self.memory is None:
            assert self.exercise.load is not None, "an aspect of memory needs a load"
            self.memory = list(judge_memory(self.exercise, self.trial))
        return self.memory


def judge_memory(exercise: Exercise, trial: Trial) -> Iterator[Finding]:
    """Yield what calls that must leave nothing behind do leave behind."""
    assert exercise.load is not None
    try:
        grown = trial.growth(exercise.load)
    except Raised as error:
        sentence = f"When {AFTER:,} messages came one after the other, {exercise.writes} raised {error}."
        yield Finding(aspect=MEMORY, sentence=sentence)
        return
    if grown is None:
        sentence = f"How much memory {exercise.writes} keeps cannot be measured here; a person should look."
        yield Finding(aspect=MEMORY, sentence=sentence, inconclusive=True)
    elif grown > MOST_KEPT:
        sentence = (
            f"After {AFTER:,} messages the process of your class holds {grown / 1e6:.1f} MB more than after {BEFORE:,}; "
            f"{MOST_KEPT / 1e6:.0f} MB is allowed. What can be forgotten?"
        )
        yield Finding(aspect=MEMORY, sentence=sentence)


def told_gone(exercise: Exercise, gone: Gone) -> Finding:
    """Return the finding for an answer that cannot be asked any more."""
    sentence = gone.sentence
    if sentence.startswith("It did not end"):
        sentence = exercise.writes + sentence.removeprefix("It")
    return Finding(aspect=RUNS, sentence=sentence, inconclusive=gone.verdict == "late", rank=LOUDEST)


def outcome(exercise: Exercise, part: GradedPart, found: Sequence[Finding], before: set[str]) -> PartResult:
    """Return what `found` costs; `before` has what earlier parts lost, and gets what this one loses."""
    shares = exercise.shares(part)
    doubtful = {one.aspect for one in found if one.inconclusive}
    broken = {one.aspect for one in found if not one.inconclusive}
    lost = set(shares) if RUNS in broken else _lost(exercise, shares, broken, before)
    before |= broken | lost
    points, how = _counted(exercise, part, lost, before, broken)
    flagged = doubtful - lost if RUNS not in broken else set()
    told = sorted((one for one in found if one.inconclusive == (not lost)), key=lambda one: -one.rank)
    verdict: Literal["pass", "fail", "exhausted, ok", "inconclusive"]
    if lost:
        verdict = "fail"
    elif flagged:
        verdict = "inconclusive"
    else:
        verdict = "exhausted, ok" if part.kind == "search" else "pass"
    return PartResult(
        cell=part.cell, kind=part.kind, verdict=verdict, points=points, possible=part.points,
        sentence=_sentence(exercise, part, told, lost, before), account=how, whole=part.whole,
        lost=tuple(one for one in shares if one in lost), flagged=tuple(sorted(flagged)), findings=_one_of_each(told),
    )  # fmt: skip


def _counted(
    exercise: Exercise, part: GradedPart, lost: set[str], before: set[str], broken: set[str]
) -> tuple[float, str]:
    """Return the points of a part, and how they come together; what is done or not done has all of them or none."""
    if part.whole:
        return part.points * (not lost), ""
    worth = points_of(exercise, part)
    because = {one: [need for need in exercise.needs.get(one, ()) if need in before] for one in lost - broken}
    how = "" if RUNS in broken else account(worth, lost, because)
    return sum(points for aspect, points in worth.items() if aspect not in lost), how


def _lost(exercise: Exercise, shares: dict[str, int], broken: set[str], before: set[str]) -> set[str]:
    """Return the aspects that are lost: broken ones, and those that need one that is lost here or was before."""
    lost = broken & set(shares)
    while True:
        gone = lost | broken | before
        more = {one for one in shares if one not in lost and set(exercise.needs.get(one, ())) & gone}
        if not more:
            return lost
        lost |= more


def _one_of_each(found: Sequence[Finding]) -> tuple[Finding, ...]:
    first: dict[str, Finding] = {}
    for one in found:
        first.setdefault(one.aspect, one)
    return tuple(first.values())


def _sentence(exercise: Exercise, part: GradedPart, told: Sequence[Finding], lost: set[str], before: set[str]) -> str:
    if told:
        return told[0].sentence
    if lost:
        needed = sorted({need for one in lost for need in exercise.needs[one] if need in before})
        return f"This counts only with {' and '.join(needed)}, of which another part of {exercise.number} says what went wrong."
    return part.done or exercise.done


def _nothing(exercise: Exercise, part: GradedPart, finding: Finding) -> PartResult:
    return outcome(exercise, part, [finding], set())
