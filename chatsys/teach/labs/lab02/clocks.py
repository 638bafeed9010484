"""What one clock said of the events of its node, beside what is right; for the judges of 2.1 and 2.2.

    event 2.3, the receipt of 1.1      receive(4)     returned 4      right is 5      <-- the first wrong call

A clock is played the events of its node as a list of calls, with the stamps of right clocks: so what one call does
wrong is told of that call, whatever it would have done to others.  The first run is played once more with all clocks
side by side, for what is right alone may have something in common with others.

Read also `lamport` and `vectors` (the judges), `runs` (the events), `events` (what is right, found without a clock).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from chatsys.isolation.calls import CallScript, Reply
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.labs.lab02.events import Event, sparse
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


def readings_of(
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


def together(trial: Any, readings: Sequence[ClockReading]) -> list[ClockReading]:
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


def find_shared(trial: Any, wrong: Sequence[ClockReading], name: str, live: bool) -> Finding | None:
    """Return the finding for a class that is right alone: `live` says that it went wrong beside others."""
    first = wrong[0]
    place = first.wrong
    assert place is not None
    if not live and trial.ask([first.script])[0] == list(
        first.replies
    ):  # what has a history does otherwise the second time
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


def find_error(reading: ClockReading, wanted: str) -> Finding:
    place = reading.error
    assert place is not None
    reply, call = reading.replies[place], _call(reading.script, place)
    what = (
        f"your class raised {reply.error}" if reply.error is not None else f"it returned {reply.wrong}; return {wanted}"
    )
    return reading.finding(RUNS, place, f"{call} of node {reading.node}, for {reading.what(place)}: {what}")


def first_of(wrong: Sequence[ClockReading], find: Callable[[ClockReading], Finding | None]) -> Iterator[Finding]:
    yield from [found for found in map(find, wrong) if found is not None][:1]
