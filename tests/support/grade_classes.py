"""Grade a made-up class of forty in each layout, stop it twice in the middle, and see that nothing is lost or done twice.

    python tests/support/grade_classes.py [FOLDER] [--jobs 2] [--size 40] [--layouts moodle canvas]

For each layout: `chatsys grade` is killed with `kill -9`, given again, stopped with Ctrl-C, given again, and given once
more.  What each submission must lose is known (`class_of_forty`), so the marks are compared.  Some minutes for each.
"""

import argparse
import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from class_of_forty import LABS, LAYOUTS, Made, lay_out, make_class

from chatsys.teach.classroom.results import StudentResult, read_results

LAB = "03-total-order"
SECRET = "the secret of a class that is made up"
FIRST, SECOND = 10, 25
"""After so many lines it is killed, and after so many stopped."""


def command(inbox: Path, home: Path, jobs: int) -> list[str]:
    """Return the command that grades the class."""
    options = [
        "--lab",
        LAB,
        "--course",
        LABS,
        "--secret",
        home / "secret",
        "--jobs",
        jobs,
        "--due",
        "2026-11-20T22:00+00:00",
    ]
    options += ["--results", home / "results", "--csv", home / "grades.csv"]
    return [sys.executable, "-m", "chatsys", "grade", *map(str, [inbox, *options])]


def run(words: list[str], stop: signal.Signals | None = None, after: int = 0) -> tuple[int, list[str], str]:
    """Run a command, send it `stop` after so many lines of marks, and return its exit code, those lines, and stderr."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=said, text=True, start_new_session=True)
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines += [line] if line.startswith("[") else []
            if stop is not None and len(lines) == after:
                process.send_signal(stop) if stop == signal.SIGKILL else os.killpg(process.pid, stop)
                stop = None
        code = process.wait()
        said.seek(0)
        return code, lines, said.read()


def wrong(one: Made, result: StudentResult | None) -> str:
    """Say what is wrong with the mark of one person; "" if nothing is."""
    if result is None:
        return "has no mark"
    if one.what in ("empty folder", "empty file", "no JSON", "another lab"):
        return "" if result.score == 0 and result.output else f"got {result.score:g}"
    lost = {cell.name: set(cell.lost) for cell in result.tests if cell.lost}
    expected = {cell: set(aspects) for cell, aspects in one.loses.items()}
    strange = one.what in ("a loop without end", "ends the process", "no answer")
    return "" if strange or lost == expected else f"lost {lost}, not {expected}"


def grade_layout(layout: str, people: list[Made], home: Path, jobs: int) -> bool:
    """Grade the class in one layout, with two stops; return whether all was as it should be."""
    home.mkdir(parents=True)
    (home / "secret").write_text(SECRET)
    words = command(lay_out(people, home / "inbox", layout, LAB), home, jobs)
    begun = time.monotonic()
    graded: list[str] = []
    for stop, after in ((signal.SIGKILL, FIRST), (signal.SIGINT, SECOND), (None, 0), (None, 0)):
        code, lines, said = run(words, stop, after)
        graded.append(f"{sum('as before' not in line for line in lines)} graded, exit {code}")
    results = read_results(home / "results" / "results.json")
    by_number = {_number(student, layout): one for student, one in results.submissions.items()}
    faults = [f"{one.name} ({one.what}) {why}" for one in people if (why := wrong(one, by_number.get(one.number)))]
    rows = list(csv.reader((home / "grades.csv").open(newline="", encoding="utf-8")))
    print(
        f"{layout:<11} {'; '.join(graded)}; {time.monotonic() - begun:.0f} s in all; table {rows[0][:4]}, {len(rows)} rows"
    )
    late = sum(one.late is True for one in results.submissions.values())
    print(
        f"            {len(results.submissions)} marks, {late} late, {len(faults)} not as they should be",
        *faults,
        sep="\n            ",
    )
    return not faults and len(results.submissions) == len(people)


def _number(student: str, layout: str) -> int:
    """Return which person of the class an id stands for."""
    if layout == "nbgrader":
        return int(student[1:3])
    digits = "".join(sign for sign in student.split("@")[0] if sign.isdigit())
    return int(digits) - {"moodle": 5000, "canvas": 900}.get(layout, 0)


def main() -> None:
    """Grade every layout that was asked for; exit code 1 if anything is not as it should be."""
    reader = argparse.ArgumentParser(description="Grade made-up classes, with stops in the middle.")
    reader.add_argument("folder", type=Path, nargs="?")
    reader.add_argument("--jobs", type=int, default=2)
    reader.add_argument("--size", type=int, default=40)
    reader.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=LAYOUTS[:4])
    asked = reader.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would not hear Ctrl-C
    people = make_class(LAB, asked.size)
    with tempfile.TemporaryDirectory() as temporary:
        home = asked.folder or Path(temporary)
        good = [grade_layout(layout, people, home / layout, asked.jobs) for layout in asked.layouts]
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
