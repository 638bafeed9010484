"""Bugs between memory and disk: what was said before it was durable, what was read although it was rotten.

Read also `protocol.storage`, which does it right.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import msgspec

from chatsys.actor import logfile
from chatsys.actor.actor import Address
from chatsys.actor.logfile import LogFile, Reader
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


def read_all(data: bytes, types: Sequence[type[msgspec.Struct]] = NODE_RECORDS, path: str = "log") -> LogFile:
    """Return every record that parses; checksums are not looked at, and what does not parse is skipped."""
    records: list[Any] = []
    for line in data.split(b"\n"):
        try:
            records.append(logfile._decoder(tuple(types)).decode(line))
        except msgspec.DecodeError:
            continue
    return LogFile(records)


class Trusting(Node):
    """Believes every line of its log."""

    decode = staticmethod(read_all)


class _Skipping(Reader):
    def skip(self) -> bool:
        """Go on with the next batch."""
        following = self.data[:].find(b'{"type":"batch"', self.at + 1)
        if following < 0:
            return False
        self.log.number += 1
        self.at = following
        return True


class _Unmarked(Reader):
    def marked(self, rest: bytes) -> str:
        """Look at no mark."""
        return ""


class _Alone(Reader):
    def covered(self, rest: bytes) -> str:
        """Look at nothing that follows."""
        return ""


def read_with(reader: type[Reader]) -> Callable[..., LogFile]:
    """Return a `decode` that reads with this reader."""
    return lambda data, types, path="log": reader(data, types, path).read()


class SkipsDamage(Node):
    """Leaves out what has rotted, and goes on behind it."""

    decode = staticmethod(read_with(_Skipping))


class IgnoresMarks(Node):
    """Takes a last batch that fails its check for torn, although a mark stands behind it."""

    decode = staticmethod(read_with(_Unmarked))


class CutsAtDamage(Node):
    """Takes the first batch that fails its check for the torn end."""

    decode = staticmethod(read_with(_Alone))


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
    Mutant(
        name="damaged batch skipped",
        story="At boot a batch that has rotted is left out, and what stands behind it is believed.",
        killers=("S5", "S6", "S14"),
        actor=SkipsDamage,
        directed="C25",
    ),
    Mutant(
        name="log cut at the damage",
        story="At boot the first batch that fails its check is taken for torn, whatever follows it.",
        killers=("S1", "S7", "S8"),
        actor=CutsAtDamage,
        directed="C26",
    ),
    Mutant(
        name="marks ignored at boot",
        story="At boot a rotten last batch is taken for torn, although a mark says that it was synced.",
        killers=("S1", "S7", "S8"),
        actor=IgnoresMarks,
        directed="C27",
    ),
)
"""The bugs of this page."""
