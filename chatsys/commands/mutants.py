"""The command that lets the checkers hunt bugs: mutants.

Read also `mutants.hunt` (random and directed schedules), `mutants.searches` (every order of events).
"""

import time
from typing import Annotated, Any

import typer

from chatsys.commands import HELD, INCONCLUSIVE, VIOLATED, AsJson, leave, print_json, print_row, progress, wrapped
from chatsys.errors import UsageError


def mutants(
    names: Annotated[list[str] | None, typer.Argument(help="Which mutants; all if none is named.")] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Random schedules to try for each.", show_default="200")
    ] = None,
    *,
    explore: Annotated[
        bool, typer.Option("--explore", help="Try every order of events within bounds, in place of random schedules.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Tell what each mutant does wrong, and end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the protocol with one bug at a time and show which invariant finds it out, and how soon.

    With `--explore` each is searched breadth first, stage by stage, and so is the protocol without the
    bug. Exit code 1 if a mutant survives (then a checker is blind) or the protocol itself is broken; 3 if a
    search of the protocol ended before it had looked at everything.

    Examples:

        chatsys mutants
        chatsys mutants "vote twice" "lead without SYNC" --json
        chatsys mutants --list
        chatsys mutants --explore
    """
    from chatsys.mutants.bugs import MUTANTS, named
    from chatsys.mutants.hunt import MOST_SEEDS

    chosen = [named(name).name for name in names or MUTANTS]
    if listed:
        for name in chosen:
            print(wrapped(f"{name}: {MUTANTS[name].story}", 0, 4))
        return
    if not explore:
        _hunt(chosen, seeds or MOST_SEEDS, as_json)
    elif seeds is None:
        _explore(chosen, as_json)
    else:
        raise UsageError("--explore draws nothing by chance, so it takes no --seeds; give one of the two.")


def _hunt(chosen: list[str], seeds: int, as_json: bool) -> None:
    """Run random schedules, and directed ones where these find nothing."""
    from chatsys.mutants.hunt import table

    began, rows = time.monotonic(), []
    if not as_json:
        print(f"{'mutant':<43} {'found by':<8} with", flush=True)
    with progress(len(chosen), "mutants") as step:
        for row in table(chosen, seeds):
            rows.append(row)
            step()
            if not as_json:
                print_row(f"{row['mutant']:<43} {row['killer'] or 'NOTHING':<8} {_how(row)}")
    survived = [row["mutant"] for row in rows if not row["killer"]]
    seconds = round(time.monotonic() - began, 1)
    if as_json:
        print_json({"mutants": rows, "survived": survived, "seconds": seconds})
    else:
        print(f"\n{len(rows) - len(survived)} of {len(rows)} mutants were found, in {seconds} s")
        _tell_rules(rows)
    leave(VIOLATED if survived else HELD)


def _how(row: dict[str, Any]) -> str:
    """Return which run found a mutant."""
    if row["schedule"]:
        return f"schedule {row['schedule']!s}"
    if row["seed"] is None:
        return "no schedule"
    before = int(row["seeds_needed"]) - 1
    return f"seed {row['seed']}" + (f", after {before} that found nothing" if before else "")


def _tell_rules(rows: list[dict[str, Any]]) -> None:
    """Say what the rules mean whose codes stand in the table."""
    from chatsys.check import INVARIANTS

    for name in sorted({row["killer"] for row in rows if row["killer"] in INVARIANTS}):
        print(wrapped(f"{name}: {INVARIANTS[name].meaning}", 2, 6))


def _explore(chosen: list[str], as_json: bool) -> None:
    """Search each mutant by its stages, and the protocol by the same."""
    from chatsys.mutants.closed import need_searches

    need_searches()
    from chatsys.mutants.searches import table

    began, rows = time.monotonic(), []
    if not as_json:
        print(f"{'mutant':<39} {'broken':<7} {'steps':>5} {'states':>7} {'seconds':>7}  without it", flush=True)
    with progress(len(chosen), "mutants") as step:
        for row in table(chosen):
            rows.append(row)
            step()
            if not as_json:
                print_row(_searched(row))
    unseen = [row["mutant"] for row in rows if not row["killer"] and not row["reason"]]
    broken = [row["mutant"] for row in rows if row.get("protocol") == "fail"]
    unended = [row["mutant"] for row in rows if row.get("protocol") == "inconclusive"]
    seconds = round(time.monotonic() - began, 1)
    if as_json:
        lists = {"unseen": unseen, "protocol_broken": broken, "protocol_inconclusive": unended}
        print_json({"mutants": rows, **lists, "seconds": seconds})
    else:
        seen = sum(1 for row in rows if row["killer"])
        away = sum(1 for row in rows if row["reason"])
        print(f"\n{seen} of {len(rows)} mutants found by search in {seconds} s; out of its reach: {away}")
        _tell_protocol(rows, broken, unended)
    leave(VIOLATED if unseen or broken else INCONCLUSIVE if unended else HELD)


def _tell_protocol(rows: list[dict[str, Any]], broken: list[str], unended: list[str]) -> None:
    """Say what was found without the bug, and why a search of that did not come to its end."""
    if broken:
        print(f"VIOLATED without the bug, in the searches for {', '.join(broken)}")
    else:
        print("Without the bug nothing is violated by the same stages, within the same bounds.")
    if unended:
        print("INCONCLUSIVE without the bug ('so far' in the table), for these searches did not come to their end:")
    for row in rows:
        if row["mutant"] in unended:
            print(wrapped(f"{row['mutant']}: {row['protocol_why']}", 2, 6))


def _searched(row: dict[str, Any]) -> str:
    if row["reason"]:
        return f"{row['mutant']:<39} out of reach: {row['reason']}"
    told = f"{row['mutant']:<39} {row['killer'] or 'UNSEEN':<7} {row['steps']:>5} {row['distinct_states']:>7}"
    return f"{told} {row['seconds']:>7.1f}  {_WITHOUT.get(row['protocol'], row['protocol'])}"


_WITHOUT = {"exhausted, ok": "holds", "inconclusive": "holds so far", "fail": "VIOLATED"}
"""What became of the protocol without the bug, in the words of the table."""


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(rich_help_panel="Proofs and measurements")(mutants)
