"""The command that plays many schedules of faults: simulate.

Read also `campaign.one_seed` (many seeds), `campaign.resume` (a long run in pieces), `faults.swarm` (the kinds of faults).
"""

import os
import shlex
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
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
    print_json,
    progress,
    read_quorum,
    read_range,
    wrapped,
)
from chatsys.errors import UsageError

SHOWN = 5
"""So many seeds are told at length."""
BUDGETS = (25.0, 10.0, 10.0)
"""Seconds for shrinking the first seed that fails; and the next ones, while no story is short."""
SHORT, LONG = 12, 40
"""So many steps are a short story; beyond so many nobody reads it."""


def simulate(
    seeds: Annotated[str, typer.Option(metavar="A:B", help="Seeds from A up to B, B not included.")] = "0:100",
    nodes: Nodes = 3,
    quorum: Quorum = "majority",
    faults: Annotated[
        str,
        typer.Option(metavar="profiles|all|none|LIST", help="Kinds of faults, by commas; profiles: each seed draws."),
    ] = "profiles",
    seconds: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Virtual seconds of faults; a seed drawn fast takes 3/4.")
    ] = 20.0,
    calm: Annotated[float, typer.Option(min=0, max=3600, help="As many without faults after them, likewise.")] = 32.0,
    talk: Annotated[float, typer.Option(min=0.01, max=100, help="How much clients say; 2 is twice as much.")] = 1.0,
    turn: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Virtual seconds for which a node gathers what comes; 0: every event is a turn.",
            show_default="drawn with a profile, else 0",
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, max=256, help="Processes at a time; 0: one per core.")] = 0,
    limit: Annotated[
        float, typer.Option(min=0, max=3600, help="With --part: seconds of real time per seed; 0: chosen for you.")
    ] = 0.0,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep results in FILE; what is in it already is not played again."),
    ] = None,
    shrink: Annotated[bool, typer.Option("--shrink", help="Make the first violation's run short.")] = False,
    part: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FILE:Class", help="Use your own part; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run many random schedules of faults in the simulator and check every invariant.

    The same seed gives the same run, on any machine, with any number of jobs. A violation names the
    command that replays it. With `--resume` a long run can be stopped by Ctrl-C and goes on later.
    With `--part` a seed that never ends is given up, and what keeps runs from being repeated is told.

    Examples:

        chatsys simulate --seeds 0:300
        chatsys simulate --seeds 0:300 --quorum 1 --shrink
        chatsys simulate --seeds 0:300 --turn 0.01
        chatsys simulate --seeds 0:20000 --seconds 60 --calm 45 --resume long.jsonl
        chatsys simulate --seeds 17:18 --faults all --json
        chatsys simulate --seeds 17:18 --faults crash,partition --json
        chatsys simulate --seeds 0:50 --part election=my.py:MyBully
    """
    wanted, count = read_range(seeds), read_quorum(quorum, nodes)
    from chatsys.campaign.loading import read_parts
    from chatsys.campaign.one_seed import Plan
    from chatsys.campaign.summary import tally
    from chatsys.faults import parse_kinds

    plan = Plan(
        nodes=nodes,
        quorum="majority" if count == read_quorum("majority", nodes) else count,
        kinds=None if faults == "profiles" else () if faults == "none" else parse_kinds(faults),
        seconds=seconds,
        calm=calm,
        talk=talk,
        turn=turn,
    )
    parts = read_parts(part) if part else b""
    began = time.monotonic()
    with _results(resume, plan, part or ()) as kept:
        results = _play(wanted, plan, (jobs, limit), parts, kept)
    whole = tally(results, time.monotonic() - began)
    whole["warnings"] = _warnings(results, plan, parts) if parts else []
    for violation in whole["violations"]:
        violation["replay"] += "".join(f" --part {shlex.quote(text)}" for text in part or ())
    if shrink and whole["violations"]:
        broken = dict.fromkeys(violation["seed"] for violation in whole["violations"])
        whole["shrunk"] = _shrink(list(broken), plan, parts)
    if as_json:
        print_json(whole)
    else:
        _tell_sweep(whole)
    leave(VIOLATED if whole["violations"] else INCONCLUSIVE if whole["inconclusive"] else HELD)


def _results(path: Path | None, plan: Any, parts: Sequence[str]) -> Any:
    """Return the file of results to resume, or something that is closed as easily."""
    if path is None:
        return nullcontext()
    from chatsys.campaign.resume import Results
    from chatsys.run import digest_part

    files = {text: text.partition("=")[2].rpartition(":")[0] for text in parts}
    return Results(path, plan, {text: digest_part(file) for text, file in files.items()})


def _warnings(results: list[Any], plan: Any, code: bytes) -> list[str]:
    """Say which doors of these classes answer amiss, and why runs with them cannot be repeated."""
    from chatsys.campaign.guarded_search import doubts

    ended = [one.seed for one in results if one.hash]
    if not ended:
        return [f"Whether runs can be repeated is not known, for seed {results[0].seed} came to no end."]
    stopped = (one.seed for one in results for broken in one.violations if broken["invariant"] == "broken")
    failed = (one.seed for one in results if one.violations and one.hash)
    return doubts(code, next(stopped, next(failed, ended[0])), plan)


def _play(wanted: range, plan: Any, means: tuple[int, float], parts: bytes, kept: Any) -> list[Any]:
    """Return the result of every seed: those that are kept, and the others played now; means: jobs and limit."""
    from chatsys.campaign.sweep import guarded_sweep, sweep

    jobs, limit = means
    missing = list(wanted) if kept is None else kept.missing(wanted)
    if len(missing) < len(wanted):
        hint(f"{len(wanted) - len(missing)} of {len(wanted)} schedules were played before.")
    done = {} if kept is None else kept.done
    workers = min(jobs or os.cpu_count() or 1, len(missing))
    with progress(len(missing), "schedules") as step:
        if parts or workers > 1:
            results = guarded_sweep(missing, plan, parts, jobs=workers, limit=(limit or None) if parts else None)
        else:
            results = sweep(missing, plan)
        for result in results:
            done[result.seed] = result
            if kept is not None and result.hash:  # what came to no end is tried again
                kept.add(result)
            step()
    return [done[seed] for seed in wanted]


def _shrink(seeds: Sequence[int], plan: Any, code: bytes) -> dict[str, Any]:
    """Return the shortest run found that fails as one of the first seeds does: its steps in words, and as code."""
    from chatsys.campaign.sweep import usual_limit
    from chatsys.isolation.worker import call_in_worker

    found: list[dict[str, Any]] = []
    for seed, seconds in zip(seeds, BUDGETS, strict=False):
        hint(f"Shrinking seed {seed}: up to {seconds:g} s.")
        if code:
            answer = call_in_worker(shrunk, seed, plan, seconds, parts=code, limit=seconds + 10.0 + usual_limit(plan))
            nothing = {"seed": seed, "steps": None, "story": answer.value, "code": "", "ask": ""}
            found.append(answer.value if answer.done else nothing)
        else:
            found.append(shrunk({}, seed, plan, seconds))
        if found[-1]["steps"] is not None and found[-1]["steps"] <= SHORT:
            break
    told = [one for one in found if one["steps"] is not None]
    return min(told, key=lambda one: one["steps"]) if told else found[0]


def shrunk(parts: Mapping[str, type], seed: int, plan: Any, seconds: float) -> dict[str, Any]:
    """Shrink a seed; with somebody's own parts in another process."""
    from chatsys.campaign.shrink import shrink_seed

    try:
        found = shrink_seed(seed, plan, parts=parts or None, seconds=seconds)
    except UsageError as error:  # it does not fail when it is played again
        return {"seed": seed, "steps": None, "story": str(error), "code": ""}
    return {
        "seed": seed,
        "steps_before": found.steps_before,
        "steps": len(found.script),
        "finished": found.finished,
        "story": found.story(),
        "code": found.code(),
        "ask": found.ask(),
    }


def _tell_shrunk(shrunk: dict[str, Any], doubtful: bool) -> None:
    """Print the short story, as wide as the terminal, and the lines to paste, as they are."""
    from chatsys.campaign.minimal import ASK

    if shrunk["steps"] is None:
        print(f"\n{shrunk['story']}")
        return
    more = "" if shrunk["finished"] else ", and then the time was over: fewer might do"
    print(f"\nSeed {shrunk['seed']} in short: {shrunk['steps_before']} steps became {shrunk['steps']}{more}.")
    if doubtful:
        print("Mind the warning above: what was found in such runs may not happen again.")
    if shrunk["steps"] > LONG:
        print("So long a story tells little; --json has its steps, and the lines to see it again.")
        return
    print()
    for line in shrunk["story"].splitlines():
        margin = len(line) - len(line.lstrip()) + 2
        print(wrapped(line.strip(), margin, margin + 3 * line[:1].isdigit()))
    print(f"\nTo see it again, paste this into a cell (it may go by another seed):\n\n{shrunk['code']}")
    if shrunk["ask"]:
        print(f"\n{wrapped(ASK)}\n\n{shrunk['ask']}")


def _tell_sweep(result: dict[str, Any]) -> None:
    from chatsys.campaign.summary import count_schedules, told

    print(
        f"{count_schedules(result['schedules'])}, {result['events']} events, {result['messages']} messages "
        f"in {result['seconds']:.1f} s"
    )
    broken: dict[int, list[dict[str, Any]]] = {}
    for violation in result["violations"]:
        broken.setdefault(violation["seed"], []).append(violation)
    for seed, violations in list(broken.items())[:SHOWN]:
        more = f" (and {len(violations) - 1} more after it)" if len(violations) > 1 else ""
        print("\n" + wrapped(f"VIOLATED with seed {seed}: {violations[0]['plain']}{more}"))
        if violations[0]["plain"] not in violations[0]["sentence"]:
            print(wrapped(f"exactly: {violations[0]['sentence']}", 2, 2))
        print(f"  replay: {violations[0]['replay']}")
    for one in result["inconclusive"][:SHOWN]:
        print(f"\nINCONCLUSIVE with seed {one['seed']}: {one['why']}")
    for sentence in result["warnings"]:
        print(f"\nWARNING: {sentence}")
    if "shrunk" in result:
        _tell_shrunk(result["shrunk"], bool(result["warnings"]))
    if broken or result["inconclusive"]:
        print(f"\n{len(broken)} violated, {len(result['inconclusive'])} inconclusive; --json tells all of them.")
    else:
        print("held: every invariant in every schedule" + ", as far as it was judged" * bool(result["not_judged"]))
    for line in told(result):
        print(wrapped(line))
    print(wrapped(result["meaning"]))


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(rich_help_panel="Proofs and measurements")(simulate)
