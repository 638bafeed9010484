"""The session table: which message of which client stands where; and what can never be accepted.

    client_id  ->  [position of the opening, of message 1, of message 2, ...]

Promises  the table is a function of the delivered log alone, so every node computes the same one.
          A session has a name that is never given twice, the position of its opening: what was said
          in a session that expired stays unknown, even if a late copy of SUBMIT opens it again
          (the reason why the Raft dissertation, 6.3, names sessions so).

How a name that is given twice would deliver twice (the schedule C17, with room for two sessions):

    eve opens her session and says (c, 1); both are delivered, and copies of both frames wander about
    fay and gil open theirs; eve's was idle longest, and is forgotten
    the copies arrive: one opens a session for c again, the other says (c, 1), which is new in it

As a session is named by the position of its opening, the late (c, 1) names the first session and not
the second one, and belongs to none that is open.

Why no clock lets a session expire.  Node 1 may deliver (c, 2) a second before node 2 does.  If each
forgot by its own clock, 1 could deliver it and 2 forget c just before, and their users would read
different chats.  Counted in the log, all nodes forget at the same position.

Read also `sessions`, which asks it.
"""

import re

from chatsys.config import Limits
from chatsys.protocol.messages import Entry, SubmitStatus

NAME_CHARACTERS = 128
"""The longest name of a room or an author."""
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""Control characters (all but tab and newline) and halves of characters that no encoding can carry."""


def refusal(room: str, author: str, text: str, limits: Limits) -> tuple[SubmitStatus, str] | None:
    """Return (status, reason) if this message can never be accepted, else None."""
    if not text.strip():  # SPECIFICATION R10.10
        return "denied", "the text is empty; write something."
    if len(text) > limits.text_bytes or len(text.encode("utf-8", "replace")) > limits.text_bytes:
        return "too_large", f"the text is longer than {limits.text_bytes} bytes; split it."
    for name, value in (("room", room), ("author", author)):
        if not value.strip() or len(value) > NAME_CHARACTERS:
            return "denied", f"the {name} must have 1 to {NAME_CHARACTERS} characters."
    if found := CONTROL.search(room + author + text):
        return "denied", f"it contains the control character U+{ord(found[0]):04X}; remove it."
    return None


class SessionTable:
    """Open sessions and where each of their messages stands; computed from delivered entries."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.sessions: dict[str, list[int]] = {}
        """client_id -> positions; index client_seq, so index 0 is the entry that opened it."""

    def apply(self, entry: Entry) -> str:
        """Take in the next delivered entry; return `new`, `duplicate`, `gap` or `unknown`.

        Only what is `new` is delivered.  The others are in the log because a leader that did not know
        of an earlier entry numbered the pair again; every node finds the same, since the table depends
        on nothing but the entries before.  A dict keeps its order: taking a session out and putting it
        back makes it the one used last, so the first one is the one idle longest.
        """
        known = self.sessions.get(entry.client_id)
        if entry.kind == "session":
            if known is not None:
                return "duplicate"
            self.sessions[entry.client_id] = [entry.seq]
            if len(self.sessions) > self.capacity:  # SPECIFICATION R10.6
                del self.sessions[next(iter(self.sessions))]
            return "new"
        if known is None or not self.is_session(entry.session, known):  # SPECIFICATION R10.5
            return "unknown"
        if entry.client_seq != len(known):
            return "duplicate" if entry.client_seq < len(known) else "gap"
        known.append(entry.seq)
        self.sessions[entry.client_id] = self.sessions.pop(entry.client_id)
        return "new"

    def continues(self, entry: Entry, ahead: list[int]) -> bool:
        """Tell whether this entry of the log is its session's next, after those delivered and those `ahead`."""
        known = self.sessions.get(entry.client_id, [])
        next_one = entry.client_seq == len(known) + len(ahead)
        return next_one and self.is_session(entry.session, known or ahead or [0])

    def is_session(self, name: int, positions: list[int]) -> bool:
        """Tell whether the session whose messages stand at these positions has this name: where it was opened."""
        return name in positions[:1]  # SPECIFICATION R10.1
