"""Decisions: what the parts of a node want of each other.

    effects    Append, Send, Deliver, Note                    the world carries them out, in order
    decisions  Suspect, Stand, Lead, Yield, Retire,      `node` hands them to the part that acts
               Order, Commit, HandOver, BeatNow, Disown, Release

Why decisions.  A part must not call a sibling, or whoever reads it must read the sibling too.  So the
failure detector does not begin an election; it returns `Suspect`, and the node hands that to whatever
part elects.  A student's own election is put in its place without touching the detector, and a test
compares what a part returns with `==`.

Promises  a decision never leaves its node: the node replaces each by what it brings about.
Read also `actor.effects` (what leaves a node); `node`, whose one `match` over decisions is the textbook page.
"""

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import OneOrMore
from chatsys.protocol.messages import Entry


class Suspect(msgspec.Struct, frozen=True):
    """The leader seems to be gone (or there never was one): nominate yourself.

    `transfer` is (leader, term) when that leader itself asks this node to take over.
    """

    reason: str
    transfer: tuple[int, int] | None = None


class Stand(msgspec.Struct, frozen=True):
    """A quorum supports this nominee: ask for promises.  `transfer` is (leader, term) or None."""

    transfer: tuple[int, int] | None = None


class Lead(msgspec.Struct, frozen=True):
    """The promises are in and the log is complete: lead this term."""


class Yield(msgspec.Struct, frozen=True):
    """Be a follower: of `leader` if it is known, and after a `back_off` if an attempt failed.

    Without a leader the node listens for as long as any follower does; with `back_off` for a short,
    random while, so that two nominees who failed together do not try again together.
    """

    reason: str
    leader: int | None = None
    back_off: bool = False
    slept: bool = False
    """Whether this node slept: then nobody waits any more for what it holds, and nobody is told of it."""


class Retire(msgspec.Struct, frozen=True):
    """Stop leading: no quorum answers, or this node slept and does not know what it missed."""

    reason: str
    slept: bool = False


class Order(OneOrMore[Entry]):
    """Give these drafts the next sequence numbers, in their order: entries whose seq and term are still 0."""

    __slots__ = ()


class Commit(msgspec.Struct, frozen=True):
    """Everything up to `seq` is committed and may be delivered."""

    seq: int


class HandOver(msgspec.Struct, frozen=True):
    """A member that goes before this leader is up to date: ask it to take over."""

    to: int


class BeatNow(msgspec.Struct, frozen=True):
    """Send the next heartbeat now and not when it is due: this leader wants to know who is there."""


class Disown(msgspec.Struct, frozen=True):
    """A member lacks what it acknowledged durably: it does not run on the disk that it had; count it no more."""

    node: int
    reason: str


class Release(msgspec.Struct, frozen=True):
    """A message that was held back may pass now: through the whole door again, fence included.

    Between holding it back and now the term may have changed, so nothing that was checked then counts.
    """

    sender: Address
    message: msgspec.Struct


Decision = Suspect | Stand | Lead | Yield | Retire | Order | Commit | HandOver | BeatNow | Disown | Release
