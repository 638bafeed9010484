"""The lamp: do the rules hold?  Judged while the run goes on, a little at each look.

    trace --news, in order of time--> Checker --Violation--> a plain sentence first, the rule and its places after it

Assumes   records of one world come in order; those of real nodes a little out of order, by less than `LAG`.  If one comes
          later than that, the lamp begins anew and is dark for as long as it takes.
Promises  one look takes at most about `BUDGET` seconds, however long the run is; a rule that was broken stays broken.
Read also `check` (the rules), `panel` (who looks).
"""

import time
from operator import attrgetter
from typing import Any

from chatsys.check import SAFETY, Checker
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
                violation.invariant, (violation.time, plain(violation.plain, 300), plain(violation.sentence, 600))
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
        others = len([name for name in names[1:] if name != "broken"])  # that no node stops itself is none of the rules
        more = f" {others} more of the {len(SAFETY)} rules are broken." if others > 1 else ""
        more = " Another rule is broken, too." if others == 1 else more
        return {"held": False, "says": f"Since {when:.1f} s: {says}{more}", "code": code}
