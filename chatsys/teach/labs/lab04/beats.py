"""The beats of one line, without a world: thousands of short runs at once, fast enough for a slider.

    line = BeatLine(interval=0.8, slowest=0.2, loss=0.1)
    drawn(line, runs=500)          the gaps of 500 runs of a minute: numpy, a few milliseconds
        .false(2.5)                false suspicions in an hour with a fixed timeout of 2.5 s
        .seconds(2.5)              seconds from a crash to its suspicion, on average
    play(MyDetector, line, 60)     the same two numbers of somebody's own detector: its methods are called

This is not the simulator: no nodes, no clocks, no other peers.  It is the part of it that decides here, played
for real: each beat leaves on time, is lost or not, and takes a drawn time; one that a later beat has overtaken is
old news.  At the end of each run the sender crashes at a drawn moment.  A test holds it against the simulator.

Read also `curves` (the picture), `stage` (the simulator's side).
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from chatsys.teach.labs.lab04.stage import TIMEOUT

SHORTEST = 0.01
"""No beat takes less time."""
BEATS = 75
"""Beats of a run: a minute, at 0.8 s."""
STEPS = (*(round(0.5 + 0.2 * step, 1) for step in range(28)), *(0.5 * step for step in range(13, 21)), *range(11, 31))
"""So many seconds after the last beat a detector is asked whether it has noticed the crash."""
WARM = 20
"""Mistakes in the first beats of a run do not count: who learns has these to learn from."""
USUAL = 1.2
"""Of a gap that is not so many intervals long nobody asks."""
PEER = 2


class BeatLine(msgspec.Struct, frozen=True):
    """One line: a beat every `interval` seconds, which takes up to `slowest` seconds; `loss` is a fraction."""

    interval: float
    slowest: float
    loss: float


class Drawn(msgspec.Struct, frozen=True):
    """Many runs of a line: every gap between two new beats, and how old the last beat was at each crash."""

    gaps: Any
    """Sorted, in seconds."""
    ages: Any
    """How long before the crash the last beat came; below 0 if it came after."""
    hours: float

    def false(self, timeout: Any) -> Any:
        """Return how many false suspicions an hour brings with these fixed timeouts: the gaps that are longer."""
        return (len(self.gaps) - np.searchsorted(self.gaps, timeout)) / self.hours

    def seconds(self, timeout: Any) -> Any:
        """Return how many seconds after a crash it is suspected with these fixed timeouts, on average."""
        return np.maximum(np.asarray(timeout)[..., None] - self.ages, 0).mean(axis=-1)


class Measured(msgspec.Struct, frozen=True):
    """What a detector did on a line."""

    false: int
    """How many gaps it took for a crash."""
    hours: float
    seconds: float
    """From a crash to its suspicion, on average; a crash that was not noticed in half a minute counts as that."""
    silence: float
    """The same, counted from the last beat."""

    @property
    def per_hour(self) -> float:
        """False suspicions in an hour."""
        return self.false / self.hours


@lru_cache(maxsize=256)
def drawn(line: BeatLine, runs: int = 400, seed: int = 0) -> Drawn:
    """Play `runs` runs of a line at once."""
    _, arrived, fresh, crashes = _arrivals(line, runs, seed)
    row, _ = np.nonzero(fresh)
    times = arrived[fresh]
    same = row[1:] == row[:-1]
    last = np.where(fresh, arrived, -np.inf).max(axis=1)
    ages = crashes - last
    gaps = np.sort((times[1:] - times[:-1])[same])
    return Drawn(gaps, ages[np.isfinite(ages)], float(np.sum(crashes)) / 3600)


def _arrivals(line: BeatLine, runs: int, seed: int) -> tuple[Any, Any, Any, Any]:
    """Return (sent, arrived, whether it is news, when the sender crashes), a row for each run."""
    random = np.random.default_rng(
        [seed, round(1000 * line.interval), round(1000 * line.slowest), round(1000 * line.loss)]
    )
    sent = random.uniform(0, line.interval, (runs, 1)) + line.interval * np.arange(BEATS)
    arrived = sent + random.uniform(SHORTEST, max(line.slowest, SHORTEST), sent.shape)
    arrived = np.where(random.random(sent.shape) < line.loss, np.inf, arrived)
    later = np.minimum.accumulate(arrived[:, ::-1], axis=1)[:, ::-1]
    fresh = np.isfinite(arrived)
    fresh[:, :-1] &= arrived[:, :-1] < later[:, 1:]
    crashes = sent[:, -1] + random.uniform(0, line.interval, runs)
    return sent, arrived, fresh, crashes


def play(detector: Any, line: BeatLine, runs: int = 60, seed: int = 0, timeout: float = TIMEOUT) -> Measured:
    """Let somebody's own detector listen to `runs` runs of a line, a new one in each."""
    sent, arrived, _, crashes = _arrivals(line, runs, seed)
    false, seconds, silences = 0, [], []
    for begin, came, crash in zip(sent, arrived, crashes, strict=True):
        mine = detector([PEER], 0.0, line.interval, timeout)
        wrong, last = _listen(mine, list(_in_order(begin, came)), line)
        false += wrong
        silences.append(_silence(mine, last))
        seconds.append(max(0.0, last + silences[-1] - float(crash)))
    return Measured(
        false, float(np.sum(crashes)) / 3600 * (1 - WARM / BEATS), sum(seconds) / runs, sum(silences) / runs
    )


def _in_order(sent: Any, arrived: Any) -> Iterator[tuple[int, float, float]]:
    """Yield (number, sent, arrived) of a run as the beats come."""
    for place in np.argsort(arrived):
        if np.isfinite(arrived[place]):
            yield int(place) + 1, float(sent[place]), float(arrived[place])


def _listen(mine: Any, coming: list[tuple[int, float, float]], line: BeatLine) -> tuple[int, float]:
    """Hand over the beats of a run; return how many gaps were taken for a crash, and when the last news came."""
    false, newest, heard = 0, 0, 0.0
    for number, sent, arrived in coming:
        if number > newest:
            if newest >= WARM and arrived - heard > USUAL * line.interval and PEER in mine.suspects(arrived - 0.001):
                false += 1
            newest, heard = number, arrived
        mine.beat(PEER, number, sent, arrived)
    return false, heard


def _silence(mine: Any, last: float) -> float:
    """Return after how long a silence that began at `last` is suspected."""
    before = 0.0
    for step in STEPS:
        if PEER in mine.suspects(last + step):
            return float(before + step) / 2
        before = step
    return float(STEPS[-1])
