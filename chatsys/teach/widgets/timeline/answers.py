"""Answers: why a message was not delivered, asked from the timeline.

    browser  --{"ask": "why_not", "what": 7, "node": 3, "event": 812}-->  ask  --> a sentence, and events to light
    save_html  --> answers: {"7 3": ...} for each message that a node never delivered, since a page has no Python

Promises  whatever cannot be answered is said in a sentence.
Read also `campaign.why` (who answers), `js/asking.js` (who asks).
"""

from collections.abc import Iterable
from typing import Any

from chatsys.campaign.why import Answer, why_not
from chatsys.campaign.why.asking import Question
from chatsys.errors import ChatsysError
from chatsys.teach.widgets.timeline.packing import Packed

SECONDS = 6.0
"""So long may be tried while somebody waits for the answer."""
MOST = 200
"""So many answers go into a page."""

Told = tuple[str, list[int]]
"""A sentence, and the events that it rests on."""


def ask(given: Any, packed: Packed, order: dict[str, Any]) -> Told:
    """Answer a question from the browser."""
    what, node, event = order.get("what"), order.get("node"), order.get("event")
    if not isinstance(event, int) or not 0 <= event < len(packed.records):
        return "There is no such moment in this run.", []
    return ask_at(given, packed, (what, node), packed.records[event].time)


def ask_at(given: Any, packed: Packed, question: tuple[Any, Any], time: float) -> Told:
    """Answer why a message was not delivered at a node before a moment: `question` is both."""
    try:
        return told(why_not(given, *question, time, seconds=SECONDS), packed)
    except ChatsysError as error:
        return str(error), []


def told(answer: Answer, packed: Packed) -> Told:
    """Return an answer as the timeline shows it: its events in the order of the timeline."""
    return str(answer), [event for event in answer.events if 0 <= event < len(packed.records)]


def for_page(trace: Any, packed: Packed) -> dict[str, dict[str, Any]]:
    """Return the answers that a page needs, untried: by message and node."""
    found: dict[str, dict[str, Any]] = {}
    question = Question(trace, seconds=0)
    for what, node in _never_delivered(packed):
        if len(found) == MOST:
            break
        try:
            said, lit = told(question.why_not(what, node), packed)
        except ChatsysError as error:
            said, lit = str(error), []
        found[f"{what} {node}"] = {"said": said, "lit": lit}
    return found


def _never_delivered(packed: Packed) -> Iterable[tuple[int | str, int]]:
    """Return each message and each node that never delivered it; a message without a number goes by its text."""
    nodes = [lane["id"] for lane in packed.about["lanes"] if lane["kind"] != "client"]
    numbers: dict[int, str | None] = {}
    said: dict[tuple[str | None, int | None], str] = {}
    numbered: set[tuple[str | None, int | None]] = set()
    have: set[tuple[object, int | None]] = set()
    for record in packed.records:
        if record.msg_no is not None:
            numbers.setdefault(record.msg_no, record.text)
            numbered.add((record.client, record.client_seq))
        if record.kind == "deliver":
            have.add((record.node, record.msg_no))
        elif record.kind == "submit" and record.text:
            said.setdefault((record.client, record.client_seq), record.text)
    for number in sorted(numbers):
        yield from ((number, node) for node in nodes if (node, number) not in have)
    for message, text in said.items():
        if message not in numbered:
            yield from ((text, node) for node in nodes)
