"""Who delivered what at which number, and everything about it that is not as it should be.

    Matrix.of(trace)         the deliveries of all nodes
        .state(node, 4)      MISSING, SAME, AGAIN (caught up after a restart), DIFFERENT, TWICE
        .faults()            sentences: different messages, doubled messages, wrong order

A number at which nobody differs in words may still be wrong: where another node committed another
entry at the same place of the log, as a barrier, the message delivered there has no right to be.

Assumes   the trace of a world; without `append` and `commit` records only the deliveries are compared.
Read also `deliveries` (which draws this), `check` (the rules themselves, told as violations).
"""

from dataclasses import dataclass, field
from typing import Any

from chatsys.check.lives import REPLACED, renumbered
from chatsys.teach.figures.theme import escape
from chatsys.trace import Record, Trace

MISSING, SAME, AGAIN, DIFFERENT, TWICE = range(5)


@dataclass
class Matrix:
    """The facts behind the figures."""

    first: dict[int, Record] = field(default_factory=dict)
    """number -> its first delivery anywhere, with which all others are compared"""
    cells: dict[tuple[int, int], list[Record]] = field(default_factory=dict)
    """(node, number) -> the deliveries of this node at this number, in order"""
    made: dict[int, set[int]] = field(default_factory=dict)
    """number -> the terms in which what was delivered there was made"""
    disputed: set[int] = field(default_factory=set)
    """numbers at which different messages were delivered"""
    doubled: dict[tuple[int, int], Record] = field(default_factory=dict)
    """(node, number) -> the delivery, earlier in the same life, of the same message"""
    late: list[tuple[Record, Record]] = field(default_factory=list)
    """(earlier delivery, later delivery with a smaller number) of one life"""
    born: dict[int, float] = field(default_factory=dict)
    """node -> when its newest life so far began, for all that were restarted"""
    caught_up: set[tuple[int, int]] = field(default_factory=set)
    """(node, number) that was delivered elsewhere before this life of the node began, and by it only after"""
    terms: dict[int, int] = field(default_factory=dict)
    """place in the log -> the newest term of an entry that a node committed there"""

    @classmethod
    def of(cls, trace: Trace) -> "Matrix":
        """Collect all deliveries of a trace."""
        matrix, lives = cls(terms=_committed(trace)), dict[tuple[Any, ...], Record]()
        told = trace.of("deliver", "restart", "start", *REPLACED)
        for record in renumbered(Trace(sorted(told, key=lambda record: record.time))):
            if record.kind == "restart" and isinstance(record.node, int):
                matrix.born[record.node] = record.time
            elif isinstance(record.node, int) and record.msg_no is not None:
                matrix._take(record, record.node, record.msg_no, lives)
        return matrix

    def _take(self, record: Record, node: int, number: int, lives: dict[tuple[Any, ...], Record]) -> None:
        """Take in one delivery; `lives` knows the newest one, and the one of each message, of every life."""
        if said(record) != said(self.first.setdefault(number, record)):
            self.disputed.add(number)
        if (node, number) not in self.cells and self.first[number].time < self.born.get(node, 0.0):
            self.caught_up.add((node, number))
        self.cells.setdefault((node, number), []).append(record)
        if record.entry_term is not None:
            self.made.setdefault(number, set()).add(record.entry_term)
        life = (node, record.incarnation)
        before = lives.get(life)
        if before is not None and number < (before.msg_no or 0):
            self.late.append((before, record))
        lives[life] = record
        if record.client_seq is not None:
            known = lives.setdefault((*life, record.client, record.client_seq), record)
            if known is not record:
                self.doubled.setdefault((node, number), known)

    def state(self, node: int, number: int) -> int:
        """Return the state of one cell; the worst one, if several hold."""
        cell = self.cells.get((node, number))
        if not cell:
            return MISSING
        if any(said(record) != said(self.first[number]) for record in cell) or self.overruled(node, number):
            return DIFFERENT
        if (node, number) in self.doubled:
            return TWICE
        return AGAIN if (node, number) in self.caught_up else SAME

    def overruled(self, node: int, number: int) -> bool:
        """Tell whether all nodes say the same here, but this place of the log belongs to a newer entry."""
        if number in self.disputed:
            return False
        cell = self.cells.get((node, number), ())
        return any(
            record.entry_term is not None and record.entry_term < self.terms.get(record.seq or 0, 0) for record in cell
        )  # a learner is not told the term

    def variants(self, nodes: tuple[int, ...], number: int) -> list[Record]:
        """Return the different messages that were delivered at this number: one, if all is well."""
        found: dict[tuple[Any, ...], Record] = {}
        for node in nodes:
            for record in self.cells.get((node, number), ()):
                found.setdefault(said(record), record)
        return sorted(found.values(), key=lambda record: record.time)

    def terms_at(self, number: int) -> tuple[int, ...]:
        """Return the terms in which what was delivered at this number was made: one, if all is well."""
        return tuple(sorted(self.made.get(number, ())))

    def history(self, node: int, number: int) -> list[Record]:
        """Return the different messages that this node delivered at this number, in order."""
        found: dict[tuple[Any, ...], Record] = {}
        for record in self.cells.get((node, number), ()):
            found.setdefault(said(record), record)
        return list(found.values())

    def _all_changed(self, number: int) -> bool:
        """Tell whether every node that delivered here changed its mind, and all of them in the same way."""
        stories = [[said(one) for one in self.history(node, at)] for node, at in self.cells if at == number]
        return len(stories[0]) > 1 and all(story == stories[0] for story in stories)

    def odd(self, nodes: tuple[int, ...]) -> dict[int, list[int]]:
        """Return number -> nodes for every number at which a node misses, differs or repeats."""
        bad = {MISSING, DIFFERENT, TWICE}
        found = {n: [node for node in nodes if self.state(node, n) in bad] for n in sorted(self.first)}
        return {number: those for number, those in found.items() if those}

    def faults(self) -> list[str]:
        """Return a sentence for each kind of fault: empty, if all that was delivered was delivered well."""
        told = []
        changed = {number for number in self.disputed if self._all_changed(number)}
        if apart := sorted(self.disputed - changed):
            where = ", ".join(f"#{n}" for n in apart[:6]) + (" …" if len(apart) > 6 else "")
            told.append(f"The nodes do not agree: they delivered different messages at {where}.")
        for number in sorted(changed)[:1]:
            one, *_, other = self.history(next(node for node, at in self.cells if at == number), number)
            told.append(
                f"The nodes agree with each other, but not with what they said before: each of them delivered "
                f"{_words(one)} at #{number}, and later {_words(other)}."
            )
        for node, number in sorted(at for at in self.cells if self.overruled(*at))[:1]:
            told.append(
                f"The nodes do not agree: node {node} delivered {_words(self.first[number])} at #{number}, "
                "but this place in the log belongs to a newer entry."
            )
        for number in sorted({number for _, number in self.doubled})[:1]:
            known = {node: record for (node, at), record in sorted(self.doubled.items()) if at == number}
            record, nodes = next(iter(known.values())), " and ".join(f"node {node}" for node in known)
            told.append(f"{_words(record)} was delivered twice: at #{record.msg_no} and #{number} on {nodes}.")
        for before, record in self.late[:1]:
            told.append(f"Node {record.node} delivered #{record.msg_no} only after #{before.msg_no}: out of order.")
        return told


def said(record: Record) -> tuple[Any, ...]:
    """Return what makes two deliveries the same message."""
    return record.author, record.room, record.text, record.client, record.client_seq


def _words(record: Record) -> str:
    return f"'{escape(record.text or '', 24)}'"


def _committed(trace: Trace) -> dict[int, int]:
    """Return place in the log -> the newest term of an entry that a node committed there."""
    held: dict[tuple[object, int], int] = {}
    upto: dict[object, int] = {}
    newest: dict[int, int] = {}
    for record in trace.of("append", "commit"):
        if record.seq is None:
            continue
        if record.kind == "append":
            if record.entry_term is not None:
                held[record.node, record.seq] = record.entry_term
            continue
        for place in range(upto.get(record.node, 0) + 1, record.seq + 1):
            newest[place] = max(newest.get(place, 0), held.get((record.node, place), 0))
        upto[record.node] = max(upto.get(record.node, 0), record.seq)
    return newest
