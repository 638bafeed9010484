"""Bench: what is measured, and how.  Every line is one measurement, with its unit in the key.

    throughput   acknowledged messages per second, what each costs; all logs and deliveries compared afterwards
    latency      submit to acknowledgement, one message at a time
    failover     from the end of the leader to the next acknowledged message: by kill -9 and by silence
    leaving      the time without an acknowledgement when a leader is killed, and when it is told to stop, in turn
    silence      from a leader that falls silent to each client's next acknowledgement, in many rounds
    catchup      a follower that missed much: seconds until it has all, and what others feel meanwhile
    startup      from nothing to a leader that serves; what `import chatsys` costs; a start on a long log
    growth       time and memory of a node against the messages in its log
    schedules    fault schedules played and checked in the simulator, on one core
    simulator    events per CPU second: two small actors, beside SimPy where it is installed, and whole nodes

Times are of this machine at this moment: compare lines of one run only, and look at the load.

    served        load (a client process)  ordered (what it is told)  nodes (as a user starts them)
                  compared (is it true?)  etcd (beside us)
    starting  returning  without_leader  simulated

Assumes   nothing else of weight runs; clients, like nodes, use real sockets, files and syncs.
Read first `served`; the command line prints these lines with `chatsys bench`.
"""

from collections.abc import Callable, Iterator
from typing import Any

from chatsys.campaign.bench.lines import Line
from chatsys.campaign.bench.returning import catchup
from chatsys.campaign.bench.served import latency, throughput
from chatsys.campaign.bench.simulated import schedules, simulator
from chatsys.campaign.bench.starting import growth, startup
from chatsys.campaign.bench.without_leader import failover, leaving, silence
from chatsys.errors import UsageError
from chatsys.runtime.service import LOOPS as LOOPS

PLACES = ("kernel", "processes")
PEERS = ("etcd",)
ANYWHERE = ("sim", *PLACES)
"""Where silence can be measured."""

BENCHES: dict[str, Callable[..., Iterator[Line]]] = {
    "throughput": throughput, "latency": latency, "failover": failover, "leaving": leaving, "silence": silence,
    "catchup": catchup, "startup": startup, "growth": growth, "schedules": schedules, "simulator": simulator,
}  # fmt: skip
NAMES = tuple(BENCHES)


def run(name: str, **options: Any) -> Iterator[Line]:
    """Yield the lines of the bench `name`; `options` are those of the function of that name."""
    if name not in NAMES:
        raise UsageError(f"bench is {name!r}; there are {', '.join(NAMES)}.")
    return BENCHES[name](**options)
