"""Spoken: which message a question is about; named by its number, its text, or its client and its number there.

    7                 #7, as users see it; or the number that it would have, if nobody delivered it
    "hello"           the message with this text
    ("ann", 3)        the third message of ann's session
    "3.1.17"          a frame, by its stable id

A message that was never ordered has no number: then only its text, or its client, names it.

Promises  one message, or a sentence that says why there is none, or how to say which of several.
Read also `whereabouts` (what became of it), `frames` (what became of a frame, and of a message of another actor).
"""

import re
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import msgspec

from chatsys.check.violation import Logs, quote
from chatsys.errors import UsageError
from chatsys.faults import Fault
from chatsys.trace import Record, Trace

TELLING = ("submit", "append", "deliver", "ack", "indeterminate")
"""Kinds of records that carry a message with its pair."""


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """One message: the pair that makes it itself, its text, and its number if it has one."""

    client: str | None = None
    client_seq: int | None = None
    text: str | None = None
    author: str | None = None
    number: int | None = None
    seq: int | None = None
    """Its position, for an actor whose messages have no pair."""
    frame: str | None = None
    """The stable id of a frame, if one is asked about."""
    said: Fault | None = None
    """The step with which somebody said it, if the steps are known."""

    def is_in(self, record: Record) -> bool:
        """Tell whether a record carries this message."""
        if self.client is not None:
            return record.client == self.client and record.client_seq == self.client_seq
        if self.seq is not None:
            return record.seq == self.seq
        return record.text == self.text and (self.author is None or record.author in (None, self.author))

    def __str__(self) -> str:
        if self.frame is not None:
            return f"The frame {self.frame}"
        whose = f" of {self.author}" if self.author else ""
        if self.number is None:
            return f"{quote(self.text)}{whose}"
        return f"#{self.number}" + (f" ({quote(self.text)}{whose})" if self.text else "")

    @property
    def short(self) -> str:
        """Its name, when it is spoken of again."""
        return "it" if self.number is None else f"#{self.number}"


def find(trace: Trace, given: Any, node: Any = None, says: Sequence[Fault] = ()) -> Spoken:
    """Return the message that is meant; raises `UsageError` if there is none, or more than one."""
    if isinstance(given, Integral) and not isinstance(given, bool):
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int | str | tuple) or given == "":
        raise UsageError(
            f"{given!r:.60} names no message; give its number (7), its text ('hello'), or its client and number there "
            "(('ann', 3))."
        )
    if isinstance(given, int):
        return _said(_by_number(trace, given, node), says)
    if isinstance(given, tuple):
        return _said(_by_pair(trace, given), says)
    if re.fullmatch(r".+\.\d+\.\d+", given) and any(record.id == given for record in trace.of("send", "receive")):
        return Spoken(frame=given)
    return _by_text(trace, given, says)


def _said(spoken: Spoken, says: Sequence[Fault]) -> Spoken:
    """Add the step with which it was said, if only one can be meant."""
    mine = [step for step in says if step.args[0] == spoken.text]
    return msgspec.structs.replace(spoken, said=mine[0]) if len(mine) == 1 else spoken


def _of(record: Record, number: int | None = None) -> Spoken:
    return Spoken(
        client=record.client,
        client_seq=record.client_seq,
        text=record.text,
        author=record.author,
        number=number if record.msg_no is None else record.msg_no,
        seq=record.seq if record.client is None else None,
    )


def _by_number(trace: Trace, number: int, node: Any) -> Spoken:
    """A delivery says it; else the leader's log, in which the messages can be counted."""
    delivered = [record for record in trace.of("deliver", "ack") if record.msg_no == number]
    if delivered:
        return _of(next((record for record in delivered if record.node == node), delivered[0]))
    numbers = would_be(trace)
    pairs = [pair for pair, count in numbers.items() if count == number]
    if pairs:
        return _by_pair(trace, pairs[-1], number)
    by_seq = [r for r in trace.of("send") if r.message == trace.words.numbered and r.seq == number]
    if by_seq:
        return Spoken(number=number, seq=number)
    most = max([record.msg_no or 0 for record in trace.of("deliver")] + [*numbers.values(), 0])
    raise UsageError(
        f"There is no #{number} in this run"
        + (f"; the highest number is #{most}" if most else ", for nothing was ordered")
        + ". A message that was never ordered has no number: name it by its text."
    )


def would_be(trace: Trace) -> dict[tuple[str, int], int]:
    """Return for each message that a log held the number that users would see it under, as its leader counted then."""
    logs, known, found = Logs(), {}, {}
    for record in trace.in_order():
        match record.kind:
            case "start":
                logs.on_start(record)
            case "truncate":
                logs.on_truncate(record)
            case "deliver" if record.seq is not None and record.msg_no is not None:
                known[record.seq, record.client, record.client_seq] = record.msg_no
            case "append" if record.seq is not None:
                logs.on_append(record)
                if record.entry == "chat" and record.client is not None and record.client_seq is not None:
                    pair = (record.client, record.client_seq)
                    found[pair] = _count(logs.entries[record.node], record.seq, known)
    return found


def _count(log: dict[int, Record], end: int, known: dict[tuple[Any, ...], int]) -> int:
    """Return how many different messages a log holds up to `end`, from the last one on whose number is known."""
    met: set[tuple[Any, ...]] = set()
    for seq in range(end, 0, -1):
        entry = log.get(seq)
        if entry is None or entry.entry != "chat":
            continue
        if (number := known.get((seq, entry.client, entry.client_seq))) is not None:
            return number + len(met)
        met.add((entry.client, entry.client_seq))
    return len(met)


def _by_pair(trace: Trace, given: Sequence[Any], number: int | None = None) -> Spoken:
    client, client_seq = given if len(given) == 2 and isinstance(given[0], str) else (None, None)
    if isinstance(client_seq, bool) or not isinstance(client_seq, Integral):
        client, client_seq = None, None
    for record in sorted(trace.of(*TELLING), key=lambda record: record.msg_no is None):
        if (
            client is not None
            and record.client_seq == client_seq
            and client in (record.client, record.node, record.author)
        ):
            if number is None and record.client is not None:
                number = would_be(trace).get((record.client, record.client_seq or 0))
            return _of(record, number)
    raise UsageError(
        f"There is no message {given!r:.60} in this run; give a client and its number there, such as ('ann', 3)."
    )


def _by_text(trace: Trace, text: str, says: Sequence[Fault]) -> Spoken:
    records = [record for record in trace.of(*TELLING) if record.text == text]
    pairs = list(dict.fromkeys((record.client, record.client_seq) for record in records))
    mine = [step for step in says if step.args[0] == text]
    if len(pairs) > 1 and pairs[0][0] is not None:
        raise UsageError(f"{quote(text)} was said {len(pairs)} times; say which: {_ways(records, pairs)}.")
    if records:
        if pairs[0][0] is None:
            return _said(_of(records[0]), says)
        return _said(_by_pair(trace, pairs[0]), says)
    if mine:
        author = mine[0].args[3] if len(mine[0].args) > 3 else "ann"
        return Spoken(text=text, author=author, said=mine[0])
    raise UsageError(f"Nobody said {quote(text)} in this run.")


def _ways(records: Iterable[Record], pairs: Sequence[tuple[Any, Any]]) -> str:
    """Return how each of several messages with one text can be named."""
    names = {(r.client, r.client_seq): f"{r.msg_no}" for r in records if r.msg_no is not None}
    return ", ".join(names.get(pair, repr(pair)) for pair in pairs[:6])
