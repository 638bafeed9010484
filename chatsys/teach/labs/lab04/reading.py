"""Reading: what one detector answered, call by call, beside what had to be answered.

    told or asked                          returned     right           silent
    beat(3, 12, sent_at=..., now=...)
    suspects(now=...)      at 10.10 s      set()        set()           3: 2.31 s
    suspects(now=...)      at 10.40 s      set()        set() or {3}    3: 2.61 s
    suspects(now=...)      at 11.40 s      set()        {3}             3: 3.61 s     <-- wrong

A *silence* of a peer begins with its last beat that was new, that is, one with a larger number than all before it,
or when the detector was made.  It is measured on the clock of the detector's own node.

    late   a silence was longer than the timeout, one beat and 0.3 s, and the peer was not suspected
    early  a peer was suspected, and its silence was not as long as the timeout
    kept   a suspicion went on for more than one beat and 0.3 s after the peer was heard again
    never  a peer was suspected at every call, although it was heard

Promises  between the timeout and one beat more either answer is right, so detectors that look seldom are, too.
Read also `checks`, which asks the detector and chooses among these findings.
"""

from collections.abc import Sequence

import msgspec

from chatsys.isolation.calls import Call, Reply
from chatsys.teach.grading.lab import ShownCall
from chatsys.teach.labs.lab04.runs import Watch

TOLERANCE = 0.02
"""Seconds by which a suspicion may come before the timeout is over: clocks and roundings."""
ENOUGH = 4
"""Who was heard so often and was suspected all the time is suspected for no reason."""
BEFORE, BEYOND = 14, 3
"""So many calls before and after the wrong one are shown."""


class Wrong(msgspec.Struct, frozen=True):
    """One wrong answer."""

    call: int
    peer: int
    silence: float
    """Seconds since the peer was last heard."""
    now: float
    """By the clock of the node."""
    heard: float
    """When the peer was last heard, or the detector was made, by the clock of the node."""
    beats: int
    """How many new beats of the peer had come."""


class WatchReading:
    """The answers of one detector, and the first of each thing that is wrong with them."""

    def __init__(self, watch: Watch, replies: Sequence[Reply]) -> None:
        self.watch, self.replies = watch, replies
        self.silences: list[dict[int, float]] = []
        """How long each peer had been silent, at each call that was answered."""
        self.error: int | None = None
        """The call that raised, or returned something else than peers; -1: `__init__`."""
        self.late: Wrong | None = None
        self.early: Wrong | None = None
        self.kept: Wrong | None = None
        self.ever: set[int] = set()
        """Who was suspected at any time."""
        self._heard = dict.fromkeys(watch.peers, watch.made)
        self._newest = dict.fromkeys(watch.peers, 0)
        self._count = dict.fromkeys(watch.peers, 0)
        self._again: dict[int, float] = {}
        """When a suspected peer was heard again."""
        self._trusted: set[int] = set()
        self._read()
        self.never = next((peer for peer in watch.peers if self._is_never_trusted(peer)), None)
        """A peer that was suspected at all times, although it was heard."""

    def _is_never_trusted(self, peer: int) -> bool:
        return self.error is None and self._count[peer] >= ENOUGH and peer not in self._trusted

    @property
    def wrong(self) -> Wrong | None:
        """The first wrong answer of all."""
        found = [one for one in (self.late, self.early, self.kept) if one is not None]
        return min(found, key=lambda one: one.call, default=None)

    @property
    def right(self) -> bool:
        """Whether every answer was right."""
        return self.error is None and self.wrong is None

    def _read(self) -> None:
        before: frozenset[int] = frozenset()
        if self.replies and not self.replies[0].right and not self.watch.calls:
            self.error = -1
        for place, (call, reply) in enumerate(zip(self.watch.calls, self.replies, strict=False)):
            now: float = call.arguments[-1]
            if call.method == "beat":
                self._hear(before, *call.arguments)
            self.silences.append({peer: now - heard for peer, heard in self._heard.items()})
            if not reply.right or (call.method == "suspects" and not set(self.watch.peers).issuperset(reply.value)):
                self.error = place
                return
            if call.method == "suspects":
                before = self._ask(place, before, frozenset(reply.value), now)

    def _hear(self, suspected: frozenset[int], peer: int, number: int, sent_at: float, now: float) -> None:
        if number <= self._newest[peer]:
            return
        self._newest[peer], self._heard[peer] = number, now
        self._count[peer] += 1
        if peer in suspected:
            self._again.setdefault(peer, now)

    def _ask(self, place: int, before: frozenset[int], answer: frozenset[int], now: float) -> frozenset[int]:
        plan = self.watch.plan
        self.ever |= answer
        self._trusted |= set(self.watch.peers) - answer
        for peer in self.watch.peers:
            silence = now - self._heard[peer]
            one = Wrong(place, peer, silence, now, self._heard[peer], self._count[peer])
            if peer not in answer:
                self._again.pop(peer, None)
                if silence > plan.timeout + plan.slack:
                    self.late = self.late or one
            elif peer not in before:
                if silence < plan.timeout - TOLERANCE and (self.early is None or not self.early.beats):
                    self.early = one  # one of a peer that was heard before tells more
            elif (again := self._again.get(peer)) is not None and now - again > plan.slack:
                if silence < plan.timeout - TOLERANCE:
                    self.kept = self.kept or one
        return answer

    # --- how it is shown -------------------------------------------------------------------

    def steps(self, wrong: int) -> tuple[ShownCall, ...]:
        """Return the calls around the wrong one as lines of a story."""
        first = max(0, wrong - BEFORE)
        answered = list(zip(self.watch.calls, self.replies, self.silences, strict=False))
        return tuple(
            self._step(call, reply, silences, place == wrong)
            for place, (call, reply, silences) in enumerate(answered[first : wrong + BEYOND + 1], first)
        )

    def _step(self, call: Call, reply: Reply, silences: dict[int, float], wrong: bool) -> ShownCall:
        time, node = self.watch.time(call.arguments[-1]), self.watch.node
        when = f"{time:.2f} s"
        if call.method == "beat":
            peer, number, sent_at, now = call.arguments
            told = f"beat({peer}, {number}, sent_at={sent_at:.2f}, now={now:.2f})"
            return ShownCall(
                call=told, returned="" if reply.right else "an error", when=when, wrong=wrong, node=node, time=time
            )
        return ShownCall(
            call=f"suspects(now={call.arguments[0]:.2f})",
            returned=peers(reply.value) if reply.right else "an error",
            expected=self._expected(silences),
            waiting=", ".join(f"{peer}: {silence:.2f} s" for peer, silence in silences.items()) + " silent",
            when=when,
            wrong=wrong,
            node=node,
            time=time,
            peers=self._in_question(reply, silences) if wrong else (),
        )

    def _in_question(self, reply: Reply, silences: dict[int, float]) -> tuple[int, ...]:
        """Return the peers of whom an answer says something else than their silence does."""
        said = set(reply.value) if reply.right else set()
        silent = {peer for peer, silence in silences.items() if silence > self.watch.plan.timeout}
        return tuple(sorted(said ^ silent))

    def _expected(self, silences: dict[int, float]) -> str:
        """Return the right answer; between the timeout and one beat more there are two."""
        plan = self.watch.plan
        may = {peer for peer, silence in silences.items() if silence > plan.timeout}
        must = {peer for peer in may if silences[peer] > plan.timeout + plan.slack}
        return peers(may) if may == must else f"{peers(must)} or {peers(may)}"


def peers(some: Sequence[int] | set[int]) -> str:
    """Return a set of peers as Python writes it."""
    return "{" + ", ".join(map(str, sorted(some))) + "}" if some else "set()"
