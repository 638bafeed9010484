"""The judge of 4.2, the adaptive detector: calm in a storm, and quick where the line is good.

Three nodes listen to each other while the network changes twice:

    quiet   nothing is lost, a beat takes at most 0.05 s
    lossy   a tenth of all beats is lost, at most 0.2 s
    storm   a fifth is lost, at most 1.0 s

In each weather each of the six links is silent once, for 20 s; one is at the beginning, too.  (It is cut, so that
nobody's own detector stops with it: for who listens it is a crash.)  How long a silence went unnoticed is looked at
one by one.  False suspicions are counted over all runs together, since chance has a part in them.

A detector is asked where its answer can tell something: at the end of each gap that is longer than usual, and
again and again while a link is silent.

Read also `conduct` (what a detector did), `runs` (how a run is written down), `checks` (the judge of 4.1).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from chatsys.teach.grading.lab import Finding
from chatsys.teach.labs.lab04.conduct import (
    WEATHERS,
    Conduct,
    Gap,
    deviation,
    watches_of,
)
from chatsys.teach.labs.lab04.reading import WatchReading, peers
from chatsys.teach.labs.lab04.telling import CAUSE, PLAIN, SHARED, Teller

NARROW = 0.25
"""Seconds: a deviation below it is nearly none."""
TEN_MINUTES = 600.0


def judge_adaptive(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """4.2: complete, calm, quick, adapts."""
    watches = [watch for seed in seeds for watch in watches_of(seed)]
    conducts = []
    for watch, replies in zip(watches, trial.ask([one.script() for one in watches]), strict=True):
        reading = WatchReading(watch, replies)
        if reading.error is not None:
            yield replace(Teller(trial, [reading], "", None).error(reading), trace=None)
            return
        conducts.append(Conduct(watch, replies))
    found = [*_judge_silences(conducts), *_judge_calm(trial, conducts, len(seeds))]
    if found and (shared := _find_shared(trial, conducts)) is not None:
        yield shared
        return
    yield from found


def _judge_silences(conducts: Sequence[Conduct]) -> Iterator[Finding]:
    """Look at each silence of a link: was it noticed, and how quickly?"""
    every = [(conduct, one) for conduct in conducts for one in conduct.silences]
    for conduct, one in every:
        if one.noticed is None:
            what = f"nothing of node {one.peer} reached node {conduct.watch.node} from {one.begin:.2f} s on"
            what += f", and at {one.end:.2f} s it was not suspected"
            yield _of(conduct, "complete", what, one.calls[-1], PLAIN)
            return
    for aspect in ("quick", "adapts"):
        late = [
            (one.noticed, conduct, one)
            for conduct, one in every
            if one.noticed is not None
            and one.weather.aspect == aspect
            and one.noticed > one.weather.within
            and one.timed
        ]
        if late:
            noticed, conduct, one = max(late, key=lambda each: each[0])
            what = (
                f"nothing of node {one.peer} reached node {conduct.watch.node} from {one.begin:.2f} s on ({one.weather.name}), "
                f"and it was not suspected within {one.weather.within:g} s, but within {noticed:g} s. "
                f"{_tell_gaps(conduct, one.peer, one.begin)}"
            )
            asked = next(
                call for call, offset in zip(one.calls, one.offsets, strict=True) if offset >= one.weather.within
            )
            yield _of(conduct, aspect, what, asked, PLAIN)


def _judge_calm(trial: Any, conducts: Sequence[Conduct], runs: int) -> Iterator[Finding]:
    """Count false suspicions over all runs."""
    for weather in WEATHERS:  # of all runs together, so no single seed is the one to play again
        false = [(conduct, gap) for conduct in conducts for gap in conduct.false if gap.weather == weather]
        rate = len(false) * TEN_MINUTES / (weather.seconds * runs)
        if not false or rate < weather.allowed:
            continue
        conduct, gap = min(false, key=_is_told_last)
        gaps = conduct.gaps_before(gap.peer, gap.end)
        how_many = (
            f"there were {rate:.0f} false suspicions in ten minutes ({weather.name} links; {weather.most:g} allowed)"
        )
        one = f"node {conduct.watch.node} suspected node {gap.peer} at {gap.end:.1f} s"
        if _is_calm_alone(trial, conduct, gap):
            why = f"With node {gap.peer} as its only peer node {conduct.watch.node} suspects nobody: are the gaps of all peers in one window?"
            yield replace(_of(conduct, "calm", f"{how_many}. {why}", gap.call, CAUSE), seed=None)
        elif len(gaps) > 1 and deviation(gaps) < NARROW and _is_short(gap, gaps):
            why = f"N{one[1:]}, after {gap.length:.2f} s: gaps that deviate by only "
            why += f"{deviation(gaps):.2f} s need a floor"
            yield replace(_of(conduct, "calm", f"{how_many}. {why}", gap.call, CAUSE), seed=None)
        else:
            why = f"N{one[1:]}, after {gap.length:.2f} s of silence. {_tell_gaps(conduct, gap.peer, gap.end)}"
            yield replace(_of(conduct, "calm", f"{how_many}. {why}", gap.call, PLAIN), seed=None)
        return


def _is_told_last(one: tuple[Conduct, Gap]) -> tuple[bool, float]:
    """Order false suspicions: first after gaps that were nearly equal, and of these the shortest silence."""
    conduct, gap = one
    return deviation(conduct.gaps_before(gap.peer, gap.end)) >= NARROW, gap.length


def _is_short(gap: Gap, gaps: Sequence[float]) -> bool:
    """Tell whether one lost beat explains this gap: who suspects then has allowed nearly nothing."""
    return gap.length < 2.2 * sum(gaps) / len(gaps)


def _is_calm_alone(trial: Any, conduct: Conduct, gap: Gap) -> bool:
    """Tell whether a detector that has this one peer only is calmer by far."""
    watch = conduct.watch
    calls = [call for call in watch.calls if call.method != "beat" or call.arguments[0] == gap.peer]
    [replies] = trial.ask([watch.otherwise(calls, (gap.peer,)).script()])
    if len(replies) < len(calls):
        return False
    beside = [one for one in conduct.false if one.peer == gap.peer]
    alone = Conduct(watch.otherwise(calls, (gap.peer,)), replies).false
    return len(beside) > 2 * len(alone) + 1


def _find_shared(trial: Any, conducts: Sequence[Conduct]) -> Finding | None:
    """Return the finding for a class whose objects have something in common."""
    last = conducts[-1]
    alone = Conduct(last.watch, trial.alone(last.watch.script()))
    differ = [call for call, one, other in zip(last.asked, last.answers, alone.answers, strict=True) if one != other]
    if not differ:
        return None
    time = last.watch.time(last.watch.calls[differ[0]].arguments[-1])
    what = (
        f"the detector of node {last.watch.node} answered {peers(last.replies[differ[0]].value)} at {time:.2f} s; asked anew, "
        f"alone, of the same beats, {peers(alone.replies[differ[0]].value)}. Do all detectors share one list or dictionary? "
        "Make it in __init__"
    )
    return replace(_of(last, "complete", what, differ[0], SHARED), hinted=False)


def _tell_gaps(conduct: Conduct, peer: int, before: float) -> str:
    gaps = conduct.gaps_before(peer, before)
    if len(gaps) < 2:
        return "It had hardly been heard"
    return f"The {len(gaps)} gaps before were {min(gaps):.2f} to {max(gaps):.2f} s"


def _of(conduct: Conduct, aspect: str, what: str, call: int, rank: int) -> Finding:
    seed = conduct.watch.plan.seed
    steps = WatchReading(conduct.watch, conduct.replies[: call + 4]).steps(call)
    return Finding(
        aspect=aspect, sentence=f"With seed {seed} {what}{'' if what.endswith('?') else '.'}", seed=seed, steps=steps,
        trace=conduct.around(call).encode(), rank=rank,
    )  # fmt: skip
