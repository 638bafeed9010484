"""Hand-made traces: good ones, and for every invariant bad ones that make it fire.

Beside each bad trace stands the list of *all* invariants that must fire with it: a gap in the
numbers of a node that others do not have is S3 alone, a split brain is S1 and S7 and more.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from chatsys.check import Violation, check
from chatsys.trace import Record, Trace

META = {"where": "sim", "members": [1, 2, 3]}


class Story:
    """Writes records one after the other, 0.1 s apart."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def add(self, kind: str, node: int | str | None, **columns: Any) -> "Story":
        columns.setdefault("incarnation", 1)
        self.records.append(Record(time=round(len(self.records) * 0.1, 2), kind=kind, node=node, **columns))
        return self

    def move_last_to(self, time: float) -> None:
        """Let the last record have happened at another time."""
        self.records[-1] = msgspec.structs.replace(self.records[-1], time=time)

    def submit(self, client: str, number: int, text: str) -> "Story":
        return self.add("submit", client, client=client, client_seq=number, text=text, room="main", author=client)

    def ack(self, client: str, number: int, seq: int, text: str) -> "Story":
        return self.add("ack", client, client=client, client_seq=number, seq=seq, text=text)

    def append(
        self, node: int, seq: int, term: int, text: str = "", client: str = "ann", number: int = 0, **more: Any
    ) -> "Story":
        if not text:
            return self.add("append", node, seq=seq, entry_term=term, entry="barrier", **more)
        return self.add(
            "append", node, seq=seq, entry_term=term, entry="chat", text=text, client=client, client_seq=number,
            room="main", author=client, **more,
        )  # fmt: skip

    def deliver(self, node: int, seq: int, msg_no: int, text: str, **more: Any) -> "Story":
        more = {"client": "ann", "client_seq": msg_no, "room": "main"} | more
        more.setdefault("author", more["client"])
        return self.add("deliver", node, seq=seq, msg_no=msg_no, text=text, **more)

    def commit(self, node: int, seq: int, term: int = 1, verified: int | None = None, **more: Any) -> "Story":
        return self.add("commit", node, seq=seq, term=term, verified=seq if verified is None else verified, **more)

    def trace(self, **meta: Any) -> Trace:
        return Trace(self.records, META | meta)

    def broken(self, **meta: Any) -> list[Violation]:
        return check(self.trace(**meta))

    def fired(self, **meta: Any) -> set[str]:
        return {violation.invariant for violation in self.broken(**meta)}


def said(*texts: str, client: str = "ann") -> Story:
    """A story in which a client has already submitted these texts."""
    story = Story()
    for number, text in enumerate(texts, start=1):
        story.submit(client, number, text)
    return story


def good_run() -> Story:
    """Two messages, a barrier before them, a crash of node 2 that delivers them again."""
    story = Story().add("role", 3, role="leader", term=1).add("lead", 3, seq=1, term=1)
    story.append(3, 1, 1).append(2, 1, 1).commit(3, 1).commit(2, 1)
    for number, text in enumerate(("hi", "yo"), start=1):
        seq = number + 1
        story.submit("ann", number, text)
        for node in (3, 2):
            story.append(node, seq, 1, text, number=number)
        for node in (3, 2):
            story.commit(node, seq).deliver(node, seq, number, text)
        story.ack("ann", number, seq, text)
    story.add("crash", 2).add("start", 2, incarnation=2).commit(2, 3, incarnation=2)
    story.deliver(2, 2, 1, "hi", incarnation=2).deliver(2, 3, 2, "yo", incarnation=2)
    return story.add("promise", 2, term=2, peer=3, incarnation=2).add("lead", 3, seq=4, term=2)


def bad_deliveries() -> Iterator[tuple[str, str, Story]]:
    """Yield (what went wrong, the invariants that must fire and no other, the story)."""
    story = said("hi").submit("bob", 1, "yo").deliver(1, 7, 1, "hi")
    yield "another message at a position", "S1", story.deliver(2, 7, 1, "yo", client="bob")

    story = Story().append(1, 5, 1, "hi", number=1).append(2, 5, 2).commit(1, 5)
    yield "a chat here, a barrier there", "S1", story.commit(2, 5, term=2)

    story = Story().append(1, 5, 1, "hi", number=1).append(2, 5, 2, "yo", number=2).commit(1, 5)
    yield "different committed messages that nobody delivered", "S1", story.commit(2, 5, term=2)

    story = said("hi", "yo", "he").deliver(1, 1, 1, "hi").deliver(1, 3, 2, "yo")
    yield "positions go back", "S2", story.deliver(1, 2, 3, "he")

    story = said("hi", "yo", "he").deliver(1, 1, 1, "hi")
    yield "a number is left out", "S3 S9", story.deliver(1, 3, 3, "he")

    story = said("hi", "yo", client="bob").submit("ann", 1, "he")
    story.deliver(1, 1, 1, "he", client_seq=1).deliver(1, 2, 2, "hi", client="bob", client_seq=1)
    yield "node 2 numbers densely but left one out", "S3", story.deliver(2, 2, 1, "hi", client="bob", client_seq=1)

    story = said("hi").deliver(1, 1, 1, "hi")
    yield "a retry is delivered twice", "S4", story.deliver(1, 2, 2, "hi", client_seq=1)

    story = said("hi", "yo").deliver(1, 1, 1, "yo", client_seq=2)
    yield "a client's second message first", "S9", story.deliver(1, 2, 2, "hi", client_seq=1)

    yield "a text changed on the way", "S11", said("hi").deliver(1, 1, 1, "hj")
    yield "an author changed on the way", "S11", said("hi").deliver(1, 1, 1, "hi", author="bob")
    yield "an invented message", "S11", said("hi").deliver(1, 1, 1, "boo", client="eve")


def bad_elections() -> Iterator[tuple[str, str, Story]]:
    yield "two leaders", "S5", Story().add("lead", 3, term=2, seq=1).add("lead", 2, term=2, seq=1)

    story = Story().add("lead", 3, term=2, seq=1).add("crash", 3)
    yield "leads the same term again after a restart", "S5", story.add("lead", 3, term=2, seq=2, incarnation=2)

    story = Story().add("promise", 2, term=3, peer=3)
    yield "two promises in a term", "S6", story.add("promise", 2, term=3, peer=1)

    story = Story().add("promise", 2, term=3, peer=3).add("send", 2, message="PROMISE", term=3, peer=3)
    yield "a promise forgotten by a crash", "S6", story.add("promise", 2, term=3, peer=1, incarnation=2)

    yield "a term goes back", "S6", Story().add("promise", 2, term=3, peer=3).add("promise", 2, term=2, peer=3)

    story = Story().add("role", 2, term=4, role="leader")
    yield "a role in an older term", "S6", story.add("role", 2, term=3, role="follower")

    story = Story().add("promise", 2, term=5, peer=3)
    yield "a role in a term below the promise", "S6", story.add("role", 2, term=4, role="follower")

    story = Story().append(1, 1, 1).append(1, 2, 1, "hi", number=1).commit(1, 2).append(2, 1, 1)
    yield "a leader without a committed entry", "S8", story.add("lead", 2, term=2, seq=2)

    story = Story().append(1, 1, 1).append(1, 2, 1, "hi", number=1).append(2, 1, 1).add("lead", 2, term=2, seq=2)
    yield "an entry committed late, in a lower term", "S8", story.commit(1, 2, term=1)

    story = Story().append(1, 1, 1).append(1, 2, 1, "hi", number=1).commit(1, 2).append(2, 1, 1).append(2, 3, 2)
    yield "a leader with a hole where an entry is committed", "S8 S12", story.add("lead", 2, term=2, seq=3)


def bad_acknowledgements() -> Iterator[tuple[str, str, Story]]:
    story = said("hi").submit("bob", 1, "yo").commit(1, 7).ack("ann", 1, 7, "hi")
    yield "an acknowledged message is replaced", "S7", story.deliver(2, 7, 1, "yo", client="bob")

    story = said("hi").submit("bob", 1, "yo").commit(1, 7).deliver(2, 7, 1, "yo", client="bob")
    yield "an acknowledged message was never there", "S7", story.ack("ann", 1, 7, "hi")

    story = said("hi").submit("bob", 1, "yo").commit(1, 7).ack("ann", 1, 6, "hi")
    yield "an acknowledged message is left out", "S7", story.deliver(2, 7, 1, "yo", client="bob")

    story = said("hi").submit("bob", 1, "yo").commit(1, 7).deliver(2, 7, 1, "yo", client="bob")
    yield "a message acknowledged behind the reader", "S7", story.ack("ann", 1, 6, "hi")

    story = said("hi").append(3, 2, 1, "hi", number=1).commit(3, 2).ack("ann", 1, 2, "hi")
    story.append(2, 1, 1).append(2, 2, 2)
    yield "a barrier overwrites an acknowledged message", "S1 S7", story.commit(2, 2, term=2)

    story = said("hi").submit("bob", 1, "yo").commit(1, 7).ack("ann", 1, 7, "hi")
    yield "one position acknowledged to two clients", "S7", story.ack("bob", 1, 7, "yo")

    story = said("hi").commit(1, 9).ack("ann", 1, 5, "hi").submit("bob", 1, "yo")
    yield "a later message has a lower position", "S10", story.ack("bob", 1, 4, "yo")

    story = said("hi").commit(1, 9).ack("ann", 1, 5, "hi").submit("bob", 1, "yo")
    story.deliver(1, 4, 1, "yo", client="bob", client_seq=1)
    yield "the same, seen in a delivery", "S10", story

    story = said("hi").append(1, 1, 1, "hi", number=1).commit(1, 0)
    yield "ok before the commit", "S16", story.ack("ann", 1, 1, "hi")

    story = said("hi").submit("bob", 1, "yo")
    story.append(3, 1, 1, "hi", number=1).commit(3, 1).deliver(3, 1, 1, "hi").ack("ann", 1, 1, "hi")
    story.append(2, 1, 2, "yo", "bob", 1).commit(2, 1, term=2).deliver(2, 1, 1, "yo", client="bob")
    story.ack("bob", 1, 1, "yo")
    story.add("truncate", 2, seq=1).append(2, 1, 1, "hi", number=1).commit(2, 1, term=3).deliver(2, 1, 1, "hi")
    yield "a split brain that heals", "S1 S2 S7 S13", story


def bad_answers() -> Iterator[tuple[str, str, Story]]:
    story = said("hi").submit("bob", 1, "yo").append(1, 1, 1, "yo", "bob", 1).commit(1, 1)
    yield "acknowledged at a position that holds another message", "S7", story.ack("ann", 1, 1, "hi")

    story = said("hi").commit(1, 9).ack("ann", 1, 4, "hi")
    yield "one message acknowledged at two positions", "S7", story.ack("ann", 1, 5, "hi")

    yield "ok, and nobody ever wrote anything", "S16", said("hi").ack("ann", 1, 1, "hi")


def bad_logs() -> Iterator[tuple[str, str, Story]]:
    story = Story().append(1, 4, 2, "hi", number=1)
    yield "one label, two entries", "S12", story.append(2, 4, 2, "yo", number=1)

    story = Story().append(1, 3, 1).append(1, 4, 2, "hi", number=1).append(2, 3, 2)
    yield "one label, two predecessors", "S12", story.append(2, 4, 2, "hi", number=1)

    yield "a hole in a log", "S12", Story().append(1, 1, 1).append(1, 2, 1).append(1, 4, 1)
    yield "a first life whose log begins with a hole", "S12", Story().add("start", 1).append(1, 2, 1)

    yield "a commit goes back", "S13", Story().commit(1, 5).commit(1, 4)
    yield "a commit beyond what is verified", "S13", Story().commit(1, 5, verified=4)
    yield "a committed entry is removed", "S13", Story().append(1, 5, 1).commit(1, 5).add("truncate", 1, seq=5)

    story = Story().add("start", 1, seq=0).append(1, 1, 1).add("durable", 1, seq=1).append(1, 2, 1)
    yield "an ACK before the sync", "S14", story.add("send", 1, message="ACK", peer=3, seq=2)

    story = Story().add("start", 1, seq=4).add("truncate", 1, seq=3).append(1, 3, 2)
    yield "an ACK of what replaced a durable entry", "S14", story.add("send", 1, message="ACK", peer=3, seq=3)

    story = Story().add("start", 1, seq=0).add("promise", 1, term=2, peer=3)
    yield "a PROMISE before the sync", "S14", story.add("send", 1, message="PROMISE", peer=3, term=2)

    story = Story().add("start", 1, seq=0).append(1, 1, 1).add("promise", 1, term=2, peer=3).add("durable", 1, seq=1)
    yield "a sync that began before the promise", "S14", story.add("send", 1, message="PROMISE", peer=3, term=2)


def bad_learners() -> Iterator[tuple[str, str, Story]]:
    """What members and a learner, node 4, must not make of each other."""

    def read(story: Story, node: int, seq: int, folder: str, verdict: str) -> Story:
        return story.add("learner", node, seq=seq, peer=4, text=folder, reason=verdict)

    yield "an id taken twice", "S17", read(read(Story(), 1, 5, "9f", "new"), 1, 7, "30", "moved")
    yield "one entry, two readings", "S17", read(read(Story(), 1, 5, "9f", "new"), 2, 5, "9f", "taken")
    yield "gone for another", "S17", read(read(Story(), 1, 5, "9f", "new"), 1, 7, "30", "left")
    story = read(read(Story(), 1, 5, "9f", "new"), 1, 7, "9f", "left")
    yield "back after it has left", "S17", read(story, 1, 9, "9f", "new")
    yield "taken in by nobody", "S17", Story().add("admitted", 4, peer=1, text="9f", role="learner")
    story = said("hi").commit(1, 6)
    yield "a learner hears what is not committed", "S17", story.deliver(4, 7, 1, "hi", role="learner")


BAD = [
    *bad_deliveries(), *bad_acknowledgements(), *bad_answers(), *bad_elections(), *bad_logs(), *bad_learners(),
]  # fmt: skip
