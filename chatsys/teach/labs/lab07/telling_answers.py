"""Telling: each way in which answers (7.2) are wrong, in one sentence with its bytes and numbers.

Read also `answering` (who asks), `story` (the calls).
"""

from collections.abc import Sequence

from chatsys.teach.grading.lab import Finding
from chatsys.teach.labs.lab07.lives import Lived, TwoLives
from chatsys.teach.labs.lab07.runs import described
from chatsys.teach.labs.lab07.story import SEEN, VAGUE, both_lives, calls_of, end_of, finding, many, synced_at


def tell_unanswered(name: str, told: Lived, one: int, flush: int, seed: int | None = None) -> Finding:
    """Tell that a record was accepted and not answered by the flush that followed."""
    late = told.moment("answer", one)
    when = "none came later" if late is None else f"that came at {told.byte(late)} bytes"
    end = told.said_at[flush]
    story = f"{name} record {one} was accepted, and the flush that followed returned at {told.byte(end)} bytes without its answer; {when}."
    return finding("answers", story, seed, steps=tuple(calls_of(told, flush, end + 1)))


def tell_answered_again(name: str, told: Lived, one: int, times: Sequence[int], seed: int | None = None) -> Finding:
    """Tell that a record was answered more than once."""
    first, again = times[0], times[1]
    story = (
        f"{name} record {one} was answered {len(times)} times, at {told.byte(first)} bytes and again at {told.byte(again)} bytes. "
        "What is answered is owed no more."
    )
    number = max((event.number for event in told.tape[:again] if event.kind == "call"), default=0)
    return finding("answers", story, seed, steps=tuple(calls_of(told, number, end_of(told, number))))


def tell_lie(cut: TwoLives, one: int, seed: int | None = None) -> Finding:
    """Tell that a record was answered and is lost."""
    moment = cut.first.moment("answer", one)
    assert moment is not None, "it was answered"
    written, synced = cut.first.byte(moment), synced_at(cut.first, moment)
    story = (
        f"{cut.name} record {one} was answered when {written} bytes were written and {synced} synced. A power cut left "
        f"{len(cut.image.content)} bytes, and record {one} is lost: it was answered too early."
    )
    rank = SEEN + (0 < len(cut.second.records or ()))
    return finding("durable", story, seed, rank=rank, steps=both_lives(cut))


def tell_load_first(cut: TwoLives, seed: int | None = None) -> Finding:
    """Tell that what a power cut left cannot be loaded: that is another exercise."""
    did = described(cut.second)
    story = f"{cut.name} a power cut left {len(cut.image.content)} bytes, and load() {did}, not what was accepted: mend 7.1 first."
    return finding("durable", story, seed, rank=VAGUE, steps=both_lives(cut))


def tell_after_failure(name: str, told: Lived, failed: int, late: int, seed: int | None = None) -> Finding:
    """Tell that something was answered after a sync had failed."""
    one, at = told.tape[late].number, told.byte(failed)
    synced = any(event.kind == "sync" for event in told.tape[failed:late])
    why = "a later sync does not bring back what that one lost" if synced else "it may not be on the disk"
    story = f"{name} the sync at {at} bytes failed, and record {one} was answered at {told.byte(late)} bytes: {why}."
    number = max((event.number for event in told.tape[:late] if event.kind == "call"), default=0)
    return finding("failed", story, seed, rank=SEEN + synced, steps=tuple(calls_of(told, number, end_of(told, number))))


def tell_syncs(told: Lived, flush: int, counts: tuple[int, int], aspect: str) -> Finding:
    """Tell that a flush took more syncs than it needs."""
    accepted, syncs = counts
    at = told.byte(told.said_at[flush])
    enough = "one is enough for all of them" if accepted else "there is nothing to make durable"
    story = f"The flush at {at} bytes ended a turn of {many(accepted, 'record')}, and that turn took {many(syncs, 'sync')}: {enough}."
    return finding(aspect, story, None, steps=tuple(calls_of(told, flush, told.said_at[flush] + 1)))
