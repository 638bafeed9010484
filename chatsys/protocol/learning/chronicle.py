"""Chronicle: the disk of a learner, its lives and what it has heard.

    7 are kept:  DELIVERED [9]   overtook 8, and waits
                 DELIVERED [8]   keep 8 and 9, deliver them

Each life begins with a boot record, as a member's does, and then shows again what was heard before: whoever reads
what a learner delivers need not know how many lives it had.

Assumes   what comes from a member is committed.
Promises  the messages are numbered 1, 2, 3, ..., each kept once and delivered once in a life.
Read also `records` (the records), `learner` (who has one).
"""

from collections.abc import Iterable, Iterator

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Append, Deliver, Delivery, Effects
from chatsys.actor.logfile import FORMAT, other_format
from chatsys.config import ClusterConfig
from chatsys.errors import ForeignLog
from chatsys.protocol.learning.records import Gone, Joined, KeptMessage, LearnerBoot, replay_learner
from chatsys.protocol.messages import Delivered
from chatsys.protocol.public import Heard
from chatsys.protocol.serving.subscribers import CREDIT
from chatsys.protocol.storage import Boot


class Chronicle:
    """What learner `me` keeps: which life this is, on which folder, and message n as `heard[n - 1]`."""

    def __init__(self, me: Address, config: ClusterConfig) -> None:
        self.me, self.config = me, config
        self.drawn = ("", "")
        """The name that the folder gets if it has none, and the nonce of this life."""
        self.boot: LearnerBoot | None = None
        self.known: ClusterConfig | None = None
        """The cluster as it stands on the disk."""
        self.gone = False
        """Whether this learner has left."""
        self.heard: list[Heard] = []
        self.early: dict[int, Heard] = {}
        """What overtook the next message: within the credit, so it is bounded."""
        self.delivered = 0
        """How many of them were delivered in this life."""

    @property
    def identity(self) -> str:
        """The name of the folder."""
        return self.boot.identity if self.boot else ""

    @property
    def nonce(self) -> str:
        """Of this life."""
        return self.boot.nonce if self.boot else ""

    @property
    def incarnation(self) -> int:
        """Which life it is."""
        return self.boot.incarnation if self.boot else 0

    # --- lives -----------------------------------------------------------------------------

    def recover(self, records: Iterable[msgspec.Struct]) -> None:
        """Take back what was kept.  Raises `ForeignLog` for a member's log and for another learner's."""
        found = replay_learner(self._own(records), f"of learner {self.me}")
        self.boot, self.known, self.heard, self.gone = found.boot, found.config, found.heard, found.gone

    def _own(self, records: Iterable[msgspec.Struct]) -> Iterator[msgspec.Struct]:
        """Yield these records, once it is known of each that it is none of another node."""
        for record in records:
            self._check_owner(record)
            yield record

    def _check_owner(self, record: msgspec.Struct) -> None:
        if isinstance(record, Boot):  # SPECIFICATION R19.9
            raise ForeignLog(
                f"This folder is that of node {record.node}, a member of cluster {record.cluster!r}; learner {self.me} "
                "keeps a folder of its own: name another one, or an empty one."
            )
        if not isinstance(record, LearnerBoot):
            return
        if record.format != FORMAT:
            raise other_format(record.format)
        if (record.cluster, record.node) != (self.config.cluster, self.me):
            raise ForeignLog(
                f"This folder is that of learner {record.node} of cluster {record.cluster!r}, not of learner {self.me} "
                f"of {self.config.cluster!r}; name the folder in which this learner's own log is, or an empty one."
            )

    def begin(self) -> Effects:
        """Begin a life: its number and the name of its folder are durable before anybody hears of it."""
        name, nonce = self.drawn
        if self.boot is not None:
            name, nonce = self.boot.identity, nonce if self.boot.identity else ""
        self.boot = LearnerBoot(self.incarnation + 1, self.config.cluster, self.me, identity=name, nonce=nonce)
        effects: Effects = [Append(self.boot)]  # SPECIFICATION R19.9
        if self.known != self.config:
            self.known = self.config
            effects.append(Append(Joined(self.config)))
        return effects + self.deliver()

    def end(self) -> Effects:
        """Write down that this learner has left: no life of this folder joins again."""
        self.gone = True
        return [Append(Gone())]

    # --- messages --------------------------------------------------------------------------

    def cursor(self) -> int:
        """Return the number of the last message kept: what follows on it is asked for."""
        return len(self.heard)  # SPECIFICATION R19.7

    def keep(self, delivered: Delivered) -> Effects:
        """Keep what comes next, in order; what overtook it waits, as far as a member may send ahead."""
        kept: list[KeptMessage] = []
        for entry, number in zip(delivered.entries, delivered.numbers, strict=True):
            if len(self.heard) < number <= len(self.heard) + CREDIT:
                self.early[number] = entry
        while (number := self.next(len(self.heard))) in self.early:
            entry = self.early.pop(number)
            self.heard.append(entry)
            kept.append(KeptMessage(len(self.heard), entry))
        return [Append(*kept), *self.deliver()] if kept else []

    def next(self, last: int) -> int:
        """Return the number that follows on message `last`: what comes behind it waits."""
        return last + 1  # SPECIFICATION R19.7

    def deliver(self) -> Effects:
        """Hand on what was kept and not delivered yet in this life."""
        first, self.delivered = self.delivered, len(self.heard)
        deliveries = [
            Delivery(one.seq, number, one.author, one.text, one.room, None, one.client, one.client_seq)
            for number, one in enumerate(self.heard[first:], start=first + 1)
        ]
        return [Deliver(*deliveries)] if deliveries else []

    def numbered(self, number: int, room: str | None) -> tuple[Heard, int] | None:
        """Return message `number` and its size; None if it is of another room."""
        one = self.heard[number - 1]
        return (one, 320 + 4 * (len(one.text) + len(one.author) + len(one.room))) if room in (None, one.room) else None
