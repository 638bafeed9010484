"""Receiver: what the links of one life tell whoever they are for, a `Host`.

Read also `transport` (who tells), `runtime.host` (who is told).
"""

from collections.abc import Sequence
from typing import Protocol

from chatsys.actor.actor import Address
from chatsys.actor.events import LinkDown, LinkUp
from chatsys.runtime.net.wire import Frame


class FrameReceiver(Protocol):
    """What the owner of the links tells whoever the frames are for: a `Host`."""

    def took(self, sender: Address, incarnation: int, frames: Sequence[Frame], sizes: Sequence[int]) -> None:
        """Frames arrived together, each in a line of so many bytes."""

    def room(self, sender: Address) -> tuple[int, int]:
        """Return how many frames, and how many bytes, may still wait of this sender: 0 of either, and read no more of it."""

    def linked(self, peer: Address, event: LinkUp | LinkDown) -> None:
        """A link came up or its other end is gone."""

    def refused(self, peer: int, code: str, reason: str) -> None:
        """Whoever listens at the member's configured address refused our link; `code` is one of `wire.Refused`."""

    def dropped(self, peer: Address | None, reason: str, message: str | None = None, id: str | None = None) -> None:
        """A frame vanished, or a link was closed for a reason."""

    def link_failed(self, label: str, error: Exception) -> None:
        """A bug of ours closed a link."""
