"""The judge of 2.2, the vector clock: what it says of each event of a run.

    own       my own entry counts my events, receipts among them
    knows     every other entry counts the events that I have heard of, from whomever
    missing   a stamp without an entry says 0 of that node

Read also `clocks` (how a clock is asked), `events` (what is right).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from chatsys.teach.grading.lab import Finding
from chatsys.teach.labs.lab02.clocks import (
    CAUSE,
    ClockReading,
    find_error,
    find_shared,
    first_of,
    readings_of,
    shown,
    together,
)
from chatsys.teach.labs.lab02.events import full


def judge_vector(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """2.2: own, knows, missing."""
    readings = readings_of(trial, seeds, True, lambda history, event: full(event.past, history.nodes))
    wrong = [one for one in readings if one.wrong is not None]
    live = [] if wrong else together(trial, readings)
    wrong = wrong or live
    if not wrong:
        return
    if (shared := find_shared(trial, wrong, "dictionary", bool(live))) is not None:
        yield shared
        return
    whole = [one for one in wrong if not one.history.sparse]
    if not whole:
        yield _find_missing(wrong[0])
        return
    if (broken := next((one for one in whole if one.error is not None), None)) is not None:
        yield find_error(broken, "a dictionary from node to count")
        return
    yield from first_of(whole, _find_own)
    yield from first_of(whole, _find_knows)


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
            why = f"entry {node} is {said}, and the stamp {shown(reading.stamp(place))} has told of {counted(wanted, 'event')} of node {node}"
        else:
            why = f"entry {node} is {said}, and nobody has told of more than {counted(wanted, 'event')} of node {node}"
        return reading.finding("knows", place, f"{reading.what(place)}: {why}", CAUSE)
    return None


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending} event"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: `1 event`, `2 events`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
