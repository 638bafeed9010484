"""Below a node: real processes, watched from outside and on a system that is worse than this one.

    node process --write, sync, send--> below.c (LD_PRELOAD) --> the system
                                           `--events--> images: what each disk held at each moment
                                                             `--> witness: was it there before it was said?

The other checkers read the trace that a node writes of itself; a disk that never syncs writes the same trace as one
that does.  Here nobody asks the node.  A library between Python and the C library writes down each write, sync and
send with the time of this machine.  From that the contents of every disk are worked out, as they would be found after
a power loss, and each frame is held against them.

The same library makes things worse: a disk that forgets what was not synced, or tears it, that is slow, that
fails once and then works again; a wall clock that jumps, monotonic clocks of unequal rates.

Assumes   Linux and a C compiler; all processes are on one machine, so that one clock times them all.
Promises  a process that is not started `under` it is not touched.
Read also `preload` (how it is built and begun), `events`, `images`, `witness`, `power_losses`, `clocks`; `campaign.soaking` (who talks meanwhile).
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chatsys.campaign.below.clocks import true_times
from chatsys.campaign.below.events import read_events
from chatsys.campaign.below.power_losses import PowerLosses
from chatsys.campaign.below.preload import library, loaded
from chatsys.campaign.below.witness import Witness
from chatsys.errors import NotHere, UsageError
from chatsys.runtime.cluster import Cluster
from chatsys.temporary import remove, temporary
from chatsys.trace import Trace

KINDS = {
    "watched": "",
    "forgets": "forgets=0.3",
    "slow": "slow=1:3:/node3/",
    "clocks": "wall=20000 drift=0.05",
    "bad": "forgets=0.3 short=0.3 wall=20000 drift=0.05",
}
"""What a soak may be run on: each kind and its settings, which `below.c` explains."""


class Below:
    """A folder of events that processes write, and what is to be judged of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def judge(self, members: Iterable[int], quorum: int) -> Witness:
        """Return what the events up to now say of the promises of these nodes, and of power losses beside them."""
        judged, losses = Witness(members, quorum), PowerLosses()
        events = read_events(self.folder)
        if not events:
            raise NotHere(
                f"Nothing of the processes was seen: the library in {self.folder} was not loaded into them; name a temporary "
                "folder (TMPDIR) that has no space in its name and may run programs."
            )
        step = 1 + sum(event.path.endswith("/log.jsonl") for event in events) * 3 // losses.most
        for number, event in enumerate(events):
            judged.take(event)
            if number % step == 0 and (image := judged.disks.images.get(event.path)) is not None:
                losses.take(event, image)
        judged.end()
        judged.broken += losses.broken
        judged.judged["power losses"] = losses.read
        return judged

    def true_times(self, trace: Trace, now: float) -> Trace:
        """Return the trace of a cluster whose time is now `now`, with the times of nodes that have wrong clocks put right."""
        origin = time.monotonic() - now  # at once: to read the events takes a while
        return true_times(trace, read_events(self.folder), origin)


def seen(cluster: Cluster, below: Below | None) -> tuple[Trace, list[str], dict[str, int]]:
    """Return the trace, and what who watched from below has seen: what was broken, and how much was watched."""
    if below is None:
        return cluster.trace, [], {}
    trace = below.true_times(cluster.trace, cluster.now)
    witness = below.judge(cluster.nodes, cluster.config.quorum)
    return trace, witness.broken, {**witness.judged, "syncs": witness.syncs}


@contextmanager
def under(kind: str = "watched", *more: str) -> Iterator[Below]:
    """Watch the processes that are started meanwhile; `kind` is one of `KINDS`, `more` are further settings of `below.c`.

    Raises `UsageError` for another kind, and `NotHere` where there is no such library to be had.
    """
    if kind not in KINDS:
        raise UsageError(f"There is no system called {kind!r:.40} to run on; choose from {', '.join(KINDS)}.")
    folder = temporary()
    try:
        settings = " ".join(filter(None, (f"watch={folder}", KINDS[kind], *more)))
        with loaded(library(folder), settings):
            yield Below(folder)
    finally:
        remove(folder)
