"""Scores in words: what became of an answer and of a notebook, where points are counted and where nothing is.

    verdict_told("fail", 7, 14)           not yet (7 of 14 points)
    verdict_told("pass", 1, 1, True)      done
    score_told(7, 14)                     7 of 14
    score_told(1, 1, True)                done

A lab that is done or not done has one point, so that every gradebook can hold it; people read a word.

Read also `lab.GradedPart.whole` (what is counted so).
"""

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
