"""At rest: L6, as the nodes themselves see it.  When nobody speaks, nothing waits.

    status() --held_back, waiting, outbox of each node--> empty? kept.   For how long has nothing happened?
                                                          long enough: broken.   Not yet: open.

The trace shows what was held back (`check_live`), but not which frames wait for the disk, nor for
whose answer a node keeps an open place.  A node tells; both worlds add what the outbox holds.

Assumes   the world has been mended; a paused or dead node is not asked.
Read also `liveness` (the other laws), `protocol.node.Node.status`.
"""

from typing import Any

from chatsys.check.liveness import Verdict
from chatsys.check.violation import Violation
from chatsys.trace import Trace

QUEUES = {
    "held_back": ("batch", "batches", "of messages that came early", 10.0),
    "outbox": ("frame", "frames", "that waits for its disk", 10.0),
    "waiting": ("message", "messages", "of clients whose answer it owes", 27.0),
}
"""What may wait at a node: its name, what it is, and after how many heartbeats of quiet it must be gone.

Places for answers are swept after 8 s, and once more after that.
"""
_WORK = frozenset("submit append truncate promise boot role hold deliver start link_up".split())
"""After such a record something may wait with good reason."""


def check_rest(world: Any) -> Verdict:
    """Judge L6 by the status of a world or a cluster, now; `inconclusive` if something waits, but not for long yet."""
    status: dict[int, dict[str, Any]] = world.status()
    quiet = world.now - _busy(world.trace)
    beat = world.config.timing.heartbeat_interval
    broken: list[Violation] = []
    still: list[str] = []
    for node, facts in status.items():
        if not facts["alive"] or facts["paused"]:
            continue
        for name, (one, many, what, beats) in QUEUES.items():
            count = facts.get(name) or 0
            if not count:
                continue
            told = f"node {node} still keeps {count} {one if count == 1 else many} {what}"
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
