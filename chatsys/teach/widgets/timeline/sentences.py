"""Sentences: what an event is in plain English, from one template for each kind of record.

    "{Node} sends {what} to {peer}."   +   node 3, PROPOSE, node 2, place 9
    --> Node 3 sends the entries up to place 9 of its log (PROPOSE) to node 2.

The templates travel to the browser, which fills them by the same few rules:

    said             if this column says something, that is the sentence; else a template is filled
    the template     the first that there is of `kind@client` (the kind of its lane), `kind/MESSAGE`, `kind/entry`,
                     `kind/reason`, `kind/role`, `kind!message` and `kind!peer` (where that is empty), `kind`, ""
    {column}         a number, or a text of at most `WIDTH` letters; empty are "", numbers below 0, and 0 of `ZERO_IS_NONE`
    {node} {peer}    what a lane is called, a peer that is the node `itself`; empty where there is no lane
    {from} {to}      the same of the two ends of a frame
    {Node} ...       the same with a capital, unless it is a client's name
    {what} {What}    the template `what/MESSAGE`, else `what`, filled
    [ ... ]          left out if a place in it is empty; brackets do not stand in each other

A message has a number, #7, which people speak of; an entry has a place in the log.  A sentence that needs both says
which is which.

Promises  every kind in the table of `trace` has a template, and so has any other kind.
Read also `packing` (the columns), `faults.wording` (what the world did, in words: the column `said`).
"""

import re
from collections.abc import Callable, Mapping

from chatsys.actor.words import CHAT, Words
from chatsys.faults.wording import NUMBER, of_links
from chatsys.teach.figures.role_spans import stopped_itself
from chatsys.teach.widgets.timeline.spans import in_short
from chatsys.trace import Record

WIDTH = 80
"""A text of a user or a reason is cut to so many letters."""
ZERO_IS_NONE = ("term", "entry_term", "seq")
"""Terms and places are counted from 1: 0 says that there is none."""

TEMPLATES: dict[str, str] = {
    "": "{Node} notes “{kind}”[ about {peer}][, number {seq}][: {reason}].",
    # lives
    "start": "{Node} begins life {incarnation}[; its log ends at place {seq}].",
    "start@client": "{Node} is there.",
    "crash": "{Node} crashes[: {reason}].",
    "restart": "{Node} is started again.",
    "pause": "{Node} is paused.",
    "resume": "{Node} goes on after its pause.",
    "stop": "{Node} stops in good order[: {reason}].",
    "stop@client": "{Node} goes.",
    "stand_down": "{Node} is told to stop, and hands over first what it leads.",
    "refused": "{Node} stops, for it is not taken in as who it says it is[: {reason}].",
    "wipe": "The data folder of {node} is emptied.",
    "copy": "Somebody keeps a copy of the data folder of {node}.",
    "restored": "Another data folder is put in the place of that of {node}[: {reason}].",
    # links
    "link_up": "{Node} has a link to {peer} from now on.",
    "link_down": "{Node} has no link to {peer} any more.",
    # faults: the world did it, and the column `said` tells what
    "cut": "Links are cut.",
    "reconnect": "Links work again.",
    "heal": "All links work again.",
    "slow": "Links are slow.",
    "lose": "Links lose frames.",
    "fault": "The world did something[: {reason}].",
    # frames
    "send": "{Node} sends {what} to {peer}.",
    "receive": "{Node} receives {what} from {peer}.",
    "drop": "{What} from {from} to {to} vanishes[: {reason}].",
    "drop/lost": "{What} from {from} to {to} is lost on its way.",
    "drop/cut": "{What} from {from} to {to} does not arrive: the link is cut.",
    "drop/no link": "{What} from {from} does not leave: there is no link to {to}.",
    "drop/nobody there": "{What} from {from} finds nobody there: {to} is not running.",
    "drop/old incarnation": "{What} is not taken by {to}: it comes from a life of {from} that has ended.",
    "drop!message": "{Node} drops frames[ of {peer}][: {reason}].",
    # the log
    "append": "{Node} writes “{message}” to its disk[ (term {entry_term})].",
    "append/chat": "{Node} writes “{text}” at place {seq} of its log, in term {entry_term}[; it is message #{number}].",
    "append/barrier": "{Node} writes the barrier entry of term {entry_term} at place {seq} of its log.",
    "append/session": "{Node} writes at place {seq} of its log that a client begins to talk, in term {entry_term}.",
    "append/learner": "{Node} writes at place {seq} of its log that a learner is to be taken in, in term {entry_term}.",
    "append/leave": "{Node} writes at place {seq} of its log that a learner leaves, in term {entry_term}.",
    "truncate": "{Node} removes its log from place {seq} on: the leader of a newer term has other entries there.",
    "boot": "{Node} writes to its disk that life {incarnation} begins.",
    "promise": "{Node} promises {peer} to follow nobody of a term below {term}, and in that term nobody else.",
    "hint": "{Node} writes to its disk that its log is committed up to place {seq}.",
    "met": "{Node} remembers the disk of {peer} from now on.",
    "accepted": "{Node} is told to accept {peer} on a new disk.",
    "durable": "The disk of {node} has kept what was written[; its log is safe up to place {seq}].",
    # roles
    "role": "{Node} is in the role “{role}” from now on[, in term {term}][: {reason}].",
    "role/leader": "{Node} becomes the leader of term {term}[: {reason}].",
    "role/follower": "{Node} becomes a follower[ in term {term}][: {reason}].",
    "role/nominating": "{Node} nominates itself, and asks who is alive[: {reason}].",
    "role/deferring": "{Node} defers to a higher node[: {reason}].",
    "role/preparing": "{Node} asks for promises for term {term}[: {reason}].",
    "role/syncing": "{Node} fetches the best log before it leads[: {reason}].",
    "lead": "{Node} leads term {term}[; its barrier entry stands at place {seq} of the log].",
    "ready": "{Node} takes messages from now on: its barrier entry, at place {seq} of the log, is committed.",
    "follow": "{Node} follows {peer}[ in term {term}].",
    "suspect": "{Node} suspects {peer}[: {reason}].",
    "suspect!peer": "{Node} looks for a leader[: {reason}].",
    "restore": "{Node} trusts {peer} again[: {reason}].",
    # the order
    "hold": "{Node} holds back what came too early: place {seq}[ of {peer}], while what goes before it is missing.",
    "commit": "{Node} knows its log to be committed up to place {seq}: a quorum has stored it.",
    "deliver": "{Node} delivers message #{msg_no}[, “{text}”][ of {author}][; it stands at place {seq} of the log].",
    "duplicate": "{Node} skips place {seq} of its log: that message was delivered already.",
    # clients
    "submit": "{Node} says “{text}”[ and asks {peer} to take it].",
    "ack": "{Node} hears that “{text}” is committed: it is message #{msg_no}[, at place {seq} of the log].",
    "reply": "{Node} gets an answer[ from {peer}]: {reason}.",
    "indeterminate": "{Node} gives up on “{text}”: nobody knows whether it will be delivered.",
    "seen": "{Node} sees message #{msg_no}[, “{text}”][ of {author}].",
    # trouble
    "anomaly": "{Node} goes on although a promise of the cluster may be broken[: {reason}].",
    "broken": "{Node} stops itself rather than break a promise[: {reason}].",
    "space": "The disk of {node} has a new amount of room: {reason}.",
    "space/low": "The disk of {node} is almost full.",
    "space/room again": "The disk of {node} has room again.",
    "large": "The log of {node} has grown large[: {reason}].",
    # people
    "membership": "{Node} notes about {peer}: {reason}.",
    "membership!peer": "{Node} notes: {reason}.",
    "membership/joined": "{Node} hears that {peer} is up.",
    "refuses": "{Node} refuses {peer}[: {reason}].",
    # learners
    "learner": "{Node} reads at place {seq} of its log what becomes of a learner[: {reason}].",
    "admitted": "{Node} is taken in: it hears everything, and has no vote.",
    "joined": "{Node} writes to its disk to which cluster it listens.",
    "keep": "{Node} keeps message #{msg_no} on its disk; it stands at place {seq} of the members' logs.",
    "gone": "{Node} writes to its disk that it has left for ever.",
    # what a frame is
    "what": "a {message} frame[ (number {seq})]",
    "what/JOIN": "the news that it is up (JOIN)",
    "what/JOIN_ACK": "the answer to a JOIN (JOIN_ACK)",
    "what/LEAVE": "the wish of a learner to leave for ever (LEAVE)",
    "what/ELECTION": "the question whether it may try to lead (ELECTION)",
    "what/OK": "the answer to an ELECTION (OK)",
    "what/PREPARE": "the request for a promise for term {term} (PREPARE)",
    "what/PROMISE": "the answer to a PREPARE for term {term} (PROMISE)",
    "what/COORDINATOR": "the news that it leads term {term} (COORDINATOR)",
    "what/TRANSFER_LEAD": "the request to become leader in its place (TRANSFER_LEAD)",
    "what/HEARTBEAT": "a heartbeat of term {term} (HEARTBEAT)",
    "what/HEARTBEAT_ACK": "the answer to a heartbeat (HEARTBEAT_ACK)",
    "what/PROPOSE": "[message #{number} in ]a PROPOSE[ (the log up to place {seq})]",
    "what/ACK": "an ACK[ (the logs are equal up to place {seq})]",
    "what/CATCHUP": "the request for the log from place {seq} on (CATCHUP)",
    "what/CATCHUP_REPLY": "[message #{number} in ]a CATCHUP_REPLY[ (the log up to place {seq})]",
    "what/SUBMIT": "a message for the chat (SUBMIT)",
    "what/SUBMIT_REPLY": "the answer to a message for the chat (SUBMIT_REPLY)",
    "what/SUBSCRIBE": "the wish to hear what is delivered (SUBSCRIBE)",
    "what/DELIVERED": "[message #{number} in ]a DELIVERED[ (what is committed up to place {seq} of the log)]",
}
"""For each kind in the table of `trace`, and for each frame of the chat."""

_PLACE = re.compile(r"\{([^{}]*)\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")

Look = Callable[[str], str]
"""Returns what stands at a place, "" if that is empty."""


WITHOUT_A_LOG = {
    "ack": "{Node} is answered ok for “{text}”[: it is message #{msg_no}].",
    "hold": "{Node} holds message #{number} back, for one that goes before it is missing.",
    "deliver": "{Node} delivers message #{number}[, “{text}”][ of {author}].",
    "what/ACKNOWLEDGE": "the acknowledgement of #{seq} (ACKNOWLEDGE)",
}
"""What is told otherwise of an actor that has no log: there a message has its number and no place beside it."""


def templates_for(words: Words, has_log: bool) -> dict[str, str]:
    """Return the templates for the words of an actor: its own names for what the chat suspects, restores and leads."""
    found = TEMPLATES | ({} if has_log else WITHOUT_A_LOG)
    for own, ours in ((words.suspect, CHAT.suspect), (words.restore, CHAT.restore), (words.lead, CHAT.lead)):
        found[own] = TEMPLATES[ours]  # an actor's own word wins, whatever the chat means by it
    if words.heartbeat != CHAT.heartbeat:
        found[f"what/{words.heartbeat}"] = "a heartbeat ({message})"
    found.setdefault(f"what/{words.numbered}", "message #{number} ({message})")
    return found


def fill(template: str, look: Look) -> str:
    """Fill a template: first the parts that may be left out, then the rest."""
    parts = _OPTIONAL.sub(lambda part: "" if _lacks(part[1], look) else part[1], template)
    return _PLACE.sub(lambda place: look(place[1]), parts)


def _lacks(part: str, look: Look) -> bool:
    return any(not look(place) for place in _PLACE.findall(part))


def choose(templates: Mapping[str, str], look: Look) -> str:
    """Return the template of the record whose columns `look` returns."""
    kind = look("kind")
    keys = [f"{kind}@{look('lane_kind')}"]
    keys += [f"{kind}/{look(column)}" for column in ("message", "entry", "reason", "role") if look(column)]
    keys += [f"{kind}!{column}" for column in ("message", "peer") if not look(column)]
    return next((templates[key] for key in (*keys, kind) if key in templates), templates[""])


def say(templates: Mapping[str, str], look: Look) -> str:
    """Return the sentence about the record whose columns `look` returns."""
    if told := look("said"):
        return told
    what = templates.get(f"what/{look('message')}", templates["what"])

    def with_what(place: str) -> str:
        if place not in ("what", "What"):
            return look(place)
        told = fill(what, look)
        return told[:1].upper() + told[1:] if place == "What" else told

    return fill(choose(templates, look), with_what)


def said(record: Record) -> str:
    """Return what the world did, in words, and whatever no template can tell; else ""."""
    reason = record.reason or ""
    if record.kind in ("cut", "reconnect", "heal", "slow", "lose"):
        return of_links(record.kind, reason)
    if record.kind == "fault":
        return _of_fault(reason)
    return f"Node {record.node} has stopped itself." if stopped_itself(record) else ""


def _of_fault(reason: str) -> str:
    if reason.startswith("duplicate "):
        return of_links("duplicate", reason)
    if found := re.fullmatch(r"disk of node (\d+): (\w+)", reason):
        return in_short("disk", int(found[1]), found[2])
    if found := re.fullmatch(rf"clock of node (\d+): rate ({NUMBER})", reason):
        return in_short("clock", int(found[1]), float(found[2]))
    if found := re.fullmatch(rf"ambush: (\w+), ({NUMBER}) s after, for ({NUMBER}) s", reason):
        told = in_short("ambush", found[1], float(found[2]), float(found[3])).removeprefix("From 0 s on: ")
        return told[0].upper() + told[1:]
    return f"The world did something: {reason}."
