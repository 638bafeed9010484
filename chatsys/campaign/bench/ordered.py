"""Ordered: what a client process is told to say, and what it tells in the end; both travel as one line of JSON.

Read also `load` (the process), `nodes` (who starts it).
"""

from array import array

import msgspec

from chatsys.protocol.messages import SubmitReply

AGAIN = 0.05
"""Seconds after which a client says again what was refused for the moment."""
PATIENCE = 20.0
"""Seconds in which sessions must open, and in which the last messages must be answered."""


class LoadOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said, and how."""

    addresses: tuple[str, ...] = ()
    """Where the connections go, in turn; none: to the leader, whom the measurement knows."""
    cluster: str = "chat"
    connections: int = 1
    outstanding: int = 1
    """Messages under way on each connection, at most."""
    bytes: int = 100
    """Of the text of each message."""
    seconds: float = 3.0
    warm: float = 0.5
    """Seconds before them, which do not count."""
    rate: float = 0.0
    """Messages a second of all connections together; 0: as many as are answered."""
    messages: int = 0
    """End after so many on each connection, if that is sooner; 0: time alone ends it."""

    @property
    def is_one_by_one(self) -> bool:
        """Whether one message at a time is under way, for a given time: a client that waits for each answer does that."""
        return self.connections == self.outstanding == 1 and not self.rate and not self.messages


class AnswerFrame(msgspec.Struct, frozen=True):
    """A frame that answers."""

    n: int
    clock: int
    message: SubmitReply


class Said(msgspec.Struct, kw_only=True):
    """What one connection said: a run is (number of the client, position in the log, how many)."""

    client_id: str
    acknowledged: int = 0
    runs: list[tuple[int, int, int]] = msgspec.field(default_factory=list)

    def note(self, number: int, seq: int) -> None:
        """Keep that message `number` was acknowledged with the position `seq`, as a run where it follows on the one before."""
        self.acknowledged += 1
        first, position, count = self.runs[-1] if self.runs else (0, 0, 0)
        if count and number == first + count and seq == position + count:
            self.runs[-1] = (first, position, count + 1)
        else:
            self.runs.append((number, seq, 1))


class LoadResult(msgspec.Struct, kw_only=True):
    """What came of an order; the times are of the messages that were acknowledged while it was measured, in seconds."""

    messages: int
    seconds: float
    cpu: float
    """Seconds of this process's CPU in that time."""
    again: int
    """How often something was refused for the moment."""
    latencies: dict[str, float]
    sessions: list[Said]
    loop: str = "none"
    """The event loop that this process ran on: a client that waits for each answer needs none."""


def quantiles(waits: "array[float]") -> dict[str, float]:
    """Return p50, p90, p99 and p99_9 of these seconds; nothing of none."""
    ascending = sorted(waits)
    fractions = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999}
    return {name: ascending[min(len(ascending) - 1, int(part * len(ascending)))] for name, part in fractions.items() if ascending}  # fmt: skip
