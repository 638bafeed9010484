"""Lab 08: a chat whose nodes crash, come back with what their disks kept, and catch up, in which the student's class decides.

The highest node leads: it gives each message its number, and sends it once to all that are up.  What it sends while a node
is down, or cut off, that node never gets: it has to ask for it, from whoever has it.

    LIVE from the leader --> live(number, message) --.
    CHUNK from a peer ----> chunk(first, messages, newest) --> shown, and kept on the disk
    every 0.2 s ----------> ask(now) --REQUEST(first, count)--> peer --serve(log, first, count)--> CHUNK

A node that came back answers requests once it knows the newest number: the leader always, another node from its first chunk on.  So two
nodes that come back together do not tell each other that nothing is missing.  What is shown is on the disk first; the next
life shows it again, for its screen is empty, and begins exactly behind it.

Assumes   the leader never crashes and is not deposed (what then has to be done is lab 06); disks keep what they synced.
Promises  a request for more than ten messages is answered by ten; `newest` is never too high.
Read also `frames` (the words), `asking` (what the class is asked), `checks` (who judges), `protocol.catchup` (that of the real chat).
"""

from collections.abc import Callable, Iterable
from random import Random
from typing import Any, ClassVar

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append, Deliver, Delivery, Note, Send
from chatsys.actor.events import Say
from chatsys.actor.words import Words
from chatsys.config import ClusterConfig
from chatsys.teach.labs.defaults import begin_timers
from chatsys.teach.labs.lab03.stage import Message
from chatsys.teach.labs.lab08.asking import CatchesUp, checked_messages, checked_request
from chatsys.teach.labs.lab08.frames import (
    MOST,
    FirstBegun,
    HistoryChunk,
    HistoryRequest,
    KeptOnDisk,
    LiveMessage,
    Logged,
    SaidHere,
    span,
)
from chatsys.teach.labs.prints import heard

ASKS = 0.2
"""Every so many seconds a node asks its class whether a request has to go out."""
ROOM = 100
"""So many messages a class may keep while it waits for earlier ones, unless the stage says otherwise."""


class CatchingUp(Actor):
    """A node of the lab."""

    messages = (LiveMessage, HistoryRequest, HistoryChunk, SaidHere, KeptOnDisk)
    records: ClassVar[tuple[type[msgspec.Struct], ...]] = (FirstBegun, Logged)
    words: ClassVar[Words] = Words(numbered="LIVE", number="seq")
    catches_up: ClassVar[Callable[[int, tuple[int, ...], int], CatchesUp]]
    room: ClassVar[int] = ROOM

    def __init__(self, me: Address, config: ClusterConfig, random: Random) -> None:
        super().__init__(me, config, random)
        self.leader = config.ids[-1]
        self.peers = tuple(node for node in config.ids if node != me)
        self.log: list[Message] = []
        """Messages 1, 2, ... without a gap: what this node serves to others, and begins behind in its next life."""
        self.newest = 0
        """The highest number of which this node knows."""
        self.knows = me == self.leader
        """Whether it was told of the newest number in this life, so that others may ask it."""
        self.lived = False
        self.count = 0
        """How many messages it has shown, one that was shown twice counted twice."""
        self.numbers: set[int] = set()
        """Which ones."""
        self.mine: Any = None

    # --- doors -----------------------------------------------------------------------------

    def recover(self, records: Iterable[msgspec.Struct]) -> None:
        """Take back what the disk kept."""
        records = list(records)
        self.lived = bool(records)
        self.knows = self.knows or not records  # when all begin there is nothing yet
        self.log = [Message(one.number, one.author, one.text) for one in records if isinstance(one, Logged)]
        self.newest = len(self.log)

    def start(self, now: float) -> list[Any]:
        """Make the student's object of this life."""
        self.mine = type(self).catches_up(len(self.log), self.peers, type(self).room)
        if self.me != self.leader:
            begin_timers(self, now, ask=ASKS)
        again = [self._show(one) for one in self.log]  # a screen is empty when a node comes back
        return again if self.lived else [Append(FirstBegun())]

    def on_command(self, command: msgspec.Struct, now: float) -> list[Any]:
        """Somebody says something here."""
        if not isinstance(command, Say):
            return []
        if self.me == self.leader:
            return self._number(command.author, command.text)
        return [Send(self.leader, SaidHere(command.author, command.text))]

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> list[Any]:
        """Number, take in, or serve."""
        match message:
            case SaidHere(author, text) if self.me == self.leader:
                return self._number(author, text)
            case LiveMessage(number, author, text):
                self.newest = max(self.newest, number)
                one = Message(number, author, text)
                ready = checked_messages("live", self.mine.live(number, one))
                early = [Note("hold", seq=number)] if number > len(self.log) + 1 and one not in ready else []
                return early + self._keep(ready)
            case HistoryChunk(first, messages, newest):
                self.knows, self.newest = True, max(self.newest, newest)
                ready = checked_messages("chunk", self.mine.chunk(first, list(messages), newest))
                return [*_tell_fetched(sender, messages), *self._keep(ready)]
            case HistoryRequest(first, count) if self.knows:
                found = checked_messages("serve", self.mine.serve(list(self.log), first, min(count, MOST)))
                return [Send(sender, HistoryChunk(first, tuple(found[:MOST]), self.newest))]
            case KeptOnDisk(messages) if sender == self.me:
                return [self._show(one) for one in messages]
        return []

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        """Ask the class whether something has to be asked for."""
        self.alarms.set(name, now + ASKS)
        wanted = checked_request(self.mine.ask(now), self.peers)
        return [] if wanted is None else [Send(wanted.to, HistoryRequest(wanted.first, wanted.count))]

    def view(self) -> tuple[int, str]:
        """There is one term; the highest node leads it."""
        return 1, "leader" if self.me == self.leader else "follower"

    def status(self) -> dict[str, Any]:
        """Return what a card of the panel shows."""
        return {
            "role": self.view()[1], "term": 1, "leader": self.leader, "ready": self.knows, "knows": self.knows, "last": self.newest,
            "commit": len(self.log), "delivered": self.count, "held_back": self.newest - len(self.log),
        }  # fmt: skip

    # --- messages --------------------------------------------------------------------------

    def _number(self, author: str, text: str) -> list[Any]:
        """Give the next number, and send the message to all that are up."""
        number = self.newest = len(self.log) + 1
        live = [Send(node, LiveMessage(number, author, text)) for node in self.peers]
        return [*self._keep([Message(number, author, text)]), *live]

    def _keep(self, ready: list[Message]) -> list[Any]:
        """Write what follows on the log to the disk; then all of it may be shown."""
        if not ready:
            return []
        records = []
        for one in ready:
            if one.number == len(self.log) + 1:
                self.log.append(one)
                records.append(Logged(one.number, one.author, one.text))
        written = [Append(*records)] if records else []
        return [*written, Send(self.me, KeptOnDisk(tuple(ready)))]

    def _show(self, one: Message) -> Deliver:
        self.count += 1
        self.numbers.add(one.number)
        return Deliver(Delivery(one.number, self.count, one.author, one.text, entry_term=1))


def _tell_fetched(sender: Address, messages: tuple[Message, ...]) -> list[Note]:
    """Tell the trace which numbers a chunk has brought."""
    if not messages:
        return []
    first, last = messages[0].number, messages[-1].number
    return [Note("fetched", peer=sender, seq=first, msg_no=last, reason=span(first, last))]


def catch_up(catches_up: Any, room: int = ROOM) -> type[CatchingUp]:
    """Return the actor of this lab with the student's class in it: `World(seed, actor=catch_up(MyCatchUp))`."""
    name = getattr(catches_up, "__name__", "CatchUp")
    own = {"catches_up": staticmethod(catches_up), "room": room, "__doc__": CatchingUp.__doc__}
    return heard(type(f"CatchingUpWith{name}", (CatchingUp,), own))
