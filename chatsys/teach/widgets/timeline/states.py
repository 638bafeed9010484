"""States: what every node is, holds and has delivered after each event, decided once and written into columns.

What is hard about it is decided here, with the rules of the invariants (`check.violation.Logs` for what a log
holds, `check.durability.Syncs` for what a sync covers, `check.lives` for a new disk), and written into columns:

    event          1 start      4 append 1      5 append 2      9 durable       12 commit      15 truncate 2
    log_end            0             1               2               2               2               1
    log_durable        0             0               0               1               1               1
    log_commit         0             0               0               0               1               1

So whoever scrubs needs no rules.  At an event with `log_end` >= 0 the log of its lane ends there: boxes beyond vanish,
and so do those up to `log_base`, which nobody can tell; if the event is one of `BOXES` (in the lane of a learner also a
`deliver`) and its `seq` is the end, it is the new box there.  A box is durable up to `log_durable` and committed up to
`log_commit`.  `held` is a position that begins to wait; an append at s lets all up to s + 1 go, a delivery the one with
its number, and a kind of `EMPTIES` all.
`now_role`, `now_term`, `now_alive` and `now_delivered` are those of the lane right after the event; a client, and the
world, have a `now_alive` below 0.

Assumes   records in the order of events.
Promises  no rule of its own: where the invariants accuse nobody, a node holds what is told here.
Read also `moment` (who folds the columns), `packing` (where they go), `check.violation` (why a place can be unknown).
"""

from collections.abc import Callable, Sequence
from math import inf

import msgspec

from chatsys.check.durability import Syncs
from chatsys.check.lives import KINDS as LIVES
from chatsys.check.lives import Lives
from chatsys.check.violation import Logs
from chatsys.teach.figures.role_spans import OF_THE_WORLD, WITH_ANOTHER_TERM
from chatsys.teach.widgets.timeline.lanes import Lanes
from chatsys.trace import Record

BOXES = ("append", "keep")
"""Kinds of records that put a box into a log; and of a learner, in its next life, `deliver`."""
EMPTIES = ("follow", "lead", "start", "crash", "stop", "broken", "refused")
"""Kinds of records after which the hold-back queue of a node is empty."""
DOWN, UP, PAUSED = range(3)
"""The values of `now_alive`."""

_WRITES = frozenset({"boot", "hint", "promise", "met", "accepted", "joined", "gone", "append", "truncate", "keep"})
"""Kinds of records that tell that something was written to the disk."""
LOG = ("log_end", "log_base", "log_durable", "log_commit")
"""The columns about the log of a lane."""
NOW = ("now_role", "now_term", "now_alive", "now_delivered")
"""The columns about the node of a lane."""


class _Disk:
    """What is durable of one node's log."""

    def __init__(self) -> None:
        self.durable = 0
        self.voided: list[tuple[float, int]] = []
        """(when, position) from which on other entries came, since the last sync began."""
        self.kept: list[tuple[float, int]] = []
        """(when, position) of what a learner kept, since then."""
        self.hints: list[tuple[float, int]] = []
        """(when, position) up to which the disk is told that all is committed, since then."""
        self.hint = 0
        """The highest one that is durable: the next life knows it."""

    def void(self, time: float, position: int) -> None:
        """What stood at a position, and behind it, is gone."""
        if position <= self.durable:
            self.durable = position - 1
        self.voided.append((time, position))

    def end_sync(self, seq: int | None, covered: float) -> None:
        """A sync ended that covered all that was written up to the moment `covered`, in a log that ended at `seq`."""
        done = [position for time, position in self.kept if time <= covered]
        self.hint = max([self.hint, *(position for time, position in self.hints if time <= covered)])
        self.kept = [one for one in self.kept if one[0] > covered]
        self.hints = [one for one in self.hints if one[0] > covered]
        self.voided = [one for one in self.voided if one[0] > covered]
        least = min((position - 1 for _, position in self.voided), default=None)
        upto = max([seq or 0, *done])
        self.durable = max(self.durable, upto if least is None else min(upto, least))


class States:
    """The fold: feed it the records, read the columns."""

    def __init__(self, lanes: Lanes, roles: Callable[[str], int], simulated: bool, held_by: str = "seq") -> None:
        self.lanes, self.roles, self.simulated, self.held_by = lanes, roles, simulated, held_by
        self.logs, self.lives, self.syncs = Logs(), Lives(), Syncs()
        self.disks: dict[object, _Disk] = {}
        self.now: dict[object, tuple[int, int, int, int]] = {}
        self.before_pause: dict[object, tuple[int, int, int, int]] = {}
        self.columns: dict[str, list[int]] = {name: [] for name in (*LOG, "held", *NOW)}
        self.empty: set[tuple[object, object]] = set()
        """(node, peer) whose last batch had no entries: such a batch is not held, whatever is noted."""

    def feed(self, records: Sequence[Record]) -> dict[str, list[int]]:
        """Take in all records, in the order of events; return the columns."""
        columns = self.columns
        columns["held"] = [self._held(record) for record in records]
        log = [columns[name] for name in LOG]
        now = [columns[name] for name in NOW]
        nothing, nobody = (-1, -1, -1, -1), (0, -1, -1, -1)
        for record in records:
            take = _TAKES.get(record.kind)
            for column, value in zip(log, nothing if take is None else self._log(take, record), strict=True):
                column.append(value)
            for column, value in zip(now, self._state(record) if type(record.node) is int else nobody, strict=True):
                column.append(value)
        return columns

    # --- logs -------------------------------------------------------------------------------

    def _log(self, take: "Take", record: Record) -> tuple[int, int, int, int]:
        if record.kind in LIVES or self.lives.shift:
            record, on_another_disk = self.lives.take(record)
            if on_another_disk:
                self.logs.on_disk(record)
                self.disks.pop(record.node, None)
        node = record.node
        disk = self.disks.get(node)
        if disk is None:
            disk = self.disks[node] = _Disk()
        if not take(self, record, disk):
            return (-1, -1, -1, -1)
        end = self.logs.last.get(node, 0)
        commit = end if record.role == "learner" else self.logs.commit.get((node, record.incarnation), 0)
        return end, self.logs.base.get(node, 0), min(disk.durable, end), commit

    def on_start(self, record: Record, disk: _Disk) -> bool:
        """A life found so much on its disk; and what it found is durable."""
        logs, node = self.logs, record.node
        self.syncs.begin((node, record.incarnation))
        if record.role == "learner":  # it says so as it delivers
            logs.on_truncate(msgspec.structs.replace(record, seq=disk.durable + 1))
        else:
            if record.seq is None and logs.last.get(node):
                logs.on_truncate(msgspec.structs.replace(record, seq=1))
            logs.on_start(record)
            disk.durable = record.seq or 0
        logs.commit[node, record.incarnation] = min(disk.hint, logs.last.get(node, 0))
        disk.voided, disk.kept, disk.hints = [], [], []
        return True

    def on_write(self, record: Record, disk: _Disk) -> bool:
        """Something was written that is no entry."""
        self.syncs.wrote((record.node, record.incarnation), record.time)
        return False

    def on_hint(self, record: Record, disk: _Disk) -> bool:
        """The disk is told how far the log is committed."""
        disk.hints.append((record.time, record.seq or 0))
        return self.on_write(record, disk)

    def on_append(self, record: Record, disk: _Disk) -> bool:
        """An entry was written."""
        self.on_write(record, disk)
        if record.seq is None:
            return False
        if record.seq <= self.logs.last.get(record.node, 0):
            disk.void(record.time, record.seq)
        self.logs.on_append(record)
        return True

    def on_truncate(self, record: Record, disk: _Disk) -> bool:
        """Entries are void."""
        self.on_write(record, disk)
        if record.seq is None:
            return False
        disk.void(record.time, record.seq)
        self.logs.on_truncate(record)
        return True

    def on_keep(self, record: Record, disk: _Disk) -> bool:
        """A learner kept a message."""
        self.on_write(record, disk)
        if record.seq is None or record.seq <= self.logs.last.get(record.node, 0):
            return False
        disk.kept.append((record.time, record.seq))
        self.logs.last[record.node] = record.seq
        return True

    def on_deliver(self, record: Record, disk: _Disk) -> bool:
        """What is delivered is committed; and a learner delivers what lies on its disk since an earlier life."""
        seq, life = record.seq, (record.node, record.incarnation)
        if seq is None:
            return False
        if record.role == "learner":
            is_new = seq > self.logs.last.get(record.node, 0)
            if is_new:
                self.logs.last[record.node] = disk.durable = seq
            return is_new
        is_new = seq > self.logs.commit.get(life, 0) and record.node in self.logs.entries
        if is_new:
            self.logs.commit[life] = seq
        return is_new

    def on_durable(self, record: Record, disk: _Disk) -> bool:
        """A sync ended."""
        self.logs.on_durable(record)
        covered = self.syncs.end((record.node, record.incarnation), record.time)
        disk.end_sync(record.seq, covered if self.simulated else inf)
        return True

    def on_commit(self, record: Record, disk: _Disk) -> bool:
        """The node knows of more that is committed."""
        self.logs.on_commit(record)
        return True

    def on_stop(self, record: Record, disk: _Disk) -> bool:
        """A life ended in peace: all that was written is kept."""
        self.logs.on_stop(record)
        disk.end_sync(self.logs.last.get(record.node, 0), inf)
        return True

    def on_pause(self, record: Record, disk: _Disk) -> bool:
        """A node is paused; what a sync covers that ends meanwhile, it will see when it goes on."""
        self.syncs.paused.add(record.node)
        return False

    def on_resume(self, record: Record, disk: _Disk) -> bool:
        """It goes on."""
        self.syncs.resume(record.node, record.time)
        return False

    def on_folder(self, record: Record, disk: _Disk) -> bool:
        """Somebody emptied or replaced the folder: `lives` remembers it for the next start."""
        return False

    # --- the queue, the role ----------------------------------------------------------------

    def _held(self, record: Record) -> int:
        """Return the position that begins to wait with this record, or -1."""
        if record.kind == "receive":
            if record.message == "PROPOSE":
                pair = (record.node, record.peer)
                (self.empty.add if record.seq is None else self.empty.discard)(pair)
        elif record.kind == "hold" and (record.node, record.peer) not in self.empty:
            number = getattr(record, self.held_by)
            if number is not None and not (record.reason or "").startswith("dropped"):
                return int(number)
        return -1

    def _state(self, record: Record) -> tuple[int, int, int, int]:
        """Return role, term, life and last delivery of the node right after this record of it."""
        node, kind = record.node, record.kind
        role, term, alive, delivered = state = self.now.get(node, (0, 0, DOWN, 0))
        if kind in ("crash", "broken", "refused", "stop"):
            state = (0, 0, DOWN, delivered)
        elif kind == "start":
            state = (self.roles(record.role or "up"), record.term, UP, 0)
        elif kind == "pause" and alive == UP:
            state = (role, term, PAUSED, delivered)
        elif kind == "resume" and alive == PAUSED:
            state = (role, term, UP, delivered)
        elif kind not in OF_THE_WORLD and alive == UP or node not in self.now:
            if kind == "deliver" and record.msg_no is not None:
                delivered = record.msg_no
            if record.role or node not in self.now:  # what a world writes about a node has no role
                role, term = self.roles(record.role or "up"), term if kind in WITH_ANOTHER_TERM else record.term
            state = (role, term, UP, delivered)
        self.now[node] = state
        return state


Take = Callable[[States, Record, _Disk], bool]
"""Takes in a record about a log; tells whether the log may have changed."""

_TAKES: dict[str, Take] = {
    **dict.fromkeys(_WRITES, States.on_write),
    "start": States.on_start, "hint": States.on_hint, "append": States.on_append, "truncate": States.on_truncate, "keep": States.on_keep,
    "deliver": States.on_deliver, "durable": States.on_durable, "commit": States.on_commit, "stop": States.on_stop,
    "pause": States.on_pause, "resume": States.on_resume, "wipe": States.on_folder, "restored": States.on_folder,
}  # fmt: skip
