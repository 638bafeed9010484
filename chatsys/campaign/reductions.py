"""Simpler: what could be changed in a failing run to make it easier to read, step for step the same story.

    Case --worlds---> turns of one event, right clocks, frames in order, usual settings, fewer nodes
         --people---> one client instead of three; texts and names in order of appearance
         --values---> round fractions and delays
         --times----> one step a second, else rounded times, else shorter pauses

Each function yields candidates, the most wanted first; whoever tries them keeps what still fails.

Promises  a candidate is never harder to read than the case it was made of, so that trying them ends.
Read also `shrink`, which tries them.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import msgspec

from chatsys.campaign.reproduction import Case
from chatsys.config import ClusterConfig
from chatsys.faults import Fault, Script
from chatsys.sim.network import Conditions

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
PEOPLE = ("ann", "bob", "eve", "dan", "fay", "gus", "ida")
LINKS = ("slow", "lose", "duplicate")


def worlds(case: Case) -> Iterator[Case]:
    """Turns of one event, right clocks, a network that keeps the order, the usual settings, fewer nodes."""
    config = case.config
    usual = ClusterConfig.of(len(config.ids), quorum=config.quorum)
    for name, value in {"turn": 0.0, "clock_drift": 0.0, "network": Conditions(), "config": usual}.items():
        if getattr(case, name) != value:
            yield msgspec.structs.replace(case, **{name: value})
    for name in ("limits", "timing", "fast_suspect", "take_back"):
        if getattr(config, name) != getattr(usual, name):
            mixed = msgspec.structs.replace(config, **{name: getattr(usual, name)})
            yield msgspec.structs.replace(case, config=mixed)
    for count in range(3, len(config.ids)):
        for kept in combinations(config.ids, count):
            yield smaller(case, kept)


def smaller(case: Case, kept: Sequence[int]) -> Case:
    """Return the case among the nodes `kept` only, which are numbered 1, 2, 3, ... again."""
    config, new = case.config, {old: number for number, old in enumerate(kept, start=1)}
    majority = config.quorum == len(config.ids) // 2 + 1
    fewer = msgspec.structs.replace(
        config,
        members={number: f"node{number}:0" for number in new.values()},
        quorum=len(kept) // 2 + 1 if majority else min(config.quorum, len(kept)),
    )
    gone = set(config.ids) - set(kept)
    steps = [_renumber(fault, new, gone) for fault in case.script]
    return msgspec.structs.replace(case, config=fewer, script=Script([step for step in steps if step is not None]))


def _renumber(fault: Fault, new: dict[int, int], gone: set[int]) -> Fault | None:
    """Return the step with the new numbers; None if it was about a node that is gone."""
    verb, args = fault.verb, fault.args
    if verb == "partition":
        groups = [side for side in args if not isinstance(side, bool)]
        sides = [tuple(new.get(node, node) for node in side if node not in gone) for side in groups]
        sides = [side for side in sides if side]
        return Fault(fault.time, verb, (*sides, *([True] if args[-1] is True else []))) if len(sides) > 1 else None
    at = {"say": (1,), "cut": (0, 1), **dict.fromkeys(LINKS, (0, 1))}.get(verb, (0,))
    places = [place for place in at if place < len(args) and type(args[place]) is int]
    if verb != "say" and any(args[place] in gone for place in places):
        return None
    changed = {place: None if args[place] in gone else new.get(args[place], args[place]) for place in places}
    return Fault(fault.time, verb, tuple(changed.get(place, value) for place, value in enumerate(args)))


def people(case: Case) -> Iterator[Case]:
    """One client, then one for each node that is spoken to; and names and texts in order of appearance."""
    says = [at for at, fault in enumerate(case.script) if fault.verb == "say"]
    if not says:
        return
    yield _told(case, dict.fromkeys(says, ("ann", None)))
    yield _told(case, {at: ("ann", _home(case, at)) for at in says})
    for at in says:
        yield _told(case, {at: ("ann", None)})
    for author, home in dict.fromkeys(_speaker(case, at) for at in says):
        yield _told(case, {at: (author, None) for at in says if _speaker(case, at) == (author, home)})
    names = dict(zip(dict.fromkeys(_speaker(case, at) for at in says), PEOPLE, strict=False))
    yield _told(case, {at: (names.get(_speaker(case, at), _speaker(case, at)[0]), _home(case, at)) for at in says})
    yield _texts(case, says)


def _texts(case: Case, says: Sequence[int]) -> Case:
    steps = list(case.script.faults)
    for number, at in enumerate(says):
        text = ORDINALS[number] if number < len(ORDINALS) else f"number {number + 1}"
        steps[at] = msgspec.structs.replace(steps[at], args=(text, *steps[at].args[1:]))
    return msgspec.structs.replace(case, script=Script(steps))


def _home(case: Case, at: int) -> int | None:
    args = case.script.faults[at].args
    return args[1] if len(args) > 1 else None


def _speaker(case: Case, at: int) -> tuple[str, int | None]:
    args = case.script.faults[at].args
    return args[3] if len(args) > 3 else "ann", _home(case, at)


def _told(case: Case, by: dict[int, tuple[str, int | None]]) -> Case:
    """Return the case with other speakers for some steps."""
    steps = list(case.script.faults)
    for at, (author, home) in by.items():
        steps[at] = msgspec.structs.replace(steps[at], args=(steps[at].args[0], home, "main", author))
    return msgspec.structs.replace(case, script=Script(steps))


def values(case: Case) -> Iterator[Case]:
    """Round fractions and delays, one step after the other; and `heal` where `mend` repairs more than is broken."""
    for at, fault in enumerate(case.script):
        if fault.verb == "mend":
            yield _with_step(case, at, Fault(fault.time, "heal"))
        if fault.verb not in (*LINKS, "clock", "ambush"):
            continue
        if fault.verb in LINKS and fault.args[:2] != ("*", "*"):
            yield _with_step(case, at, msgspec.structs.replace(fault, args=("*", "*", *fault.args[2:])))
        for place, value in enumerate(fault.args):
            if isinstance(value, float):
                for rounder in _rounder(fault.verb, place, value):
                    args = (*fault.args[:place], rounder, *fault.args[place + 1 :])
                    yield _with_step(case, at, msgspec.structs.replace(fault, args=args))


def _rounder(verb: str, place: int, value: float) -> list[float]:
    """Return rounder values, the roundest first."""
    if verb in ("lose", "duplicate") and place == 2:
        wanted = [1.0, 0.5, round(value, 1)] if value else []
    else:
        wanted = [0.0, round(value), round(value, 1), round(value, 2)]
    if verb == "ambush" and place == 2:
        wanted = [1.0, round(value), round(value, 1)]
    if verb == "clock":
        wanted = [1.0, round(value, 1), round(value, 2)]
    kept = dict.fromkeys(float(one) for one in wanted if one or verb != "clock")
    return [one for one in kept if _digits(one) < _digits(value) or (one in (0.0, 1.0) and value not in (0.0, 1.0))]


def _with_step(case: Case, at: int, step: Fault) -> Case:
    faults = case.script.faults
    return msgspec.structs.replace(case, script=Script((*faults[:at], step, *faults[at + 1 :])))


def times(case: Case) -> Iterator[Case]:
    """One step a second or so; else all times rounded; else each by itself; and shorter pauses."""
    now = [fault.time for fault in case.script]
    plans = [
        [pace * at + start for at in range(len(now))] for pace in (1.0, 2.0, 3.0, 0.5, 4.0) for start in (1.0, 3.0)
    ]
    plans += [[round(time, digits) for time in now] for digits in (0, 1, 2)]
    for at, time in enumerate(now):
        earliest, latest = now[at - 1] if at else 0.0, now[at + 1] if at + 1 < len(now) else time + 1
        rounded = [round(time + more, digits) for digits in (0, 1, 2) for more in (0.0, 0.4 / 10**digits)]
        plans += [[*now[:at], one, *now[at + 1 :]] for one in rounded if earliest <= one <= latest]
    for at, time in enumerate(now):
        pause = time - (now[at - 1] if at else 0.0)
        if pause > 4.0:
            plans.append([*now[:at], *(round(later - pause + 3.0, 3) for later in now[at:])])
    for plan in plans:
        if _untidy(plan) < _untidy(now):
            yield msgspec.structs.replace(case, script=_at(case.script, plan))


def _at(script: Script, plan: Sequence[float]) -> Script:
    return Script([msgspec.structs.replace(fault, time=time) for fault, time in zip(script, plan, strict=True)])


def _untidy(plan: Sequence[float]) -> tuple[float, float]:
    """Return how hard these times are to read: digits and steps at one time first, then how long it takes."""
    digits = sum(map(_digits, plan))
    together = sum(one == other for one, other in zip(plan, plan[1:], strict=False))
    pauses = sum(max(0.0, later - time - 4.0) for time, later in zip((0.0, *plan), plan, strict=False))
    return digits + 0.5 * together, pauses


def _digits(value: Any) -> int:
    """Return how many digits a number has behind the point."""
    text = f"{value:.3f}".rstrip("0")
    return len(text) - text.index(".") - 1
