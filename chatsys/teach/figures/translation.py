"""Translation: the records of any actor, told in the words of the chat.

    BEAT, gone, back  --words of the trace-->  HEARTBEAT, suspect, restore  --> every figure, and the panel

So a figure knows one set of words, and draws an actor that it never heard of.

Promises  a trace of the chat is left as it is; the trace that was given is never changed.
Read also `actor.words` (what can be said), `figures` (who asks).
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from chatsys.actor.words import CHAT, Words
from chatsys.trace import Record, Trace


def in_words_of_the_chat(trace: Trace) -> Trace:
    """Return this trace with the records that a figure looks for under the names by which it looks for them."""
    words = trace.words
    return trace if words == CHAT else Trace(_translate(words, trace.records), dict(trace.meta))


def translated(words: Words, records: list[Record]) -> list[Record]:
    """Return these records in the words of the chat."""
    return records if words == CHAT else list(_translate(words, records))


def _translate(words: Words, records: Iterable[Record]) -> Iterable[Record]:
    kinds = {words.suspect: CHAT.suspect, words.restore: CHAT.restore, words.lead: CHAT.lead}
    frames = {words.heartbeat: CHAT.heartbeat, words.numbered: CHAT.numbered}
    for record in records:
        changes: dict[str, Any] = {}
        if kinds.get(record.kind, record.kind) != record.kind:
            changes["kind"] = kinds[record.kind]
        if record.message in frames:
            changes["message"] = frames[record.message]
        if words.number and record.kind in ("deliver", "hold"):
            number = getattr(record, words.number)
            changes |= {"seq": number, "msg_no": number}
        yield msgspec.structs.replace(record, **changes) if changes else record
