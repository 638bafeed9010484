"""What the nodes promise each other, so that the users' promises can hold: S5, S6, S8, S12, S13.

    promise --> one per term, terms only rise          S6
    lead    --> one leader per term                     S5
                whose log holds all that is committed   S8
    append  --> equal labels, equal logs up to there    S12
    commit  --> rises, within what is verified          S13

Assumes   the records of one node are in the order in which they happened.
Read also `deliveries` (what users see of it), `durability` (S14), `protocol.succession`, which keeps S5 and S8.
"""

from chatsys.check.violation import Invariant, Life, Logs, Node, Violation, name_entry, when
from chatsys.trace import Record


class OneLeader(Invariant):
    """A leader that restarts has lost its term: it counts as another one."""

    name, title = "S5", "one leader per term"
    meaning = "In one term at most one node leads, and only in one of its lives."

    def __init__(self, logs: Logs, closed: bool) -> None:
        super().__init__(logs, closed)
        self.leaders: dict[int, Record] = {}
        self.named: set[tuple[int, Life]] = set()
        """Second leaders that were told of: a node that becomes leader writes two lines, its role and its lead."""

    def on_lead(self, record: Record) -> Violation | None:
        first = self.leaders.setdefault(record.term, record)
        life = (record.node, record.incarnation)
        if (first.node, first.incarnation) == life or (record.term, life) in self.named:
            return None
        self.named.add((record.term, life))
        who = f"node {first.node} led" if first.node != record.node else "the same node, before it restarted, led"
        return self.broken(
            record,
            f"{when(record)} node {record.node} became leader of term {record.term}, but {who} term {record.term} "
            f"since {first.time:.2f} s; a term must have one leader only.",
            first,
        )

    def on_role(self, record: Record) -> Violation | None:
        return self.on_lead(record) if record.role == "leader" else None


class OnePromise(Invariant):
    """A promise binds for ever, once it is durable; one that a crash took away was never made."""

    name, title = "S6", "terms rise, one promise per term"
    meaning = "The terms of a node never go back, and in one term it promises to follow one node only."
    frames = ("PROMISE", "PREPARE")

    def __init__(self, logs: Logs, closed: bool) -> None:
        super().__init__(logs, closed)
        self.promised: dict[Node, Record] = {}
        self.said: dict[Node, Record] = {}
        """The newest promise a node has told others, which a restart must not forget."""
        self.roles: dict[Life, Record] = {}
        self.starting: set[Life] = set()
        """Lives whose first sync has not ended: roles they took before they promised are told only then."""
        self.bound: dict[Node, Record] = {}
        """The newest promise, if later roles must respect it."""

    def on_disk(self, record: Record) -> None:
        """Another disk knows nothing of the promises on the old one; whether it may count is S5's and S8's matter."""
        for promises in (self.promised, self.said, self.bound):
            promises.pop(record.node, None)

    def on_start(self, record: Record) -> None:
        self.starting.add((record.node, record.incarnation))

    def on_durable(self, record: Record) -> None:
        self.starting.discard((record.node, record.incarnation))

    def on_promise(self, record: Record) -> Violation | None:
        before = self.promised.get(record.node)
        if before is not None and before.incarnation != record.incarnation:
            before = self.said.get(record.node)
        self.promised[record.node] = record
        if (record.node, record.incarnation) not in self.starting:
            self.bound[record.node] = record
        if before is None or before.term < record.term:
            return None
        if before.term > record.term:
            return self._went_back(record, before)
        if before.peer in (None, record.peer):
            return None
        return self.broken(
            record,
            f"{when(record)} node {record.node} promised term {record.term} to {_name(record.peer)}, but {when(before)} "
            f"it had promised term {record.term} to {_name(before.peer)}; a node gives one promise per term.",
            before,
        )

    def on_send(self, record: Record) -> None:
        promise = self.promised.get(record.node)
        if record.message in self.frames and promise is not None and promise.term == record.term:
            self.said[record.node] = promise

    def on_role(self, record: Record) -> Violation | None:
        life = (record.node, record.incarnation)
        before = self.roles.get(life)
        self.roles[life] = record
        promise = self.bound.get(record.node)
        if promise is not None and promise.incarnation != record.incarnation:
            promise = self.said.get(record.node)
            if promise is not None and promise.incarnation == record.incarnation:
                promise = None
        if promise is not None and (before is None or before.term < promise.term):
            before = promise
        return None if before is None or before.term <= record.term else self._went_back(record, before)

    def _went_back(self, record: Record, before: Record) -> Violation:
        return self.broken(
            record,
            f"{when(record)} node {record.node} was in term {record.term}, but {when(before)} it had been in the higher "
            f"term {before.term}; a node must never go back to a lower term.",
            before,
        )


class LeaderCompleteness(Invariant):
    """Looks both ways: at what is committed when a node leads, and at what turns out committed later."""

    name, title = "S8", "leader completeness"
    meaning = "The log of a new leader holds every entry that was committed in a lower term."

    def __init__(self, logs: Logs, closed: bool) -> None:
        super().__init__(logs, closed)
        self.committed: dict[int, tuple[Record, Record]] = {}
        self.led: list[tuple[Record, dict[int, Record], tuple[int, frozenset[int]]]] = []
        """Who led, with what log, and which positions of it nobody can tell."""
        self.top = 0

    def on_lead(self, record: Record) -> Violation | None:
        log = dict(self.logs.entries.get(record.node, {}))
        base, untold = self.logs.unknown(record.node)
        self.led.append((record, log, (base, untold)))
        self.top = max(self.top, record.term)
        for seq, (entry, commit) in self.committed.items():
            if seq > base and commit.term < record.term and not _holds(log, entry) and seq not in untold:
                return self._tell(record, log, entry, commit)
        return None

    def on_commit(self, record: Record) -> Violation | None:
        for seq, entry in self.logs.fresh:
            if self.committed.setdefault(seq, (entry, record))[0] is not entry or record.term >= self.top:
                continue
            for lead, log, (base, untold) in self.led:
                if lead.term > record.term and seq > base and not _holds(log, entry) and seq not in untold:
                    return self._tell(lead, log, entry, record)
        return None

    def _tell(self, lead: Record, log: dict[int, Record], entry: Record, commit: Record) -> Violation:
        mine = log.get(entry.seq or 0)
        has = f"held {name_entry(mine)} at" if mine is not None else "did not have"
        late, early = (lead, commit) if lead.time >= commit.time else (commit, lead)
        return self.broken(
            late,
            f"{when(lead)} node {lead.node} became leader of term {lead.term}, but its log {has} position {entry.seq}, "
            f"where node {commit.node} committed {name_entry(entry)} in term {commit.term} {when(commit)}; "
            "a leader must have every entry that was committed before.",
            entry, early,
        )  # fmt: skip


class LogMatching(Invariant):
    """Labels (position, term) never lie: equal label, equal entry, equal predecessor."""

    name, title = "S12", "log matching"
    meaning = "A log has no hole; entries of the same position and term are the same, with the same entry before them."

    def __init__(self, logs: Logs, closed: bool) -> None:
        super().__init__(logs, closed)
        self.labels: dict[tuple[int, int | None], tuple[Record, int | None]] = {}

    def on_append(self, record: Record) -> Violation | None:
        seq = record.seq
        if seq is None:
            return None
        if self.logs.hole is not None:
            return self._hole(record, self.logs.hole)
        before = self.logs.entries[record.node].get(seq - 1)
        previous = before.entry_term if before is not None else None
        first, first_previous = self.labels.setdefault((seq, record.entry_term), (record, previous))
        if first is record:
            return None
        label = f"position {seq} of term {record.entry_term}"
        if first.text != record.text or first.client != record.client or first.client_seq != record.client_seq \
                or first.entry != record.entry:  # fmt: skip
            return self.broken(
                record,
                f"{when(record)} node {record.node} wrote {name_entry(record)} as {label}, but node {first.node} had "
                f"written {name_entry(first)} as {label} {when(first)}; one label must mean one entry.",
                first,
            )
        if previous is None or first_previous is None or previous == first_previous:
            return None
        return self.broken(
            record,
            f"{when(record)} node {record.node} wrote {label} after an entry of term {previous}, but node {first.node} "
            f"had written it after an entry of term {first_previous}; logs with an equal entry must be equal before it.",
            first,
        )

    def _hole(self, record: Record, end: Record) -> Violation:
        ended = (
            f"ended at position {end.seq}" if end is not record else f"did not reach position {(record.seq or 0) - 1}"
        )
        return self.broken(
            record,
            f"{when(record)} node {record.node} wrote {name_entry(record)} at position {record.seq}, but its log {ended}; "
            "a log has no holes.",
            *([end] if end is not record else []),
        )


class CommitRises(Invariant):
    """What is committed stays; and a node commits only what it knows to equal its leader's log."""

    name, title = "S13", "commit rises, within verified"
    meaning = "Within one life the commit never goes back, never passes what is verified, and is never removed."

    def __init__(self, logs: Logs, closed: bool) -> None:
        super().__init__(logs, closed)
        self.commits: dict[Life, Record] = {}

    def on_commit(self, record: Record) -> Violation | None:
        life = (record.node, record.incarnation)
        before = self.commits.get(life)
        self.commits[life] = record
        assert record.seq is not None, "a commit has a position"
        if before is not None and record.seq < (before.seq or 0):
            return self.broken(
                record,
                f"{when(record)} node {record.node} committed up to position {record.seq}, but {when(before)} it had "
                f"committed up to position {before.seq}; a commit must never go back.",
                before,
            )
        if record.verified is not None and record.seq > record.verified:
            return self.broken(
                record,
                f"{when(record)} node {record.node} committed up to position {record.seq}, but only the positions up to "
                f"{record.verified} were known to equal the log of its leader.",
            )
        return None

    def on_truncate(self, record: Record) -> Violation | None:
        before = self.commits.get((record.node, record.incarnation))
        if before is None or before.seq is None or record.seq is None or record.seq > before.seq:
            return None
        del self.commits[(record.node, record.incarnation)]
        return self.broken(
            record,
            f"{when(record)} node {record.node} removed the entries from position {record.seq} on, but {when(before)} it "
            f"had committed up to position {before.seq}; a committed entry must never be removed.",
            before,
        )


def _holds(log: dict[int, Record], entry: Record) -> bool:
    mine = log.get(entry.seq or 0)
    return mine is not None and mine.entry_term == entry.entry_term


def _name(peer: Node) -> str:
    return "no node yet" if peer is None else f"node {peer}"


REPLICAS: tuple[type[Invariant], ...] = (OneLeader, OnePromise, LeaderCompleteness, LogMatching, CommitRises)
