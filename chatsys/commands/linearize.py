"""The command that asks a judge from outside: linearize.

Read also `campaign.linearize` (what is asked, and of whom), `check.jepsen` (the form of a history).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from chatsys.commands import (
    HELD,
    INCONCLUSIVE,
    VIOLATED,
    AsJson,
    Nodes,
    Quorum,
    leave,
    print_json,
    progress,
    read_quorum,
    read_range,
)
from chatsys.errors import UsageError

if TYPE_CHECKING:
    from chatsys.campaign.linearize import Explained


def linearize(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE...]", help="Histories, as demo and soak write them.")
    ] = None,
    seeds: Annotated[str, typer.Option(metavar="A:B", help="Instead: play these seeds, and judge each.")] = "",
    nodes: Nodes = 3,
    quorum: Quorum = "majority",
    keep: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Keep the histories of the seeds there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let Z3, which knows nothing of chatsys, judge what clients and nodes saw.

    A history is a file in the form of Jepsen (list-append, JSON). Is there a moment for each message between its
    submit and its answer, so that every list that was read has what came before, in order? If not, the few
    sentences are told that contradict each other. Needs pip install z3-solver.

    Examples:

        chatsys demo --scenario split-brain --quorum 1 --history split.json
        chatsys linearize split.json
        chatsys linearize --seeds 0:20
    """
    if bool(files) == bool(seeds):
        raise UsageError("Give files with histories, or --seeds A:B to play some; not both.")
    if files and (nodes, quorum, keep) != (3, "majority", None):
        raise UsageError("--nodes, --quorum and --keep are for --seeds; a file has its nodes in it, leave them out.")
    rows: list[dict[str, Any]] = []
    told = _of_files(files) if files else _of_seeds(seeds, nodes, quorum, keep)
    with progress(len(files) if files else len(read_range(seeds)), "histories") as step:
        for name, explained in told:
            rows.append({"history": name, **msgspec.to_builtins(explained)})
            step()
    broken = [f"{row['history']}: " + "; ".join(row["contradiction"]) for row in rows if row["contradiction"]]
    unsure = [f"{row['history']}: {row['undecided']}" for row in rows if row["undecided"]]
    if as_json:
        counts = {"histories": len(rows), "messages": sum(row["messages"] for row in rows)}
        print_json({**counts, "judged": rows, "violations": broken, "inconclusive": unsure})
    else:
        for row in rows:
            verdict = row["undecided"] or ("NO MOMENTS EXPLAIN IT" if row["contradiction"] else "explained")
            print(f"{row['history']}: {row['messages']} messages, {row['reads']} reads: {verdict}")
            for sentence in row["contradiction"]:
                print(f"    {sentence}")
    leave(VIOLATED if broken else INCONCLUSIVE if unsure else HELD)


def _of_files(files: list[Path]) -> "Iterator[tuple[str, Explained]]":
    from chatsys.campaign.linearize import explain, read_history

    for path in files:
        yield str(path), explain(read_history(path))


def _of_seeds(seeds: str, nodes: int, quorum: str, keep: Path | None) -> "Iterator[tuple[str, Explained]]":
    from chatsys.campaign.linearize import judge_seed
    from chatsys.campaign.one_seed import Plan

    plan = Plan(nodes=nodes, quorum=read_quorum(quorum, nodes))
    for seed in read_range(seeds):
        yield f"seed {seed}", judge_seed(seed, plan, keep=keep)


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(rich_help_panel="Proofs and measurements")(linearize)
