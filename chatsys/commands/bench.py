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
            help="What to measure: throughput, latency, failover, leaving, silence, catchup, startup, growth, schedules or simulator.",
        ),
    ],
    where: Annotated[
        str | None,
        typer.Option(
            metavar="kernel|processes|sim",
            help="In which world; sim for silence only.",
            show_default="processes; silence: sim",
        ),
    ] = None,
    nodes: Annotated[int | None, typer.Option(min=1, max=7, help="How many nodes.", show_default="3")] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10_000,
            help="How often.",
            show_default="throughput, latency, failover, catchup 1, startup, simulator 3, leaving 10, silence 20, schedules 5",
        ),
    ] = None,
    connections: Annotated[
        int | None, typer.Option(min=1, max=512, help="Links of the client process.", show_default="1")
    ] = None,
    outstanding: Annotated[
        int | None,
        typer.Option(
            min=1, max=4096, help="Messages under way on each.", show_default="throughput 1024, latency, catchup 1"
        ),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, max=3600, help="How long a round measures.", show_default="3")
    ] = None,
    bytes: Annotated[int | None, typer.Option(min=1, max=65536, help="Bytes of a message.", show_default="100")] = None,
    messages: Annotated[
        int | None,
        typer.Option(min=0, max=5_000_000, help="How many messages.", show_default="catchup, growth 100000, startup 0"),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(min=1, max=100_000, help="Messages a second that others say meanwhile.", show_default="1000"),
    ] = None,
    loop: Annotated[
        str | None, typer.Option(metavar="asyncio|uvloop", help="The nodes' event loop.", show_default="asyncio")
    ] = None,
    beside: Annotated[
        str | None, typer.Option(metavar="etcd", help="Measure that, too, in turn.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure this machine: how fast nodes and simulator are, and how long nobody is served.

    Each line is one measurement with its units; with `--json` each is one JSON object. What is measured with a
    client process of its own is compared afterwards: all logs, all deliveries, all that was acknowledged.
    "code: compiled" in a line says that a build of `make fast` ran.

    Examples:

        chatsys bench throughput --connections 64 --outstanding 1 --loop uvloop

        chatsys bench latency --beside etcd --rounds 5 --json

        chatsys bench catchup --messages 100000 --rate 1000

        chatsys bench failover --where processes

        chatsys bench silence --rounds 500
    """
    from chatsys.campaign import bench as benches
    from chatsys.compiled.using import COMPILED, used

    one_of("NAME", name, tuple(benches.NAMES))
    for option, value, known in (("--loop", loop, benches.LOOPS), ("--beside", beside, benches.PEERS)):
        if value is not None:
            one_of(option, value, known)
    if where is not None:
        one_of("--where", where, benches.ANYWHERE if name == "silence" else benches.PLACES)
    given = {
        "where": where, "nodes": nodes, "rounds": rounds, "connections": connections, "outstanding": outstanding,
        "seconds": seconds, "bytes": bytes, "messages": messages, "rate": rate, "loop": loop, "beside": beside,
    }  # fmt: skip
    options = {key: value for key, value in given.items() if value is not None}
    taken = inspect.signature(benches.BENCHES[name]).parameters
    for key in options:
        if key not in taken:
            raise UsageError(f"bench {name} takes no --{key}; it takes {', '.join(f'--{one}' for one in taken)}.")
    for line in benches.run(name, **options):
        line |= {"code": COMPILED} if used() else {}
        if as_json:
            print_json(line)
        else:
            print("  ".join(_measured(key, value) for key, value in line.items()), flush=True)


def _measured(key: str, value: object) -> str:
    return f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(rich_help_panel="Proofs and measurements")(bench)
