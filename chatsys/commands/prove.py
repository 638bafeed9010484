"""The command of the long ring: prove.

Read also `chatsys.evidence` (the kinds of evidence, what is kept, and the page that tells it).
"""

from pathlib import Path
from typing import Annotated

import typer

from chatsys.commands import HELD, INCONCLUSIVE, VIOLATED, AsJson, hint, leave, print_json, print_row, progress
from chatsys.errors import UsageError
from chatsys.evidence.gathering import PIECES, RECORD, TABLE, Evidence, Line, gather, written
from chatsys.evidence.kinds import SMALL, kinds
from chatsys.evidence.page import renew

FOLDER = Path("data") / "evidence"


def prove(
    only: Annotated[
        list[str] | None, typer.Argument(metavar="[KIND...]", help="Kinds of evidence; all if none is named.")
    ] = None,
    minutes: Annotated[
        float, typer.Option(min=0.0, max=10_000, help="Begin nothing new after so long; 0: begin nothing.")
    ] = 60.0,
    data: Annotated[Path, typer.Option(help="Where the evidence is kept.")] = FOLDER,
    write: Annotated[
        bool, typer.Option("--write", help="Go on from the project's record; write it, EVIDENCE.md and the README.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Gather the evidence that takes hours, in pieces: schedules, searches, soaks, mutants, fuzzing.

    Each piece is one of the other commands. What was finished with the same code is not run again, so
    that a second call goes on where the first one stopped; Ctrl-C loses one piece at most. With --write
    that holds for the pieces of the project's record, too, whoever ran them; without, all is made anew. One line
    per kind of evidence is printed and kept: commit, pieces, seconds, result. Exit code 0 says that nothing
    was found so far, and not that all of it has run.

    Examples:

        chatsys prove --minutes 600
        chatsys prove "soak, 3 processes" fuzz --minutes 5
        chatsys prove --minutes 0 --write
    """
    known = {kind.name: kind for kind in kinds()}
    if SMALL not in known:
        hint("The tests are not here, so no small bugs are tried on them: that needs a clone.")
    for kind in known.values():
        if kind.lacks and kind.name in (only or known):
            hint(f"{kind.name}: {kind.lacks}")
    for name in only or ():
        if name not in known:
            raise UsageError(f"There is no evidence of the kind {name!r}; there are {'; '.join(known)}.")
    record = RECORD if write else None
    evidence = Evidence(data, tuple(known[name] for name in only or known), record)
    total = sum(len(kind.pieces) for kind in evidence.kinds)
    besides = f" and {RECORD}" * write
    hint(f"{len(evidence.done)} of {total} pieces are kept in {data / PIECES}{besides}; Ctrl-C stops.")
    with progress(total, "pieces") as step:
        step(len(evidence.done))

        def tell(line: Line) -> None:
            step()
            if not as_json:
                print_row(f"{line.seconds:8.1f} s  {line.result}  {line.command}")

        gather(evidence, minutes * 60, tell)
    rows = evidence.rows()
    if write:
        renew(Evidence(data, tuple(known.values()), record))
    left = sum(row["of"] - row["pieces"] for row in rows)
    if as_json:
        print_json({"kinds": rows, "left": left})
    else:
        print(f"\n{'evidence':<24} {'commit':<9} {'pieces':>10}  {'time':>10}  result")
        for row in rows:
            print(written(row))
            for sentence in row["what"][:3]:
                print(f"    {sentence}")
        print(
            f"\nKept in {data / TABLE}." + f" {left} pieces are left; the same command goes on with them." * bool(left)
        )
    found = {row["result"] for row in rows}
    leave(VIOLATED if "violated" in found else INCONCLUSIVE if found & {"inconclusive", "failed"} else HELD)


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(rich_help_panel="Proofs and measurements")(prove)
