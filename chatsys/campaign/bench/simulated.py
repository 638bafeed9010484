"""Simulated: how fast the simulator is: schedules played and checked, and its engine beside SimPy.

Read also `campaign.one_seed` (one schedule), `sim.simulation` (the engine).
"""

import time
from collections.abc import Iterator

import msgspec

from chatsys.campaign.bench.lines import Line, line
from chatsys.campaign.one_seed import Plan, run_seed
from chatsys.faults import KINDS

BRIEF = Plan(kinds=KINDS, seconds=1.0, calm=1.0)
"""A schedule as a grader plays it: about 300 events."""
LONG = Plan(kinds=KINDS, seconds=60.0, calm=45.0, talk=0.5)
"""A schedule as a night's sweep plays it."""


def schedules(nodes: int = 3, rounds: int = 5) -> Iterator[Line]:
    """Measure fault schedules per second, played, traced and checked on one core; no world runs beside it."""
    run_seed(0, BRIEF)
    for length, plan, count in (("brief", BRIEF, 40 * rounds), ("long", LONG, rounds)):
        plan = msgspec.structs.replace(plan, nodes=nodes)
        began = time.process_time()
        results = [run_seed(seed, plan) for seed in range(count)]
        seconds = time.process_time() - began
        events = sum(result.events for result in results)
        yield line(
            "schedules", "sim", length=length, nodes=nodes, schedules=count,
            virtual_seconds=plan.seconds + plan.calm, events_per_schedule=events / count,
            events_per_second=events / seconds, schedules_per_second=count / seconds,
        )  # fmt: skip
