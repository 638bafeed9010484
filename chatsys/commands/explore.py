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
        typer.Option(metavar="any|exact", help="How nominations are answered (election and log): see below."),
    ] = None,
    messages: Annotated[int | None, typer.Option(min=0, max=2, help="Messages of a client (log only).")] = None,
    crashes: Annotated[int | None, typer.Option(min=0, max=9, help="How often power is lost (log only).")] = None,
    nominee: Annotated[
        list[int] | None, typer.Option(min=1, max=NODES, help="Who finds a silence too long (log only); repeat it.")
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

    `election`: nobody leads yet (three terms, a heartbeat a leader: searched to the end in minutes). `log`: node 3
    leads, a message, another term (to the end in minutes). `disk`: two messages, a crash, syncs that take time. A
    search that stops before its end is inconclusive (exit code 3), never ok.

    With `--answers any` a nomination may hear any answer from anyone: more than can happen, in far fewer states,
    so an end without violation holds for all that can happen. `--answers exact` searches what can happen and no
    more (two terms of the election in minutes, no end of the log); it is used for parts of your own and for quorums
    that are no majority.

    A verdict comes with what was left out (bound), what the nodes were asked about it (asked), and what is argued
    but not asked (assumed).

    Examples:

        chatsys explore --terms 2
        chatsys explore --terms 2 --answers exact
        chatsys explore --model log --messages 2 --nominee 2
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
    given = _given(answers=answers, terms=terms, beats=beats, messages=messages, crashes=crashes, nominee=nominee)
    bounds = _bounds(model, prune, given)
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


TAKEN_BY = {
    "beats": ("election",),
    "answers": ("election", "log"),
    "messages": ("log",),
    "crashes": ("log",),
    "nominee": ("log",),
}
"""Options that not every model takes."""
WIDE: dict[str, dict[str, Any]] = {
    "election": {"terms": 3, "beats": 1},
    "log": {"messages": 1, "crashes": 0},
}
"""What is searched to its end where a nomination may hear any answer."""


def _bounds(model: str, prune: bool, given: dict[str, Any]) -> dict[str, Any]:
    """Return the bounds given; where a nomination may hear any answer, those that a search comes to the end of."""
    for name, models in TAKEN_BY.items():
        if name in given and model not in models:
            raise UsageError(f"--{name} is for --model {' or '.join(models)}; leave it out with {model}.")
    if model in TAKEN_BY["answers"]:
        answers = one_of("--answers", given.get("answers", "any" if prune else "exact"), ("any", "exact"))
        if answers == "any" and not prune:
            raise UsageError("--answers any is for the parts as they are and a majority; leave it out here.")
        given = {"answers": answers} | (WIDE[model] if answers == "any" else {}) | given
    return _as_the_model_says(given)


def _as_the_model_says(bounds: dict[str, Any]) -> dict[str, Any]:
    """Return the bounds by the names that models have for them."""
    from chatsys.explore.models import LogModel

    messages, nominees = bounds.pop("messages", None), bounds.pop("nominee", None)
    more: dict[str, Any] = {}
    if messages is not None:
        more["inputs"] = LogModel.inputs[:messages]
    if nominees:
        more["nominees"] = tuple(sorted({*nominees}))
    return bounds | more


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
    for sentence in result["asked"]:
        print(f"  asked    {sentence}")
    for sentence in result["assumed"]:
        print(f"  assumed  {sentence}")
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
