"""Effects: what a door returns, for the world to carry out.

    Append    write records at the end of the log
    Send      send a message to a peer, or to oneself
    Deliver   hand messages to the user
    Note      tell the trace

The order of effects is a promise: persist, then send, then deliver.  An actor appends a record before
the frame that rests on it, and the outbox (`outbox.Outbox`) makes the frame wait until the record is
durable.  So a handler reads like the textbook ("record the promise, then answer"), and no handler
waits for anything.  A delivery need not wait: what is committed is on the disks of a quorum.

A run.  Append and Deliver carry one thing or several in their order: `Append(a, b)` means exactly what
`[Append(a), Append(b)]` means, and a thing alone is a run of one.  A frame that stands behind a run in
the list waits until the whole run is durable; a delivery stands before or behind a run, never within.
So whoever carries out effects walks over `items`, and an actor may say more at a time without any
world having to change.

Promises  an effect is a value: frozen and comparable, so a test compares what a door returns with `==`.
Read also `actor` (the doors), `protocol.decisions` (what the parts of a node say to each other).
"""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

from chatsys.actor.actor import Address

T = TypeVar("T")


class OneOrMore(Generic[T]):
    """A run: one thing or several, in their order, as `items`."""

    __slots__ = ("items",)
    __match_args__ = ("items",)
    items: Sequence[T]

    def __init__(self, *items: T) -> None:
        object.__setattr__(self, "items", items)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is a value: make another one instead of setting {name}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(self.items)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.items == self.items

    def __hash__(self) -> int:
        return hash((type(self), self.items))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.items))})"


class Append(OneOrMore[msgspec.Struct]):
    """Write these records at the end of the log."""

    __slots__ = ()


class Send(msgspec.Struct, frozen=True):
    """Send `message` to a member, to a client's link, or to oneself (through the own disk)."""

    to: Address
    message: msgspec.Struct


class Delivery(msgspec.Struct, frozen=True):
    """One message for the user: number `msg_no` (dense, from 1), at position `seq` of the order.

    The fields are columns of the trace.  Who has no terms or no clients leaves those away.
    """

    seq: int
    msg_no: int
    author: str
    text: str
    room: str = "main"
    entry_term: int | None = None
    client: str | None = None
    client_seq: int | None = None


class Deliver(OneOrMore[Delivery]):
    """Hand these messages to the user."""

    __slots__ = ()

    @classmethod
    def made(cls, items: Sequence[Delivery]) -> "Deliver":
        """Return the run of `items`, which may make a delivery only when somebody looks at it."""
        run = cls()
        object.__setattr__(run, "items", items)
        return run


class Columns(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the trace can tell of an event, declared once: a `Note` fills some of it, a `trace.Record` keeps it.

    They are named when they are filled, so that a column more moves none of the others.
    """

    peer: Address | None = None
    message: str | None = None
    id: str | None = None
    seq: int | None = None
    msg_no: int | None = None
    entry_term: int | None = None
    entry: str | None = None
    verified: int | None = None
    room: str | None = None
    author: str | None = None
    text: str | None = None
    client: str | None = None
    client_seq: int | None = None
    reason: str | None = None


class Note(Columns, frozen=True, omit_defaults=True):
    """Tell the trace that something happened.

    `role` and `term`, where given, are those of the moment; otherwise the actor's `view` fills them.
    """

    kind: str
    role: str | None = None
    term: int | None = None


Effect = Append | Send | Deliver | Note
Effects = list[Any]
"""A list of effects and, inside a node, decisions."""
