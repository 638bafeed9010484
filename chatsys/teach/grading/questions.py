"""What a lab's question is made of: a judge that plays the answer, and points for what holds.

    Question.judge(answer, seeds, progress) --> Finding, Finding, ...     none: everything holds
    points = the points of all aspects in which nothing was found; 0 if the answer does not run

Read also `labs.lab03.checks` (the questions of lab 03), `grader` (who asks them).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import msgspec

RUNS = "runs"
"""The aspect without which no other one counts: the answer runs and does something."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that went wrong, in one sentence; with its seed and trace if there was a run."""

    aspect: str
    sentence: str
    seed: int | None = None
    trace: bytes | None = None


Judge = Callable[[type, Sequence[int], Callable[[str], None]], Iterator[Finding]]
"""(answer, seeds, progress) -> what went wrong; `progress(step)` begins each seed, or whatever a step is here."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question of a lab."""

    title: str
    aspects: dict[str, int]
    """The points of each thing that must hold."""
    judge: Judge
    done: str
    exhaustive: bool = False
    given: tuple[type, ...] = ()
    """Classes of the package that an answer may use."""
    figure: str = "delivery_matrix"
    """Which one of `teach.figures` shows a failed run."""

    @property
    def possible(self) -> int:
        """All points."""
        return sum(self.aspects.values())


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an answer: points, the verdict and the sentence that tells the story."""

    question: str
    verdict: Literal["pass", "fail", "exhausted, ok", "inconclusive"]
    points: int
    possible: int
    sentence: str
    seed: int | None = None
    trace: bytes | None = None

    def __str__(self) -> str:
        word = {"fail": "not yet", "inconclusive": "not decided"}.get(self.verdict, "done")
        more = f'   show("{self.question}") plays it.' if self.trace is not None else ""
        return f"{self.question}  {word} ({self.points} of {self.possible} points).  {self.sentence}{more}"

    __repr__ = __str__


def mark(name: str, question: Question, found: list[Finding], seeds: Sequence[int]) -> Grade:
    """Return the result for what a judge found; the first finding is the story."""
    if not found:
        many = "" if question.exhaustive else f"{len(seeds)} seeds.  "
        return Grade(
            question=name,
            verdict="exhausted, ok" if question.exhaustive else "pass",
            points=question.possible,
            possible=question.possible,
            sentence=many + question.done,
        )
    broken = {finding.aspect for finding in found}
    points = 0 if RUNS in broken else sum(worth for aspect, worth in question.aspects.items() if aspect not in broken)
    first = next((finding for finding in found if finding.aspect == RUNS), found[0])
    return Grade(
        question=name,
        verdict="fail",
        points=points,
        possible=question.possible,
        sentence=first.sentence,
        seed=first.seed,
        trace=first.trace,
    )


def one_of_each(findings: Iterator[Finding]) -> list[Finding]:
    """Return the first finding of each aspect."""
    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(finding.aspect, finding)
    return list(first.values())
