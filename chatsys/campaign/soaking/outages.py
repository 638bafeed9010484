"""Outages: after each fault, how long nobody was served.

    acks     | | | |             | | | |        |
    faults          x crash 1            x pause 2
    outage          <----------->        <----->    the longest pause until the next fault

Assumes   somebody talks all along; else a pause says nothing.
Promises  a mend is no fault of its own: what it takes counts for the fault before it.
Read also `soak` (which reports them), `drawn` (where the faults come from).
"""

import msgspec

from chatsys.campaign.soaking.storm import Storm
from chatsys.faults import Script
from chatsys.trace import Trace


class Outage(msgspec.Struct, frozen=True):
    """One fault, and the longest time without an acknowledgement until the next one."""

    at: float
    fault: str
    seconds: float


def outages(trace: Trace, script: Script, begin: float) -> tuple[Outage, ...]:
    """For each fault the longest pause between two acknowledgements until the next fault."""
    acks = [record.time - begin for record in trace.of("ack")]
    starts = [fault for fault in script if fault.verb not in ("mend", "heal")]
    found = []
    for fault, after in zip(starts, [*starts[1:], None], strict=False):
        end = after.time if after else (acks[-1] if acks else fault.time)
        words = f"{fault.verb} {' '.join(map(str, fault.args))}".strip()
        found.append(Outage(round(fault.time, 2), words, _longest_pause(acks, fault.time, end)))
    return tuple(found)


def longest_of_a_storm(trace: Trace, storm: Storm | None, begin: float, mended: float) -> tuple[Outage, ...]:
    """The longest pause of all: in a storm no pause belongs to one kill."""
    if storm is None:
        return ()
    pause = _longest_pause([record.time for record in trace.of("ack")], begin, mended)
    return (Outage(0.0, f"kill -9, {storm.kills} times", pause),)


def _longest_pause(acks: list[float], begin: float, end: float) -> float:
    inside = [begin, *(time for time in acks if begin < time <= end), end]
    return round(max(0.0, *(b - a for a, b in zip(inside, inside[1:], strict=False))), 3)
