"""Words for the trace: which columns of a record a frame, a durable record and a delivery fill.

    Propose(...)         -> message PROPOSE, term, seq of its last entry
    Stored(entry)        -> append, seq, entry_term, text, ...

A trace has one table for records of every kind, and any actor may write it.  So the table knows the
words `term`, `seq` and `message`, and no frame of the chat; what the chat's frames and records mean in
these words is said here, once, for the imaginary world and the real one.

Read also `trace` (the columns); `sim.interpreter` and `runtime.recorder` write the records with these words.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from chatsys.actor.effects import Delivery
from chatsys.protocol.storage import Boot, CommitHint, Promised, Stored, Truncate

_SEQ = ("seq", "match", "barrier", "first", "verified", "commit", "number")
"""The fields that may tell which position a frame is about, the first that it has."""

_known: dict[type, tuple[str, bool, str]] = {}


def columns(message: Any) -> tuple[str, int, int | None]:
    """Return the columns message, term and seq of a frame."""
    facts = _known.get(type(message))
    if facts is None:
        facts = _known[type(message)] = _learn(type(message))
    name, has_term, seq = facts
    term = message.term if has_term else 0
    if not seq:
        return name, term, None
    if seq == "entries":
        return name, term, message.entries[-1].seq if message.entries else None
    return name, term, getattr(message, seq)


def _learn(kind: Any) -> tuple[str, bool, str]:
    fields = kind.__struct_fields__
    seq = "entries" if "entries" in fields else next((name for name in _SEQ if name in fields), "")
    return str(kind.__struct_config__.tag or kind.__name__), "term" in fields, seq


def of_record(record: msgspec.Struct) -> tuple[str, dict[str, Any]]:
    """Return kind and columns of the trace record for a durable record."""
    match record:
        case Stored(entry):
            return "append", {
                "seq": entry.seq,
                "entry_term": entry.term,
                "entry": entry.kind,
                "room": entry.room or None,
                "author": entry.author or None,
                "text": entry.text,
                "client": entry.client_id or None,
                "client_seq": entry.client_seq,
            }
        case Truncate(first):
            return "truncate", {"seq": first}
        case Promised(term, to):
            return "promise", {"term": term, "peer": to}
        case CommitHint(seq):
            return "hint", {"seq": seq}
        case Boot():
            return "boot", {}
    return "append", {"message": type(record).__name__}


def of_delivery(one: Delivery) -> dict[str, Any]:
    """Return the columns of a `deliver` record."""
    return msgspec.structs.asdict(one)


def log_end(records: Iterable[msgspec.Struct], before: int | None = None) -> int | None:
    """Return the last position of the log after `records`, if it was `before`; None: there is no log."""
    for record in records:
        if isinstance(record, Stored):
            before = record.entry.seq
        elif isinstance(record, Truncate):
            before = record.first - 1
    return before
