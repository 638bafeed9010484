"""The command that searches every order of events within bounds: explore.

Read also `explore.explorer` (how it searches), `explore.models` (what is searched, and the bounds).
"""

import sys
from typing import Annotated, Any

import typer

from chatsys.commands import HELD, INCONCLUSIVE, VIOLATED, AsJson, hint, leave, one_of, print_json, read_quorum
from chatsys.errors import UsageError

NAMES = ("election", "log", "disk")
NODES = 3


def explore(
    model: Annotated[str, typer.Option(metavar="|".join(NAMES), help="What to search.")] = "election",
    depth: Annotated[int, typer.Option(min=1, help="Stop after so many steps.")] = 1_000,
    states: Annotated[int, typer.Option(min=1, help="Stop after so many distinct states.")] = 2_000_000,
    seconds: Annotated[float, typer.Option(min=0.1, help="Stop after so many seconds.")] = 1_800.0,
    terms: Annotated[int | None, typer.Option(min=1, max=9, help="Search terms up to this one.")] = None,
    beats: Annotated[int | None, typer.Option(min=0, max=9, help="Heartbeats a leader sends (election only).")] = None,
    answers: Annotated[
        str | None,
        typer.Option(metavar="any|exact", help="How nominations are answered (election only): see below."),
    ] = None,
    quorum: Annotated[
        str, typer.Option(metavar="majority|K", help="How many of the three nodes must agree.")
    ] = "majority",
    part: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FILE:Class", help="Use your own part; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try every order of events in three nodes, within stated bounds, and tell the shortest violation.

    `election`: nobody leads yet (three terms, a heartbeat a leader: searched to the end in minutes). `log`: two
    messages, a crash, another term. `disk`: the same with syncs that take time. A search that stops before its
    end is inconclusive (exit code 3), never ok.

    With `--answers any` a nomination may hear any answer from anyone: more than can happen, in far fewer states,
    so an end without violation holds for all that can happen. `--answers exact` searches what can happen and no
    more (two terms in minutes); it is used for parts of your own and for quorums that are no majority.

    Examples:

        chatsys explore --terms 2
        chatsys explore --terms 2 --answers exact
        chatsys explore --model log --states 1000000
        chatsys explore --model log --quorum 1
        chatsys explore --model election --part election=my.py:MyBully --json
    """
    one_of("--model", model, NAMES)
    count = read_quorum(quorum, NODES)
    from chatsys.campaign.guarded_search import doubts, search_in_worker
    from chatsys.campaign.loading import read_parts
    from chatsys.campaign.one_seed import Plan
    from chatsys.explore.explorer import Budget, Explorer
    from chatsys.explore.models import MODELS

    parts = read_parts(part) if part else b""
    prune = not parts and MODELS[model](quorum=count).config.safe
    bounds = _bounds(model, prune, _given(answers=answers, terms=terms, beats=beats))
    budget = Budget(depth=depth, states=states, seconds=seconds)
    if parts:
        result, missed = search_in_worker(model, parts, {"quorum": count} | bounds, budget)
        result["warnings"] = doubts(parts, 0, Plan(quorum=count, seconds=10, calm=5))
        if result["warnings"] and result["verdict"] == "exhausted, ok":
            result |= {"verdict": "inconclusive", "why": f"{result['why']} But mind the warnings: it may not be so."}
    else:
        searched = MODELS[model](quorum=count, **bounds)
        result = Explorer(searched, prune=prune).search(budget, progress=None if as_json else _progress).summary()
        missed = [mark for mark in searched.hopes if mark not in result["reached"]]
        result["warnings"] = []
    result["never"] = missed
    if as_json:
        print_json(result)
    else:
        _tell(result)
    leave({"fail": VIOLATED, "inconclusive": INCONCLUSIVE}.get(result["verdict"], HELD))


def _given(**options: Any) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _bounds(model: str, prune: bool, given: dict[str, Any]) -> dict[str, Any]:
    """Return the bounds given; where a nomination may hear any answer, wider ones are affordable."""
    if model != "election":
        for name in ("answers", "beats"):
            if name in given:
                raise UsageError(f"--{name} is for --model election; leave it away with {model}.")
        return given
    answers = one_of("--answers", given.get("answers", "any" if prune else "exact"), ("any", "exact"))
    if answers == "exact":
        return given
    if not prune:
        raise UsageError("--answers any is for the parts as they are and a majority; leave it away here.")
    return {"answers": "any", "terms": 3, "beats": 1} | given


def _progress(states: int, depth: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{states} distinct states, depth {depth}", end="", file=sys.stderr, flush=True)


def _tell(result: dict[str, Any]) -> None:
    if sys.stderr.isatty():
        hint("")
    print(f"{result['model']}: {result['verdict']}.  {result['why']}")
    speed = f"{result['states_per_second']} a second ({result['states_per_cpu_second']} a second of processor time)"
    print(f"  {result['distinct_states']} distinct states, {speed}, depth {result['depth']}")
    for bound in result["bounds"]:
        print(f"  bound    {bound}")
    for mark, steps in result["reached"].items():
        print(f"  seen     {mark}, first after {steps} steps")
    for mark in result["never"]:
        print(f"  NOT seen {mark}: this search proves nothing about it")
    for sentence in result["warnings"]:
        print(f"\nWARNING: {sentence}")
    for violation in result["violations"]:
        met = "VIOLATED" if result["verdict"] == "fail" else "MET, perhaps impossible:"
        print(f"\n{met} {violation['sentence']}\nThe shortest way there:")
        for number, step in enumerate(violation["story"], start=1):
            print(f"  {number:2}. {step}")


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(rich_help_panel="Proofs and measurements")(explore)
