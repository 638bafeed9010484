"""Plainly: a violation in a sentence for somebody who has known the chat for an hour.

    exact     S1 agreement: at 3.13 s node 3 committed 'left' at position 6, but node 2 had committed 'right' ...
    plainly   Nodes 2 and 3 do not agree: node 2 has “right”, and in the same place node 3 has “left”.

The sentence is made of the records of the violation.  It knows no rule's code, no place of the log and no client's id:
people have names, messages their words and their #number.  What is exact stands in `Violation.sentence`.

Promises  every violation has such a sentence; for one of a rule that is not known here it is the exact one.
Read also `violation` (what carries it), the invariants, which decide.
"""

from collections.abc import Callable, Sequence

from chatsys.trace import Record

WIDTH = 40
Records = Sequence[Record]


def in_plain_words(invariant: str, records: Records, sentence: str) -> str:
    """Return the plain sentence about a violation of `invariant`; `records` are its story, the last one broke it."""
    tell = _TELLS.get(invariant)
    told = tell(records) if tell is not None and records else _WITHOUT_RECORDS.get(invariant, "")
    return told or _without_code(sentence)


def _without_code(sentence: str) -> str:
    """Leave out what a sentence begins with to name its rule."""
    head, colon, rest = sentence.partition(": ")
    return rest[:1].upper() + rest[1:] if colon and len(head) < WIDTH and rest else sentence


# --- names ----------------------------------------------------------------------------------------


def _text(text: str | None) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in text or "")
    return f"“{shown if len(shown) <= WIDTH else shown[: WIDTH - 1].rstrip() + '…'}”"


def _what(record: Record) -> str:
    """Name what a record is about: the words of a message, or an entry that no user wrote."""
    if record.text:
        return _text(record.text)
    if record.entry not in (None, "chat"):
        if record.entry == "barrier":
            return f"the entry with which term {record.entry_term} began"
        return "the entry with which an author joined" if record.entry == "session" else "an entry of the system"
    return "a message"


def _user(record: Record) -> str:
    """Name who said something."""
    return (record.author or "a user")[:WIDTH]


def _message(record: Record) -> str:
    """Name a message and its author, at the beginning of a sentence."""
    return f"The message {_text(record.text)} of {_user(record)}" if record.text else f"A message of {_user(record)}"


def _place(record: Record) -> str:
    return f"node {record.node}"


def _nodes(one: Record, other: Record) -> str:
    return f"Nodes {one.node} and {other.node}"


def _own(records: Records, *kinds: str) -> list[Record]:
    return [record for record in records if record.kind in kinds]


# --- what the users see -----------------------------------------------------------------------------


def _agreement(records: Records) -> str:
    if len(records) == 4:  # an entry and who committed it, twice
        mine, one, its, other = records
    else:
        mine, its = one, other = records[0], records[-1]
    number = f" as message #{mine.msg_no}" if mine.msg_no is not None and mine.msg_no == its.msg_no else ""
    if one.node == other.node:
        return (
            f"Node {one.node} changed its mind: it had {_what(mine)}{number}, and later {_what(its)} in the same place."
        )
    return (
        f"{_nodes(one, other)} do not agree: {_place(one)} has {_what(mine)}{number}, "
        f"and in the same place {_place(other)} has {_what(its)}."
    )


def _order(records: Records) -> str:
    late, early = records[0], records[-1]
    if late.seq == early.seq:
        return f"Node {early.node} delivered {_what(early)} a second time, in the same place."
    return f"Node {early.node} delivered {_what(early)} too late: it had delivered {_what(late)} already, which comes after it."


def _gap(records: Records) -> str:
    one, other = records[0], records[-1]
    if len(records) == 1:
        return f"Node {other.node} left a message out: it delivered {_what(other)} as #{other.msg_no}, and something before that is missing."
    return (
        f"{_nodes(one, other)} count differently: {_what(other)} is message #{one.msg_no} at {_place(one)} and "
        f"#{other.msg_no} at {_place(other)}, so before it they did not deliver the same messages."
    )


def _twice(records: Records) -> str:
    return f"Node {records[-1].node} delivered {_what(records[-1])} of {_user(records[-1])} twice."


def _in_turn(records: Records) -> str:
    last = records[-1]
    return f"Node {last.node} delivered {_what(last)} before something that {_user(last)} had said earlier."


def _invented(records: Records) -> str:
    last = records[-1]
    if len(records) == 1:
        return f"Node {last.node} delivered {_what(last)}, and nobody ever said that."
    return (
        f"Node {last.node} delivered {_what(last)}, and {_user(records[0])} had said it in other words, or elsewhere."
    )


def _lost(records: Records) -> str:
    acks = _own(records, "ack")
    others = [record for record in records if record.kind != "ack"]
    if len(acks) > 1:
        one, other = acks[0], acks[-1]
        if (one.client, one.client_seq) == (other.client, other.client_seq):
            return f"{_message(one)} was acknowledged twice, each time for another place."
        return f"{_message(one)} and {_what(other)} of {_user(other)} were both acknowledged for the same place."
    if not acks or not others:
        return ""
    ack, other = acks[0], others[-1]
    told = f"{_message(ack)} was acknowledged, but it is lost: "
    entry = next((record for record in others if record.entry not in (None, "chat") or record.text), other)
    if other.kind == "deliver" and other.seq != ack.seq:
        return f"{told}node {other.node} went on without it."
    return f"{told}node {other.node} has {_what(entry)} in its place."


def _later_first(records: Records) -> str:
    floor, submit = records[0], records[-2] if len(records) > 2 else records[-1]
    return (
        f"{_message(floor)} was acknowledged; {_what(submit)} of {_user(submit)} was said only after that, "
        "and stands before it all the same."
    )


def _too_early(records: Records) -> str:
    ack = records[-1]
    return f"{_message(ack)} was acknowledged before any node had committed it."


# --- what happens between the nodes -------------------------------------------------------------------


def _two_leaders(records: Records) -> str:
    one, other = records[0], records[-1]
    if one.node == other.node:
        return f"Node {one.node} led term {one.term} in two of its lives; a term belongs to one of them."
    return f"Nodes {one.node} and {other.node} both became leader of term {other.term}; a term has one leader."


def _went_back(records: Records) -> str:
    one, last = records[0], records[-1]
    if one.term <= last.term:
        return f"Node {last.node} promised to follow two nodes in one term: node {one.peer}, and then node {last.peer}."
    return f"Node {last.node} went back in time: it had been in term {one.term}, and acted in term {last.term}."


def _knows_less(records: Records) -> str:
    entry, lead = records[0], next((record for record in records if record.kind == "lead"), records[-1])
    return f"Node {lead.node} became leader without {_what(entry)}, which was committed already; a leader must have all that is."


def _logs_differ(records: Records) -> str:
    one, last = records[0], records[-1]
    if one.node == last.node:
        return (
            f"The log of node {last.node} has a hole: it wrote {_what(last)}, and what belongs before that is missing."
        )
    return f"The logs of nodes {one.node} and {last.node} do not match, although they carry the same labels."


def _took_back(records: Records) -> str:
    last = records[-1]
    if last.kind == "truncate":
        return f"Node {last.node} removed from its log what it had committed."
    if len(records) == 1:
        return f"Node {last.node} committed something that it had not compared with its leader's log."
    return f"Node {last.node} had committed less than before; what is committed stays so."


def _not_on_disk(records: Records) -> str:
    last = records[-1]
    what = "that it holds messages" if last.message == "ACK" else "to follow"
    told = f"told node {last.peer} {what}" if last.message == "ACK" else f"promised node {last.peer} {what}"
    return f"Node {last.node} {told} before its disk held this, so a crash could have made it untrue."


def _unanswered(records: Records) -> str:
    return f"{_message(records[-1])} was never answered, although the faults were over."


def _undelivered(records: Records) -> str:
    acks = _own(records, "ack") or records
    return f"{_message(acks[0])} was acknowledged, but a node that is up never delivered it."


def _restless(records: Records) -> str:
    return f"The leader changed {len(records)} times although no new fault happened."


_TELLS: dict[str, Callable[[Records], str]] = {
    "S1": _agreement, "S2": _order, "S3": _gap, "S4": _twice, "S5": _two_leaders, "S6": _went_back, "S7": _lost,
    "S8": _knows_less, "S9": _in_turn, "S10": _later_first, "S11": _invented, "S12": _logs_differ, "S13": _took_back,
    "S14": _not_on_disk, "S16": _too_early, "L2": _undelivered, "L3": _unanswered, "L4": _restless,
}  # fmt: skip
_WITHOUT_RECORDS = {"L1": "Nobody leads, although enough nodes are up and can reach each other."}
