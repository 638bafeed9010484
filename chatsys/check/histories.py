"""A second opinion: judges a run by what clients said and were told, and by what was delivered.

It shares no code with the other invariants and reads nothing of the nodes but their delivered
lists, so a trace that lies about terms, logs and commits cannot mislead it.

    client ann     submit m1 ... ack m1 at 4      submit m2 ... (nothing)
    node 1 life 1  4:m1 5:m7 6:m2
    node 1 life 2  4:m1 5:m7                      all lists are beginnings of one and the same list,
    node 2 life 1  4:m1 5:m7 6:m2 7:m3            and the answers of the clients fit to it

Assumes   the whole run is at hand: it looks only at the end.
Promises  it raises S1-S4, S7 and S9-S11 under their own names, in other words.
Read also `deliveries` and `acknowledgements`, which find the same while the run goes on.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from operator import attrgetter

import msgspec

from chatsys.check.violation import Violation
from chatsys.trace import Record, Trace

Pair = tuple[str | None, int | None]
VISIBLE = frozenset("S1 S2 S3 S4 S7 S9 S10 S11".split())  # SPECIFICATION R16.1
"""The invariants that both checkers judge."""
_SAID = attrgetter("kind", "msg_no", "seq", "author", "text", "client", "client_seq")
"""What two lists are compared by: all that is judged of a delivery but when it was."""
_READ = frozenset(("submit", "ack", "deliver", "seen", "start", "wipe", "restored"))


def second_opinion(trace: Trace, told: Iterable[Violation]) -> list[Violation]:
    """Return what this checker finds although the first one, which found `told`, was content with what users saw."""
    if any(found.invariant in VISIBLE for found in told):
        return []
    return [
        msgspec.structs.replace(found, sentence=f"{found.sentence} Only the second checker noticed.")
        for found in check_histories(trace)
    ]


def check_histories(trace: Trace) -> list[Violation]:
    """Return what the histories of clients and the delivered lists contradict, in order of time."""
    records = [record for record in trace.records if record.kind in _READ]
    records.sort(key=attrgetter("time"))
    lists: dict[str, list[Record]] = {}
    disks: dict[object, list[str]] = {}
    for record in records:
        disk = disks.setdefault(
            record.node, ["", ""]
        )  # what the name of a list says of it: now, and from the next start on
        if record.kind in ("wipe", "restored"):
            disk[1] += " on another disk"
        elif record.kind == "start":
            disk[0] = disk[1]
        elif record.kind == "deliver":
            lists.setdefault(f"node {record.node} in life {record.incarnation}{disk[0]}", []).append(record)
        elif record.kind == "seen":
            lists.setdefault(f"client {record.node}", []).append(record)
    said: dict[Pair, Record] = {}
    for record in records:
        if record.kind == "submit":
            said.setdefault((record.client, record.client_seq), record)
    acks = [record for record in records if record.kind == "ack"]
    found = _judge(_longest(lists), said, acks) and _judge(lists, said, acks)
    return sorted(found, key=lambda violation: violation.time)


def _longest(lists: dict[str, list[Record]]) -> dict[str, list[Record]]:
    """Return the lists less those that are the beginning of another one: what holds for the whole holds for its beginning."""
    told = {name: list(map(_SAID, found)) for name, found in lists.items()}
    longest: dict[str, list[Record]] = {}
    for name in sorted(lists, key=lambda name: -len(told[name])):
        mine = told[name]
        if not any(told[other][: len(mine)] == mine for other in longest):
            longest[name] = lists[name]
    return longest


def _judge(lists: dict[str, list[Record]], said: dict[Pair, Record], acks: list[Record]) -> list[Violation]:
    nodes = {name: found for name, found in lists.items() if found[0].kind == "deliver"}
    return [
        *_one_list(lists),
        *_within_each_list(nodes),
        *_acks(nodes, acks),
        *_real_time(said, acks),
        *_said(nodes, said),
    ]


def _broken(name: str, sentence: str, *records: Record) -> Violation:
    last = max(records, key=lambda record: record.time)
    return Violation(
        invariant=name, sentence=f"{name} {sentence}", time=last.time, node=last.node, seq=last.seq, records=records
    )


def _one_list(lists: dict[str, list[Record]]) -> Iterator[Violation]:
    """S1: what comes as number k is the same message in every list."""
    first: dict[int, tuple[str, Record]] = {}
    for name, found in lists.items():
        for record in found:
            number = record.msg_no or record.seq or 0
            who, other = first.setdefault(number, (name, record))
            if (other.seq, other.text, other.author) != (record.seq, record.text, record.author):
                yield _broken(
                    "S1",
                    f"agreement: message number {number} is {record.text!r} (position {record.seq}) for {name}, "
                    f"but {other.text!r} (position {other.seq}) for {who}.",
                    other,
                    record,
                )
                break


def _within_each_list(nodes: dict[str, list[Record]]) -> Iterator[Violation]:
    """S2, S3, S4 and S9: each list alone."""
    for name, found in nodes.items():
        numbers = [record.msg_no or record.seq or 0 for record in found]
        for before, after in pairwise(found):
            if (after.seq or 0) <= (before.seq or 0):
                yield _broken("S2", f"order: {name} delivered position {after.seq} after {before.seq}.", before, after)
        for expected, (got, record) in enumerate(zip(numbers, found, strict=True), start=1):
            if got > expected and got not in numbers[: expected - 1]:
                yield _broken("S3", f"no gap: {name} delivered number {got} where {expected} was due.", record)
                break
        last: dict[str, int] = {}
        seen: dict[Pair, Record] = {}
        for record in found:
            if record.client is None or record.client_seq is None:
                continue
            pair = (record.client, record.client_seq)
            if pair in seen:
                yield _broken("S4", f"no duplicate: {name} delivered {record.text!r} twice.", seen[pair], record)
            elif record.client_seq != last.get(record.client, 0) + 1:
                yield _broken("S9", f"first in, first out: {name} delivered {record.text!r} out of turn.", record)
            seen[pair] = record
            last[record.client] = max(last.get(record.client, 0), record.client_seq)


def _acks(nodes: dict[str, list[Record]], acks: list[Record]) -> Iterator[Violation]:
    """S7: each list that reached an acknowledged position has the acknowledged message there."""
    for name, found in nodes.items():
        top = max(record.seq or 0 for record in found)
        at: dict[int | None, list[Record]] = {}
        for record in found:
            at.setdefault(record.seq, []).append(record)
        for ack in acks:
            if (ack.seq or 0) > top:
                continue
            there = at.get(ack.seq, [])
            wrong = next(
                (record for record in there if (record.client, record.client_seq) != (ack.client, ack.client_seq)), None
            )
            if wrong is not None or not there:
                instead = f"delivered {wrong.text!r} there" if wrong is not None else "never delivered that position"
                yield _broken(
                    "S7",
                    f"acknowledged is durable: {ack.text!r} was acknowledged at position {ack.seq}, but {name} {instead}.",
                    ack,
                    *([wrong] if wrong is not None else []),
                )


def _real_time(said: dict[Pair, Record], acks: list[Record]) -> Iterator[Violation]:
    """S10: an acknowledgement before a submit orders the two messages."""
    submits = sorted(said.values(), key=lambda record: record.time)
    at = {(ack.client, ack.client_seq): ack for ack in reversed(acks)}
    waiting = iter([*acks, None])
    ack, highest = next(waiting), None
    for submit in submits:
        while ack is not None and ack.time < submit.time:
            if highest is None or (ack.seq or 0) > (highest.seq or 0):
                highest = ack
            ack = next(waiting)
        mine = at.get((submit.client, submit.client_seq))
        if mine is not None and highest is not None and (mine.seq or 0) <= (highest.seq or 0):
            yield _broken(
                "S10",
                f"real time: {highest.text!r} was acknowledged at position {highest.seq} before {submit.text!r} was "
                f"submitted, and yet that got position {mine.seq}.",
                highest,
                submit,
                mine,
            )


def _said(nodes: dict[str, list[Record]], said: dict[Pair, Record]) -> Iterator[Violation]:
    """S11: a client of this trace is quoted only with what it submitted."""
    clients = {client for client, _ in said}
    for name, found in nodes.items():
        for record in found:
            if record.client not in clients:
                continue
            submit = said.get((record.client, record.client_seq))
            if submit is None or submit.text != record.text:
                was = repr(submit.text) if submit is not None else "nothing of that number"
                yield _broken("S11", f"integrity: {name} delivered {record.text!r}; submitted was {was}.", record)
