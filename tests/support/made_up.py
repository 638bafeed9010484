"""A made-up history for tests of figures: three nodes, a crash, an election, a recovery.

It needs no world, so a figure can be tested while the world is broken.
"""

from typing import Any

from chatsys.trace import Record, Trace


class History:
    """Writes records by hand, with just enough order to look like a run."""

    def __init__(self, nodes: int = 3) -> None:
        self.trace = Trace(meta={"where": "sim", "members": list(range(1, nodes + 1)), "quorum": nodes // 2 + 1})
        self.nodes = range(1, nodes + 1)
        self.roles = dict.fromkeys(self.nodes, "follower")
        self.terms = dict.fromkeys(self.nodes, 0)
        self.lives = dict.fromkeys(self.nodes, 1)
        self.count = 0

    def at(self, time: float, kind: str, node: int | None = None, **columns: object) -> None:
        """Append one record of a node in its present role and term."""
        if node is not None:
            columns = {"incarnation": self.lives[node], "term": self.terms[node], "role": self.roles[node]} | columns
        self.trace.append(Record(time=time, kind=kind, node=node, **columns))  # type: ignore[arg-type]

    def become(self, time: float, node: int, role: str, term: int) -> None:
        """Change a node's role and term, and mark the beginning of a reign."""
        self.roles[node], self.terms[node] = role, term
        self.at(time, "role", node)
        if role == "leader":
            self.at(time, "lead", node)

    def beat(self, time: float, leader: int, *hearers: int) -> None:
        """Let a leader send one heartbeat to each hearer."""
        for hearer in hearers:
            self.at(time, "send", leader, message="Heartbeat", peer=hearer)
            self.at(time + 0.004 * hearer, "receive", hearer, message="Heartbeat", peer=leader)

    def say(self, time: float, text: str, *nodes: int, author: str = "ann", number: int = 0, took: float = 0.02) -> int:
        """Let a client say something and these nodes deliver it at the next number; return the number."""
        self.count += 1
        number = number or self.count
        pair: dict[str, Any] = {
            "client": author,
            "client_seq": self.count,
            "author": author,
            "text": text,
            "room": "main",
        }
        self.trace.append(Record(time=time, kind="submit", node=author, **pair))
        for rank, node in enumerate(nodes):
            self.deliver(time + took + 0.004 * rank, node, number, pair)
        if nodes:
            self.trace.append(
                Record(time=time + took + 0.003, kind="ack", node=author, seq=number + 1, msg_no=number, **pair)
            )
        return number

    def deliver(self, time: float, node: int, number: int, pair: dict[str, Any]) -> None:
        """Let one node deliver one message."""
        self.at(time, "deliver", node, seq=number + 1, msg_no=number, entry_term=self.terms[node], **pair)


def fail_over() -> Trace:
    """Node 3 leads, crashes at 5 s; node 2 takes over; node 3 comes back at 10 s and catches up."""
    h = History()
    for node in h.nodes:
        h.at(0.0, "start", node)
    h.become(0.08, 3, "nominating", 0)
    h.become(0.1, 3, "preparing", 1)
    h.become(0.12, 3, "leader", 1)
    for node in (1, 2):
        h.become(0.13, node, "follower", 1)
    for step in range(6):
        h.beat(0.2 + 0.8 * step, 3, 1, 2)
    for number, text in enumerate(("hello", "is anybody there?", "<b>bold</b> $x^2$", "مرحبا"), 1):
        h.say(0.5 + number, text, 3, 2, 1, author="ann" if number % 2 else "bob")
    h.at(5.0, "crash", 3, role="")
    h.at(7.55, "suspect", 2, reason="no heartbeat for 3.3 s")
    h.become(7.55, 2, "nominating", 1)
    h.become(7.8, 2, "preparing", 2)
    h.become(7.9, 2, "leader", 2)
    h.become(7.95, 1, "follower", 2)
    h.say(6.0, "who leads now?", 2, 1, took=1.98)
    h.say(9.0, "node 2 does", 2, 1)
    h.at(10.0, "restart", 3, role="")
    h.lives[3] = 2
    h.become(10.02, 3, "follower", 2)
    said = [record for record in h.trace.of("deliver") if record.node == 2]
    for record in said:
        pair: dict[str, Any] = {
            name: getattr(record, name) for name in ("client", "client_seq", "author", "text", "room")
        }
        h.deliver(10.2, 3, record.msg_no or 0, pair)
    h.say(11.5, "welcome back", 2, 1, 3)
    for step in range(7):
        h.beat(8.0 + 0.8 * step, 2, *((1, 3) if step >= 3 else (1,)))
    return Trace(sorted(h.trace, key=lambda record: record.time), h.trace.meta)


def split_brain() -> Trace:
    """A cut with quorum 1: both sides lead and deliver their own message number 2."""
    h = History()
    h.become(0.1, 3, "leader", 1)
    for node in (1, 2):
        h.become(0.12, node, "follower", 1)
    h.say(0.5, "before the cut", 3, 2, 1)
    h.at(1.0, "cut", reason="cut 3 | 1,2")
    h.become(4.0, 2, "leader", 2)
    h.become(4.1, 1, "follower", 2)
    h.say(5.0, "left", 3, author="ann")
    h.say(5.1, "right", 2, 1, author="bob", number=2)
    h.at(7.0, "heal")
    h.become(7.2, 3, "follower", 2)
    h.at(8.0, "receive", 3, message="Heartbeat", peer=2)
    return h.trace


def crowd(messages: int = 6000) -> Trace:
    """A long run: `messages` messages on three nodes, some tens of thousands of records."""
    h = History()
    h.become(0.1, 3, "leader", 1)
    for number in range(messages):
        h.say(0.2 + number / 50, f"message {number}", 3, 2, 1, author=f"user{number % 7}")
        if number % 10 == 0:
            h.beat(0.2 + number / 50, 3, 1, 2)
    return h.trace
