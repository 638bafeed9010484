"""Commands of the classroom: demo, and release, which makes what students get.

Read also `teach.scenarios` (what a demo plays), `teach.classroom.release`; `grading` (what comes back).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    wrapped,
)

SCENARIOS = ("normal", "leader-failure", "recovery", "concurrent", "split-brain")
WORLDS = ("sim", "kernel", "processes", "containers")

if TYPE_CHECKING:
    from chatsys.check import Violation


def demo(
    scenario: Annotated[str, typer.Option(metavar="|".join(SCENARIOS), help="What happens.")] = "leader-failure",
    where: Annotated[str, typer.Option(metavar="|".join(WORLDS), help="In which world.")] = "sim",
    nodes: Nodes = 3,
    quorum: Quorum = "majority",
    seed: Annotated[int, typer.Option(min=0, help="Chance, in the simulator.")] = 0,
    history: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep what clients saw, in Jepsen's form (see linearize).")
    ] = None,
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
        chatsys demo --scenario recovery --where containers
        chatsys demo --scenario leader-failure --nodes 5 --json
    """
    one_of("--scenario", scenario, SCENARIOS)
    one_of("--where", where, WORLDS)
    count = read_quorum(quorum, nodes)
    from chatsys.teach import scenarios

    if history is not None:
        from chatsys.surroundings import try_write

        try_write(history)
    if where != "sim":
        hint(f"Playing {scenario} in {where}: some seconds, in real time.")
    played = scenarios.play(scenario, where=where, nodes=nodes, quorum=count, seed=seed)
    result = played.result()
    if history is not None:
        from chatsys.check.jepsen import write_history

        write_history(played.trace, history)
    if as_json:
        print_json(result)
    else:
        _tell_demo(result, played.absences, played.violations)
    leave(VIOLATED if result["violations"] else HELD)


def _tell_demo(result: dict[str, Any], absences: list[str], violations: "list[Violation]") -> None:
    print(f"{result['scenario']} in {result['where']}, quorum {result['quorum']}")
    print(f"  messages   {result['messages']}")
    told = ", ".join(f"node {node}: {count}" for node, count in result["delivered"].items())
    print(f"  delivered  {told}")
    print(f"  leaders    {', '.join(f'node {node} in term {term}' for term, node in result['leaders'])}")
    for sentence in absences:
        print(f"  absent     {sentence}")
    if result["failover_seconds"] is not None:
        print(f"  fail-over  {result['failover_seconds']:.3f} s from the crash to the next acknowledged message")
    if not violations:
        print("  held       every rule that was checked")
        return
    from chatsys.faults.wording import explain

    more = f" (and {len(violations) - 1} more after it; --json tells all)" if len(violations) > 1 else ""
    print(wrapped(f"VIOLATED   {violations[0].plain}{more}", 2, 13))
    print(wrapped(f"exactly    {violations[0].sentence}", 2, 13))
    print()
    for line in explain(violations[0].sentence):
        print(wrapped(line, 2, 4))


def release(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder, or a name that ends in .zip.")],
    labs: Annotated[
        list[str] | None,
        typer.Option("--lab", metavar="NAME", help="A lab to give out; may be repeated.", show_default="all"),
    ] = None,
    course: Annotated[
        Path | None, typer.Option(help="The labs folder of a clone.", show_default="looked for from here upwards")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep/--no-keep", help="Keep the version of each lab in labs/versions; not for a trial.")
    ] = True,
) -> None:
    """Write what students get: notebooks, labs, the package; no keys, no solutions, no closed mutants.

    Every file is searched for every answer of the course before anything is written. Students need two commands there,
    make lab and make test; Binder opens it, too.

    Examples:

        chatsys release ../students

        chatsys release /tmp/week3.zip --lab 03-total-order
    """
    from chatsys.teach.classroom.release import write_release

    for line in write_release(out, labs or (), course, keep=keep):
        print(line)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (demo, release):
        app.command(rich_help_panel="Classroom")(command)
