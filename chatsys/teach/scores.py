"""Scores in words: what became of an answer and of a notebook, where points are counted and where nothing is.

    verdict_told("fail", 7, 14)           not yet (7 of 14 points)
    verdict_told("pass", 1, 1, True)      done
    score_told(7, 14)                     7 of 14
    score_told(1, 1, True)                done

A lab that is done or not done has one point, so that every gradebook can hold it; people read a word.

Read also `grading.lab`, `GradedPart.whole` (what is counted so).
"""

from collections.abc import Iterator
from textwrap import wrap

LINE = 100
"""So many letters are in a line of a grade that a notebook shows."""
WORDS = {"fail": "not yet", "inconclusive": "not decided"}
DONE, NOT_DONE = "done", "not done"


def verdict_told(verdict: str, points: float, possible: float, whole: bool = False) -> str:
    """Return what became of one answer; with `whole` nothing is counted."""
    return WORDS.get(verdict, DONE) + ("" if whole else f" ({points:g} of {possible:g} points)")


def score_told(score: float, most: float, whole: bool = False) -> str:
    """Return what a notebook got; with `whole` nothing is counted."""
    if whole:
        return DONE if score >= most else NOT_DONE
    return f"{score:g} of {most:g}"


def in_lines(text: str) -> Iterator[str]:
    """Yield what a grade says in lines broken between words, where a notebook would break them inside one.

    The first line of `text` is the story; what comes below it stands further in, as the rest of the story does.
    """
    story, *account = text.split("\n")
    yield from wrap(story, LINE, subsequent_indent=_IN, break_long_words=False, break_on_hyphens=False)
    for one in account:
        yield from wrap(
            one, LINE, initial_indent=_IN, subsequent_indent=_IN, break_long_words=False, break_on_hyphens=False
        )


_IN = " " * 5
