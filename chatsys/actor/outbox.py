"""The outbox: frames that wait until the records they rest on are durable.

    Append --> disk (written) ....sync....> durable
    Send ----> outbox  --- waits until everything written before it is durable --> wire

Assumes   a completed sync makes all earlier bytes of the file durable.
Promises  no frame but those marked `overtakes_disk` leaves before the records it may rest on
          (write-ahead rule; what a frame says is on the disk because of this line alone).
Read also `effects` (the order that this keeps), `logfile`, `sim.disk` and `runtime.disk` (who drive this).
"""

from collections import deque

import msgspec

from chatsys.actor.actor import Address


class Outbox:
    """Holds frames back until every record written before them is durable.

        records     r1   r2   r3   r4          frames: A sent after r2, B after r4, C before r1
        durable     -----------^               C and A have left, B waits

    This one rule stands in the place of a dozen: no handler has to think of the disk, and none can
    forget to.  It is stricter than it need be, since a frame may wait for a record that it does not
    rest on; the four kinds of frames that must not wait, and need not, are marked `overtakes_disk`.
    They are safe because the term of a leader was durable before its PREPARE left, an entry counts by
    ACKs and not by being proposed, and what is committed lies on the disks of a quorum.

    A node's frames to itself pass through here too, so its own promise and its own copy of an entry
    count when they are durable, exactly like those of others.

    The disk calls `wrote` and `synced`; the host asks `admit` for each frame.  Counts are of
    records since the start of this life.
    """

    def __init__(self) -> None:
        self.written = 0
        self.durable = 0
        self._waiting: deque[tuple[int, Address, msgspec.Struct]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def wrote(self, count: int = 1) -> None:
        """Note that `count` more records were handed to the disk."""
        self.written += count

    def admit(self, to: Address, message: msgspec.Struct) -> bool:
        """Tell whether `message` may leave now; if not, it is kept for `synced` to return."""
        if self.durable == self.written or getattr(message, "overtakes_disk", False):  # SPECIFICATION R12.2
            return True
        self._waiting.append((self.written, to, message))
        return False

    def synced(self, upto: int) -> list[tuple[Address, msgspec.Struct]]:
        """Note that the first `upto` records are durable; return the frames that may leave now."""
        assert upto <= self.written, "a disk cannot have synced more than was written"
        self.durable = max(self.durable, upto)
        free: list[tuple[Address, msgspec.Struct]] = []
        while self._waiting and self._waiting[0][0] <= self.durable:
            _, to, message = self._waiting.popleft()
            free.append((to, message))
        return free

    def rebase(self) -> None:
        """Count from here on: records that are durable need no number any more.

        A search needs this, for otherwise equal states differ in how long their history is.
        """
        self._waiting = deque((upto - self.durable, to, message) for upto, to, message in self._waiting)
        self.written -= self.durable
        self.durable = 0
