"""Something good happens in time: L1-L4, asked only when faults have ended.

    faults end      L1: a ready leader        L2: delivered everywhere    L4: and nothing changes
    ----|-----------------|-------------------------|------------------------------->
                          L3: each client is answered again

Safety holds in every run; liveness holds only when the network is kind again, so the caller says
when that was.  A run that ends before a limit is over proves nothing: that is `inconclusive`.

Read also `check` (safety), `config.Timing` (what the limits are made of).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from chatsys.check.violation import Violation, name_client, quote, when
from chatsys.config import Timing
from chatsys.trace import Record, Trace

_OVER = ("crash", "stop")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`pass`, `fail` (with the violations) or `inconclusive` (with the reason); never a silent ok."""

    verdict: Literal["pass", "fail", "inconclusive"]
    violations: tuple[Violation, ...] = ()
    open: tuple[str, ...] = ()
    """What the run was too short to tell."""


def check_live(trace: Trace, faults_end: float, live: tuple[int, ...] | None = None) -> Verdict:
    """Judge what happened after `faults_end` (seconds); `live` are the nodes that must be served.

    By default these are the nodes that run at the end of the trace.  The limits are those of the
    protocol, from the timing in `trace.meta`.
    """
    return _Look(trace, faults_end, live).verdict()


class _Look:
    """One judgement: the facts of the trace, then one method per law."""

    def __init__(self, trace: Trace, faults_end: float, live: tuple[int, ...] | None) -> None:
        timing = _timing(trace.meta)
        self.start = faults_end
        self.end = trace.records[-1].time if trace.records else 0.0
        self.records = trace.records
        self.l1 = 4 * (timing.heartbeat_timeout + timing.heartbeat_spread)
        self.l2 = self.l1 + 10 * timing.heartbeat_interval
        self.l3 = self.l1 + 2 * timing.client_retry_max
        self.l4 = 60.0 * timing.heartbeat_interval / Timing().heartbeat_interval
        self.live = live if live is not None else self._running()
        self.open: list[str] = []

    def verdict(self) -> Verdict:
        broken = (*self.leader(), *self.delivered(), *self.answered(), *self.calm())
        if broken:
            return Verdict(verdict="fail", violations=broken, open=tuple(self.open))
        return Verdict(verdict="inconclusive" if self.open else "pass", open=tuple(self.open))

    def leader(self) -> Iterator[Violation]:
        """L1: a ready leader within four heartbeat timeouts."""
        if self._too_short("L1", self.start + self.l1):
            return
        ready: dict[Any, Record] = {}
        for record in self.records:
            if record.time > self.start and ready:
                return
            if record.time > self.start + self.l1:
                break
            if record.kind == "ready":
                ready[record.node] = record
            elif record.kind in _OVER or (record.kind == "role" and record.role != "leader"):
                ready.pop(record.node, None)
        if not ready:
            yield self._broken(
                "L1", f"leader: no node was a ready leader within {self.l1:.1f} s after {self.start:.2f} s."
            )

    def delivered(self) -> Iterator[Violation]:
        """L2: what was acknowledged is delivered by every live node."""
        got = {(r.node, r.seq) for r in self.records if r.kind == "deliver"}
        for ack in self.records:
            if ack.kind != "ack" or self._too_short("L2", max(ack.time, self.start) + self.l2):
                continue
            for node in self.live:
                if (node, ack.seq) not in got:
                    yield self._broken(
                        "L2",
                        f"delivery: {quote(ack.text)} was acknowledged at position {ack.seq} {when(ack)}, but node {node} "
                        f"had not delivered it {self.l2:.1f} s later.",
                        ack,
                    )
                    return

    def answered(self) -> Iterator[Violation]:
        """L3: each message a client sends now is answered."""
        done = {(r.client, r.client_seq) for r in self.records if r.kind in ("ack", "indeterminate")}
        for submit in self.records:
            if submit.kind != "submit" or self._too_short("L3", max(submit.time, self.start) + self.l3):
                continue
            if (submit.client, submit.client_seq) not in done:
                yield self._broken(
                    "L3",
                    f"answer: {name_client(submit)} sent {quote(submit.text)} {when(submit)} and had no answer "
                    f"{self.l3:.1f} s later.",
                    submit,
                )

    def calm(self) -> Iterator[Violation]:
        """L4: the leader stays, but for one polite hand-over."""
        calm = self.start + self.l1
        if self._too_short("L4", calm + self.l4):
            return
        leads = [record for record in self.records if record.kind == "lead" and calm < record.time <= calm + self.l4]
        if len(leads) > 1:
            yield self._broken(
                "L4",
                f"calm: the leader changed {len(leads)} times between {calm:.2f} s and {calm + self.l4:.2f} s, "
                "although no fault happened; one hand-over is allowed.",
                *leads,
            )

    def _running(self) -> tuple[int, ...]:
        last = {r.node: r.kind for r in self.records if r.kind in ("start", *_OVER) and isinstance(r.node, int)}
        return tuple(sorted(node for node, kind in last.items() if kind == "start"))

    def _too_short(self, name: str, until: float) -> bool:
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
        )


def _timing(meta: Mapping[str, Any]) -> Timing:
    given = meta.get("timing") or {}
    return msgspec.convert(given, Timing) if isinstance(given, Mapping) else Timing.profile(str(given))
