"""Lab 02: nodes that talk to each other, with clocks that the student writes, and a queue that keeps causes before effects.

    says     one event: send() of both clocks, stamp() of the queue; the line goes to all others, or a note to one
    hears    one event: receive(...) of both clocks; a line goes to the queue, and what that returns is shown
    step     one event: tick() of both clocks; nothing is sent

    2 --LINE "Yes.", 7, {1: 3, 2: 4}, {1: 1, 2: 1}--> 3
         the text, its Lamport stamp, its vector, and how many lines of each node its sender had shown

People answer what they read: whoever is shown a question says, a moment later, what `REPLIES` has for it, if she is the
next one.  So an answer is always said after its question was shown to somebody, and that is a path of messages.

Event 2.5 is the fifth event of node 2.  Each one is noted with what the student's clocks said of it, and for `hears`
with the event in which the message was sent: from these notes alone, no clock in it, `events` finds what came before what.

Assumes   nobody crashes and nothing is lost; messages overtake each other.
Promises  what a class answers changes no event but what is shown, and what people answer to that.
Read also `events` (what came before what), `runs` (what happens in a seed), `play` (the runs of the page).
"""

from random import Random
from typing import Any, ClassVar, Protocol

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Deliver, Delivery, Note, Send
from chatsys.actor.events import Say
from chatsys.actor.words import Words
from chatsys.config import ClusterConfig
from chatsys.faults import Testbed
from chatsys.teach.labs.prints import heard

PEOPLE = {1: "ann", 2: "bob", 3: "eve"}
"""Who sits at which node."""
SOON = (0.15, 0.4)
"""So many seconds after one was shown to her, she answers a line."""
REPLIES = {
    "Shall we go to the lake?": "Yes, at six.",
    "Yes, at six.": "Six is too early!",
    "Who has the key?": "I have it.",
    "I have it.": "Then bring it along.",
    "Is it raining?": "Not here.",
    "Not here.": "It pours where I am.",
    "Who cooks tonight?": "You do.",
    "You do.": "Again?",
}
"""What is said to a line by the next node: 2 answers 1, 3 answers 2, 1 answers 3."""


class Message(msgspec.Struct, frozen=True):
    """What the queue is given, and gives back: the `number`-th line of node `sender`."""

    sender: int
    number: int
    text: str


class LamportClock(Protocol):
    """What the student writes in 2.1."""

    def tick(self) -> int:
        """Return the number of an event in which nothing is sent or received."""

    def send(self) -> int:
        """Return the number of a sending, which travels with the message."""

    def receive(self, stamp: int) -> int:
        """Return the number of the receipt of a message with this stamp."""


class VectorClock(Protocol):
    """What the student writes in 2.2; it is made with (me, nodes)."""

    def tick(self) -> dict[int, int]:
        """Return the vector of an event in which nothing is sent or received."""

    def send(self) -> dict[int, int]:
        """Return the vector of a sending, which travels with the message."""

    def receive(self, stamp: dict[int, int]) -> dict[int, int]:
        """Return the vector of the receipt of a message with this stamp."""


class CausalQueue(Protocol):
    """What the student writes in 2.4; it is made with (me, nodes)."""

    def stamp(self) -> dict[int, int]:
        """Return the stamp of my next message, which is shown to me at once."""

    def receive(self, sender: int, stamp: dict[int, int], message: Message) -> list[Message]:
        """Take in a message; return all messages that may be shown now, in their order."""


class SaidLine(msgspec.Struct, frozen=True, tag="LINE", tag_field="type"):
    """A line of the chat, to everybody; `event` is which event of its sender its sending was."""

    number: int
    text: str
    event: int
    stamp: int = 0
    vector: dict[int, int] = {}
    counts: dict[int, int] = {}


class Letter(msgspec.Struct, frozen=True, tag="LETTER", tag_field="type"):
    """A message to one node, of which nothing is shown."""

    event: int
    stamp: int = 0
    vector: dict[int, int] = {}


class TakeStep(msgspec.Struct, frozen=True, tag="STEP", tag_field="type"):
    """A command to a node: something happens that concerns nobody else."""


class Write(msgspec.Struct, frozen=True, tag="WRITE", tag_field="type"):
    """A command to a node: send a letter to another one."""

    to: int


class Timed(Actor):
    """A node of the lab."""

    messages = (SaidLine, Letter)
    words = Words(one_order=False)
    lamport: ClassVar[Any] = None
    vector: ClassVar[Any] = None
    causal: ClassVar[Any] = None
    """What makes them, of () and of (me, nodes).  None: there is no such clock; without a queue each line is shown when it arrives."""
    replies: ClassVar[bool] = True
    """Whether people answer what they are shown."""

    def __init__(self, me: Address, config: ClusterConfig, random: Random) -> None:
        super().__init__(me, config, random)
        nodes, kind = list(config.ids), type(self)
        self.others = [node for node in nodes if node != me]
        self.events = 0
        """How many events there were here."""
        self.said = 0
        self.shown = 0
        """How many lines I said, and how many I was shown."""
        assert isinstance(me, int)
        self.numbers: Any = kind.lamport() if kind.lamport is not None else None
        self.vectors: Any = kind.vector(me, list(nodes)) if kind.vector is not None else None
        self.queue: Any = kind.causal(me, list(nodes)) if kind.causal is not None else None

    # --- doors -----------------------------------------------------------------------------

    def on_command(self, command: msgspec.Struct, now: float) -> list[Any]:
        """Say a line, send a letter, or let something happen."""
        match command:
            case Say():
                return self._say(command.text)
            case TakeStep():
                return [self._note("step", self._times("tick"), "something happens here")]
            case Write(to) if to in self.others:
                times = self._times("send")
                note = self._note("says", times, f"writes to node {to}", peer=to)
                return [note, Send(to, Letter(self.events, *times))]
        return []

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> list[Any]:
        """Let the clocks know of it, and the queue."""
        if not isinstance(message, SaidLine | Letter) or not isinstance(sender, int):
            return []
        times = self._times("receive", message.stamp, dict(message.vector))
        text, number = (message.text, message.number) if isinstance(message, SaidLine) else (None, None)
        note = self._note(
            "hears",
            times,
            f"receives {sender}.{message.event}",
            peer=sender,
            sent=message.event,
            text=text,
            number=number,
        )
        if isinstance(message, Letter):
            return [note]
        told = Message(sender, message.number, message.text)
        if self.queue is None:
            return [note, *self._show(told, now)]
        ready = self.queue.receive(sender, dict(message.counts), told)
        if not isinstance(ready, list | tuple) or not all(isinstance(one, Message) for one in ready):
            raise TypeError(f"receive must return a list of messages, [] for none; it returned {ready!r:.60}")
        return [note, *(effect for one in ready for effect in self._show(one, now))]

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        """Say what was to be answered."""
        return self._say(name[1])

    def view(self) -> tuple[int, str]:
        """Nobody leads, so there are no terms."""
        return 0, "up"

    def status(self) -> dict[str, Any]:
        """Return what a card of the panel shows."""
        return {
            "role": "up", "term": 0, "leader": None, "ready": True,
            "last": self.events, "commit": self.shown, "delivered": self.shown,
        }  # fmt: skip

    # --- events ------------------------------------------------------------------------------

    def _say(self, text: str) -> list[Any]:
        times, counts = self._times("send"), {} if self.queue is None else self.queue.stamp()
        if not isinstance(counts, dict):
            raise TypeError(f"stamp must return a dictionary; it returned {counts!r:.60}")
        self.said += 1
        assert isinstance(self.me, int)
        mine = Message(self.me, self.said, text)
        note = self._note("says", times, f"says “{text}”", text=text, number=self.said)
        line = SaidLine(self.said, text, self.events, *times, dict(counts))
        return [note, self._delivery(mine), *(Send(node, line) for node in self.others)]

    def _times(self, method: str, stamp: Any = None, vector: Any = None) -> tuple[int, dict[int, int]]:
        """Ask both clocks for the time of an event; a clock that is not there says nothing."""
        self.events += 1
        number, times = 0, {}
        if self.numbers is not None:
            number = self.numbers.receive(stamp) if method == "receive" else getattr(self.numbers, method)()
            if not isinstance(number, int):
                raise TypeError(f"{method} of the Lamport clock must return a whole number; it returned {number!r:.60}")
        if self.vectors is not None:
            times = self.vectors.receive(vector) if method == "receive" else getattr(self.vectors, method)()
            if not isinstance(times, dict):
                raise TypeError(f"{method} of the vector clock must return a dictionary; it returned {times!r:.60}")
        return number, dict(times)

    def _note(
        self, kind: str, times: tuple[int, dict[int, int]], what: str, *, peer: int | None = None,
        sent: int | None = None, text: str | None = None, number: int | None = None,
    ) -> Note:  # fmt: skip
        """Tell the trace: `seq` is which event this is here, `msg_no` in which event of `peer` it was sent."""
        lamport, vector = times
        entry = "" if self.vectors is None else msgspec.json.encode(dict(sorted(vector.items(), key=str))).decode()
        shown = [f"number {lamport}"] * (self.numbers is not None) + [f"vector {shown_vector(vector)}"] * bool(entry)
        return Note(
            kind, seq=self.events, peer=peer, msg_no=sent, text=text, client_seq=number,
            client=None if number is None else f"node{self.me if peer is None else peer}",
            entry_term=lamport, entry=entry or None, reason=", ".join([f"event {self.me}.{self.events} {what}", *shown]),
        )  # fmt: skip

    def _show(self, message: Message, now: float) -> list[Any]:
        """Show a line to the person here, who may want to answer it."""
        reply = REPLIES.get(message.text)
        if type(self).replies and reply is not None and self.me == message.sender % (len(self.others) + 1) + 1:
            self.alarms.set(("answer", reply, message.sender, message.number), now + self.random.uniform(*SOON))
        return [self._delivery(message)]

    def _delivery(self, message: Message) -> Deliver:
        self.shown += 1
        return Deliver(
            Delivery(
                self.shown, self.shown, PEOPLE.get(message.sender, f"node{message.sender}"), message.text,
                client=f"node{message.sender}", client_seq=message.number,
            )
        )  # fmt: skip


def shown_vector(vector: dict[int, int]) -> str:
    """Return a vector as it stands in a sentence: {1: 2, 2: 0}, in the order of the nodes."""
    return "{" + ", ".join(f"{node}: {count}" for node, count in sorted(vector.items())) + "}"


def timed(lamport: Any = None, vector: Any = None, causal: Any = None, *, replies: bool = True) -> type[Timed]:
    """Return the actor of this lab with the student's classes in it: `World(seed, actor=timed(causal=MyCausal))`."""
    given = {"lamport": lamport, "vector": vector, "causal": causal}
    parts = {name: None if one is None else staticmethod(one) for name, one in given.items()}
    name = "".join(getattr(one, "__name__", "Class") for one in given.values() if one is not None)
    words = Words(one_order=False, first_in_first_out=causal is not None)  # without a queue nobody asks for an order
    told = {"replies": replies, "words": words, "__doc__": Timed.__doc__}
    return heard(type(f"TimedWith{name}", (Timed,), {**parts, **told}))


def stopped(world: Testbed) -> list[str]:
    """Return a sentence for each node of a world or cluster that stopped because the student's class raised an error."""
    return [f"node {node} stopped: your class raised {why}" for node, why in world.failures]
