"""Bugs between memory and disk: what was said before it was durable, what was read although it was rotten.

Read also `protocol.storage`, which does it right.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from chatsys.actor import logfile
from chatsys.actor.actor import Address
from chatsys.actor.outbox import Outbox
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.protocol.messages import Promise
from chatsys.protocol.node import Node
from chatsys.protocol.storage import NODE_RECORDS


class _HastyPromises(Outbox):
    def admit(self, to: Address, message: msgspec.Struct) -> bool:
        """Let promises go at once."""
        return isinstance(message, Promise) or super().admit(to, message)


class PromisesInMemory(Node):
    """Promises first and writes it down later."""

    outbox: ClassVar[type[Outbox]] = _HastyPromises


def read_all(
    data: bytes, types: Sequence[type[msgspec.Struct]] = NODE_RECORDS, path: str = "log"
) -> tuple[list[Any], int]:
    """Return every record that parses; checksums are not looked at, and what does not parse is skipped."""
    records: list[Any] = []
    for line in data.split(b"\n"):
        try:
            records.append(logfile._decoder(tuple(types)).decode(line))
        except msgspec.DecodeError:
            continue
    return records, 0


class Trusting(Node):
    """Believes every line of its log."""

    decode = staticmethod(read_all)


STORAGE = (
    Mutant(
        name="PROMISE before fsync",
        story="The promise is sent before the disk holds it; a crash forgets it, and the node promises again.",
        killers=("S5", "S14"),
        actor=PromisesInMemory,
        directed="Q5",
        seed=0,
    ),
    Mutant(
        name="checksum skipped at boot",
        story="At boot every line that parses is believed, and a line that does not is left out.",
        killers=("S1", "S11"),
        actor=Trusting,
        directed="C13",
    ),
)
"""The bugs of this page."""
