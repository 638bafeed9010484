"""Sharing: one object for all that are equal, of what the records of a long log have in common.

    "ann", 7, 12.5   "ann", 7, 12.5   "bob", 9, 12.5         as a decoder makes them: nine objects
      |    |    `------------|---------------|---'
      |    `-----------------'               ...             shared: five

Promises  nothing but the memory changes; what is remembered for it is bounded.
Read also `protocol.storage` (which records share what), `runtime.long_file` (who reads long logs).
"""

from typing import Any

from msgspec.structs import force_setattr

MOST = 1 << 16
"""So many names, and so many numbers, are remembered; then it begins anew."""


class Sharing:
    """What was met in the records so far: names, numbers, and the last moment."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.numbers: dict[int, int] = {}
        self.moment = 0.0

    def take(self, value: Any, names: tuple[str, ...], numbers: tuple[str, ...], moment: str) -> None:
        """Let these fields of the frozen struct `value` be objects that others have as well, each equal to what it was."""
        if len(self.names) > MOST or len(self.numbers) > MOST:
            self.names, self.numbers = {}, {}
        for known, fields in ((self.names, names), (self.numbers, numbers)):
            for field in fields:
                own = getattr(value, field)
                if (one := known.setdefault(own, own)) is not own:
                    force_setattr(value, field, one)
        if (now := getattr(value, moment)) != self.moment:
            self.moment = now
        else:
            force_setattr(value, moment, self.moment)
