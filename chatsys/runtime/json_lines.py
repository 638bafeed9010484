"""JSON lines: what a node tells, for machines: one object a line, the same events as in a terminal.

    {"time":"2026-11-26T12:04:07.420Z","level":"info","node":1,"event":"follow","term":2,"role":"follower",
     "peer":3,"text":"follows node 3, the leader of term 2"}

    time    when, in UTC                      level   info, warning (something is missing), error (it cannot go on)
    node    who                               event   the kind of the record (see `trace`), or "listens" at first
    text    the line that people read         term, role, peer, seq, msg_no, room, author, message, id, reason: where filled
    first_msg_no    of a run of deliveries: the first of them (msg_no is the last)

Promises  each line is one object of JSON in ASCII, whatever somebody said in the chat.
Read also `terminal` (who asks, and which events are told), `service`.
"""

import json
import time
from typing import Any

from chatsys.escape import escape
from chatsys.trace import Record

LEVELS = {
    **dict.fromkeys(("broken", "refused", "anomaly"), "error"),
    **dict.fromkeys(("suspect", "drop", "refuses", "space", "large"), "warning"),
}
"""Of the kinds of records that are worth more than "info"."""
TOLD = ("peer", "seq", "msg_no", "room", "author", "message", "id", "reason")
"""Columns of a record that a line has, where they are filled."""
LONGEST = 1000
"""Characters of a text or a reason; whoever wants all of it reads the log."""


def as_json(record: Record | None, text: str, *, first: int | None = None, **more: Any) -> str:
    """Return one line about `record`; None: about the node itself, of which `more` tells."""
    if record is None:
        facts: dict[str, Any] = {"time": _moment(time.time()), "level": "info", **more}
    else:
        wall = time.time() - (time.monotonic() - record.time)  # as in a terminal: compared anew at each line
        lost = record.kind == "membership" and (record.reason or "").startswith(("gone", "refused"))
        level = "warning" if lost else LEVELS.get(record.kind, "info")
        facts = {"time": _moment(wall), "level": level, "node": record.node, "event": record.kind}
        facts |= {"term": record.term, "role": record.role}
        facts |= {name: value for name in TOLD if (value := getattr(record, name)) is not None}
        facts |= {} if first is None else {"first_msg_no": first}
    facts["text"] = escape(text[:LONGEST])
    if isinstance(facts.get("reason"), str):
        facts["reason"] = escape(facts["reason"][:LONGEST])
    return json.dumps(facts) + "\n"


def _moment(wall: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(wall)) + f".{int(wall % 1 * 1000):03d}Z"
