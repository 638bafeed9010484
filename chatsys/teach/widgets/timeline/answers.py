"""Answers: why a message was not delivered, asked from the timeline.

    browser  --{"ask": "why_not", "what": 7, "node": 3, "event": 812}-->  ask  --> a sentence, and events to light
    save_html  --> answers: {"#7 3": ...} for each wait that was long, since a page has no Python

A page is asked at any moment, so a wait has answers for several of them: where it begins, wherever something else begins
to be missing, and now and then between.  The browser shows the last one that is not later than its cursor.

    event   120 said        131 ordered                                              812 the end of the run, or
            |               |              x               x               x         |   where it was delivered
    asked   1               1              1               1               1         1

Promises  whatever cannot be answered is said in a sentence; a page is asked for no more than `WORK` allows, and what
          waits longest comes first.
Read also `campaign.why` (who answers), `js/asking.js` (who asks), `js/doors.js` (who looks up the answers of a page).
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec

from chatsys.campaign.why import Answer
from chatsys.campaign.why.asking import Question
from chatsys.campaign.why.spoken import Spoken, find
from chatsys.errors import ChatsysError
from chatsys.teach.widgets.timeline.packing import Packed

SECONDS = 6.0
"""So long may be tried while somebody waits for the answer."""
MOST = 200
"""So many waits have answers in a page."""
WORK = 4_000_000
"""So many records may be read for a page; one question reads the run up to its moment."""
ROOM = 200_000
"""So many letters may be said in a page about moments before the end of the run."""
LONG = 0.25
"""Seconds: what was delivered sooner than that was simply on its way."""
LOOKS = 6
"""A wait is asked about so many times at least."""

Told = tuple[str, list[int]]
"""A sentence, and the events that it rests on."""


def ask(given: Any, packed: Packed, order: dict[str, Any]) -> Told:
    """Answer a question from the browser."""
    what, node, event = order.get("what"), order.get("node"), order.get("event")
    if not isinstance(event, int) or not 0 <= event < len(packed.records):
        return "There is no such moment in this run.", []
    return ask_at(given, packed, (what, node), packed.records[event].time)


def ask_at(given: Any, packed: Packed, asked: tuple[Any, Any], time: float) -> Told:
    """Answer why a message was not delivered at a node before a moment: `asked` is both."""
    what, node = asked
    try:
        question = Question(given, SECONDS)
        spoken = find(question.scene.trace, what, node, question.trying.says)
        begin = _begin(packed, spoken)
        if begin is not None and time < begin:
            return f"At {time:.2f} s nobody had said that yet: it is said at {begin:.2f} s.", []
        return told(question.why_not(what, node, time), packed)
    except ChatsysError as error:
        return str(error), []


def told(answer: Answer, packed: Packed) -> Told:
    """Return an answer as the timeline shows it: its events in the order of the timeline."""
    return str(answer), [event for event in answer.events if 0 <= event < len(packed.records)]


def _begin(packed: Packed, spoken: Spoken) -> float | None:
    """Return when a message was said, if anything tells it."""
    if spoken.frame is not None:
        return None
    first = next((one.time for one in packed.records if one.kind == "submit" and spoken.is_in(one)), None)
    return first if spoken.said is None or (first is not None and first < spoken.said.time) else spoken.said.time


# --- a page -----------------------------------------------------------------------------------------


class LongWait(msgspec.Struct, frozen=True):
    """A message that was said and not delivered at once: from which event to which, and whether it came then."""

    what: int | str
    node: int
    begin: int
    end: int
    """The last event at which it had not come."""
    came: bool

    @property
    def key(self) -> str:
        """Return how the browser looks it up: a text may look like a number."""
        return f"{'#' if isinstance(self.what, int) else '='}{self.what} {self.node}"


def for_page(trace: Any, packed: Packed) -> dict[str, dict[str, Any]]:
    """Return the answers that a page needs, untried: by message and node.

    `said` and `lit` are those of the end of the wait; `earlier` is a list of [event, sentence, lit], as it was then.
    """
    asking = _Asking(Question(trace, seconds=0), packed)
    waits = sorted(_waits(packed), key=lambda wait: (wait.came, wait.begin - wait.end))[:MOST]
    found: dict[str, dict[str, Any]] = {}
    for wait in waits:
        said, lit = asking.told(wait, asking.last(wait))
        found[wait.key] = {"said": said, "lit": lit}
    room = ROOM
    for wait in waits:  # the end of each is known before work and room go into what was between
        earlier = asking.over(wait) if room > 0 else []
        found[wait.key]["earlier"] = earlier
        room -= sum(len(sentence) for _, sentence, _ in earlier)
    return {key: answer for key, answer in found.items() if answer["said"] or answer["earlier"]}


class _Asking:
    """The questions of a page; a moment is an index into `moments`, the first events of each instant."""

    def __init__(self, question: Question, packed: Packed) -> None:
        self.question, self.packed = question, packed
        times = [record.time for record in packed.records]
        self.moments = [event for event, time in enumerate(times) if not event or time != times[event - 1]]
        self.of: list[int] = []
        """The moment of each event."""
        for event, time in enumerate(times):
            self.of.append(self.of[-1] + (time != times[event - 1]) if event else 0)
        self.left = WORK
        self.known: dict[tuple[str, int], Answer | str | None] = {}

    def last(self, wait: LongWait) -> int:
        """Return the last moment of a wait: where it came, the one before."""
        return self.of[wait.end] - (wait.came and self.of[wait.end] == self.of[wait.end + 1])

    def answer(self, wait: LongWait, moment: int) -> Answer | str | None:
        """Return the answer at a moment; a sentence if there is none, None if there is no more work to be had."""
        key = (wait.key, moment)
        if key not in self.known:
            self.left -= self.moments[moment]
            if self.left < 0:
                return None
            try:
                time = self.packed.records[self.moments[moment]].time
                self.known[key] = self.question.why_not(wait.what, wait.node, time)
            except ChatsysError as error:
                self.known[key] = str(error)
        return self.known[key]

    def told(self, wait: LongWait, moment: int) -> Told:
        """Return what a page says at a moment: nothing if it is not known."""
        answer = self.answer(wait, moment)
        return told(answer, self.packed) if isinstance(answer, Answer) else (answer or "", [])

    def over(self, wait: LongWait) -> list[list[Any]]:
        """Return [event, sentence, lit] wherever it was asked during a wait."""
        first, last = self.of[wait.begin], self.last(wait)
        looks = sorted({first + (last - first) * look // LOOKS for look in range(LOOKS + 1)})
        asked = [first, *(one for low, high in pairwise(looks) for one in self._changes(wait, low, high))]
        worth = [
            moment
            for before, moment in zip([None, *asked], asked, strict=False)
            if before is None or moment in looks or self._missing(wait, before) != self._missing(wait, moment)
        ]
        found = [[self.moments[moment], *self.told(wait, moment)] for moment in worth]
        return [one for one in found if one[1]]

    def _changes(self, wait: LongWait, low: int, high: int) -> Iterator[int]:
        """Yield the moments in between at which something else began to be missing, and `high`."""
        if high - low > 1 and self._missing(wait, low) != self._missing(wait, high):
            middle = (low + high) // 2
            yield from self._changes(wait, low, middle)
            yield from self._changes(wait, middle, high)
        else:
            yield high

    def _missing(self, wait: LongWait, moment: int) -> object:
        answer = self.answer(wait, moment)
        return (answer.missing, answer.since) if isinstance(answer, Answer) else answer


def _waits(packed: Packed) -> Iterator[LongWait]:
    """Yield each message and node for which it took long; a message without a number goes by its text."""
    nodes = [lane["id"] for lane in packed.about["lanes"] if lane["kind"] != "client"]
    messages, delivered = _messages(packed), set()
    for event, record in enumerate(packed.records):
        what = int(packed.columns["number"][event])
        begin = messages.get(what, event)
        if record.kind == "deliver" and (record.node, what) not in delivered:
            delivered.add((record.node, what))
            if begin < event and record.time - packed.records[begin].time >= LONG and record.node in nodes:
                yield LongWait(what, int(record.node or 0), begin, event - 1, came=True)
    for message, begin in messages.items():
        for node in nodes:
            if (node, message) not in delivered:
                yield LongWait(message, node, begin, len(packed.records) - 1, came=False)


def _messages(packed: Packed) -> dict[int | str, int]:
    """Return each message, and the event with which it was said, or at which it is told of first."""
    said: dict[tuple[str, int | None], int] = {}
    found: dict[int | str, int] = {}
    numbered = set()
    for event, record in enumerate(packed.records):
        if record.client is None:
            continue
        pair = (record.client, record.client_seq)
        if record.kind == "submit" and record.text:
            said.setdefault(pair, event)
        elif record.msg_no is not None:
            found.setdefault(record.msg_no, said.get(pair, event))
            numbered.add(pair)
    for event, number in enumerate(packed.columns["number"].tolist()):
        if number > 0:
            found.setdefault(number, event)  # a small actor has no clients
    return found | {packed.records[event].text or "": event for pair, event in said.items() if pair not in numbered}
