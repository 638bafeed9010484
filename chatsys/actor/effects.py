"""Effects: what a door returns, for the world to carry out.

    Append    write a record at the end of the log
    Send      send a message to a peer, or to oneself
    Deliver   hand something to the user
    Note      tell the trace

The order of effects is a promise: persist, then send, then deliver.  An actor appends a record before
the frame that rests on it, and the outbox (`outbox.Outbox`) makes the frame wait until the record is
durable.  So a handler reads like the textbook ("record the promise, then answer"), and no handler
waits for anything.  A delivery need not wait: what is committed is on the disks of a quorum.

Promises  an effect is a value: frozen and comparable, so a test compares what a door returns with `==`.
Read also `actor` (the doors), `protocol.decisions` (what the parts of a node say to each other).
"""

from typing import Any

import msgspec

from chatsys.actor.actor import Address


class Append(msgspec.Struct, frozen=True):
    """Write `record` at the end of the log."""

    record: msgspec.Struct


class Send(msgspec.Struct, frozen=True):
    """Send `message` to a member, to a client's link, or to oneself (through the own disk)."""

    to: Address
    message: msgspec.Struct


class Deliver(msgspec.Struct, frozen=True):
    """Hand the chat `entry` to the user as message number `msg_no` (dense, from 1)."""

    entry: Any
    msg_no: int


class Note(msgspec.Struct, frozen=True):
    """Tell the trace that something happened; fields are those of `trace.Record`.

    `role` and `term`, where given, are those of the moment; otherwise the actor's `view` fills them.
    """

    kind: str
    role: str | None = None
    term: int | None = None
    peer: Address | None = None
    seq: int | None = None
    msg_no: int | None = None
    entry_term: int | None = None
    verified: int | None = None
    room: str | None = None
    author: str | None = None
    text: str | None = None
    client: str | None = None
    client_seq: int | None = None
    reason: str | None = None


Effect = Append | Send | Deliver | Note
Effects = list[Any]
"""A list of effects and, inside a node, decisions."""
