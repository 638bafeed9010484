"""The judge of 4.2, the adaptive detector: calm in a storm, and quick where the line is good.

Node 1 listens to six others for a quarter of an hour, in which the network changes twice:

    0 s      quiet   nothing is lost, a beat takes at most 0.05 s
    300 s    lossy   a tenth of all beats is lost, at most 0.2 s
    600 s    storm   a fifth is lost, at most 1.0 s

In each of these each of the six crashes once, for 25 s; one is down at the beginning, too.  How long a crash went
unnoticed is looked at one by one; false suspicions are counted over all runs together, since chance has a part in them.

Read also `runs` (how a run is written down), `checks` (the judge of 4.1), `telling`.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Any

import msgspec
from msgspec.structs import replace

from chatsys.isolation.calls import Reply
from chatsys.teach.grading.lab import Finding, ShownCall
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab04.reading import Reading
from chatsys.teach.labs.lab04.runs import WATCHER, Event, Setup, Watch, listened, replayed
from chatsys.teach.labs.lab04.telling import CAUSE, PLAIN, SHARED, Teller
from chatsys.trace import Trace

SECONDS = 300.0
"""How long each weather lasts."""
DOWN = 25.0
"""Seconds of a crash."""
BACK = 2.0
"""Seconds after a restart in which nobody can expect that the node is heard."""
PEERS = (2, 3, 4, 5, 6, 7)
AROUND = 15.0
"""So many seconds before and after a wrong answer are shown."""
WINDOW = 20
"""So many gaps are told in a sentence."""
NARROW = 0.25
"""Seconds: a deviation below it is nearly none."""


class Weather(msgspec.Struct, frozen=True):
    """How the network is for a while, and what is asked of a detector in it."""

    name: str
    loss: float
    longest: float
    most: float
    """False suspicions in ten minutes over all six links, as the page asks for it."""
    allowed: float
    """... and those from which on points are lost."""
    within: float
    """Seconds in which each crash must be suspected."""
    aspect: str
    """The aspect that asks for it."""


WEATHERS = (
    Weather("quiet", 0.0, 0.05, 0, 1, 3.5, "adapts"),
    Weather("lossy", 0.1, 0.2, 3, 4, 6.5, "quick"),
    Weather("storm", 0.2, 1.0, 8, 10, 12.0, "quick"),
)


class Outage(msgspec.Struct, frozen=True):
    """A node is down."""

    peer: int
    begin: float
    end: float
    timed: bool = True
    """Whether it counts how quickly it is noticed."""


@lru_cache(maxsize=256)
def outages_of(seed: int) -> tuple[Outage, ...]:
    """Return who is down in this seed, and when."""
    random = Random(f"lab 04/adaptive/{seed}")
    found = [Outage(random.choice(PEERS), 0.0, 20.0, timed=False)]
    for place in range(len(WEATHERS)):
        begin = place * SECONDS
        for peer in PEERS:
            crash = round(random.uniform(begin + 60, begin + SECONDS - DOWN - 20), 2)
            found.append(Outage(peer, crash, crash + DOWN))
    return tuple(found)


def weather_at(time: float) -> Weather:
    """Return how the network is at this moment of a run."""
    return WEATHERS[min(int(time // SECONDS), len(WEATHERS) - 1)]


def setup_of(seed: int) -> Setup:
    """Return the run of this seed."""
    quiet = WEATHERS[0]
    events: list[Event] = []
    for place, weather in enumerate(WEATHERS[1:], 1):
        events.append((place * SECONDS, "lose", ("*", "*", weather.loss)))
        events.append((place * SECONDS, "slow", ("*", "*", 0.0, round(weather.longest - quiet.longest, 2))))
    for one in outages_of(seed):
        events += [(one.begin, "crash", (one.peer,)), (one.end, "restart", (one.peer,))]
    network = replace(OVERTAKING, longest=quiet.longest)
    seconds = SECONDS * len(WEATHERS)
    return Setup(seed=seed, events=tuple(events), seconds=seconds, network=network, nodes=1 + len(PEERS))


@lru_cache(maxsize=32)
def watch_of(seed: int) -> Watch:
    """Return what the detector of node 1 is told and asked in the run of this seed."""
    (watch,) = listened(setup_of(seed))
    return watch


# --- what a detector did -----------------------------------------------------------------------------------


class Suspicion(msgspec.Struct, frozen=True):
    """From one moment to another a peer was suspected."""

    peer: int
    begin: float
    end: float
    call: int
    """The call with which it began."""


class Conduct:
    """What a detector did in one run: its suspicions, the false ones, and how long each crash went unnoticed."""

    def __init__(self, seed: int, watch: Watch, replies: Sequence[Reply]) -> None:
        self.seed, self.watch, self.replies = seed, watch, replies
        self.suspicions = list(_suspicions(watch, replies))
        outages = outages_of(seed)
        self.false = [one for one in self.suspicions if not any(_explains(down, one) for down in outages)]
        self.noticed: list[tuple[Outage, Suspicion | None]] = [
            (down, next((one for one in self.suspicions if _lasts(one, down)), None)) for down in outages
        ]

    def gaps(self, peer: int, before: float) -> list[float]:
        """Return the last gaps between new beats of this peer, before a moment of the run."""
        found: deque[float] = deque(maxlen=WINDOW)
        newest, heard = 0, 0.0
        for sender, number, _, now in self.watch.beats():
            if sender == peer and number > newest:
                if self.watch.time(now) >= before:
                    break
                if newest:
                    found.append(now - heard)
                newest, heard = number, now
        return list(found)


def _suspicions(watch: Watch, replies: Sequence[Reply]) -> Iterator[Suspicion]:
    since: dict[int, tuple[float, int]] = {}
    before: set[int] = set()
    for place, (call, reply) in enumerate(zip(watch.calls, replies, strict=False)):
        if call.method == "beat" or reply.value == before:
            continue
        now = watch.time(call.arguments[0])
        answer = set(reply.value)
        for peer in before - answer:
            begin, first = since.pop(peer)
            yield Suspicion(peer, begin, now, first)
        since |= {peer: (now, place) for peer in answer - before}
        before = answer
    for peer, (begin, first) in since.items():
        yield Suspicion(peer, begin, float("inf"), first)


def _explains(down: Outage, one: Suspicion) -> bool:
    return down.peer == one.peer and down.begin <= one.begin < down.end + BACK


def _lasts(one: Suspicion, down: Outage) -> bool:
    """Tell whether a suspicion holds when this outage ends."""
    return down.peer == one.peer and one.begin <= down.end <= one.end


# --- the judge ---------------------------------------------------------------------------------------------


def judge_adaptive(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """4.2: complete, calm, quick, adapts."""
    watches = [watch_of(seed) for seed in seeds]
    conducts = []
    for seed, watch, replies in zip(seeds, watches, trial.ask([one.script() for one in watches]), strict=True):
        reading = Reading(watch, replies)
        if reading.error is not None:
            finding = Teller(trial, [reading], "", None).error(reading)
            yield replace(finding, trace=None)
            return
        conducts.append(Conduct(seed, watch, replies))
    found = list(_judge_crashes(conducts)) + list(_judge_calm(trial, conducts))
    if found and (shared := _shared(trial, conducts)) is not None:
        yield shared
        return
    yield from found


def _judge_crashes(conducts: Sequence[Conduct]) -> Iterator[Finding]:
    """Look at each crash: was it noticed, and how quickly?"""
    for conduct in conducts:
        for down, suspicion in conduct.noticed:
            if suspicion is None:
                what = f"node {down.peer} was down from {down.begin:.2f} s to {down.end:.2f} s and was not suspected at the end"
                yield _of(conduct, "complete", what, conduct.watch.time(conduct.watch.made), PLAIN)
                return
    late = [
        (suspicion.begin - down.begin, down, conduct, suspicion)
        for conduct in conducts
        for down, suspicion in conduct.noticed
        if down.timed and suspicion is not None and suspicion.begin - down.begin > weather_at(down.begin).within
    ]
    for aspect in ("quick", "adapts"):
        mine = [one for one in late if weather_at(one[1].begin).aspect == aspect]
        if mine:
            longest, down, conduct, suspicion = max(mine, key=lambda one: one[0])
            weather = weather_at(down.begin)
            what = (
                f"node {down.peer} crashed at {down.begin:.2f} s ({weather.name}) and was suspected {longest:.1f} s later; "
                f"at most {weather.within:g} s. {_tell_gaps(conduct, down.peer, down.begin)}"
            )
            yield _of(conduct, aspect, what, suspicion.begin, PLAIN, suspicion.call)


def _judge_calm(trial: Any, conducts: Sequence[Conduct]) -> Iterator[Finding]:
    """Count false suspicions over all runs."""
    for weather in reversed(WEATHERS):
        false = [(conduct, one) for conduct in conducts for one in conduct.false if weather_at(one.begin) == weather]
        rate = len(false) * 600 / (SECONDS * len(conducts))
        if rate >= weather.allowed and false:
            conduct, one = min(false, key=lambda pair: _deviation(pair[0].gaps(pair[1].peer, pair[1].begin)))
            gaps = conduct.gaps(one.peer, one.begin)
            why, rank = _tell_gaps(conduct, one.peer, one.begin), PLAIN
            if len(gaps) > 1 and _deviation(gaps) < NARROW and rate < 200:
                centre = sum(gaps) / len(gaps)
                why += (
                    f", {centre:.2f} s on average with a deviation of {_deviation(gaps):.2f} s: no multiple of nearly nothing "
                    "is enough, so give the deviation a floor"
                )
                rank = CAUSE
            what = (
                f"node 1 suspected nodes that were alive {rate:.1f} times in ten minutes ({weather.name}); at most "
                f"{weather.most:g}. One of them: node {one.peer} at {one.begin:.1f} s. {why}"
            )
            if _is_calm_alone(trial, conduct, one.peer, weather):
                what = (
                    f"node 1 suspected nodes that were alive {rate:.1f} times in ten minutes ({weather.name}); at most "
                    f"{weather.most:g}. With node {one.peer} as its only peer it does so no more: are the gaps of all peers in "
                    "one window?"
                )
                rank = CAUSE
            yield _of(conduct, "calm", what, one.begin, rank, one.call)
            return


def _is_calm_alone(trial: Any, conduct: Conduct, peer: int, weather: Weather) -> bool:
    """Tell whether a detector that hears nobody but this peer is calm."""
    calls = [call for call in conduct.watch.calls if call.method != "beat" or call.arguments[0] == peer]
    watch = conduct.watch.otherwise(calls, (peer,))
    [replies] = trial.ask([watch.script()])
    if len(replies) < len(calls):
        return False
    alone = Conduct(conduct.seed, watch, replies)
    false = [one for one in alone.false if one.peer == peer and weather_at(one.begin) == weather]
    every = [one for one in conduct.false if one.peer == peer and weather_at(one.begin) == weather]
    return len(false) * 600 / SECONDS < weather.allowed / 2 and len(every) > 4 * len(false)


def _shared(trial: Any, conducts: Sequence[Conduct]) -> Finding | None:
    """Return the finding for a class whose objects have something in common."""
    worst = conducts[-1]
    alone = Conduct(worst.seed, worst.watch, trial.alone(worst.watch.script()))
    if len(conducts) < 2 or alone.suspicions == worst.suspicions:
        return None
    what = (
        f"your class answered otherwise when it was asked anew, alone: {len(alone.suspicions)} suspicions, and "
        f"{len(worst.suspicions)} beside others. Do all detectors share one list or dictionary? Make it in __init__, and keep "
        "it in self"
    )
    return replace(_of(worst, "complete", what, 0.0, SHARED), hinted=False)


def _tell_gaps(conduct: Conduct, peer: int, before: float) -> str:
    gaps = conduct.gaps(peer, before)
    if len(gaps) < 2:
        return "it had hardly been heard"
    return f"its last {len(gaps)} gaps were {min(gaps):.2f} to {max(gaps):.2f} s"


def _deviation(gaps: Sequence[float]) -> float:
    if len(gaps) < 2:
        return float("inf")
    centre = sum(gaps) / len(gaps)
    return float((sum((gap - centre) ** 2 for gap in gaps) / len(gaps)) ** 0.5)


def _of(conduct: Conduct, aspect: str, what: str, time: float, rank: int, call: int = -1) -> Finding:
    end = "" if what.endswith(("?", ".")) else "."
    steps: tuple[ShownCall, ...] = ()
    if call >= 0:
        steps = Reading(conduct.watch, conduct.replies[: call + 4]).steps(call)
    return Finding(
        aspect=aspect, sentence=f"With seed {conduct.seed} {what}{end}", seed=conduct.seed, steps=steps, rank=rank,
        trace=_around(conduct, time).encode() if call >= 0 else None,
    )  # fmt: skip


def _around(conduct: Conduct, time: float) -> Trace:
    """Return the run a quarter of a minute before and after this moment: all of it would be too much to look at."""
    whole = replayed(conduct.watch.setup, [conduct.replies])
    return whole.where(lambda record: abs(record.time - time) < AROUND)
