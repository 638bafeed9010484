"""Words for the trace: what it tells of a frame and of a durable record, whoever the actor is.

    Propose(...)         -> message PROPOSE, term, seq of its last entry
    Stored(entry)        -> append, seq, entry_term, text, ...

A host knows no frame and no record by name.  A frame has a tag, and a term if it has such a field; it may
say what position it is `about`.  A record may say `as_note` how the trace tells of it, and `log_end`, where
the log ends once the record stands in it.  Whoever says nothing is told by its name.

Read also `effects` (the columns), `protocol.messages` and `protocol.storage` (who says it), `sim.recorder` and
`runtime.recorder` (who write it).
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from chatsys.actor.effects import Note

_USUAL = ("seq", "number", "first")
"""What a frame without the word `about` calls the position that it is about; the first of these that it has."""

_known: dict[type, tuple[str, bool, str]] = {}


def columns(message: Any) -> tuple[str, int, int | None]:
    """Return the columns message, term and seq of a frame."""
    facts = _known.get(type(message))
    if facts is None:
        facts = _known[type(message)] = _learn(type(message))
    name, has_term, about = facts
    term = message.term if has_term else 0
    if not about:
        return name, term, None
    seq = getattr(message, about)
    if type(seq) is tuple:
        seq = seq[-1].seq if seq else None
    return name, term, seq


def _learn(kind: Any) -> tuple[str, bool, str]:
    fields = kind.__struct_fields__
    about = getattr(kind, "about", None)
    if not isinstance(about, str):
        about = next((name for name in _USUAL if name in fields), "")
    return str(kind.__struct_config__.tag or kind.__name__), "term" in fields, about


def note_of(record: Any) -> Note:
    """Return the note with which the trace tells that `record` was appended."""
    if hasattr(record, "as_note"):
        note: Note = record.as_note()
        return note
    return Note("append", message=type(record).__name__)


def log_end(records: Sequence[msgspec.Struct], before: int | None = None) -> int | None:
    """Return the last position of the log after `records`, if it was `before`; None: there is no log."""
    ends = (getattr(record, "log_end", None) for record in reversed(records))
    return next((end for end in ends if end is not None), before)
