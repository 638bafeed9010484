"""The command that searches every order of events within bounds: explore.

Read also `sim.explore` (how it searches), `sim.models` (what is searched, and the bounds).
"""

import sys
from typing import Annotated, Any

import typer

from chatsys.commands import HELD, INCONCLUSIVE, VIOLATED, AsJson, hint, leave, one_of, print_json, read_quorum
from chatsys.commands.proofs import read_part

NAMES = ("election", "log", "disk")
NODES = 3


def explore(
    model: Annotated[str, typer.Option(metavar="|".join(NAMES), help="What to search.")] = "election",
    depth: Annotated[int, typer.Option(min=1, help="Stop after so many steps.")] = 1_000,
    states: Annotated[int, typer.Option(min=1, help="Stop after so many distinct states.")] = 2_000_000,
    seconds: Annotated[float, typer.Option(min=0.1, help="Stop after so many seconds.")] = 900.0,
    terms: Annotated[int | None, typer.Option(min=1, max=9, help="Search terms up to this one.")] = None,
    quorum: Annotated[
        str, typer.Option(metavar="majority|K", help="How many of the three nodes must agree.")
    ] = "majority",
    part: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FILE:Class", help="Use your own part; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try every order of events in three nodes, within stated bounds, and tell the shortest violation.

    `election`: nobody leads yet (two terms, searched to the end in a few minutes). `log`: two messages, a
    crash, another term. `disk`: the same with syncs that take time. A search that stops before its end is
    inconclusive (exit code 3), never ok.

    Examples:

        chatsys explore --terms 1
        chatsys explore --model log --states 1000000
        chatsys explore --model log --quorum 1
        chatsys explore --model election --part election=my.py:MyBully --json
    """
    one_of("--model", model, NAMES)
    count = read_quorum(quorum, NODES)
    from chatsys.sim.explore import Budget, Explorer
    from chatsys.sim.models import MODELS

    parts = dict(map(read_part, part)) if part else None
    bounds: dict[str, Any] = {} if terms is None else {"terms": terms}
    searched = MODELS[model](parts=parts, quorum=count, **bounds)
    explorer = Explorer(searched, prune=parts is None and searched.config.safe)
    budget = Budget(depth=depth, states=states, seconds=seconds)
    result = explorer.search(budget, progress=None if as_json else _progress).summary()
    if as_json:
        print_json(result)
    else:
        _tell(result, [mark for mark in searched.hopes if mark not in result["reached"]])
    leave({"fail": VIOLATED, "inconclusive": INCONCLUSIVE}.get(result["verdict"], HELD))


def _progress(states: int, depth: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{states} distinct states, depth {depth}", end="", file=sys.stderr, flush=True)


def _tell(result: dict[str, Any], missed: list[str]) -> None:
    if sys.stderr.isatty():
        hint("")
    print(f"{result['model']}: {result['verdict']}.  {result['why']}")
    print(
        f"  {result['distinct_states']} distinct states, {result['states_per_second']} a second, depth {result['depth']}"
    )
    for bound in result["bounds"]:
        print(f"  bound    {bound}")
    for mark, steps in result["reached"].items():
        print(f"  seen     {mark}, first after {steps} steps")
    for mark in missed:
        print(f"  NOT seen {mark}: this search proves nothing about it")
    for violation in result["violations"]:
        print(f"\nVIOLATED {violation['sentence']}\nThe shortest way there:")
        for number, step in enumerate(violation["story"], start=1):
            print(f"  {number:2}. {step}")


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(rich_help_panel="Proofs and measurements")(explore)
