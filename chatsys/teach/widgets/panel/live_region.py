"""Live region: what the panel says under its rules; the news, behind the answer to what was pressed last.

    an order is refused  -->  "Type a message first."
    a moment later       -->  "Type a message first. Node 2 leads term 2."      the reason can still be read
    five seconds later   -->  "Node 1 follows node 2."

Read also `panel`, which shows it, and asks for it at each look.
"""

import time

NEWS = 3
"""So many of the news are said at a time."""
ANSWER = 5.0
"""Seconds for which the news come behind the answer to an order, and not in its place."""


class LiveRegion:
    """What is said now, as one string."""

    def __init__(self) -> None:
        self._answer, self._since = "", 0.0
        self._is_answering = False

    def begin(self) -> None:
        """Forget the last order, since another one is carried out."""
        self._answer, self._is_answering = "", True

    def answer(self, sentence: str) -> str:
        """Return what is said of the order: what became of it."""
        self._answer, self._since = sentence, time.monotonic()
        return sentence

    def tell(self, heard: list[str]) -> str | None:
        """Return what is said with these news, or None if it stays; those of the look with the order are its answer."""
        if not heard:
            self._is_answering = False
            return None
        is_new = bool(self._answer) and time.monotonic() < self._since + ANSWER
        told = " ".join([self._answer] * is_new + heard[-NEWS:])
        if self._is_answering:
            self.answer(told)
        self._is_answering = False
        return told
