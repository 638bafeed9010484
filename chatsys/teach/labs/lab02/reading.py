"""Reading: what one causal queue answered, call by call, beside what it had to answer.

    early    shown although something that its sender had been shown was not       late     ready, and shown only later
    again    shown before                                                          lost     ready, and never shown
    strange  not what arrived                                                      stamped  a stamp that counts otherwise

Read also `queues`, which asks the queue and makes sentences of these.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from chatsys.isolation.calls import Call, Reply
from chatsys.teach.grading.lab import Finding, ShownCall
from chatsys.teach.labs.lab02.clocks import PLAIN
from chatsys.teach.labs.lab02.events import sparse
from chatsys.teach.labs.lab02.runs import RightQueue, Talk
from chatsys.teach.labs.lab02.stage import Message, shown_vector

BEFORE, BEYOND = 16, 2
"""So many calls before and after the wrong one are shown."""


def named(message: Message) -> str:
    """Return a message as it stands in a list: 2.3, the third one of node 2."""
    return f"{message.sender}.{message.number}"


def told(message: Message) -> str:
    """Return a message as it stands in a sentence."""
    return f"message {message.sender}.{message.number}"


class QueueReading:
    """The answers of one queue, and the first of each thing that is wrong with them."""

    def __init__(self, talk: Talk, node: int, replies: Sequence[Reply]) -> None:
        self.talk, self.node, self.replies, self.arrivals = talk, node, replies, talk.calls[node]
        self.shown: dict[tuple[int, int], int] = {}
        """(sender, number) -> the call that showed it, of others."""
        self.came: dict[tuple[int, int], int] = {}
        self.ready: dict[tuple[int, int], int] = {}
        self.stamps = {
            (one.message.sender, one.message.number): one.stamp for one in self.arrivals if one.message is not None
        }
        self.error = next((call for call, reply in enumerate(replies) if not reply.right), None)
        self.expected: list[Any] = []
        self.waiting: list[str] = []
        self.early: tuple[int, Message, tuple[int, int]] | None = None
        """(call, what was shown, what was not yet)"""
        self.again: tuple[int, Message] | None = None
        self.strange: tuple[int, Any] | None = None
        self.late: tuple[int, Message, int] | None = None
        """(the call from which on it was ready, the message, the call that showed it): that with the longest wait."""
        self.stamped: int | None = None
        """The first call of `stamp` with a wrong answer,"""
        self.counted: dict[int, int] = {}
        """and what it had to return, after what was shown."""
        self._expect()
        self._read()
        lost = [one for one in self.ready if one not in self.shown] if self.error is None else []
        self.lost = min(lost, key=self.ready.__getitem__, default=None)
        """What was ready first and never shown."""

    @property
    def right(self) -> bool:
        """Whether nothing is wrong."""
        wrongs = (self.error, self.early, self.again, self.strange, self.late, self.stamped, self.lost)
        return all(one is None for one in wrongs)

    def _expect(self) -> None:
        """Find out what each call had to return."""
        queue = RightQueue(self.node, list(self.talk.nodes))
        for call, one in enumerate(self.arrivals):
            self.waiting.append(", ".join(named(message) for _, message in queue.waiting))
            if one.message is None:
                self.expected.append(queue.stamp())
                continue
            self.came[one.message.sender, one.message.number] = call
            found = queue.receive(one.message.sender, dict(one.stamp), one.message)
            self.expected.append(found)
            self.ready.update({(message.sender, message.number): call for message in found})

    def _read(self) -> None:
        mine = 0
        for call, (one, reply) in enumerate(zip(self.arrivals, self.replies, strict=False)):
            if not reply.right:
                return
            if one.message is None:
                mine += 1
                if sparse(reply.value) != self._counted(mine) and self.stamped is None:
                    self.stamped, self.counted = call, self._counted(mine)
                continue
            for message in reply.value:
                self._take(call, message, mine)

    def _counted(self, mine: int) -> dict[int, int]:
        """Return what a stamp has to say, after what this queue itself has shown."""
        found = Counter(sender for sender, _ in self.shown)
        found[self.node] = mine
        return dict(found)

    def _take(self, call: int, message: Message, mine: int) -> None:
        """Look at one message that was returned."""
        place = message.sender, message.number
        came = self.came.get(place)
        if came is None or came > call or self.arrivals[came].message != message:
            self.strange = self.strange or (call, message)
            return
        if place in self.shown:
            self.again = self.again or (call, message)
            return
        lacking = next(iter(self._lacking(place, mine)), None)
        if lacking is not None and self.early is None:
            self.early = call, message, lacking
        self.shown[place] = call
        ready = self.ready.get(place, call)
        if ready < call and (self.late is None or self._wait(ready, call) > self._wait(self.late[0], self.late[2])):
            self.late = ready, message, call

    def _wait(self, ready: int, call: int) -> float:
        """Return how long something waited from one call to another."""
        return self.arrivals[call].time - self.arrivals[ready].time

    def _lacking(self, place: tuple[int, int], mine: int) -> Iterator[tuple[int, int]]:
        """Yield what the sender of a message had been shown and this node was not yet."""
        for node, count in self.stamps[place].items():
            most = count - 1 if node == place[0] else count
            for number in range(1, most + 1):
                if (node == self.node and number > mine) or (node != self.node and (node, number) not in self.shown):
                    yield node, number

    def needs(self, place: tuple[int, int], other: tuple[int, int]) -> bool:
        """Tell whether the sender of the first of two messages had been shown the second one."""
        return place != other and self.stamps[place].get(other[0], 0) >= other[1]

    # --- sentences -----------------------------------------------------------------------------

    def at(self, call: int) -> str:
        """Return when a call was made."""
        return f"{self.arrivals[call].time:.2f} s"

    def message(self, place: tuple[int, int]) -> Message:
        """Return a message that arrived here."""
        found = self.arrivals[self.came[place]].message
        assert found is not None
        return found

    def finding(self, aspect: str, call: int, story: str, rank: int = PLAIN) -> Finding:
        """Return the finding about one call."""
        opening = "In a directed run" if self.talk.seed is None else f"With seed {self.talk.seed}"
        sentence = f"{opening} {story}{'' if story.endswith(('.', '?')) else '.'}"
        return Finding(aspect=aspect, sentence=sentence, seed=self.talk.seed, steps=self.steps(call), rank=rank)

    def steps(self, wrong: int) -> tuple[ShownCall, ...]:
        """Return the calls around the wrong one."""
        first = max(0, wrong - BEFORE)
        calls = list(enumerate(zip(self.arrivals, self.replies, strict=False)))[first : wrong + BEYOND + 1]
        return tuple(
            ShownCall(
                call=call_of(one.call(self.talk.sparse)), returned=value_of(reply.value) if reply.right else reply.error or reply.wrong or "",
                expected=value_of(self.expected[call]), waiting=f"{self.waiting[call]} waited" if self.waiting[call] else "",
                when=self.at(call), wrong=call == wrong, node=self.node, time=one.time,
            )
            for call, (one, reply) in calls
        )  # fmt: skip


def call_of(call: Call) -> str:
    if call.method == "stamp":
        return "stamp()"
    sender, stamp, message = call.arguments
    return f"receive({sender}, {shown_vector(stamp)}, {named(message)})"


def value_of(value: Any) -> str:
    if isinstance(value, dict):
        return shown_vector(value)
    return f"[{', '.join(map(named, value))}]" if isinstance(value, list | tuple) else str(value)
