"""First wrong: where the timeline of a failed run begins, and what is lit in it.

    ShownCall(node=1, time=1.60, about=(2, 3))
      --find--> the event that is this call: node 1 received #2 at 1.60 s
                lit: how #2 and #3 came to node 1, and what the class did with them then

A call that leaves no record of its own, such as a question, is where the last event of its node before it is.

Read also `lab.ShownCall` (a call of a student's class), `playing` (who shows it), `teach.widgets.timeline`.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from chatsys.actor.words import Words
from chatsys.teach.grading.lab import ShownCall
from chatsys.trace import Record

SAME = 1e-6
"""Two moments are the same if they are so near, in seconds: those of a call are read from the clock of its node."""
FATES = ("crash", "pause", "cut", "broken")
"""What may have silenced a node."""


class Found(NamedTuple):
    """Where a call is in a run: events, as places among its records; and the call in a sentence."""

    event: int
    lit: list[int]
    said: str


def find(records: Sequence[Record], steps: Iterable[ShownCall], words: Words) -> Found | None:
    """Return where the first wrong one of these calls is; None if the calls do not say where they were.

    `records` are those of the run, in the order of its timeline.
    """
    call = next((step for step in steps if step.wrong), None)
    if call is None or call.node is None or call.time is None:
        return None
    mine = [at for at, record in enumerate(records) if record.node == call.node and record.time <= call.time + SAME]
    if not mine:
        return None
    now = [at for at in mine if records[at].time >= call.time - SAME]
    event = next((at for at in now if records[at].kind == "receive"), (now or mine[-1:])[0])
    lit = {event, *_done_then(records, now, event)}
    lit |= {*_messages(records, mine, call, words), *_peers(records, mine, call), *_rivals(records, lit, words.lead)}
    return Found(event, sorted(lit | {at for one in lit if (at := _sent(records, one)) is not None}), _say(call))


def _say(call: ShownCall) -> str:
    """Return the call as a sentence."""
    before = f" ({call.waiting})" if call.waiting else ""
    right = f" Right is: {call.expected}." if call.expected else ""
    return f"The first wrong call, at {call.when} at node {call.node}{before}: {call.call} gave {call.returned}.{right}"


def _done_then(records: Sequence[Record], now: Iterable[int], event: int) -> Iterable[int]:
    """Yield what the node did at this moment, up to the next message that it received."""
    for at in now:
        if at > event:
            if records[at].kind == "receive":
                return
            yield at


def _messages(records: Sequence[Record], mine: Sequence[int], call: ShownCall, words: Words) -> Iterable[int]:
    """Yield how the messages that the call is about came to its node, and what became of them there by then.

    One that was still on its way is followed to its end.
    """
    if not call.about:
        return
    numbers = [getattr(record, words.number or "seq") for record in records]
    carries = [record.message == words.numbered for record in records]
    ids: set[str | None] = set()
    """Those of the frames that were still on their way."""
    came = {numbers[at] for at in mine if records[at].kind == "receive" and carries[at]}
    for at, record in enumerate(records):
        if numbers[at] not in call.about:
            continue
        if numbers[at] not in came:
            if at <= mine[-1] and record.kind == "send" and carries[at] and record.peer == call.node:
                ids.add(record.id)
            if carries[at] and record.id in ids:
                yield at
        elif at <= mine[-1] and record.node == call.node:
            if record.kind in ("hold", "deliver") or (record.kind == "receive" and carries[at]):
                yield at


def _peers(records: Sequence[Record], mine: Sequence[int], call: ShownCall) -> Iterable[int]:
    """Yield when each node that the call is about was heard last, and what silenced it."""
    for peer in call.peers:
        heard = [at for at in mine if records[at].kind == "receive" and records[at].peer == peer]
        silenced = [
            at
            for at, record in enumerate(records[: mine[-1]])
            if record.kind in FATES and peer in (record.node, record.peer)
        ]
        yield from (*heard[-1:], *silenced[-1:])


def _rivals(records: Sequence[Record], lit: Iterable[int], lead: str) -> list[int]:
    """Return who led the same term, if the node began to lead at this moment."""
    terms = {records[at].term for at in lit if records[at].kind == lead}
    return [at for at, record in enumerate(records) if record.kind == lead and record.term in terms]


def _sent(records: Sequence[Record], event: int) -> int | None:
    """Return the event in which the frame was sent that arrives in this one."""
    record = records[event]
    if record.kind not in ("receive", "drop") or record.id is None:
        return None
    return next((at for at in range(event, -1, -1) if records[at].kind == "send" and records[at].id == record.id), None)
