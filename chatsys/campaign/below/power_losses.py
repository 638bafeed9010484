"""Power losses: at each moment of a run, what a node would find if the power failed now.

    on the disk       batch 1 | batch 2 |
    perhaps, too                         batch 3 ...      none of it, all of it, a part; and pages of zeros before that

A node that is killed shows one of these files.  Here every moment is tried, with the run that was watched anyway:
the file as it would be found is read by the node's own recovery, which must neither call it damaged nor miss a record
that was on the disk.  (The idea is ALICE's: Pillai and others, "All File Systems Are Not Created Equal", OSDI 2014.)

Promises  a sentence for each file that could not be read, or lacked what was synced; and how many were read.
Read also `images` (what may be found), `actor.logfile` (who reads it), `sim.disk` (the same in the simulator).
"""

from random import Random

from chatsys.actor.logfile import decode
from chatsys.campaign.below.events import CUT, SYNC, WRITE, SystemCall
from chatsys.campaign.below.images import DiskImage
from chatsys.errors import LogError
from chatsys.protocol.storage import NODE_RECORDS, Stored, Truncate

PAGE = 512
"""Bytes that reach a disk together."""


class PowerLosses:
    """Lets the power fail beside events of logs, and reads what is found then."""

    def __init__(self, most: int = 400) -> None:
        self.most = most
        """So many files are read at most: each is read as a whole."""
        self.read = 0
        self.broken: list[str] = []
        self._random = Random("power losses")

    def take(self, event: SystemCall, image: DiskImage) -> None:
        """Something has just happened to a log: let the power fail."""
        if event.kind not in (WRITE, SYNC, CUT):
            return
        unsynced = image.unsynced
        choices = {(0, 0), (unsynced, 0)}
        if unsynced:
            kept = self._random.randrange(unsynced + 1)
            choices |= {(kept, 0), (unsynced, PAGE - len(image.disk) % PAGE)}
        for kept, zeros in sorted(choices):
            if self.read < self.most:
                self._find(image, kept, zeros)

    def _find(self, image: DiskImage, kept: int, zeros: int) -> None:
        self.read += 1
        found = image.after_power_loss(kept, zeros)
        try:
            records = decode(found, NODE_RECORDS).records
        except LogError as error:
            self.broken.append(f"After a power loss with {kept} unsynced bytes kept a log cannot be read: {error}")
            return
        entries = 0
        longest = 0
        for record in records:
            entries = record.first - 1 if isinstance(record, Truncate) else entries + isinstance(record, Stored)
            longest = max(longest, entries)
        if longest < image.facts.longest:
            self.broken.append(
                f"After a power loss a log of {image.facts.longest} synced entries is read as one of {longest}."
            )
