"""Actor: the doors through which a world speaks to anything that lives in it.

An actor decides and never acts.  Each door takes facts, among them the time `now`, and returns
an ordered list of *effects* (see `effects`), which the world carries out in that order.

    world --start, on_message, on_time, on_command--> actor
    world <--[Append, Send, Deliver, Note]----------- actor
    world --settle (once, at the end of a turn)-----> actor

Assumes   nothing about the world; `now` is in seconds and never decreases within one life.
Promises  the same calls give the same effects: no clock, no I/O, no randomness but the `random`
          it was given.  State lives in plain comparable attributes, so it can be copied and shown.
Read also `effects`, then `node`, the largest actor; `client.Client` is another.
"""

import math
from collections.abc import Iterable
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from chatsys.config import ClusterConfig

if TYPE_CHECKING:
    from chatsys.protocol.effects import Yield
    from chatsys.protocol.standing import Standing

Address = int | str
"""Who sends or receives: a number is a member of the cluster, a text names a client's link."""

NEVER = math.inf


class Alarms:
    """Named moments at which a part wants to be woken: `set`, `clear`, `in`, `next`, `ring`."""

    def __init__(self) -> None:
        self.dates: dict[Any, float] = {}
        self.next = NEVER
        """The earliest date, or NEVER."""

    def set(self, name: Any, date: float) -> None:
        """Set the alarm, or move it if it is set already."""
        self.dates[name] = date
        self.next = min(self.dates.values())

    def clear(self, *names: Any) -> None:
        """Clear these alarms; clearing one that is not set is fine."""
        for name in names:
            self.dates.pop(name, None)
        self.next = min(self.dates.values(), default=NEVER)

    def __contains__(self, name: Any) -> bool:
        """Tell whether the alarm is set: the only question a rule may ask about time."""
        return name in self.dates

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
    may be stored; the wire codec and the log codec are built from them.
    """

    messages: ClassVar[tuple[type[msgspec.Struct], ...]] = ()
    records: ClassVar[tuple[type[msgspec.Struct], ...]] = ()
    from_clients: ClassVar[tuple[type[msgspec.Struct], ...] | None] = None
    """Which messages a client's link may carry; None: all.  The real transport closes a link that breaks this."""

    def __init__(self, me: Address, config: ClusterConfig, random: Random) -> None:
        self.me = me
        self.config = config
        self.random = random
        self.alarms = Alarms()

    @property
    def deadline(self) -> float:
        """When the world must call `on_time`, at the latest."""
        return self.alarms.next

    def recover(self, records: Iterable[msgspec.Struct]) -> None:
        """Take back what the log holds, before `start`; called once, in every life."""

    def start(self, now: float) -> list[Any]:
        """Begin a life."""
        return []

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> list[Any]:
        """Take in a frame from `sender`, or a `LinkUp` / `LinkDown` about it."""
        return []

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


class Part(Actor):
    """A part of a node: an actor with siblings.

    It reads the facts all parts share (`standing`, and in it `log`), names the messages it
    `handles`, and has two more doors, for the two turns of a node's fate.  What it wants of a
    sibling it returns as a decision.
    """

    handles: ClassVar[tuple[type[msgspec.Struct], ...]] = ()

    def __init__(self, standing: "Standing", config: ClusterConfig, random: Random) -> None:
        super().__init__(standing.me, config, random)
        self.standing = standing
        self.log = standing.log
        self.timing = config.timing

    def lead(self, now: float) -> list[Any]:
        """This node leads from now on."""
        return []

    def follow(self, now: float, decision: "Yield") -> list[Any]:
        """This node is a follower from now on, as `decision` says."""
        return []
