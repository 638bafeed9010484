"""Telling: each way in which promises (7.3) are broken, in one sentence with its terms and moments.

Read also `voting` (who asks), `story` (the calls).
"""

from chatsys.teach.grading.lab import Finding
from chatsys.teach.labs.lab07.lives import Lived, TwoLives
from chatsys.teach.labs.lab07.story import (
    CAUSE,
    FIRST,
    SEEN,
    VAGUE,
    both_lives,
    calls_of,
    finding,
    shown_step,
    synced_at,
)


def tell_promise(name: str, told: Lived, number: int, before: int, seed: int | None = None) -> Finding:
    """Tell that a promise was given that must not be, or not given that must be, in one life."""
    (term, said), at = asked(told, number), f"at {number}.0 s"
    if said:
        when = next(place for place in range(1, number) if asked(told, place) == (before, True))
        story = f"{name} term {before} was promised at {when}.0 s, and promise({term}) returned True {at}: a promise binds for ever."
        return finding("once", story, seed, rank=FIRST, steps=tuple(calls_of(told, number, since=0)))
    had = f"the highest promised term was {before}" if before else "no term had been promised"
    story = f"{name} promise({term}) returned False {at}, and {had}: nothing stands against it."
    return finding("yes", story, seed, steps=tuple(calls_of(told, number, since=0)))


def tell_forgotten(cut: TwoLives, before: int, number: int, seed: int | None = None) -> Finding:
    """Tell that a promise of the last life was given again, or broken by a lower one."""
    first = cut.first
    when = next((place for place in range(1, len(first.life.steps) + 1) if asked(first, place) == (before, True)), 0)
    cut_at = moment_of(cut)
    term, _ = asked(cut.second, number)
    promised = f"term {before} was promised at {when}.0 s" if when else f"term {before} had been promised"
    story = (
        f"{cut.name} {promised}, the power was cut at {cut_at}.0 s and left {len(cut.image.content)} bytes, and "
        f"term {term} was promised at {cut_at + number}.0 s: {_why(cut, before, when)}."
    )
    rank = CAUSE if term < before else SEEN
    return finding("remembers", story, seed, rank=rank, steps=both_lives(cut, number, moment_of(cut)))


def _why(cut: TwoLives, term: int, when: int) -> str:
    """Say where the promise of a term was that the next life broke; `when`: the call that gave it, 0: in an earlier life."""
    first, until = cut.first, cut.image.until
    if not first.byte(until):
        return f"promise({term}) was only in memory"
    if (emptied := _emptied(first, when, until)) is not None:
        return f"the file had been cut to 0 bytes at {emptied}.0 s"
    said = first.said_at.get(when, 0) if when else 0
    if synced_at(first, until) < first.byte(said):
        return f"promise({term}) was written and not synced"
    torn = cut.image.content.rpartition(b"\n")[2]
    return (
        "that promise was durable, and behind it stood a torn line" if torn else "that promise was durable, and binds"
    )


def _emptied(told: Lived, number: int, until: int) -> int | None:
    """Return which call emptied the file after this one had made its promise durable, or None; 0: an earlier life did."""
    said = told.said_at.get(number, 0) if number else 0
    if synced_at(told, said) < told.byte(said):
        return None
    call, found = number, None
    for place, one in enumerate(told.tape[said:until], said):
        call = one.number if one.kind == "call" else call
        if one.kind == "truncate" and one.number == 0 and told.byte(place):
            found = call
    return found


def tell_refused(cut: TwoLives, before: int, number: int, seed: int | None = None) -> Finding:
    """Tell that after a power cut a voter gives no promise any more, or cannot even begin."""
    left, broken = f"{cut.name} a power cut left {len(cut.image.content)} bytes", cut.second.broken
    if broken is not None:
        why = f"Damaged({broken.data.decode()})" if broken.kind == "damaged" else broken.text
        story = f"{left}, and the next life raised {why} in {shown_step(cut.second, broken.number)}."
        return finding("remembers", story, seed, rank=VAGUE, steps=both_lives(cut, number, moment_of(cut)))
    term, _ = asked(cut.second, number)
    story = f"{left}, and then promise({term}) returned False. The highest promised term was {before}: nothing stands against it."
    return finding("yes", story, seed, rank=VAGUE, steps=both_lives(cut, number, moment_of(cut)))


def tell_unkept(name: str, told: Lived, number: int, seed: int | None = None) -> Finding:
    """Tell that a promise was given although its sync had failed."""
    term, _ = asked(told, number)
    failed = next(at for at, one in enumerate(told.tape) if one.kind == "failed")
    story = f"{name} the sync at {told.byte(failed)} bytes failed, and promise({term}) returned True at {number}.0 s: it may not be on the disk."
    return finding("failed", story, seed, rank=CAUSE, steps=tuple(calls_of(told, number, since=0)))


def tell_goes_on(cut: TwoLives, number: int, late: int, seed: int | None = None) -> Finding:
    """Tell that a sync failed in one call, a later one promised its term, and what the next life knows of that."""
    term, _ = asked(cut.first, late)
    story = f"{cut.name} the sync failed at {number}.0 s, and promise({term}) returned True at {late}.0 s"
    if cut.second.broken is None and asked(cut.second, 1)[1]:
        what = f"What that sync was to keep may be zeros: the next life promised term {term} again at {late + 2}.0 s."
        return finding("failed", f"{story}. {what}", seed, rank=SEEN, steps=both_lives(cut, 1, late + 1))
    if cut.second.broken is not None:
        what = f"What that sync was to keep may be zeros: the next life could not begin, at {late + 1}.0 s."
        return finding(
            "failed", f"{story}. {what}", seed, rank=SEEN, steps=both_lives(cut, cut.second.broken.number, late + 1)
        )
    story += ": a later sync does not bring back what that one lost."
    return finding("failed", story, seed, rank=VAGUE, steps=tuple(calls_of(cut.first, late, since=0)))


def moment_of(cut: TwoLives) -> int:
    """Return the second in which the power was cut: the one after the last call."""
    return max((one.number for one in cut.first.tape[: cut.image.until] if one.kind == "call"), default=0) + 1


def asked(told: Lived, number: int) -> tuple[int, bool]:
    """Return the term of a call of `promise`, and whether it was promised."""
    said = told.said_at.get(number)
    return told.life.steps[number - 1][1], said is not None and told.tape[said].data == b"yes"
