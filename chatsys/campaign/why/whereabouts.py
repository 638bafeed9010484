"""Whereabouts: what became of one message of the chat up to a moment: where it was ordered, held, durable, committed, delivered.

    append at 3 (term 1, position 4)   append at 1    durable at 3, 1     commit at 3   ...  truncate at 3
    `-- an Attempt: orderer, label --- holders: {3, 1} --- on disk: {3, 1} --- committed at 3 --- holders: {1}

A message can be ordered more than once: what a leader ordered and brought to no quorum may be thrown away, and the
client says it again.  Each label is an attempt of its own.

Assumes   records in order of time.
Read also `obligations` (what is made of it), `check.violation.Logs` (how a trace tells what a log holds).
"""

import math
from collections.abc import Sequence
from typing import Any

from chatsys.campaign.why.spoken import Spoken
from chatsys.check.lives import Lives
from chatsys.check.violation import Logs
from chatsys.trace import Record, Trace


class Attempt:
    """One label of the message: where it stood, and since which event (places in the order of time)."""

    def __init__(self, record: Record, event: int) -> None:
        self.term, self.seq, self.orderer, self.event = record.entry_term, record.seq or 0, record.node, event
        self.holders: dict[Any, bool] = {}
        """Nodes whose log holds it, and whether it is on their disk."""
        self.held: dict[Any, int] = {}
        """Since when a node's log holds it, the last time it did."""
        self.lost: dict[Any, int] = {}
        """When a node's log lost it."""
        self.spans: dict[Any, list[tuple[int, float]]] = {}
        """From which event to which a node's log held it; more than once, if it was lost and came again."""
        self.stored: int | None = None
        """When a quorum had it on disk."""
        self.quorum: frozenset[Any] = frozenset()
        """Who these were."""
        self.commits: dict[Any, int] = {}
        """When each node knew that it is committed."""

    def held_at(self, node: Any, event: int) -> bool:
        """Tell whether a node's log held it at an event: who does not have it cannot send it."""
        return any(begin <= event <= end for begin, end in self.spans.get(node, ()))

    @property
    def on_disk(self) -> list[Any]:
        """The nodes that have it on their disks, ascending."""
        return sorted(node for node, durable in self.holders.items() if durable)

    @property
    def committed(self) -> int | None:
        """When the first node knew that it is committed."""
        return min(self.commits.values(), default=None)

    @property
    def committer(self) -> Any:
        """The first node that knew it."""
        return min(self.commits, key=lambda node: self.commits[node], default=None)


class Whereabouts:
    """The fold over all records up to `until` seconds."""

    def __init__(self, trace: Trace, records: Sequence[Record], spoken: Spoken, until: float) -> None:
        self.spoken, self.quorum = spoken, int(trace.meta.get("quorum") or 1)
        self.members = frozenset(trace.meta.get("members") or trace.nodes)
        self.submits: list[int] = []
        self.attempts: dict[tuple[Any, int], Attempt] = {}
        self.delivered: dict[Any, int] = {}
        self.started: dict[Any, int] = {}
        """The event with which the present life of a node began."""
        self.ended: dict[Any, int] = {}
        """The event with which the last life of a node that is over ended."""
        self.ends: dict[Any, int] = {}
        self.logs, self.lives = Logs(), Lives()
        for event, record in enumerate(records):
            if record.time > until:
                break
            self._take(event, record)

    @property
    def attempt(self) -> Attempt | None:
        """The attempt that counts: one that is committed, else the newest that some log still holds."""
        tries = list(self.attempts.values())
        committed = [one for one in tries if one.commits]
        return committed[0] if committed else next((one for one in reversed(tries) if one.holders), None)

    @property
    def undone(self) -> Attempt | None:
        """The last attempt that every log lost."""
        return next((one for one in reversed(self.attempts.values()) if not one.holders and not one.commits), None)

    def end_of_log(self, node: Any) -> int:
        """Return the last position of a node's log."""
        return self.logs.last.get(node, 0)

    def _take(self, event: int, record: Record) -> None:
        node = record.node
        told, fresh = self.lives.take(record)
        match record.kind:
            case "submit" if self.spoken.is_in(record):
                self.submits.append(event)
            case "deliver" if self.spoken.is_in(record):
                self.delivered.setdefault(node, event)
            case "start":
                self.started[node] = event
                if fresh:
                    self.logs.on_disk(record)
                self.logs.on_start(told)
                self._look(event, node, durable=True)
            case "crash" | "stop":
                self.ended[node] = event
            case "truncate":
                self.logs.on_truncate(told)
                self._look(event, node)
            case "append":
                self.logs.on_append(told)
                if record.entry in (None, "chat") and record.client is not None and self.spoken.is_in(record):
                    self._appended(event, record)
                self._look(event, node)
            case "durable":
                self._durable(event, node, math.inf if record.seq is None else record.seq)
            case "commit":
                self._commit(event, node, record.seq or 0)

    def _appended(self, event: int, record: Record) -> None:
        label = (record.entry_term, record.seq or 0)
        attempt = self.attempts.get(label)
        if attempt is None:
            attempt = self.attempts[label] = Attempt(record, event)
        if record.node not in attempt.holders:
            attempt.held[record.node] = event
            attempt.spans.setdefault(record.node, []).append((event, math.inf))
        attempt.holders.setdefault(record.node, False)

    def _look(self, event: int, node: Any, durable: bool = False) -> None:
        """See whether a node's log still holds each attempt."""
        log = self.logs.entries.get(node, {})
        for (term, seq), attempt in self.attempts.items():
            if node in attempt.holders:
                entry = log.get(seq)
                if entry is None or entry.entry_term != term or not self.spoken.is_in(entry):
                    del attempt.holders[node]
                    attempt.lost[node] = event
                    attempt.spans[node][-1] = (attempt.spans[node][-1][0], event)
                elif durable:
                    self._durable(event, node, seq)

    def _durable(self, event: int, node: Any, end: float) -> None:
        for attempt in self.attempts.values():
            if node in attempt.holders and attempt.seq <= end:
                attempt.holders[node] = True
                if attempt.stored is None and len(self.members & set(attempt.on_disk)) >= self.quorum:
                    attempt.stored, attempt.quorum = event, self.members & set(attempt.on_disk)

    def _commit(self, event: int, node: Any, seq: int) -> None:
        for attempt in self.attempts.values():
            if node in attempt.holders and attempt.seq <= seq:
                attempt.commits.setdefault(node, event)
