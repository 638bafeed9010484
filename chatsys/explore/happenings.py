"""What can happen to one address in an untimed search, and how the world around it behaves.

Read also `untimed` (what each does), `model.Step` (how a story tells it).
"""

from typing import Any

import msgspec

from chatsys.actor.actor import Address


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How the world around the actors behaves.  Less is faster to search, and shows less."""

    disk_steps: bool = True
    """Whether a sync takes a step of its own; otherwise every record is durable at once."""
    own_steps: bool = False
    """Whether a frame to oneself takes a step of its own, once the disk lets it go."""
    sleeps: bool = False
    """Whether an alarm may also ring far too late, as after a pause."""


class Arrive(msgspec.Struct, frozen=True):
    """A frame arrives."""

    sender: Address
    incarnation: int
    message: msgspec.Struct


class Own(msgspec.Struct, frozen=True):
    """The oldest frame to oneself arrives."""


class Ring(msgspec.Struct, frozen=True):
    """The alarm `name` of the `part`-th holder of alarms rings; `late`: long after its date."""

    part: int
    owner: str
    name: Any
    late: bool = False


class Sync(msgspec.Struct, frozen=True):
    """The sync under way is complete."""


class Crash(msgspec.Struct, frozen=True):
    """Power is lost; of the records not synced the first `kept` survive."""

    kept: int


class Start(msgspec.Struct, frozen=True):
    """The next life begins: recovery, and its number made durable."""


class Gone(msgspec.Struct, frozen=True):
    """The transport finds out that the process of `peer` is gone."""

    peer: Address


class Met(msgspec.Struct, frozen=True):
    """The transport meets life `incarnation` of `peer`."""

    peer: Address
    incarnation: int


class Give(msgspec.Struct, frozen=True):
    """Somebody outside hands over `message`: as frame of link `sender`, or (None) as a command."""

    sender: Address | None
    message: msgspec.Struct


class Several(msgspec.Struct, frozen=True):
    """These happen one right after the other; an alarm that the earlier ones cleared does not ring."""

    events: tuple[Arrive | Ring, ...]


Event = Several | Arrive | Own | Ring | Sync | Crash | Start | Gone | Met | Give
