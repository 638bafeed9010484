"""The facts of a lab, as its page tells them: hours, what comes before, what is graded and how, the words.

    Lab --facts--> the text of the cell `facts`, the second one of every page

They are made from the declaration, so that the page cannot promise other points than those that are given.

Read also `pages` (who writes them into the notebooks), `grading.lab` (the declaration).
"""

from collections.abc import Iterator

from chatsys.teach.grading.lab import Exercise, Kind, Lab
from chatsys.teach.grading.points import points_of

FOR: dict[Kind, str] = {
    "public": "the checks that you see",
    "hidden": "the same checks on runs that you do not see and that differ from student to student",
    "search": "a search through every order of events, which you do not see",
    "budget": "a budget that you do not see",
}
"""What each kind of check is, in the table of points."""
HOW = (
    "Your classes are taken out of the notebook when you hand it in, and a judge tries them in a process of its own. "
    "What your cells print earns nothing and costs nothing. Points that nobody can decide are given, and a person looks."
)

DONE = (
    "**This lab has no points.** It is *done* when {} is right, and until then you can hand it in again as often as you like. "
    "Your function is taken out of the notebook when you hand it in, and a judge tries it in a process of its own."
)
"""What is said of a lab that is done or not done; the exercises stand in it."""


def facts(lab: Lab) -> str:
    """Return the text of the cell `facts`."""
    before = "; ".join(lab.before) or "nothing"
    lines = [f"**Time:** {told_hours(lab.hours)}. **Before it:** {before}. **Version:** {lab.version}.", ""]
    lines += [DONE.format(_and([one.number for one in lab.exercises])), ""] if lab.whole else _points_told(lab)
    lines += ["The words of this lab:", "", "| word | meaning |", "|---|---|"]
    lines += [f"| *{word}* | {meaning} |" for word, meaning in lab.words.items()]
    return "\n".join(lines)


def _points_told(lab: Lab) -> list[str]:
    """Return what is graded and how, in lines."""
    lines = ["| points | for |", "|---|---|", *(f"| {points:g} | {what} |" for points, what in _points(lab)), "", HOW]
    lines += ["", "<details><summary>How the points of a check are shared out</summary>", ""]
    lines += [
        "Each line is one thing that must hold, with its points in each check. The tasks below say what it means.",
        "A check is named by its cell: *check* is the one that you see, and the others are done when you hand in.",
        "",
    ]
    for exercise in lab.exercises:
        lines += [*_shared(exercise), ""]
    return [*lines, "</details>", ""]


def told_hours(hours: tuple[float, float], apart: str = " to ") -> str:
    """Return a range of hours in words: "3 to 4 hours", or minutes where it is less than an hour."""
    small = hours[1] < 1
    low, high = (one * 60 if small else one for one in hours)
    unit = "minute" if small else "hour"
    return f"{low:g}{apart}{high:g} {unit}s" if low != high else f"{low:g} {unit}{'s' * (low != 1)}"


def _and(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _points(lab: Lab) -> Iterator[tuple[float, str]]:
    for kind, what in (FOR | lab.kinds).items():
        parts = [(part.points, one) for one in lab.exercises if (part := one.part(kind)) is not None]
        if parts:
            titled = kind == "public"
            each = ", ".join(f"{points:g} for {one.number}" + f" ({one.title})" * titled for points, one in parts)
            yield sum(points for points, _ in parts), f"{what}: {each}"
    for test in lab.tests:
        yield test.points, f"your own test, {test.number}: the share of the wrong answers that it finds"
    if lab.predictions:
        yield lab.predictions_points, "your predictions: for answering them, whatever you answer"
    if lab.explain:
        yield sum(one.points for one in lab.explain), "your explanation, which a person reads"
    if lab.design is not None:
        yield 0, "your design note: whoever marks the explanation sees it"


def _shared(exercise: Exercise) -> Iterator[str]:
    """Yield the lines of a table: an aspect a row, a check a column, and its points, which add up to those of the check."""
    worth = [points_of(exercise, part) for part in exercise.parts]
    heads = [f"{part.cell}: {part.points:g}" for part in exercise.parts]
    needed = any(exercise.needs.get(aspect) for each in worth for aspect in each)
    yield f"| {exercise.number}, points | {' | '.join(heads)} |{' counts only with |' * needed}"
    yield "|---" * (1 + len(heads) + needed) + "|"
    for aspect in dict.fromkeys(aspect for each in worth for aspect in each):
        points = " | ".join(str(each.get(aspect, "")) for each in worth)
        needs = ", ".join(f"*{one}*" for one in exercise.needs.get(aspect, ()))
        yield f"| *{aspect}* | {points} |{f' {needs} |' * needed}"
