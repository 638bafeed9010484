"""The law of rest, L6, judged by what the nodes themselves report: when nobody speaks, nothing waits.

A node at rest should hold back no batch, keep no frame in its outbox, and owe no client an answer.
Each node reports these three counts in `status()`.  A count above zero is wrong only if nothing has
happened for so long that it should have gone by then:

    count is 0                                        the law is kept
    count is above 0, and the quiet has been long     the law is broken
    count is above 0, and the quiet has been short    inconclusive: how much longer it would take

A trace alone cannot tell all of this.  It shows which batches were held back (`check_live` judges
them), but not which frames wait for a disk, nor whom a node still means to answer.

Assumes   all faults have been mended.  Nodes that are paused or dead are not judged.
Promises  it never calls a short quiet a success: then the verdict is `inconclusive`.
Read also `liveness` (the other laws), `protocol.node.Node.status` (the counts).
"""

from typing import Any, Protocol

from chatsys.check.liveness import Verdict
from chatsys.check.violation import Violation
from chatsys.config import ClusterConfig
from chatsys.trace import Trace

QUEUES = {
    "held_back": ("batch of messages that came early", "batches of messages that came early", 10.0),
    "outbox": ("frame that waits for its disk", "frames that wait for its disk", 10.0),
    "waiting": ("message of a client whose answer it owes", "messages of clients whose answers it owes", 27.0),
}
"""What may wait at a node: its name, what it is, and after how many heartbeats of quiet it must be gone.

Places for answers are swept after 8 s, and once more after that.
"""
_WORK = frozenset("submit append truncate promise boot role hold deliver start link_up".split())
"""After such a record something may wait with good reason."""


class Asked(Protocol):
    """What this law asks: every `faults.testbed.Testbed` answers it."""

    config: ClusterConfig

    @property
    def now(self) -> float:
        """The present moment."""

    @property
    def trace(self) -> Trace:
        """The history so far."""

    def status(self) -> dict[int, dict[str, Any]]:
        """Say of each node how it is."""


def check_rest(world: Asked) -> Verdict:
    """Judge L6 by the status of a world or a cluster, now; `inconclusive` if something waits, but not for long yet."""
    status = world.status()
    quiet = world.now - _busy(world.trace)
    beat = world.config.timing.heartbeat_interval
    broken: list[Violation] = []
    still: list[str] = []
    for node, facts in status.items():
        if not facts["alive"] or facts["paused"]:
            continue
        for name, (one, many, beats) in QUEUES.items():
            count = facts.get(name) or 0
            if not count:
                continue
            told = f"node {node} still keeps {count} {one if count == 1 else many}"
            if quiet < beats * beat:
                still.append(f"L6: {told}; {beats * beat - quiet:.1f} s more of quiet would be needed to tell.")
            else:
                sentence = f"L6 at rest: {told}, although for {quiet:.1f} s nobody has said or written anything."
                broken.append(Violation(invariant="L6", sentence=sentence, time=world.now, node=node))
    if broken:
        return Verdict(verdict="fail", violations=tuple(broken), open=tuple(still))
    return Verdict(verdict="inconclusive" if still else "pass", open=tuple(still))


def _busy(trace: Trace) -> float:
    """Return when something happened last that may make a node keep something."""
    return next((record.time for record in reversed(trace.records) if record.kind in _WORK), 0.0)
