"""Something good happens in time: L1-L4, L6 and L7, asked only when faults have ended.

    faults end      L1: a ready leader        L2: delivered everywhere    L4: and nothing changes
    ----|-----------------|-------------------------|------------------------------->
                          |--> L3: each client is answered soon            L6: and nothing waits

Safety holds in every run; liveness holds only when the network is kind again, so the caller says
when that was.  A law that the run has kept already is kept; one that it has not kept yet, and whose
time is not over, is open, and the verdict says so.

Assumes   what the caller says: after `faults_end` nothing is broken but what stays broken on purpose.
Read also `check` (safety), `leaderships` (who led when), `quiescence` (L6, as the nodes themselves see it),
          `config.Timing` (what the limits are made of).
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from chatsys.check.farewell import farewells
from chatsys.check.leaderships import ENDS, find_reigns
from chatsys.check.lives import renumbered
from chatsys.check.violation import Law, Node, Violation, name_client, quote, when
from chatsys.config import Timing
from chatsys.errors import UsageError
from chatsys.protocol.patience import longest_wait
from chatsys.trace import Record, Trace, trace_of

LIVENESS = (
    Law("L1", "leader", "Soon after the faults end a node is a ready leader, and whenever one is lost, another.", "check_live"),
    Law("L2", "delivery", "What was acknowledged is delivered by every live node, in the life that it lives.", "check_live"),
    Law("L3", "answer", "Every message is answered soon after it was sent and a ready leader is there to serve it.", "check_live"),
    Law("L4", "calm", "The leader stays; only a hand-over to the highest live node may change it, once.", "check_live"),
    Law("L6", "rest", "When nobody speaks, nothing waits: nothing held back, no frame, no answer owed.", "check_live, check_rest"),
    Law("L7", "farewell", "A leader that is told to stop does not lead any more when it stops, if others could lead.", "check_live"),
)  # fmt: skip
"""The laws of liveness.  L5 is left free, as S15 is: they belong to a change of members through the log."""
LAWS = tuple(law.name for law in LIVENESS)
"""The names of the laws that a trace can show."""
_KEPT = frozenset(
    "start crash stop stand_down refused pause resume ready role lead follow deliver ack submit indeterminate hold cut heal space".split()
)
"""The kinds of records that the laws are about; frames and the log are read only where a law needs them."""

_LETS_GO = frozenset("append start role follow lead".split())
"""After such a record a node holds back less, or nothing."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`pass`, `fail` (with the violations) or `inconclusive` (with the reason); never a silent ok."""

    verdict: Literal["pass", "fail", "inconclusive"]
    violations: tuple[Violation, ...] = ()
    open: tuple[str, ...] = ()
    """What the run was too short to tell."""


def check_live(
    trace: Trace | Any,
    faults_end: float,
    live: tuple[int, ...] | None = None,
    *,
    end: float | None = None,
    laws: Sequence[str] = LAWS,
) -> Verdict:
    """Judge what happened after `faults_end` (seconds); `live` are the nodes that must be served.

    By default these are the nodes that run at the end of the trace.  `end` is when the world was
    left: one that falls silent writes no record of it.  `laws` are those to judge.  The limits are
    those of the protocol, from the timing in `trace.meta`.  A world, cluster or run stands for its trace.
    Raises `UsageError` for an unknown law and for a time that is none.
    """
    for name, time in (("faults_end", faults_end), ("end", 0.0 if end is None else end)):
        if isinstance(time, bool) or not isinstance(time, int | float) or not 0 <= time < math.inf:
            raise UsageError(f"{name} is {time!r:.80}; give seconds since the beginning, 0 or more.")
    for law in laws:
        if law not in LAWS:
            raise UsageError(f"There is no law {law!r} that a trace can show; the laws are {', '.join(LAWS)}.")
    return _Look(trace_of(trace), faults_end, live, end).verdict(laws)


class _Look:
    """One judgement: the facts of the trace, then one method per law."""

    def __init__(self, trace: Trace, faults_end: float, live: tuple[int, ...] | None, end: float | None) -> None:
        timing = _timing(trace.meta)
        trace = renumbered(trace)
        self.start, self.meta, self.records = faults_end, trace.meta, trace.records
        self.end = max(end or 0.0, trace.records[-1].time if trace.records else 0.0)
        self.l1 = 4 * (timing.heartbeat_timeout + timing.heartbeat_spread)
        self.l2 = self.l1 + 10 * timing.heartbeat_interval
        self.l4 = 60.0 * timing.heartbeat_interval / Timing().heartbeat_interval
        self.asked_again = self.l1 + max(self.l1, timing.hand_over_retry_max)
        """A leader that asked in vain while there were faults asks again by then, and once more is enough."""
        self.kept = kept = trace.by_kind(*_KEPT)
        self.lives = {record.node: record.incarnation for record in kept["start"]}
        self.live = live if live is not None else self._running()
        silent = {*(trace.meta.get("members") or self.lives), *trace.meta.get("learners", ())} - set(self.live)
        self.l3 = longest_wait(timing, len(silent))
        self.hand_over = timing.answer_timeout + timing.prepare_timeout
        events = [record for kind in ("ready", "role", "pause", "resume", *ENDS) for record in kept[kind]]
        self.reigns = find_reigns(self.records, sorted(events, key=lambda record: record.time), trace.meta, self.start)
        self.open: list[str] = []

    def verdict(self, laws: Sequence[str]) -> Verdict:
        judges = (self.leader, self.delivered, self.answered, self.calm, self.rest, self.farewell)
        judge = dict(zip(LAWS, judges, strict=True))
        broken = tuple(found for law in laws for found in judge[law]())
        if broken:
            return Verdict(verdict="fail", violations=broken, open=tuple(self.open))
        return Verdict(verdict="inconclusive" if self.open else "pass", open=tuple(self.open))

    def leader(self) -> Iterator[Violation]:
        """L1: a ready leader within four heartbeat timeouts; and whenever one is lost later, another one so soon."""
        reached = self.start
        for reign in self.reigns:
            if reign.begin > reached + self.l1:
                break
            reached = max(reached, reign.end)
        if reached >= self.end:
            return
        if not self._too_short("L1", reached + self.l1):
            after = f"{reached:.2f} s" + (", when the last one was gone" if reached > self.start else "")
            yield self._broken("L1", f"leader: no node was a ready leader within {self.l1:.1f} s after {after}.")

    def delivered(self) -> Iterator[Violation]:
        """L2: what was acknowledged is delivered by every live node, in the life that it lives."""
        acks = {ack.seq: ack for ack in reversed(self.kept["ack"]) if ack.seq is not None}
        got: dict[Node, set[int | None]] = {node: set() for node in self.live}
        for record in self.kept["deliver"]:
            if record.node in got and record.incarnation == self.lives.get(record.node, record.incarnation):
                got[record.node].add(record.seq)
        missing = sorted(
            (ack.time, node, seq) for node in self.live for seq, ack in acks.items() if seq not in got[node]
        )
        for time, node, seq in missing:
            if not self._too_short("L2", max(time, self.start) + self.l2):
                ack = acks[seq]
                yield self._broken(
                    "L2",
                    f"delivery: {quote(ack.text)} was acknowledged at position {seq} {when(ack)}, but node {node} "
                    f"had not delivered it {self.l2:.1f} s later.",
                    ack,
                )
                return

    def answered(self) -> Iterator[Violation]:
        """L3: each message is answered within the clients' longest wait, once it is its turn and a ready leader serves."""
        done: dict[tuple[Any, Any], float] = {}
        for answer in (*self.kept["ack"], *self.kept["indeterminate"]):
            done.setdefault((answer.client, answer.client_seq), answer.time)
        turns: dict[Any, float] = {}  # for each client, when the message before was answered
        served: list[tuple[float, float]] | None = None
        for submit in self.kept["submit"]:
            turn, answered = turns.get(submit.client, 0.0), done.get((submit.client, submit.client_seq), math.inf)
            begin = max(submit.time, self.start, turn)
            turns[submit.client] = max(turn, answered)
            if begin == math.inf or answered - begin <= self.l3:
                continue
            served = self._served() if served is None else served
            until = min(answered, self.end)
            late = [since for since, end in served if min(until, end) - max(begin, since) > self.l3]
            if late:
                yield self._unanswered(submit, max(begin, late[0]), turn)
            elif answered == math.inf and not self._too_short("L3", self._due(begin, served)):
                yield self._unanswered(submit, begin, turn, self.l1)

    def _served(self) -> list[tuple[float, float]]:
        """Return from when to when a ready leader served; while it waits for another to take over it does not."""
        asked = [r for r in self.records if r.kind == "send" and r.message == "TRANSFER_LEAD" and r.time >= self.start]
        spans: list[tuple[float, float]] = []
        for reign in self.reigns:
            since = reign.begin
            for ask in asked:
                if ask.node == reign.node and since <= ask.time < reign.end:
                    spans.append((since, ask.time))
                    since = ask.time + self.hand_over
            spans.append((since, reign.end))
        return spans

    def _due(self, begin: float, served: list[tuple[float, float]]) -> float:
        """Return by when a message is due that was not answered: from the leader that serves now, or is still to come."""
        last = [since for since, end in served if end == math.inf]
        return max(begin, last[0]) + self.l3 if last else begin + self.l1 + self.l3

    def _unanswered(self, submit: Record, since: float, turn: float, extra: float = 0.0) -> Violation:
        there = "it was its turn, and " * (since == turn) + "a ready leader was there"
        led = f", though {there} from {since:.2f} s on" if since > max(submit.time, self.start) else ""
        return self._broken(
            "L3",
            f"answer: {name_client(submit)} sent {quote(submit.text)} {when(submit)} and had no answer "
            f"{self.l3 + extra:.1f} s later{led}.",
            submit,
        )

    def calm(self) -> Iterator[Violation]:
        """L4: the leader stays, but for one polite hand-over; in the end it is the highest."""
        calm = self.start + self.l1
        leads = [record for record in self.kept["lead"] if calm < record.time <= calm + self.l4]
        if len(leads) > 1:
            yield self._broken(
                "L4",
                f"calm: the leader changed {len(leads)} times between {calm:.2f} s and {calm + self.l4:.2f} s, "
                "although no new fault happened; one hand-over is allowed.",
                *leads,
            )
        elif not self._too_short("L4", calm + self.l4):
            yield from self._highest()

    def _highest(self) -> Iterator[Violation]:
        """With `take_back` the highest live node with room leads in the end, unless links stay cut, as in a star."""
        links = sorted(self.kept["cut"] + self.kept["heal"], key=lambda record: record.time)
        last = max((reign for reign in self.reigns if reign.end > self.end), key=lambda reign: reign.term, default=None)
        if not self.meta.get("take_back") or not self.live or (links and links[-1].kind == "cut") or last is None:
            return
        members = set(self.live) - set(self.meta.get("learners", ()))
        highest = max(members - self._low() or members, default=0)
        if (
            isinstance(last.node, int)
            and last.node != highest
            and not self._too_short("L4", self.start + self.asked_again)
        ):
            yield self._broken(
                "L4",
                f"the highest leads in the end: node {last.node} leads since {last.begin:.2f} s, although node "
                f"{highest} {'is higher and alive' if highest > last.node else 'has room'}, and leaders hand over "
                "(take_back).",
            )

    def _low(self) -> set[Any]:
        """Return the nodes whose disk is almost full at the end, as they say."""
        low: set[Any] = set()
        for record in sorted((r for kind in ("start", "space") for r in self.kept[kind]), key=lambda r: r.time):
            (low.add if record.reason == "low" else low.discard)(record.node)
        return low

    def rest(self) -> Iterator[Violation]:
        """L6, as far as a trace shows it: what came early and was held back does not wait for ever."""
        held = _held_back(self.records) if self.kept["hold"] else {}
        for node in self.live:
            for one in sorted(held.get(node, {}).values(), key=lambda record: record.time)[:1]:
                if not self._too_short("L6", max(one.time, self.start) + self.l2):
                    yield self._broken(
                        "L6",
                        f"hold-back: node {node} keeps the batch for position {one.seq} since {one.time:.2f} s; what it "
                        "waits for has not come.",
                        one,
                    )

    def farewell(self) -> Iterator[Violation]:
        """L7: who stood down while it led does not lead when it stops, where a quorum was there."""
        quorum = int(self.meta.get("quorum") or len(self.lives) // 2 + 1)
        for story, *records in farewells(self.kept, self.start, quorum, self._low()):
            yield self._broken("L7", story, *records)

    def _running(self) -> tuple[int, ...]:
        changes = sorted((r for kind in ("start", *ENDS) for r in self.kept[kind]), key=lambda record: record.time)
        last = {record.node: record.kind for record in changes if isinstance(record.node, int)}
        return tuple(sorted(node for node, kind in last.items() if kind == "start" and isinstance(node, int)))

    def _too_short(self, name: str, until: float) -> bool:  # SPECIFICATION R16.2
        if self.end >= until:
            return False
        sentence = f"{name}: the run ends at {self.end:.1f} s; {until:.1f} s would be needed to tell."
        if not any(known.startswith(name) for known in self.open):
            self.open.append(sentence)
        return True

    def _broken(self, name: str, story: str, *records: Record) -> Violation:
        last = records[-1] if records else None
        return Violation(
            invariant=name,
            sentence=f"{name} {story}",
            time=last.time if last else self.start,
            node=last.node if last else None,
            seq=last.seq if last else None,
            records=records,
            since=self.start,
        )


def _held_back(records: Sequence[Record]) -> dict[Node, dict[int, Record]]:
    """Return what each node still holds back at the end, by position."""
    held: defaultdict[Node, dict[int, Record]] = defaultdict(dict)
    for record in records:
        kind, seq = record.kind, record.seq
        if kind == "hold" and seq is not None and record.reason == "kept":
            held[record.node].setdefault(seq, record)
        elif kind in _LETS_GO and (mine := held.get(record.node)):
            for early in [early for early in mine if kind != "append" or (seq is not None and early <= seq + 1)]:
                del mine[early]
    return held


def _timing(meta: Mapping[str, Any]) -> Timing:
    given = meta.get("timing") or {}
    return msgspec.convert(given, Timing) if isinstance(given, Mapping) else Timing.profile(str(given))
