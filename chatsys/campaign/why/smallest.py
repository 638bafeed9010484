"""Smallest: which faults must go so that something happens that did not; no proper part of them is enough.

    without one of those that lay over the wait?  -- yes -->  the one without which it happens first
    without all of these? without all there are?  -- no -->   no fault is to blame
      --drop halves, quarters, single ones--> fewer           (delta debugging, Zeller and Hildebrandt 2002)
      --every proper part, the smaller first--> the smallest
      --each of the others alone, if it is still more than one--> that one

Delta debugging alone ends where no *single* one can be given back.  Faults help and hinder each other: without the crash
the second cut hits another leader.  So at the end every proper part is tried too, as long as there are few.

Promises  of what it returns no proper part is enough, unless it says that it had no time.
Read also `campaign.shrink`, which looks for the opposite: what must stay so that something breaks.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import combinations
from typing import Generic, TypeVar

Found = TypeVar("Found")

ALONE = 8
"""Of so many faults each is tried alone, though one was enough already."""
FOREVER = 1e9
"""Seconds of computing: a number of any size may be given."""
MOST_PARTS = 9
"""Of so many faults every proper part is tried: 510 runs."""


class OutOfTime(Exception):
    """There is no time for another run."""


class Smallest(Generic[Found]):
    """`tries` plays the run without some faults and returns what came of it, None if it did not happen.

    `late` says of two that came which one came first.  It may take so many `seconds` of computing, so that what is
    found does not depend on what else the machine does.
    """

    def __init__(
        self, tries: Callable[[frozenset[int]], Found | None], seconds: float, late: Callable[[Found], float]
    ) -> None:
        self.tries, self.end, self.late = tries, time.process_time() + min(seconds, FOREVER), late
        self.known: dict[frozenset[int], Found | None] = {}
        self.best: frozenset[int] | None = None
        """The smallest set found so far."""
        self.finished = False
        """Whether it is known that no proper part of it is enough; without one, that no fault is to blame."""

    @property
    def found(self) -> Found | None:
        """What comes without the best set; without any fault, if there is no such set."""
        return None if self.best is None else self.known[self.best]

    @property
    def alone(self) -> dict[int, Found]:
        """What comes without each of the single faults that are enough by themselves."""
        return {
            one: found for what, found in self.known.items() if found is not None and len(what) == 1 for one in what
        }

    def search(self, likely: Sequence[int], others: Sequence[int]) -> None:
        """Look among the `likely` ones first, then among all."""
        try:
            self._search(likely, [one for one in others if one not in likely])
            self.finished = True
        except OutOfTime:
            self.finished = self._best_alone()  # one alone has no proper part

    def _search(self, likely: Sequence[int], others: Sequence[int]) -> None:
        for number, one in enumerate(likely):
            if self._enough([one]) and number >= ALONE:
                break
        if self._best_alone():
            return
        order = [*others, *likely]
        if self._enough(likely) or self._enough(order):
            self._drop(order)
            self._parts()
            self._others_alone(others)

    def _others_alone(self, others: Sequence[int]) -> None:
        """Where several are named, see whether one of the others alone is enough; that there is no time for it is no harm."""
        if self.best is not None and len(self.best) > 1:
            with suppress(OutOfTime):
                any(self._enough([one]) for one in others)

    def _best_alone(self) -> bool:
        """Take the one fault without which it comes first, if there is one; tell whether there is."""
        if alone := self.alone:
            self.best = frozenset((min(alone, key=lambda one: self.late(alone[one])),))
        return bool(alone)

    def _enough(self, without: Sequence[int]) -> bool:
        """Try it, and keep it as the best if it is enough; nothing is not enough."""
        what = frozenset(without)
        if what and what not in self.known:
            if time.process_time() > self.end:
                raise OutOfTime
            self.known[what] = self.tries(what)
        enough = self.known.get(what) is not None
        if enough and (self.best is None or len(what) < len(self.best)):
            self.best = what
        return enough

    def _drop(self, order: Sequence[int]) -> None:
        """Let ever smaller groups happen after all, in this order."""
        assert self.best is not None, "all of them are enough"
        kept = [one for one in order if one in self.best]
        size = max(1, len(kept) // 2)
        while True:
            at = 0
            while at < len(kept):
                if self._enough(fewer := kept[:at] + kept[at + size :]):
                    kept = fewer
                else:
                    at += size
            if size == 1:
                return
            size //= 2

    def _parts(self) -> None:
        """Try every proper part, the smaller first: the first that is enough has none that is."""
        assert self.best is not None, "all of them are enough"
        whole = sorted(self.best)
        if len(whole) > MOST_PARTS:
            raise OutOfTime
        for size in range(1, len(whole)):
            if any(self._enough(part) for part in combinations(whole, size)):
                return
