"""Lab 03: a chat with one sequencer, in which the student's classes decide.

The highest node is the sequencer: it gives each message the next number and sends it to everybody.
Messages overtake each other on the way, get lost and come twice.  What a node *receives* it hands
to the student's queue, and *delivers* what the queue returns.

    say --POST--> order(origin, post, text) --ORDERED 1, 2, 3--> receive(number, message) --> deliver
                  on the sequencer                ^                  |
                                                  `----- RESEND -----'   missing(newest) is 2: ask again

What the student has not written is given: the gaps of a queue without `missing` are asked for by the
stage, and where no sequencer is handed in, the stage's own gives the numbers.

Assumes   the sequencer never crashes; what to do when it does is the matter of `protocol.succession`.
Promises  every number reaches every living node in the end, some of them more than once, if its gaps are asked for.
Read also `checks` (who judges the classes), `protocol.holdback` and `protocol.ordering` (those of the real chat).
"""

from collections.abc import Callable
from random import Random
from typing import Any, ClassVar, Protocol

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Deliver, Delivery, Note, Send
from chatsys.actor.events import Say
from chatsys.config import ClusterConfig
from chatsys.faults import Testbed
from chatsys.teach.labs.prints import heard

AGAIN = 0.4
"""Every so many seconds a node repeats what is unanswered and asks for what is missing."""
AT_ONCE = 50
"""So many messages answer one request for missing ones."""


class Message(msgspec.Struct, frozen=True):
    """What the queue is given, and gives back: a chat message and its number."""

    number: int
    author: str
    text: str


class HoldBackQueue(Protocol):
    """What the student writes in 3.1; in 3.2 it has `missing(newest) -> int | None` as well."""

    def receive(self, number: int, message: Message) -> list[Message]:
        """Take in message `number`; return all messages that may be delivered now, in their order."""


class NumberGiver(Protocol):
    """What the student writes in 3.3."""

    def order(self, origin: str, post: int, text: str) -> int | None:
        """Return the number of this post, each time the same; None while an earlier post of `origin` has none."""


class Frame(msgspec.Struct, frozen=True, tag=str.upper, tag_field="type"):
    """Base of the frames of this lab."""


class Post(Frame, frozen=True):
    """To the sequencer: please give this a number.  (life, post) makes a repetition harmless."""

    life: int
    post: int
    author: str
    text: str


class Ordered(Frame, frozen=True):
    """From the sequencer: this is message `number`, for ever."""

    number: int
    origin: int
    post: Post


class Newest(Frame, frozen=True):
    """From the sequencer: so many messages there are."""

    number: int


class Resend(Frame, frozen=True):
    """To the sequencer: the messages from number `first` on, please, `count` of them."""

    first: int
    count: int = AT_ONCE


class TotalOrder(Actor):
    """A node of the lab: poster, receiver, and on the highest node the sequencer as well."""

    messages = (Post, Ordered, Newest, Resend)
    queue: ClassVar[Callable[[], HoldBackQueue]]
    numbers: ClassVar[Callable[[], NumberGiver] | None] = None
    """Makes the student's sequencer; None: the stage numbers the posts itself."""
    asks: ClassVar[bool] = False
    """Whether the queue itself says what is missing."""

    def __init__(self, me: Address, config: ClusterConfig, random: Random) -> None:
        super().__init__(me, config, random)
        self.sequencer = config.ids[-1]
        self.others = [node for node in config.ids if node != me]
        self.life = random.getrandbits(32)
        self.posts: dict[int, Post] = {}
        """My messages that have no number yet."""
        self.posted = 0
        self.holdback: Any = type(self).queue()
        self.origins: dict[int, tuple[str, int]] = {}
        """Who said message `number`, and as which of its messages: for the trace."""
        self.arrived: set[int] = set()
        """Numbers received beyond `complete`, up to which none is missing."""
        self.complete = 0
        self.asked = -1
        """What `complete` was at the last alarm: if it has not moved since, something is missing."""
        self.newest = 0
        self.count = 0
        """How many messages this node has delivered."""
        self.order: dict[int, Ordered] = {}
        """The sequencer's memory: what has which number."""
        self.taken: dict[tuple[int, int], int] = {}
        """How many posts of each life of a node have a number."""
        make = type(self).numbers
        self.giver: Any = make() if make is not None and me == self.sequencer else None

    # --- doors -----------------------------------------------------------------------------

    def start(self, now: float) -> list[Any]:
        """Begin to repeat and to ask."""
        self.alarms.set("again", now + AGAIN)
        return []

    def on_command(self, command: msgspec.Struct, now: float) -> list[Any]:
        """Send a chat message of the user to the sequencer."""
        if not isinstance(command, Say):
            return []
        self.posted += 1
        post = self.posts[self.posted] = Post(self.life, self.posted, command.author, command.text)
        return self._post(post)

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> list[Any]:
        """Number, receive or send again."""
        match message:
            case Post() if isinstance(sender, int) and self.me == self.sequencer:
                return self._number(sender, message)
            case Ordered():
                return self._receive(message)
            case Newest(number):
                self.newest = max(self.newest, number)
            case Resend(first, count):
                wanted = range(first, first + min(count, AT_ONCE))
                return [Send(sender, self.order[number]) for number in wanted if number in self.order]
        return []

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        """Repeat what has no answer yet."""
        self.alarms.set("again", now + AGAIN)
        effects: list[Any] = [effect for post in self.posts.values() for effect in self._post(post)]
        if self.me == self.sequencer:
            effects += [Send(node, Newest(max(self.order, default=0))) for node in self.others]
        elif type(self).asks:
            if (number := self.holdback.missing(self.newest)) is not None:
                effects.append(Send(self.sequencer, Resend(number, 1)))
        elif self.newest > self.complete == self.asked:
            effects.append(Send(self.sequencer, Resend(self.complete + 1)))
        self.asked = self.complete
        return effects

    def view(self) -> tuple[int, str]:
        """The sequencer leads for ever, so there are no terms."""
        return 0, "leader" if self.me == self.sequencer else "follower"

    def status(self) -> dict[str, Any]:
        """Return what a card of the panel shows."""
        return {
            "role": self.view()[1], "term": 0, "leader": self.sequencer, "ready": True,
            "last": self.newest, "commit": self.complete, "delivered": self.count, "held_back": len(self.arrived),
        }  # fmt: skip

    # --- the sequencer ---------------------------------------------------------------------

    def _post(self, post: Post) -> list[Any]:
        if self.me == self.sequencer:
            assert isinstance(self.me, int)
            return self._number(self.me, post)
        return [Send(self.sequencer, post)]

    def _number(self, origin: int, post: Post) -> list[Any]:
        """Give the next number, to each post once and to the posts of one node in their order."""
        if self.giver is not None:
            return self._number_by_student(origin, post)
        last = self.taken.get((origin, post.life), 0)
        if post.post != last + 1:
            return []
        self.taken[(origin, post.life)] = post.post
        return self._announce(Ordered(len(self.order) + 1, origin, post))

    def _number_by_student(self, origin: int, post: Post) -> list[Any]:
        """Let the student's sequencer give the number; a known post is answered once more, to its node alone."""
        number = self.giver.order(name_of(origin, post.life), post.post, post.text)
        if number is None:
            return []
        ordered = Ordered(number, origin, post)
        return [Send(origin, ordered)] if self.order.get(number) == ordered else self._announce(ordered)

    def _announce(self, ordered: Ordered) -> list[Any]:
        self.order.setdefault(ordered.number, ordered)
        return [*(Send(node, ordered) for node in self.others), Send(self.me, ordered)]

    # --- the receiver ----------------------------------------------------------------------

    def _receive(self, ordered: Ordered) -> list[Any]:
        number, post = ordered.number, ordered.post
        self.origins[number] = (name_of(ordered.origin, post.life), post.post)
        if post.life == self.life:
            self.posts.pop(post.post, None)
        if number > self.complete:
            self.arrived.add(number)
        while self.complete + 1 in self.arrived:
            self.complete += 1
            self.arrived.remove(self.complete)
        self.newest = max(self.newest, number)
        early = [Note("hold", seq=number)] if number > self.complete else []
        return early + self._deliver(self.holdback.receive(number, Message(number, post.author, post.text)))

    def _deliver(self, ready: Any) -> list[Any]:
        if not isinstance(ready, list | tuple) or not all(isinstance(message, Message) for message in ready):
            raise TypeError(f"receive must return a list of messages, [] for none; it returned {ready!r:.60}")
        effects = []
        for message in ready:
            self.count += 1
            client, post = self.origins.get(message.number, ("nobody", 0))
            effects.append(
                Deliver(
                    Delivery(
                        message.number, self.count, message.author, message.text,
                        client=client, client_seq=post,
                    )
                )
            )  # fmt: skip
        return effects


def name_of(node: int, life: int) -> str:
    """Return the name under which a node posts in one of its lives, whose posts are numbered from 1."""
    return f"node{node}-{life:08x}"


def total_order(queue: Any, sequencer: Any = None, *, asks: bool | None = None) -> type[TotalOrder]:
    """Return the actor of this lab with the student's classes in it: `World(seed, actor=total_order(MyHoldBack))`.

    A queue that has the method `missing` asks for its gaps itself (`asks` says it where nobody can see the methods);
    `sequencer` gives the numbers.
    """
    parts = {"queue": queue, "numbers": sequencer, "asks": hasattr(queue, "missing") if asks is None else asks}
    name = getattr(queue, "__name__", "Queue")
    return heard(type(f"TotalOrderWith{name}", (TotalOrder,), {**parts, "__doc__": TotalOrder.__doc__}))


def stopped(world: Testbed) -> list[str]:
    """Return a sentence for each node of a world or cluster that stopped because the student's class raised an error."""
    return [f"node {node} stopped: your class raised {why}" for node, why in world.failures]
