"""Reading: how far one listener has read the chat, and the stretch of it that it reads once more.

A node pushes what follows on a cursor, so a listener needs one number, the last message that it saw.  Two more
wishes of people are the same question with another number.  Whoever comes late to a long chat wants the *newest*
messages and not the first ones: the number of the last message is known to the node alone, so the node counts
back from it.  And whoever scrolls back wants messages that were pushed long ago:

    cursor 900, and 401 to 500 once more
      --> SUBSCRIBE after 400       an earlier cursor: the node goes back, and pushes from there
      <-- DELIVERED 401 ... 656     the first hundred are the stretch; the rest was seen, and is dropped
      --> SUBSCRIBE after 900       on at the own cursor; what was said meanwhile follows

So a stretch costs a round trip without news, and at most what the node pushes beyond it in that time, which its
credit bounds.  Nothing is kept at the node.

Assumes   nothing of the pushes: they come twice, late, never, or from another node than before.
Promises  each message is `seen` once and in order, whatever is read again; a stretch is told as a whole, in order.
Read also `client`, whose part this is; `sessions` (the other end, and the credit); `clients.screen` (who scrolls).
"""

import msgspec

from chatsys.actor.effects import Note
from chatsys.protocol.messages import Delivered, Subscribe
from chatsys.protocol.public import Heard

CONFIRM_EVERY = 256
"""Confirm the cursor after so many messages, well within the node's credit."""
LONGEST_STRETCH = 256
"""So many messages are read again at a time: they are kept until all of them are there."""


class Reread(msgspec.Struct, frozen=True):
    """A command to a client that listens: tell the messages numbered `first` to `last` once more."""

    first: int
    last: int


class Cursor:
    """What one listener has read; with `newest` it begins that many messages before the end, otherwise with #1."""

    def __init__(self, newest: int = 0) -> None:
        self.newest = newest
        self.seen = 0
        """The number of the last message seen."""
        self.confirmed = 0
        self.stretch = range(0)
        """The numbers that are to be read again."""
        self.found: list[Note] = []
        """What came of them so far."""

    @property
    def has_begun(self) -> bool:
        """Whether it is known where to read on: whoever wants the newest messages learns it with the first of them."""
        return self.seen > 0 or not self.newest

    def request(self) -> Subscribe:
        """Return what to ask a node for."""
        if self.stretch:
            return Subscribe(self.stretch.start - 1 + len(self.found))
        return Subscribe(self.seen) if self.has_begun else Subscribe(last=self.newest)  # SPECIFICATION R11.12

    def again(self, command: Reread) -> bool:
        """Plan to read a stretch again, and drop an earlier plan; return whether there is anything to ask for."""
        first = max(1, command.first)
        self.stretch = range(first, min(command.last, self.seen, first + LONGEST_STRETCH - 1) + 1)
        self.found = []
        return bool(self.stretch)

    def take(self, delivered: Delivered) -> tuple[list[Note], bool]:
        """Return what is new of a push, and whether the node is to be asked or told something now."""
        notes: list[Note] = []
        asks = False
        for entry, number in zip(delivered.entries, delivered.numbers, strict=False):
            if number == self.seen + 1 or not self.has_begun:  # SPECIFICATION R11.8
                self.seen = number
                notes.append(_note("seen", entry, number))
            elif number in self.stretch and number == self.stretch.start + len(self.found):  # SPECIFICATION R11.13
                self.found.append(_note("reread", entry, number))
        if self.stretch and len(self.found) == len(self.stretch):
            notes, asks = notes + self.found, True
            self.stretch, self.found = range(0), []
        if self.seen >= self.confirmed + CONFIRM_EVERY and not self.stretch:
            self.confirmed, asks = self.seen, True
        return notes, asks


def _note(kind: str, entry: Heard, number: int) -> Note:
    return Note(
        kind, seq=entry.seq, msg_no=number, room=entry.room, author=entry.author, text=entry.text,
        client=entry.client, client_seq=entry.client_seq,
    )  # fmt: skip
