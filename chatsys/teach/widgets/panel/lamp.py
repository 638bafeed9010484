"""The lamp: do the rules hold?  Judged while the run goes on, a little at each look.

    trace --news, in order of time--> Checker --Violation--> a plain sentence first, the rule and its places after it

Assumes   records of one world come in order; those of real nodes a little out of order, by less than `LAG`.  If one comes
          later than that, the lamp begins anew and is dark for as long as it takes.
Promises  one look takes at most about `BUDGET` seconds, however long the run is; a rule that was broken stays broken.
Read also `check` (the rules), `panel` (who looks).
"""

import time
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from chatsys.check import SAFETY, Checker, Violation
from chatsys.check.durability import DURABILITY
from chatsys.check.replicas import REPLICAS
from chatsys.teach.figures.theme import plain
from chatsys.trace import Record, Trace

LAG = 1.0
"""Seconds of real time after which no older record comes any more, as a rule."""
BUDGET = 0.02
STRIDE = 100
"""Records between two looks at the clock."""
BACKLOG = 2_000
"""While so many records wait, the lamp says how far it has come."""

_INSIDE = frozenset(kind.name for kind in REPLICAS + DURABILITY)
"""Rules about what no user sees."""


class Lamp:
    """Reads a growing trace and knows whether every rule held so far."""

    def __init__(self, trace: Trace) -> None:
        self.lag = 0.0 if trace.meta.get("where") == "sim" else LAG
        self._begin()

    def _begin(self) -> None:
        self.checker = Checker(closed=not self.lag)
        self.read, self.upto = 0, 0.0
        self.ahead: list[Record] = []
        """Records that were read and not judged, in order of time."""
        self.broken: dict[str, tuple[float, str, str]] = {}
        """The first time that each rule was broken: when, in plain words, in the words of the rule."""

    def look(self, trace: Trace, now: float, budget: float = BUDGET) -> None:
        """Judge what is new, for at most `budget` seconds."""
        end = time.perf_counter() + budget
        found, self.read = trace.news(self.read)
        if found and self.lag:
            if min(record.time for record in found) < self.upto:
                self._begin()
                found, self.read = trace.news(0)
            self.ahead = sorted([*self.ahead, *found], key=attrgetter("time"))
        else:
            self.ahead += found
        at, ripe = 0, now - self.lag
        while at < len(self.ahead) and self.ahead[at].time <= ripe:
            if at and at % STRIDE == 0 and time.perf_counter() > end:  # some are judged in any case
                break
            self._judge(self.ahead[at])
            at += 1
        if at:
            self.upto = self.ahead[at - 1].time
            del self.ahead[:at]

    def _judge(self, record: Record) -> None:
        for violation in self.checker.feed(record):
            self.broken.setdefault(
                violation.invariant, (violation.time, in_plain(violation), plain(violation.sentence, 600))
            )
        if record.kind == "broken":
            why = plain(record.reason or "", 300)
            told = f"Node {record.node} stopped itself, for it could not go on without breaking a rule."
            self.broken.setdefault("broken", (record.time, told, f"broken: node {record.node} stopped itself: {why}"))

    def state(self) -> dict[str, Any]:
        """Return what is drawn: whether all holds, the sentence, and the rule's own words."""
        if not self.broken:
            behind = len(self.ahead) > BACKLOG
            upto = f" up to {self.upto:.1f} s; the rest is being read" if behind else ""
            return {"held": True, "says": f"All {len(SAFETY)} rules hold{upto}.", "code": ""}
        names = sorted(self.broken, key=lambda name: (name == "broken", name in _INSIDE, self.broken[name][0]))
        when, says, code = self.broken[names[0]]
        more = f" {len(names) - 1} more of the {len(SAFETY)} rules are broken." if len(names) > 2 else ""
        more = " Another rule is broken, too." if len(names) == 2 else more
        return {"held": False, "says": f"Since {when:.1f} s: {says}{more}", "code": code}


def in_plain(violation: Violation) -> str:
    """Return a sentence about a violation for somebody in the first hour: no rule's name, no place in a log."""
    tell = _WORDS.get(violation.invariant)
    return tell(violation) if tell is not None else "A rule of this cluster is broken."


def _node(violation: Violation) -> str:
    return f"Node {violation.node}" if isinstance(violation.node, int) else "A node"


def _disagree(violation: Violation) -> str:
    *_, one, other = (None, None, *violation.records)
    if one is None or other is None or not (one.kind == other.kind == "deliver" and one.msg_no and other.msg_no):
        return "Two nodes have different messages at the same place of their logs."
    mine = f"node {other.node} shows “{plain(other.text or '', 40)}” as #{other.msg_no}"
    if one.node == other.node:
        return f"N{mine[1:]}, where it showed “{plain(one.text or '', 40)}” before."
    return f"N{mine[1:]}, but node {one.node} shows “{plain(one.text or '', 40)}” as #{one.msg_no}."


def _lost(violation: Violation) -> str:
    told = next((record for record in violation.records if record.kind == "ack" and record.msg_no), None)
    if told is None:
        return "A message is lost or another one, although its author was told that it is safe."
    who, node = plain(told.author or "Somebody", 16), _node(violation)
    return f"{who} was told that “{plain(told.text or '', 40)}” is safe as #{told.msg_no}, but {node[:1].lower()}{node[1:]} does not show it there."


_WORDS: dict[str, Callable[[Violation], str]] = {
    "S1": _disagree,
    "S2": lambda found: f"{_node(found)} shows its messages in a wrong order, or one of them twice.",
    "S3": lambda found: f"{_node(found)} left out a message.",
    "S4": lambda found: f"{_node(found)} shows one message twice.",
    "S5": lambda _: "Two nodes lead in the same term.",
    "S6": lambda found: f"{_node(found)} promised to follow two nodes in one term, or went back to an older term.",
    "S7": _lost,
    "S8": lambda found: f"{_node(found)} leads, but it lacks a message that was committed before.",
    "S9": lambda found: f"{_node(found)} shows two messages of one author in a wrong order.",
    "S10": lambda _: "A message came before another one that was acknowledged before it was said.",
    "S11": lambda found: f"{_node(found)} shows a message that nobody said.",
    "S12": lambda _: "The logs of two nodes do not fit together.",
    "S13": lambda found: f"{_node(found)} took back what was committed.",
    "S14": lambda found: f"{_node(found)} said that it had stored what was not on its disk yet.",
    "S16": lambda _: "An author was told that a message is safe before a quorum had stored it.",
    "S17": lambda _: "One learner's number stood for two of them.",
}
