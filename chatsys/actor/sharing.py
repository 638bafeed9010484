"""Sharing: one object for all that are equal, of what the records of a long log have in common.

    "ann", 7, 12.5   "ann", 7, 12.5   "bob", 9, 12.5         as a decoder makes them: nine objects
      |    |    |______|____|____|              |
      |    |___________|____|                   |            shared: five
      |________________|                        `--- a moment is that of the record before, or a new one

Promises  nothing but the memory changes; what is remembered for it is bounded.
Read also `protocol.storage` (which records share what), `runtime.long_file` (who reads long logs).
"""

MOST = 1 << 16
"""So many names, and so many numbers, are remembered; then it begins anew."""


class Sharing:
    """What was met in the records so far: the first of all that are equal stands for them."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.numbers: dict[int, int] = {}
        self.moment = 0.0
        """That of the last record."""

    def bound(self) -> None:
        """Forget all if it has become much."""
        if len(self.names) > MOST:
            self.names.clear()
        if len(self.numbers) > MOST:
            self.numbers.clear()
