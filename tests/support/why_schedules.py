"""A table of answers, one for each directed schedule: what `why_not` says of its message that was the latest.

    python tests/support/why_schedules.py            all of them, as text
    python tests/support/why_schedules.py Q1 C7      these

A schedule is led by hand, with gates at which frames wait, so nothing is tried; what it shows is how the first half reads.
For each schedule, played with its flaw, there is also what `why` says of the violation.

Read also `why_not` (random runs, which are tried).
"""

import sys
from collections.abc import Iterable

from chatsys.campaign.why import Question, why
from chatsys.errors import UsageError
from chatsys.mutants.schedules import DIRECTED
from chatsys.trace import Trace

LATE = 0.1
"""Seconds."""


def latest(trace: Trace) -> tuple[tuple[str, int], int, float] | None:
    """Return the message that was the latest at a node (or never came), and a moment just before it came."""
    came = {(r.client, r.client_seq, r.node): r.time for r in reversed(trace.of("deliver"))}
    end = trace[-1].time
    late = [
        (came.get((r.client, r.client_seq, node), end) - r.time, r.client or "", r.client_seq or 0, node)
        for r in trace.of("submit")
        for node in trace.meta["members"]
    ]
    most, client, number, node = max(late, default=(0.0, "", 0, 0))
    if most < LATE:
        return None
    time = came.get((client, number, node), end)
    return (client, number), node, round(time - min(0.01, most / 2), 3)


def tell(names: Iterable[str]) -> None:
    """Print the answers for these schedules."""
    for name in names:
        one = DIRECTED[name]
        print(f"\n## {name} {one.title}")
        played = one.play()
        asked = latest(played.trace)
        if asked is None:
            print("   Every message came at once.")
        else:
            pair, node, before = asked
            try:
                print(f"   why_not(..., node={node}, before={before}):")
                print(f"   {Question(played.trace, 0.0).why_not(pair, node, before)}")
            except UsageError as error:
                print(f"   NO ANSWER: {error}")
        flawed = one.play(flawed=True)
        if flawed.violation is not None:
            print(f"   with {one.flaw}: {why(flawed.trace, flawed.violation, seconds=0)}", flush=True)


if __name__ == "__main__":
    tell(sys.argv[1:] or DIRECTED)
