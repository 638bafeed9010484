"""Demonstration: a scenario that was played, and what is to be said about it.

    Demo: name, world, quorum, trace, violations   -->   leaders, seconds to the next answer, who was away and caught up what

A notebook shows it in sentences, `chatsys demo` prints it, `check`, `why` and the timeline take it as a run.

Read also `scenarios`, which plays one.
"""

from dataclasses import dataclass, field
from html import escape
from typing import Any

from chatsys.check import Findings
from chatsys.check.violation import to_go_on
from chatsys.faults import Testbed
from chatsys.trace import Record, Trace


@dataclass
class Demo:
    """A demonstration that was played: its history and what is to be said about it."""

    scenario: str
    where: str
    quorum: int
    trace: Trace
    delivered: dict[int, int]
    """node -> how many messages it delivered in its last life"""
    violations: Findings = field(default_factory=Findings)
    world: Testbed | None = field(default=None, repr=False, compare=False)
    """where it was played: `why` and `why_not` play a simulated one again, without its faults"""

    @property
    def messages(self) -> int:
        """How many messages people submitted."""
        return len({(record.client, record.client_seq) for record in self.trace.of("submit")})

    @property
    def leaders(self) -> list[tuple[int, int]]:
        """(term, node) of everyone who began to lead, in order of time."""
        led = sorted(self.trace.of("lead"), key=lambda record: record.time)
        return [(record.term, record.node) for record in led if isinstance(record.node, int)]

    @property
    def failover_seconds(self) -> float | None:
        """Seconds from the crash of the leader to the next answer that a client got, or None."""
        leader: object = None
        crashed: float | None = None
        for record in sorted(self.trace.of("lead", "crash", "ack"), key=lambda record: record.time):
            if record.kind == "lead":
                leader = record.node
            elif record.kind == "crash" and record.node == leader and crashed is None:
                crashed = record.time
            elif record.kind == "ack" and crashed is not None:
                return round(record.time - crashed, 3)
        return None

    @property
    def absences(self) -> list[str]:
        """Return a sentence for every node that was killed: when, when it came back, how much it caught up."""
        sentences = []
        for crash in self.trace.of("crash"):
            lives = [one.time for one in self.trace.of("restart") if one.node == crash.node and one.time >= crash.time]
            back = (
                f"back at {lives[0]:.2f} s, caught up {self._missed(crash, lives[0])} messages" if lives else "for good"
            )
            sentences.append(f"node {crash.node} was killed at {crash.time:.2f} s, {back}")
        return sentences

    def _missed(self, crash: Record, back: float) -> int:
        """Count what was delivered somewhere while a node was away, and by this node later."""
        delivered = self.trace.of("deliver")
        own = [one for one in delivered if one.node == crash.node]
        before = {one.msg_no for one in own if one.time <= crash.time}
        meanwhile = {one.msg_no for one in delivered if one.time < back} - before
        return len(meanwhile & {one.msg_no for one in own if one.time >= back})

    def result(self) -> dict[str, Any]:
        """Return what `chatsys demo --json` prints."""
        return {
            "scenario": self.scenario,
            "where": self.where,
            "quorum": self.quorum,
            "messages": self.messages,
            "delivered": self.delivered,
            "violations": [violation.sentence for violation in self.violations],
            "leaders": [list(pair) for pair in self.leaders],
            "failover_seconds": self.failover_seconds,
        }

    def __repr__(self) -> str:
        return f"{self.scenario} in {self.where}, with a quorum of {self.quorum}. {self.violations!r}"

    def _repr_html_(self) -> str:
        head = f"<p>{escape(self.scenario)} in {escape(self.where)}, with a quorum of {self.quorum}.</p>"
        return head + self.violations._repr_html_()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("\n".join([repr(self), *(line for one in self.violations[:1] for line in to_go_on(one))]))
