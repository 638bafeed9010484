"""The log in memory: what this node believes the order of all messages to be.

    position   1   2   3   4   5   6
    term       1   1   1   2   2   2
                       ^commit     ^last        commit <= verified <= last (for a follower)
                           ^verified

`commit`: a quorum holds everything up to here, for ever.  `verified`: everything up to here is
proved equal to the current leader's log; it falls back to `commit` whenever the term changes.

Why `verified` is a mark of its own.  Raft speaks of the "index of last new entry" and has no name for
it, so whoever writes Raft anew easily forgets it.  Then this happens (the schedule Q9):

    term 1   3 leads; it is cut off, and writes x and y at positions 4 and 5, on itself only
    term 2   2 leads with 1, and commits its barrier and z at positions 4 and 5
             the cut ends, and the first frame that reaches 3 is a HEARTBEAT: commit is 5

Node 3 has entries up to 5, but other ones.  If it went by the end of its own log, its users would read
x and y.  With the mark they do not: on entering term 2 its `verified` fell back to 3, and nothing but
batches of node 2 can raise it.

Assumes   an entry's label (seq, term) names it: equal labels, equal logs up to there (Raft 5.3).
The two marks move by two verbs only, and each says what must hold: `verify_to` and `commit_to`.

Promises  entries are added at the end, and removed only where a newer term says otherwise;
          removing a committed one is a broken invariant, or, in an unsafe cluster, an anomaly.
Read also `storage` (the same entries on disk), `ordering` and `catchup` (who calls `splice`).
"""

from bisect import bisect_left
from collections.abc import Sequence

from chatsys.actor.effects import Append, Effects, Note
from chatsys.config import Limits
from chatsys.errors import BrokenInvariant
from chatsys.protocol.decisions import Commit
from chatsys.protocol.members import Members
from chatsys.protocol.messages import Entry, Label
from chatsys.protocol.storage import Stored, Truncate

START = Label(0, 0)
"""The label before the first entry."""


class Log:
    """Entries 1..last with the two marks `commit` and `verified`."""

    def __init__(self, members: Members) -> None:
        self.members = members
        """Who counts; the parts read it as `state.members`."""
        self.entries: list[Entry] = []
        self.commit = 0
        self.verified = 0
        self.rewound: int | None = None
        """Unsafe clusters: the lowest position that was voided below `commit`, until sessions saw it."""

    @property
    def last_seq(self) -> int:
        """The position of the last entry; 0 if there is none."""
        return len(self.entries)

    @property
    def last(self) -> Label:
        """The label of the last entry."""
        return self.entries[-1].label if self.entries else START

    @property
    def first(self) -> int:
        """The lowest position that `entry` can give."""
        return 1

    def entry(self, seq: int) -> Entry:
        """The entry at `seq` (first..last)."""
        assert self.first <= seq <= len(self.entries), f"there is no entry {seq} here"
        return self.entries[seq - 1]

    def since(self, seq: int, last: int | None = None) -> Sequence[Entry]:
        """The entries that follow on the one at `seq`, up to the one at `last`, or all."""
        return self.entries[seq:last]

    def term_at(self, seq: int) -> int:
        """The birth term of the entry at `seq`; 0 for position 0."""
        return self.entries[seq - 1].term if seq else 0

    def label(self, seq: int) -> Label:
        """The label of the entry at `seq` (0..last)."""
        return self.entries[seq - 1].label if seq else START

    def holds(self, label: Label) -> bool:
        """Tell whether this very entry stands in the log."""
        return label.seq <= len(self.entries) and self.term_at(label.seq) == label.term

    def start_of_term(self, seq: int) -> int:
        """The first position whose entry has the same term as the one at `seq`."""
        return bisect_left(self.entries, self.term_at(seq), hi=seq, key=lambda entry: entry.term) + 1

    def batch(self, first: int, limits: Limits, upto: int | None = None) -> tuple[Entry, ...]:
        """Return entries from `first` on (to `upto`), as many as one frame may carry."""
        last = len(self.entries) if upto is None else upto
        chosen = self.entries[first - 1 : min(last, first - 1 + limits.batch_entries)]
        size = 0
        for count, entry in enumerate(chosen):
            size += entry.size
            if size > limits.batch_bytes and count:
                return tuple(chosen[:count])
        return tuple(chosen)

    # --- the two marks ---------------------------------------------------------------------

    def verify_to(self, seq: int) -> None:
        """Take in that everything up to `seq` is proved equal to the leader's log; it may be known already."""
        assert seq <= len(self.entries), "only what is here can be equal"
        if seq > self.verified:
            self.verified = seq

    def doubt(self) -> None:
        """Another leader, or none: of its log nothing is known but what is committed. SPECIFICATION R4.3."""
        self.verified = self.commit

    def commit_to(self, seq: int) -> Effects:
        """Take in that everything up to `seq` is committed; return the note and the decision, or nothing if it is old.

        Raising `commit` is the only way it moves, but for `_truncate` in an unsafe cluster.  Nothing is
        committed that is not proved to be the leader's (SPECIFICATION R8.18, S13).
        """
        if seq <= self.commit:
            return []
        assert seq <= self.verified <= len(self.entries), "commit <= verified <= last"
        self.commit = seq
        return [Note("commit", seq=seq, verified=self.verified), Commit(seq)]

    def restore(self, entries: list[Entry], commit: int) -> None:
        """Begin a life with what the disk holds, of which entries up to `commit` are known to be committed.

        From now on the list is the log's: a long one is not copied.
        """
        assert commit <= len(entries), "only what is here can be committed"
        self.entries = entries
        self.commit = self.verified = commit

    # --- entries ---------------------------------------------------------------------------

    def append(self, *entries: Entry) -> Append:
        """Put `entries` at the end; return the effect that makes them durable, one run."""
        for seq, entry in enumerate(entries, start=len(self.entries) + 1):
            assert entry.seq == seq, "an entry stands at the position it names"  # SPECIFICATION R8.1
        self.entries += entries
        return Append(*map(Stored, entries))

    def splice(self, entries: Sequence[Entry], after: int | None = None) -> Effects:
        """Make the log agree with `entries`, which follow on an entry it already holds, the one at `after`.

        What is already there stays; from the first entry whose label differs on, the own tail is
        void.  So a batch that comes late or twice does no harm: it agrees with what is there, and what
        came after it is not cut off.  (Raft 5.3 has the same rule, and the same reason: "if an existing
        entry conflicts with a new one", not "if there are entries".)  Only terms are compared, because
        one term has one leader, and a leader gives a position once.

        Suppose node 1 confirmed [4, 5] to leader 3, and then a delayed copy of the batch [4] arrives.
        If node 1 cut its log behind each batch it would lose 5, which the leader counts as held here.
        Then position 5 would be committed, be on the disk of node 3 only, and be lost with it.

        Raises `BrokenInvariant` if a committed entry would be voided in a safe cluster, or if
        the entries do not follow each other.
        """
        effects: Effects = []
        fresh: list[Stored] = []
        first = (entries[0].seq if after is None else after + 1) if entries else 0
        for seq, entry in enumerate(entries, start=first):
            if entry.seq != seq or not 1 <= seq <= len(self.entries) + 1:
                raise BrokenInvariant(
                    f"Entry {entry.seq} came where entry {min(seq, len(self.entries) + 1)} must stand; no node sends that."
                )
            if entry.seq <= len(self.entries):
                if self.entries[entry.seq - 1].term == entry.term:  # SPECIFICATION R1.6, R8.17
                    continue
                effects += self._truncate(entry.seq)
            self.entries.append(entry)
            fresh.append(Stored(entry))
        return [*effects, Append(*fresh)] if fresh else effects

    def _truncate(self, first: int) -> Effects:
        """Void the entries from `first` on: a newer leader has others there.

        What nobody was told of may go.  What is committed may not; if it must, two leaders decided the
        same positions, and then two quorums did not share a node.
        """
        effects: Effects = []
        if first <= self.commit:
            sentence = (
                f"entry {first} is to be replaced, but entries up to {self.commit} were committed here; "
                "two leaders decided the same positions"
            )
            if self.members.safe:  # SPECIFICATION R1.4
                raise BrokenInvariant(f"In this safe cluster {sentence}.")
            self.commit = first - 1
            self.rewound = first if self.rewound is None else min(self.rewound, first)  # SPECIFICATION R1.5
            effects.append(Note("anomaly", seq=first, reason=sentence))
        self.verified = min(self.verified, first - 1)  # SPECIFICATION R4.3
        del self.entries[first - 1 :]
        effects.append(Append(Truncate(first)))
        return effects
