"""How good is the swarm?  Each bug, until a schedule of the default plan kills it: in how many schedules, and which rule said so.

    python tests/support/kill_rate.py made 100           the bugs of one line, up to 100 schedules each
    python tests/support/kill_rate.py listed 100         the mutants of `chatsys.mutants`
    python tests/support/kill_rate.py made 100 all       schedules of this kind of faults, in place of the default plan
    python tests/support/kill_rate.py made 25 --json     only what came of all of them, for `chatsys prove`

Every bug is played in a process of its own, seed after seed from 0 on, to the first that breaks a rule, stops a node by
itself, or comes to no end.  A line each: the bug, the seeds it took (`-`: all of them held), what was broken, CPU seconds.

Read also `made_bugs` (the one-line bugs), `kill_rate.txt` (what was measured, before and after).
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from typing import Any

HANGS = 20.0
"""CPU seconds after which a schedule counts as one that comes to no end."""


def play(bug: str, most: int, kinds: str) -> None:
    """Play one bug, and print what came of it as JSON; this process is its own."""
    import made_bugs

    options: dict[str, Any] = {}
    if bug.isdigit():
        made_bugs.put_in(made_bugs.read()[int(bug)])
    else:
        from chatsys.mutants.bugs import named

        one = named(bug)
        options = {"parts": one.parts, "actor": one.actor}
    told = {"seeds": 0, "by": "", "sentence": ""}

    def tell(by: str, sentence: str) -> None:
        told.update(by=by, sentence=sentence[:200])
        print(json.dumps(told | {"cpu": round(time.process_time(), 2)}), flush=True)
        os._exit(0)

    signal.signal(signal.SIGPROF, lambda *_: tell("hangs", "it comes to no end"))
    for seed in range(most):
        told["seeds"] = seed + 1
        signal.setitimer(signal.ITIMER_PROF, HANGS)
        try:
            found = broken(seed, kinds, options)
        except Exception as error:
            tell("raised", f"{type(error).__name__}: {error}")
        if found:
            tell(*found)
    tell("", "")


def broken(seed: int, kinds: str, options: dict[str, Any]) -> tuple[str, str] | None:
    """Return what one schedule broke, and the sentence; None: it held."""
    from chatsys.campaign.one_seed import Plan, schedule
    from chatsys.faults import parse_kinds

    outcome = schedule(seed, Plan(kinds=parse_kinds(kinds)) if kinds else Plan(), **options)
    if outcome.inconclusive:
        return "no verdict", outcome.inconclusive
    first = next(iter(outcome.violations), None)
    return (first.invariant, first.sentence) if first else None


def bugs(which: str) -> dict[str, str]:
    """Return the bugs of a list: how each is called, and how the process that plays it is told."""
    import made_bugs

    if which == "made":
        return {bug.name: str(number) for number, bug in enumerate(made_bugs.read())}
    from chatsys.mutants.bugs import MUTANTS
    from chatsys.protocol.client import Client

    return {name: name for name, one in MUTANTS.items() if one.client is Client}


def main(which: str, most: str = "100", kinds: str = "", *, as_json: bool = False) -> None:
    """Measure all bugs of a list."""
    rows = []
    for name, told in bugs(which).items():
        command = [sys.executable, __file__, "one", told, most, kinds]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        last = done.stdout.strip().splitlines()[-1:] or [
            json.dumps({"seeds": 1, "by": "import", "sentence": done.stderr[-200:], "cpu": 0})
        ]
        row = json.loads(last[0])
        rows.append(row)
        if not as_json:
            print(f"{row['seeds'] if row['by'] else '-':>4} {row['by']:<10} {row['cpu']:6.1f}  {name}", flush=True)
    found = sorted(row["seeds"] for row in rows if row["by"])
    if as_json:
        print(json.dumps({"before": len(found)} if kinds else {"bugs": len(rows), "found": len(found)}))
        return
    shares = ", ".join(f"{sum(one <= upto for one in found)} in {upto}" for upto in (1, 3, 10, 30, 100))
    rate = sum(1 / seeds for seeds in found) / len(rows)
    print(f"{len(rows)} bugs; found within so many schedules: {shares}; mean rate {rate:.3f} a schedule; "
          f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime:.0f} CPU seconds")  # fmt: skip


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--json"]
    if words[0] == "one":
        play(words[1], int(words[2]), words[3])
    else:
        main(*words, as_json="--json" in sys.argv)
