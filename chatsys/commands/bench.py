"""The command that measures: bench.

Read also `simulate`, `explore`, `fuzz` (commands that prove), `chatsys.campaign.bench` (the measurements).
"""

import inspect
from typing import Annotated

import typer

from chatsys.commands import (
    AsJson,
    one_of,
    print_json,
)
from chatsys.errors import UsageError


def bench(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="What to measure: startup, failover, leaving, silence, throughput, latency or schedules.",
        ),
    ],
    where: Annotated[
        str | None,
        typer.Option(
            metavar="kernel|processes|sim",
            help="In which world; sim for silence only.",
            show_default="kernel; failover: processes; silence: sim",
        ),
    ] = None,
    nodes: Annotated[int | None, typer.Option(min=1, max=7, help="How many nodes.", show_default="3")] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10_000,
            help="How often.",
            show_default="startup 3, failover 1, leaving 10, silence 20, schedules 5",
        ),
    ] = None,
    messages: Annotated[
        int | None,
        typer.Option(min=1, max=1_000_000, help="How many messages.", show_default="throughput 3000, latency 200"),
    ] = None,
    window: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Messages under way at a time.", show_default="256")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure this machine: startup, failover, leaving, silence, throughput, latency or schedules.

    Each line is one measurement with its units; with `--json` each is one JSON object.

    Examples:

        chatsys bench startup
        chatsys bench failover --where processes
        chatsys bench leaving --rounds 10
        chatsys bench silence --rounds 500
        chatsys bench throughput --where kernel --messages 5000 --json
    """
    from chatsys.campaign import bench as benches

    one_of("NAME", name, tuple(benches.NAMES))
    if where is not None:
        one_of("--where", where, benches.ANYWHERE if name == "silence" else benches.PLACES)
    given = {"where": where, "nodes": nodes, "rounds": rounds, "messages": messages, "window": window}
    options = {key: value for key, value in given.items() if value is not None}
    taken = inspect.signature(getattr(benches, name)).parameters
    for key in options:
        if key not in taken:
            raise UsageError(f"bench {name} takes no --{key}; it takes {', '.join(f'--{one}' for one in taken)}.")
    for line in benches.run(name, **options):
        if as_json:
            print_json(line)
        else:
            print("  ".join(_measured(key, value) for key, value in line.items()), flush=True)


def _measured(key: str, value: object) -> str:
    return f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(rich_help_panel="Proofs and measurements")(bench)
