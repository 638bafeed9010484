"""Conduct: the runs of 4.2, and what a detector did in one: its false suspicions, and how long a silence went unnoticed.

    gap      from one new beat of a peer to the next, longer than usual; to suspect at its end is false
    silence  a link is cut for a while; the later it is suspected, the worse

Read also `adaptive` (the judge), `runs` (how a run is written down).
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import inf, sqrt
from random import Random

import msgspec
from msgspec.structs import replace

from chatsys.isolation.calls import Call, Reply
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab04.runs import Event, RunPlan, Watch, listened
from chatsys.teach.labs.lab04.stage import TICK
from chatsys.trace import Trace

CUT = 20.0
"""Seconds for which a link is silent."""
BACK = 3.0
"""Seconds after that in which nobody can expect that the peer is heard."""
USUAL = 1.3
"""A gap so long is usual: whoever suspects before that suspects at its end as well."""
OFFSETS = (1.0, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.5, 8.0, 10.0, 12.0, 15.0, 19.9)
"""So many seconds after a link fell silent its detector is asked."""
WINDOW = 20
"""So many gaps before a wrong answer are told."""
AROUND = 15.0
"""So many seconds before and after a wrong answer are shown."""


class Weather(msgspec.Struct, frozen=True):
    """How the network is for a while, and what is asked of a detector in it."""

    name: str
    begin: float
    seconds: float
    loss: float
    longest: float
    most: float
    """False suspicions in ten minutes over all six links, as the page asks for it."""
    allowed: float
    """... and how many cost points: chance has its part."""
    within: float
    """Seconds in which a silence must be suspected."""
    aspect: str
    """The aspect that asks for it."""


WEATHERS = (
    Weather("quiet", 0.0, 90.0, 0.0, 0.05, 0, 1, 3.5, "adapts"),
    Weather("lossy", 90.0, 110.0, 0.1, 0.2, 3, 4.5, 6.5, "quick"),
    Weather("storm", 200.0, 200.0, 0.2, 1.0, 8, 10.5, 12.0, "quick"),
)
SECONDS = 400.0


def weather_at(time: float) -> Weather:
    """Return how the network is at this moment of a run."""
    return next(one for one in reversed(WEATHERS) if one.begin <= time)


# --- what happens ----------------------------------------------------------------------------------------


class QuietLink(msgspec.Struct, frozen=True):
    """A link that is silent."""

    sender: int
    hearer: int
    begin: float
    timed: bool = True
    """Whether it counts how quickly it is noticed."""


@lru_cache(maxsize=256)
def cuts_of(seed: int) -> tuple[QuietLink, ...]:
    """Return which links are silent in this seed, and when."""
    random = Random(f"lab 04/adaptive/{seed}")
    links = [(one, other) for one in (1, 2, 3) for other in (1, 2, 3) if one != other]
    found = [QuietLink(*random.choice(links), 0.0, timed=False)]
    for weather in WEATHERS:
        for link in links:
            end = weather.begin + weather.seconds - CUT - BACK - 2
            found.append(QuietLink(*link, round(random.uniform(weather.begin + 40, end), 2)))
    return tuple(found)


def plan_of(seed: int) -> RunPlan:
    """Return the run of this seed; nobody is asked anything in it, for that is added to what was written down."""
    quiet = WEATHERS[0]
    events: list[Event] = []
    for weather in WEATHERS[1:]:
        events.append((weather.begin, "lose", ("*", "*", weather.loss)))
        events.append((weather.begin, "slow", ("*", "*", 0.0, round(weather.longest - quiet.longest, 2))))
    for one in cuts_of(seed):
        events += [(one.begin, "cut", (one.sender, one.hearer, True))]
        events += [(one.begin + CUT, "reconnect", (one.sender, one.hearer, True))]
    network = replace(OVERTAKING, longest=quiet.longest)
    return RunPlan(seed=seed, events=tuple(events), seconds=SECONDS, network=network, tick=2 * SECONDS)


@lru_cache(maxsize=64)
def watches_of(seed: int) -> tuple[Watch, ...]:
    """Return what the three detectors of this seed are told, and asked where it tells something."""
    return tuple(_with_questions(watch, cuts_of(seed)) for watch in listened(plan_of(seed), watchers=None))


def _with_questions(watch: Watch, cuts: Sequence[QuietLink]) -> Watch:
    asked = [end - 0.001 for _, begin, end in gaps_of(watch) if end - begin > USUAL]
    asked += [watch.now(one.begin + offset) for one in cuts if one.hearer == watch.node for offset in OFFSETS]
    calls = [*watch.calls, *(Call("suspects", (now,)) for now in sorted(set(asked)))]
    return watch.otherwise(sorted(calls, key=lambda call: call.arguments[-1]))


def gaps_of(watch: Watch) -> Iterator[tuple[int, float, float]]:
    """Yield (peer, begin, end) of every gap between two new beats of a peer, by the clock of the node."""
    newest = dict.fromkeys(watch.peers, 0)
    heard: dict[int, float] = {}
    for peer, number, _, now in watch.beats():
        if number > newest[peer]:
            if peer in heard:
                yield peer, heard[peer], now
            newest[peer], heard[peer] = number, now


# --- what a detector did ---------------------------------------------------------------------------------


class Gap(msgspec.Struct, frozen=True):
    """A gap at the end of which the peer was suspected."""

    peer: int
    length: float
    end: float
    """In seconds of the run."""
    call: int
    """The call that was answered so."""

    @property
    def weather(self) -> Weather:
        """How the network was."""
        return weather_at(self.end)


class Silence(msgspec.Struct, frozen=True):
    """A link that was silent, and when that was noticed."""

    peer: int
    begin: float
    calls: tuple[int, ...]
    offsets: tuple[float, ...]
    noticed: float | None
    """So many seconds after it began it was suspected for good, as far as was asked; None: it never was."""
    timed: bool

    @property
    def end(self) -> float:
        """When it was asked for the last time."""
        return self.begin + self.offsets[-1]

    @property
    def weather(self) -> Weather:
        """How the network was."""
        return weather_at(self.begin)


def deviation(gaps: Sequence[float]) -> float:
    """Return the standard deviation; infinite for less than two gaps."""
    if len(gaps) < 2:
        return inf
    centre = sum(gaps) / len(gaps)
    return sqrt(sum((gap - centre) ** 2 for gap in gaps) / len(gaps))


class Conduct:
    """What a detector did in one run."""

    def __init__(self, watch: Watch, replies: Sequence[Reply]) -> None:
        self.watch, self.replies = watch, replies
        self.cuts = [cut for cut in cuts_of(watch.plan.seed) if cut.hearer == watch.node and cut.sender in watch.peers]
        self._place = {call.arguments[0]: at for at, call in enumerate(watch.calls) if call.method == "suspects"}
        self._gaps = list(gaps_of(watch))
        self.false = list(self._false())
        self.silences = [self._silence(cut) for cut in self.cuts]

    @property
    def asked(self) -> list[int]:
        """The calls that asked."""
        return list(self._place.values())

    @property
    def answers(self) -> list[set[int]]:
        """Everything that was answered."""
        return [set(self.replies[at].value) for at in self._place.values()]

    def _suspected(self, peer: int, now: float) -> bool:
        return peer in self.replies[self._place[now]].value

    def _false(self) -> Iterator[Gap]:
        for peer, begin, end in self._gaps:
            now, at = end - 0.001, self.watch.time(end)
            if end - begin > USUAL and self._suspected(peer, now) and not self._is_cut(peer, at):
                yield Gap(peer, end - begin, at, self._place[now])

    def _is_cut(self, peer: int, time: float) -> bool:
        return any(cut.sender == peer and cut.begin <= time < cut.begin + CUT + BACK for cut in self.cuts)

    def _silence(self, cut: QuietLink) -> Silence:
        asked = [self.watch.now(cut.begin + offset) for offset in OFFSETS]
        noticed = None
        for offset, now in zip(reversed(OFFSETS), reversed(asked), strict=True):
            if not self._suspected(cut.sender, now):
                break
            noticed = offset
        calls = tuple(self._place[now] for now in asked)
        return Silence(cut.sender, cut.begin, calls, OFFSETS, noticed, cut.timed)

    def gaps_before(self, peer: int, time: float) -> list[float]:
        """Return the last gaps between new beats of this peer, before a moment of the run."""
        now = self.watch.now(time) - 0.0005
        return [end - begin for one, begin, end in self._gaps if one == peer and end < now][-WINDOW:]

    def around(self, call: int) -> Trace:
        """Return the run a quarter of a minute before and after a call, with this detector in it: all of it would be too much."""
        watch, moments, answers = self.watch, list(self._place), self.answers

        class Known:
            """Answers at every moment what was answered last."""

            def __init__(self, *made: object) -> None:
                pass

            def beat(self, *beat: object) -> None:
                """Nothing is to be remembered."""

            def suspects(self, now: float) -> set[int]:
                """Return the last answer."""
                at = bisect_right(moments, now)
                return answers[at - 1] if at else set()

        time = watch.time(watch.calls[call].arguments[-1])
        whole = replace(watch.plan, tick=TICK, seconds=time + AROUND).play(Known, watchers=[watch.node])
        return whole.trace.where(lambda record: abs(record.time - time) < AROUND)
