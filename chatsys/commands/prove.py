"""The command of the long ring: prove.

Read also `chatsys.campaign.evidence` (the kinds of evidence, and what is kept).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from chatsys.campaign.evidence import PIECES, TABLE, Evidence, Kind, Line, Piece, gather, written
from chatsys.commands import HELD, INCONCLUSIVE, VIOLATED, AsJson, hint, leave, print_json, print_row, progress
from chatsys.errors import UsageError

FOLDER = Path("data") / "evidence"


def _schedules(nodes: int, count: int, calm: float) -> Iterator[Piece]:
    step = 100
    for first in range(0, count, step):
        seeds = f"{first}:{first + step}"
        words = f"simulate --seeds {seeds} --nodes {nodes} --seconds 60 --calm {calm:g} --talk 0.5"
        yield Piece((*words.split(" "), "--json"), 1800.0, seeds)


def _soaks(nodes: int, minutes: int) -> Iterator[Piece]:
    for seed in range(1, minutes + 1):
        yield Piece(
            ("soak", "--minutes", "1", "--nodes", str(nodes), "--seed", str(seed), "--json"),
            240.0,
            f"{seed}:{seed + 1}",
        )


def _storms(count: int) -> Iterator[Piece]:
    for seed in range(1, count + 1):
        yield Piece(("soak", "--storm", "--seed", str(seed), "--json"), 240.0, f"{seed}:{seed + 1}")


def kinds() -> tuple[Kind, ...]:
    """Return every kind of evidence, in the order in which their first pieces run."""
    from chatsys.mutants.closed import need_searches

    need_searches()
    from chatsys.campaign.outsider import ALL, ATTACKS
    from chatsys.mutants.searches import SEARCHES

    fuzz = (Piece(("fuzz", "--seed", str(seed), "--json"), 600.0, f"{seed}:{seed + 1}") for seed in range(1, 6))
    visits = (Piece(("outsider", name, "--json"), 600.0) for name in (*ATTACKS, ALL))
    searched = (Piece(("mutants", name, "--explore", "--json"), 900.0) for name in SEARCHES)
    return (
        Kind("mutants, by schedules", (Piece(("mutants", "--json"), 900.0),)),
        Kind("mutants, by every order", tuple(searched)),
        Kind("fuzz", tuple(fuzz)),
        Kind("election, every order", (Piece(("explore", "--json"), 2400.0),)),
        Kind("log, every order", tuple(_log())),
        Kind("soak, 3 processes", tuple(_soaks(3, 10))),
        Kind("soak, 5 processes", tuple(_soaks(5, 10))),
        Kind("storms of kill -9", tuple(_storms(2))),
        Kind("an outsider", tuple(visits)),
        Kind("schedules, long calm", tuple(_schedules(3, 500, 90.0))),
        Kind("schedules, 3 nodes", tuple(_schedules(3, 10_000, 45.0))),
        Kind("schedules, 5 nodes", tuple(_schedules(5, 10_000, 45.0))),
    )


def _log() -> Iterator[Piece]:
    """Return searches that come to their end: of a message, of a third term, and of a crash."""
    whole = "--messages 1", "--messages 0 --terms 3 --nominee 2 --nominee 3"
    crashed = (f"--messages 0 --crashes 1 --nominee {node}" for node in (1, 2, 3))
    for bounds in (*whole, *crashed):
        yield Piece(("explore", "--model", "log", *bounds.split(" "), "--json"), 2400.0)


def prove(
    only: Annotated[
        list[str] | None, typer.Argument(metavar="[KIND...]", help="Kinds of evidence; all if none is named.")
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.01, max=10_000, help="Begin nothing new after so long.")] = 60.0,
    data: Annotated[Path, typer.Option(help="Where the evidence is kept.")] = FOLDER,
    as_json: AsJson = False,
) -> None:
    """Gather the evidence that takes hours, in pieces: schedules, searches, soaks, mutants, fuzzing.

    Each piece is one of the other commands. What was finished with the same code is not run again, so
    that a second call goes on where the first one stopped; Ctrl-C loses one piece at most. One line
    per kind of evidence is printed and kept: commit, pieces, seconds, result.

    Examples:

        chatsys prove --minutes 600
        chatsys prove "soak, 3 processes" fuzz --minutes 5
    """
    known = {kind.name: kind for kind in kinds()}
    for name in only or ():
        if name not in known:
            raise UsageError(f"There is no evidence of the kind {name!r}; there are {'; '.join(known)}.")
    evidence = Evidence(data, tuple(known[name] for name in only or known))
    total = sum(len(kind.pieces) for kind in evidence.kinds)
    hint(f"{len(evidence.done)} of {total} pieces are kept in {data / PIECES}; Ctrl-C stops.")
    with progress(total, "pieces") as step:
        step(len(evidence.done))

        def tell(line: Line) -> None:
            step()
            if not as_json:
                print_row(f"{line.seconds:8.1f} s  {line.result}  {line.command}")

        gather(evidence, minutes * 60, tell)
    rows = evidence.rows()
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
