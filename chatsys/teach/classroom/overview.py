"""The overview of a class: what a report shows, as plain data, before anything is drawn.

    ClassResults, marks by hand, signatures --overview--> {"aspects": ..., "misconceptions": ..., "students": ...}

Read also `report` (who draws it), `misconceptions`, `hand_marks` (the one total).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from chatsys.teach.classroom.hand_marks import HandMarks, Total, strangers, total_of
from chatsys.teach.classroom.misconceptions import Nearest, misconceptions_of
from chatsys.teach.classroom.results import CellResult, ClassResults, StudentResult
from chatsys.teach.classroom.signatures import Signature
from chatsys.teach.grading.lab import Exercise, Lab, Predict

BINS = 10
"""So many bars has the histogram of points."""
SLOWEST = 5
KINDS = {"public": "seen", "hidden": "not seen", "search": "search", "budget": "budget"}
Row = dict[str, Any]


def overview(
    results: ClassResults, lab: Lab, marks: HandMarks, known: Mapping[str, Mapping[str, Signature]] | None
) -> dict[str, Any]:
    """Return everything that a report of this class shows; `known` is None without the keys of the lab."""
    every = list(results.submissions.values())
    totals = {one.student: total_of(one, lab, marks) for one in every}
    maps = {one.student: misconceptions_of(lab, one, known) if known is not None else {} for one in every}
    look = list(_look(results, totals, marks))
    return {
        "results": results,
        "summary": _summary(results, lab, totals, len({who for _, who, _ in look if who})),
        "histogram": _histogram(list(totals.values())),
        "aspects": [_aspects(exercise, every) for exercise in lab.exercises],
        "cells": list(_cells(lab, every, marks)),
        "misconceptions": [_misconceptions(one, every, maps) for one in lab.exercises] if known is not None else None,
        "predictions": [_prediction(asked, every) for asked in lab.predictions],
        "look": look,
        "alike": [(label(one), hint) for one in every for hint in one.hints],
        "times": _times(every),
        "students": [_student(one, lab, totals[one.student], maps[one.student]) for one in every],
    }


def label(one: StudentResult) -> str:
    """Return how a student is called in a report: the id, and the name that the platform knows."""
    return one.student if one.name in ("", one.student) else f"{one.student} {one.name}"


# --- the whole class -------------------------------------------------------------------------------------


def _summary(results: ClassResults, lab: Lab, totals: Mapping[str, Total], to_look_at: int) -> list[tuple[str, str]]:
    every = list(results.submissions.values())
    points = [one.points for one in totals.values()]
    possible = max((one.possible for one in totals.values()), default=0)
    waiting = sum(bool(one.waiting) for one in totals.values())
    missing = results.expected - len(every)
    done = sum(one.points >= one.possible for one in totals.values())
    middle = (f"{median(points):g}" if points else "–", f"points in the middle, of {possible:g}")
    tiles = [
        (f"{len(every)}", "submissions" + (f"; {missing} not graded yet" if missing > 0 else "")),
        (f"{done}", "done") if lab.whole else middle,
        (f"{to_look_at}", "to look at"),
        *([(f"{waiting}", "to be marked by hand")] if lab.explain else []),
    ]
    return tiles + ([(f"{late}", "late")] if (late := sum(bool(one.late) for one in every)) else [])


def _histogram(totals: Sequence[Total]) -> list[Row]:
    """Return ten bars of equal width, from no points to all of those that are given already."""
    shares = [one.points / one.possible if one.possible else 0.0 for one in totals]
    possible = max((one.possible for one in totals), default=0)
    counts = Counter(min(int(share * BINS), BINS - 1) for share in shares)
    most = max(counts.values(), default=0)
    edges = [round(possible * at / BINS, 1) for at in range(BINS + 1)]
    return [
        {"from": edges[at], "to": edges[at + 1], "count": counts[at], "share": _part(counts[at], most)}
        for at in range(BINS)
    ]


def _aspects(exercise: Exercise, every: Sequence[StudentResult]) -> Row:
    """Return, for each aspect of an exercise, how many kept it in each of its parts."""
    rows: dict[str, dict[str, Row]] = {}
    for part in exercise.parts:
        cells = [cell for one in every if (cell := _cell(one, part.cell)) is not None]
        for aspect in exercise.shares(part) if cells else ():
            kept = sum(_keeps(cell, aspect) for cell in cells)
            bar = {"kept": kept, "of": len(cells), "share": _part(kept, len(cells))}
            rows.setdefault(aspect, {})[part.kind] = bar
    kinds = [kind for kind in KINDS if any(kind in row for row in rows.values())]
    return {"exercise": exercise, "kinds": [(kind, KINDS[kind]) for kind in kinds], "rows": rows}


def _keeps(cell: CellResult, aspect: str) -> bool:
    """Tell whether an aspect held; where points are lost and no aspect is named, there was nothing to be tried."""
    nothing = cell.score < cell.max_score and not cell.lost and cell.verdict != "inconclusive"
    return aspect not in cell.lost and not nothing


def _cells(lab: Lab, every: Sequence[StudentResult], marks: HandMarks) -> Iterator[Row]:
    """Yield each graded cell with its mean, those of people at the end."""
    names = dict.fromkeys(cell.name for one in every for cell in one.tests)
    for name in names:
        cells = [(one, cell) for one in every if (cell := _cell(one, name)) is not None]
        most = max(cell.max_score for _, cell in cells)  # versions of a lab may differ: each counts by its share
        given = [
            (mark.points if (mark := marks.get((one.student, name))) else cell.score)
            * most
            / (cell.max_score or most or 1)
            for one, cell in cells
        ]
        yield _mean(name, given, most)
    for explain in lab.explain:
        given = [mark.points for one in every if (mark := marks.get((one.student, explain.cell)))]
        yield _mean(explain.cell, given, explain.points)


def _mean(name: str, given: Sequence[float], possible: float) -> Row:
    mean = sum(given) / len(given) if given else 0.0
    full = sum(one >= possible for one in given)
    return {
        "name": name,
        "mean": mean,
        "possible": possible,
        "share": _part(mean, possible),
        "full": full,
        "of": len(given),
    }


def _misconceptions(exercise: Exercise, every: Sequence[StudentResult], maps: Mapping[str, dict[str, Nearest]]) -> Row:
    found: dict[str, list[tuple[StudentResult, Nearest]]] = {}
    for one in every:
        if (near := maps[one.student].get(exercise.number)) is not None:
            found.setdefault(str(near), []).append((one, near))
    most = max(map(len, found.values()), default=0)
    rows = [
        {
            "name": name, "named": bool(who[0][1].names), "count": len(who), "share": _part(len(who), most),
            "students": [label(one) for one, _ in who], "says": _says(who[0][0], exercise.number),
        }
        for name, who in sorted(found.items(), key=lambda item: (not item[1][0][1].names, -len(item[1])))
    ]  # fmt: skip
    right = len(every) - sum(map(len, found.values()))
    return {"exercise": exercise, "rows": rows, "right": right}


def _says(one: StudentResult, exercise: str) -> str:
    """Return the sentence that this student reads first about an exercise."""
    told = [cell.output for cell in one.tests if cell.exercise == exercise and cell.score < cell.max_score]
    return told[0] if told else ""


def _prediction(asked: Predict, every: Sequence[StudentResult]) -> Row:
    """Return how often each answer was given; the first answer, where the notebook shows one."""
    counts: Counter[str] = Counter()
    for one in every:
        kept = one.predictions.kept.get(asked.number)
        unit = f" {asked.unit}" if asked.unit else ""
        answer = one.predictions.first.get(asked.number) or (
            f"{kept:g}{unit}" if type(kept) is float else f"{kept}{unit}"
        )
        counts[answer if one.predictions.first.get(asked.number) or kept is not None else ""] += 1
    silent = counts.pop("", 0)
    most = max(counts.values(), default=0)
    rows = [
        {"answer": answer, "count": count, "share": _part(count, most), "behind": asked.options.get(answer, "")}
        for answer, count in sorted(counts.items(), key=lambda item: _in_order(item[0]))
    ]
    return {"asked": asked, "rows": rows, "silent": silent}


def _in_order(answer: str) -> tuple[float, str]:
    number = re.match(r"-?\d+(\.\d+)?", answer)
    return (float(number[0]) if number else float("inf"), answer)


# --- what a person should look at ------------------------------------------------------------------------


def _look(results: ClassResults, totals: Mapping[str, Total], marks: HandMarks) -> Iterator[tuple[str, str, str]]:
    """Yield (what kind, student, sentence)."""
    for remark in results.remarks:
        yield "class", "", remark
    for student in strangers(results, marks):
        yield "by hand", student, "is marked by hand and handed in nothing; look at the spelling of the id"
    for name, one in results.submissions.items():
        told, who = " ".join(one.flags), label(one)
        yield from (("flag", who, flag) for flag in one.flags)
        if one.score == 0 and one.output and all(cell.output == one.output for cell in one.tests):
            yield "not graded", who, one.output
        for cell in one.tests:
            if cell.verdict == "inconclusive" and cell.name not in told:
                yield "not decided", who, cell.output
        yield from (("handing in", who, remark) for remark in one.remarks)
        for cell, mark in totals[name].overruled:
            machine = f"the machine gave {cell.score:g} of {cell.max_score:g}, {_day(one)}"
            yield "by hand", who, f"{cell.name}: {mark} ({machine})"
        yield from (("graded again", who, change) for change in one.changes)


def _day(one: StudentResult) -> str:
    return f"graded {one.graded[:10]}" if one.graded else "day unknown"


def _times(every: Sequence[StudentResult]) -> Row:
    cpu = sorted((one.cpu for one in every), reverse=True)
    walls = [one.execution_time for one in every]
    slowest = sorted(every, key=lambda one: -one.cpu)[:SLOWEST]
    return {
        "cpu": sum(cpu), "middle": median(cpu) if cpu else 0.0, "most": cpu[0] if cpu else 0.0,
        "wall": max(walls, default=0.0), "slowest": slowest, "late": [one for one in every if one.late],
    }  # fmt: skip


# --- one student -----------------------------------------------------------------------------------------


def _student(one: StudentResult, lab: Lab, total: Total, near: Mapping[str, Nearest]) -> Row:
    given, exercises = {cell.name: mark.points for cell, mark in total.overruled}, []
    for number in [*(each.number for each in lab.exercises), *(test.number for test in lab.tests)]:
        cells = [cell for cell in one.tests if cell.exercise == number]
        points = sum(given.get(cell.name, cell.score) for cell in cells)
        exercises.append({"number": number, "points": points, "graded": bool(cells)})
    if lab.predictions_points:
        predicted = _cell(one, lab.predictions_graded)
        points = given.get(lab.predictions_graded, predicted.score if predicted is not None else 0.0)
        exercises.append({"number": "predictions", "points": points, "graded": predicted is not None})
    stories = [cell for cell in one.tests if cell.score < cell.max_score or cell.verdict == "inconclusive"]
    return {
        "result": one, "label": label(one), "total": total, "exercises": exercises, "stories": stories,
        "near": [f"{number}: {each}" for number, each in near.items()],
    }  # fmt: skip


def _cell(one: StudentResult, name: str) -> CellResult | None:
    return next((cell for cell in one.tests if cell.name == name), None)


def _part(some: float, whole: float) -> float:
    """Return a share in percent."""
    return round(100 * some / whole, 1) if whole else 0.0
