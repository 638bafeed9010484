"""Measure what grading costs: `python tests/support/measure_grading.py [LAB ...] [--jobs 2]`, beside nothing else.

    python tests/support/measure_grading.py                lab 03 in detail
    python tests/support/measure_grading.py 01 02 06 07    these labs, by their classes only
    python tests/support/measure_grading.py all            each lab that stands

40 submissions of a lab                             seconds on the wall, seconds of CPU
                                                    (lab 03: right and wrong ones; else 40 right ones, each with seeds of its own)
one right submission, after the first one           seconds of CPU: the judge's and those of all processes together
a right answer to each exercise, all of its parts   seconds of CPU: the judge's, the confined processes', and both
the public part, as a student waits for it          seconds on the wall

What is there before the first answer is frozen, as in a batch: the collector of circles passes over it.
"""

import argparse
import copy
import gc
import json
import os
import tempfile
import time
from pathlib import Path

import nbformat
from submissions import SUBMISSIONS

from chatsys.isolation.budget import cpu_used
from chatsys.teach.classroom.jobs import Job, Setting, grade_each
from chatsys.teach.grading.grader import find_lab, grade, known_labs
from chatsys.teach.grading.judging import judge
from chatsys.teach.grading.keys import read_keys
from chatsys.teach.grading.seeds import hidden_seeds

LABS = Path(__file__).parents[2] / "labs"
LAB = "03-total-order"
SECRET = b"the secret of a measurement"


def measure_class(lab: str, jobs: int, count: int = 40) -> None:
    """Grade a class of `count`."""
    source = nbformat.read(LABS / "source" / lab / f"{lab}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    names = [name for name in SUBMISSIONS if name[0] in "cwt"]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "secret").write_bytes(SECRET)
        paths = []
        for number in range(count):
            made = copy.deepcopy(source)
            if lab == LAB:
                SUBMISSIONS[names[number % len(names)]].make(made)
            paths.append(Path(folder) / f"student{number}.ipynb")
            paths[-1].write_text(json.dumps(made))
        setting = Setting(lab=lab, course=str(LABS), secret=str(Path(folder) / "secret"))
        every = [Job(key=path.stem, path=str(path), student=path.stem) for path in paths]
        for one in every[:2]:
            mark = dict(grade_each([one], setting))[one.key]
        print(f"{lab}: one right submission: {mark['score']:g} points, {mark['cpu']:.1f} s of CPU")
        begun = time.monotonic()
        took = [mark["cpu"] for _, mark in grade_each(every, setting, jobs)]
        wall = time.monotonic() - begun
        print(
            f"{lab}: {count} submissions, {jobs} jobs: {wall:.0f} s, {sum(took):.0f} s of CPU, load {os.getloadavg()[0]:.1f}"
        )


def measure_answers() -> None:
    """Judge the reference of each exercise, and grade its public part as a student does."""
    lab = find_lab(LAB)
    assert lab is not None
    keys = read_keys(LABS, lab)
    gc.freeze()
    for exercise in lab.exercises:
        answer = keys.answers[exercise.number]["reference"]

        def seeds(asked, kind):  # type: ignore[no-untyped-def]
            return (
                range(asked.public)
                if kind == "public"
                else hidden_seeds(SECRET, LAB, asked.number, "ann", asked.hidden)
            )

        for turn in ("first", "again"):
            before = time.process_time(), cpu_used()
            judge(exercise, answer, seeds, keys)
            mine, both = time.process_time() - before[0], cpu_used() - before[1]
            told = f"judge {mine:.2f} s, confined processes {both - mine:.2f} s, together {both:.2f} s of CPU"
            print(f"{exercise.number} {turn}: {told}")
        begun = time.monotonic()
        grade(exercise.number, answer)
        print(f"{exercise.number} public: {time.monotonic() - begun:.1f} s until a student reads it")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labs", nargs="*", help="numbers of labs, or all")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    if not asked.labs:
        measure_answers()
        measure_class(LAB, asked.jobs)
    for number in known_labs() if asked.labs == ["all"] else asked.labs:
        lab = find_lab(number)
        if lab is None:
            parser.error(f"there is no lab {number}; there are {', '.join(known_labs())}")
        measure_class(lab.name, asked.jobs)


if __name__ == "__main__":
    main()
