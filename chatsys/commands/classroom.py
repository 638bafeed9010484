"""Commands of the classroom: demo, grade, tidy.

Read also `teach.scenarios` (what a demo plays), `teach.grading.batch`.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from chatsys.commands import (
    HELD,
    VIOLATED,
    AsJson,
    Nodes,
    Quorum,
    hint,
    leave,
    one_of,
    print_json,
    read_quorum,
)
from chatsys.errors import UsageError
from chatsys.surroundings import UNUSABLE, reason, try_read, try_write

SCENARIOS = ("normal", "leader-failure", "recovery", "concurrent", "split-brain")
WORLDS = ("sim", "kernel", "processes")

Lab = Annotated[str, typer.Option("--lab", metavar="NAME", help="The lab's folder name, for example 03-total-order.")]
Course = Annotated[
    Path | None, typer.Option(help="The labs folder of a clone.", show_default="looked for from here upwards")
]


def demo(
    scenario: Annotated[str, typer.Option(metavar="|".join(SCENARIOS), help="What happens.")] = "leader-failure",
    where: Annotated[str, typer.Option(metavar="|".join(WORLDS), help="In which world.")] = "sim",
    nodes: Nodes = 3,
    quorum: Quorum = "majority",
    seed: Annotated[int, typer.Option(min=0, help="Chance, in the simulator.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Play one of the course's demonstrations and check what must hold.

    `normal`: messages reach every node in one order. `leader-failure`: the leader crashes, the next
    one carries on with the next number. `recovery`: a node restarts and catches up. `concurrent`:
    several people talk at once and all see one order. `split-brain`: the leader is cut off and both
    sides go on talking; with `--quorum 1` the check says what breaks.

    Examples:

        chatsys demo
        chatsys demo --scenario recovery --where processes
        chatsys demo --scenario leader-failure --nodes 5 --json
    """
    one_of("--scenario", scenario, SCENARIOS)
    one_of("--where", where, WORLDS)
    count = read_quorum(quorum, nodes)
    from chatsys.teach import scenarios

    if where != "sim":
        hint(f"Playing {scenario} in {where}: some seconds, in real time.")
    played = scenarios.play(scenario, where=where, nodes=nodes, quorum=count, seed=seed)
    result = played.result()
    if as_json:
        print_json(result)
    else:
        _tell_demo(result, played.absences)
    leave(VIOLATED if result["violations"] else HELD)


def _tell_demo(result: dict[str, Any], absences: list[str]) -> None:
    print(f"{result['scenario']} in {result['where']}, quorum {result['quorum']}")
    print(f"  messages   {result['messages']}")
    told = ", ".join(f"node {node}: {count}" for node, count in result["delivered"].items())
    print(f"  delivered  {told}")
    print(f"  leaders    {', '.join(f'node {node} in term {term}' for term, node in result['leaders'])}")
    for sentence in absences:
        print(f"  absent     {sentence}")
    if result["failover_seconds"] is not None:
        print(f"  fail-over  {result['failover_seconds']:.3f} s from the crash to the next acknowledged message")
    for sentence in result["violations"]:
        print(f"  VIOLATED   {sentence}")
    if not result["violations"]:
        print("  held       every invariant that was checked")


def grade(
    notebooks: Annotated[list[Path], typer.Argument(metavar="NOTEBOOK...", help="Notebooks that were handed in.")],
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
    results: Annotated[Path | None, typer.Option(metavar="FILE", help="Write Gradescope's results.json here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Grade notebooks of one lab: seconds each, one bad notebook never stops the rest.

    The answers are taken out of each notebook and tried where it cannot reach. The hidden part needs the keys of the
    lab and the course's secret, from which each student's seeds come; without them, --public grades the rest.

    Examples:

        chatsys grade submitted/*/03-total-order.ipynb --lab 03-total-order --jobs 2

        chatsys grade ann.ipynb --lab 03-total-order --results results.json

        chatsys grade mine.ipynb --lab 03-total-order --public
    """
    for path in notebooks:
        try:
            try_read(path)
        except UNUSABLE as error:
            raise UsageError(
                f"{path} is not a file that can be read ({reason(error)}); give the notebook that was handed in."
            ) from None
    if student is not None and len(notebooks) > 1:
        raise UsageError("--id names the student of one notebook; for several, name the files or their folders so.")
    results = try_write(results) if results is not None else None
    from chatsys.teach.grading import batch

    setting = batch.Setting(lab=lab, course=_text(course), secret=_text(secret), public=public)

    def tell(name: str, mark: dict[str, Any]) -> None:
        if not as_json:
            print(f"{name}: {mark}", flush=True)

    graded = batch.grade_notebooks(notebooks, setting, results=results, jobs=jobs, student=student, tell=tell)
    if as_json:
        print_json(graded)


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
    for command in (demo, grade, tidy):
        app.command(rich_help_panel="Classroom")(command)
