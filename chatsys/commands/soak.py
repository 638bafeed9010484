"""The command that puts real processes under real faults for minutes: soak.

Read also `campaign.soaking`.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from chatsys.commands import HELD, INCONCLUSIVE, VIOLATED, AsJson, hint, leave, one_of, print_json, progress
from chatsys.errors import UsageError

if TYPE_CHECKING:
    from chatsys.runtime.cluster import Where


def soak(
    minutes: Annotated[float, typer.Option(min=0.1, max=120, help="How long, in real time.")] = 1.0,
    nodes: Annotated[int, typer.Option(min=3, max=7, help="How many nodes.")] = 3,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Messages a second.")] = 50.0,
    seed: Annotated[int, typer.Option(min=0, help="Draws the faults.")] = 1,
    *,
    storm: Annotated[bool, typer.Option("--storm", help="Nothing but kill -9, one every 0.3 s.")] = False,
    namespaces: Annotated[
        bool, typer.Option("--namespaces", help="Each node in a network namespace of its own; Linux, root, ip, nft.")
    ] = False,
    containers: Annotated[
        bool, typer.Option("--containers", help="Each node in a container; Linux, an engine, `make image`.")
    ] = False,
    system: Annotated[
        str,
        typer.Option(
            metavar="KIND", help="Watch the processes, on a system of this kind: watched|forgets|slow|clocks|bad."
        ),
    ] = "",
    history: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep what clients saw, in Jepsen's form (see linearize).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run real processes under real faults for minutes, and judge what the users saw.

    A fault every 5 to 15 seconds: SIGKILL, SIGSTOP, partitions, slow and lossy links. Tells for each
    how long no message was acknowledged. In a storm hardly anything is served, and nothing that was
    acknowledged may be lost. In namespaces the kernel's packet filter partitions and loses; in
    containers the engine kills and freezes. With --system a library below each process notes every
    write, sync and frame, and it is checked that nothing is said before it is on the disk; the disk
    forgets what was not synced, or is slow, or clocks are wrong.

    Examples:

        chatsys soak --minutes 10 --nodes 5

        chatsys soak --storm

        sudo .venv/bin/python -m chatsys soak --namespaces

        chatsys soak --containers

        chatsys soak --storm --system forgets
    """
    if minutes * 60 * rate > 500_000:
        raise UsageError(f"{minutes} minutes at {rate} messages a second are too many to judge; give fewer.")
    if namespaces and containers:
        raise UsageError("--namespaces and --containers are two worlds; give one of them.")
    from chatsys.campaign.soaking.soak import soak as run

    if system:
        from chatsys.campaign.below import KINDS

        one_of("--system", system, tuple(KINDS))
    where: Where = "namespaces" if namespaces else "containers" if containers else "processes"
    hint(f"{minutes:g} minutes of faults on {nodes} nodes in {where}; Ctrl-C ends it.")
    with progress(int(minutes * 60), "seconds") as step, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This trace has ")  # it is judged as a whole
        warnings.filterwarnings("ignore", "The newest ")  # nobody but this command reads it
        report = run(minutes * 60, nodes, rate, seed, step, where=where, storm=storm, system=system, history=history)
    if as_json:
        print_json(msgspec.to_builtins(report))
    else:
        for outage in report.outages:
            print(f"{outage.at:8.1f} s  {outage.fault:<28} longest wait {outage.seconds:.2f} s")
        print(f"{report.acknowledged} of {report.said} messages acknowledged, {report.indeterminate} indeterminate")
        if report.watched:
            print("watched from outside: " + ", ".join(f"{count} {name}" for name, count in report.watched.items()))
        print("\n".join(report.violations) or _held(report))
        if report.unfinished:
            print(f"INCONCLUSIVE: {report.unfinished}")
    leave(VIOLATED if report.violations else INCONCLUSIVE if report.unfinished else HELD)


def _held(report: Any) -> str:
    laws = f"; {report.served_after:.1f} s after everything was mended {', '.join(report.judged)} held" * bool(
        report.judged
    )
    return f"held: nothing acknowledged was lost, doubled or reordered{laws}"


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(rich_help_panel="Proofs and measurements")(soak)
