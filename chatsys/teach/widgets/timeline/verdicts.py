"""Verdicts: which rules held in a run, where each of the others was broken, and which events one wants to jump to.

    S1 agreement       held
    S4 no duplicates   broken at event 812: node 2 delivered ...

Of an actor that is no chat only those rules are told that it could break: where nobody leads, it says nothing that no
term had two leaders, and where no order is to be the same at all nodes (`Words.one_order`), nothing of agreement.  It
is the same with the order of one client's messages (`Words.first_in_first_out`).  That
no node stops itself is told only where one did: `check` and the panel's lamp do not count it among the rules that held,
and one number is enough for everybody.

Promises  a rule that was broken names the first event that broke it.
Read also `check` (the rules), `packing`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from chatsys.actor.words import Words
from chatsys.check import SAFETY, Violation, check
from chatsys.errors import UsageError
from chatsys.teach.figures.role_spans import stopped_itself
from chatsys.teach.figures.theme import plain
from chatsys.trace import Record, Trace

CHATS = frozenset({"PROPOSE", "SUBMIT"})
"""A run with one of these frames is a run of the chat: every rule is told."""
OF_ANYBODY = {"deliver": ("S1", "S2", "S3", "S4", "S9"), "submit": ("S11",), "lead": ("S5",)}
"""Of other actors: which rules their records of a kind could break."""
SAYS = {
    "S1": "One number stands for one message, at every node and for ever.",
    "S2": "Within one life a node delivers the numbers in rising order, none twice.",
}
"""What a rule says of an actor that keeps no log, so that there are no positions."""
STORY = 600
"""A story is cut to so many letters."""
FAULTS = frozenset({"cut", "slow", "lose", "fault", "pause", "crash", "stand_down", "wipe", "copy", "restored"})
"""Kinds of records with which a fault begins."""
_STOPPED = {"name": "broken", "title": "stopped itself", "says": "No node stops itself rather than break a rule."}


def find_rules(trace: Trace, records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return {name, title, says, held, event, story} for each rule; `records` are those of the trace, in order.

    `exact` is there, too, where the rule's own sentence says more than the plain one.
    """
    names, says = list(SAFETY), {name: rule.meaning for name, rule in SAFETY.items()}
    if not any(record.message in CHATS for record in records):
        says |= SAYS
        kinds = {record.kind for record in records}
        told = {name for kind, rules in OF_ANYBODY.items() if kind in kinds for name in rules}
        if not trace.words.one_order:
            told.discard("S1")
        if not trace.words.first_in_first_out:
            told.discard("S9")
        names = [name for name in SAFETY if name in told]
    first: dict[str, Violation] = {}
    for found in check(trace, names):
        earlier = first.get(found.invariant)
        if earlier is None or found.time < earlier.time:
            first[found.invariant] = found
    events = _events(records) if first else {}
    rules = []
    for name in names:
        broken = first.get(name)
        event = events.get(_key(broken.records[-1])) if broken is not None and broken.records else None
        words = {"name": name, "title": SAFETY[name].title, "says": says[name], "story": ""}
        if broken is not None:
            words["story"] = plain(broken.plain, STORY)
            words |= {"exact": plain(broken.sentence, STORY)} if broken.plain not in broken.sentence else {}
        rules.append({**words, "held": broken is None, "event": event})
    return [*rules, *_stopped(records)]


def story_of(records: Sequence[Record], violation: Violation) -> tuple[int, list[int]]:
    """Return the event that broke a rule, and all events of its story; raises `UsageError` if it is of another run.

    A violation that rests on no record (a node stopped itself, a law about time) is where its node was last then.
    """
    if not violation.records:
        before = [at for at, record in enumerate(records) if record.time <= violation.time]
        if not before:
            raise UsageError(
                f"This run ends before {violation.time:.2f} s, when the rule was broken; give its own run."
            )
        mine = [at for at in before if violation.node in (None, records[at].node)]
        stops = [at for at in mine if records[at].kind == "broken"]
        event = (stops if violation.invariant == "broken" and stops else mine or before)[-1]
        return event, [event]
    known = _events(records)
    found = [known.get(_key(record)) for record in violation.records]
    if found[-1] is None:
        raise UsageError(
            f"This run has no such event, so {violation.invariant} was broken in another one; give that one."
        )
    return found[-1], sorted({at for at in found if at is not None})


def _stopped(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the rule that no node stops itself, if one did."""
    event = next((at for at, record in enumerate(records) if record.kind == "broken"), None)
    if event is None:
        return []
    story = plain(f"Node {records[event].node} stopped itself: {records[event].reason}", STORY)
    return [{**_STOPPED, "held": False, "event": event, "story": story}]


def _key(record: Record) -> tuple[Any, ...]:
    """Return what tells a record from all others, even if its life was counted anew."""
    return (
        record.time,
        record.kind,
        record.node,
        record.clock,
        record.seq,
        record.msg_no,
        record.peer,
        record.client_seq,
    )


def _events(records: Iterable[Record]) -> dict[tuple[Any, ...], int]:
    events: dict[tuple[Any, ...], int] = {}
    for at, record in enumerate(records):
        events.setdefault(_key(record), at)
    return events


def find_jumps(records: Sequence[Record], words: Words, rules: Sequence[dict[str, Any]]) -> dict[str, list[int]]:
    """Return the events that one wants to jump to, by what they are: an election is its beginning and its end."""
    jumps: dict[str, list[int]] = {"election": [], "delivery": [], "crash": [], "fault": []}
    electing = False
    for at, record in enumerate(records):
        kind = record.kind
        if kind == words.lead:
            jumps["election"].append(at)
            electing = False
        elif kind == "role" and record.role == "nominating" and not electing:
            jumps["election"].append(at)
            electing = True
        elif kind == "deliver":
            jumps["delivery"].append(at)
        elif kind in ("broken", "refused") or (kind == "crash" and not stopped_itself(record)):
            jumps["crash"].append(at)
        if kind in FAULTS and not stopped_itself(record):
            jumps["fault"].append(at)
    broken = {rule["event"] for rule in rules if not rule["held"]} - {None}
    return {**jumps, "violation": sorted(broken)}
