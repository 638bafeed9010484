"""Events: what a world tells any actor besides the messages of its peers.

    about links      LinkUp, LinkDown     through `on_message`; the sender is the peer that it is about
    from people      Say, StandDown, Stop, Accept, RemoveLearner, Depart    through `on_command`
    about the disk   DiskSpace            through `on_command`

Promises  none of these ever travels: a world makes them where the actor lives.
Read also `actor` (the doors).
"""

import msgspec

# --- about links, from the own transport ----------------------------------------------------


class Identity(msgspec.Struct, frozen=True):
    """Whose disk this is: what tells one data folder from any other, and from a copy of itself.

    (cluster, id) names a member, and an emptied folder has the same.  So a folder gets a random name with its
    first life, and each life a random nonce, which a copy that lived on by itself cannot know.
    """

    name: str = ""
    """Random, from the first life on; empty if this actor keeps no log."""
    nonces: tuple[str, ...] = ()
    """The nonces of its latest lives, oldest first; the last one is of the present life."""


NO_IDENTITY = Identity()


class LinkUp(msgspec.Struct, frozen=True):
    """The link to this peer works; the peer is in its `incarnation`-th life, on the disk that `identity` names."""

    incarnation: int
    identity: Identity = NO_IDENTITY


class LinkDown(msgspec.Struct, frozen=True):
    """The peer's process is gone: its link broke and a new one was refused."""


# --- commands from the people who run a node or a client ------------------------------------


class Say(msgspec.Struct, frozen=True):
    """To a client: submit this text."""

    text: str
    room: str = "main"
    author: str = ""


class StandDown(msgspec.Struct, frozen=True):
    """Hand over whatever others would miss, for this life is about to end; `Actor.may_end` says when it may."""


class Stop(msgspec.Struct, frozen=True):
    """Prepare for a clean end of this life."""


class Accept(msgspec.Struct, frozen=True):
    """To a node: the member `node` has a new disk; forget the one that it had, and take the new one in."""

    node: int


class RemoveLearner(msgspec.Struct, frozen=True):
    """To a node: the learner `node` is gone for good, its folder lost; let its id be free again."""

    node: int


class Depart(msgspec.Struct, frozen=True):
    """To a learner: leave the cluster, for ever; then it stops by itself (`Departed`)."""


class DiskSpace(msgspec.Struct, frozen=True):
    """To a node: the disk is (or is no longer) low on space."""

    low: bool
