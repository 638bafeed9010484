"""Recovery: what a durable log means.

A log is a history: entries come and are voided again, promises follow each other.  What a node must
know at boot is what that history comes to, and it is computed here and nowhere else.

    boot, promise(1), entry 1, entry 2, promise(2), truncate(2), entry 2', commit 1
      `--> boot, promise(2), [entry 1, entry 2'], hint 1

Who asks: a node at boot, the comparison of log files (`check.log_files`), and the explorer, which
keeps the fewest records that mean the same.

A torn end is forgiven, a hole is not.  The records come here from `actor.logfile.decode`, which drops
a last batch that was not synced and refuses what was synced and fails its check.  Both follow from one
question: what may others believe of this disk?

    node 2 holds  1 2 3     the crash tore the batch with 3: its sync had not ended, so ACK(3) never left
                            node 2, and nobody is deceived if 3 is missing now
    node 2 holds  1 2 3     the batch with 2 rots: ACK(2) had left long ago.  If node 2 began again with entry 1,
                            and none but 2 and 3 had held entry 2, then 1 and 2 could elect without it

Where one file cannot tell which of the two it was (the last batch, and no mark behind it), it is taken for torn,
with a warning that names the entries.

So the second node must not start: as a member that is down it harms nobody, as one that has forgotten
it loses a message that was acknowledged.  (Alagappan and others, *Protocol-Aware Recovery for
Consensus-Based Storage*, FAST 2018, find systems that cut the log at the hole, and so lose data.)

Promises  `replay(records, where)` raises `DamagedLog` at the first record that cannot follow on those before
          it; replaying `Recovered.records()` gives the same again.
Read also `storage` (the records), `node.Node.recover`, `log` (the same entries in memory).
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from chatsys.errors import DamagedLog
from chatsys.protocol.messages import Entry
from chatsys.protocol.storage import Accepted, Boot, CommitHint, Promised, Remembered, Stored, Truncate

NONCES = 32
"""A node shows the nonces of so many of its latest lives; whoever met an earlier one can no longer compare."""


class Recovered(msgspec.Struct, frozen=True):
    """What records mean: the latest lives, the last promise, the log, how far it was committed, and who was met."""

    boots: tuple[Boot, ...]
    """The latest lives, `NONCES` of them at most; the last one alone, if lives have no nonce."""
    promise: Promised | None
    entries: list[Entry]
    """The log in memory goes on with this very list."""
    hint: int
    met: tuple[Remembered, ...] = ()
    """The members that are remembered, each as it was met last."""

    @property
    def boot(self) -> Boot | None:
        """The last life, if there was one."""
        return self.boots[-1] if self.boots else None

    @property
    def incarnation(self) -> int:
        """The number of the last life; 0 if there was none."""
        return self.boot.incarnation if self.boot else 0

    @property
    def term(self) -> int:
        """The highest term promised."""
        return self.promise.term if self.promise else 0

    def records(self) -> tuple[Any, ...]:
        """Return the fewest records that mean this."""
        promise = [self.promise] if self.promise is not None else []
        last = [CommitHint(self.hint)] if self.hint else []
        return (*self.boots, *promise, *map(Stored, self.entries), *last, *self.met)


def replay(records: Iterable[msgspec.Struct], where: str | None = None) -> Recovered:
    """Return what `records` mean, which stand in the log `where`.

    Raises `DamagedLog` with the number of the first record that cannot come next (`logfile.line_of` knows its line).  Without `where` the
    records are known to be sound (this program has just written them), and nothing is checked.
    """
    boot, promise, hint = None, None, 0
    boots: list[Boot] = []
    met: dict[int, Remembered] = {}
    entries: list[Entry] = []
    for line, record in enumerate(records, start=1):
        next_entry = type(record) is Stored and record.entry.seq == len(entries) + 1  # most of a log is this
        if where is not None and not next_entry and (why := misfit(record, boot, promise, len(entries))):
            raise DamagedLog(where, line, why)
        match record:
            case Stored(entry=entry):
                entries.append(entry)
            case Promised():
                promise = record  # SPECIFICATION R4.1, R12.7
            case CommitHint(seq=seq):
                hint = min(seq, len(entries))
            case Truncate(first=first):
                del entries[first - 1 :]
                hint = min(hint, first - 1)  # SPECIFICATION R12.10
            case Boot():
                boot = record
                boots = [*boots[1 - NONCES :], boot] if boot.nonce else [boot]
            case Remembered(node=node):
                met[node] = record  # SPECIFICATION R4.6
            case Accepted(node=node):
                met.pop(node, None)
    return Recovered(tuple(boots), promise, entries, hint, tuple(met.values()))


def misfit(record: msgspec.Struct, boot: Boot | None, promise: Promised | None, last: int) -> str | None:
    """Say why `record` cannot come next in a log that ends at `last`, or None.

    A checksum says that a batch is as it was written; this says that its records may stand *there*.  Lines that
    are whole and yet do not follow on each other come from two files in one, or from two processes that
    wrote to one file, and then no meaning of the log is the right one.
    """
    match record:
        case Stored(entry=entry) if entry.seq != last + 1:
            return f"entry {entry.seq} follows entry {last}"
        case Promised(term=term) if promise is not None and term < promise.term:  # SPECIFICATION R3.10, R12.7
            return f"a promise for term {term} follows one for term {promise.term}"
        case CommitHint(seq=seq) if not 0 <= seq <= last:
            return f"entries up to {seq} are committed, but there are {last}"
        case Truncate(first=first) if not 1 <= first <= last:
            return f"entries from {first} on are voided, but there are {last}"
        case Boot(incarnation=life) if life < 1 or (boot is not None and boot.incarnation != life - 1):
            return f"life {life} follows life {boot.incarnation if boot else 0}"
        case Boot(identity=name) if boot is not None and boot.identity != name:
            return f"a life of the folder {name[:8]} follows one of the folder {boot.identity[:8]}"
    return None
