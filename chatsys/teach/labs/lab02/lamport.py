"""The judge of 2.1, the Lamport clock: what it says of each event of a run.

    rises     every event has a larger number than the one before it at its node
    arrives   a receipt has a larger number than the message that is received
    longest   the number is the length of the longest path of events that ends there, not more

Read also `clocks` (how a clock is asked), `events` (what is right).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from chatsys.teach.grading.lab import Finding
from chatsys.teach.labs.lab02.clocks import (
    CAUSE,
    SAME,
    ClockReading,
    find_error,
    find_shared,
    first_of,
    readings_of,
    together,
)


def judge_lamport(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """2.1: rises, arrives, longest."""
    readings = readings_of(trial, seeds, False, lambda _, event: event.chain)
    wrong = [one for one in readings if one.wrong is not None]
    live = [] if wrong else together(trial, readings)
    wrong = wrong or live
    if not wrong:
        return
    if (shared := find_shared(trial, wrong, "number", bool(live))) is not None:
        yield shared
        return
    if (broken := next((one for one in wrong if one.error is not None), None)) is not None:
        yield find_error(broken, "a whole number")
        return
    yield from first_of(wrong, _find_no_rise)
    yield from first_of(wrong, _find_no_arrival)
    yield from first_of(wrong, _find_too_long)


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
    number = f"number {value}" if abs(value) < 10**9 else f"a number of {len(str(abs(value)))} digits"
    story = (
        f"{reading.what(place)} has {number}; the longest path of events that ends there has {right}, itself counted"
    )
    return reading.finding("longest", place, story)
