"""One election alone, so that its messages can be counted: nobody suspects anything unless it is told to.

    one_election(MyBully, nodes=5, first=1)              all are up, the lowest begins     n² - 1 messages
    one_election(MyBully, 5, first=4, dead=True)         the leader is down, node 4 begins      n
    quiet(MyBully, nodes=5)                              a minute in which nothing happens      none

    n = 4, all up, node 1 begins:   ELECTION 3 + 2 + 1   OK 3 + 2 + 1   COORDINATOR 3   = 15

A message takes 50 ms, always: so all that one node sends arrives at once, and the count is no matter of luck.

Read also `figures.elections` (the picture of it), `stage` (what it is to doubt).
"""

from typing import Any

from chatsys.teach.labs.lab05.orders import Alive
from chatsys.teach.labs.lab05.runs import ElectionRun, begin, doubt
from chatsys.trace import Record, Trace

TRIP = 0.05
BEGINS = 0.1
"""Seconds after which the first node suspects."""
SETTLES = 10.0
"""Seconds after which an election is over, and the quiet minute begins."""


def one_election(cls: Any, nodes: int, first: int, dead: bool = False) -> ElectionRun:
    """Return the run of one election of `nodes`, which node `first` begins; with `dead` the highest node is down."""
    what = f"node {nodes} is down" if dead else "all are up"
    run = begin(cls, f"With {nodes} nodes ({what}, node {first} begins)", 0, nodes, "off", shortest=TRIP, longest=TRIP)
    if dead:
        run.world.crash(nodes)
    run.until(BEGINS)
    doubt(run, first)
    run.until(BEGINS + SETTLES)
    return run


def quiet(cls: Any, nodes: int, seed: int) -> ElectionRun:
    """Return a run in which nothing happens for a minute after the first election."""
    run = begin(cls, f"With seed {seed}", seed, nodes)
    run.until(SETTLES + 60)
    return run


def messages(trace: Trace, since: float = 0.0) -> list[Record]:
    """Return what the class sent: every message that is no heartbeat."""
    return [one for one in trace.of("send") if one.message != _HEARTBEAT and one.time >= since]


_HEARTBEAT = Alive.__struct_config__.tag
