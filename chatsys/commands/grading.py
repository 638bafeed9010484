"""Commands of the classroom that look at what was handed in: grade, tidy.

Read also `teach.classroom.batch` (a class), `teach.grading.marking` (one mark), `teach.grading.tidying`.
"""

import os
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from chatsys.commands import HELD, VIOLATED, AsJson, hint, leave, print_json, progress
from chatsys.commands.class_lines import Watch, print_summary
from chatsys.errors import UsageError
from chatsys.escape import escape
from chatsys.surroundings import UNUSABLE, is_file, reason, try_read, try_write

if TYPE_CHECKING:
    from chatsys.teach.classroom.batch import Grader
    from chatsys.teach.classroom.jobs import Setting
    from chatsys.teach.classroom.results import ClassResults

Lab = Annotated[str, typer.Option("--lab", metavar="NAME", help="The lab's folder name, for example 03-total-order.")]
Course = Annotated[
    Path | None, typer.Option(help="The labs folder of a clone.", show_default="looked for from here upwards")
]


def grade(
    places: Annotated[
        list[Path] | None,
        typer.Argument(metavar="NOTEBOOK|FOLDER|ZIP...", help="What was handed in.", show_default=False),
    ] = None,
    *,
    lab: Lab,
    course: Course = None,
    secret: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The course's secret.", show_default="keys/secret of the course"),
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="Grade only what students can grade themselves.")] = False,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="So many notebooks at a time.")] = 1,
    student: Annotated[
        str | None,
        typer.Option("--id", metavar="NAME", help="Who handed in.", show_default="the name of the file or its folder"),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="PLACE",
            help="A folder for the results of a class; for one notebook a file, in Gradescope's form.",
            show_default="results-LAB for a class",
        ),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a table for the platform's gradebook, too.")
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="The heading of the points in that table.", show_default="the lab"),
    ] = None,
    due: Annotated[
        str | None, typer.Option(metavar="TIME", help='When it was due, for example "2026-11-20 23:59".')
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Grade everybody anew, also who was graded before.")] = False,
    exercise: Annotated[
        str | None,
        typer.Option(metavar="NUMBER", help="Grade this one anew for all who were graded; the others' marks stay."),
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A scheduler of dask: grade on many machines.")
    ] = None,
    gradescope: Annotated[
        Path | None, typer.Option(metavar="OUT.zip", help="Write the autograder for Gradescope, and grade nothing.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Grade notebooks of one lab: seconds each, one bad notebook never stops the rest.

    A class comes as the platform gives it, a folder or a zip: of Moodle, Canvas, nbgrader (submitted/ID/LAB), Gradescope,
    or any folder with notebooks. Its results are written after each notebook; stop it whenever you like, and the same
    command goes on. The hidden part needs the keys of the lab and the course's secret, from which each student's seeds
    come; without them, --public grades the rest.

    Examples:

        chatsys grade moodle.zip --lab 03-total-order --jobs 2 --csv grades.csv

        chatsys grade submitted --lab 03-total-order --due "2026-11-20 23:59" --results marks

        chatsys grade submitted --lab 03-total-order --exercise 3.2

        chatsys grade ann.ipynb --lab 03-total-order --results results.json

        chatsys grade --gradescope autograder.zip --lab 03-total-order
    """
    setting = partial(_setting, lab, course, secret, public, exercise)
    if gradescope is not None:
        _autograder(gradescope, setting, places)
        return
    if not places:
        raise UsageError("Nothing was given to grade; give notebooks, or the folder or zip of a class.")
    if student is not None and (len(places) > 1 or not is_file(places[0])):
        raise UsageError("--id names the student of one notebook; for several, name the files or their folders so.")
    alone = len(places) == 1 and not os.path.isdir(places[0]) and places[0].suffix.lower() != ".zip"
    if alone and csv is None and scheduler is None and exercise is None and not again:
        _grade_one(places[0], setting, student, results, as_json)
        return
    table = try_write(csv) if csv is not None else None
    folder = results or Path(f"results-{Path(lab).stem}")
    graded = _grade_class(places, setting(), folder, (_time(due), jobs, again, scheduler, student), as_json)
    if table is not None:
        _write_table(table, graded, column, folder)
    if as_json:
        print_json(msgspec.to_builtins(graded))
    else:
        print_summary(graded, folder)


def _grade_one(
    path: Path, setting: Callable[[], "Setting"], student: str | None, results: Path | None, as_json: bool
) -> None:
    """Grade one notebook, and tell all of its mark."""
    try:
        try_read(path)
    except UNUSABLE as error:
        raise UsageError(
            f"{path} is not a file that can be read ({reason(error)}); give the notebook that was handed in."
        ) from None
    place = try_write(results) if results is not None else None
    from chatsys.capabilities import PROCESSES, need
    from chatsys.teach.classroom.gradescope import mark_as_gradescope
    from chatsys.teach.classroom.handed import student_of
    from chatsys.teach.classroom.jobs import grade_one, the_course
    from chatsys.teach.classroom.results import as_text, write_whole

    need("Grading whole notebooks", PROCESSES, instead="check one class at a time")
    known = the_course(setting())
    mark = grade_one(path, known, student or student_of(path, known.lab.name))
    mark["student"] = student or student_of(path, known.lab.name)
    if place is not None:
        write_whole(place, as_text(mark_as_gradescope(mark)))
    if as_json:
        print_json({str(path): mark})
    else:
        print(f"{escape(str(path))}: {mark}", flush=True)


def _grade_class(
    places: list[Path],
    setting: "Setting",
    folder: Path,
    how: tuple[datetime | None, int, bool, str | None, str | None],
    as_json: bool,
) -> "ClassResults":
    from chatsys.teach.classroom.batch import grade_class
    from chatsys.teach.classroom.inbox import open_inbox
    from chatsys.teach.classroom.jobs import the_course

    due, jobs, again, scheduler, student = how
    lab = the_course(setting).lab.name
    grader = _on(scheduler)
    with open_inbox(places, lab, due, student) as inbox:
        hint(f"{len(inbox.handed)} submissions, as {inbox.layout} lays them; results in {folder}.")
        if due is not None and inbox.handed and not any(one.submitted for one in inbox.handed):
            hint(f"Nothing is late for --due, because {inbox.layout} does not say when anything was handed in.")
        for remark in inbox.remarks:
            hint(remark)
        try:
            with progress(len(inbox.handed), "submissions") as step:
                watch = Watch(step, as_json)
                return grade_class(inbox, setting, folder, jobs=jobs, again=again, grader=grader, tell=watch)
        except KeyboardInterrupt:
            hint(f"What was graded is kept in {folder}; the same command goes on with the rest.")
            raise


def _on(scheduler: str | None) -> "Grader | None":
    """Return who grades on many machines, if that was asked for."""
    if scheduler is None:
        return None
    from chatsys.teach.classroom.cluster import on_scheduler

    return on_scheduler(scheduler)


def _write_table(path: Path, graded: "ClassResults", column: str | None, folder: Path) -> None:
    from chatsys.teach.classroom import hand_marks
    from chatsys.teach.classroom.gradebooks import as_csv, left_out, names
    from chatsys.teach.classroom.results import write_whole
    from chatsys.teach.grading.grader import find_lab

    totals, by_people = None, folder / hand_marks.NAME
    if by_people.exists():
        lab = find_lab(graded.lab)
        assert lab is not None, "it was graded just now"
        totals = hand_marks.totals(graded, lab, hand_marks.read_hand_marks(by_people, lab))
    write_whole(path, as_csv(graded, totals, column=column))
    if missing := left_out(graded):
        hint(f"{len(missing)} have no id of {graded.layout}, so its gradebook cannot find them: {names(missing)}.")
    if totals is None:
        hint(
            f"{path} has the points of the machine. Those that people give are added as soon as {by_people} is there "
            "(chatsys report makes the page on which they mark): then give the same command again."
        )
    elif waiting := [name for name, one in totals.items() if one.waiting]:
        hint(f"{path} has the points of people, too; {len(waiting)} still wait for theirs: {names(waiting)}.")


def _autograder(path: Path, setting: Callable[[], "Setting"], places: list[Path] | None) -> None:
    if places:
        raise UsageError("--gradescope writes the autograder and grades nothing; leave the notebooks out.")
    from chatsys.teach.classroom.autograder import write_autograder

    for line in write_autograder(path, setting()):
        print(line)


def _time(text: str | None) -> datetime | None:
    """Return the time that was meant, of this machine's zone if it names none."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise UsageError(f'--due is {text[:60]!r}; write a day and a time, for example "2026-11-20 23:59".') from None


def _setting(lab: str, course: Path | None, secret: Path | None, public: bool, exercise: str | None) -> "Setting":
    """Return with what to grade; what is imported for it comes after the places were tried."""
    from chatsys.teach.classroom.jobs import Setting

    return Setting(lab=lab, course=_text(course), secret=_text(secret), public=public, exercise=exercise)


def _text(path: Path | None) -> str | None:
    return str(path) if path is not None else None


def tidy(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where notebooks were handed in.")],
    lab: Annotated[
        str | None,
        typer.Option("--lab", metavar="NAME", help="The lab of all of them.", show_default="the file's name"),
    ] = None,
    course: Course = None,
    as_json: AsJson = False,
) -> None:
    """Put right what became of cells by accident, so that nbgrader does not stop at it.

    Cells that were doubled, deleted, or turned into text; a byte order mark; the format of old editors. Answers stay
    as they are. A file that is changed is kept as it was beside the new one.

    Examples:

        chatsys tidy submitted

        chatsys tidy inbox --lab 03-total-order
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; give the one in which the notebooks lie.")
    from chatsys.teach.grading.tidying import tidy_folder

    told = list(tidy_folder(folder, lab, course))
    if as_json:
        print_json({one.path: {"sound": one.sound, "remarks": one.remarks} for one in told})
    else:
        for one in told:
            print(f"{one.path}: {'; '.join(one.remarks) or 'nothing to put right'}")
        if not told:
            print(f"There is no notebook below {folder}.")
    leave(HELD if all(one.sound for one in told) else VIOLATED)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (grade, tidy):
        app.command(rich_help_panel="Classroom")(command)
