"""Friends' logs: what the page of lab 07 shows beside your own class.

    Quick      answers at once and syncs every now and then: quick, and not true
    Honest     the same, but no answer leaves before the sync that covers it

Both write plain JSON and load nothing that is torn; only when they answer is looked at.  Honest cuts off a last line of
which a part is zeros as well; Quick has never met one.

Read also `picture` (the bytes and the crash slider), `costs` (syncs against losses).
"""

import json
from collections.abc import Callable
from typing import Any


class Quick:
    """Writes each record and answers; `flush` syncs."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def accept(self, record: dict[str, Any], answer: Callable[[], None]) -> None:
        """Write the record and answer at once."""
        self.file.write(json.dumps(record).encode() + b"\n")
        answer()

    def flush(self) -> None:
        """Make durable what was written."""
        self.file.sync()

    def load(self) -> list[dict[str, Any]]:
        """Return the whole lines; cut off what is behind them."""
        *lines, tail = self.file.read().split(b"\n")
        self.file.truncate(len(self.file.read()) - len(tail))
        return [json.loads(line) for line in lines]


class Honest(Quick):
    """Writes each record; `flush` syncs, and then answers."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.owed: list[Callable[[], None]] = []

    def load(self) -> list[dict[str, Any]]:
        """Return the records up to the first line that is none, and cut off the rest."""
        found: list[dict[str, Any]] = []
        kept = 0
        for line in self.file.read().splitlines(keepends=True):
            if b"\0" in line or not line.endswith(b"\n"):
                break
            found.append(json.loads(line))
            kept += len(line)
        self.file.truncate(kept)
        return found

    def accept(self, record: dict[str, Any], answer: Callable[[], None]) -> None:
        """Write the record; its answer has to wait."""
        self.file.write(json.dumps(record).encode() + b"\n")
        self.owed.append(answer)

    def flush(self) -> None:
        """Make durable what was written, and answer."""
        self.file.sync()
        owed, self.owed = self.owed, []
        for answer in owed:
            answer()
