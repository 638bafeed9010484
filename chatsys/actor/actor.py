"""Actor: the doors through which a world speaks to anything that lives in it.

An actor decides and never acts.  Each door takes facts, among them the time `now`, and returns
an ordered list of *effects* (see `effects`), which the world carries out in that order.

    world --start, on_message, on_time, on_command--> actor
    world <--[Append, Send, Deliver, Note]----------- actor
    world --settle (once, at the end of a turn)-----> actor

A *turn* is any number of door calls, ended by one `settle`.  The simulator mostly ends a turn after
each event; a real process takes in all that has arrived, and then settles.  What is owed once for all
of it (one PROPOSE with many entries, one cumulative ACK) is said in `settle`, so a burst of a hundred
messages costs a frame or two.  No rule may depend on where a turn ends.

Time is an argument, and a rule never computes with it.  A part sets a named alarm, and later asks
whether it is set.  So a search that tries every order of events can ring an alarm at any moment, and
what holds then holds for every clock.  SPECIFICATION R13.1 says what a node is a function of.

Assumes   nothing about the world; `now` is in seconds and never decreases within one life.
Promises  the same calls give the same effects: no clock, no I/O, no randomness but the `random`
          it was given.  State lives in plain comparable attributes, so it can be copied and shown.
Read also `effects`, then `node`, the largest actor; `client.Client` is another.
"""

import math
from collections.abc import Iterable, Sequence
from random import Random
from typing import Annotated, Any, ClassVar

import msgspec

from chatsys.actor.events import NO_IDENTITY, Identity
from chatsys.actor.words import CHAT, Words
from chatsys.config import ClusterConfig

Address = int | str
"""Who sends or receives: a number is a member of the cluster, a text names a client's link."""

GREATEST = 2**53
Number = Annotated[int, msgspec.Meta(ge=0, le=GREATEST)]  # SPECIFICATION R2.7
"""Every number that travels: not negative, and exact in every reader of JSON."""

NEVER = math.inf


class Alarms:
    """Named moments at which a part wants to be woken: `set`, `clear`, `in`, `next`, `ring`."""

    def __init__(self) -> None:
        self.dates: dict[Any, float] = {}
        self.next = NEVER
        """The earliest date, or NEVER."""

    def set(self, name: Any, date: float) -> None:
        """Set the alarm, or move it if it is set already."""
        dates = self.dates
        before = dates.get(name)
        dates[name] = date
        if date <= self.next:
            self.next = date
        elif before == self.next:
            self.next = min(dates.values())

    def clear(self, *names: Any) -> None:
        """Clear these alarms; clearing one that is not set is fine."""
        dates = self.dates
        for name in names:
            if dates.pop(name, None) == self.next:
                self.next = min(dates.values(), default=NEVER)

    def __contains__(self, name: Any) -> bool:
        """Tell whether the alarm is set: the only question a rule may ask about time."""
        return name in self.dates  # SPECIFICATION R1.7

    def ring(self, now: float) -> list[Any]:
        """Take off and return the names of all alarms due at `now`, earliest first."""
        if self.next > now:
            return []
        due = sorted((name for name, date in self.dates.items() if date <= now), key=self.dates.__getitem__)
        self.clear(*due)
        return due


class Actor:
    """Every door, doing nothing.  Subclass it and override the doors you need.

    `messages` and `records` list the msgspec Structs (frozen, tagged) that may travel and that
    may be stored; the wire codec and the log codec are built from them.  What the trace tells of
    them they may say themselves (`trace_columns`).
    """

    messages: ClassVar[tuple[type[msgspec.Struct], ...]] = ()
    records: ClassVar[tuple[type[msgspec.Struct], ...]] = ()
    from_clients: ClassVar[tuple[type[msgspec.Struct], ...] | None] = None
    """Which messages a client's link may carry; None: all.  The real transport closes a link that breaks this."""

    requests: ClassVar[tuple[type[msgspec.Struct], ...]] = ()
    """Which of those it may pass on to another member."""

    answers: ClassVar[tuple[type[msgspec.Struct], ...]] = ()
    """Which messages answer what was passed on; `count` of one may say how many."""

    learner: ClassVar["type[Actor] | None"] = None
    """Who hears what actors of this kind agree on, and is no member; None: nobody can join."""

    words: ClassVar[Words] = CHAT
    """What this actor calls a heartbeat, a suspicion, a leader and a number, for the figures."""

    part_names: ClassVar[tuple[str, ...]] = ()
    """The names under which parts of this actor can be replaced by others; a world checks `parts=` against them."""

    def __init__(self, me: Address, config: ClusterConfig, random: Random) -> None:
        self.me = me
        self.config = config
        self.random = random  # SPECIFICATION R1.8
        self.alarms = Alarms()

    @property
    def deadline(self) -> float:
        """When the world must call `on_time`, at the latest."""
        return self.alarms.next

    @property
    def pressed(self) -> bool:
        """Whether so much that clients asked for is under way that a world does well to let the next of it wait.

        No rule may rest on it: a world that does not ask is a world, too.
        """
        return False

    @property
    def may_end(self) -> bool:
        """Whether this actor, once it was told to stand down, has nothing more to see to before its life ends."""
        return True

    @property
    def incarnation(self) -> int | None:
        """Which life this is, from 1, if this actor counts its lives in its log; None: the world counts them."""
        return None

    @property
    def identity(self) -> Identity:
        """Whose disk this life runs on, if this actor keeps that in its log."""
        return NO_IDENTITY

    def christen(self, random: Random) -> None:
        """Draw from `random` names that no other life has, before `recover`.  A world without lost disks leaves this out."""

    @classmethod
    def owner(cls, records: Iterable[msgspec.Struct]) -> tuple[str, Address] | None:
        """Return (cluster, address) of the actor whose log holds `records`; None if they do not say."""
        return None

    def recover(self, records: Iterable[msgspec.Struct]) -> None:
        """Take back what the log holds, before `start`; called once, in every life."""

    def start(self, now: float) -> list[Any]:
        """Begin a life."""
        return []

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> list[Any]:
        """Take in a frame from `sender`, or a `LinkUp` / `LinkDown` about it."""
        return []

    def on_messages(self, sender: Address, messages: Sequence[msgspec.Struct], now: float) -> list[Any]:
        """Take in frames of one `sender` that came together: what comes of them is what `on_message` makes of each.

        A world may open this door or the other one, so whoever overrides it may save work and change nothing.
        """
        effects: list[Any] = []
        for message in messages:
            effects += self.on_message(sender, message, now)
        return effects

    def on_time(self, now: float) -> list[Any]:
        """Ring every alarm that is due."""
        effects: list[Any] = []
        for name in self.alarms.ring(now):
            effects += self.on_alarm(name, now)
        return effects

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        """Act on one alarm that rang."""
        return []

    def on_command(self, command: msgspec.Struct, now: float) -> list[Any]:
        """Take an order from the people who run this actor (`Say`, `Stop`, ...)."""
        return []

    def settle(self, now: float) -> list[Any]:
        """End a turn: say once what is owed after any number of calls of the other doors."""
        return []

    def view(self) -> tuple[int, str]:
        """Return (term, role) for the trace; (0, "") for actors that have neither."""
        return 0, ""

    def status(self) -> dict[str, Any]:
        """Return a few numbers for people: what a panel shows on this actor's card."""
        return {}
