"""Reading: what one hold-back queue answered, call by call, beside what it had to answer.

    arrives      returned     expected     waiting
    #1           [#1]         [#1]
    #3           []           []
    #2           [#2]         [#2, #3]     #3          <-- the first wrong call: #3 was ready, too

    early    delivered although a smaller number was not        late    ready, and delivered only later
    again    delivered before                                   lost    ready, and never delivered
    strange  not what arrived under this number

Promises  a message counts as delivered only if number, author and text are those that arrived.
Read also `checks`, which asks the queue and chooses among these findings.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from chatsys.isolation.calls import CallScript, Reply
from chatsys.teach.grading.lab import Finding, ShownCall
from chatsys.teach.labs.lab03.runs import Arrival, script_of
from chatsys.teach.labs.lab03.stage import Message

SHARED, TEXT, CAUSE, WAITS, PLAIN, SEEN = 5, 4, 3, 2, 1, 0
"""How much a sentence explains: the highest rank is told first."""

BEFORE, BEYOND = 25, 3
"""So many calls before and after the wrong one are shown."""


def numbers(some: Iterable[int]) -> str:
    """Return numbers as they stand in a sentence: [#1, #2]; of more than five the middle is left out: [#1, #2, ..., #9]."""
    shown = [f"#{number}" for number in some]
    return f"[{', '.join(shown if len(shown) <= 5 else [*shown[:2], '...', shown[-1]])}]"


def said(message: Message) -> str:
    """Return a message as it stands in a sentence."""
    return f'"{message.text:.20}" by {message.author:.20}'


class Reading:
    """The answers of one queue, and the first of each thing that is wrong with them."""

    def __init__(
        self, seed: int, node: int, arrivals: Sequence[Arrival], replies: Sequence[Reply], first: int | None = None
    ) -> None:
        self.seed, self.node, self.arrivals, self.replies, self.first = seed, node, arrivals, replies, first
        self.expected: list[list[int]] = []
        """What each call had to return."""
        self.arrived: dict[int, int] = {}
        """number -> the call with which it came first"""
        self.ready: dict[int, int] = {}
        """number -> the call from which on it had to be delivered"""
        self.delivered: dict[int, int] = {}
        self.error: Reply | None = None
        self.wrong: int | None = None
        """The first call whose answer was not the expected one."""
        self.early: tuple[int, int, int] | None = None
        """(call, what was delivered, what was not yet)"""
        self.again: tuple[int, int] | None = None
        self.strange: tuple[int, Message] | None = None
        self.late: tuple[int, int, int] | None = None
        """(number, the call from which on it was ready, the call that delivered it)"""
        if self._expect() == [reply.value for reply in replies]:
            self.delivered = dict(self.ready)
        else:
            self._read()
        self.lost = next((number for number in self.ready if number not in self.delivered), None)
        """The smallest number that was ready and never delivered."""

    def _expect(self) -> list[list[Message]]:
        """Find out and return what each call that was answered had to return."""
        due, arrived = self.first or 1, self.arrived
        for call in range(min(len(self.arrivals), len(self.replies))):
            arrived.setdefault(self.arrivals[call].number, call)
            before = due
            while due in arrived:
                self.ready[due] = call
                due += 1
            self.expected.append([*range(before, due)])
        return [[self.arrivals[arrived[number]].message for number in expected] for expected in self.expected]

    def _read(self) -> None:
        """Look at the answers one by one, for what is wrong with them."""
        for call, (expected, reply) in enumerate(zip(self.expected, self.replies, strict=False)):
            if not reply.right:
                self.error, self.wrong = reply, call if self.wrong is None else self.wrong
                break
            for message in reply.value:
                self._take(call, message)
            right = [message.number for message in reply.value] == expected and self.strange is None
            if not right and self.wrong is None:
                self.wrong = call

    def _take(self, call: int, message: Message) -> None:
        """Look at one message that was returned."""
        number, came = message.number, self.arrived.get(message.number)
        if came is None or came > call or self.arrivals[came].message != message:
            self.strange = self.strange or (call, message)
        elif number in self.delivered:
            self.again = self.again or (call, number)
        else:
            lacking = next((n for n in range(self.first or 1, number) if n not in self.delivered), None)
            if lacking is not None and self.early is None:
                self.early = (call, number, lacking)
            self.delivered[number] = call
            ready = self.ready.get(number)
            if ready is not None and ready < call and self.late is None:
                self.late = (number, ready, call)

    # --- other runs, to find a cause -------------------------------------------------------

    def script(self) -> CallScript:
        """Return the calls of this run."""
        return script_of(self.arrivals, self.first)

    def with_other_texts(self) -> list[Arrival]:
        """Return the same arrivals with a text for each number that no other one has."""
        return [
            Arrival(one.number, Message(one.number, one.message.author, f"{one.message.text} {one.number}"), one.time)
            for one in self.arrivals
        ]

    def without_copies(self) -> list[Arrival]:
        """Return the same arrivals, each number once."""
        return [one for call, one in enumerate(self.arrivals) if self.arrived.get(one.number, call) == call]

    # --- sentences ---------------------------------------------------------------------------

    def at(self, call: int) -> str:
        """Return when a call came."""
        time = self.arrivals[call].time
        return f"call {call + 1}" if time is None else f"{time:.2f} s"

    def opening(self, call: int) -> str:
        """Return the beginning of a sentence: what came, where and when."""
        return f"With seed {self.seed}, when #{self.arrivals[call].number} reached node {self.node} at {self.at(call)},"

    def tell_returned(self, call: int) -> str:
        """Return what a call returned."""
        reply = self.replies[call]
        return f"returned {numbers(message.number for message in reply.value)}" if reply.right else "did not answer"

    def tell_error(self) -> str:
        """Return the sentence for an error, or for an answer of the wrong kind."""
        reply = self.replies[-1]
        opening = self.opening(len(self.replies) - 1)
        if reply.error is None:
            what = "the messages that it was given" if (reply.wrong or "").startswith("[") else "messages"
            return f"{opening} your queue returned {reply.wrong}; receive must return a list of {what}, [] for none."
        return f"{opening} your queue raised {reply.error}."

    def tell_silence(self) -> str:
        """Return the sentence for a queue that delivers nothing at all."""
        call = self.wrong or 0
        return (
            f"{self.opening(call)} nothing was missing and your queue returned []. No node delivered anything at all."
        )

    def find_early(self, aspect: str) -> Finding:
        """A larger number was delivered before a smaller one."""
        assert self.early is not None
        call, number, lacking = self.early
        came = self.arrived.get(lacking)
        how = f"#{lacking} was still on its way"
        if came is not None and came <= call:
            how = f"#{lacking} was there since {self.at(came)}"
        sentence = (
            f"With seed {self.seed} node {self.node} delivered #{number} before #{lacking}: it received #{number} at "
            f"{self.at(self.arrived[number])} while {how}."
        )
        return self.finding(aspect, sentence, call)

    def find_again(self, aspect: str) -> Finding:
        """A message was delivered twice."""
        assert self.again is not None
        call, number = self.again
        copies = sum(1 for one in self.arrivals[: call + 1] if one.number == number)
        why = f"; it had received {copies} copies of it by then" if copies > 1 else ""
        sentence = f"With seed {self.seed} node {self.node} delivered #{number} again at {self.at(call)}{why}."
        return self.finding(aspect, sentence, call, SEEN)

    def find_late(self, aspect: str) -> Finding:
        """A message waited although nothing was missing."""
        assert self.late is not None
        number, ready, call = self.late
        return self._find_held(aspect, number, ready, f"{number} was delivered only at {self.at(call)}")

    def find_lost(self, aspect: str) -> Finding:
        """A message was ready and never delivered."""
        assert self.lost is not None
        return self._find_held(aspect, self.lost, self.ready[self.lost], f"{self.lost} was never delivered")

    def _find_held(self, aspect: str, number: int, ready: int, fate: str) -> Finding:
        """One sentence for both: what came pushed out less than it could."""
        if self.arrivals[ready].number == number:
            sentence = f"{self.opening(ready)} nothing was missing, and it had to wait all the same: #{fate}."
            return self.finding(aspect, sentence, ready, WAITS)
        came = self.arrivals[ready].number
        sentence = (
            f"{self.opening(ready)} #{number} was ready, too; your queue {self.tell_returned(ready)} and had to return "
            f"{numbers(self.expected[ready])}. #{fate}."
        )
        return self.finding(aspect, sentence, ready, CAUSE if came < number else PLAIN)

    def find_strange(self, aspect: str) -> Finding:
        """A message was returned that never arrived."""
        assert self.strange is not None
        call, message = self.strange
        came = self.arrived.get(message.number)
        true = f"what arrived as #{message.number} is {said(self.arrivals[came].message)}" if came is not None else ""
        sentence = (
            f"{self.opening(call)} your queue returned #{message.number} {said(message)}; "
            f"{true or f'no #{message.number} has arrived'}. Return the messages that you were given."
        )
        return self.finding(aspect, sentence, call, CAUSE)

    def thrown_away(self) -> int | None:
        """Return the number that was lost because a larger one had been delivered before it came."""
        late = self.early is not None and self.lost == self.early[2] and self.arrived[self.lost] > self.early[0]
        return self.lost if late else None

    def find_thrown_away(self, aspect: str) -> Finding:
        """A larger number was delivered, and then the smaller one was refused."""
        assert self.early is not None and self.lost is not None
        sentence = (
            f"With seed {self.seed} node {self.node} delivered #{self.early[1]} without #{self.lost}. #{self.lost} came at "
            f"{self.at(self.arrived[self.lost])} and was thrown away: a larger number does not mean that the smaller "
            "ones will never come."
        )
        return self.finding(aspect, sentence, self.early[0], CAUSE)

    def find_taken_for_copy(self, aspect: str) -> Finding:
        """A message was lost because another one has the same text."""
        assert self.lost is not None
        mine = self.arrivals[self.arrived[self.lost]].message
        twins = (n for n, call in self.arrived.items() if self.arrivals[call].message.text == mine.text)
        twin = next((number for number in twins if number != self.lost), None)
        other = f'"{mine.text:.20}" (#{twin})' if twin is not None else "another message"
        sentence = (
            f'With seed {self.seed} node {self.node} never delivered "{mine.text:.20}" (#{self.lost}): it was taken for a '
            f"copy of {other}. Equal texts are two messages; only the number tells copies."
        )
        return self.finding(aspect, sentence, self.wrong or 0, TEXT)

    def copies_of_lost(self) -> int:
        """Return how often the lost message came before it was ready."""
        assert self.lost is not None
        return Counter(one.number for one in self.arrivals[: self.ready[self.lost] + 1])[self.lost]

    def find_lost_to_copy(self, aspect: str) -> Finding:
        """A message was lost because it came twice."""
        assert self.lost is not None
        calls = [call for call, one in enumerate(self.arrivals) if one.number == self.lost]
        times = " and ".join(self.at(call) for call in calls[:2])
        often = "twice" if len(calls) == 2 else f"{len(calls)} times"
        also = "" if len(calls) == 2 else "first "
        sentence = (
            f"With seed {self.seed} #{self.lost} reached node {self.node} {often} ({also}at {times}) and was never "
            "delivered; without the copies your queue is right. A copy must neither remove what waits nor wait beside it."
        )
        return self.finding(aspect, sentence, self.wrong or 0, CAUSE)

    def find_first(self, aspect: str) -> Finding:
        """A queue that begins in the middle did not."""
        call = self.wrong or 0
        number = self.arrivals[call].number
        sentence = (
            f"With seed {self.seed} a queue made with first={self.first} got #{number} at {self.at(call)} and "
            f"{self.tell_returned(call)}; it had to return {numbers(self.expected[call])}."
        )
        return self.finding(aspect, sentence, call)

    def finding(self, aspect: str, sentence: str, call: int, rank: int = PLAIN) -> Finding:
        """Return a finding with the calls of this queue around `call`."""
        return Finding(aspect=aspect, sentence=sentence, seed=self.seed, steps=self.steps(call), rank=rank)

    def steps(self, call: int) -> tuple[ShownCall, ...]:
        """Return the calls as the student's queue saw them; the first wrong one is marked."""
        mark = self.wrong if self.wrong is not None else call
        place = min(mark, call)
        shown = range(max(0, place - BEFORE), min(len(self.expected), max(mark, call) + BEYOND + 1))
        return tuple(self._step(each, each == mark) for each in shown)

    def _step(self, call: int, wrong: bool) -> ShownCall:
        arrival, reply = self.arrivals[call], self.replies[call]
        due = (self.first or 1) + sum(map(len, self.expected[:call]))
        waiting = sorted({one.number for one in self.arrivals[:call] if one.number >= due})
        if reply.right:
            returned = numbers(message.number for message in reply.value)
        else:
            returned = f"{reply.error or reply.wrong}"
        return ShownCall(
            call=f"receive(#{arrival.number}, {said(arrival.message)})",
            returned=returned,
            expected=numbers(self.expected[call]),
            waiting=f"{numbers(waiting)[1:-1]} waited" if waiting else "",
            when=self.at(call),
            wrong=wrong,
            node=self.node,
            time=arrival.time,
            about=self._about(call, due) if wrong else (),
        )

    def _about(self, call: int, due: int) -> tuple[int, ...]:
        """Return which messages an answer is about: what came, what was and had to be returned, and the one waited for."""
        reply = self.replies[call]
        returned = [message.number for message in reply.value] if reply.right else []
        skipped = [due] if any(number > due for number in returned) else []
        return tuple(sorted({self.arrivals[call].number, *returned, *self.expected[call], *skipped}))
