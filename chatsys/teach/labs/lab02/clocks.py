"""The judges of 2.1 and 2.2: what a Lamport clock and a vector clock say of each event of a run.

    2.1  rises     every event has a larger number than the one before it at its node
         arrives   a receipt has a larger number than the message that is received
         longest   the number is the length of the longest path of events that ends there, not more
    2.2  own       my own entry counts my events, receipts among them
         knows     every other entry counts the events that I have heard of, from whomever
         missing   a stamp without an entry says 0 of that node

A clock is played the events of its node as a list of calls, with the stamps of right clocks: so what one call does
wrong is told of that call, whatever it would have done to others.

Read also `runs` (the events), `events` (what is right, found without a clock), `stage`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from chatsys.isolation.calls import CallScript, Reply
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.labs.lab02.events import Event, full, sparse
from chatsys.teach.labs.lab02.runs import History, clock_script, history_of
from chatsys.teach.labs.lab02.stage import shown_vector

SHARED, SAME, CAUSE, PLAIN, SEEN = 5, 4, 3, 2, 1
"""How much a sentence explains: the highest rank is told first."""
BEFORE, BEYOND = 12, 2
"""So many calls before and after the wrong one are shown."""


class ClockReading:
    """What one clock said of the events of its node, beside what is right."""

    def __init__(
        self, history: History, node: int, script: CallScript, replies: Sequence[Reply], right: Sequence[Any]
    ) -> None:
        self.history, self.node, self.script, self.replies, self.right = history, node, script, replies, right
        self.events = history.of(node)
        self.error = next((place for place, reply in enumerate(replies) if not reply.right), None)
        self.values = [reply.value for reply in replies if reply.right]
        pairs = enumerate(zip(self.values, right, strict=False))
        self.wrong = next((place for place, (value, wanted) in pairs if not same(value, wanted)), self.error)
        """The first call whose answer was not right."""

    def stamp(self, place: int) -> Any:
        """Return the stamp that came with a receipt."""
        return self.script.calls[place].arguments[0]

    def what(self, place: int) -> str:
        """Say which event this is: "event 5 of node 2 (the receipt of 1.3)"."""
        event = self.events[place]
        how = {"step": "a step", "says": "a sending"}.get(event.kind) or f"the receipt of {event.sent}"
        return f"event {event.name} ({how})"

    def finding(self, aspect: str, place: int, story: str, rank: int = PLAIN) -> Finding:
        """Return the finding about one call."""
        trace = self.history.trace.encode()
        sentence = f"With seed {self.history.seed} {story}{'' if story.endswith(('.', '?')) else '.'}"
        return Finding(
            aspect=aspect, sentence=sentence, seed=self.history.seed, trace=trace, steps=self.steps(place), rank=rank
        )  # fmt: skip

    def steps(self, wrong: int) -> tuple[ShownCall, ...]:
        """Return the calls around the wrong one."""
        first = max(0, wrong - BEFORE)
        return tuple(
            ShownCall(
                call=_call(self.script, place), returned=shown(reply.value) if reply.right else reply.error or reply.wrong or "",
                expected=shown(self.right[place]) if place < len(self.right) else "", when=f"{event.time:.2f} s",
                wrong=place == wrong, node=self.node, time=event.time,
            )
            for place, (event, reply) in list(enumerate(zip(self.events, self.replies, strict=False)))[first : wrong + BEYOND + 1]
        )  # fmt: skip


def _call(script: CallScript, place: int) -> str:
    call = script.calls[place]
    return f"{call.method}({', '.join(map(shown, call.arguments))})"


def shown(value: Any) -> str:
    """Return a number or a vector as it stands in a sentence."""
    return shown_vector(value) if isinstance(value, dict) else str(value)


def same(value: Any, right: Any) -> bool:
    """Tell whether an answer is right; in a vector a missing entry is 0."""
    return bool(sparse(value) == sparse(right) if isinstance(right, dict) else value == right)


def _readings(
    trial: Any, seeds: Sequence[int], vectors: bool, right: Callable[[History, Event], Any]
) -> list[ClockReading]:
    """Play every clock of these seeds."""
    asked = []
    for seed in seeds:
        history = history_of(seed)
        for node in history.nodes:
            arguments = (node, list(history.nodes)) if vectors else ()
            asked.append((history, node, clock_script(history, node, arguments, vectors)))
    replies = trial.ask([script for _, _, script in asked])
    return [
        ClockReading(history, node, script, said, [right(history, event) for event in history.of(node)])
        for (history, node, script), said in zip(asked, replies, strict=True)
    ]


def _together(trial: Any, readings: Sequence[ClockReading]) -> list[ClockReading]:
    """Play the first run once more, all its clocks side by side; return what is wrong now: each was right alone."""
    mine = [one for one in readings if one.history is readings[0].history] if readings else []
    clocks = {one.node: trial.cls(*one.script.arguments) for one in mine}
    said: dict[int, list[Reply]] = {one.node: [] for one in mine}
    calls = {one.node: iter(one.script.calls) for one in mine}
    for event in mine[0].history.events if mine else ():
        call = next(calls[event.node])
        try:
            said[event.node].append(Reply(getattr(clocks[event.node], call.method)(*call.arguments)))
        except Exception as error:
            said[event.node].append(Reply(error=str(error)))
            break
    again = [ClockReading(one.history, one.node, one.script, said[one.node], one.right) for one in mine]
    return [one for one in again if one.wrong is not None]


def _find_shared(trial: Any, wrong: Sequence[ClockReading], name: str) -> Finding | None:
    """Return the finding for a class whose objects have something in common."""
    first = wrong[0]
    place = first.wrong
    assert place is not None
    if trial.ask([first.script])[0] == list(first.replies):  # what has a history does otherwise the second time
        return None
    alone = ClockReading(first.history, first.node, first.script, trial.alone(first.script), first.right)
    if alone.wrong is None or alone.wrong > place:
        returned, again = (
            shown(one.values[place]) if place < len(one.values) else "an error" for one in (first, alone)
        )
        story = (
            f"the clock of node {first.node} gave {returned} to event {first.events[place].name}; alone it gives {again}. "
            f"Do all clocks share one {name}? Make it in __init__"
        )
        return replace(first.finding(RUNS, place, story, SHARED), hinted=False)
    return None


def _find_error(reading: ClockReading, wanted: str) -> Finding:
    place = reading.error
    assert place is not None
    reply, call = reading.replies[place], _call(reading.script, place)
    what = (
        f"your class raised {reply.error}" if reply.error is not None else f"it returned {reply.wrong}; return {wanted}"
    )
    return reading.finding(RUNS, place, f"{call} of node {reading.node}, for {reading.what(place)}: {what}")


# --- 2.1 -----------------------------------------------------------------------------------------------


def judge_lamport(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """2.1: rises, arrives, longest."""
    readings = _readings(trial, seeds, False, lambda _, event: event.chain)
    wrong = [one for one in readings if one.wrong is not None] or _together(trial, readings)
    if not wrong:
        return
    if (shared := _find_shared(trial, wrong, "number")) is not None:
        yield shared
        return
    if (broken := next((one for one in wrong if one.error is not None), None)) is not None:
        yield _find_error(broken, "a whole number")
        return
    yield from _first(wrong, _find_no_rise)
    yield from _first(wrong, _find_no_arrival)
    yield from _first(wrong, _find_too_long)


def _first(wrong: Sequence[ClockReading], find: Callable[[ClockReading], Finding | None]) -> Iterator[Finding]:
    yield from [found for found in map(find, wrong) if found is not None][:1]


def _find_no_rise(reading: ClockReading) -> Finding | None:
    """Two events of one node in a row, and the second has no larger number."""
    pairs = enumerate(zip(reading.values, reading.values[1:], strict=False), 1)
    places = [place for place, (before, value) in pairs if value <= before]
    if not places:
        return None
    kinds = [event.kind for event in reading.events]
    smaller = [place for place in places if reading.values[place] < reading.values[place - 1]]
    lost = next((place for place in smaller if kinds[place] != "hears" and kinds[place - 1] == "hears"), None)
    place = places[0] if lost is None else lost
    before, value = reading.values[place - 1 : place + 1]
    last, where = reading.events[place - 1].name, reading.what(place)
    if lost is not None:
        story = f"event {last}, a receipt, has number {before}, and {where} after it has {value}: the number of a receipt was not kept"
    elif kinds[place] == "hears" and value < before:
        story = f"event {last} has number {before} and {where} has {value}, for its stamp was {reading.stamp(place)}: time went back"
    elif kinds[place] == "hears":
        story = f"{where}, stamp {reading.stamp(place)}, has number {value}, and so has event {last} before it: two events, one number"
    else:
        did = "is smaller than" if value < before else "is the same as"
        story = f"{where} has number {value}, which {did} that of event {last} before it; every event ticks"
    return reading.finding("rises", place, story, CAUSE)


def _find_no_arrival(reading: ClockReading) -> Finding | None:
    """A message is received with a number that is not larger than its stamp."""
    received = [place for place, event in enumerate(reading.events[: len(reading.values)]) if event.kind == "hears"]
    smaller = [place for place in received if reading.values[place] < reading.stamp(place)]
    equal = [place for place in received if reading.values[place] == reading.stamp(place)]
    if not smaller and not equal:
        return None
    place = (smaller or equal)[0]
    event, value = reading.events[place], reading.values[place]
    story = (
        f"message {event.sent} was sent with {reading.stamp(place)} and received at event {event.name} with {value}: "
    )
    story += "by these numbers it arrived before it was sent" if smaller else "a message arrives later than it leaves"
    return reading.finding("arrives", place, story, CAUSE if smaller else SAME)


def _find_too_long(reading: ClockReading) -> Finding | None:
    """A number is not the length of the longest path."""
    place = reading.wrong
    assert place is not None
    value, right = reading.values[place], reading.right[place]
    before = reading.values[place - 1] if place else 0
    if reading.events[place].kind == "hears" and value == before + reading.stamp(place) + 1 != right:
        story = f"{reading.what(place)} has number {value}, the sum of {before} and its stamp {reading.stamp(place)}, and 1; right is {right}"
        if all(value == one + stamp + 1 for one, stamp, value in _receipts(reading)):
            return reading.finding("longest", place, story, CAUSE)
    story = f"{reading.what(place)} has number {value}; the longest path of events that ends there has {right}, itself counted"
    return reading.finding("longest", place, story)


def _receipts(reading: ClockReading) -> Iterator[tuple[int, int, int]]:
    """Yield (number before, stamp, number) of every receipt."""
    for place, value in enumerate(reading.values):
        if reading.events[place].kind == "hears":
            yield reading.values[place - 1] if place else 0, reading.stamp(place), value


# --- 2.2 -----------------------------------------------------------------------------------------------


def judge_vector(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """2.2: own, knows, missing."""
    readings = _readings(trial, seeds, True, lambda history, event: full(event.past, history.nodes))
    wrong = [one for one in readings if one.wrong is not None] or _together(trial, readings)
    if not wrong:
        return
    if (shared := _find_shared(trial, wrong, "dictionary")) is not None:
        yield shared
        return
    whole = [one for one in wrong if not one.history.sparse]
    if not whole:
        yield _find_missing(wrong[0])
        return
    if (broken := next((one for one in whole if one.error is not None), None)) is not None:
        yield _find_error(broken, "a dictionary from node to count")
        return
    yield from _first(whole, _find_own)
    yield from _first(whole, _find_knows)


def _find_missing(reading: ClockReading) -> Finding:
    """What is right with every entry is wrong where an entry of 0 is left out."""
    place = reading.wrong
    assert place is not None
    reply = reading.replies[place]
    did = (
        f"raised {reply.error}"
        if reply.error is not None
        else f"gave {shown(reply.value) if reply.right else reply.wrong}"
    )
    stamps = [reading.stamp(at) for at in range(place + 1) if reading.events[at].kind == "hears"]
    stamp = f" with the stamp {shown(stamps[-1])}" if stamps and reading.events[place].kind == "hears" else ""
    story = f"{reading.what(place)}{stamp}: your class {did}. A missing entry is 0"
    return reading.finding("missing", place, story, CAUSE)


def _find_own(reading: ClockReading) -> Finding | None:
    """The own entry does not count the own events."""
    me = reading.node
    owns = [value.get(me, 0) for value in reading.values]
    places = [place for place, own in enumerate(owns) if own != place + 1]
    if not places:
        return None
    lower = next((place for place in places if _is_taken_over(reading, place, owns[place])), None)
    place = places[0] if lower is None else lower
    kind, more = reading.events[place].kind, ""
    if lower is not None:
        more = f"; the stamp {shown(reading.stamp(place))} knows less of node {me} than node {me} itself"
    elif kind == "hears" and owns[place] == place:
        more = "; a receipt is an event, too"
    elif kind == "step" and owns[place] == place:
        more = "; an event counts although nothing is sent in it"
    story = f"{reading.what(place)} is the {_ordinal(place + 1)} of node {me}, and its own entry is {owns[place]}{more}"
    return reading.finding("own", place, story, CAUSE)


def _is_taken_over(reading: ClockReading, place: int, own: int) -> bool:
    """Tell whether the own entry is that of the stamp, which knows less."""
    told = reading.stamp(place).get(reading.node, 0) if reading.events[place].kind == "hears" else place
    return own in (told, told + 1) and own < (reading.values[place - 1].get(reading.node, 0) if place else 0)


def _find_knows(reading: ClockReading) -> Finding | None:
    """Another entry is not what was heard of that node."""
    me = reading.node
    for place, (value, right) in enumerate(zip(reading.values, reading.right, strict=False)):
        node = next((one for one in {*right, *value} if one != me and value.get(one, 0) != right.get(one, 0)), None)
        if node is None:
            continue
        event, said, wanted = reading.events[place], value.get(node, 0), right.get(node, 0)
        before = reading.values[place - 1].get(node, 0) if place else 0
        if event.kind != "hears":
            why = f"no message came, and entry {node} went from {before} to {said}"
        elif said < before:
            why = f"entry {node} was {before} before and is {said} now: what node {me} knew of node {node} is forgotten"
        elif said < wanted:
            why = f"entry {node} is {said}, and the stamp {shown(reading.stamp(place))} has told of {wanted} events of node {node}"
        else:
            why = f"entry {node} is {said}, and nobody has told of more than {wanted} events of node {node}"
        return reading.finding("knows", place, f"{reading.what(place)}: {why}", CAUSE)
    return None


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending} event"
