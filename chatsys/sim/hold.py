"""Gate: chosen frames wait, until somebody lets them go on or throws them away.

    late = world.hold(Propose, sender=5, receiver=4)     from now on these frames wait at the gate
    late.release()                                       they go on, in the order in which they came
    late.drop()                                          they are lost

For directed schedules: what takes luck and ten thousand seeds otherwise is three lines here.

Assumes   a frame waits at the first gate that wants it.
Promises  the sender has sent it (it is in the trace), the receiver has not; a gate that is open
          lets everything pass.
Read also `network` (the fates of all other frames), `mutants.schedules`.
"""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from chatsys.actor.actor import Address
from chatsys.sim.recorder import Frame

Wants = Callable[[msgspec.Struct], bool]
TRIP = 0.001
"""Seconds that a released frame still takes."""


class Road(Protocol):
    """What a gate needs of the simulation in which it stands."""

    def forward(self, sender: Address, to: Address, frame: Frame, seconds: float) -> None:
        """Let a frame that was sent long ago arrive after `seconds`."""

    def lose(self, sender: Address, to: Address, frame: Frame) -> None:
        """Let a frame that was sent long ago vanish."""


class Doorkeeper(Protocol):
    """Whoever looks at each frame before it goes on the wire, and may keep it."""

    def takes(self, sender: Address, to: Address, frame: Frame) -> bool:
        """Tell whether this frame is kept."""


class Gate:
    """Frames of one kind, on one link, that wait."""

    def __init__(
        self, road: Road, kind: type | tuple[type, ...], sender: Any, receiver: Any, wants: Wants | None = None
    ) -> None:
        self.road, self.kind, self.sender, self.receiver, self.wants = road, kind, sender, receiver, wants
        self.waiting: list[tuple[Address, Address, Frame]] = []
        self.shut = True

    def __len__(self) -> int:
        return len(self.waiting)

    @property
    def messages(self) -> list[msgspec.Struct]:
        """What waits, in order of arrival."""
        return [frame[1] for _, _, frame in self.waiting]

    def takes(self, sender: Address, to: Address, frame: Frame) -> bool:
        """Keep this frame if it is one of the chosen ones; tell whether it was."""
        message = frame[1]
        chosen = (
            self.shut
            and isinstance(message, self.kind)
            and self.sender in (None, sender)
            and self.receiver in (None, to)
            and (self.wants is None or self.wants(message))
        )
        if chosen:
            self.waiting.append((sender, to, frame))
        return chosen

    def open(self) -> None:
        """Let all that waits go on, and whatever comes from now on."""
        self.shut = False
        self.release()

    def release(self, count: int | None = None, copies: int = 1) -> None:
        """Let the first `count` frames (all) go on, each as often as `copies` says; later ones still wait."""
        count = len(self.waiting) if count is None else count
        going, self.waiting = self.waiting[:count], self.waiting[count:]
        for sender, to, frame in going:
            for _ in range(copies):
                self.road.forward(sender, to, frame, TRIP)

    def replay(self, times: int = 1) -> None:
        """Let copies of all that waits go on; the frames themselves keep waiting."""
        kept = list(self.waiting)
        self.release(copies=times)
        self.waiting = kept

    def drop(self, shut: bool = True) -> None:
        """Lose all that waits; with `shut=False` also open the gate for what comes later."""
        gone, self.waiting, self.shut = self.waiting, [], shut
        for sender, to, frame in gone:
            self.road.lose(sender, to, frame)
