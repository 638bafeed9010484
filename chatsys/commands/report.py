"""Commands for what became of a class: report, forget.

Read also `teach.classroom.report` (the pages), `teach.classroom.forgetting`.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chatsys.commands import AsJson, hint, print_json
from chatsys.commands.grading import Course
from chatsys.errors import UsageError
from chatsys.surroundings import place, try_write

if TYPE_CHECKING:
    from chatsys.teach.classroom.hand_marks import Total

Results = Annotated[
    Path, typer.Argument(metavar="RESULTS", help="The results.json of `chatsys grade`, or the folder in which it lies.")
]


def report(
    results: Results,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="The report.", show_default="report.html beside RESULTS"),
    ] = None,
    by_hand: Annotated[
        Path | None,
        typer.Option(
            "--by-hand",
            metavar="FILE",
            help="The page on which people mark.",
            show_default="by-hand.html beside RESULTS",
        ),
    ] = None,
    marks: Annotated[
        Path | None,
        typer.Option(
            "--marks", metavar="FILE", help="What people gave.", show_default="marks-by-hand.csv beside RESULTS"
        ),
    ] = None,
    course: Course = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of a class, and make the page on which people mark.

    Two files of HTML that need no network. The report has points by aspect, the misconception map, predictions, what a
    person should look at, and every student's stories. The other page has each explanation beside its rubric; what is
    marked there is downloaded as marks-by-hand.csv, which the next report reads, and no regrade touches.

    Examples:

        chatsys report results-03-total-order

        chatsys report results.json --html lab03.html --course ~/chatsys/labs
    """
    from chatsys.teach.classroom import hand_marks
    from chatsys.teach.classroom.misconceptions import wrong_exercises
    from chatsys.teach.classroom.report import by_hand_page, report_page
    from chatsys.teach.classroom.results import read_results, write_whole
    from chatsys.teach.classroom.signatures import KeptSignatures
    from chatsys.teach.grading.course import open_course
    from chatsys.teach.grading.keys import read_keys

    file = _file(results)
    found = read_results(file)
    places = [try_write(html or file.with_name("report.html")), try_write(by_hand or file.with_name("by-hand.html"))]
    opened = open_course(found.lab, course, public=True)
    given = hand_marks.read_hand_marks(marks or file.with_name(hand_marks.NAME), opened.lab)
    known, absent, rubric = None, "", ""
    try:
        keys = read_keys(opened.source.path.parents[2], opened.lab)
        tell = _played if sys.stderr.isatty() else lambda name: None
        state = f"{opened.lab.name} {opened.version}"
        kept = KeptSignatures(keys, state, file.with_name("signatures.json"), tell)
        known = kept.of(wrong_exercises(opened.lab, found))
        rubric = keys.rubric
    except UsageError as error:
        absent = f"There is no map without the keys of the lab. {error}"
    write_whole(places[0], report_page(found, opened.lab, given, known, absent))
    write_whole(places[1], by_hand_page(found, opened.lab, given, rubric))
    _tell(places, hand_marks.totals(found, opened.lab, given), as_json)


def forget(
    students: Annotated[list[str], typer.Argument(metavar="ID...", help="The ids, as they stand in results.json.")],
    results: Annotated[
        Path, typer.Option("--results", metavar="RESULTS", help="The results.json, or the folder in which it lies.")
    ],
    as_json: AsJson = False,
) -> None:
    """Delete what is kept of students: marks, texts, answers, marks by hand.

    What is kept stands in results.json, gradescope/ and marks-by-hand.csv; the notebooks lie where they were handed in,
    and their places are told. Make the report anew afterwards, for the old one still names them.

    Example:

        chatsys forget ann bob --results results-03-total-order
    """
    from chatsys.teach.classroom import forgetting
    from chatsys.teach.classroom.results import read_results
    from chatsys.teach.grading.grader import find_lab

    file = _file(results)
    name = read_results(file).lab
    lab = find_lab(name)
    if lab is None:
        raise UsageError(f"{file} is of a lab {name!r:.40}, which is not here.")
    told = forgetting.forget(file, students, lab)
    old = [str(page) for page in (file.with_name("report.html"), file.with_name("by-hand.html")) if page.exists()]
    if as_json:
        print_json({"done": told, "old pages": old})
        return
    print("\n".join(told))
    if old:
        hint(f"Still with them in it: {', '.join(old)}; make them anew with chatsys report, or delete them.")


def _file(results: Path) -> Path:
    results = place(results)
    return results / "results.json" if results.is_dir() else results


def _played(name: str) -> None:
    """Say which mistake is played; the first report of a lab takes some seconds."""
    hint(f"playing the known mistakes: {name}")


def _tell(places: list[Path], totals: "dict[str, Total]", as_json: bool) -> None:
    waiting = sum(bool(one.waiting) for one in totals.values())
    if as_json:
        points = {name: {"points": one.points, "possible": one.possible} for name, one in totals.items()}
        print_json({"report": str(places[0]), "by_hand": str(places[1]), "waiting": waiting, "totals": points})
        return
    print(f"{places[0]}: the report of {len(totals)} submissions")
    print(f"{places[1]}: the page on which people mark; {waiting} are waiting")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (report, forget):
        app.command(rich_help_panel="Classroom")(command)
