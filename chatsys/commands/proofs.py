"""Commands that prove or measure: simulate, bench.

Read also `sim.sweep` (many seeds), `faults.swarm` (the kinds of faults), `bench`.
"""

import inspect
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from chatsys.commands import (
    HELD,
    INCONCLUSIVE,
    VIOLATED,
    AsJson,
    Nodes,
    Quorum,
    hint,
    leave,
    one_of,
    print_json,
    read_quorum,
    read_range,
)
from chatsys.errors import UsageError

SHOWN = 5
"""So many seeds are told at length."""


def simulate(
    seeds: Annotated[str, typer.Option(metavar="A:B", help="Seeds from A up to B, B not included.")] = "0:100",
    nodes: Nodes = 3,
    quorum: Quorum = "majority",
    faults: Annotated[str, typer.Option(metavar="all|none|LIST", help="Kinds of faults, separated by commas.")] = "all",
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="Virtual seconds of faults per seed.")] = 20.0,
    jobs: Annotated[int, typer.Option(min=0, max=256, help="Processes at a time; 0: one per core.")] = 0,
    shrink: Annotated[bool, typer.Option("--shrink", help="Make the first violation's run short.")] = False,
    part: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FILE:Class", help="Use your own part; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run many random schedules of faults in the simulator and check every invariant.

    The same seed gives the same run, on any machine, with any number of jobs. A violation names the
    command that replays it.

    Examples:

        chatsys simulate --seeds 0:300
        chatsys simulate --seeds 0:300 --quorum 1 --shrink
        chatsys simulate --seeds 17:18 --faults crash,partition --json
        chatsys simulate --seeds 0:50 --part election=my.py:MyBully
    """
    wanted, count = read_range(seeds), read_quorum(quorum, nodes)
    from chatsys.faults import parse_kinds
    from chatsys.sim.sweep import Plan, sweep

    plan = Plan(
        nodes=nodes,
        quorum="majority" if count == read_quorum("majority", nodes) else count,
        kinds=() if faults == "none" else parse_kinds(faults),
        seconds=seconds,
    )
    parts = dict(map(read_part, part)) if part else None
    workers = min(jobs or os.cpu_count() or 1, len(wanted))
    began, results = time.monotonic(), []
    with progress(len(wanted), "schedules") as step:
        for result in sweep(wanted, plan, jobs=workers, parts=parts):
            results.append(result)
            step()
    whole = summary(results, time.monotonic() - began)
    for violation in whole["violations"]:
        violation["replay"] += "".join(f" --part {text}" for text in part or ())
    if shrink and whole["violations"]:
        whole["shrunk"] = _shrink(whole["violations"][0]["seed"], plan, parts)
    if as_json:
        print_json(whole)
    else:
        _tell_sweep(whole)
    leave(VIOLATED if whole["violations"] else INCONCLUSIVE if whole["inconclusive"] else HELD)


def summary(results: list[Any], elapsed: float) -> dict[str, Any]:
    """Return what `simulate --json` prints; `seconds` is how long it took, the rest depends on the seeds alone."""
    from chatsys.sim.sweep import trace_hash

    return {
        "schedules": len(results),
        "events": sum(result.events for result in results),
        "messages": sum(result.messages for result in results),
        "seconds": round(elapsed, 3),
        "violations": [dict(violation) for result in results for violation in result.violations],
        "inconclusive": [{"seed": one.seed, "why": one.inconclusive} for one in results if one.inconclusive],
        "trace_hash": trace_hash(results),
    }


def _shrink(seed: int, plan: Any, parts: dict[str, type] | None) -> dict[str, Any]:
    """Return the shortest run found that fails as this seed does: its steps in words, and as code."""
    from chatsys.sim.shrink import shrink_seed

    hint(f"Shrinking seed {seed}: up to half a minute.")
    try:
        found = shrink_seed(seed, plan, parts=parts)
    except UsageError as error:  # only liveness is broken
        return {"seed": seed, "steps": None, "story": str(error), "code": ""}
    return {"seed": seed, "steps": len(found.script), "story": found.story(), "code": found.code()}


def _tell_sweep(result: dict[str, Any]) -> None:
    print(
        f"{result['schedules']} schedules, {result['events']} events, {result['messages']} messages "
        f"in {result['seconds']:.1f} s"
    )
    broken: dict[int, list[dict[str, Any]]] = {}
    for violation in result["violations"]:
        broken.setdefault(violation["seed"], []).append(violation)
    for seed, violations in list(broken.items())[:SHOWN]:
        more = f" (and {len(violations) - 1} more after it)" if len(violations) > 1 else ""
        print(f"\nVIOLATED with seed {seed}: {violations[0]['sentence']}{more}\n  replay: {violations[0]['replay']}")
    for one in result["inconclusive"][:SHOWN]:
        print(f"\nINCONCLUSIVE with seed {one['seed']}: {one['why']}")
    if "shrunk" in result:
        print(f"\nIn short:\n{result['shrunk']['story']}\n\n{result['shrunk']['code']}")
    if broken or result["inconclusive"]:
        print(f"\n{len(broken)} violated, {len(result['inconclusive'])} inconclusive; --json tells all of them.")
    else:
        print("held: every invariant in every schedule")


def read_part(text: str) -> tuple[str, type]:
    """Return (name of the part, class) for `NAME=FILE:Class`; runs the file."""
    name, equals, place = text.partition("=")
    file, colon, kind = place.rpartition(":")
    if not (name and equals and file and colon and kind):
        raise UsageError(f"--part is {text!r}; write NAME=FILE:Class, for example election=my.py:MyBully.")
    from chatsys.protocol.node import PARTS

    if name not in PARTS:
        raise UsageError(f"--part names {name}, but the parts are {', '.join(PARTS)}.")
    path = Path(file)
    if not path.is_file():
        raise UsageError(f"--part names the file {file}, which is not there.")
    module = _run_file(path)
    found = getattr(module, kind, None)
    if not isinstance(found, type):
        classes = [key for key, value in vars(module).items() if isinstance(value, type)]
        raise UsageError(f"{file} has no class {kind}; it has {', '.join(classes) or 'no classes'}.")
    return name, found


def _run_file(path: Path) -> Any:
    import importlib.util

    import cloudpickle

    spec = importlib.util.spec_from_file_location(f"part_{path.stem}", path)
    assert spec is not None and spec.loader is not None, "a .py file has a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # it is somebody's program: it may raise anything
        raise UsageError(f"{path} cannot be run: {type(error).__name__}: {error}.") from None
    cloudpickle.register_pickle_by_value(module)  # so that other processes get it without the file
    return module


def bench(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to measure.", show_default=False)],
    where: Annotated[str | None, typer.Option(metavar="kernel|processes", help="In which world.")] = None,
    nodes: Annotated[int | None, typer.Option(min=1, max=7, help="How many nodes.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, max=100, help="How often.")] = None,
    messages: Annotated[int | None, typer.Option(min=1, max=1_000_000, help="How many messages.")] = None,
    window: Annotated[int | None, typer.Option(min=1, max=4096, help="Messages under way at a time.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure this machine: startup, failover, throughput or latency.

    Each line is one measurement with its units; with `--json` each is one JSON object.

    Examples:

        chatsys bench startup
        chatsys bench failover --where processes
        chatsys bench throughput --where kernel --messages 5000 --json
    """
    from chatsys import bench as benches

    one_of("NAME", name, tuple(benches.NAMES))
    if where is not None:
        one_of("--where", where, benches.PLACES)
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


@contextmanager
def progress(total: int, unit: str) -> Iterator[Any]:
    """Yield a function to call after each step; a bar shows on stderr if that is a terminal."""
    from tqdm import tqdm

    with tqdm(total=total, unit=f" {unit}", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False) as bar:
        yield lambda count=1: bar.update(count)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (simulate, bench):
        app.command(rich_help_panel="Proofs and measurements")(command)
